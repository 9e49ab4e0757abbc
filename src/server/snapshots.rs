//! Snapshots: what is kept ready of them, as a plain answer, after a wait, or as a stream.

use std::convert::Infallible;
use std::future::{Future as _, poll_fn};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequestParts, State};
use axum::http::header::{CONTENT_TYPE, IF_NONE_MATCH};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;

use super::answer::{Answer, document, read};
use super::condition::tag_with;
use super::decode::{At, Params, Wanted};
use super::feed::{Told, Topic, Watcher, What, Wish};
use super::parked::{Head, Parked, Parking};
use super::refusal::Refusal;
use super::request::{By, RequestId};
use super::shared::Shared;
use crate::api::report::Report;
use crate::api::{
    AsOf, Caller, Error, LineageQuery, News, Readable, SnapshotQuery, SnapshotsQuery,
};
use crate::model::{ClusterName, Sequence, SetName};
use crate::wire::{
    EVENTS, HEARTBEAT_SECONDS, JSON, LineageParams, MAX_WAIT, Name, Problem, SEQUENCE, WaitParams,
};

/// The header that says how long somebody waits, RFC 7240.
const PREFER: HeaderName = HeaderName::from_static("prefer");
/// The header with which a stream is taken up again.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// How often a stream says that it is still there.
const HEARTBEAT: Duration = Duration::from_secs(HEARTBEAT_SECONDS);
/// What an event of a stream is called.
const EVENT: &str = "snapshot";

/// What somebody has and waits for, as its query and headers say.
pub(super) struct Waits {
    asked: Wish,
    /// Whether the keys beside the document are wanted.
    entries: bool,
    /// What the request is asked by again, if it may be parked.
    head: Option<Head>,
}

impl<S: Send + Sync> FromRequestParts<S> for Waits {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let Params(params) = Params::<WaitParams>::from_request_parts(parts, state).await?;
        let wait = params.wait().map_err(Refusal::unreadable)?;
        let wait = wait.or_else(|| preferred(&parts.headers));
        let wait = wait.unwrap_or_default();
        let (wait, head) = match parts.extensions.get::<Parking>() {
            Some(Parking::Possible) if !wait.is_zero() => (wait, Some(Head::of(parts))),
            Some(Parking::Over) => (Duration::ZERO, None),
            _ => (wait, None),
        };
        Ok(Self {
            asked: Wish {
                after: params.after.or_else(|| last_event(&parts.headers)),
                tags: parts.headers.get(IF_NONE_MATCH).and_then(copied),
                wait,
            },
            entries: params.entries.unwrap_or_default(),
            head,
        })
    }
}

/// A value that keeps nothing of the head that it stands in.
fn copied(value: &HeaderValue) -> Option<HeaderValue> {
    HeaderValue::from_bytes(value.as_bytes()).ok()
}

/// How long is waited by a `Prefer: wait=55`.
fn preferred(headers: &HeaderMap) -> Option<Duration> {
    let values = headers.get_all(PREFER).iter();
    let mut preferences = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split([',', ';']));
    let seconds = preferences.find_map(|preference| {
        let (name, seconds) = preference.split_once('=')?;
        let is_wait = name.trim().eq_ignore_ascii_case("wait");
        is_wait.then(|| seconds.trim().parse().ok())?
    });
    seconds.map(|seconds| Duration::from_secs(seconds).min(MAX_WAIT))
}

fn last_event(headers: &HeaderMap) -> Option<Sequence> {
    let id = headers.get(LAST_EVENT_ID)?.to_str().ok()?;
    id.trim().parse().ok().map(Sequence::new)
}

/// What a cluster should hold of every set.
pub(super) async fn index(
    State(shared): State<Shared>,
    By(by): By,
    id: RequestId,
    wanted: Wanted,
    At(cluster): At<ClusterName>,
    waits: Waits,
) -> Answer {
    let query = SnapshotsQuery {
        cluster,
        sets: None,
    };
    let reader = Reader::begin(shared, by, query, What::Index).await?;
    answer(reader, id, wanted, waits).await
}

