//! `cfgctl diff`.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::change::GateArgs;
use super::declared::{FileArgs, desired, provenances, undeclared};
use super::failure::{Exit, Failure};
use super::interrupt::Interrupt;
use super::saved;
use super::session::{ReachArgs, Session};
use super::survey::{Question, survey};
use super::views::plan::{Detail, PlanView};
use super::views::table::count;
use crate::model::{Content, Planned};
use crate::plan::{Reach, SavedPlan, Wish};
use crate::store::Which;

/// Shows what an apply would change, in the store and in every cluster, and changes nothing
///
/// What differs in a cluster already is told apart from the change. Ends with 0 when there is no
/// difference, 1 when there is one, and 2 or more when it could not be found out.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct DiffArgs {
    #[command(flatten)]
    files: FileArgs,

    /// Show what would be deleted because the store has it and the files do not
    #[arg(long)]
    prune: bool,

    #[command(flatten)]
    reach: ReachArgs,

    #[command(flatten)]
    gates: GateArgs,

    /// Save the plan, for `cfgctl apply FILE` to carry out exactly as it is shown, or not at all
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(crate) async fn diff(session: &Session, args: &DiffArgs) -> Result<Exit, Failure> {
    let store = session.store_to_be().await?;
    let heads = store.heads(&Which::All).await?.heads;
    if !store.exists() {
        session.ui.status(&format!(
            "there is no store at `{}` yet; this is compared with nothing",
            store.location()
        ));
    }
    let declared = args.files.declared(session, &heads)?;
    let provenances = provenances(session, &declared);
    let undeclared = undeclared(&declared.manifests, &heads);
    let mut desired = desired(declared.manifests);
    desired.dropped = args.gates.dropped();
    if args.prune {
        desired
            .contents
            .extend(undeclared.into_iter().map(|id| (id, Content::Deleted)));
    } else if !undeclared.is_empty() {
        session.ui.status(&format!(
            "not in the files, and kept: {} of the store; `--prune` deletes what the files lack",
            count(undeclared.len(), "resource")
        ));
    }
    let question = Question {
        desired,
        sets: Reach::Named(BTreeSet::new()),
        consents: args.gates.consents(),
    };
    let interrupt = Interrupt::listen();
    let (survey, mut plan) =
        survey(session, store.as_ref(), &question, &args.reach, &interrupt).await?;
    plan.attach(&provenances, &survey.heads, &question.consents);
    let view = PlanView::new(&plan, Detail::Full);
    session.ui.report(&view)?;
    if let Some(path) = &args.out {
        let Question {
            desired,
            sets,
            consents,
        } = question;
        let planned = Planned {
            by: session.environment.actor(),
            at: session.environment.now,
        };
        let clusters = args.reach.clusters.clone();
        let wish = Wish {
            desired,
            provenances,
            reach: sets,
            clusters,
            planned,
            consents,
        };
        let saved = SavedPlan::new(&plan, &survey.states(), wish);
        saved::write(path, &saved)?;
        let path = path.display();
        session.ui.status(&if plan.objections.is_empty() {
            format!("saved; `cfgctl apply {path}` carries out exactly this plan")
        } else {
            format!("saved as it is; `cfgctl apply {path}` is refused, for what stands above")
        });
    }
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
