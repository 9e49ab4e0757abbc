//! Decoding: from what arrives to what a handler takes, bounded in size and time.

use std::time::Duration;

use axum::body::{Bytes, HttpBody as _, to_bytes};
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use http_body_util::LengthLimitError;
use serde::de::DeserializeOwned;

use super::refusal::Refusal;
use super::room::Room;
use crate::api::{Error, ErrorKind};
use crate::model::IdempotencyKey;
use crate::wire::{EVENTS, IDEMPOTENCY_KEY, JSON};

/// The largest body: what a client loads from files has as many bytes at most.
const MAX_BODY: usize = 64 << 20;
/// The most values in it. Each takes many times its bytes once it is read.
const MAX_VALUES: usize = 2_000_000;
/// What one takes, in bytes, measured on lists of numbers.
const VALUE_BYTES: usize = 160;
/// The largest body that is read between other things, in bytes: some milliseconds' work.
const MAX_AT_ONCE: usize = 256 << 10;
/// The longest wait for the end of a body.
const BODY_TIMEOUT: Duration = Duration::from_secs(60);

/// What stands in braces in the path of a route.
#[derive(Debug)]
pub(super) struct At<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for At<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let path = Path::from_request_parts(parts, state).await;
        let Path(found) = path.map_err(|error| Refusal::unreadable(error.body_text()))?;
        Ok(Self(found))
    }
}

/// The query of the address.
#[derive(Debug)]
pub(super) struct Params<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Params<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let query = Query::from_request_parts(parts, state).await;
        let Query(found) = query.map_err(|error| Refusal::unreadable(error.body_text()))?;
        Ok(Self(found))
    }
}

/// The body, which is JSON.
#[derive(Debug)]
pub(super) struct Body<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned + Send + 'static> FromRequest<S> for Body<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refusal> {
        check_head(request.headers())?;
        decoded(bytes_of(request, MAX_BODY).await?).await.map(Self)
    }
}

/// The body of a request, of which there are so many bytes at most, once there is room for what is in it.
pub(super) async fn bytes_of(request: Request, most: usize) -> Result<Bytes, Refusal> {
    let room = request.extensions().get::<Room>().cloned();
    let room = room.ok_or_else(|| {
        Refusal::from(Error::new(ErrorKind::Bug, "nobody said what room there is"))
    })?;
    let length = request.body().size_hint().upper();
    let length = length.and_then(|length| usize::try_from(length).ok());
    room.take(length.unwrap_or(most).min(most)).await?;
    let refuse = || too_large(&format!("{most} bytes"));
    let bytes = arrived(request, (most, BODY_TIMEOUT), refuse).await?;
    let values = values_in(&bytes);
    if values > MAX_VALUES {
        return Err(too_large(&format!("{MAX_VALUES} values")));
    }
    room.take(values * VALUE_BYTES).await?;
    Ok(bytes)
}

/// The body of a request, once all of it is there within a time; `too_large` refuses one of more than
/// `most` bytes.
pub(super) async fn arrived(
    request: Request,
    (most, within): (usize, Duration),
    too_large: impl FnOnce() -> Refusal,
) -> Result<Bytes, Refusal> {
    let read = to_bytes(request.into_body(), most);
    let read = tokio::time::timeout(within, read).await;
    let read = read.map_err(|_| {
        let seconds = within.as_secs();
        let error = format!("the body did not arrive within {seconds} s");
        let error = Error::new(ErrorKind::Unavailable, error);
        Refusal::new(StatusCode::REQUEST_TIMEOUT, error)
    })?;
    read.map_err(|error| {
        let source = std::error::Error::source(&error);
        if source.is_some_and(<dyn std::error::Error>::is::<LengthLimitError>) {
            return too_large();
        }
        Refusal::unreadable("the body did not arrive whole")
    })
}

