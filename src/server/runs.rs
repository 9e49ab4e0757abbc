//! Runs: changes that are being carried out, each in a task of its own.
//!
//! A client that goes away before the commit wants no change any more; after it, what was begun is
//! finished without it. A client that asks for it, and the end of the server, stop a run as Ctrl-C does
//! at a terminal: what is begun is finished, nothing new is begun.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::api::Event;

/// The changes that are being carried out, by the name of the request that asked for each.
#[derive(Debug, Default)]
pub(super) struct Runs {
    running: Mutex<BTreeMap<String, Arc<Run>>>,
    count: watch::Sender<usize>,
    is_ending: Mutex<bool>,
}

/// One of them.
#[derive(Debug)]
pub(super) struct Run {
    stop: watch::Sender<bool>,
    known: Mutex<Known>,
}

/// What is known of a run.
#[derive(Clone, Copy, Debug, Default)]
struct Known {
    is_committed: bool,
    is_alone: bool,
    is_asked_to_stop: bool,
}

impl Known {
    fn should_stop(self) -> bool {
        self.is_asked_to_stop || (self.is_alone && !self.is_committed)
    }
}

/// A run as whoever carries it out holds it: over when it is dropped.
#[derive(Debug)]
pub(super) struct Running {
    runs: Arc<Runs>,
    id: String,
    pub(super) run: Arc<Run>,
}

/// A run as its client holds it: alone when it is dropped.
#[derive(Debug)]
pub(super) struct Attended(Arc<Run>);

impl Runs {
    /// Begins a run for the request `id`; `None` if another one of this name is not over.
    pub(super) fn begin(self: &Arc<Self>, id: &str) -> Option<Running> {
        let mut running = lock(&self.running);
        if running.contains_key(id) {
            return None;
        }
        let is_asked_to_stop = *lock(&self.is_ending);
        let known = Known {
            is_asked_to_stop,
            ..Known::default()
        };
        let run = Arc::new(Run {
            stop: watch::Sender::new(known.should_stop()),
            known: Mutex::new(known),
        });
        running.insert(id.to_owned(), Arc::clone(&run));
        self.count.send_replace(running.len());
        Some(Running {
            runs: Arc::clone(self),
            id: id.to_owned(),
            run,
        })
    }

    /// Stops the run for the request `id`; whether there is one.
    pub(super) fn stop(&self, id: &str) -> bool {
        let run = lock(&self.running).get(id).cloned();
        let found = run.is_some();
        if let Some(run) = run {
            run.learn(|known| known.is_asked_to_stop = true);
        }
        found
    }

    /// Stops all of them and what begins from now on, and waits until none is left.
    pub(super) async fn end(&self) {
        *lock(&self.is_ending) = true;
        let running: Vec<_> = lock(&self.running).values().cloned().collect();
        for run in running {
            run.learn(|known| known.is_asked_to_stop = true);
        }
        // The sender lives as long as this does.
        _ = self.count.subscribe().wait_for(|count| *count == 0).await;
    }
}

impl Run {
    /// Turns true when nothing new is to be begun.
    pub(super) fn stop(&self) -> watch::Receiver<bool> {
        self.stop.subscribe()
    }

    /// Takes note of what happens.
    pub(super) fn hear(&self, event: &Event) {
        if matches!(event, Event::Committed) {
            self.learn(|known| known.is_committed = true);
        }
    }

    /// For the client.
    pub(super) fn attended(self: &Arc<Self>) -> Attended {
        Attended(Arc::clone(self))
    }

    fn learn(&self, learn: impl FnOnce(&mut Known)) {
        let mut known = lock(&self.known);
        learn(&mut known);
        // Under the lock, so that the last to learn something is the last to say it.
        self.stop.send_replace(known.should_stop());
    }
}

impl Drop for Attended {
    fn drop(&mut self) {
        self.0.learn(|known| known.is_alone = true);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let mut running = lock(&self.runs.running);
        running.remove(&self.id);
        self.runs.count.send_replace(running.len());
    }
}

/// A thread that panicked meanwhile left nothing half done in there.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_stopped(running: &Running) -> bool {
        *running.run.stop().borrow()
    }

    #[test]
    fn a_client_that_goes_away_stops_what_is_not_committed_and_nothing_else() {
        let runs = Arc::new(Runs::default());
        let early = runs.begin("early").unwrap();
        drop(early.run.attended());
        assert!(is_stopped(&early));
        // The commit was on its way already: what follows from it is finished.
        early.run.hear(&Event::Committed);
        assert!(!is_stopped(&early));

        let late = runs.begin("late").unwrap();
        late.run.hear(&Event::Surveyed);
        let client = late.run.attended();
        late.run.hear(&Event::Committed);
        drop(client);
        assert!(!is_stopped(&late));
        assert!(runs.stop("late"));
        assert!(is_stopped(&late));
        assert!(!runs.stop("never"));
    }

    #[test]
    fn a_name_is_taken_as_long_as_its_run_goes_on() {
        let runs = Arc::new(Runs::default());
        let first = runs.begin("a").unwrap();
        assert!(runs.begin("a").is_none());
        drop(first);
        assert!(runs.begin("a").is_some());
        assert!(!runs.stop("a"));
    }

    #[tokio::test]
    async fn the_end_waits_for_what_is_begun_and_begins_nothing() {
        let runs = Arc::new(Runs::default());
        let running = runs.begin("a").unwrap();
        let ending = Arc::clone(&runs);
        let end = tokio::spawn(async move { ending.end().await });
        running.run.stop().wait_for(|stop| *stop).await.unwrap();
        assert!(is_stopped(&runs.begin("b").unwrap()));
        assert!(!end.is_finished());
        drop(running);
        end.await.unwrap();
    }
}
