//! `cfgctl apply`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::change::{Change, ConsentArgs, carry_through};
use super::declared::{FileArgs, desired, provenances, undeclared};
use super::failure::{Exit, Failure};
use super::saved;
use super::session::{ReachArgs, Session};
use crate::model::{Cause, Content, Provenance, ResourceId};
use crate::plan::{Desired, Reach, SavedPlan, Wish};
use crate::store::Which;

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
    let store = if args.resume {
        session.store().await?
    } else {
        session.store_to_be().await?
    };
    let (change, reach) = if let Some(path) = &args.plan {
        let saved = saved::read(path)?;
        if !args.consent.dropped().is_empty() {
            return Err(Failure::usage("a saved plan says itself what is dropped")
                .hint("plan it again: `cfgctl diff -f … --drop-overrides SET/NAME --out FILE`"));
        }
        // The plan says which clusters it is limited to.
        let reach = ReachArgs {
            clusters: saved.wish.clusters.clone(),
            ..args.reach.clone()
        };
        (planned(saved), reach)
    } else if args.resume {
        let everything = change(Desired::nothing(), BTreeMap::new(), Reach::All);
        (everything, args.reach.clone())
    } else {
        let heads = store.heads(&Which::All).await?.heads;
        let declared = args.files.declared(session, &heads)?;
        let provenances = provenances(session, &declared);
        let pruned = if args.prune {
            let undeclared = undeclared(&declared.manifests, &heads);
            args.consent.confirm_each(session, undeclared).await?
        } else {
            Vec::new()
        };
        let mut desired = desired(declared.manifests);
        desired.dropped = args.consent.dropped();
        desired
            .contents
            .extend(pruned.into_iter().map(|id| (id, Content::Deleted)));
        let touched = Reach::Named(BTreeSet::new());
        (change(desired, provenances, touched), args.reach.clone())
    };
    carry_through(session, store.as_ref(), &change, &reach, &args.consent).await
}

fn change(desired: Desired, provenances: BTreeMap<ResourceId, Provenance>, reach: Reach) -> Change {
    Change {
        desired,
        provenances,
        reach,
        cause: Cause::Apply,
        consents: BTreeSet::new(),
        saved: None,
    }
}

fn planned(saved: SavedPlan) -> Change {
    let Wish {
        desired,
        provenances,
        reach,
        clusters: _,
        planned: _,
        consents,
    } = saved.wish.clone();
    Change {
        consents,
        saved: Some(saved),
        ..change(desired, provenances, reach)
    }
}
