//! A Consul that is far away: everything that goes there or comes back takes its time.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// A proxy before one Consul, for as long as the process lives.
#[derive(Debug)]
pub(crate) struct Far {
    address: SocketAddr,
}

impl Far {
    /// A way to `address` that takes `round_trip` milliseconds there and back.
    pub(crate) fn new(address: &str, round_trip: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let far = Self {
            address: listener.local_addr().expect("an address"),
        };
        let upstream = address.trim_start_matches("http://").to_owned();
        let round_trip = Duration::from_millis(round_trip);
        thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                let upstream = upstream.clone();
                thread::spawn(move || connect(near, &upstream, round_trip));
            }
        });
        far
    }

    pub(crate) fn address(&self) -> String {
        format!("http://{}", self.address)
    }
}

fn connect(near: TcpStream, upstream: &str, round_trip: Duration) {
    // The handshake of TCP takes a round trip as well, before the first byte can be sent.
    thread::sleep(round_trip);
    let Ok(there) = TcpStream::connect(upstream) else {
        return;
    };
    for stream in [&near, &there] {
        stream.set_nodelay(true).expect("an option");
    }
    let clone = |stream: &TcpStream| stream.try_clone().expect("a stream");
    carry(clone(&near), clone(&there), round_trip / 2);
    carry(there, near, round_trip / 2);
}

/// Carries bytes from one stream to the other, each as late as the way is long.
fn carry(mut from: TcpStream, mut to: TcpStream, delay: Duration) {
    let (sender, receiver) = mpsc::channel::<(Instant, Vec<u8>)>();
    thread::spawn(move || {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(read @ 1..) = from.read(&mut buffer) {
            let due = Instant::now() + delay;
            if sender.send((due, buffer[..read].to_vec())).is_err() {
                break;
            }
        }
    });
    thread::spawn(move || {
        for (due, bytes) in receiver {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            if to.write_all(&bytes).is_err() {
                break;
            }
        }
        _ = to.shutdown(Shutdown::Write);
    });
}
