use super::*;

#[test]
fn a_layer_that_keeps_to_the_defaults_is_fine() {
    let found = found(
        "\
kind: ConfigSet
metadata: {name: shop}
spec:
  values: {payment: {provider: stripe, hosts: [a], none: null}}
  layers:
    - {name: eu, when: {region: eu}, values: {payment: {hosts: [b, c], none: 3, provider: null}}}
    - {name: us, when: {region: us}, values: {payment: {}}}
",
    );
    assert_eq!(found, "");
}

#[test]
fn a_key_that_the_defaults_lack_is_shown_where_it_is_written() {
    let found = found(
        "\
kind: ConfigSet
metadata: {name: shop}
spec:
  values:
    payment: {timeoutMs: 1, provider: x}
  layers:
    - name: eu
      when: {region: eu}
      values:
        payment:
          timeoutMS: 2
          provider: y
        paymant:
          anything: 1
          more: 2
        other: 1
",
    );
    insta::assert_snapshot!(found, @r#"
    11:11 layer-unknown-key: layer `eu` sets `payment.timeoutMS`, which the defaults do not have
      label: not among the defaults
      help: did you mean `timeoutMs`?
    13:9 layer-unknown-key: layer `eu` sets `paymant`, which the defaults do not have
      label: not among the defaults
      help: did you mean `payment`?
    16:9 layer-unknown-key: layer `eu` sets `other`, which the defaults do not have
      label: not among the defaults
      help: add `other` to `spec.values`
    "#);
}

#[test]
fn a_map_is_not_replaced_by_something_else_nor_the_reverse() {
    let found = found(
        "\
kind: ConfigSet
metadata: {name: shop}
spec:
  values:
    payment: {timeoutMs: 1}
    name: x
    none: null
  layers:
    - name: eu
      when: {region: eu}
      values:
        payment: [1]
        name: {a: 1}
        none: {}
",
    );
    insta::assert_snapshot!(found, @r"
    12:18 layer-other-shape: layer `eu` replaces `payment`, a map in the defaults, by a list
      5:5 the default is here
      help: keep the shape of the default, or change it in `spec.values`
    13:15 layer-other-shape: layer `eu` replaces `name`, a string in the defaults, by a map
      6:5 the default is here
      help: keep the shape of the default, or change it in `spec.values`
    14:15 layer-other-shape: layer `eu` replaces `none`, null in the defaults, by a map
      7:5 the default is here
      help: keep the shape of the default, or change it in `spec.values`
    ");
}

#[test]
fn a_selector_that_matches_nothing_is_a_warning_with_a_guess() {
    let found = found(
        "\
kind: ConfigSet
metadata: {name: shop}
spec:
  clusters: {stage: prod}
  values: {a: 1}
  layers:
    - {name: a, when: {region: ue}, values: {a: 2}}
    - {name: b, when: {regio: eu}, values: {a: 2}}
    - {name: c, when: {region: antarctica}, values: {a: 2}}
    - {name: d, when: {market: de}, values: {a: 2}}
    - {name: e, when: {region: us, stage: dev}, values: {a: 2}}
    - {name: f, when: {stage: dev}, values: {a: 2}}
---
kind: ConfigSet
metadata: {name: nowhere}
spec:
  clusters: {stage: prd}
  values: {a: 1}
",
    );
    insta::assert_snapshot!(found, @r#"
    7:23 warning selector-matches-nothing: layer `a` matches no cluster: `region=ue`
      help: did you mean `region=eu`?
    8:23 warning selector-matches-nothing: layer `b` matches no cluster: `regio=eu`
      help: did you mean `region`?
    9:23 warning selector-matches-nothing: layer `c` matches no cluster: `region=antarctica`
      help: the clusters have `region`: eu, home, us
    10:23 warning selector-matches-nothing: layer `d` matches no cluster: `market=de`
      help: no cluster has the label `market`
    11:23 warning selector-matches-nothing: layer `e` matches no cluster: `region=us,stage=dev`
      help: each part of it matches some cluster, but no cluster matches all
    12:23 warning layer-never-used: layer `f` matches only clusters that the set does not go to
      4:13 the set goes only here
    17:13 warning selector-matches-nothing: `stage=prd` matches no cluster
      label: the set goes nowhere
      help: did you mean `stage=prod`?
    "#);
}

#[test]
fn without_clusters_no_selector_is_judged() {
    let manifests = fixture(
        "\
kind: ConfigSet
metadata: {name: shop}
spec:
  clusters: {stage: prd}
  values: {a: 1}
  layers: [{name: a, when: {region: ue}, values: {a: 2}}]
",
    );
    assert_eq!(shown(&checked(&manifests, &[])), "");
}
