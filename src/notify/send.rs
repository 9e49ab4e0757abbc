//! Sending: one request, bounded in time, to nobody but who was meant.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use reqwest::{Client, StatusCode, Url};

use super::address::is_public;
use super::letter::Letter;
use super::receiver::{Format, Receiver, ReceiverError};
use crate::api::Happening;

/// The longest wait for an answer.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Sends what happened to one receiver. Its address may be a secret.
pub(super) struct Sender {
    source: String,
    format: Format,
    url: Url,
    /// None where this machine has no means to speak TLS.
    client: Option<Client>,
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = self.url.host_str();
        f.debug_struct("Sender")
            .field("host", &host)
            .finish_non_exhaustive()
    }
}

/// Why something did not arrive.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failed {
    /// Another time it may.
    #[error("{0}")]
    ForNow(String),
    /// It never will.
    #[error("{0}")]
    Forever(String),
}

impl Sender {
    pub(super) fn new(source: &str, receiver: &Receiver) -> Self {
        // Whoever was first is as good: there is but one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut client = Client::builder()
            .timeout(TIMEOUT)
            .redirect(Policy::none())
            // Where a proxy connects to nobody knows.
            .no_proxy();
        if receiver.url.scheme() == "http" {
            // Saves reading the system's certificates, which nobody will ask for.
            client = client.tls_certs_only([]);
        }
        if !receiver.may_be_private {
            client = client.dns_resolver(Arc::new(PublicOnly));
        }
        Self {
            source: source.to_owned(),
            format: receiver.format.clone(),
            url: receiver.url.clone(),
            client: client.build().ok(),
        }
    }

    /// Tells of `happening` once.
    pub(super) async fn send(&self, happening: &Happening, now: Timestamp) -> Result<(), Failed> {
        let Some(client) = &self.client else {
            return Err(Failed::Forever(
                "there is no TLS on this machine".to_owned(),
            ));
        };
        let letter = Letter::of(happening, &self.format, &self.source, now);
        let mut request = client.post(self.url.clone()).body(letter.body);
        for (name, value) in letter.headers {
            request = request.header(name, value);
        }
        // The address may be a secret.
        let answer = request
            .send()
            .await
            .map_err(|error| Failed::ForNow(crate::plan::chain(&error.without_url())))?;
        match answer.status() {
            status if status.is_success() => Ok(()),
            status @ (StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS) => {
                Err(Failed::ForNow(format!("it answered {status}")))
            }
            status if status.is_server_error() => {
                Err(Failed::ForNow(format!("it answered {status}")))
            }
            status => Err(Failed::Forever(format!("it answered {status}"))),
        }
    }
}

/// Resolves names to addresses that everybody can reach, and to no others: whoever may name a receiver
/// does not reach what only this machine can.
struct PublicOnly;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        let host = name.as_str().to_owned();
        Box::pin(async move {
            let found = tokio::net::lookup_host((host.as_str(), 0)).await?;
            let public: Vec<SocketAddr> = found.filter(|at| is_public(at.ip())).collect();
            if public.is_empty() {
                return Err(ReceiverError::Private.into());
            }
            let addresses: Addrs = Box::new(public.into_iter());
            Ok(addresses)
        })
    }
}
