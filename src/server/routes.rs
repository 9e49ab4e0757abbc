//! The routes: one for each method of the service.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{Method, StatusCode};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::IntoResponse as _;
use axum::routing::{delete, get, post};

use super::answer::{Answer, Teller, document, events, look, read};
use super::decode::{At, Body, Key, Params, Wanted};
use super::health::{healthy, ready};
use super::refusal::Refusal;
use super::request::{By, RequestId, admitted, known, named};
use super::shared::Shared;
use super::snapshots;
use crate::api::report::Outcome;
use crate::api::{
    BreakerHistoryQuery, BreakerQuery, Caller, CheckQuery, ClusterQuery, Error, ErrorKind,
    EvaluateQuery, HistoryQuery, Observer, PolicyQuery, Request, RevisionQuery, TokenOrder,
    TokenRevocation, TokenRotation,
};
use crate::model::{BreakerName, ClusterName, FlagName, GrantName, ResourceId, SetName, Version};
use crate::wire::{
    BreakersParams, Carry, ClusterDescription, EvaluateBody, ExplainParams, FlagsParams, HEAD,
    HistoryParams, LookParams, Named, Names, NamesParams, PaceParams, PolicyOf, PolicyParams,
    RevisionParams, Routes, bounded,
};

/// All of them. What nobody needs to be known for stands outside the guard.
pub(super) fn router(shared: Shared) -> Router {
    let guarded = Router::new()
        .route(Routes::PLANS, post(plan))
        .route(Routes::CHANGES, post(change))
        .route(Routes::CHANGE, delete(stop))
        .route(Routes::STATUS, get(status))
        .route(Routes::DRIFT, get(drift))
        .route(Routes::NAMES, get(names))
        .route(Routes::RESOURCES, get(resources))
        .route(Routes::REVISION, get(set_revision))
        .route(Routes::SET_REVISIONS, get(set_history))
        .route(Routes::CLUSTER_REVISIONS, get(cluster_history))
        .route(Routes::CLUSTER_REVISION, get(cluster_revision))
        .route(Routes::GRANT_REVISIONS, get(grant_history))
        .route(Routes::GRANT_REVISION, get(grant_revision))
        .route(Routes::EXPLANATION, get(explain))
        .route(Routes::FLAGS, get(flags))
        .route(Routes::EVALUATION, post(evaluate))
        .route(Routes::BREAKERS, get(breakers))
        .route(Routes::BREAKER, get(breaker))
        .route(Routes::BREAKER_EVENTS, get(breaker_history))
        .route(Routes::CLUSTERS, get(clusters))
        .route(Routes::CLUSTER, get(cluster).post(cluster_among))
        .route(Routes::POLICY, get(policy).post(policy_for))
        .route(Routes::CLUSTER_CHECKS, post(check_clusters))
        .merge(snapshots::routes())
        .route(Routes::TOKENS, get(tokens).post(create_token))
        .route(Routes::TOKEN_ROTATIONS, post(rotate_token))
        .route(Routes::TOKEN_REVOCATIONS, post(revoke_token))
        .route_layer(from_fn_with_state(shared.clone(), admitted))
        .route(Routes::IDENTITY, get(identity))
        .fallback(absent)
        .method_not_allowed_fallback(wrong_method)
        .layer(from_fn_with_state(shared.clone(), known));
    Router::new()
        .route(Routes::HEALTHY, get(healthy))
        .route(Routes::READY, get(ready))
        .merge(guarded)
        .layer(from_fn(named))
        .with_state(shared)
}

async fn absent() -> Refusal {
    Refusal::absent("there is nothing at this path")
}

async fn wrong_method(method: Method) -> Refusal {
    let error = Error::invalid(format!("nothing can be done here with {method}"));
    Refusal::new(StatusCode::METHOD_NOT_ALLOWED, error)
}

