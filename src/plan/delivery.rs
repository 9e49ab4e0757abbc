//! What happens to one set in one cluster.

use std::cell::LazyCell;
use std::collections::{BTreeMap, BTreeSet};

use super::after::{After, Head};
use super::objection::Reason;
use super::{
    Hold, Objection, Observation, Pair, Standing, Unseen, ValueChange, batches, value_changes,
};
use crate::model::{
    BreakerState, Connection, Consent, Contents, Delivering, Digest, Document, EntryWrite, Flag,
    Key, Limits, Observed, ObservedEntry, Origin, Oversize, Owner, Part, Revision, Snapshot,
    SnapshotWrite, Version, Write,
};
use crate::render;

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
    pub drift: Vec<Drift>,
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
    Alien(Reason),
    /// It could not be looked at.
    Unseen(Unseen),
}

/// What is done about one set in one cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

/// One of our keys that someone else changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Drift {
    /// The snapshot key itself has another content.
    EditedSnapshot {
        /// From what its values should be to what they are; none where something else was changed.
        values: Vec<ValueChange>,
    },
    /// A key has another content.
    Edited {
        /// The key.
        key: Key,
        /// What it holds; nothing if it was not read.
        found: Vec<u8>,
        /// How many bytes it has, if it was not read: more than cfgctl writes.
        unread: Option<u64>,
        /// What it should hold, where the store still knows.
        expected: Option<Vec<u8>>,
    },
    /// A key is gone.
    Missing {
        /// The key.
        key: Key,
        /// What it should hold, where the store still knows.
        expected: Option<Vec<u8>>,
    },
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

/// How sure a plan has to be that nothing is left of a set where it does not belong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Certainty {
    /// What was removed before is most likely gone.
    Likely,
    /// Nobody may be told that all is done while a cluster cannot be looked at.
    Sure,
}

/// Everything that the decision about one pair follows from.
#[derive(Debug)]
pub(super) struct Scene<'a> {
    pub(super) pair: &'a Pair,
    pub(super) observation: &'a Observation,
    pub(super) head: Option<Head<'a>>,
    pub(super) desired: Option<Snapshot>,
    pub(super) standing: Standing,
    pub(super) begun: Option<&'a Delivering>,
    /// The revision that the target holds.
    pub(super) written: Option<&'a Revision>,
    pub(super) limits: Option<Limits>,
    pub(super) certainty: Certainty,
    pub(super) consents: &'a BTreeSet<Consent>,
    pub(super) after: &'a After<'a>,
}

