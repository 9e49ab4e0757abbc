//! The feed: what each cluster should hold, finished, for whoever delivers or reads it.
//!
//! What is handed out is what this store itself would write: the same document, the same digest. With
//! what tells its own versions from those of others, whoever has nothing else decides the same about
//! a cluster as this does.

use std::collections::{BTreeMap, BTreeSet};

use super::authorise::{Need, View};
use super::names::{gone, known};
use crate::api::report::{ClusterSnapshot, ClusterSnapshots, LineageReport, SnapshotItem};
use crate::api::{
    AsOf, Error, ErrorKind, LineageQuery, News, Readable, SnapshotQuery, SnapshotsQuery,
    TokenHolder,
};
use crate::model::{
    Cluster, ClusterName, ConfigSet, ResourceId, Revision, Role, Sequence, SetName, Snapshot,
};
use crate::plan::PlanError;
use crate::render;
use crate::store::{HeadsAt, Store, Which};

/// After more commits than this it is not worth naming what they changed.
const MOST_COMMITS: usize = 256;
/// After how many sets others have their turn.
const TURN: usize = 16;

/// What a cluster should hold of every set that goes to it, or of those that are named.
pub(super) async fn snapshots(
    store: &dyn Store,
    query: &SnapshotsQuery,
) -> Result<AsOf<ClusterSnapshots>, Error> {
    let SnapshotsQuery { cluster, sets } = query;
    let found = store.heads(&which(cluster, sets.as_ref())).await?;
    let place = place(store, &found, cluster).await?;
    let mut items = Vec::new();
    for (id, head) in &found.heads {
        let (Some(name), Some(set)) = (id.set(), head.content.set()) else {
            continue;
        };
        if !set.clusters.matches(&place.labels) {
            continue;
        }
        items.push(SnapshotItem {
            name: name.clone(),
            version: head.version,
            digest: rendered(name, set, head, cluster, &place)
                .ok()
                .map(|snapshot| snapshot.document.digest().clone()),
        });
        if items.len().is_multiple_of(TURN) {
            tokio::task::yield_now().await;
        }
    }
    Ok(AsOf {
        sequence: found.sequence,
        answer: ClusterSnapshots {
            cluster: cluster.clone(),
            sets: items,
        },
    })
}

/// Whose snapshots may be read in a cluster, which has to be there for whoever asks.
pub(super) async fn readable(view: &View<'_>, query: &SnapshotsQuery) -> Result<Readable, Error> {
    if view.access().allows(&Need::All(Role::Viewer)) {
        return Ok(Readable::All);
    }
    let SnapshotsQuery { cluster, sets } = query;
    let found = view.heads(&which(cluster, sets.as_ref())).await?;
    place(view, &found, cluster).await?;
    let sets = found.heads.keys().filter_map(ResourceId::set);
    let sets = sets.filter(|set| view.sight().sees_pair(set, cluster));
    Ok(Readable::Only(sets.cloned().collect()))
}

/// What a cluster should hold of one set.
pub(super) async fn snapshot(
    store: &dyn Store,
    query: &SnapshotQuery,
) -> Result<AsOf<ClusterSnapshot>, Error> {
    let SnapshotQuery { cluster, set: name } = query;
    let found = store.heads(&named(cluster, [name])).await?;
    let place = place(store, &found, cluster).await?;
    let id = ResourceId::Set(name.clone());
    let head = head(store, &found, &id).await?;
    let set = head.content.set().ok_or_else(|| gone(&id))?;
    if !set.clusters.matches(&place.labels) {
        return Err(Error::absent(format!(
            "{name} does not go to {cluster}: its clusters are `{}`",
            set.clusters
        )));
    }
    let snapshot = rendered(name, set, &head, cluster, &place)?;
    let entries = snapshot.entries.iter().map(|(key, bytes)| {
        let text = std::str::from_utf8(bytes);
        let text = text.map_err(|error| Error::of(ErrorKind::Bug, &error));
        Ok((key.clone(), text?.to_owned()))
    });
    Ok(AsOf {
        sequence: found.sequence,
        answer: ClusterSnapshot {
            document: snapshot.document,
            entries: entries.collect::<Result<_, Error>>()?,
        },
    })
}

/// The same error for an application, which may know of nothing but its own: what there is beside that, and
/// is called nearly so, is not named to it.
pub(super) fn untold(error: Error, app: &TokenHolder) -> Error {
    match error.kind {
        ErrorKind::Absent | ErrorKind::Invalid => not_of(app),
        _ => error,
    }
}

