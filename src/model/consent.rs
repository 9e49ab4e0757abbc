//! What a person can say so that a gate lets a plan pass.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a person consents to beyond the plan itself. It is recorded with the revision.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Consent {
    /// Keys and snapshots that something else wrote are taken over.
    Adopt,
    /// Many keys of a set, or all of them, are deleted.
    AllowDeletes,
    /// Our keys stay in a cluster that is taken off the list.
    KeepKeys,
    /// Our keys are removed from a cluster that is taken off the list.
    RemoveKeys,
    /// A snapshot becomes more than twice as large.
    AllowGrowth,
    /// What was switched at runtime is forgotten with what it belonged to.
    DropOverrides,
    /// A set is declared by another file, or by another repository, than before.
    MoveSource,
}

impl Consent {
    /// All that there are.
    pub const ALL: [Self; 7] = [
        Self::Adopt,
        Self::AllowDeletes,
        Self::KeepKeys,
        Self::RemoveKeys,
        Self::AllowGrowth,
        Self::DropOverrides,
        Self::MoveSource,
    ];

    /// The flag that gives this consent on the command line.
    pub fn flag(self) -> &'static str {
        match self {
            Self::Adopt => "--adopt",
            Self::AllowDeletes => "--allow-deletes",
            Self::KeepKeys => "--keep-keys",
            Self::RemoveKeys => "--remove-keys",
            Self::AllowGrowth => "--allow-growth",
            Self::DropOverrides => "--drop-overrides",
            Self::MoveSource => "--move-source",
        }
    }
}
