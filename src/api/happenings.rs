//! Happenings: what people want to hear of, as it follows from the log, and how far whoever wants to hear
//! was told.
//!
//! The log is the outbox: what is in it is told, however often the process ends in between.

use std::fmt::Debug;

use async_trait::async_trait;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Error;
use crate::model::{
    BreakerName, ClusterName, Labels, Mailbox, ReceiverName, Selector, Sequence, SetName, Version,
};

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Happening {
    /// Another text for each, in every store.
    pub id: String,
    /// The commit that it follows from.
    pub sequence: Sequence,
    /// When that was made.
    pub at: Timestamp,
    /// What happened.
    pub kind: HappeningKind,
    /// The set that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set: Option<SetName>,
    /// The labels of that set.
    #[serde(default, skip_serializing_if = "Labels::is_empty")]
    pub labels: Labels,
    /// The breaker that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub breaker: Option<BreakerName>,
    /// The clusters that it is about, where it is not about all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clusters: Vec<ClusterName>,
    /// The labels of these clusters, where they were chosen so.
    #[serde(default, skip_serializing_if = "Selector::is_empty")]
    pub place: Selector,
    /// The revision in which it happened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Version>,
    /// Whose doing it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What can happen that people want to hear of.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum HappeningKind {
    /// A breaker opened.
    Tripped,
    /// A breaker closed.
    Reset,
    /// A breaker stays open until a person resets it: it was tripped too often.
    Latched,
    /// What is committed did not arrive in every cluster.
    Undelivered,
    /// Somebody was refused a change.
    Refused,
    /// A cluster holds something else than it should.
    Drifted,
}

impl HappeningKind {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tripped => "tripped",
            Self::Reset => "reset",
            Self::Latched => "latched",
            Self::Undelivered => "undelivered",
            Self::Refused => "refused",
            Self::Drifted => "drifted",
        }
    }
}

impl Happening {
    /// What a person reads, on one line.
    pub fn text(&self) -> String {
        let set = self.set.as_ref().map_or("", SetName::as_str);
        let breaker = self.breaker.as_ref().map_or("", BreakerName::as_str);
        let mut text = match self.kind {
            HappeningKind::Tripped => format!("{set}/{breaker} is open"),
            HappeningKind::Reset => format!("{set}/{breaker} is closed"),
            HappeningKind::Latched => {
                format!("{set}/{breaker} stays open until a person resets it")
            }
            HappeningKind::Undelivered => format!("{set} is not delivered everywhere"),
            HappeningKind::Refused => "a change was refused".to_owned(),
            HappeningKind::Drifted => format!("{set} is not what it should be"),
        };
        if !self.place.is_empty() {
            text = format!("{text} in {}", self.place);
        }
        if !self.clusters.is_empty() {
            let clusters: Vec<_> = self.clusters.iter().map(ClusterName::as_str).collect();
            text = format!("{text} in {}", clusters.join(", "));
        }
        if let Some(actor) = &self.actor {
            text = format!("{text}, by {actor}");
        }
        if let Some(reason) = &self.reason {
            text = format!("{text}: {reason}");
        }
        text
    }
}

/// What happened up to a commit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Happened {
    /// What, in order.
    pub happenings: Vec<Happening>,
    /// The last commit that was looked at.
    pub sequence: Sequence,
}

/// A mailbox, and the commit that it was last changed by; none: there is none yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KnownMailbox {
    /// That commit.
    pub changed: Option<Sequence>,
    /// How far its receiver was told.
    pub mailbox: Mailbox,
}

/// Where whoever tells others finds what happened, and keeps how far they were told. It is no part of
/// [`Service`](super::Service): nobody asks for it over a wire.
#[async_trait]
pub trait Outbox: Debug + Send + Sync {
    /// What time it is.
    fn time(&self) -> Timestamp;

    /// The newest commit.
    async fn newest(&self) -> Result<Sequence, Error>;

    /// Waits until the newest commit is another one than `after`.
    async fn more(&self, after: Sequence) -> Result<(), Error>;

    /// What happened in some of the commits after `after`, oldest first.
    async fn happened(&self, after: Sequence) -> Result<Happened, Error>;

    /// How far a receiver was told.
    async fn mailbox(&self, of: &ReceiverName) -> Result<KnownMailbox, Error>;

    /// Keeps how far a receiver was told, if nobody else did since `known`; nothing if somebody did.
    async fn keep(
        &self,
        of: &ReceiverName,
        known: &KnownMailbox,
        mailbox: Mailbox,
    ) -> Result<Option<KnownMailbox>, Error>;
}
