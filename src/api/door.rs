//! The door: what a server has to know to tell who asks, and what it has to write down of it.

use std::collections::BTreeMap;
use std::fmt::Debug;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::report::NewToken;
use super::{Caller, Error, Holdings, Tally, Via};
use crate::model::{
    Checkpoint, ClusterName, ExchangeId, IdempotencyKey, LoginRecord, ReceiverName, Sequence,
    SetName, TokenId, TokenKind, TokenName, TokenRecord,
};

/// What stands behind the door of a server. It is no part of [`Service`](super::Service): nobody asks
/// for it over a wire.
#[async_trait]
pub trait Door: Debug + Send + Sync {
    /// What time it is.
    fn now(&self) -> Timestamp;

    /// Every token that the store knows, those whose time is over among them.
    async fn keys(&self) -> Result<Keys, Error>;

    /// Waits until the newest commit is another one than `after`, and says which it is.
    async fn moved(&self, after: Sequence) -> Result<Sequence, Error>;

    /// Whether somebody who is known may ask for anything at all.
    fn admits(&self, by: &Caller) -> Result<(), Error>;

    /// Lets in whom an issuer vouches for, if a grant is to him: makes a token for him, and for what he
    /// showed no second one.
    async fn exchange(&self, vouched: &Vouched, via: &Via) -> Result<NewToken, Error>;

    /// Takes note that these tokens were used.
    async fn used(&self, tokens: &[(TokenId, Timestamp)]) -> Result<(), Error>;

    /// What the log is now; `None`: nobody has committed anything yet.
    async fn head(&self) -> Result<Option<Checkpoint>, Error>;

    /// Writes down what happened at the door.
    async fn note(&self, entry: &LogEntry) -> Result<(), Error>;

    /// The commit that was made under `key`, if one was.
    async fn made_under(&self, key: &IdempotencyKey) -> Result<Option<Sequence>, Error>;

    /// Whether somebody may read figures, which name everything that there is.
    async fn shows_figures(&self, by: &Caller) -> Result<(), Error>;

    /// What the store holds, with the commits counted since the one after `since`, or since this was
    /// asked for the first time. What it costs follows from what was committed since the last time.
    async fn holdings(&self, since: Option<Sequence>) -> Result<Holdings, Error>;

    /// What this process has done so far.
    fn tally(&self) -> Tally;
}

/// Somebody whom an issuer vouches for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vouched {
    /// Who says so.
    pub issuer: String,
    /// What is said.
    pub login: LoginRecord,
    /// What was shown, which counts once.
    pub shown: ExchangeId,
    /// From when on nobody takes that any more, with what clocks may differ by.
    pub until: Timestamp,
    /// How long he is known from now on.
    pub lasts: SignedDuration,
}

/// Tokens from one moment in time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keys {
    /// The newest commit at that moment.
    pub sequence: Sequence,
    /// The tokens.
    pub tokens: BTreeMap<TokenId, KnownToken>,
}

/// One token, as far as a server has to know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownToken {
    /// What the store keeps of it.
    pub token: TokenRecord,
    /// When it was last used, as far as that was written down.
    pub used: Option<Timestamp>,
}

/// What the log keeps that is no revision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LogEntry {
    /// Who did it, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Caller>,
    /// What was done.
    pub what: Noted,
    /// Why, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// What was done that made no revision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Noted {
    /// A token was made.
    TokenCreated(NotedToken),
    /// A token was made that takes over from others.
    TokenRotated {
        /// The new one.
        token: NotedToken,
        /// The others, and until when each is valid.
        replaces: BTreeMap<TokenId, Option<Timestamp>>,
    },
    /// Tokens were revoked.
    TokenRevoked {
        /// The tokens.
        tokens: Vec<NotedToken>,
    },
    /// Somebody who is known was refused something.
    Refused {
        /// What was asked for: `POST /v1/changes`.
        operation: String,
        /// What was said to that.
        error: String,
        /// How often something was refused, since `since`.
        count: u64,
        /// The first of these times.
        since: Timestamp,
        /// The last of these times.
        until: Timestamp,
    },
    /// Which alerts fire for the breakers of a set changed, and nothing else did.
    AlertsTold {
        /// The set.
        set: SetName,
        /// How many fire from then on, those of several breakers counted for each.
        firing: usize,
    },
    /// What is committed did not arrive in some clusters, and why.
    Undelivered {
        /// The set.
        set: SetName,
        /// The clusters.
        clusters: BTreeMap<ClusterName, String>,
    },
    /// What cfgctl itself committed arrived in every cluster.
    Delivered {
        /// The set.
        set: SetName,
    },
    /// Some clusters hold something else than they should, and why.
    Drifted {
        /// The set.
        set: SetName,
        /// The clusters.
        clusters: BTreeMap<ClusterName, String>,
    },
    /// Somebody was told what happened.
    Notified {
        /// Who.
        receiver: ReceiverName,
        /// Of every commit up to this one.
        told: Sequence,
    },
    /// Somebody showed a token, for the first time in a long while.
    LoggedIn,
    /// Somebody logged in with what an issuer says of him.
    Exchanged {
        /// Who says so.
        issuer: String,
        /// The token that was made for it.
        token: NotedToken,
    },
    /// Somebody showed no token, or a wrong one.
    LoginFailed {
        /// Where they come from; left out: from more places than are told apart.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<String>,
        /// How often, since `since`.
        count: u64,
        /// The first of these times.
        since: Timestamp,
        /// The last of these times.
        until: Timestamp,
        /// The id in the token that was shown last, if it was of the form of one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        token: Option<TokenId>,
    },
}

/// A token in the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NotedToken {
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
    /// From when on it is refused; left out: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
}
