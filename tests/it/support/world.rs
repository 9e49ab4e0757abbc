//! One user, one set, and as many clusters as a test wants: where most tests start.

use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, ChildStderr};

use cfgctl::model::{ResourceId, Revision};
use cfgctl::store::Missing;
use cfgctl::target::consul::FLAGS;
use rustix::process::Pid;
use serde_json::{Value, json};

use super::cli::{Cfgctl, Ran};
use super::consul::{Consul, unique_prefix};
use super::proxy::Proxy;
use super::raw::{Raw, Tree};

/// How many agents the tests share that only write below their own prefix.
const FLEET: usize = 4;

/// The set `checkout` in the clusters `c0`, `c1` …, all of it below one prefix.
///
/// Generation `n` of it says `n` in every value, so a mixture of two generations shows.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) user: Cfgctl,
    pub(crate) prefix: String,
    /// Where the Consuls really are, whatever stands before them.
    consuls: Vec<String>,
}

/// What a run said, whose exit code is known.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// A run in the background that is listened to.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    stderr: BufReader<ChildStderr>,
    said: String,
}

/// What a cluster holds: version and generation.
pub(crate) type Held = Option<(u64, u64)>;

/// Agents that all tests share which neither stop them nor change their settings.
pub(crate) async fn fleet() -> &'static [Consul] {
    static FLEET_OF_ALL: tokio::sync::OnceCell<Vec<Consul>> = tokio::sync::OnceCell::const_new();
    let start = async || {
        let agents = (0..FLEET).map(|_| Consul::start());
        futures_util::future::join_all(agents).await
    };
    FLEET_OF_ALL.get_or_init(start).await
}

impl World {
    /// On `clusters` of the shared agents.
    pub(crate) async fn shared(clusters: usize) -> Self {
        Self::of(fleet().await.iter().take(clusters))
    }

