//! The application: every operation of [`Service`] over a store and the clusters' targets.
//!
//! There are two roads to a change. What is declared observes first, plans, and commits what was
//! shown (`declare`). What is switched commits first, and looks at clusters afterwards (`switch`).
//! Both end in the engine's one way to deliver. Everything else answers questions.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::api::report::{
    AccessReport, AlertTest, Alerts, AlertsTaken, AuditLog, BreakerHistory, BreakerReport,
    Breakers, ClusterCheck, ClusterSnapshot, ClusterSnapshots, Clusters, Drift, Evaluated,
    Explained, Flags, History, Identity, LineageReport, NewToken, Notifications, Outcome, Policy,
    Resources, RevisionReport, RevokedTokens, Status, Tokens, VerifiedLog,
};
use crate::api::{
    AccessQuery, AlertTestQuery, AlertsQuery, Approval, AsOf, AuditQuery, BreakerHistoryQuery,
    BreakerQuery, BreakersQuery, Caller, Change, CheckQuery, ClusterQuery, Error, EvaluateQuery,
    ExplainQuery, FlagsQuery, HistoryQuery, LineageQuery, LookQuery, News, Observer, Pace,
    PolicyQuery, Principal, Proposal, Readable, Request, ResourcesQuery, RevisionQuery, Service,
    SnapshotQuery, SnapshotsQuery, TokenOrder, TokenRevocation, TokenRotation, VerifyQuery,
};
use crate::engine::Connect;
use crate::model::{
    Alert, Cluster, ClusterName, Heads, Identified, ResourceId, Role, Sequence, TokenKind,
};
use crate::store::Store;

mod again;
mod alerts;
mod audit;
mod auth;
mod authorise;
mod breakers;
mod clusters;
mod declare;
mod diagnose;
mod door;
mod entries;
mod error;
mod evaluate;
mod expiry;
mod explain;
mod feed;
mod figures;
mod flags;
mod happenings;
mod logins;
mod lookup;
mod names;
mod notifications;
mod pending;
mod places;
mod policy;
mod present;
mod run;
mod switch;
mod tokens;
mod upkeep;

