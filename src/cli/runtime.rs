//! Changes of what is overridden: flags and breakers take the same road as files, but ask for
//! nothing that could be missing at three in the morning.
//!
//! No file is read. What others commit meanwhile is no conflict: the change is made again on top of
//! it. A cluster that cannot be reached, or that something stands against, holds up no other.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::ask::confirm;
use super::change::refusal;
use super::declared::clusters;
use super::environment::Environment;
use super::failure::{Exit, Failure};
use super::interrupt::Interrupt;
use super::names::living;
use super::session::Session;
use super::views::outcome::Outcomes;
use super::views::overrides::{Effect, EffectIn};
use super::works::Works;
use crate::engine::{EngineError, Report, Survey};
use crate::model::{
    Cause, Clocks, Cluster, ClusterName, ConfigSet, Connection, Heads, Origin, Overrides,
    ResourceId, Revision, Selector, SetName,
};
use crate::plan::{Approved, Desired, Plan, Reach, approve_where_possible};
use crate::store::{Store, StoreError};

mod args;

pub(crate) use args::{LimitArgs, ReasonArgs, SwitchArgs, WhereArgs, overridden};

/// How often a change is made again on top of what others committed.
const ATTEMPTS: u32 = 100;
/// How often a delivery that met another one is repeated.
const DELIVERIES: u32 = 25;
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
    let works = Works {
        session,
        store,
        interrupt: &interrupt,
        pace: args.pace(),
    };
    let everywhere = Selector::default();
    let mut swept = args.dry_run;
    let reach = Reach::Named(BTreeSet::from([switch.set.clone()]));
    let mut shown: Option<Vec<EffectIn>> = None;
    let mut moved = 0;
    loop {
        let survey = works
            .survey(&Desired::nothing(), &reach, &everywhere)
            .await?;
        let now = Environment::time();
        // What is over must not be taken for what still holds.
        if !swept && due(&survey.heads, now).contains(switch.set) {
            swept = true;
            let only = BTreeSet::from([switch.set.clone()]);
            if let Err(failure) = sweep(&works, &only, &everywhere).await {
                not_swept(session, &failure);
            }
            continue;
        }
        let (set, head) = living(&survey.heads, switch.set)?;
        let clusters = clusters(&survey.heads);
        let clocks = survey.clocks(now);
        let scene = Scene {
            set,
            overrides: &head.overrides,
            clusters: &clusters,
            clocks,
        };
        let (overrides, note) = (switch.edit)(&scene)?;
        let desired = if overrides == head.overrides {
            Desired::nothing()
        } else {
            Desired::overridden(switch.set.clone(), overrides.clone())
        };
        let origin = Origin {
            at: now,
            ..session.origin(switch.cause.clone(), switch.reason.clone())
        };
        let plan = survey.plan(&desired, &reach, &origin, &BTreeSet::new())?;
        let effect = Effect::new(switch.set, &scene, &overrides, &plan, note);
        if args.dry_run {
            session.ui.report(&effect)?;
            return Ok(Exit::Done);
        }
        // Time passes while a person thinks, so what is consented to is made again; what was shown
        // is what is done.
        if shown.as_ref() != Some(&effect.effects) && (!args.yes || shown.is_none()) {
            warn_of_clocks(session, clocks);
            session.ui.present(&effect);
            shown = Some(effect.effects);
            if !args.yes && plan.has_changes() {
                if !confirm(&session.ui, &interrupt, switch.question).await? {
                    session.ui.status("nothing was changed");
                    return Ok(Exit::Done);
                }
                continue;
            }
        }
        // One cluster that takes it is enough: the others are told of. Where none does that
        // answered, it is a change of somebody who may make none.
        let denials = works.denials(&survey, &plan).await?;
        if let Some(why) = plan.denied_everywhere(&denials) {
            return Err(denied(&why));
        }
        let approved = approved(plan)?;
        match works.carry_out(&survey, &approved).await {
            Ok(reports) => {
                let reports = settle(&works, &reach, &everywhere, reports).await;
                let outcomes = Outcomes::new(approved.plan(), &reports).with_note(effect.note);
                return finish(&works, outcomes, &survey.heads, &everywhere).await;
            }
            Err(EngineError::Commit(StoreError::HeadsMoved(_))) if moved < ATTEMPTS => {
                moved += 1;
                stagger(moved).await;
            }
            Err(error) => return Err(interrupt.explain(error.into())),
        }
    }
}

