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
    // What `cluster check` ends with, and what it says.
    let unknown = (6, "denies access");
    let may_not_write = (0, "may not write");
    let tokens = [
        ("none", String::new(), may_not_write),
        ("wrong", wrong, unknown),
        ("revoked", revoked.secret, unknown),
        ("reads only", reads.secret, may_not_write),
        ("half", half.secret, (0, "ok")),
        ("blind", blind.secret, may_not_write),
    ];
    for (n, (name, secret, (code, says))) in (2..).zip(&tokens) {
        guarded.world.user.set("CONSUL_HTTP_TOKEN", secret);
        let said = guarded.world.apply(n).expect_code(3);
        assert_eq!(said.outcomes(), ["delivered", "denied"], "{name}");
        let index = guarded.consul.kv_keys(&prefix).await;
        assert_eq!(index, before, "{name}");
        let key = guarded.world.snapshot_key();
        let snapshot = guarded.consul.kv_get(&key).await.unwrap();
        let snapshot: serde_json::Value = serde_json::from_slice(&snapshot).unwrap();
        assert_eq!(snapshot["version"], 1, "{name}");
        let checked = guarded.world.user.run(&["cluster", "check", "c1"]);
        assert_eq!(checked.code, Some(*code), "{name}: {checked:?}");
        assert!(checked.stdout.contains(says), "{name}: {checked:?}");
        for text in [&said.stdout, &said.stderr, &checked.stdout, &checked.stderr] {
            assert!(
                secret.is_empty() || !text.contains(secret),
                "{name}: {text}"
            );
        }
    }
    guarded.world.user.set("CONSUL_HTTP_TOKEN", &least.secret);
    guarded.world.user.ok(&["apply", "--resume", "--yes"]);
    let status = guarded.run(0, &["status"]);
    assert_eq!(status.matches("in-sync").count(), 2, "{status}");
}
