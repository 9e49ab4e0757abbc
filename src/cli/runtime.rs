//! Changes of what is overridden: flags and breakers ask for nothing that could be missing at three
//! in the morning.
//!
//! No file is read, and no cluster is waited for before it is real. What others commit meanwhile is
//! no conflict: the change is made again on top of it. Then every cluster is brought to the head for
//! itself: one that cannot be reached, or that something stands against, holds up no other.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::ask::confirm;
use super::clocks::tell_of_clocks;
use super::declared::clusters;
use super::environment::Environment;
use super::failure::{Exit, Failure};
use super::interrupt::Interrupt;
use super::names::{around, living};
use super::session::Session;
use super::views::outcome::Outcomes;
use super::views::overrides::{Effect, EffectIn, effects};
use super::views::table::moment;
use super::works::Works;
use crate::engine::{Asked, EngineError, Question, clusters_of, stagger};
use crate::model::{
    Cause, Clocks, Cluster, ClusterName, ConfigSet, Connection, Heads, Origin, Overrides, Revision,
    Selector, SetName, Version, Witness,
};
use crate::plan::{Clusters, Desired, Reach};
use crate::store::{Store, StoreError};

mod args;
mod expiry;

pub(crate) use expiry::finish;

use expiry::{due, not_swept, sweep};

pub(crate) use args::{LimitArgs, ReasonArgs, SwitchArgs, WhereArgs, overridden};

/// How often a change is made again on top of what others committed.
const ATTEMPTS: u32 = 100;

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

