//! A Consul that denies by default: what a token needs, where it comes from, and that it stays
//! secret.

use crate::support::consul::{Consul, Token};
use crate::support::world::{World, fleet};

const MASTER: &str = "3f1e2d4c-5b6a-4789-8abc-def012345678";

/// The least that `apply`, `diff`, `status` and `delete` work with: write below our own prefix and
/// where the sets are published. `agent:read` is not needed; without it the smaller limits hold.
fn least_policy(prefix: &str) -> String {
    format!(
        r#"key_prefix "{prefix}/cfgctl/" {{ policy = "write" }}
        key_prefix "{prefix}/app/checkout/" {{ policy = "write" }}
        key "{prefix}/config/checkout/data" {{ policy = "write" }}"#
    )
}

/// An open cluster, and one that denies; everything that must never be printed.
struct Guarded {
    world: World,
    consul: Consul,
    secrets: Vec<String>,
}

impl Guarded {
    async fn start() -> Self {
        let consul = Consul::start_with_acl(MASTER).await;
        let world = World::of([&fleet().await[0], &consul]);
        Self {
            world,
            consul,
            secrets: vec![MASTER.to_owned()],
        }
    }

    async fn token(&mut self, rules: &str) -> Token {
        let token = self.consul.token(rules).await;
        self.secrets.push(token.secret.clone());
        token
    }

    /// A token with the least policy.
    async fn least(&mut self) -> Token {
        let policy = least_policy(&self.world.prefix);
        self.token(&policy).await
    }

    /// Runs a command in every format. Ends with this code in each, and never tells a secret.
    fn run(&self, code: i32, arguments: &[&str]) -> String {
        let mut all = String::new();
        for format in ["table", "wide", "yaml", "json"] {
            let arguments = [arguments, &["-o", format]].concat();
            let said = self.world.user.run(&arguments).expect_code(code);
            for secret in &self.secrets {
                assert!(!said.stdout.contains(secret), "{arguments:?}");
                assert!(!said.stderr.contains(secret), "{arguments:?}");
            }
            all = said.stdout + &said.stderr;
        }
        all
    }

