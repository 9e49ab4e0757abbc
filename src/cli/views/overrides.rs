//! Flags and breakers as people see them.

use super::table::{moment, printable};
use crate::plan::Held;

/// Since when, by whom, why and until when something is held.
pub(crate) fn held_by(held: &Held) -> String {
    let mut text = format!("since {} ({}", moment(held.since), printable(&held.actor));
    if let Some(reason) = &held.reason {
        text.push_str(&format!(": \"{}\"", printable(reason)));
    }
    text.push(')');
    if let Some(until) = held.until {
        text.push_str(&format!(", until {}", moment(until)));
    }
    text
}