async fn plan(
    State(shared): State<Shared>,
    By(by): By,
    id: RequestId,
    wanted: Wanted,
    Body(request): Body<Request>,
) -> Answer {
    bounded(request.pace)?;
    let plan = |seen: Observer| async move { shared.service.plan(&by, &request, &seen).await };
    look(wanted, id, plan).await
}

async fn change(
    State(shared): State<Shared>,
    By(by): By,
    id: RequestId,
    wanted: Wanted,
    Key(key): Key,
    Body(mut carry): Body<Carry>,
) -> Answer {
    bounded(carry.request.pace)?;
    if key.is_some() {
        carry.request.key = key;
    }
    let Some(running) = shared.runs.begin(&id.0) else {
        let error = "a change with the id of this request is being carried out";
        return Err(Error::new(ErrorKind::Conflict, error).into());
    };
    let client = running.run.attended();
    let (teller, told) = Teller::new(id.clone());
    let heard = (Arc::clone(&running.run), teller.clone());
    let hear = move |event| {
        heard.0.hear(&event);
        if wanted == Wanted::Events {
            heard.1.tell(&event);
        }
    };
    let seen = Observer::new(Arc::new(hear), running.run.stop());
    // In a task of its own: a client that goes away takes nothing with it.
    let carrying = tokio::spawn(async move {
        let Carry { request, approval } = carry;
        let service = &shared.service;
        let done = service.carry_out(&by, &request, &approval, &seen).await;
        log(&by, &request, &id, &done);
        drop(running);
        done
    });
    match wanted {
        Wanted::Document => {
            let done = carrying.await;
            drop(client);
            document(done.unwrap_or_else(|error| Err(Error::of(ErrorKind::Bug, &error)))?)
        }
        Wanted::Events => {
            tokio::spawn(async move {
                let done = carrying.await;
                teller.end(done.unwrap_or_else(|error| Err(Error::of(ErrorKind::Bug, &error))));
            });
            Ok(events(told, client))
        }
    }
}

/// One line for each change: who, what, which versions, how it ended.
fn log(by: &Caller, request: &Request, id: &RequestId, done: &Result<Outcome, Error>) {
    let (by, request_id) = (by.actor(), id.0.as_str());
    let change = request.change.word();
    match done {
        Ok(outcome) => {
            let committed = outcome.committed.iter();
            let committed: Vec<_> = committed
                .map(|it| format!("{}@{}", it.name, it.version))
                .collect();
            let (committed, complete) = (committed.join(","), outcome.complete);
            let reason = request.message.as_ref().map_or("", |it| it.as_str());
            tracing::info!(
                by,
                change,
                committed,
                complete,
                reason,
                request_id,
                "carried out"
            );
        }
        Err(error) => {
            let (kind, error) = (error.kind, error.chain());
            tracing::warn!(by, change, ?kind, error, request_id, "not carried out");
        }
    }
}

async fn stop(State(shared): State<Shared>, By(by): By, At(id): At<String>) -> Answer {
    if shared.runs.stop(&id) {
        let by = by.actor();
        tracing::info!(by, request_id = id, "stopping: nothing new is begun");
        Ok(StatusCode::ACCEPTED.into_response())
    } else {
        Err(Refusal::absent(
            "this server carries out no change with this id",
        ))
    }
}

async fn status(
    State(shared): State<Shared>,
    By(by): By,
    id: RequestId,
    wanted: Wanted,
    Params(params): Params<LookParams>,
) -> Answer {
    let query = params.query()?;
    let status = |seen: Observer| async move { shared.service.status(&by, &query, &seen).await };
    look(wanted, id, status).await
}

async fn drift(
    State(shared): State<Shared>,
    By(by): By,
    id: RequestId,
    wanted: Wanted,
    Params(params): Params<LookParams>,
) -> Answer {
    let query = params.query()?;
    let drift = |seen: Observer| async move { shared.service.drift(&by, &query, &seen).await };
    look(wanted, id, drift).await
}

