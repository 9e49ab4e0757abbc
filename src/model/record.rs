//! Records: what a store keeps beside revisions, of which only the newest state counts.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Digest, FiringAlerts, Mailbox, ReceiverName, Sequence, SetName, TokenId, TokenRecord};

/// The kinds of record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RecordKind {
    /// What somebody shows a server.
    Token,
    /// The alerts that fire for the breakers of a set.
    Alerts,
    /// How far somebody was told what happens.
    Mailbox,
    /// What cfgctl itself committed and has not brought to every cluster yet.
    Delivery,
    /// A JWT that was exchanged for a token, and is so no second time.
    Exchange,
}

impl RecordKind {
    /// The word before the slash in `token/ID`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Alerts => "alerts",
            Self::Mailbox => "mailbox",
            Self::Delivery => "delivery",
            Self::Exchange => "exchange",
        }
    }
}

/// Names one record across kinds: `token/7h2kq9x0ab`, `alerts/checkout`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum RecordId {
    /// A token.
    Token(TokenId),
    /// The alerts that fire for the breakers of this set.
    Alerts(SetName),
    /// How far this receiver was told.
    Mailbox(ReceiverName),
    /// This set is to be brought to its clusters.
    Delivery(SetName),
    /// A JWT that was exchanged.
    Exchange(ExchangeId),
}

/// Text that names no record.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a record is named `token/ID`, `alerts/SET`, `mailbox/NAME`, `delivery/SET` or `exchange/ID`"
)]
pub struct RecordIdError;

impl RecordId {
    /// The kind of the record.
    pub fn kind(&self) -> RecordKind {
        match self {
            Self::Token(_) => RecordKind::Token,
            Self::Alerts(_) => RecordKind::Alerts,
            Self::Mailbox(_) => RecordKind::Mailbox,
            Self::Delivery(_) => RecordKind::Delivery,
            Self::Exchange(_) => RecordKind::Exchange,
        }
    }

    /// The name without its kind.
    pub fn name(&self) -> &str {
        match self {
            Self::Token(id) => id.as_str(),
            Self::Alerts(set) | Self::Delivery(set) => set.as_str(),
            Self::Mailbox(receiver) => receiver.as_str(),
            Self::Exchange(id) => &id.0,
        }
    }
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind().as_str(), self.name())
    }
}

impl std::str::FromStr for RecordId {
    type Err = RecordIdError;

    fn from_str(input: &str) -> Result<Self, Self::Err> {
        let (kind, name) = input.split_once('/').ok_or(RecordIdError)?;
        let found = match kind {
            "token" => name.parse().ok().map(Self::Token),
            "alerts" => name.parse().ok().map(Self::Alerts),
            "mailbox" => name.parse().ok().map(Self::Mailbox),
            "delivery" => name.parse().ok().map(Self::Delivery),
            "exchange" => ExchangeId::read(name).ok().map(Self::Exchange),
            _ => None,
        };
        found.ok_or(RecordIdError)
    }
}

impl TryFrom<String> for RecordId {
    type Error = RecordIdError;

    fn try_from(input: String) -> Result<Self, Self::Error> {
        input.parse()
    }
}

impl From<RecordId> for String {
    fn from(id: RecordId) -> Self {
        id.to_string()
    }
}

/// What a JWT is known by once it was exchanged: nothing of it can be told from that.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExchangeId(String);

impl ExchangeId {
    /// That of whatever has this digest.
    pub fn of(digest: &Digest) -> Self {
        Self(digest.hex())
    }

    fn read(text: &str) -> Result<Self, RecordIdError> {
        let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if text.len() != 64 || !text.bytes().all(is_hex) {
            return Err(RecordIdError);
        }
        Ok(Self(text.to_owned()))
    }
}

/// A JWT that was exchanged, as long as it could be shown again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExchangeRecord {
    /// The token that was made for it.
    pub token: TokenId,
    /// From when on nobody takes it any more, with what clocks may differ by.
    pub until: Timestamp,
}

/// What a record says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RecordContent {
    /// A token.
    Token(TokenRecord),
    /// Alerts that fire.
    Alerts(FiringAlerts),
    /// How far somebody was told.
    Mailbox(Mailbox),
    /// Since when it is to be delivered.
    Delivery(Timestamp),
    /// A JWT that was exchanged.
    Exchange(ExchangeRecord),
}

impl RecordContent {
    /// The kind of record that has this.
    pub fn kind(&self) -> RecordKind {
        match self {
            Self::Token(_) => RecordKind::Token,
            Self::Alerts(_) => RecordKind::Alerts,
            Self::Mailbox(_) => RecordKind::Mailbox,
            Self::Delivery(_) => RecordKind::Delivery,
            Self::Exchange(_) => RecordKind::Exchange,
        }
    }

    /// The alerts that fire, if it says that.
    pub fn firing(&self) -> Option<&FiringAlerts> {
        match self {
            Self::Alerts(firing) => Some(firing),
            Self::Token(_) | Self::Mailbox(_) | Self::Delivery(_) | Self::Exchange(_) => None,
        }
    }

    /// How far somebody was told, if it says that.
    pub fn mailbox(&self) -> Option<&Mailbox> {
        match self {
            Self::Mailbox(mailbox) => Some(mailbox),
            Self::Token(_) | Self::Alerts(_) | Self::Delivery(_) | Self::Exchange(_) => None,
        }
    }

    /// From when on the store has no such record any more, by its own clock; `None`: it stays.
    pub fn until(&self) -> Option<Timestamp> {
        match self {
            Self::Token(token) => token.kept_until(),
            // That nobody tells of it any more does not end it.
            Self::Alerts(_) | Self::Mailbox(_) | Self::Delivery(_) => None,
            Self::Exchange(exchange) => Some(exchange.until),
        }
    }
}

/// A record as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The commit that it was last changed by, which is its version.
    pub changed: Sequence,
    /// What it says.
    pub content: RecordContent,
    /// When it was last used, to the minute; no commit says so.
    pub used: Option<Timestamp>,
}

/// A change of one record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordChange {
    /// The commit that it was last changed by; `None`: there must be no such record.
    pub expected: Option<Sequence>,
    /// What it says from now on; `None`: there is none any more.
    pub content: Option<RecordContent>,
}

/// What a commit did to one record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RecordFate {
    /// It says this since; the digest of its JSON.
    Written(Digest),
    /// Somebody removed it.
    Removed,
    /// Its time was over.
    Over,
}
