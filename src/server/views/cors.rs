//! Other origins: whose pages a browser lets ask for flags, as the Fetch standard has it.

use std::collections::BTreeSet;

use axum::extract::Request;
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN,
    VARY,
};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse as _, Response};

use super::failure::is_ofrep;

/// What pages may send.
const ALLOWED: HeaderValue =
    HeaderValue::from_static("Authorization, Content-Type, Flagd-Selector, If-None-Match");
/// What pages may read beside the body.
const EXPOSED: HeaderValue = HeaderValue::from_static("ETag, Retry-After");
/// How many seconds a browser remembers it.
const MAX_AGE: HeaderValue = HeaderValue::from_static("7200");

/// The origins whose pages may ask.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::server) struct Origins(BTreeSet<String>);

impl Origins {
    /// These, where `*` stands for all.
    pub(in crate::server) fn of(origins: impl IntoIterator<Item = String>) -> Self {
        Self(origins.into_iter().collect())
    }

    /// Who asks from where; `None`: no page of another origin asks for this.
    pub(in crate::server) fn crossing(&self, request: &Request) -> Option<Crossing> {
        if !is_ofrep(request.uri().path()) {
            return None;
        }
        let origin = request.headers().get(ORIGIN);
        let is_known = |origin: &&HeaderValue| {
            let known = origin.to_str().ok();
            known.is_some_and(|origin| self.0.contains("*") || self.0.contains(origin))
        };
        Some(Crossing(origin.filter(is_known).cloned()))
    }
}

/// What a page may ask for, and the origin of this one if its pages may.
#[derive(Debug)]
pub(in crate::server) struct Crossing(Option<HeaderValue>);

/// The answer to a browser that asks whether it may ask; `None`: it asks for something.
pub(in crate::server) fn preflight(request: &Request) -> Option<Response> {
    let headers = request.headers();
    let is_one = request.method() == Method::OPTIONS
        && headers.contains_key(ORIGIN)
        && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
        && is_ofrep(request.uri().path());
    is_one.then(|| StatusCode::NO_CONTENT.into_response())
}

/// Tells the browser whether the page may read `response`.
pub(in crate::server) fn allow(response: &mut Response, Crossing(origin): &Crossing) {
    let headers = response.headers_mut();
    headers.append(VARY, HeaderValue::from_static("origin"));
    let Some(origin) = origin else {
        return;
    };
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, ALLOWED);
    let methods = HeaderValue::from_static("GET, POST");
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, methods);
    headers.insert(ACCESS_CONTROL_MAX_AGE, MAX_AGE);
}
