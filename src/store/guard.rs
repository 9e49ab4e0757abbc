//! What every backend asks of a commit before it writes, so that all refuse alike.

use super::{CommitRecord, Committed, MovedHead, StoreError};
use crate::model::{Commit, Content, ResourceId, ResourceKind, Revision, Version};

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
    Ok(())
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
    Ok(Committed {
        sequence: record.sequence,
        at: record.at,
    })
}
