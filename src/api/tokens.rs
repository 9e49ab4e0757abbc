//! What is asked of tokens.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Message;
use crate::model::{ClusterName, SetName, TokenKind, TokenName};

/// How long a token is valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Lasting {
    /// Until it is revoked.
    Forever,
    /// For so long from now on.
    For(Duration),
}

/// The wish for a new token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TokenOrder {
    /// What it is called. No other valid token may have the name.
    pub name: TokenName,
    /// What it is for.
    pub kind: TokenKind,
    /// The set that it is for; for the kind `app`, and for no other.
    #[serde(default)]
    pub set: Option<SetName>,
    /// The cluster that it is for, of the kind `agent`; the only one that it is for, of the kind `app`.
    #[serde(default)]
    pub cluster: Option<ClusterName>,
    /// How long it is valid.
    pub lasts: Lasting,
    /// What it is for, in words.
    #[serde(default)]
    pub message: Option<Message>,
}

/// The wish for a token that takes over from those of its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TokenRotation {
    /// What they are called.
    pub name: TokenName,
    /// How long the new one is valid; `None`: as long as the newest of the others was to be.
    #[serde(default)]
    pub lasts: Option<Lasting>,
    /// How long the others stay valid, at most.
    pub overlap: Duration,
    /// Why.
    #[serde(default)]
    pub message: Option<Message>,
}

/// The wish that tokens are valid no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TokenRevocation {
    /// The id of one, else the name of all that have it.
    pub which: TokenName,
    /// Why.
    #[serde(default)]
    pub message: Option<Message>,
}
