//! `cfgctl diff`.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::apply::{delete, undeclared};
use super::change::{Changing, DeclaredIn, GateArgs, no_plan};
use super::connect::connect_to_be;
use super::declared::{FileArgs, contents, provenances};
use super::failure::{Exit, Failure};
use super::interrupt::Interrupt;
use super::saved;
use super::session::{ReachArgs, Session};
use super::views::plan::{Detail, PlanView};
use super::views::table::count;
use crate::api::report::{ActionKind, PlanReport};
use crate::api::{Change, Declaration, Preview, Request, SavedPlan};
use crate::model::Planned;

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
    let ui = &session.ui;
    let connected = connect_to_be(session).await?;
    let loaded = args.files.read(session)?;
    let mut declaration = Declaration {
        contents: contents(&loaded),
        provenances: provenances(session, &loaded),
    };
    if args.prune {
        let pruned = undeclared(&connected, &declaration).await?;
        delete(&mut declaration, pruned);
    }
    let request = (args.gates).request(Change::Declare(declaration), &args.reach);
    let changing = Changing::new(session, &connected, DeclaredIn::Files(loaded));
    let interrupt = Interrupt::listen();
    let proposal = changing.plan(&request, &interrupt).await?;
    let Preview::Plan(plan) = &proposal.preview else {
        return Err(no_plan());
    };
    if !proposal.undeclared.is_empty() {
        ui.status(&format!(
            "not in the files, and kept: {} of the store; `--prune` deletes what the files lack",
            count(proposal.undeclared.len(), "resource")
        ));
    }
    ui.report(&PlanView::new(plan, Detail::Full))?;
    let unseen = unseen(plan);
    let (differences, is_refused) = (plan.differences, !plan.objections.is_empty());
    if let Some(path) = &args.out {
        let request = Request {
            planned: Some(Planned {
                by: session.environment.actor(),
                at: session.environment.now,
            }),
            ..request
        };
        let saved = SavedPlan::new(request, proposal.token, proposal.basis);
        saved::write(path, &saved)?;
        let path = path.display();
        ui.status(&if is_refused {
            format!("saved as it is; `cfgctl apply {path}` is refused, for what stands above")
        } else {
            format!("saved; `cfgctl apply {path}` carries out exactly this plan")
        });
    }
    if let Some(unseen) = unseen {
        return Err(Failure::new(Exit::Unavailable, anyhow::anyhow!(unseen))
            .hint("the difference is only known for the clusters that answered"));
    }
    Ok(if differences {
        Exit::Differences
    } else {
        Exit::Done
    })
}

/// Which clusters could not be looked at, if any; without them a difference cannot be ruled out.
fn unseen(plan: &PlanReport) -> Option<String> {
    let waiting = plan
        .clusters
        .iter()
        .filter(|it| it.action == ActionKind::Wait);
    let names: BTreeSet<&str> = waiting.map(|it| it.cluster.as_str()).collect();
    let names: Vec<&str> = names.into_iter().collect();
    (!names.is_empty()).then(|| format!("could not look at {}", names.join(", ")))
}
