//! The guard: who gets through to what somebody has to be known for.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;

use super::journal::Asked;
use super::keeper::Known;
use super::parked::Parking;
use super::refusal::{Refusal, denied};
use super::request::{By, Peer, RequestId};
use super::shared::Shared;
use super::views::routes::is_of_view;
use super::views::ticket::Ticket;
use super::who::Evidence;
use crate::api::{Caller, Error, ErrorKind, Principal, Via};
use crate::model::TokenKind;
use crate::wire::Routes;

/// Whom of those who are known a route lets in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LetsIn {
    /// Whoever may ask for anything at all.
    Admitted,
    /// Agents too: what they may ask is the service's to say.
    Agents,
    /// Whoever tells of alerts too.
    Alerts,
    /// Agents and applications too: the same.
    Apps,
    /// Everybody, whatever is allowed.
    Everybody,
}

impl LetsIn {
    /// `None`: there is no such route.
    fn of(route: Option<&str>) -> Self {
        match route {
            Some(Routes::ALERTMANAGER | Routes::GRAFANA) => Self::Alerts,
            Some(Routes::SNAPSHOTS | Routes::SNAPSHOT) => Self::Apps,
            Some(Routes::LINEAGE | Routes::NEWS) => Self::Agents,
            Some(route) if is_of_view(route) => Self::Apps,
            Some(Routes::IDENTITY) | None => Self::Everybody,
            Some(_) => Self::Admitted,
        }
    }
}

/// Lets nobody through who is not known, asks too often, or is not let in by the route. One layer, as
/// each costs every request a copy of what lies below it.
pub(super) async fn guard(
    State(shared): State<Shared>,
    mut request: Request,
    next: Next,
) -> Response {
    if request.extensions().get() == Some(&Parking::Dead) {
        return Refusal::ended().into_response();
    }
    let peer = request.extensions().get::<Peer>().copied();
    let from = peer.map(|Peer(peer)| peer.ip());
    let route = request.extensions().get::<MatchedPath>().cloned();
    // Some routes may be written with a slash at their end.
    let route = route.as_ref().map(MatchedPath::as_str);
    let route = route.map(|route| route.trim_end_matches('/'));
    let evidence = match evidence(&request, route, shared.keeper.now()) {
        Ok(evidence) => evidence,
        Err(refusal) => return refusal.into_response(),
    };
    let Known { caller, lifetime } = match shared.keeper.ask(&evidence, from).await {
        Ok(known) => known,
        Err(refusal) => return refusal.into_response(),
    };
    let ticket = match evidence {
        Evidence::Ticket(ticket) => Some(ticket),
        Evidence::Token(_) | Evidence::Nothing => None,
    };
    if let Some(ticket) = ticket {
        request.extensions_mut().insert(ticket);
    }
    let by = Arc::new(caller.via(via(&request, peer)));
    if let Some(lifetime) = &lifetime {
        shared.keeper.used(&by, lifetime);
    }
    request.extensions_mut().insert(By(Arc::clone(&by)));
    // Taken by whoever reads a body, and given back with the answer.
    let room = (!request.method().is_safe()).then(|| shared.rooms.of_request());
    if let Some(room) = &room {
        request.extensions_mut().insert(room.clone());
    }
    let method = request.method().clone();
    let refused = over_rate(&shared, from, &by, route);
    let refused = refused.or_else(|| not_admitted(&shared, &by, &request, route));
    let response = match (refused, lifetime) {
        (Some(refused), _) => refused,
        (None, Some(lifetime)) => lifetime.bound(next.run(request)).await,
        (None, None) => next.run(request).await,
    };
    drop(room);
    if let Some(error) = denied(&response) {
        let operation = format!("{method} {}", route.unwrap_or_default());
        shared.keeper.refused(&by, operation, error);
    }
    response
}

/// What whoever asks for this shows.
fn evidence<'r>(
    request: &'r Request,
    route: Option<&str>,
    now: Timestamp,
) -> Result<Evidence<'r>, Refusal> {
    let headers = request.headers();
    match route {
        Some(Routes::SPRING | Routes::SPRING_LABEL) => Ok(Evidence::in_spring_headers(headers)),
        Some(Routes::OFREP_EVENTS) => {
            let query = request.uri().query().unwrap_or_default();
            let mut query = query.split('&');
            let Some(ticket) = query.find_map(|part| part.strip_prefix("ticket=")) else {
                return Ok(Evidence::in_headers(headers));
            };
            match Ticket::read(ticket) {
                // Whoever was away for long comes back with an old one, which is no attempt at anything.
                Some(ticket) if ticket.is_over(now) => Err(Refusal::ticket_over()),
                Some(ticket) => Ok(Evidence::Ticket(ticket)),
                None => Ok(Evidence::Nothing),
            }
        }
        _ => Ok(Evidence::in_headers(headers)),
    }
}

/// What is answered to whoever asks more often than the rate allows.
fn over_rate(
    shared: &Shared,
    from: Option<IpAddr>,
    by: &Caller,
    route: Option<&str>,
) -> Option<Response> {
    // What every agent and application waits for costs next to nothing.
    if route.is_some_and(|route| route.contains("/snapshots")) {
        return None;
    }
    let wait = shared.rate.count(from, by.actor()).err()?;
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
    Some(response)
}

/// What is answered to whom the route does not let in.
fn not_admitted(
    shared: &Shared,
    by: &Caller,
    request: &Request,
    route: Option<&str>,
) -> Option<Response> {
    let kind = match &by.principal {
        Principal::Token(holder) => Some(holder.kind),
        _ => None,
    };
    match (LetsIn::of(route), kind) {
        (LetsIn::Everybody, _)
        | (LetsIn::Agents | LetsIn::Apps, Some(TokenKind::Agent))
        | (LetsIn::Alerts, Some(TokenKind::Alerts))
        | (LetsIn::Apps, Some(TokenKind::App)) => return None,
        (LetsIn::Admitted | LetsIn::Agents | LetsIn::Alerts | LetsIn::Apps, _) => {}
    }
    let error = shared.keeper.admits(by).err()?;
    // Whoever only asks changes nothing.
    if let (false, Some(id)) = (request.method().is_safe(), request.extensions().get()) {
        let id: &RequestId = id;
        let operation = format!("{} {}", request.method(), route.unwrap_or_default());
        Asked::of(by, id.parts(), &operation).failed(&error);
    }
    Some(Refusal::from(error).into_response())
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
