//! What happens to one set in one cluster.

use std::collections::BTreeMap;

use serde::Serialize;

use super::super::changes::{ValueChange, value_changes};
use super::super::holds::Hold;
use super::super::objection::{Objection, ObjectionReason};
use super::super::seen::{Observation, Pair, Unseen};
use super::batches;
use super::drift::{ForeignEdit, drift};
use super::due::{Case, Certainty, ClusterSide, SetDue};
use super::lineage::Kinship;
use crate::model::{
    BreakerState, Connection, Consent, Contents, Document, EntryWrite, Flag, Key, Limits, Observed,
    ObservedEntry, Origin, Oversize, Owner, Part, Snapshot, SnapshotWrite, Version, Write,
};

/// What happens to one set in one cluster, and what was found there.
#[derive(Debug)]
pub struct Delivery {
    /// Which set and cluster.
    pub pair: Pair,
    /// How the target compares with the head that the store has now.
    pub condition: Condition,
    /// The version that the target holds, and how it came to be.
    pub holds: Option<(Version, Origin)>,
    /// What the target should hold; `None`: nothing of this set.
    pub desired: Option<Document>,
    /// What is done about it.
    pub action: Action,
    /// What it means for the values.
    pub changes: Vec<ValueChange>,
    /// What was changed behind our back since the last write.
    pub drift: Vec<ForeignEdit>,
    /// What is switched by hand in what the target should hold.
    pub overridden: Vec<Hold>,
    /// The flags and breakers that stand otherwise in what the target holds than in what it should
    /// hold. Empty where it could not be looked at.
    pub otherwise: BTreeMap<Part, Found>,
    /// Keys of others in places that the application reads; they stay.
    pub foreign: Vec<Key>,
    /// Keys of others that the write takes over.
    pub adopted: Vec<Adopted>,
    /// The write that carries it out.
    pub write: Option<Write>,
}

/// A key that cfgctl did not write and takes over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adopted {
    /// The key.
    pub key: Key,
    /// What it holds and what it gets, where these differ.
    pub change: Option<(Vec<u8>, Vec<u8>)>,
}

/// How a target compares with the head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// The set does not belong there, and is not there.
    None,
    /// It holds the head, untouched.
    InSync,
    /// It should hold the head and holds nothing.
    Missing,
    /// It holds an older revision.
    Behind,
    /// The delivery of this version in batches was begun there, and is under way or was stopped.
    Unfinished(Version),
    /// Someone else changed our keys.
    Edited,
    /// It holds the head as it was rendered for other labels or by another cfgctl.
    Outdated,
    /// The set does not belong there any more, and still is there.
    Leftover,
    /// It holds something that is not from this store.
    Alien(ObjectionReason),
    /// It could not be looked at.
    Unseen(Unseen),
}

/// What is done about one set in one cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Action {
    /// Nothing.
    Keep,
    /// The desired snapshot is written where there is none.
    Create,
    /// The desired snapshot replaces another version.
    Update,
    /// The same version is written again over what differs from it.
    Repair,
    /// Our keys are removed.
    Remove,
    /// Nothing: this many of our keys stay in a cluster that is taken off the list; `None`: it
    /// could not be looked at.
    Leave(Option<usize>),
    /// Nothing, because something stands against it.
    Refuse,
    /// Nothing, because the target could not be looked at.
    Wait,
}

/// How a flag or breaker stands in what a target holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Found {
    /// There is none.
    Nothing,
    /// The flag as it is there.
    Flag(Flag),
    /// The state of the breaker there.
    Breaker(BreakerState),
}

/// What happens to one set, and what stands against it.
pub(super) fn decide(side: &ClusterSide<'_>, set: SetDue<'_>) -> (Delivery, Vec<Objection>) {
    let (mut delivery, objections) = decided(side, &Case::of(&set));
    delivery.desired = set.desired.map(|desired| desired.document);
    (delivery, objections)
}

