//! Logins: a JWT of an issuer that counts here, exchanged for a token.
//!
//! Anybody may try, so what comes is small, few are looked at in a second, and nothing of it is logged.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};

use super::answer::{Answer, document, read};
use super::decode::{arrived, check_kind};
use super::lock::lock;
use super::refusal::Refusal;
use super::request::{Peer, RequestId};
use super::shared::Shared;
use crate::api::report::{NewToken, ServerInfo};
use crate::api::{Error, ErrorKind, Via};
use crate::oidc::{Issuers, NotVouched};
use crate::wire::Exchange;

/// The largest body: several times the longest JWT.
const MAX_BODY: usize = 64 * 1024;
/// The longest wait for the end of it.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// Answers with what anybody may know.
pub(super) async fn info(State(shared): State<Shared>) -> Answer {
    let issuers = shared.vouchers.issuers.as_ref();
    document(issuers.map_or_else(|| ServerInfo::of(Vec::new()), Issuers::info))
}

/// Exchanges a JWT for a token.
pub(super) async fn exchange(
    State(shared): State<Shared>,
    id: RequestId,
    request: Request,
) -> Result<Response, Response> {
    let peer = request.extensions().get::<Peer>().copied();
    let from = peer.map(|Peer(peer)| peer.ip());
    if !lock(&shared.vouchers.attempts).may_look(from, Instant::now()) {
        shared.metrics.too_many.add_one();
        return Err(too_many());
    }
    let via = Via {
        peer: peer.map_or_else(String::new, |Peer(peer)| peer.to_string()),
        request: id.0.clone(),
        traceparent: Some(id.1.to_string()),
    };
    let made = exchanged(&shared, request, &via, from).await;
    let made = made.map_err(axum::response::IntoResponse::into_response)?;
    let (by, token) = (&made.token.by, &made.token.id);
    tracing::info!(by, %token, request_id = id.0, trace = id.1.id(), "logged in");
    document(made).map_err(axum::response::IntoResponse::into_response)
}

async fn exchanged(
    shared: &Shared,
    request: Request,
    via: &Via,
    from: Option<IpAddr>,
) -> Result<NewToken, Refusal> {
    let Some(issuers) = &shared.vouchers.issuers else {
        let error = Error::absent("this server exchanges no JWTs")
            .hint("`cfgctl serve --oidc FILE` names the issuers whose JWTs count");
        return Err(Refusal::new(StatusCode::NOT_FOUND, error));
    };
    let Exchange { jwt } = body(request).await?;
    let vouched = match issuers.vouch(&jwt, shared.keeper.now()).await {
        Ok(vouched) => vouched,
        Err(NotVouched { error, trouble }) => {
            if let Some(trouble) = trouble {
                tracing::warn!(trouble, "an issuer cannot be asked");
            }
            // Nobody can say whether it was wrong.
            if error.kind == ErrorKind::Unavailable {
                return Err(error.into());
            }
            shared.keeper.login_failed(from);
            return Err(Refusal::new(StatusCode::UNAUTHORIZED, error));
        }
    };
    let made = read(shared.keeper.exchange(&vouched, via)).await;
    made.inspect_err(|refusal| {
        if refusal.error().kind == ErrorKind::Denied {
            shared.keeper.login_failed(from);
        }
    })
}

async fn body(request: Request) -> Result<Exchange, Refusal> {
    check_kind(request.headers())?;
    let too_large = || {
        let error = Error::invalid(format!("the body has more than {MAX_BODY} bytes"));
        Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, error)
    };
    let bytes = arrived(request, (MAX_BODY, BODY_TIMEOUT), too_large).await?;
    // An error of the reader could hold a part of the JWT.
    serde_json::from_slice(&bytes)
        .map_err(|_| Refusal::unreadable("the body is not `{\"jwt\": \"…\"}`"))
}

fn too_many() -> Response {
    let error = Error::new(ErrorKind::Unavailable, "too many logins from one address")
        .hint("try again in a second");
    let refusal = Refusal::new(StatusCode::TOO_MANY_REQUESTS, error);
    let mut response = refusal.into_response();
    let seconds = header::HeaderValue::from_static("1");
    response.headers_mut().insert(header::RETRY_AFTER, seconds);
    response
}
