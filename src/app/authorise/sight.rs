//! What a caller sees of an answer: nothing of sets and clusters that he may not read.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::access::{Access, Need};
use super::demands::known;
use crate::api::report::{
    BreakerItem, Breakers, Drift, Effect, FlagItem, Flags, HoldItem, ObjectionItem, Outcome,
    PlanReport, Resources, Status, Waiting,
};
use crate::api::{Basis, ClocksOff, Error, ErrorKind, Event, Observer, Preview, Proposal};
use crate::check::{Finding, Severity};
use crate::engine::EngineError;
use crate::model::{ClusterName, Content, Heads, Labels, ResourceId, Role, SetName};
use crate::plan::Pair;
use crate::store::StoreError;

/// What one caller may see, by the labels of what was read so far.
#[derive(Debug)]
pub(in crate::app) struct Sight {
    access: Access,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    sets: BTreeMap<SetName, Labels>,
    clusters: BTreeMap<ClusterName, Labels>,
    others: BTreeMap<ResourceId, bool>,
}

impl Known {
    fn learn(&mut self, access: &Access, id: &ResourceId, content: &Content) {
        match (id, content) {
            (ResourceId::Set(name), Content::Set(set)) => {
                self.sets.insert(name.clone(), set.labels.clone());
            }
            (ResourceId::Cluster(name), Content::Cluster(cluster)) => {
                self.clusters.insert(name.clone(), cluster.labels.clone());
            }
            (ResourceId::Grant(_), _) => {
                let need = known(id, content);
                let is_seen = need.is_some_and(|need| access.allows(&need));
                self.others.insert(id.clone(), is_seen);
            }
            _ => {}
        }
    }
}

impl Sight {
    pub(super) fn new(access: Access) -> Self {
        Self {
            access,
            known: Mutex::default(),
        }
    }

    /// What the caller may do.
    pub(in crate::app) fn access(&self) -> &Access {
        &self.access
    }

