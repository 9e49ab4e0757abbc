//! Answers: a document, or the events of what is done with the document at the end.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::sse::{KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response, sse};
use futures_util::stream;
use tokio::sync::{mpsc, watch};
use tokio::task::AbortHandle;

use super::decode::Wanted;
use super::refusal::Refusal;
use super::request::RequestId;
use crate::api::report::Report;
use crate::api::{Error, ErrorKind, Event, Observer};
use crate::traces::Work;
use crate::wire::{self, HEARTBEAT_SECONDS, JSON, Name, Problem};

/// The longest wait for what is read from the store.
const STORE_TIMEOUT: Duration = Duration::from_secs(60);
/// The longest wait for what is asked of clusters too, each of which may be waited for.
const CLUSTERS_TIMEOUT: Duration = Duration::from_secs(1800);

/// The most bytes of events that wait for a client which does not listen.
const MAX_BACKLOG: usize = 4 << 20;

pub(super) type Answer = Result<Response, Refusal>;

/// `report` as a document.
pub(super) fn document<R: Report>(report: R) -> Answer {
    Ok(([(CONTENT_TYPE, JSON)], encoded(report)?).into_response())
}

pub(super) fn encoded<R: Report>(report: R) -> Result<Vec<u8>, Error> {
    wire::document(report).map_err(|error| Error::of(ErrorKind::Bug, &error))
}

/// What `reading` of the store comes to, within a time.
pub(super) async fn read<T>(reading: impl Future<Output = Result<T, Error>>) -> Result<T, Refusal> {
    within(STORE_TIMEOUT, reading).await
}

async fn within<T>(
    limit: Duration,
    reading: impl Future<Output = Result<T, Error>>,
) -> Result<T, Refusal> {
    let found = tokio::time::timeout(limit, reading).await;
    let found = found.map_err(|_| {
        let error = format!("there is no answer within {} s", limit.as_secs());
        let error = Error::new(ErrorKind::Unavailable, error).hint("try again, or ask for less");
        Refusal::new(StatusCode::GATEWAY_TIMEOUT, error)
    })?;
    Ok(found?)
}

/// What looking at clusters comes to, which `look` begins; whoever goes away ends it.
pub(super) async fn look<R, F>(
    wanted: Wanted,
    id: RequestId,
    look: impl FnOnce(Observer) -> F,
) -> Answer
where
    R: Report + Send + 'static,
    F: Future<Output = Result<R, Error>> + Send + 'static,
{
    match wanted {
        Wanted::Document => document(within(CLUSTERS_TIMEOUT, look(Observer::nobody())).await?),
        Wanted::Events => {
            let (teller, told) = Teller::new(id);
            let (_, never) = watch::channel(false);
            let looking = look(teller.observer(never));
            let here = Work::current();
            let task = tokio::spawn(async move { teller.end(here.around(looking).await) });
            Ok(events(told, EndsLook(task.abort_handle())))
        }
    }
}

/// Ends a look that nobody waits for any more.
struct EndsLook(AbortHandle);

impl Drop for EndsLook {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Tells a client what happens.
#[derive(Clone, Debug)]
pub(super) struct Teller {
    frames: mpsc::UnboundedSender<SizedFrame>,
    backlog: Arc<AtomicUsize>,
    id: RequestId,
    status: StatusOf,
}

/// The status of an error, where it is another one than its kind has.
pub(super) type StatusOf = fn(&Error) -> Option<StatusCode>;

/// A frame, and how many bytes it has.
type SizedFrame = (sse::Event, usize);

/// What a client is to be told.
#[derive(Debug)]
pub(super) struct Told {
    frames: mpsc::UnboundedReceiver<SizedFrame>,
    backlog: Arc<AtomicUsize>,
}

impl Told {
    async fn next(&mut self) -> Option<sse::Event> {
        let (frame, bytes) = self.frames.recv().await?;
        self.backlog.fetch_sub(bytes, Ordering::Relaxed);
        Some(frame)
    }
}

impl Teller {
    pub(super) fn new(id: RequestId) -> (Self, Told) {
        let (frames, told) = mpsc::unbounded_channel();
        let backlog = Arc::<AtomicUsize>::default();
        let told = Told {
            frames: told,
            backlog: Arc::clone(&backlog),
        };
        let status: StatusOf = |_| None;
        let teller = Self {
            frames,
            backlog,
            id,
            status,
        };
        (teller, told)
    }

    /// The same where `status` may know a better one for an error.
    pub(super) fn with_status(self, status: StatusOf) -> Self {
        Self { status, ..self }
    }

    /// An observer that passes on what it hears.
    pub(super) fn observer(&self, stop: watch::Receiver<bool>) -> Observer {
        let teller = self.clone();
        Observer::new(Arc::new(move |event| teller.tell(&event)), stop)
    }

    /// Tells what happened. Whoever does not listen misses some: nothing follows from an event.
    pub(super) fn tell(&self, event: &Event) {
        if self.backlog.load(Ordering::Relaxed) > MAX_BACKLOG {
            return;
        }
        if let Ok(data) = serde_json::to_string(event) {
            self.send(Name::Event, data);
        }
    }

    /// Tells how it ended.
    pub(super) fn end<R: Report>(&self, result: Result<R, Error>) {
        let encoded = result.and_then(encoded);
        match encoded.map(String::from_utf8) {
            Ok(Ok(document)) => self.send(Name::Report, document),
            Ok(Err(error)) => self.problem(Error::of(ErrorKind::Bug, &error)),
            Err(error) => self.problem(error),
        }
    }

    fn problem(&self, error: Error) {
        let mut problem = match (self.status)(&error) {
            Some(status) => Problem::with_status(status.as_u16(), error),
            None => Problem::of(error),
        };
        problem.instance = Some(self.id.0.clone());
        // An error is text and lists of text.
        let data = serde_json::to_string(&problem).unwrap_or_default();
        self.send(Name::Problem, data);
    }

    fn send(&self, name: Name, data: String) {
        let bytes = data.len();
        let frame = sse::Event::default().event(name.as_str()).data(data);
        self.backlog.fetch_add(bytes, Ordering::Relaxed);
        // Whoever went away is told nothing.
        _ = self.frames.send((frame, bytes));
    }
}

/// The stream of what is `told`; `held` is dropped when the client goes away.
pub(super) fn events<T: Send + 'static>(told: Told, held: T) -> Response {
    let frames = stream::unfold((told, held), |(mut told, held)| async move {
        let frame = told.next().await?;
        Some((Ok::<_, Infallible>(frame), (told, held)))
    });
    let heartbeat = KeepAlive::new().interval(Duration::from_secs(HEARTBEAT_SECONDS));
    Sse::new(frames).keep_alive(heartbeat).into_response()
}
