//! Lifetimes: nobody is told anything any more once the token is dead that was shown for it.

use std::pin::{Pin, pin};

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use futures_util::future::{Either, select};
use futures_util::{StreamExt as _, stream};

use super::keeper::Lifetime;
use super::parked::Parked;
use super::refusal::Refusal;
use crate::wire::{EVENTS, Name};

impl Lifetime {
    /// What `answering` comes to, as long as this lasts: an answer that is waited for, and a stream of
    /// events, end with it. A change that is committed goes on without whoever asked for it.
    pub(super) async fn bound(self, answering: impl Future<Output = Response>) -> Response {
        let response = match select(pin!(self.over()), pin!(answering)).await {
            Either::Left(_) => return Refusal::ended().into_response(),
            Either::Right((response, _)) => response,
        };
        if let Some(parked) = Parked::of(&response) {
            parked.as_long_as(async move { self.over().await });
            return response;
        }
        let kind = response.headers().get(CONTENT_TYPE);
        if kind.is_none_or(|kind| !kind.as_bytes().starts_with(EVENTS.as_bytes())) {
            return response;
        }
        response.map(|body| self.bound_body(body))
    }

    fn bound_body(self, body: Body) -> Body {
        let over: Pin<Box<dyn Future<Output = ()> + Send>> =
            Box::pin(async move { self.over().await });
        let state = (Some(body.into_data_stream()), over);
        Body::from_stream(stream::unfold(state, |(body, over)| async move {
            let mut body = body?;
            match select(body.next(), over).await {
                Either::Left((frame, over)) => Some((frame?, (Some(body), over))),
                Either::Right(_) => {
                    let data = Refusal::ended().data();
                    let frame = format!("event: {}\ndata: {data}\n\n", Name::Problem.as_str());
                    let over: Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(async {});
                    Some((Ok(frame.into()), (None, over)))
                }
            }
        }))
    }
}
