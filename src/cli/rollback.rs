//! `cfgctl rollback`.

use std::collections::BTreeSet;

use super::change::{Change, ConsentArgs, carry_through};
use super::declared;
use super::failure::{Exit, Failure};
use super::names::{known_set, revision};
use super::session::{ReachArgs, Session};
use crate::model::{Cause, Content, ResourceId, Revision, SetName, Version};
use crate::plan::{Desired, Reach};
use crate::store::{Store, Which};

/// Gives a set the content of an older revision, as a new revision
///
/// Versions only grow: a rollback of version 7 to what version 5 said is version 8. The old content
/// is checked against the schema that it was committed with.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct RollbackArgs {
    /// The set
    set: SetName,

    /// The revision to go back to; left out: the newest one with another content
    #[arg(long, value_name = "VERSION", value_parser = super::names::version)]
    to: Option<Version>,

    #[command(flatten)]
    reach: ReachArgs,

    #[command(flatten)]
    consent: ConsentArgs,
}

pub(crate) async fn rollback(session: &Session, args: &RollbackArgs) -> Result<Exit, Failure> {
    let store = session.store().await?;
    let heads = store.heads(&Which::All).await?.heads;
    let id = known_set(&heads, &args.set)?;
    let old = match args.to {
        Some(version) => revision(store.as_ref(), &id, version).await?,
        None => previous(store.as_ref(), &id, &args.set).await?,
    };
    let to = old.version;
    if old.content == Content::Deleted {
        return Err(
            Failure::usage(format!("revision {to} of `{}` is its deletion", args.set))
                .hint(format!("`cfgctl delete {}` deletes it", args.set)),
        );
    }
    // Clusters and other sets are those of today, so the old content is checked like a new one.
    let name = format!("{}@{to}", args.set);
    declared::checked_content(session, &heads, &name, (&id, &old.content))?;
    let change = Change {
        provenances: old
            .provenance
            .map(|provenance| (id.clone(), provenance))
            .into_iter()
            .collect(),
        desired: Desired {
            dropped: args.consent.dropped(),
            ..Desired::from([(id, old.content)])
        },
        reach: Reach::Named(BTreeSet::new()),
        cause: Cause::Rollback { to },
        consents: BTreeSet::new(),
        saved: None,
    };
    carry_through(session, store.as_ref(), &change, &args.reach, &args.consent).await
}

/// How many revisions are searched for another content; more is better named.
const SEARCHED: usize = 1000;

/// The newest revision whose content is another one than the head's, and is no deletion.
async fn previous(store: &dyn Store, id: &ResourceId, set: &SetName) -> Result<Revision, Failure> {
    let history = store.history(id, None, SEARCHED).await?;
    let head = history.first().map(|head| head.content.clone());
    history
        .into_iter()
        .find(|revision| {
            Some(&revision.content) != head.as_ref() && revision.content.set().is_some()
        })
        .ok_or_else(|| {
            Failure::usage(format!("`{set}` has no older content to go back to")).hint(format!(
                "`cfgctl delete {set}` removes it from every cluster"
            ))
        })
}
