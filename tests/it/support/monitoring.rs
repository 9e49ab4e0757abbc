//! Prometheus and Alertmanager, in processes of their own that never outlive the test.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};

use serde_json::Value;

use super::consul::{free_port, spawn_for_good};
use super::server::ask;

/// No test may pass because they are missing.
fn tool(name: &str) -> PathBuf {
    let chosen = std::env::var_os("CFGCTL_TEST_MONITORING").map(PathBuf::from);
    let home = chosen.unwrap_or_else(|| {
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/tools/monitoring")
    });
    let tool = home.join(name);
    assert!(
        tool.is_file(),
        "there is no {}: tests/install-monitoring installs it, or says what is in the way",
        tool.display()
    );
    tool
}

/// A process with a directory of its own, at a port of its own.
#[derive(Debug)]
pub(crate) struct Monitor {
    child: Child,
    home: tempfile::TempDir,
    /// `127.0.0.1:PORT`.
    pub(crate) host: String,
    /// Where an Alertmanager talks to its peers.
    peer: String,
}

impl Drop for Monitor {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
        if std::thread::panicking() {
            let (host, log) = (&self.host, self.log());
            _ = writeln!(std::io::stderr(), "--- {host}\n{log}");
        }
    }
}

impl Monitor {
    /// An Alertmanager with this configuration, in whose directory the file `token` holds `token`; it
    /// forms a cluster with `peer`.
    pub(crate) fn alertmanager(configuration: &str, token: &str, peer: Option<&Self>) -> Self {
        Self::start("alertmanager", |home, host, gossip| {
            write(home, "token", token);
            write(home, "alertmanager.yml", configuration);
            // Its templates lie below where it is started.
            let templates = tool("alertmanager").with_file_name(".usr");
            std::os::unix::fs::symlink(templates, home.join(".usr")).expect("a link");
            let mut arguments = vec![
                "--config.file=alertmanager.yml".to_owned(),
                "--storage.path=data".to_owned(),
                format!("--web.listen-address={host}"),
                format!("--cluster.listen-address={gossip}"),
                "--cluster.peer-timeout=1s".to_owned(),
                "--cluster.gossip-interval=50ms".to_owned(),
                "--cluster.settle-timeout=1s".to_owned(),
            ];
            arguments.extend(peer.map(|peer| format!("--cluster.peer={}", peer.peer)));
            arguments
        })
    }

    /// A Prometheus with this configuration and these rules, in the file `rules.yml`.
    pub(crate) fn prometheus(configuration: &str, rules: &str) -> Self {
        Self::start("prometheus", |home, host, _| {
            write(home, "prometheus.yml", configuration);
            write(home, "rules.yml", rules);
            vec![
                "--config.file=prometheus.yml".to_owned(),
                "--storage.tsdb.path=data".to_owned(),
                format!("--web.listen-address={host}"),
            ]
        })
    }

    fn start(name: &str, prepare: impl Fn(&Path, &str, &str) -> Vec<String>) -> Self {
        // Between finding a free port and using it, someone else may take it.
        for _ in 0..5 {
            let home = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
            let host = format!("127.0.0.1:{}", free_port());
            let peer = format!("127.0.0.1:{}", free_port());
            let log = std::fs::File::create(home.path().join("log")).expect("a file");
            let mut command = Command::new("setpriv");
            command
                .args(["--pdeathsig", "KILL", "--"])
                .arg(tool(name))
                .args(prepare(home.path(), &host, &peer))
                .current_dir(home.path())
                .env_clear()
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(log);
            let mut monitor = Self {
                child: spawn_for_good(command),
                home,
                host,
                peer,
            };
            if monitor.is_ready() {
                return monitor;
            }
        }
        panic!("{name} did not start");
    }

    /// Waits until it is; whether it did not end meanwhile.
    fn is_ready(&mut self) -> bool {
        loop {
            if self.child.try_wait().expect("a process").is_some() {
                _ = writeln!(std::io::stderr(), "it ended: {}", self.log());
                return false;
            }
            if let Ok(stream) = TcpStream::connect(&self.host)
                && ask(stream, "GET /-/ready", "", "").0 == 200
            {
                return true;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.home.path().join("log")).unwrap_or_default()
    }

    /// Tells an Alertmanager of alerts, as Prometheus does.
    pub(crate) fn tell(&self, alerts: &Value) {
        let stream = TcpStream::connect(&self.host).expect("an Alertmanager");
        let head = "Content-Type: application/json\r\n";
        let (status, text) = ask(stream, "POST /api/v2/alerts", head, &alerts.to_string());
        assert_eq!(status, 200, "{text}");
    }
}

fn write(home: &Path, name: &str, text: &str) {
    std::fs::write(home.join(name), text).expect("a file");
}

/// Has Prometheus' own tools look at a file of this kind: `check rules`, `check-config`.
pub(crate) fn is_accepted(tool_name: &str, arguments: &[&str], text: &str) {
    let home = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
    write(home.path(), "file.yml", text);
    let done = Command::new(tool(tool_name))
        .args(arguments)
        .arg("file.yml")
        .current_dir(home.path())
        .env_clear()
        .output()
        .expect("it runs");
    assert!(done.status.success(), "{done:?}");
}

/// Something that Prometheus scrapes: one number, as long as it is not dropped.
#[derive(Debug)]
pub(crate) struct Scraped {
    pub(crate) host: String,
    value: Arc<AtomicU64>,
    _held: mpsc::Sender<()>,
}

impl Scraped {
    /// The metric of this name, which is 0.
    pub(crate) fn new(metric: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let host = listener.local_addr().expect("an address").to_string();
        let value = Arc::<AtomicU64>::default();
        let (held, is_held) = mpsc::channel();
        let shown = Arc::clone(&value);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if is_held.try_recv() == Err(mpsc::TryRecvError::Disconnected) {
                    return;
                }
                let Ok(mut stream) = stream else { return };
                let body = format!("{metric} {}\n", shown.load(Ordering::SeqCst));
                _ = stream.read(&mut [0; 4096]);
                _ = write!(
                    stream,
                    "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\n\
                     Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
                    body.len()
                );
            }
        });
        Self {
            host,
            value,
            _held: held,
        }
    }

    pub(crate) fn is(&self, value: u64) {
        self.value.store(value, Ordering::SeqCst);
    }
}
