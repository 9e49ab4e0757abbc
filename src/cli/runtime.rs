//! Changes of what is overridden: flags and breakers take the same road as files, but ask for
//! nothing that could be missing at three in the morning.
//!
//! No file is read. What others commit meanwhile is no conflict: the change is made again on top of
//! it. A cluster that cannot be reached, or that something stands against, holds up no other.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::ask::confirm;
use super::change::refusal;
use super::declared::clusters;
use super::environment::Environment;
use super::failure::{Exit, Failure};
use super::interrupt::Interrupt;
use super::names::known_set;
use super::session::Session;
use super::views::outcome::Outcomes;
use super::views::overrides::Effect;
use super::works::with_engine;
use crate::engine::{EngineError, Pace, Report, Survey};
use crate::model::{
    Cause, Clocks, Cluster, ClusterName, ConfigSet, Heads, Overrides, ResourceId, Revision,
    Selector, SetName,
};
use crate::plan::{Approved, Desired, Plan, Reach, approve_where_possible};
use crate::store::{Store, StoreError};

mod args;

pub(crate) use args::{LimitArgs, ReasonArgs, SwitchArgs, WhereArgs, overridden};

/// How often a change is made again on top of what others committed.
const ATTEMPTS: usize = 20;
/// How often a delivery that met another one is repeated.
const DELIVERIES: usize = 5;
/// Clocks that are further apart are worth a word.
const TOLERATED_SPREAD: SignedDuration = SignedDuration::from_secs(60);

/// What a change starts from, each time that it is made.
#[derive(Debug)]
pub(crate) struct Scene<'a> {
    /// What is declared.
    pub(crate) set: &'a ConfigSet,
    /// What is overridden now.
    pub(crate) overrides: &'a Overrides,
    /// Every cluster.
    pub(crate) clusters: &'a BTreeMap<&'a ClusterName, &'a Cluster>,
    /// What time it is.
    pub(crate) clocks: Clocks,
}

/// What should be overridden from now on, and what a person should know about it.
pub(crate) type Edited = (Overrides, Option<String>);

/// A change of what is overridden in one set.
pub(crate) struct Switch<'a> {
    pub(crate) set: &'a SetName,
    pub(crate) cause: Cause,
    pub(crate) reason: Option<String>,
    /// What a person is asked once it was shown.
    pub(crate) question: &'a str,
    /// Makes the change; called again on top of what others commit meanwhile.
    pub(crate) edit: &'a (dyn Fn(&Scene<'_>) -> Result<Edited, Failure> + Sync),
}

/// Carries `switch` through, as far as the person lets it.
pub(crate) async fn carry_through(
    session: &Session,
    store: &dyn Store,
    switch: &Switch<'_>,
    args: &SwitchArgs,
) -> Result<Exit, Failure> {
    let interrupt = Interrupt::listen();
    let origin = session.origin(switch.cause.clone(), switch.reason.clone());
    let reach = Reach::Named(BTreeSet::from([switch.set.clone()]));
    let mut consented = false;
    for attempt in 1.. {
        let survey = look(session, store, &reach, args.pace(), &interrupt).await?;
        let head = living(&survey, switch.set)?;
        let clusters = clusters(&survey.heads);
        let clocks = survey.clocks(session.environment.now);
        let scene = Scene {
            set: head.0,
            overrides: &head.1.overrides,
            clusters: &clusters,
            clocks,
        };
        let (overrides, note) = (switch.edit)(&scene)?;
        let desired = if overrides == head.1.overrides {
            Desired::nothing()
        } else {
            Desired::overridden(switch.set.clone(), overrides.clone())
        };
        let plan = survey.plan(&desired, &reach, &origin, &BTreeSet::new())?;
        let effect = Effect::new(switch.set, &scene, &overrides, note);
        if args.dry_run {
            session.ui.report(&effect)?;
            return Ok(Exit::Done);
        }
        if !consented {
            warn_of_clocks(session, clocks);
            session.ui.present(&effect);
            let asks = !args.yes && !plan.commit.revisions.is_empty();
            if asks && !confirm(&session.ui, &interrupt, switch.question).await? {
                session.ui.status("nothing was changed");
                return Ok(Exit::Done);
            }
            consented = true;
        }
        let approved = approved(plan)?;
        match carry_out(session, store, &survey, &approved, args.pace(), &interrupt).await {
            Ok(reports) => {
                let reports = settle(session, store, &reach, reports, args.pace(), &interrupt);
                let outcomes = Outcomes::new(approved.plan(), &reports.await);
                session.ui.report(&outcomes)?;
                if outcomes.exit() == Exit::Incomplete {
                    session.ui.status(
                        "not everywhere delivered; `cfgctl apply --resume` finishes what is left",
                    );
                }
                let swept = sweep(session, store, &interrupt, args.pace()).await;
                if let Err(failure) = swept {
                    session.ui.failure(&failure);
                }
                return Ok(interrupt.exit().unwrap_or(outcomes.exit()));
            }
            Err(EngineError::Commit(StoreError::HeadsMoved(_))) if attempt < ATTEMPTS => {}
            Err(error) => return Err(interrupt.explain(error.into())),
        }
    }
    Ok(Exit::Conflict)
}

/// The set as it is declared, and its head.
fn living<'a>(
    survey: &'a Survey,
    name: &SetName,
) -> Result<(&'a ConfigSet, &'a Revision), Failure> {
    let id = known_set(&survey.heads, name)?;
    let head = survey.heads.get(&id);
    head.and_then(|head| Some((head.content.set()?, head)))
        .ok_or_else(|| Failure::usage(format!("{id} was deleted")))
}

