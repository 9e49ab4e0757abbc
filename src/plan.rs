//! Decides, in full and before anything is written, what would change.
//!
//! Pure: from what is desired, what the store holds and what every target holds follows one
//! [`Plan`]. It leaves no choice to whoever carries it out. `apply`, `rollback`, `delete`, `diff`
//! and `status` differ only in what they desire, and in whether they carry it out.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{
    Cause, ClusterName, Commit, Consent, Content, EntryWrite, Heads, Limits, Observed, Origin,
    Overrides, Provenance, ResourceId, Revision, SetName, Version,
};
use crate::render::RenderError;

mod after;
mod batches;
mod changes;
mod delivery;
mod denied;
mod desired;
mod explain;
mod gates;
mod holds;
mod leaving;
mod objection;
mod saved;

pub use after::{Clusters, Look, Reach, places};
pub use changes::{Edit, ValueChange, value_changes};
pub use delivery::{Action, Adopted, Condition, Delivery, Drift, Found};
pub use denied::Denials;
pub use desired::Desired;
pub use explain::{Explanation, Held, Source, explain, source_of_flag};
pub use holds::{Hold, holds};
pub use objection::{Objection, Reason, chain};
pub use saved::{SavedPlan, SavedPlanError, States, Wish, states};

use delivery::Certainty;
use objection::Standing;

use after::After;

/// One set in one cluster.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pair {
    /// The set.
    pub set: SetName,
    /// The cluster.
    pub cluster: ClusterName,
}

/// What was seen of one set in one cluster.
#[derive(Debug)]
pub enum Observation {
    /// What is there.
    Seen(Observed),
    /// Why nothing is known.
    Unseen(Unseen),
}

/// Why a target could not be looked at. What is there stays there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unseen {
    /// What kind of failure it is.
    pub kind: UnseenKind,
    /// The whole error, causes included.
    pub reason: String,
}

/// What kind of failure keeps a target from being looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnseenKind {
    /// It does not answer; it may later.
    Unreachable,
    /// The token is not allowed to.
    Denied,
    /// It answers nonsense, or the connection is described wrongly.
    Unusable,
}

/// The older revisions, as far as targets hold one.
pub type Past = BTreeMap<(SetName, Version), Revision>;

/// Everything that a plan follows from.
#[derive(Debug)]
pub struct Input<'a> {
    /// What should become of which resources.
    pub desired: &'a Desired,
    /// Which sets to look at beyond those that change.
    pub reach: &'a Reach,
    /// The heads, read after the targets were observed: a target that is ahead of them is a fault.
    pub heads: &'a Heads,
    /// The revisions that targets hold and that are no longer the head.
    pub past: &'a Past,
    /// What was seen. A pair that is not in here is not touched.
    pub observed: &'a BTreeMap<Pair, Observation>,
    /// What one write to each cluster can carry, where it is known.
    pub limits: &'a BTreeMap<ClusterName, Limits>,
    /// The origin of every revision that the plan makes; its consents are those below.
    pub origin: &'a Origin,
    /// What a person has consented to.
    pub consents: &'a BTreeSet<Consent>,
}

/// Every change that would be made, and everything that stands against it.
#[derive(Debug)]
pub struct Plan {
    /// What is committed: no revisions when no resource changes, but always the heads that the plan
    /// follows from.
    pub commit: Commit,
    /// Each resource that gets a new revision.
    pub resources: Vec<ResourceChange>,
    /// What happens in every cluster, by set and cluster.
    pub deliveries: Vec<Delivery>,
    /// What stands against the plan, worst first.
    pub objections: Vec<Objection>,
}

/// A resource that gets a new revision.
#[derive(Clone, Debug, PartialEq)]
pub struct ResourceChange {
    /// The resource.
    pub id: ResourceId,
    /// The head that it is planned against.
    pub base: Option<Version>,
    /// The revision that it gets.
    pub version: Version,
    /// What the head says.
    pub before: Option<Content>,
    /// What the new revision says.
    pub after: Content,
    /// What is overridden now.
    pub overrides_before: Overrides,
    /// What the new revision overrides.
    pub overrides: Overrides,
    /// Why there is a new revision.
    pub why: Why,
}

/// Why a resource gets a new revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// What is declared changes.
    Content,
    /// What is overridden changes, and nothing else.
    Overrides,
    /// The labels of a cluster change or have changed, and with them what the set says there.
    Labels,
    /// It takes over from a history that this store does not know, with a higher number.
    Takeover,
}

/// Why no plan can be made.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// The values of a set cannot be published; checking would have found it.
    #[error("`{set}` cannot be rendered for `{cluster}`: {}", .errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Render {
        /// The set.
        set: SetName,
        /// The cluster.
        cluster: ClusterName,
        /// Every reason.
        errors: Vec<RenderError>,
    },
}

