//! Commits a plan, and writes what it says to every target.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use futures_util::stream;

use super::{Engine, EngineError, Milestone, SETS_AT_ONCE, Survey, timed_out};
use crate::model::{
    ClusterName, Document, Observed, ObservedSnapshot, Place, ResourceId, Version, Write,
};
use crate::plan::{
    Action, Approved, Condition, Delivery, Observation, Pair, Plan, Unseen, UnseenKind, chain,
};
use crate::store::{MovedHead, StoreError, Which};
use crate::target::{Progress, Target, TargetError};
use crate::traces::Work;

/// The heads that something follows from.
type Expected = BTreeMap<ResourceId, Option<Version>>;

/// How it went with one set in one cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Which set and cluster.
    pub pair: Pair,
    /// How it went.
    pub outcome: Ending,
}

/// How it went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// There was nothing to do.
    Unchanged,
    /// The target holds what it should.
    Delivered,
    /// Our keys are gone.
    Removed,
    /// The cluster is taken off the list, and this many of our keys stay in it; `None`: nobody knows.
    Left(Option<usize>),
    /// Someone else delivered a newer version meanwhile, which stays.
    Superseded(Version),
    /// Something changed after the plan was made; the snapshot was not written.
    Conflict(String),
    /// It could not be looked at, or did not take the write: why.
    Failed(Unseen),
    /// It is not known whether the write was carried out: why.
    Unknown(String),
    /// Something stands against the write: see the objections of the plan.
    Refused,
    /// It took too long. The snapshot key was not written; what was put beside it stays, and the
    /// next delivery goes on from there.
    Stopped {
        /// After how long.
        after: Duration,
        /// How many requests were carried out.
        done: usize,
        /// How many it takes.
        of: usize,
    },
    /// A person stopped it before this write began.
    Interrupted,
}

impl Attempt {
    /// Whether somebody else wrote at the same time.
    pub fn met_another(&self) -> bool {
        matches!(self.outcome, Ending::Conflict(_))
    }

    /// What went wrong, and where.
    fn sentence(&self) -> String {
        let Pair { set, cluster } = &self.pair;
        let why = match &self.outcome {
            Ending::Failed(unseen) => unseen.reason.as_str(),
            Ending::Conflict(why) | Ending::Unknown(why) => why,
            Ending::Interrupted => "stopped before it began",
            Ending::Stopped { .. } => "it took too long, and goes on the next time",
            _ => "refused",
        };
        format!("{set} in {cluster}: {why}")
    }
}

impl Ending {
    /// Whether the target holds what it should, or something newer.
    pub fn is_settled(&self) -> bool {
        self.why_not().is_none()
    }

    /// Why it is not settled, in a word.
    fn why_not(&self) -> Option<&'static str> {
        Some(match self {
            Self::Unchanged
            | Self::Delivered
            | Self::Removed
            | Self::Left(_)
            | Self::Superseded(_) => return None,
            Self::Failed(unseen) => match unseen.kind {
                UnseenKind::Unreachable => "unreachable",
                UnseenKind::Denied => "denied",
                UnseenKind::Unusable => "unusable",
            },
            Self::Conflict(_) => "conflict",
            Self::Unknown(_) => "unknown",
            Self::Refused => "refused",
            Self::Stopped { .. } => "stopped",
            Self::Interrupted => "interrupted",
        })
    }
}

