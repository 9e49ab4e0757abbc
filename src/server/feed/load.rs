//! Loading: one answer read again, until it is what the store says.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::cells::{Current, Kept, Loaded, Reply, Stale, Topic, What, reader};
use crate::api::report::{ClusterSnapshot, SnapshotItem};
use crate::api::{AsOf, Error, ErrorKind, News, SnapshotQuery, SnapshotsQuery};
use crate::model::SetName;
use crate::wire;

/// How long to wait after the store did not answer, at first and at most.
pub(super) const PAUSE: Duration = Duration::from_millis(100);
pub(super) const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// What is kept for `key` from now on, which is read first where nothing is.
pub(super) fn subscribe(feed: &Arc<Kept>, key: &Topic) -> watch::Receiver<Current> {
    let (current, stale) = feed.subscribe(key);
    if let Some(stale) = stale {
        read_again(feed, key.clone(), stale);
    }
    current
}

/// Takes note of what was committed, and reads what is not what it was.
pub(super) fn hear(feed: &Arc<Kept>, news: &News) {
    for (key, stale) in feed.hear(news) {
        read_again(feed, key, stale);
    }
}

/// Reads what is kept for `key` again, in a task of its own: whoever asked may go away.
fn read_again(feed: &Arc<Kept>, key: Topic, stale: Stale) {
    tokio::spawn(load(Arc::clone(feed), key, stale));
}

/// Forgets an answer whose reading ended in the middle: whoever waits asks anew.
struct Reads<'a> {
    feed: &'a Kept,
    key: &'a Topic,
    is_done: bool,
}

impl Drop for Reads<'_> {
    fn drop(&mut self) {
        if !self.is_done {
            self.feed.give_up(self.key);
        }
    }
}

/// Reads what of `key` is `stale`, and what becomes so meanwhile, until all is as the store says.
async fn load(feed: Arc<Kept>, key: Topic, stale: Stale) {
    let mut reads = Reads {
        feed: &feed,
        key: &key,
        is_done: false,
    };
    let mut stale = Some(stale);
    let mut pause = PAUSE;
    while let Some(what) = stale {
        let read = {
            // Never closed.
            let _turn = feed.turns.acquire().await;
            read(&feed, &key, &what).await
        };
        let loaded = match read {
            Ok(AsOf { sequence, answer }) => Loaded {
                sequence,
                found: Ok(answer),
                is_for_good: true,
            },
            Err(error) if is_there(&error) && has_something(&feed, &key) => {
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
                stale = Some(what);
                continue;
            }
            Err(error) => Loaded {
                sequence: feed.state().newest,
                found: Err(error),
                is_for_good: false,
            },
        };
        pause = PAUSE;
        stale = feed.keep(&key, loaded);
    }
    reads.is_done = true;
}

/// Whether an error says nothing about what is asked for, which may well be there.
fn is_there(error: &Error) -> bool {
    matches!(
        error.kind,
        ErrorKind::Unavailable | ErrorKind::Interrupted | ErrorKind::Bug
    )
}

/// Whether something is kept that is better than an error.
fn has_something(feed: &Kept, key: &Topic) -> bool {
    let state = feed.state();
    let cell = state.cells.get(key);
    cell.is_some_and(|cell| {
        cell.current
            .borrow()
            .as_ref()
            .is_some_and(|it| it.found.is_ok())
    })
}

async fn read(feed: &Kept, key: &Topic, stale: &Stale) -> Result<AsOf<Reply>, Error> {
    match &key.what {
        What::Index => index(feed, key, stale).await,
        What::Document(set) => {
            let AsOf { sequence, answer } = snapshot(feed, key, set).await?;
            let answer = Reply::new(answer.document.to_bytes(), None);
            Ok(AsOf { sequence, answer })
        }
        What::Whole(set) => {
            let AsOf { sequence, answer } = snapshot(feed, key, set).await?;
            let body = wire::document(answer);
            let body = body.map_err(|error| Error::of(ErrorKind::Bug, &error))?;
            let answer = Reply::new(body, None);
            Ok(AsOf { sequence, answer })
        }
    }
}

async fn snapshot(feed: &Kept, key: &Topic, set: &SetName) -> Result<AsOf<ClusterSnapshot>, Error> {
    let query = SnapshotQuery {
        cluster: key.cluster.clone(),
        set: set.clone(),
    };
    feed.service.snapshot(&reader(), &query).await
}

/// The index, of which only what is stale is read where there is one already.
async fn index(feed: &Kept, key: &Topic, stale: &Stale) -> Result<AsOf<Reply>, Error> {
    let kept = kept_index(feed, key);
    let (kept, sets) = match (kept, stale) {
        (Some(mut kept), Stale::Sets(sets)) => {
            kept.retain(|set, _| !sets.contains(set));
            (kept, Some(sets.clone()))
        }
        _ => (BTreeMap::new(), None),
    };
    let query = SnapshotsQuery {
        cluster: key.cluster.clone(),
        sets,
    };
    let AsOf { sequence, answer } = feed.service.snapshots(&reader(), &query).await?;
    let mut items = kept;
    let found = answer.sets.into_iter();
    items.extend(found.map(|item| (item.name.clone(), item)));
    let answer = Reply::of_index(&key.cluster, items)?;
    Ok(AsOf { sequence, answer })
}

fn kept_index(feed: &Kept, key: &Topic) -> Option<BTreeMap<SetName, SnapshotItem>> {
    let state = feed.state();
    let current = state.cells.get(key)?.current.borrow();
    current.as_ref()?.found.as_ref().ok()?.index.clone()
}
