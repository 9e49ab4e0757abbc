//! Conditions: what a request says must hold of what it asks for, by its entity tag.
//!
//! An answer that follows from the store alone has a strong tag, which is that of its bytes: what
//! others commit elsewhere leaves it as it is. What clusters say is looked at anew each time, and has
//! none. The tag of a plan is its token: who sends that as `If-Match` with a change consents to it.

use axum::extract::FromRequestParts;
use axum::http::header::{self, HeaderValue, IF_MATCH, IF_NONE_MATCH};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};

use super::answer::{Answer, encoded};
use super::refusal::Refusal;
use super::tag::{is_among, tag_of};
use crate::api::report::Report;
use crate::api::{Approval, Error, ErrorKind};
use crate::wire::{JSON, Paged, page_document};

/// How what is asked for again may be kept: by who asked, who asks each time whether it still holds.
const KEPT: HeaderValue = HeaderValue::from_static("private, no-cache");

/// The tags of what whoever asks has already.
#[derive(Clone, Debug, Default)]
pub(super) struct Known(Vec<HeaderValue>);

impl<S: Sync> FromRequestParts<S> for Known {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let values = parts.headers.get_all(IF_NONE_MATCH).iter();
        Ok(Self(values.cloned().collect()))
    }
}

impl Known {
    /// `report` as a document with its tag, or nothing but the tag where that is known.
    pub(super) fn or_document<R: Report>(&self, report: R) -> Answer {
        Ok(self.or(encoded(report)?))
    }

    /// The same of a page.
    pub(super) fn or_page<R: Paged>(&self, report: R, next: Option<String>) -> Answer {
        let page = page_document(report, next);
        Ok(self.or(page.map_err(|error| Error::of(ErrorKind::Bug, &error))?))
    }

    fn or(&self, document: Vec<u8>) -> Response {
        let tag = tag_of(&document);
        let has_it = self.0.iter().any(|known| is_among(&tag, known));
        let mut response = if has_it {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            ([(header::CONTENT_TYPE, JSON)], document).into_response()
        };
        tag_with(response.headers_mut(), tag);
        response
    }
}

/// Says in `headers` how the answer is known again, and how it may be kept.
pub(super) fn tag_with(headers: &mut HeaderMap, tag: HeaderValue) {
    headers.insert(header::ETAG, tag);
    headers.insert(header::CACHE_CONTROL, KEPT);
    headers.insert(header::VARY, HeaderValue::from_static("authorization"));
}

/// `response` with the token of the plan that it is.
pub(super) fn with_token(mut response: Response, token: &str) -> Response {
    if let Ok(tag) = HeaderValue::from_str(&format!("\"{token}\"")) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

/// What the head of a request consents to.
#[derive(Clone, Debug)]
pub(super) struct IfMatch(Option<Approval>);

impl<S: Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let Some(value) = parts.headers.get(IF_MATCH) else {
            return Ok(Self(None));
        };
        let value = value.to_str().unwrap_or_default().trim();
        if value == "*" {
            return Ok(Self(Some(Approval::Unseen)));
        }
        let token = value.strip_prefix('"').and_then(|it| it.strip_suffix('"'));
        let token = token.and_then(|token| serde_json::from_value(token.into()).ok());
        let unreadable =
            || Refusal::unreadable("`If-Match` is the token of one plan in quotes, or `*`");
        Ok(Self(Some(Approval::Exactly(token.ok_or_else(unreadable)?))))
    }
}

impl IfMatch {
    /// Whether the head says anything: then what does not hold is a precondition that failed.
    pub(super) fn is_said(&self) -> bool {
        self.0.is_some()
    }

    /// What is consented to, if it is said in one way, the head or the body.
    pub(super) fn or(self, body: Option<Approval>) -> Result<Approval, Refusal> {
        match (self.0, body) {
            (None, None) => {
                let error = "a change is made by whoever consents to it, and nothing says so";
                let error = Error::invalid(error)
                    .hint("`POST /v1/plans` answers with a token: send it as `If-Match`")
                    .hint("`If-Match: *` consents to whatever follows");
                Err(Refusal::new(StatusCode::PRECONDITION_REQUIRED, error))
            }
            (Some(head), Some(body)) if head != body => Err(Refusal::unreadable(
                "`If-Match` and `approval` consent to two different things",
            )),
            (Some(said), _) | (None, Some(said)) => Ok(said),
        }
    }
}

/// The status of `error` where the head said what must hold.
pub(super) fn failed(error: &Error) -> Option<StatusCode> {
    let has_moved = error.kind == ErrorKind::Conflict;
    has_moved.then_some(StatusCode::PRECONDITION_FAILED)
}
