//! The events of flags: a word to whoever keeps them that they are worth asking for again.

use std::convert::Infallible;
use std::time::Duration;

use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::Response;
use futures_util::stream;
use serde_json::json;

use super::super::answer::Answer;
use super::super::feed::Wish;
use super::super::request::By;
use super::super::shared::Shared;
use super::super::snapshots::Reader;
use super::place::{Found, Said, found};
use super::ready::Ready;
use super::ticket::Ticket;
use crate::api::Error;
use crate::wire::{EVENTS, HEARTBEAT_SECONDS};

/// How often a stream says that it is still there.
const HEARTBEAT: Duration = Duration::from_secs(HEARTBEAT_SECONDS);
/// After how many milliseconds a browser that lost the stream comes back.
const RETRY: u64 = 1000;

/// Tells now, and then each time when they have changed, that flags are worth asking for.
pub(super) async fn events(
    State(shared): State<Shared>,
    By(by): By,
    ticket: Option<Extension<Ticket>>,
    said: Said,
) -> Answer {
    let said = match ticket {
        Some(Extension(ticket)) => Said {
            set: Some(ticket.set),
            cluster: Some(ticket.cluster),
            key: None,
        },
        None => said,
    };
    let Found { reader, ready, .. } = found(&shared, &by, &said).await?;
    let begin = Listener {
        reader,
        seal: ready.seal().to_owned(),
        asked: Wish {
            wait: HEARTBEAT,
            ..Wish::default()
        },
        first: Some(format!("retry: {RETRY}\n{}", message(&ready)).into()),
    };
    let frames = stream::unfold(begin, |mut listener| async move {
        let frame = listener.next().await?;
        Some((Ok::<_, Infallible>(frame), listener))
    });
    let mut response = Response::new(Body::from_stream(frames));
    let kind = HeaderValue::from_static(EVENTS);
    response.headers_mut().insert(CONTENT_TYPE, kind);
    Ok(response)
}

/// Somebody who listens.
struct Listener {
    reader: Reader,
    /// What the flags were known by that he was told of last.
    seal: String,
    asked: Wish,
    first: Option<Bytes>,
}

impl Listener {
    /// The next frame: of a change, or after a while that there is none. The stream ends when nothing is
    /// there any more or may be read, and with this server.
    async fn next(&mut self) -> Option<Bytes> {
        if let Some(first) = self.first.take() {
            return Some(first);
        }
        self.changed().await.ok()?
    }

    async fn changed(&mut self) -> Result<Option<Bytes>, Error> {
        let told = self.reader.next(&self.asked).await?;
        let ready = told.ready()?;
        self.asked.tags = told.found().ok().map(|found| found.tag.clone());
        if ready.seal() != self.seal {
            ready.seal().clone_into(&mut self.seal);
            return Ok(Some(message(&ready).into()));
        }
        let is_ending = self.reader.is_ending();
        Ok((!is_ending).then(|| Bytes::from_static(b":\n\n")))
    }
}

/// That flags are worth asking for again, as OFREP has it.
fn message(ready: &Ready) -> String {
    let data = json!({
        "type": "refetchEvaluation",
        "etag": ready.seal(),
        "lastModified": ready.changed.as_second(),
    });
    format!("event: message\nid: {}\ndata: {data}\n\n", ready.seal())
}
