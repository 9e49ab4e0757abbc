//! Whether a write still fits what is there, for targets that compare by themselves.

use crate::model::{EntryWrite, Fence, Write};

/// The names of all keys that are not in the state in which `write` expects them. `fence` tells
/// the state of a key that exists; the snapshot key has the name `snapshot_key`.
pub(super) fn moved(
    write: &Write,
    snapshot_key: &str,
    fence: impl Fn(&str) -> Option<Fence>,
) -> Vec<String> {
    let snapshot = write.snapshot.expected();
    let entries = write.entries.iter().map(|(key, entry)| {
        let expected = match entry {
            EntryWrite::Put { expected, .. } => expected.as_ref(),
            EntryWrite::Keep { expected } | EntryWrite::Delete { expected } => Some(expected),
        };
        (key.as_str(), expected)
    });
    std::iter::once((snapshot_key, snapshot))
        .chain(entries)
        .filter(|(key, expected)| fence(key).as_ref() != *expected)
        .map(|(key, _)| key.to_owned())
        .collect()
}
