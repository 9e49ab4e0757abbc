//! Whose turn it is to write below a directory.
//!
//! One process at a time has the lock. Within it, sets are written at the same time: each lies in a
//! directory of its own, and a disk makes several of them last about as fast as one.

use std::collections::BTreeSet;
use std::fs::{File, TryLockError};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use crate::model::SetName;

/// For how long after it was taken writes of this process join a lock: then others get their turn.
const JOINED_FOR: Duration = Duration::from_secs(1);

/// The writes of this process that are under way.
#[derive(Debug, Default)]
pub(super) struct Turns(Mutex<Current>);

#[derive(Debug, Default)]
struct Current {
    /// The lock that they hold together.
    lock: Weak<File>,
    /// When it was taken.
    since: Option<Instant>,
    sets: BTreeSet<SetName>,
}

/// The right to write one set, until dropped.
#[derive(Debug)]
pub(super) struct Turn {
    turns: Arc<Turns>,
    set: SetName,
    _lock: Arc<File>,
}

impl Turns {
    /// The turn to write `set`, if it can be had now. `lock` is the file that whoever writes locks.
    pub(super) fn take(self: &Arc<Self>, set: &SetName, lock: &File) -> io::Result<Option<Turn>> {
        let mut current = self.current();
        let is_fresh = current.since.is_some_and(|at| at.elapsed() < JOINED_FOR);
        let lock = match current.lock.upgrade() {
            Some(_) if !is_fresh || current.sets.contains(set) => return Ok(None),
            Some(held) => held,
            None => {
                match lock.try_lock() {
                    Ok(()) => {}
                    Err(TryLockError::WouldBlock) => return Ok(None),
                    Err(TryLockError::Error(error)) => return Err(error),
                }
                // The same open file, and so the same lock.
                let held = Arc::new(lock.try_clone()?);
                current.lock = Arc::downgrade(&held);
                current.since = Some(Instant::now());
                held
            }
        };
        current.sets.insert(set.clone());
        Ok(Some(Turn {
            turns: Arc::clone(self),
            set: set.clone(),
            _lock: lock,
        }))
    }

    fn current(&self) -> MutexGuard<'_, Current> {
        // What is in here is whole at any time.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.turns.current().sets.remove(&self.set);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lock(directory: &std::path::Path) -> File {
        File::create(directory.join("lock")).unwrap()
    }

    #[test]
    fn sets_are_written_at_the_same_time_and_each_of_them_once() {
        let home = tempfile::tempdir().unwrap();
        let (turns, other) = (Arc::new(Turns::default()), Arc::new(Turns::default()));
        let [a, b] = ["a", "b"].map(|name| name.parse::<SetName>().unwrap());
        let take = |turns: &Arc<Turns>, set| turns.take(set, &lock(home.path())).unwrap();
        let first = take(&turns, &a);
        assert!(first.is_some());
        assert!(take(&turns, &a).is_none());
        let second = take(&turns, &b);
        assert!(second.is_some());
        drop(first);
        let again = take(&turns, &a);
        assert!(again.is_some());
        // Whoever else writes there waits for all of them.
        assert!(take(&other, &a).is_none());
        drop(second);
        assert!(take(&other, &b).is_none());
        drop(again);
        assert!(take(&other, &b).is_some());
    }

    #[test]
    fn a_lock_that_was_held_for_long_is_not_joined_so_that_others_get_their_turn() {
        let home = tempfile::tempdir().unwrap();
        let (turns, other) = (Arc::new(Turns::default()), Arc::new(Turns::default()));
        let [a, b] = ["a", "b"].map(|name| name.parse::<SetName>().unwrap());
        let first = turns.take(&a, &lock(home.path())).unwrap();
        turns.current().since = Instant::now().checked_sub(JOINED_FOR);
        assert!(turns.take(&b, &lock(home.path())).unwrap().is_none());
        drop(first);
        assert!(other.take(&b, &lock(home.path())).unwrap().is_some());
    }
}
