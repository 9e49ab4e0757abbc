//! What a change did, as people see it.

use std::fmt::Write as _;

use super::super::view::{Canvas, View};
use super::table::{printable, table};
use crate::api::report::{NewRevision, Outcome, Report};

impl View for Outcome {
    const KIND: &'static str = <Self as Report>::KIND;

    fn table(&self, look: Canvas) -> String {
        let rows = self.clusters.iter().map(|it| {
            [
                it.set.to_string(),
                it.cluster.to_string(),
                it.version.map_or("-".to_owned(), |v| v.to_string()),
                it.outcome.as_str().to_owned(),
                it.reason.as_deref().map_or(String::new(), printable),
            ]
        });
        let text = table(
            look,
            ["SET", "CLUSTER", "VERSION", "OUTCOME", "REASON"],
            rows,
        );
        if !text.is_empty() {
            return text;
        }
        let mut text = String::new();
        for NewRevision { name, version } in &self.committed {
            _ = writeln!(text, "{name} is committed as version {version}");
        }
        if text.is_empty() {
            text.push_str("nothing to do\n");
        }
        text
    }

    fn names(&self) -> Vec<String> {
        self.committed
            .iter()
            .map(|committed| format!("{}@{}", committed.name, committed.version))
            .collect()
    }
}
