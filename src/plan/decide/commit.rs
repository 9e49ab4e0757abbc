//! The commit that makes a plan real, and the heads that it is guarded by.

use std::collections::{BTreeMap, BTreeSet};

use super::super::seen::Pair;
use super::after::After;
use super::change::ResourceChange;
use super::provenance::provenance;
use super::reach::Reach;
use crate::model::{ClusterName, Commit, Origin, ResourceId, Revision, SetName};

/// What a plan writes to targets, as far as it has to be guarded.
#[derive(Debug, Default)]
pub(crate) struct Written {
    /// The sets that are written or removed somewhere.
    pub(crate) sets: BTreeSet<SetName>,
    /// The clusters where anything is.
    pub(crate) clusters: BTreeSet<ClusterName>,
    /// Those of them where keys are removed.
    pub(crate) emptied: BTreeSet<ClusterName>,
}

/// The commit that makes `changes` real, guarded by what the plan follows from: a commit of anything
/// else does not refuse it. It is guarded also when there are no changes: writes must not follow
/// from heads that have moved.
pub(super) fn commit(
    after: &After<'_>,
    changes: &BTreeMap<ResourceId, ResourceChange>,
    reached: &BTreeSet<SetName>,
    written: &Written,
    origin: &Origin,
) -> Commit {
    // What was asked for: also what needs no change has to be so when it is said to be.
    let asked = after.reached(&Reach::Named(BTreeSet::new()));
    // A key that is removed is none that another set has there.
    let beside = reached.iter().filter(|set| {
        let pair = |cluster: &ClusterName| Pair {
            set: (*set).clone(),
            cluster: cluster.clone(),
        };
        let is_there = |name: &ClusterName| {
            let cluster = after.clusters.get(name);
            let will_be = cluster.and_then(|cluster| after.set_in(set, cluster));
            will_be.is_some() || after.head_in(&pair(name)).is_some()
        };
        written.emptied.iter().any(is_there)
    });
    // What a cluster loses that is taken off the list follows from every set.
    let all = (!after.leaving.is_empty()).then(|| after.sets.keys().copied());
    let sets = asked.iter().chain(&written.sets).chain(beside);
    let sets = sets.chain(all.into_iter().flatten()).cloned();
    // Where a set goes, and what it is there, follows from every cluster, and so does whether
    // another one has the keys of one that goes.
    let is_set = |id: &ResourceId| matches!(id, ResourceId::Set(_));
    let by_all = changes.keys().any(is_set) || !after.leaving.is_empty();
    let clusters = after.heads.keys().filter(|id| match id {
        ResourceId::Cluster(name) => by_all || written.clusters.contains(name),
        ResourceId::Grant(_) | ResourceId::Set(_) => false,
    });
    let guarded = (after.desired.contents.keys())
        .chain(changes.keys())
        .chain(clusters)
        .cloned()
        .chain(sets.map(ResourceId::Set));
    let version = |id: &ResourceId| after.heads.get(id).map(|head| head.version);
    Commit {
        expected: guarded.map(|id| (id.clone(), version(&id))).collect(),
        revisions: changes
            .iter()
            .map(|(id, change)| (id.clone(), revision(after, change, origin)))
            .collect(),
        ..Commit::default()
    }
}

fn revision(after: &After<'_>, change: &ResourceChange, origin: &Origin) -> Revision {
    Revision {
        version: change.version,
        origin: origin.clone(),
        content: change.after.clone(),
        overrides: change.overrides.clone(),
        provenance: provenance(after, change, origin),
    }
}
