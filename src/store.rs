//! The central store: every revision of every resource, which one is the head, and the records
//! beside them.
//!
//! A backend keeps the contract in `tests/it/store_contract.rs`; it never sees a target.

use std::fmt::Debug;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::model::{
    Commit, IdempotencyKey, Record, RecordId, RecordKind, ResourceId, Revision, Sequence, Version,
};

mod guard;
mod later;
mod log;
pub mod memory;
mod open;
mod seal;
pub mod sqlite;

pub use log::{CommitLimits, CommitRecord, Committed, HeadsAt, RecordsAt, Which};
pub use open::{Missing, open, path_of};

/// Where revisions live: a log of commits. All methods are safe to call from many processes at once,
/// and a read holds up no commit.
#[async_trait]
pub trait Store: Debug + Send + Sync {
    /// Where the store is, as a person would name it.
    fn location(&self) -> String;

    /// Whether there is one already, as far as this handle has seen: a store that
    /// [`Missing::Create`] stands for is made by its first commit.
    fn exists(&self) -> bool {
        true
    }

    /// The most that a commit may have.
    fn limits(&self) -> CommitLimits;

    /// The heads of `which`, tombstones included, from one moment in time.
    async fn heads(&self, which: &Which) -> Result<HeadsAt, StoreError>;

    /// Those of these revisions that there are, in this order.
    async fn revisions(
        &self,
        ids: &[(ResourceId, Version)],
    ) -> Result<Vec<(ResourceId, Revision)>, StoreError>;

    /// The newest `limit` revisions of one resource, newest first; with `before` the newest ones
    /// whose versions are smaller.
    async fn history(
        &self,
        id: &ResourceId,
        before: Option<Version>,
        limit: usize,
    ) -> Result<Vec<Revision>, StoreError>;

    /// Makes all revisions of `commit` the heads and changes its records if every expected head still
    /// is the head, and every record what was expected.
    ///
    /// Fails with [`StoreError::HeadsMoved`] or [`StoreError::RecordsMoved`] otherwise, having changed
    /// nothing, and with [`StoreError::Invalid`] or [`StoreError::InvalidRecord`] if the commit breaks
    /// the rules of [`Commit`]. A commit whose key the log has already is not made again: the answer is
    /// that of the first time. With neither revisions nor records nor an entry for the log it only
    /// compares, and leaves nothing. Whatever is committed takes away records whose time is over. After [`StoreError::Unknown`] the same commit with its
    /// key finds out, and makes it if it was not.
    async fn commit(&self, commit: &Commit) -> Result<Committed, StoreError>;

    /// The records of at most `limit` commits after `after`, oldest first.
    async fn commits(&self, after: Sequence, limit: usize)
    -> Result<Vec<CommitRecord>, StoreError>;

    /// The record of the commit that was made under `key`, if one was.
    async fn made_under(&self, key: &IdempotencyKey) -> Result<Option<CommitRecord>, StoreError>;

    /// All records of one kind whose time is not over, from one moment in time.
    async fn records(&self, kind: RecordKind) -> Result<RecordsAt, StoreError>;

    /// One record, if there is such a one and its time is not over.
    async fn record(&self, id: &RecordId) -> Result<Option<Record>, StoreError>;

    /// Takes note that these records were used at these times, where they are still there and nobody
    /// noted a use within the minute before. Commits nothing, and wakes nobody.
    async fn touch(&self, used: &[(RecordId, Timestamp)]) -> Result<(), StoreError>;

    /// Waits until the newest commit is another one than `after`, and says which it is. Only a hint
    /// to look: it may be older than `after` in a store that was restored from a backup.
    async fn wait(&self, after: Sequence) -> Result<Sequence, StoreError>;
}

/// A head that is not what a commit expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MovedHead {
    /// The resource.
    pub id: ResourceId,
    /// What the commit was planned against.
    pub expected: Option<Version>,
    /// What the head is.
    pub found: Option<Version>,
}

/// What a store refuses, by what the caller can do about it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Someone committed first: look again and plan afresh. Nothing was changed.
    #[error("{} changed since it was read", .0.iter().map(|moved| moved.id.to_string()).collect::<Vec<_>>().join(", "))]
    HeadsMoved(Vec<MovedHead>),
    /// The commit breaks the rules of [`Commit`]: a bug of whoever planned it. Nothing was changed.
    #[error("the commit of {id} is not valid: {reason}")]
    Invalid {
        /// The first resource that breaks them.
        id: ResourceId,
        /// Which rule.
        reason: &'static str,
    },
    /// Someone changed a record first: look again. Nothing was changed.
    #[error("{} changed since it was read", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))]
    RecordsMoved(Vec<RecordId>),
    /// A change of a record breaks the rules: a bug of whoever asked for it. Nothing was changed.
    #[error("the change of {id} is not valid: {reason}")]
    InvalidRecord {
        /// The first record that breaks them.
        id: RecordId,
        /// Which rule.
        reason: &'static str,
    },
    /// There are as many records of this kind as a store takes. Nothing was changed.
    #[error("there are {most} {}s, and a store takes no more", .kind.as_str())]
    Full {
        /// The kind.
        kind: RecordKind,
        /// The most of them.
        most: usize,
    },
    /// There is no version left for this resource: a bug somewhere has made it skip nearly all.
    #[error(
        "{id} cannot have another revision: there is no version after {}",
        i64::MAX
    )]
    Exhausted {
        /// The resource.
        id: ResourceId,
    },
    /// There is no store here.
    #[error("there is no store at `{location}`")]
    Absent {
        /// Where one was looked for.
        location: String,
    },
    /// The location cannot be used; the text says why and what to do.
    #[error("`{location}` cannot be used as a store: {reason}")]
    Location {
        /// What was asked for.
        location: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Written by a cfgctl that knows more: update this one.
    #[error("the store has format {found}, this cfgctl knows formats up to {known}")]
    Newer {
        /// The format found.
        found: i64,
        /// The newest one known here.
        known: i64,
    },
    /// Not reachable, locked for too long, or the disk failed: try again later.
    #[error("the store at `{location}` is not available")]
    Unavailable {
        /// Which store.
        location: String,
        /// What the backend says.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The answer to a commit was lost: nobody knows whether it was made.
    #[error("the store at `{location}` did not say whether it made the commit")]
    Unknown {
        /// Which store.
        location: String,
        /// What the backend says.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// What was read is not what cfgctl writes.
    #[error("the store at `{location}` is damaged: {reason}")]
    Damaged {
        /// Which store.
        location: String,
        /// What was found.
        reason: String,
    },
}
