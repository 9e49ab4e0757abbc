//! The log: who did what, from where and why.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Report;
use crate::api::{Noted, Via};
use crate::model::{Cause, Checkpoint, ResourceId, Sequence, TokenId, Version};

/// Entries of the log, newest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AuditLog {
    /// The entries.
    pub entries: Vec<AuditEntry>,
    /// Before which one to go on; left out: there are no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Sequence>,
}

impl Report for AuditLog {
    const KIND: &'static str = "AuditLog";
}

/// One entry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AuditEntry {
    /// What happened.
    pub event: AuditEvent,
    /// Its number.
    pub sequence: Sequence,
    /// When, by the clock of the store.
    pub at: Timestamp,
    /// Who did it; left out: nobody knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// The token that was shown for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<TokenId>,
    /// How it came here; left out: from a process beside the store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub via: Option<Via>,
    /// How a change came about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
    /// Why, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// What was changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<AuditChange>,
    /// What was done that made no revision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub noted: Option<Noted>,
}

/// What happened. Those of configurations have the names that reloads of them have elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AuditEvent {
    /// A change was committed.
    ConfigReloadApplied,
    /// An older content was committed again.
    ConfigReloadRolledBack,
    /// A change was refused.
    ConfigReloadRejected,
    /// Which alerts fire for the breakers of a set changed.
    AlertsTold,
    /// What was committed did not arrive everywhere.
    ConfigReloadFailed,
    /// What cfgctl itself committed arrived everywhere.
    Delivered,
    /// A cluster was found to hold something else than it should.
    DriftFound,
    /// Somebody was told what happened.
    Notified,
    /// Somebody showed a token, for the first time in a long while.
    LoggedIn,
    /// Somebody showed no token, or a wrong one.
    LoginFailed,
    /// A token was made.
    TokenCreated,
    /// A token was made that takes over from others.
    TokenRotated,
    /// Tokens were revoked.
    TokenRevoked,
    /// Something that this cfgctl does not know.
    Other,
}

/// What an entry made of one resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AuditChange {
    /// The resource.
    pub name: ResourceId,
    /// Its version before; left out: it was new.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Version>,
    /// Its version since.
    pub after: Version,
}

/// A log that is whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VerifiedLog {
    /// What the log is now; left out: nobody has committed anything yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<Checkpoint>,
    /// What it was once, and goes on from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub against: Option<Checkpoint>,
}

impl Report for VerifiedLog {
    const KIND: &'static str = "VerifiedLog";
}
