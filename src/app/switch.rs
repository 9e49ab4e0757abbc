//! Switches: flags and breakers, which ask for nothing that could be missing at three in the morning.
//!
//! No file is read, and no cluster is waited for before it is real. What others commit meanwhile is
//! no conflict: the change is made again on top of it. Then every cluster is brought to the head for
//! itself: one that cannot be reached, or that something stands against, holds up no other.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::declare::moved_on;
use super::names::{around, clusters, living};
use super::run::Run;
use super::{expiry, present};
use crate::api::report::{EffectIn, Outcome};
use crate::api::{
    Approval, Basis, Error, ErrorKind, Event, Permission, PlanToken, Preview, Proposal, Request,
};
use crate::engine::{Asked, EngineError, Overriding, Question, clusters_of, stagger};
use crate::model::{
    Cause, Clocks, Cluster, ClusterName, ConfigSet, Heads, ResourceId, ResourceKind, Revision,
    Role, Selector, SetName, Stamp, Version, Witness,
};
use crate::plan::{ClusterScope, Desired, Ground, Reach, Switch, SwitchError, Switched};
use crate::store::StoreError;

/// How often a change is made again on top of what others committed.
const ATTEMPTS: u32 = 100;

/// What would change in every cluster, as it is now.
pub(super) async fn propose(
    run: &Run<'_>,
    request: &Request,
    change: &impl Switch,
) -> Result<Proposal, Error> {
    let name = change.set();
    let heads = found(run, name).await?;
    let role = match request.permission {
        Permission::Asked => Role::Operator,
        Permission::Unasked => Role::Viewer,
    };
    // Who may not do it himself is shown what it does where he may read it: that a selector matches
    // anything else would tell of clusters that are not there for him.
    let is_narrow = request.permission == Permission::Unasked
        && change.clusters().is_some()
        && first_try(run, request, change, Role::Operator, (&heads, false)) != Ok(true);
    // Nobody waits for a cluster to be told that there is no such flag.
    first_try(run, request, change, role, (&heads, is_narrow))?;
    let here = clusters_of(name, &heads).map(|(cluster, _)| cluster);
    let here = here.filter(|cluster| !is_narrow || sees(run, cluster));
    let here = here.cloned();
    let reach = Reach::Named(BTreeSet::from([name.clone()]));
    let nothing = Desired::nothing();
    let consents = BTreeSet::new();
    // Nothing is carried out, so the origin is never written anywhere.
    let origin = run.origin(Cause::Apply, None);
    let as_it_is = Question {
        desired: &nothing,
        reach: &reach,
        clusters: &ClusterScope::Named(here.collect()),
        consents: &consents,
    };
    let (survey, _) = run.look(&as_it_is, None, &origin).await?;
    let (set, head) = living(&survey.heads, name)?;
    let clusters = around_of(run, &survey.heads, is_narrow);
    let clocks = survey.clocks(run.now());
    // What is over goes before anything is switched.
    let ended = expiry::ended(head, &clusters, &clocks);
    let overrides = ended.map_or_else(|| head.overrides.clone(), |ended| ended.overrides);
    let ground = Ground::new(name, set, &overrides, &clusters, clocks);
    check_chosen(run, change, role, &ground)?;
    let switched = change.switch(&ground, stamp(run, &ground, request))?;
    run.access()
        .check_switch(role, &ground, &switched.overrides)?;
    let desired = if switched.overrides == head.overrides {
        nothing
    } else {
        Desired::overridden(name.clone(), switched.overrides.clone())
    };
    let plan = survey.plan(&desired, &reach, &origin, &consents)?;
    tell(run, &ground, &switched);
    let effects = present::differences(&ground, &overrides, &switched.overrides);
    Ok(Proposal {
        preview: Preview::Effect(present::in_plan(&ground, &switched, &plan)),
        cause: switched.cause.clone(),
        changes: plan.has_changes(),
        undeclared: Vec::new(),
        warnings: Vec::new(),
        refusal: None,
        token: token(name, &effects),
        basis: Basis::of_head(name, head.version),
    })
}

/// What someone consents to who consents to a switch: what it changes by itself in every cluster. A
/// commit by others that changes nothing about that is no reason to ask again.
fn token(set: &SetName, effects: &[EffectIn]) -> PlanToken {
    PlanToken::of(&(set, effects))
}

/// What became real.
#[derive(Debug)]
struct Made {
    /// The heads that it was decided against.
    heads: Heads,
    /// The new version; `None`: it was like that already.
    version: Option<Version>,
    note: Option<String>,
    until: Option<Timestamp>,
}

