use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use super::*;
use crate::manifest::Sources;
use crate::manifest::limits::{Cost, Limits};
use crate::manifest::{ManifestSource, decode, load, parse};

fn schema() -> Value {
    serde_json::from_str(json_schema()).unwrap()
}

#[test]
fn it_is_a_valid_schema_of_2020_12() {
    jsonschema::draft202012::meta::validate(&schema()).unwrap();
}

#[test]
fn it_knows_the_fields_that_the_decoder_knows() {
    let schema = schema();
    for (name, fields) in decode::testing::known_fields() {
        let properties = schema["$defs"][name]["properties"].as_object().unwrap();
        let known: BTreeSet<_> = properties.keys().map(String::as_str).collect();
        assert_eq!(known, fields.iter().copied().collect(), "{name}");
        assert_eq!(
            schema["$defs"][name]["additionalProperties"],
            Value::Bool(false),
            "{name}"
        );
    }
}

#[test]
fn everything_has_a_title_and_a_description() {
    for (name, definition) in schema()["$defs"].as_object().unwrap() {
        assert!(definition["title"].is_string(), "{name}");
        assert!(definition["description"].is_string(), "{name}");
        let properties = definition["properties"].as_object();
        for (field, property) in properties.into_iter().flatten() {
            assert!(
                property["description"].is_string() || property["$ref"].is_string(),
                "{name}.{field}"
            );
        }
    }
}

const CLUSTER: &str = "apiVersion: cfgctl.dev/v1\nkind: Cluster\nmetadata: {name: a}\nspec: ";
const GRANT: &str = "apiVersion: cfgctl.dev/v1\nkind: Grant\nmetadata: {name: a}\nspec: ";
const SET: &str = "apiVersion: cfgctl.dev/v1\nkind: ConfigSet\nmetadata: {name: a}\nspec: ";

/// Whether the decoder and the schema both take a document; they must agree.
fn accepted(text: &str) -> bool {
    let mut sources = Sources::default();
    let source = sources.add("-".into(), text.to_owned());
    let (documents, _) = parse::documents(source, text, Limits::default(), &mut Cost::default());
    let value = documents[0].value().unwrap();
    let by_schema = jsonschema::draft202012::new(&schema())
        .unwrap()
        .is_valid(&value);
    let loaded = load(
        vec![ManifestSource::Stdin(&mut text.as_bytes())],
        Path::new("/home/ops"),
    );
    assert_eq!(
        by_schema,
        !loaded.has_errors(),
        "{text}\n{:#?}",
        loaded.findings
    );
    by_schema
}

#[test]
fn it_accepts_what_the_decoder_accepts() {
    for spec in [
        "{consul: {}}",
        "{consul: {address: 'http://[::1]:8500', prefix: a/b, datacenter: dc-1}}",
        "{consul: {token: {env: TOKEN}, limits: {operations: 1}}}",
        "{consul: {tls: {}}}",
        "{consul: {address: 'https://a', tls: {caFile: a, certFile: b, keyFile: c, serverName: d.e}}}",
        "{directory: {path: out}}",
    ] {
        assert!(accepted(&format!("{CLUSTER}{spec}")), "{spec}");
    }
    for spec in [
        "{values: {}}",
        "{values: {a: 1}, clusters: stage=prod, schema: {}, layers: [], publish: []}",
        "{values: {}, clusters: {stage: [a, b], x: ''}, layers: [{name: a, when: {}, values: {}}]}",
        "{values: {}, publish: [{spring: {context: a, format: properties}}, {keys: {prefix: b}}]}",
        "{values: {}, publish: [{keys: {prefix: b, atomic: false}}]}",
        "{values: {}, publish: [{spring: {context: a, format: key-value, atomic: false}}]}",
        "{values: {}, publish: [{spring: {context: a, atomic: true}}]}",
        "{values: {}, publish: [{flagd: {key: a}}], flags: {}, breakers: {}}",
        "{values: {}, flags: {a: true, b.c_D: {state: ENABLED, variants: {x: 1}, defaultVariant: null}}}",
        "{values: {}, flags: {a: {state: DISABLED, variants: {}, targeting: {}, metadata: {k: v}}}}",
        "{values: {}, breakers: {a: {trip: {values: {}, flags: {b: on, c: false}}, description: x}}}",
        "{values: {}, breakers: {a: {trip: {}, alerts: {severity: critical}, reset: on-resolve}}}",
        "{values: {}, breakers: {a: {trip: {}, reset: {after: 10m}, minOpen: PT5M, maxTripsPerHour: 3}}}",
        "{values: {}, breakers: {a: {trip: {}, reset: manual, separately: region=eu}}}",
    ] {
        assert!(accepted(&format!("{SET}{spec}")), "{spec}");
    }
    assert!(accepted(
        "{apiVersion: cfgctl.dev/v1, kind: ConfigSet, metadata: {name: a, labels: {team: b}}, spec: {values: {}}}"
    ));
    for spec in [
        "{to: ['token:ci'], role: viewer}",
        "{to: ['user:ana@example.com', 'group:a/b', 'group:Größe'], role: admin, sets: {}}",
        "{to: ['token:ci'], role: editor, sets: {team: [a, b]}, clusters: 'stage!=prod'}",
        "{to: [{claims: {iss: 'https://ci.example.com', 'https://a.example/b': c}}], role: viewer}",
    ] {
        assert!(accepted(&format!("{GRANT}{spec}")), "{spec}");
    }
}

