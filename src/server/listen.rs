//! Listening: connections with bounds, each in a task of its own, until the end.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_rustls::TlsAcceptor;

use super::addresses::{Addresses, Counted};
use super::connection::{Connection, HEADER_TIMEOUT, Protocol};
use super::descriptors::most_connections;
use super::patient::Patient;
use super::runs::Runs;
use super::tls::Certificate;

/// How long a client may take nothing of what it is sent.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);
/// How long to wait after a connection could not be taken: there may be too many of them.
const PAUSE: Duration = Duration::from_millis(100);
/// How long changes that are begun may take at the end, and after them whoever is answered still.
const LAST_WAIT: Duration = Duration::from_secs(30);
const LAST_ANSWERS: Duration = Duration::from_secs(5);
/// How a client greets that speaks HTTP/2 without TLS.
const GREETING: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// How long to wait for the rest of a greeting before looking again.
const GLANCE: Duration = Duration::from_millis(20);

/// Serves `router` to whoever connects, until `stop` turns true and what is begun is finished.
pub(super) async fn listen(
    listener: TcpListener,
    certificate: Option<Certificate>,
    router: Router,
    runs: &Runs,
    stop: watch::Receiver<bool>,
) {
    // Whoever comes when there are as many waits.
    let most = most_connections();
    let slots = Arc::new(Semaphore::new(most));
    let addresses = Addresses::of(most);
    let renewal = certificate.clone().map(|it| tokio::spawn(it.keep_fresh()));
    let mut stopping = stop.clone();
    loop {
        let next = async {
            // The semaphore is never closed.
            let slot = Arc::clone(&slots).acquire_owned().await.ok();
            (slot, listener.accept().await)
        };
        let (slot, accepted) = tokio::select! {
            next = next => next,
            // Without a sender nobody could stop it, and the process ends by a signal.
            Ok(_) = stopping.wait_for(|stop| *stop) => break,
        };
        match accepted {
            Ok((stream, peer)) => {
                // Whoever has his share is closed at once: others wait.
                let Some(counted) = addresses.count(peer.ip()) else {
                    tracing::debug!(%peer, "closed: too many connections from there");
                    continue;
                };
                let acceptor = certificate.as_ref();
                let acceptor = acceptor.map(|it| TlsAcceptor::from(it.config()));
                let client = Client {
                    connection: Connection::new(peer, router.clone(), stop.clone()),
                    _held: (slot, counted),
                };
                tokio::spawn(client.greet(stream, acceptor));
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be taken");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
    drop(listener);
    if let Some(renewal) = renewal {
        renewal.abort();
    }
    tracing::info!("stopping: what is begun is finished, nothing new is begun");
    if tokio::time::timeout(LAST_WAIT, runs.end()).await.is_err() {
        tracing::warn!(
            "not every change ended in time; `cfgctl apply --resume` finishes what is left"
        );
    }
    // Whoever takes nothing of what he is sent holds up nobody.
    let all = u32::try_from(most).unwrap_or(u32::MAX);
    _ = tokio::time::timeout(LAST_ANSWERS, slots.acquire_many(all)).await;
}

/// Somebody who has connected.
struct Client {
    connection: Connection,
    /// His place among all, and among those from his address.
    _held: (Option<OwnedSemaphorePermit>, Counted),
}

impl Client {
    /// Finds out what he speaks, and speaks it.
    async fn greet(self, stream: TcpStream, acceptor: Option<TlsAcceptor>) {
        // Answers are written whole.
        _ = stream.set_nodelay(true);
        if let Some(acceptor) = acceptor {
            // Boxed, as a connection without TLS would keep room for it.
            Box::pin(self.greet_under_tls(stream, acceptor)).await;
            return;
        }
        let protocol = tokio::time::timeout(HEADER_TIMEOUT, protocol(&stream)).await;
        if let Ok(Some(protocol)) = protocol {
            let stream = Patient::new(stream, WRITE_TIMEOUT);
            let behind = stream.behind();
            self.connection.serve(stream, behind, protocol).await;
        }
    }

    async fn greet_under_tls(self, stream: TcpStream, acceptor: TlsAcceptor) {
        let stream = Patient::new(stream, WRITE_TIMEOUT);
        let behind = stream.behind();
        let greeted = tokio::time::timeout(HEADER_TIMEOUT, acceptor.accept(stream)).await;
        let Ok(Ok(stream)) = greeted else {
            tracing::debug!(peer = %self.connection.peer, "no TLS");
            return;
        };
        let protocol = match stream.get_ref().1.alpn_protocol() {
            Some(b"h2") => Protocol::Http2,
            _ => Protocol::Http1,
        };
        self.connection.serve(stream, behind, protocol).await;
    }
}

/// What the client speaks, by its first bytes; `None` if it went away.
async fn protocol(stream: &TcpStream) -> Option<Protocol> {
    let mut start = [0; GREETING.len()];
    loop {
        let read = stream.peek(&mut start).await.ok()?;
        if read == 0 {
            return None;
        }
        if !GREETING.starts_with(&start[..read]) {
            return Some(Protocol::Http1);
        }
        if read == GREETING.len() {
            return Some(Protocol::Http2);
        }
        tokio::time::sleep(GLANCE).await;
    }
}
