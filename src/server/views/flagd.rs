//! The flag file of a set in a cluster, for flagd's HTTP sync.

use axum::body::Body;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};

use super::super::answer::Answer;
use super::super::condition::tag_with;
use super::super::request::By;
use super::super::shared::Shared;
use super::super::tag::is_among;
use super::place::{Found, Said, found};
use crate::wire::JSON;

/// What `publish: flagd` writes.
pub(super) async fn file(
    State(shared): State<Shared>,
    By(by): By,
    said: Said,
    headers: HeaderMap,
) -> Answer {
    let Found { ready, .. } = found(&shared, &by, &said).await?;
    let tag = &ready.file_tag;
    let mut known = headers.get_all(header::IF_NONE_MATCH).iter();
    let mut response = if known.any(|known| is_among(tag, known)) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let mut response = Response::new(Body::from(ready.file.clone()));
        let kind = HeaderValue::from_static(JSON);
        response.headers_mut().insert(CONTENT_TYPE, kind);
        response
    };
    tag_with(response.headers_mut(), tag.clone());
    Ok(response)
}