use authorise::{Access, View};
use figures::Figures;
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
    figures: Figures,
    watch: alerts::Watch,
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
            figures: Figures::default(),
            watch: alerts::Watch::default(),
        }
    }

    /// The same for callers elsewhere too, who may name these places of this machine.
    #[must_use]
    pub fn allowing(self, places: AllowedPlaces) -> Self {
        Self { places, ..self }
    }

    /// The store as `by` sees it.
    async fn view(&self, by: &Caller) -> Result<View<'_>, Error> {
        Ok(View::of(self.store.as_ref(), by).await?)
    }

    /// What a caller sees of what goes to `cluster`: an agent sees all of its own, and nothing else. An
    /// application sees nothing by this: what is its own is asked for by name.
    async fn view_in(&self, by: &Caller, cluster: &ClusterName) -> Result<View<'_>, Error> {
        let store = self.store.as_ref();
        match &by.principal {
            Principal::Token(holder) if holder.kind == TokenKind::Agent => {
                Ok(if holder.cluster.as_ref() == Some(cluster) {
                    View::whole(store)
                } else {
                    View::with(
                        store,
                        Access::granted(Heads::new(), by.actor(), &Identified::default()),
                    )
                })
            }
            _ => self.view(by).await,
        }
    }

    /// A change at work: over the store as it is.
    fn change<'a>(
        &'a self,
        view: &View<'a>,
        by: &'a Caller,
        pace: Pace,
        seen: &'a Observer,
    ) -> Run<'a> {
        let parts = (self.store.as_ref(), self.connect.as_ref(), self.clock);
        Run::new(parts, by, view.clone(), pace, seen)
    }

    /// A question at work: over the store as whoever asks sees it.
    fn question<'a>(
        &'a self,
        view: &'a View<'a>,
        by: &'a Caller,
        pace: Pace,
        seen: &'a Observer,
    ) -> Run<'a> {
        let parts: (&dyn Store, _, _) = (view, self.connect.as_ref(), self.clock);
        Run::new(parts, by, view.clone(), pace, seen)
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
        let view = self.view(by).await?;
        let sight = view.sight();
        let seen = sight.observer(seen);
        let run = self.change(&view, by, request.pace, &seen);
        let proposal = match &request.change {
            Change::Flag(change) => switch::propose(&run, request, change).await,
            Change::Breaker(change) => switch::propose(&run, request, change).await,
            Change::Declare(_)
            | Change::Rollback { .. }
            | Change::Delete(_)
            | Change::Reconcile(_) => declare::propose(&run, request).await,
        };
        proposal
            .map(|proposal| sight.proposal(proposal))
            .map_err(|error| sight.error(error))
    }

    async fn carry_out(
        &self,
        by: &Caller,
        request: &Request,
        approval: &Approval,
        seen: &Observer,
    ) -> Result<Outcome, Error> {
        self.places.check_request(by, request)?;
        let view = self.view(by).await?;
        let sight = view.sight();
        let seen = self.figures.observer(&sight.observer(seen));
        let run = self
            .change(&view, by, request.pace, &seen)
            .asked_for(request)
            .counted_by(&self.figures);
        let outcome = if let Some(outcome) = again::again(&run, request).await? {
            Ok(outcome)
        } else {
            let outcome = match &request.change {
                Change::Flag(change) => switch::carry_out(&run, request, change, approval).await,
                Change::Breaker(change) => switch::carry_out(&run, request, change, approval).await,
                Change::Declare(_)
                | Change::Rollback { .. }
                | Change::Delete(_)
                | Change::Reconcile(_) => declare::carry_out(&run, request, approval).await,
            };
            again::settled(&run, request, outcome).await
        };
        let outcome = outcome.map_err(|error| sight.error(error))?;
        self.figures.note(&outcome);
        view.learn(authorise::named(&outcome)).await;
        Ok(sight.outcome(outcome))
    }

    async fn status(
        &self,
        by: &Caller,
        query: &LookQuery,
        seen: &Observer,
    ) -> Result<Status, Error> {
        let view = self.view(by).await?;
        let run = self.question(&view, by, query.pace, seen);
        let found = diagnose::status(&run, query).await?;
        Ok(view.sight().status(found))
    }

    async fn drift(&self, by: &Caller, query: &LookQuery, seen: &Observer) -> Result<Drift, Error> {
        let view = self.view(by).await?;
        let run = self.question(&view, by, query.pace, seen);
        let found = diagnose::drift(&run, query).await?;
        Ok(view.sight().drift(found))
    }

    async fn names(&self, by: &Caller) -> Result<Vec<ResourceId>, Error> {
        lookup::names(&self.view(by).await?).await
    }

    async fn resources(&self, by: &Caller, query: &ResourcesQuery) -> Result<Resources, Error> {
        let view = self.view(by).await?;
        let found = lookup::resources(&view, query).await?;
        Ok(view.sight().resources(found))
    }

    async fn revision(&self, by: &Caller, query: &RevisionQuery) -> Result<RevisionReport, Error> {
        let mut view = self.view(by).await?;
        if let ResourceId::Set(set) = &query.name {
            view = view.about(set);
        }
        lookup::revision(&view, query).await
    }

    async fn history(&self, by: &Caller, query: &HistoryQuery) -> Result<History, Error> {
        lookup::history(&self.view(by).await?, query).await
    }

    async fn explain(&self, by: &Caller, query: &ExplainQuery) -> Result<Explained, Error> {
        let view = self.view(by).await?.about(&query.set);
        explain::explain(&view, query).await
    }

    async fn flags(
        &self,
        by: &Caller,
        query: &FlagsQuery,
        seen: &Observer,
    ) -> Result<Flags, Error> {
        let mut view = self.view(by).await?;
        if let Some(set) = &query.set {
            view = view.about(set);
        }
        let run = self.question(&view, by, query.pace, seen);
        let found = flags::flags(&run, query).await?;
        Ok(view.sight().flags(found))
    }

    async fn evaluate(&self, by: &Caller, query: &EvaluateQuery) -> Result<Evaluated, Error> {
        let view = self.view(by).await?.about(&query.set);
        evaluate::evaluate(&view, (self.clock)(), query).await
    }

    async fn breakers(
        &self,
        by: &Caller,
        query: &BreakersQuery,
        seen: &Observer,
    ) -> Result<Breakers, Error> {
        let mut view = self.view(by).await?;
        if let Some(set) = &query.set {
            view = view.about(set);
        }
        let run = self.question(&view, by, query.pace, seen);
        let found = breakers::breakers(&run, query).await?;
        Ok(view.sight().breakers(found))
    }

    async fn breaker(
        &self,
        by: &Caller,
        query: &BreakerQuery,
        seen: &Observer,
    ) -> Result<BreakerReport, Error> {
        let view = self.view(by).await?.about(&query.set);
        let run = self.question(&view, by, query.pace, seen);
        breakers::breaker(&run, query).await
    }

    async fn breaker_history(
        &self,
        by: &Caller,
        query: &BreakerHistoryQuery,
    ) -> Result<BreakerHistory, Error> {
        let view = self.view(by).await?.about(&query.set);
        breakers::history(&view, query).await
    }

    async fn take_alerts(&self, by: &Caller, alerts: &[Alert]) -> Result<AlertsTaken, Error> {
        let store = self.store.as_ref();
        alerts::check_may_tell(store, by).await?;
        let seen = Observer::nobody();
        let run = self.change(&View::whole(store), by, Pace::AT_LEISURE, &seen);
        let taken = alerts::take(&run, &self.watch, alerts).await?;
        self.figures.note_alerts(&taken);
        Ok(taken)
    }

    async fn test_alerts(&self, by: &Caller, query: &AlertTestQuery) -> Result<AlertTest, Error> {
        let view = self.view(by).await?.about(&query.set);
        alerts::test(&view, self.store.as_ref(), (self.clock)(), query).await
    }

    async fn alerts(&self, by: &Caller, query: &AlertsQuery) -> Result<Alerts, Error> {
        let view = self.view(by).await?;
        alerts::list(&view, self.store.as_ref(), &self.watch, query).await
    }

    async fn clusters(&self, by: &Caller) -> Result<Clusters, Error> {
        clusters::list(&self.view(by).await?).await
    }

    async fn cluster(&self, by: &Caller, query: &ClusterQuery) -> Result<Cluster, Error> {
        clusters::one(&self.view(by).await?, query).await
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
        let view = self.view(by).await?;
        clusters::may_check(&view, query).await?;
        let view = view.at(Role::Admin);
        clusters::check(&self.question(&view, by, query.pace, seen), query).await
    }

    async fn policy(&self, by: &Caller, query: &PolicyQuery) -> Result<Policy, Error> {
        let view = self.view(by).await?;
        policy::may_ask(&view, query).await?;
        policy::policy(&view, query).await
    }

    async fn access(&self, by: &Caller, query: &AccessQuery) -> Result<AccessReport, Error> {
        let view = self.view(by).await?;
        auth::access(&view, self.store.as_ref(), by, query).await
    }

    async fn snapshots(
        &self,
        by: &Caller,
        query: &SnapshotsQuery,
    ) -> Result<AsOf<ClusterSnapshots>, Error> {
        let readable = self.readable(by, query).await?;
        let found = feed::snapshots(self.store.as_ref(), query).await;
        let mut found = match (by.app(), found) {
            (Some(app), Err(error)) => return Err(feed::untold(error, app)),
            (_, found) => found?,
        };
        found.answer.sets.retain(|item| readable.has(&item.name));
        Ok(found)
    }

    async fn snapshot(
        &self,
        by: &Caller,
        query: &SnapshotQuery,
    ) -> Result<AsOf<ClusterSnapshot>, Error> {
        let store = self.store.as_ref();
        if let Some(app) = by.app() {
            if app.set_in(&query.cluster) != Some(&query.set) {
                return Err(feed::not_of(app));
            }
            let found = feed::snapshot(store, query).await;
            return found.map_err(|error| feed::untold(error, app));
        }
        let view = self.view_in(by, &query.cluster).await?.about(&query.set);
        feed::snapshot(&view, query).await
    }

    async fn lineage(
        &self,
        by: &Caller,
        query: &LineageQuery,
    ) -> Result<AsOf<LineageReport>, Error> {
        let view = self.view_in(by, &query.cluster).await?.about(&query.set);
        feed::lineage(&view, query).await
    }

    async fn readable(&self, by: &Caller, query: &SnapshotsQuery) -> Result<Readable, Error> {
        if let Some(app) = by.app() {
            let own = app.set_in(&query.cluster);
            // What becomes of a set that is named, its snapshot says.
            if own.is_none() && query.sets.is_none() {
                return Err(feed::not_of(app));
            }
            return Ok(Readable::Only(own.cloned().into_iter().collect()));
        }
        let view = self.view_in(by, &query.cluster).await?;
        feed::readable(&view, query).await
    }

    async fn wait(&self, by: &Caller, after: Sequence) -> Result<News, Error> {
        let news = feed::wait(self.store.as_ref(), after).await?;
        let access = Access::of(self.store.as_ref(), by).await?;
        // That something changed is no secret, but what did.
        let changed = news.changed.filter(|_| access.is_everything());
        Ok(News { changed, ..news })
    }

    async fn identity(&self, by: &Caller) -> Result<Identity, Error> {
        self.desk(by).identity().await
    }

    async fn audit(&self, by: &Caller, query: &AuditQuery) -> Result<AuditLog, Error> {
        audit::check_may(self.store.as_ref(), by).await?;
        audit::list(self.store.as_ref(), query).await
    }

    async fn verify(&self, by: &Caller, query: &VerifyQuery) -> Result<VerifiedLog, Error> {
        audit::check_may(self.store.as_ref(), by).await?;
        audit::verify(self.store.as_ref(), query).await
    }

    async fn notifications(&self, by: &Caller) -> Result<Notifications, Error> {
        notifications::notifications(self.store.as_ref(), by).await
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
