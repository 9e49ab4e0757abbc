//! The policy of `cfgctl cluster policy` suffices, and nothing of it can be taken away.

use crate::support::cli::{Cfgctl, Ran};
use crate::support::consul::{Consul, unique_prefix};

const MASTER: &str = "6f1f6a3e-7b1e-4f0e-9a55-0d3c8b1f2a13";

/// A user with files that publish in every way below `root`; `step` is a value and names a key.
fn user(consul: &Consul, root: &str, step: u32) -> Cfgctl {
    let user = Cfgctl::new();
    write(&user, consul, root, step);
    user
}

fn write(user: &Cfgctl, consul: &Consul, root: &str, step: u32) {
    // More than one value and one transaction take there.
    let bulk: Vec<_> = (0..20)
        .map(|n| format!("k{n}: '{step}{}'", "x".repeat(300)))
        .collect();
    let bulk = bulk.join(", ");
    user.write(
        "conf/all.yaml",
        &format!(
            r#"
apiVersion: cfgctl.dev/v1
kind: Cluster
metadata: {{name: eu, labels: {{stage: prod}}}}
spec:
  consul:
    address: '{address}'
    prefix: {root}/own
    limits: {{operations: 8, valueBytes: 4096, requestBytes: 16384}}
---
apiVersion: cfgctl.dev/v1
kind: Cluster
metadata: {{name: laptop, labels: {{stage: test}}}}
spec: {{directory: {{path: out}}}}
---
apiVersion: cfgctl.dev/v1
kind: ConfigSet
metadata: {{name: checkout}}
spec:
  clusters: {{stage: prod}}
  values: {{payment: {{timeoutMs: {step}}}, only{step}: x}}
  publish:
    - spring: {{context: '{root}/config/${{a}} "b" \c'}}
    - keys: {{prefix: {root}/app/checkout}}
---
apiVersion: cfgctl.dev/v1
kind: ConfigSet
metadata: {{name: search}}
spec:
  clusters: {{stage: prod}}
  values: {{size: {step}}}
  publish:
    - spring: {{context: {root}/config/search, format: properties}}
    - spring: {{context: {root}/config/find, format: key-value}}
---
apiVersion: cfgctl.dev/v1
kind: ConfigSet
metadata: {{name: bulk}}
spec:
  clusters: {{stage: prod}}
  values: {{{bulk}}}
  publish: [keys: {{prefix: {root}/app/bulk, atomic: false}}]
---
apiVersion: cfgctl.dev/v1
kind: ConfigSet
metadata: {{name: elsewhere}}
spec:
  clusters: {{stage: test}}
  values: {{a: {step}}}
"#,
            address = consul.address()
        ),
    );
}

/// Everything that a cluster sees in the life of its sets, with `token`; what first goes wrong.
fn live(user: Cfgctl, consul: &Consul, root: &str, token: &str) -> Result<(), String> {
    let user = user.with("CONSUL_HTTP_TOKEN", token);
    let run = |arguments: &[&str], code: i32| -> Result<String, String> {
        let ran = user.run(arguments);
        if ran.code == Some(code) {
            return Ok(ran.stdout);
        }
        let Ran { stdout, stderr, .. } = ran;
        Err(format!(
            "{arguments:?} ends with {:?}:\n{stdout}{stderr}",
            ran.code
        ))
    };
    let in_sync = || -> Result<(), String> {
        let status = run(&["status", "-o", "json"], 0)?;
        let fine = status.contains("\"inSync\": true")
            && !status.contains("\"denied\"")
            && !status.contains("\"unusable\"");
        if fine { Ok(()) } else { Err(status) }
    };
    run(&["diff", "-f", "conf"], 1)?;
    run(&["apply", "-f", "conf", "--yes"], 0)?;
    in_sync()?;
    run(&["diff", "-f", "conf"], 0)?;
    // A key of every kind changes, one comes and one goes.
    write(&user, consul, root, 2);
    let deletes = "--allow-deletes";
    run(&["apply", "-f", "conf", "--yes", deletes], 0)?;
    in_sync()?;
    run(&["rollback", "checkout", "--yes", deletes], 0)?;
    in_sync()?;
    run(
        &["delete", "checkout", "search", "bulk", "elsewhere", "--yes"],
        0,
    )?;
    in_sync()
}

