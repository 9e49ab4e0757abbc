//! Notifications: how far whoever wants to hear what happens was told.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Report;
use crate::model::{DeadLetter, MailboxFailure, ReceiverName, Sequence};

/// Everybody who was told anything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Notifications {
    /// All of them, by name.
    pub receivers: Vec<ReceiverItem>,
}

impl Report for Notifications {
    const KIND: &'static str = "Notifications";
}

/// How far one receiver was told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReceiverItem {
    /// What it is called.
    pub name: ReceiverName,
    /// Of every commit up to this one it was told what it wants to hear, or nobody tries any more.
    pub told: Sequence,
    /// What keeps the next from arriving.
    pub failing: Option<MailboxFailure>,
    /// What never arrived, the oldest first.
    pub dead: Vec<DeadLetter>,
}
