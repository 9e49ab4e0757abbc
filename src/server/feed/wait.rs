//! Waiting: for an answer that is another one than somebody has.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::HeaderValue;
use tokio::sync::watch;
use tokio::time::Instant;

use super::super::tag::is_among;
use super::super::views::ready::Ready;
use super::cells::{Content, Current, Kept, Reply, Topic};
use super::load::subscribe;
use crate::api::{Error, ErrorKind, Readable};
use crate::model::Sequence;

/// How long whoever has seen more than this server is kept waiting for it to catch up: another
/// server over the same store may be faster by a moment. Then he gets what there is.
const GRACE: Duration = Duration::from_millis(500);

/// What somebody has already, and how long he waits for something else.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wish {
    /// The sequence that he was told with it.
    pub(crate) after: Option<Sequence>,
    /// The tags of what he has; `None`: he does not say.
    pub(crate) tags: Option<HeaderValue>,
    /// How long.
    pub(crate) wait: Duration,
}

/// What is answered.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    content: Seen,
    /// The newest commit that it follows from.
    pub(crate) sequence: Sequence,
    /// The newest commit that this server knows.
    newest: Sequence,
}

/// What is kept, or what somebody sees of it who may not read everything.
#[derive(Clone, Debug)]
enum Seen {
    All(Arc<Content>),
    Part(Arc<Content>, Arc<Reply>),
}

impl Seen {
    fn changed(&self) -> Sequence {
        match self {
            Self::All(content) | Self::Part(content, _) => content.changed,
        }
    }
}

impl Told {
    /// What there is, or why there is nothing.
    pub(crate) fn found(&self) -> Result<&Reply, &Error> {
        match &self.content {
            Seen::All(content) => content.found.as_ref(),
            Seen::Part(_, found) => Ok(found),
        }
    }

    /// The flags in the document that there is.
    pub(crate) fn ready(&self) -> Result<Arc<Ready>, Error> {
        self.found().map_err(Clone::clone)?.ready()
    }

    /// Whether it is what somebody has whose tags these are.
    pub(crate) fn is_in(&self, tags: &HeaderValue) -> bool {
        self.found().is_ok_and(|found| is_among(&found.tag, tags))
    }

    /// The same as an event of a stream, of the kind `name`.
    pub(crate) fn frame(&self, name: &str) -> Result<Bytes, Error> {
        let found = self.found().map_err(Clone::clone)?;
        let frame = found.frame.get_or_init(|| {
            let changed = self.content.changed();
            let mut frame = format!("event: {name}\nid: {changed}\ndata: ").into_bytes();
            // JSON without a line end.
            frame.extend_from_slice(&found.body);
            frame.extend_from_slice(b"\n\n");
            frame.into()
        });
        Ok(frame.clone())
    }

    /// Whether somebody who asked so waits for something else.
    pub(crate) fn is_known(&self, asked: &Wish) -> bool {
        if self.found().is_err() {
            return false;
        }
        match (&asked.tags, asked.after) {
            // What he has says more than when he got it.
            (Some(tags), _) => self.is_in(tags),
            (None, Some(after)) => self.content.changed() <= after,
            (None, None) => false,
        }
    }

    /// Whether somebody who asked so has seen more than this server.
    fn is_behind(&self, asked: &Wish) -> bool {
        let most = self.newest.max(self.content.changed());
        asked.tags.is_none() && asked.after.is_some_and(|after| after > most)
    }
}

/// Somebody who waits for what becomes of one answer.
#[derive(Debug)]
pub(crate) struct Watcher {
    feed: Arc<Kept>,
    key: Topic,
    readable: Readable,
    current: watch::Receiver<Current>,
}

impl Watcher {
    /// Whoever watches what is kept for `key`, of which he may read these.
    pub(super) async fn begin(
        feed: Arc<Kept>,
        key: Topic,
        readable: Readable,
    ) -> Result<Self, Error> {
        let current = subscribe(&feed, &key);
        let mut watcher = Self {
            feed,
            key,
            readable,
            current,
        };
        watcher.first().await?;
        Ok(watcher)
    }

    /// Waits until anything is known.
    async fn first(&mut self) -> Result<(), Error> {
        // One that could not be read to its end is asked for once more.
        for _ in 0..2 {
            if self.current.wait_for(Option::is_some).await.is_ok() {
                return Ok(());
            }
            self.current = subscribe(&self.feed, &self.key);
        }
        Err(Error::new(ErrorKind::Bug, "the snapshot could not be made"))
    }

    /// From now on he may read these.
    pub(crate) fn see(&mut self, readable: Readable) {
        self.readable = readable;
    }

    /// What there is now.
    pub(crate) fn now(&mut self) -> Result<Told, Error> {
        let state = self.feed.state();
        let content = self.current.borrow_and_update().clone();
        let gone = || Error::new(ErrorKind::Bug, "nothing was read yet");
        let content = content.ok_or_else(gone)?;
        let reading = state.cells.get(&self.key);
        let reading = reading.and_then(|cell| cell.reading.as_ref());
        let surely = reading.map_or(state.newest, |reading| reading.before);
        let newest = state.newest;
        drop(state);
        let sequence = surely.max(content.changed);
        let part = content.found.as_ref().ok();
        let part = part.and_then(|found| found.seen_by(&self.key.cluster, &self.readable));
        let content = match part.transpose()? {
            Some(part) => Seen::Part(content, Arc::new(part)),
            None => Seen::All(content),
        };
        Ok(Told {
            content,
            sequence,
            newest,
        })
    }

    /// What is not what somebody has who asked so; what there is when his time is over, or that of
    /// this server.
    pub(crate) async fn next(&mut self, asked: &Wish) -> Result<Told, Error> {
        let begun = Instant::now();
        let mut seen = None;
        loop {
            let told = self.now()?;
            let is_behind = told.is_behind(asked);
            let passed = begun.elapsed();
            // Of an index of which one sees a part, that part has to be another one.
            let is_seen = matches!(told.content, Seen::Part(..))
                && seen.as_ref().is_some_and(|tag| told.is_in(tag));
            let is_known = is_seen || told.is_known(asked);
            let is_over = passed >= asked.wait || (is_behind && passed >= GRACE);
            if is_over || !is_known || self.is_ending() {
                return Ok(told);
            }
            seen = told.found().ok().map(|found| found.tag.clone());
            let rest = asked.wait.saturating_sub(passed);
            let rest = if is_behind {
                rest.min(GRACE.saturating_sub(passed))
            } else {
                rest
            };
            let changed = tokio::time::timeout(rest, self.current.changed()).await;
            if matches!(changed, Ok(Err(_))) {
                // Whoever kept it up to date gave up.
                self.current = subscribe(&self.feed, &self.key);
                self.first().await?;
            }
        }
    }

    /// Whether nobody is to wait any more.
    pub(crate) fn is_ending(&self) -> bool {
        self.feed.state().is_ending
    }
}
