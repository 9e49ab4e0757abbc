//! How far a write is.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// How far a write is that takes several requests, for whoever may stop waiting for it.
#[derive(Debug, Default)]
pub struct Progress {
    done: AtomicUsize,
    of: AtomicUsize,
    turning: AtomicBool,
}

impl Progress {
    /// It takes this many requests.
    pub fn starts(&self, of: usize) {
        self.of.store(of, Ordering::Relaxed);
    }

    /// From now on the snapshot key may have been written.
    pub fn turns(&self) {
        self.turning.store(true, Ordering::Relaxed);
    }

    /// One more request was carried out.
    pub fn advances(&self) {
        self.done.fetch_add(1, Ordering::Relaxed);
    }

    /// How many requests were carried out, and of how many; `None` if it is not known, or if the
    /// snapshot key may have been written.
    pub fn before_turn(&self) -> Option<(usize, usize)> {
        let of = self.of.load(Ordering::Relaxed);
        let known = of > 0 && !self.turning.load(Ordering::Relaxed);
        known.then(|| (self.done.load(Ordering::Relaxed), of))
    }
}
