//! Denials: what somebody who is known was not allowed, counted by who it was, so that whoever tries
//! for ever fills no log.

use std::collections::BTreeMap;
use std::time::Instant;

use jiff::Timestamp;

use super::untold::{Times, Untold};
use crate::api::{Caller, LogEntry, Noted};

/// Those of late, by whom: the last of each stands for all.
#[derive(Debug, Default)]
pub(super) struct RecentDenials(BTreeMap<String, Untold<Denial>>);

/// One denial.
#[derive(Clone, Debug)]
pub(super) struct Denial {
    pub(super) by: Caller,
    /// What was asked for: `POST /v1/changes`.
    pub(super) operation: String,
    /// What was said to that.
    pub(super) error: String,
    pub(super) at: Timestamp,
}

impl RecentDenials {
    /// Takes note of one; says what is to be told at once: the first one after a while.
    pub(super) fn note(&mut self, denial: Denial, now: Instant) -> Option<LogEntry> {
        let by = denial.by.actor().to_owned();
        let untold = self.0.entry(by).or_insert_with(|| Untold::new(now));
        untold.note(denial.at, now, |_| denial).map(refused)
    }

    /// What is to be told by now; `None`: all, as this is the end.
    pub(super) fn due(&mut self, now: Option<Instant>) -> Vec<LogEntry> {
        let due = self.0.values_mut().filter_map(|untold| untold.due(now));
        let told = due.map(refused).collect();
        let now = now.unwrap_or_else(Instant::now);
        self.0.retain(|_, untold| !untold.is_over(now));
        told
    }
}

fn refused(times: Times<Denial>) -> LogEntry {
    LogEntry {
        by: Some(times.what.by),
        what: Noted::Refused {
            operation: times.what.operation,
            error: times.what.error,
            count: times.count,
            since: times.since,
            until: times.until,
        },
        message: None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::untold::BETWEEN;
    use super::*;

    fn denial(name: &str) -> Denial {
        Denial {
            by: Caller::local(name.to_owned()),
            operation: "POST /v1/changes".to_owned(),
            error: "this is not allowed".to_owned(),
            at: Timestamp::UNIX_EPOCH,
        }
    }

    fn count(entry: &LogEntry) -> u64 {
        match entry.what {
            Noted::Refused { count, .. } => count,
            _ => 0,
        }
    }

    #[test]
    fn the_first_is_told_at_once_and_the_rest_together() {
        let (mut denials, start) = (RecentDenials::default(), Instant::now());
        let first = denials.note(denial("a"), start);
        assert_eq!(first.as_ref().map(count), Some(1));
        for _ in 0..99 {
            assert_eq!(denials.note(denial("a"), start), None);
        }
        assert!(denials.note(denial("b"), start).is_some(), "another one");
        assert_eq!(denials.due(Some(start)), []);
        let later = start + BETWEEN;
        let due: Vec<_> = denials.due(Some(later)).iter().map(count).collect();
        assert_eq!(due, [99]);
        assert_eq!(denials.due(Some(later + BETWEEN)), []);
        assert!(denials.0.is_empty(), "what is over is forgotten");
        assert!(denials.note(denial("a"), later).is_some());
        assert_eq!(denials.note(denial("a"), later), None);
        assert_eq!(denials.due(None).len(), 1, "the end leaves nothing out");
    }
}
