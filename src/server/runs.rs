//! Runs: changes that are being carried out, each in a task of its own.
//!
//! A client that goes away before the commit wants no change any more; after it, what was begun is
//! finished without it. A client that asks for it, and the end of the server, stop a run as Ctrl-C does
//! at a terminal: what is begun is finished, nothing new is begun.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use tokio::sync::watch;

use super::lock::lock;
use crate::api::Event;
use crate::model::IdempotencyKey;

/// The changes that are being carried out, by the name of the request that asked for each.
#[derive(Debug, Default)]
pub(super) struct Runs {
    running: Mutex<BTreeMap<String, Arc<Run>>>,
    count: watch::Sender<usize>,
    is_ending: Mutex<bool>,
}

/// What a change is known by: who asked for it, and its key.
pub(super) type Known = (String, IdempotencyKey);

/// Why a change is not begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Busy {
    /// Another request of this name is not over.
    Named,
    /// A change with this key is being carried out.
    Keyed,
}

/// One of them.
#[derive(Debug)]
pub(super) struct Run {
    of: Known,
    stop: watch::Sender<bool>,
    state: Mutex<State>,
}

/// What is known of a run.
#[derive(Clone, Copy, Debug, Default)]
struct State {
    is_committed: bool,
    is_alone: bool,
    is_asked_to_stop: bool,
}

impl State {
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
    /// Begins a run for the request `id`, of the change that is known as `of`.
    pub(super) fn begin(self: &Arc<Self>, id: &str, of: Known) -> Result<Running, Busy> {
        let mut running = lock(&self.running);
        if running.contains_key(id) {
            return Err(Busy::Named);
        }
        if running.values().any(|run| run.of == of) {
            return Err(Busy::Keyed);
        }
        let is_asked_to_stop = *lock(&self.is_ending);
        let state = State {
            is_asked_to_stop,
            ..State::default()
        };
        let run = Arc::new(Run {
            of,
            stop: watch::Sender::new(state.should_stop()),
            state: Mutex::new(state),
        });
        running.insert(id.to_owned(), Arc::clone(&run));
        self.count.send_replace(running.len());
        Ok(Running {
            runs: Arc::clone(self),
            id: id.to_owned(),
            run,
        })
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        *self.count.borrow()
    }

    /// Stops the run for the request `id`, if it is one that `by` may stop: that of this caller, or of
    /// anybody where `None`; whether there is one.
    pub(super) fn stop(&self, id: &str, by: Option<&str>) -> bool {
        let run = lock(&self.running).get(id).cloned();
        let run = run.filter(|run| by.is_none_or(|by| run.of.0 == by));
        let found = run.is_some();
        if let Some(run) = run {
            run.learn(|state| state.is_asked_to_stop = true);
        }
        found
    }

    /// Stops all of them and what begins from now on, and waits until none is left.
    pub(super) async fn end(&self) {
        *lock(&self.is_ending) = true;
        let running: Vec<_> = lock(&self.running).values().cloned().collect();
        for run in running {
            run.learn(|state| state.is_asked_to_stop = true);
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
            self.learn(|state| state.is_committed = true);
        }
    }

    /// For the client.
    pub(super) fn attended(self: &Arc<Self>) -> Attended {
        Attended(Arc::clone(self))
    }

    fn learn(&self, learn: impl FnOnce(&mut State)) {
        let mut state = lock(&self.state);
        learn(&mut state);
        // Under the lock, so that the last to learn something is the last to say it.
        self.stop.send_replace(state.should_stop());
    }
}

impl Drop for Attended {
    fn drop(&mut self) {
        self.0.learn(|state| state.is_alone = true);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let mut running = lock(&self.runs.running);
        running.remove(&self.id);
        self.runs.count.send_replace(running.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(key: &str) -> Known {
        ("token:ops".to_owned(), key.parse().unwrap())
    }

    fn is_stopped(running: &Running) -> bool {
        *running.run.stop().borrow()
    }

    #[test]
    fn a_client_that_goes_away_stops_what_is_not_committed_and_nothing_else() {
        let runs = Arc::new(Runs::default());
        let early = runs.begin("early", of("early")).unwrap();
        drop(early.run.attended());
        assert!(is_stopped(&early));
        // The commit was on its way already: what follows from it is finished.
        early.run.hear(&Event::Committed);
        assert!(!is_stopped(&early));

        let late = runs.begin("late", of("late")).unwrap();
        late.run.hear(&Event::Surveyed);
        let client = late.run.attended();
        late.run.hear(&Event::Committed);
        drop(client);
        assert!(!is_stopped(&late));
        assert!(!runs.stop("late", Some("token:other")));
        assert!(!is_stopped(&late));
        assert!(runs.stop("late", None));
        assert!(is_stopped(&late));
        assert!(!runs.stop("never", None));
    }

    #[test]
    fn a_name_is_taken_as_long_as_its_run_goes_on() {
        let runs = Arc::new(Runs::default());
        let first = runs.begin("a", of("a")).unwrap();
        assert_eq!(runs.begin("a", of("b")).unwrap_err(), Busy::Named);
        assert_eq!(runs.begin("b", of("a")).unwrap_err(), Busy::Keyed);
        let other = ("token:other".to_owned(), of("a").1);
        assert!(runs.begin("b", other).is_ok());
        drop(first);
        assert!(runs.begin("b", of("a")).is_ok());
        assert!(!runs.stop("a", None));
    }

    #[tokio::test]
    async fn the_end_waits_for_what_is_begun_and_begins_nothing() {
        let runs = Arc::new(Runs::default());
        let running = runs.begin("a", of("a")).unwrap();
        let ending = Arc::clone(&runs);
        let end = tokio::spawn(async move { ending.end().await });
        running.run.stop().wait_for(|stop| *stop).await.unwrap();
        assert!(is_stopped(&runs.begin("b", of("b")).unwrap()));
        assert!(!end.is_finished());
        drop(running);
        end.await.unwrap();
    }
}
