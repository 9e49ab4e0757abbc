//! Figures: what the store holds and what was done here, as numbers for whoever watches them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::CauseKind;
use crate::model::{BreakerName, BreakerState, ClusterName, Sequence, SetName, Version};

/// What the store holds, as far as figures tell.
#[derive(Clone, Debug, Default)]
pub struct Holdings {
    /// The newest commit that it follows from.
    pub sequence: Sequence,
    /// Every set that there is. As long as nothing of it changes it is the same allocation.
    pub sets: Arc<BTreeMap<SetName, SetFigures>>,
    /// How many commits there were of each cause, since counting began.
    pub commits: BTreeMap<CauseKind, u64>,
}

/// What the store holds of one set, as far as figures tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetFigures {
    /// The version that the clusters should hold.
    pub version: Version,
    /// The clusters that get it.
    pub clusters: Vec<ClusterName>,
    /// Its breakers, and how each stands in each of the clusters.
    pub breakers: BTreeMap<BreakerName, Vec<BreakerState>>,
}

/// What was done by this process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many deliveries of a set ended how, by cluster and the word for it.
    pub deliveries: BTreeMap<ClusterName, BTreeMap<&'static str, u64>>,
    /// How often an alert came to what for a breaker, by the word for it.
    pub alerts: BTreeMap<&'static str, u64>,
    /// How often no breaker waited for one.
    pub unmatched_alerts: u64,
    /// How many overrides were taken away because their time was over.
    pub expired: u64,
    /// How many had their time counted anew, which had been in doubt.
    pub recounted: u64,
    /// How often what was over could not be taken away.
    pub not_expired: u64,
}
