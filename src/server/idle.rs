//! Idleness: a connection on which nothing is asked.

use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use http_body_util::BodyExt as _;
use tokio::sync::watch;

/// How many requests of one connection are not answered to the end.
#[derive(Clone, Debug)]
pub(super) struct Open(watch::Sender<usize>);

/// One of them, until it is dropped.
#[derive(Debug)]
pub(super) struct Asked(Open);

impl Open {
    pub(super) fn new() -> Self {
        Self(watch::Sender::new(0))
    }

    /// Counts one more.
    pub(super) fn ask(&self) -> Asked {
        self.0.send_modify(|open| *open += 1);
        Asked(self.clone())
    }

    /// Waits until there was none for as long as `patience`.
    pub(super) async fn idle_for(&self, patience: Duration) {
        let mut open = self.0.subscribe();
        loop {
            // The sender is here.
            _ = open.wait_for(|open| *open == 0).await;
            if tokio::time::timeout(patience, open.changed())
                .await
                .is_err()
            {
                return;
            }
        }
    }
}

impl Asked {
    /// `response`, with the request open until its body is sent or dropped.
    pub(super) fn until_sent(self, response: Response) -> Response {
        response.map(|body| {
            Body::new(body.map_frame(move |frame| {
                let Self(_) = &self;
                frame
            }))
        })
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        self.0.0.send_modify(|open| *open -= 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_connection_is_idle_once_all_that_was_asked_is_answered() {
        let open = Open::new();
        let short = Duration::from_millis(1);
        open.idle_for(short).await;
        let (first, second) = (open.ask(), open.ask());
        let idles = open.clone();
        let idle = tokio::spawn(async move { idles.idle_for(short).await });
        drop(first);
        let response = second.until_sent(Response::new(Body::from("an answer")));
        // As long as its answer is there, the request is.
        tokio::time::sleep(short * 20).await;
        assert!(!idle.is_finished());
        let body = response.into_body().collect().await.unwrap();
        assert_eq!(body.to_bytes(), "an answer");
        idle.await.unwrap();
    }
}
