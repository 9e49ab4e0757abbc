//! What anybody may know of a server, so that he can log in.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Report;

/// A server, as whoever is not known yet sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServerInfo {
    /// The version of cfgctl.
    pub version: String,
    /// Whose JWTs it exchanges for tokens.
    pub issuers: Vec<IssuerItem>,
}

impl ServerInfo {
    /// This cfgctl, where these issuers count.
    pub fn of(issuers: Vec<IssuerItem>) -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            issuers,
        }
    }
}

impl Report for ServerInfo {
    const KIND: &'static str = "Server";
}

/// One issuer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct IssuerItem {
    /// What it calls itself.
    pub issuer: String,
    /// Whom its JWTs must be for.
    pub audience: String,
    /// What it knows `cfgctl login` as, if it is for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// What `cfgctl login` asks it for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
}
