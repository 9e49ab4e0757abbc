//! `cfgctl status`.

use super::connect::{Connected, connect};
use super::failure::{Exit, Failure};
use super::follow::{Follower, Proposals};
use super::interrupt::Interrupt;
use super::session::{ReachArgs, Session};
use super::view::{Canvas, View};
use super::views::overrides::hold_line;
use super::views::table::{age, printable, table};
use crate::api::report::{Report, Status};
use crate::model::SetName;

/// Shows which version of every set each cluster holds, whether it is the head, since when and by
/// whom
///
/// Ends with 0 when every cluster could be looked at, whatever it holds, and with 7 when one could
/// not; `cfgctl drift` ends with 1 when something differs.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct StatusArgs {
    /// The sets; left out: all
    #[arg(value_name = "SET")]
    sets: Vec<SetName>,

    #[command(flatten)]
    reach: ReachArgs,
}

pub(crate) async fn status(session: &Session, args: &StatusArgs) -> Result<Exit, Failure> {
    let Connected { service, by } = connect(session).await?;
    let interrupt = Interrupt::listen();
    let follower = Follower::new(&session.ui, &interrupt);
    let observer = follower.observer(Proposals::Known);
    let query = args.reach.look(&args.sets);
    let status = follower.until(service.status(&by, &query, &observer)).await;
    let status = status.map_err(|error| interrupt.explain(error.into()))?;
    if status.clusters.is_empty() {
        session.looked_in(&service.location());
    }
    session.ui.report(&status)?;
    Ok(if status.has_unseen() {
        Exit::Unavailable
    } else {
        Exit::Done
    })
}

impl View for Status {
    const KIND: &'static str = <Self as Report>::KIND;

    fn table(&self, look: Canvas) -> String {
        let rows = self.clusters.iter().map(|view| {
            let version = match (view.holds, view.head) {
                (Some(holds), Some(head)) if holds != head => format!("{holds} of {head}"),
                (Some(holds), _) => holds.to_string(),
                (None, Some(head)) => format!("- of {head}"),
                (None, None) => "-".to_owned(),
            };
            [
                view.set.to_string(),
                view.cluster.to_string(),
                version,
                view.state.words().to_owned(),
                view.since.map_or("-".to_owned(), |at| age(at, look.now)),
                view.actor.as_deref().map_or("-".to_owned(), printable),
                view.reason.as_deref().map_or(String::new(), printable),
            ]
        });
        let header = [
            "SET", "CLUSTER", "VERSION", "STATE", "SINCE", "BY", "REASON",
        ];
        let text = table(look, header, rows);
        if text.is_empty() {
            return "nothing is delivered to any cluster\n".to_owned();
        }
        let overridden: String = self.overridden.iter().map(hold_line).collect();
        if overridden.is_empty() {
            text
        } else {
            format!("{text}\n{overridden}")
        }
    }

    fn names(&self) -> Vec<String> {
        self.clusters
            .iter()
            .map(|view| format!("{}/{}", view.cluster, view.set))
            .collect()
    }
}
