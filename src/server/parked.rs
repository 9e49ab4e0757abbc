//! Parking: a request that waits is kept as text, and its connection without buffers.
//!
//! What a connection needs to read requests and to write answers is many times what somebody needs
//! who only waits. So the connection of a request that has to wait is taken apart: its socket stays,
//! with the head of the request and what is waited for. Once that has come the connection is put
//! together again and reads the same head first, so that the request is answered as if it had come
//! only now: by whoever may ask it by then, with what there is by then.

use std::fmt::{self, Debug, Display, Formatter};
use std::io::Write as _;
use std::sync::{Arc, Mutex};

use axum::body::{Body, Bytes};
use axum::http::request::Parts;
use axum::response::Response;
use futures_util::future::{BoxFuture, Either, FutureExt as _, select};
use tokio::io::{AsyncRead, AsyncReadExt as _};

use super::lock::lock;

/// The most bytes that are read of what follows a request while it waits. Whoever sends more is answered:
/// without reading on nobody could say whether he is still there.
const MAX_AHEAD: u64 = 16 << 10;

/// Whether a request may be parked; that is for whoever serves its connection to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Parking {
    /// It may.
    Possible,
    /// It was, and what it waited for has come.
    Over,
    /// It was, until the token that was shown with it died.
    Dead,
}

/// Instead of an answer: that the request waits.
#[derive(Clone)]
pub(super) struct Parked(Arc<Mutex<Option<Wait>>>);

/// A request that waits.
struct Wait {
    /// Its head, as it is sent.
    head: Vec<u8>,
    /// Comes to an end when it is to be answered.
    until: BoxFuture<'static, Parking>,
}

/// The head of a request that may be parked.
#[derive(Debug)]
pub(super) struct Head(Vec<u8>);

/// What somebody finds who parks a request.
pub(super) enum Found {
    /// Its client has gone away.
    Nobody,
    /// What is read from its connection from now on, before anything else.
    Somebody(Bytes, Parking),
}

impl Parked {
    /// What a handler answers that has nothing to answer yet, until `until`.
    pub(super) fn answer(head: Head, until: impl Future<Output = ()> + Send + 'static) -> Response {
        let wait = Wait {
            head: head.0,
            until: until.map(|()| Parking::Over).boxed(),
        };
        let mut response = Response::new(Body::empty());
        let parked = Self(Arc::new(Mutex::new(Some(wait))));
        response.extensions_mut().insert(parked);
        response
    }

    /// Whether `response` is none.
    pub(super) fn of(response: &Response) -> Option<&Self> {
        response.extensions().get()
    }

    /// It waits no longer than `life` lasts.
    pub(super) fn as_long_as(&self, life: impl Future<Output = ()> + Send + 'static) {
        let mut wait = lock(&self.0);
        if let Some(Wait { head, until }) = wait.take() {
            let until = select(until, life.boxed()).map(|end| match end {
                Either::Left((parking, _)) => parking,
                Either::Right(_) => Parking::Dead,
            });
            let until = until.boxed();
            *wait = Some(Wait { head, until });
        }
    }

    /// Waits on the `stream` of its connection, of which these bytes were read already.
    pub(super) async fn wait<S: AsyncRead + Unpin>(&self, stream: &mut S, read: &[u8]) -> Found {
        let wait = lock(&self.0).take();
        // It is waited for once.
        let Some(Wait { head, until }) = wait else {
            return Found::Nobody;
        };
        let mut start = head;
        start.extend_from_slice(read);
        let parking = tokio::select! {
            parking = until => parking,
            end = read_ahead(stream, &mut start) => match end {
                Ahead::Gone => return Found::Nobody,
                Ahead::Full => Parking::Over,
            },
        };
        Found::Somebody(start.into(), parking)
    }
}

/// Why nothing more is read while a request waits.
enum Ahead {
    /// The client has gone away.
    Gone,
    /// It has sent as much as is kept of it.
    Full,
}

/// Reads what the client of `stream` sends meanwhile, which comes to `start`.
async fn read_ahead<S: AsyncRead + Unpin>(stream: &mut S, start: &mut Vec<u8>) -> Ahead {
    let mut ahead = stream.take(MAX_AHEAD);
    while let Ok(1..) = ahead.read_buf(start).await {
        if ahead.limit() == 0 {
            return Ahead::Full;
        }
    }
    // Nothing, or an error.
    Ahead::Gone
}

impl Debug for Parked {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str("Parked")
    }
}

impl Display for Parked {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str("the request waits")
    }
}

/// What ends the part of a connection that reads and writes.
impl std::error::Error for Parked {}

impl Head {
    /// That of a request without a body.
    pub(super) fn of(parts: &Parts) -> Self {
        let mut head = Vec::new();
        let Parts {
            method,
            uri,
            version,
            ..
        } = parts;
        // Writing to memory succeeds.
        _ = write!(head, "{method} {uri} {version:?}\r\n");
        for (name, value) in &parts.headers {
            for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
                head.extend_from_slice(part);
            }
        }
        head.extend_from_slice(b"\r\n");
        Self(head)
    }
}
