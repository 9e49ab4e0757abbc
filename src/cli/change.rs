//! The one way in which anything changes: survey, plan, show, ask, commit, deliver, answer.
//!
//! `apply`, `rollback` and `delete` differ only in what they desire.

use std::collections::{BTreeMap, BTreeSet};

use super::ask::confirm;
use super::clocks::tell_of_clocks;
use super::environment::Environment;
use super::failure::{Exit, Failure};
use super::interrupt::Interrupt;
use super::runtime::finish;
use super::session::{ReachArgs, Session};
use super::views::objection::ObjectionView;
use super::views::outcome::Outcomes;
use super::views::plan::{Detail, PlanView};
use super::works::Works;
use crate::engine::Question;
use crate::model::{Cause, Consent, Origin, Provenance, ResourceId};
use crate::plan::{Clusters, Desired, Objection, Plan, Reach, Reason, SavedPlan, States, approve};
use crate::store::Store;

/// What a person says about a change.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct ConsentArgs {
    /// Do not ask
    #[arg(short, long)]
    yes: bool,

    /// Show what would be done, and do nothing
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,

    /// Why, for the history
    #[arg(short, long, value_name = "TEXT", value_parser = message)]
    message: Option<String>,

    #[command(flatten)]
    gates: GateArgs,
}

/// What a person consents to beyond the plan itself; each is recorded with the revision.
#[derive(Clone, Debug, clap::Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
pub(crate) struct GateArgs {
    /// Take over keys and snapshots that something else wrote
    #[arg(long)]
    adopt: bool,

    /// Delete more than a fifth of a set's keys, or a set as a whole
    #[arg(long)]
    allow_deletes: bool,

    /// Leave our keys in a cluster that is deleted: nothing looks after them any more
    #[arg(long, conflicts_with = "remove_keys")]
    keep_keys: bool,

    /// Remove our keys from a cluster that is deleted, before it is
    #[arg(long)]
    remove_keys: bool,

    /// Let a snapshot become more than twice as large
    #[arg(long)]
    allow_growth: bool,

    /// Take over sets that were declared by another file, or by another repository
    #[arg(long)]
    move_source: bool,

    /// Forget what is switched by hand of flags and breakers that go away, as in
    /// `checkout/express-pay`; may be given several times
    #[arg(long, value_name = "SET/NAME", value_delimiter = ',', value_parser = super::names::part)]
    drop_overrides: Vec<String>,
}

impl ConsentArgs {
    /// The flags and breakers whose overrides may go.
    pub(crate) fn dropped(&self) -> BTreeSet<String> {
        self.gates.dropped()
    }

    /// Whether anything is said at all.
    pub(crate) fn is_given(&self) -> bool {
        let Self {
            yes,
            dry_run,
            message,
            gates,
        } = self;
        *yes || *dry_run || message.is_some() || !gates.consents().is_empty()
    }
}

impl GateArgs {
    /// The flags and breakers whose overrides may go.
    pub(crate) fn dropped(&self) -> BTreeSet<String> {
        self.drop_overrides.iter().cloned().collect()
    }

    pub(crate) fn consents(&self) -> BTreeSet<Consent> {
        let given = [
            (self.adopt, Consent::Adopt),
            (self.allow_deletes, Consent::AllowDeletes),
            (self.keep_keys, Consent::KeepKeys),
            (self.remove_keys, Consent::RemoveKeys),
            (self.allow_growth, Consent::AllowGrowth),
            (self.move_source, Consent::MoveSource),
            (!self.drop_overrides.is_empty(), Consent::DropOverrides),
        ];
        given
            .into_iter()
            .filter(|(given, _)| *given)
            .map(|(_, consent)| consent)
            .collect()
    }
}

/// The longest message, in bytes: every snapshot carries it.
const MAX_MESSAGE_BYTES: usize = 1000;

