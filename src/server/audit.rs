//! The log, over HTTP: its entries, whether it is whole, and what it is now, signed.

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse as _;

use super::answer::{Answer, document, read};
use super::decode::{Body, Params};
use super::refusal::Refusal;
use super::request::By;
use super::shared::Shared;
use crate::api::VerifyQuery;
use crate::wire::AuditParams;

pub(super) async fn entries(
    State(shared): State<Shared>,
    By(by): By,
    Params(params): Params<AuditParams>,
) -> Answer {
    let query = params.query()?;
    document(read(shared.service.audit(&by, &query)).await?)
}

pub(super) async fn verify(
    State(shared): State<Shared>,
    By(by): By,
    Body(query): Body<VerifyQuery>,
) -> Answer {
    // A long log takes its time.
    let verified = shared.service.verify(&by, &query).await;
    document(verified.map_err(Refusal::from)?)
}

/// As text: a signed note is what it is byte for byte.
pub(super) async fn checkpoint(State(shared): State<Shared>) -> Answer {
    let note = read(shared.notary.checkpoint()).await?;
    Ok(([(CONTENT_TYPE, "text/plain; charset=utf-8")], note).into_response())
}
