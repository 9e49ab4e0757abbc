//! Reports: what is answered, as data that survives JSON unchanged.
//!
//! The JSON of a report is a promise. Whoever shows one to a person renders it; what a command ends
//! with follows from it.

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::model::API_VERSION;

mod access;
mod alerts;
mod audit;
mod clusters;
mod drift;
mod feed;
mod info;
mod lookup;
mod notifications;
mod outcome;
mod plan;
mod runtime;
mod status;
mod tokens;

pub use access::{AccessItem, AccessReport, GrantItem};
pub use alerts::{
    AlertTest, Alerts, AlertsTaken, FailedSet, FiringAlert, TakenAlert, TestedAlert, ToldBreaker,
    UnmatchedAlert, Unreadable,
};
pub use audit::{AuditChange, AuditEntry, AuditEvent, AuditLog, VerifiedLog};
pub use clusters::{
    ClusterCheck, ClusterItem, ClusterState, Clusters, Fitness, Policy, PolicyAccess,
    PolicyResource, PolicyRule,
};
pub use drift::{Drift, DriftItem};
pub use feed::{ClusterSnapshot, ClusterSnapshots, LineageReport, SnapshotItem};
pub use info::{IssuerItem, ServerInfo};
pub use lookup::{
    Explained, ExplainedValue, History, HistoryEntry, ResourceItem, Resources, RevisionReport,
};
pub use notifications::{Notifications, ReceiverItem};
pub use outcome::{Delivered, DeliveryOutcome, NewRevision, Outcome};
pub use plan::{
    ActionKind, AdoptedKey, DriftKind, KeyDrift, ObjectionItem, PlanReport, PlannedDelivery,
    PlannedResource, ResourceEdit, ResourceReason, State,
};
pub use runtime::{
    Answer, AnswerReason, BreakerEvent, BreakerHistory, BreakerItem, BreakerReport, Breakers,
    Effect, EffectIn, Evaluated, FlagItem, FlagSource, Flags, HoldItem, Waiting,
};
pub use status::{Status, StatusItem};
pub use tokens::{Identity, NewToken, PrincipalKind, RevokedTokens, TokenItem, TokenState, Tokens};

/// What is answered.
pub trait Report: Serialize + DeserializeOwned {
    /// What its JSON is called.
    const KIND: &'static str;
}

/// A report as it is written: with the version of its format and its kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Envelope<R> {
    api_version: String,
    kind: String,
    /// What is answered.
    #[serde(flatten)]
    pub report: R,
}

impl<R> Envelope<R> {
    /// `report` under this kind.
    pub fn new(kind: &str, report: R) -> Self {
        Self {
            api_version: API_VERSION.to_owned(),
            kind: kind.to_owned(),
            report,
        }
    }
}

#[cfg(test)]
mod tests;
