//! Listening: connections with bounds, each in a task of its own, until the end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_rustls::TlsAcceptor;

use super::addresses::{Addresses, Counted};
use super::descriptors::most_connections;
use super::idle::Open;
use super::patient::Patient;
use super::request::Peer;
use super::runs::Runs;
use super::tls::Certificate;

/// How long a client may take for its greeting, and for the headers of a request.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a client may take nothing of what it is sent.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a connection may be open on which nothing is asked.
const IDLE_TIMEOUT: Duration = Duration::from_secs(300);
/// The largest head of a request: the longest address that there is, and what goes with it.
const MAX_HEAD: u32 = 128 << 10;
/// The most requests at once on one connection.
const MAX_STREAMS: u32 = 64;
/// How often a client is asked whether it is still there, and how long it may take to say so.
const PING: Duration = Duration::from_secs(20);
/// How long to wait after a connection could not be taken: there may be too many of them.
const PAUSE: Duration = Duration::from_millis(100);
/// How long what is begun may take at the end.
const LAST_WAIT: Duration = Duration::from_secs(30);
/// How a client greets that speaks HTTP/2 without TLS.
const GREETING: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// How long to wait for the rest of a greeting before looking again.
const GLANCE: Duration = Duration::from_millis(20);

/// What a connection speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Protocol {
    Http1,
    Http2,
}

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
    let graceful = GracefulShutdown::new();
    let addresses = Addresses::of(most);
    let renewal = certificate.clone().map(|it| tokio::spawn(it.keep_fresh()));
    let mut stopping = stop;
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
                let connection = Connection {
                    peer,
                    router: router.clone(),
                    watcher: graceful.watcher(),
                    _held: (slot, counted),
                };
                tokio::spawn(connection.greet(stream, acceptor));
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
    let finish = async {
        runs.end().await;
        graceful.shutdown().await;
    };
    if tokio::time::timeout(LAST_WAIT, finish).await.is_err() {
        tracing::warn!(
            "not everything ended in time; `cfgctl apply --resume` finishes what is left"
        );
    }
}

/// One connection.
struct Connection {
    peer: SocketAddr,
    router: Router,
    watcher: Watcher,
    _held: (Option<OwnedSemaphorePermit>, Counted),
}

impl Connection {
    /// Finds out what the client speaks, and speaks it.
    async fn greet(self, stream: TcpStream, acceptor: Option<TlsAcceptor>) {
        // Answers are written whole.
        _ = stream.set_nodelay(true);
        let Some(acceptor) = acceptor else {
            if let Ok(Some(protocol)) =
                tokio::time::timeout(HEADER_TIMEOUT, protocol(&stream)).await
            {
                self.serve(Patient::new(stream, WRITE_TIMEOUT), protocol)
                    .await;
            }
            return;
        };
        let stream = Patient::new(stream, WRITE_TIMEOUT);
        let greeted = tokio::time::timeout(HEADER_TIMEOUT, acceptor.accept(stream)).await;
        let Ok(Ok(stream)) = greeted else {
            tracing::debug!(peer = %self.peer, "no TLS");
            return;
        };
        let protocol = match stream.get_ref().1.alpn_protocol() {
            Some(b"h2") => Protocol::Http2,
            _ => Protocol::Http1,
        };
        self.serve(stream, protocol).await;
    }

    async fn serve<S>(self, stream: S, protocol: Protocol)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Self {
            peer,
            router,
            watcher,
            _held,
        } = self;
        let router = TowerToHyperService::new(router);
        let open = Open::new();
        let asks = open.clone();
        let service = service_fn(move |mut request: hyper::Request<Incoming>| {
            request.extensions_mut().insert(Peer(peer));
            let (asked, answer) = (asks.ask(), router.call(request));
            async move { answer.await.map(|response| asked.until_sent(response)) }
        });
        let stream = TokioIo::new(stream);
        let idle = open.idle_for(IDLE_TIMEOUT);
        let ended = match protocol {
            Protocol::Http1 => {
                let mut builder = http1::Builder::new();
                builder
                    .timer(TokioTimer::new())
                    .header_read_timeout(HEADER_TIMEOUT)
                    .max_buf_size(MAX_HEAD as usize);
                let connection = builder.serve_connection(stream, service);
                until(idle, watcher.watch(connection)).await
            }
            Protocol::Http2 => {
                let mut builder = http2::Builder::new(TokioExecutor::new());
                builder
                    .timer(TokioTimer::new())
                    .keep_alive_interval(PING)
                    .keep_alive_timeout(PING)
                    .max_concurrent_streams(MAX_STREAMS)
                    .max_header_list_size(MAX_HEAD);
                let connection = builder.serve_connection(stream, service);
                until(idle, watcher.watch(connection)).await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%peer, %error, "a connection ended badly");
        }
    }
}

/// Serves a connection until it ends or is `idle` too long.
async fn until<E>(
    idle: impl Future<Output = ()>,
    serve: impl Future<Output = Result<(), E>>,
) -> Result<(), E> {
    tokio::select! {
        ended = serve => ended,
        () = idle => Ok(()),
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
