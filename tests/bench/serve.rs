//! The server beside Consul: what whoever reads through it or waits at it gets, and what that costs.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::measure::{Sample, Unit, User, clocked, consul};
use crate::table::{Aim, Table};
use crate::trip::{applied, until_changed};

/// Who reads and who waits.
pub(crate) const READERS: &str = "64";
const CROWDS: [usize; 2] = [1000, 10_000];
/// A crowd takes long to gather.
const MOST_RUNS: usize = 3;
const TOKEN: &str = "0123456789abcdef0123456789abcdef";
const SET: &str = "v1/clusters/c0/snapshots/checkout";
const TRIP: [&str; 4] = ["breaker", "trip", "checkout/payment-provider", "--yes"];
const RESET: [&str; 4] = ["breaker", "reset", "checkout/payment-provider", "--yes"];

/// What whoever reads and changes through it gets.
pub(crate) fn measure(table: &mut Table, addresses: &[String]) {
    starts(table, addresses);
    trips(table, addresses);
    reads(table, addresses);
}

/// What whoever waits at it gets.
pub(crate) fn waiting(table: &mut Table, addresses: &[String]) {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    setrlimit(Resource::Nofile, raised).expect("descriptors");
    for waiters in CROWDS {
        wakes(table, addresses, waiters);
    }
}

/// From the start of the process until `/readyz` says so.
fn starts(table: &mut Table, addresses: &[String]) {
    let (user, _) = applied(addresses);
    let mut sample = Sample::default();
    for run in 0..=table.runs {
        let mut server = None;
        let took = clocked(|| {
            let started = Server::start(&user);
            let ready = started.get("readyz", "");
            assert!(ready.starts_with("HTTP/1.1 200"), "{ready}");
            server = Some(started);
        });
        if run > 0 {
            sample.add(took);
        }
    }
    table.aim(
        "`serve` until it is ready: under 50 ms",
        Aim::Milliseconds(50.0),
        &sample,
    );
    table.add("`serve` until it is ready", &sample, &[]);
}

/// The same trip through the server and beside it.
fn trips(table: &mut Table, addresses: &[String]) {
    let (user, prefix) = applied(addresses);
    let server = Server::start(&user);
    let key = format!("{prefix}/app/payment/provider");
    let (mut through, mut beside) = (Sample::default(), Sample::default());
    for run in 0..=(3 * table.runs) {
        let there = until_changed(addresses, &key, || server.cfgctl(&user, &TRIP));
        server.cfgctl(&user, &RESET);
        let here = until_changed(addresses, &key, || user.cfgctl(&TRIP));
        user.cfgctl(&RESET);
        if run > 0 {
            through.add(there);
            beside.add(here);
        }
    }
    let what = "`breaker trip --yes` through the server until the key is changed";
    table.aim(
        &format!("{what}: at most 1.3 times that beside it"),
        Aim::Share(1.3, &beside),
        &through,
    );
    table.add(what, &through, &[("the same without it", &beside)]);
}

