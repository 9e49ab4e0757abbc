//! `cfgctl breaker list`.

use crate::api::BreakersQuery;
use crate::api::report::{Breakers, Report};
use crate::cli::connect::{Connected, connect};
use crate::cli::failure::{Exit, Failure};
use crate::cli::follow::{Follower, Proposals};
use crate::cli::interrupt::Interrupt;
use crate::cli::session::{LookArgs, Session};
use crate::cli::view::{Canvas, View};
use crate::cli::views::overrides::{breaker_lasts, delivered, joined};
use crate::cli::views::table::{age, printable, table};
use crate::model::SetName;

/// Lists breakers: their state in every cluster, and which clusters it was delivered to
///
/// The state is that of the store. Every cluster is looked at as well, all at once: one that does
/// not answer within `--timeout` is told, and holds up the answer for no longer.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct ListArgs {
    /// The set; left out: all
    #[arg(value_name = "SET")]
    set: Option<SetName>,

    #[command(flatten)]
    look: LookArgs,
}

pub(super) async fn list(session: &Session, args: &ListArgs) -> Result<Exit, Failure> {
    let Connected { service, by } = connect(session).await?;
    let interrupt = Interrupt::listen();
    let follower = Follower::new(&session.ui, &interrupt);
    let observer = follower.observer(Proposals::Known);
    let query = BreakersQuery {
        set: args.set.clone(),
        pace: args.look.pace(),
    };
    let breakers = follower
        .until(service.breakers(&by, &query, &observer))
        .await;
    let breakers = breakers.map_err(|error| interrupt.explain(error.into()))?;
    if breakers.breakers.is_empty() {
        session.looked_in(&service.location());
    }
    session.ui.report(&breakers)?;
    Ok(Exit::Done)
}

impl View for Breakers {
    const KIND: &'static str = <Self as Report>::KIND;

    fn table(&self, look: Canvas) -> String {
        let rows = self.breakers.iter().map(|view| {
            let dash = || "-".to_owned();
            [
                format!("{}/{}", view.set, view.breaker),
                view.state.as_str().to_owned(),
                joined(&view.clusters, ","),
                delivered(view.clusters.len(), &view.waiting),
                view.since.map_or_else(dash, |at| age(at, look.now)),
                view.actor.as_deref().map_or_else(dash, printable),
                view.reason.as_deref().map_or_else(dash, printable),
                match view.since {
                    Some(_) => breaker_lasts(view, look.now),
                    None => dash(),
                },
            ]
        });
        let header = [
            "BREAKER",
            "STATE",
            "CLUSTERS",
            "DELIVERED",
            "SINCE",
            "BY",
            "REASON",
            "LASTS",
        ];
        let text = table(look, header, rows);
        if text.is_empty() {
            "no set declares a breaker\n".to_owned()
        } else {
            text
        }
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = (self.breakers.iter())
            .map(|view| format!("{}/{}", view.set, view.breaker))
            .collect();
        names.dedup();
        names
    }
}
