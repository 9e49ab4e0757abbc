//! `cfgctl apply`.

use std::collections::BTreeSet;

use super::change::{Change, ConsentArgs, carry_through};
use super::declared::{FileArgs, desired};
use super::failure::{Exit, Failure};
use super::session::{ReachArgs, Session};
use crate::model::Cause;
use crate::plan::{Desired, Reach};

/// Makes files real: validate, show the plan, ask, commit once, deliver to every cluster
///
/// The commit is all or nothing, and so is what each cluster gets. A cluster that cannot be
/// reached does not hold back the others; the next apply, or `apply --resume`, brings it up to
/// date. Files that change nothing make no new revision.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct ApplyArgs {
    #[command(flatten)]
    files: FileArgs,

    /// Deliver what is committed already, to every cluster that does not hold it; reads no files
    #[arg(long, conflicts_with = "filenames")]
    resume: bool,

    #[command(flatten)]
    reach: ReachArgs,

    #[command(flatten)]
    consent: ConsentArgs,
}

pub(crate) async fn apply(session: &Session, args: &ApplyArgs) -> Result<Exit, Failure> {
    let store = session.store().await?;
    let change = if args.resume {
        Change {
            desired: Desired::new(),
            reach: Reach::All,
            cause: Cause::Apply,
            consents: BTreeSet::new(),
        }
    } else {
        let heads = store.heads().await?;
        Change {
            desired: desired(args.files.declared(session, &heads)?),
            reach: Reach::Named(BTreeSet::new()),
            cause: Cause::Apply,
            consents: BTreeSet::new(),
        }
    };
    carry_through(session, store.as_ref(), &change, &args.reach, &args.consent).await
}
