//! OFREP 0.3: what flags are for a context, one or all, as every SDK of `OpenFeature` asks it.

use axum::body::Body;
use axum::extract::{FromRequest, Request, State};
use axum::http::header::{CONTENT_TYPE, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

use super::super::answer::Answer;
use super::super::condition::tag_with;
use super::super::decode::bytes_of;
use super::super::refusal::Refusal;
use super::super::request::By;
use super::super::shared::Shared;
use super::super::tag::is_among;
use super::failure::{INVALID_CONTEXT, NOT_FOUND, PARSE_ERROR, failure};
use super::place::{Found, Said, found};
use super::ready::Failed;
use super::ticket::Ticket;
use crate::evaluate::Context;
use crate::wire::{JSON, Routes};

/// The largest body: a context has half of it at most.
const MAX_BODY: usize = 128 << 10;

/// What somebody asks with: a context, or why there is none.
pub(super) struct Sent(Result<Context, Unread>);

/// Why there is no context, in OFREP's word and ours.
struct Unread(&'static str, String);

impl<S: Send + Sync> FromRequest<S> for Sent {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refusal> {
        let body = bytes_of(request, MAX_BODY).await?;
        Ok(Self(context(&body)))
    }
}

/// The context in a body, which may be empty.
fn context(body: &[u8]) -> Result<Context, Unread> {
    if body.trim_ascii().is_empty() {
        return Ok(Context::default());
    }
    let body: Value = serde_json::from_slice(body)
        .map_err(|error| Unread(PARSE_ERROR, format!("the body is no JSON: {error}")))?;
    let Value::Object(mut body) = body else {
        let error = "the body must be a map with a `context`";
        return Err(Unread(PARSE_ERROR, error.to_owned()));
    };
    match body.remove("context") {
        None | Some(Value::Null) => Ok(Context::default()),
        Some(Value::Object(context)) => {
            Context::try_from(context).map_err(|error| Unread(INVALID_CONTEXT, error.to_string()))
        }
        Some(_) => Err(Unread(
            INVALID_CONTEXT,
            "`context` must be a map".to_owned(),
        )),
    }
}

/// What one flag is.
pub(super) async fn one(
    State(shared): State<Shared>,
    By(by): By,
    said: Said,
    Sent(context): Sent,
) -> Answer {
    let key = said.key.clone().unwrap_or_default();
    let context = match context {
        Ok(context) => context,
        Err(Unread(code, details)) => {
            let key = Some(key.as_str());
            return Ok(failure(StatusCode::BAD_REQUEST, key, code, &details));
        }
    };
    let Found { set, ready, .. } = found(&shared, &by, &said).await?;
    Ok(match ready.one(&key, &context, shared.keeper.now()) {
        Some(Ok(answer)) => json_of(answer),
        Some(Err(Failed(details))) => failure(
            StatusCode::BAD_REQUEST,
            Some(&key),
            PARSE_ERROR,
            &format!("the flag cannot be evaluated: {details}"),
        ),
        None => failure(
            StatusCode::NOT_FOUND,
            Some(&key),
            NOT_FOUND,
            &format!("{set} has no flag `{}`", key.escape_debug()),
        ),
    })
}

/// What all flags are.
pub(super) async fn bulk(
    State(shared): State<Shared>,
    By(by): By,
    said: Said,
    headers: HeaderMap,
    Sent(context): Sent,
) -> Answer {
    let context = match context {
        Ok(context) => context,
        Err(Unread(code, details)) => {
            return Ok(failure(StatusCode::BAD_REQUEST, None, code, &details));
        }
    };
    let place = found(&shared, &by, &said).await?;
    let (ready, now) = (&place.ready, shared.keeper.now());
    let ticket = shared.keeper.sealer(&by).map(|(whose, token)| {
        Ticket::text((&place.set, &place.cluster), whose.as_ref(), &token, now)
    });
    // Whoever has the answer has an address in it that still leads somewhere.
    let tag = ready.tag(&context, ticket.as_deref().unwrap_or_default());
    let has_it = tag.as_ref().is_some_and(|tag| {
        let mut known = headers.get_all(IF_NONE_MATCH).iter();
        known.any(|known| is_among(tag, known))
    });
    let mut response = if has_it {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let streams = ticket.as_deref().map(streams);
        json_of(ready.bulk(&context, now, streams.as_ref()))
    };
    if let Some(tag) = tag {
        tag_with(response.headers_mut(), tag);
    }
    Ok(response)
}

/// Where it is told what becomes of the flags. The address has a host that only the client knows.
fn streams(ticket: &str) -> Value {
    let address = format!("{}?ticket={ticket}", Routes::OFREP_EVENTS);
    json!([{"type": "sse", "endpoint": {"requestUri": address}}])
}

fn json_of(body: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(body));
    let kind = HeaderValue::from_static(JSON);
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_has_a_context_or_says_why_not() {
        let read = |body: &str| context(body.as_bytes()).map_err(|Unread(code, _)| code);
        let fields = |body: &str| read(body).map(|it| Value::from(it.fields().clone()));
        for empty in [
            "",
            " \n",
            "{}",
            r#"{"context": null}"#,
            r#"{"context": {}, "x": 1}"#,
        ] {
            assert_eq!(read(empty), Ok(Context::default()), "{empty}");
        }
        let found = fields(r#"{"context": {"targetingKey": "u1"}}"#);
        assert_eq!(found, Ok(json!({"targetingKey": "u1"})));
        for (body, code) in [
            ("{", PARSE_ERROR),
            ("[]", PARSE_ERROR),
            ("\u{0}", PARSE_ERROR),
            (r#"{"context": 1}"#, INVALID_CONTEXT),
            (
                &format!(
                    r#"{{"context": {{"a": {}1{}}}}}"#,
                    "[".repeat(50),
                    "]".repeat(50)
                ),
                INVALID_CONTEXT,
            ),
            (
                &format!(r#"{{"context": {{"a": "{}"}}}}"#, "x".repeat(70_000)),
                INVALID_CONTEXT,
            ),
        ] {
            assert_eq!(read(body), Err(code), "{body:.60}");
        }
    }
}
