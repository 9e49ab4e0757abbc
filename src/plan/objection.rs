//! What stands against a plan, and what a person can say to let it pass.

use std::collections::BTreeMap;
use std::fmt;

use super::after::{After, Claim};
use super::{Input, Observation, Pair, Past, Why};
use crate::model::{
    ClusterName, Consent, Document, Heads, Key, ObservedSnapshot, Origin, Oversize, Part,
    ResourceId, Revision, SetName, Version,
};
use crate::render;

/// No set is changed this often. A document that claims more is not worth a version above it, and
/// such a version would be the last that a store could hold.
const MOST_CHANGES: u64 = 1 << 53;

/// One reason why a plan may not be carried out.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Objection {
    /// What stands against it.
    pub reason: Reason,
    /// The set that it is about.
    pub set: SetName,
    /// The cluster; `None`: it is about the set itself.
    pub cluster: Option<ClusterName>,
}

impl Objection {
    /// What stands against something in one cluster.
    pub(super) fn at(pair: &Pair, reason: Reason) -> Self {
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
pub enum Reason {
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

impl Reason {
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

    /// A stable word for the rule that refuses, for programs.
    pub fn rule(&self) -> &'static str {
        match self {
            Self::Ahead { .. } => "ahead",
            Self::OtherHistory { .. } => "other-history",
            Self::Unreadable { .. } => "unreadable",
            Self::ForeignKeys { .. } => "foreign-keys",
            Self::Overridden { .. } => "overridden",
            Self::Moved { .. } => "moved-source",
            Self::DeletesAll => "deletes-all",
            Self::KeepsKeys { .. } => "keeps-keys",
            Self::MayKeepKeys { .. } => "may-keep-keys",
            Self::Deletes { .. } => "deletes",
            Self::Grows { .. } => "grows",
            Self::Denied { .. } => "denied",
            Self::TooLarge { .. } => "too-large",
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

impl fmt::Display for Reason {
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
        /// What it says, if it is of this set and cluster, can be read and is intact.
        document: Option<Document>,
        /// The version that it claims to be, which readers may have seen.
        version: Option<Version>,
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

    /// The revision that the target holds, if the store made it.
    pub(super) fn written<'a>(
        &self,
        set: &SetName,
        heads: &'a Heads,
        past: &'a Past,
    ) -> Option<&'a Revision> {
        let Self::Ours { document, .. } = self else {
            return None;
        };
        let version = document.version();
        let head = heads.get(&ResourceId::Set(set.clone()));
        head.filter(|head| head.version == version)
            .or_else(|| past.get(&(set.clone(), version)))
    }
}

/// How a version came to be that this store made.
pub(super) fn known_origin<'a>(
    set: &SetName,
    version: Version,
    heads: &'a Heads,
    past: &'a Past,
) -> Option<&'a Origin> {
    let head = heads.get(&ResourceId::Set(set.clone()))?;
    let revision = Some(head).filter(|head| head.version == version);
    let revision = revision.or_else(|| past.get(&(set.clone(), version)))?;
    Some(&revision.origin)
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
        Err(error) => match error.changed() {
            Some(document) => (document, false),
            None => return unreadable(None, chain(error)),
        },
    };
    let claimed = Some(document.version()).filter(|version| version.get() < MOST_CHANGES);
    if document.set() != &pair.set || document.cluster() != &pair.cluster {
        let reason = format!(
            "it is the snapshot of `{}` for cluster `{}`",
            document.set(),
            document.cluster()
        );
        return unreadable(claimed.filter(|_| document.set() == &pair.set), reason);
    }
    let head = heads.get(&ResourceId::Set(pair.set.clone()));
    let version = document.version();
    let known_origin = known_origin(&pair.set, version, heads, past);
    let reason = match head {
        Some(head) if version <= head.version => {
            if known_origin.is_some_and(|known| known.delivered() == *document.origin()) {
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
        version: claimed,
        reason,
    }
}

fn unreadable(version: Option<Version>, reason: String) -> Standing {
    Standing::Alien {
        document: None,
        version,
        reason: Reason::Unreadable { reason },
    }
}

/// An error and its causes on one line.
pub fn chain(error: &dyn std::error::Error) -> String {
    std::iter::successors(error.source(), |error| error.source())
        .fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

/// The versions that stand in targets with content that the sets do not have, by set. One number
/// must never mean two things to a reader, and a greater one must never be replaced by a smaller.
pub(super) fn claims(input: &Input<'_>, after: &After<'_>) -> BTreeMap<SetName, Claim> {
    let mut claims = BTreeMap::new();
    for (pair, observation) in input.observed {
        let cluster = after.clusters.get(&pair.cluster);
        let set = cluster.and_then(|cluster| after.set_in(&pair.set, cluster));
        let Some((set, cluster)) = set.zip(cluster) else {
            continue;
        };
        let claim = match standing(pair, observation, input.heads, input.past) {
            Standing::Alien {
                version: Some(version),
                ..
            } if input.consents.contains(&Consent::Adopt) => Claim {
                version,
                why: Why::Takeover,
            },
            // Rendered for labels that the cluster had before it was deleted and made again, or
            // before the set was taken from it and given back.
            Standing::Ours {
                document,
                intact: true,
            } if *document.contents()
                != render::contents(set, after.overrides(&pair.set), &cluster.labels) =>
            {
                Claim {
                    version: document.version(),
                    why: Why::Labels,
                }
            }
            _ => continue,
        };
        let greatest = claims.entry(pair.set.clone()).or_insert(claim);
        if claim.version > greatest.version {
            *greatest = claim;
        }
    }
    claims
}
