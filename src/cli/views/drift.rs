//! How clusters differ from what they should hold, as people and programs see it.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde::Serialize;

use super::super::failure::Exit;
use super::super::session::StoreArgs;
use super::super::view::{Canvas, Output, View};
use super::markdown::{Comment, Section, code};
use super::overrides::hold_line;
use super::table::{count, moment, printable, table};
use super::values::drift_details;
use crate::api::report::{Drift, DriftItem, Report};
use crate::model::SetName;
use crate::model::text::{place, shell_word};

/// How every set is in every cluster that has to do with it.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(crate) struct DriftView {
    drift: Drift,
    /// Whether people are told when it was.
    #[serde(skip)]
    shows_time: bool,
}

impl DriftView {
    /// The commands that mend name the store that was named to us.
    pub(crate) fn new(mut drift: Drift, stores: &StoreArgs) -> Self {
        let mut store = String::new();
        for (flag, value) in [("--store", &stores.store), ("--context", &stores.context)] {
            if let Some(value) = value {
                _ = write!(store, " {flag} {}", shell_word(&place(value)));
            }
        }
        let commands = drift.clusters.iter_mut().flat_map(|pair| &mut pair.mend);
        for command in commands.filter(|command| command.starts_with("cfgctl ")) {
            command.push_str(&store);
        }
        Self {
            drift,
            shows_time: false,
        }
    }

    /// What the command ends with: a difference that was found outweighs one that was not.
    pub(crate) fn exit(&self) -> Exit {
        match (self.drift.drifted, self.drift.unseen) {
            (0, 0) => Exit::Done,
            (0, _) => Exit::Unavailable,
            _ => Exit::Differences,
        }
    }

    /// The same, and people are told when it was.
    pub(crate) fn with_time(self) -> Self {
        Self {
            shows_time: true,
            ..self
        }
    }

    /// One line that says it all.
    fn summary(&self) -> String {
        let clusters: BTreeSet<_> = self
            .drift
            .clusters
            .iter()
            .map(|pair| &pair.cluster)
            .collect();
        let looked = format!(
            "{} in {}",
            count(self.drift.clusters.len(), "snapshot"),
            count(clusters.len(), "cluster")
        );
        let mut parts = Vec::new();
        if self.drift.drifted > 0 {
            parts.push(format!("{} not as it should be", self.drift.drifted));
        }
        if self.drift.unseen > 0 {
            parts.push(format!("{} could not be looked at", self.drift.unseen));
        }
        if parts.is_empty() {
            format!("in sync: {looked}")
        } else {
            format!("of {looked}, {}", parts.join(", "))
        }
    }
}

fn version(item: &DriftItem) -> String {
    match (item.holds, item.head) {
        (Some(holds), Some(head)) if holds != head => format!("{holds} of {head}"),
        (Some(holds), _) => holds.to_string(),
        (None, Some(head)) => format!("- of {head}"),
        (None, None) => "-".to_owned(),
    }
}

/// Everything about it, on several lines; nothing where all is well.
fn details(item: &DriftItem, look: Canvas, text: &mut String) {
    let Some(cause) = &item.cause else { return };
    let place = format!("{} in {}", item.set, item.cluster);
    let state = item.state.words();
    _ = writeln!(text, "! {place}: {state}: {}", printable(cause));
    // What an older version said is not what it should say now.
    let rightly = if item.holds == item.head {
        "should be"
    } else {
        "was"
    };
    for key in &item.keys {
        drift_details(key, rightly, look, text);
    }
    for key in &item.foreign {
        _ = writeln!(text, "  {} is not from cfgctl; it stays", printable(key));
    }
    for command in &item.mend {
        _ = writeln!(text, "  mend: {}", printable(command));
    }
}

impl View for DriftView {
    const KIND: &'static str = <Drift as Report>::KIND;

    fn table(&self, look: Canvas) -> String {
        let rows = self.drift.clusters.iter().map(|pair| {
            let about = match (pair.keys.len(), pair.foreign.len()) {
                (0, 0) => String::new(),
                (0, foreign) => count(foreign, "foreign key"),
                (keys, 0) => count(keys, "key"),
                (keys, foreign) => {
                    format!("{}, {}", count(keys, "key"), count(foreign, "foreign key"))
                }
            };
            [
                pair.set.to_string(),
                pair.cluster.to_string(),
                version(pair),
                pair.state.words().to_owned(),
                about,
            ]
        });
        let mut sections = Vec::new();
        if self.shows_time {
            sections.push(format!("at {}\n", moment(self.drift.at)));
        }
        sections.push(table(
            look,
            ["SET", "CLUSTER", "VERSION", "STATE", ""],
            rows,
        ));
        let mut details = String::new();
        for pair in &self.drift.clusters {
            self::details(pair, look, &mut details);
        }
        sections.push(details);
        sections.push(self.drift.overridden.iter().map(hold_line).collect());
        sections.retain(|section| !section.is_empty());
        sections.push(format!("{}\n", self.summary()));
        sections.join("\n")
    }

    fn names(&self) -> Vec<String> {
        let differing = self
            .drift
            .clusters
            .iter()
            .filter(|pair| pair.cause.is_some());
        differing
            .map(|pair| format!("{}/{}", pair.cluster, pair.set))
            .collect()
    }

    fn special(&self, output: Output) -> Option<String> {
        (output == Output::Markdown).then(|| self.markdown())
    }
}

impl DriftView {
    fn markdown(&self) -> String {
        let differing = || {
            self.drift
                .clusters
                .iter()
                .filter(|pair| pair.cause.is_some())
        };
        let rows = differing().map(|pair| {
            let mend: Vec<_> = pair.mend.iter().map(|command| code(command)).collect();
            vec![
                code(pair.set.as_str()),
                code(pair.cluster.as_str()),
                pair.state.words().to_owned(),
                version(pair),
                code(pair.cause.as_deref().unwrap_or_default()),
                mend.join("<br>"),
            ]
        });
        let look = Canvas::plain(self.drift.at);
        let sets: BTreeSet<&SetName> = differing().map(|pair| &pair.set).collect();
        let sections = sets.into_iter().map(|set| {
            let mut text = String::new();
            for pair in differing().filter(|pair| pair.set == *set) {
                details(pair, look, &mut text);
            }
            let clusters = differing().filter(|pair| pair.set == *set).count();
            Section {
                title: format!("{} in {}", code(set.as_str()), count(clusters, "cluster")),
                language: "diff",
                text: anstream::adapter::strip_str(&text).to_string(),
            }
        });
        let comment = Comment {
            command: "drift",
            summary: format!("**cfgctl drift**: {}", self.summary()),
            header: &["Set", "Cluster", "State", "Version", "Cause", "Mend"],
            rows: rows.collect(),
            sections: sections.collect(),
            about: "set",
            everything: "cfgctl drift",
        };
        comment.write()
    }
}
