//! What stands against a plan, and what a person can say to let it pass.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::seen::Pair;
use crate::model::{ClusterName, Consent, Key, Oversize, Part, SetName, Version};

/// One reason why a plan may not be carried out.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Objection {
    /// What stands against it.
    pub reason: ObjectionReason,
    /// The set that it is about.
    pub set: SetName,
    /// The cluster; `None`: it is about the set itself.
    pub cluster: Option<ClusterName>,
}

impl Objection {
    /// What stands against something in one cluster.
    pub(super) fn at(pair: &Pair, reason: ObjectionReason) -> Self {
        Self {
            reason,
            set: pair.set.clone(),
            cluster: Some(pair.cluster.clone()),
        }
    }

    /// Whether it is about this set in this cluster.
    pub fn is_about(&self, pair: &Pair) -> bool {
        self.set == pair.set && self.cluster.as_ref() == Some(&pair.cluster)
    }
}

/// What stands against a write, worst first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ObjectionReason {
    /// The token may not write there.
    Denied {
        /// What it may not, as the target says it.
        reason: String,
    },
    /// The target holds a newer version than the store knows.
    Ahead {
        /// What the target holds.
        observed: Version,
        /// What the store has.
        head: Option<Version>,
    },
    /// The target holds a version of this number that another store made.
    OtherHistory {
        /// What the target holds.
        observed: Version,
        /// Who made it.
        actor: String,
    },
    /// What lies at the snapshot key is no snapshot that this cfgctl can read.
    Unreadable {
        /// Why not.
        reason: String,
    },
    /// Keys that would be written exist, and cfgctl did not write them.
    ForeignKeys {
        /// The keys.
        keys: Vec<Key>,
    },
    /// Something is overridden, and what it belongs to is no longer declared.
    Overridden {
        /// The set.
        set: SetName,
        /// What is overridden.
        part: Part,
    },
    /// The set was declared elsewhere.
    Moved {
        /// Where.
        from: String,
        /// Where it is declared now.
        to: String,
    },
    /// The set goes away from a cluster as a whole.
    DeletesAll,
    /// The cluster is taken off the list, and still holds the set.
    KeepsKeys {
        /// How many of our keys.
        keys: usize,
    },
    /// The cluster is taken off the list, and nobody knows what it holds of the set.
    MayKeepKeys {
        /// Why not.
        reason: String,
    },
    /// Many keys of the set go away.
    Deletes {
        /// How many leaves go away.
        removed: usize,
        /// How many there are.
        of: usize,
    },
    /// The snapshot becomes much larger.
    Grows {
        /// Its size now, in bytes.
        from: usize,
        /// Its size then, in bytes.
        to: usize,
    },
    /// The write does not fit.
    TooLarge {
        /// The limits, with the numbers.
        reasons: Vec<String>,
    },
}

/// A rule that refuses a write, for programs: its word never changes.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// [`ObjectionReason::Ahead`].
    Ahead,
    /// [`ObjectionReason::OtherHistory`].
    OtherHistory,
    /// [`ObjectionReason::Unreadable`].
    Unreadable,
    /// [`ObjectionReason::ForeignKeys`].
    ForeignKeys,
    /// [`ObjectionReason::Overridden`].
    Overridden,
    /// [`ObjectionReason::Moved`].
    MovedSource,
    /// [`ObjectionReason::DeletesAll`].
    DeletesAll,
    /// [`ObjectionReason::KeepsKeys`].
    KeepsKeys,
    /// [`ObjectionReason::MayKeepKeys`].
    MayKeepKeys,
    /// [`ObjectionReason::Deletes`].
    Deletes,
    /// [`ObjectionReason::Grows`].
    Grows,
    /// [`ObjectionReason::Denied`].
    Denied,
    /// [`ObjectionReason::TooLarge`].
    TooLarge,
}

impl Rule {
    /// Its word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ahead => "ahead",
            Self::OtherHistory => "other-history",
            Self::Unreadable => "unreadable",
            Self::ForeignKeys => "foreign-keys",
            Self::Overridden => "overridden",
            Self::MovedSource => "moved-source",
            Self::DeletesAll => "deletes-all",
            Self::KeepsKeys => "keeps-keys",
            Self::MayKeepKeys => "may-keep-keys",
            Self::Deletes => "deletes",
            Self::Grows => "grows",
            Self::Denied => "denied",
            Self::TooLarge => "too-large",
        }
    }
}