/// The same without what is desired.
fn decided(side: &ClusterSide<'_>, case: &Case<'_>) -> (Delivery, Vec<Objection>) {
    let mut delivery = Delivery {
        pair: case.set.pair.clone(),
        condition: Condition::None,
        holds: None,
        desired: None,
        action: Action::Wait,
        changes: Vec::new(),
        drift: Vec::new(),
        overridden: case.set.overridden.clone(),
        otherwise: BTreeMap::new(),
        foreign: Vec::new(),
        adopted: Vec::new(),
        write: None,
    };
    let observed = match case.set.observation {
        Observation::Seen(observed) => observed,
        Observation::Unseen(unseen) => {
            delivery.condition = Condition::Unseen(unseen.clone());
            // Where the set neither is nor will be, most likely nothing is left to do. A look at
            // everything has to be sure.
            if case.desired().is_none()
                && case.set.now.is_none()
                && case.set.certainty == Certainty::Likely
            {
                delivery.action = Action::Keep;
            }
            return (delivery, Vec::new());
        }
    };
    let document = case.standing.document();
    delivery.holds = document.map(|held| (held.version(), held.origin().clone()));
    delivery.drift = drift(case, observed);
    delivery.condition = condition(case, observed, &delivery.drift);
    delivery.foreign = foreign(case, observed);

    let nothing = Contents::default();
    let before = document.map_or(&nothing, Document::contents);
    let after = (case.desired()).map_or(&nothing, |desired| desired.document.contents());
    let (action, write) = match (case.desired(), &case.standing) {
        (Some(desired), _) if observed.holds(&desired.document) => (Action::Keep, None),
        (Some(desired), _) => (
            replacing(case, desired),
            Some(replacement(side, case, observed, desired)),
        ),
        (None, Kinship::Ours { .. }) => (Action::Remove, removal(side, case, observed)),
        (None, Kinship::Absent) if batches::is_abandoned(case, observed) => {
            (Action::Remove, removal(side, case, observed))
        }
        // The store says that its set is there. What lies in its place is taken away like any other
        // only if that is consented to.
        (None, Kinship::Alien { .. }) if case.set.now.is_some() => {
            (Action::Remove, removal(side, case, observed))
        }
        // What is not from this store is not ours to remove.
        (None, _) => {
            delivery.action = Action::Keep;
            return (delivery, Vec::new());
        }
    };
    delivery.changes = value_changes(&before.whole(), &after.whole());
    delivery.otherwise = otherwise(before, after);

    let reasons = write
        .as_ref()
        .map_or_else(Vec::new, |write| against(side, case, observed, write));
    if reasons.is_empty() {
        delivery.action = action;
        delivery.adopted = match action {
            Action::Keep | Action::Remove => Vec::new(),
            _ => adopted(case, observed),
        };
        delivery.write = write;
    } else {
        delivery.action = Action::Refuse;
    }
    let objection = |reason| Objection::at(&case.set.pair, reason);
    (delivery, reasons.into_iter().map(objection).collect())
}

/// The flags and breakers of `after` that are others in `before`.
fn otherwise(before: &Contents, after: &Contents) -> BTreeMap<Part, Found> {
    let flags = after.flags.iter().filter_map(|(name, flag)| {
        let found = match before.flags.get(name) {
            Some(held) if held == flag => return None,
            Some(held) => Found::Flag(held.clone()),
            None => Found::Nothing,
        };
        Some((Part::Flag(name.clone()), found))
    });
    let breakers = after.breakers.iter().filter_map(|(name, status)| {
        let found = match before.breakers.get(name) {
            Some(held) if held.state == status.state => return None,
            Some(held) => Found::Breaker(held.state),
            None => Found::Nothing,
        };
        Some((Part::Breaker(name.clone()), found))
    });
    flags.chain(breakers).collect()
}

/// What it is called when `desired` is written.
fn replacing(case: &Case<'_>, desired: &Snapshot) -> Action {
    match &case.standing {
        Kinship::Unknown | Kinship::Absent => Action::Create,
        Kinship::Ours { document, .. } if document.version() == desired.document.version() => {
            Action::Repair
        }
        Kinship::Ours { .. } | Kinship::Alien { .. } => Action::Update,
    }
}

