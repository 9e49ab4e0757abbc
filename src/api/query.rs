//! Queries: what is asked for without changing anything.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Pace, Reach};
use crate::model::value::Map;
use crate::model::{
    BreakerName, ClusterName, Content, FlagName, ResourceId, ResourceKind, Selector, SetName,
    Version, Whom,
};

/// Which sets and clusters to look at, for `status` and `drift`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LookQuery {
    /// The sets.
    pub sets: Reach,
    /// The clusters; empty: all.
    pub clusters: Selector,
    /// How hard to try.
    pub pace: Pace,
}

/// Which resources; none named: every living one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ResourcesQuery {
    /// Their names.
    pub names: Vec<ResourceId>,
    /// Where none is named, those of this kind; `None`: of every kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<ResourceKind>,
    /// Where none is named, the sets and clusters whose labels it matches; empty: everything.
    #[serde(default, skip_serializing_if = "Selector::is_empty")]
    pub labels: Selector,
}

/// Which revision, and for which cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RevisionQuery {
    /// The resource.
    #[serde(alias = "set")]
    pub name: ResourceId,
    /// Its version; `None`: the newest.
    pub version: Option<Version>,
    /// The cluster whose snapshot of a set is wanted, in place of the manifest.
    pub cluster: Option<ClusterName>,
}

/// Which history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HistoryQuery {
    /// The resource.
    pub name: ResourceId,
    /// Only those with smaller versions; `None`: from the newest on.
    #[serde(default)]
    pub before: Option<Version>,
    /// At most this many revisions.
    pub limit: usize,
}

/// Which values are to be explained.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExplainQuery {
    /// The set.
    pub set: SetName,
    /// The key, and all below it; `None`: every key.
    pub key: Option<String>,
    /// Only in this cluster.
    pub cluster: Option<ClusterName>,
    /// As it was then; `None`: as it is.
    pub at: Option<At>,
}

/// A point in the history of a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum At {
    /// When this was the newest revision.
    Version(Version),
    /// At this time.
    Time(Timestamp),
}

/// What somebody may do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AccessQuery {
    /// What is to be done; `None`: whatever is allowed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verb: Option<AccessVerb>,
    /// With what; `None`: what there is at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<ResourceId>,
    /// In which cluster; `None`: in every one that it goes to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<ClusterName>,
    /// Who; `None`: whoever asks.
    #[serde(default, rename = "as", skip_serializing_if = "Option::is_none")]
    pub subject: Option<Whom>,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum AccessVerb {
    /// To read it.
    Read,
    /// To switch its flags and breakers.
    Switch,
    /// To bring clusters to what is committed.
    Resume,
    /// To declare it.
    Apply,
    /// To give it an older content.
    Rollback,
    /// To delete it.
    Delete,
}

/// Which flags.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FlagsQuery {
    /// The set; `None`: all.
    pub set: Option<SetName>,
    /// The flag of that set; `None`: all.
    pub flag: Option<FlagName>,
    /// How hard to try to look at clusters.
    pub pace: Pace,
}

/// For whom a flag is to be evaluated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EvaluateQuery {
    /// The set.
    pub set: SetName,
    /// The flag.
    pub flag: FlagName,
    /// What the application knows of whom it asks for.
    pub context: Map,
    /// Only in this cluster.
    pub cluster: Option<ClusterName>,
}

/// Which breakers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BreakersQuery {
    /// The set; `None`: all.
    pub set: Option<SetName>,
    /// How hard to try to look at clusters.
    pub pace: Pace,
}

/// Which breaker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BreakerQuery {
    /// The set.
    pub set: SetName,
    /// The breaker.
    pub breaker: BreakerName,
    /// How hard to try to look at clusters.
    pub pace: Pace,
}

/// Which breaker's history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BreakerHistoryQuery {
    /// The set.
    pub set: SetName,
    /// The breaker.
    pub breaker: BreakerName,
    /// At most this many events.
    pub limit: usize,
}

/// What is declared, in place of what the store holds.
pub type Described = BTreeMap<ResourceId, Content>;

/// Which cluster.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClusterQuery {
    /// Its name.
    pub name: ClusterName,
    /// The clusters; `None`: those of the store.
    pub described: Option<Described>,
}

/// Which clusters are to be checked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CheckQuery {
    /// Their names; none: all.
    pub names: BTreeSet<ClusterName>,
    /// Those that it matches; empty: all.
    pub clusters: Selector,
    /// The clusters and sets; `None`: those of the store.
    pub described: Option<Described>,
    /// How hard to try.
    pub pace: Pace,
}

/// For which cluster and sets the least policy is wanted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PolicyQuery {
    /// The cluster.
    pub cluster: ClusterName,
    /// The sets; none: all.
    pub sets: Vec<SetName>,
    /// The clusters and sets; `None`: those of the store.
    pub described: Option<Described>,
}
