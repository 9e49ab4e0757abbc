//! The KV store of a Consul, 1.8 or later.
//!
//! One set is read in one read-only transaction and written in one transaction, whose first
//! operation compares the snapshot key. What Consul does in the odd cases was measured; the tests
//! in `tests/it/consul_target.rs` hold it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use reqwest::StatusCode;
use tokio::sync::OnceCell;

use super::{Environment, Health, Progress, Target, TargetError};
use crate::model::{self, ClusterName, Key, Limits, Observed, Place, SetName, Write};

mod address;
mod credentials;
mod health;
mod http;
mod list;
mod observe;
mod permission;
mod room;
mod token;
mod wire;
mod write;

pub use list::{Listed, Listing};

use http::Client;

pub use health::Recognised;
pub use token::{KeptTokens, Token};

/// The KV `Flags` of every key that cfgctl writes: `cfgctl` in ASCII. Below 2^53, so that readers
/// which keep numbers as floats show it as it is.
pub const FLAGS: u64 = 0x6366_6763_746c;

/// How long a Consul is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// For one connection.
    pub connect: Duration,
    /// For one request, from connecting to the last byte of the answer.
    pub request: Duration,
    /// How often a request is made before it has failed; at least 1.
    pub attempts: u32,
}

impl Default for Patience {
    /// A request outlives the 7 s for which a server without a leader parks it.
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(3),
            request: Duration::from_secs(10),
            attempts: 3,
        }
    }
}

/// The KV store of one Consul. The ACL token is read once: when connecting, or with the first
/// request if it comes from [`KeptTokens`].
pub struct Consul {
    client: Client,
    prefix: Key,
    overrides: model::LimitOverrides,
    /// Asked for once: a server does not change its version under a connection.
    limits: OnceCell<Limits>,
}

impl Consul {
    /// Prepares to talk to the Consul of `cluster`; nothing is sent yet. What `spec` leaves out
    /// comes from the `CONSUL_*` variables in `environment`, with the meaning they have for the
    /// consul command; a token source in `spec` wins over them.
    ///
    /// Fails with [`TargetError::Configuration`] if address, token or TLS files cannot be used.
    pub fn connect(
        cluster: &ClusterName,
        spec: &model::Consul,
        environment: &Environment,
        patience: &Patience,
    ) -> Result<Self, TargetError> {
        let name = format!("the Consul of cluster `{cluster}`");
        Self::connect_as(&name, spec, environment, patience)
    }

    /// The same for a Consul that is no cluster: `name` is what it is called where its address
    /// cannot be.
    pub fn connect_as(
        name: &str,
        spec: &model::Consul,
        environment: &Environment,
        patience: &Patience,
    ) -> Result<Self, TargetError> {
        let client = Client::new(spec, environment, *patience).map_err(|reason| {
            let address = spec.address.as_deref();
            // An address that cannot be read may hold a password: it is not repeated here.
            let location = match address.and_then(|address| address::parse(address).ok()) {
                Some(address) => address.to_string(),
                None => name.to_owned(),
            };
            TargetError::Configuration { location, reason }
        })?;
        Ok(Self {
            client,
            prefix: spec.prefix.clone(),
            overrides: spec.limits,
            limits: OnceCell::new(),
        })
    }

    /// The same connection for `cluster`, asking `tokens` for a token when the first request is
    /// made, if neither the manifest nor the environment names one.
    #[must_use]
    pub fn or_token_from(mut self, tokens: Arc<dyn KeptTokens>, cluster: &ClusterName) -> Self {
        self.client = self.client.or_token_from(tokens, cluster.clone());
        self
    }

    /// Whether this Consul knows the token that is sent to it; one that it does not know is
    /// [`TargetError::Denied`].
    pub async fn recognises_token(&self) -> Result<Recognised, TargetError> {
        health::recognises_token(self).await
    }
}

impl fmt::Debug for Consul {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Consul")
            .field("location", &self.location())
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
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

impl Consul {
    fn denied(&self, reason: impl Into<String>) -> TargetError {
        TargetError::Denied {
            location: self.location(),
            reason: reason.into(),
        }
    }

    fn invalid(&self, reason: impl Into<String>) -> TargetError {
        TargetError::Invalid {
            location: self.location(),
            reason: reason.into(),
        }
    }

    /// What an answer means that is not the one hoped for.
    fn refused(&self, answer: &http::Answer) -> TargetError {
        match answer.status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => self.denied(denial(&answer.text())),
            status if status.is_redirection() => self.invalid(format!(
                "a redirect ({status}), which is never followed: is this the address of a Consul?"
            )),
            status => self.invalid(format!("{status}: {}", answer.text())),
        }
    }
}

/// What a Consul says of a token, with what it means: no policy helps a token that is not there.
fn denial(said: &str) -> String {
    if said.contains("ACL not found") {
        format!(
            "{said}: this Consul does not know the token, which was deleted or belongs to another; \
             another one has to be named"
        )
    } else {
        said.to_owned()
    }
}
