//! Clusters: what there is, whether they are fit for use, and what a token there needs.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Report;
use crate::api::ErrorKind;
use crate::model::{ClusterName, Limits};

/// The clusters that there are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Clusters {
    /// The clusters.
    pub items: Vec<ClusterItem>,
}

impl Report for Clusters {
    const KIND: &'static str = "Clusters";
}

/// One cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClusterItem {
    /// Its name.
    pub name: ClusterName,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// How it is reached, without secrets.
    pub target: String,
}

/// Whether clusters are fit for use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClusterCheck {
    /// Whether all are.
    pub healthy: bool,
    /// The clusters.
    pub clusters: Vec<ClusterState>,
}

impl Report for ClusterCheck {
    const KIND: &'static str = "ClusterCheck";
}

/// Whether one cluster is fit for use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClusterState {
    /// Its name.
    pub name: ClusterName,
    /// How it is reached, without secrets.
    pub target: String,
    /// Whether everything that has to be written there can be.
    pub healthy: bool,
    /// What may be done there, in a word.
    pub state: Fitness,
    /// Product and version, as far as it may be known.
    pub server: Option<String>,
    /// What one write can carry.
    pub limits: Option<Limits>,
    /// What a person should know.
    pub warnings: Vec<String>,
    /// Why it cannot be used, if so.
    pub error: Option<String>,
    /// What kind of error that is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_kind: Option<ErrorKind>,
}

/// What may be done in a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Fitness {
    /// Everything.
    Ok,
    /// Reading, and writing some of the sets.
    Partial,
    /// Reading, and no writing.
    ReadOnly,
    /// Not even reading.
    Denied,
    /// It does not answer, answers nonsense, or is described wrongly.
    Failed,
}

/// The least ACL policy with which a cluster can be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Policy {
    /// The cluster.
    pub cluster: ClusterName,
    /// What a token needs.
    pub rules: Vec<PolicyRule>,
    /// The rules as Consul takes them.
    pub hcl: String,
}

impl Report for Policy {
    const KIND: &'static str = "AclPolicy";
}

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PolicyRule {
    /// What it is about.
    pub resource: PolicyResource,
    /// Which key, or all below it.
    pub path: String,
    /// What is allowed.
    pub policy: PolicyAccess,
}

/// What a rule is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PolicyResource {
    /// One key.
    Key,
    /// All keys below one.
    KeyPrefix,
}

/// What a rule allows.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum PolicyAccess {
    /// Reading.
    Read,
    /// Reading and writing.
    Write,
}
