//! Health: whether the process lives, and whether it can answer.

use std::time::{Duration, Instant};

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};

use super::refusal::Refusal;
use super::shared::Shared;
use crate::api::{Caller, Error, ErrorKind};

/// How long the store may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long an answer of it counts: anybody may ask, and the store has other things to do.
const FRESH: Duration = Duration::from_secs(1);

/// The process answers.
pub(super) async fn healthy() -> &'static str {
    "ok\n"
}

/// The store answers.
pub(super) async fn ready(State(shared): State<Shared>) -> Response {
    let mut last = shared.ready.lock().await;
    let fresh = last.take().filter(|(at, _)| at.elapsed() < FRESH);
    let (at, answer) = match fresh {
        Some(fresh) => fresh,
        None => (Instant::now(), ask(&shared).await),
    };
    *last = Some((at, answer.clone()));
    match answer {
        Ok(()) => "ready\n".into_response(),
        Err(error) => Refusal::from(error).into_response(),
    }
}

async fn ask(shared: &Shared) -> Result<(), Error> {
    if !shared.feed.follows() {
        let error = "nobody hears of commits any more: this server must be started again";
        return Err(Error::new(ErrorKind::Unavailable, error));
    }
    let by = Caller::system();
    let asked = shared.service.clusters(&by);
    let answer = tokio::time::timeout(PATIENCE, asked).await;
    let answer = answer.is_ok_and(|answer| answer.is_ok());
    // Whoever asks need not be known, so nothing is said of the store itself.
    answer
        .then_some(())
        .ok_or_else(|| Error::new(ErrorKind::Unavailable, "the store does not answer"))
}
