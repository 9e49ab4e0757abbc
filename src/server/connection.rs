//! One connection: requests are read from it and answers written to it, until the end.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::response::Response;
use hyper::body::{Body as _, Incoming};
use hyper::server::conn::{http1, http2};
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::watch;

use super::idle::Open;
use super::parked::{Found, Parked, Parking};
use super::patient::Behind;
use super::request::Peer;

/// How long a client may take for its greeting, and for the headers of a request.
pub(super) const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a connection may be open on which nothing is asked.
const IDLE_TIMEOUT: Duration = Duration::from_secs(300);
/// The largest head of a request: the longest address that there is, and what goes with it.
const MAX_HEAD: u32 = 128 << 10;
/// The most requests at once on one connection.
const MAX_STREAMS: u32 = 64;
/// How often a client is asked whether it is still there, and how long it may take to say so.
const PING: Duration = Duration::from_secs(20);

/// What a connection speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    Http1,
    Http2,
}

/// One connection, of a client at `peer`.
pub(super) struct Connection {
    pub(super) peer: SocketAddr,
    router: Router,
    stop: watch::Receiver<bool>,
}

/// What is left of a connection whose request waits.
struct Left<S> {
    stream: S,
    /// What was read of it already.
    read: Bytes,
    parked: Parked,
}

impl Connection {
    /// Requests are answered by `router`; no new ones once `stop` turns true.
    pub(super) fn new(peer: SocketAddr, router: Router, stop: watch::Receiver<bool>) -> Self {
        Self { peer, router, stop }
    }

    /// Speaks `protocol` until the end. `behind` says whether something waits to be taken from `stream`.
    pub(super) async fn serve<S>(self, stream: S, behind: Behind, protocol: Protocol)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        // Boxed each: whoever waits takes what he needs for that, and not what he needed before.
        if protocol == Protocol::Http2 {
            Box::pin(self.speak_http2(stream)).await;
            return;
        }
        let mut start = Bytes::new();
        let mut stream = stream;
        let mut parking = Parking::Possible;
        loop {
            let begun = Rewound { start, stream };
            let spoken = Box::pin(self.speak_http1(begun, behind.clone(), parking)).await;
            let Some(left) = spoken else {
                return;
            };
            stream = left.stream;
            match left.parked.wait(&mut stream, &left.read).await {
                Found::Somebody(read, then) => (start, parking) = (read, then),
                Found::Nobody => return,
            }
        }
    }

    /// Speaks HTTP/1.1 until the end, or until a request waits. The first request is `parking`.
    async fn speak_http1<S>(
        &self,
        stream: Rewound<S>,
        behind: Behind,
        parking: Parking,
    ) -> Option<Left<S>>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let open = Open::new();
        let asks = open.clone();
        let router = TowerToHyperService::new(self.router.clone());
        let peer = Peer(self.peer);
        let first = std::cell::Cell::new(Some(parking));
        let service = service_fn(move |mut request: hyper::Request<Incoming>| {
            request.extensions_mut().insert(peer);
            let parking = first.take().unwrap_or(Parking::Possible);
            // What has a body could not be asked again, and what was answered before has to be taken.
            if parking != Parking::Possible || (request.body().is_end_stream() && !behind.is_so()) {
                request.extensions_mut().insert(parking);
            }
            let (asked, answer) = (asks.ask(), router.call(request));
            Box::pin(async move {
                let Ok::<Response, Infallible>(response) = answer.await;
                match Parked::of(&response) {
                    Some(parked) => Err(parked.clone()),
                    None => Ok(asked.until_sent(response)),
                }
            })
        });
        let mut builder = http1::Builder::new();
        builder
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_TIMEOUT)
            .max_buf_size(MAX_HEAD as usize);
        let mut connection = builder.serve_connection(TokioIo::new(stream), service);
        let shut = |connection: Pin<&mut _>| http1::Connection::graceful_shutdown(connection);
        let end = self.until_end(Pin::new(&mut connection), shut, &open).await;
        let Err(error) = end else {
            return None;
        };
        let Some(parked) = parked_by(&error) else {
            tracing::debug!(peer = %self.peer, %error, "a connection ended badly");
            return None;
        };
        let parts = connection.into_parts();
        Some(Left {
            stream: parts.io.into_inner().stream,
            read: parts.read_buf,
            parked,
        })
    }

    async fn speak_http2<S>(&self, stream: S)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let open = Open::new();
        let asks = open.clone();
        let router = TowerToHyperService::new(self.router.clone());
        let peer = Peer(self.peer);
        let service = service_fn(move |mut request: hyper::Request<Incoming>| {
            request.extensions_mut().insert(peer);
            let (asked, answer) = (asks.ask(), router.call(request));
            async move { answer.await.map(|response| asked.until_sent(response)) }
        });
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder
            .timer(TokioTimer::new())
            .keep_alive_interval(PING)
            .keep_alive_timeout(PING)
            .max_concurrent_streams(MAX_STREAMS)
            .max_header_list_size(MAX_HEAD);
        let connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
        let shut = |connection: Pin<&mut _>| http2::Connection::graceful_shutdown(connection);
        if let Err(error) = self.until_end(connection, shut, &open).await {
            tracing::debug!(peer = %self.peer, %error, "a connection ended badly");
        }
    }

    /// Serves a `connection` until it ends, is idle too long, or was `shut` because this server ends.
    async fn until_end<C>(
        &self,
        mut connection: Pin<&mut C>,
        shut: impl FnOnce(Pin<&mut C>),
        open: &Open,
    ) -> hyper::Result<()>
    where
        C: Future<Output = hyper::Result<()>>,
    {
        let mut stop = self.stop.clone();
        let mut idle = pin!(open.idle_for(IDLE_TIMEOUT));
        tokio::select! {
            biased;
            end = connection.as_mut() => return end,
            () = idle.as_mut() => return Ok(()),
            // Without a sender nobody could stop it.
            Ok(_) = stop.wait_for(|stop| *stop) => shut(connection.as_mut()),
        }
        tokio::select! {
            end = connection => end,
            () = idle => Ok(()),
        }
    }
}

/// The request because of which a connection was ended.
fn parked_by(error: &hyper::Error) -> Option<Parked> {
    std::error::Error::source(error)?
        .downcast_ref::<Parked>()
        .cloned()
}

/// A stream of which something was read already.
struct Rewound<S> {
    start: Bytes,
    stream: S,
}

impl<S: AsyncRead + Unpin> AsyncRead for Rewound<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.start.is_empty() {
            return Pin::new(&mut self.stream).poll_read(context, buffer);
        }
        let length = self.start.len().min(buffer.remaining());
        buffer.put_slice(&self.start.split_to(length));
        if self.start.is_empty() {
            // What is kept of it is given back.
            self.start = Bytes::new();
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Rewound<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
