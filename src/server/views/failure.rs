//! Failures in the shape that the clients of a view read: theirs know no problem documents.

use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use crate::api::Error;
use crate::wire::{JSON, Problem};

/// How a refusal is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::server) enum Shape {
    /// As a problem document.
    Problem,
    /// As OFREP has it, of this flag if one is asked for.
    Ofrep { key: Option<String> },
    /// As Spring's servers have it, of this path at this time.
    Spring { path: String, at: Timestamp },
}

impl Shape {
    /// That of what is asked for at `path`, at the time `at`.
    pub(in crate::server) fn of(path: &str, at: Timestamp) -> Self {
        if is_ofrep(path) {
            let key = path.split_once("/evaluate/flags/").map(|(_, key)| key);
            let key = key.map(|key| key.trim_end_matches('/'));
            let key = key.filter(|key| !key.is_empty());
            let decoded = |key| percent_decode_str(key).decode_utf8_lossy().into_owned();
            return Self::Ofrep {
                key: key.map(decoded),
            };
        }
        if path.starts_with("/spring/") {
            let path = path.to_owned();
            return Self::Spring { path, at };
        }
        Self::Problem
    }

    /// `problem` in this shape; `None`: as it is.
    pub(in crate::server) fn written(&self, problem: &Problem) -> Option<Value> {
        let status = problem.status;
        match self {
            Self::Problem => None,
            Self::Ofrep { key } => {
                let code = if status == 404 { NOT_FOUND } else { GENERAL };
                Some(failed(key.as_deref(), code, &said(&problem.error)))
            }
            Self::Spring { path, at } => {
                let reason = StatusCode::from_u16(status).ok();
                let reason = reason.and_then(|status| status.canonical_reason());
                Some(json!({
                    "timestamp": at.to_string(),
                    "status": status,
                    "error": reason,
                    "message": said(&problem.error),
                    "path": path,
                }))
            }
        }
    }
}

/// What is asked for by OFREP.
pub(in crate::server) fn is_ofrep(path: &str) -> bool {
    path.starts_with("/ofrep/") || path.contains("/ofrep/v1/")
}

/// OFREP's word for a flag that is not there.
pub(super) const NOT_FOUND: &str = "FLAG_NOT_FOUND";
/// OFREP's word for what has no other.
const GENERAL: &str = "GENERAL";
/// OFREP's word for what cannot be read.
pub(super) const PARSE_ERROR: &str = "PARSE_ERROR";
/// OFREP's word for a context that cannot be taken.
pub(super) const INVALID_CONTEXT: &str = "INVALID_CONTEXT";

/// What is wrong and what to do about it, in one text.
fn said(error: &Error) -> String {
    let hints = error.hints.iter().map(String::as_str);
    let chain = error.chain();
    let parts: Vec<&str> = [chain.as_str()].into_iter().chain(hints).collect();
    parts.join("; ")
}

fn failed(key: Option<&str>, code: &str, details: &str) -> Value {
    let mut failed = json!({"errorCode": code, "errorDetails": details});
    if let Some(key) = key {
        failed["key"] = key.into();
    }
    failed
}

/// The answer of OFREP that it cannot be said what a flag is.
pub(super) fn failure(
    status: StatusCode,
    key: Option<&str>,
    code: &str,
    details: &str,
) -> Response {
    let body = failed(key, code, details).to_string();
    let mut response = (status, body).into_response();
    let kind = HeaderValue::from_static(JSON);
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shape_follows_from_the_path() {
        let ofrep = |key: Option<&str>| Shape::Ofrep {
            key: key.map(ToOwned::to_owned),
        };
        for (path, shape) in [
            ("/ofrep/v1/evaluate/flags", ofrep(None)),
            ("/ofrep/v1/evaluate/flags/", ofrep(None)),
            ("/ofrep/v1/evaluate/flags/a%2Fb", ofrep(Some("a/b"))),
            ("/v1/sets/shop/ofrep/v1/evaluate/flags/a/", ofrep(Some("a"))),
            ("/v1/clusters/eu/sets/shop/ofrep/v1/other", ofrep(None)),
            ("/v1/sets/ofrep/flags.json", Shape::Problem),
            ("/spring", Shape::Problem),
        ] {
            assert_eq!(Shape::of(path, Timestamp::UNIX_EPOCH), shape, "{path}");
        }
        let spring = Shape::of("/spring/a/b", Timestamp::UNIX_EPOCH);
        assert!(matches!(spring, Shape::Spring { .. }));
    }
}
