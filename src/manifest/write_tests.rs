use std::path::Path;

use crate::manifest::{Input, load, yaml};

use super::*;

/// Writes what was loaded, loads that, and expects the same.
fn round_trip(text: &str) -> String {
    let first = load(vec![Input::Stdin(&mut text.as_bytes())], Path::new("/work"));
    assert_eq!(first.findings, []);
    let mut written = Vec::new();
    for manifest in &first.manifests {
        let value = manifest_of(&manifest.id, &manifest.content).unwrap();
        written.push(yaml::to_string(&value));
    }
    let written = written.join("---\n");
    let second = load(vec![Input::Stdin(&mut written.as_bytes())], Path::new("/"));
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
          file: /work/secrets/token
    ---
    apiVersion: cfgctl.dev/v1
    kind: Cluster
    metadata:
      name: laptop
    spec:
      directory:
        path: /work/out/laptop
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
fn nothing_is_written_of_what_is_deleted() {
    assert_eq!(manifest_of(&"a".parse().unwrap(), &Content::Deleted), None);
}