/// Decides what follows from `input`.
pub fn plan(input: &Input<'_>) -> Result<Plan, PlanError> {
    // No `..`: a new input does not compile until it is thought about here.
    let Input {
        desired,
        reach,
        heads,
        past,
        observed,
        limits,
        origin,
        consents,
    } = input;

    // What was consented to is part of how a revision came to be.
    let origin = &Origin {
        consents: (*consents).clone(),
        ..(*origin).clone()
    };
    let after = After::of(desired, heads);
    let resources = after.revisions(&objection::claims(input, &after));
    let reached = after.reached(reach);

    let mut deliveries = Vec::new();
    let mut objections = gates::judge(heads, &after, &resources, origin, consents)?;
    objections.extend(after.dangling());
    for (pair, observation) in *observed {
        let leaving = after.leaving.get(&pair.cluster);
        if leaving.is_none() && !reached.contains(&pair.set) {
            continue;
        }
        let Some(cluster) = leaving.or_else(|| after.clusters.get(&pair.cluster)) else {
            continue;
        };
        let standing = objection::standing(pair, observation, heads, past);
        let scene = delivery::Scene {
            pair,
            observation,
            head: after.head_in(pair),
            desired: match leaving {
                Some(_) => None,
                None => after.snapshot(pair, cluster, &resources, origin)?,
            },
            written: standing.written(&pair.set, heads, past),
            standing,
            begun: batches::begun(pair, observation, heads, past),
            limits: limits.get(&pair.cluster).copied(),
            certainty: certainty(reach, heads, &pair.set),
            consents,
            after: &after,
        };
        let (mut delivery, mut against) = delivery::decide(&scene);
        if leaving.is_some() {
            (delivery, against) = leaving::settle(delivery, against, consents);
        }
        deliveries.push(delivery);
        objections.extend(against);
    }
    objections.sort();

    let commit = after.commit(&resources, &reached, origin);
    Ok(Plan {
        commit,
        resources: resources.into_values().collect(),
        deliveries,
        objections,
    })
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

impl Plan {
    /// Says where the contents of new revisions were written. What stands against that is that a
    /// set is declared elsewhere than before: two sources would take each other back for ever.
    pub fn attach(
        &mut self,
        provenances: &BTreeMap<ResourceId, Provenance>,
        heads: &Heads,
        consents: &BTreeSet<Consent>,
    ) {
        for (id, provenance) in provenances {
            let Some(revision) = self.commit.revisions.get_mut(id) else {
                continue;
            };
            let before = heads.get(id).and_then(|head| head.provenance.as_ref());
            let is_declared =
                |change: &ResourceChange| change.id == *id && change.why == Why::Content;
            let is_declared =
                revision.origin.cause == Cause::Apply && self.resources.iter().any(is_declared);
            // A rollback, and what came through a pipe, is no other place to declare it.
            if !is_declared || !provenance.has_source() {
                revision.provenance = Some(provenance.clone().staying_with(before));
                continue;
            }
            revision.provenance = Some(provenance.clone());
            let moved = before.and_then(|before| provenance.moved_from(before));
            if let (Some((from, to)), ResourceId::Set(set)) = (moved, id)
                && !consents.contains(&Consent::MoveSource)
            {
                self.objections.push(Objection {
                    reason: Reason::Moved { from, to },
                    set: set.clone(),
                    cluster: None,
                });
            }
        }
        self.objections.sort();
    }

    /// Whether carrying it out would change anything, in the store or in a target.
    pub fn has_changes(&self) -> bool {
        let Self {
            commit,
            resources,
            deliveries,
            objections: _,
        } = self;
        !commit.revisions.is_empty()
            || !resources.is_empty()
            || deliveries.iter().any(|delivery| delivery.write.is_some())
    }

    /// What happens to one set in one cluster, if it was looked at.
    pub fn delivery(&self, pair: &Pair) -> Option<&Delivery> {
        let found = self.deliveries.binary_search_by(|it| it.pair.cmp(pair));
        self.deliveries.get(found.ok()?)
    }

    /// What happens to one set, by cluster.
    pub fn deliveries_of(&self, set: &SetName) -> &[Delivery] {
        let start = self.deliveries.partition_point(|it| it.pair.set < *set);
        let rest = &self.deliveries[start..];
        &rest[..rest.partition_point(|it| it.pair.set == *set)]
    }

    /// Whether it takes this cluster off the list.
    pub fn leaves(&self, cluster: &ClusterName) -> bool {
        let id = ResourceId::Cluster(cluster.clone());
        let revision = self.commit.revisions.get(&id);
        revision.is_some_and(|revision| revision.content == Content::Deleted)
    }

    /// Whether it removes any key from a target.
    pub fn removes_keys(&self) -> bool {
        let writes = self.deliveries.iter().filter_map(|it| it.write.as_ref());
        let mut entries = writes.flat_map(|write| write.entries.values());
        entries.any(|entry| matches!(entry, EntryWrite::Delete { .. }))
    }

    /// Whether every target that has to do with it could be looked at and holds what it should, and
    /// nothing would change.
    pub fn is_settled(&self) -> bool {
        !self.has_changes()
            && self.objections.is_empty()
            && self
                .deliveries
                .iter()
                .all(|delivery| match delivery.condition {
                    Condition::InSync | Condition::None => true,
                    Condition::Unseen(_) => delivery.action == Action::Keep,
                    _ => false,
                })
    }
}

/// A plan that may be carried out. [`approve`] is the only way to get one, and the engine takes
/// nothing else.
#[derive(Debug)]
pub struct Approved(Plan);

impl Approved {
    /// The plan.
    pub fn plan(&self) -> &Plan {
        &self.0
    }

    /// The plan, which was carried out.
    pub fn into_plan(self) -> Plan {
        self.0
    }
}

/// Lets a plan pass that nothing stands against. Gives it back with its objections otherwise.
pub fn approve(plan: Plan) -> Result<Approved, Box<Plan>> {
    if plan.objections.is_empty() {
        Ok(Approved(plan))
    } else {
        Err(Box::new(plan))
    }
}

/// Lets a plan pass that declares nothing new, also when something stands against it in some
/// clusters: those stay as they are, and hold up no others. Gives any other plan back.
pub fn approve_where_possible(plan: Plan) -> Result<Approved, Box<Plan>> {
    let declares_nothing =
        |change: &ResourceChange| matches!(change.why, Why::Overrides | Why::Labels);
    let in_one_cluster = |objection: &Objection| objection.cluster.is_some();
    if plan.resources.iter().all(declares_nothing) && plan.objections.iter().all(in_one_cluster) {
        Ok(Approved(plan))
    } else {
        Err(Box::new(plan))
    }
}

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
