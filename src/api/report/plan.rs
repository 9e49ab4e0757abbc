//! A plan as data: every change that would be made, and what stands against it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{HoldItem, Report};
use crate::model::{ClusterName, Consent, ResourceId, SetName, Version};
use crate::plan::{Rule, ValueChange};

/// Every change that would be made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PlanReport {
    /// Whether anything differs: what is planned, or what clusters hold already.
    pub differences: bool,
    /// Each resource that gets a new revision.
    pub resources: Vec<PlannedResource>,
    /// What happens to each set in each cluster.
    pub clusters: Vec<PlannedDelivery>,
    /// What stands against it, worst first.
    pub objections: Vec<ObjectionItem>,
    /// What is switched by hand, and stays so.
    pub overridden: Vec<HoldItem>,
}

impl Report for PlanReport {
    const KIND: &'static str = "Diff";
}

/// A resource that gets a new revision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PlannedResource {
    /// The resource.
    pub name: ResourceId,
    /// What becomes of it.
    pub change: ResourceEdit,
    /// Why there is a new revision.
    pub reason: ResourceReason,
    /// The version that it has.
    pub base: Option<Version>,
    /// The version that it gets.
    pub version: Version,
    /// Its manifest before and after, as a unified diff; empty where it says the same.
    pub diff: String,
}

/// What becomes of a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ResourceEdit {
    /// It was not there.
    Created,
    /// It is another one.
    Changed,
    /// It goes.
    Deleted,
}

impl ResourceEdit {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Changed => "changed",
            Self::Deleted => "deleted",
        }
    }
}

/// Why a resource gets a new revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ResourceReason {
    /// What is declared changes.
    Content,
    /// What is overridden changes, and nothing else.
    Overrides,
    /// The labels of a cluster change what it gets there.
    Labels,
    /// It takes over from another history, with a higher number.
    Takeover,
}

/// What happens to one set in one cluster, and how it is there already.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PlannedDelivery {
    /// The set.
    pub set: SetName,
    /// The cluster.
    pub cluster: ClusterName,
    /// How the cluster compares with the head that the store has now.
    pub condition: State,
    /// Why it does, where the word does not say it all.
    pub reason: Option<String>,
    /// The version that it holds.
    pub holds: Option<Version>,
    /// The version that it should hold.
    pub desired: Option<Version>,
    /// What is done about it.
    pub action: ActionKind,
    /// What that means for the values.
    pub changes: Vec<ValueChange>,
    /// Our keys that someone else changed.
    pub drift: Vec<KeyDrift>,
    /// Keys of others where the application reads; they stay.
    pub foreign: Vec<String>,
    /// Keys of others that are taken over.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub adopts: Vec<AdoptedKey>,
}

/// How a cluster compares with what it should hold of a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// The set does not belong there, and is not there.
    NotHere,
    /// It holds the head, untouched.
    InSync,
    /// It should hold the head and holds nothing.
    Missing,
    /// It holds an older revision.
    Behind,
    /// A delivery in batches is under way, or was stopped.
    Unfinished,
    /// Someone else changed our keys.
    ChangedByHand,
    /// It holds the head as it was rendered for other labels, or by another cfgctl.
    Outdated,
    /// The set does not belong there any more, and still is there.
    LeftOver,
    /// It holds a newer version than the store knows.
    Ahead,
    /// It holds a version that another store made.
    OtherHistory,
    /// What lies at the snapshot key cannot be read.
    Unreadable,
    /// It holds something else that is not from this store.
    NotOurs,
    /// It holds the head, and keys of others lie where the application reads.
    ForeignKeys,
    /// It does not answer.
    Unreachable,
    /// The token may not look at it.
    Denied,
    /// It answers nonsense, or is described wrongly.
    Unusable,
}