/// That there is nothing else for an application than its own, and perhaps not even that.
pub(super) fn not_of(app: &TokenHolder) -> Error {
    let set = app.set.as_ref().map_or("nothing", SetName::as_str);
    let of = match &app.cluster {
        Some(cluster) => format!("{set} in the cluster {cluster}"),
        None => format!("{set}, in the clusters that it goes to"),
    };
    Error::absent("there is no such thing for this token").hint(format!("it is for {of}"))
}

/// What tells whether versions of a set that lie in a cluster are from this store.
pub(super) async fn lineage(
    store: &dyn Store,
    query: &LineageQuery,
) -> Result<AsOf<LineageReport>, Error> {
    let LineageQuery {
        cluster,
        set: name,
        versions,
    } = query;
    let found = store.heads(&named(cluster, [name])).await?;
    let place = place(store, &found, cluster).await?;
    let id = ResourceId::Set(name.clone());
    let head = found.heads.get(&id);
    let older: Vec<_> = versions
        .iter()
        .filter(|version| head.is_some_and(|head| **version < head.version))
        .map(|version| (id.clone(), *version))
        .collect();
    let mut origins = BTreeMap::new();
    if !older.is_empty() {
        let older = store.revisions(&older).await?.into_iter();
        origins.extend(older.map(|(_, it)| (it.version, it.origin.delivered())));
    }
    if let Some(head) = head.filter(|head| versions.contains(&head.version)) {
        origins.insert(head.version, head.origin.delivered());
    }
    let set = head.and_then(|head| head.content.set());
    Ok(AsOf {
        sequence: found.sequence,
        answer: LineageReport {
            cluster: cluster.clone(),
            set: name.clone(),
            newest: head.map(|head| head.version),
            is_there: set.is_some_and(|set| set.clusters.matches(&place.labels)),
            origins,
        },
    })
}

/// What was committed after `after`, once something was.
pub(super) async fn wait(store: &dyn Store, after: Sequence) -> Result<News, Error> {
    let newest = store.wait(after).await?;
    let anything = |sequence| News {
        sequence,
        changed: None,
    };
    // A store that was restored from a backup: what came after is another history.
    if newest < after {
        return Ok(anything(newest));
    }
    let records = store.commits(after, MOST_COMMITS).await?;
    let last = records.last().map(|record| record.sequence);
    match last.filter(|last| *last >= newest) {
        None => Ok(anything(newest)),
        Some(sequence) => Ok(News {
            sequence,
            changed: Some(
                records
                    .into_iter()
                    .flat_map(|record| record.changes.into_keys())
                    .collect(),
            ),
        }),
    }
}

/// The heads that a question about a cluster takes: of these sets, or of all.
fn which(cluster: &ClusterName, sets: Option<&BTreeSet<SetName>>) -> Which {
    sets.map_or(Which::All, |sets| named(cluster, sets))
}

/// The heads of these sets and of their cluster, and of nothing else.
fn named<'s>(cluster: &ClusterName, sets: impl IntoIterator<Item = &'s SetName>) -> Which {
    let sets = sets.into_iter().cloned().map(ResourceId::Set);
    let cluster = ResourceId::Cluster(cluster.clone());
    Which::Named(sets.chain([cluster]).collect::<BTreeSet<_>>())
}

/// The cluster, which must be there.
async fn place(
    store: &dyn Store,
    found: &HeadsAt,
    cluster: &ClusterName,
) -> Result<Cluster, Error> {
    let id = ResourceId::Cluster(cluster.clone());
    let head = head(store, found, &id).await?;
    head.content.cluster().cloned().ok_or_else(|| gone(&id))
}

/// A head that must be among those that were found; where it is not, all are read, so that it can be
/// said which ones are like it.
async fn head(store: &dyn Store, found: &HeadsAt, id: &ResourceId) -> Result<Revision, Error> {
    if let Some(head) = found.heads.get(id) {
        return Ok(head.clone());
    }
    known(&store.heads(&Which::All).await?.heads, id).cloned()
}

fn rendered(
    name: &SetName,
    set: &ConfigSet,
    head: &Revision,
    cluster: &ClusterName,
    place: &Cluster,
) -> Result<Snapshot, PlanError> {
    render::snapshot(
        name,
        set,
        &head.overrides,
        head.version,
        &head.origin,
        cluster,
        &place.labels,
    )
    .map_err(|errors| PlanError::Render {
        set: name.clone(),
        cluster: cluster.clone(),
        errors,
    })
}
