//! A wire between cfgctl and one Consul, which does to each request what the test says.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use super::locked;

/// Longer than anything that a test waits for on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// One request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// The path with its query.
    pub(crate) path: String,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

/// What becomes of a request.
pub(crate) enum Fate {
    /// It goes to the Consul, and the answer comes back.
    Forward,
    /// The connection is cut before the Consul sees the request.
    Cut,
    /// The Consul answers, and the answer is lost.
    LoseAnswer,
    /// The Consul answers, then this happens, then the answer goes on its way.
    ForwardThen(Box<dyn FnOnce() + Send>),
    /// The Consul answers, and what comes back is this.
    Rewrite(Box<dyn FnOnce(Vec<u8>) -> Vec<u8> + Send>),
    /// The Consul never sees it; this is the whole answer.
    Answer(String),
}

type Rule = Arc<dyn Fn(&Request) -> Fate + Send + Sync>;

/// Listens on a port of its own until it is dropped. Rules may block: each connection has a
/// thread, and carries one request.
pub(crate) struct Proxy {
    address: SocketAddr,
    rule: Arc<Mutex<Rule>>,
    requests: Arc<Mutex<Vec<Request>>>,
    /// How many requests are on their way.
    active: Arc<AtomicUsize>,
    closed: Arc<AtomicBool>,
}

impl Request {
    /// Whether this is a transaction that writes: those which read ask for consistency.
    pub(crate) fn is_write(&self) -> bool {
        self.method == "PUT" && self.path == "/v1/txn"
    }

    fn read(stream: &TcpStream) -> std::io::Result<Self> {
        let mut reader = BufReader::new(stream);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if reader.read_line(&mut head)? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
        }
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            let found = name.eq_ignore_ascii_case("content-length");
            found.then(|| value.trim().parse::<usize>().expect("a length"))
        });
        let mut body = vec![0; length.unwrap_or(0)];
        reader.read_exact(&mut body)?;
        let mut words = head.split(' ').map(str::to_owned);
        let mut word = || words.next().expect("a request line");
        let (method, path) = (word(), word());
        Ok(Self {
            method,
            path,
            head,
            body,
        })
    }

    /// The whole answer of the Consul, which ends where the connection does.
    fn send_to(&self, upstream: &str) -> std::io::Result<Vec<u8>> {
        let mut stream = TcpStream::connect(upstream)?;
        let head = self.head.trim_end();
        write!(stream, "{head}\r\nConnection: close\r\n\r\n")?;
        stream.write_all(&self.body)?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        Ok(answer)
    }
}

impl Proxy {
    /// In front of the Consul at `http://host:port`.
    pub(crate) fn before(consul: &str) -> Self {
        let upstream = consul.trim_start_matches("http://").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let proxy = Self {
            address: listener.local_addr().expect("an address"),
            rule: Arc::new(Mutex::new(Arc::new(|_| Fate::Forward))),
            requests: Arc::default(),
            active: Arc::default(),
            closed: Arc::default(),
        };
        let (rule, requests) = (Arc::clone(&proxy.rule), Arc::clone(&proxy.requests));
        let (active, closed) = (Arc::clone(&proxy.active), Arc::clone(&proxy.closed));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if closed.load(Ordering::SeqCst) {
                    return;
                }
                let (rule, requests) = (Arc::clone(&rule), Arc::clone(&requests));
                let (upstream, active) = (upstream.clone(), Arc::clone(&active));
                active.fetch_add(1, Ordering::SeqCst);
                std::thread::spawn(move || {
                    // Whoever went away does not hear the answer.
                    _ = serve(stream, &upstream, &rule, &requests);
                    active.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        proxy
    }

    /// Where cfgctl finds it.
    pub(crate) fn address(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What happens from now on.
    pub(crate) fn rule(&self, rule: impl Fn(&Request) -> Fate + Send + Sync + 'static) {
        *locked(&self.rule) = Arc::new(rule);
    }

    /// Everything goes through again.
    pub(crate) fn forward(&self) {
        self.rule(|_| Fate::Forward);
    }

    /// Waits until nothing is on its way any more.
    pub(crate) fn until_idle(&self) {
        let deadline = Instant::now() + PATIENCE;
        while self.active.load(Ordering::SeqCst) > 0 {
            assert!(Instant::now() < deadline, "a request never ends");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Every request so far, also those which were cut.
    pub(crate) fn requests(&self) -> Vec<Request> {
        locked(&self.requests).clone()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.closed.store(true, Ordering::SeqCst);
        // Wakes the listener, which then ends.
        _ = TcpStream::connect(self.address);
    }
}

fn serve(
    mut stream: TcpStream,
    upstream: &str,
    rule: &Mutex<Rule>,
    requests: &Mutex<Vec<Request>>,
) -> std::io::Result<()> {
    let request = Request::read(&stream)?;
    locked(requests).push(request.clone());
    let rule = Arc::clone(&locked(rule));
    let answer = match rule(&request) {
        Fate::Forward => request.send_to(upstream)?,
        Fate::Cut => return Ok(()),
        Fate::LoseAnswer => {
            request.send_to(upstream)?;
            return Ok(());
        }
        Fate::ForwardThen(then) => {
            let answer = request.send_to(upstream)?;
            then();
            answer
        }
        Fate::Rewrite(rewrite) => rewrite(request.send_to(upstream)?),
        Fate::Answer(answer) => answer.into_bytes(),
    };
    stream.write_all(&answer)
}

/// A whole HTTP answer.
pub(crate) fn answer(status: &str, headers: &str, body: &str) -> Fate {
    let length = body.len();
    Fate::Answer(format!(
        "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
    ))
}

/// A place where requests wait until the test lets them go on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gate(Arc<(Mutex<Waiting>, Condvar)>);

#[derive(Debug, Default)]
struct Waiting {
    arrived: usize,
    open: bool,
}

impl Gate {
    /// Waits here until the gate is open. For rules.
    pub(crate) fn pass(&self) {
        let (waiting, changed) = &*self.0;
        let mut waiting = locked(waiting);
        waiting.arrived += 1;
        changed.notify_all();
        let (_waiting, result) = changed
            .wait_timeout_while(waiting, PATIENCE, |waiting| !waiting.open)
            .expect("a lock");
        assert!(!result.timed_out(), "the test never opened the gate");
    }

    /// Waits until this many have come, open or not.
    pub(crate) fn until_arrived(&self, count: usize) {
        let (waiting, changed) = &*self.0;
        let (waiting, result) = changed
            .wait_timeout_while(locked(waiting), PATIENCE, |waiting| waiting.arrived < count)
            .expect("a lock");
        assert!(
            !result.timed_out(),
            "only {} of {count} arrived",
            waiting.arrived
        );
    }

    /// Lets everyone through, from now on.
    pub(crate) fn open(&self) {
        let (waiting, changed) = &*self.0;
        locked(waiting).open = true;
        changed.notify_all();
    }
}
