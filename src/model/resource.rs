//! What has revisions: clusters, grants and sets.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ClusterName, GrantName, SetName};

/// The kinds of resource, in the order in which lists show them.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum ResourceKind {
    /// A place of delivery.
    Cluster,
    /// Who may do what.
    Grant,
    /// A `ConfigSet`.
    Set,
}

impl ResourceKind {
    /// All that there are.
    pub const ALL: [Self; 3] = [Self::Cluster, Self::Grant, Self::Set];

    /// The word before the slash in `set/NAME`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cluster => "cluster",
            Self::Grant => "grant",
            Self::Set => "set",
        }
    }
}

/// Names one resource across kinds: `cluster/eu-west`, `grant/payments`, `set/checkout`.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(into = "String")]
#[serde(try_from = "String")]
#[schemars(extend("pattern" = "^((cluster|grant|set)/)?[a-z0-9]([a-z0-9-]*[a-z0-9])?$"))]
pub enum ResourceId {
    /// A cluster.
    Cluster(ClusterName),
    /// A grant.
    Grant(GrantName),
    /// A set.
    Set(SetName),
}

impl ResourceId {
    /// The kind of the resource.
    pub fn kind(&self) -> ResourceKind {
        match self {
            Self::Cluster(_) => ResourceKind::Cluster,
            Self::Grant(_) => ResourceKind::Grant,
            Self::Set(_) => ResourceKind::Set,
        }
    }

    /// The name of a set, if it is one.
    pub fn set(&self) -> Option<&SetName> {
        match self {
            Self::Set(name) => Some(name),
            Self::Cluster(_) | Self::Grant(_) => None,
        }
    }

    /// The name without its kind.
    pub fn name(&self) -> &str {
        match self {
            Self::Cluster(name) => name.as_str(),
            Self::Grant(name) => name.as_str(),
            Self::Set(name) => name.as_str(),
        }
    }
}

impl fmt::Display for ResourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind().as_str(), self.name())
    }
}

impl From<ResourceId> for String {
    fn from(id: ResourceId) -> Self {
        id.to_string()
    }
}

impl TryFrom<String> for ResourceId {
    type Error = super::NameError;

    fn try_from(input: String) -> Result<Self, Self::Error> {
        input.parse()
    }
}

/// A bare `NAME` is a set; `set/NAME`, `cluster/NAME` and `grant/NAME` say the kind.
impl std::str::FromStr for ResourceId {
    type Err = super::NameError;

    fn from_str(input: &str) -> Result<Self, Self::Err> {
        if let Some(name) = input.strip_prefix("cluster/") {
            return name.parse().map(Self::Cluster);
        }
        if let Some(name) = input.strip_prefix("grant/") {
            return name.parse().map(Self::Grant);
        }
        let name = input.strip_prefix("set/").unwrap_or(input);
        name.parse().map(Self::Set)
    }
}
