//! Questions about the log: who did what, and whether it is whole.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{Cause, Checkpoint, ResourceId, Sequence};

/// Which entries of the log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AuditQuery {
    /// Those that changed one of these; empty: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<ResourceId>,
    /// Those of whom the history calls so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// Those that came about like this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<CauseKind>,
    /// Those from then on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// Those before then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Those before this one; `None`: from the newest on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Sequence>,
    /// At most this many.
    pub limit: usize,
}

/// How a change came about.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum CauseKind {
    /// Files were applied.
    Apply,
    /// An older content was taken again.
    Rollback,
    /// Something was deleted.
    Delete,
    /// A flag was switched.
    Flag,
    /// A breaker was operated.
    Breaker,
    /// An alert began to fire, or was resolved.
    Alert,
    /// The time of overrides was over.
    Expiry,
}

/// Text that names none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a cause is one of apply, rollback, delete, flag, breaker, alert and expiry")]
pub struct CauseKindError;

impl CauseKind {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Apply,
        Self::Rollback,
        Self::Delete,
        Self::Flag,
        Self::Breaker,
        Self::Alert,
        Self::Expiry,
    ];

    /// Its word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Apply => "apply",
            Self::Rollback => "rollback",
            Self::Delete => "delete",
            Self::Flag => "flag",
            Self::Breaker => "breaker",
            Self::Alert => "alert",
            Self::Expiry => "expiry",
        }
    }
}

impl fmt::Display for CauseKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for CauseKind {
    type Err = CauseKindError;

    fn from_str(text: &str) -> Result<Self, CauseKindError> {
        let mut all = Self::ALL.into_iter();
        all.find(|kind| kind.as_str() == text).ok_or(CauseKindError)
    }
}

impl From<&Cause> for CauseKind {
    fn from(cause: &Cause) -> Self {
        match cause {
            Cause::Apply => Self::Apply,
            Cause::Rollback { .. } => Self::Rollback,
            Cause::Delete => Self::Delete,
            Cause::Flag { .. } => Self::Flag,
            Cause::Breaker { .. } => Self::Breaker,
            Cause::Alert { .. } => Self::Alert,
            Cause::Expiry => Self::Expiry,
        }
    }
}

/// Whether the log is whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VerifyQuery {
    /// What it was once, which it has to go on from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub against: Option<Checkpoint>,
}
