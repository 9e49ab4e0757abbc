//! The command line: one file per command. Arguments become a request, which the service answers,
//! and reports become views.

use std::ffi::OsString;
use std::sync::Arc;

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

mod apply;
mod ask;
mod audit;
mod auth;
mod breaker;
mod change;
mod clocks;
mod cluster;
mod connect;
mod context;
mod contexts;
mod declared;
mod delete;
mod diff;
mod drift;
mod environment;
mod explain;
mod failure;
mod files;
mod flag;
mod follow;
mod get;
mod history;
mod import;
mod input;
mod interrupt;
mod issuers;
mod keyring;
mod login;
mod names;
mod notify;
mod oidc;
mod progress;
mod reference;
mod rollback;
mod saved;
mod serve;
mod session;
mod show;
mod source;
mod status;
mod switch;
mod token;
mod tokens;
mod traces;
mod ui;
mod validate;
mod verbs;
mod view;
mod views;

pub use failure::Exit;

use environment::Environment;
use failure::Failure;
use session::{Session, StoreArgs};
use ui::{Color, Ui};
use view::Output;

/// Declare, validate, compare and deliver the configuration of every cluster's Consul
///
/// Configuration is declared in YAML files, committed to a store as numbered revisions, and
/// delivered to every cluster as whole snapshots: all or nothing, never backwards.
#[derive(Debug, Parser)]
#[command(name = "cfgctl", version, propagate_version = false, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    #[command(flatten)]
    stores: StoreArgs,

    /// How to write the result
    #[arg(
        short,
        long,
        global = true,
        value_enum,
        default_value = "table",
        value_name = "FORMAT",
        help_heading = "Global options"
    )]
    output: Output,

    /// When to use colours
    #[arg(
        long,
        global = true,
        value_enum,
        default_value = "auto",
        value_name = "WHEN",
        help_heading = "Global options"
    )]
    color: Color,

    /// Say nothing but the result and errors
    #[arg(short, long, global = true, help_heading = "Global options")]
    quiet: bool,

    #[command(subcommand)]
    command: Command,
}

/// What stands below the help: scripts rely on it.
const EXIT_CODES: &str = "\
Exit codes: 0 done, or no difference; 1 differences found; 2 bad usage or invalid input;
3 committed, but not delivered everywhere; 4 conflict: something moved, look again;
5 refused by a gate; 6 not allowed; 7 store, server or cluster unavailable; 70 a bug in cfgctl;
130 and 143 interrupted";

#[derive(Debug, Subcommand)]
enum Command {
    Validate(validate::ValidateArgs),
    Diff(diff::DiffArgs),
    Apply(apply::ApplyArgs),
    Get(get::GetArgs),
    Show(show::ShowArgs),
    History(history::HistoryArgs),
    Explain(explain::ExplainArgs),
    Status(status::StatusArgs),
    Drift(drift::DriftArgs),
    Rollback(rollback::RollbackArgs),
    Delete(delete::DeleteArgs),
    #[command(subcommand)]
    Flag(flag::FlagCommand),
    #[command(subcommand)]
    Breaker(breaker::BreakerCommand),
    Import(import::ImportArgs),
    #[command(subcommand)]
    Cluster(cluster::ClusterCommand),
    #[command(subcommand)]
    Context(context::ContextCommand),
    #[command(subcommand)]
    Auth(auth::AuthCommand),
    #[command(subcommand)]
    Token(tokens::TokenCommand),
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    Notifications(notify::NotificationsArgs),
    Login(login::LoginArgs),
    Logout(login::LogoutArgs),
    Whoami(login::WhoamiArgs),
    Serve(serve::ServeArgs),
    Schema(reference::SchemaArgs),
    Completions(reference::CompletionsArgs),
    Man(reference::ManArgs),
    /// Print the version
    Version,
}

impl Command {
    /// The forms for pipelines that it writes beyond what every command does.
    fn special_outputs(&self) -> &'static [Output] {
        match self {
            Self::Validate(_) => &[Output::Markdown, Output::Github, Output::Junit],
            Self::Diff(_) => &[Output::Markdown],
            Self::Drift(args) if !args.repairs() => &[Output::Markdown],
            _ => &[],
        }
    }

    /// Whether it touches neither store nor cluster nor server.
    fn is_alone(&self) -> bool {
        matches!(
            self,
            Self::Validate(_)
                | Self::Context(_)
                | Self::Schema(_)
                | Self::Completions(_)
                | Self::Man(_)
                | Self::Version
        )
    }

    /// Whether it writes `output`; asked before it does anything.
    fn can_write(&self, output: Output) -> Result<(), Failure> {
        let special = self.special_outputs();
        if !output.is_special() || special.contains(&output) {
            return Ok(());
        }
        let common = [
            Output::Table,
            Output::Wide,
            Output::Json,
            Output::Yaml,
            Output::Name,
        ];
        let names: Vec<String> = common
            .iter()
            .chain(special)
            .map(|output| output.name())
            .collect();
        let message = format!("this command does not write `-o {}`", output.name());
        Err(Failure::usage(message).hint(format!("it writes {}", names.join(", "))))
    }
}

