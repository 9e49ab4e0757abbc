//! What the store holds and how it came to be: resources, revisions, histories, explanations.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{HoldItem, Report};
use crate::model::{ClusterName, Document, Labels, Origin, ResourceId, Selector, SetName, Version};
use crate::plan::Explanation;

/// Resources as they are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Resources {
    /// The resources.
    pub items: Vec<ResourceItem>,
    /// What is switched by hand in any of them.
    pub overridden: Vec<HoldItem>,
}

impl Report for Resources {
    const KIND: &'static str = "Resources";
}

/// A resource as it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ResourceItem {
    /// The resource.
    pub name: ResourceId,
    /// Its newest version.
    pub version: Version,
    /// When that was made.
    pub changed: Timestamp,
    /// Who made it.
    pub actor: String,
    /// Its manifest.
    pub manifest: Option<Value>,
    /// The labels of a cluster; those of a set, if it has any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<Labels>,
    /// Which clusters a set goes to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clusters: Option<Selector>,
}

/// One revision of a resource, or what a cluster gets of that of a set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RevisionReport {
    /// The resource.
    pub name: ResourceId,
    /// Which revision.
    pub version: Version,
    /// How it came to be.
    pub origin: Origin,
    /// Whether it is a deletion.
    pub deleted: bool,
    /// Its manifest, where no cluster was named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest: Option<Value>,
    /// What the cluster gets that was named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<Document>,
}

impl Report for RevisionReport {
    const KIND: &'static str = "Revision";
}

/// The revisions of a resource, newest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct History {
    /// The resource.
    pub name: ResourceId,
    /// Its revisions.
    pub revisions: Vec<HistoryEntry>,
}

impl Report for History {
    const KIND: &'static str = "History";
}

/// One revision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HistoryEntry {
    /// Its version.
    pub version: Version,
    /// How it came to be.
    pub origin: Origin,
    /// Whether it is a deletion.
    pub deleted: bool,
    /// How many values of its manifest are new against the one before.
    pub added: usize,
    /// How many are others.
    pub changed: usize,
    /// How many are gone.
    pub removed: usize,
}

/// Where the values of a set come from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Explained {
    /// The set.
    pub set: SetName,
    /// The revision that has them.
    pub version: Version,
    /// The values.
    pub values: Vec<ExplainedValue>,
}

impl Report for Explained {
    const KIND: &'static str = "Explanation";
}

/// Where one value comes from, in clusters that have it from the same place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExplainedValue {
    /// Its path.
    pub key: String,
    /// The clusters.
    pub clusters: Vec<ClusterName>,
    /// Where it comes from.
    #[serde(flatten)]
    pub explanation: Explanation,
}
