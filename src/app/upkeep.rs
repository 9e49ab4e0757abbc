//! Upkeep: what a server does that nobody asks it for.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;

use super::authorise::View;
use super::{Local, expiry, pending, present};
use crate::api::report::{Outcome, State};
use crate::api::{
    Caller, Door as _, Drifted, Error, LogEntry, LookQuery, Noted, Observer, Pace, Reach,
    Service as _, Upkeep,
};
use crate::model::{ClusterName, Selector, SetName, Version};

#[async_trait]
impl Upkeep for Local {
    async fn begin(&self) -> Result<(), Error> {
        self.watch.begin(self.store.as_ref()).await
    }

    async fn undelivered(&self) -> Result<BTreeSet<SetName>, Error> {
        Ok(pending::all(self.store.as_ref()).await?)
    }

    async fn deliver(&self, set: &SetName) -> Result<Outcome, Error> {
        let store = self.store.as_ref();
        let (system, seen) = (Caller::system(), Observer::nobody());
        let view = View::whole(store);
        let run = self.change(&view, &system, Pace::AT_LEISURE, &seen);
        let pending = pending::of(store, set).await?;
        let reconciled = run.reconcile(set, &Selector::default()).await?;
        let outcome = present::reconciled(set, None, Ok(reconciled));
        self.figures.note(&outcome);
        if let Some(pending) = pending.filter(|_| outcome.complete) {
            pending::done(store, set, pending).await?;
        }
        Ok(outcome)
    }

    async fn note_undelivered(
        &self,
        set: &SetName,
        clusters: BTreeMap<ClusterName, String>,
    ) -> Result<(), Error> {
        let set = set.clone();
        self.note_of_system(Noted::Undelivered { set, clusters })
            .await
    }

    async fn look_for_drift(&self, before: &Drifted) -> Result<Drifted, Error> {
        let query = LookQuery {
            sets: Reach::All,
            clusters: Selector::default(),
            pace: Pace::AT_LEISURE,
        };
        let found = self
            .drift(&Caller::system(), &query, &Observer::nobody())
            .await?;
        let mut drifted = Drifted::new();
        // What is behind is on its way.
        let drifted_items = found.clusters.into_iter();
        let drifted_items =
            drifted_items.filter(|it| it.has_drifted() && it.state != State::Behind);
        for item in drifted_items {
            let cause = item.cause.unwrap_or_default();
            drifted
                .entry(item.set)
                .or_default()
                .insert(item.cluster, cause);
        }
        for (set, clusters) in &drifted {
            let known = before.get(set);
            let is_new = |(cluster, cause): &(&ClusterName, &String)| {
                known.and_then(|known| known.get(*cluster)) != Some(*cause)
            };
            let new = clusters.iter().filter(is_new);
            let clusters: BTreeMap<_, _> =
                new.map(|(it, cause)| (it.clone(), cause.clone())).collect();
            if !clusters.is_empty() {
                let set = set.clone();
                self.note_of_system(Noted::Drifted { set, clusters })
                    .await?;
            }
        }
        Ok(drifted)
    }

    async fn expire(&self) -> Result<Vec<(SetName, Version)>, Error> {
        let (system, seen) = (Caller::system(), self.figures.observer(&Observer::nobody()));
        let view = View::whole(self.store.as_ref());
        let run = self.change(&view, &system, Pace::AT_LEISURE, &seen);
        expiry::end_all(&run).await
    }
}

impl Local {
    async fn note_of_system(&self, what: Noted) -> Result<(), Error> {
        let entry = LogEntry {
            by: Some(Caller::system()),
            what,
            message: None,
        };
        self.note(&entry).await
    }
}