    /// On these Consuls.
    pub(crate) fn of<'a>(consuls: impl IntoIterator<Item = &'a Consul>) -> Self {
        let world = Self {
            user: Cfgctl::new().with("CFGCTL_STORE", "store.db"),
            prefix: unique_prefix(),
            consuls: consuls.into_iter().map(Consul::address).collect(),
        };
        world.reach_through(world.consuls.iter().cloned());
        world
    }

    /// Declares the clusters anew, at these addresses.
    pub(crate) fn reach_through(&self, addresses: impl IntoIterator<Item = String>) {
        self.declare_clusters(addresses, "");
    }

    /// The same, with more fields of `spec.consul`, each ` name: value,`.
    pub(crate) fn declare_clusters(
        &self,
        addresses: impl IntoIterator<Item = String>,
        fields: &str,
    ) {
        let prefix = &self.prefix;
        let cluster = |(n, address): (usize, String)| {
            format!(
                "apiVersion: cfgctl.dev/v1\nkind: Cluster\nmetadata: {{name: c{n}, labels: {{number: c{n}}}}}\n\
                 spec:\n  consul: {{address: \"{address}\",{fields} prefix: {prefix}/cfgctl}}\n"
            )
        };
        let clusters: Vec<_> = addresses.into_iter().enumerate().map(cluster).collect();
        self.user.write("clusters.yaml", &clusters.join("---\n"));
    }

    /// The addresses of the real Consuls.
    pub(crate) fn addresses(&self) -> Vec<String> {
        self.consuls.clone()
    }

    /// Declares generation `n` in a checkout of its own, as each administrator has one.
    pub(crate) fn declare(&self, n: u64) -> String {
        self.check_out(n, &set_manifest(&self.prefix, n))
    }

    /// Writes `manifest` as the file that declares the set in checkout `n` of one repository.
    pub(crate) fn check_out(&self, n: u64, manifest: &str) -> String {
        let checkout = format!("checkout-{n}");
        std::fs::create_dir_all(self.user.directory().join(&checkout).join(".git"))
            .expect("a directory");
        let name = format!("{checkout}/checkout.yaml");
        self.user.write(&name, manifest);
        name
    }

    /// `apply` of generation `n`.
    pub(crate) fn apply(&self, n: u64) -> Ran {
        self.apply_with(n, &[])
    }

    pub(crate) fn apply_with(&self, n: u64, more: &[&str]) -> Ran {
        self.spawn_apply(n, more).end()
    }

    /// `apply` of generation `n`, which goes on in the background.
    pub(crate) fn spawn_apply(&self, n: u64, more: &[&str]) -> Running {
        let file = self.declare(n);
        let mut arguments = vec!["apply", "-f", "clusters.yaml", "-f", &file];
        arguments.extend(["--yes", "-o", "json"]);
        arguments.extend(more);
        Running::new(self.user.spawn(&arguments))
    }

    /// Any command; its answer must be JSON, and its exit code this one.
    pub(crate) fn json(&self, code: i32, arguments: &[&str]) -> Value {
        let mut arguments = arguments.to_vec();
        arguments.extend(["-o", "json"]);
        self.user.run(&arguments).expect_code(code).json()
    }

    /// What the store says of the set: version and generation of every revision, oldest first;
    /// generation 0 is a deletion.
    pub(crate) async fn history(&self) -> Vec<(u64, u64)> {
        if self.store().exists() {
            let connection = rusqlite::Connection::open(self.store()).expect("the store");
            let sound: String = connection
                .query_row("PRAGMA integrity_check", [], |row| row.get(0))
                .expect("a check");
            assert_eq!(sound, "ok");
        }
        let location = self.store().into_os_string().into_string().expect("UTF-8");
        let opened = cfgctl::store::open(&location, Missing::Create).await;
        let store = opened.expect("the store");
        let id = ResourceId::Set("checkout".parse().expect("a name"));
        let history = store
            .history(&id, None, usize::MAX)
            .await
            .expect("a history");
        let revision = |revision: &Revision| {
            let set = revision.content.set();
            let generation = set.map_or(Some(0), |set| set.values["generation"].as_u64());
            (revision.version.get(), generation.expect("a number"))
        };
        history.iter().rev().map(revision).collect()
    }

    /// The file of the store.
    pub(crate) fn store(&self) -> PathBuf {
        self.user.directory().join("store.db")
    }

    /// Keeps everyone from committing until it is dropped.
    pub(crate) fn lock_store(&self) -> rusqlite::Connection {
        let connection = rusqlite::Connection::open(self.store()).expect("the store");
        connection.execute_batch("BEGIN IMMEDIATE").expect("a lock");
        connection
    }

    /// A proxy before each Consul, which the clusters are declared to be behind from now on.
    pub(crate) fn behind_proxies(&self) -> Vec<Proxy> {
        let proxies: Vec<_> = self.consuls.iter().map(|at| Proxy::before(at)).collect();
        self.reach_through(proxies.iter().map(Proxy::address));
        proxies
    }

    /// Everything that lies below the prefix of this world in cluster `n`.
    pub(crate) fn tree(&self, n: usize) -> Tree {
        Raw::to(&self.consuls[n]).tree(&self.prefix)
    }

    /// What cluster `n` holds; panics at a mixture.
    pub(crate) fn held(&self, n: usize) -> Held {
        whole(&self.prefix, &self.tree(n))
    }

    /// What each cluster holds.
    pub(crate) fn all_held(&self) -> Vec<Held> {
        (0..self.consuls.len()).map(|n| self.held(n)).collect()
    }

    /// The name of the snapshot key.
    pub(crate) fn snapshot_key(&self) -> String {
        format!("{}/cfgctl/checkout/snapshot", self.prefix)
    }

    /// The name of a key that is published: one per leaf.
    pub(crate) fn leaf(&self, leaf: &str) -> String {
        format!("{}/app/checkout/{leaf}", self.prefix)
    }
}

/// The values of generation `n`.
fn values(n: u64) -> Value {
    json!({"generation": n, "payment": {"provider": format!("p-{n}"), "timeoutMs": n}})
}

/// The manifest of generation `n`.
pub(crate) fn set_manifest(prefix: &str, n: u64) -> String {
    format!(
        "apiVersion: cfgctl.dev/v1\nkind: ConfigSet\nmetadata: {{name: checkout}}\nspec:\n  \
         publish:\n    - spring: {{context: {prefix}/config/checkout}}\n    \
         - keys: {{prefix: {prefix}/app/checkout}}\n  values: {}\n",
        values(n)
    )
}

