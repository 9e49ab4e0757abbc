//! The status of every set in every cluster.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{HoldItem, Report, State};
use crate::model::{ClusterName, SetName, Version};

/// Which version of every set each cluster holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Status {
    /// Whether every cluster could be looked at and holds what it should.
    pub in_sync: bool,
    /// Every set in every cluster that has to do with it.
    pub clusters: Vec<StatusItem>,
    /// What is switched by hand.
    pub overridden: Vec<HoldItem>,
}

impl Report for Status {
    const KIND: &'static str = "Status";
}

/// One set in one cluster.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StatusItem {
    /// The set.
    pub set: SetName,
    /// The cluster.
    pub cluster: ClusterName,
    /// The newest version in the store.
    pub head: Option<Version>,
    /// The version that the cluster holds.
    pub holds: Option<Version>,
    /// How it compares with what it should hold.
    pub state: State,
    /// Why it does, where the word does not say it all.
    pub reason: Option<String>,
    /// When what it holds was made.
    pub since: Option<Timestamp>,
    /// Who made it.
    pub actor: Option<String>,
    /// How many of our keys someone else changed.
    pub drift: usize,
    /// How many keys of others lie where the application reads.
    pub foreign: usize,
}

impl Status {
    /// Whether a cluster could not be looked at in which something is expected.
    pub fn has_unseen(&self) -> bool {
        self.clusters.iter().any(|it| it.state.is_unseen())
    }
}
