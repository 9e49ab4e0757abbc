//! A server in a process of its own, and whoever works through it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::Child;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use rustix::process::{Pid, Signal, kill_process};

use super::cli::Cfgctl;
use super::locked;

/// A server that runs until it is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    /// `http://127.0.0.1:PORT`.
    pub(crate) address: String,
    pub(crate) token: String,
    said: Arc<Mutex<String>>,
    listens: Option<JoinHandle<()>>,
}

impl Server {
    /// Serves the store of `host`, with these arguments more.
    pub(crate) fn start(host: &Cfgctl, more: &[&str]) -> Self {
        Self::start_at(host, "127.0.0.1:0", more)
    }

    /// The same at an address, `127.0.0.1:PORT`, where another one may have been before.
    pub(crate) fn start_at(host: &Cfgctl, listen: &str, more: &[&str]) -> Self {
        let mut arguments = vec!["serve", "--listen", listen];
        arguments.extend(more);
        let mut child = host.spawn(&arguments);
        let mut stderr = BufReader::new(child.stderr.take().expect("a pipe"));
        let (mut said, mut address, mut token) = (String::new(), String::new(), String::new());
        while token.is_empty() {
            let mut line = String::new();
            let read = stderr.read_line(&mut line).expect("a pipe");
            assert_ne!(read, 0, "it ended: {said}");
            said.push_str(&line);
            for word in line.split_whitespace() {
                if let Some(value) = word.strip_prefix("CFGCTL_STORE=") {
                    value.clone_into(&mut address);
                } else if let Some(value) = word.strip_prefix("CFGCTL_TOKEN=") {
                    value.clone_into(&mut token);
                }
            }
        }
        let said = Arc::new(Mutex::new(said));
        let heard = Arc::clone(&said);
        let listens = std::thread::spawn(move || {
            let mut line = String::new();
            while stderr.read_line(&mut line).is_ok_and(|read| read > 0) {
                locked(&heard).push_str(&line);
                line.clear();
            }
        });
        Self {
            child,
            address,
            token,
            said,
            listens: Some(listens),
        }
    }

    /// Makes `user` work through this server from now on.
    pub(crate) fn lead(&self, user: &mut Cfgctl) {
        user.set("CFGCTL_STORE", &self.address);
        user.set("CFGCTL_TOKEN", &self.token);
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("a process");
    }

    /// Where it listens: `127.0.0.1:PORT`.
    pub(crate) fn host(&self) -> &str {
        self.address.trim_start_matches("http://")
    }

    /// How many connections it has open, and what it listens on.
    pub(crate) fn connections(&self) -> usize {
        let open = std::fs::read_dir(format!("/proc/{}/fd", self.child.id()));
        let open = open.expect("a process").flatten();
        // One that is closed meanwhile is nothing any more.
        let kinds = open.filter_map(|open| std::fs::read_link(open.path()).ok());
        kinds
            .filter(|kind| kind.to_string_lossy().starts_with("socket:"))
            .count()
    }

    /// What its threads are called.
    pub(crate) fn threads(&self) -> Vec<String> {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.child.id()));
        let tasks = tasks.expect("a process").flatten();
        // One that ends meanwhile is nothing any more.
        let names = tasks.filter_map(|it| std::fs::read_to_string(it.path().join("comm")).ok());
        names.collect()
    }

    /// Waits until it says something.
    pub(crate) fn until_said(&self, what: &str) {
        while !locked(&self.said).contains(what) {
            let ended = self.listens.as_ref().is_none_or(JoinHandle::is_finished);
            assert!(!ended, "it ended: {}", locked(&self.said));
            std::thread::yield_now();
        }
    }

    /// The word that it said after `what`.
    pub(crate) fn said_after(&self, what: &str) -> String {
        let said = locked(&self.said);
        let (_, rest) = said.split_once(what).expect("it was said");
        rest.split_whitespace().next().expect("a word").to_owned()
    }

    /// Waits for its end: its exit code, and all that it said.
    pub(crate) fn end(mut self) -> (Option<i32>, String) {
        let status = self.child.wait().expect("an end");
        if let Some(listens) = self.listens.take() {
            listens.join().expect("a thread");
        }
        (status.code(), locked(&self.said).clone())
    }

    /// A connection, on which nothing was said yet.
    pub(crate) fn connect(&self) -> TcpStream {
        TcpStream::connect(self.host()).expect("a server")
    }

    /// Status and the whole answer to a request with these lines in its head and this body.
    pub(crate) fn ask(&self, request: &str, head: &str, body: &str) -> (u16, String) {
        ask(self.connect(), request, head, body)
    }

    /// The same with the token, and JSON.
    pub(crate) fn ask_known(&self, request: &str, head: &str, body: &str) -> (u16, String) {
        self.ask(request, &(json_by(&self.token) + head), body)
    }
}

/// The lines in the head of a request that carries JSON, by whoever shows `token`.
pub(crate) fn json_by(token: &str) -> String {
    format!("Authorization: Bearer {token}\r\nContent-Type: application/json\r\n")
}

/// Asks on a connection; status and the whole answer.
pub(crate) fn ask(mut stream: TcpStream, request: &str, head: &str, body: &str) -> (u16, String) {
    let length = body.len();
    // A server that has read enough may close it before it was read to the end.
    _ = write!(
        stream,
        "{request} HTTP/1.1\r\nHost: server\r\nConnection: close\r\n{head}\
         Content-Length: {length}\r\n\r\n{body}"
    );
    answer(stream)
}

/// Status and the whole text of what is answered.
pub(crate) fn answer(mut stream: TcpStream) -> (u16, String) {
    let mut bytes = Vec::new();
    // A server that has heard enough may reset the connection once it has answered.
    _ = stream.read_to_end(&mut bytes);
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let status = text.split(' ').nth(1).and_then(|it| it.parse().ok());
    (status.unwrap_or(0), text)
}

impl Drop for Server {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}
