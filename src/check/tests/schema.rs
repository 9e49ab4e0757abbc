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
    let specs = manifest.places.inside_mut();
    let specs = specs.filter(|(name, _)| *name == "spec");
    let schemas = specs.flat_map(|(_, spec)| spec.inside_mut());
    for (_, schema) in schemas.filter(|(name, _)| *name == "schema") {
        schema.forget_inside();
    }

    let found = checked(&manifests, &[]);
    insta::assert_snapshot!(shown(&found), @r#"
    4:11 schema-invalid: `type` in the schema: "strin" is not one of "array", "boolean", "integer", "null", "number", "object" or "string"
      1:1 the schema
    "#);
    assert_eq!(found[0].related[0].0.source, file);
}

/// What is found where the schema of a set is this JSON, and its values are `{x: VALUE}`.
fn found_with(schema: &serde_json::Value, value: &str) -> String {
    found(&format!(
        "kind: ConfigSet\nmetadata: {{name: shop}}\nspec:\n  schema: {schema}\n  values: {{x: {value}}}\n"
    ))
}

/// Definitions of which each is `of` the next one twice, `times` deep.
fn doubling(
    times: usize,
    last: serde_json::Value,
    of: impl Fn(&str) -> serde_json::Value,
) -> serde_json::Value {
    let mut definitions: serde_json::Map<_, _> = (0..times)
        .map(|n| (format!("d{n}"), of(&format!("#/$defs/d{}", n + 1))))
        .collect();
    definitions.insert(format!("d{times}"), last);
    serde_json::json!({"$defs": definitions, "properties": {"x": {"$ref": "#/$defs/d0"}}})
}

#[test]
fn a_schema_that_doubles_itself_is_refused_where_it_does() {
    use serde_json::json;
    let refs = |to: &str| json!([{"$ref": to}, {"$ref": to}]);
    let bombs = [
        doubling(
            60,
            json!({"type": "integer"}),
            |to| json!({"allOf": refs(to)}),
        ),
        doubling(
            60,
            json!({"type": "string"}),
            |to| json!({"anyOf": refs(to)}),
        ),
        doubling(
            60,
            json!({"type": "string"}),
            |to| json!({"oneOf": refs(to)}),
        ),
        doubling(60, json!({}), |to| json!({"not": {"allOf": refs(to)}})),
        doubling(
            60,
            json!({}),
            |to| json!({"if": {"$ref": to}, "then": {"$ref": to}}),
        ),
        doubling(60, json!({}), |to| json!({"$ref": to, "$dynamicRef": to})),
        doubling(
            60,
            json!({}),
            |to| json!({"allOf": refs(to), "unevaluatedProperties": false}),
        ),
        doubling(
            60,
            json!({}),
            |to| json!({"anyOf": refs(to), "unevaluatedItems": false}),
        ),
    ];
    for bomb in bombs {
        for value in ["1", "{a: {b: 1}}", "[[1, 2], 3]"] {
            let found = found_with(&bomb, value);
            let first = found.lines().next().unwrap_or_default();
            assert!(first.starts_with("4:"), "{bomb}: {found}");
            assert!(
                first.contains(" schema-too-costly: `$defs.d"),
                "{bomb}: {found}"
            );
        }
    }
    // Inside each other, without any reference.
    let nested = (0..18).fold(json!({}), |inner, _| {
        json!({"allOf": [inner], "unevaluatedProperties": false, "unevaluatedItems": false})
    });
    assert!(found_with(&nested, "1").contains("schema-too-costly"));
}

#[test]
fn definitions_that_refer_to_each_other_in_every_way_are_refused() {
    use serde_json::json;
    let all: Vec<_> = (0..14)
        .map(|n| json!({"$ref": format!("#/$defs/d{n}")}))
        .collect();
    let definitions: serde_json::Map<_, _> = (0..14)
        .map(|n| (format!("d{n}"), json!({"allOf": all})))
        .collect();
    let schema = json!({"$defs": definitions, "properties": {"x": {"$ref": "#/$defs/d0"}}});
    let found = found_with(&schema, "1");
    assert!(found.contains("schema-too-costly"), "{found}");
}

