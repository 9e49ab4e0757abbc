//! Changes of what is overridden: flags and breakers take the same road as files, but ask for
//! nothing that could be missing at three in the morning.
//!
//! No file is read. What others commit meanwhile is no conflict: the change is made again on top of
//! it. A cluster that cannot be reached, or that something stands against, holds up no other.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;

use super::ask::confirm;
use super::change::refusal;
use super::clocks::tell_of_clocks;
use super::declared::clusters;
use super::environment::Environment;
use super::failure::{Exit, Failure};
use super::interrupt::Interrupt;
use super::names::living;
use super::session::Session;
use super::views::outcome::Outcomes;
use super::views::overrides::{Effect, EffectIn};
use super::views::table::moment;
use super::works::Works;
use crate::engine::{EngineError, Report};
use crate::model::{
    Cause, Clocks, Cluster, ClusterName, ConfigSet, Connection, Origin, Overrides, Selector,
    SetName, Witness,
};
use crate::plan::{Approved, Desired, Plan, Reach, approve_where_possible};
use crate::store::{Store, StoreError};

mod args;
mod expiry;

pub(crate) use expiry::finish;

use expiry::{ended, not_swept, sweep};

pub(crate) use args::{LimitArgs, ReasonArgs, SwitchArgs, WhereArgs, overridden};

/// How often a change is made again on top of what others committed.
const ATTEMPTS: u32 = 100;
/// How often a delivery that met another one is repeated.
const DELIVERIES: u32 = 25;

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
    /// Who confirms it.
    pub(crate) witness: Witness,
}

/// What should be overridden from now on.
pub(crate) struct Edited {
    pub(crate) overrides: Overrides,
    /// What a person should know about it.
    pub(crate) note: Option<String>,
    /// Until when it lasts by itself.
    pub(crate) until: Option<Timestamp>,
}

impl Edited {
    /// What lasts until someone takes it back.
    pub(crate) fn new(overrides: Overrides, note: Option<String>) -> Self {
        Self {
            overrides,
            note,
            until: None,
        }
    }
}

/// Who confirms what time it is where `set` goes: one of its Consuls, if it goes to any.
fn witness(
    set: Option<&ConfigSet>,
    clusters: &BTreeMap<&ClusterName, &Cluster>,
    clocks: &Clocks,
) -> Witness {
    let in_consuls = clusters.values().any(|cluster| {
        matches!(cluster.connection, Connection::Consul(_))
            && set.is_some_and(|set| set.clusters.matches(&cluster.labels))
    });
    if in_consuls && clocks.witnesses() == 0 {
        Witness::Missing
    } else {
        Witness::Present
    }
}

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
    let mut shown: Option<(Vec<EffectIn>, Option<Timestamp>)> = None;
    let mut moved = 0;
    loop {
        let survey = works
            .survey(&Desired::nothing(), &reach, &everywhere)
            .await?;
        let now = Environment::time();
        // What is over must not be taken for what still holds.
        let only = BTreeSet::from([switch.set.clone()]);
        if !swept && !ended(&survey, &only, now).lines.is_empty() {
            swept = true;
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
            witness: witness(Some(set), &clusters, &clocks),
            clocks,
        };
        let edited = (switch.edit)(&scene)?;
        let overrides = &edited.overrides;
        let desired = if *overrides == head.overrides {
            Desired::nothing()
        } else {
            Desired::overridden(switch.set.clone(), overrides.clone())
        };
        let origin = Origin {
            at: now,
            ..session.origin(switch.cause.clone(), switch.reason.clone())
        };
        let plan = survey.plan(&desired, &reach, &origin, &BTreeSet::new())?;
        let effect = Effect::new(switch.set, &scene, &edited, &plan);
        if args.dry_run {
            session.ui.report(&effect)?;
            return Ok(Exit::Done);
        }
        // Time passes while a person thinks, so what is consented to is made again; what was shown
        // is what is done.
        let is_news = shown
            .as_ref()
            .is_none_or(|(known, _)| *known != effect.effects);
        if is_news && (!args.yes || shown.is_none()) {
            tell_of_clocks(&session.ui, &scene.clocks);
            if scene.witness == Witness::Missing && edited.until.is_some() {
                session.ui.status(
                    "note: no cluster says what time it is; what is set now is counted anew once \
                     one does",
                );
            }
            session.ui.present(&effect);
            shown = Some((effect.effects, edited.until));
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
                // It is counted from the commit, and a person may have thought for a while.
                let shown = shown.and_then(|(_, until)| until);
                if let Some(until) = edited.until.filter(|until| shown != Some(*until)) {
                    session
                        .ui
                        .status(&format!("it lasts until {}", moment(until)));
                }
                let outcomes = Outcomes::new(approved.plan(), &reports)
                    .with_note(edited.note)
                    .until(edited.until);
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
