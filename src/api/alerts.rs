//! Alerts: what is asked about them, and what a server does beside answering, so that what they and
//! timers decide arrives without anybody who asks.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Error;
use super::report::Outcome;
use crate::model::{Alert, BreakerName, ClusterName, SetName, Version};

/// Which alerts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AlertsQuery {
    /// Only those of breakers of this set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set: Option<SetName>,
}

/// What a message of alerts would come to for which breaker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AlertTestQuery {
    /// The set.
    pub set: SetName,
    /// The breaker.
    pub breaker: BreakerName,
    /// The alerts of the message.
    pub alerts: Vec<Alert>,
}

/// What differs in which cluster, and how, by set.
pub type Drifted = BTreeMap<SetName, BTreeMap<ClusterName, String>>;

/// What a server does by itself. It is no part of [`Service`](super::Service): nobody asks for it over
/// a wire.
#[async_trait]
pub trait Upkeep: Debug + Send + Sync {
    /// Makes the first alert as quick as any.
    async fn begin(&self) -> Result<(), Error>;

    /// The sets of which something was committed that no person waits for, and that is not everywhere yet.
    async fn undelivered(&self) -> Result<BTreeSet<SetName>, Error>;

    /// Brings clusters to what is committed of `set`, each for itself; once all have it, it is not
    /// undelivered any more.
    async fn deliver(&self, set: &SetName) -> Result<Outcome, Error>;

    /// Writes down in which clusters `set` did not arrive, and why.
    async fn note_undelivered(
        &self,
        set: &SetName,
        clusters: BTreeMap<ClusterName, String>,
    ) -> Result<(), Error>;

    /// Compares every cluster with what it should hold, and writes down what differs that did not `before`;
    /// says what does now.
    async fn look_for_drift(&self, before: &Drifted) -> Result<Drifted, Error>;

    /// Takes away what is over, and says in which sets something was; that is undelivered then.
    async fn expire(&self) -> Result<Vec<(SetName, Version)>, Error>;
}