pub(super) fn decide(scene: &Scene<'_>) -> (Delivery, Vec<Objection>) {
    let mut delivery = Delivery {
        pair: scene.pair.clone(),
        condition: Condition::None,
        holds: None,
        desired: scene
            .desired
            .as_ref()
            .map(|desired| desired.document.clone()),
        action: Action::Wait,
        changes: Vec::new(),
        drift: Vec::new(),
        overridden: scene.after.holds(scene.pair),
        otherwise: BTreeMap::new(),
        foreign: Vec::new(),
        adopted: Vec::new(),
        write: None,
    };
    let observed = match scene.observation {
        Observation::Seen(observed) => observed,
        Observation::Unseen(unseen) => {
            delivery.condition = Condition::Unseen(unseen.clone());
            // Where the set neither is nor will be, most likely nothing is left to do. A look at
            // everything has to be sure.
            if scene.desired.is_none()
                && scene.head.is_none()
                && scene.certainty == Certainty::Likely
            {
                delivery.action = Action::Keep;
            }
            return (delivery, Vec::new());
        }
    };
    let document = scene.standing.document();
    delivery.holds = document.map(|held| (held.version(), held.origin().clone()));
    delivery.drift = drift(scene, observed);
    delivery.condition = condition(scene, observed, &delivery.drift);
    delivery.foreign = foreign(scene, observed);

    let nothing = Contents::default();
    let before = document.map_or(&nothing, Document::contents);
    let after = (scene.desired.as_ref()).map_or(&nothing, |desired| desired.document.contents());
    let (action, write) = match (&scene.desired, &scene.standing) {
        (Some(desired), _) if observed.holds(&desired.document) => (Action::Keep, None),
        (Some(desired), _) => (
            replacing(scene, desired),
            Some(replacement(scene, observed, desired)),
        ),
        (None, Standing::Ours { .. }) => (Action::Remove, removal(scene, observed)),
        (None, Standing::Absent) if batches::is_abandoned(scene, observed) => {
            (Action::Remove, removal(scene, observed))
        }
        // The store says that its set is there. What lies in its place is taken away like any other
        // only if that is consented to.
        (None, Standing::Alien { .. }) if scene.head.is_some() => {
            (Action::Remove, removal(scene, observed))
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
        .map_or_else(Vec::new, |write| against(scene, observed, write));
    if reasons.is_empty() {
        delivery.action = action;
        delivery.adopted = match action {
            Action::Keep | Action::Remove => Vec::new(),
            _ => adopted(scene, observed),
        };
        delivery.write = write;
    } else {
        delivery.action = Action::Refuse;
    }
    let objection = |reason| Objection::at(scene.pair, reason);
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
fn replacing(scene: &Scene<'_>, desired: &Snapshot) -> Action {
    match &scene.standing {
        Standing::Unknown | Standing::Absent => Action::Create,
        Standing::Ours { document, .. } if document.version() == desired.document.version() => {
            Action::Repair
        }
        Standing::Ours { .. } | Standing::Alien { .. } => Action::Update,
    }
}

/// Everything that stands against `write`.
fn against(scene: &Scene<'_>, observed: &Observed, write: &Write) -> Vec<Reason> {
    let mut reasons = Vec::new();
    if !scene.consents.contains(&Consent::Adopt) {
        if let Standing::Alien { reason, .. } = &scene.standing {
            reasons.push(reason.clone());
        }
        let keys = taken(scene, observed);
        if !keys.is_empty() {
            reasons.push(Reason::ForeignKeys { keys });
        }
    }
    let oversize = oversize(scene, write);
    if !oversize.is_empty() {
        reasons.push(Reason::too_large(&oversize));
    }
    reasons
}

/// Every limit that `write` exceeds, where limits are known.
fn oversize(scene: &Scene<'_>, write: &Write) -> Vec<Oversize> {
    let set = &scene.pair.set;
    let cluster = scene.after.cluster(&scene.pair.cluster);
    match (cluster.map(|cluster| &cluster.connection), scene.limits) {
        (Some(Connection::Consul(consul)), Some(limits)) => {
            write.oversize(&consul.snapshot_key(set), limits)
        }
        (Some(Connection::Directory(_)), _) => {
            write.oversize_at_once(set.as_str(), Limits::DIRECTORY)
        }
        _ => Vec::new(),
    }
}

/// Whether a key is one that cfgctl wrote: it carries the mark, or our own snapshot names it.
fn is_ours(scene: &Scene<'_>, key: &Key, entry: &ObservedEntry) -> bool {
    entry.owner == Owner::Cfgctl
        || matches!(&scene.standing, Standing::Ours { document, intact: true }
            if document.keys().contains_key(key))
}

/// The keys that would be overwritten although cfgctl did not write them.
fn taken(scene: &Scene<'_>, observed: &Observed) -> Vec<Key> {
    let Some(desired) = &scene.desired else {
        return Vec::new();
    };
    let is_taken = |key: &&Key| {
        let entry = observed.entries.get(*key);
        entry.is_some_and(|entry| !is_ours(scene, key, entry))
    };
    desired.entries.keys().filter(is_taken).cloned().collect()
}

/// What becomes of the keys that are taken over.
fn adopted(scene: &Scene<'_>, observed: &Observed) -> Vec<Adopted> {
    let becomes = |key: &Key| scene.desired.as_ref()?.entries.get(key);
    let keys = taken(scene, observed).into_iter();
    keys.filter_map(|key| {
        let was = &observed.entries.get(&key)?.value;
        let becomes = becomes(&key)?;
        let change = (was != becomes).then(|| (was.clone(), becomes.clone()));
        Some(Adopted { key, change })
    })
    .collect()
}

/// The write that brings the target to `desired`.
fn replacement(scene: &Scene<'_>, observed: &Observed, desired: &Snapshot) -> Write {
    let mut entries: BTreeMap<Key, EntryWrite> = removals(scene, observed, Some(desired));
    for (key, value) in &desired.entries {
        let write = match observed.entries.get(key) {
            Some(entry) if entry.is(value) && is_ours(scene, key, entry) => EntryWrite::Keep {
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
        loose: batches::loose(scene, &entries),
        aside: batches::aside(scene, observed),
        set: scene.pair.set.clone(),
        snapshot: SnapshotWrite::Put {
            value: desired.document.to_bytes(),
            expected: observed.snapshot.fence().cloned(),
        },
        entries,
    }
}

/// The write that takes the set away; `None` when there is nothing to take away.
fn removal(scene: &Scene<'_>, observed: &Observed) -> Option<Write> {
    let expected = observed.snapshot.fence().cloned();
    if expected.is_none() && !batches::is_abandoned(scene, observed) {
        return None;
    }
    let entries = removals(scene, observed, None);
    Some(Write {
        loose: batches::loose(scene, &entries),
        aside: batches::aside(scene, observed),
        set: scene.pair.set.clone(),
        snapshot: SnapshotWrite::Delete { expected },
        entries,
    })
}

/// The keys of the held snapshot, or of one that never arrived, that the desired one does not have, except those that another set
/// publishes from now on. If that set loses them again before its write arrives, no snapshot names
/// them any more, and they stay: the mark alone does not tell which cfgctl wrote a key.
fn removals(
    scene: &Scene<'_>,
    observed: &Observed,
    desired: Option<&Snapshot>,
) -> BTreeMap<Key, EntryWrite> {
    let held = scene.standing.document().into_iter();
    // A document that was changed by hand may name keys that were never ours; the mark decides.
    let trusted = !matches!(&scene.standing, Standing::Ours { intact: false, .. });
    let surplus: BTreeMap<&Key, &ObservedEntry> = held
        .flat_map(|document| document.keys().keys())
        .filter_map(|key| Some((key, observed.entries.get(key)?)))
        .filter(|(_, entry)| trusted || entry.owner == Owner::Cfgctl)
        .chain(batches::created(scene, observed))
        .filter(|(key, _)| desired.is_none_or(|desired| !desired.entries.contains_key(*key)))
        .collect();
    if surplus.is_empty() {
        return BTreeMap::new();
    }
    let handed_over = scene
        .after
        .published_by_others(scene.pair, surplus.keys().copied());
    surplus
        .into_iter()
        .filter(|(key, _)| !handed_over.contains(*key))
        .map(|(key, entry)| {
            let expected = entry.fence.clone();
            (key.clone(), EntryWrite::Delete { expected })
        })
        .collect()
}

/// What was changed since the held snapshot was written, by its own account.
fn drift(scene: &Scene<'_>, observed: &Observed) -> Vec<Drift> {
    let Standing::Ours { document, intact } = &scene.standing else {
        return Vec::new();
    };
    let same_version = scene
        .desired
        .as_ref()
        .filter(|desired| desired.document.version() == document.version());
    let written = LazyCell::new(|| written(scene, document));
    let mut drift = Vec::new();
    // What a document says that was changed by hand is no measure for the keys beside it.
    let measure = if *intact {
        Some(document)
    } else {
        let values = written.as_ref().map_or_else(Vec::new, |written| {
            value_changes(
                &written.document.contents().whole(),
                &document.contents().whole(),
            )
        });
        drift.push(Drift::EditedSnapshot { values });
        same_version.map(|desired| &desired.document)
    };
    let keys = measure.map(Document::keys).into_iter().flatten();
    drift.extend(keys.filter_map(|(key, digest)| {
        let expected = || {
            let entry = written.as_ref()?.entries.get(key)?;
            // Labels may have changed since: only what was really written is shown.
            (Digest::of(entry) == *digest).then(|| entry.clone())
        };
        match observed.entries.get(key) {
            Some(entry) if entry.has(digest) => None,
            found if batches::explains(observed, document, key, found) => None,
            None => Some(Drift::Missing {
                key: key.clone(),
                expected: expected(),
            }),
            Some(entry) => Some(Drift::Edited {
                key: key.clone(),
                found: entry.value.clone(),
                unread: entry.unread,
                expected: expected(),
            }),
        }
    }));
    drift
}

/// The snapshot that the target holds, as the store makes it again.
fn written(scene: &Scene<'_>, document: &Document) -> Option<Snapshot> {
    let pair = scene.pair;
    let labels = &scene.after.cluster(&pair.cluster)?.labels;
    let (version, origin) = (document.version(), document.origin());
    let written = scene.written?;
    render::snapshot(
        &pair.set,
        written.content.set()?,
        &written.overrides,
        version,
        origin,
        &pair.cluster,
        labels,
    )
    .ok()
}

/// Keys of others in places that the application reads, and that are not about to be taken over.
fn foreign(scene: &Scene<'_>, observed: &Observed) -> Vec<Key> {
    let is_desired = |key: &Key| {
        let desired = scene.desired.as_ref();
        desired.is_some_and(|desired| desired.entries.contains_key(key))
    };
    let is_held = |key: &Key| {
        let document = scene.standing.document();
        document.is_some_and(|document| document.keys().contains_key(key))
    };
    observed
        .entries
        .keys()
        .filter(|key| !is_desired(key) && !is_held(key) && !batches::is_created(scene, key))
        .cloned()
        .collect()
}

fn condition(scene: &Scene<'_>, observed: &Observed, drift: &[Drift]) -> Condition {
    let begun = observed.aside.delivering.as_deref();
    let (document, head) = match (&scene.standing, scene.head, begun) {
        (Standing::Alien { reason, .. }, ..) => return Condition::Alien(reason.clone()),
        (_, Some(_), Some(begun)) => return Condition::Unfinished(begun.version),
        (Standing::Ours { document, .. }, Some(head), None) => (document, head),
        (Standing::Ours { .. }, None, _) => return Condition::Leftover,
        (Standing::Absent | Standing::Unknown, Some(_), None) => return Condition::Missing,
        (Standing::Absent | Standing::Unknown, None, _) => {
            let is_abandoned = batches::is_abandoned(scene, observed);
            return if is_abandoned {
                Condition::Leftover
            } else {
                Condition::None
            };
        }
    };
    let outdated = || {
        let same_version = (scene.desired.as_ref())
            .filter(|desired| desired.document.version() == document.version());
        same_version.is_some_and(|desired| desired.document != *document)
            || render::contents(head.set, head.overrides, head.labels) != *document.contents()
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
