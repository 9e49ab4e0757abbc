//! Drift: how clusters differ from what they should hold, why, and what mends it.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{HoldItem, KeyDrift, Report, State};
use crate::model::{ClusterName, SetName, Version};

/// How every set is in every cluster that has to do with it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Drift {
    /// When it was looked at.
    pub at: Timestamp,
    /// Whether everything could be looked at and is as it should be.
    pub in_sync: bool,
    /// How many pairs of a set and a cluster differ.
    pub drifted: usize,
    /// How many could not be looked at.
    pub unseen: usize,
    /// Every pair.
    pub clusters: Vec<DriftItem>,
    /// What is switched by hand, which is no drift.
    pub overridden: Vec<HoldItem>,
}

impl Report for Drift {
    const KIND: &'static str = "Drift";
}

/// One set in one cluster.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DriftItem {
    /// The set.
    pub set: SetName,
    /// The cluster.
    pub cluster: ClusterName,
    /// How it compares with what it should hold.
    pub state: State,
    /// Why it is not in sync.
    pub cause: Option<String>,
    /// The command lines that bring it in sync, to be run one after another.
    pub mend: Vec<String>,
    /// The newest version in the store.
    pub head: Option<Version>,
    /// The version that the cluster holds.
    pub holds: Option<Version>,
    /// When what it holds was made.
    pub since: Option<Timestamp>,
    /// Who made it.
    pub actor: Option<String>,
    /// Our keys that someone else changed, with both values.
    pub keys: Vec<KeyDrift>,
    /// Keys of others where the application reads.
    pub foreign: Vec<String>,
}

impl DriftItem {
    /// Whether it was looked at and differs.
    pub fn has_drifted(&self) -> bool {
        !self.state.is_unseen() && self.cause.is_some()
    }
}
