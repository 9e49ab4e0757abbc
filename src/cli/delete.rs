//! `cfgctl delete`.

use super::change::{Changing, ConsentArgs, DeclaredIn};
use super::connect::connect;
use super::failure::{Exit, Failure};
use super::session::{ReachArgs, Session};
use crate::api::Change;
use crate::model::ResourceId;

/// Deletes sets, and removes their own keys from every cluster, exactly those
///
/// The history stays, and `rollback` brings a set back. `cluster/NAME` makes cfgctl forget a
/// cluster: with `--remove-keys` our keys there go first, with `--keep-keys` they stay. `grant/NAME`
/// takes back what the grant allows.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct DeleteArgs {
    /// The sets, `cluster/NAME` or `grant/NAME`
    #[arg(required = true, value_name = "NAME")]
    names: Vec<ResourceId>,

    #[command(flatten)]
    reach: ReachArgs,

    #[command(flatten)]
    consent: ConsentArgs,
}

pub(crate) async fn delete(session: &Session, args: &DeleteArgs) -> Result<Exit, Failure> {
    let connected = connect(session).await?;
    let change = Change::Delete(args.names.iter().cloned().collect());
    let request = args.consent.request(change, &args.reach);
    let changing = Changing::new(session, &connected, DeclaredIn::Nowhere);
    changing.carry_through(&request, &args.consent, None).await
}
