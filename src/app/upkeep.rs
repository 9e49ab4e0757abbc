//! Upkeep: what a server does that nobody asks it for.

use std::collections::BTreeSet;

use async_trait::async_trait;

use super::authorise::View;
use super::{Local, expiry, present};
use crate::api::report::Outcome;
use crate::api::{Caller, Error, Observer, Pace, Upkeep};
use crate::model::{ResourceId, Selector, SetName};
use crate::store::Which;

#[async_trait]
impl Upkeep for Local {
    async fn deliver(&self, set: &SetName) -> Result<Outcome, Error> {
        let (system, seen) = (Caller::system(), Observer::nobody());
        let view = View::whole(self.store.as_ref());
        let run = self.change(&view, &system, Pace::AT_LEISURE, &seen);
        let reconciled = run.reconcile(set, &Selector::default()).await?;
        let outcome = present::reconciled(set, None, Ok(reconciled));
        self.figures.note(&outcome);
        Ok(outcome)
    }

    async fn expire(&self) -> Result<Option<Outcome>, Error> {
        let (system, seen) = (Caller::system(), self.figures.observer(&Observer::nobody()));
        let view = View::whole(self.store.as_ref());
        let run = self.change(&view, &system, Pace::AT_LEISURE, &seen);
        let outcome = expiry::sweep_all(&run).await?;
        if let Some(outcome) = &outcome {
            self.figures.note(outcome);
        }
        Ok(outcome)
    }

    async fn opened_by_alerts(&self) -> Result<BTreeSet<SetName>, Error> {
        let heads = self.store.heads(&Which::All).await?.heads;
        let opened = heads.into_iter().filter_map(|(id, head)| {
            let ResourceId::Set(set) = id else {
                return None;
            };
            let mut openings = head.overrides.openings.iter();
            openings.any(|it| it.alerts.is_some()).then_some(set)
        });
        Ok(opened.collect())
    }
}
