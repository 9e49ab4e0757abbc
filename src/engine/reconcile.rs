//! Reconciles one set: brings what clusters hold of it to what its head says, each for itself.

use std::collections::BTreeSet;

use futures_util::StreamExt as _;
use futures_util::stream;
use jiff::Timestamp;

use super::asked::clocks_of;
use super::chance::{fresh_key, stagger};
use super::{Attempt, Ending, Engine, EngineError, Fleet, Milestone, Question};
use crate::model::{Cluster, ClusterName, Heads, Origin, ResourceId, Selector, SetName};
use crate::plan::{
    ClusterScope, Desired, Pair, Plan, Reach, Unseen, UnseenKind, approve_where_possible, chain,
};
use crate::store::{StoreError, Which};

/// How often a cluster is looked at again in which somebody else wrote at the same time: a rollout
/// under way, or another trip.
const ROUNDS: u32 = 25;

/// How it went with one set.
#[derive(Debug)]
pub struct Reconciled {
    /// How it went in each cluster, by name.
    pub passes: Vec<Pass>,
    /// What time it is in the clusters that said so; of several in one Consul one speaks for all.
    pub clocks: Vec<(ClusterName, Timestamp)>,
}

/// How it went in one cluster.
#[derive(Debug)]
pub struct Pass {
    /// What followed from the last look at it; `None`: it was not looked at.
    pub plan: Option<Plan>,
    /// How it went.
    pub reports: Vec<Attempt>,
}

impl Engine<'_> {
    /// Brings every cluster that `set` goes to, and that `only` matches, to its head. There is no
    /// barrier between clusters: one that does not answer delays no other. `origin` is that of a
    /// revision which a cluster turns out to need, because it holds the version with other content.
    pub async fn reconcile(
        &self,
        set: &SetName,
        only: &Selector,
        origin: &Origin,
    ) -> Result<Reconciled, EngineError> {
        let heads = self.heads(&Which::around([set])).await?;
        let clusters: Vec<ClusterName> = clusters_of(set, &heads)
            .filter(|(_, cluster)| only.matches(&cluster.labels))
            .map(|(name, _)| name.clone())
            .collect();
        let pair = |cluster: &ClusterName| Pair {
            set: set.clone(),
            cluster: cluster.clone(),
        };
        let pairs = clusters.iter().map(pair).collect();
        (self.events)(Milestone::Delivering(pairs));
        let mut fleet = Fleet::new();
        let mut passes: Vec<Pass> = Vec::new();
        let mut brought = stream::iter(clusters)
            .map(|cluster| self.bring(set, cluster, origin))
            .buffer_unordered(self.pace.clusters_at_once.max(1))
            .boxed();
        while let Some((pass, seen)) = brought.next().await {
            for report in &pass.reports {
                (self.events)(Milestone::Delivered(report.pair.clone()));
            }
            passes.push(pass);
            fleet.extend(seen);
        }
        passes.sort_by(|a, b| pairs_of(a).cmp(pairs_of(b)));
        Ok(Reconciled {
            passes,
            clocks: clocks_of(&fleet).collect(),
        })
    }

    /// Brings one cluster to the head of `set`; again where somebody else was faster.
    async fn bring(&self, set: &SetName, cluster: ClusterName, origin: &Origin) -> (Pass, Fleet) {
        let quietly = Engine {
            events: &|_| (),
            audit: self.audit.clone(),
            interrupt: self.interrupt.clone(),
            ..*self
        };
        let pair = Pair {
            set: set.clone(),
            cluster: cluster.clone(),
        };
        let only = ClusterScope::Named(BTreeSet::from([cluster]));
        let mut round = 0;
        loop {
            let pass = quietly.bring_once(set, &only, origin).await;
            let meets_another = match &pass {
                Ok((pass, _)) => pass.reports.iter().any(Attempt::met_another),
                Err(error) => matches!(error, EngineError::Commit(StoreError::HeadsMoved(_))),
            };
            if meets_another && round < ROUNDS && !*self.interrupt.borrow() {
                round += 1;
                stagger(round).await;
                continue;
            }
            return pass.unwrap_or_else(|error| {
                let outcome = match error {
                    EngineError::Interrupted => Ending::Interrupted,
                    _ => Ending::Failed(Unseen {
                        kind: UnseenKind::Unusable,
                        reason: chain(&error),
                    }),
                };
                let pass = Pass {
                    plan: None,
                    reports: vec![Attempt { pair, outcome }],
                };
                (pass, Fleet::new())
            });
        }
    }

    async fn bring_once(
        &self,
        set: &SetName,
        only: &ClusterScope,
        origin: &Origin,
    ) -> Result<(Pass, Fleet), EngineError> {
        let reach = Reach::Named(BTreeSet::from([set.clone()]));
        let question = Question {
            desired: &Desired::nothing(),
            reach: &reach,
            clusters: only,
            consents: &BTreeSet::new(),
        };
        let (survey, mut plan) = self.look(&question, None, origin).await?;
        plan.commit.key = fresh_key();
        plan.commit.audit.clone_from(&self.audit);
        let pass = match approve_where_possible(plan) {
            Ok(approved) => {
                let reports = self.carry_out(&survey, &approved).await?;
                Pass {
                    plan: Some(approved.into_plan()),
                    reports,
                }
            }
            Err(plan) => Pass {
                reports: plan
                    .deliveries
                    .iter()
                    .map(|delivery| Attempt {
                        pair: delivery.pair.clone(),
                        outcome: Ending::Refused,
                    })
                    .collect(),
                plan: Some(*plan),
            },
        };
        Ok((pass, survey.fleet))
    }
}

fn pairs_of(pass: &Pass) -> impl Iterator<Item = &Pair> {
    pass.reports.iter().map(|report| &report.pair)
}

/// The clusters that `set` goes to.
pub fn clusters_of<'h>(
    set: &SetName,
    heads: &'h Heads,
) -> impl Iterator<Item = (&'h ClusterName, &'h Cluster)> {
    let head = heads.get(&ResourceId::Set(set.clone()));
    let declared = head.and_then(|head| head.content.set());
    heads.iter().filter_map(move |(id, head)| match id {
        ResourceId::Cluster(name) => {
            let cluster = head.content.cluster()?;
            let goes_there = declared?.clusters.matches(&cluster.labels);
            goes_there.then_some((name, cluster))
        }
        ResourceId::Grant(_) | ResourceId::Set(_) => None,
    })
}
