//! `cfgctl flag list` and `cfgctl flag get`.

use crate::api::FlagsQuery;
use crate::api::report::{FlagSource, Flags, Report};
use crate::cli::connect::{Connected, connect};
use crate::cli::failure::{Exit, Failure};
use crate::cli::follow::{Follower, Proposals};
use crate::cli::interrupt::Interrupt;
use crate::cli::names::PartOf;
use crate::cli::session::{LookArgs, Session};
use crate::cli::view::{Canvas, View};
use crate::cli::views::overrides::{delivered, lasts};
use crate::cli::views::table::{age, printable, table};
use crate::model::{ClusterName, Flag, FlagName, FlagState, SetName};

/// Lists flags: what is declared, what each cluster should have and has, and who switched it
///
/// What is declared and what should hold is what the store says. Every cluster is looked at as well,
/// all at once: one that does not answer within `--timeout` is told, and holds up the answer for no
/// longer.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct ListArgs {
    /// The set; left out: all
    #[arg(value_name = "SET")]
    set: Option<SetName>,

    #[command(flatten)]
    look: LookArgs,
}

/// Shows one flag: what is declared, what each cluster should have and has, and who switched it
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct GetArgs {
    /// The flag
    #[arg(value_name = "SET/FLAG")]
    flag: PartOf<FlagName>,

    #[command(flatten)]
    look: LookArgs,
}

pub(super) async fn list(session: &Session, args: &ListArgs) -> Result<Exit, Failure> {
    let query = FlagsQuery {
        set: args.set.clone(),
        flag: None,
        pace: args.look.pace(),
    };
    show(session, &query).await
}

pub(super) async fn get(session: &Session, args: &GetArgs) -> Result<Exit, Failure> {
    let query = FlagsQuery {
        set: Some(args.flag.set.clone()),
        flag: Some(args.flag.name.clone()),
        pace: args.look.pace(),
    };
    show(session, &query).await
}

async fn show(session: &Session, query: &FlagsQuery) -> Result<Exit, Failure> {
    let Connected { service, by } = connect(session).await?;
    let interrupt = Interrupt::listen();
    let follower = Follower::new(&session.ui, &interrupt);
    let observer = follower.observer(Proposals::Known);
    let flags = follower.until(service.flags(&by, query, &observer)).await;
    let flags = flags.map_err(|error| interrupt.explain(error.into()))?;
    if flags.flags.is_empty() {
        session.looked_in(&service.location());
    }
    session.ui.report(&flags)?;
    Ok(Exit::Done)
}

/// A flag in a word or two.
fn in_short(flag: &Flag) -> String {
    let default = flag.default_variant.as_deref().unwrap_or("(application)");
    match (flag.state, &flag.targeting) {
        (FlagState::Disabled, _) => "disabled".to_owned(),
        (FlagState::Enabled, None) => printable(default),
        (FlagState::Enabled, Some(_)) => format!("targeting, else {}", printable(default)),
    }
}

impl View for Flags {
    const KIND: &'static str = <Self as Report>::KIND;

    fn table(&self, look: Canvas) -> String {
        let rows = self.flags.iter().map(|view| {
            let source = match (&view.source, &view.breaker) {
                (FlagSource::Breaker, Some(breaker)) => format!("breaker {breaker}"),
                (FlagSource::Breaker, None) => "breaker".to_owned(),
                (FlagSource::Override, _) => "override".to_owned(),
                (FlagSource::Declared, _) => "-".to_owned(),
            };
            let held = view.held.as_ref();
            let reason = held.and_then(|held| held.reason.as_deref());
            let clusters: Vec<&str> = view.clusters.iter().map(ClusterName::as_str).collect();
            let dash = || "-".to_owned();
            [
                format!("{}/{}", view.set, view.flag),
                in_short(&view.declared),
                in_short(&view.effective),
                clusters.join(","),
                delivered(clusters.len(), &view.waiting),
                source,
                held.map_or_else(dash, |held| age(held.since, look.now)),
                held.map_or_else(dash, |held| printable(&held.actor)),
                reason.map_or_else(dash, printable),
                held.map_or_else(dash, |held| lasts(held.until, look.now)),
            ]
        });
        let header = [
            "FLAG",
            "DECLARED",
            "EFFECTIVE",
            "CLUSTERS",
            "DELIVERED",
            "HELD BY",
            "SINCE",
            "BY",
            "REASON",
            "LASTS",
        ];
        let text = table(look, header, rows);
        if text.is_empty() {
            "no set declares a flag\n".to_owned()
        } else {
            text
        }
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = (self.flags.iter())
            .map(|view| format!("{}/{}", view.set, view.flag))
            .collect();
        names.dedup();
        names
    }
}
