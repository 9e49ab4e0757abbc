//! What is due in one cluster: all that its deliveries follow from.

use std::collections::BTreeSet;

use super::super::holds::Hold;
use super::super::seen::{Observation, Pair};
use super::lineage::{Kinship, Lineage};
use crate::model::{Connection, Consent, Contents, Delivering, Key, Limits, Snapshot, Version};

/// What is due in one cluster.
#[derive(Debug)]
pub(crate) struct Due<'a> {
    /// What holds for every set there.
    pub(crate) side: ClusterSide<'a>,
    /// Every set that was looked at.
    pub(crate) sets: Vec<SetDue<'a>>,
}

/// What holds for every set in a cluster.
#[derive(Debug)]
pub(crate) struct ClusterSide<'a> {
    /// How it is reached.
    pub(crate) connection: &'a Connection,
    /// What one write can carry, where it is known.
    pub(crate) limits: Option<Limits>,
    /// Whether it is taken off the list.
    pub(crate) is_leaving: bool,
    /// The keys, of those that would be removed, that sets publish which were not looked at.
    pub(crate) taken: BTreeSet<Key>,
    /// What a person has consented to.
    pub(crate) consents: &'a BTreeSet<Consent>,
}

/// What is due of one set in one cluster.
#[derive(Debug)]
pub(crate) struct SetDue<'a> {
    /// Which set and cluster.
    pub(crate) pair: Pair,
    /// What was seen.
    pub(crate) observation: &'a Observation,
    /// What tells whether that is from this store.
    pub(crate) lineage: Lineage<'a>,
    /// What should be there; `None`: nothing of this set.
    pub(crate) desired: Option<Snapshot>,
    /// What should be there by the head that the store has now; `None`: nothing of this set.
    pub(crate) now: Option<Now>,
    /// What was written there once, as far as it matters and the store still knows.
    pub(crate) written: Option<Snapshot>,
    /// What is switched by hand there, to be shown.
    pub(crate) overridden: Vec<Hold>,
    /// How sure a plan has to be where nothing should be there.
    pub(crate) certainty: Certainty,
}

/// What the store has now for a set in a cluster.
#[derive(Debug)]
pub(crate) struct Now {
    /// The version of its head.
    pub(crate) version: Version,
    /// What it says there; `None`: what is desired, or it does not matter.
    pub(crate) contents: Option<Contents>,
}

/// How sure a plan has to be that nothing is left of a set where it does not belong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Certainty {
    /// What was removed before is most likely gone.
    Likely,
    /// Nobody may be told that all is done while a cluster cannot be looked at.
    Sure,
}

/// What is due of one set, and how what is there relates to it.
#[derive(Debug)]
pub(super) struct Case<'a> {
    pub(super) set: &'a SetDue<'a>,
    pub(super) standing: Kinship<'a>,
    /// The delivery that this store began there and that is not finished.
    pub(super) begun: Option<&'a Delivering>,
}

impl<'a> Case<'a> {
    pub(super) fn of(set: &'a SetDue<'a>) -> Self {
        Self {
            set,
            standing: set.lineage.standing(&set.pair, set.observation),
            begun: begun(set),
        }
    }

    pub(super) fn desired(&self) -> Option<&'a Snapshot> {
        self.set.desired.as_ref()
    }
}

fn begun<'a>(set: &SetDue<'a>) -> Option<&'a Delivering> {
    let Observation::Seen(observed) = set.observation else {
        return None;
    };
    let begun = observed.auxiliary.delivering.as_deref()?;
    let known = set.lineage.origins.get(&begun.version)?;
    (**known == begun.origin).then_some(begun)
}
