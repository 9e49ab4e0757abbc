//! A request: what it is called, who sends it, and the line about it in the log.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::{FromRequestParts, MatchedPath, Request, State};
use axum::http::Method;
use axum::http::header::{self, HeaderValue};
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::Response;

use super::parked::Parked;
use super::refusal::{Refusal, written};
use super::shared::Shared;
use super::trace::{Trace, sender};
use super::views::cors::{allow, preflight};
use super::views::failure::Shape;
use super::views::routes::is_of_view;
use crate::api::{Caller, Error, ErrorKind};
use crate::traces::{self, TRACEPARENT, Work};
use crate::wire::REQUEST_ID;

/// The longest name of a request that is taken over.
const MAX_ID_BYTES: usize = 100;

/// What a request is called: what its sender or a proxy calls it, else something new.
/// Also what it belongs to.
#[derive(Clone, Debug)]
pub(super) struct RequestId(pub(super) String, pub(super) Trace);

impl RequestId {
    /// What it is called, and what it belongs to.
    pub(super) fn parts(&self) -> (&str, &Trace) {
        (&self.0, &self.1)
    }
}

/// Where a request comes from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer(pub(super) SocketAddr);

/// Who asks. A handler that takes it cannot run for somebody unknown.
#[derive(Clone, Debug)]
pub(super) struct By(pub(super) Arc<Caller>);

/// Names the request, and writes into the answer what only this knows.
pub(super) async fn named(
    State(shared): State<Shared>,
    mut request: Request,
    next: Next,
) -> Response {
    let crossing = shared.origins.crossing(&request);
    if let (Some(crossing), Some(mut response)) = (&crossing, preflight(&request)) {
        allow(&mut response, crossing);
        return response;
    }
    let begun = Instant::now();
    let shape = Shape::of(request.uri().path(), shared.keeper.now());
    let may_wait = may_wait(&request);
    let id = id_of(&request);
    let route = request.extensions().get::<MatchedPath>().cloned();
    let work = work(&request, route.as_ref(), may_wait);
    let trace = Trace::of(sender(request.headers()), &work);
    let named = RequestId(id.clone(), trace.clone());
    request.extensions_mut().insert(named);
    let method = request.method().clone();
    let answer = work.around(next.run(request)).await;
    let mut response = written(answer, &id, &shape);
    if Parked::of(&response).is_some() {
        // It is no answer yet, and asked for again.
        return response;
    }
    let route = route.as_ref().map(MatchedPath::as_str);
    let status = response.status().as_u16();
    work.say("http.response.status_code", || i64::from(status));
    if response.status().is_server_error() {
        work.failed("not answered");
    }
    let took = (!may_wait).then(|| begun.elapsed());
    let requests = &shared.metrics.requests;
    requests.count(method.as_str(), route, status, took);
    let route = route.unwrap_or_default();
    tracing::debug!(%method, route, status, request = id, trace = trace.id(), "answered");
    if let Some(crossing) = &crossing {
        allow(&mut response, crossing);
    }
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(&id) {
        headers.insert(REQUEST_ID, id);
    }
    if let Some(trace) = trace.header() {
        headers.insert(TRACEPARENT, trace);
    }
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}

/// What it is in a trace: what changes something, or what its sender says is part of one. Who waits for
/// something newer is asked for anew, and an app that asks for its flags hears nothing of anybody's trace.
fn work(request: &Request, route: Option<&MatchedPath>, may_wait: bool) -> Work {
    let route = route.map(MatchedPath::as_str);
    let (Some(route), true) = (route.filter(|it| !is_of_view(it)), traces::are_told()) else {
        return Work::default();
    };
    let sender = sender(request.headers());
    let method = request.method();
    let is_told = if method.is_safe() {
        !may_wait && sender.is_some()
    } else {
        // Anybody can think of others, as long as he likes.
        [Method::POST, Method::PUT, Method::DELETE].contains(method)
    };
    if !is_told {
        return Work::default();
    }
    let work = Work::for_request(format!("{method} {route}"), sender);
    work.say("http.request.method", || method.to_string());
    work.say("http.route", || route.to_owned());
    work
}

/// Whether its sender may have asked to wait for something newer.
fn may_wait(request: &Request) -> bool {
    let query = request.uri().query();
    query.is_some_and(|query| query.contains("wait=")) || request.headers().contains_key("prefer")
}

fn id_of(request: &Request) -> String {
    let given = request.headers().get(REQUEST_ID);
    let given = given.and_then(|value| value.to_str().ok());
    let fits = |id: &&str| {
        (1..=MAX_ID_BYTES).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic())
    };
    given
        .filter(fits)
        .map_or_else(|| format!("{:032x}", fastrand::u128(..)), ToOwned::to_owned)
}

impl<S: Sync> FromRequestParts<S> for By {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        // Whoever mounts a route beside the guard must not open it to everyone.
        parts.extensions.get().cloned().ok_or_else(|| {
            Refusal::from(Error::new(ErrorKind::Bug, "nobody asked who asks for this"))
        })
    }
}

impl<S: Sync> FromRequestParts<S> for RequestId {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let named = parts.extensions.get().cloned();
        named.ok_or_else(|| Refusal::from(Error::new(ErrorKind::Bug, "the request has no name")))
    }
}
