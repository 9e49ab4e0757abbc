//! The KV store of a Consul, 1.8 or later.
//!
//! One set is read in one read-only transaction and written in one transaction, whose first
//! operation compares the snapshot key. What Consul does in the odd cases was measured; the tests
//! in `tests/it/consul_target.rs` hold it.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use jiff::Timestamp;

use super::{Health, Progress, Target, TargetError};
use crate::model::{Key, Limits, Observed, Place, SetName, Write};

mod address;
mod alias;
mod connection;
mod credentials;
mod health;
mod http;
mod list;
mod observe;
mod patience;
mod permission;
mod room;
mod token;
mod wire;
mod write;

pub use connection::Consul;
pub use health::Recognised;
pub use list::{Listed, Listing};
pub use patience::Patience;
pub use token::{AclToken, KeptTokens};
pub use wire::FLAGS;

impl Consul {
    /// Whether this Consul knows the token that is sent to it; one that it does not know is
    /// [`TargetError::Denied`].
    pub async fn recognises_token(&self) -> Result<Recognised, TargetError> {
        health::recognises_token(self).await
    }
}

#[async_trait]
impl Target for Consul {
    fn location(&self) -> String {
        self.client.location().to_owned()
    }

    fn snapshot_key(&self, set: &SetName) -> String {
        format!("{}/{set}/snapshot", self.prefix)
    }

    async fn limits(&self) -> Result<Limits, TargetError> {
        let limits = self.limits.get_or_try_init(async || {
            let known = if self.overrides.operations.is_some() {
                // Only the number of operations depends on the version.
                Limits::CONSUL
            } else {
                health::limits_of(self.version().await?.as_deref())
            };
            Ok::<_, TargetError>(Limits {
                operations: self.overrides.operations.unwrap_or(known.operations),
                value_bytes: self.overrides.value_bytes.unwrap_or(known.value_bytes),
                request_bytes: self.overrides.request_bytes.unwrap_or(known.request_bytes),
            })
        });
        limits.await.copied()
    }

    async fn observe(&self, place: &Place) -> Result<Observed, TargetError> {
        observe::observe(self, place).await
    }

    /// One listing of names, which the token need not be allowed to make: the least policy has one
    /// rule for each set. So for those of `doubted` that are not in it this asks as well, many in one
    /// request, whether the token may see them; they are not read.
    async fn sets(&self, doubted: &BTreeSet<SetName>) -> Result<BTreeSet<SetName>, TargetError> {
        self.sets_there(doubted).await
    }

    async fn write(&self, write: &Write) -> Result<(), TargetError> {
        self.write_by_steps(write, &Progress::default()).await
    }

    async fn write_by_steps(&self, write: &Write, progress: &Progress) -> Result<(), TargetError> {
        write::write(self, write, progress).await
    }

    fn clock(&self) -> Option<Timestamp> {
        self.client.clock()
    }

    async fn denials(
        &self,
        sets: &BTreeMap<SetName, BTreeSet<Key>>,
    ) -> Result<BTreeMap<SetName, String>, TargetError> {
        permission::denials(self, sets).await
    }

    async fn health(&self, sets: &BTreeMap<SetName, BTreeSet<Key>>) -> Result<Health, TargetError> {
        health::health(self, sets).await
    }
}