/// Waits a moment, and longer each time: half of it is chance, so that many who met do not meet
/// again.
async fn stagger(round: u32) {
    let most = 5 * round.min(40);
    let millis = f64::from(most) * (0.5 + fastrand::f64() / 2.0);
    tokio::time::sleep(Duration::from_secs_f64(millis / 1000.0)).await;
}

/// Writes again where somebody else wrote at the same time: a rollout under way, or another trip.
async fn settle(
    works: &Works<'_>,
    reach: &Reach,
    clusters: &Selector,
    mut reports: Vec<Report>,
) -> Vec<Report> {
    let nothing = Desired::nothing();
    let origin = works.session.origin(Cause::Apply, None);
    for round in 1..=DELIVERIES {
        if !reports.iter().any(Report::met_another) || works.interrupt.exit().is_some() {
            break;
        }
        stagger(round).await;
        let Ok(survey) = works.survey(&nothing, reach, clusters).await else {
            break;
        };
        let plan = survey.plan(&nothing, reach, &origin, &BTreeSet::new());
        let Some(approved) = plan.ok().and_then(|plan| approve_where_possible(plan).ok()) else {
            break;
        };
        if let Ok(again) = works.carry_out(&survey, &approved).await {
            for report in &mut reports {
                if let Some(newer) = again.iter().find(|newer| newer.pair == report.pair) {
                    *report = newer.clone();
                }
            }
        }
    }
    reports
}

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
fn not_swept(session: &Session, failure: &Failure) {
    let why = failure.chain().join(": ");
    session
        .ui
        .status(&format!("what is over stays until the next command: {why}"));
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

/// Nobody may be told that something is switched which nobody lets us write.
fn denied(why: &str) -> Failure {
    let what = "no cluster that answers lets it be written; nothing was changed";
    Failure::new(Exit::Denied, anyhow::anyhow!("{why}").context(what))
        .hint("`cfgctl cluster policy` prints what a token needs")
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

/// Takes away every override of these sets whose time is over, in a revision of its own. Of several
/// processes that do it at once one succeeds, and the others find nothing left to do.
async fn sweep(
    works: &Works<'_>,
    due: &BTreeSet<SetName>,
    clusters: &Selector,
) -> Result<Option<Outcomes>, Failure> {
    let reach = Reach::Named(due.clone());
    let rounds = if due.is_empty() { 0 } else { ATTEMPTS };
    for round in 1..=rounds {
        let survey = works.survey(&Desired::nothing(), &reach, clusters).await?;
        let now = Environment::time();
        let (desired, expired) = expired(&survey, due, now);
        if expired.is_empty() {
            return Ok(None);
        }
        let origin = Origin {
            at: now,
            ..works.session.origin(Cause::Expiry, None)
        };
        let plan = survey.plan(&desired, &reach, &origin, &BTreeSet::new())?;
        let approved = approved(plan)?;
        match works.carry_out(&survey, &approved).await {
            Ok(reports) => {
                let reports = settle(works, &reach, clusters, reports).await;
                for line in expired {
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
fn expired(survey: &Survey, due: &BTreeSet<SetName>, now: Timestamp) -> (Desired, Vec<String>) {
    let mut desired = Desired::nothing();
    let mut lines = Vec::new();
    let clocks = survey.clocks(now);
    let clusters = clusters(&survey.heads);
    for name in due {
        let Some(head) = survey.heads.get(&ResourceId::Set(name.clone())) else {
            continue;
        };
        // Where some Consul could tell the time and none does, this machine alone is not believed.
        let set = head.content.set();
        let in_consuls = clusters.values().any(|cluster| {
            matches!(cluster.connection, Connection::Consul(_))
                && set.is_some_and(|set| set.clusters.matches(&cluster.labels))
        });
        if in_consuls && clocks.witnesses == 0 {
            continue;
        }
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