impl ObjectionReason {
    pub(super) fn too_large(reasons: &[Oversize]) -> Self {
        let text = |reason: &Oversize| match reason {
            Oversize::Operations { .. } => format!(
                "{reason}; with `atomic: false` in `publish` the keys may arrive in batches"
            ),
            Oversize::Snapshot { .. } | Oversize::Value { .. } | Oversize::Request { .. } => {
                reason.to_string()
            }
        };
        Self::TooLarge {
            reasons: reasons.iter().map(text).collect(),
        }
    }

    /// The rule that refuses.
    pub fn rule(&self) -> Rule {
        match self {
            Self::Ahead { .. } => Rule::Ahead,
            Self::OtherHistory { .. } => Rule::OtherHistory,
            Self::Unreadable { .. } => Rule::Unreadable,
            Self::ForeignKeys { .. } => Rule::ForeignKeys,
            Self::Overridden { .. } => Rule::Overridden,
            Self::Moved { .. } => Rule::MovedSource,
            Self::DeletesAll => Rule::DeletesAll,
            Self::KeepsKeys { .. } => Rule::KeepsKeys,
            Self::MayKeepKeys { .. } => Rule::MayKeepKeys,
            Self::Deletes { .. } => Rule::Deletes,
            Self::Grows { .. } => Rule::Grows,
            Self::Denied { .. } => Rule::Denied,
            Self::TooLarge { .. } => Rule::TooLarge,
        }
    }

    /// The consent that answers it, if one does.
    pub fn answer(&self) -> Option<Consent> {
        match self {
            Self::Ahead { .. }
            | Self::OtherHistory { .. }
            | Self::Unreadable { .. }
            | Self::ForeignKeys { .. } => Some(Consent::Adopt),
            Self::Overridden { .. } => Some(Consent::DropOverrides),
            Self::Moved { .. } => Some(Consent::MoveSource),
            Self::DeletesAll | Self::Deletes { .. } => Some(Consent::AllowDeletes),
            Self::KeepsKeys { .. } | Self::MayKeepKeys { .. } => Some(Consent::KeepKeys),
            Self::Grows { .. } => Some(Consent::AllowGrowth),
            Self::Denied { .. } | Self::TooLarge { .. } => None,
        }
    }
}

impl fmt::Display for ObjectionReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Denied { reason } => f.write_str(reason),
            Self::Ahead {
                observed,
                head: Some(head),
            } => write!(
                f,
                "it holds version {observed}, the store knows only up to {head}: another store \
                 wrote it, or this one was restored from an old copy"
            ),
            Self::Ahead {
                observed,
                head: None,
            } => write!(
                f,
                "it holds version {observed} of a set that this store does not know: another \
                 store wrote it"
            ),
            Self::OtherHistory { observed, actor } => write!(
                f,
                "it holds a version {observed} that this store did not make ({actor} did)"
            ),
            Self::Unreadable { reason } => {
                write!(f, "what lies at its snapshot key cannot be read: {reason}")
            }
            Self::ForeignKeys { keys } => {
                let shown: Vec<_> = keys.iter().take(3).map(|key| format!("`{key}`")).collect();
                write!(f, "{}", shown.join(", "))?;
                if keys.len() > shown.len() {
                    write!(f, " and {} more", keys.len() - shown.len())?;
                }
                f.write_str(if keys.len() == 1 {
                    " is there already, and cfgctl did not write it"
                } else {
                    " are there already, and cfgctl did not write them"
                })
            }
            Self::Overridden { set, part } => write!(
                f,
                "{part} is switched by hand, and would be lost: what it is needed for is no longer \
                 declared, or no longer goes there (`{set}/{}`)",
                part.name()
            ),
            Self::Moved { from, to } => write!(
                f,
                "it was declared by {from}, now by {to}: whoever applies the other one next takes \
                 this back"
            ),
            Self::KeepsKeys { keys } => {
                let keys = match keys {
                    1 => "1 key of ours".to_owned(),
                    keys => format!("{keys} keys of ours"),
                };
                write!(f, "the cluster is to be forgotten, and still holds {keys}")
            }
            Self::MayKeepKeys { reason } => write!(
                f,
                "the cluster is to be forgotten, and may still hold keys of ours: {reason}"
            ),
            Self::DeletesAll => f.write_str("the whole set would be deleted there"),
            Self::Deletes { removed, of } => write!(
                f,
                "{removed} of {of} keys would be deleted, more than a fifth"
            ),
            Self::Grows { from, to } => write!(
                f,
                "the snapshot would grow from {from} to {to} bytes, to more than twice its size"
            ),
            Self::TooLarge { reasons } => f.write_str(&reasons.join("; ")),
        }
    }
}

/// An error and its causes on one line.
pub fn chain(error: &dyn std::error::Error) -> String {
    std::iter::successors(error.source(), |error| error.source())
        .fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
