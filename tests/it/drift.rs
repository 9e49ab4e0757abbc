//! `cfgctl drift` against real Consuls: every state made for real, and mended by the command that
//! was printed.

use std::io::{BufRead as _, BufReader};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::support::cli::{Cfgctl, Ran};
use crate::support::consul::{Consul, unique_prefix};

const MASTER: &str = "6f1d4a52-6b0c-4a0e-9f0a-3a9f4d6c1e11";

/// One user with two sets in one cluster.
struct World {
    user: Cfgctl,
    /// Where everything lies in the Consul, which others use too.
    root: String,
}

impl World {
    fn new(address: &str) -> Self {
        Self::of(Cfgctl::new(), address)
    }

    fn of(user: Cfgctl, address: &str) -> Self {
        let root = unique_prefix();
        let world = Self { user, root };
        world.describe(address);
        world.declare(1);
        world.apply("store.db");
        world
    }

    fn describe(&self, address: &str) {
        let root = &self.root;
        self.user.write(
            "files/cluster.yaml",
            &format!(
                "apiVersion: cfgctl.dev/v1\nkind: Cluster\nmetadata: {{name: eu}}\n\
                 spec: {{consul: {{address: '{address}', prefix: {root}/cfgctl}}}}\n"
            ),
        );
    }

    fn declare(&self, timeout: u32) {
        let root = &self.root;
        self.user.write(
            "files/shop.yaml",
            &format!(
                "apiVersion: cfgctl.dev/v1\nkind: ConfigSet\nmetadata: {{name: shop}}\n\
                 spec:\n  values: {{timeout: {timeout}, url: 'https://pay'}}\n  \
                 publish: [keys: {{prefix: {root}/app}}]\n"
            ),
        );
    }

    fn apply(&self, store: &str) {
        self.user
            .ok(&["apply", "-f", "files", "--yes", "--store", store]);
    }

    fn key(&self, name: &str) -> String {
        format!("{}/{name}", self.root)
    }

    fn drift(&self, arguments: &[&str]) -> (Option<i32>, Value) {
        let fixed = ["drift", "-o", "json", "--store", "store.db"];
        let ran = self.user.run(&[&fixed, arguments].concat());
        let report = serde_json::from_str(&ran.stdout);
        let report: Value = report.unwrap_or_else(|_| panic!("{}{}", ran.stdout, ran.stderr));
        (ran.code, report)
    }

    /// What is said about the one set, which must differ.
    fn differs(&self, state: &str) -> Value {
        let (code, report) = self.drift(&[]);
        assert_eq!(code, Some(1), "{report:#}");
        assert_eq!(report["inSync"], false);
        let pair = report["clusters"][0].clone();
        assert_eq!(pair["state"], state, "{pair:#}");
        assert!(pair["cause"].is_string(), "{pair:#}");
        pair
    }

