use std::path::Path;

use jiff::SignedDuration;
use proptest::prelude::*;

use crate::manifest::{ManifestSource, load};
use crate::model::{Choice, Flag, FlagName, FlagState, Key, Labels, Layer, Role};
use crate::yaml;

use super::*;

/// Writes what was loaded, loads that, and expects the same.
fn round_trip(text: &str) -> String {
    let first = load(
        vec![ManifestSource::Stdin(&mut text.as_bytes())],
        Path::new("/home/ops"),
    );
    assert_eq!(first.findings, []);
    let mut written = Vec::new();
    for manifest in &first.manifests {
        let value = manifest_of(&manifest.id, &manifest.content).unwrap();
        written.push(yaml::to_string(&value));
    }
    let written = written.join("---\n");
    let second = load(
        vec![ManifestSource::Stdin(&mut written.as_bytes())],
        Path::new("/"),
    );
    assert_eq!(second.findings, [], "{written}");
    let contents = |manifests: &[crate::manifest::Manifest]| -> Vec<_> {
        manifests
            .iter()
            .map(|manifest| (manifest.id.clone(), manifest.content.clone()))
            .collect()
    };
    assert_eq!(contents(&first.manifests), contents(&second.manifests));
    written
}

#[test]
fn a_manifest_that_is_written_loads_as_the_same_content() {
    let written = round_trip(
        r#"
apiVersion: cfgctl.dev/v1
kind: Cluster
metadata: {name: eu, labels: {stage: prod, "on": "1"}}
spec:
  consul:
    address: https://consul:8501
    prefix: a/b
    datacenter: dc1
    token: {file: secrets/token}
    limits: {operations: 64, valueBytes: 1, requestBytes: 2}
---
apiVersion: cfgctl.dev/v1
kind: Cluster
metadata: {name: laptop}
spec: {directory: {path: out/laptop}}
---
apiVersion: cfgctl.dev/v1
kind: ConfigSet
metadata: {name: checkout}
spec:
  clusters: stage in (prod,test),!legacy
  schema: {type: object}
  values: {no: {"1_000": "017"}, list: [1, 2.5, null]}
  layers:
    - {name: eu, when: {region: eu, stage: [a, b]}, values: {list: []}}
    - {name: all, when: {}, values: {}}
  publish:
    - spring: {context: config/checkout}
    - spring: {context: config/other, format: key-value}
    - keys: {prefix: app/checkout}
"#,
    );
    insta::assert_snapshot!(written, @r#"
    apiVersion: cfgctl.dev/v1
    kind: Cluster
    metadata:
      labels:
        "on": "1"
        stage: prod
      name: eu
    spec:
      consul:
        address: https://consul:8501
        datacenter: dc1
        limits:
          operations: 64
          requestBytes: 2
          valueBytes: 1
        prefix: a/b
        token:
          file: /home/ops/secrets/token
    ---
    apiVersion: cfgctl.dev/v1
    kind: Cluster
    metadata:
      name: laptop
    spec:
      directory:
        path: /home/ops/out/laptop
    ---
    apiVersion: cfgctl.dev/v1
    kind: ConfigSet
    metadata:
      name: checkout
    spec:
      clusters: "stage in (prod,test),!legacy"
      layers:
        - name: eu
          values:
            list: []
          when:
            region: eu
            stage:
              - a
              - b
        - name: all
          values: {}
          when: {}
      publish:
        - spring:
            context: config/checkout
        - spring:
            context: config/other
            format: key-value
        - keys:
            prefix: app/checkout
      schema:
        type: object
      values:
        list:
          - 1
          - 2.5
          - null
        "no":
          "1_000": "017"
    "#);
}

#[test]
fn what_may_arrive_in_batches_is_written_as_such() {
    let written = round_trip(
        "apiVersion: cfgctl.dev/v1\nkind: ConfigSet\nmetadata: {name: shop}\n\
         spec: {values: {}, publish: [\
         {spring: {context: a, format: key-value, atomic: false}},\
         {spring: {context: b, format: key-value, atomic: true}},\
         {keys: {prefix: c, atomic: false}}]}\n",
    );
    let (at, end) = (written.find("  publish:"), written.find("  values:"));
    insta::assert_snapshot!(&written[at.unwrap()..end.unwrap()], @r"
    publish:
      - spring:
          atomic: false
          context: a
          format: key-value
      - spring:
          context: b
          format: key-value
      - keys:
          atomic: false
          prefix: c
    ");
}

#[test]
fn tls_is_written_with_absolute_paths() {
    let written = round_trip(
        "apiVersion: cfgctl.dev/v1\nkind: Cluster\nmetadata: {name: eu}\n\
         spec: {consul: {tls: {caFile: ca.pem, certFile: ./us.pem, keyFile: /keys/us.key, serverName: a.b}}}\n",
    );
    let at = written.find("    tls:").unwrap();
    insta::assert_snapshot!(&written[at..], @r"
    tls:
      caFile: /home/ops/ca.pem
      certFile: /home/ops/us.pem
      keyFile: /keys/us.key
      serverName: a.b
    ");
}

#[test]
fn nothing_is_written_of_what_is_deleted() {
    assert_eq!(manifest_of(&"a".parse().unwrap(), &Content::Deleted), None);
}

fn name() -> impl Strategy<Value = String> {
    "[a-z0-9]([a-z0-9-]{0,6}[a-z0-9])?"
}

fn label() -> impl Strategy<Value = String> {
    prop_oneof![
        "[A-Za-z0-9]([A-Za-z0-9._-]{0,4}[A-Za-z0-9])?",
        Just("no".to_owned()),
        Just("1".to_owned()),
        Just("1_0".to_owned()),
    ]
}

fn selectors() -> impl Strategy<Value = Selector> {
    let values = || prop::collection::btree_set(prop_oneof![label(), Just(String::new())], 1..4);
    let requirement = prop_oneof![
        4 => (label(), values()).prop_map(|(key, values)| Requirement::In(key, values)),
        1 => (label(), values()).prop_map(|(key, values)| Requirement::NotIn(key, values)),
        1 => label().prop_map(Requirement::Exists),
        1 => label().prop_map(Requirement::Missing),
    ];
    prop::collection::vec(requirement, 0..3).prop_map(Selector::new)
}

fn keys() -> impl Strategy<Value = Key> {
    "[a-z0-9~%#:]{1,4}(/[a-z\\[\\]ü: ]{1,4}x){0,2}"
        .prop_filter_map("a key", |text| text.parse().ok())
}

fn maps() -> impl Strategy<Value = Map<String, Value>> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    let value = leaf.prop_recursive(3, 12, 4, |inner| {
        prop::collection::btree_map(label(), inner, 0..4)
            .prop_map(|map| Value::Object(map.into_iter().collect()))
    });
    prop::collection::btree_map(label(), value, 0..4).prop_map(|map| map.into_iter().collect())
}

fn flag_name() -> impl Strategy<Value = FlagName> {
    "[A-Za-z0-9]([A-Za-z0-9._-]{0,4}[A-Za-z0-9])?".prop_map(|name| name.parse().unwrap())
}

fn flags() -> impl Strategy<Value = Flag> {
    let state = prop::sample::select(vec![FlagState::Enabled, FlagState::Disabled]);
    let long = (
        state,
        maps(),
        prop::option::of(label()),
        prop::option::of(maps().prop_filter("a rule", |rule| !rule.is_empty())),
        maps(),
    )
        .prop_map(
            |(state, variants, default_variant, targeting, metadata)| Flag {
                state,
                variants: variants.into_iter().collect(),
                default_variant,
                targeting: targeting.map(Value::Object),
                metadata,
            },
        );
    prop_oneof![any::<bool>().prop_map(Flag::boolean), long]
}

fn breakers() -> impl Strategy<Value = Breaker> {
    let lasting = || (1..100_000_i64).prop_map(SignedDuration::from_secs);
    let reset = prop_oneof![
        Just(Reset::Manual),
        Just(Reset::OnResolve),
        lasting().prop_map(Reset::After),
    ];
    let choice = prop_oneof![
        any::<bool>().prop_map(Choice::Boolean),
        label().prop_map(Choice::Variant),
    ];
    let held = prop::collection::btree_map(flag_name(), choice, 0..3);
    let alerts = prop::collection::btree_map(label(), any::<String>(), 0..3);
    (
        prop::option::of(any::<String>()),
        (maps(), held).prop_map(|(values, flags)| Trip { values, flags }),
        alerts,
        prop::option::of(label()),
        (
            reset,
            prop::option::of(lasting()),
            prop::option::of(1..100_u32),
        ),
        selectors(),
    )
        .prop_map(
            |(description, trip, alerts, label, (reset, min_open, most), separately)| Breaker {
                description,
                trip,
                cluster: label.filter(|_| !alerts.is_empty()),
                alerts,
                reset,
                min_open,
                max_trips_per_hour: most,
                separately,
            },
        )
}

fn labels() -> impl Strategy<Value = Labels> {
    prop::collection::btree_map("[a-z]{1,4}", "[a-z0-9]{0,4}", 0..3)
}

fn grants() -> impl Strategy<Value = Content> {
    let subjects = "(token|user|group):[a-zä0-9@./:=~_-]{1,12}";
    let to = prop::collection::btree_set(subjects, 1..4);
    let role = prop::sample::select(Role::ALL.to_vec());
    let claims = prop::collection::btree_map("[a-z_]{4,9}", "[a-zä0-9 #:'\"/-]{1,9}", 1..4);
    let claims = prop::collection::vec(claims, 0..2);
    (to, claims, role, selectors(), selectors()).prop_map(|(to, claims, role, sets, clusters)| {
        let claims = claims.into_iter().map(|mut claims| {
            claims.insert("iss".to_owned(), "https://ci.example.com".to_owned());
            serde_json::from_value(serde_json::json!({"claims": claims})).unwrap()
        });
        let to = to.into_iter().map(|it| it.parse().unwrap());
        Content::Grant(Grant {
            to: to.chain(claims).collect(),
            role,
            sets,
            clusters,
        })
    })
}

fn sets() -> impl Strategy<Value = Content> {
    let layers = prop::collection::btree_map(name(), (selectors(), maps()), 0..3);
    let format = prop::sample::select(vec![
        SpringFormat::Yaml,
        SpringFormat::Properties,
        SpringFormat::KeyValue,
    ]);
    let publish = prop_oneof![
        (keys(), format, any::<bool>()).prop_map(|(context, format, atomic)| Publish::Spring {
            context,
            format,
            atomic: atomic || format != SpringFormat::KeyValue,
        }),
        (keys(), any::<bool>()).prop_map(|(prefix, atomic)| Publish::Keys { prefix, atomic }),
        keys().prop_map(|key| Publish::Flagd { key }),
    ];
    let publish = prop::collection::vec(publish, 0..3);
    let flags = prop::collection::btree_map(flag_name(), flags(), 0..3);
    let breakers = prop::collection::btree_map(name(), breakers(), 0..3);
    let breakers = breakers.prop_map(|breakers| {
        let named = breakers.into_iter();
        named
            .map(|(name, breaker)| (name.parse().unwrap(), breaker))
            .collect()
    });
    (
        (labels(), selectors()),
        prop::option::of(maps()),
        maps(),
        layers,
        (flags, breakers, publish),
    )
        .prop_map(
            |((labels, clusters), schema, values, layers, (flags, breakers, publish))| {
                let layers = layers
                    .into_iter()
                    .map(|(name, (when, values))| Layer {
                        name: name.parse().unwrap(),
                        when,
                        values,
                    })
                    .collect();
                Content::from(ConfigSet {
                    labels,
                    clusters,
                    schema: schema.map(Value::Object),
                    values,
                    layers,
                    flags,
                    breakers,
                    publish,
                })
            },
        )
}

proptest! {
    #[test]
    fn any_grant_that_is_written_loads_as_the_same_content(name in name(), content in grants()) {
        let id: ResourceId = format!("grant/{name}").parse().unwrap();
        let text = yaml::to_string(&manifest_of(&id, &content).unwrap());
        let loaded = load(vec![ManifestSource::Stdin(&mut text.as_bytes())], Path::new("/"));
        prop_assert_eq!(&loaded.findings, &[], "{}", text);
        prop_assert_eq!(&loaded.manifests[0].id, &id);
        prop_assert_eq!(&loaded.manifests[0].content, &content, "{}", text);
    }

    #[test]
    fn any_set_that_is_written_loads_as_the_same_content(name in name(), content in sets()) {
        let id: ResourceId = name.parse().unwrap();
        let text = yaml::to_string(&manifest_of(&id, &content).unwrap());
        let loaded = load(vec![ManifestSource::Stdin(&mut text.as_bytes())], Path::new("/"));
        prop_assert_eq!(&loaded.findings, &[], "{}", text);
        prop_assert_eq!(&loaded.manifests[0].id, &id);
        prop_assert_eq!(&loaded.manifests[0].content, &content, "{}", text);
    }
}
