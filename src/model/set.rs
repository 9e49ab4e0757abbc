//! The declared part of a set.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::value::Map;
use super::{Breaker, BreakerName, Flag, FlagName, Key, Labels, LayerName, Selector};

/// The configuration of one application, as its manifest declares it; its name is the name of its
/// resource. What is changed at runtime is in [`Overrides`](super::Overrides).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ConfigSet {
    /// What grants match on. No cluster gets them.
    #[serde(default, skip_serializing_if = "Labels::is_empty")]
    pub labels: Labels,
    /// Which clusters get it; an empty selector means all.
    #[serde(default, skip_serializing_if = "Selector::is_empty")]
    pub clusters: Selector,
    /// A JSON Schema (2020-12) that the values of every cluster must meet, whole and without
    /// references to other files, so that an old revision can be checked years later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<Value>,
    /// The defaults: every key exists here.
    pub values: Map,
    /// What lies over the defaults, later layers above earlier ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub layers: Vec<Layer>,
    /// What applications ask before they do something new.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub flags: BTreeMap<FlagName, Flag>,
    /// What changes at once when something fails.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub breakers: BTreeMap<BreakerName, Breaker>,
    /// How applications find the values, beside cfgctl's own snapshot key.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub publish: Vec<Publish>,
}

/// Values laid over the defaults in the clusters whose labels match.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Layer {
    /// Unique within the set.
    pub name: LayerName,
    /// Where the layer applies.
    pub when: Selector,
    /// Touches only keys that the defaults have.
    pub values: Map,
}

/// One way in which applications find the values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Publish {
    /// As Spring Cloud Consul reads it.
    #[serde(rename_all = "camelCase")]
    Spring {
        /// `config/<application>`.
        context: Key,
        /// How the values are written.
        #[serde(default)]
        format: SpringFormat,
        /// Whether its keys must change at once; only keys that are read one by one need not.
        #[serde(default = "yes", skip_serializing_if = "is_yes")]
        atomic: bool,
    },
    /// One KV key per leaf; lists as JSON.
    #[serde(rename_all = "camelCase")]
    Keys {
        /// Below which the leaves lie.
        prefix: Key,
        /// Whether its keys must change at once.
        #[serde(default = "yes", skip_serializing_if = "is_yes")]
        atomic: bool,
    },
    /// flagd's flag file, overrides folded in.
    #[serde(rename_all = "camelCase")]
    Flagd {
        /// Where the file lies.
        key: Key,
    },
}

fn yes() -> bool {
    true
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands out references"
)]
fn is_yes(atomic: &bool) -> bool {
    *atomic
}

/// `spring.cloud.consul.config.format` of the application.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SpringFormat {
    /// One YAML document at `<context>/data`.
    #[default]
    Yaml,
    /// Java properties at `<context>/data`.
    Properties,
    /// One key per property below `<context>/`.
    KeyValue,
}
