//! The clocks of the clusters that a set goes to, asked before a time limit is set.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use jiff::Timestamp;

use super::{Engine, Fleet};
use crate::model::{Cluster, ClusterName, Place, SetName};

/// How long clocks are waited for: an answer from the other side of the world takes half of it, and
/// no breaker may wait for a cluster that is down.
const PATIENCE: Duration = Duration::from_millis(500);
/// With the clock of this machine these are three, of which one that is wrong is outvoted.
const ENOUGH: usize = 2;

impl Engine<'_> {
    /// What time it is in those of `clusters` that say so within a moment. Of several clusters in
    /// one Consul one answers for all. It stops waiting when it has enough clocks to outvote one.
    pub async fn clocks(
        &self,
        set: &SetName,
        clusters: &BTreeMap<&ClusterName, &Cluster>,
    ) -> Vec<(ClusterName, Timestamp)> {
        // The least that every target can be asked for: one key.
        let place = &Place {
            set: set.clone(),
            keys: BTreeSet::new(),
            prefixes: BTreeSet::new(),
        };
        let asked: FuturesUnordered<_> = clusters
            .iter()
            .filter_map(|(name, cluster)| Some((name, self.connect.connect(name, cluster).ok()?)))
            .map(|(name, target)| async move {
                // A refusal has a date as well.
                _ = target.observe(place).await;
                Some((target.location(), ((*name).clone(), target.clock()?)))
            })
            .collect();
        let mut clocks = BTreeMap::new();
        let mut answers = asked.filter_map(std::future::ready);
        let all = async {
            while let Some((location, clock)) = answers.next().await {
                clocks.entry(location).or_insert(clock);
                if clocks.len() >= ENOUGH {
                    break;
                }
            }
        };
        // Those that came until then count.
        _ = tokio::time::timeout(PATIENCE.min(self.pace.timeout), all).await;
        clocks.into_values().collect()
    }
}

/// The clocks of a fleet that was looked at; of several clusters in one Consul one speaks for all.
pub(super) fn clocks_of(fleet: &Fleet) -> impl Iterator<Item = (ClusterName, Timestamp)> {
    let mut asked = BTreeSet::new();
    fleet.iter().filter_map(move |(name, target)| {
        let target = target.as_ref().ok()?;
        let at = target.clock()?;
        asked.insert(target.location()).then(|| (name.clone(), at))
    })
}
