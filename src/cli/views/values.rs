//! Values and keys that differ, line by line.

use std::fmt::Write as _;

use anstyle::AnsiColor;
use serde::Serialize;

use super::super::ui::Look;
use super::diff::{Highlight, unified};
use super::excerpt;
use super::table::{printable, shortened};
use crate::model::Key;
use crate::plan::{Drift, Edit, ValueChange};

/// One of our keys that someone else changed.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DriftView {
    pub(super) key: Option<String>,
    pub(super) what: &'static str,
    found: Option<String>,
    expected: Option<String>,
    /// How many bytes the values have, where they are shown in part or not at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    found_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expected_bytes: Option<u64>,
    /// For the snapshot key: from what its values should be to what they are.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    values: Vec<ValueChange>,
}

impl DriftView {
    pub(super) fn new(drift: &Drift) -> Self {
        match drift {
            Drift::EditedSnapshot { values } => Self {
                key: None,
                what: "was changed by hand",
                found: None,
                expected: None,
                found_bytes: None,
                expected_bytes: None,
                values: values.iter().map(excerpt::change).collect(),
            },
            Drift::Edited {
                key,
                found,
                unread,
                expected,
            } => {
                let found = unread.is_none().then_some(found.as_slice());
                let view = Self::of(key, "was changed by hand", found, expected.as_deref());
                Self {
                    found_bytes: unread.or(view.found_bytes),
                    ..view
                }
            }
            Drift::Missing { key, expected } => {
                Self::of(key, "was deleted by hand", None, expected.as_deref())
            }
        }
    }

    fn of(key: &Key, what: &'static str, found: Option<&[u8]>, expected: Option<&[u8]>) -> Self {
        // Where both are too long to be shown, what they begin with alike is left out.
        let alike = match (found, expected) {
            (Some(found), Some(expected)) => excerpt::alike(found, expected),
            _ => 0,
        };
        let of = |bytes: Option<&[u8]>| {
            let (text, bytes) = excerpt::text(bytes?, alike);
            Some((text, bytes))
        };
        let (found, found_bytes) = of(found).unzip();
        let (expected, expected_bytes) = of(expected).unzip();
        Self {
            key: Some(key.to_string()),
            what,
            found,
            expected,
            found_bytes: found_bytes.flatten(),
            expected_bytes: expected_bytes.flatten(),
            values: Vec::new(),
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
                if let (None, Some(bytes)) = (found, self.found_bytes) {
                    _ = writeln!(
                        text,
                        "    is: not read: {bytes} bytes, more than cfgctl ever writes"
                    );
                }
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
