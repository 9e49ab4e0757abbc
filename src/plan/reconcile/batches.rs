//! What deliveries in batches mean for a decision: which keys may be late, and what one that was
//! stopped has left.

use std::collections::{BTreeMap, BTreeSet};

use super::due::Case;
use crate::model::{
    Auxiliary, Document, EntryWrite, Key, Observed, ObservedEntry, ObservedSnapshot, Owner,
};

/// The keys that may be written in batches: what is desired decides, and for the others what is
/// held, or was about to be.
pub(super) fn loose(case: &Case<'_>, entries: &BTreeMap<Key, EntryWrite>) -> BTreeSet<Key> {
    let desired = case.desired();
    let held = case.standing.document();
    let is_loose = |key: &&Key| match desired {
        Some(desired) if desired.entries.contains_key(*key) => desired.document.is_loose(key),
        _ => held.is_some_and(|held| held.is_loose(key)) || is_created(case, key),
    };
    entries.keys().filter(is_loose).cloned().collect()
}

/// What the target holds beside the snapshot key, as far as this store may go by it.
pub(super) fn auxiliary(case: &Case<'_>, observed: &Observed) -> Auxiliary {
    let mut auxiliary = observed.auxiliary.clone();
    if let (Some(delivering), None) = (&mut auxiliary.delivering, case.begun) {
        delivering.created.clear();
    }
    auxiliary
}

/// The keys that an unfinished delivery made there and that no snapshot names.
pub(super) fn created<'a>(
    case: &Case<'a>,
    observed: &'a Observed,
) -> impl Iterator<Item = (&'a Key, &'a ObservedEntry)> {
    let created = case.begun.into_iter().flat_map(|begun| &begun.created);
    created
        .filter_map(|key| Some((key, observed.entries.get(key)?)))
        .filter(|(_, entry)| entry.owner == Owner::Cfgctl)
}

/// Whether there is no snapshot, but something of one that never arrived.
pub(super) fn is_abandoned(case: &Case<'_>, observed: &Observed) -> bool {
    matches!(observed.snapshot, ObservedSnapshot::Absent)
        && (case.begun.is_some() || observed.auxiliary.own_parts().next().is_some())
}

/// Whether an unfinished delivery explains that `key` is not as `held` says.
pub(super) fn explains(
    observed: &Observed,
    held: &Document,
    key: &Key,
    found: Option<&ObservedEntry>,
) -> bool {
    observed.auxiliary.delivering.is_some()
        && held.is_loose(key)
        && found.is_none_or(|entry| entry.owner == Owner::Cfgctl)
}

/// Whether an unfinished delivery may have made `key`.
pub(super) fn is_created(case: &Case<'_>, key: &Key) -> bool {
    case.begun.is_some_and(|begun| begun.created.contains(key))
}
