//! What snapshots are written to.
//!
//! A backend keeps the contract in `tests/it/target_contract.rs`; it never sees the store.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::model::{Key, Limits, Observed, Oversize, Place, SetName, Write};

pub mod consul;
pub mod directory;
mod environment;
mod expected;
pub mod memory;
mod progress;

pub use environment::Variables;
pub use progress::Progress;

/// One cluster's Consul, or what stands in its place.
#[async_trait]
pub trait Target: Debug + Send + Sync {
    /// Where the target is, as a person would name it: `http://127.0.0.1:8501`.
    fn location(&self) -> String;

    /// The name under which the snapshot of `set` lies: `cfgctl/checkout/snapshot`.
    fn snapshot_key(&self, set: &SetName) -> String;

    /// What one write can carry.
    async fn limits(&self) -> Result<Limits, TargetError>;

    /// Everything that is there of one set, as of one moment, read from the leader. What cannot be
    /// read is an error; absent means that the target says so and would show it if it were there.
    async fn observe(&self, place: &Place) -> Result<Observed, TargetError>;

    /// Every set of which something lies there, found with one listing, and those of `doubted` of
    /// which that cannot be told. A token need not be allowed to see everything, and a listing leaves
    /// out what it may not see, so a set that is not in the answer is certainly gone only if it is
    /// one of `doubted`. Fails if there is no listing to go by: then each set is to be observed.
    async fn sets(&self, doubted: &BTreeSet<SetName>) -> Result<BTreeSet<SetName>, TargetError>;

    /// Carries out `write`: whoever follows the snapshot key sees all of it, or nothing. A target
    /// with limits may put parts and loose keys before that; what it was stopped at, the next write
    /// finishes or clears away.
    ///
    /// Fails with [`TargetError::Moved`] if anything is not in its expected state, and with
    /// [`TargetError::Unknown`] if it cannot be told whether it was carried out: observe again.
    /// A key beside the snapshot key that is to be deleted and is gone already may pass.
    async fn write(&self, write: &Write) -> Result<(), TargetError>;

    /// The same, telling `progress` how far it is. A target that writes all at once says nothing.
    async fn write_by_steps(&self, write: &Write, progress: &Progress) -> Result<(), TargetError> {
        _ = progress;
        self.write(write).await
    }

    /// Why we may not write a set with these keys beside its snapshot key, for those of `sets` of
    /// which that is so. Changes nothing, and says nothing of whether a write fits what is there.
    async fn denials(
        &self,
        sets: &BTreeMap<SetName, BTreeSet<Key>>,
    ) -> Result<BTreeMap<SetName, String>, TargetError>;

    /// What time it is there, to the second, as far as it has answered and said so.
    fn clock(&self) -> Option<Timestamp> {
        None
    }

    /// Whether the target is fit for use with these sets, as [`Self::denials`] takes them, for
    /// `cluster check`.
    async fn health(&self, sets: &BTreeMap<SetName, BTreeSet<Key>>) -> Result<Health, TargetError>;
}

/// What a target says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// Product and version, as far as it may be known: `Consul 1.8.7`.
    pub server: String,
    /// What one write can carry.
    pub limits: Limits,
    /// What may be done there, as far as it can be told without writing.
    pub access: Access,
    /// What a person should know, worst first, each a sentence without a period.
    pub warnings: Vec<String>,
}

/// What may be done in a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everything.
    Full,
    /// Reading, and writing some of the sets.
    Partial,
    /// Reading, and no writing.
    ReadOnly,
    /// Not even reading.
    None,
}

/// What a target refuses, by what the caller can do about it.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// Not reachable, or without a leader: what is there stays there; try again later.
    #[error("{location} cannot be reached")]
    Unreachable {
        /// Which target.
        location: String,
        /// The cause.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The token may not do this.
    #[error("{location} denies access: {reason}")]
    Denied {
        /// Which target.
        location: String,
        /// What was denied, as the target says it.
        reason: String,
    },
    /// Keys are not in the state they were expected in. The snapshot was not changed.
    #[error("{location} changed since it was read: {}", .keys.join(", "))]
    Moved {
        /// Which target.
        location: String,
        /// The keys that moved, as far as the target names them.
        keys: Vec<String>,
    },
    /// A write whose outcome is not known: observe again.
    #[error("{location} did not say whether it carried out the write")]
    Unknown {
        /// Which target.
        location: String,
        /// The cause.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The write is over the target's limits. Nothing was changed.
    #[error("{location} cannot take the write: {}", .reasons.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    TooLarge {
        /// Which target.
        location: String,
        /// Every limit that is exceeded.
        reasons: Vec<Oversize>,
    },
    /// An answer that makes no sense, or is larger than any that would.
    #[error("{location} gave an answer that cannot be used: {reason}")]
    Invalid {
        /// Which target.
        location: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The connection is described wrongly: the manifest or the environment must change.
    #[error("{location} cannot be connected to: {reason}")]
    Configuration {
        /// Which target.
        location: String,
        /// What is wrong, and where.
        reason: String,
    },
}
