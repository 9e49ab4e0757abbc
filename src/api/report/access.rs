//! Who may do what, as an answer.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Report;
use crate::model::{ClusterName, GrantName, ResourceId, Role, Selector};

/// What somebody may do, and what decides about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AccessReport {
    /// Who it is about.
    pub subject: String,
    /// Whether everything is allowed, whatever grants say.
    pub owner: bool,
    /// Whether what was asked about is allowed wherever it was asked about.
    pub allowed: bool,
    /// Whether what was asked about goes to clusters besides, which whoever asks may not even read.
    #[serde(default)]
    pub elsewhere: bool,
    /// Every place that was asked about.
    pub items: Vec<AccessItem>,
    /// All grants that there are to that subject.
    pub grants: Vec<GrantItem>,
}

impl Report for AccessReport {
    const KIND: &'static str = "Access";
}

/// What decides in one place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AccessItem {
    /// What it is about.
    pub name: ResourceId,
    /// In which cluster, where it is about a set that goes to one.
    pub cluster: Option<ClusterName>,
    /// The role that it takes; where nothing was asked for, the highest that is held.
    pub role: Option<Role>,
    /// Whether that is allowed.
    pub allowed: bool,
    /// The grant that allows it.
    pub grant: Option<GrantName>,
}

/// One grant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GrantItem {
    /// Its name.
    pub name: GrantName,
    /// What may be done.
    pub role: Role,
    /// Over which sets; empty: all.
    pub sets: Selector,
    /// In which clusters; empty: all.
    pub clusters: Selector,
}