async fn names(State(shared): State<Shared>, By(by): By) -> Answer {
    let names = read(shared.service.names(&by)).await?;
    document(Names { names })
}

async fn resources(
    State(shared): State<Shared>,
    By(by): By,
    Params(params): Params<NamesParams>,
) -> Answer {
    let query = params.query()?;
    document(read(shared.service.resources(&by, &query)).await?)
}

async fn set_revision(
    shared: State<Shared>,
    by: By,
    At((set, version)): At<(SetName, String)>,
    params: Params<RevisionParams>,
) -> Answer {
    revision(shared, by, (ResourceId::Set(set), version), params).await
}

async fn cluster_revision(
    shared: State<Shared>,
    by: By,
    At((cluster, version)): At<(ClusterName, String)>,
    params: Params<RevisionParams>,
) -> Answer {
    let name = ResourceId::Cluster(cluster);
    revision(shared, by, (name, version), params).await
}

async fn grant_revision(
    shared: State<Shared>,
    by: By,
    At((grant, version)): At<(GrantName, String)>,
    params: Params<RevisionParams>,
) -> Answer {
    revision(shared, by, (ResourceId::Grant(grant), version), params).await
}

async fn revision(
    State(shared): State<Shared>,
    By(by): By,
    (name, version): (ResourceId, String),
    Params(params): Params<RevisionParams>,
) -> Answer {
    let version = if version == HEAD {
        None
    } else {
        let number = version.parse().ok().and_then(Version::new);
        let unreadable = || Refusal::unreadable("a version is a number above 0, or `head`");
        Some(number.ok_or_else(unreadable)?)
    };
    let query = RevisionQuery {
        name,
        version,
        cluster: params.cluster,
    };
    document(read(shared.service.revision(&by, &query)).await?)
}

async fn set_history(
    shared: State<Shared>,
    by: By,
    At(set): At<SetName>,
    params: Params<HistoryParams>,
) -> Answer {
    history(shared, by, ResourceId::Set(set), params).await
}

async fn cluster_history(
    shared: State<Shared>,
    by: By,
    At(cluster): At<ClusterName>,
    params: Params<HistoryParams>,
) -> Answer {
    history(shared, by, ResourceId::Cluster(cluster), params).await
}

async fn grant_history(
    shared: State<Shared>,
    by: By,
    At(grant): At<GrantName>,
    params: Params<HistoryParams>,
) -> Answer {
    history(shared, by, ResourceId::Grant(grant), params).await
}

async fn history(
    State(shared): State<Shared>,
    By(by): By,
    name: ResourceId,
    Params(params): Params<HistoryParams>,
) -> Answer {
    let limit = params.limit();
    let query = HistoryQuery { name, limit };
    document(read(shared.service.history(&by, &query)).await?)
}

async fn explain(
    State(shared): State<Shared>,
    By(by): By,
    At(set): At<SetName>,
    Params(params): Params<ExplainParams>,
) -> Answer {
    let query = params.query(set)?;
    document(read(shared.service.explain(&by, &query)).await?)
}

async fn flags(
    State(shared): State<Shared>,
    By(by): By,
    id: RequestId,
    wanted: Wanted,
    Params(params): Params<FlagsParams>,
) -> Answer {
    let query = params.query()?;
    let flags = |seen: Observer| async move { shared.service.flags(&by, &query, &seen).await };
    look(wanted, id, flags).await
}

async fn evaluate(
    State(shared): State<Shared>,
    By(by): By,
    At((set, flag)): At<(SetName, FlagName)>,
    Body(body): Body<EvaluateBody>,
) -> Answer {
    let query = EvaluateQuery {
        set,
        flag,
        context: body.context,
        cluster: body.cluster,
    };
    document(read(shared.service.evaluate(&by, &query)).await?)
}

