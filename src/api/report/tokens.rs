//! Tokens: which there are, and who somebody is.

use std::sync::Arc;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Report;
use crate::model::{ClusterName, LoginRecord, SetName, TokenId, TokenKind, TokenName, TokenText};

/// The tokens that the store knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Tokens {
    /// The tokens, by name and age.
    pub items: Vec<TokenItem>,
}

impl Report for Tokens {
    const KIND: &'static str = "Tokens";
}

/// One token, without anything of its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TokenItem {
    /// What it is known by.
    pub id: TokenId,
    /// What it is called.
    pub name: TokenName,
    /// What it is for.
    pub kind: TokenKind,
    /// The set that it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set: Option<SetName>,
    /// The cluster that it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<ClusterName>,
    /// Whether it still is valid.
    pub state: TokenState,
    /// Who made it.
    pub by: String,
    /// When it was made.
    pub at: Timestamp,
    /// From when on it is refused; left out: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
    /// When it was last used, to the minute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used: Option<Timestamp>,
    /// What it is for, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// Whether a token is valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TokenState {
    /// Whoever shows it is known.
    Valid,
    /// Its time is over.
    Expired,
}

/// A token that was just made: the only place where its text is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewToken {
    /// What the store keeps of it.
    pub token: TokenItem,
    /// The secret. It is kept nowhere.
    pub text: TokenText,
    /// Those that it takes over from, with the end that they have now.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replaces: Vec<TokenItem>,
    /// Where the store was made by this, which did not exist.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store_made: Option<String>,
}

impl Report for NewToken {
    const KIND: &'static str = "NewToken";
}

/// The tokens that are valid no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RevokedTokens {
    /// The tokens, as they last were.
    pub items: Vec<TokenItem>,
}

impl Report for RevokedTokens {
    const KIND: &'static str = "RevokedTokens";
}

/// Who somebody is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Identity {
    /// What grants and the history call it.
    pub subject: String,
    /// How that is known.
    pub principal: PrincipalKind,
    /// The token that was shown, if the store knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<TokenItem>,
    /// Whom an issuer vouched for when the token was made, if one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login: Option<Arc<LoginRecord>>,
}

impl Report for Identity {
    const KIND: &'static str = "Identity";
}

/// How it is known who somebody is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PrincipalKind {
    /// They run this process.
    Local,
    /// They hold the token that a server was started with.
    Owner,
    /// They hold a token that the store knows.
    Token,
    /// It is cfgctl itself.
    System,
}
