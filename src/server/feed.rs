//! The feed: finished snapshots, kept ready for whoever reads them or waits for the next one.
//!
//! One task follows the store, and works out after each commit which of the answers that are kept
//! are not what they were. Those alone are read again, each by itself; whoever waits for one of
//! them is woken, and nobody else. A waiter holds a receiver, and all that are woken send the same
//! bytes. While the store does not answer, what is kept stays: old is fine.

use std::sync::Arc;
use std::time::Duration;

use self::cells::Kept;
use crate::api::{Error, Readable, Service};
use crate::model::Sequence;

mod cells;
mod follow;
mod load;
mod wait;

pub(super) use cells::{Topic, What};
pub(super) use wait::{Told, Watcher, Wish};

/// What a server keeps ready.
#[derive(Clone, Debug)]
pub(super) struct Feed(Arc<Kept>);

impl Feed {
    /// A feed of what `service` hands out, which follows its store from now on.
    pub(super) fn start(service: Arc<dyn Service>) -> Self {
        let kept = Arc::new(Kept::of(service));
        tokio::spawn(follow::follow(Arc::clone(&kept)));
        Self(kept)
    }

    /// What is kept for `key`, for somebody who may read these.
    pub(super) async fn watch(&self, key: Topic, readable: Readable) -> Result<Watcher, Error> {
        Watcher::begin(Arc::clone(&self.0), key, readable).await
    }

    /// Waits until the newest commit is another one than `after`, for at most so long, and says which
    /// it is.
    pub(super) async fn newest(&self, after: Sequence, wait: Duration) -> Sequence {
        self.0.newest(after, wait).await
    }

    /// Ends every wait, and lets nobody wait from now on.
    pub(super) fn end(&self) {
        self.0.end();
    }

    /// How many hold on to something that is kept: those who wait for it to change, for the most.
    pub(super) fn waiting(&self) -> usize {
        self.0.waiting()
    }

    /// Whether it hears of commits.
    pub(super) fn follows(&self) -> bool {
        !self.0.state().is_blind
    }
}

#[cfg(test)]
mod tests;
