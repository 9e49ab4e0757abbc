//! Values and keys that differ, line by line.

use std::fmt::Write as _;

use anstyle::AnsiColor;

use super::super::view::Canvas;
use super::diff::{Highlight, unified};
use super::table::{printable, shortened};
use crate::api::report::KeyDrift;
use crate::api::{Edit, ValueChange};

/// The key, what happened to it, and both values.
pub(super) fn drift_details(drift: &KeyDrift, rightly: &str, look: Canvas, text: &mut String) {
    let key = drift.key.as_deref().unwrap_or("the snapshot key");
    _ = writeln!(text, "  {} {}", printable(key), drift.what.words());
    drift_values(drift, rightly, look, text);
}

/// What it is and what it should be, as a diff where that is text of several lines.
pub(super) fn drift_values(drift: &KeyDrift, rightly: &str, look: Canvas, text: &mut String) {
    match (&drift.expected, &drift.found) {
        (Some(expected), Some(found)) if has_lines(expected) || has_lines(found) => {
            let highlight = Highlight::of(look);
            let key = drift.key.as_deref().unwrap_or_default();
            text.push_str(&unified(&printable(key), expected, found, highlight));
        }
        (expected, found) => {
            if let (None, Some(bytes)) = (found, drift.found_bytes) {
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
    value_lines(&drift.values, look, text);
}

/// One line for every value that changes.
pub(super) fn value_lines(changes: &[ValueChange], look: Canvas, text: &mut String) {
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
