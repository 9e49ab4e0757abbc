//! The outcome of a change: what was committed, and how it went in every cluster.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Report;
use crate::model::{ClusterName, ResourceId, SetName, Version};

/// What was committed, and how it went in every cluster.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Outcome {
    /// Whether every cluster holds what it should.
    pub complete: bool,
    /// The new revisions.
    pub committed: Vec<NewRevision>,
    /// How it went with each set in each cluster.
    pub clusters: Vec<DeliveryOutcome>,
    /// What a person should know about a change of flags or breakers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Until when such a change lasts by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

impl Report for Outcome {
    const KIND: &'static str = "Outcome";
}

/// A new revision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewRevision {
    /// The resource.
    pub name: ResourceId,
    /// Its version.
    pub version: Version,
}

/// How it went with one set in one cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeliveryOutcome {
    /// The set.
    pub set: SetName,
    /// The cluster.
    pub cluster: ClusterName,
    /// The version that it should hold; none where it should hold nothing of the set.
    pub version: Option<Version>,
    /// How it went.
    pub outcome: Delivered,
    /// Why, where the word does not say it all.
    pub reason: Option<String>,
}

/// How it went with a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Delivered {
    /// There was nothing to do.
    Unchanged,
    /// The cluster holds what it should.
    Delivered,
    /// Our keys are gone.
    Removed,
    /// The cluster is taken off the list, and our keys stay in it.
    Left,
    /// Someone else delivered a newer version meanwhile, which stays.
    Superseded,
    /// Something changed after it was read, and nothing was written.
    Conflict,
    /// The cluster does not answer.
    Unreachable,
    /// The token may not write there.
    Denied,
    /// The cluster answers nonsense, or did not take the write.
    Failed,
    /// It is not known whether the write was carried out.
    Unknown,
    /// It took too long, and the next delivery goes on from there.
    Stopped,
    /// Something stands against it.
    Refused,
    /// It was stopped before it began.
    Interrupted,
}

impl Delivered {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unchanged => "unchanged",
            Self::Delivered => "delivered",
            Self::Removed => "removed",
            Self::Left => "left",
            Self::Superseded => "superseded",
            Self::Conflict => "conflict",
            Self::Unreachable => "unreachable",
            Self::Denied => "denied",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
            Self::Stopped => "stopped",
            Self::Refused => "refused",
            Self::Interrupted => "interrupted",
        }
    }

    /// Whether the cluster holds what it should, or something newer.
    pub fn is_settled(self) -> bool {
        match self {
            Self::Unchanged | Self::Delivered | Self::Removed | Self::Left | Self::Superseded => {
                true
            }
            Self::Conflict
            | Self::Unreachable
            | Self::Denied
            | Self::Failed
            | Self::Unknown
            | Self::Stopped
            | Self::Refused
            | Self::Interrupted => false,
        }
    }
}

impl Outcome {
    /// Whether nothing is left but what the token may not write.
    pub fn is_denied(&self) -> bool {
        let left = self.clusters.iter().filter(|it| !it.outcome.is_settled());
        let mut left = left.peekable();
        left.peek().is_some() && left.all(|it| it.outcome == Delivered::Denied)
    }

    /// With what was done beside it.
    #[must_use]
    pub fn and(mut self, other: Option<Self>) -> Self {
        if let Some(other) = other {
            self.complete &= other.complete;
            self.committed.extend(other.committed);
            self.clusters.extend(other.clusters);
        }
        self
    }
}