/// Everything that stands against `write`.
fn against(
    side: &ClusterSide<'_>,
    case: &Case<'_>,
    observed: &Observed,
    write: &Write,
) -> Vec<ObjectionReason> {
    let mut reasons = Vec::new();
    if !side.consents.contains(&Consent::Adopt) {
        if let Kinship::Alien { reason, .. } = &case.standing {
            reasons.push(reason.clone());
        }
        let keys = taken(case, observed);
        if !keys.is_empty() {
            reasons.push(ObjectionReason::ForeignKeys { keys });
        }
    }
    let oversize = oversize(side, write);
    if !oversize.is_empty() {
        reasons.push(ObjectionReason::too_large(&oversize));
    }
    reasons
}

/// Every limit that `write` exceeds, where limits are known.
fn oversize(side: &ClusterSide<'_>, write: &Write) -> Vec<Oversize> {
    match (side.connection, side.limits) {
        (Connection::Consul(consul), Some(limits)) => {
            write.oversize(&consul.snapshot_key(&write.set), limits)
        }
        (Connection::Directory(_), _) => {
            write.oversize_at_once(write.set.as_str(), Limits::DIRECTORY)
        }
        (Connection::Consul(_), None) => Vec::new(),
    }
}

/// Whether a key is one that cfgctl wrote: it carries the mark, or our own snapshot names it.
fn is_ours(case: &Case<'_>, key: &Key, entry: &ObservedEntry) -> bool {
    entry.owner == Owner::Cfgctl
        || matches!(&case.standing, Kinship::Ours { document, intact: true }
            if document.keys().contains_key(key))
}

/// The keys that would be overwritten although cfgctl did not write them.
fn taken(case: &Case<'_>, observed: &Observed) -> Vec<Key> {
    let Some(desired) = case.desired() else {
        return Vec::new();
    };
    let is_taken = |key: &&Key| {
        let entry = observed.entries.get(*key);
        entry.is_some_and(|entry| !is_ours(case, key, entry))
    };
    desired.entries.keys().filter(is_taken).cloned().collect()
}

/// What becomes of the keys that are taken over.
fn adopted(case: &Case<'_>, observed: &Observed) -> Vec<Adopted> {
    let becomes = |key: &Key| case.desired()?.entries.get(key);
    let keys = taken(case, observed).into_iter();
    keys.filter_map(|key| {
        let was = &observed.entries.get(&key)?.value;
        let becomes = becomes(&key)?;
        let change = (was != becomes).then(|| (was.clone(), becomes.clone()));
        Some(Adopted { key, change })
    })
    .collect()
}

/// The write that brings the target to `desired`.
fn replacement(
    side: &ClusterSide<'_>,
    case: &Case<'_>,
    observed: &Observed,
    desired: &Snapshot,
) -> Write {
    let mut entries: BTreeMap<Key, EntryWrite> = removals(side, case, observed);
    for (key, value) in desired.entries.iter() {
        let write = match observed.entries.get(key) {
            Some(entry) if entry.is(value) && is_ours(case, key, entry) => EntryWrite::Keep {
                expected: entry.fence.clone(),
            },
            found => EntryWrite::Put {
                value: value.clone(),
                expected: found.map(|entry| entry.fence.clone()),
            },
        };
        entries.insert(key.clone(), write);
    }
    Write {
        loose: batches::loose(case, &entries),
        auxiliary: batches::auxiliary(case, observed),
        set: case.set.pair.set.clone(),
        snapshot: SnapshotWrite::Put {
            value: desired.document.to_bytes(),
            expected: observed.snapshot.fence().cloned(),
        },
        entries,
    }
}

/// The write that takes the set away; `None` when there is nothing to take away.
fn removal(side: &ClusterSide<'_>, case: &Case<'_>, observed: &Observed) -> Option<Write> {
    let expected = observed.snapshot.fence().cloned();
    if expected.is_none() && !batches::is_abandoned(case, observed) {
        return None;
    }
    let entries = removals(side, case, observed);
    Some(Write {
        loose: batches::loose(case, &entries),
        auxiliary: batches::auxiliary(case, observed),
        set: case.set.pair.set.clone(),
        snapshot: SnapshotWrite::Delete { expected },
        entries,
    })
}

