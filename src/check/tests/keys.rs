use super::*;

#[test]
fn two_sets_with_the_same_key_are_both_shown() {
    let found = found(
        "\
kind: ConfigSet
metadata: {name: a}
spec:
  values: {x: 1, y: 2, z: 3}
  publish: [{keys: {prefix: app}}]
---
kind: ConfigSet
metadata: {name: b}
spec:
  clusters: {region: eu}
  values: {w: 1, x: 1, y: 2}
  publish:
    - spring: {context: config/b}
    - keys: {prefix: app}
---
kind: ConfigSet
metadata: {name: c}
spec:
  clusters: {stage: dev}
  values: {y: 1}
  publish:
    - keys: {prefix: app}
",
    );
    insta::assert_snapshot!(found, @r"
    14:22 key-twice: set `b` writes `app/x` and 1 more key, and so does set `a`
      5:29 set `a` publishes here
      help: publish one of the two somewhere else
    22:22 key-twice: set `c` writes `app/y`, and so does set `a`
      5:29 set `a` publishes here
      help: publish one of the two somewhere else
    ");
}

#[test]
fn a_set_of_the_store_is_named_and_clashes_within_the_store_are_not_our_matter() {
    let stored = "\
kind: ConfigSet
metadata: {name: old}
spec: {values: {x: 1}, publish: [{keys: {prefix: app}}]}
---
kind: ConfigSet
metadata: {name: older}
spec: {values: {x: 1}, publish: [{keys: {prefix: app}}]}
";
    let declared = "\
kind: ConfigSet
metadata: {name: a}
spec:
  values: {x: 1}
  publish: [{keys: {prefix: app}}]
";
    insta::assert_snapshot!(found_beside(declared, stored), @r"
    5:29 key-twice: set `a` writes `app/x`, and so does set `old`
      help: set `old` is in the store already
      help: publish one of the two somewhere else
    5:29 key-twice: set `a` writes `app/x`, and so does set `older`
      help: set `older` is in the store already
      help: publish one of the two somewhere else
    ");
    assert_eq!(found_beside("", stored), "");
}

#[test]
fn sets_that_never_meet_may_share_a_key() {
    let found = found(
        "\
kind: ConfigSet
metadata: {name: a}
spec: {clusters: {region: eu}, values: {x: 1}, publish: [{keys: {prefix: app}}]}
---
kind: ConfigSet
metadata: {name: b}
spec: {clusters: {region: us}, values: {x: 1}, publish: [{keys: {prefix: app}}]}
",
    );
    assert_eq!(found, "");
}

#[test]
fn one_set_does_not_write_a_key_twice() {
    let yaml = "\
kind: ConfigSet
metadata: {name: a}
spec:
  values: {data: 1}
  publish:
    - spring: {context: app}
    - keys: {prefix: app}
";
    insta::assert_snapshot!(found(yaml), @r"
    7:22 key-twice: two publish targets of set `a` write `app/data`
      6:25 set `a` publishes here
      help: publish one of the two somewhere else
    ");
    let alone = fixture(yaml);
    assert_eq!(shown(&checked(&alone, &[])), found(yaml));
}

#[test]
fn keys_do_not_lie_where_cfgctl_keeps_its_own() {
    let found = found(
        "\
kind: ConfigSet
metadata: {name: a}
spec:
  values: {x: 1, y: 1}
  publish:
    - keys: {prefix: cfgctl/a}
    - spring: {context: ops, format: key-value}
",
    );
    insta::assert_snapshot!(found, @r#"
    6:22 key-reserved: set `a` writes `cfgctl/a/x` and 1 more key, where cfgctl keeps its own keys (in eu-dev, eu-west)
      help: publish somewhere else, or give the cluster another `prefix`
    7:25 key-reserved: cfgctl's own keys below `ops/cfgctl/` would be properties of the application of set `a` (in us-east)
      help: publish somewhere else, or give the cluster another `prefix`
    "#);
}

#[test]
fn a_new_cluster_is_where_old_keys_clash_with_its_prefix() {
    let stored = fixture(
        "\
kind: ConfigSet
metadata: {name: a}
spec: {values: {x: 1}, publish: [{keys: {prefix: conf/a}}]}
",
    );
    let declared = fixture(
        "\
kind: Cluster
metadata: {name: new}
spec:
  consul: {prefix: conf}
",
    );
    insta::assert_snapshot!(shown(&checked(&declared, &stored)), @r#"
    4:20 key-reserved: set `a` writes `conf/a/x`, where cfgctl keeps its own keys
      help: publish somewhere else, or give the cluster another `prefix`
    "#);
}

#[test]
fn nothing_of_others_lies_where_every_key_is_a_property() {
    let found = found(
        "\
kind: ConfigSet
metadata: {name: a}
spec:
  values: {x: 1}
  publish:
    - spring: {context: config/a, format: key-value}
    - keys: {prefix: config/a/more}
---
kind: ConfigSet
metadata: {name: b}
spec:
  values: {y: 1, z: 2}
  publish:
    - keys: {prefix: config/a/b}
    - keys: {prefix: config/ab}
",
    );
    insta::assert_snapshot!(found, @r#"
    14:22 key-in-context: set `b` writes `config/a/b/y` and 1 more key where every key is a property of the application of set `a`
      6:25 set `a` publishes here
    7:22 warning key-in-context: set `a` writes `config/a/more/x` where every key is a property of the application of set `a`
      6:25 set `a` publishes here
    "#);
}

#[test]
fn a_key_that_cannot_be_published_is_shown_in_the_layer_that_has_it() {
    let found = found(
        "\
kind: ConfigSet
metadata: {name: a}
spec:
  values:
    /login: {a: 1, b: 2}
    l: [{ok: 1}]
  layers:
    - name: eu
      when: {region: eu}
      values:
        l:
          - ok: 1
            ' no': 2
  publish:
    - spring: {context: config/a, format: key-value}
---
kind: ConfigSet
metadata: {name: b}
spec:
  values:
    a.b: 1
    a: {b: 2}
  publish:
    - spring: {context: config/b}
",
    );
    insta::assert_snapshot!(found, @r#"
    5:5 key-unusable: `/login` cannot be part of a published key: it has a slash
      15:25 published here
      help: rename the key, or publish it in another way
    13:13 key-unusable: ` no` cannot be part of a published key: it starts or ends with a space (in eu-dev, eu-west)
      15:25 published here
      help: rename the key, or publish it in another way
    21:5 property-twice: `"a.b"` and `a.b` are both the property `a.b`
      22:9 the other value
      24:25 published here
      help: give one of the two another name
    "#);
}
