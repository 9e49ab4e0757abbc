//! `cfgctl history`.

use super::connect::connect;
use super::failure::{Exit, Failure};
use super::session::Session;
use super::view::{Canvas, View};
use super::views::table::{moment, planned, printable, table};
use crate::api::HistoryQuery;
use crate::api::report::{History, HistoryEntry, Report};
use crate::model::ResourceId;

/// Lists the revisions of a set, a cluster or a grant, newest first: who, when, why, and how much changed
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct HistoryArgs {
    /// A set, `cluster/NAME` or `grant/NAME`
    #[arg(value_name = "NAME")]
    name: ResourceId,

    /// At most this many
    #[arg(long, value_name = "N", default_value = "20")]
    limit: usize,
}

pub(crate) async fn history(session: &Session, args: &HistoryArgs) -> Result<Exit, Failure> {
    let connected = connect(session).await?;
    let query = HistoryQuery {
        name: args.name.clone(),
        before: None,
        limit: args.limit,
    };
    let found = connected.service.history(&connected.by, &query).await?;
    session.ui.report(&found)?;
    Ok(Exit::Done)
}

impl View for History {
    const KIND: &'static str = <Self as Report>::KIND;

    fn table(&self, look: Canvas) -> String {
        let rows = self.revisions.iter().map(|entry| {
            let changes = [
                ("+", entry.added),
                ("~", entry.changed),
                ("-", entry.removed),
            ];
            let changes: Vec<_> = changes
                .iter()
                .filter(|(_, count)| *count > 0)
                .map(|(sign, count)| format!("{sign}{count}"))
                .collect();
            let message = entry.origin.message.as_deref().unwrap_or_default();
            [
                entry.version.to_string(),
                moment(entry.origin.at),
                printable(&entry.origin.actor),
                entry.origin.cause.to_string(),
                if changes.is_empty() {
                    "-".to_owned()
                } else {
                    changes.join(" ")
                },
                planned(&entry.origin),
                printable(message),
            ]
        });
        let header = [
            "VERSION", "WHEN", "BY", "CAUSE", "CHANGES", "PLANNED", "MESSAGE",
        ];
        if look.wide {
            return table(look, header, rows);
        }
        let narrow = |row: [String; 7]| {
            let [version, when, by, cause, changes, _, message] = row;
            [version, when, by, cause, changes, message]
        };
        let [version, when, by, cause, changes, _, message] = header;
        let header = [version, when, by, cause, changes, message];
        table(look, header, rows.map(narrow))
    }

    fn names(&self) -> Vec<String> {
        let name = |entry: &HistoryEntry| format!("{}@{}", self.name, entry.version);
        self.revisions.iter().map(name).collect()
    }
}
