//! `cfgctl apply`.

use std::path::PathBuf;

use super::change::{Changing, ConsentArgs, DeclaredIn};
use super::connect::{Connected, connect, connect_to_be};
use super::declared::{FileArgs, contents, provenances};
use super::failure::{Exit, Failure};
use super::saved;
use super::session::{ReachArgs, Session};
use crate::api::{Change, Declaration, Reach, Request, SavedPlan};
use crate::model::{Content, ResourceId};

/// Makes files real: validate, show the plan, ask, commit once, deliver to every cluster
///
/// The commit is all or nothing, and so is what each cluster gets. A cluster that cannot be
/// reached does not hold back the others; the next apply, or `apply --resume`, brings it up to
/// date. Files that change nothing make no new revision.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct ApplyArgs {
    /// A plan that `cfgctl diff --out` saved: carry out exactly this, or nothing if anything moved
    #[arg(value_name = "PLAN", conflicts_with_all = ["filenames", "resume", "prune", "clusters"])]
    plan: Option<PathBuf>,

    #[command(flatten)]
    files: FileArgs,

    /// Deliver what is committed already, to every cluster that does not hold it; reads no files
    #[arg(long, conflicts_with = "filenames")]
    resume: bool,

    /// Delete what the store has and the files do not; each is asked for
    #[arg(long, conflicts_with = "resume")]
    prune: bool,

    #[command(flatten)]
    reach: ReachArgs,

    #[command(flatten)]
    consent: ConsentArgs,
}

pub(crate) async fn apply(session: &Session, args: &ApplyArgs) -> Result<Exit, Failure> {
    if let Some(path) = &args.plan {
        return apply_saved(session, args, saved::read(path)?).await;
    }
    if args.resume {
        let connected = connect(session).await?;
        let change = Change::Reconcile(Reach::All);
        let request = args.consent.request(change, &args.reach);
        let changing = Changing::new(session, &connected, DeclaredIn::Nowhere);
        return changing.carry_through(&request, &args.consent, None).await;
    }
    let connected = connect_to_be(session).await?;
    let loaded = args.files.read(session)?;
    let mut declaration = Declaration {
        contents: contents(&loaded),
        provenances: provenances(session, &loaded),
    };
    if args.prune {
        let pruned = undeclared(&connected, &declaration).await?;
        let pruned = args.consent.confirm_each(session, pruned).await?;
        delete(&mut declaration, pruned);
    }
    let change = Change::Declare(declaration);
    let request = args.consent.request(change, &args.reach);
    let changing = Changing::new(session, &connected, DeclaredIn::Files(loaded));
    changing.carry_through(&request, &args.consent, None).await
}

/// The living resources that are not declared.
pub(crate) async fn undeclared(
    connected: &Connected,
    declaration: &Declaration,
) -> Result<Vec<ResourceId>, Failure> {
    let mut names = connected.service.names(&connected.by).await?;
    names.retain(|id| !declaration.contents.contains_key(id));
    Ok(names)
}

/// Adds that these are deleted.
pub(crate) fn delete(declaration: &mut Declaration, ids: Vec<ResourceId>) {
    let deleted = ids.into_iter().map(|id| (id, Content::Deleted));
    declaration.contents.extend(deleted);
}

/// Carries out a plan that was saved.
async fn apply_saved(
    session: &Session,
    args: &ApplyArgs,
    saved: SavedPlan,
) -> Result<Exit, Failure> {
    if args.consent.drops() {
        return Err(Failure::usage("a saved plan says itself what is dropped")
            .hint("plan it again: `cfgctl diff -f … --drop-overrides SET/NAME --out FILE`"));
    }
    let connected = connect_to_be(session).await?;
    // The plan says which clusters it is limited to, and what is consented to.
    let asked = args
        .consent
        .request(saved.request.change.clone(), &args.reach);
    let request = Request {
        clusters: saved.request.clusters.clone(),
        dropped: saved.request.dropped.clone(),
        consents: &asked.consents | &saved.request.consents,
        planned: saved.request.planned.clone(),
        ..asked
    };
    let changing = Changing::new(session, &connected, DeclaredIn::Nowhere);
    changing
        .carry_through(&request, &args.consent, Some(&saved))
        .await
}
