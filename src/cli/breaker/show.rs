//! `cfgctl breaker show`.

use std::fmt::Write as _;

use super::history;
use crate::api::BreakerQuery;
use crate::api::report::{BreakerReport, Report};
use crate::cli::connect::{Connected, connect};
use crate::cli::failure::{Exit, Failure};
use crate::cli::follow::{Follower, Proposals};
use crate::cli::interrupt::Interrupt;
use crate::cli::names::PartOf;
use crate::cli::session::{LookArgs, Session};
use crate::cli::view::{Canvas, View};
use crate::cli::views::overrides::{breaker_lasts, delivered, effect_lines, joined};
use crate::cli::views::table::{moment, printable, table};
use crate::model::{BreakerName, BreakerState};

/// Shows a breaker: its state, who brought it there, what it changes in every cluster
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct ShowArgs {
    /// The breaker
    #[arg(value_name = "SET/BREAKER")]
    breaker: PartOf<BreakerName>,

    #[command(flatten)]
    look: LookArgs,
}

pub(super) async fn show(session: &Session, args: &ShowArgs) -> Result<Exit, Failure> {
    let Connected { service, by } = connect(session).await?;
    let interrupt = Interrupt::listen();
    let follower = Follower::new(&session.ui, &interrupt);
    let observer = follower.observer(Proposals::Known);
    let query = BreakerQuery {
        set: args.breaker.set.clone(),
        breaker: args.breaker.name.clone(),
        pace: args.look.pace(),
    };
    let breaker = follower
        .until(service.breaker(&by, &query, &observer))
        .await;
    let breaker = breaker.map_err(|error| interrupt.explain(error.into()))?;
    session.ui.report(&breaker)?;
    Ok(Exit::Done)
}

impl View for BreakerReport {
    const KIND: &'static str = <Self as Report>::KIND;

    fn table(&self, look: Canvas) -> String {
        let mut text = format!("{}\n", self.breaker);
        if let Some(description) = &self.description {
            _ = writeln!(text, "  {}", printable(description));
        }
        if !self.alerts.is_empty() {
            let alerts = self.alerts.iter();
            let alerts: Vec<_> = alerts
                .map(|(key, value)| format!("{key}={value}"))
                .collect();
            _ = writeln!(
                text,
                "  tripped by alerts with {}",
                printable(&alerts.join(","))
            );
        }
        if let Some(label) = &self.cluster {
            let label = printable(label);
            _ = writeln!(
                text,
                "  only in clusters that have the `{label}` of the alert"
            );
        }
        _ = writeln!(text, "  reset {}", self.reset);
        for view in &self.states {
            _ = write!(text, "{}", view.state.as_str());
            if !view.clusters.is_empty() {
                _ = write!(text, " in {}", joined(&view.clusters, ", "));
            }
            if let (Some(since), Some(actor)) = (view.since, &view.actor) {
                _ = write!(text, " since {} ({})", moment(since), printable(actor));
                if view.state != BreakerState::Disabled {
                    let lasts = breaker_lasts(view, look.now);
                    _ = write!(text, ", lasts {lasts}");
                }
            }
            if let Some(reason) = &view.reason {
                _ = write!(text, ": {}", printable(reason));
            }
            if !view.clusters.is_empty() {
                let delivered = delivered(view.clusters.len(), &view.waiting);
                _ = write!(text, "\n  delivered in {delivered}");
            }
            text.push('\n');
        }
        text.push_str("\nwhile it is open,\n");
        effect_lines(&self.effects, look, &mut text);
        if !self.recent.is_empty() {
            text.push('\n');
            text.push_str(&table(
                look,
                history::HEADER,
                self.recent.iter().map(history::row),
            ));
        }
        text
    }

    fn names(&self) -> Vec<String> {
        vec![self.breaker.clone()]
    }
}