fn rules(hcl: &str) -> Vec<&str> {
    hcl.lines().filter(|line| !line.starts_with('#')).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_policy_suffices_and_no_rule_of_it_can_be_taken_away_or_weakened() {
    let consul = Consul::start_with_acl(MASTER).await;
    let printed = |root: &str| {
        let user = user(&consul, root, 1);
        let policy = user.ok(&["cluster", "policy", "eu", "-f", "conf"]);
        (user, policy)
    };
    let root = unique_prefix();
    let (whole, policy) = printed(&root);
    insta::assert_snapshot!(policy.replace(&root, "ROOT"), @r##"
    # What cfgctl needs in cluster `eu`, and nothing else.
    # `agent_prefix "" { policy = "read" }` is not needed: without it cfgctl cannot read the
    # version of the Consul, and keeps to the smaller transactions of old versions.
    key "ROOT/config/\u0024{a} \"b\" \\c/data" { policy = "write" }
    key "ROOT/config/search/data" { policy = "write" }
    key_prefix "ROOT/app/bulk/" { policy = "write" }
    key_prefix "ROOT/app/checkout/" { policy = "write" }
    key_prefix "ROOT/config/find/" { policy = "write" }
    key_prefix "ROOT/own/bulk/" { policy = "write" }
    key_prefix "ROOT/own/checkout/" { policy = "write" }
    key_prefix "ROOT/own/elsewhere/" { policy = "read" }
    key_prefix "ROOT/own/search/" { policy = "write" }
    "##);
    let token = consul.token(&policy).await.secret;
    assert_eq!(live(whole, &consul, &root, &token), Ok(()));
    assert_eq!(consul.kv_keys(&root).await, Vec::<String>::new());

    for n in 0..rules(&policy).len() {
        for weaker in [None, Some("read")] {
            let root = unique_prefix();
            let (user, policy) = printed(&root);
            let mut rules: Vec<String> = rules(&policy).into_iter().map(Into::into).collect();
            let rule = rules.remove(n);
            if let Some(weaker) = weaker {
                if !rule.contains("write") {
                    continue;
                }
                rules.push(rule.replace("write", weaker));
            }
            let token = consul.token(&rules.join("\n")).await.secret;
            let lived = live(user, &consul, &root, &token);
            assert!(lived.is_err(), "not needed, {weaker:?} is enough: {rule}");
        }
    }

    // Of its own keys a set that goes in parts and in batches needs every one.
    let snapshot = r#"key "ROOT/own/bulk/snapshot" { policy = "write" }"#;
    let parts = r#"key_prefix "ROOT/own/bulk/parts/" { policy = "write" }"#;
    let mark = r#"key "ROOT/own/bulk/delivering" { policy = "write" }"#;
    for (own, suffices) in [
        (&[snapshot, parts, mark][..], true),
        (&[snapshot, parts], false),
        (&[snapshot, mark], false),
        (&[parts, mark], false),
    ] {
        let root = unique_prefix();
        let (user, policy) = printed(&root);
        let whole = format!(r#"key_prefix "{root}/own/bulk/" {{ policy = "write" }}"#);
        assert!(policy.contains(&whole));
        let own = own.join("\n").replace("ROOT", &root);
        let token = consul.token(&policy.replace(&whole, &own)).await.secret;
        let lived = live(user, &consul, &root, &token);
        assert_eq!(lived.is_ok(), suffices, "{own}: {lived:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_policy_comes_from_the_store_too_and_for_one_set() {
    let consul = Consul::start_with_acl(MASTER).await;
    let root = unique_prefix();
    let user = user(&consul, &root, 1).with("CONSUL_HTTP_TOKEN", MASTER);
    let from_files = user.ok(&["cluster", "policy", "eu", "-f", "conf"]);
    user.ok(&["apply", "-f", "conf", "--yes"]);
    assert_eq!(user.ok(&["cluster", "policy", "eu"]), from_files);
    let one = user.ok(&["cluster", "policy", "eu", "--set", "search", "-o", "name"]);
    assert_eq!(
        one.replace(&root, "ROOT"),
        "ROOT/config/search/data\nROOT/config/find/\nROOT/own/search/\n"
    );
    // With a token for one set, that set can be worked on.
    let policy = user.ok(&["cluster", "policy", "eu", "--set", "search"]);
    let token = consul.token(&policy).await.secret;
    let user = user.with("CONSUL_HTTP_TOKEN", &token);
    user.ok(&["status", "search"]);
    user.ok(&["delete", "search", "--yes"]);
}

#[test]
fn a_policy_is_refused_for_what_has_no_acls_or_is_not_known() {
    let user = Cfgctl::new();
    user.write(
        "eu.yaml",
        "apiVersion: cfgctl.dev/v1\nkind: Cluster\nmetadata: {name: eu}\n\
         spec: {directory: {path: out}}\n",
    );
    for (arguments, reason) in [
        (&["eu"][..], "is a directory, which has no ACLs"),
        (&["us"], "there is no cluster `us`"),
    ] {
        let mut line = vec!["cluster", "policy", "-f", "eu.yaml"];
        line.extend(arguments);
        let ran = user.run(&line);
        assert_eq!(ran.code, Some(2), "{}", ran.stderr);
        assert!(ran.stderr.contains(reason), "{}", ran.stderr);
    }
}
