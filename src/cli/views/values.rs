//! Values and keys that differ, line by line.

use std::fmt::Write as _;

use anstyle::AnsiColor;
use serde::Serialize;

use super::super::ui::Look;
use super::diff::{Highlight, unified};
use super::table::{printable, shortened};
use crate::plan::{Drift, Edit, ValueChange};

/// One of our keys that someone else changed.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DriftView {
    pub(super) key: Option<String>,
    pub(super) what: &'static str,
    found: Option<String>,
    expected: Option<String>,
    /// For the snapshot key: from what its values should be to what they are.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    values: Vec<ValueChange>,
}

impl DriftView {
    pub(super) fn new(drift: &Drift) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        match drift {
            Drift::EditedSnapshot { values } => Self {
                key: None,
                what: "was changed by hand",
                found: None,
                expected: None,
                values: values.clone(),
            },
            Drift::Edited {
                key,
                found,
                expected,
            } => Self {
                key: Some(key.to_string()),
                what: "was changed by hand",
                found: Some(text(found)),
                expected: expected.as_deref().map(text),
                values: Vec::new(),
            },
            Drift::Missing { key, expected } => Self {
                key: Some(key.to_string()),
                what: "was deleted by hand",
                found: None,
                expected: expected.as_deref().map(text),
                values: Vec::new(),
            },
        }
    }

    /// The key, what happened to it, and both values.
    pub(super) fn details(&self, rightly: &str, look: Look, text: &mut String) {
        let key = self.key.as_deref().unwrap_or("the snapshot key");
        _ = writeln!(text, "  {} {}", printable(key), self.what);
        self.values(rightly, look, text);
    }

    /// What it is and what it should be, as a diff where that is text of several lines.
    pub(super) fn values(&self, rightly: &str, look: Look, text: &mut String) {
        match (&self.expected, &self.found) {
            (Some(expected), Some(found)) if has_lines(expected) || has_lines(found) => {
                let highlight = Highlight::of(look);
                let key = self.key.as_deref().unwrap_or_default();
                text.push_str(&unified(&printable(key), expected, found, highlight));
            }
            (expected, found) => {
                for (sign, value) in [("is", found), (rightly, expected)] {
                    if let Some(value) = value {
                        _ = writeln!(text, "    {sign}: {}", shortened(value, look));
                    }
                }
            }
        }
        value_lines(&self.values, look, text);
    }
}

/// One line for every value that changes.
pub(super) fn value_lines(changes: &[ValueChange], look: Look, text: &mut String) {
    for change in changes {
        let (sign, style, values) = match &change.edit {
            Edit::Added { to } => ("+", AnsiColor::Green, shortened(&to.to_string(), look)),
            Edit::Removed { from } => ("-", AnsiColor::Red, shortened(&from.to_string(), look)),
            Edit::Changed { from, to } => (
                "~",
                AnsiColor::Yellow,
                format!(
                    "{} → {}",
                    shortened(&from.to_string(), look),
                    shortened(&to.to_string(), look)
                ),
            ),
        };
        let style = style.on_default();
        let path = printable(&change.path.to_string());
        _ = writeln!(text, "    {style}{sign} {path}: {values}{style:#}");
    }
}

/// Whether it is more than one line.
fn has_lines(value: &str) -> bool {
    value.trim_end_matches('\n').contains('\n')
}
