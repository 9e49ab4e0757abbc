//! What the tests stand on.

use std::sync::{Mutex, MutexGuard, PoisonError};

pub(crate) mod cli;
pub(crate) mod consul;
pub(crate) mod delivery;
pub(crate) mod faulty;
pub(crate) mod flagd;
pub(crate) mod keyring;
pub(crate) mod monitoring;
pub(crate) mod oidc;
pub(crate) mod proxy;
pub(crate) mod python;
pub(crate) mod raw;
pub(crate) mod redact;
pub(crate) mod server;
pub(crate) mod switched;
pub(crate) mod transcript;
pub(crate) mod world;

/// A test that panicked while it held the lock has nothing to say about its content.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