#[test]
fn a_chain_of_definitions_has_an_end() {
    use serde_json::json;
    let chain = |length: usize| {
        let mut definitions: serde_json::Map<_, _> = (0..length)
            .map(|n| {
                (
                    format!("d{n}"),
                    json!({"$ref": format!("#/$defs/d{}", n + 1)}),
                )
            })
            .collect();
        definitions.insert(format!("d{length}"), json!({"type": "integer"}));
        json!({"$defs": definitions, "properties": {"x": {"$ref": "#/$defs/d0"}}})
    };
    assert_eq!(found_with(&chain(250), "1"), "");
    assert!(found_with(&chain(250), "y").contains("schema-violation"));
    assert!(found_with(&chain(5000), "1").contains("schema-too-costly"));
}

#[test]
fn large_honest_schemas_are_checked() {
    use serde_json::json;
    let part = |n: usize| {
        json!({
            "type": "object",
            "description": "one part of a service",
            "properties": {
                "name": {"type": "string", "pattern": "^[a-z][a-z0-9-]{1,62}$"},
                "port": {"type": "integer", "minimum": 1, "maximum": 65535},
                "next": {"$ref": format!("#/$defs/part{}", n + 1)},
                "others": {"type": "array", "items": {"$ref": format!("#/$defs/part{}", n + 1)}, "uniqueItems": true},
                "either": {"oneOf": [{"$ref": "#/$defs/duration"}, {"type": "integer"}, {"type": "null"}]},
                "tree": {"$ref": "#/$defs/tree"},
            },
            "required": ["name"],
            "unevaluatedProperties": false,
        })
    };
    let mut definitions: serde_json::Map<_, _> =
        (0..300).map(|n| (format!("part{n}"), part(n))).collect();
    definitions.insert("part300".to_owned(), json!({"$ref": "#/$defs/part0"}));
    definitions.insert(
        "duration".to_owned(),
        json!({"type": "string", "pattern": "^[0-9]+(ms|s|m)$"}),
    );
    definitions.insert(
        "tree".to_owned(),
        json!({"type": "object", "additionalProperties": {"$ref": "#/$defs/tree"}, "properties": {"leaf": {"type": "integer"}}}),
    );
    let schema = json!({"$defs": definitions, "properties": {"x": {"$ref": "#/$defs/part0"}}});
    let leaves = (0..12).fold("{name: end-of-it, either: 5s}".to_owned(), |inner, n| {
        let others: Vec<_> = (0..40).map(|i| format!("{{name: other-{n}-{i}, port: {}}}", i + 1)).collect();
        format!(
            "{{name: part-{n}, next: {inner}, others: [{}], tree: {{a: {{b: {{c: {{leaf: 1}}}}}}}}, either: 10ms}}",
            others.join(", ")
        )
    });
    assert_eq!(found_with(&schema, &leaves), "");
}

#[test]
fn formats_with_letters_beyond_ascii_are_checked() {
    let found = found(
        "\
kind: ConfigSet
metadata: {name: shop}
spec:
  schema:
    properties:
      mail: {format: idn-email}
      host: {format: idn-hostname}
      good: {format: idn-email}
      well: {format: idn-hostname}
  values:
    mail: not an address
    host: -bücher-.example
    good: jörg@bücher.example
    well: bücher.example
",
    );
    insta::assert_snapshot!(found, @r#"
    11:11 schema-violation: `mail`: "not an address" is not a "idn-email"
      6:14 the schema says so here
    12:11 schema-violation: `host`: "-bücher-.example" is not a "idn-hostname"
      7:14 the schema says so here
    "#);
}

/// What the store has is checked again where a cluster changes what it says, and nowhere else.
#[test]
fn a_set_that_is_declared_again_is_checked_where_its_clusters_change() {
    let set = "\
kind: ConfigSet
metadata: {name: shop}
spec:
  schema:
    type: object
    properties:
      retries: {type: integer}
  values:
    retries: 3
  layers:
    - name: mars
      when: {region: mars}
      values:
        retries: many
";
    let moved = "\
kind: Cluster
metadata: {name: eu-dev, labels: {region: mars, stage: dev}}
spec: {consul: {prefix: cfgctl}}
";
    let schema = |yaml: &str| {
        let found = found_beside(yaml, set);
        found.contains("schema-violation")
    };
    assert!(!schema(set), "no cluster says it");
    assert!(schema(&format!("{set}---\n{moved}")));
    assert!(schema(moved), "also where only the cluster is declared");
}
