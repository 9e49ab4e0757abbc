//! A request: what it is called, who sends it, and the line about it in the log.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::{FromRequestParts, MatchedPath, Request, State};
use axum::http::StatusCode;
use axum::http::header::{self, HeaderValue};
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::journal::Asked;
use super::keeper::Known;
use super::parked::{Parked, Parking};
use super::refusal::{Refusal, denied, written};
use super::shared::Shared;
use super::trace::{TRACEPARENT, Trace};
use crate::api::{Caller, Error, ErrorKind, Principal, Via};
use crate::model::TokenKind;
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
    let begun = Instant::now();
    let may_wait = may_wait(&request);
    let id = id_of(&request);
    let trace = Trace::of(request.headers());
    let named = RequestId(id.clone(), trace.clone());
    request.extensions_mut().insert(named);
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let mut response = written(next.run(request).await, &id);
    if Parked::of(&response).is_some() {
        // It is no answer yet, and asked for again.
        return response;
    }
    let route = route.as_ref().map(MatchedPath::as_str);
    let status = response.status().as_u16();
    let took = (!may_wait).then(|| begun.elapsed());
    let requests = &shared.metrics.requests;
    requests.count(method.as_str(), route, status, took);
    let route = route.unwrap_or_default();
    tracing::debug!(%method, route, status, request = id, trace = trace.id(), "answered");
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

/// Lets nobody through who is not known, whatever is asked for.
pub(super) async fn known(
    State(shared): State<Shared>,
    mut request: Request,
    next: Next,
) -> Response {
    if request.extensions().get() == Some(&Parking::Dead) {
        return Refusal::ended().into_response();
    }
    let peer = request.extensions().get::<Peer>().copied();
    let from = peer.map(|Peer(peer)| peer.ip());
    let Known { caller, lifetime } = match shared.keeper.ask(request.headers(), from).await {
        Ok(known) => known,
        Err(refusal) => return refusal.into_response(),
    };
    let by = Arc::new(caller.via(via(&request, peer)));
    if let Some(lifetime) = &lifetime {
        shared.keeper.used(&by, lifetime);
    }
    request.extensions_mut().insert(By(Arc::clone(&by)));
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let response = match lifetime {
        Some(lifetime) => lifetime.bound(next.run(request)).await,
        None => next.run(request).await,
    };
    if let Some(error) = denied(&response) {
        let route = route.as_ref().map_or("", MatchedPath::as_str);
        let operation = format!("{method} {route}");
        shared.keeper.refused(&by, operation, error);
    }
    response
}

/// Lets those through who may ask for anything at all.
pub(super) async fn admitted(
    State(shared): State<Shared>,
    By(by): By,
    request: Request,
    next: Next,
) -> Response {
    let Err(error) = shared.keeper.admits(&by) else {
        return next.run(request).await;
    };
    let (method, extensions) = (request.method(), request.extensions());
    // Whoever only asks changes nothing.
    if let (false, Some(id)) = (method.is_safe(), extensions.get::<RequestId>()) {
        let route = extensions.get().map_or("", MatchedPath::as_str);
        Asked::of(&by, id.parts(), &format!("{method} {route}")).failed(&error);
    }
    Refusal::from(error).into_response()
}

/// Lets agents through too: what they may ask is the service's to say.
pub(super) async fn admitted_to_snapshots(
    shared: State<Shared>,
    By(by): By,
    request: Request,
    next: Next,
) -> Response {
    match &by.principal {
        Principal::Token(holder) if holder.kind == TokenKind::Agent => next.run(request).await,
        _ => admitted(shared, By(by), request, next).await,
    }
}

/// How a request came here.
fn via(request: &Request, peer: Option<Peer>) -> Via {
    let id = request.extensions().get::<RequestId>();
    Via {
        peer: peer.map_or_else(String::new, |Peer(peer)| peer.to_string()),
        request: id.map_or_else(String::new, |id| id.0.clone()),
        traceparent: id.map(|id| id.1.to_string()),
    }
}

/// Lets nobody ask more often than the rate allows.
pub(super) async fn limited(
    State(shared): State<Shared>,
    request: Request,
    next: Next,
) -> Response {
    let route = request.extensions().get::<MatchedPath>();
    // What every agent and application waits for costs next to nothing.
    if route.is_some_and(|route| route.as_str().contains("/snapshots")) {
        return next.run(request).await;
    }
    let peer = request.extensions().get::<Peer>();
    let from = peer.map(|Peer(peer)| peer.ip());
    let by = request.extensions().get::<By>();
    let counted = by.map_or(Ok(()), |By(by)| shared.rate.count(from, by.actor()));
    let Err(wait) = counted else {
        return next.run(request).await;
    };
    shared.metrics.too_many.add_one();
    let seconds = wait.as_secs() + 1;
    let error = Error::new(ErrorKind::Unavailable, "too many requests with one token")
        .hint(format!("ask again in {seconds} s"))
        .hint("`cfgctl serve --rate-limit` says how many are too many");
    let refusal = Refusal::new(StatusCode::TOO_MANY_REQUESTS, error);
    let mut response = refusal.into_response();
    response
        .headers_mut()
        .insert(header::RETRY_AFTER, seconds.into());
    response
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
