//! `cfgctl apply`.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::change::{Change, ConsentArgs, carry_through};
use super::declared::{FileArgs, desired, undeclared};
use super::failure::{Exit, Failure};
use super::saved;
use super::session::{ReachArgs, Session};
use crate::model::{Cause, Content};
use crate::plan::{Desired, Reach};

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
    let store = session.store().await?;
    if let Some(path) = &args.plan {
        let saved = saved::read(path)?;
        let reach = ReachArgs {
            clusters: saved.clusters.clone(),
            ..args.reach.clone()
        };
        let change = Change {
            desired: saved.desired.clone(),
            reach: saved.reach.clone(),
            cause: Cause::Apply,
            consents: saved.consents.clone(),
            saved: Some(saved),
        };
        return carry_through(session, store.as_ref(), &change, &reach, &args.consent).await;
    }
    let change = if args.resume {
        Change {
            desired: Desired::new(),
            reach: Reach::All,
            cause: Cause::Apply,
            consents: BTreeSet::new(),
            saved: None,
        }
    } else {
        let heads = store.heads().await?;
        let manifests = args.files.declared(session, &heads)?;
        let pruned = if args.prune {
            args.consent
                .confirm_each(session, undeclared(&manifests, &heads))?
        } else {
            Vec::new()
        };
        let mut desired = desired(manifests);
        desired.extend(pruned.into_iter().map(|id| (id, Content::Deleted)));
        Change {
            desired,
            reach: Reach::Named(BTreeSet::new()),
            cause: Cause::Apply,
            consents: BTreeSet::new(),
            saved: None,
        }
    };
    carry_through(session, store.as_ref(), &change, &args.reach, &args.consent).await
}
