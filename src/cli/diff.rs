//! `cfgctl diff`.

use std::collections::BTreeSet;

use super::change::GateArgs;
use super::declared::{FileArgs, desired};
use super::failure::{Exit, Failure};
use super::interrupt::Interrupt;
use super::session::{ReachArgs, Session};
use super::survey::{Question, survey};
use super::views::plan::{Detail, PlanView};
use crate::plan::Reach;

/// Shows what an apply would change, in the store and in every cluster, and changes nothing
///
/// What differs in a cluster already is told apart from the change. Ends with 0 when there is no
/// difference, 1 when there is one, and 2 or more when it could not be found out.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct DiffArgs {
    #[command(flatten)]
    files: FileArgs,

    #[command(flatten)]
    reach: ReachArgs,

    #[command(flatten)]
    gates: GateArgs,
}

pub(crate) async fn diff(session: &Session, args: &DiffArgs) -> Result<Exit, Failure> {
    let store = session.store().await?;
    let heads = store.heads().await?;
    let desired = desired(args.files.declared(session, &heads)?);
    let question = Question {
        desired,
        sets: Reach::Named(BTreeSet::new()),
        consents: args.gates.consents(),
    };
    let interrupt = Interrupt::listen();
    let (_, plan) = survey(session, store.as_ref(), &question, &args.reach, &interrupt).await?;
    let view = PlanView::new(&plan, Detail::Full);
    session.ui.report(&view)?;
    if let Some(unseen) = view.unseen() {
        return Err(Failure::new(Exit::Unavailable, anyhow::anyhow!(unseen))
            .hint("the difference is only known for the clusters that answered"));
    }
    Ok(if view.differences {
        Exit::Differences
    } else {
        Exit::Done
    })
}