    fn is_clear(&self) -> bool {
        self.access.limits().is_none()
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        // Every change of it is one insert.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in the labels of what was read.
    pub(in crate::app) fn learn(&self, heads: &Heads) {
        if self.is_clear() {
            return;
        }
        let mut known = self.known();
        for (id, head) in heads {
            known.learn(&self.access, id, &head.content);
        }
    }

    /// Takes in the labels of what is declared, where there are none yet.
    pub(in crate::app) fn learn_new(&self, contents: &BTreeMap<ResourceId, Content>) {
        if self.is_clear() {
            return;
        }
        let mut known = self.known();
        for (id, content) in contents {
            let is_known = match id {
                ResourceId::Set(name) => known.sets.contains_key(name),
                ResourceId::Cluster(name) => known.clusters.contains_key(name),
                ResourceId::Grant(_) => known.others.contains_key(id),
            };
            if !is_known {
                known.learn(&self.access, id, content);
            }
        }
    }

    /// How many of `pairs` the caller may read.
    pub(in crate::app) fn count(&self, pairs: &[Pair]) -> usize {
        let sees = |pair: &&Pair| self.sees_pair(&pair.set, &pair.cluster);
        pairs.iter().filter(sees).count()
    }

    /// The labels of a set, as far as it was read.
    pub(super) fn labels_of(&self, set: &SetName) -> Option<Labels> {
        self.known().sets.get(set).cloned()
    }

    /// Whether the caller may read this resource; of one that was never read nothing is told.
    pub(in crate::app) fn sees(&self, id: &ResourceId) -> bool {
        if self.is_clear() {
            return true;
        }
        let known = self.known();
        let need = match id {
            ResourceId::Set(name) => {
                let labels = known.sets.get(name);
                labels.map(|labels| Need::Set(Role::Viewer, labels.clone()))
            }
            ResourceId::Cluster(name) => {
                let labels = known.clusters.get(name);
                labels.map(|labels| Need::Cluster(Role::Viewer, labels.clone()))
            }
            ResourceId::Grant(_) => return known.others.get(id).copied().unwrap_or(false),
        };
        need.is_some_and(|need| self.access.allows(&need))
    }

    /// Whether the caller may read what this cluster has of this set.
    pub(in crate::app) fn sees_pair(&self, set: &SetName, cluster: &ClusterName) -> bool {
        if self.is_clear() {
            return true;
        }
        let known = self.known();
        let labels = known.sets.get(set).zip(known.clusters.get(cluster));
        labels.is_some_and(|(set, cluster)| {
            let need = Need::Pair(Role::Viewer, set.clone(), cluster.clone());
            self.access.allows(&need)
        })
    }

    fn sees_set(&self, set: &SetName) -> bool {
        self.sees(&ResourceId::Set(set.clone()))
    }

    fn sees_cluster(&self, cluster: &ClusterName) -> bool {
        self.sees(&ResourceId::Cluster(cluster.clone()))
    }

    /// Those of `clusters` in which the caller may read `set`; whether any are left, or none were
    /// there.
    fn leave(&self, set: &SetName, clusters: &mut Vec<ClusterName>) -> bool {
        let none = clusters.is_empty();
        clusters.retain(|cluster| self.sees_pair(set, cluster));
        none || !clusters.is_empty()
    }

    fn wait(&self, set: &SetName, waiting: &mut Vec<Waiting>) {
        waiting.retain(|it| self.sees_pair(set, &it.cluster));
    }

    fn holds(&self, holds: &mut Vec<HoldItem>) {
        holds.retain_mut(|it| {
            if let Some(waiting) = &mut it.waiting {
                self.wait(&it.set, waiting);
            }
            self.leave(&it.set, &mut it.clusters)
        });
    }

    pub(in crate::app) fn status(&self, mut report: Status) -> Status {
        let clusters = &mut report.clusters;
        clusters.retain(|it| self.sees_pair(&it.set, &it.cluster));
        self.holds(&mut report.overridden);
        report
    }

    pub(in crate::app) fn drift(&self, mut report: Drift) -> Drift {
        let clusters = &mut report.clusters;
        clusters.retain(|it| self.sees_pair(&it.set, &it.cluster));
        self.holds(&mut report.overridden);
        report
    }

    pub(in crate::app) fn resources(&self, mut report: Resources) -> Resources {
        self.holds(&mut report.overridden);
        report
    }

    pub(in crate::app) fn flags(&self, mut report: Flags) -> Flags {
        let sees = |it: &mut FlagItem| {
            self.leave(&it.set, &mut it.delivered);
            self.wait(&it.set, &mut it.waiting);
            self.leave(&it.set, &mut it.clusters)
        };
        report.flags.retain_mut(sees);
        report
    }

    pub(in crate::app) fn breakers(&self, mut report: Breakers) -> Breakers {
        let sees = |it: &mut BreakerItem| {
            self.leave(&it.set, &mut it.delivered);
            self.wait(&it.set, &mut it.waiting);
            self.leave(&it.set, &mut it.clusters)
        };
        report.breakers.retain_mut(sees);
        report
    }

    pub(in crate::app) fn outcome(&self, mut outcome: Outcome) -> Outcome {
        outcome.committed.retain(|it| self.sees(&it.name));
        let clusters = &mut outcome.clusters;
        clusters.retain(|it| self.sees_pair(&it.set, &it.cluster));
        outcome
    }

    pub(in crate::app) fn proposal(&self, mut proposal: Proposal) -> Proposal {
        if self.is_clear() {
            return proposal;
        }
        match &mut proposal.preview {
            Preview::Plan(plan) => self.plan(plan),
            Preview::Effect(Effect { set, effects, .. }) => {
                effects.retain_mut(|it| self.leave(set, &mut it.clusters));
            }
        }
        proposal.undeclared.retain(|id| self.sees(id));
        proposal.refusal = proposal.refusal.map(|error| self.error(error));
        self.basis(&mut proposal.basis);
        proposal
    }

    fn plan(&self, plan: &mut PlanReport) {
        plan.resources.retain(|it| self.sees(&it.name));
        let clusters = &mut plan.clusters;
        clusters.retain(|it| self.sees_pair(&it.set, &it.cluster));
        self.holds(&mut plan.overridden);
        self.objections(&mut plan.objections);
    }

    /// That something stands against a plan may be told; what and where it is may not.
    fn objections(&self, objections: &mut Vec<ObjectionItem>) {
        objections.retain_mut(|it| {
            let is_seen = match &it.cluster {
                Some(cluster) => self.sees_pair(&it.set, cluster),
                None => self.sees_set(&it.set),
            };
            if !is_seen {
                it.cluster = None;
                "something stands against it in a cluster that you may not read"
                    .clone_into(&mut it.reason);
            }
            self.sees_set(&it.set)
        });
        objections.dedup();
    }

    fn basis(&self, basis: &mut Basis) {
        basis.keep(
            |id| self.sees(id),
            |set, cluster| self.sees_pair(set, cluster),
        );
    }

    /// An error without what the caller may not read.
    pub(in crate::app) fn error(&self, mut error: Error) -> Error {
        if self.is_clear() {
            return error;
        }
        self.objections(&mut error.about.objections);
        if let Some(basis) = &mut error.about.basis {
            self.basis(basis);
        }
        error
    }

    /// `found` in everything, where only `seen` is found in what the caller may read: what the others
    /// say would tell of what he may not.
    pub(in crate::app) fn findings(found: Vec<Finding>, seen: &[Finding]) -> Vec<Finding> {
        let found = found.into_iter().map(|finding| {
            if seen.contains(&finding) {
                return finding;
            }
            Finding {
                message: match finding.severity {
                    Severity::Error => "it collides with something that you may not read",
                    Severity::Warning => "it has to do with something that you may not read",
                }
                .to_owned(),
                label: None,
                related: Vec::new(),
                help: Vec::new(),
                ..finding
            }
        });
        found.collect()
    }

    /// The error of a commit that others were faster than; names nothing that may not be read.
    pub(in crate::app) fn failed(&self, error: EngineError) -> Error {
        match &error {
            EngineError::Commit(StoreError::HeadsMoved(heads))
                if !heads.iter().all(|it| self.sees(&it.id)) =>
            {
                let what = "something that you may not read changed since it was looked at";
                Error::new(ErrorKind::Conflict, what)
                    .context("nothing was committed")
                    .hint("someone was faster; diff and apply again")
            }
            _ => error.into(),
        }
    }

    /// Those of `heads` that the caller may read.
    pub(in crate::app) fn readable(&self, heads: &Heads) -> Heads {
        let heads = heads.iter().filter(|(id, _)| self.sees(id));
        heads.map(|(id, head)| (id.clone(), head.clone())).collect()
    }

    /// An observer that hears of nothing else.
    pub(in crate::app) fn observer(self: &Arc<Self>, seen: &Observer) -> Observer {
        if self.is_clear() {
            return seen.clone();
        }
        let (sight, heard, stop) = (Arc::clone(self), seen.clone(), seen.stop());
        let hear = move |event| {
            if let Some(event) = sight.event(event) {
                heard.tell(event);
            }
        };
        Observer::new(Arc::new(hear), stop)
    }

    fn event(&self, event: Event) -> Option<Event> {
        match event {
            Event::Clocks(ClocksOff { mut off, undecided }) => {
                let sees = |whose: &Option<ClusterName>| {
                    whose.as_ref().is_none_or(|name| self.sees_cluster(name))
                };
                off.retain(|(whose, _)| sees(whose));
                (!off.is_empty()).then_some(Event::Clocks(ClocksOff { off, undecided }))
            }
            Event::Proposed(proposal) => Some(Event::Proposed(Box::new(self.proposal(*proposal)))),
            Event::Delivered { set, cluster } => self
                .sees_pair(&set, &cluster)
                .then_some(Event::Delivered { set, cluster }),
            Event::Expired { set, part } => {
                self.sees_set(&set).then_some(Event::Expired { set, part })
            }
            Event::Recounted { set, part, until } => {
                let told = self.sees_set(&set);
                told.then_some(Event::Recounted { set, part, until })
            }
            Event::Unseen { cluster, reason } => self
                .sees_cluster(&cluster)
                .then_some(Event::Unseen { cluster, reason }),
            // Why not may name anything.
            Event::NotExpired { .. } => None,
            Event::NotReconciled { .. } => Some(Event::NotReconciled {
                reason: "clusters could not be looked at".to_owned(),
            }),
            Event::NoStore
            | Event::StoreMade { .. }
            | Event::Surveying { .. }
            | Event::Surveyed
            | Event::Committed
            | Event::Delivering { .. }
            | Event::Unwitnessed => Some(event),
        }
    }
}
