//! A refusal: an error on its way out, which becomes a problem document at the edge.

use axum::http::StatusCode;
use axum::http::header::{self, HeaderValue};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;

use super::views::failure::Shape;
use crate::api::{Error, ErrorKind};
use crate::model::TokenId;
use crate::wire::{JSON, PROBLEM, ParamError, Problem};

/// Why there is no answer.
#[derive(Debug)]
pub(super) struct Refusal(Box<Problem>);

impl Refusal {
    /// With a status that says more than the kind of the error does.
    pub(super) fn new(status: StatusCode, error: Error) -> Self {
        Self(Box::new(Problem::with_status(status.as_u16(), error)))
    }

    /// What was sent cannot be understood.
    pub(super) fn unreadable(error: impl std::fmt::Display) -> Self {
        Self::new(StatusCode::BAD_REQUEST, Error::invalid(error))
    }

    /// There is no such thing here.
    pub(super) fn absent(error: impl std::fmt::Display) -> Self {
        Self::new(StatusCode::NOT_FOUND, Error::absent(error))
    }

    /// Whoever asks is not known.
    pub(super) fn unknown_caller() -> Self {
        let error =
            "the server does not know who you are: the request has no token, or a wrong one";
        let error = Error::new(ErrorKind::Denied, error).hint(
            "`cfgctl login` keeps one; or name it in `CFGCTL_TOKEN`, or in the file that \
             `CFGCTL_TOKEN_FILE` names",
        );
        Self::new(StatusCode::UNAUTHORIZED, error)
    }

    /// Whoever asks shows a token that was right. Nobody else is told so.
    pub(super) fn expired(id: &TokenId, at: Timestamp) -> Self {
        let at = at.strftime("%Y-%m-%d %H:%M:%SZ");
        let error = Error::new(ErrorKind::Denied, format!("the token {id} expired at {at}"));
        let hint = "whoever may make tokens makes another one with `cfgctl token create` or \
            `cfgctl token rotate`; `cfgctl login` keeps it";
        Self::new(StatusCode::UNAUTHORIZED, error.hint(hint))
    }

    /// What was shown instead of a token was valid for a while only.
    pub(super) fn ticket_over() -> Self {
        let error = Error::new(ErrorKind::Denied, "the ticket in the address is over")
            .hint("ask for the flags again: the answer has an address with a new one");
        Self::new(StatusCode::UNAUTHORIZED, error)
    }

    /// The token that was shown for this is valid no more.
    pub(super) fn ended() -> Self {
        let error = "the token expired or was revoked before the answer came to its end";
        let error = Error::new(ErrorKind::Denied, error)
            .hint("what was committed by then goes on; `cfgctl history` says what was");
        Self::new(StatusCode::UNAUTHORIZED, error)
    }

    /// Nobody can say whether the token is valid.
    pub(super) fn unsure() -> Self {
        let error = "the store does not say which tokens are valid";
        Error::new(ErrorKind::Unavailable, error)
            .hint("try again when the store is back")
            .into()
    }

    /// What is refused, and why.
    pub(super) fn error(&self) -> &Error {
        &self.0.error
    }

    /// The error alone.
    pub(super) fn into_error(self) -> Error {
        self.0.error
    }

    /// The problem as one line of JSON.
    pub(super) fn data(&self) -> String {
        // An error is text and lists of text.
        serde_json::to_string(&self.0).unwrap_or_default()
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self(Box::new(Problem::of(error)))
    }
}

impl From<ParamError> for Refusal {
    fn from(error: ParamError) -> Self {
        Self::unreadable(error)
    }
}

/// What `response` refuses because it is not allowed, if it does.
pub(super) fn denied(response: &Response) -> Option<&Error> {
    let Pending(problem) = response.extensions().get()?;
    let is_denied = problem.status == StatusCode::FORBIDDEN.as_u16();
    is_denied.then_some(&problem.error)
}

/// The problem goes with the answer until it is known which request it was said to.
impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status);
        let mut response = status
            .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
            .into_response();
        if self.0.status == StatusCode::UNAUTHORIZED.as_u16() {
            let scheme = HeaderValue::from_static("Bearer");
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, scheme);
        }
        if self.0.error.kind == ErrorKind::Running {
            let soon = HeaderValue::from_static("1");
            response.headers_mut().insert(header::RETRY_AFTER, soon);
        }
        response.extensions_mut().insert(Pending(self.0));
        response
    }
}

/// A problem that is not written yet.
#[derive(Clone, Debug)]
struct Pending(Box<Problem>);

/// `response` with the problem written into it, if it has one.
pub(super) fn written(mut response: Response, request: &str, shape: &Shape) -> Response {
    let Some(Pending(mut problem)) = response.extensions_mut().remove() else {
        return response;
    };
    problem.instance = Some(request.to_owned());
    // An error is text and lists of text.
    let (kind, body) = match shape.written(&problem) {
        Some(body) => (JSON, serde_json::to_vec(&body).unwrap_or_default()),
        None => (PROBLEM, serde_json::to_vec(&problem).unwrap_or_default()),
    };
    let kind = HeaderValue::from_static(kind);
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    *response.body_mut() = body.into();
    response
}

/// The statuses that a refusal may have, and why.
pub(super) fn problem_statuses() -> impl Iterator<Item = (u16, &'static str)> {
    [
        (400, "What was asked for makes no sense or is invalid."),
        (401, "Whoever asks shows no token, or a wrong one."),
        (403, "It is not allowed."),
        (404, "What is named is not there, or not for whoever asks."),
        (408, "The body did not arrive in time."),
        (409, "Something moved, or the same is being carried out."),
        (412, "What `If-Match` says does not hold any more."),
        (413, "The body is too large."),
        (415, "The body is no JSON."),
        (
            422,
            "A gate refuses it until someone consents, or the key is that of something else.",
        ),
        (428, "Nothing says what is consented to."),
        (429, "Too many requests."),
        (500, "A bug in cfgctl."),
        (503, "The store or a cluster is not available."),
        (504, "There was no answer in time."),
    ]
    .into_iter()
}
