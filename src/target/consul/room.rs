//! How much memory the answers of all Consuls may take together.
//!
//! Each answer has a limit of its own, but a fleet whose Consuls are all sick answers many times at
//! once. What an answer takes beyond a small first part is taken from one pool, as it arrives. When
//! the pool is empty, half-read answers would wait for each other: so one of them at a time may go
//! on without the pool, to its end or to the end of its time, and then gives back all it had.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What an answer may take without asking, and the steps in which it asks for more. It is no less
/// than any answer but a listing, so that a small one never waits for a large one.
pub(super) const STEP: usize = 1024 * 1024;
/// The pool of this process, in steps.
const POOL: usize = 192;

static PROCESS: LazyLock<Arc<Room>> = LazyLock::new(|| Arc::new(Room::new(POOL)));

/// Room for answers.
#[derive(Debug)]
pub(super) struct Room {
    pool: Arc<Semaphore>,
    /// Whoever holds it needs no pool.
    beyond: Arc<Semaphore>,
    held: AtomicUsize,
    most: AtomicUsize,
}

/// What one answer takes. Dropped, it is free again.
#[derive(Debug)]
pub(super) struct Held {
    room: Arc<Room>,
    bytes: usize,
    permits: Vec<OwnedSemaphorePermit>,
    is_beyond: bool,
}

impl Room {
    /// Room for this many steps, and for one answer beyond them.
    pub(super) fn new(steps: usize) -> Self {
        Self {
            pool: Arc::new(Semaphore::new(steps)),
            beyond: Arc::new(Semaphore::new(1)),
            held: AtomicUsize::new(0),
            most: AtomicUsize::new(0),
        }
    }

    /// The room that all connections of this process share.
    pub(super) fn of_process() -> Arc<Self> {
        Arc::clone(&PROCESS)
    }

    /// For one answer, of which nothing is there yet.
    pub(super) fn enter(self: Arc<Self>) -> Held {
        Held {
            room: self,
            bytes: STEP,
            permits: Vec::new(),
            is_beyond: false,
        }
    }

    /// The most bytes that were ever held at once beyond the first step of each answer.
    #[cfg(test)]
    pub(super) fn most(&self) -> usize {
        self.most.load(Ordering::SeqCst)
    }
}

impl Held {
    /// How many bytes it may take by now.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Waits until it may take a step more.
    pub(super) async fn grow(&mut self) {
        if !self.is_beyond {
            // Neither is ever closed.
            tokio::select! {
                biased;
                Ok(permit) = Arc::clone(&self.room.pool).acquire_owned() => {
                    self.permits.push(permit);
                }
                Ok(permit) = Arc::clone(&self.room.beyond).acquire_owned() => {
                    self.permits.push(permit);
                    self.is_beyond = true;
                }
                else => {}
            }
        }
        self.bytes += STEP;
        let held = self.room.held.fetch_add(STEP, Ordering::SeqCst) + STEP;
        self.room.most.fetch_max(held, Ordering::SeqCst);
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let taken = self.bytes - STEP;
        self.room.held.fetch_sub(taken, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Waker};

    use super::*;

    #[tokio::test]
    async fn answers_that_together_need_more_than_there_is_all_come_to_their_end() {
        let room = Arc::new(Room::new(4));
        let answers = (0..8).map(|_| {
            let mut held = Arc::clone(&room).enter();
            tokio::spawn(async move {
                for _ in 0..4 {
                    held.grow().await;
                    // All of them have taken a part before any has all it needs.
                    tokio::task::yield_now().await;
                }
                held.bytes()
            })
        });
        let answers: Vec<_> = answers.collect();
        for answer in answers {
            assert_eq!(answer.await.unwrap(), 5 * STEP);
        }
        // The pool, and one answer beyond it.
        assert!(room.most() <= (4 + 4) * STEP, "{}", room.most());
        assert!(room.most() > 4 * STEP, "the pool was never empty");
        assert_eq!(room.held.load(Ordering::SeqCst), 0);
        assert_eq!(room.pool.available_permits(), 4);
    }

    #[tokio::test]
    async fn who_is_not_waited_for_any_more_gives_back_what_it_has() {
        let room = Arc::new(Room::new(1));
        let mut first = Arc::clone(&room).enter();
        let mut second = Arc::clone(&room).enter();
        let mut third = Arc::clone(&room).enter();
        first.grow().await;
        second.grow().await;
        {
            let mut grow = std::pin::pin!(third.grow());
            let mut nobody = Context::from_waker(Waker::noop());
            let polled = grow.as_mut().poll(&mut nobody);
            assert!(polled.is_pending(), "there is no room");
            drop(second);
            grow.await;
        }
        drop((first, third));
        assert_eq!(room.pool.available_permits(), 1);
        assert_eq!(room.beyond.available_permits(), 1);
    }
}
