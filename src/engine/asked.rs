//! What clusters say before a switch is committed, as far as they say it within a moment: what time
//! it is there, and whether it may be written.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use jiff::Timestamp;

use super::{Engine, Fleet};
use crate::model::{Cluster, ClusterName, SetName};
use crate::target::TargetError;

/// How long answers are waited for: those from the other side of the world take half of it, and no
/// breaker may wait for a cluster that is down.
const PATIENCE: Duration = Duration::from_millis(500);

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// Whether any of them may be written.
    Access,
    /// That, and what time it is: with the clock of this machine two others are three, of which one
    /// that is wrong is outvoted.
    AccessAndTime,
    /// The same where nothing waits for it: as long as a cluster may take for anything.
    TimeAtLeisure,
}

impl Asked {
    /// How many clocks are enough.
    fn clocks(self) -> usize {
        match self {
            Self::Access => 0,
            Self::AccessAndTime | Self::TimeAtLeisure => 2,
        }
    }
}

/// What clusters said.
#[derive(Clone, Debug, Default)]
pub struct Answers {
    /// What time it is there; of several clusters in one Consul one speaks for all.
    pub clocks: Vec<(ClusterName, Timestamp)>,
    /// Why nothing may be written anywhere; `None`: it may be somewhere, or nobody said.
    pub denied: Option<String>,
}

impl Engine<'_> {
    /// Asks `clusters` about `set`, all at once, and waits no longer than it takes to know enough.
    pub async fn ask(
        &self,
        asked: Asked,
        set: &SetName,
        clusters: &BTreeMap<&ClusterName, &Cluster>,
    ) -> Answers {
        let sets = &BTreeMap::from([(set.clone(), BTreeSet::new())]);
        let mut answers: FuturesUnordered<_> = clusters
            .iter()
            .filter_map(|(name, cluster)| {
                Some((
                    name,
                    self.connect
                        .connect(name, cluster, self.pace.timeout)
                        .ok()?,
                ))
            })
            .map(|(name, target)| async move {
                let denials = target.denials(sets).await;
                // A refusal has a date as well.
                let clock = target.clock().map(|at| ((*name).clone(), at));
                (target.location(), clock, denials)
            })
            .collect();
        let mut clocks = BTreeMap::new();
        let mut denied = None;
        let mut is_allowed = false;
        let start = Instant::now();
        let timeout = self.pace.timeout;
        while !is_allowed || clocks.len() < asked.clocks() {
            // Who was only denied so far has to know whether anyone else lets it be written.
            let at_leisure = asked == Asked::TimeAtLeisure;
            let patience = if at_leisure || (denied.is_some() && !is_allowed) {
                timeout
            } else {
                PATIENCE.min(timeout)
            };
            let left = patience.saturating_sub(start.elapsed());
            // What came until then counts.
            let Ok(Some((location, clock, denials))) =
                tokio::time::timeout(left, answers.next()).await
            else {
                break;
            };
            if let Some(clock) = clock {
                clocks.entry(location).or_insert(clock);
            }
            match denials {
                Ok(denials) => match denials.into_values().next() {
                    Some(reason) => denied = Some(reason),
                    None => is_allowed = true,
                },
                Err(error @ TargetError::Denied { .. }) => denied = Some(error.to_string()),
                Err(_) => {}
            }
        }
        Answers {
            clocks: clocks.into_values().collect(),
            denied: denied.filter(|_| !is_allowed),
        }
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
