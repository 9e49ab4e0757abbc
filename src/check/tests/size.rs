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
            std::sync::Arc::make_mut(set).publish = vec![Publish::Spring {
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

#[test]
fn what_an_open_breaker_publishes_has_to_fit_into_each_cluster() {
    let clusters = "\
kind: Cluster
metadata: {name: narrow, labels: {region: eu}}
spec: {consul: {prefix: cfgctl, limits: {valueBytes: 1000}}}
---
kind: Cluster
metadata: {name: wide, labels: {region: us}}
spec: {consul: {prefix: cfgctl}}
---
kind: Cluster
metadata: {name: few, labels: {region: us}}
spec: {consul: {prefix: cfgctl, limits: {operations: 4}}}
";
    let yaml = format!(
        "\
kind: ConfigSet
metadata: {{name: shop}}
spec:
  values: {{text: x, list: [a]}}
  breakers:
    long:
      separately: {{region: eu}}
      trip: {{values: {{text: {}}}}}
    many:
      trip: {{values: {{list: [a, b, c, d]}}}}
    fine:
      trip: {{values: {{text: y}}}}
  publish:
    - spring: {{context: config/shop, format: key-value}}
",
        "x".repeat(1001)
    );
    let found = shown(&checked(&fixture(&yaml), &fixture(clusters)));
    insta::assert_snapshot!(found, @r#"
    4:3 too-large: the snapshot of set `shop` has 2294 bytes, the limit for one value is 1000 (in narrow)
      help: split the set; Consul's `kv_max_value_size` is the limit
    8:23 too-large: set `shop`: `config/shop/text` has 1001 bytes, the limit for one value is 1000 while breaker `long` is open (in narrow)
      help: split the set; Consul's `kv_max_value_size` is the limit
    14:25 too-many-keys: set `shop` needs 6 operations in one transaction, the limit is 4 while breaker `many` is open (in few)
      help: publish one document in place of many keys, split the set, or let the keys arrive in batches with `atomic: false`
    "#);
}

#[test]
fn what_a_flag_may_be_held_at_has_to_fit_too() {
    let flags = |flags: &str| {
        let yaml = format!(
            "kind: ConfigSet\nmetadata: {{name: shop}}\nspec:\n  values: {{a: 1}}\n  publish: [{{keys: {{prefix: app}}}}]\n  flags:\n{flags}"
        );
        let clusters = fixture(
            "kind: Cluster\nmetadata: {name: few}\nspec: {consul: {prefix: cfgctl, limits: {operations: 3, valueBytes: 1000}}}\n",
        );
        shown(&checked(&fixture(&yaml), &clusters))
    };
    let long = "x".repeat(1001);
    insta::assert_snapshot!(flags(&format!(
        "    text: {{state: ENABLED, variants: {{a: short, b: {long}}}, defaultVariant: a}}\n"
    )), @r#"
    4:3 too-large: the snapshot of set `shop` has 1970 bytes, the limit for one value is 1000
      help: split the set; Consul's `kv_max_value_size` is the limit
    7:5 too-large: set `shop`: `app/flags/text` has 1001 bytes, the limit for one value is 1000
      help: split the set; Consul's `kv_max_value_size` is the limit
    "#);
    // Disabled flags have no keys of their own before they are held.
    insta::assert_snapshot!(flags(
        "    one: {state: DISABLED, variants: {\"on\": true}, defaultVariant: \"on\"}\n    two: {state: DISABLED, variants: {\"on\": true}, defaultVariant: \"on\"}\n"
    ), @r#"
    4:3 too-large: the snapshot of set `shop` has 1120 bytes, the limit for one value is 1000
      help: split the set; Consul's `kv_max_value_size` is the limit
    5:29 too-many-keys: set `shop` needs 4 operations in one transaction, the limit is 3
      help: publish one document in place of many keys, split the set, or let the keys arrive in batches with `atomic: false`
    "#);
    assert_eq!(
        flags("    one: {state: DISABLED, variants: {\"on\": true}, defaultVariant: \"on\"}\n"),
        ""
    );
    // Each of them fits where the others are small.
    insta::assert_snapshot!(flags(
        "    one: {state: ENABLED, variants: {a: {}, b: {k: 1, l: 1}}, defaultVariant: a}\n    two: {state: ENABLED, variants: {c: {k: 1, l: 1}, d: {}}, defaultVariant: d}\n"
    ), @r#"
    4:3 too-large: the snapshot of set `shop` has 1148 bytes, the limit for one value is 1000
      help: split the set; Consul's `kv_max_value_size` is the limit
    5:29 too-many-keys: set `shop` needs 4 operations in one transaction, the limit is 3
      help: publish one document in place of many keys, split the set, or let the keys arrive in batches with `atomic: false`
    "#);
}

#[test]
fn whoever_touched_a_breaker_is_part_of_what_has_to_fit() {
    let set = |breakers: usize| {
        let mut yaml =
            "kind: ConfigSet\nmetadata: {name: shop}\nspec:\n  values: {a: 1}\n  breakers:\n"
                .to_owned();
        for number in 0..breakers {
            writeln!(yaml, "    b{number}: {{trip: {{values: {{a: 2}}}}}}").unwrap();
        }
        let clusters = fixture(
            "kind: Cluster\nmetadata: {name: small}\nspec: {consul: {prefix: cfgctl, limits: {operations: 1, valueBytes: 2500}}}\n",
        );
        shown(&checked(&fixture(&yaml), &clusters))
    };
    assert_eq!(set(1), "");
    insta::assert_snapshot!(set(9), @r#"
    4:3 too-large: the snapshot of set `shop` has 4805 bytes, the limit for one value is 2500
      help: split the set; Consul's `kv_max_value_size` is the limit
    "#);
}

#[test]
fn a_cluster_that_is_new_or_changes_has_room_for_what_is_stored() {
    let stored = format!(
        "\
kind: Cluster
metadata: {{name: old, labels: {{region: eu}}}}
spec: {{consul: {{prefix: cfgctl}}}}
---
kind: ConfigSet
metadata: {{name: shop}}
spec:
  schema: {{properties: {{a: {{maximum: 10}}}}}}
  values: {{a: 1, text: x}}
  layers: [{{name: us, when: {{region: us}}, values: {{a: 20}}}}]
  breakers: {{big: {{trip: {{values: {{text: {}}}}}}}}}
  publish: [{{keys: {{prefix: app}}}}]
",
        "x".repeat(2000)
    );
    let found = |declared: &str| shown(&checked(&fixture(declared), &fixture(&stored)));
    let old = |spec: &str| {
        format!(
            "kind: Cluster\nmetadata: {{name: old, labels: {{region: eu}}}}\nspec: {{consul: {{prefix: cfgctl{spec}}}}}\n"
        )
    };
    // It is as it was.
    assert_eq!(found(&old("")), "");
    assert_eq!(found(&old(", limits: {valueBytes: 3000}")), "");
    insta::assert_snapshot!(found(&old(", limits: {valueBytes: 1800}")), @r#"
    2:18 too-large: set `shop`: `app/text` has 2000 bytes, the limit for one value is 1800 while breaker `big` is open
      help: split the set; Consul's `kv_max_value_size` is the limit
      help: set `shop` is in the store already
    "#);
    insta::assert_snapshot!(found(
        "kind: Cluster\nmetadata: {name: new, labels: {region: us}}\nspec: {consul: {prefix: cfgctl}}\n"
    ), @r#"
    2:18 schema-violation: set `shop`: `a`: 20 is greater than the maximum of 10 (in new)
      help: set `shop` is in the store already
    "#);
}
