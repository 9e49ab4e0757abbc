//! The one way in which a declared change is made: plan, show, ask, carry out, answer.
//!
//! `apply`, `rollback`, `delete` and `drift --repair` differ only in what they ask for.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::ask::confirm;
use super::connect::Connected;
use super::declared;
use super::failure::{Exit, Failure};
use super::follow::{Follower, Proposals, present};
use super::interrupt::Interrupt;
use super::session::{ReachArgs, Session};
use super::views::plan::{Detail, PlanView};
use crate::api::report::{Outcome, PlanReport};
use crate::api::{
    Approval, Basis, Change, Error, Message, PartName, Permission, Preview, Proposal, Request,
    RevisionQuery, SavedPlan,
};
use crate::manifest::{self, Loaded};
use crate::model::{Cause, Consent, ResourceId, Version};

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
    #[arg(short, long, value_name = "TEXT")]
    message: Option<Message>,

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
    #[arg(long, value_name = "SET/NAME", value_delimiter = ',')]
    drop_overrides: Vec<PartName>,
}

impl ConsentArgs {
    /// Whether any overrides may go.
    pub(crate) fn drops(&self) -> bool {
        !self.gates.drop_overrides.is_empty()
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
    fn dropped(&self) -> BTreeSet<PartName> {
        self.drop_overrides.iter().cloned().collect()
    }

    fn consents(&self) -> BTreeSet<Consent> {
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

impl ConsentArgs {
    /// The request for `change` in the clusters of `reach`.
    pub(crate) fn request(&self, change: Change, reach: &ReachArgs) -> Request {
        Request {
            message: self.message.clone(),
            permission: Permission::Asked,
            ..self.gates.request(change, reach)
        }
    }
}

impl GateArgs {
    /// The same where nothing is to be written.
    pub(crate) fn request(&self, change: Change, reach: &ReachArgs) -> Request {
        Request {
            change,
            clusters: reach.clusters.clone(),
            consents: self.consents(),
            dropped: self.dropped(),
            message: None,
            key: None,
            planned: None,
            permission: Permission::Unasked,
            pace: reach.pace(),
        }
    }
}

/// Where what is declared was written, so that what is wrong with it can be shown there.
#[derive(Clone, Debug)]
pub(crate) enum DeclaredIn {
    /// In these files.
    Files(Arc<Loaded>),
    /// In an older revision of this resource.
    InHistory(ResourceId),
    /// Nothing new is declared.
    Nowhere,
}

/// A declared change at work, for a person or a pipeline.
#[derive(Debug)]
pub(crate) struct Changing<'a> {
    session: &'a Session,
    connected: &'a Connected,
    written: DeclaredIn,
}

impl<'a> Changing<'a> {
    pub(crate) fn new(session: &'a Session, connected: &'a Connected, written: DeclaredIn) -> Self {
        Self {
            session,
            connected,
            written,
        }
    }

    /// What `request` would do; what is to be said of it is shown.
    pub(crate) async fn plan(
        &self,
        request: &Request,
        interrupt: &Interrupt,
    ) -> Result<Proposal, Failure> {
        let Connected { service, by } = self.connected;
        let follower = Follower::new(&self.session.ui, interrupt);
        let observer = follower.observer(Proposals::Known);
        let proposal = follower.until(service.plan(by, request, &observer)).await;
        let proposal = match proposal {
            Ok(proposal) => proposal,
            Err(error) => return Err(interrupt.explain(self.explain(error).await)),
        };
        self.warn(&proposal).await;
        if follower.has_no_store() && request.permission == Permission::Unasked {
            let location = service.location();
            self.session.ui.status(&format!(
                "there is no store at `{location}` yet; this is compared with nothing"
            ));
        }
        self.tell_of_nothing(&proposal, &follower);
        Ok(proposal)
    }

    /// Says which store was looked at, where there is nothing to show of what lies in it.
    fn tell_of_nothing(&self, proposal: &Proposal, follower: &Follower<'_>) {
        let is_empty = match &proposal.preview {
            Preview::Plan(plan) => plan.clusters.is_empty() && plan.resources.is_empty(),
            Preview::Effect(_) => false,
        };
        if is_empty && !follower.has_no_store() {
            self.session.looked_in(&self.connected.service.location());
        }
    }

    /// Carries `request` through, as far as the person lets it; if it is a plan that was `saved`,
    /// exactly as that was shown or not at all.
    pub(crate) async fn carry_through(
        &self,
        request: &Request,
        consent: &ConsentArgs,
        saved: Option<&SavedPlan>,
    ) -> Result<Exit, Failure> {
        let interrupt = Interrupt::listen();
        let Connected { service, by } = self.connected;
        let (approval, basis, proposals) = if consent.yes {
            let token = saved.map(|saved| saved.token.clone());
            let approval = token.map_or(Approval::Unseen, Approval::Exactly);
            let basis = saved.map(|saved| saved.basis.clone());
            (approval, basis.unwrap_or_default(), Proposals::Shown)
        } else {
            let proposal = self.plan(request, &interrupt).await?;
            if let Some(saved) = saved.filter(|saved| saved.token != proposal.token) {
                return Err(stale(request, &saved.basis, &proposal.basis));
            }
            if !self.ask(&proposal, consent, &interrupt).await? {
                return Ok(Exit::Done);
            }
            let approval = Approval::Exactly(proposal.token);
            (approval, proposal.basis, Proposals::Known)
        };
        let loaded = match &self.written {
            DeclaredIn::Files(loaded) => Some(Arc::clone(loaded)),
            DeclaredIn::InHistory(_) | DeclaredIn::Nowhere => None,
        };
        let follower = Follower::of_files(&self.session.ui, &interrupt, loaded);
        let observer = follower.observer(proposals);
        let done = follower
            .until(service.carry_out(by, request, &approval, &observer))
            .await;
        if let (Some(proposal), Proposals::Shown) = (follower.proposed(), proposals) {
            if let DeclaredIn::InHistory(_) = &self.written {
                self.warn(&proposal).await;
            }
            self.tell_of_nothing(&proposal, &follower);
        }
        match done {
            Ok(outcome) => finish(self.session, &interrupt, &outcome),
            Err(error) => Err(match &error.about.basis {
                Some(now) => stale(request, &basis, now),
                None => interrupt.explain(self.explain(error).await),
            }),
        }
    }

    /// What was loaded, or would be if the revision `version` of a resource stood in a file.
    async fn loaded(&self, version: Option<Version>) -> Option<Arc<Loaded>> {
        match (&self.written, version) {
            (DeclaredIn::Files(loaded), _) => Some(Arc::clone(loaded)),
            (DeclaredIn::InHistory(id), Some(version)) => {
                let query = RevisionQuery {
                    name: id.clone(),
                    version: Some(version),
                    cluster: None,
                };
                let Connected { service, by } = self.connected;
                let revision = service.revision(by, &query).await.ok()?;
                let name = format!("{}@{version}", id.name()).into();
                Some(Arc::new(manifest::written(name, &revision.manifest?)))
            }
            (DeclaredIn::InHistory(_) | DeclaredIn::Nowhere, _) => None,
        }
    }

    /// The failure that an error of the service is, with the lines that it is about.
    async fn explain(&self, error: Error) -> Failure {
        if error.about.findings.is_empty() {
            return error.into();
        }
        match self.loaded(error.about.version).await {
            Some(loaded) => declared::explain(&self.session.ui, &loaded, error.about.findings),
            None => error.into(),
        }
    }

    /// Shows what is to be said of what is declared, although it is valid.
    async fn warn(&self, proposal: &Proposal) {
        if proposal.warnings.is_empty() {
            return;
        }
        let version = match proposal.cause {
            Cause::Rollback { to } => Some(to),
            _ => None,
        };
        if let Some(loaded) = self.loaded(version).await {
            declared::warn(&self.session.ui, &loaded, &proposal.warnings);
        }
    }

    /// Shows what would be done, and asks whether it is to be done.
    async fn ask(
        &self,
        proposal: &Proposal,
        consent: &ConsentArgs,
        interrupt: &Interrupt,
    ) -> Result<bool, Failure> {
        let ui = &self.session.ui;
        let Preview::Plan(plan) = &proposal.preview else {
            return Err(no_plan());
        };
        let refusal = || proposal.refusal.clone().map(Failure::from);
        if consent.dry_run {
            ui.report(&PlanView::new(plan, Detail::Full))?;
            return refusal().map_or(Ok(false), Err);
        }
        present(ui, proposal);
        if let Some(refusal) = refusal() {
            return Err(refusal);
        }
        let question = question(&proposal.cause, plan);
        if proposal.changes && !confirm(ui, interrupt, &question).await? {
            ui.status("nothing was changed");
            return Ok(false);
        }
        Ok(true)
    }
}

/// The failure of a service that answers something else than it was asked for.
pub(crate) fn no_plan() -> Failure {
    let error = anyhow::anyhow!("a declared change was answered with the effect of a switch");
    Failure::new(Exit::Bug, error)
}

/// What a person is asked once the plan was shown.
fn question(cause: &Cause, plan: &PlanReport) -> String {
    match (cause, &plan.resources[..]) {
        (Cause::Rollback { to }, [change]) => format!(
            "Roll {} back to the content of version {to}, as version {}?",
            change.name.name(),
            change.version
        ),
        (Cause::Delete, [change]) => format!("Delete {}?", change.name),
        _ => "Do this?".to_owned(),
    }
}

/// The failure of what would be another change `now` than the one that was shown.
fn stale(request: &Request, shown: &Basis, now: &Basis) -> Failure {
    let mut moved = shown.moved(now);
    if moved.is_empty() {
        moved.push("this cfgctl would do something else than the one that planned".to_owned());
    }
    let (what, hint) = match &request.planned {
        Some(planned) => (
            format!("the plan of {}", planned.at),
            "look again: `cfgctl diff -f … --out FILE`",
        ),
        None => (
            "what was shown".to_owned(),
            "someone was faster; look again, and do it then",
        ),
    };
    let error = anyhow::anyhow!(
        "{what} does not hold any more; nothing was changed: {}",
        moved.join("; ")
    );
    Failure::new(Exit::Conflict, error).hint(hint)
}

/// Reports how it went, and says what the command ends with.
pub(crate) fn finish(
    session: &Session,
    interrupt: &Interrupt,
    outcome: &Outcome,
) -> Result<Exit, Failure> {
    let ui = &session.ui;
    ui.report(outcome)?;
    let exit = if outcome.complete {
        Exit::Done
    } else {
        Exit::Incomplete
    };
    if outcome.is_denied() {
        ui.status(
            "not everything is delivered; what is left needs a token that may write: `cfgctl cluster \
             policy NAME` prints the least, then `cfgctl apply --resume`",
        );
    } else if exit == Exit::Incomplete {
        ui.status("not everything is delivered; `cfgctl apply --resume` finishes what is left");
    }
    Ok(interrupt.exit().unwrap_or(exit))
}
