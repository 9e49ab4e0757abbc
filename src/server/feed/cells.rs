//! Cells: the answers that are kept, and which of them are not what they were.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
use std::time::Duration;

use axum::body::Bytes;
use axum::http::HeaderValue;
use tokio::sync::{Semaphore, watch};

use super::super::lock::lock;
use super::super::tag::tag_of;
use super::super::views::ready::Ready;
use crate::api::report::{ClusterSnapshots, SnapshotItem};
use crate::api::{Caller, Error, ErrorKind, News, Readable, Service};
use crate::model::{ClusterName, Document, ResourceId, Sequence, SetName};
use crate::wire;

/// How many answers are read from the store at once.
const LOADS_AT_ONCE: usize = 4;
/// The most answers that are kept. Beyond it those that nobody waits for are forgotten.
const MAX_CELLS: usize = 1 << 16;
/// The most bytes of them; beyond it the same.
const MAX_BYTES: usize = 256 << 20;

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Topic {
    pub(crate) cluster: ClusterName,
    pub(crate) what: What,
}

/// What of a cluster is asked for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum What {
    /// Which sets go there, in which version.
    Index,
    /// The document of a set's snapshot, as it lies at the snapshot key.
    Document(SetName),
    /// The same with all that lies beside it.
    Whole(SetName),
}

/// One answer, which all share who get it.
#[derive(Debug)]
pub(super) struct Content {
    /// The commit since which it is so, as far as this server has seen.
    pub(super) changed: Sequence,
    /// What there is, or why there is nothing.
    pub(super) found: Result<Reply, Error>,
}

/// What there is.
#[derive(Debug)]
pub(crate) struct Reply {
    /// Its strong tag.
    pub(crate) tag: HeaderValue,
    pub(crate) body: Bytes,
    /// The same as an event of a stream.
    pub(super) frame: OnceLock<Bytes>,
    /// The flags in it, once somebody asked for one, where it is a document.
    ready: OnceLock<Result<Arc<Ready>, Error>>,
    /// What it is made of, where it is an index.
    pub(super) index: Option<BTreeMap<SetName, SnapshotItem>>,
}

impl Reply {
    pub(super) fn new(body: Vec<u8>, index: Option<BTreeMap<SetName, SnapshotItem>>) -> Self {
        Self {
            tag: tag_of(&body),
            body: body.into(),
            frame: OnceLock::new(),
            ready: OnceLock::new(),
            index,
        }
    }

    /// The flags in the document that it is.
    pub(super) fn ready(&self) -> Result<Arc<Ready>, Error> {
        let ready = self.ready.get_or_init(|| {
            let document = Document::parse(&self.body);
            let document = document.map_err(|error| Error::of(ErrorKind::Bug, &error))?;
            Ok(Arc::new(Ready::of(&document)))
        });
        ready.clone()
    }

    /// What somebody sees of it who may not read everything; `None`: all of it.
    pub(super) fn seen_by(
        &self,
        cluster: &ClusterName,
        readable: &Readable,
    ) -> Option<Result<Self, Error>> {
        let index = self.index.as_ref()?;
        if index.keys().all(|set| readable.has(set)) {
            return None;
        }
        let seen = index.iter().filter(|(set, _)| readable.has(set));
        let seen = seen.map(|(set, item)| (set.clone(), item.clone()));
        Some(Self::of_index(cluster, seen.collect()))
    }

    pub(super) fn of_index(
        cluster: &ClusterName,
        index: BTreeMap<SetName, SnapshotItem>,
    ) -> Result<Self, Error> {
        let report = ClusterSnapshots {
            cluster: cluster.clone(),
            sets: index.values().cloned().collect(),
        };
        let body = wire::document(report);
        let body = body.map_err(|error| Error::of(ErrorKind::Bug, &error))?;
        Ok(Self::new(body, Some(index)))
    }
}