/// How fast a document of 2 kB is read, beside as many bytes of a Consul.
fn reads(table: &mut Table, addresses: &[String]) {
    let (user, prefix) = applied(addresses);
    let world = fs::read_to_string(user.home().join("world.yaml")).expect("a file");
    let long = "x".repeat(1200);
    let larger = world.replace("timeoutMs: 1500", &format!("timeoutMs: 1500, text: {long}"));
    fs::write(user.home().join("world.yaml"), larger).expect("a file");
    user.cfgctl(&["apply", "-f", "world.yaml", "--yes", "--allow-growth"]);
    let server = Server::start(&user);
    let answer = server.get(SET, "");
    let (_, document) = answer.split_once("\r\n\r\n").expect("a body");
    let key = format!("{prefix}/bare");
    let consul = addresses[0].trim_start_matches("http://");
    put(consul, &key, document);

    let tag = answer.lines().find_map(|line| line.strip_prefix("etag: "));
    let tag = format!("If-None-Match: {}", tag.expect("a tag"));
    let ours = format!("{}/{SET}", server.address);
    let theirs = format!("{}/v1/kv/{key}?raw", addresses[0]);
    let mut samples: [[Sample; 2]; 3] = Default::default();
    for run in 0..=table.runs.min(5) {
        let asked: [(&str, &[&str]); 3] = [(&ours, &[]), (&ours, &[&tag]), (&theirs, &[])];
        for ((url, headers), [rate, slowest]) in asked.into_iter().zip(&mut samples) {
            let (reads, p99) = wrk(url, headers, None);
            rate.unit = Unit::PerSecond;
            if run > 0 {
                rate.add_number(reads);
                slowest.add(p99);
            }
        }
    }
    let [[rate, p99], [had, had_p99], [consul, consul_p99]] = &samples;
    let what = format!(
        "a snapshot of {} bytes, {READERS} connections",
        document.len()
    );
    let beside = "`GET /v1/kv/…?raw`";
    table.aim_more(
        &format!("{what}: read twice as often as a Consul's key"),
        2.0,
        consul,
        rate,
    );
    table.add(&format!("{what}: reads"), rate, &[(beside, consul)]);
    table.add(&format!("{what}: p99"), p99, &[(beside, consul_p99)]);
    table.add(&format!("{what}, with its tag: reads"), had, &[]);
    table.add(&format!("{what}, with its tag: p99"), had_p99, &[]);
}

/// How long it takes until the last of many who wait has what was committed.
fn wakes(table: &mut Table, addresses: &[String], waiters: usize) {
    let (user, _) = applied(&addresses[..1]);
    let server = Server::start(&user);
    let consul = Lonely::start();
    let (mut ours, mut theirs, mut memory) =
        (Sample::default(), Sample::default(), Sample::default());
    memory.unit = Unit::Kibibytes;
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let mut empty = None;
    for run in 0..=table.runs.min(MOST_RUNS) {
        let before = server.resident();
        let empty = *empty.get_or_insert(before);
        let after = header(&server.get(SET, ""), "x-cfgctl-sequence");
        let path = format!("{SET}?after={after}&wait=120s");
        let waiting = gather(&runtime, server.host(), &path, waiters);
        if run == 0 {
            #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
            memory.add_number((server.resident() - empty) / waiters as f64);
        }
        let (last, answer) = last_of(&runtime, waiting, "\"state\":\"open\"", || {
            server.cfgctl(&user, &TRIP);
        });
        let tripped = last.duration_since(committed(&answer));
        server.cfgctl(&user, &RESET);

        put(consul.host(), "k", "before");
        let index = header(&ask(consul.host(), "v1/kv/k", ""), "x-consul-index");
        let path = format!("v1/kv/k?raw&index={index}&wait=120s");
        let waiting = gather(&runtime, consul.host(), &path, waiters);
        let start = now();
        let (last, _) = last_of(&runtime, waiting, "after", || {
            put(consul.host(), "k", "after");
        });
        let written = last.duration_since(start);
        if run > 0 {
            ours.add(tripped.expect("a time after"));
            theirs.add(written.expect("a time after"));
        }
    }
    let what = format!("from the commit of a trip until the last of {waiters} who wait has it");
    table.aim(
        &format!("{what}: under 2 s"),
        Aim::Milliseconds(2000.0),
        &ours,
    );
    table.aim(
        &format!("{what}: at most as long as at a Consul"),
        Aim::Share(1.0, &theirs),
        &ours,
    );
    table.add(
        &what,
        &ours,
        &[("from a PUT to a Consul, blocking queries", &theirs)],
    );
    let what = format!("memory of each of {waiters} who wait");
    table.aim(
        &format!("{what}: at most 10 KiB"),
        Aim::Kibibytes(10.0),
        &memory,
    );
    table.add(&what, &memory, &[]);
}

