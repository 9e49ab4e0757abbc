//! Flags and breakers as people see them.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use jiff::Timestamp;

use super::super::view::{Canvas, View};
use super::table::{moment, printable, span};
use super::values::value_lines;
use crate::api::report::{BreakerItem, Effect, EffectIn, HoldItem, Report, Waiting};
use crate::api::{Held, Hold};
use crate::model::{BreakerState, ClusterName};

/// Since when, by whom, why and until when something is held.
pub(crate) fn held_by(held: &Held) -> String {
    let mut text = format!("since {} ({}", moment(held.since), printable(&held.actor));
    if let Some(reason) = &held.reason {
        _ = write!(text, ": \"{}\"", printable(reason));
    }
    text.push(')');
    if let Some(until) = held.until {
        _ = write!(text, ", until {}", moment(until));
    }
    text
}

/// How long a breaker stays as it is.
pub(crate) fn breaker_lasts(breaker: &BreakerItem, now: Timestamp) -> String {
    if breaker.latched {
        "until a person resets it: tripped too often".to_owned()
    } else if breaker.while_firing {
        "while alerts fire".to_owned()
    } else {
        lasts(breaker.until, now)
    }
}

/// How long something is still held.
pub(crate) fn lasts(until: Option<Timestamp>, now: Timestamp) -> String {
    match until {
        None => "until it is taken back".to_owned(),
        Some(until) if until <= now => "over".to_owned(),
        Some(until) => span(until.duration_since(now)),
    }
}

/// The cluster that waits, and in a word how it is there.
fn waiting_words(waiting: &Waiting) -> String {
    let word = match &waiting.holds {
        Some(holds) => printable(holds),
        None => waiting.state.words().to_owned(),
    };
    format!("{} ({word})", waiting.cluster)
}

/// In how many of `clusters` it has arrived, and which wait for it: one cell of a table.
pub(crate) fn delivered(clusters: usize, waiting: &[Waiting]) -> String {
    if clusters == 0 {
        return "-".to_owned();
    }
    let there = clusters.saturating_sub(waiting.len());
    let all = format!("{there} of {clusters}");
    if waiting.is_empty() {
        all
    } else {
        format!("{all}, {}", waiting_for(waiting))
    }
}

/// Who waits for it.
fn waiting_for(waiting: &[Waiting]) -> String {
    let names: Vec<String> = waiting.iter().map(waiting_words).collect();
    format!("waiting for {}", names.join(", "))
}

/// Names of clusters in one text.
pub(crate) fn joined(clusters: &[ClusterName], separator: &str) -> String {
    let names: Vec<&str> = clusters.iter().map(ClusterName::as_str).collect();
    names.join(separator)
}

/// One line about something that is switched by hand.
pub(crate) fn hold_line(item: &HoldItem) -> String {
    let (what, held) = match &item.hold {
        Hold::Flag {
            flag,
            variant,
            held,
        } => {
            let variant = printable(variant);
            (format!("flag {flag} held at {variant}"), held)
        }
        Hold::Breaker {
            breaker,
            state: BreakerState::Disabled,
            held,
        } => (format!("breaker {breaker} disabled"), held),
        Hold::Breaker { breaker, held, .. } => (format!("held by breaker {breaker}"), held),
    };
    let clusters = joined(&item.clusters, ", ");
    let waiting = match item.waiting.as_deref() {
        None | Some([]) => String::new(),
        Some(waiting) => {
            let there = item.clusters.len().saturating_sub(waiting.len());
            format!("; delivered in {there}, {}", waiting_for(waiting))
        }
    };
    let held = held_by(held);
    format!("* {} in {clusters}: {what} {held}{waiting}\n", item.set)
}

/// Effects as lines.
pub(crate) fn effect_lines(effects: &[EffectIn], look: Canvas, text: &mut String) {
    for effect in effects {
        let clusters = joined(&effect.clusters, ", ");
        if let Some(reason) = &effect.reason {
            _ = writeln!(text, "! {clusters} {reason}");
        }
        if effect.changes.is_empty() {
            _ = writeln!(text, "in {clusters}: nothing changes");
        } else {
            _ = writeln!(text, "in {clusters}:");
            value_lines(&effect.changes, look, text);
        }
    }
}

impl View for Effect {
    const KIND: &'static str = <Self as Report>::KIND;

    fn table(&self, look: Canvas) -> String {
        let mut text = String::new();
        if let Some(note) = &self.note {
            _ = writeln!(text, "{}", printable(note));
        }
        if let Some(until) = self.until {
            _ = writeln!(text, "until {}", moment(until));
        }
        effect_lines(&self.effects, look, &mut text);
        if self.effects.is_empty() {
            _ = writeln!(text, "{} goes to no cluster", self.set);
        }
        text
    }

    fn names(&self) -> Vec<String> {
        let changed = self.effects.iter().filter(|it| !it.changes.is_empty());
        let names: BTreeSet<&ClusterName> = changed.flat_map(|it| &it.clusters).collect();
        names.into_iter().map(ToString::to_string).collect()
    }
}
