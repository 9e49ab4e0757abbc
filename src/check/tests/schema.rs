use super::*;
use crate::manifest::Sources;

#[test]
fn a_violation_is_shown_in_the_layer_that_makes_it() {
    let found = found(
        "\
kind: ConfigSet
metadata: {name: shop}
spec:
  schema:
    type: object
    properties:
      payment:
        properties:
          provider: {enum: [stripe, backup]}
          timeoutMs: {type: integer, minimum: 100}
  values:
    payment: {provider: stripe, timeoutMs: 50, hosts: [a]}
  layers:
    - name: eu
      when: {region: eu}
      values:
        payment:
          provider: strpe
          timeoutMs: 200
    - name: prod
      when: {stage: prod}
      values:
        payment:
          timeoutMs: x
",
    );
    insta::assert_snapshot!(found, @r#"
    12:44 schema-violation: `payment.timeoutMs`: 50 is less than the minimum of 100 (in laptop)
      10:38 the schema says so here
    18:21 schema-violation: `payment.provider`: "strpe" is not one of "stripe" or "backup" (in eu-dev, eu-west)
      9:22 the schema says so here
      help: did you mean `stripe`?
    24:22 schema-violation: `payment.timeoutMs`: "x" is not of type "integer" (in eu-west, us-east)
      10:23 the schema says so here
    "#);
}

#[test]
fn a_missing_key_is_shown_at_the_map_and_an_unknown_one_where_it_is() {
    let found = found(
        "\
kind: ConfigSet
metadata: {name: shop}
spec:
  schema:
    $defs: {host: {required: [name], properties: {name: {type: string}, port: {}}, additionalProperties: false}}
    properties:
      payment: {required: [timeoutMs, provider], properties: {provider: {}, timeoutms: {}}, unevaluatedProperties: false}
      hosts: {items: {$ref: '#/$defs/host'}}
    propertyNames: {pattern: '^[a-z]+$'}
    required: [top]
  values:
    payment:
      timeoutms: 5
      provider: x
      extra: 1
    hosts:
      - {name: a}
    Upper: 1
  layers:
    - name: eu
      when: {region: eu}
      values:
        hosts:
          - {name: b}
          - {prot: 1}
",
    );
    insta::assert_snapshot!(found, @r#"
    11:3 schema-violation: the values lack `top`, which the schema requires
      10:5 the schema says so here
    12:5 schema-violation: `payment` lacks `timeoutMs`, which the schema requires
      7:17 the schema says so here
      help: is `timeoutms` meant to be `timeoutMs`?
    15:7 schema-violation: `payment.extra`: the schema does not know this key
      7:93 the schema says so here
    18:5 schema-violation: `Upper`: "Upper" does not match "^[a-z]+$"
      9:21 the schema says so here
    25:13 schema-violation: `hosts.1` lacks `name`, which the schema requires (in eu-dev, eu-west)
      5:20 the schema says so here
    25:14 schema-violation: `hosts.1.prot`: the schema does not know this key (in eu-dev, eu-west)
      5:84 the schema says so here
    "#);
}

#[test]
fn formats_and_alternatives_are_checked() {
    let found = found(
        "\
kind: ConfigSet
metadata: {name: shop}
spec:
  schema:
    properties:
      at: {format: date-time}
      url: {format: uri}
      either: {anyOf: [{type: integer}, {type: object, required: [a]}]}
  values:
    at: yesterday
    url: not a url
    either: {b: 1}
",
    );
    insta::assert_snapshot!(found, @r#"
    10:9 schema-violation: `at`: "yesterday" is not a "date-time"
      6:12 the schema says so here
    11:10 schema-violation: `url`: "not a url" is not a "uri"
      7:13 the schema says so here
    12:13 schema-violation: `either`: this map fits none of the alternatives
      8:16 the schema says so here
      help: alternative 1: `either`: this map is not of type "integer"
      help: alternative 2: `either`: "a" is a required property
    "#);
}

#[test]
fn a_schema_that_is_none_is_shown_where_it_is_wrong() {
    let found = found(
        "\
kind: ConfigSet
metadata: {name: a}
spec:
  schema:
    properties:
      x: {type: strin}
      y: 5
      z: {minimum: low}
  values: {x: 1}
---
kind: ConfigSet
metadata: {name: b}
spec:
  schema:
    properties:
      x: {pattern: '(?!a)b'}
  values: {x: 1}
---
kind: ConfigSet
metadata: {name: c}
spec:
  schema:
    $schema: http://json-schema.org/draft-07/schema#
  values: {x: 1}
",
    );
    insta::assert_snapshot!(found, @r#"
    6:17 schema-invalid: `properties.x.type` in the schema: "strin" is not one of "array", "boolean", "integer", "null", "number", "object" or "string"
    7:10 schema-invalid: `properties.y` in the schema: 5 is not of types "boolean", "object"
    8:20 schema-invalid: `properties.z.minimum` in the schema: "low" is not of type "number"
    16:20 schema-invalid: `properties.x.pattern` in the schema: "(?!a)b" is not a pattern
      help: look-around, back-references and huge repetitions are not supported
    23:14 schema-invalid: `$schema` in the schema: "http://json-schema.org/draft-07/schema#" is not JSON Schema 2020-12
      help: write the schema for https://json-schema.org/draft/2020-12/schema
    "#);
}

#[test]
fn references_stay_within_the_schema() {
    let found = found(
        "\
kind: ConfigSet
metadata: {name: a}
spec:
  schema:
    properties:
      x: {$ref: 'https://example.com/x.json'}
      y: {$ref: 'other.json#/y'}
      z: {$ref: '#/$defs/none'}
  values: {x: 1}
---
kind: ConfigSet
metadata: {name: b}
spec:
  schema:
    properties:
      child: {$ref: '#'}
    allOf: [{$ref: '#'}]
    additionalProperties: false
  values: {child: {child: {oops: 1}}}
",
    );
    insta::assert_snapshot!(found, @r##"
    6:17 schema-reference: `properties.x.$ref` in the schema: "https://example.com/x.json" is outside of the schema
      help: put what it refers to under `$defs`, so that the schema of an old revision can always be read
    7:17 schema-reference: `properties.y.$ref` in the schema: "other.json#/y" is outside of the schema
      help: put what it refers to under `$defs`, so that the schema of an old revision can always be read
    8:17 schema-reference: `properties.z.$ref` in the schema: "#/$defs/none" leads to nothing
    19:28 schema-violation: `child.child.oops`: the schema does not know this key
      18:5 the schema says so here
    "##);
}

#[test]
fn a_pattern_that_backtracks_forever_elsewhere_does_not_hang_here() {
    let long = "a".repeat(50_000);
    let found = found(&format!(
        "\
kind: ConfigSet
metadata: {{name: shop}}
spec:
  schema: {{properties: {{x: {{pattern: '^(a+)+$'}}}}}}
  values: {{x: {long}b}}
"
    ));
    assert_eq!(found.lines().count(), 2, "{found}");
    assert!(
        found.starts_with("5:15 schema-violation: `x`: \"aaa"),
        "{found}"
    );
    assert!(found.len() < 1000, "{found}");
}

#[test]
fn a_pattern_that_needs_too_much_memory_is_refused() {
    let found = found(
        "\
kind: ConfigSet
metadata: {name: shop}
spec:
  schema: {properties: {x: {pattern: '((a{1,1000}){1,1000}){1,1000}'}}}
  values: {x: b}
",
    );
    assert!(found.starts_with("4:38 schema-invalid:"), "{found}");
}

#[test]
fn only_so_many_violations_are_shown() {
    let mut yaml = "\
kind: ConfigSet
metadata: {name: shop}
spec:
  schema: {additionalProperties: {type: integer}}
  values:
"
    .to_owned();
    for number in 0..70 {
        writeln!(yaml, "    key{number:02}: x").unwrap();
    }
    let found = found(&yaml);
    let lines: Vec<_> = found
        .lines()
        .filter(|line| !line.starts_with(' '))
        .collect();
    assert_eq!(lines.len(), 51);
    assert_eq!(
        lines[0],
        "4:11 schema-more: the schema finds 20 more faults"
    );
}

#[test]
fn a_schema_in_a_file_of_its_own_is_named() {
    let mut manifests = fixture(
        "\
kind: ConfigSet
metadata: {name: shop}
spec:
  schema: {type: strin}
  values: {x: b}
",
    );
    let mut sources = Sources::default();
    let mut add = |name: &str| sources.add(name.into(), String::new());
    let (_, file) = (add("test.yaml"), add("shop.schema.json"));
    let manifest = &mut manifests[0];
    manifest.schema_file = Some(file);
    let spec = manifest.places.inside.get_mut("spec").unwrap();
    spec.inside.get_mut("schema").unwrap().inside.clear();

    let found = check(&world(&manifests, &[]));
    insta::assert_snapshot!(shown(&found), @r#"
    4:11 schema-invalid: `type` in the schema: "strin" is not one of "array", "boolean", "integer", "null", "number", "object" or "string"
      1:1 the schema
    "#);
    assert_eq!(found[0].related[0].0.source, file);
}
