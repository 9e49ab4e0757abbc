//! `cfgctl breaker trip|reset|hold|disable|enable`.

use crate::api::{BreakerChange, BreakerOperation, Change};
use crate::cli::failure::{Exit, Failure};
use crate::cli::names::PartOf;
use crate::cli::session::Session;
use crate::cli::switch::{LimitArgs, ReasonArgs, SwitchArgs, WhereArgs, carry_through};
use crate::model::BreakerName;

/// What every operation takes.
#[derive(Clone, Debug, clap::Args)]
struct OperationArgs {
    /// The breaker
    #[arg(value_name = "SET/BREAKER")]
    breaker: PartOf<BreakerName>,

    #[command(flatten)]
    why: ReasonArgs,

    #[command(flatten)]
    switch: SwitchArgs,
}

/// Opens a breaker: what it declares is in force in every cluster, or in some
///
/// It reads no files and waits for nobody: clusters that cannot be reached get it later, with
/// `cfgctl apply --resume`. It closes as the breaker declares, or after `--for`.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct TripArgs {
    #[command(flatten)]
    operation: OperationArgs,

    #[command(flatten)]
    place: WhereArgs,

    #[command(flatten)]
    limit: LimitArgs,
}

/// Closes a breaker, whoever opened it: what is declared holds again
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct ResetArgs {
    #[command(flatten)]
    operation: OperationArgs,

    #[command(flatten)]
    place: WhereArgs,
}

/// Holds a breaker open until a person resets it: neither alerts nor timers close it
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct HoldArgs {
    #[command(flatten)]
    operation: OperationArgs,

    #[command(flatten)]
    place: WhereArgs,
}

/// Closes a breaker and keeps it closed: trips of people are recorded and ignored, and alerts change nothing
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct DisableArgs {
    #[command(flatten)]
    operation: OperationArgs,
}

/// Lets a disabled breaker be tripped again
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct EnableArgs {
    #[command(flatten)]
    operation: OperationArgs,
}

pub(super) async fn trip(session: &Session, args: &TripArgs) -> Result<Exit, Failure> {
    let operation = BreakerOperation::Trip {
        clusters: args.place.given(),
        limit: args.limit.given(),
    };
    operate(session, &args.operation, operation).await
}

pub(super) async fn reset(session: &Session, args: &ResetArgs) -> Result<Exit, Failure> {
    let clusters = args.place.given();
    operate(
        session,
        &args.operation,
        BreakerOperation::Reset { clusters },
    )
    .await
}

pub(super) async fn hold(session: &Session, args: &HoldArgs) -> Result<Exit, Failure> {
    let clusters = args.place.given();
    operate(
        session,
        &args.operation,
        BreakerOperation::Hold { clusters },
    )
    .await
}

pub(super) async fn disable(session: &Session, args: &DisableArgs) -> Result<Exit, Failure> {
    operate(session, &args.operation, BreakerOperation::Disable).await
}

pub(super) async fn enable(session: &Session, args: &EnableArgs) -> Result<Exit, Failure> {
    operate(session, &args.operation, BreakerOperation::Enable).await
}

async fn operate(
    session: &Session,
    args: &OperationArgs,
    operation: BreakerOperation,
) -> Result<Exit, Failure> {
    let change = Change::Breaker(BreakerChange {
        set: args.breaker.set.clone(),
        breaker: args.breaker.name.clone(),
        operation,
    });
    carry_through(session, change, &args.why, &args.switch).await
}
