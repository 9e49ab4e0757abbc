//! What stands against a plan, and what a person can say to let it pass.

use std::collections::BTreeMap;
use std::fmt;

use super::after::After;
use super::{Input, Observation, Pair, Past};
use crate::model::{
    Document, DocumentError, Heads, Key, ObservedSnapshot, Origin, Oversize, ResourceId, SetName,
    Version,
};

/// What a person consents to beyond the plan itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Consent {
    /// Keys and snapshots that something else wrote are taken over.
    Adopt,
}

impl Consent {
    /// The flag that gives this consent on the command line.
    pub fn flag(self) -> &'static str {
        match self {
            Self::Adopt => "--adopt",
        }
    }
}

/// One reason why a plan may not be carried out in one cluster.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Objection {
    /// What stands against it.
    pub reason: Reason,
    /// Where.
    pub pair: Pair,
}

/// What stands against a write, worst first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
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
    /// The write does not fit.
    TooLarge {
        /// The limits, with the numbers.
        reasons: Vec<String>,
    },
}

impl Reason {
    pub(super) fn too_large(reasons: &[Oversize]) -> Self {
        Self::TooLarge {
            reasons: reasons.iter().map(ToString::to_string).collect(),
        }
    }

    /// The consent that answers it, if one does.
    pub fn answer(&self) -> Option<Consent> {
        match self {
            Self::Ahead { .. }
            | Self::OtherHistory { .. }
            | Self::Unreadable { .. }
            | Self::ForeignKeys { .. } => Some(Consent::Adopt),
            Self::TooLarge { .. } => None,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
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
            Self::TooLarge { reasons } => f.write_str(&reasons.join("; ")),
        }
    }
}

/// How what lies at a snapshot key relates to the history in the store.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Standing {
    /// Nothing is known of it.
    Unknown,
    /// There is none.
    Absent,
    /// It is a revision of this store, changed by hand or not.
    Ours {
        /// What it says.
        document: Document,
        /// Whether its digest is right.
        intact: bool,
    },
    /// It is no revision of this store, or cannot be read.
    Alien {
        /// What it says, if it can be read and is intact.
        document: Option<Document>,
        /// What stands against replacing it.
        reason: Reason,
    },
}

impl Standing {
    /// The document, if there is one that can be read.
    pub(super) fn document(&self) -> Option<&Document> {
        match self {
            Self::Ours { document, .. } => Some(document),
            Self::Alien { document, .. } => document.as_ref(),
            Self::Unknown | Self::Absent => None,
        }
    }
}

pub(super) fn standing(
    pair: &Pair,
    observation: &Observation,
    heads: &Heads,
    past: &Past,
) -> Standing {
    let Observation::Seen(observed) = observation else {
        return Standing::Unknown;
    };
    let ObservedSnapshot::Present { document, .. } = &observed.snapshot else {
        return Standing::Absent;
    };
    let (document, intact) = match document.as_ref() {
        Ok(document) => (document, true),
        Err(DocumentError::Changed(document)) => (document.as_ref(), false),
        Err(error) => return unreadable(chain(error)),
    };
    if document.set() != &pair.set || document.cluster() != &pair.cluster {
        return unreadable(format!(
            "it is the snapshot of `{}` for cluster `{}`",
            document.set(),
            document.cluster()
        ));
    }
    let head = heads.get(&ResourceId::Set(pair.set.clone()));
    let version = document.version();
    let known_origin: Option<&Origin> = match head {
        Some(head) if head.version == version => Some(&head.origin),
        Some(_) => past.get(&(pair.set.clone(), version)),
        None => None,
    };
    let reason = match head {
        Some(head) if version <= head.version => {
            if known_origin == Some(document.origin()) {
                return Standing::Ours {
                    document: document.clone(),
                    intact,
                };
            }
            Reason::OtherHistory {
                observed: version,
                actor: document.origin().actor.clone(),
            }
        }
        _ => Reason::Ahead {
            observed: version,
            head: head.map(|head| head.version),
        },
    };
    Standing::Alien {
        document: intact.then(|| document.clone()),
        reason,
    }
}

fn unreadable(reason: String) -> Standing {
    Standing::Alien {
        document: None,
        reason: Reason::Unreadable { reason },
    }
}

/// An error and its causes on one line.
fn chain(error: &dyn std::error::Error) -> String {
    std::iter::successors(error.source(), |error| error.source())
        .fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

/// The sets that take over from another history, each with the highest version found there.
pub(super) fn overtake(input: &Input<'_>, after: &After<'_>) -> BTreeMap<SetName, Version> {
    let mut found = BTreeMap::new();
    if !input.consents.contains(&Consent::Adopt) {
        return found;
    }
    for (pair, observation) in input.observed {
        let cluster = after.clusters.get(&pair.cluster);
        if cluster.is_none_or(|cluster| after.set_in(&pair.set, cluster).is_none()) {
            continue;
        }
        let Standing::Alien {
            document: Some(document),
            ..
        } = standing(pair, observation, input.heads, input.past)
        else {
            continue;
        };
        let highest = found.entry(pair.set.clone()).or_insert(Version::FIRST);
        *highest = document.version().max(*highest);
    }
    found
}
