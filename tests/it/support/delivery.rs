//! Snapshots and writes to try targets with.

use std::collections::{BTreeMap, BTreeSet};

use cfgctl::model::value::Map;
use cfgctl::model::{
    Cause, EntryWrite, Key, Observed, Origin, Place, SetName, Snapshot, SnapshotWrite, Version,
    Write,
};

/// A set that nobody else has.
pub(crate) fn unique_set() -> SetName {
    super::consul::unique_prefix().parse().expect("a name")
}

pub(crate) fn key(text: &str) -> Key {
    text.parse().expect("a key")
}

/// A snapshot of `set` with these other keys.
pub(crate) fn snapshot(set: &SetName, version: u64, entries: &[(&str, &[u8])]) -> Snapshot {
    let entries: BTreeMap<_, _> = entries
        .iter()
        .map(|(name, value)| (key(name), value.to_vec()))
        .collect();
    let origin = Origin {
        actor: "test@here".to_owned(),
        at: "2026-11-21T02:14:00Z".parse().expect("a time"),
        cause: Cause::Apply,
        message: None,
        consents: BTreeSet::new(),
        planned: None,
    };
    let values = Map::from_iter([("a".to_owned(), version.into())]);
    let cluster = "eu".parse().expect("a name");
    let version = Version::new(version).expect("a version");
    Snapshot::seal(
        set.clone(),
        cluster,
        version,
        &origin,
        cfgctl::model::Contents::of_values(values),
        entries,
        [].into(),
    )
}

/// Everywhere below `prefix`.
pub(crate) fn place(set: &SetName, prefix: &str) -> Place {
    Place {
        set: set.clone(),
        keys: [].into(),
        prefixes: [key(prefix).below()].into(),
    }
}

/// The write that turns what was observed into `next`: every key of the old snapshot that `next`
/// lacks is deleted, every other one is put.
pub(crate) fn write(observed: &Observed, next: &Snapshot) -> Write {
    let expected = |key: &Key| observed.entries.get(key).map(|entry| entry.fence.clone());
    let mut entries: BTreeMap<Key, EntryWrite> = next
        .entries
        .iter()
        .map(|(key, value)| {
            let write = EntryWrite::Put {
                value: value.clone(),
                expected: expected(key),
            };
            (key.clone(), write)
        })
        .collect();
    if let Some(document) = observed.snapshot.document() {
        for key in document.keys().keys() {
            if let (false, Some(expected)) = (next.entries.contains_key(key), expected(key)) {
                entries.insert(key.clone(), EntryWrite::Delete { expected });
            }
        }
    }
    let held = observed.snapshot.document();
    let is_loose = |key: &&Key| {
        let word = Some(&next.document).filter(|_| next.entries.contains_key(*key));
        word.or(held).is_some_and(|document| document.is_loose(key))
    };
    Write {
        loose: entries.keys().filter(is_loose).cloned().collect(),
        auxiliary: observed.auxiliary.clone(),
        set: next.document.set().clone(),
        snapshot: SnapshotWrite::Put {
            value: next.document.to_bytes(),
            expected: observed.snapshot.fence().cloned(),
        },
        entries,
    }
}

/// The write that removes the snapshot and everything it names.
pub(crate) fn removal(observed: &Observed) -> Write {
    let document = observed.snapshot.document().expect("a snapshot");
    let entries = document.keys().keys().map(|key| {
        let expected = observed.entries[key].fence.clone();
        (key.clone(), EntryWrite::Delete { expected })
    });
    Write {
        loose: (document.keys().keys())
            .filter(|key| document.is_loose(key))
            .cloned()
            .collect(),
        auxiliary: observed.auxiliary.clone(),
        set: document.set().clone(),
        snapshot: SnapshotWrite::Delete {
            expected: observed.snapshot.fence().cloned(),
        },
        entries: entries.collect(),
    }
}

/// The bytes of every key, to compare in one go.
pub(crate) fn values(observed: &Observed) -> BTreeMap<String, Vec<u8>> {
    let pair = |(key, entry): (&Key, &cfgctl::model::ObservedEntry)| {
        (key.to_string(), entry.value.clone())
    };
    observed.entries.iter().map(pair).collect()
}