/// What `bytes` say. Large ones are read where they hold up nobody.
async fn decoded<T: DeserializeOwned + Send + 'static>(bytes: Bytes) -> Result<T, Refusal> {
    let is_small = bytes.len() <= MAX_AT_ONCE;
    let read = move || {
        let unreadable = |error| Refusal::unreadable(format!("the body cannot be read: {error}"));
        serde_json::from_slice(&bytes).map_err(unreadable)
    };
    if is_small {
        return read();
    }
    let read = tokio::task::spawn_blocking(read).await;
    read.map_err(|error| Refusal::from(Error::of(ErrorKind::Bug, &error)))?
}

/// At least how many values stand in `json`, which need not be any.
fn values_in(json: &[u8]) -> usize {
    let (mut values, mut is_text, mut is_escaped) = (0, false, false);
    for byte in json {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_text => is_escaped = true,
            b'"' => is_text = !is_text,
            b',' | b'[' | b'{' if !is_text => values += 1,
            _ => {}
        }
    }
    values
}

/// Refuses a body that says that it is something else.
pub(super) fn check_kind(headers: &HeaderMap) -> Result<(), Refusal> {
    let kind = headers.get(CONTENT_TYPE).and_then(|it| it.to_str().ok());
    let kind = kind.unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case(JSON) {
        let error = Error::invalid(format!("the body must be `{JSON}`"));
        return Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, error));
    }
    Ok(())
}

/// What the head of a request says of its body.
fn check_head(headers: &HeaderMap) -> Result<(), Refusal> {
    check_kind(headers)?;
    let header = |name| headers.get(name)?.to_str().ok();
    let length = header(CONTENT_LENGTH).and_then(|length| length.parse::<u64>().ok());
    if length.is_some_and(|length| length > MAX_BODY as u64) {
        return Err(too_large(&format!("{MAX_BODY} bytes")));
    }
    Ok(())
}

fn too_large(most: &str) -> Refusal {
    let error = format!("the body has more than {most}");
    let error = Error::invalid(error).hint("apply it in several steps");
    Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, error)
}

/// How the answer is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// As one document.
    Document,
    /// As events, with the document at the end.
    Events,
}

impl<S: Sync> FromRequestParts<S> for Wanted {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let accepted = parts.headers.get_all(ACCEPT).iter();
        let mut accepted = accepted.filter_map(|value| value.to_str().ok());
        let wants = |it: &str| it.trim().to_ascii_lowercase().starts_with(EVENTS);
        let events = accepted.any(|value| value.split(',').any(wants));
        Ok(if events { Self::Events } else { Self::Document })
    }
}

impl Key {
    /// What a change is known by, if it is said in one way, the head or the body.
    pub(super) fn or(self, body: Option<IdempotencyKey>) -> Result<IdempotencyKey, Refusal> {
        match (self.0, body) {
            (None, None) => {
                let error = Error::invalid("a change has no `Idempotency-Key`");
                let error = error.hint(
                    "any text that is another one for each change, such as a UUID; asked for \
                     again with the same key it is made once",
                );
                Err(Refusal::new(StatusCode::BAD_REQUEST, error))
            }
            (Some(head), Some(body)) if head != body => Err(Refusal::unreadable(
                "`Idempotency-Key` and `key` are two different keys",
            )),
            (Some(said), _) | (None, Some(said)) => Ok(said),
        }
    }
}

/// What a change is known by, if its header says so.
#[derive(Clone, Debug)]
pub(super) struct Key(pub(super) Option<IdempotencyKey>);

impl<S: Sync> FromRequestParts<S> for Key {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let Some(value) = parts.headers.get(IDEMPOTENCY_KEY) else {
            return Ok(Self(None));
        };
        let text = value.to_str().unwrap_or_default();
        // The draft wants quotes, and many send none.
        let bare = text.strip_prefix('"').and_then(|it| it.strip_suffix('"'));
        let key = bare.unwrap_or(text).parse();
        Ok(Self(Some(key.map_err(Refusal::unreadable)?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_counted_outside_of_texts() {
        for (json, values) in [
            ("", 0),
            ("1", 0),
            ("[1, 2, 3]", 3),
            (r#"{"a": [[], [1]], "b": "x,[{\",,,"}"#, 6),
            (r#""never ends,,,\"#, 0),
        ] {
            assert_eq!(values_in(json.as_bytes()), values, "{json}");
        }
    }
}
