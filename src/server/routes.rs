//! The routes: one for each method of the service.

use std::slice;
use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::extract::State;
use axum::http::{Method, StatusCode};
use axum::middleware::from_fn_with_state;
use axum::response::IntoResponse as _;

use super::answer::{Answer, StatusOf, Teller, document, events, look, read};
use super::audit;
use super::condition::{IfMatch, Known, failed, with_token};
use super::decode::{At, Body, Key, Params, Wanted};
use super::guard::guard;
use super::health::{healthy, ready};
use super::hooks;
use super::journal::Asked;
use super::logins;
use super::lookup::{
    cluster_history, cluster_revision, grant_history, grant_revision, resources, set_history,
    set_revision,
};
use super::openapi;
use super::refusal::Refusal;
use super::request::{By, RequestId, named};
use super::runs::Busy;
use super::scrape::metrics;
use super::shared::Shared;
use super::snapshots;
use super::table::{self, Table, delete, get, post};
use super::views;
use crate::api::{
    AccessQuery, BreakerHistoryQuery, BreakerQuery, CheckQuery, ClusterQuery, Error, ErrorKind,
    EvaluateQuery, Observer, PolicyQuery, Principal, Request, TokenOrder, TokenRevocation,
    TokenRotation,
};
use crate::model::{BreakerName, ClusterName, FlagName, SetName};
use crate::traces::Work;
use crate::wire::{
    BreakersParams, Carry, ClusterDescription, Cut as _, EvaluateBody, EventsParams, ExplainParams,
    FlagsParams, LookParams, Named, Names, PaceParams, PageParams, PolicyOf, PolicyParams, Routes,
    bounded,
};

/// All of them. What nobody needs to be known for stands outside the guard.
pub(super) fn router(shared: Shared) -> Router {
    let guarded = guarded()
        .into_router()
        .fallback(absent)
        .method_not_allowed_fallback(wrong_method)
        .layer(from_fn_with_state(shared.clone(), guard));
    open()
        .into_router()
        .merge(guarded)
        .layer(from_fn_with_state(shared.clone(), named))
        .with_state(shared)
}

/// Every method of every route.
pub(super) fn rows() -> Vec<(table::Method, &'static str)> {
    let tables = [guarded(), open()];
    tables.iter().flat_map(Table::rows).copied().collect()
}

/// What only those may ask who are known.
pub(super) fn guarded() -> Table {
    Table::default()
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
        .route(Routes::ALERT_TESTS, post(hooks::test))
        .route(Routes::ALERTS, get(hooks::alerts))
        .route(Routes::ALERTMANAGER, post(hooks::take))
        .route(Routes::GRAFANA, post(hooks::take).put(hooks::take))
        .route(Routes::CLUSTERS, get(clusters))
        .route(Routes::CLUSTER, get(cluster).post(cluster_among))
        .route(Routes::POLICY, get(policy).post(policy_for))
        .route(Routes::CLUSTER_CHECKS, post(check_clusters))
        .route(Routes::ACCESS, get(access))
        .route(Routes::TOKENS, get(tokens).post(create_token))
        .route(Routes::TOKEN_ROTATIONS, post(rotate_token))
        .route(Routes::TOKEN_REVOCATIONS, post(revoke_token))
        .route(Routes::NOTIFICATIONS, get(notifications))
        .route(Routes::AUDIT, get(audit::entries))
        .route(Routes::AUDIT_VERIFICATIONS, post(audit::verify))
        .route(Routes::CHECKPOINT, get(audit::checkpoint))
        .route(Routes::METRICS, get(metrics))
        .route(Routes::SNAPSHOTS, get(snapshots::index))
        .route(Routes::SNAPSHOT, get(snapshots::snapshot))
        .route(Routes::LINEAGE, get(snapshots::lineage))
        .route(Routes::NEWS, get(snapshots::news))
        .route(Routes::IDENTITY, get(identity))
        .and(views::table())
}