/// What is kept for one key. Nothing is there until it was read for the first time.
pub(super) type Current = Option<Arc<Content>>;

/// One answer that is kept up to date.
#[derive(Debug)]
pub(super) struct Cell {
    pub(super) current: watch::Sender<Current>,
    /// Set while it is read again.
    pub(super) reading: Option<Reading>,
}

/// What was read.
#[derive(Debug)]
pub(super) struct Loaded {
    /// The newest commit that it follows from.
    pub(super) sequence: Sequence,
    pub(super) found: Result<Reply, Error>,
    /// Whether it is worth keeping up to date.
    pub(super) is_for_good: bool,
}

/// That an answer is being read again.
#[derive(Debug)]
pub(super) struct Reading {
    /// The newest commit that what is still kept surely follows from.
    pub(super) before: Sequence,
    /// What has changed since the reading began, and is to be read after it.
    next: Option<Stale>,
}

/// How much of an answer is not what it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stale {
    /// All of it may be another one.
    All,
    /// What it says of these sets.
    Sets(BTreeSet<SetName>),
}

impl Stale {
    /// What of `key` is not what it was after `news`.
    fn of(key: &Topic, news: &News) -> Option<Self> {
        let Some(changed) = &news.changed else {
            return Some(Self::All);
        };
        if changed.contains(&ResourceId::Cluster(key.cluster.clone())) {
            return Some(Self::All);
        }
        match &key.what {
            What::Document(set) | What::Whole(set) => {
                let set = ResourceId::Set(set.clone());
                changed.contains(&set).then_some(Self::All)
            }
            What::Index => {
                let sets = changed.iter().filter_map(ResourceId::set);
                let sets: BTreeSet<SetName> = sets.cloned().collect();
                (!sets.is_empty()).then_some(Self::Sets(sets))
            }
        }
    }

    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Sets(mut sets), Self::Sets(more)) => {
                sets.extend(more);
                Self::Sets(sets)
            }
            _ => Self::All,
        }
    }
}

/// All answers that are kept.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) service: Arc<dyn Service>,
    state: Mutex<State>,
    /// The newest commit that was heard of.
    newest: watch::Sender<Sequence>,
    /// Whose turn it is to read the store.
    pub(super) turns: Semaphore,
}

/// The answers, and what is known of the store.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) newest: Sequence,
    pub(super) cells: BTreeMap<Topic, Cell>,
    /// Bytes of all bodies that are kept.
    pub(super) bytes: usize,
    /// Whether nobody is to wait any more.
    pub(super) is_ending: bool,
    /// Whether nobody follows the store any more.
    pub(super) is_blind: bool,
}

