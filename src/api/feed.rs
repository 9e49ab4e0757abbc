//! The feed: what is asked of finished snapshots, and how whoever waits for them is answered.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{ClusterName, ResourceId, Sequence, SetName, Version};

/// What is answered, and how much of the log it follows from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AsOf<T> {
    /// The newest commit that it follows from. Whoever waits for the next one names this.
    pub sequence: Sequence,
    /// What is answered.
    pub answer: T,
}

/// The snapshots of which cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SnapshotsQuery {
    /// The cluster.
    pub cluster: ClusterName,
    /// Only of these sets, which need not be there; `None`: of every set.
    pub sets: Option<BTreeSet<SetName>>,
}

/// Which snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SnapshotQuery {
    /// The cluster that it is for.
    pub cluster: ClusterName,
    /// The set that it is of.
    pub set: SetName,
}

/// Which versions of a set lie in a cluster, and are to be told apart from those of other stores.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LineageQuery {
    /// The cluster.
    pub cluster: ClusterName,
    /// The set.
    pub set: SetName,
    /// The versions.
    pub versions: BTreeSet<Version>,
}

/// What has been committed since somebody looked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct News {
    /// The newest commit. It may be older than what somebody looked at before, in a store that was
    /// restored from a backup.
    pub sequence: Sequence,
    /// The resources that have new revisions; `None`: it may be any of them.
    pub changed: Option<BTreeSet<ResourceId>>,
}

/// Whose snapshots somebody may read in a cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Readable {
    /// Those of every set.
    All,
    /// Those of these sets, which need not be there.
    Only(BTreeSet<SetName>),
}

impl Readable {
    /// Whether that of `set` is one of them.
    pub fn has(&self, set: &SetName) -> bool {
        match self {
            Self::All => true,
            Self::Only(sets) => sets.contains(set),
        }
    }
}