    /// Everything that cfgctl does with a cluster works.
    async fn everything_works(&self) {
        let file = self.world.declare(1);
        let files = ["-f", "clusters.yaml", "-f", &file];
        let with = |command: &[&'static str]| [command, &files].concat();
        self.run(1, &with(&["diff"]));
        self.run(0, &with(&["apply", "--yes"]));
        self.run(0, &with(&["diff"]));
        let status = self.run(0, &["status"]);
        assert_eq!(status.matches("in-sync").count(), 2, "{status}");
        self.run(0, &["cluster", "check"]);
        self.run(0, &["apply", "--resume", "--yes"]);
        let other = self.world.declare(2);
        let apply = ["apply", "--yes", "-f", "clusters.yaml", "-f", &other];
        self.run(0, &apply);
        self.run(0, &["rollback", "checkout", "--to", "1", "--yes"]);
        let keys = self.consul.kv_keys(&self.world.prefix).await;
        assert_eq!(keys.len(), 5);
        for key in keys {
            let value = self.consul.kv_get(&key).await.unwrap();
            let value = String::from_utf8(value).unwrap();
            for secret in &self.secrets {
                assert!(!value.contains(secret), "{key}");
            }
        }
        self.world.user.ok(&["delete", "checkout", "--yes"]);
        assert!(self.consul.kv_keys(&self.world.prefix).await.is_empty());
    }
}

#[tokio::test]
async fn the_least_policy_is_enough_with_the_token_of_the_environment() {
    let mut guarded = Guarded::start().await;
    let token = guarded.least().await;
    guarded.world.user.set("CONSUL_HTTP_TOKEN", &token.secret);
    guarded.everything_works().await;
}

#[tokio::test]
async fn the_token_may_come_from_a_variable_that_the_manifest_names() {
    let mut guarded = Guarded::start().await;
    let token = guarded.least().await;
    let addresses = guarded.world.addresses();
    guarded
        .world
        .declare_clusters(addresses, " token: {env: TOKEN_OF_SHOP},");
    guarded.world.user.set("TOKEN_OF_SHOP", &token.secret);
    guarded.world.user.set("CONSUL_HTTP_TOKEN", "not-this-one");
    guarded.everything_works().await;
}

#[tokio::test]
async fn the_token_may_come_from_a_file() {
    let mut guarded = Guarded::start().await;
    let token = guarded.least().await;
    let addresses = guarded.world.addresses();
    guarded
        .world
        .user
        .write("token", &format!("{}\n", token.secret));
    guarded
        .world
        .declare_clusters(addresses, " token: {file: token},");
    guarded.everything_works().await;
}

#[tokio::test]
async fn a_token_that_may_not_leaves_everything_as_it_is_and_holds_nobody_up() {
    let mut guarded = Guarded::start().await;
    let prefix = guarded.world.prefix.clone();
    let least = least_policy(&prefix);
    let least = guarded.token(&least).await;
    guarded.world.user.set("CONSUL_HTTP_TOKEN", &least.secret);
    guarded.world.apply(1).expect_code(0);
    let before = guarded.consul.kv_keys(&prefix).await;
    assert_eq!(before.len(), 5);

    // None, a wrong one, a revoked one, one that only reads, and one that sees half.
    let revoked = guarded.consul.token(&least_policy(&prefix)).await;
    guarded.consul.revoke(&revoked).await;
    let reads = least_policy(&prefix).replace("write", "read");
    let reads = guarded.consul.token(&reads).await;
    let half = format!(r#"key_prefix "{prefix}/cfgctl/" {{ policy = "write" }}"#);
    let half = guarded.consul.token(&half).await;
    let blind = format!(r#"key_prefix "{prefix}/app/" {{ policy = "write" }}"#);
    let blind = guarded.consul.token(&blind).await;
    guarded.secrets.push(revoked.secret.clone());
    let wrong = "00000000-1111-2222-3333-444444444444".to_owned();
    let tokens = [
        ("none", String::new(), "denied"),
        ("wrong", wrong, "denied"),
        ("revoked", revoked.secret, "denied"),
        ("reads only", reads.secret, "read-only"),
        ("half", half.secret, "read-only"),
        ("blind", blind.secret, "denied"),
    ];
    let everywhere = guarded.world.history().await;
    for (n, (name, secret, state)) in (2..).zip(&tokens) {
        guarded.world.user.set("CONSUL_HTTP_TOKEN", secret);
        // What only one half may write is for whoever may write all of it.
        let said = guarded.world.apply(n).expect_code(6);
        assert!(said.stderr.contains("--clusters"), "{name}: {said:?}");
        assert_eq!(guarded.world.history().await, everywhere, "{name}");
        assert_eq!(guarded.world.held(0), Some((1, 1)), "{name}");
        let index = guarded.consul.kv_keys(&prefix).await;
        assert_eq!(index, before, "{name}");
        let checked = guarded
            .world
            .user
            .run(&["cluster", "check", "-o", "json"])
            .expect_code(6);
        assert_eq!(checked.json()["healthy"], false, "{name}: {checked:?}");
        assert_eq!(checked.each_cluster("state"), ["ok", state], "{name}");
        for text in [&said.stdout, &said.stderr, &checked.stdout, &checked.stderr] {
            assert!(
                secret.is_empty() || !text.contains(secret),
                "{name}: {text}"
            );
        }
    }
    // Whoever leaves the cluster out holds nobody up, and is held up by nobody.
    let said = guarded.world.apply_with(9, &["-l", "number!=c1"]);
    assert_eq!(said.expect_code(0).outcomes(), ["delivered"]);
    assert_eq!(guarded.consul.kv_keys(&prefix).await, before);
    let resumed = guarded.world.json(3, &["apply", "--resume", "--yes"]);
    assert_eq!(resumed["clusters"][1]["outcome"], "denied", "{resumed:#}");

    guarded.world.user.set("CONSUL_HTTP_TOKEN", &least.secret);
    guarded.world.user.ok(&["apply", "--resume", "--yes"]);
    let status = guarded.run(0, &["status"]);
    assert_eq!(status.matches("in-sync").count(), 2, "{status}");
}

#[tokio::test]
async fn whoever_only_reads_everywhere_switches_nothing() {
    let mut guarded = Guarded::start().await;
    let prefix = guarded.world.prefix.clone();
    let least = guarded.least().await;
    guarded.world.user.set("CONSUL_HTTP_TOKEN", &least.secret);
    let reads = least_policy(&prefix).replace("write", "read");
    let reads = guarded.token(&reads).await;
    let address = guarded.consul.address();
    guarded.world.reach_through([address]);
    let file = guarded.world.declare(1);
    let path = guarded.world.user.directory().join(&file);
    let text = std::fs::read_to_string(&path).unwrap();
    let breaker = "  breakers:\n    slow: {trip: {values: {payment: {timeoutMs: 9}}}}\n";
    std::fs::write(&path, text + breaker).unwrap();
    guarded.run(0, &["apply", "--yes", "-f", "clusters.yaml", "-f", &file]);

    guarded.world.user.set("CONSUL_HTTP_TOKEN", &reads.secret);
    let said = guarded.run(
        6,
        &["breaker", "trip", "checkout/slow", "--reason", "x", "--yes"],
    );
    assert!(said.contains("may not write"), "{said}");
    guarded.run(6, &["delete", "checkout", "--yes"]);
    assert_eq!(guarded.world.history().await, [(1, 1)]);
    let keys = guarded.consul.kv_keys(&guarded.world.prefix).await;
    assert_eq!(keys.len(), 5);
}
