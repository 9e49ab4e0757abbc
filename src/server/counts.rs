//! Counts that many tasks raise at once.

use std::sync::atomic::{AtomicU64, Ordering};

/// How often something happened.
#[derive(Debug, Default)]
pub(super) struct Count(AtomicU64);

impl Count {
    /// It happened once more.
    pub(super) fn add_one(&self) {
        self.add(1);
    }

    /// Nothing else follows from it, so it waits for nobody.
    pub(super) fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    pub(super) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// How often nobody known asked, by what was shown.
#[derive(Debug, Default)]
pub(super) struct Rejections {
    /// Nothing that could be a token of the store.
    pub(super) no_token: Count,
    /// A token that is none, or none any more.
    pub(super) unknown: Count,
    /// A token whose time is over.
    pub(super) expired: Count,
    /// A JWT for which there is no token.
    pub(super) login: Count,
}

impl Rejections {
    /// Each, by its name.
    pub(super) fn counts(&self) -> [(&'static str, u64); 4] {
        [
            ("no_token", self.no_token.get()),
            ("unknown", self.unknown.get()),
            ("expired", self.expired.get()),
            ("login", self.login.get()),
        ]
    }
}