impl<'a> Scene<'a> {
    fn new(
        set: &'a ConfigSet,
        head: &'a Revision,
        clusters: &'a BTreeMap<&'a ClusterName, &'a Cluster>,
        clocks: Clocks,
    ) -> Self {
        Self {
            set,
            overrides: &head.overrides,
            clusters,
            witness: witness(Some(set), clusters, &clocks),
            clocks,
        }
    }
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

/// Carries `switch` through, as far as the person lets it: it is committed against the head of its
/// set alone, and only then are clusters brought to it, each for itself.
pub(crate) async fn carry_through(
    session: &Session,
    store: &dyn Store,
    switch: &Switch<'_>,
    args: &SwitchArgs,
) -> Result<Exit, Failure> {
    let interrupt = Interrupt::listen();
    let works = Works::new(session, store, &interrupt, args.pace());
    let mut shown = None;
    if !args.yes {
        shown = ask(&works, switch, args).await?;
        if shown.is_none() {
            return Ok(Exit::Done);
        }
    }
    let Some(committed) = commit(&works, switch, args, shown).await? else {
        return Ok(Exit::Done);
    };
    let everywhere = Selector::default();
    let reconciled = works.reconcile(switch.set, &everywhere).await;
    match &reconciled {
        // Nobody was asked for the time before, and now everybody has said it.
        Ok(reconciled) if committed.until.is_none() => {
            let clocks = Clocks::of(Environment::time(), reconciled.clocks.iter().cloned());
            tell_of_clocks(&session.ui, &clocks);
        }
        Ok(_) => {}
        Err(failure) => {
            let why = failure.chain().join(": ");
            let told = format!("it is committed, and no cluster was looked at: {why}");
            session.ui.status(&told);
        }
    }
    let outcomes = Outcomes::reconciled(switch.set, committed.version, reconciled)
        .with_note(committed.note)
        .until(committed.until);
    finish(&works, outcomes, &committed.heads, &everywhere).await
}

/// What was shown to a person.
#[derive(Debug, PartialEq)]
struct Shown {
    /// What the switch itself changes.
    effects: Vec<EffectIn>,
    /// Until when it lasts.
    until: Option<Timestamp>,
}

/// What became real.
#[derive(Debug)]
struct Committed {
    /// The heads that it was decided against.
    heads: Heads,
    /// The new version; `None`: it was like that already.
    version: Option<Version>,
    note: Option<String>,
    until: Option<Timestamp>,
}

/// Shows what would change in every cluster, as it is now, and asks; `None`: it is not to be done.
async fn ask(
    works: &Works<'_>,
    switch: &Switch<'_>,
    args: &SwitchArgs,
) -> Result<Option<Shown>, Failure> {
    let session = works.session;
    if !args.dry_run {
        sweep_before(works, switch.set).await?;
    }
    let heads = around(works.store, [switch.set]).await?;
    let here = clusters_of(switch.set, &heads).map(|(name, _)| name.clone());
    let here = Clusters::Named(here.collect());
    let reach = Reach::Named(BTreeSet::from([switch.set.clone()]));
    let nothing = Desired::nothing();
    let consents = BTreeSet::new();
    let origin = session.origin(switch.cause.clone(), switch.reason.clone());
    let as_it_is = Question {
        desired: &nothing,
        reach: &reach,
        clusters: &here,
        consents: &consents,
    };
    let (survey, _) = works.look(&as_it_is, &origin).await?;
    let (set, head) = living(&survey.heads, switch.set)?;
    let clusters = clusters(&survey.heads);
    let scene = Scene::new(set, head, &clusters, survey.clocks(Environment::time()));
    let edited = (switch.edit)(&scene)?;
    let desired = if edited.overrides == head.overrides {
        nothing
    } else {
        Desired::overridden(switch.set.clone(), edited.overrides.clone())
    };
    let plan = survey.plan(&desired, &reach, &origin, &consents)?;
    let effect = Effect::in_plan(switch.set, &scene, &edited, &plan);
    if args.dry_run {
        session.ui.report(&effect)?;
        return Ok(None);
    }
    tell(session, &scene, &edited);
    session.ui.present(&effect);
    if plan.has_changes() && !confirm(&session.ui, works.interrupt, switch.question).await? {
        session.ui.status("nothing was changed");
        return Ok(None);
    }
    Ok(Some(Shown {
        effects: effects(&scene, &head.overrides, &edited.overrides),
        until: edited.until,
    }))
}

/// Commits `switch`, on top of what others commit meanwhile. What was shown is what is done: where
/// it would be something else by now, it is shown and asked again.
async fn commit(
    works: &Works<'_>,
    switch: &Switch<'_>,
    args: &SwitchArgs,
    mut shown: Option<Shown>,
) -> Result<Option<Committed>, Failure> {
    let session = works.session;
    let mut moved = 0;
    // Time may have passed while a person thought.
    sweep_before(works, switch.set).await?;
    loop {
        let heads = around(works.store, [switch.set]).await?;
        let (set, head) = living(&heads, switch.set)?;
        let clusters = clusters(&heads);
        let alone = Clocks::of(Environment::time(), []);
        let mut scene = Scene::new(set, head, &clusters, alone);
        let mut edited = (switch.edit)(&scene)?;
        let is_news = edited.overrides != head.overrides;
        if is_news || edited.until.is_some() {
            // Only what has a time limit needs to know more than this machine's clock.
            let asked = match edited.until {
                Some(_) => Asked::AccessAndTime,
                None => Asked::Access,
            };
            let here = clusters_of(switch.set, &heads).collect();
            let answers = works.ask(asked, switch.set, &here).await;
            if let Some(why) = answers.denied.filter(|_| is_news) {
                return Err(denied(&why));
            }
            let clocks = Clocks::of(Environment::time(), answers.clocks);
            scene = Scene::new(set, head, &clusters, clocks);
            edited = (switch.edit)(&scene)?;
        }
        let effects = effects(&scene, &head.overrides, &edited.overrides);
        match &shown {
            Some(known) if known.effects == effects => {}
            Some(_) if !args.yes => {
                shown = ask(works, switch, args).await?;
                if shown.is_none() {
                    return Ok(None);
                }
                continue;
            }
            Some(_) => {}
            None => {
                tell(session, &scene, &edited);
                let until = edited.until;
                session
                    .ui
                    .present(&Effect::alone(switch.set, &edited, &effects));
                shown = Some(Shown { effects, until });
            }
        }
        let mut version = None;
        if edited.overrides != head.overrides {
            let origin = Origin {
                at: Environment::time(),
                ..session.origin(switch.cause.clone(), switch.reason.clone())
            };
            let overrides = edited.overrides;
            match works
                .override_set(switch.set, head, overrides, origin)
                .await
            {
                Ok(made) => version = Some(made),
                Err(EngineError::Commit(StoreError::HeadsMoved(_))) if moved < ATTEMPTS => {
                    moved += 1;
                    stagger(moved).await;
                    continue;
                }
                Err(error) => return Err(works.interrupt.explain(error.into())),
            }
        }
        // It is counted from the commit, and a person may have thought for a while.
        let known = shown.and_then(|shown| shown.until);
        if let Some(until) = edited.until.filter(|until| known != Some(*until)) {
            let lasts = format!("it lasts until {}", moment(until));
            session.ui.status(&lasts);
        }
        return Ok(Some(Committed {
            heads,
            version,
            note: edited.note,
            until: edited.until,
        }));
    }
}

/// What a person should know of the clocks that a time limit was counted by.
fn tell(session: &Session, scene: &Scene<'_>, edited: &Edited) {
    tell_of_clocks(&session.ui, &scene.clocks);
    if scene.witness == Witness::Missing && edited.until.is_some() {
        session.ui.status(
            "note: no cluster says what time it is; what is set now is counted anew once one does",
        );
    }
}

/// Takes away what is over of `set`: it must not be taken for what still holds.
async fn sweep_before(works: &Works<'_>, set: &SetName) -> Result<(), Failure> {
    let heads = around(works.store, [set]).await?;
    let mut due = due(&heads, Environment::time());
    due.retain(|due| due == set);
    if let Err(failure) = sweep(works, &due, &Selector::default()).await {
        not_swept(works.session, &failure);
    }
    Ok(())
}

/// Nobody may be told that something is switched which nobody lets us write.
fn denied(why: &str) -> Failure {
    let what = "no cluster that answers lets it be written; nothing was changed";
    Failure::new(Exit::Denied, anyhow::anyhow!("{why}").context(what))
        .hint("`cfgctl cluster policy` prints what a token needs")
}