/// What a cluster should hold of one set.
pub(super) async fn snapshot(
    State(shared): State<Shared>,
    By(by): By,
    id: RequestId,
    wanted: Wanted,
    At((cluster, set)): At<(ClusterName, SetName)>,
    waits: Waits,
) -> Answer {
    let query = SnapshotsQuery {
        cluster,
        sets: Some([set.clone()].into()),
    };
    let what = if waits.entries {
        What::Whole(set)
    } else {
        What::Document(set)
    };
    let reader = Reader::begin(shared, by, query, what).await?;
    answer(reader, id, wanted, waits).await
}

/// Somebody who reads snapshots, or waits for them.
pub(super) struct Reader {
    shared: Shared,
    by: Arc<Caller>,
    query: SnapshotsQuery,
    watcher: Watcher,
}

impl Reader {
    pub(super) async fn begin(
        shared: Shared,
        by: Arc<Caller>,
        query: SnapshotsQuery,
        what: What,
    ) -> Result<Self, Refusal> {
        let readable = read(may_read(&shared, &by, &query)).await?;
        let cluster = query.cluster.clone();
        let watcher = read(shared.feed.watch(Topic { cluster, what }, readable)).await?;
        Ok(Self {
            shared,
            by,
            query,
            watcher,
        })
    }

    /// What there is now.
    pub(super) fn now(&mut self) -> Result<Told, Error> {
        self.watcher.now()
    }

    /// Whether nobody is to wait any more.
    pub(super) fn is_ending(&self) -> bool {
        self.watcher.is_ending()
    }

    /// Why there is nothing, as far as he may know who asks: what is kept is read by somebody else.
    pub(super) async fn untold(&self, error: Error) -> Error {
        if self.by.app().is_none() {
            return error;
        }
        let service = &self.shared.service;
        let mut sets = self.query.sets.iter().flatten();
        let found = if let Some(set) = sets.next() {
            let query = SnapshotQuery {
                cluster: self.query.cluster.clone(),
                set: set.clone(),
            };
            service.snapshot(&self.by, &query).await.err()
        } else {
            service.snapshots(&self.by, &self.query).await.err()
        };
        found.unwrap_or(error)
    }

    /// What is not what somebody has who asked so, as far as he may still read it after the wait.
    pub(super) async fn next(&mut self, asked: &Wish) -> Result<Told, Error> {
        let told = self.watcher.next(asked).await?;
        if asked.wait.is_zero() {
            return Ok(told);
        }
        let readable = may_read(&self.shared, &self.by, &self.query).await?;
        self.watcher.see(readable);
        self.watcher.now()
    }
}

/// What `by` may read of what is asked for. A set that is named and may not be read answers as one
/// that is not there.
async fn may_read(shared: &Shared, by: &Caller, query: &SnapshotsQuery) -> Result<Readable, Error> {
    let readable = shared.service.readable(by, query).await?;
    let hidden = query.sets.iter().flatten().find(|set| !readable.has(set));
    let Some(set) = hidden else {
        return Ok(readable);
    };
    let query = SnapshotQuery {
        cluster: query.cluster.clone(),
        set: set.clone(),
    };
    let found = shared.service.snapshot(by, &query).await;
    Err(found
        .err()
        .unwrap_or_else(|| Error::absent("there is no such snapshot")))
}

async fn answer(mut reader: Reader, id: RequestId, wanted: Wanted, waits: Waits) -> Answer {
    let Waits { asked, head, .. } = waits;
    match wanted {
        Wanted::Document => {
            if let Some(head) = head {
                return wait_or_park(reader, asked, head).await;
            }
            let told = reader.next(&asked).await?;
            if let Err(error) = told.found() {
                return Err(reader.untold(error.clone()).await.into());
            }
            plain(&told, asked.tags.as_ref())
        }
        Wanted::Events => {
            // What is not there is said before a stream begins.
            let told = reader.watcher.now()?;
            if let Err(error) = told.found() {
                return Err(reader.untold(error.clone()).await.into());
            }
            Ok(stream_of(reader, asked, id))
        }
    }
}

/// What is there at once; a request that has to wait is parked, and asked again when there is something.
async fn wait_or_park(mut reader: Reader, asked: Wish, head: Head) -> Answer {
    let mut next = Box::pin(async move {
        let told = reader.watcher.next(&asked).await;
        (told, asked)
    });
    let at_once = poll_fn(|context| Poll::Ready(next.as_mut().poll(context)));
    if let Poll::Ready((told, asked)) = at_once.await {
        return plain(&told?, asked.tags.as_ref());
    }
    Ok(Parked::answer(head, async move {
        // Whatever it is, it is asked for again.
        _ = next.await;
    }))
}

