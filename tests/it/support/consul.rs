//! Real Consul agents on loopback, one or many, that never outlive the test process.

use std::io::{BufRead, BufReader, Read};
use std::ops::Deref;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Method, StatusCode};
use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};
use serde_json::{Value, json};

mod process;

use process::{Ports, free_ports};
pub(crate) use process::{binary, make_certificates, spawn_for_good};

/// A server on disk needs 1 to 2 s on a quiet machine; tests run on busy ones.
const START_TIMEOUT: Duration = Duration::from_secs(60);
/// What is kept of a server's log.
const LOG_LINES: usize = 2_000;

/// A Consul agent. Killed when dropped, and when the test process dies for whatever reason.
#[derive(Debug)]
pub(crate) struct Consul {
    kind: Kind,
    ports: Ports,
    node: String,
    child: Mutex<Option<Child>>,
    log: Arc<Mutex<Vec<String>>>,
    /// The data of a server on disk, or the certificates of one with TLS.
    home: Option<tempfile::TempDir>,
}

#[derive(Clone, Debug)]
enum Kind {
    /// In memory: ready in 0.1 s, empty after a restart.
    Dev,
    /// In memory, and denies everything but to this token.
    Acl { master: String },
    /// Keeps its data over a restart.
    OnDisk,
    /// In memory, and answers https to clients with a certificate.
    Tls,
}

/// One key as Consul shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KvEntry {
    pub(crate) value: Vec<u8>,
    pub(crate) flags: u64,
    pub(crate) modify_index: u64,
}

/// An ACL token made for a test.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub(crate) accessor: String,
    pub(crate) secret: String,
}

