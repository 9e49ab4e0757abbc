//! The scrape: metrics over HTTP, for whoever may see everything.

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse as _;

use super::answer::{Answer, read};
use super::metrics::{self, Elsewhere};
use super::request::By;
use super::shared::Shared;

/// Answers with all of them. While the store does not answer, what follows from it is what it said
/// last.
pub(super) async fn metrics(State(shared): State<Shared>, By(by): By) -> Answer {
    let metrics = &shared.metrics;
    read(metrics.door.shows_figures(&by)).await?;
    let holdings = read(metrics.door.holdings(metrics.since)).await;
    let elsewhere = Elsewhere {
        too_many: metrics.too_many.get(),
        rejected: shared.keeper.rejections.counts(),
        tally: metrics.door.tally(),
        waiting: shared.feed.waiting(),
        changes: shared.runs.count(),
    };
    let text = metrics.text(elsewhere, holdings.ok()).await?;
    Ok(([(CONTENT_TYPE, metrics::CONTENT_TYPE)], text).into_response())
}
