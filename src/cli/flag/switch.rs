//! `cfgctl flag on|off|set|unset`.

use crate::api::{Change, FlagChange, FlagPosition, Wanted};
use crate::cli::failure::{Exit, Failure};
use crate::cli::names::PartOf;
use crate::cli::session::Session;
use crate::cli::switch::{LimitArgs, ReasonArgs, SwitchArgs, WhereArgs, carry_through};
use crate::model::FlagName;

/// Holds a boolean flag at true, whatever its targeting says, until it is unset
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct OnArgs {
    #[command(flatten)]
    hold: HoldArgs,
}

/// Holds a boolean flag at false, whatever its targeting says, until it is unset
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct OffArgs {
    #[command(flatten)]
    hold: HoldArgs,
}

/// Holds a flag at one of its variants, whatever its targeting says, until it is unset
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct SetArgs {
    #[command(flatten)]
    hold: HoldArgs,

    /// The variant
    variant: String,
}

/// Takes back what a flag was set to by hand: what is declared holds again
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct UnsetArgs {
    /// The flag
    #[arg(value_name = "SET/FLAG")]
    flag: PartOf<FlagName>,

    #[command(flatten)]
    place: WhereArgs,

    #[command(flatten)]
    why: ReasonArgs,

    #[command(flatten)]
    switch: SwitchArgs,
}

#[derive(Clone, Debug, clap::Args)]
struct HoldArgs {
    /// The flag
    #[arg(value_name = "SET/FLAG")]
    flag: PartOf<FlagName>,

    #[command(flatten)]
    place: WhereArgs,

    #[command(flatten)]
    limit: LimitArgs,

    #[command(flatten)]
    why: ReasonArgs,

    #[command(flatten)]
    switch: SwitchArgs,
}

pub(super) async fn on(session: &Session, args: &OnArgs) -> Result<Exit, Failure> {
    hold(session, &args.hold, Wanted::Boolean(true)).await
}

pub(super) async fn off(session: &Session, args: &OffArgs) -> Result<Exit, Failure> {
    hold(session, &args.hold, Wanted::Boolean(false)).await
}

pub(super) async fn set(session: &Session, args: &SetArgs) -> Result<Exit, Failure> {
    hold(session, &args.hold, Wanted::Variant(args.variant.clone())).await
}

async fn hold(session: &Session, args: &HoldArgs, at: Wanted) -> Result<Exit, Failure> {
    let to = FlagPosition::Held {
        at,
        limit: args.limit.given(),
    };
    let change = change(&args.flag, to, &args.place);
    carry_through(session, change, &args.why, &args.switch).await
}

pub(super) async fn unset(session: &Session, args: &UnsetArgs) -> Result<Exit, Failure> {
    let change = change(&args.flag, FlagPosition::Declared, &args.place);
    carry_through(session, change, &args.why, &args.switch).await
}

fn change(flag: &PartOf<FlagName>, to: FlagPosition, place: &WhereArgs) -> Change {
    Change::Flag(FlagChange {
        set: flag.set.clone(),
        flag: flag.name.clone(),
        to,
        clusters: place.given(),
    })
}
