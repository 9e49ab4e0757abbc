//! What deliveries in batches mean for a decision: which keys may be late, and what one that was
//! stopped has left.

use std::collections::{BTreeMap, BTreeSet};

use super::delivery::Scene;
use super::objection::known_origin;
use super::{Observation, Pair, Past};
use crate::model::{
    Aside, Delivering, Document, EntryWrite, Heads, Key, Observed, ObservedEntry, ObservedSnapshot,
    Owner,
};

/// The delivery that this store began there and that is not finished.
pub(super) fn begun<'a>(
    pair: &Pair,
    observation: &'a Observation,
    heads: &Heads,
    past: &Past,
) -> Option<&'a Delivering> {
    let Observation::Seen(observed) = observation else {
        return None;
    };
    let begun = observed.aside.delivering.as_deref()?;
    let made_here = known_origin(&pair.set, begun.version, heads, past) == Some(&begun.origin);
    made_here.then_some(begun)
}

/// The keys that may be written in batches: what is desired decides, and for the others what is
/// held, or was about to be.
pub(super) fn loose(scene: &Scene<'_>, entries: &BTreeMap<Key, EntryWrite>) -> BTreeSet<Key> {
    let desired = scene.desired.as_ref();
    let held = scene.standing.document();
    let is_loose = |key: &&Key| match desired {
        Some(desired) if desired.entries.contains_key(*key) => desired.document.is_loose(key),
        _ => held.is_some_and(|held| held.is_loose(key)) || is_created(scene, key),
    };
    entries.keys().filter(is_loose).cloned().collect()
}

/// What the target holds beside the snapshot key, as far as this store may go by it.
pub(super) fn aside(scene: &Scene<'_>, observed: &Observed) -> Aside {
    let mut aside = observed.aside.clone();
    if let (Some(delivering), None) = (&mut aside.delivering, scene.begun) {
        delivering.created.clear();
    }
    aside
}

/// The keys that an unfinished delivery made there and that no snapshot names.
pub(super) fn created<'a>(
    scene: &Scene<'a>,
    observed: &'a Observed,
) -> impl Iterator<Item = (&'a Key, &'a ObservedEntry)> {
    let created = scene.begun.into_iter().flat_map(|begun| &begun.created);
    created
        .filter_map(|key| Some((key, observed.entries.get(key)?)))
        .filter(|(_, entry)| entry.owner == Owner::Cfgctl)
}

/// Whether there is no snapshot, but something of one that never arrived.
pub(super) fn is_abandoned(scene: &Scene<'_>, observed: &Observed) -> bool {
    matches!(observed.snapshot, ObservedSnapshot::Absent)
        && (scene.begun.is_some() || observed.aside.own_parts().next().is_some())
}

/// Whether an unfinished delivery explains that `key` is not as `held` says.
pub(super) fn explains(
    observed: &Observed,
    held: &Document,
    key: &Key,
    found: Option<&ObservedEntry>,
) -> bool {
    observed.aside.delivering.is_some()
        && held.is_loose(key)
        && found.is_none_or(|entry| entry.owner == Owner::Cfgctl)
}

/// Whether an unfinished delivery may have made `key`.
pub(super) fn is_created(scene: &Scene<'_>, key: &Key) -> bool {
    scene.begun.is_some_and(|begun| begun.created.contains(key))
}
