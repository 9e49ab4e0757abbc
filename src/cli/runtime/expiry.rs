//! What is over by the clocks that answer is taken away by whatever runs next.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{ATTEMPTS, Outcomes, approved, settle, stagger, witness};
use crate::cli::declared::clusters;
use crate::cli::environment::Environment;
use crate::cli::failure::{Exit, Failure};
use crate::cli::session::Session;
use crate::cli::views::table::moment;
use crate::cli::works::Works;
use crate::engine::{EngineError, Survey};
use crate::model::{Cause, Heads, Origin, ResourceId, Revision, Selector, SetName, Witness};
use crate::plan::{Desired, Reach};
use crate::store::StoreError;

/// Takes away what is over by `heads`, reports how all of it went, and says what the command ends
/// with.
pub(crate) async fn finish(
    works: &Works<'_>,
    outcomes: Outcomes,
    heads: &Heads,
    clusters: &Selector,
) -> Result<Exit, Failure> {
    let ui = &works.session.ui;
    let due = due(heads, Environment::time());
    let outcomes = match sweep(works, &due, clusters).await {
        Ok(swept) => outcomes.and(swept),
        Err(failure) => {
            not_swept(works.session, &failure);
            outcomes
        }
    };
    ui.report(&outcomes)?;
    if outcomes.exit() == Exit::Incomplete {
        ui.status("not everything is delivered; `cfgctl apply --resume` finishes what is left");
    }
    Ok(works.interrupt.exit().unwrap_or(outcomes.exit()))
}

/// Says so. It is no failure of what was asked for, whose answer comes still.
pub(super) fn not_swept(session: &Session, failure: &Failure) {
    let why = failure.chain().join(": ");
    session
        .ui
        .status(&format!("what is over stays until the next command: {why}"));
}

/// Takes away every override of these sets whose time is over, in a revision of its own. Of several
/// processes that do it at once one succeeds, and the others find nothing left to do.
pub(super) async fn sweep(
    works: &Works<'_>,
    due: &BTreeSet<SetName>,
    clusters: &Selector,
) -> Result<Option<Outcomes>, Failure> {
    let reach = Reach::Named(due.clone());
    let rounds = if due.is_empty() { 0 } else { ATTEMPTS };
    for round in 1..=rounds {
        let survey = works.survey(&Desired::nothing(), &reach, clusters).await?;
        let now = Environment::time();
        let Ended { desired, lines } = ended(&survey, due, now);
        if lines.is_empty() {
            return Ok(None);
        }
        let origin = Origin {
            at: now,
            ..works.session.origin(Cause::Expiry, Some(lines.join("; ")))
        };
        let plan = survey.plan(&desired, &reach, &origin, &BTreeSet::new())?;
        let approved = approved(plan)?;
        match works.carry_out(&survey, &approved).await {
            Ok(reports) => {
                let reports = settle(works, &reach, clusters, reports).await;
                for line in lines {
                    works.session.ui.status(&line);
                }
                return Ok(Some(Outcomes::new(approved.plan(), &reports)));
            }
            Err(EngineError::Commit(StoreError::HeadsMoved(_))) => stagger(round).await,
            Err(error) => return Err(works.interrupt.explain(error.into())),
        }
    }
    Ok(None)
}

/// The sets in which something may be over, or may be counted wrongly, by this machine's clock
/// alone.
fn due(heads: &Heads, now: Timestamp) -> BTreeSet<SetName> {
    let is_due = |head: &Revision| {
        let over = head.overrides.next_expiry().is_some_and(|at| at <= now);
        over || head.overrides.is_miscounted(now)
    };
    heads
        .iter()
        .filter_map(|(id, head)| match id {
            ResourceId::Set(name) if is_due(head) => Some(name.clone()),
            _ => None,
        })
        .collect()
}

/// What is left once everything is taken away that is over.
pub(super) struct Ended {
    desired: Desired,
    /// What is over, and what lasts until another time than was thought.
    pub(super) lines: Vec<String>,
}

/// What is over in these sets, as far as `survey` tells the time.
pub(super) fn ended(survey: &Survey, due: &BTreeSet<SetName>, now: Timestamp) -> Ended {
    let mut desired = Desired::nothing();
    let mut lines = Vec::new();
    let clocks = survey.clocks(now);
    let clusters = clusters(&survey.heads);
    for name in due {
        let Some(head) = survey.heads.get(&ResourceId::Set(name.clone())) else {
            continue;
        };
        // Where some Consul could tell the time and none does, this machine alone is not believed.
        if witness(head.content.set(), &clusters, &clocks) == Witness::Missing {
            continue;
        }
        let mut overrides = head.overrides.clone();
        let recounted = overrides.recount(clocks.setting);
        let expired = overrides.expire(clocks.keeping);
        if recounted.is_empty() && expired.is_empty() {
            continue;
        }
        lines.extend(recounted.into_iter().map(|(part, until)| {
            let until = moment(until);
            format!("counted anew: {part} of {name} lasts until {until}; its time was in doubt")
        }));
        let line = |part| format!("expired: {part} of {name}");
        lines.extend(expired.iter().map(line));
        desired.overrides.insert(name.clone(), overrides);
    }
    Ended { desired, lines }
}
