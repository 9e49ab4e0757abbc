//! Commits a plan, and writes what it says to every target.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::StreamExt as _;
use futures_util::stream;

use super::{Engine, EngineError, Event, SETS_AT_ONCE, Survey, chain, timed_out};
use crate::model::{ClusterName, ObservedSnapshot, Place, Version, Write};
use crate::plan::{
    Action, Approved, Condition, Delivery, Observation, Pair, Plan, Unseen, UnseenKind,
};
use crate::target::{Target, TargetError};

/// How it went with one set in one cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Which set and cluster.
    pub pair: Pair,
    /// How it went.
    pub outcome: Outcome,
}

/// How it went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// There was nothing to do.
    Unchanged,
    /// The target holds what it should.
    Delivered,
    /// Our keys are gone.
    Removed,
    /// Someone else delivered a newer version meanwhile, which stays.
    Superseded(Version),
    /// Something changed after the plan was made; nothing was written.
    Conflict(String),
    /// It could not be looked at, or did not take the write: why.
    Failed(Unseen),
    /// It is not known whether the write was carried out: why.
    Unknown(String),
    /// A person stopped it before this write began.
    Interrupted,
}

impl Outcome {
    /// Whether the target holds what it should, or something newer.
    pub fn is_settled(&self) -> bool {
        match self {
            Self::Unchanged | Self::Delivered | Self::Removed | Self::Superseded(_) => true,
            Self::Conflict(_) | Self::Failed(_) | Self::Unknown(_) | Self::Interrupted => false,
        }
    }
}

impl Engine<'_> {
    /// Makes the plan real in the store, then in every target. Once it is committed nothing is an
    /// error any more: the reports, by set and cluster, say how far it got.
    pub async fn carry_out(
        &self,
        survey: &Survey,
        approved: &Approved,
    ) -> Result<Vec<Report>, EngineError> {
        let plan = approved.plan();
        if *self.interrupt.borrow() {
            return Err(EngineError::Interrupted);
        }
        if !plan.commit.revisions.is_empty() {
            let committed = self.store.commit(&plan.commit).await;
            committed.map_err(EngineError::Commit)?;
            (self.events)(Event::Committed);
        }
        Ok(self.deliver(survey, plan).await)
    }

    async fn deliver(&self, survey: &Survey, plan: &Plan) -> Vec<Report> {
        let mut by_cluster: BTreeMap<&ClusterName, Vec<&Delivery>> = BTreeMap::new();
        for delivery in &plan.deliveries {
            let cluster = &delivery.pair.cluster;
            by_cluster.entry(cluster).or_default().push(delivery);
        }
        let writes = plan
            .deliveries
            .iter()
            .filter(|delivery| delivery.write.is_some());
        (self.events)(Event::Delivering(writes.count()));

        let clusters = by_cluster.into_values().map(|deliveries| {
            // Once the cluster does not answer, its other sets would each wait as long.
            let down = AtomicBool::new(false);
            async move {
                let down = &down;
                stream::iter(deliveries)
                    .map(|delivery| self.deliver_one(survey, delivery, down))
                    .buffer_unordered(SETS_AT_ONCE)
                    .collect::<Vec<_>>()
                    .await
            }
        });
        let mut reports: Vec<Report> = stream::iter(clusters)
            .buffer_unordered(self.pace.clusters_at_once)
            .concat()
            .await;
        reports.sort_by(|a, b| a.pair.cmp(&b.pair));
        reports
    }

    async fn deliver_one(&self, survey: &Survey, delivery: &Delivery, down: &AtomicBool) -> Report {
        let pair = &delivery.pair;
        let outcome = match (&delivery.write, survey.fleet.get(&pair.cluster)) {
            (None, _) | (_, None) => match &delivery.condition {
                Condition::Unseen(unseen) => Outcome::Failed(unseen.clone()),
                _ => Outcome::Unchanged,
            },
            (Some(_), Some(Err(unseen))) => Outcome::Failed(unseen.clone()),
            (Some(_), Some(Ok(_))) if *self.interrupt.borrow() => Outcome::Interrupted,
            (Some(_), Some(Ok(target))) if down.load(Ordering::Relaxed) => {
                Outcome::Failed(super::not_tried(target.as_ref()))
            }
            (Some(write), Some(Ok(target))) => {
                let place = survey.places.get(pair);
                self.write(target, write, delivery, place).await
            }
        };
        if let Outcome::Unknown(_)
        | Outcome::Failed(Unseen {
            kind: UnseenKind::Unreachable,
            ..
        }) = &outcome
        {
            down.store(true, Ordering::Relaxed);
        }
        let report = Report {
            pair: pair.clone(),
            outcome,
        };
        if delivery.write.is_some() {
            (self.events)(Event::Delivered(&report));
        }
        report
    }

    async fn write(
        &self,
        target: &Arc<dyn Target>,
        write: &Write,
        delivery: &Delivery,
        place: Option<&Place>,
    ) -> Outcome {
        let done = match delivery.action {
            Action::Remove => Outcome::Removed,
            _ => Outcome::Delivered,
        };
        let written = tokio::time::timeout(self.pace.timeout, target.write(write)).await;
        let doubt = match written {
            Ok(Ok(())) => return done,
            Ok(Err(TargetError::Moved { keys, .. })) => Outcome::Conflict(keys.join(", ")),
            Ok(Err(error @ TargetError::Unknown { .. })) => Outcome::Unknown(chain(&error)),
            Err(_) => Outcome::Unknown(timed_out(self.pace).reason),
            Ok(Err(error)) => return Outcome::Failed(super::unseen(&error)),
        };
        let Some(place) = place else { return doubt };
        // A lost answer and a faster colleague look the same from here; what is there now tells
        // them apart.
        match self.look_once(target, place).await {
            Observation::Unseen(_) => doubt,
            Observation::Seen(observed) => {
                let there = observed.snapshot.document();
                match &delivery.desired {
                    Some(desired) if observed.holds(desired) => done,
                    Some(desired) => match there {
                        Some(newer) if newer.version() > desired.version() => {
                            Outcome::Superseded(newer.version())
                        }
                        _ => doubt,
                    },
                    None if matches!(observed.snapshot, ObservedSnapshot::Absent) => done,
                    None => doubt,
                }
            }
        }
    }
}
