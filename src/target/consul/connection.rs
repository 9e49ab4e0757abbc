//! The connection to one Consul, and what its answers mean that are not the ones hoped for.

use std::fmt;
use std::sync::Arc;

use reqwest::StatusCode;
use tokio::sync::OnceCell;

use super::address;
use super::http::{Answer, Client};
use super::patience::Patience;
use super::token::KeptTokens;
use crate::model::{self, ClusterName, Key, Limits};
use crate::target::{TargetError, Variables};

/// The KV store of one Consul. The ACL token is read once: when connecting, or with the first
/// request if it comes from [`KeptTokens`].
pub struct Consul {
    pub(super) client: Client,
    pub(super) prefix: Key,
    pub(super) overrides: model::LimitOverrides,
    /// Asked for once: a server does not change its version under a connection.
    pub(super) limits: OnceCell<Limits>,
}

impl Consul {
    /// Prepares to talk to the Consul of `cluster`; nothing is sent yet. What `spec` leaves out
    /// comes from the `CONSUL_*` variables in `environment`, with the meaning they have for the
    /// consul command; a token source in `spec` wins over them.
    ///
    /// Fails with [`TargetError::Configuration`] if address, token or TLS files cannot be used.
    pub fn connect(
        cluster: &ClusterName,
        spec: &model::ConsulSpec,
        environment: &Variables,
        patience: &Patience,
    ) -> Result<Self, TargetError> {
        let name = format!("the Consul of cluster `{cluster}`");
        Self::connect_as(&name, spec, environment, patience)
    }

    /// The same for a Consul that is no cluster: `name` is what it is called where its address
    /// cannot be.
    pub fn connect_as(
        name: &str,
        spec: &model::ConsulSpec,
        environment: &Variables,
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
}

impl fmt::Debug for Consul {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Consul")
            .field("location", &self.client.location())
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

impl Consul {
    pub(super) fn denied(&self, reason: impl Into<String>) -> TargetError {
        TargetError::Denied {
            location: self.client.location().to_owned(),
            reason: reason.into(),
        }
    }

    pub(super) fn invalid(&self, reason: impl Into<String>) -> TargetError {
        TargetError::Invalid {
            location: self.client.location().to_owned(),
            reason: reason.into(),
        }
    }

    /// What an answer means that is not the one hoped for.
    pub(super) fn refused(&self, answer: &Answer) -> TargetError {
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
