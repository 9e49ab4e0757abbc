//! What is not told yet: of what happens again and again the first is told at once, and the rest
//! together, so that it fills no log.

use std::time::{Duration, Instant};

use jiff::Timestamp;

/// How far apart it is told.
pub(super) const BETWEEN: Duration = Duration::from_secs(10);

/// One thing that may happen again and again.
#[derive(Debug)]
pub(super) struct Untold<T> {
    /// Until when nothing is told of it.
    quiet: Instant,
    /// What is to be told then.
    times: Option<Times<T>>,
}

/// How often it happened, and what is known of it.
#[derive(Debug)]
pub(super) struct Times<T> {
    pub(super) count: u64,
    /// The first of these times.
    pub(super) since: Timestamp,
    /// The last of these times.
    pub(super) until: Timestamp,
    pub(super) what: T,
}

impl<T> Untold<T> {
    /// Nothing yet; the first is told at once.
    pub(super) fn new(now: Instant) -> Self {
        Self {
            quiet: now,
            times: None,
        }
    }

    /// Takes note that it happened once more; `what` makes of what is known what is known then. Says
    /// what is to be told at once.
    pub(super) fn note(
        &mut self,
        at: Timestamp,
        now: Instant,
        what: impl FnOnce(Option<T>) -> T,
    ) -> Option<Times<T>> {
        let (count, since, known) = match self.times.take() {
            Some(times) => (times.count + 1, times.since, Some(times.what)),
            None => (1, at, None),
        };
        self.times = Some(Times {
            count,
            since,
            until: at,
            what: what(known),
        });
        if now < self.quiet {
            return None;
        }
        self.tell(now)
    }

    /// What is to be told by now; `None`: all, as this is the end.
    pub(super) fn due(&mut self, now: Option<Instant>) -> Option<Times<T>> {
        if now.is_some_and(|now| now < self.quiet) {
            return None;
        }
        self.tell(now.unwrap_or_else(Instant::now))
    }

    /// Whether there is nothing to remember.
    pub(super) fn is_over(&self, now: Instant) -> bool {
        self.times.is_none() && now >= self.quiet
    }

    fn tell(&mut self, now: Instant) -> Option<Times<T>> {
        let times = self.times.take()?;
        self.quiet = now + BETWEEN;
        Some(times)
    }
}
