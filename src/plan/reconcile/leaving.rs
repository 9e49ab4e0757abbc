//! What becomes of the sets in a cluster that is taken off the list.
//!
//! Once the cluster is forgotten nobody looks there any more, so a person says before what becomes
//! of our keys: they are removed first, or they stay.

use std::collections::BTreeSet;

use super::super::objection::{Objection, ObjectionReason};
use super::delivery::{Action, Condition, Delivery};
use crate::model::{Consent, EntryWrite, Write};

/// The same delivery in a cluster that goes, and what stands against it.
pub(super) fn settle(
    mut delivery: Delivery,
    against: Vec<Objection>,
    consents: &BTreeSet<Consent>,
) -> (Delivery, Vec<Objection>) {
    let (keys, reason) = match &delivery.condition {
        Condition::Unseen(_) if delivery.action == Action::Keep => return (delivery, Vec::new()),
        Condition::Unseen(unseen) => {
            let reason = unseen.reason.clone();
            (None, ObjectionReason::MayKeepKeys { reason })
        }
        // What is not from this store is not ours to remove.
        Condition::Alien(_) => {
            delivery.action = Action::Keep;
            delivery.write = None;
            delivery.changes = Vec::new();
            return (delivery, Vec::new());
        }
        _ => {
            let Some(keys) = delivery.write.as_ref().map(removed) else {
                return (delivery, against);
            };
            if consents.contains(&Consent::RemoveKeys) {
                return (delivery, against);
            }
            (Some(keys), ObjectionReason::KeepsKeys { keys })
        }
    };
    delivery.write = None;
    delivery.changes = Vec::new();
    if consents.contains(&Consent::KeepKeys) {
        delivery.action = Action::Leave(keys);
        return (delivery, Vec::new());
    }
    delivery.action = Action::Refuse;
    let objection = Objection::at(&delivery.pair, reason);
    (delivery, vec![objection])
}

/// How many keys it removes, that of the snapshot included.
fn removed(write: &Write) -> usize {
    let is_removed = |entry: &&EntryWrite| matches!(entry, EntryWrite::Delete { .. });
    let entries = write.entries.values().filter(is_removed).count();
    entries + usize::from(write.snapshot.expected().is_some())
}
