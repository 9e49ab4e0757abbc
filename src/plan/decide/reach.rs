//! Which sets and clusters a plan looks at.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{Cluster, ClusterName, Selector, SetName};

/// Which sets are looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Reach {
    /// Those that the desired changes touch, and these.
    Named(BTreeSet<SetName>),
    /// Every set of the store, deleted ones too: their removal may not be finished.
    All,
}

/// Which clusters are looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClusterScope {
    /// Those that it matches.
    Matching(Selector),
    /// These, as far as they are there.
    Named(BTreeSet<ClusterName>),
}

impl ClusterScope {
    /// Every cluster.
    pub fn all() -> Self {
        Self::Matching(Selector::default())
    }

    pub(super) fn contain(&self, name: &ClusterName, cluster: &Cluster) -> bool {
        match self {
            Self::Matching(selector) => selector.matches(&cluster.labels),
            Self::Named(names) => names.contains(name),
        }
    }
}