pub(crate) fn message(input: &str) -> Result<String, String> {
    if input.len() > MAX_MESSAGE_BYTES {
        return Err(format!(
            "it has {} bytes, the limit is {MAX_MESSAGE_BYTES}",
            input.len()
        ));
    }
    if input.contains(|c: char| c.is_control() && c != '\n') {
        return Err("it has control characters".to_owned());
    }
    Ok(input.to_owned())
}

impl ConsentArgs {
    /// Those of `ids` that may be deleted: each is asked for, unless nobody is to be asked.
    pub(crate) async fn confirm_each(
        &self,
        session: &Session,
        ids: Vec<ResourceId>,
    ) -> Result<Vec<ResourceId>, Failure> {
        if self.yes || self.dry_run {
            return Ok(ids);
        }
        let interrupt = Interrupt::listen();
        let mut confirmed = Vec::new();
        for id in ids {
            let question = format!("{id} is not in the files. Delete it?");
            if confirm(&session.ui, &interrupt, &question).await? {
                confirmed.push(id);
            }
        }
        Ok(confirmed)
    }
}

/// What should change.
#[derive(Debug)]
pub(crate) struct Change {
    /// What should become of which resources.
    pub(crate) desired: Desired,
    /// Which sets to look at beyond those.
    pub(crate) reach: Reach,
    /// What makes it.
    pub(crate) cause: Cause,
    /// Where it was written.
    pub(crate) provenances: BTreeMap<ResourceId, Provenance>,
    /// What is consented to by asking for it in so many words.
    pub(crate) consents: BTreeSet<Consent>,
    /// The plan that was shown before; nothing is done if it would be another one now.
    pub(crate) saved: Option<SavedPlan>,
}

/// Carries `change` through, as far as the person lets it.
pub(crate) async fn carry_through(
    session: &Session,
    store: &dyn Store,
    change: &Change,
    reach: &ReachArgs,
    consent: &ConsentArgs,
) -> Result<Exit, Failure> {
    let ui = &session.ui;
    let interrupt = Interrupt::listen();
    let Change {
        desired,
        reach: sets,
        cause,
        provenances,
        consents,
        saved,
    } = change;
    let consents = consents | &consent.gates.consents();

    let works = Works::new(session, store, &interrupt, reach.pace());
    let origin = Origin {
        planned: saved.as_ref().map(|saved| saved.wish.planned.clone()),
        ..session.origin(cause.clone(), consent.message.clone())
    };
    let asked = Question {
        desired,
        reach: sets,
        clusters: &Clusters::Matching(reach.clusters.clone()),
        consents: &consents,
    };
    let (survey, mut plan) = works.look(&asked, &origin).await?;
    reach.check(&survey.heads, desired)?;
    tell_of_clocks(ui, &survey.clocks(Environment::time()));
    plan.attach(provenances, &survey.heads, &consents);

    session.tell_of_nothing(store, &plan);
    if let Some(saved) = saved {
        unmoved(saved, &plan, &survey.states())?;
    }

    plan.deny(&works.denials(&survey, &plan).await?);

    if consent.dry_run {
        ui.report(&PlanView::new(&plan, Detail::Full))?;
        return refusal(&plan).map_or(Ok(Exit::Done), Err);
    }
    if plan.has_changes() || !plan.objections.is_empty() {
        ui.present(&PlanView::new(&plan, Detail::Brief));
    }
    if let Some(refusal) = refusal(&plan) {
        return Err(if store.exists() {
            refusal
        } else {
            // Whoever mistyped its name must not be led to take over from the right one.
            let place = store.location();
            refusal.hint(format!(
                "there is no store at `{place}` yet: see that it is the one you mean first"
            ))
        });
    }
    if plan.has_changes()
        && !consent.yes
        && !confirm(ui, &interrupt, &question(cause, &plan)).await?
    {
        ui.status("nothing was changed");
        return Ok(Exit::Done);
    }
    let approved = match approve(plan) {
        Ok(approved) => approved,
        Err(plan) => return refusal(&plan).map_or(Ok(Exit::Refused), Err),
    };

    let reports = works.carry_out(&survey, &approved).await;
    let reports = reports.map_err(|error| interrupt.explain(error.into()))?;
    let outcomes = Outcomes::new(approved.plan(), &reports);
    finish(&works, outcomes, &survey.heads, &reach.clusters).await
}

