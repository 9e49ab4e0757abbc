//! Decides, in full and before anything is written, what would change.
//!
//! Pure: from what is desired, what the store holds and what every target holds follows one
//! [`Plan`]. It leaves no choice to whoever carries it out. `apply`, `rollback`, `delete`, `diff`
//! and `status` differ only in what they desire, and in whether they carry it out.
//!
//! Two sides decide that do not know each other: `decide` what is committed and what each cluster
//! should hold then, and `reconcile` what is written where to get there.

use crate::model::{ClusterName, Commit, Content, Origin, ResourceId, SetName, Write};

mod changes;
mod claims;
mod decide;
mod denied;
mod explain;
mod holds;
mod input;
mod join;
mod objection;
mod permitted;
mod reconcile;
mod seen;
mod switch;
mod token;

pub use changes::{Edit, ValueChange, value_changes};
pub use decide::change::{PlanError, ResourceChange, Why};
pub use decide::desired::Desired;
pub use decide::places::{Look, places};
pub use decide::reach::{ClusterScope, Reach};
pub use denied::Denials;
pub use explain::{Explanation, Held, Origins, ValueSource, source_of_flag};
pub use holds::{Hold, holds};
pub use input::{Input, Past};
pub use objection::{Objection, ObjectionReason, Rule, chain};
pub use permitted::Permitted;
pub use reconcile::delivery::{Action, Adopted, Condition, Delivery, Found};
pub use reconcile::drift::ForeignEdit;
pub use seen::{Observation, Pair, Unseen, UnseenKind};
pub use switch::{
    AlertEffect, AlertTold, Alerted, BreakerChange, BreakerOperation, FlagChange, FlagPosition,
    Ground, Switch, SwitchError, Switched, Wanted, alerted, witness,
};
pub use token::{Basis, PlanToken, States, states};

use decide::after::After;

/// Every change that would be made, and everything that stands against it.
#[derive(Debug)]
pub struct Plan {
    /// What is committed: no revisions when no resource changes, but always the heads that what
    /// changes and what is written follow from.
    pub commit: Commit,
    /// Each resource that gets a new revision.
    pub resources: Vec<ResourceChange>,
    /// What happens in every cluster, by set and cluster.
    pub deliveries: Vec<Delivery>,
    /// What stands against the plan, worst first.
    pub objections: Vec<Objection>,
}

/// Decides what follows from `input`.
pub fn plan(input: &Input<'_>) -> Result<Plan, PlanError> {
    // What was consented to is part of how a revision came to be.
    let origin = &Origin {
        consents: input.consents.clone(),
        ..input.origin.clone()
    };
    let (heads, consents) = (input.heads, input.consents);
    let after = After::of(input.desired, heads);
    let claims = claims::claims(input, &after);
    let decided = decide::decide(after, &claims, input.reach, heads, origin, consents)?;
    let mut objections = decided.objections.clone();
    let mut deliveries = Vec::with_capacity(input.observed.len());
    for due in join::due(input, &decided) {
        let (delivered, against) = reconcile::reconcile(due?);
        deliveries.extend(delivered);
        objections.extend(against);
    }
    deliveries.sort_by(|a, b| a.pair.cmp(&b.pair));
    objections.sort();
    Ok(Plan {
        commit: decided.commit(&join::written(&deliveries)),
        resources: decided.resources.into_values().collect(),
        deliveries,
        objections,
    })
}

impl Plan {
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
        let mut writes = self.deliveries.iter().filter_map(|it| it.write.as_ref());
        writes.any(Write::removes_keys)
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

/// A plan that may be carried out, by whoever asked and by the gates. [`approve`] is the only way to
/// get one for what somebody asks for, and the engine takes nothing else.
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

/// Lets a plan pass that is permitted and that nothing stands against. Gives it back with its
/// objections otherwise.
pub fn approve(plan: Permitted<Plan>) -> Result<Approved, Box<Plan>> {
    let plan = plan.into_inner();
    if plan.objections.is_empty() {
        Ok(Approved(plan))
    } else {
        Err(Box::new(plan))
    }
}

/// Lets a plan pass that declares nothing new, also when something stands against it in some
/// clusters: those stay as they are, and hold up no others. Gives any other plan back. Nobody is
/// asked whether it is permitted: that was decided when what it delivers was committed.
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
pub(crate) mod tests;