/// The removal of what is surplus, except of what another set publishes from now on. If that set
/// loses it again before its write arrives, no snapshot names it any more, and it stays: the mark
/// alone does not tell which cfgctl wrote a key.
fn removals(
    side: &ClusterSide<'_>,
    case: &Case<'_>,
    observed: &Observed,
) -> BTreeMap<Key, EntryWrite> {
    surplus(case, observed)
        .filter(|(key, _)| !side.taken.contains(*key))
        .map(|(key, entry)| {
            let expected = entry.fence.clone();
            (key.clone(), EntryWrite::Delete { expected })
        })
        .collect()
}

/// The keys of the held snapshot, or of one that never arrived, that the desired one does not have.
fn surplus<'a>(
    case: &'a Case<'a>,
    observed: &'a Observed,
) -> impl Iterator<Item = (&'a Key, &'a ObservedEntry)> {
    let held = case.standing.document().into_iter();
    // A document that was changed by hand may name keys that were never ours; the mark decides.
    let trusted = !matches!(&case.standing, Kinship::Ours { intact: false, .. });
    let desired = case.desired();
    held.flat_map(|document| document.keys().keys())
        .filter_map(|key| Some((key, observed.entries.get(key)?)))
        .filter(move |(_, entry)| trusted || entry.owner == Owner::Cfgctl)
        .chain(batches::created(case, observed))
        .filter(move |(key, _)| desired.is_none_or(|desired| !desired.entries.contains_key(*key)))
}

/// The same, of a set that could be looked at.
pub(super) fn surplus_of(case: &Case<'_>) -> Vec<Key> {
    match case.set.observation {
        Observation::Seen(observed) => surplus(case, observed)
            .map(|(key, _)| key.clone())
            .collect(),
        Observation::Unseen(_) => Vec::new(),
    }
}

/// Keys of others in places that the application reads, and that are not about to be taken over.
fn foreign(case: &Case<'_>, observed: &Observed) -> Vec<Key> {
    let is_desired = |key: &Key| {
        let desired = case.desired();
        desired.is_some_and(|desired| desired.entries.contains_key(key))
    };
    let is_held = |key: &Key| {
        let document = case.standing.document();
        document.is_some_and(|document| document.keys().contains_key(key))
    };
    observed
        .entries
        .keys()
        .filter(|key| !is_desired(key) && !is_held(key) && !batches::is_created(case, key))
        .cloned()
        .collect()
}

fn condition(case: &Case<'_>, observed: &Observed, drift: &[ForeignEdit]) -> Condition {
    let begun = observed.auxiliary.delivering.as_deref();
    let (document, head) = match (&case.standing, &case.set.now, begun) {
        (Kinship::Alien { reason, .. }, ..) => return Condition::Alien(reason.clone()),
        (_, Some(_), Some(begun)) => return Condition::Unfinished(begun.version),
        (Kinship::Ours { document, .. }, Some(head), None) => (document, head),
        (Kinship::Ours { .. }, None, _) => return Condition::Leftover,
        (Kinship::Absent | Kinship::Unknown, Some(_), None) => return Condition::Missing,
        (Kinship::Absent | Kinship::Unknown, None, _) => {
            let is_abandoned = batches::is_abandoned(case, observed);
            return if is_abandoned {
                Condition::Leftover
            } else {
                Condition::None
            };
        }
    };
    let outdated = || {
        let same_version =
            (case.desired()).filter(|desired| desired.document.version() == document.version());
        same_version.is_some_and(|desired| desired.document != **document)
            || (head.contents.as_ref()).is_some_and(|contents| contents != document.contents())
    };
    if document.version() < head.version {
        Condition::Behind
    } else if !drift.is_empty() {
        Condition::Edited
    } else if outdated() {
        Condition::Outdated
    } else {
        Condition::InSync
    }
}