/// Version and generation of a tree that is one whole snapshot and nothing else.
pub(crate) fn whole(prefix: &str, tree: &Tree) -> Held {
    let names: Vec<&str> = tree.keys().map(String::as_str).collect();
    if names.is_empty() {
        return None;
    }
    let leaf = |leaf: &str| format!("{prefix}/app/checkout/{leaf}");
    let spring = format!("{prefix}/config/checkout/data");
    let snapshot = format!("{prefix}/cfgctl/checkout/snapshot");
    let leaves = ["generation", "payment/provider", "payment/timeoutMs"].map(leaf);
    let expected: Vec<&str> = leaves
        .iter()
        .chain([&snapshot, &spring])
        .map(String::as_str)
        .collect();
    assert_eq!(names, expected);
    assert!(tree.values().all(|(_, flags)| *flags == FLAGS), "{tree:?}");

    let text = |name: &str| std::str::from_utf8(&tree[name].0).expect("UTF-8");
    let document: Value = serde_json::from_str(text(&snapshot)).expect("JSON");
    let generation = document["values"]["generation"].as_u64().expect("a number");
    let version = document["version"].as_u64().expect("a number");
    assert_eq!(document["values"], values(generation));
    let published: Value = serde_yaml::from_str(text(&spring)).expect("YAML");
    assert_eq!(published, values(generation), "a mixture");
    let number = generation.to_string();
    let provider = format!("p-{generation}");
    assert_eq!(
        leaves.each_ref().map(|leaf| text(leaf)),
        [&number, &provider, &number],
        "a mixture"
    );
    Some((version, generation))
}

impl Ran {
    /// What a run said that must have ended with this code.
    pub(crate) fn expect_code(self, code: i32) -> Said {
        assert_eq!(
            self.code,
            Some(code),
            "stdout:\n{}\nstderr:\n{}",
            self.stdout,
            self.stderr
        );
        Said {
            stdout: self.stdout,
            stderr: self.stderr,
        }
    }
}

impl Said {
    /// What it printed, as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error}:\n{}\n{}", self.stdout, self.stderr))
    }

    /// How it went in `c0`, `c1` …
    pub(crate) fn outcomes(&self) -> Vec<String> {
        self.each_cluster("outcome")
    }

    /// A field of the report, for `c0`, `c1` …
    pub(crate) fn each_cluster(&self, field: &str) -> Vec<String> {
        let report = self.json();
        let clusters = report["clusters"].as_array().expect("clusters");
        let text = |view: &Value| view[field].as_str().unwrap_or_default().to_owned();
        clusters.iter().map(text).collect()
    }
}

impl Running {
    pub(crate) fn new(mut child: Child) -> Self {
        let stderr = child.stderr.take().expect("a pipe");
        Self {
            child,
            stderr: BufReader::new(stderr),
            said: String::new(),
        }
    }

    pub(crate) fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Whether it goes on still.
    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("a process").is_none()
    }

    /// Waits until the plan is on the screen: it is made, and nothing is done yet.
    pub(crate) fn until_shown(&mut self) {
        let shown = |said: &str| said.ends_with("as they should be\n");
        while !shown(&self.said) {
            let read = self.stderr.read_line(&mut self.said).expect("a pipe");
            assert_ne!(read, 0, "it ended: {}", self.said);
        }
    }

    /// Waits until it says something on standard error.
    pub(crate) fn until_said(&mut self, what: &str) {
        while !self.said.contains(what) {
            let read = self.stderr.read_line(&mut self.said).expect("a pipe");
            assert_ne!(read, 0, "it ended: {}", self.said);
        }
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("a state").is_some()
    }

    /// Waits for its end.
    pub(crate) fn end(mut self) -> Ran {
        let read = self.stderr.read_to_string(&mut self.said);
        read.expect("UTF-8");
        let mut ran = Ran::of(self.child);
        ran.stderr = self.said;
        ran
    }
}
