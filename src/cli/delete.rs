//! `cfgctl delete`.

use std::collections::{BTreeMap, BTreeSet};

use super::change::{Change, ConsentArgs, carry_through};
use super::failure::{Exit, Failure};
use super::names::known;
use super::session::{ReachArgs, Session};
use crate::model::{Cause, Consent, Content, ResourceId};
use crate::plan::{Desired, Reach};
use crate::store::Which;

/// Deletes sets, and removes their own keys from every cluster, exactly those
///
/// The history stays, and `rollback` brings a set back. `cluster/NAME` makes cfgctl forget a
/// cluster: with `--remove-keys` our keys there go first, with `--keep-keys` they stay.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct DeleteArgs {
    /// The sets, or `cluster/NAME`
    #[arg(required = true, value_name = "NAME")]
    names: Vec<ResourceId>,

    #[command(flatten)]
    reach: ReachArgs,

    #[command(flatten)]
    consent: ConsentArgs,
}

pub(crate) async fn delete(session: &Session, args: &DeleteArgs) -> Result<Exit, Failure> {
    let store = session.store().await?;
    let heads = store.heads(&Which::All).await?.heads;
    let mut desired = Desired {
        dropped: args.consent.dropped(),
        ..Desired::nothing()
    };
    for id in &args.names {
        known(&heads, id)?;
        desired.contents.insert(id.clone(), Content::Deleted);
    }
    let change = Change {
        desired,
        reach: Reach::Named(BTreeSet::new()),
        cause: Cause::Delete,
        consents: BTreeSet::from([Consent::AllowDeletes]),
        provenances: BTreeMap::new(),
        saved: None,
    };
    carry_through(session, store.as_ref(), &change, &args.reach, &args.consent).await
}