impl Kept {
    /// Nothing yet of what `service` hands out.
    pub(super) fn of(service: Arc<dyn Service>) -> Self {
        Self {
            service,
            state: Mutex::default(),
            newest: watch::Sender::default(),
            turns: Semaphore::new(LOADS_AT_ONCE),
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// How many receive what is kept, or hear of commits.
    pub(super) fn waiting(&self) -> usize {
        let state = self.state();
        let receivers = state.cells.values().map(|it| it.current.receiver_count());
        receivers.sum::<usize>() + self.newest.receiver_count()
    }

    /// What is kept for `key` from now on, and whether it has to be read first.
    pub(super) fn subscribe(&self, key: &Topic) -> (watch::Receiver<Current>, Option<Stale>) {
        let mut state = self.state();
        if let Some(cell) = state.cells.get(key) {
            return (cell.current.subscribe(), None);
        }
        if state.cells.len() >= MAX_CELLS || state.bytes > MAX_BYTES {
            state.forget_idle();
        }
        let current = watch::Sender::default();
        let receiver = current.subscribe();
        let reading = Some(Reading {
            before: state.newest,
            next: None,
        });
        state.cells.insert(key.clone(), Cell { current, reading });
        (receiver, Some(Stale::All))
    }

    /// Takes note of what was committed, and says what has to be read again.
    pub(super) fn hear(&self, news: &News) -> Vec<(Topic, Stale)> {
        let mut state = self.state();
        let before = state.newest;
        state.newest = news.sequence;
        let is_older = news.sequence < before;
        let mut begin = Vec::new();
        for (key, cell) in &mut state.cells {
            if let Some(stale) = Stale::of(key, news) {
                if let Some(reading) = &mut cell.reading {
                    reading.next = Some(match reading.next.take() {
                        Some(next) => next.and(stale),
                        None => stale,
                    });
                } else {
                    let next = None;
                    cell.reading = Some(Reading { before, next });
                    begin.push((key.clone(), stale));
                }
            }
            if is_older {
                // Whoever waits for more than there is goes away with what there is.
                cell.current.send_modify(|_| ());
            }
        }
        drop(state);
        self.newest.send_replace(news.sequence);
        begin
    }

    /// Keeps what was read; what has changed meanwhile is to be read next.
    pub(super) fn keep(&self, key: &Topic, loaded: Loaded) -> Option<Stale> {
        let mut state = self.state();
        let cell = state.cells.get_mut(key)?;
        let Loaded {
            sequence,
            found,
            is_for_good,
        } = loaded;
        let old = cell.current.borrow().clone();
        let tag = |content: &Content| content.found.as_ref().map(|it| it.tag.clone()).ok();
        let is_same = old.as_ref().is_some_and(|old| {
            let new = found.as_ref().map(|found| found.tag.clone()).ok();
            old.changed <= sequence && tag(old).is_some() && tag(old) == new
        });
        let next = cell
            .reading
            .as_mut()
            .and_then(|reading| reading.next.take());
        if next.is_none() {
            cell.reading = None;
        }
        if is_same {
            return next;
        }
        let weight = |found: &Result<Reply, Error>| found.as_ref().map_or(0, |it| it.body.len());
        let more = weight(&found);
        let less = old.as_ref().map_or(0, |old| weight(&old.found));
        let changed = sequence;
        cell.current
            .send_replace(Some(Arc::new(Content { changed, found })));
        state.bytes = (state.bytes + more).saturating_sub(less);
        if is_for_good {
            return next;
        }
        // Whoever waits is told why nothing is there; whoever comes asks anew.
        state.cells.remove(key);
        None
    }

    /// Forgets what could not be read to its end.
    pub(super) fn give_up(&self, key: &Topic) {
        let mut state = self.state();
        state.cells.remove(key);
    }

    /// Ends every wait, and lets nobody wait from now on.
    pub(super) fn end(&self) {
        let mut state = self.state();
        state.is_ending = true;
        for cell in state.cells.values() {
            cell.current.send_modify(|_| ());
        }
        drop(state);
        self.newest.send_modify(|_| ());
    }

    /// Waits until the newest commit is another one than `after`, for at most so long, and says which
    /// it is.
    pub(super) async fn newest(&self, after: Sequence, wait: Duration) -> Sequence {
        let mut newest = self.newest.subscribe();
        let is_it = |newest: &Sequence| *newest != after || self.state().is_ending;
        // What it waits for lives as long as this does.
        _ = tokio::time::timeout(wait, newest.wait_for(is_it)).await;
        self.state().newest
    }
}

impl State {
    /// Forgets what nobody waits for.
    pub(super) fn forget_idle(&mut self) {
        self.cells
            .retain(|_, cell| cell.current.receiver_count() > 0 || cell.reading.is_some());
        let weights = self.cells.values().map(|cell| {
            let current = cell.current.borrow();
            let found = current.as_ref().and_then(|it| it.found.as_ref().ok());
            found.map_or(0, |found| found.body.len())
        });
        self.bytes = weights.sum();
    }
}

/// Who reads what is kept. What each caller may see of it is asked when it is handed out.
pub(super) fn reader() -> Caller {
    Caller::system()
}