/// What a person is asked once the plan was shown.
fn question(cause: &Cause, plan: &Plan) -> String {
    match (cause, &plan.resources[..]) {
        (Cause::Rollback { to }, [change]) => format!(
            "Roll {} back to the content of version {to}, as version {}?",
            change.id.name(),
            change.version
        ),
        (Cause::Delete, [change]) => format!("Delete {}?", change.id),
        _ => "Do this?".to_owned(),
    }
}

/// Whether `plan` still is the one that was saved.
fn unmoved(saved: &SavedPlan, plan: &Plan, states: &States) -> Result<(), Failure> {
    let moved = saved.moved(plan, states);
    if moved.is_empty() {
        return Ok(());
    }
    let error = anyhow::anyhow!(
        "the plan of {} does not hold any more; nothing was changed: {}",
        saved.wish.planned.at,
        moved.join("; ")
    );
    Err(Failure::new(Exit::Conflict, error).hint("look again: `cfgctl diff -f … --out FILE`"))
}

/// What stands against the plan, as a failure that names the flags which answer it.
pub(crate) fn refusal(plan: &Plan) -> Option<Failure> {
    if plan.objections.is_empty() {
        return None;
    }
    let overridden = plan.objections.iter().filter_map(|it| match &it.reason {
        Reason::Overridden { set, part } => Some(format!("{set}/{}", part.name())),
        _ => None,
    });
    let overridden: Vec<String> = overridden.collect();
    let error = anyhow::anyhow!("the plan is refused; nothing was changed");
    let is_denied = |it: &Objection| matches!(it.reason, Reason::Denied { .. });
    let exit = if plan.objections.iter().any(is_denied) {
        Exit::Denied
    } else {
        Exit::Refused
    };
    let failure = Failure {
        objections: plan.objections.iter().map(ObjectionView::new).collect(),
        ..Failure::new(exit, error)
    };
    let hints: BTreeSet<_> = plan
        .objections
        .iter()
        .map(|it| hint(it, &overridden))
        .collect();
    Some(hints.into_iter().fold(failure, Failure::hint))
}

/// What answers an objection. `overridden` names everything that would be lost.
fn hint(objection: &Objection, overridden: &[String]) -> String {
    match (objection.reason.answer(), &objection.reason) {
        (Some(Consent::DropOverrides), _) => format!(
            "reset or unset it first, or pass `--drop-overrides {}`",
            overridden.join(",")
        ),
        (Some(keep @ Consent::KeepKeys), Reason::KeepsKeys { .. }) => format!(
            "`{}` removes our keys there first, `{}` leaves them there",
            Consent::RemoveKeys.flag(),
            keep.flag()
        ),
        (Some(keep @ Consent::KeepKeys), _) => format!(
            "try again when the cluster can be looked at, or pass `{}`: what is there stays there",
            keep.flag()
        ),
        (Some(consent @ Consent::MoveSource), _) => format!(
            "keep one of the two; if it is this one, pass `{}`",
            consent.flag()
        ),
        (Some(consent), _) => format!(
            "if that is what you want, pass `{}`; `--clusters` leaves clusters out",
            consent.flag()
        ),
        (None, Reason::Denied { .. }) => "a token that may write is needed, as `cfgctl cluster \
             policy` prints it; `--clusters` leaves clusters out"
            .to_owned(),
        (None, _) => "make the set smaller, or raise the limits of the cluster".to_owned(),
    }
}