/// Runs one command line, and says what the process ends with. `arguments` begin with the name of
/// the program.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> Exit {
    ui::guard_panics();
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let parsed = Cli::command()
        .try_get_matches_from(&arguments)
        .and_then(|matches| Ok((Cli::from_arg_matches(&matches)?, traces::name_of(&matches))));
    let (cli, name) = match parsed {
        Ok(parsed) => parsed,
        Err(mut error) => {
            verbs::suggest(&mut error);
            ui::usage(&mut error);
            if !error.use_stderr() {
                return Exit::Done;
            }
            if let Ok(environment) = Environment::capture() {
                let ui = Ui::new(&environment, ui::wanted(&arguments), Color::Never, false);
                ui.failure_for_programs(&ui::refused(&error));
            }
            return Exit::Usage;
        }
    };
    let environment = match Environment::capture() {
        Ok(environment) => environment,
        Err(failure) => return failure.exit,
    };
    let ui = Ui::new(&environment, cli.output, cli.color, cli.quiet);
    if let Err(failure) = cli.command.can_write(cli.output) {
        ui.failure(&failure);
        return failure.exit;
    }
    let session = Session {
        environment,
        ui: Arc::new(ui),
        stores: cli.stores,
    };
    let work = || match dispatch(&session, &cli.command) {
        Ok(exit) => exit,
        Err(failure) => {
            session.ui.failure(&failure);
            failure.exit
        }
    };
    if cli.command.is_alone() {
        return work();
    }
    let is_server = matches!(cli.command, Command::Serve(_));
    traces::telling(&session, &name, is_server, work)
}

/// Commands that touch neither store nor cluster run without a runtime: they start faster.
fn dispatch(session: &Session, command: &Command) -> Result<Exit, Failure> {
    match command {
        Command::Validate(args) => validate::validate(session, args),
        Command::Context(command) => context::context(session, command),
        Command::Schema(_) => reference::schema(session),
        Command::Completions(args) => reference::completions(session, args, Cli::command()),
        Command::Man(args) => reference::man(session, args, Cli::command()),
        Command::Version => reference::version(session),
        Command::Diff(args) => block_on(diff::diff(session, args)),
        Command::Apply(args) => block_on(apply::apply(session, args)),
        Command::Get(args) => block_on(get::get(session, args)),
        Command::Show(args) => block_on(show::show(session, args)),
        Command::History(args) => block_on(history::history(session, args)),
        Command::Explain(args) => block_on(explain::explain(session, args)),
        Command::Status(args) => block_on(status::status(session, args)),
        Command::Drift(args) => block_on(drift::drift(session, args)),
        Command::Rollback(args) => block_on(rollback::rollback(session, args)),
        Command::Delete(args) => block_on(delete::delete(session, args)),
        Command::Flag(command) => block_on(flag::flag(session, command)),
        Command::Breaker(command) => block_on(breaker::breaker(session, command)),
        Command::Import(args) => block_on(import::import_keys(session, args)),
        Command::Cluster(command) => block_on(cluster::cluster(session, command)),
        Command::Audit(command) => block_on(audit::audit(session, command)),
        Command::Notifications(args) => block_on(notify::notifications(session, args)),
        Command::Auth(command) => block_on(auth::auth(session, command)),
        Command::Token(command) => block_on(tokens::token(session, command)),
        Command::Login(args) => block_on(login::login(session, args)),
        Command::Logout(args) => block_on(login::logout(session, args)),
        Command::Whoami(args) => block_on(login::whoami(session, args)),
        Command::Serve(args) => block_on(serve::serve(session, args)),
    }
}

fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Exit::Bug, error))?;
    let result = runtime.block_on(work);
    // Work that was given up on must not keep the process: a read of a dead disk, a name lookup.
    runtime.shutdown_background();
    result
}

#[cfg(test)]
mod tests;