impl Engine<'_> {
    /// Makes the plan real in the store, then in every target. Once it is committed nothing is an
    /// error any more: the reports, by set and cluster, say how far it got.
    pub async fn carry_out(
        &self,
        survey: &Survey,
        approved: &Approved,
    ) -> Result<Vec<Attempt>, EngineError> {
        let plan = approved.plan();
        if *self.interrupt.borrow() {
            return Err(EngineError::Interrupted);
        }
        // Once a cluster is forgotten nobody can finish what is to be done there. So it comes first:
        // wherever it stops, the cluster still is on the list, and any later pass mends or ends it.
        let is_leaving = |delivery: &&Delivery| plan.leaves(&delivery.pair.cluster);
        let (leaving, staying): (Vec<_>, Vec<_>) = plan.deliveries.iter().partition(is_leaving);
        let removes = leaving.iter().any(|delivery| delivery.write.is_some());
        if removes {
            self.check_heads(&plan.commit.expected).await?;
        }
        let mut reports = Vec::new();
        if !leaving.is_empty() {
            reports = self.deliver(survey, leaving).await;
        }
        let failed = reports.iter().filter(|report| !report.outcome.is_settled());
        let failed: Vec<_> = failed.map(Attempt::sentence).collect();
        if !failed.is_empty() {
            return Err(EngineError::NotRemoved(failed));
        }
        if !plan.commit.revisions.is_empty() {
            let committed = self.commit(&plan.commit).await;
            committed.map_err(|error| match error {
                EngineError::Commit(source) if removes => EngineError::NotForgotten(source),
                error => error,
            })?;
        } else if plan.has_changes() {
            self.check_heads(&written(plan)).await?;
        }
        reports.extend(self.deliver(survey, staying).await);
        reports.sort_by(|a, b| a.pair.cmp(&b.pair));
        Ok(reports)
    }

    /// Without new revisions nothing else would notice that the plan follows from old heads. Where
    /// a set was deleted meanwhile there is no fence left either that would hold a write back.
    async fn check_heads(&self, expected: &Expected) -> Result<(), EngineError> {
        let which = Which::Named(expected.keys().cloned().collect());
        let heads = self.store.heads(&which).await;
        let heads = heads.map_err(EngineError::Read)?.heads;
        let moved = expected.iter().filter_map(|(id, expected)| {
            let found = heads.get(id).map(|head| head.version);
            (found != *expected).then(|| MovedHead {
                id: id.clone(),
                expected: *expected,
                found,
            })
        });
        let moved: Vec<_> = moved.collect();
        if moved.is_empty() {
            Ok(())
        } else {
            Err(EngineError::Commit(StoreError::HeadsMoved(moved)))
        }
    }

    pub(crate) async fn deliver(
        &self,
        survey: &Survey,
        deliveries: Vec<&Delivery>,
    ) -> Vec<Attempt> {
        let writes = deliveries
            .iter()
            .filter(|delivery| delivery.write.is_some());
        let pairs = writes.map(|delivery| delivery.pair.clone()).collect();
        (self.events)(Milestone::Delivering(pairs));
        let mut by_cluster: BTreeMap<&ClusterName, Vec<&Delivery>> = BTreeMap::new();
        for delivery in deliveries {
            let cluster = &delivery.pair.cluster;
            by_cluster.entry(cluster).or_default().push(delivery);
        }

        let clusters = by_cluster.into_values().map(|deliveries| {
            // Once the cluster does not answer, its other sets would each wait as long.
            let down = AtomicBool::new(false);
            async move {
                let down = &down;
                stream::iter(deliveries)
                    .map(|delivery| self.deliver_one(survey, delivery, down))
                    .buffer_unordered(SETS_AT_ONCE)
                    .boxed()
                    .collect::<Vec<_>>()
                    .await
            }
        });
        let mut reports: Vec<Attempt> = stream::iter(clusters)
            .buffer_unordered(self.pace.clusters_at_once.max(1))
            .boxed()
            .concat()
            .await;
        reports.sort_by(|a, b| a.pair.cmp(&b.pair));
        reports
    }

    async fn deliver_one(
        &self,
        survey: &Survey,
        delivery: &Delivery,
        down: &AtomicBool,
    ) -> Attempt {
        let Pair { set, cluster } = &delivery.pair;
        let is_work = delivery.write.is_some() || delivery.action == Action::Wait;
        let here = is_work.then(Work::current).unwrap_or_default();
        let part = here.part(|| format!("deliver {set} to {cluster}"));
        part.say("cfgctl.set", || set.to_string());
        part.say("cfgctl.cluster", || cluster.to_string());
        let ending = self.ending(survey, delivery, down);
        let outcome = part.around(ending).await;
        if let Some(why) = outcome.why_not() {
            part.failed(why);
        }
        let report = Attempt {
            pair: delivery.pair.clone(),
            outcome,
        };
        if delivery.write.is_some() {
            (self.events)(Milestone::Delivered(report.pair.clone()));
        }
        report
    }

    async fn ending(&self, survey: &Survey, delivery: &Delivery, down: &AtomicBool) -> Ending {
        let pair = &delivery.pair;
        match (&delivery.write, survey.fleet.get(&pair.cluster)) {
            (None, _) => match (&delivery.condition, delivery.action) {
                (Condition::Unseen(unseen), Action::Wait) => Ending::Failed(unseen.clone()),
                (_, Action::Refuse) => Ending::Refused,
                (_, Action::Leave(keys)) => Ending::Left(keys),
                _ => Ending::Unchanged,
            },
            (Some(_), None) => Ending::Failed(Unseen {
                kind: UnseenKind::Unusable,
                reason: "the survey that was given does not know this cluster".to_owned(),
            }),
            (Some(_), Some(Err(unseen))) => Ending::Failed(unseen.clone()),
            (Some(_), Some(Ok(_))) if *self.interrupt.borrow() => Ending::Interrupted,
            (Some(_), Some(Ok(target))) if down.load(Ordering::Relaxed) => {
                Ending::Failed(super::not_tried(target.as_ref()))
            }
            (Some(write), Some(Ok(target))) => {
                let place = survey.places.get(pair).map(|look| &look.place);
                self.write(target, write, delivery, place, down).await
            }
        }
    }

    /// Sets `down` as soon as the cluster does not answer.
    async fn write(
        &self,
        target: &Arc<dyn Target>,
        write: &Write,
        delivery: &Delivery,
        place: Option<&Place>,
        down: &AtomicBool,
    ) -> Ending {
        let (begun, patience) = (Instant::now(), self.pace.timeout);
        let progress = Progress::default();
        let written = target.write_by_steps(write, &progress);
        let written = tokio::time::timeout(patience, written).await;
        let doubt = match written {
            Ok(Ok(())) => return done(delivery),
            Ok(Err(TargetError::Moved { keys, .. })) => Ending::Conflict(keys.join(", ")),
            Ok(Err(error @ TargetError::Unknown { .. })) => Ending::Unknown(chain(&error)),
            Ok(Err(error)) => {
                let unseen = super::unseen(&error);
                if unseen.kind == UnseenKind::Unreachable {
                    down.store(true, Ordering::Relaxed);
                }
                return Ending::Failed(unseen);
            }
            Err(_) => return self.given_up(&progress, down),
        };
        let Some(place) = place else { return doubt };
        // A lost answer and a faster colleague look the same from here; what is there now tells
        // them apart.
        let patience = patience.saturating_sub(begun.elapsed());
        match self.look_once(target, place, patience).await {
            Observation::Unseen(unseen) => {
                if unseen.kind == UnseenKind::Unreachable {
                    down.store(true, Ordering::Relaxed);
                }
                doubt
            }
            Observation::Seen(observed) => self.settle(delivery, &observed, doubt).await,
        }
    }

    /// How it went with a write that took too long. Who gets some of it done is slow, and not down.
    fn given_up(&self, progress: &Progress, down: &AtomicBool) -> Ending {
        let known = progress.before_turn();
        if known.is_none_or(|(done, _)| done == 0) {
            down.store(true, Ordering::Relaxed);
        }
        match known {
            Some((done, of)) => Ending::Stopped {
                after: self.pace.timeout,
                done,
                of,
            },
            None => Ending::Unknown(timed_out(self.pace).reason),
        }
    }

    /// How it went, now that it is known what is there; `doubt` if that does not tell.
    async fn settle(&self, delivery: &Delivery, observed: &Observed, doubt: Ending) -> Ending {
        match (&delivery.desired, &observed.snapshot) {
            (None, ObservedSnapshot::Absent) if observed.auxiliary.is_clear() => done(delivery),
            (Some(desired), _) if observed.holds(desired) => done(delivery),
            (Some(desired), _) => match observed.snapshot.document() {
                Some(newer)
                    if newer.version() > desired.version()
                        && self.made(&delivery.pair, newer).await =>
                {
                    Ending::Superseded(newer.version())
                }
                _ => doubt,
            },
            (None, _) => doubt,
        }
    }

    /// Whether `document` is for `pair`, and of a revision of this store.
    async fn made(&self, pair: &Pair, document: &Document) -> bool {
        let id = ResourceId::Set(pair.set.clone());
        let revisions = self.store.revisions(&[(id, document.version())]).await;
        document.set() == &pair.set
            && document.cluster() == &pair.cluster
            && revisions.is_ok_and(|revisions| {
                let mut origins = revisions
                    .iter()
                    .map(|(_, revision)| revision.origin.delivered());
                origins.any(|origin| origin == *document.origin())
            })
    }
}

/// What the writes of `plan` follow from: the sets and clusters that are written, or all that was
/// looked at where keys are removed, which others may have taken over. A commit elsewhere is no
/// reason to write nothing here.
fn written(plan: &Plan) -> Expected {
    let mut expected = plan.commit.expected.clone();
    if plan.removes_keys() {
        return expected;
    }
    let written = plan.deliveries.iter().filter(|it| it.write.is_some());
    let touched: BTreeSet<ResourceId> = written
        .flat_map(|it| {
            let Pair { set, cluster } = it.pair.clone();
            [ResourceId::Set(set), ResourceId::Cluster(cluster)]
        })
        .collect();
    expected.retain(|id, _| touched.contains(id));
    expected
}

/// How it went when it went well.
fn done(delivery: &Delivery) -> Ending {
    match delivery.action {
        Action::Remove => Ending::Removed,
        _ => Ending::Delivered,
    }
}
