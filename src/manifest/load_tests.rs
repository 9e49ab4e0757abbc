use std::fs;

use insta::assert_snapshot;
use serde_json::json;

use super::*;
use crate::manifest::Style;
use crate::manifest::report::show;
use crate::model::{Connection, Content};

/// What is shown for a text on standard input.
fn findings(text: &str) -> String {
    let loaded = stdin(text);
    show(&loaded.findings, &loaded.sources, Style::Plain)
}

/// What is wrong with a text, one line each.
fn listed(text: &str) -> String {
    let loaded = stdin(text);
    let line = |finding: &Located| {
        let at = finding.at.unwrap();
        format!(
            "{}:{} {}: {}",
            at.line, at.column, finding.code, finding.message
        )
    };
    loaded
        .findings
        .iter()
        .map(line)
        .collect::<Vec<_>>()
        .join("\n")
}

fn stdin(text: &str) -> Loaded {
    load(
        vec![ManifestSource::Stdin(&mut text.as_bytes())],
        Path::new("/home/ops"),
    )
}

/// What is shown for a set with this spec; it starts in line 4.
fn of_set(spec: &str) -> String {
    findings(&format!(
        "apiVersion: cfgctl.dev/v1\nkind: ConfigSet\nmetadata: {{name: shop}}\n{spec}"
    ))
}

/// What is shown for a cluster with this spec; it starts in line 4.
fn of_cluster(spec: &str) -> String {
    findings(&format!(
        "apiVersion: cfgctl.dev/v1\nkind: Cluster\nmetadata: {{name: eu}}\n{spec}"
    ))
}

/// What is wrong with a grant with this spec, which starts in line 4.
fn of_grant(spec: &str) -> String {
    listed(&format!(
        "apiVersion: cfgctl.dev/v1\nkind: Grant\nmetadata: {{name: ops}}\n{spec}"
    ))
}

