//! What every backend asks of a commit before it writes, so that all refuse alike.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::log::MAX_RECORD_BYTES;
use super::{CommitRecord, Committed, MovedHead, StoreError};
use crate::model::{
    Commit, Content, Digest, RecordContent, RecordFate, RecordId, RecordKind, ResourceId,
    ResourceKind, Revision, Sequence, Version,
};

/// The largest version that every backend can hold: SQLite and etcd count with signed 64 bits.
const MAX_VERSION: u64 = i64::MAX.unsigned_abs();

/// Refuses a commit that no head could make right: a bug of the caller.
pub(super) fn check(commit: &Commit) -> Result<(), StoreError> {
    for (id, revision) in &commit.revisions {
        let refuse = |reason| {
            Err(StoreError::Invalid {
                id: id.clone(),
                reason,
            })
        };
        // Before what is expected: a version cannot be greater than the greatest one.
        if revision.version.get() > MAX_VERSION {
            return Err(StoreError::Exhausted { id: id.clone() });
        }
        match commit.expected.get(id) {
            None => return refuse("it is changed without an expected head"),
            Some(Some(expected)) if revision.version <= *expected => {
                return refuse("its new version is not greater than the expected one");
            }
            Some(_) => {}
        }
        if !of_kind(id, revision) {
            return refuse("its content is of another kind");
        }
        if revision.content.set().is_none() && !revision.overrides.is_empty() {
            return refuse("only a set has overrides");
        }
    }
    for (id, change) in &commit.records {
        let refuse = |reason| {
            Err(StoreError::InvalidRecord {
                id: id.clone(),
                reason,
            })
        };
        match &change.content {
            None if change.expected.is_none() => return refuse("what is not there is removed"),
            Some(content) if content.kind() != id.kind() => {
                return refuse("its content is of another kind");
            }
            Some(_) | None => {}
        }
    }
    Ok(())
}

/// The JSON of a record, which reads back as it was.
pub(super) fn json_of(id: &RecordId, content: &RecordContent) -> Result<String, StoreError> {
    let invalid = |reason| StoreError::InvalidRecord {
        id: id.clone(),
        reason,
    };
    let text = serde_json::to_string(content).map_err(|_| invalid("it is not JSON"))?;
    if text.len() > MAX_RECORD_BYTES {
        return Err(invalid("it is larger than 64 KiB"));
    }
    match serde_json::from_str::<RecordContent>(&text) {
        Ok(read) if read == *content => Ok(text),
        Ok(_) | Err(_) => Err(invalid("it does not read back as it was written")),
    }
}

/// Whether the time of a record with this content is over, in which case it is as if it were not there.
/// Stores count whole seconds.
pub(super) fn is_over(content: &RecordContent, at: Timestamp) -> bool {
    let until = content.until();
    until.is_some_and(|until| until.as_second() <= at.as_second())
}

/// What the log says of a record that becomes this.
pub(super) fn fate(json: Option<&str>) -> RecordFate {
    match json {
        Some(json) => RecordFate::Written(Digest::of(json.as_bytes())),
        None => RecordFate::Removed,
    }
}

/// Compares every expected record with the commit that `found` says it was last changed by; all that
/// moved are named.
pub(super) fn compare_records(
    commit: &Commit,
    mut found: impl FnMut(&RecordId) -> Result<Option<Sequence>, StoreError>,
) -> Result<(), StoreError> {
    let mut moved = Vec::new();
    for (id, change) in &commit.records {
        if found(id)? != change.expected {
            moved.push(id.clone());
        }
    }
    if moved.is_empty() {
        Ok(())
    } else {
        Err(StoreError::RecordsMoved(moved))
    }
}

/// Compares the time that `commit` was planned at with the records of its kinds that `written` says were
/// written after it; all of them are named.
pub(super) fn compare_kinds(
    commit: &Commit,
    mut written: impl FnMut(RecordKind, Sequence) -> Result<Vec<RecordId>, StoreError>,
) -> Result<(), StoreError> {
    let Some(as_of) = commit.records_as_of else {
        return Ok(());
    };
    let kinds: BTreeSet<RecordKind> = commit.records.keys().map(RecordId::kind).collect();
    let mut moved = Vec::new();
    for kind in kinds {
        moved.extend(written(kind, as_of)?);
    }
    if moved.is_empty() {
        Ok(())
    } else {
        Err(StoreError::RecordsMoved(moved))
    }
}

/// Whether `revision` can be one of `id`: a set under `set/…`, a cluster under `cluster/…`, a
/// grant under `grant/…`, a tombstone under any.
pub(super) fn of_kind(id: &ResourceId, revision: &Revision) -> bool {
    match &revision.content {
        Content::Cluster(_) => id.kind() == ResourceKind::Cluster,
        Content::Grant(_) => id.kind() == ResourceKind::Grant,
        Content::Set(_) => id.kind() == ResourceKind::Set,
        Content::Deleted => true,
    }
}

/// Compares every expected head with the one that `found` answers; all that moved are named.
pub(super) fn compare(
    commit: &Commit,
    mut found: impl FnMut(&ResourceId) -> Result<Option<Version>, StoreError>,
) -> Result<(), StoreError> {
    let mut moved = Vec::new();
    for (id, expected) in &commit.expected {
        let found = found(id)?;
        if found != *expected {
            moved.push(MovedHead {
                id: id.clone(),
                expected: *expected,
                found,
            });
        }
    }
    if moved.is_empty() {
        Ok(())
    } else {
        Err(StoreError::HeadsMoved(moved))
    }
}

/// What came of the commit that `record` is of, if `commit` is the same one; `found` reads a
/// revision.
pub(super) fn same(
    commit: &Commit,
    record: &CommitRecord,
    mut found: impl FnMut(&ResourceId, Version) -> Result<Option<Revision>, StoreError>,
) -> Result<Committed, StoreError> {
    let other = |id: &ResourceId| StoreError::Invalid {
        id: id.clone(),
        reason: "its key is that of another commit",
    };
    for id in record.changes.keys() {
        if !commit.revisions.contains_key(id) {
            return Err(other(id));
        }
    }
    for (id, revision) in &commit.revisions {
        let is_made = record.changes.get(id) == Some(&revision.version);
        if !is_made || found(id, revision.version)?.as_ref() != Some(revision) {
            return Err(other(id));
        }
    }
    same_records(commit, record)?;
    Ok(Committed {
        sequence: record.sequence,
        at: record.at,
    })
}

/// Whether `commit` changes the same records, but for those whose time happened to be over.
fn same_records(commit: &Commit, record: &CommitRecord) -> Result<(), StoreError> {
    let other = |id: &RecordId| StoreError::InvalidRecord {
        id: id.clone(),
        reason: "its key is that of another commit",
    };
    for (id, fate) in &record.records {
        if *fate != RecordFate::Over && !commit.records.contains_key(id) {
            return Err(other(id));
        }
    }
    for (id, change) in &commit.records {
        let json = change.content.as_ref().map(|content| json_of(id, content));
        let json = json.transpose()?;
        if record.records.get(id) != Some(&fate(json.as_deref())) {
            return Err(other(id));
        }
    }
    Ok(())
}
