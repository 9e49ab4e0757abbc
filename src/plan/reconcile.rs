//! The side of the targets: from what each cluster should hold and what it does hold follows what is
//! written there, and what stands against it.
//!
//! It knows neither heads nor sets nor how anything is rendered: what it needs of the store is
//! handed in, so that whoever has nothing but finished snapshots decides the same.

use std::collections::BTreeSet;

use super::objection::Objection;
use crate::model::{Connection, Key};

mod batches;
pub(super) mod delivery;
pub(super) mod drift;
pub(super) mod due;
mod leaving;
pub(super) mod lineage;

use delivery::Delivery;
use due::{Case, Due, SetDue};

/// What happens in one cluster, in the order of the sets that are due, and what stands against it.
pub(super) fn reconcile(due: Due<'_>) -> (Vec<Delivery>, Vec<Objection>) {
    let Due { mut side, sets } = due;
    // In a directory each set has files of its own, which no other takes over.
    if !matches!(side.connection, Connection::Directory(_)) {
        let surplus: BTreeSet<Key> = sets.iter().flat_map(surplus).collect();
        let desired = sets.iter().filter_map(|set| set.desired.as_ref());
        let desired = desired.flat_map(|desired| desired.entries.keys());
        let taken = desired.filter(|key| surplus.contains(*key));
        side.taken.extend(taken.cloned());
    }
    let mut deliveries = Vec::with_capacity(sets.len());
    let mut objections = Vec::new();
    for set in sets {
        let (mut delivery, mut against) = delivery::decide(&side, set);
        if side.is_leaving {
            (delivery, against) = leaving::settle(delivery, against, side.consents);
        }
        deliveries.push(delivery);
        objections.extend(against);
    }
    (deliveries, objections)
}

/// The keys that would be removed, unless another set publishes them from now on.
pub(super) fn surplus(set: &SetDue<'_>) -> Vec<Key> {
    delivery::surplus_of(&Case::of(set))
}

#[cfg(test)]
mod tests;