#[test]
fn it_refuses_what_the_decoder_refuses() {
    for spec in [
        "{}",
        "null",
        "[]",
        "{consul: {}, directory: {path: a}}",
        "{consul: null}",
        "{consul: {adress: a}}",
        "{consul: {address: 'http://a/b'}}",
        "{consul: {address: 'http://u:p@a'}}",
        "{consul: {prefix: a//b}}",
        "{consul: {token: abc}}",
        "{consul: {token: {env: A, file: b}}}",
        "{consul: {token: {env: 1A}}}",
        "{consul: {tls: a}}",
        "{consul: {tls: {certFile: a}}}",
        "{consul: {tls: {keyFile: a}}}",
        "{consul: {tls: {caFile: ''}}}",
        "{consul: {tls: {serverName: 'a:1'}}}",
        "{consul: {tls: {insecure: true}}}",
        "{consul: {address: 'http://a', tls: {caFile: a}}}",
        "{consul: {limits: {operations: 0}}}",
        "{consul: {limits: {operations: 1.5}}}",
        "{directory: {}}",
        "{directory: {path: ''}}",
    ] {
        assert!(!accepted(&format!("{CLUSTER}{spec}")), "{spec}");
    }
    for spec in [
        "{}",
        "{values: []}",
        "{values: null}",
        "{values: {}, flags: []}",
        "{values: {}, flags: {a: 1}}",
        "{values: {}, flags: {a/b: true}}",
        "{values: {}, flags: {a: {variants: {}}}}",
        "{values: {}, flags: {a: {state: 'ON', variants: {}}}}",
        "{values: {}, breakers: {a: {}}}",
        "{values: {}, breakers: {A: {trip: {}}}}",
        "{values: {}, breakers: {a: {trip: {flags: {b: 1}}}}}",
        "{values: {}, breakers: {a: {trip: {}, alerts: {}}}}",
        "{values: {}, breakers: {a: {trip: {}, reset: auto}}}",
        "{values: {}, breakers: {a: {trip: {}, reset: {after: 0s}}}}",
        "{values: {}, breakers: {a: {trip: {}, maxTripsPerHour: 0}}}",
        "{values: {}, clusters: []}",
        "{values: {}, clusters: {stage: []}}",
        "{values: {}, clusters: {stage: 1}}",
        "{values: {}, clusters: {'-a': b}}",
        "{values: {}, schema: true}",
        "{values: {}, layers: {}}",
        "{values: {}, layers: [{name: a, values: {}}]}",
        "{values: {}, layers: [{name: A, when: {}, values: {}}]}",
        "{values: {}, publish: [{}]}",
        "{values: {}, publish: [{flagd: {key: a//b}}]}",
        "{values: {}, publish: [{flagd: {}}]}",
        "{values: {}, publish: [{spring: {context: a}, keys: {prefix: b}}]}",
        "{values: {}, publish: [{spring: {context: a, format: toml}}]}",
        "{values: {}, publish: [{keys: {prefix: a, atomic: 'no'}}]}",
        "{values: {}, publish: [{spring: {context: a, atomic: false}}]}",
        "{values: {}, publish: [{spring: {context: a, format: properties, atomic: false}}]}",
    ] {
        assert!(!accepted(&format!("{SET}{spec}")), "{spec}");
    }
    for spec in [
        "{}",
        "{role: viewer}",
        "{to: ['token:ci']}",
        "{to: [], role: viewer}",
        "{to: 'token:ci', role: viewer}",
        "{to: [{token: ci}], role: viewer}",
        "{to: [{claims: {iss: 'https://ci.example.com'}}], role: viewer}",
        "{to: [{claims: {team: a, id: b}}], role: viewer}",
        "{to: [{claims: {iss: 'https://ci.example.com', id: 7}}], role: viewer}",
        "{to: [{claims: {iss: 'https://ci.example.com', id: ''}}], role: viewer}",
        "{to: [{claims: {iss: 'https://ci.example.com', 'a b': c}}], role: viewer}",
        "{to: [{claims: [iss, id]}], role: viewer}",
        "{to: [ci], role: viewer}",
        "{to: ['robot:ci'], role: viewer}",
        "{to: ['token:*'], role: viewer}",
        "{to: ['token:a b'], role: viewer}",
        "{to: ['token:ci'], role: owner}",
        "{to: ['token:ci'], role: [viewer]}",
        "{to: ['token:ci'], role: viewer, sets: [a]}",
        "{to: ['token:ci'], role: viewer, clusters: {stage: []}}",
        "{to: ['token:ci'], role: viewer, deny: true}",
    ] {
        assert!(!accepted(&format!("{GRANT}{spec}")), "{spec}");
    }
    for document in [
        "{kind: Cluster, metadata: {name: a}, spec: {consul: {}}}",
        "{apiVersion: v1, kind: Cluster, metadata: {name: a}, spec: {consul: {}}}",
        "{apiVersion: cfgctl.dev/v1, kind: Klaster, metadata: {name: a}, spec: {consul: {}}}",
        "{apiVersion: cfgctl.dev/v1, kind: Cluster, metadata: {}, spec: {consul: {}}}",
        "{apiVersion: cfgctl.dev/v1, kind: ConfigSet, metadata: {name: a, label: {}}, spec: {values: {}}}",
        "{apiVersion: cfgctl.dev/v1, kind: ConfigSet, metadata: {name: a, labels: {a: 1}}, spec: {values: {}}}",
        "{apiVersion: cfgctl.dev/v1, kind: Grant, metadata: {name: a, labels: {}}, spec: {to: ['token:a'], role: admin}}",
        "{apiVersion: cfgctl.dev/v1, kind: ConfigSet, metadata: {name: a}, spec: {values: {}}, status: {}}",
    ] {
        assert!(!accepted(document), "{document}");
    }
}