/// Opens a connection each, asks, and gives the system time to bring it all there.
fn gather(
    runtime: &tokio::runtime::Runtime,
    host: &str,
    path: &str,
    waiters: usize,
) -> Vec<tokio::net::TcpStream> {
    let asks = async {
        let mut waiting = Vec::new();
        for _ in 0..waiters {
            let mut stream = tokio::net::TcpStream::connect(host)
                .await
                .expect("a server");
            let request = request(path, "");
            stream
                .write_all(request.as_bytes())
                .await
                .expect("a request");
            waiting.push(stream);
        }
        waiting
    };
    let waiting = runtime.block_on(asks);
    std::thread::sleep(Duration::from_secs(2));
    waiting
}

/// When the last of all had an answer with this text, once `work` was done, and what that was.
fn last_of(
    runtime: &tokio::runtime::Runtime,
    waiting: Vec<tokio::net::TcpStream>,
    text: &'static str,
    work: impl FnOnce(),
) -> (SystemTime, String) {
    let tasks: Vec<_> = waiting
        .into_iter()
        .map(|mut stream| {
            runtime.spawn(async move {
                let mut answer = Vec::new();
                stream.read_to_end(&mut answer).await.expect("an answer");
                let at = now();
                let answer = String::from_utf8(answer).expect("text");
                assert!(answer.contains(text), "{answer}");
                (at, answer)
            })
        })
        .collect();
    work();
    let ends = tasks.into_iter().map(|task| runtime.block_on(task));
    let last = ends.map(|end| end.expect("a waiter")).max();
    last.expect("a waiter")
}

#[expect(
    clippy::disallowed_methods,
    reason = "a commit says when it was by this clock"
)]
fn now() -> SystemTime {
    SystemTime::now()
}

/// When the snapshot that was answered was committed, as it says itself; that is before it was written.
fn committed(answer: &str) -> SystemTime {
    let (_, document) = answer.split_once("\r\n\r\n").expect("a body");
    let document: serde_json::Value = serde_json::from_str(document).expect("JSON");
    let at = document["origin"]["at"].as_str().expect("a time");
    at.parse::<jiff::Timestamp>().expect("a time").into()
}

fn request(path: &str, head: &str) -> String {
    format!(
        "GET /{path} HTTP/1.1\r\nHost: it\r\nConnection: close\r\nAuthorization: Bearer {TOKEN}\r\n\
         {head}\r\n"
    )
}

