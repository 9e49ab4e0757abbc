//! The server: the service over HTTP, for whoever shows a token.
//!
//! A handler decodes, calls one method of [`Service`], and encodes what it answers: there is no rule
//! in one. What is refused before a handler runs is refused here for every route alike: who shows no
//! token, what is too large, too slow or too much.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::api::Service;

mod answer;
mod decode;
mod descriptors;
mod feed;
mod health;
mod listen;
mod refusal;
mod request;
mod routes;
mod runs;
mod shared;
mod snapshots;
mod tls;
mod who;

pub use tls::{Certificate, CertificateError};
pub use who::{Token, TokenError};

/// A server that has an address and answers nobody yet.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    certificate: Option<Certificate>,
}

impl Server {
    /// Takes `address`, where port 0 is any that is free; with a `certificate` it speaks TLS.
    pub async fn bind(
        address: SocketAddr,
        certificate: Option<Certificate>,
    ) -> std::io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        Ok(Self {
            address: listener.local_addr()?,
            listener,
            certificate,
        })
    }

    /// Where clients find it: `http://127.0.0.1:8440`.
    pub fn location(&self) -> String {
        let scheme = match self.certificate {
            Some(_) => "https",
            None => "http",
        };
        format!("{scheme}://{}", self.address)
    }

    /// Answers for `service` to whoever shows `token`, until `stop` turns true: then what is begun is
    /// finished, and nothing new is begun.
    pub async fn serve(self, service: Arc<dyn Service>, token: Token, stop: watch::Receiver<bool>) {
        let runs = Arc::new(runs::Runs::default());
        let feed = feed::Feed::start(Arc::clone(&service));
        let shared = shared::Shared::new(service, token, Arc::clone(&runs), feed.clone());
        let router = routes::router(shared);
        let mut stopping = stop.clone();
        tokio::spawn(async move {
            // Whoever waits holds up nothing at the end.
            if stopping.wait_for(|stop| *stop).await.is_ok() {
                feed.end();
            }
        });
        listen::listen(self.listener, self.certificate, router, &runs, stop).await;
    }
}
