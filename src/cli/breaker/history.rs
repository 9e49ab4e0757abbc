//! `cfgctl breaker history`.

use crate::api::BreakerHistoryQuery;
use crate::api::report::{BreakerEvent, BreakerHistory, Report};
use crate::cli::connect::{Connected, connect};
use crate::cli::failure::{Exit, Failure};
use crate::cli::names::PartOf;
use crate::cli::session::Session;
use crate::cli::view::{Canvas, View};
use crate::cli::views::table::{moment, printable, table};
use crate::model::BreakerName;

/// Lists what was done to a breaker, newest first: who, when and why
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct HistoryArgs {
    /// The breaker
    #[arg(value_name = "SET/BREAKER")]
    breaker: PartOf<BreakerName>,

    /// At most this many
    #[arg(long, value_name = "N", default_value = "20")]
    limit: usize,
}

pub(super) async fn history(session: &Session, args: &HistoryArgs) -> Result<Exit, Failure> {
    let Connected { service, by } = connect(session).await?;
    let query = BreakerHistoryQuery {
        set: args.breaker.set.clone(),
        breaker: args.breaker.name.clone(),
        limit: args.limit,
    };
    session
        .ui
        .report(&service.breaker_history(&by, &query).await?)?;
    Ok(Exit::Done)
}

impl View for BreakerHistory {
    const KIND: &'static str = <Self as Report>::KIND;

    fn table(&self, look: Canvas) -> String {
        let text = table(look, HEADER, self.events.iter().map(row));
        if text.is_empty() {
            format!("{} was never tripped\n", self.breaker)
        } else {
            text
        }
    }

    fn names(&self) -> Vec<String> {
        let set = self.breaker.split('/').next().unwrap_or_default();
        let name = |event: &BreakerEvent| format!("{set}@{}", event.version);
        self.events.iter().map(name).collect()
    }
}

/// The columns of [`row`].
pub(super) const HEADER: [&str; 6] = ["VERSION", "WHEN", "BY", "WHAT", "THEN", "REASON"];

pub(super) fn row(event: &BreakerEvent) -> [String; 6] {
    [
        event.version.to_string(),
        moment(event.origin.at),
        printable(&event.origin.actor),
        event.origin.cause.to_string(),
        if event.open { "open" } else { "closed" }.to_owned(),
        printable(event.origin.message.as_deref().unwrap_or_default()),
    ]
}