/// What there is; nothing but its tag for somebody who has it.
fn plain(told: &Told, tags: Option<&HeaderValue>) -> Answer {
    let found = told.found().map_err(|error| Refusal::from(error.clone()))?;
    let is_had = tags.is_some_and(|tags| told.is_in(tags));
    let mut response = if is_had {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let mut response = Response::new(Body::from(found.body.clone()));
        let kind = HeaderValue::from_static(JSON);
        response.headers_mut().insert(CONTENT_TYPE, kind);
        response
    };
    let headers = response.headers_mut();
    tag_with(headers, found.tag.clone());
    headers.insert(SEQUENCE, told.sequence.get().into());
    Ok(response)
}

/// What there is, unless somebody has it, and then each time what it has become. It ends when nothing
/// is there any more or may be read, and with this server.
fn stream_of(reader: Reader, asked: Wish, id: RequestId) -> Response {
    let begin = (reader, asked, id, Next::Event);
    let frames = stream::unfold(begin, |(mut reader, mut asked, id, next)| async move {
        if next == Next::Nothing {
            return None;
        }
        asked.wait = HEARTBEAT;
        let (frame, next) = match frame(&mut reader, &mut asked).await {
            Ok(Some(frame)) => (frame, Next::Event),
            Ok(None) if reader.watcher.is_ending() => return None,
            Ok(None) => (b":\n\n".as_slice().into(), Next::Event),
            Err(error) => (problem(error, &id), Next::Nothing),
        };
        Some((Ok::<_, Infallible>(frame), (reader, asked, id, next)))
    });
    let mut response = Response::new(Body::from_stream(frames));
    let kind = HeaderValue::from_static(EVENTS);
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

/// What comes next in a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    Event,
    Nothing,
}

/// The next event; `None` if there is none within the time.
async fn frame(reader: &mut Reader, asked: &mut Wish) -> Result<Option<axum::body::Bytes>, Error> {
    let told = reader.next(asked).await?;
    let found = told.found().map_err(Clone::clone)?;
    let tag = found.tag.clone();
    if asked.tags.as_ref() == Some(&tag) || told.is_known(asked) {
        return Ok(None);
    }
    // From now on what he has is what he was sent.
    asked.tags = Some(tag);
    told.frame(EVENT).map(Some)
}

fn problem(error: Error, id: &RequestId) -> axum::body::Bytes {
    let mut problem = Problem::of(error);
    problem.instance = Some(id.0.clone());
    // An error is text and lists of text.
    let data = serde_json::to_string(&problem).unwrap_or_default();
    format!("event: {}\ndata: {data}\n\n", Name::Problem.as_str()).into()
}

/// Whether what lies in a cluster is from this store.
pub(super) async fn lineage(
    State(shared): State<Shared>,
    By(by): By,
    At((cluster, set)): At<(ClusterName, SetName)>,
    Params(params): Params<LineageParams>,
) -> Answer {
    let no_version = |text| Refusal::unreadable(format!("`{text}` is no version"));
    let versions = params.versions().map_err(no_version)?;
    let query = LineageQuery {
        cluster,
        set,
        versions,
    };
    of_moment(read(shared.service.lineage(&by, &query)).await?)
}

/// A report that says which commit it follows from.
fn of_moment<R: Report>(found: AsOf<R>) -> Answer {
    let mut response = document(found.answer)?;
    let sequence = found.sequence.get().into();
    response.headers_mut().insert(SEQUENCE, sequence);
    Ok(response)
}

/// What has been committed since.
pub(super) async fn news(State(shared): State<Shared>, By(by): By, waits: Waits) -> Answer {
    let Wish { after, wait, .. } = waits.asked;
    let after = after.unwrap_or_default();
    let nothing = News {
        sequence: after,
        changed: Some([].into()),
    };
    // A feed that has just begun knows of nothing, either.
    let is_first = after == Sequence::START;
    if !is_first && shared.feed.newest(after, wait).await == after {
        return document(nothing);
    }
    // What is known is answered at once; a feed that has just begun knows less than the store.
    let news = tokio::time::timeout(wait.max(READ), shared.service.wait(&by, after)).await;
    document(news.unwrap_or(Ok(nothing))?)
}

/// How long the store may take to say what is new.
const READ: Duration = Duration::from_secs(1);