fn ask(host: &str, path: &str, head: &str) -> String {
    let mut stream = TcpStream::connect(host).expect("a server");
    write!(stream, "{}", request(path, head)).expect("a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer
}

/// Sends JSON on a connection that ends with it.
pub(crate) fn post(mut stream: TcpStream, path: &str, body: &str) -> String {
    let length = body.len();
    write!(
        stream,
        "POST /{path} HTTP/1.1\r\nHost: server\r\nConnection: close\r\n\
         Authorization: Bearer {TOKEN}\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    )
    .expect("a server");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer
}

fn header(answer: &str, name: &str) -> String {
    let mut lines = answer.lines().filter_map(|line| line.split_once(": "));
    let found = lines.find(|(it, _)| it.eq_ignore_ascii_case(name));
    found.expect("a header").1.to_owned()
}

fn put(host: &str, key: &str, value: &str) {
    let mut stream = TcpStream::connect(host).expect("a Consul");
    let length = value.len();
    write!(
        stream,
        "PUT /v1/kv/{key} HTTP/1.1\r\nHost: it\r\nConnection: close\r\nContent-Length: \
         {length}\r\n\r\n{value}"
    )
    .expect("a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

/// Answers a second, and the slowest but one in a hundred, to what `script` sends or to reads.
pub(crate) fn wrk(url: &str, headers: &[&str], script: Option<&Path>) -> (f64, Duration) {
    let program = std::env::var_os("WRK_BIN").expect("tests/bench/run names a wrk");
    let mut command = Command::new(program);
    command.args(["-t1", "-c", READERS, "-d5s", "--latency"]);
    command.args(["-H", &format!("Authorization: Bearer {TOKEN}")]);
    for header in headers {
        command.args(["-H", header]);
    }
    if let Some(script) = script {
        command.arg("-s").arg(script);
    }
    let output = command.arg(url).output().expect("wrk");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let after = |what: &str| -> &str {
        let mut lines = text.lines().map(str::trim);
        let found = lines.find_map(|line| line.strip_prefix(what));
        found
            .unwrap_or_else(|| panic!("no {what} in {text}"))
            .trim()
    };
    assert!(!text.contains("Non-2xx"), "{text}");
    let rate = after("Requests/sec:").parse().expect("a number");
    let p99 = after("99%");
    let (number, unit) = p99.split_at(p99.find(|c: char| c.is_alphabetic()).unwrap_or(0));
    let number: f64 = number.parse().expect("a number");
    let seconds = match unit {
        "us" => number / 1e6,
        "ms" => number / 1e3,
        _ => number,
    };
    (rate, Duration::from_secs_f64(seconds))
}

/// A server that runs until it is dropped.
pub(crate) struct Server {
    child: Child,
    address: String,
}

impl Server {
    pub(crate) fn start(user: &User) -> Self {
        Self::start_with(user, &[])
    }

    /// The same with these arguments more.
    pub(crate) fn start_with(user: &User, more: &[&str]) -> Self {
        fs::write(user.home().join("token"), TOKEN).expect("a file");
        let mut command = Command::new(env!("CARGO_BIN_EXE_cfgctl"));
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--token-file", "token"])
            .args(more)
            .env_clear()
            .env("HOME", user.home())
            .current_dir(user.home())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("the binary");
        let mut stderr = BufReader::new(child.stderr.take().expect("a pipe"));
        let mut line = String::new();
        stderr.read_line(&mut line).expect("a line");
        let address = line.split_whitespace().find(|it| it.starts_with("http://"));
        let address = address.unwrap_or_else(|| panic!("{line}")).to_owned();
        std::thread::spawn(move || std::io::copy(&mut stderr, &mut std::io::sink()));
        Self { child, address }
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    pub(crate) fn host(&self) -> &str {
        self.address.trim_start_matches("http://")
    }

    fn get(&self, path: &str, head: &str) -> String {
        ask(self.host(), path, head)
    }

    /// Runs a command through it.
    fn cfgctl(&self, user: &User, arguments: &[&str]) {
        let variables = [
            ("CFGCTL_STORE", self.address.as_str()),
            ("CFGCTL_TOKEN", TOKEN),
        ];
        user.cfgctl_with(&variables, arguments);
    }

    /// The memory that it has, in KiB.
    fn resident(&self) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()));
        let status = status.expect("a process");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok());
        kibibytes.expect("a number")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// A Consul that lets one address have as many connections as it likes.
struct Lonely {
    child: Child,
    host: String,
}

impl Lonely {
    fn start() -> Self {
        let free = || {
            let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
            free.local_addr().expect("an address").port().to_string()
        };
        let http = free();
        let mut command = Command::new("setpriv");
        command
            .args(["--pdeathsig", "KILL", "--"])
            .arg(consul())
            .args([
                "agent",
                "-dev",
                "-bind",
                "127.0.0.1",
                "-client",
                "127.0.0.1",
            ])
            .args(["-http-port", &http, "-server-port", &free()])
            .args(["-serf-lan-port", &free(), "-serf-wan-port", "-1"])
            .args(["-dns-port", "-1", "-grpc-port", "-1", "-log-level", "err"])
            .args(["-hcl", "disable_update_check = true"])
            .args(["-hcl", "limits { http_max_conns_per_client = 12000 }"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mut child = command.spawn().expect("a Consul");
        let host = format!("127.0.0.1:{http}");
        let leads = || {
            let mut stream = TcpStream::connect(&host).ok()?;
            write!(stream, "{}", request("v1/status/leader", "")).ok()?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer).ok()?;
            answer
                .contains(':')
                .then_some(())
                .filter(|()| answer.contains("127.0.0.1:"))
        };
        while leads().is_none() {
            let ended = child.try_wait().expect("a process");
            assert!(ended.is_none(), "the Consul ended: {ended:?}");
            std::thread::sleep(Duration::from_millis(50));
        }
        Self { child, host }
    }

    fn host(&self) -> &str {
        &self.host
    }
}

impl Drop for Lonely {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}
