//! `cfgctl rollback`.

use super::change::{Changing, ConsentArgs, DeclaredIn};
use super::connect::connect;
use super::failure::{Exit, Failure};
use super::session::{ReachArgs, Session};
use crate::api::Change;
use crate::model::{ResourceId, Version};

/// Gives a set, a cluster or a grant the content of an older revision, as a new revision
///
/// Versions only grow: a rollback of version 7 to what version 5 said is version 8. The old content
/// is checked against the schema that it was committed with.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct RollbackArgs {
    /// The set, `cluster/NAME` or `grant/NAME`
    #[arg(value_name = "NAME")]
    name: ResourceId,

    /// The revision to go back to; left out: the newest one with another content
    #[arg(long, value_name = "VERSION", value_parser = super::names::version)]
    to: Option<Version>,

    #[command(flatten)]
    reach: ReachArgs,

    #[command(flatten)]
    consent: ConsentArgs,
}

pub(crate) async fn rollback(session: &Session, args: &RollbackArgs) -> Result<Exit, Failure> {
    let connected = connect(session).await?;
    let change = Change::Rollback {
        name: args.name.clone(),
        to: args.to,
    };
    let request = args.consent.request(change, &args.reach);
    let changing = Changing::new(
        session,
        &connected,
        DeclaredIn::InHistory(args.name.clone()),
    );
    changing.carry_through(&request, &args.consent, None).await
}
