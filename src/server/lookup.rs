//! Routes of what the store holds: resources, their revisions and histories.

use axum::extract::State;

use super::answer::{Answer, read};
use super::condition::Known;
use super::decode::{At, Params};
use super::refusal::Refusal;
use super::request::By;
use super::shared::Shared;
use crate::api::{HistoryQuery, RevisionQuery};
use crate::model::{ClusterName, GrantName, ResourceId, SetName, Version};
use crate::wire::{Cut as _, HEAD, HistoryParams, NamesParams, PageParams, RevisionParams};

pub(super) async fn resources(
    State(shared): State<Shared>,
    By(by): By,
    known: Known,
    Params(params): Params<NamesParams>,
) -> Answer {
    let page = params.page()?;
    let limit = page.as_ref().map(PageParams::limit).transpose()?;
    let query = params.query()?;
    let found = read(shared.service.resources(&by, &query)).await?;
    let (found, next) = match (page, limit) {
        (Some(page), Some(limit)) => found.cut(page.cursor.as_deref(), limit)?,
        _ => (found, None),
    };
    known.or_page(found, next)
}

pub(super) async fn set_revision(
    shared: State<Shared>,
    by: By,
    known: Known,
    At((set, version)): At<(SetName, String)>,
    params: Params<RevisionParams>,
) -> Answer {
    revision(shared, by, known, (ResourceId::Set(set), version), params).await
}

pub(super) async fn cluster_revision(
    shared: State<Shared>,
    by: By,
    known: Known,
    At((cluster, version)): At<(ClusterName, String)>,
    params: Params<RevisionParams>,
) -> Answer {
    let name = ResourceId::Cluster(cluster);
    revision(shared, by, known, (name, version), params).await
}

pub(super) async fn grant_revision(
    shared: State<Shared>,
    by: By,
    known: Known,
    At((grant, version)): At<(GrantName, String)>,
    params: Params<RevisionParams>,
) -> Answer {
    revision(
        shared,
        by,
        known,
        (ResourceId::Grant(grant), version),
        params,
    )
    .await
}

async fn revision(
    State(shared): State<Shared>,
    By(by): By,
    known: Known,
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
    known.or_document(read(shared.service.revision(&by, &query)).await?)
}

pub(super) async fn set_history(
    shared: State<Shared>,
    by: By,
    At(set): At<SetName>,
    known: Known,
    params: Params<HistoryParams>,
) -> Answer {
    history(shared, by, ResourceId::Set(set), known, params).await
}

pub(super) async fn cluster_history(
    shared: State<Shared>,
    by: By,
    At(cluster): At<ClusterName>,
    known: Known,
    params: Params<HistoryParams>,
) -> Answer {
    history(shared, by, ResourceId::Cluster(cluster), known, params).await
}

pub(super) async fn grant_history(
    shared: State<Shared>,
    by: By,
    At(grant): At<GrantName>,
    known: Known,
    params: Params<HistoryParams>,
) -> Answer {
    history(shared, by, ResourceId::Grant(grant), known, params).await
}

async fn history(
    State(shared): State<Shared>,
    By(by): By,
    name: ResourceId,
    known: Known,
    Params(params): Params<HistoryParams>,
) -> Answer {
    let query = HistoryQuery {
        name,
        before: params.before()?,
        limit: params.limit()?,
    };
    let found = read(shared.service.history(&by, &query)).await?;
    let last = found.revisions.last().map(|revision| revision.version);
    let is_full = found.revisions.len() == query.limit;
    let next = last.filter(|version| is_full && *version != Version::FIRST);
    known.or_page(found, next.map(|version| version.to_string()))
}
