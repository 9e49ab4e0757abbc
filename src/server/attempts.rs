//! Attempts to log in that failed: counted by where they come from, so that many of them disturb nobody
//! and fill no log.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::addresses::network;
use super::untold::{Times, Untold};
use crate::api::Noted;
use crate::model::TokenId;

/// For how many from one place within a second the store is looked at: more than people and their
/// scripts make. What is known of tokens is asked for all.
const PER_SECOND: u32 = 20;
/// How many places are told apart; all others count as one.
const PLACES: usize = 64;

/// Those that failed lately.
#[derive(Debug, Default)]
pub(super) struct Attempts(BTreeMap<Option<IpAddr>, Place>);

/// One that failed.
#[derive(Clone, Debug)]
pub(super) struct Attempt {
    pub(super) from: Option<IpAddr>,
    /// The id in what was shown, if it was of the form of a token.
    pub(super) token: Option<TokenId>,
    pub(super) at: Timestamp,
}

/// Those from one place.
#[derive(Debug)]
struct Place {
    second: Instant,
    in_second: u32,
    /// With the id that was shown last.
    untold: Untold<Option<TokenId>>,
}

impl Attempts {
    /// Whether the store is to be looked at for another one from there. It counts as one.
    pub(super) fn may_look(&mut self, from: Option<IpAddr>, now: Instant) -> bool {
        let place = self.place(from, now).1;
        if now.duration_since(place.second) >= Duration::from_secs(1) {
            place.second = now;
            place.in_second = 0;
        }
        place.in_second = place.in_second.saturating_add(1);
        place.in_second <= PER_SECOND
    }

    /// Takes note that one failed; says what is to be told at once: the first one after a while.
    pub(super) fn failed(&mut self, attempt: &Attempt, now: Instant) -> Option<Noted> {
        let (from, place) = self.place(attempt.from, now);
        let shown = |before: Option<_>| attempt.token.clone().or(before.flatten());
        let times = place.untold.note(attempt.at, now, shown)?;
        Some(failed(from, times))
    }

    /// What is to be told by now; `None`: of everything, as this is the end.
    pub(super) fn due(&mut self, now: Option<Instant>) -> Vec<Noted> {
        let due = self.0.iter_mut().filter_map(|(from, place)| {
            let times = place.untold.due(now)?;
            Some(failed(*from, times))
        });
        let told = due.collect();
        let now = now.unwrap_or_else(Instant::now);
        self.0.retain(|_, place| !place.untold.is_over(now));
        told
    }

    /// The place that somebody from there counts for.
    fn place(&mut self, from: Option<IpAddr>, now: Instant) -> (Option<IpAddr>, &mut Place) {
        let mut from = from.map(network);
        if !self.0.contains_key(&from) && self.0.len() >= PLACES {
            from = None;
        }
        let place = self.0.entry(from).or_insert_with(|| Place {
            second: now,
            in_second: 0,
            untold: Untold::new(now),
        });
        (from, place)
    }
}

fn failed(from: Option<IpAddr>, times: Times<Option<TokenId>>) -> Noted {
    Noted::LoginFailed {
        from: from.map(|from| from.to_string()),
        count: times.count,
        since: times.since,
        until: times.until,
        token: times.what,
    }
}

#[cfg(test)]
mod tests {
    use super::super::untold::BETWEEN;
    use super::*;

    fn attempt(from: &str, second: i64) -> Attempt {
        Attempt {
            from: Some(from.parse().unwrap()),
            token: None,
            at: Timestamp::from_second(second).unwrap(),
        }
    }

    fn count(noted: &Noted) -> (Option<&str>, u64) {
        match noted {
            Noted::LoginFailed { from, count, .. } => (from.as_deref(), *count),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_first_is_told_at_once_and_the_others_are_counted() {
        let (mut attempts, start) = (Attempts::default(), Instant::now());
        let told = attempts.failed(&attempt("192.0.2.1", 0), start).unwrap();
        assert_eq!(count(&told), (Some("192.0.2.1"), 1));
        for nth in 1..=10_000 {
            assert_eq!(attempts.failed(&attempt("192.0.2.1", nth), start), None);
        }
        // Somebody else is told of for himself.
        assert!(attempts.failed(&attempt("192.0.2.2", 0), start).is_some());
        assert_eq!(attempts.due(Some(start + BETWEEN / 2)), []);
        let due = attempts.due(Some(start + BETWEEN));
        assert_eq!(due.len(), 1);
        assert_eq!(count(&due[0]), (Some("192.0.2.1"), 10_000));
        assert_eq!(attempts.due(Some(start + BETWEEN * 3)), []);
        assert_eq!(attempts.0.len(), 0);
        attempts.failed(&attempt("192.0.2.1", 0), start);
        attempts.failed(&attempt("192.0.2.1", 0), start);
        assert_eq!(attempts.due(None).len(), 1);
    }

    #[test]
    fn a_few_in_a_second_are_looked_at_wherever_they_come_from() {
        let (mut attempts, start) = (Attempts::default(), Instant::now());
        let mut looked = |from: &str, at| attempts.may_look(Some(from.parse().unwrap()), at);
        let looks = |looked: &mut dyn FnMut(&str, Instant) -> bool, from: &str, at| {
            (0..100).filter(|_| looked(from, at)).count()
        };
        assert_eq!(looks(&mut looked, "192.0.2.1", start), 20);
        assert_eq!(looks(&mut looked, "192.0.2.2", start), 20);
        assert_eq!(looks(&mut looked, "::ffff:192.0.2.2", start), 0);
        let later = start + Duration::from_secs(1);
        assert_eq!(looks(&mut looked, "192.0.2.1", later), 20);
        assert_eq!(looks(&mut looked, "2001:db8::1", start), 20);
        assert_eq!(looks(&mut looked, "2001:db8::2:2", start), 0);
        assert_eq!(looks(&mut looked, "2001:db8:0:1::1", start), 20);
    }

    #[test]
    fn more_places_than_are_told_apart_count_as_one() {
        let (mut attempts, start) = (Attempts::default(), Instant::now());
        let mut told = 0;
        for nth in 0..10_000 {
            let from = format!("192.0.{}.{}", nth / 256, nth % 256);
            told += usize::from(attempts.failed(&attempt(&from, nth), start).is_some());
        }
        assert_eq!((told, attempts.0.len()), (PLACES + 1, PLACES + 1));
        let due = attempts.due(Some(start + BETWEEN));
        assert_eq!(due.len(), 1);
        assert_eq!(count(&due[0]), (None, 10_000 - 65));
    }
}
