//! Room: how much of what clients send is held at once, as bytes and as what they become.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::http::StatusCode;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::lock::lock;
use super::refusal::Refusal;
use crate::api::{Error, ErrorKind};

/// What needs no more has room in any case: a trip waits for nobody's thousands of sets.
const SMALL: usize = 256 << 10;
/// The most bytes of all others at once.
const AT_ONCE: usize = 1 << 30;
/// Bytes are counted in units, rounded up.
const UNIT: usize = 1 << 10;
/// How long a request waits for room.
const PATIENCE: Duration = Duration::from_secs(10);

/// The room that all requests share.
#[derive(Clone, Debug)]
pub(super) struct Rooms(Arc<Semaphore>);

/// What one request takes of it, until it is answered.
#[derive(Clone, Debug)]
pub(super) struct Room {
    all: Rooms,
    taken: Arc<Mutex<Vec<OwnedSemaphorePermit>>>,
}

impl Default for Rooms {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(AT_ONCE / UNIT)))
    }
}

impl Rooms {
    /// The room of one request, which has taken none of it yet.
    pub(super) fn of_request(&self) -> Room {
        Room {
            all: self.clone(),
            taken: Arc::default(),
        }
    }
}

impl Room {
    /// Takes so many bytes more, once they are there.
    pub(super) async fn take(&self, bytes: usize) -> Result<(), Refusal> {
        self.take_within(PATIENCE, bytes).await
    }

    async fn take_within(&self, patience: Duration, bytes: usize) -> Result<(), Refusal> {
        if bytes <= SMALL {
            return Ok(());
        }
        let units = u32::try_from(bytes.min(AT_ONCE).div_ceil(UNIT)).unwrap_or(u32::MAX);
        let taken = Arc::clone(&self.all.0).acquire_many_owned(units);
        // The semaphore is never closed.
        if let Ok(Ok(taken)) = tokio::time::timeout(patience, taken).await {
            lock(&self.taken).push(taken);
            return Ok(());
        }
        let error = "too many large requests are being answered";
        let error = Error::new(ErrorKind::Unavailable, error)
            .hint("try again in a moment, or apply it in several steps");
        Err(Refusal::new(StatusCode::SERVICE_UNAVAILABLE, error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn large_requests_wait_for_each_other_and_small_ones_for_nobody() {
        let rooms = Rooms::default();
        let first = rooms.of_request();
        first.take(AT_ONCE).await.unwrap();
        let second = rooms.of_request();
        second.take(SMALL).await.unwrap();
        let refused = second.take_within(Duration::ZERO, SMALL + 1).await;
        let refused = refused.unwrap_err();
        assert!(refused.data().contains("too many large requests"));
        let waits = tokio::spawn(async move { second.take(SMALL + 1).await });
        tokio::task::yield_now().await;
        // Whoever is answered gives all back.
        drop(first);
        waits.await.unwrap().unwrap();
    }
}
