//! `cfgctl flag`: feature flags, as they are declared and as they were switched by hand.

use super::failure::{Exit, Failure};
use super::session::Session;

mod eval;
mod list;
mod switch;

/// Switches feature flags, and says how they stand
#[derive(Clone, Debug, clap::Subcommand)]
pub(crate) enum FlagCommand {
    List(list::ListArgs),
    Get(list::GetArgs),
    On(switch::OnArgs),
    Off(switch::OffArgs),
    Set(switch::SetArgs),
    Unset(switch::UnsetArgs),
    Eval(eval::EvalArgs),
}

pub(crate) async fn flag(session: &Session, command: &FlagCommand) -> Result<Exit, Failure> {
    match command {
        FlagCommand::List(args) => list::list(session, args).await,
        FlagCommand::Get(args) => list::get(session, args).await,
        FlagCommand::On(args) => switch::on(session, args).await,
        FlagCommand::Off(args) => switch::off(session, args).await,
        FlagCommand::Set(args) => switch::set(session, args).await,
        FlagCommand::Unset(args) => switch::unset(session, args).await,
        FlagCommand::Eval(args) => eval::eval(session, args).await,
    }
}
