use super::*;
use crate::model::{Publish, SpringFormat};

/// A set of `keys` keys with values of `bytes` bytes, one per line from line 4.
fn set(keys: usize, bytes: usize, publish: &str) -> String {
    let mut yaml = "kind: ConfigSet\nmetadata: {name: big}\nspec:\n  values:\n".to_owned();
    for number in 0..keys {
        writeln!(yaml, "    key{number:03}: {}", "x".repeat(bytes)).unwrap();
    }
    writeln!(yaml, "  publish: [{publish}]").unwrap();
    yaml
}

#[test]
fn more_keys_than_an_old_consul_takes_are_a_warning_and_than_a_new_one_an_error() {
    let keys = "keys: {prefix: app}";
    assert_eq!(found(&set(63, 1, keys)), "");
    insta::assert_snapshot!(found(&set(64, 1, keys)), @r#"
    69:28 warning many-keys: set `big` needs Consul 1.14 or later (in eu-dev, eu-west, us-east)
      label: 65 operations in one transaction; before 1.14 the limit is 64
      help: state the limit as `spec.consul.limits.operations`
    "#);
    insta::assert_snapshot!(found(&set(128, 1, keys)), @r#"
    133:28 too-many-keys: set `big` needs 129 operations in one transaction, the limit is 128 (in eu-dev, eu-west, us-east)
      help: publish one document in place of many keys, split the set, or let the keys arrive in batches with `atomic: false`
    "#);
}

#[test]
fn what_is_too_large_is_refused_with_the_numbers() {
    insta::assert_snapshot!(found(&set(1, 600_000, "keys: {prefix: app}")), @r#"
    4:3 too-large: set `big` needs a request of 802277 bytes (values in base64), the limit is 524288 (in eu-dev, eu-west, us-east)
      help: split the set, or publish it fewer times; Consul's `txn_max_req_len` is the limit
    5:5 too-large: set `big`: `app/key000` has 600000 bytes, the limit for one value is 524288 (in eu-dev, eu-west, us-east)
      help: split the set; Consul's `kv_max_value_size` is the limit
    "#);
    // The keys fit, and the snapshot goes in parts.
    assert_eq!(found(&set(2, 150_000, "keys: {prefix: app}")), "");
}

#[test]
fn keys_that_need_not_change_at_once_may_be_many() {
    assert_eq!(
        found(&set(1_000, 10, "keys: {prefix: app, atomic: false}")),
        ""
    );
    assert_eq!(
        found(&set(3_000, 1_000, "keys: {prefix: app, atomic: false}")),
        ""
    );
}

#[test]
fn an_administrator_knows_the_limits_better() {
    let clusters = fixture(
        "\
kind: Cluster
metadata: {name: roomy}
spec: {consul: {prefix: cfgctl, limits: {operations: 100, valueBytes: 2000000, requestBytes: 9000000}}}
---
kind: Cluster
metadata: {name: laptop}
spec: {directory: {path: /tmp/out}}
",
    );
    let shown_for = |yaml: &str| shown(&checked(&fixture(yaml), &clusters));
    assert_eq!(shown_for(&set(99, 6_000, "keys: {prefix: app}")), "");
    insta::assert_snapshot!(shown_for(&set(100, 1, "keys: {prefix: app}")), @r#"
    105:28 too-many-keys: set `big` needs 101 operations in one transaction, the limit is 100 (in roomy)
      help: publish one document in place of many keys, split the set, or let the keys arrive in batches with `atomic: false`
    "#);
}

/// Also the place where something quadratic would show: it would take minutes.
#[test]
fn each_of_a_thousand_clashes_is_found_once() {
    let mut sets = Vec::new();
    for number in 0..1000 {
        let mut yaml = set(60, 10, &format!("keys: {{prefix: app/{number}}}"));
        yaml = yaml.replace("name: big", &format!("name: set-{number}"));
        sets.extend(fixture(&yaml));
    }
    let clusters = fixture(CLUSTERS);
    assert_eq!(checked(&sets, &clusters), []);

    // The worst: all of them are one application, and no key is theirs alone.
    for manifest in &mut sets {
        if let Content::Set(set) = &mut manifest.content {
            let context = "app".parse().unwrap();
            set.publish = vec![Publish::Spring {
                context,
                format: SpringFormat::KeyValue,
                atomic: true,
            }];
        }
    }
    let found = checked(&sets, &clusters);
    let count = |code| found.iter().filter(|finding| finding.code == code).count();
    assert_eq!(
        (count("key-twice"), count("key-in-context"), found.len()),
        (999, 1000, 1999)
    );
}
