//! The application: every operation of [`Service`] over a store and the clusters' targets.
//!
//! There are two roads to a change. What is declared observes first, plans, and commits what was
//! shown (`declare`). What is switched commits first, and looks at clusters afterwards (`switch`).
//! Both end in the engine's one way to deliver. Everything else answers questions.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::api::report::{
    BreakerHistory, BreakerReport, Breakers, ClusterCheck, ClusterSnapshot, ClusterSnapshots,
    Clusters, Drift, Evaluated, Explained, Flags, History, Identity, LineageReport, NewToken,
    Outcome, Policy, Resources, RevisionReport, RevokedTokens, Status, Tokens,
};
use crate::api::{
    Approval, AsOf, BreakerHistoryQuery, BreakerQuery, BreakersQuery, Caller, Change, CheckQuery,
    ClusterQuery, Error, EvaluateQuery, ExplainQuery, FlagsQuery, HistoryQuery, LineageQuery,
    LookQuery, News, Observer, Pace, PolicyQuery, Proposal, Readable, Request, ResourcesQuery,
    RevisionQuery, Service, SnapshotQuery, SnapshotsQuery, TokenOrder, TokenRevocation,
    TokenRotation,
};
use crate::engine::Connect;
use crate::model::{Cluster, ClusterName, ResourceId, Sequence};
use crate::store::Store;

mod again;
mod breakers;
mod clusters;
mod declare;
mod diagnose;
mod door;
mod error;
mod evaluate;
mod expiry;
mod explain;
mod feed;
mod flags;
mod lookup;
mod names;
mod places;
mod policy;
mod present;
mod run;
mod switch;
mod tokens;

use run::Run;
use tokens::Desk;

pub use places::AllowedPlaces;

/// The service beside its store: nothing stands between them.
#[derive(Debug)]
pub struct Local {
    store: Arc<dyn Store>,
    connect: Arc<dyn Connect>,
    clock: fn() -> Timestamp,
    places: AllowedPlaces,
}

impl Local {
    /// The service over `store`, which reaches clusters through `connect` and takes the time from
    /// `clock`.
    pub fn new(store: Arc<dyn Store>, connect: Arc<dyn Connect>, clock: fn() -> Timestamp) -> Self {
        Self {
            store,
            connect,
            clock,
            places: AllowedPlaces::default(),
        }
    }

    /// The same for callers elsewhere too, who may name these places of this machine.
    #[must_use]
    pub fn allowing(self, places: AllowedPlaces) -> Self {
        Self { places, ..self }
    }

    fn run<'a>(&'a self, by: &'a Caller, pace: Pace, seen: &'a Observer) -> Run<'a> {
        let parts = (self.store.as_ref(), self.connect.as_ref(), self.clock);
        Run::new(parts, by, pace, seen)
    }

    fn desk<'a>(&'a self, by: &'a Caller) -> Desk<'a> {
        Desk {
            store: self.store.as_ref(),
            by,
            now: (self.clock)(),
        }
    }
}

#[async_trait]
impl Service for Local {
    fn location(&self) -> String {
        self.store.location()
    }

    async fn plan(
        &self,
        by: &Caller,
        request: &Request,
        seen: &Observer,
    ) -> Result<Proposal, Error> {
        self.places.check_request(by, request)?;
        let run = self.run(by, request.pace, seen);
        match &request.change {
            Change::Flag(change) => switch::propose(&run, request, change).await,
            Change::Breaker(change) => switch::propose(&run, request, change).await,
            Change::Declare(_)
            | Change::Rollback { .. }
            | Change::Delete(_)
            | Change::Reconcile(_) => declare::propose(&run, request).await,
        }
    }

    async fn carry_out(
        &self,
        by: &Caller,
        request: &Request,
        approval: &Approval,
        seen: &Observer,
    ) -> Result<Outcome, Error> {
        self.places.check_request(by, request)?;
        let run = self.run(by, request.pace, seen).asked_for(request);
        if let Some(outcome) = again::again(&run, request).await? {
            return Ok(outcome);
        }
        let outcome = match &request.change {
            Change::Flag(change) => switch::carry_out(&run, request, change, approval).await,
            Change::Breaker(change) => switch::carry_out(&run, request, change, approval).await,
            Change::Declare(_)
            | Change::Rollback { .. }
            | Change::Delete(_)
            | Change::Reconcile(_) => declare::carry_out(&run, request, approval).await,
        };
        again::settled(&run, request, outcome).await
    }

    async fn status(
        &self,
        by: &Caller,
        query: &LookQuery,
        seen: &Observer,
    ) -> Result<Status, Error> {
        diagnose::status(&self.run(by, query.pace, seen), query).await
    }

