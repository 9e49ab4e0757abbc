//! Rules that refuse a change until someone consents: what looks like an accident.
//!
//! They judge what is declared, old against new in every cluster, and not what targets hold: once
//! a change is committed with its consent, any later pass delivers it without asking again.

use std::collections::{BTreeMap, BTreeSet};

use super::super::changes::removed_leaves;
use super::super::objection::{Objection, ObjectionReason};
use super::super::seen::Pair;
use super::after::After;
use super::change::{PlanError, ResourceChange, Why};
use super::desired::Desired;
use crate::model::value::count_leaves;
use crate::model::{Consent, Heads, Origin, ResourceId, Snapshot};

/// More than one key in this many is a mass deletion.
const DELETES_ONE_IN: usize = 5;
/// More than this many times the old size is suspicious growth.
const GROWTH: usize = 2;

/// What stands against the new revisions of sets, unless it is consented to.
pub(super) fn judge(
    heads: &Heads,
    after: &After<'_>,
    changes: &BTreeMap<ResourceId, ResourceChange>,
    origin: &Origin,
    consents: &BTreeSet<Consent>,
) -> Result<Vec<Objection>, PlanError> {
    let nothing_changed = BTreeMap::new();
    let nothing_desired = Desired::nothing();
    let before = After::of(&nothing_desired, heads);
    let mut objections = Vec::new();
    for change in changes.values() {
        let (ResourceId::Set(set), Why::Content) = (&change.id, change.why) else {
            continue;
        };
        for (name, cluster) in &after.clusters {
            let Some(old_cluster) = before.clusters.get(name) else {
                continue;
            };
            let pair = Pair {
                set: set.clone(),
                cluster: (*name).clone(),
            };
            let Some(old) = before.snapshot(&pair, old_cluster, &nothing_changed, origin)? else {
                continue;
            };
            let new = after.snapshot(&pair, cluster, changes, origin)?;
            let reasons = reasons(&old, new.as_ref()).filter(|reason| {
                reason
                    .answer()
                    .is_none_or(|answer| !consents.contains(&answer))
            });
            objections.extend(reasons.map(|reason| Objection::at(&pair, reason)));
        }
    }
    Ok(objections)
}

fn reasons(old: &Snapshot, new: Option<&Snapshot>) -> impl Iterator<Item = ObjectionReason> {
    let (deletes, grows) = match new {
        None => (Some(ObjectionReason::DeletesAll), None),
        Some(new) => (deletes(old, new), grows(old, new)),
    };
    deletes.into_iter().chain(grows)
}

fn deletes(old: &Snapshot, new: &Snapshot) -> Option<ObjectionReason> {
    let (before, after) = (old.document.values(), new.document.values());
    let values = (removed_leaves(before, after), count_leaves(before));
    // What is published goes too when a publish target does, though every value stays.
    let gone = old.entries.keys();
    let gone = gone.filter(|key| !new.entries.contains_key(*key)).count();
    let published = (gone, old.entries.len());
    [values, published]
        .into_iter()
        .find(|(removed, of)| removed * DELETES_ONE_IN > *of)
        .map(|(removed, of)| ObjectionReason::Deletes { removed, of })
}

fn grows(old: &Snapshot, new: &Snapshot) -> Option<ObjectionReason> {
    let (from, to) = (old.document.bytes(), new.document.bytes());
    (to > from * GROWTH).then_some(ObjectionReason::Grows { from, to })
}
