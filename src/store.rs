//! The central store: every revision of every resource, and which one is the head.
//!
//! A backend keeps the contract in `tests/it/store_contract.rs`; it never sees a target.

use std::fmt::Debug;

use async_trait::async_trait;

use crate::model::{Commit, Heads, ResourceId, Revision, Version};

mod guard;
mod later;
pub mod memory;
mod open;
mod seal;
pub mod sqlite;

pub use open::{Missing, open};

/// Where revisions live. All methods are safe to call from many processes at once.
#[async_trait]
pub trait Store: Debug + Send + Sync {
    /// Where the store is, as a person would name it.
    fn location(&self) -> String;

    /// Whether there is one already, as far as this handle has seen: a store that
    /// [`Missing::Create`] stands for is made by its first commit.
    fn exists(&self) -> bool {
        true
    }

    /// The head of every resource, tombstones included, from one moment in time.
    async fn heads(&self) -> Result<Heads, StoreError>;

    /// One revision of one resource, if it exists.
    async fn revision(
        &self,
        id: &ResourceId,
        version: Version,
    ) -> Result<Option<Revision>, StoreError>;

    /// The newest `limit` revisions of one resource, newest first.
    async fn history(&self, id: &ResourceId, limit: usize) -> Result<Vec<Revision>, StoreError>;

    /// Makes all revisions of `commit` the heads if every expected head still is the head.
    ///
    /// Fails with [`StoreError::HeadsMoved`] otherwise, having changed nothing, and with
    /// [`StoreError::Invalid`] if the commit breaks the rules of [`Commit`].
    async fn commit(&self, commit: &Commit) -> Result<(), StoreError>;
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
    /// What was read is not what cfgctl writes.
    #[error("the store at `{location}` is damaged: {reason}")]
    Damaged {
        /// Which store.
        location: String,
        /// What was found.
        reason: String,
    },
}
