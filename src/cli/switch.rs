//! The one way in which a flag or a breaker is switched: show, ask, commit, deliver, answer.

use super::ask::confirm;
use super::change::finish;
use super::connect::{Connected, connect};
use super::failure::{Exit, Failure};
use super::follow::{Follower, Proposals, present};
use super::interrupt::Interrupt;
use super::session::Session;
use super::views::table::moment;
use crate::api::report::Effect;
use crate::api::{Approval, Change, Message, Permission, Preview, Proposal, Request};
use crate::model::{Cause, Operation, Selector};

mod args;

pub(crate) use args::{LimitArgs, ReasonArgs, SwitchArgs, WhereArgs};

/// How often a person is shown a switch again that would do something else by now.
const ROUNDS: u32 = 3;

/// Carries `change` through, as far as the person lets it.
pub(crate) async fn carry_through(
    session: &Session,
    change: Change,
    why: &ReasonArgs,
    args: &SwitchArgs,
) -> Result<Exit, Failure> {
    let connected = connect(session).await?;
    let request = Request {
        change,
        clusters: Selector::default(),
        consents: std::collections::BTreeSet::new(),
        dropped: std::collections::BTreeSet::new(),
        message: why.given(),
        key: None,
        planned: None,
        permission: Permission::Asked,
        pace: args.pace(),
    };
    let switching = Switching {
        session,
        connected: &connected,
        interrupt: &Interrupt::listen(),
    };
    if args.dry_run {
        let proposal = switching.plan(&request).await?;
        session.ui.report(effect(&proposal)?)?;
        return Ok(Exit::Done);
    }
    if args.yes {
        return switching.at_once(&request).await;
    }
    switching.asking(request, why).await
}

/// A switch at work.
struct Switching<'a> {
    session: &'a Session,
    connected: &'a Connected,
    interrupt: &'a Interrupt,
}

impl Switching<'_> {
    async fn plan(&self, request: &Request) -> Result<Proposal, Failure> {
        let Connected { service, by } = self.connected;
        let follower = Follower::new(&self.session.ui, self.interrupt);
        let observer = follower.observer(Proposals::Known);
        let proposal = follower.until(service.plan(by, request, &observer)).await;
        proposal.map_err(|error| self.interrupt.explain(error.into()))
    }

    /// Without asking.
    async fn at_once(&self, request: &Request) -> Result<Exit, Failure> {
        let Connected { service, by } = self.connected;
        let follower = Follower::new(&self.session.ui, self.interrupt);
        let observer = follower.observer(Proposals::Shown);
        let outcome = follower
            .until(service.carry_out(by, request, &Approval::Unseen, &observer))
            .await
            .map_err(|error| self.interrupt.explain(error.into()))?;
        if let Some(shown) = follower.proposed() {
            self.tell_until(effect(&shown)?, outcome.until);
        }
        finish(self.session, self.interrupt, &outcome)
    }

    /// What was shown is what is done: where it would be something else by now, it is shown and
    /// asked again.
    async fn asking(&self, mut request: Request, why: &ReasonArgs) -> Result<Exit, Failure> {
        let ui = &self.session.ui;
        let Connected { service, by } = self.connected;
        let mut round = 0;
        loop {
            let proposal = self.plan(&request).await?;
            if request.message.is_none() {
                // Nobody is asked why before it is known that there is such a flag.
                request.message = why.ask(self.session, self.interrupt).await?;
            }
            present(ui, &proposal);
            let question = question(&request, &proposal.cause);
            if proposal.changes && !confirm(ui, self.interrupt, &question).await? {
                ui.status("nothing was changed");
                return Ok(Exit::Done);
            }
            let approval = Approval::Exactly(proposal.token.clone());
            let follower = Follower::new(ui, self.interrupt);
            let observer = follower.observer(Proposals::Known);
            let done = follower
                .until(service.carry_out(by, &request, &approval, &observer))
                .await;
            match done {
                Ok(outcome) => {
                    self.tell_until(effect(&proposal)?, outcome.until);
                    return finish(self.session, self.interrupt, &outcome);
                }
                Err(error) if error.about.basis.is_some() && round < ROUNDS => {
                    round += 1;
                    ui.status("it is another change by now; this is what it would do:");
                }
                Err(error) => return Err(self.interrupt.explain(error.into())),
            }
        }
    }

    /// It is counted from the commit, and a person may have thought for a while.
    fn tell_until(&self, shown: &Effect, until: Option<jiff::Timestamp>) {
        if let Some(until) = until.filter(|until| shown.until != Some(*until)) {
            let lasts = format!("it lasts until {}", moment(until));
            self.session.ui.status(&lasts);
        }
    }
}

fn effect(proposal: &Proposal) -> Result<&Effect, Failure> {
    match &proposal.preview {
        Preview::Effect(effect) => Ok(effect),
        Preview::Plan(_) => {
            let error = anyhow::anyhow!("a switch was answered with the plan of a declared change");
            Err(Failure::new(Exit::Bug, error))
        }
    }
}

/// What a person is asked once it was shown.
fn question(request: &Request, cause: &Cause) -> String {
    match (&request.change, cause) {
        (
            Change::Flag(change),
            Cause::Flag {
                to: Some(variant), ..
            },
        ) => {
            format!("Hold {}/{} at `{variant}`?", change.set, change.flag)
        }
        (Change::Flag(change), _) => {
            format!("Let {}/{} be as it is declared?", change.set, change.flag)
        }
        (Change::Breaker(change), _) => match change.operation.word() {
            Operation::Trip => "Trip it?",
            Operation::Reset => "Reset it?",
            Operation::Hold => "Hold it open?",
            Operation::Disable => "Disable it?",
            Operation::Enable => "Enable it?",
        }
        .to_owned(),
        _ => "Do this?".to_owned(),
    }
}

/// A reason that says something.
pub(super) fn said(message: Option<&Message>) -> Option<Message> {
    message
        .filter(|message| !message.as_str().trim().is_empty())
        .cloned()
}
