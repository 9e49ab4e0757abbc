//! What was decided and what the store remembers, as the side that reconciles takes it.

use std::collections::{BTreeMap, BTreeSet};

use super::claims::lineage;
use super::decide::Decided;
use super::decide::change::PlanError;
use super::decide::commit::Written;
use super::decide::reach::Reach;
use super::input::Input;
use super::reconcile::delivery::Delivery;
use super::reconcile::due::{Certainty, ClusterSide, Due, Now, SetDue};
use super::reconcile::lineage::Kinship;
use super::reconcile::{drift, surplus};
use super::seen::{Observation, Pair};
use crate::model::{
    Cluster, ClusterName, Content, Document, Heads, Key, ResourceId, SetName, Snapshot,
};
use crate::render;

/// What is due in each cluster that was looked at.
pub(super) fn due<'a>(
    input: &Input<'a>,
    decided: &'a Decided<'a>,
) -> impl Iterator<Item = Result<Due<'a>, PlanError>> {
    let mut clusters: BTreeMap<&ClusterName, Vec<(&Pair, &Observation)>> = BTreeMap::new();
    for (pair, observation) in input.observed {
        let seen = clusters.entry(&pair.cluster).or_default();
        seen.push((pair, observation));
    }
    let input = Input { ..*input };
    clusters.into_iter().filter_map(move |(name, seen)| {
        let after = &decided.after;
        let leaving = after.leaving.get(name).copied();
        let cluster = leaving.or_else(|| after.clusters.get(name).copied())?;
        let is_due = |set: &SetName| leaving.is_some() || decided.reached.contains(set);
        let seen = seen.into_iter().filter(|(pair, _)| is_due(&pair.set));
        let sets = seen.map(|(pair, observation)| {
            let desired = match leaving {
                Some(_) => None,
                None => decided.snapshot(pair, cluster)?,
            };
            Ok(set_due(
                &input,
                decided,
                cluster,
                pair,
                observation,
                desired,
            ))
        });
        Some(sets.collect::<Result<Vec<_>, _>>().map(|sets| Due {
            side: ClusterSide {
                connection: &cluster.connection,
                limits: input.limits.get(name).copied(),
                is_leaving: leaving.is_some(),
                taken: taken(decided, name, &sets),
                consents: input.consents,
            },
            sets,
        }))
    })
}

fn set_due<'a>(
    input: &Input<'a>,
    decided: &Decided<'a>,
    cluster: &Cluster,
    pair: &Pair,
    observation: &'a Observation,
    desired: Option<Snapshot>,
) -> SetDue<'a> {
    let lineage = lineage(&pair.set, input.heads, input.past);
    let held = match lineage.standing(pair, observation) {
        Kinship::Ours { document, .. } => Some(document),
        _ => None,
    };
    let now = decided.after.head_in(pair).map(|head| {
        let is_desired = (desired.as_ref()).is_some_and(|it| it.document.version() == head.version);
        let is_held = held.is_some_and(|held| held.version() == head.version);
        Now {
            version: head.version,
            contents: (is_held && !is_desired)
                .then(|| render::contents(head.set, head.overrides, head.labels)),
        }
    });
    let is_edited = match observation {
        Observation::Seen(observed) => drift::is_edited(observed, desired.as_ref()),
        Observation::Unseen(_) => false,
    };
    let held = held.filter(|_| is_edited);
    SetDue {
        written: held.and_then(|held| made_again(input, cluster, pair, held)),
        overridden: decided.after.holds(pair),
        certainty: certainty(input.reach, input.heads, &pair.set),
        pair: pair.clone(),
        observation,
        lineage,
        desired,
        now,
    }
}

/// What a target holds by its own account, as the store makes it again.
fn made_again(
    input: &Input<'_>,
    cluster: &Cluster,
    pair: &Pair,
    held: &Document,
) -> Option<Snapshot> {
    let version = held.version();
    let newest = input.heads.get(&ResourceId::Set(pair.set.clone()));
    let revision = newest
        .filter(|head| head.version == version)
        .or_else(|| input.past.get(&(pair.set.clone(), version)))?;
    render::snapshot(
        &pair.set,
        revision.content.set()?,
        &revision.overrides,
        version,
        held.origin(),
        &pair.cluster,
        &cluster.labels,
    )
    .ok()
}

/// The keys, of those that `sets` would remove there, that other sets of the store publish.
fn taken(decided: &Decided<'_>, cluster: &ClusterName, sets: &[SetDue<'_>]) -> BTreeSet<Key> {
    let surplus: BTreeSet<Key> = sets.iter().flat_map(surplus).collect();
    if surplus.is_empty() {
        return surplus;
    }
    let known: BTreeSet<&SetName> = sets.iter().map(|set| &set.pair.set).collect();
    decided.after.published(cluster, &known, surplus)
}

/// What `deliveries` write.
pub(super) fn written(deliveries: &[Delivery]) -> Written {
    let mut written = Written::default();
    for Delivery { pair, write, .. } in deliveries {
        let Some(write) = write else { continue };
        written.sets.insert(pair.set.clone());
        written.clusters.insert(pair.cluster.clone());
        if write.removes_keys() {
            written.emptied.insert(pair.cluster.clone());
        }
    }
    written
}

/// Looking at everything, or after a deleted set, is asking whether anything is left.
fn certainty(reach: &Reach, heads: &Heads, set: &SetName) -> Certainty {
    let head = heads.get(&ResourceId::Set(set.clone()));
    if *reach == Reach::All || head.is_some_and(|head| head.content == Content::Deleted) {
        Certainty::Sure
    } else {
        Certainty::Likely
    }
}