/// The agent that the tests of this binary share; its log is shown if the test panics.
pub(crate) struct Shared(&'static Consul);

impl Deref for Shared {
    type Target = Consul;

    fn deref(&self) -> &Consul {
        self.0
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.0.show_log_if_panicking();
    }
}

/// A port that is free at this moment.
pub(crate) fn free_port() -> u16 {
    process::free_port()
}

/// A key prefix that no other test uses: tests share a server.
pub(crate) fn unique_prefix() -> String {
    format!("t{:016x}", fastrand::u64(..))
}

impl Consul {
    /// The agent that all tests share which neither stop it nor change its settings. Every test
    /// keeps below its own [`unique_prefix`].
    pub(crate) async fn shared() -> Shared {
        static SHARED: tokio::sync::OnceCell<Consul> = tokio::sync::OnceCell::const_new();
        Shared(SHARED.get_or_init(Self::start).await)
    }

    /// An agent of its own, in memory.
    pub(crate) async fn start() -> Self {
        Self::start_as(&Kind::Dev).await
    }

    /// An agent of its own that denies everything to everyone without a token; `master` is a UUID.
    pub(crate) async fn start_with_acl(master: &str) -> Self {
        let consul = Self::start_as(&Kind::Acl {
            master: master.to_owned(),
        })
        .await;
        // The leader makes the policies a moment after it was elected.
        let deadline = Instant::now() + START_TIMEOUT;
        while consul.call(Method::GET, "acl/token/self", None).await.0 != StatusCode::OK {
            assert!(Instant::now() < deadline, "no ACLs: {}", consul.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        consul
    }

    /// An agent of its own that keeps its data over [`Consul::restart`].
    pub(crate) async fn start_on_disk() -> Self {
        Self::start_as(&Kind::OnDisk).await
    }

    /// An agent of its own that answers at [`Consul::tls_address`] too, to clients that show
    /// `client.pem` and `client.key`; both and `ca.pem` lie in [`Consul::home`].
    pub(crate) async fn start_with_tls() -> Self {
        Self::start_as(&Kind::Tls).await
    }

    async fn start_as(kind: &Kind) -> Self {
        // Between finding free ports and using them, someone else may take them.
        for _ in 0..5 {
            let home = matches!(kind, Kind::OnDisk | Kind::Tls)
                .then(|| tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory"));
            if let (Kind::Tls, Some(home)) = (kind, &home) {
                make_certificates(home.path());
            }
            let consul = Self {
                kind: kind.clone(),
                ports: free_ports(),
                node: unique_prefix(),
                child: Mutex::new(None),
                log: Arc::default(),
                home,
            };
            consul.spawn();
            if consul.becomes_ready().await {
                return consul;
            }
            assert!(
                consul.log().contains("address already in use"),
                "consul did not start:\n{}",
                consul.log()
            );
        }
        panic!("no free ports for consul");
    }

    /// `http://127.0.0.1:<port>`.
    pub(crate) fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports.http)
    }

    /// `https://127.0.0.1:<port>`; the certificate also names `localhost` and
    /// `server.dc1.consul`.
    pub(crate) fn tls_address(&self) -> String {
        format!("https://127.0.0.1:{}", self.ports.https)
    }

    /// Where data or certificates lie.
    pub(crate) fn home(&self) -> &Path {
        self.home.as_ref().expect("a directory").path()
    }

    /// `kill -9`: connections are refused from now on.
    pub(crate) fn kill(&self) {
        if let Some(mut child) = self.child().take() {
            child.kill().expect("kill consul");
            child.wait().expect("wait for consul");
        }
    }

    /// SIGSTOP: connections are accepted by the system and never answered.
    pub(crate) fn pause(&self) {
        self.signal(Signal::STOP);
        // Its threads stop one by one; this returns when the last one has.
        waitpid(Some(self.pid()), WaitOptions::UNTRACED).expect("consul stops");
    }

    /// Ends [`Consul::pause`].
    pub(crate) fn resume(&self) {
        self.signal(Signal::CONT);
    }

    /// Starts it again on the same ports, killing it first if it runs.
    pub(crate) async fn restart(&self) {
        self.kill();
        self.spawn();
        assert!(
            self.becomes_ready().await,
            "consul did not start again:\n{}",
            self.log()
        );
    }

    /// The value of a key; `None` if there is none.
    pub(crate) async fn kv_get(&self, key: &str) -> Option<Vec<u8>> {
        self.kv_entry(key).await.map(|entry| entry.value)
    }

    /// A key with its marks; `None` if there is none.
    pub(crate) async fn kv_entry(&self, key: &str) -> Option<KvEntry> {
        let (status, body) = self.call(Method::GET, &kv_path(key), None).await;
        if status == StatusCode::NOT_FOUND {
            return None;
        }
        assert_eq!(status, StatusCode::OK, "{body}");
        Some(KvEntry::from_json(&body[0]))
    }

    /// Writes a key as anyone would: without `flags`, which resets them to 0.
    pub(crate) async fn kv_put(&self, key: &str, value: impl Into<Vec<u8>>) {
        let (status, body) = self
            .call(Method::PUT, &kv_path(key), Some(value.into()))
            .await;
        assert_eq!(
            (status, &body),
            (StatusCode::OK, &Value::Bool(true)),
            "{body}"
        );
    }

    /// Deletes one key.
    pub(crate) async fn kv_delete(&self, key: &str) {
        let (status, body) = self.call(Method::DELETE, &kv_path(key), None).await;
        assert_eq!(status, StatusCode::OK, "{body}");
    }

    /// Every key whose name starts with `prefix`, sorted.
    pub(crate) async fn kv_keys(&self, prefix: &str) -> Vec<String> {
        let path = format!("{}?keys", kv_path(prefix));
        let (status, body) = self.call(Method::GET, &path, None).await;
        if status == StatusCode::NOT_FOUND {
            return Vec::new();
        }
        serde_json::from_value(body).expect("a list of keys")
    }

    /// Any transaction: the status and the answer.
    pub(crate) async fn txn(&self, operations: &Value) -> (StatusCode, Value) {
        let body = operations.to_string().into_bytes();
        self.call(Method::PUT, "txn", Some(body)).await
    }

    /// Makes a policy with these rules, `key_prefix "a/" { policy = "write" }`, and a token with it.
    pub(crate) async fn token(&self, rules: &str) -> Token {
        let name = unique_prefix();
        let policy = json!({"Name": name, "Rules": rules}).to_string();
        let (status, body) = self
            .call(Method::PUT, "acl/policy", Some(policy.into_bytes()))
            .await;
        assert_eq!(status, StatusCode::OK, "{body}");
        let token = json!({"Policies": [{"Name": name}]}).to_string();
        let (status, body) = self
            .call(Method::PUT, "acl/token", Some(token.into_bytes()))
            .await;
        assert_eq!(status, StatusCode::OK, "{body}");
        let text = |name: &str| body[name].as_str().expect("text").to_owned();
        Token {
            accessor: text("AccessorID"),
            secret: text("SecretID"),
        }
    }

    /// Makes a token worthless.
    pub(crate) async fn revoke(&self, token: &Token) {
        let path = format!("acl/token/{}", token.accessor);
        let (status, body) = self.call(Method::DELETE, &path, None).await;
        assert_eq!(status, StatusCode::OK, "{body}");
    }

    /// What the agent wrote so far.
    pub(crate) fn log(&self) -> String {
        locked(&self.log).join("\n")
    }

    async fn call(&self, method: Method, path: &str, body: Option<Vec<u8>>) -> (StatusCode, Value) {
        self.try_call(method, path, body).await.expect("an answer")
    }

    async fn try_call(
        &self,
        method: Method,
        path: &str,
        body: Option<Vec<u8>>,
    ) -> reqwest::Result<(StatusCode, Value)> {
        let mut request = http().request(method, format!("{}/v1/{path}", self.address()));
        if let Kind::Acl { master } = &self.kind {
            request = request.header("X-Consul-Token", master);
        }
        if let Some(body) = body {
            request = request.body(body);
        }
        let answer = request.send().await?;
        let status = answer.status();
        let text = answer.text().await?;
        Ok((
            status,
            serde_json::from_str(&text).unwrap_or(Value::String(text)),
        ))
    }

    fn spawn(&self) {
        let mut child = spawn_for_good(self.command());
        let pipes: [Box<dyn Read + Send>; 2] = [
            Box::new(child.stdout.take().expect("a pipe")),
            Box::new(child.stderr.take().expect("a pipe")),
        ];
        for pipe in pipes {
            let log = Arc::clone(&self.log);
            std::thread::spawn(move || {
                for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                    let mut log = locked(&log);
                    if log.len() < LOG_LINES {
                        log.push(line);
                    }
                }
            });
        }
        *self.child() = Some(child);
    }

    fn command(&self) -> Command {
        let Ports {
            http,
            https,
            server,
            serf,
        } = self.ports;
        // The agent dies with the thread that started it, however that ends.
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--"]).arg(binary());
        command
            .args(["agent", "-datacenter", "dc1", "-node", &self.node])
            .args(["-bind", "127.0.0.1", "-client", "127.0.0.1"])
            .args(["-http-port", &http.to_string()])
            .args(["-server-port", &server.to_string()])
            .args(["-serf-lan-port", &serf.to_string()])
            .args(["-serf-wan-port", "-1", "-dns-port", "-1"])
            .args(["-grpc-port", "-1", "-log-level", "warn"])
            .args(["-hcl", "disable_update_check = true"]);
        match &self.kind {
            Kind::Dev => command.arg("-dev"),
            Kind::Acl { master } => command.args([
                "-dev",
                "-hcl",
                &format!(
                    r#"acl {{ enabled = true default_policy = "deny" tokens {{ master = "{master}" }} }}"#
                ),
            ]),
            Kind::OnDisk => command
                .args(["-server", "-bootstrap-expect", "1", "-data-dir"])
                .arg(self.home())
                .args(["-hcl", "performance { raft_multiplier = 1 }"]),
            Kind::Tls => {
                let home = self.home().display();
                command.args([
                    "-dev",
                    "-hcl",
                    &format!(
                        r#"ports {{ https = {https} }} verify_incoming_https = true
                        ca_file = "{home}/ca.pem" cert_file = "{home}/server.pem" key_file = "{home}/server.key""#
                    ),
                ])
            }
        };
        command
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        command
    }

    /// Waits until the agent has a leader; `false` if it ended instead.
    async fn becomes_ready(&self) -> bool {
        let deadline = Instant::now() + START_TIMEOUT;
        loop {
            let ended = {
                let mut child = self.child();
                let child = child.as_mut().expect("a process");
                child.try_wait().expect("the state of consul").is_some()
            };
            if ended {
                return false;
            }
            if self.leads().await.unwrap_or(false) {
                return true;
            }
            assert!(
                Instant::now() < deadline,
                "consul is not ready in time:\n{}",
                self.log()
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Whether there is a leader that answers, and it is this agent that says so and not one
    /// which took the port first.
    async fn leads(&self) -> reqwest::Result<bool> {
        let (_, leader) = self.try_call(Method::GET, "status/leader", None).await?;
        if leader.as_str().is_none_or(str::is_empty) {
            return Ok(false);
        }
        let (_, agent) = self.try_call(Method::GET, "agent/self", None).await?;
        if agent["Config"]["NodeName"] != Value::String(self.node.clone()) {
            return Ok(false);
        }
        // A new leader answers this only when it has caught up with its log.
        let path = "kv/ready?consistent";
        let (status, _) = self.try_call(Method::GET, path, None).await?;
        Ok(status == StatusCode::NOT_FOUND)
    }

    fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).expect("signal consul");
    }

    fn pid(&self) -> Pid {
        let child = self.child();
        let pid = child.as_ref().map(Child::id).expect("consul runs");
        Pid::from_raw(i32::try_from(pid).expect("a pid")).expect("a pid")
    }

    fn child(&self) -> MutexGuard<'_, Option<Child>> {
        locked(&self.child)
    }

    fn show_log_if_panicking(&self) {
        if std::thread::panicking() {
            let log = self.log();
            // The test harness shows what a failed test writes.
            #[expect(clippy::print_stderr, reason = "the log of a failed test")]
            {
                eprintln!("--- log of consul at {} ---\n{log}", self.address());
            }
        }
    }
}

impl Drop for Consul {
    fn drop(&mut self) {
        self.show_log_if_panicking();
        self.kill();
    }
}

impl KvEntry {
    fn from_json(json: &Value) -> Self {
        use base64::Engine as _;
        let value = json["Value"].as_str().unwrap_or_default();
        Self {
            value: base64::engine::general_purpose::STANDARD
                .decode(value)
                .expect("base64"),
            flags: json["Flags"].as_u64().expect("flags"),
            modify_index: json["ModifyIndex"].as_u64().expect("an index"),
        }
    }
}

/// A client without a pool, since every test has a runtime of its own.
pub(crate) fn http() -> reqwest::Client {
    // Someone may have been faster: then there is a provider.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .no_proxy()
        // Reading the system's certificates takes longer than all the rest.
        .tls_certs_only([])
        .redirect(reqwest::redirect::Policy::none())
        .pool_max_idle_per_host(0)
        .timeout(Duration::from_secs(30))
        .build()
        .expect("an HTTP client")
}

/// The path of a key below `/v1/`.
fn kv_path(key: &str) -> String {
    let segments: Vec<_> = key
        .split('/')
        .map(|segment| utf8_percent_encode(segment, NON_ALPHANUMERIC).to_string())
        .collect();
    format!("kv/{}", segments.join("/"))
}

/// A test that panicked while it held the lock has nothing to say about its content.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}