/// Commits the switch against the head of its set alone, and only then brings clusters to it, each
/// for itself.
pub(super) async fn carry_out(
    run: &Run<'_>,
    request: &Request,
    change: &impl Switch,
    approval: &Approval,
) -> Result<Outcome, Error> {
    let heads = found(run, change.set()).await?;
    first_try(run, request, change, Role::Operator, (&heads, false))?;
    let is_said = |request: &Request| {
        let said = request.message.as_ref();
        said.is_some_and(|message| !message.as_str().trim().is_empty())
    };
    if change.needs_reason() && !is_said(request) {
        return Err(
            Error::invalid("why is it switched? there is no reason given")
                .hint("say it with `--reason TEXT`"),
        );
    }
    let made = commit(run, request, change, approval).await?;
    let everywhere = Selector::default();
    let reconciled = run.reconcile(change.set(), &everywhere).await;
    match &reconciled {
        // Nobody was asked for the time before, and now everybody has said it.
        Ok(reconciled) if made.until.is_none() => {
            let clocks = Clocks::of(run.now(), reconciled.clocks.iter().cloned());
            run.tell_clocks(&clocks);
        }
        Ok(_) => {}
        Err(error) => {
            let reason = crate::plan::chain(error);
            run.seen.tell(Event::NotReconciled { reason });
        }
    }
    let outcome = Outcome {
        note: made.note,
        until: made.until,
        ..present::reconciled(change.set(), made.version, reconciled)
    };
    Ok(expiry::finish(run, outcome, &made.heads, &everywhere).await)
}

/// The heads of a set that whoever asks may know of, and of all clusters.
async fn found(run: &Run<'_>, set: &SetName) -> Result<Heads, Error> {
    living(&around(run.view(), [set]).await?, set)?;
    let heads = around(run.store(), [set]).await?;
    run.sight().learn(&heads);
    Ok(heads)
}

/// The clusters that the store knows; where it `is_narrow`, those that whoever asks may read.
fn around_of<'h>(
    run: &Run<'_>,
    heads: &'h Heads,
    is_narrow: bool,
) -> BTreeMap<&'h ClusterName, &'h Cluster> {
    let mut clusters = clusters(heads);
    clusters.retain(|name, _| !is_narrow || sees(run, name));
    clusters
}

fn sees(run: &Run<'_>, cluster: &ClusterName) -> bool {
    run.sight().sees(&ResourceId::Cluster(cluster.clone()))
}

/// Refuses clusters of which whoever asks may read none, as what matches none at all, and those with
/// others that he may not read, before anything is told of these.
fn check_chosen(
    run: &Run<'_>,
    change: &impl Switch,
    role: Role,
    ground: &Ground<'_>,
) -> Result<(), Error> {
    let Some(chosen) = change.clusters().filter(|_| !run.access().is_everything()) else {
        return Ok(());
    };
    let matching = ground.here().filter(|(_, it)| chosen.matches(&it.labels));
    let (seen, hidden): (BTreeMap<_, _>, BTreeMap<_, _>) =
        matching.partition(|(name, _)| sees(run, name));
    if seen.is_empty() {
        return Err(SwitchError::NoCluster(chosen.clone()).into());
    }
    let set = (ground.name, ground.set);
    run.access().check_pairs(role, set, &hidden)
}

/// Refuses what makes no sense whatever time it is, and what is not allowed as far as that is clear
/// already: whether it is clear. Where it `is_narrow`, there are only clusters that may be read.
fn first_try(
    run: &Run<'_>,
    request: &Request,
    change: &impl Switch,
    role: Role,
    (heads, is_narrow): (&Heads, bool),
) -> Result<bool, Error> {
    let (set, head) = living(heads, change.set())?;
    let clusters = around_of(run, heads, is_narrow);
    let clocks = Clocks::of(run.now(), []);
    let ground = Ground::new(change.set(), set, &head.overrides, &clusters, clocks);
    check_chosen(run, change, role, &ground)?;
    let Some(switched) = alone(run, request, change, (set, head), &clusters)? else {
        return Ok(false);
    };
    run.access()
        .check_switch(role, &ground, &switched.overrides)?;
    Ok(true)
}