impl State {
    /// The words for it.
    pub fn words(self) -> &'static str {
        match self {
            Self::NotHere => "not here",
            Self::InSync => "in sync",
            Self::Missing => "missing",
            Self::Behind => "behind",
            Self::Unfinished => "unfinished",
            Self::ChangedByHand => "changed by hand",
            Self::Outdated => "outdated",
            Self::LeftOver => "left over",
            Self::Ahead => "ahead",
            Self::OtherHistory => "other history",
            Self::Unreadable => "unreadable",
            Self::NotOurs => "not ours",
            Self::ForeignKeys => "foreign keys",
            Self::Unreachable => "unreachable",
            Self::Denied => "denied",
            Self::Unusable => "unusable",
        }
    }

    /// Whether it could not be looked at.
    pub fn is_unseen(self) -> bool {
        matches!(self, Self::Unreachable | Self::Denied | Self::Unusable)
    }
}

/// What is done about one set in one cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ActionKind {
    /// Nothing.
    None,
    /// The snapshot is written where there is none.
    Create,
    /// The snapshot replaces another version.
    Update,
    /// The same version is written again over what differs from it.
    Repair,
    /// Our keys are removed.
    Remove,
    /// Our keys stay in a cluster that is taken off the list.
    Leave,
    /// Nothing, because something stands against it.
    Refused,
    /// Nothing, because the cluster could not be looked at.
    Wait,
}

impl ActionKind {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Create => "create",
            Self::Update => "update",
            Self::Repair => "repair",
            Self::Remove => "remove",
            Self::Leave => "leave",
            Self::Refused => "refused",
            Self::Wait => "wait",
        }
    }
}

/// One of our keys that someone else changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KeyDrift {
    /// The key; `None`: the snapshot key.
    pub key: Option<String>,
    /// What was done to it.
    pub what: DriftKind,
    /// What it holds, as far as that can be shown.
    pub found: Option<String>,
    /// What it should hold, where the store still knows.
    pub expected: Option<String>,
    /// How many bytes what it holds has, where it is shown in part or not at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found_bytes: Option<u64>,
    /// How many bytes it should have, where that is shown in part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_bytes: Option<u64>,
    /// For the snapshot key: from what its values should be to what they are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<ValueChange>,
}

/// What was done to a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum DriftKind {
    /// It has another content.
    #[serde(rename = "was changed by hand")]
    Changed,
    /// It is gone.
    #[serde(rename = "was deleted by hand")]
    Deleted,
}

impl DriftKind {
    /// The words for it.
    pub fn words(self) -> &'static str {
        match self {
            Self::Changed => "was changed by hand",
            Self::Deleted => "was deleted by hand",
        }
    }
}

/// A key of someone else that is taken over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AdoptedKey {
    /// The key.
    pub key: String,
    /// Whether it holds already what it gets.
    pub same_bytes: bool,
    /// What it holds, where that differs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// What it gets, where that differs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

/// One reason why a plan is refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ObjectionItem {
    /// The set.
    pub set: SetName,
    /// The cluster; none where it is about the set itself.
    pub cluster: Option<ClusterName>,
    /// The rule that refuses.
    pub rule: Rule,
    /// Why it does.
    pub reason: String,
    /// What lets it pass, if anything does: the flag of the command line.
    #[serde(with = "answer")]
    #[schemars(schema_with = "answer::schema")]
    pub answer: Option<Consent>,
}

/// A consent as the flag that gives it.
mod answer {
    use schemars::{Schema, SchemaGenerator, json_schema};
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

    use crate::model::Consent;

    #[expect(
        clippy::ref_option,
        clippy::trivially_copy_pass_by_ref,
        reason = "serde calls it with a reference"
    )]
    pub(super) fn serialize<S: Serializer>(
        answer: &Option<Consent>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        answer.map(Consent::flag).serialize(serializer)
    }

    pub(super) fn schema(_: &mut SchemaGenerator) -> Schema {
        let flags = Consent::ALL.into_iter().map(|it| Some(it.flag()));
        let flags: Vec<_> = flags.chain([None]).collect();
        json_schema!({"enum": flags})
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Consent>, D::Error> {
        let Some(flag) = Option::<String>::deserialize(deserializer)? else {
            return Ok(None);
        };
        let known = Consent::ALL.into_iter().find(|it| it.flag() == flag);
        known
            .map(Some)
            .ok_or_else(|| D::Error::custom(format!("`{flag}` gives no consent")))
    }
}