#[test]
fn what_is_wrong_with_a_grant_is_told_with_its_place() {
    assert_snapshot!(of_grant(
        "spec:\n  to: [\"group:*\", {token: ci}, ci, 7]\n  rol: editor\n  sets: {team: [a, -b]}\n"
    ), @r"
    6:3 unknown-field: the spec of a grant has no field `rol`
    5:8 invalid-subject: `group:*` is not a subject: there are no patterns: name each one, or a group
    5:20 invalid-subject: a subject is text, and this is a map
    5:32 invalid-subject: `ci` is not a subject: write `token:NAME`, `user:NAME` or `group:NAME`
    5:36 wrong-type: expected a string, found a number
    4:1 missing-field: the field `role` is missing
    7:20 invalid-label: `-b` is not a label value: it must start and end with a letter or digit
    ");
    assert_snapshot!(of_grant(
        "spec:\n  to:\n    - claims: {iss: https://ci.example.com}\n    - claims: {iss: https://gitlab.com, ref: main}\n    - claims: {team: a, id: 7}\n  role: editor\n"
    ), @r"
    6:7 invalid-claims: the claim `iss`: it alone is everybody whom this issuer knows: ask for more
    7:7 invalid-claims: the claim `iss`: this issuer knows everybody's repositories: ask for the id of yours too (`repository_id` or `repository_owner_id`; `project_id` or `namespace_id`)
    8:29 wrong-type: expected a string, found a number
    ");
    assert_snapshot!(of_grant("spec: {to: [], role: edtor, clusters: 5}\n"), @r"
    4:8 invalid-subject: a grant is to 1 to 100 subjects
    4:22 unknown-value: there is no role `edtor`
    4:39 wrong-type: expected a map of labels or a selector, found a number
    ");
}

#[test]
fn sets_and_clusters_have_labels_and_grants_have_none() {
    let of = |kind: &str, spec: &str| {
        listed(&format!(
            "apiVersion: cfgctl.dev/v1\nkind: {kind}\nmetadata: {{name: a, labels: {{team: b}}}}\nspec: {spec}\n"
        ))
    };
    assert_eq!(of("ConfigSet", "{values: {}}"), "");
    assert_eq!(of("Cluster", "{consul: {}}"), "");
    assert_eq!(
        of("Grant", "{to: [\"token:ci\"], role: viewer}"),
        "3:21 unknown-field: `metadata` has no field `labels`"
    );
}

const SET: &str =
    "apiVersion: cfgctl.dev/v1\nkind: ConfigSet\nmetadata: {name: shop}\nspec: {values: {a: 1}}\n";

#[test]
fn manifests_are_read_with_the_places_of_their_values() {
    let loaded = stdin(
        "\
# comment
apiVersion: cfgctl.dev/v1
kind: ConfigSet
metadata:
  name: shop
spec:
  clusters: {stage: prod, region: [eu, us]}
  values:
    payment: &pay {timeoutMs: 1500, on: off}
    other: *pay
    list: [1, {a: ü}, tail]
  layers:
  - name: eu
    when: region=eu
    values: {payment: {timeoutMs: 2}}
  publish:
  - spring: {context: config/shop}
",
    );
    assert_eq!(loaded.findings, []);
    let manifest = &loaded.manifests[0];
    assert_eq!(manifest.id.to_string(), "set/shop");
    let Content::Set(set) = &manifest.content else {
        panic!("{manifest:?}");
    };
    assert_eq!(
        json!(set.values),
        json!({
            "payment": {"timeoutMs": 1500, "on": "off"},
            "other": {"timeoutMs": 1500, "on": "off"},
            "list": [1, {"a": "ü"}, "tail"],
        })
    );
    assert_eq!(set.clusters.to_string(), "region in (eu,us),stage=prod");
    let text = loaded.sources.text(manifest.places.whole().source);
    let value = |path: &[&str]| {
        let span = manifest.places.value(path.iter().copied());
        (span.line, span.column, &text[span.start..span.end])
    };
    let key = |path: &[&str]| {
        let span = manifest.places.key(path.iter().copied());
        (span.line, span.column, &text[span.start..span.end])
    };
    assert_eq!(key(&["spec", "values", "payment"]), (9, 5, "payment"));
    assert_eq!(value(&["spec", "values", "payment", "on"]), (9, 41, "off"));
    assert_eq!(value(&["spec", "values", "other"]), (10, 12, "*pay"));
    assert_eq!(
        value(&["spec", "values", "other", "timeoutMs"]),
        (9, 31, "1500")
    );
    assert_eq!(value(&["spec", "values", "list", "1", "a"]), (11, 19, "ü"));
    assert_eq!(value(&["spec", "values", "list", "2"]), (11, 23, "tail"));
    assert_eq!(
        value(&["spec", "layers", "0", "when"]),
        (14, 11, "region=eu")
    );
    assert_eq!(key(&["spec", "layers", "0", "values"]), (15, 5, "values"));
    assert_eq!(
        value(&["spec", "layers"]).2.lines().last(),
        Some("    values: {payment: {timeoutMs: 2}}")
    );
    // What is not written down is shown at what is around it.
    assert_eq!(value(&["spec", "values", "payment", "gone"]).0, 9);
}

#[test]
fn several_documents_and_json_and_windows_line_ends_and_a_byte_order_mark_are_read() {
    let loaded = stdin(&format!(
        "\u{feff}---\r\n---\r\n# nothing\r\n---\r\n{}---\r\n{{\"apiVersion\": \"cfgctl.dev/v1\",\t\"kind\":\"Cluster\",\r\n\t\"metadata\": {{\"name\":\"eu\"}}, \"spec\":{{\"directory\":{{\"path\":\"\\u006fut\\/.\\/x\"}}}}}}\r\n...\r\n",
        SET.replace('\n', "\r\n")
    ));
    assert_eq!(loaded.findings, []);
    let [set, cluster] = loaded.manifests.as_slice() else {
        panic!("{loaded:?}");
    };
    assert_eq!(set.id.to_string(), "set/shop");
    let Content::Cluster(cluster) = &cluster.content else {
        panic!("{cluster:?}");
    };
    let Connection::Directory(directory) = &cluster.connection else {
        panic!("{cluster:?}");
    };
    assert_eq!(directory.path, Path::new("/home/ops/out/x"));
    assert_eq!(set.places.value(["spec", "values", "a"]).line, 8);
}

#[test]
fn nothing_at_all_is_an_error() {
    assert_snapshot!(findings("# only a comment\n---\n"), @r#"
    error[no-manifests]: there are no manifests in what was given
     |
     = help: name files or directories with -f, or `-` for standard input

    1 error
    "#);
}

#[test]
fn every_syntax_error_is_shown_and_hides_no_other_document() {
    assert_snapshot!(
        findings(&format!("a: [1, 2\n---\n{SET}---\nb: 'x\n---\nkind: a: b\n---\nkind: Clutser\n\tx: 1")),
        @r"
    error[syntax]: unclosed bracket '['
     --> -:1:4
      |
    1 | a: [1, 2
      |    ^

    error[syntax]: invalid indentation in multiline quoted scalar
     --> -:9:1
      |
    9 | ---
      | ^
      |
      = help: close the quote

    error[syntax]: mapping values are not allowed in this context
      --> -:10:8
       |
    10 | kind: a: b
       |        ^
       |
       = help: text with `: ` in it goes in quotes; otherwise look at the indentation of this line and the one before

    error[syntax]: a tab stands where only spaces may indent
      --> -:13:1
       |
    13 |  x: 1
       | ^
       |
       = help: indent with spaces

    4 errors
    "
    );
}

#[test]
fn all_mistakes_of_a_document_are_shown_at_once() {
    assert_snapshot!(listed("\
apiVersion: cfgctl.dev/v2
kind: ConfigSet
metadata:
  name: Shop
  label: {a: b}
spec:
  valuess: {}
  clusters: {stage: true, '-x': y, z: [], w: [1]}
  layers:
    - {name: a, when: 'a in (', values: []}
    - {name: a, when: {}}
    - x
  publish:
    - spring: {contxt: a, format: ymal}
    - flagd: {key: a//b}
    - {}
  flags: {a/b: 1, c: {state: ON, variants: [], defaultVariant: 1}, d: {variant: x}}
  breakers:
    X: {trip: {value: 1, flags: {c: 1.5}}, reset: {after: 0s}, minOpen: soon}
    y: {reset: auto, maxTripsPerHour: 0, alerts: {}}
"), @r#"
    1:13 unknown-value: there is no API version `cfgctl.dev/v2`
    5:3 unknown-field: `metadata` has no field `label`
    4:9 invalid-name: `Shop` is not a name: only a-z, 0-9 and hyphens are allowed
    7:3 unknown-field: the spec of a set has no field `valuess`
    8:21 wrong-type: expected a string, found a boolean
    8:27 invalid-label: `-x` is not a label key: it must start and end with a letter or digit
    8:39 invalid-selector: an empty list matches no cluster
    8:47 wrong-type: expected a string, found a number
    6:1 missing-field: the field `values` is missing
    10:23 invalid-selector: `(` is not a list of values: it lacks its parentheses
    10:41 wrong-type: expected a map, found a list
    11:14 duplicate-layer: two layers are named `a`
    11:8 missing-field: the field `values` is missing
    12:7 wrong-type: expected a map, found a string
    17:11 invalid-name: `a/b` is not a name: only letters, digits, hyphens, underscores and dots are allowed
    17:16 wrong-type: expected a boolean, or a flag of flagd, found a number
    17:30 unknown-value: there is no state `ON`
    17:44 wrong-type: expected a map, found a list
    17:64 wrong-type: expected a string, found a number
    17:72 unknown-field: a flag has no field `variant`
    17:68 missing-field: the field `state` is missing
    17:68 missing-field: the field `variants` is missing
    19:5 invalid-name: `X` is not a name: only a-z, 0-9 and hyphens are allowed
    19:16 unknown-field: `trip` has no field `value`
    19:37 wrong-type: expected a boolean or the name of a variant, found a number with a fraction
    19:59 invalid-duration: a duration is a number and a unit, such as `10m` or `2h`, up to a year
    19:73 invalid-duration: a duration is a number and a unit, such as `10m` or `2h`, up to a year
    20:5 missing-field: the field `trip` is missing
    20:50 invalid-alerts: alerts without a label would be every alert
    20:16 unknown-value: there is no reset `auto`
    20:39 out-of-range: this is a whole number from 1 to 100
    14:16 unknown-field: `spring` has no field `contxt`
    14:7 missing-field: the field `context` is missing
    14:35 unknown-value: there is no format `ymal`
    15:20 invalid-key: `a//b` is not a key: it has an empty segment, or a slash at its start or end
    16:7 wrong-type: each item of `publish` has exactly one key
    "#);
}

#[test]
fn keys_may_arrive_in_batches_only_where_there_are_several() {
    assert_snapshot!(listed("apiVersion: cfgctl.dev/v1
kind: ConfigSet
metadata: {name: shop}
spec:
  values: {}
  publish:
    - keys: {prefix: a, atomic: no}
    - keys: {prefix: b, atomic: 0}
    - keys: {atomic: false}
    - spring: {context: c, atomic: false}
    - spring: {context: d, format: properties, atomic: false}
    - spring: {context: e, format: key-value, atomic: false}
    - spring: {context: f, atomic: true}
"), @r"
    7:33 wrong-type: expected true or false, found a string
    8:33 wrong-type: expected true or false, found a number
    9:7 missing-field: the field `prefix` is missing
    10:36 unknown-value: a document at one key always changes at once
    11:56 unknown-value: a document at one key always changes at once
    ");
}

#[test]
fn duplicate_keys_are_shown_at_both_places_and_all_of_them() {
    assert_snapshot!(of_set("spec:\n  values:\n    a: 1\n    b: {x: 1, \"x\": 2}\n    a: 2\n  values: {}\n"), @r#"
    error[duplicate-key]: the key `x` is here twice
     --> -:7:15
      |
    7 |     b: {x: 1, "x": 2}
      |               ^^^ again here
      |
     ::: -:7:9
      |
    7 |     b: {x: 1, "x": 2}
      |         - first here
      |
      = help: keep one of the two

    error[duplicate-key]: the key `a` is here twice
     --> -:8:5
      |
    8 |     a: 2
      |     ^ again here
      |
     ::: -:6:5
      |
    6 |     a: 1
      |     - first here
      |
      = help: keep one of the two

    error[duplicate-key]: the key `values` is here twice
     --> -:9:3
      |
    9 |   values: {}
      |   ^^^^^^ again here
      |
     ::: -:5:3
      |
    5 |   values:
      |   ------ first here
      |
      = help: keep one of the two

    3 errors
    "#);
}

#[test]
fn two_resources_or_layers_of_one_name_are_shown_at_both_places() {
    assert_snapshot!(findings(&format!("{SET}---\n{SET}")), @r#"
    error[duplicate-resource]: `set/shop` is declared twice
     --> -:8:18
      |
    8 | metadata: {name: shop}
      |                  ^^^^ again here
      |
     ::: -:3:18
      |
    3 | metadata: {name: shop}
      |                  ---- first here
      |
      = help: keep one of the two, or give one of them another name

    1 error
    "#);
    assert_snapshot!(
        of_set("spec:\n  values: {}\n  layers:\n  - {name: a, when: {}, values: {}}\n  - {name: a, when: {}, values: {}}\n"),
        @r#"
    error[duplicate-layer]: two layers are named `a`
     --> -:8:12
      |
    8 |   - {name: a, when: {}, values: {}}
      |            ^ again here
      |
     ::: -:7:12
      |
    7 |   - {name: a, when: {}, values: {}}
      |            - first here
      |
      = help: give one of them another name

    1 error
    "#
    );
}

#[test]
fn a_document_of_another_kind_or_version_is_refused() {
    assert_snapshot!(findings("apiVersion: v1\nkind: configset\nmetadata: {}\n---\n[]\n---\ntext\n"), @r#"
    error[unknown-value]: there is no API version `v1`
     --> -:1:13
      |
    1 | apiVersion: v1
      |             ^^
      |
      = help: write `cfgctl.dev/v1`

    error[unknown-value]: there is no kind `configset`
     --> -:2:7
      |
    2 | kind: configset
      |       ^^^^^^^^^ did you mean `ConfigSet`?

    error[wrong-type]: expected a map, found a list
     --> -:5:1
      |
    5 | []
      | ^^ expected a map

    error[wrong-type]: expected a map, found a string
     --> -:7:1
      |
    7 | text
      | ^^^^ expected a map

    4 errors
    "#);
    assert_snapshot!(findings("kind: ConfigSet\n"), @r"
    error[missing-field]: the field `apiVersion` is missing
     --> -:1:1
      |
    1 | kind: ConfigSet
      | ^^^^ `apiVersion` is missing in here
      |
      = help: add it, as in `apiVersion: cfgctl.dev/v1`

    error[missing-field]: the field `metadata` is missing
     --> -:1:1
      |
    1 | kind: ConfigSet
      | ^^^^ `metadata` is missing in here
      |
      = help: add it, as in `metadata: {name: checkout}`

    error[missing-field]: the field `spec` is missing
     --> -:1:1
      |
    1 | kind: ConfigSet
      | ^^^^ `spec` is missing in here

    3 errors
    ");
}

#[test]
fn numbers_that_are_not_exact_and_keys_that_are_not_text_are_refused() {
    assert_snapshot!(of_set("\
spec:
  values:
    big: 18446744073709551616
    octal: 0644
    nan: .nan
    thousand: 1_000
    1: a
    true: b
    ~: c
    [x]: d
    <<: {e: f}
"), @r#"
    error[number]: `18446744073709551616` does not fit into 64 bits
     --> -:6:10
      |
    6 |     big: 18446744073709551616
      |          ^^^^^^^^^^^^^^^^^^^^
      |
      = help: integers go from -9223372036854775808 to 18446744073709551615; write it in quotes if text is meant

    error[number]: `0644` has a leading zero, which some readers take for octal
     --> -:7:12
      |
    7 |     octal: 0644
      |            ^^^^
      |
      = help: write 644 for the number or "0644" for the text

    error[number]: `.nan` is not a number that a configuration can hold
     --> -:8:10
      |
    8 |     nan: .nan
      |          ^^^^
      |
      = help: if text is meant, write ".nan"

    error[key-type]: a key must be a string, and this is a number
      --> -:10:5
       |
    10 |     1: a
       |     ^
       |
       = help: put it in quotes: "1"

    error[key-type]: a key must be a string, and this is a boolean
      --> -:11:5
       |
    11 |     true: b
       |     ^^^^
       |
       = help: put it in quotes: "true"

    error[key-type]: a key must be a string, and this is null
      --> -:12:5
       |
    12 |     ~: c
       |     ^
       |
       = help: put it in quotes: "~"

    error[key-type]: a key must be a string, and this is a map or a list
      --> -:13:5
       |
    13 |     [x]: d
       |     ^^^
       |
       = help: if this is a template, as in `{{ name }}`, put it in quotes

    error[merge-key]: merge keys (`<<`) are not part of YAML 1.2
      --> -:14:5
       |
    14 |     <<: {e: f}
       |     ^^
       |
       = help: write the keys out, or put them into a layer; "<<" in quotes is an ordinary key

    warning[looks-like-number]: `1_000` is text in YAML 1.2, not a number
     --> -:9:15
      |
    9 |     thousand: 1_000
      |               ^^^^^
      |
      = help: write "1_000" if text is meant, or the number in plain digits

    8 errors, 1 warning
    "#);
}

#[test]
fn tags_and_aliases_that_lead_nowhere_are_refused() {
    assert_snapshot!(of_set("\
spec:
  values:
    a: !secret x
    b: !!binary aGk=
    c: *nowhere
    d: &d [*d]
    e: !!set {f: null}
    g: !!str 1
    h: !!int x
"), @r#"
    error[tag]: the tag `!secret` does not belong here
     --> -:6:8
      |
    6 |     a: !secret x
      |        ^^^^^^^
      |
      = help: take the tag out; text that looks like something else goes in quotes

    error[tag]: the tag `!!binary` does not belong here
     --> -:7:8
      |
    7 |     b: !!binary aGk=
      |        ^^^^^^^^
      |
      = help: take the tag out; text that looks like something else goes in quotes

    error[unknown-anchor]: no anchor `&nowhere` stands before this
     --> -:8:8
      |
    8 |     c: *nowhere
      |        ^^^^^^^^
      |
      = help: an anchor holds only within its own document

    error[recursive-alias]: this alias stands inside its own anchor
     --> -:9:12
      |
    9 |     d: &d [*d]
      |            ^^

    error[tag]: the tag `!!set` does not belong here
      --> -:10:8
       |
    10 |     e: !!set {f: null}
       |        ^^^^^
       |
       = help: take the tag out; text that looks like something else goes in quotes

    error[tag]: the tag `!!int` does not belong here
      --> -:12:8
       |
    12 |     h: !!int x
       |        ^^^^^
       |
       = help: take the tag out; text that looks like something else goes in quotes

    6 errors
    "#);
    assert_snapshot!(findings("%YAML 1.1\n---\na: no\n"), @r"
    error[yaml-version]: this document is declared as YAML 1.1
     --> -:2:1
      |
    2 | ---
      | ^^^
      |
      = help: cfgctl reads YAML 1.2, where `no`, `on` and `yes` are text; take the `%YAML` line out

    error[no-manifest]: this is not a manifest of cfgctl
     --> -:3:1
      |
    3 | a: no
      | ^
      |
      = help: a manifest has `apiVersion: cfgctl.dev/v1`, and `kind: ConfigSet`, `kind: Cluster` or `kind: Grant`

    2 errors
    ");
}

#[test]
fn how_to_reach_a_cluster_is_checked() {
    assert_snapshot!(of_cluster("\
spec:
  consul:
    address: https://user:secret@consul:8501/path
    prefix: /cfgctl
    datacenter: ''
    token: s3cr3t
    limits: {operations: 0, valueBytes: 1.5, requestBytes: -1, x: 1}
"), @r"
    error[invalid-address]: this is not the address of a Consul: it holds a user or password, which belong into `token`
     --> -:6:14
      |
    6 |     address: ************************************
      |              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: write http://HOST:PORT or https://HOST:PORT

    error[invalid-key]: `/cfgctl` is not a key: it has an empty segment, or a slash at its start or end
     --> -:7:13
      |
    7 |     prefix: /cfgctl
      |             ^^^^^^^
      |
      = help: did you mean `cfgctl`?

    error[invalid-value]: a datacenter has only letters, digits, `-` and `_`
     --> -:8:17
      |
    8 |     datacenter: ''
      |                 ^^

    error[wrong-type]: expected a map that says where the token is, found a string
     --> -:9:5
      |
    9 |     token: ******
      |     ^^^^^
      |
      = help: a token is never in a manifest; write `token: {env: NAME}` or `token: {file: PATH}`

    error[wrong-type]: expected a whole number from 1 on, found a number
      --> -:10:26
       |
    10 |     limits: {operations: 0, valueBytes: 1.5, requestBytes: -1, x: 1}
       |                          ^ expected a whole number from 1 on

    error[wrong-type]: expected a whole number from 1 on, found a number with a fraction
      --> -:10:41
       |
    10 |     limits: {operations: 0, valueBytes: 1.5, requestBytes: -1, x: 1}
       |                                         ^^^ expected a whole number from 1 on

    error[wrong-type]: expected a whole number from 1 on, found a number
      --> -:10:60
       |
    10 |     limits: {operations: 0, valueBytes: 1.5, requestBytes: -1, x: 1}
       |                                                            ^^ expected a whole number from 1 on

    error[unknown-field]: `limits` has no field `x`
      --> -:10:64
       |
    10 |     limits: {operations: 0, valueBytes: 1.5, requestBytes: -1, x: 1}
       |                                                                ^
       |
       = help: it may have `operations`, `valueBytes` or `requestBytes`

    8 errors
    ");
    assert_snapshot!(of_cluster("spec:\n  consul: {token: {env: A-B}}\n  directory: {path: x}\n"), @r#"
    error[conflicting-fields]: `consul` and `directory` exclude each other
     --> -:6:3
      |
    6 |   directory: {path: x}
      |   ^^^^^^^^^
      |
     ::: -:5:3
      |
    5 |   consul: {token: {env: A-B}}
      |   ------ the other one
      |
      = help: keep one of the two

    1 error
    "#);
    assert_snapshot!(of_cluster("spec: {consul: {token: {}}}"), @r#"
    error[missing-field]: one of the fields `env` or `file` must be here
     --> -:4:17
      |
    4 | spec: {consul: {token: {}}}
      |                 ^^^^^

    1 error
    "#);
    assert_snapshot!(of_cluster("spec:\n"), @r#"
    error[wrong-type]: expected a map, found nothing (null)
     --> -:4:1
      |
    4 | spec:
      | ^^^^ expected a map
      |
      = help: write the value, or take the field out

    1 error
    "#);
}

#[test]
fn a_broken_value_leaves_no_manifest_and_a_misspelled_field_leaves_one_for_more_checks() {
    let loaded = stdin(&SET.replace("a: 1", "a: 017"));
    assert!(loaded.has_errors());
    assert_eq!(loaded.manifests, []);
    let loaded = stdin(&SET.replace("{values", "{extra: 1, values"));
    assert!(loaded.has_errors());
    assert_eq!(loaded.manifests.len(), 1);
}

fn in_directory(directory: &Path, names: &[&str], recursion: Recursion) -> Loaded {
    let inputs = names
        .iter()
        .map(|name| ManifestSource::Path(PathBuf::from(name), recursion))
        .collect();
    load(inputs, directory)
}

#[test]
fn a_schema_beside_the_manifest_is_read_once_and_becomes_a_part_of_the_set() {
    let directory = tempfile::tempdir().unwrap();
    let at = directory.path();
    fs::create_dir(at.join("shop")).unwrap();
    let set = |name: &str, schema: &str| {
        SET.replace("shop", name)
            .replace("{values", &format!("{{schema: {schema}, values"))
    };
    fs::write(at.join("shop/shop.schema.json"), r#"{"type": "object"}"#).unwrap();
    fs::write(at.join("shop/a.yaml"), set("a", "shop.schema.json")).unwrap();
    fs::write(at.join("shop/b.yaml"), set("b", "./shop.schema.json")).unwrap();
    let loaded = in_directory(at, &["shop"], Recursion::Flat);
    assert_eq!(loaded.findings, []);
    let [a, b] = loaded.manifests.as_slice() else {
        panic!("{loaded:?}");
    };
    assert_eq!(
        a.content.set().unwrap().schema,
        Some(json!({"type": "object"}))
    );
    assert_eq!(a.schema_file, b.schema_file);
    let file = a.schema_file.unwrap();
    assert_eq!(
        loaded.sources.name(file),
        Path::new("shop/shop.schema.json")
    );
}

#[test]
fn a_schema_that_is_missing_or_broken_is_shown_where_it_is_named_or_broken() {
    let directory = tempfile::tempdir().unwrap();
    let at = directory.path();
    fs::write(
        at.join("bad.schema.json"),
        "{\"type\": \"object\",\n \"a\": tru, }}",
    )
    .unwrap();
    fs::write(at.join("list.json"), "[]").unwrap();
    for (name, schema) in [
        ("a", "lst.json"),
        ("b", "bad.schema.json"),
        ("c", "list.json"),
        ("d", "'.'"),
    ] {
        let text = SET
            .replace("shop", name)
            .replace("{values", &format!("{{schema: {schema}, values"));
        fs::write(at.join(format!("{name}.yaml")), text).unwrap();
    }
    let loaded = in_directory(
        at,
        &["a.yaml", "b.yaml", "c.yaml", "d.yaml"],
        Recursion::Flat,
    );
    assert_snapshot!(show(&loaded.findings, &loaded.sources, Style::Plain), @r#"
    error[unreadable]: cannot read `lst.json`: there is no such file
     --> a.yaml:4:16
      |
    4 | spec: {schema: lst.json, values: {a: 1}}
      |                ^^^^^^^^ did you mean `list.json`?
      |
      = help: a relative path starts beside the manifest that names it

    error[syntax]: misplaced bracket
     --> bad.schema.json:2:13
      |
    2 |  "a": tru, }}
      |             ^

    error[schema-file]: `list.json` does not hold one JSON Schema
     --> c.yaml:4:16
      |
    4 | spec: {schema: list.json, values: {a: 1}}
      |                ^^^^^^^^^
      |
      = help: a JSON Schema file holds one JSON or YAML map

    error[unreadable]: cannot read `.`: it is a directory
     --> d.yaml:4:16
      |
    4 | spec: {schema: '.', values: {a: 1}}
      |                ^^^
      |
      = help: a relative path starts beside the manifest that names it

    4 errors
    "#);
}

#[test]
fn old_line_ends_of_the_mac_are_counted() {
    let text = SET.replace("a: 1", "a: 017").replace('\n', "\r");
    assert_snapshot!(findings(&text), @r#"
    error[number]: `017` has a leading zero, which some readers take for octal
     --> -:4:20
      |
    4 | spec: {values: {a: 017}}
      |                    ^^^
      |
      = help: write 17 for the number or "017" for the text

    1 error
    "#);
}