/// What would follow by this machine's clock alone; `None`: by that clock the time is over, which
/// others may know better.
fn alone(
    run: &Run<'_>,
    request: &Request,
    change: &impl Switch,
    (set, head): (&ConfigSet, &Revision),
    clusters: &BTreeMap<&ClusterName, &Cluster>,
) -> Result<Option<Switched>, Error> {
    let clocks = Clocks::of(run.now(), []);
    let ground = Ground::new(change.set(), set, &head.overrides, clusters, clocks);
    match change.switch(&ground, stamp(run, &ground, request)) {
        Ok(switched) => Ok(Some(switched)),
        Err(SwitchError::Over { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// What time it is, as far as the change depends on it; whether anything may be written is asked on
/// the way.
async fn clocks(
    run: &Run<'_>,
    request: &Request,
    change: &impl Switch,
    heads: &Heads,
) -> Result<Clocks, Error> {
    let (set, head) = living(heads, change.set())?;
    let alone = alone(run, request, change, (set, head), &clusters(heads))?;
    let is_news = (alone.as_ref()).is_none_or(|it| it.overrides != head.overrides);
    // Only what has a time limit needs to know more than this machine's clock.
    let asked = match alone.map(|it| it.until) {
        Some(None) if !is_news => return Ok(Clocks::of(run.now(), [])),
        Some(None) => Asked::Access,
        Some(Some(_)) | None => Asked::AccessAndTime,
    };
    let here = clusters_of(change.set(), heads).collect();
    let answers = run.ask(asked, change.set(), &here).await;
    if let Some(why) = answers.denied.filter(|_| is_news) {
        return Err(denied(&why));
    }
    Ok(Clocks::of(run.now(), answers.clocks))
}

fn stamp(run: &Run<'_>, ground: &Ground<'_>, request: &Request) -> Stamp {
    Stamp {
        actor: run.actor().to_owned(),
        since: ground.clocks.setting,
        reason: request
            .message
            .as_ref()
            .map(|message| message.as_str().to_owned()),
    }
}

/// Commits the change, on top of what others commit meanwhile.
async fn commit(
    run: &Run<'_>,
    request: &Request,
    change: &impl Switch,
    approval: &Approval,
) -> Result<Made, Error> {
    let name = change.set();
    let mut moved = 0;
    let mut is_told = false;
    // Time may have passed while a person thought. What was shown was shown by the clocks of all
    // clusters, and whoever was shown it has waited for them already.
    let asked = match approval {
        Approval::Unseen => Asked::AccessAndTime,
        Approval::Exactly(_) => Asked::TimeAtLeisure,
    };
    expiry::sweep_before(run, name, asked).await?;
    loop {
        let heads = around(run.store(), [name]).await?;
        let (set, head) = living(&heads, name)?;
        let clusters = clusters(&heads);
        let clocks = clocks(run, request, change, &heads).await?;
        let ground = Ground::new(name, set, &head.overrides, &clusters, clocks);
        check_chosen(run, change, Role::Operator, &ground)?;
        let switched = change.switch(&ground, stamp(run, &ground, request))?;
        run.access()
            .check_switch(Role::Operator, &ground, &switched.overrides)?;
        let is_news = switched.overrides != head.overrides;
        let effects = present::differences(&ground, &head.overrides, &switched.overrides);
        if let Approval::Exactly(shown) = approval
            && *shown != token(name, &effects)
        {
            return Err(moved_on(Basis::of_head(name, head.version)));
        }
        if !is_told {
            tell(run, &ground, &switched);
            let proposal = proposal(&ground, head.version, &switched, effects, is_news);
            run.seen.tell(Event::Proposed(Box::new(proposal)));
            is_told = true;
        }
        let mut version = None;
        if is_news {
            let overriding = Overriding {
                set: name,
                head,
                overrides: switched.overrides.clone(),
                origin: run.origin(switched.cause.clone(), request.message.as_ref()),
                key: request.key.clone(),
                guards: BTreeMap::new(),
                records: BTreeMap::new(),
            };
            let permitted = run.access().permit_switch(overriding, &clusters)?;
            match run.override_set(permitted).await {
                Ok(made) => version = made,
                Err(EngineError::Commit(StoreError::HeadsMoved(heads))) if moved < ATTEMPTS => {
                    // What was allowed may be no more.
                    if heads.iter().any(|it| it.id.kind() == ResourceKind::Grant) {
                        return Err(StoreError::HeadsMoved(heads).into());
                    }
                    moved += 1;
                    stagger(moved).await;
                    continue;
                }
                Err(error) => return Err(error.into()),
            }
        }
        return Ok(Made {
            note: switched.note,
            until: switched.until,
            heads,
            version,
        });
    }
}

/// What the switch does by itself, whatever clusters hold.
fn proposal(
    ground: &Ground<'_>,
    version: Version,
    switched: &Switched,
    effects: Vec<EffectIn>,
    changes: bool,
) -> Proposal {
    Proposal {
        token: token(ground.name, &effects),
        preview: Preview::Effect(present::alone(ground, switched, effects)),
        cause: switched.cause.clone(),
        changes,
        undeclared: Vec::new(),
        warnings: Vec::new(),
        refusal: None,
        basis: Basis::of_head(ground.name, version),
    }
}

/// What a person should know of the clocks that a time limit was counted by.
fn tell(run: &Run<'_>, ground: &Ground<'_>, switched: &Switched) {
    run.tell_clocks(&ground.clocks);
    if ground.witness == Witness::Missing && switched.until.is_some() {
        run.seen.tell(Event::Unwitnessed);
    }
}

/// Nobody may be told that something is switched which nobody lets us write.
fn denied(why: &str) -> Error {
    let what = "no cluster that answers lets it be written; nothing was changed";
    Error::new(ErrorKind::Denied, why)
        .context(what)
        .hint("`cfgctl cluster policy` prints what a token needs")
}
