//! The engine at work for a person at a terminal.

use std::collections::BTreeMap;

use futures_util::future::{Either, select};

use super::failure::Failure;
use super::interrupt::Interrupt;
use super::progress::Progress;
use super::session::{Connector, Session};
use crate::engine::{
    Answers, Asked, Engine, EngineError, Event, Pace, Question, Reconciled, Report, Survey,
};
use crate::model::{
    Cause, Cluster, ClusterName, Origin, Overrides, Revision, Selector, SetName, Version,
};
use crate::plan::{Approved, Denials, Plan};
use crate::store::Store;

/// Where work is done, for whom, and how hard to try.
pub(crate) struct Works<'a> {
    pub(crate) session: &'a Session,
    pub(crate) store: &'a dyn Store,
    pub(crate) interrupt: &'a Interrupt,
    pace: Pace,
    connector: Connector,
}

impl<'a> Works<'a> {
    pub(crate) fn new(
        session: &'a Session,
        store: &'a dyn Store,
        interrupt: &'a Interrupt,
        pace: Pace,
    ) -> Self {
        Self {
            session,
            store,
            interrupt,
            pace,
            connector: session.connector(pace.timeout),
        }
    }

    /// What we may not write of what `plan` has to.
    pub(crate) async fn denials(&self, survey: &Survey, plan: &Plan) -> Result<Denials, Failure> {
        self.with_engine(async |engine| engine.denials(survey, plan).await)
            .await
            .map_err(|error| self.interrupt.explain(error.into()))
    }

    /// What follows for what is asked, as things are now.
    pub(crate) async fn look(
        &self,
        question: &Question<'_>,
        origin: &Origin,
    ) -> Result<(Survey, Plan), Failure> {
        self.with_engine(async |engine| engine.look(question, origin).await)
            .await
            .map_err(|error| self.interrupt.explain(error.into()))
    }

    /// Makes a plan real, in the store and then in every target.
    pub(crate) async fn carry_out(
        &self,
        survey: &Survey,
        approved: &Approved,
    ) -> Result<Vec<Report>, EngineError> {
        let existed = self.store.exists();
        let reports = self
            .with_engine(async |engine| engine.carry_out(survey, approved).await)
            .await;
        if !existed && self.store.exists() {
            let location = self.store.location();
            let ui = &self.session.ui;
            ui.status(&format!("created the store at `{location}`"));
        }
        reports
    }

    /// Commits what is overridden in one set.
    pub(crate) async fn override_set(
        &self,
        set: &SetName,
        head: &Revision,
        overrides: Overrides,
        origin: Origin,
    ) -> Result<Version, EngineError> {
        self.with_engine(async |engine| engine.override_set(set, head, overrides, origin).await)
            .await
    }

    /// Brings the clusters of one set to its head, each for itself.
    pub(crate) async fn reconcile(
        &self,
        set: &SetName,
        only: &Selector,
    ) -> Result<Reconciled, Failure> {
        let origin = self.session.origin(Cause::Apply, None);
        self.with_engine(async |engine| engine.reconcile(set, only, &origin).await)
            .await
            .map_err(|error| self.interrupt.explain(error.into()))
    }

    /// What these clusters say before a switch is committed, within a moment.
    pub(crate) async fn ask(
        &self,
        asked: Asked,
        set: &SetName,
        clusters: &BTreeMap<&ClusterName, &Cluster>,
    ) -> Answers {
        self.with_engine(async |engine| engine.ask(asked, set, clusters).await)
            .await
    }

    /// Gives an engine to `work`, and shows how far it is until that is done.
    async fn with_engine<T>(&self, work: impl AsyncFnOnce(&Engine<'_>) -> T) -> T {
        let Self {
            session,
            store,
            interrupt,
            pace,
            ref connector,
        } = *self;
        let progress = Progress::new(&session.ui);
        let events = |event: Event<'_>| progress.on(&event);
        let engine = Engine {
            store,
            connect: connector,
            pace,
            events: &events,
            interrupt: interrupt.receiver(),
        };
        let mut stop = interrupt.receiver();
        let work = std::pin::pin!(work(&engine));
        let result = match select(work, std::pin::pin!(stop.wait_for(|stop| *stop))).await {
            Either::Left((result, _)) => result,
            // Without handlers there is no sender, and signals end the process anyway.
            Either::Right((Err(_), work)) => work.await,
            Either::Right((Ok(_), work)) => {
                session.ui.status(
                    "stopping: what is begun is finished, nothing new is begun; \
                     once more stops at once",
                );
                work.await
            }
        };
        progress.finish();
        result
    }
}
