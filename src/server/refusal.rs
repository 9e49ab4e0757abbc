//! A refusal: an error on its way out, which becomes a problem document at the edge.

use axum::http::StatusCode;
use axum::http::header::{self, HeaderValue};
use axum::response::{IntoResponse, Response};

use crate::api::{Error, ErrorKind};
use crate::wire::{PROBLEM, ParamError, Problem};

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
            "name it in `CFGCTL_TOKEN`, or in the file that `CFGCTL_TOKEN_FILE` names; \
             `cfgctl serve` prints it when it starts",
        );
        Self::new(StatusCode::UNAUTHORIZED, error)
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
pub(super) fn written(mut response: Response, request: &str) -> Response {
    let Some(Pending(mut problem)) = response.extensions_mut().remove() else {
        return response;
    };
    problem.instance = Some(request.to_owned());
    // An error is text and lists of text.
    let body = serde_json::to_vec(&problem).unwrap_or_default();
    let kind = HeaderValue::from_static(PROBLEM);
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
