//! A proxy that goes dead at one transaction, as if the writer had crashed there.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::OwnedReadHalf;
use tokio::net::{TcpListener, TcpStream};

use super::faulty::Lost;

/// Where it goes dead.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cut {
    /// The transaction that writes, counted from 0.
    pub(crate) nth: usize,
    /// Whether it still arrives.
    pub(crate) lost: Lost,
}

/// Stands before a Consul until it goes dead.
#[derive(Debug)]
pub(crate) struct Proxy {
    address: String,
    accepting: tokio::task::JoinHandle<()>,
}

#[derive(Debug)]
struct State {
    cut: Cut,
    seen: AtomicUsize,
    dead: AtomicBool,
}

impl Proxy {
    /// Passes on everything to `upstream`, an address with `http://`, until the cut.
    pub(crate) async fn start(upstream: &str, cut: Cut) -> Self {
        let upstream = upstream.trim_start_matches("http://").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let state = Arc::new(State {
            cut,
            seen: AtomicUsize::new(0),
            dead: AtomicBool::new(false),
        });
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                if let Ok(server) = TcpStream::connect(&upstream).await {
                    tokio::spawn(pass(client, server, Arc::clone(&state)));
                }
            }
        });
        Self { address, accepting }
    }

    pub(crate) fn address(&self) -> String {
        self.address.clone()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn pass(client: TcpStream, server: TcpStream, state: Arc<State>) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let answers = async {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(size @ 1..) = from_server.read(&mut buffer).await {
            if state.dead.load(Ordering::SeqCst) {
                return;
            }
            if to_client.write_all(&buffer[..size]).await.is_err() {
                return;
            }
        }
    };
    let requests = async {
        while let Some(request) = request(&mut from_client).await {
            if state.dead.load(Ordering::SeqCst) {
                return;
            }
            let writes = request.starts_with(b"PUT /v1/txn HTTP");
            let cut = writes && state.seen.fetch_add(1, Ordering::SeqCst) == state.cut.nth;
            if cut {
                state.dead.store(true, Ordering::SeqCst);
                if state.cut.lost == Lost::Request {
                    return;
                }
            }
            if to_server.write_all(&request).await.is_err() {
                return;
            }
            if cut {
                // Long enough to be carried out.
                tokio::time::sleep(Duration::from_millis(200)).await;
                return;
            }
        }
    };
    tokio::select! {
        () = answers => {}
        () = requests => {}
    }
}

/// One whole request, as it came; nothing at the end.
async fn request(from: &mut OwnedReadHalf) -> Option<Vec<u8>> {
    let mut request = Vec::new();
    let end = loop {
        let end = request.windows(4).position(|window| window == b"\r\n\r\n");
        match end {
            Some(end) => break end + 4,
            None => more(from, &mut request).await?,
        }
    };
    let head = String::from_utf8_lossy(&request[..end]).to_lowercase();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok())
        .unwrap_or(0);
    while request.len() < end + length {
        more(from, &mut request).await?;
    }
    Some(request)
}

async fn more(from: &mut OwnedReadHalf, request: &mut Vec<u8>) -> Option<()> {
    let mut buffer = vec![0; 64 * 1024];
    let size = from.read(&mut buffer).await.ok().filter(|size| *size > 0)?;
    request.extend_from_slice(&buffer[..size]);
    Some(())
}