async fn breakers(
    State(shared): State<Shared>,
    By(by): By,
    id: RequestId,
    wanted: Wanted,
    Params(params): Params<BreakersParams>,
) -> Answer {
    let query = params.query()?;
    let breakers =
        |seen: Observer| async move { shared.service.breakers(&by, &query, &seen).await };
    look(wanted, id, breakers).await
}

async fn breaker(
    State(shared): State<Shared>,
    By(by): By,
    id: RequestId,
    wanted: Wanted,
    At((set, breaker)): At<(SetName, BreakerName)>,
    Params(params): Params<PaceParams>,
) -> Answer {
    let pace = params.pace()?;
    let query = BreakerQuery { set, breaker, pace };
    let breaker = |seen: Observer| async move { shared.service.breaker(&by, &query, &seen).await };
    look(wanted, id, breaker).await
}

async fn breaker_history(
    State(shared): State<Shared>,
    By(by): By,
    At((set, breaker)): At<(SetName, BreakerName)>,
    Params(params): Params<HistoryParams>,
) -> Answer {
    let query = BreakerHistoryQuery {
        set,
        breaker,
        limit: params.limit(),
    };
    document(read(shared.service.breaker_history(&by, &query)).await?)
}

async fn clusters(State(shared): State<Shared>, By(by): By) -> Answer {
    document(read(shared.service.clusters(&by)).await?)
}

async fn cluster(State(shared): State<Shared>, By(by): By, At(name): At<ClusterName>) -> Answer {
    let query = ClusterQuery {
        name,
        described: None,
    };
    let cluster = read(shared.service.cluster(&by, &query)).await?;
    document(ClusterDescription { cluster })
}

async fn cluster_among(
    State(shared): State<Shared>,
    By(by): By,
    At(name): At<ClusterName>,
    Body(body): Body<Named>,
) -> Answer {
    let query = ClusterQuery {
        name,
        described: Some(body.described),
    };
    let cluster = read(shared.service.cluster(&by, &query)).await?;
    document(ClusterDescription { cluster })
}

async fn policy(
    State(shared): State<Shared>,
    By(by): By,
    At(cluster): At<ClusterName>,
    Params(params): Params<PolicyParams>,
) -> Answer {
    let query = PolicyQuery {
        cluster,
        sets: params.sets()?,
        described: None,
    };
    document(read(shared.service.policy(&by, &query)).await?)
}

async fn policy_for(
    State(shared): State<Shared>,
    By(by): By,
    At(cluster): At<ClusterName>,
    Body(body): Body<PolicyOf>,
) -> Answer {
    let query = PolicyQuery {
        cluster,
        sets: body.sets,
        described: Some(body.described),
    };
    document(read(shared.service.policy(&by, &query)).await?)
}

async fn check_clusters(
    State(shared): State<Shared>,
    By(by): By,
    id: RequestId,
    wanted: Wanted,
    Body(query): Body<CheckQuery>,
) -> Answer {
    bounded(query.pace)?;
    let check =
        |seen: Observer| async move { shared.service.check_clusters(&by, &query, &seen).await };
    look(wanted, id, check).await
}

async fn identity(State(shared): State<Shared>, By(by): By) -> Answer {
    document(read(shared.service.identity(&by)).await?)
}

async fn tokens(State(shared): State<Shared>, By(by): By) -> Answer {
    document(read(shared.service.tokens(&by)).await?)
}

async fn create_token(
    State(shared): State<Shared>,
    By(by): By,
    Body(order): Body<TokenOrder>,
) -> Answer {
    document(read(shared.service.create_token(&by, &order)).await?)
}

async fn rotate_token(
    State(shared): State<Shared>,
    By(by): By,
    Body(rotation): Body<TokenRotation>,
) -> Answer {
    document(read(shared.service.rotate_token(&by, &rotation)).await?)
}

async fn revoke_token(
    State(shared): State<Shared>,
    By(by): By,
    Body(wanted): Body<TokenRevocation>,
) -> Answer {
    document(read(shared.service.revoke_token(&by, &wanted)).await?)
}
