//! The collector: takes spans over HTTP, from a thread that does nothing else.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use tokio::runtime::{Builder, Runtime};

use crate::model::text::without_secrets;
use crate::plan::chain;

/// How long it may take to take some.
const PATIENCE: Duration = Duration::from_secs(2);
/// The longest answer that is read: it says at most what was left out.
const MAX_ANSWER: usize = 64 << 10;

/// A way to one collector.
#[derive(Debug)]
pub(super) struct Collector {
    client: reqwest::Client,
    /// Of its own: the thread that sends has none, and that of a command is over when the rest is sent.
    runtime: Runtime,
    /// Whether it did not take what was sent last.
    is_deaf: AtomicBool,
}

impl Collector {
    /// Fails with a sentence.
    pub(super) fn new(endpoint: &str) -> Result<Self, String> {
        // Fails if someone installed one already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .timeout(PATIENCE);
        if !endpoint.starts_with("https:") {
            // Saves reading the system's certificates, which nobody will ask for.
            client = client.tls_certs_only([]);
        }
        let runtime = Builder::new_current_thread().enable_all().build();
        Ok(Self {
            client: client.build().map_err(|error| error.to_string())?,
            runtime: runtime.map_err(|error| error.to_string())?,
            is_deaf: AtomicBool::new(false),
        })
    }

    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, reqwest::Error> {
        let mut answer = self.client.execute(request.try_into()?).await?;
        let mut body = Vec::new();
        while let Some(piece) = answer.chunk().await? {
            if body.len() + piece.len() > MAX_ANSWER {
                body.clear();
                break;
            }
            body.extend_from_slice(&piece);
        }
        let mut response = Response::new(body.into());
        *response.status_mut() = answer.status();
        Ok(response)
    }

    /// Says in the log that it does not take spans, once until it does again.
    fn note(&self, why: Option<String>) {
        let was_deaf = self.is_deaf.swap(why.is_some(), Ordering::Relaxed);
        match why {
            Some(why) if !was_deaf => {
                let error = without_secrets(&why);
                tracing::warn!(error, "the collector does not take traces");
            }
            None if was_deaf => tracing::info!("the collector takes traces again"),
            _ => {}
        }
    }
}

#[async_trait]
impl HttpClient for Collector {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        // Whoever asks waits for one thing at a time, on a thread of his own.
        let sent = self.runtime.block_on(self.send(request));
        // Its address may hold a secret.
        let sent = sent.map_err(reqwest::Error::without_url);
        self.note(match &sent {
            Ok(answer) if answer.status().is_success() => None,
            Ok(answer) => Some(format!("it answered {}", answer.status())),
            Err(error) => Some(chain(error)),
        });
        Ok(sent?)
    }
}