/// What anybody may ask.
pub(super) fn open() -> Table {
    Table::default()
        .route(Routes::HEALTHY, get(healthy))
        .route(Routes::READY, get(ready))
        .route(Routes::OPENAPI, get(openapi::document))
        .route(Routes::INFO, get(logins::info))
        .route(Routes::EXCHANGE, post(logins::exchange))
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
    let shown = Arc::new(OnceLock::new());
    let token = Arc::clone(&shown);
    let plan = |seen: Observer| async move {
        let proposal = shared.service.plan(&by, &request, &seen).await?;
        // There is one plan.
        _ = token.set(proposal.token.to_string());
        Ok(proposal)
    };
    let answer = look(wanted, id, plan).await?;
    Ok(match shown.get() {
        Some(token) => with_token(answer, token),
        None => answer,
    })
}

async fn change(
    State(shared): State<Shared>,
    By(by): By,
    id: RequestId,
    wanted: Wanted,
    key: Key,
    if_match: IfMatch,
    Body(carry): Body<Carry>,
) -> Answer {
    let Carry {
        mut request,
        approval,
    } = carry;
    let status: StatusOf = if if_match.is_said() { failed } else { |_| None };
    let begun = bounded(request.pace).map_err(Refusal::from).and_then(|_| {
        let approval = if_match.or(approval)?;
        let key = key.or(request.key.take())?;
        request.key = Some(key.clone());
        let of = (by.actor().to_owned(), key.clone());
        let running = shared.runs.begin(&id.0, of).map_err(busy)?;
        Ok((approval, key, running))
    });
    let (approval, key, running) = begun.inspect_err(|refusal| {
        let asked = Asked::of(&by, id.parts(), request.change.word());
        asked.failed(refusal.error());
    })?;
    let client = running.run.attended();
    let (teller, told) = Teller::new(id.clone());
    let teller = teller.with_status(status);
    let heard = (Arc::clone(&running.run), teller.clone());
    let hear = move |event| {
        heard.0.hear(&event);
        if wanted == Wanted::Events {
            heard.1.tell(&event);
        }
    };
    let seen = Observer::new(Arc::new(hear), running.run.stop());
    // In a task of its own: a client that goes away takes nothing with it.
    let here = Work::current();
    let carrying = async move {
        let service = &shared.service;
        let done = service.carry_out(&by, &request, &approval, &seen).await;
        let asked = Asked::of(&by, id.parts(), request.change.word());
        match &done {
            Ok(outcome) => {
                let sequence = shared.keeper.made_under(&key).await;
                asked.done(&request, outcome, sequence);
            }
            Err(error) => asked.failed(error),
        }
        // A stream of events has begun well by now.
        if let (Wanted::Events, Err(error)) = (wanted, &done)
            && error.kind == ErrorKind::Denied
        {
            let operation = format!("POST {}", Routes::CHANGES);
            shared.keeper.refused(&by, operation, error);
        }
        drop(running);
        done
    };
    let carrying = tokio::spawn(async move { here.around(carrying).await });
    match wanted {
        Wanted::Document => {
            let done = carrying.await;
            drop(client);
            let done = done.unwrap_or_else(|error| Err(Error::of(ErrorKind::Bug, &error)));
            document(done.map_err(|error| match status(&error) {
                Some(status) => Refusal::new(status, error),
                None => error.into(),
            })?)
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

fn busy(busy: Busy) -> Error {
    match busy {
        Busy::Named => {
            let error = "a change with the id of this request is being carried out";
            Error::new(ErrorKind::Conflict, error)
        }
        Busy::Keyed => {
            let error = "a change with this key is being carried out";
            Error::new(ErrorKind::Running, error)
                .hint("the same request again, once it is over, answers what has come of it")
        }
    }
}

async fn stop(State(shared): State<Shared>, By(by): By, At(id): At<String>) -> Answer {
    // A token stops what it began itself; whoever can end the server may stop all of it.
    let whose = matches!(by.principal, Principal::Token(_)).then(|| by.actor());
    if shared.runs.stop(&id, whose) {
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

async fn names(
    State(shared): State<Shared>,
    By(by): By,
    known: Known,
    Params(page): Params<PageParams>,
) -> Answer {
    let limit = page.limit()?;
    let names = read(shared.service.names(&by)).await?;
    let (names, next) = Names { names }.cut(page.cursor.as_deref(), limit)?;
    known.or_page(names, next)
}

async fn explain(
    State(shared): State<Shared>,
    By(by): By,
    known: Known,
    At(set): At<SetName>,
    Params(params): Params<ExplainParams>,
) -> Answer {
    let query = params.query(set)?;
    known.or_document(read(shared.service.explain(&by, &query)).await?)
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
    known: Known,
    At((set, breaker)): At<(SetName, BreakerName)>,
    Params(params): Params<EventsParams>,
) -> Answer {
    let query = BreakerHistoryQuery {
        set,
        breaker,
        limit: params.limit()?,
    };
    known.or_document(read(shared.service.breaker_history(&by, &query)).await?)
}

async fn clusters(
    State(shared): State<Shared>,
    By(by): By,
    known: Known,
    Params(page): Params<PageParams>,
) -> Answer {
    let limit = page.limit()?;
    let found = read(shared.service.clusters(&by)).await?;
    let (found, next) = found.cut(page.cursor.as_deref(), limit)?;
    known.or_page(found, next)
}

async fn cluster(
    State(shared): State<Shared>,
    By(by): By,
    known: Known,
    At(name): At<ClusterName>,
) -> Answer {
    let query = ClusterQuery {
        name,
        described: None,
    };
    let cluster = read(shared.service.cluster(&by, &query)).await?;
    known.or_document(ClusterDescription { cluster })
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
    known: Known,
    At(cluster): At<ClusterName>,
    Params(params): Params<PolicyParams>,
) -> Answer {
    let query = PolicyQuery {
        cluster,
        sets: params.sets()?,
        described: None,
    };
    known.or_document(read(shared.service.policy(&by, &query)).await?)
}

async fn access(
    State(shared): State<Shared>,
    By(by): By,
    known: Known,
    Params(query): Params<AccessQuery>,
) -> Answer {
    known.or_document(read(shared.service.access(&by, &query)).await?)
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

async fn notifications(State(shared): State<Shared>, By(by): By, known: Known) -> Answer {
    known.or_document(read(shared.service.notifications(&by)).await?)
}

async fn tokens(State(shared): State<Shared>, By(by): By) -> Answer {
    document(read(shared.service.tokens(&by)).await?)
}

async fn create_token(
    State(shared): State<Shared>,
    By(by): By,
    id: RequestId,
    Body(order): Body<TokenOrder>,
) -> Answer {
    let made = read(shared.service.create_token(&by, &order)).await;
    let asked = Asked::of(&by, id.parts(), "create-token");
    document(asked.tokens(made, order.message.as_ref(), |it| {
        slice::from_ref(&it.token)
    })?)
}

async fn rotate_token(
    State(shared): State<Shared>,
    By(by): By,
    id: RequestId,
    Body(rotation): Body<TokenRotation>,
) -> Answer {
    let made = read(shared.service.rotate_token(&by, &rotation)).await;
    let asked = Asked::of(&by, id.parts(), "rotate-token");
    document(asked.tokens(made, rotation.message.as_ref(), |it| {
        slice::from_ref(&it.token)
    })?)
}

async fn revoke_token(
    State(shared): State<Shared>,
    By(by): By,
    id: RequestId,
    Body(wanted): Body<TokenRevocation>,
) -> Answer {
    let revoked = read(shared.service.revoke_token(&by, &wanted)).await;
    let asked = Asked::of(&by, id.parts(), "revoke-token");
    document(asked.tokens(revoked, wanted.message.as_ref(), |it| &it.items)?)
}