    async fn drift(&self, by: &Caller, query: &LookQuery, seen: &Observer) -> Result<Drift, Error> {
        diagnose::drift(&self.run(by, query.pace, seen), query).await
    }

    async fn names(&self, _: &Caller) -> Result<Vec<ResourceId>, Error> {
        lookup::names(self.store.as_ref()).await
    }

    async fn resources(&self, _: &Caller, query: &ResourcesQuery) -> Result<Resources, Error> {
        lookup::resources(self.store.as_ref(), query).await
    }

    async fn revision(&self, _: &Caller, query: &RevisionQuery) -> Result<RevisionReport, Error> {
        lookup::revision(self.store.as_ref(), query).await
    }

    async fn history(&self, _: &Caller, query: &HistoryQuery) -> Result<History, Error> {
        lookup::history(self.store.as_ref(), query).await
    }

    async fn explain(&self, _: &Caller, query: &ExplainQuery) -> Result<Explained, Error> {
        explain::explain(self.store.as_ref(), query).await
    }

    async fn flags(
        &self,
        by: &Caller,
        query: &FlagsQuery,
        seen: &Observer,
    ) -> Result<Flags, Error> {
        flags::flags(&self.run(by, query.pace, seen), query).await
    }

    async fn evaluate(&self, _: &Caller, query: &EvaluateQuery) -> Result<Evaluated, Error> {
        evaluate::evaluate(self.store.as_ref(), (self.clock)(), query).await
    }

    async fn breakers(
        &self,
        by: &Caller,
        query: &BreakersQuery,
        seen: &Observer,
    ) -> Result<Breakers, Error> {
        breakers::breakers(&self.run(by, query.pace, seen), query).await
    }

    async fn breaker(
        &self,
        by: &Caller,
        query: &BreakerQuery,
        seen: &Observer,
    ) -> Result<BreakerReport, Error> {
        breakers::breaker(&self.run(by, query.pace, seen), query).await
    }

    async fn breaker_history(
        &self,
        _: &Caller,
        query: &BreakerHistoryQuery,
    ) -> Result<BreakerHistory, Error> {
        breakers::history(self.store.as_ref(), query).await
    }

    async fn clusters(&self, _: &Caller) -> Result<Clusters, Error> {
        clusters::list(self.store.as_ref()).await
    }

    async fn cluster(&self, _: &Caller, query: &ClusterQuery) -> Result<Cluster, Error> {
        clusters::one(self.store.as_ref(), query).await
    }

    async fn check_clusters(
        &self,
        by: &Caller,
        query: &CheckQuery,
        seen: &Observer,
    ) -> Result<ClusterCheck, Error> {
        if let Some(described) = &query.described {
            self.places.check(by, described)?;
        }
        clusters::check(&self.run(by, query.pace, seen), query).await
    }

    async fn policy(&self, _: &Caller, query: &PolicyQuery) -> Result<Policy, Error> {
        policy::policy(self.store.as_ref(), query).await
    }

    async fn snapshots(
        &self,
        _: &Caller,
        query: &SnapshotsQuery,
    ) -> Result<AsOf<ClusterSnapshots>, Error> {
        feed::snapshots(self.store.as_ref(), query).await
    }

    async fn snapshot(
        &self,
        _: &Caller,
        query: &SnapshotQuery,
    ) -> Result<AsOf<ClusterSnapshot>, Error> {
        feed::snapshot(self.store.as_ref(), query).await
    }

    async fn lineage(
        &self,
        _: &Caller,
        query: &LineageQuery,
    ) -> Result<AsOf<LineageReport>, Error> {
        feed::lineage(self.store.as_ref(), query).await
    }

    async fn readable(&self, _: &Caller, _: &ClusterName) -> Result<Readable, Error> {
        Ok(Readable::All)
    }

    async fn wait(&self, _: &Caller, after: Sequence) -> Result<News, Error> {
        feed::wait(self.store.as_ref(), after).await
    }

    async fn identity(&self, by: &Caller) -> Result<Identity, Error> {
        self.desk(by).identity().await
    }

    async fn tokens(&self, by: &Caller) -> Result<Tokens, Error> {
        self.desk(by).list().await
    }

    async fn create_token(&self, by: &Caller, order: &TokenOrder) -> Result<NewToken, Error> {
        self.desk(by).create(order).await
    }

    async fn rotate_token(&self, by: &Caller, rotation: &TokenRotation) -> Result<NewToken, Error> {
        self.desk(by).rotate(rotation).await
    }

    async fn revoke_token(
        &self,
        by: &Caller,
        wanted: &TokenRevocation,
    ) -> Result<RevokedTokens, Error> {
        self.desk(by).revoke(wanted).await
    }
}

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
