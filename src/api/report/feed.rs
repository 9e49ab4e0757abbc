//! Finished snapshots, as whoever delivers or reads them gets them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Report;
use crate::model::{ClusterName, Digest, Document, Key, Origin, SetName, Version};

/// Every set that goes to a cluster, and what the cluster should hold of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClusterSnapshots {
    /// The cluster.
    pub cluster: ClusterName,
    /// The sets, by name.
    pub sets: Vec<SnapshotItem>,
}

impl Report for ClusterSnapshots {
    const KIND: &'static str = "ClusterSnapshots";
}

/// What a cluster should hold of one set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SnapshotItem {
    /// The set.
    pub name: SetName,
    /// Its newest version.
    pub version: Version,
    /// The digest of its snapshot for this cluster; `None`: there is none, because what is declared
    /// cannot be published. What is in the cluster stays there.
    pub digest: Option<Digest>,
}

/// One finished snapshot: all that is written of a set to a cluster.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClusterSnapshot {
    /// What lies at the snapshot key.
    pub document: Document,
    /// What lies at the other keys, of which the document has the digests.
    pub entries: BTreeMap<Key, String>,
}

impl Report for ClusterSnapshot {
    const KIND: &'static str = "ClusterSnapshot";
}

/// What tells whether what lies in a cluster is from this store, and whether it is to go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LineageReport {
    /// The cluster.
    pub cluster: ClusterName,
    /// The set.
    pub set: SetName,
    /// Its newest version, that of its deletion included; `None`: there never was such a set. What
    /// is newer is from another store, or this one is older than it was.
    pub newest: Option<Version>,
    /// Whether the set goes to the cluster. Where it does not, what is of this store is to go.
    pub is_there: bool,
    /// How those of the versions came to be that were asked for and that there are, as a snapshot
    /// says it.
    pub origins: BTreeMap<Version, Origin>,
}

impl Report for LineageReport {
    const KIND: &'static str = "Lineage";
}