    /// Runs the command that was printed, with the consent that a person would give.
    fn mend(&self, pair: &Value) {
        let command = pair["mend"][0].as_str().expect("a command");
        let words: Vec<_> = command.split(' ').collect();
        assert_eq!(words[0], "cfgctl", "{command}");
        let ran = self.user.run(&[&words[1..], &["--yes"]].concat());
        assert_eq!(ran.code, Some(0), "{command}\n{}{}", ran.stdout, ran.stderr);
        let (code, report) = self.drift(&[]);
        assert_eq!(code, Some(0), "after {command}: {report:#}");
        assert_eq!(report["inSync"], true);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_changed_by_hand_is_shown_with_both_values_and_mended() {
    let consul = Consul::shared().await;
    let world = World::new(&consul.address());
    assert_eq!(world.drift(&[]).0, Some(0));

    consul.kv_put(&world.key("app/timeout"), "9").await;
    consul.kv_delete(&world.key("app/url")).await;
    let pair = world.differs("changed-by-hand");
    assert_eq!(
        pair["keys"],
        json!([
            {"key": world.key("app/timeout"), "what": "was changed by hand",
             "found": "9", "expected": "1"},
            {"key": world.key("app/url"), "what": "was deleted by hand",
             "found": null, "expected": "https://pay"},
        ])
    );
    let ran = world.user.run(&["drift", "--store", "store.db"]);
    for text in [
        "is: 9",
        "should be: 1",
        "mend: cfgctl drift --repair shop --store store.db",
    ] {
        assert!(ran.stdout.contains(text), "{}", ran.stdout);
    }
    world.mend(&pair);
    assert_eq!(
        consul.kv_get(&world.key("app/timeout")).await.unwrap(),
        b"1"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edited_snapshot_is_shown_with_the_values_that_differ() {
    let consul = Consul::shared().await;
    let world = World::new(&consul.address());
    let key = world.key("cfgctl/shop/snapshot");
    let text = String::from_utf8(consul.kv_get(&key).await.unwrap()).unwrap();
    consul
        .kv_put(&key, text.replace("\"timeout\":1", "\"timeout\":9"))
        .await;
    let pair = world.differs("changed-by-hand");
    assert_eq!(
        pair["keys"][0]["values"],
        json!([{"path": "timeout", "change": "changed", "from": 1, "to": 9}])
    );
    world.mend(&pair);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_cluster_one_that_is_behind_and_one_that_is_ahead_are_mended() {
    let consul = Consul::start().await;
    let world = World::new(&consul.address());
    for key in consul.kv_keys(&world.root).await {
        consul.kv_delete(&key).await;
    }
    world.mend(&world.differs("missing"));

    consul.kill();
    world.declare(2);
    let ran = world.user.run(&[
        "apply",
        "-f",
        "files",
        "--yes",
        "--store",
        "store.db",
        "--timeout",
        "1s",
    ]);
    assert_eq!(ran.code, Some(3), "{}", ran.stderr);
    let (code, report) = world.drift(&["--timeout", "1s"]);
    assert_eq!(code, Some(7), "{report:#}");
    let pair = &report["clusters"][0];
    assert_eq!(
        (&pair["state"], &pair["mend"][0]),
        (
            &json!("unreachable"),
            &json!("cfgctl cluster check eu --store store.db"),
        )
    );

    // In memory: it comes back empty, and then holds what an older store delivers.
    consul.restart().await;
    std::fs::copy(
        world.user.directory().join("store.db"),
        world.user.directory().join("copy.db"),
    )
    .unwrap();
    world.apply("store.db");
    world.declare(3);
    world.apply("copy.db");
    let pair = world.differs("ahead");
    assert!(
        pair["cause"].as_str().unwrap().contains("version 3"),
        "{pair:#}"
    );
    world.mend(&pair);
    assert_eq!(
        consul.kv_get(&world.key("app/timeout")).await.unwrap(),
        b"2"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_is_behind_is_told_with_what_was_changed_by_hand() {
    let consul = Consul::start_on_disk().await;
    let world = World::new(&consul.address());
    consul.kv_put(&world.key("app/timeout"), "9").await;
    consul.kill();
    world.declare(2);
    let ran = world.user.run(&[
        "apply",
        "-f",
        "files",
        "--yes",
        "--store",
        "store.db",
        "--timeout",
        "1s",
    ]);
    assert_eq!(ran.code, Some(3), "{}", ran.stderr);
    consul.restart().await;
    let pair = world.differs("behind");
    assert_eq!((&pair["holds"], &pair["head"]), (&json!(1), &json!(2)));
    assert_eq!(pair["keys"][0]["expected"], "1");
    world.mend(&pair);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_others_in_our_place_are_reported_and_kept() {
    let consul = Consul::shared().await;
    let world = World::new(&consul.address());
    let foreign = world.key("app/theirs");
    consul.kv_put(&foreign, "x").await;
    let pair = world.differs("foreign-keys");
    assert_eq!(pair["foreign"], json!([foreign]));
    assert_eq!(
        pair["mend"],
        json!([format!(
            "consul kv delete -http-addr={} {foreign}",
            consul.address()
        )])
    );
    let ran = world
        .user
        .run(&["drift", "--repair", "--yes", "--store", "store.db"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(consul.kv_get(&foreign).await.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_acl_hides_is_not_what_is_missing() {
    let consul = Consul::start_with_acl(MASTER).await;
    let world = World::of(
        Cfgctl::new().with("CONSUL_HTTP_TOKEN", MASTER),
        &consul.address(),
    );
    let reader = consul
        .token("key_prefix \"other\" { policy = \"read\" }")
        .await;
    let ran = {
        let mut command = world
            .user
            .command(&["drift", "-o", "json", "--store", "store.db"]);
        command.env("CONSUL_HTTP_TOKEN", &reader.secret);
        command
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped());
        Ran::of(command.spawn().unwrap())
    };
    assert_eq!(ran.code, Some(7), "{}{}", ran.stdout, ran.stderr);
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    let pair = &report["clusters"][0];
    assert_eq!(pair["state"], "denied", "{pair:#}");
    let mend = pair["mend"][0].as_str().unwrap();
    assert_eq!(mend, "cfgctl cluster policy eu --store store.db");
    let words: Vec<_> = mend.split(' ').skip(1).collect();
    let policy = world.user.ok(&words);
    // A token with what it prints sees everything.
    let token = consul.token(&policy).await;
    let mut command = world.user.command(&["drift", "--store", "store.db"]);
    command
        .env("CONSUL_HTTP_TOKEN", &token.secret)
        .stdout(std::process::Stdio::piped());
    let ran = Ran::of(command.spawn().unwrap());
    assert_eq!(ran.code, Some(0), "{policy}\n{}", ran.stdout);

    for key in consul.kv_keys(&world.root).await {
        consul.kv_delete(&key).await;
    }
    world.mend(&world.differs("missing"));
}

#[tokio::test(flavor = "multi_thread")]
async fn repair_shows_its_plan_and_asks() {
    let consul = Consul::shared().await;
    let world = World::new(&consul.address());
    consul.kv_put(&world.key("app/timeout"), "9").await;
    let ran = world
        .user
        .run(&["drift", "--repair", "--store", "store.db"]);
    assert_eq!(ran.code, Some(2), "without a terminal nobody can say yes");
    assert!(
        ran.stderr.contains("repair") && ran.stderr.contains("--yes"),
        "{}",
        ran.stderr
    );
    let ran = world
        .user
        .run(&["drift", "--repair", "--dry-run", "--store", "store.db"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_eq!(
        consul.kv_get(&world.key("app/timeout")).await.unwrap(),
        b"9"
    );

    for arguments in [
        &["drift", "--yes"][..],
        &["drift", "--adopt"],
        &["drift", "--repair", "-o", "markdown"],
        &["status", "-o", "junit"],
        &["diff", "-o", "github"],
    ] {
        assert_eq!(world.user.run(arguments).code, Some(2), "{arguments:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn watching_tells_what_changes_until_it_is_interrupted() {
    let consul = Consul::shared().await;
    let world = World::new(&consul.address());
    let mut child = world
        .user
        .spawn(&["drift", "--watch=200ms", "--store", "store.db"]);
    let (sender, receiver) = std::sync::mpsc::channel();
    let stdout = BufReader::new(child.stdout.take().unwrap());
    std::thread::spawn(move || {
        for line in stdout.lines().map_while(Result::ok) {
            _ = sender.send(line);
        }
    });
    let wait = |text: &str| loop {
        let line = receiver.recv_timeout(Duration::from_secs(60)).expect(text);
        if line.contains(text) {
            return;
        }
    };
    wait("in sync: 1 snapshot in 1 cluster");
    consul.kv_put(&world.key("app/timeout"), "9").await;
    wait("changed by hand");
    consul.kv_put(&world.key("app/timeout"), "1").await;
    wait("in sync: 1 snapshot in 1 cluster");
    // The same again and again is no news.
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert!(receiver.try_recv().is_err());

    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
}