async fn look(
    session: &Session,
    store: &dyn Store,
    reach: &Reach,
    pace: Pace,
    interrupt: &Interrupt,
) -> Result<Survey, Failure> {
    let everywhere = Selector::default();
    let survey = with_engine(session, store, pace, interrupt, async |engine| {
        engine.survey(&Desired::nothing(), reach, &everywhere).await
    });
    survey
        .await
        .map_err(|error| interrupt.explain(error.into()))
}

async fn carry_out(
    session: &Session,
    store: &dyn Store,
    survey: &Survey,
    approved: &Approved,
    pace: Pace,
    interrupt: &Interrupt,
) -> Result<Vec<Report>, EngineError> {
    with_engine(session, store, pace, interrupt, async |engine| {
        engine.carry_out(survey, approved).await
    })
    .await
}

/// A plan that is held up by nothing in single clusters.
fn approved(plan: Plan) -> Result<Approved, Failure> {
    approve_where_possible(plan).map_err(|plan| {
        refusal(&plan).unwrap_or_else(|| {
            let error = anyhow::anyhow!("the plan declares something new; nothing was changed");
            Failure::new(Exit::Refused, error)
        })
    })
}

/// Writes again where somebody else wrote at the same time: a rollout under way, or another trip.
async fn settle(
    session: &Session,
    store: &dyn Store,
    reach: &Reach,
    mut reports: Vec<Report>,
    pace: Pace,
    interrupt: &Interrupt,
) -> Vec<Report> {
    let origin = session.origin(Cause::Apply, None);
    for _ in 0..DELIVERIES {
        if !reports.iter().any(Report::met_another) || interrupt.exit().is_some() {
            break;
        }
        let Ok(survey) = look(session, store, reach, pace, interrupt).await else {
            break;
        };
        let plan = survey.plan(&Desired::nothing(), reach, &origin, &BTreeSet::new());
        let Some(approved) = plan.ok().and_then(|plan| approve_where_possible(plan).ok()) else {
            break;
        };
        let again = carry_out(session, store, &survey, &approved, pace, interrupt).await;
        if let Ok(again) = again {
            for report in &mut reports {
                if let Some(newer) = again.iter().find(|newer| newer.pair == report.pair) {
                    *report = newer.clone();
                }
            }
        }
    }
    reports
}

fn warn_of_clocks(session: &Session, clocks: Clocks) {
    if clocks.spread > TOLERATED_SPREAD {
        session.ui.status(&format!(
            "note: the clocks of this machine and of the clusters are {:#} apart; time limits \
             follow the middle one, and end late rather than early",
            SignedDuration::from_secs(clocks.spread.as_secs())
        ));
    }
}

/// Takes away every override whose time is over, in a revision of its own. Of several processes
/// that do it at once one succeeds, and the others find nothing left to do.
pub(crate) async fn sweep(
    session: &Session,
    store: &dyn Store,
    interrupt: &Interrupt,
    pace: Pace,
) -> Result<(), Failure> {
    let origin = session.origin(Cause::Expiry, None);
    for _ in 0..ATTEMPTS {
        let now = Environment::time();
        let due = due(&store.heads().await?, now);
        if due.is_empty() {
            return Ok(());
        }
        let reach = Reach::Named(due.clone());
        let survey = look(session, store, &reach, pace, interrupt).await?;
        let (desired, expired) = expired(&survey, &due, survey.clocks(now));
        if expired.is_empty() {
            return Ok(());
        }
        let plan = survey.plan(&desired, &reach, &origin, &BTreeSet::new())?;
        let approved = approved(plan)?;
        match carry_out(session, store, &survey, &approved, pace, interrupt).await {
            Ok(reports) => {
                let reports = settle(session, store, &reach, reports, pace, interrupt).await;
                for line in expired {
                    session.ui.status(&line);
                }
                if !reports.iter().all(|report| report.outcome.is_settled()) {
                    session.ui.status(
                        "not everywhere delivered; `cfgctl apply --resume` finishes what is left",
                    );
                }
                return Ok(());
            }
            Err(EngineError::Commit(StoreError::HeadsMoved(_))) => {}
            Err(error) => return Err(interrupt.explain(error.into())),
        }
    }
    Ok(())
}

/// The sets in which something may be over, by this machine's clock alone.
fn due(heads: &Heads, now: Timestamp) -> BTreeSet<SetName> {
    let is_due = |head: &Revision| head.overrides.next_expiry().is_some_and(|at| at <= now);
    heads
        .iter()
        .filter_map(|(id, head)| match id {
            ResourceId::Set(name) if is_due(head) => Some(name.clone()),
            _ => None,
        })
        .collect()
}

/// What is left once everything is taken away that is over, and what that was.
fn expired(survey: &Survey, due: &BTreeSet<SetName>, clocks: Clocks) -> (Desired, Vec<String>) {
    let mut desired = Desired::nothing();
    let mut lines = Vec::new();
    for name in due {
        let Some(head) = survey.heads.get(&ResourceId::Set(name.clone())) else {
            continue;
        };
        let mut overrides = head.overrides.clone();
        let parts = overrides.expire(clocks.keeping);
        if !parts.is_empty() {
            lines.extend(
                parts
                    .iter()
                    .map(|part| format!("expired: {part} of {name}")),
            );
            desired.overrides.insert(name.clone(), overrides);
        }
    }
    (desired, lines)
}
