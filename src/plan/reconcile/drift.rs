//! Drift: what somebody else changed in a target since our last write.

use super::super::changes::{ValueChange, value_changes};
use super::batches;
use super::due::Case;
use super::lineage::Kinship;
use crate::model::{Digest, Document, Key, Observed, ObservedSnapshot, Snapshot};

/// One of our keys that someone else changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ForeignEdit {
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

/// Whether anything there may be other than the snapshot there says, so that it matters what was
/// written.
pub(crate) fn is_edited(observed: &Observed, desired: Option<&Snapshot>) -> bool {
    if desired.is_some_and(|desired| observed.holds(&desired.document)) {
        return false;
    }
    match &observed.snapshot {
        ObservedSnapshot::Absent => false,
        ObservedSnapshot::Present { document, .. } => match document.as_ref() {
            Err(_) => true,
            Ok(document) => document.keys().iter().any(|(key, digest)| {
                let entry = observed.entries.get(key);
                entry.is_none_or(|entry| !entry.has(digest))
            }),
        },
    }
}

/// What was changed since the held snapshot was written, by its own account.
pub(super) fn drift(case: &Case<'_>, observed: &Observed) -> Vec<ForeignEdit> {
    let Kinship::Ours { document, intact } = &case.standing else {
        return Vec::new();
    };
    let same_version = case
        .desired()
        .filter(|desired| desired.document.version() == document.version());
    let written = case.set.written.as_ref();
    let mut drift = Vec::new();
    // What a document says that was changed by hand is no measure for the keys beside it.
    let measure = if *intact {
        Some(*document)
    } else {
        let values = written.map_or_else(Vec::new, |written| {
            value_changes(
                &written.document.contents().whole(),
                &document.contents().whole(),
            )
        });
        drift.push(ForeignEdit::EditedSnapshot { values });
        same_version.map(|desired| &desired.document)
    };
    let keys = measure.map(Document::keys).into_iter().flatten();
    drift.extend(keys.filter_map(|(key, digest)| {
        let expected = || {
            let entry = written?.entries.get(key)?;
            // Labels may have changed since: only what was really written is shown.
            (Digest::of(entry) == *digest).then(|| entry.clone())
        };
        match observed.entries.get(key) {
            Some(entry) if entry.has(digest) => None,
            found if batches::explains(observed, document, key, found) => None,
            None => Some(ForeignEdit::Missing {
                key: key.clone(),
                expected: expected(),
            }),
            Some(entry) => Some(ForeignEdit::Edited {
                key: key.clone(),
                found: entry.value.clone(),
                unread: entry.unread,
                expected: expected(),
            }),
        }
    }));
    drift
}
