//! Denials: what somebody who is known was not allowed, counted by who it was, so that whoever tries
//! for ever fills no log.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::api::{Caller, LogEntry, Noted};

/// How far apart the entries of the log about one caller are.
const BETWEEN: Duration = Duration::from_secs(10);

/// Those of late, by whom.
#[derive(Debug, Default)]
pub(super) struct RecentDenials(BTreeMap<String, Tried>);

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

#[derive(Debug)]
struct Tried {
    /// Until when nothing is told of it.
    quiet: Instant,
    /// How many are not told, since when, and the last of them.
    untold: Option<(u64, Timestamp, Denial)>,
}

impl RecentDenials {
    /// Takes note of one; says what is to be told at once: the first one after a while.
    pub(super) fn note(&mut self, denial: Denial, now: Instant) -> Option<LogEntry> {
        let by = denial.by.actor().to_owned();
        let untold = None;
        let tried = self.0.entry(by).or_insert(Tried { quiet: now, untold });
        let (count, since) = match &tried.untold {
            Some((count, since, _)) => (count + 1, *since),
            None => (1, denial.at),
        };
        tried.untold = Some((count, since, denial));
        if now < tried.quiet {
            None
        } else {
            tried.tell(now)
        }
    }

    /// What is to be told by now; `None`: all, as this is the end.
    pub(super) fn due(&mut self, now: Option<Instant>) -> Vec<LogEntry> {
        let at = now.unwrap_or_else(Instant::now);
        let due = |tried: &&mut Tried| now.is_none_or(|now| now >= tried.quiet);
        let told = self.0.values_mut().filter(due);
        let told = told.filter_map(|tried| tried.tell(at)).collect();
        self.0
            .retain(|_, tried| tried.untold.is_some() || at < tried.quiet);
        told
    }
}

impl Tried {
    fn tell(&mut self, now: Instant) -> Option<LogEntry> {
        let (count, since, last) = self.untold.take()?;
        self.quiet = now + BETWEEN;
        Some(LogEntry {
            by: Some(last.by),
            what: Noted::Refused {
                operation: last.operation,
                error: last.error,
                count,
                since,
                until: last.at,
            },
            message: None,
        })
    }
}

#[cfg(test)]
mod tests {
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
