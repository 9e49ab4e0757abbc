//! Lineage: whether what lies in a target was made by this store, and which of two is newer.

use std::collections::BTreeMap;

use super::super::objection::{ObjectionReason, chain};
use super::super::seen::{Observation, Pair};
use crate::model::{Document, ObservedSnapshot, Origin, Version};

/// No set is changed this often. A document that claims more is not worth a version above it, and
/// such a version would be the last that a store could hold.
const MOST_CHANGES: u64 = 1 << 53;

/// What the store knows of the history of one set.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lineage<'a> {
    /// The newest version; `None`: there never was such a set.
    pub(crate) newest: Option<Version>,
    /// How versions came to be, as far as targets hold them.
    pub(crate) origins: BTreeMap<Version, &'a Origin>,
}

/// How what lies at a snapshot key relates to the history in the store.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kinship<'a> {
    /// Nothing is known of it.
    Unknown,
    /// There is none.
    Absent,
    /// It is a revision of this store, changed by hand or not.
    Ours {
        /// What it says.
        document: &'a Document,
        /// Whether its digest is right.
        intact: bool,
    },
    /// It is no revision of this store, or cannot be read.
    Alien {
        /// What it says, if it is of this set and cluster, can be read and is intact.
        document: Option<&'a Document>,
        /// The version that it claims to be, which readers may have seen.
        version: Option<Version>,
        /// What stands against replacing it.
        reason: ObjectionReason,
    },
}

impl<'a> Kinship<'a> {
    /// The document, if there is one that can be read.
    pub(super) fn document(&self) -> Option<&'a Document> {
        match self {
            Self::Ours { document, .. } => Some(document),
            Self::Alien { document, .. } => *document,
            Self::Unknown | Self::Absent => None,
        }
    }
}

impl Lineage<'_> {
    /// Where what was observed of `pair` stands.
    pub(crate) fn standing<'o>(&self, pair: &Pair, observation: &'o Observation) -> Kinship<'o> {
        let Observation::Seen(observed) = observation else {
            return Kinship::Unknown;
        };
        let ObservedSnapshot::Present { document, .. } = &observed.snapshot else {
            return Kinship::Absent;
        };
        let (document, intact) = match document.as_ref() {
            Ok(document) => (document, true),
            Err(error) => match error.changed() {
                Some(document) => (document, false),
                None => return unreadable(None, chain(error)),
            },
        };
        let version = document.version();
        let claimed = Some(version).filter(|version| version.get() < MOST_CHANGES);
        if document.set() != &pair.set || document.cluster() != &pair.cluster {
            let reason = format!(
                "it is the snapshot of `{}` for cluster `{}`",
                document.set(),
                document.cluster()
            );
            return unreadable(claimed.filter(|_| document.set() == &pair.set), reason);
        }
        let known_origin = self.origins.get(&version);
        let reason = match self.newest {
            Some(newest) if version <= newest => {
                if known_origin.is_some_and(|known| known.delivered() == *document.origin()) {
                    return Kinship::Ours { document, intact };
                }
                ObjectionReason::OtherHistory {
                    observed: version,
                    actor: document.origin().actor.clone(),
                }
            }
            head => ObjectionReason::Ahead {
                observed: version,
                head,
            },
        };
        Kinship::Alien {
            document: intact.then_some(document),
            version: claimed,
            reason,
        }
    }
}

fn unreadable<'o>(version: Option<Version>, reason: String) -> Kinship<'o> {
    Kinship::Alien {
        document: None,
        version,
        reason: ObjectionReason::Unreadable { reason },
    }
}
