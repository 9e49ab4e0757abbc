//! Rate: how many requests may be sent by one principal from one address.
//!
//! Both count: who shows one token at two places does not wait for himself, and whoever stands behind
//! the same proxy as others does not wait for them.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use governor::clock::{Clock, DefaultClock};
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};

use super::addresses::network;
use super::refusal::Refusal;
use super::request::{By, Peer};
use super::shared::Shared;
use crate::api::{Error, ErrorKind};

/// How many seconds' worth of requests may come at once.
const BURST_SECONDS: u32 = 4;
/// How many are remembered; those that were silent long enough are none to remember.
const MAX_KNOWN: usize = 10_000;

/// Who sends requests, and from where.
type Sender = (Option<IpAddr>, String);

/// What each sender has left.
#[derive(Debug)]
pub(super) struct Rate<C: Clock = DefaultClock> {
    limiter: RateLimiter<Sender, HashMapStateStore<Sender>, C, NoOpMiddleware<C::Instant>>,
    clock: C,
}

impl Rate {
    /// At most `per_second` on average.
    pub(super) fn of(per_second: NonZeroU32) -> Self {
        Self::by(per_second, DefaultClock::default())
    }
}

impl<C: Clock + Clone> Rate<C> {
    fn by(per_second: NonZeroU32, clock: C) -> Self {
        let burst = NonZeroU32::new(BURST_SECONDS).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::per_second(per_second);
        let quota = quota.allow_burst(per_second.saturating_mul(burst));
        let limiter = RateLimiter::hashmap_with_clock(quota, clock.clone());
        Self { limiter, clock }
    }

    /// Counts a request; how long to wait if it is one too many.
    fn count(&self, from: Option<IpAddr>, name: &str) -> Result<(), Duration> {
        if self.limiter.len() >= MAX_KNOWN {
            self.limiter.retain_recent();
        }
        let sender = (from.map(network), name.to_owned());
        let counted = self.limiter.check_key(&sender);
        counted.map_err(|until| until.wait_time_from(self.clock.now()))
    }
}

/// Lets nobody ask more often than the rate allows.
pub(super) async fn limited(
    State(shared): State<Shared>,
    request: Request,
    next: Next,
) -> Response {
    let route = request.extensions().get::<MatchedPath>();
    // What every agent and application waits for costs next to nothing.
    if route.is_some_and(|route| route.as_str().contains("/snapshots")) {
        return next.run(request).await;
    }
    let peer = request.extensions().get::<Peer>();
    let from = peer.map(|Peer(peer)| peer.ip());
    let by = request.extensions().get::<By>();
    let counted = by.map_or(Ok(()), |By(by)| shared.rate.count(from, by.actor()));
    let Err(wait) = counted else {
        return next.run(request).await;
    };
    let seconds = wait.as_secs() + 1;
    let error = Error::new(ErrorKind::Unavailable, "too many requests with one token")
        .hint(format!("ask again in {seconds} s"))
        .hint("`cfgctl serve --rate-limit` says how many are too many");
    let refusal = Refusal::new(StatusCode::TOO_MANY_REQUESTS, error);
    let mut response = refusal.into_response();
    response
        .headers_mut()
        .insert(header::RETRY_AFTER, seconds.into());
    response
}

#[cfg(test)]
mod tests {
    use governor::clock::FakeRelativeClock;

    use super::*;

    #[test]
    fn who_asks_too_often_waits_and_nobody_else_does() {
        let clock = FakeRelativeClock::default();
        let rate = Rate::by(NonZeroU32::new(10).unwrap(), clock.clone());
        let here = Some("192.0.2.1".parse().unwrap());
        let there = Some("192.0.2.2".parse().unwrap());
        let count = |name| rate.count(here, name);
        for _ in 0..40 {
            count("a").unwrap();
        }
        assert_eq!(count("a"), Err(Duration::from_millis(100)));
        clock.advance(Duration::from_millis(50));
        assert_eq!(count("a"), Err(Duration::from_millis(50)));
        assert_eq!(count("b"), Ok(()));
        assert_eq!(rate.count(there, "a"), Ok(()));
        clock.advance(Duration::from_millis(50));
        assert_eq!(count("a"), Ok(()));
        assert!(count("a").is_err());
        clock.advance(Duration::from_secs(60));
        for _ in 0..40 {
            count("a").unwrap();
        }
        assert!(count("a").is_err());
    }

    #[test]
    fn who_was_silent_long_enough_is_forgotten() {
        let clock = FakeRelativeClock::default();
        let rate = Rate::by(NonZeroU32::MIN, clock.clone());
        for sender in 0..MAX_KNOWN {
            rate.count(None, &sender.to_string()).unwrap();
        }
        clock.advance(Duration::from_secs(5));
        rate.count(None, "another").unwrap();
        assert_eq!(rate.limiter.len(), 1);
    }
}
