//! Flags and breakers: how they stand, what a switch would mean, and whether it has arrived.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Report, State};
use crate::model::{
    BreakerName, BreakerState, ClusterName, Flag, FlagName, Origin, SetName, Version,
};
use crate::plan::{Held, Hold, ValueChange};

/// A cluster in which a flag or breaker is not known to stand as it should.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Waiting {
    /// The cluster.
    pub cluster: ClusterName,
    /// How the cluster is.
    pub state: State,
    /// How the flag or breaker stands there, as far as that could be seen.
    pub holds: Option<String>,
    /// Why it could not be seen, or cannot be believed.
    pub reason: Option<String>,
}

/// Something that is switched by hand, and where.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HoldItem {
    /// The set.
    pub set: SetName,
    /// The clusters.
    pub clusters: Vec<ClusterName>,
    /// What is switched, and who did it.
    #[serde(flatten)]
    pub hold: Hold,
    /// The clusters that it was not delivered to, where they were looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting: Option<Vec<Waiting>>,
}

/// What a change of overrides means in every cluster.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Effect {
    /// The set.
    pub set: SetName,
    /// What a person should know about it.
    pub note: Option<String>,
    /// Until when it lasts by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// What changes, by clusters in which the same does.
    pub effects: Vec<EffectIn>,
}

impl Report for Effect {
    const KIND: &'static str = "Effect";
}

/// Clusters in which the same changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EffectIn {
    /// The clusters.
    pub clusters: Vec<ClusterName>,
    /// What changes there.
    pub changes: Vec<ValueChange>,
    /// Why more or less than the switch itself changes there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Flags, each as clusters have it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Flags {
    /// The flags.
    pub flags: Vec<FlagItem>,
}

impl Report for Flags {
    const KIND: &'static str = "Flags";
}

/// One flag, as clusters with the same state have it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FlagItem {
    /// The set.
    pub set: SetName,
    /// The flag.
    pub flag: FlagName,
    /// What is declared.
    #[serde(with = "manifest_form")]
    #[schemars(with = "manifest_form::Form")]
    pub declared: Flag,
    /// What holds.
    #[serde(with = "manifest_form")]
    #[schemars(with = "manifest_form::Form")]
    pub effective: Flag,
    /// What decides about it.
    pub source: FlagSource,
    /// The breaker that does, if one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub breaker: Option<BreakerName>,
    /// Who brought it there.
    pub held: Option<Held>,
    /// The clusters.
    pub clusters: Vec<ClusterName>,
    /// The clusters that have it so.
    pub delivered: Vec<ClusterName>,
    /// The others, and how it is there.
    pub waiting: Vec<Waiting>,
}

/// What decides about a flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FlagSource {
    /// Its declaration.
    Declared,
    /// Someone holds it.
    Override,
    /// A breaker is open.
    Breaker,
}

/// A flag as manifests write it: a boolean where that says all of it.
mod manifest_form {
    use schemars::JsonSchema;
    use serde::{Deserialize, Deserializer, Serialize as _, Serializer};

    use crate::model::Flag;

    /// A flag as manifests write it.
    #[derive(Deserialize, JsonSchema)]
    #[serde(untagged)]
    #[schemars(rename = "FlagForm")]
    pub(super) enum Form {
        /// On or off, and nothing else.
        Boolean(bool),
        /// All of it.
        Whole(Flag),
    }

    pub(super) fn serialize<S: Serializer>(flag: &Flag, serializer: S) -> Result<S::Ok, S::Error> {
        flag.to_manifest().serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Flag, D::Error> {
        Ok(match Form::deserialize(deserializer)? {
            Form::Boolean(on) => Flag::boolean(on),
            Form::Whole(flag) => flag,
        })
    }
}

/// What an application would get of a flag.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Evaluated {
    /// The set.
    pub set: SetName,
    /// The flag.
    pub flag: FlagName,
    /// The revision that says so.
    pub version: Version,
    /// The answers, each with its clusters.
    pub answers: Vec<Answer>,
    /// Fields of the context that are numbers, and that the rule takes for versions: `1.10` is 1.1.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub numbers_as_versions: Vec<String>,
}

impl Report for Evaluated {
    const KIND: &'static str = "FlagEvaluation";
}

/// What a flag is in some clusters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Answer {
    /// The variant; none where the application takes its own default.
    pub variant: Option<String>,
    /// Its value.
    pub value: Option<Value>,
    /// Why it is this one.
    pub reason: AnswerReason,
    /// What went wrong, if the reason is an error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The breaker that decides, if one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub breaker: Option<BreakerName>,
    /// Who holds it, if someone does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<Held>,
    /// The clusters.
    pub clusters: Vec<ClusterName>,
}

/// Why a flag has its variant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AnswerReason {
    /// It has no targeting.
    Static,
    /// Targeting chose it.
    TargetingMatch,
    /// Targeting decided nothing.
    Default,
    /// The flag is disabled.
    Disabled,
    /// Targeting failed.
    Error,
    /// Someone holds it.
    Override,
    /// A breaker is open.
    Breaker,
}

/// Breakers, each as clusters have it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Breakers {
    /// The breakers.
    pub breakers: Vec<BreakerItem>,
}

impl Report for Breakers {
    const KIND: &'static str = "Breakers";
}

/// One breaker, as clusters with the same state have it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BreakerItem {
    /// The set.
    pub set: SetName,
    /// The breaker.
    pub breaker: BreakerName,
    /// The clusters.
    pub clusters: Vec<ClusterName>,
    /// The clusters that hold this state.
    pub delivered: Vec<ClusterName>,
    /// The others, and how it is there.
    pub waiting: Vec<Waiting>,
    /// The state as resilience4j numbers it.
    pub state_number: u8,
    /// Its state.
    pub state: BreakerState,
    /// Who brought it there.
    pub actor: Option<String>,
    /// Since when.
    pub since: Option<Timestamp>,
    /// Until when, if it closes by itself.
    pub until: Option<Timestamp>,
    /// Why, if it was said.
    pub reason: Option<String>,
    /// Whether it closes once no alert fires for it any more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub while_firing: bool,
    /// Whether it was tripped too often, and only a person closes it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub latched: bool,
}

/// One breaker: its state, and what it changes in every cluster.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BreakerReport {
    /// The breaker, as `SET/BREAKER`.
    pub breaker: String,
    /// What it is for.
    pub description: Option<String>,
    /// The labels of the alerts that trip it.
    pub alerts: BTreeMap<String, String>,
    /// The label of theirs that says in which clusters; left out: everywhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
    /// What closes it.
    pub reset: String,
    /// How it stands.
    pub states: Vec<BreakerItem>,
    /// What is different in every cluster while it is open.
    pub effects: Vec<EffectIn>,
    /// What was done to it last.
    pub recent: Vec<BreakerEvent>,
}

impl Report for BreakerReport {
    const KIND: &'static str = "Breaker";
}

/// What was done to a breaker, newest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BreakerHistory {
    /// The breaker, as `SET/BREAKER`.
    pub breaker: String,
    /// The revisions in which it changed.
    pub events: Vec<BreakerEvent>,
}

impl Report for BreakerHistory {
    const KIND: &'static str = "BreakerHistory";
}

/// One revision in which a breaker changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BreakerEvent {
    /// The revision.
    pub version: Version,
    /// How it came to be.
    pub origin: Origin,
    /// Whether the breaker was open anywhere from then on.
    pub open: bool,
}
