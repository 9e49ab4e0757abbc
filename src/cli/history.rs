//! `cfgctl history`.

use serde::Serialize;

use super::failure::{Exit, Failure};
use super::names::known;
use super::session::Session;
use super::ui::{Look, Report};
use super::views::table::{moment, planned, printable, table};
use crate::manifest::manifest_of;
use crate::model::{Content, Origin, ResourceId, Revision, Version};
use crate::plan::{Edit, value_changes};
use crate::store::Which;

/// Lists the revisions of a set, newest first: who, when, why, and how much changed
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct HistoryArgs {
    /// A set, or `cluster/NAME`
    #[arg(value_name = "NAME")]
    name: ResourceId,

    /// At most this many
    #[arg(long, value_name = "N", default_value = "20")]
    limit: usize,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct History {
    name: String,
    revisions: Vec<Entry>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    version: Version,
    origin: Origin,
    deleted: bool,
    added: usize,
    changed: usize,
    removed: usize,
}

pub(crate) async fn history(session: &Session, args: &HistoryArgs) -> Result<Exit, Failure> {
    let store = session.store().await?;
    // One more than is shown, to compare the last one with.
    let wanted = args.limit.saturating_add(1);
    let revisions = store.history(&args.name, None, wanted).await?;
    if revisions.is_empty() {
        known(&store.heads(&Which::All).await?.heads, &args.name)?;
    }
    let olders = revisions.iter().skip(1).map(Some).chain([None]);
    session.ui.report(&History {
        name: args.name.to_string(),
        revisions: revisions
            .iter()
            .zip(olders)
            .take(args.limit)
            .map(|(revision, older)| Entry::new(&args.name, revision, older))
            .collect(),
    })?;
    Ok(Exit::Done)
}

impl Entry {
    fn new(id: &ResourceId, revision: &Revision, older: Option<&Revision>) -> Self {
        let leaves = |content: Option<&Content>| {
            let manifest = content.and_then(|content| manifest_of(id, content));
            manifest
                .and_then(|manifest| manifest.as_object().cloned())
                .unwrap_or_default()
        };
        let before = leaves(older.map(|older| &older.content));
        let changes = value_changes(&before, &leaves(Some(&revision.content)));
        let of = |wanted: fn(&Edit) -> bool| {
            let edits = changes.iter().map(|change| &change.edit);
            edits.filter(|edit| wanted(edit)).count()
        };
        Self {
            version: revision.version,
            origin: revision.origin.clone(),
            deleted: revision.content == Content::Deleted,
            added: of(|edit| matches!(edit, Edit::Added { .. })),
            changed: of(|edit| matches!(edit, Edit::Changed { .. })),
            removed: of(|edit| matches!(edit, Edit::Removed { .. })),
        }
    }
}

impl Report for History {
    const KIND: &'static str = "History";

    fn table(&self, look: Look) -> String {
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
        let name = |entry: &Entry| format!("{}@{}", self.name, entry.version);
        self.revisions.iter().map(name).collect()
    }
}
