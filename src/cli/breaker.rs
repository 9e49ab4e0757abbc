//! `cfgctl breaker`: what changes at once when something fails.

use super::failure::{Exit, Failure};
use super::session::Session;

mod alerts;
mod history;
mod list;
mod operate;
mod show;
mod test;

/// Trips and resets circuit breakers, and says how they stand
#[derive(Clone, Debug, clap::Subcommand)]
pub(crate) enum BreakerCommand {
    List(list::ListArgs),
    Show(show::ShowArgs),
    Trip(operate::TripArgs),
    Reset(operate::ResetArgs),
    Hold(operate::HoldArgs),
    Disable(operate::DisableArgs),
    Enable(operate::EnableArgs),
    History(history::HistoryArgs),
    Alerts(alerts::AlertsArgs),
    Test(test::TestArgs),
}

pub(crate) async fn breaker(session: &Session, command: &BreakerCommand) -> Result<Exit, Failure> {
    match command {
        BreakerCommand::List(args) => list::list(session, args).await,
        BreakerCommand::Show(args) => show::show(session, args).await,
        BreakerCommand::Trip(args) => operate::trip(session, args).await,
        BreakerCommand::Reset(args) => operate::reset(session, args).await,
        BreakerCommand::Hold(args) => operate::hold(session, args).await,
        BreakerCommand::Disable(args) => operate::disable(session, args).await,
        BreakerCommand::Enable(args) => operate::enable(session, args).await,
        BreakerCommand::History(args) => history::history(session, args).await,
        BreakerCommand::Alerts(args) => alerts::alerts(session, args).await,
        BreakerCommand::Test(args) => test::test(session, args).await,
    }
}
