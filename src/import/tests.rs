use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::model::{ConfigSet, Contents, Publish, Selector};
use crate::render;

fn pair(key: &str, value: impl Into<Vec<u8>>) -> ForeignKey {
    ForeignKey {
        key: key.to_owned(),
        flags: 0,
        value: value.into(),
    }
}

fn pairs(of: &[(&str, &str)]) -> Vec<ForeignKey> {
    of.iter().map(|(key, value)| pair(key, *value)).collect()
}

fn request(prefix: &str) -> ImportRequest {
    ImportRequest {
        name: "checkout".parse().unwrap(),
        prefix: prefix.parse().unwrap(),
        clusters: Selector::default(),
        layout: None,
        form: Form::Exact,
        mark: 42,
    }
}

fn as_layout(layout: Layout, prefix: &str) -> ImportRequest {
    ImportRequest {
        layout: Some(layout),
        ..request(prefix)
    }
}

fn structured(layout: Layout, prefix: &str) -> ImportRequest {
    ImportRequest {
        form: Form::Structured,
        ..as_layout(layout, prefix)
    }
}

fn set(imported: &Imported) -> &ConfigSet {
    imported.manifest.content.set().unwrap()
}

fn values(imported: &Imported) -> Value {
    Value::Object(set(imported).values.clone())
}

fn entries(imported: &Imported) -> BTreeMap<String, Vec<u8>> {
    let set = set(imported);
    let entries = render::entries(&set.publish, &Contents::of_values(set.values.clone())).unwrap();
    let entries = entries.into_iter();
    entries
        .map(|(key, bytes)| (key.to_string(), bytes))
        .collect()
}

/// Every key as it is, by name.
fn originals(pairs: &[ForeignKey]) -> BTreeMap<String, Vec<u8>> {
    let pairs = pairs.iter();
    pairs
        .map(|pair| (pair.key.clone(), pair.value.clone()))
        .collect()
}

fn reasons(keys: &BTreeMap<String, Fate>) -> Vec<String> {
    let reason = |(key, fate): (&String, &Fate)| match fate {
        Fate::Refused(reason) => Some(format!("{key}: {reason}")),
        Fate::Ignored(reason) => Some(format!("{key}: ignored: {reason}")),
        Fate::SameBytes | Fate::SameValues => None,
    };
    keys.iter().filter_map(reason).collect()
}

#[test]
fn plain_keys_become_values_of_their_types_and_keep_their_bytes() {
    let pairs = pairs(&[
        ("app/checkout/db/url", "postgres://db"),
        ("app/checkout/db/pool", "20"),
        ("app/checkout/ratio", "1.50"),
        ("app/checkout/id", "007"),
        ("app/checkout/on", "true"),
        ("app/checkout/spaced", " true\n"),
        ("app/checkout/hosts", r#"["a","b"]"#),
        ("app/checkout/loose", r#"["a", "b"]"#),
        ("app/checkout/empty", ""),
        ("app/checkout/null", "null"),
        ("app/checkout2/x", "not ours"),
        ("app", "not ours"),
    ]);
    let imported = import(&pairs, &request("app/checkout")).unwrap();
    assert_eq!(imported.layout, Layout::Keys);
    assert_eq!(
        values(&imported),
        json!({
            "db": {"url": "postgres://db", "pool": 20}, "ratio": "1.50", "id": "007", "on": true,
            "spaced": " true\n", "hosts": ["a", "b"], "loose": "[\"a\", \"b\"]", "empty": "",
            "null": "null",
        })
    );
    assert_eq!(entries(&imported), originals(&pairs[..10]));
    assert!(imported.keys.values().all(|fate| *fate == Fate::SameBytes));
}

#[test]
fn keys_that_no_set_can_hold_are_named_with_the_reason() {
    let deep = format!("a/{}", ["x"; 60].join("/"));
    let mut pairs = pairs(&[
        ("a/b", "1"),
        ("a/b/c", "2"),
        ("a//d", "3"),
        ("a/../e", "4"),
        ("a/folder/", ""),
        ("a/odd/", "5"),
        ("a/f ", "6"),
        ("a/ok", "7"),
        (&deep, "8"),
    ]);
    pairs.push(pair("a/binary", [0xff, 0xfe]));
    pairs.push(pair(&format!("a/{}", "k".repeat(1100)), "9"));
    let imported = import(&pairs, &request("a")).unwrap();
    assert_eq!(values(&imported), json!({"b": {"c": 2}, "ok": 7}));
    let reasons: Vec<String> = reasons(&imported.keys)
        .iter()
        .map(|reason| {
            reason
                .replace(&"k".repeat(1100), "k…")
                .replace("x/x/x/x/x/x", "…")
        })
        .collect();
    insta::assert_snapshot!(reasons.join("\n"), @r"
    a/../e: `.` and `..` are not allowed as segments
    a//d: it has an empty segment, or a slash at its start or end
    a/b: other keys lie below it, and a value cannot be a map as well
    a/binary: its value is not UTF-8, and a manifest holds nothing but text
    a/f : a segment starts or ends with a space
    a/folder/: ignored: a folder without a value, as Consul's web interface makes them
    a/k…: it is longer than 1024 bytes
    a/odd/: it has an empty segment, or a slash at its start or end
    a/…/…/…/…/…/…/…/…/…/…: it lies too many folders deep
    ");
}

#[test]
fn properties_of_spring_become_lists_and_keep_their_keys() {
    let pairs = pairs(&[
        ("config/checkout/hosts[0]/port", "1"),
        ("config/checkout/hosts[1]/port", "2"),
        ("config/checkout/pay/timeout", "1500"),
        ("config/checkout/pay.url", "u"),
        ("config/checkout/list", "[1]"),
        ("config/checkout/gap[1]", "x"),
    ]);
    let imported = import(&pairs, &request("config/checkout")).unwrap();
    assert_eq!(imported.layout, Layout::SpringKeyValue);
    assert_eq!(
        values(&imported),
        json!({
            "hosts": [{"port": 1}, {"port": 2}], "pay": {"timeout": 1500}, "pay.url": "u",
            "list": "[1]", "gap[1]": "x",
        })
    );
    assert_eq!(entries(&imported), originals(&pairs));
}

#[test]
fn what_has_no_place_among_properties_becomes_plain_keys_unless_asked() {
    let pairs = pairs(&[
        ("config/c/a/b", "1"),
        ("config/c/a.b", "2"),
        ("config/c/d/[x]", "3"),
    ]);
    let imported = import(&pairs, &request("config/c")).unwrap();
    assert_eq!(imported.layout, Layout::Keys);
    assert_eq!(entries(&imported), originals(&pairs));
    let error = import(&pairs, &as_layout(Layout::SpringKeyValue, "config/c")).unwrap_err();
    let ImportError::Refused { keys, .. } = error else {
        panic!("{error:?}");
    };
    insta::assert_snapshot!(reasons(&keys).join("\n"), @r"
    config/c/a.b: another key is the same property to Spring
    config/c/a/b: another key is the same property to Spring
    config/c/d/[x]: a part of it begins with a bracket, which Spring takes for an index
    ");
}

const HAND_WRITTEN: &str = "\
# Payment
payment:
  enabled: on
  codes: {404: retry}
  timeoutMs: 01500
  url:   'https://pay'
";

#[test]
fn a_document_that_is_written_by_hand_stays_one_text() {
    let pairs = pairs(&[("config/c/data", HAND_WRITTEN)]);
    let imported = import(&pairs, &request("config/c")).unwrap();
    assert_eq!(imported.layout, Layout::SpringYaml);
    assert_eq!(values(&imported), json!({"data": HAND_WRITTEN}));
    assert_eq!(entries(&imported), originals(&pairs));
    insta::assert_snapshot!(imported.notes.join("\n"), @r"
    the keys look like the layout `spring-yaml`; `--layout` chooses another
    the set goes to every cluster; say which with `--clusters`, or in `spec.clusters`
    `config/c/data` is kept as one text, byte for byte; `--structured` makes values of it, which the application reads the same, though the text is rewritten
    ");
}

#[test]
fn a_document_gets_values_if_asked_and_the_application_reads_the_same() {
    let pairs = pairs(&[("config/c/data", HAND_WRITTEN)]);
    let imported = import(&pairs, &structured(Layout::SpringYaml, "config/c")).unwrap();
    assert_eq!(
        values(&imported),
        json!({"payment": {
            "enabled": true, "codes": {"[404]": "retry"}, "timeoutMs": 832, "url": "https://pay",
        }})
    );
    assert_eq!(imported.keys["config/c/data"], Fate::SameValues);
    insta::assert_snapshot!(imported.text, @r#"
    apiVersion: cfgctl.dev/v1
    kind: ConfigSet
    metadata:
      name: checkout
    spec:
      publish:
        - spring:
            context: config/c
      values:
        payment:
          codes:
            "[404]": retry
          enabled: true
          timeoutMs: 832
          url: https://pay
    "#);
    insta::assert_snapshot!(imported.notes.join("\n"), @r"
    the set goes to every cluster; say which with `--clusters`, or in `spec.clusters`
    `config/c/data` is written anew when the set is applied: the application reads the same values, but comments and order are lost
    ");
}

#[test]
fn a_document_as_we_would_write_it_gets_values_without_asking() {
    for (layout, text) in [
        (Layout::SpringYaml, "a:\n  b: 1\nc: \"no\"\n"),
        (
            Layout::SpringProperties,
            "a.b=1\nc=\\u00FC\nhosts[0]=x\nhosts[1]=y\n",
        ),
    ] {
        let pairs = pairs(&[("config/c/data", text), ("config/c/", "")]);
        let imported = import(&pairs, &request("config/c")).unwrap();
        assert_eq!(imported.layout, layout);
        assert!(
            matches!(set(&imported).publish[..], [Publish::Spring { .. }]),
            "{layout:?}"
        );
        assert_eq!(imported.keys["config/c/data"], Fate::SameBytes);
        assert_eq!(entries(&imported), originals(&pairs[..1]));
    }
}

#[test]
fn properties_get_values_if_asked() {
    let text = "# Pay\npay.url = https\\://pay\npay.on=true\nhosts[0]=a\nhosts[1]=b\nname=M\u{fc}ller\n\
                headers[x.y]=1\nzip = 007\n";
    let document = pairs(&[("config/c/data", text)]);
    let imported = import(&document, &structured(Layout::SpringProperties, "config/c")).unwrap();
    assert_eq!(
        values(&imported),
        json!({
            "pay": {"url": "https://pay", "on": true}, "hosts": ["a", "b"], "name": "Müller",
            "headers[x.y]": 1, "zip": "007",
        })
    );
    assert_eq!(imported.keys["config/c/data"], Fate::SameValues);
    // A name that is also the start of another cannot be a map.
    let document = pairs(&[("config/c/data", "a=1\na.b=2\n")]);
    let imported = import(&document, &structured(Layout::SpringProperties, "config/c")).unwrap();
    assert_eq!(values(&imported), json!({"a": 1, "a.b": 2}));
}

#[test]
fn a_document_that_cannot_be_understood_is_kept_or_refused_and_never_shown() {
    let text = "password: !vault hunter2\n";
    let document = pairs(&[("config/c/data", text)]);
    let kept = import(&document, &as_layout(Layout::SpringYaml, "config/c")).unwrap();
    assert_eq!(entries(&kept), originals(&document));
    insta::assert_snapshot!(kept.notes.last().unwrap(), @"`config/c/data` is kept as one text, byte for byte: no values can be made of it: line 1: a tag");
    let error = import(&document, &structured(Layout::SpringYaml, "config/c")).unwrap_err();
    let shown = format!("{error} {error:?} {document:?} {:?}", kept.notes);
    assert!(!shown.contains("hunter2"), "{shown}");
}

const MARKED: &str = "\u{feff}a:\r\n  b: 1\r\n";

/// A request for values, whatever the layout turns out to be.
fn values_wanted() -> ImportRequest {
    ImportRequest {
        form: Form::Structured,
        ..request("config/c")
    }
}

#[test]
fn why_a_document_has_no_values_is_said_whatever_layout_was_asked_for() {
    for (text, expected) in [
        ("a: 1\n---\nb: 2\n", "it is more than one document"),
        (
            "---\na: 1\n...\n---\n{b: 2}\n",
            "it is more than one document",
        ),
        ("a: 1\npassword: !vault hunter2\n", "line 2: a tag"),
        ("a: 1\na: 2\n", "line 2: a key that is there already"),
        ("a: 1\nb: [2\n", "line 2: this is not YAML"),
        ("a:\n\t- 1\n", "line 2: a tab where YAML takes only spaces"),
        (
            "a: 2026-11-21\n",
            "line 1: a date, which is no text to its reader",
        ),
        ("a: *b\n", "line 1: an alias without an anchor"),
        (
            "%YAML 1.2\n---\na: 1\n",
            "line 2: it is declared as another YAML than 1.1",
        ),
        (
            "\u{feff}\u{feff}a: 1\n",
            "it has characters that versions of YAML read differently",
        ),
    ] {
        let document = pairs(&[("config/c/data", text)]);
        for request in [values_wanted(), structured(Layout::SpringYaml, "config/c")] {
            let error = import(&document, &request).unwrap_err();
            let expected = format!("no values can be made of `config/c/data`: {expected}");
            assert_eq!(error.to_string(), expected, "{text:?} {request:?}");
            let ImportError::NoValues { remedy, .. } = error else {
                panic!("{error:?}");
            };
            assert_eq!(remedy, Remedy::KeepText);
        }
        // What cannot have values is still seen for what it is, and kept.
        let kept = import(&document, &request("config/c")).unwrap();
        assert_eq!(kept.layout, Layout::SpringYaml, "{text:?}");
        assert_eq!(entries(&kept), originals(&document));
        let note = kept.notes.last().unwrap();
        assert!(
            note.ends_with(expected) || text.starts_with('\u{feff}'),
            "{note}"
        );
    }
}

#[test]
fn why_there_is_nothing_to_structure_is_said() {
    let utf_16: Vec<u8> = "a: 1\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let marked_16 = [&[0xff, 0xfe][..], &utf_16].concat();
    for (pair, expected) in [
        (
            pair("config/c/data", ""),
            "it is empty, and it does not look like properties either",
        ),
        (
            pair("config/c/data", "# later\n"),
            "it is empty, and it does not look like properties either",
        ),
        (
            pair("config/c/data", "- a\n- b\n"),
            "it is a list and not a map, and it does not look like properties either",
        ),
        (
            pair("config/c/data", "hello"),
            "it is one text or number and not a map, and it does not look like properties either",
        ),
        (
            pair("config/c/data", "\u{feff}a=1\nb=2\n"),
            "it starts with a byte order mark, which Spring reads as `?`, a part of the first line",
        ),
        (
            pair("config/c/data", "a=\\u12\n"),
            "line 1: `\\u` without four digits",
        ),
        (
            pair("config/c/data", utf_16),
            "it looks like UTF-16, and Spring reads UTF-8",
        ),
        (
            pair("config/c/data", marked_16),
            "its value looks like UTF-16, and a manifest holds nothing but UTF-8",
        ),
        (
            pair("config/c/data", [b'a', b':', b' ', 0xff]),
            "its value is not UTF-8, and a manifest holds nothing but text",
        ),
    ] {
        let error = import(&[pair], &values_wanted()).unwrap_err().to_string();
        assert_eq!(
            error,
            format!("no values can be made of `config/c/data`: {expected}")
        );
    }
    let other = import(&pairs(&[("config/c/x", "1")]), &values_wanted()).unwrap_err();
    assert_eq!(
        other.to_string(),
        "there is no document at `config/c/data` that could be structured"
    );
    let deeper = pairs(&[("config/c/d/data", "a: 1\n")]);
    let ImportError::NothingToStructure { elsewhere, .. } =
        import(&deeper, &values_wanted()).unwrap_err()
    else {
        panic!("something was structured");
    };
    assert_eq!(elsewhere, Some("config/c/d".parse().unwrap()));
}

#[test]
fn another_layout_is_named_where_it_helps() {
    let yaml = pairs(&[("config/c/data", "a:\n  b: 1\n")]);
    let properties = pairs(&[("config/c/data", "a.b=1\nc=x: y\n")]);
    let error = import(&properties, &structured(Layout::SpringYaml, "config/c")).unwrap_err();
    let ImportError::NoValues { remedy, .. } = error else {
        panic!("{error:?}");
    };
    assert_eq!(remedy, Remedy::Layout(Layout::SpringProperties));
    let error = import(&yaml, &structured(Layout::Keys, "config/c")).unwrap_err();
    let instead = Some(Layout::SpringYaml);
    let layout = Layout::Keys;
    assert_eq!(error, ImportError::NotStructured { layout, instead });
}

#[test]
fn a_document_with_a_byte_order_mark_is_a_document() {
    let document = pairs(&[("config/c/data", MARKED)]);
    let kept = import(&document, &request("config/c")).unwrap();
    assert_eq!(kept.layout, Layout::SpringYaml);
    assert_eq!(entries(&kept), originals(&document));
    insta::assert_snapshot!(kept.notes.join("\n"), @r"
    the keys look like the layout `spring-yaml`; `--layout` chooses another
    the set goes to every cluster; say which with `--clusters`, or in `spec.clusters`
    `config/c/data` starts with a byte order mark, which stays: Spring skips it in YAML, but not in properties, and other applications may not skip it
    `config/c/data` is kept as one text, byte for byte; `--structured` makes values of it, which the application reads the same, though the text is rewritten
    ");

    let imported = import(&document, &values_wanted()).unwrap();
    assert_eq!(imported.layout, Layout::SpringYaml);
    assert_eq!(values(&imported), json!({"a": {"b": 1}}));
    assert_eq!(imported.keys["config/c/data"], Fate::SameValues);
    insta::assert_snapshot!(imported.notes.last().unwrap(), @"`config/c/data` is written anew when the set is applied: the application reads the same values, but comments, order and the byte order mark at its start are lost");

    let files = pairs(&[
        ("repo/c/app.yml", MARKED),
        ("repo/c/b.properties", "\u{feff}a=1\n"),
        ("repo/c/c.yml", "a: 1\n"),
    ]);
    let imported = import(&files, &request("repo/c")).unwrap();
    assert_eq!(imported.layout, Layout::Files);
    assert_eq!(entries(&imported), originals(&files));
    insta::assert_snapshot!(imported.notes.last().unwrap(), @"`repo/c/app.yml` and 1 other key start with a byte order mark, which stays: Spring skips it in YAML, but not in properties, and other applications may not skip it");
}

#[test]
fn yaml_with_a_mistake_is_not_taken_for_properties() {
    for text in [
        "payment:\n  url: !vault hunter2\n",
        "since: 2026-01-01\n",
        "a: 1\na: 2\n",
    ] {
        let document = pairs(&[("config/c/data", text)]);
        let imported = import(&document, &request("config/c")).unwrap();
        assert_eq!(imported.layout, Layout::SpringYaml, "{text}");
        assert!(import(&document, &values_wanted()).is_err(), "{text}");
    }
    for text in ["a=b: c\n", "a = 1, \\\n  2\nb: x\n", "# see: x\na=1\n"] {
        let document = pairs(&[("config/c/data", text)]);
        let imported = import(&document, &request("config/c")).unwrap();
        assert_eq!(imported.layout, Layout::SpringProperties, "{text}");
    }
}

#[test]
fn a_text_where_documents_lie_is_one_property_and_that_is_said() {
    let pairs = pairs(&[("config/c/data", "hello"), ("config/c/x", "1")]);
    let imported = import(&pairs, &request("config/c")).unwrap();
    assert_eq!(imported.layout, Layout::SpringKeyValue);
    assert_eq!(entries(&imported), originals(&pairs));
    insta::assert_snapshot!(imported.notes.last().unwrap(), @"`config/c/data` looks like no document, neither in YAML nor as properties, so it is taken for one property named `data`; `--layout spring-yaml` takes it for a document");
}

#[test]
fn keys_beside_a_document_have_a_place_only_in_a_set_of_texts() {
    let pairs = pairs(&[("config/c/data", "a: 1\n"), ("config/c/other", "2")]);
    let imported = import(&pairs, &request("config/c")).unwrap();
    assert_eq!(values(&imported), json!({"data": "a: 1\n", "other": "2"}));
    assert_eq!(entries(&imported), originals(&pairs));
    let imported = import(&pairs, &structured(Layout::SpringYaml, "config/c")).unwrap();
    assert_eq!(values(&imported), json!({"a": 1}));
    insta::assert_snapshot!(reasons(&imported.keys).join("\n"), @"config/c/other: a set that publishes a document has no room for other keys");
}

#[test]
fn files_below_and_beside_the_prefix_stay_whole() {
    let below = pairs(&[("repo/main/app.yml", "a: 1\n"), ("repo/main/port", "80")]);
    let imported = import(&below, &request("repo/main")).unwrap();
    assert_eq!(imported.layout, Layout::Files);
    assert_eq!(
        values(&imported),
        json!({"app.yml": "a: 1\n", "port": "80"})
    );

    let beside = pairs(&[
        ("config/shop.yml", "a: 1\n"),
        ("config/shop-prod.yml", "a: 2\n"),
        ("config/shopping.yml", "no"),
        ("config/shop-x/y.yml", "no"),
    ]);
    let imported = import(&beside, &request("config/shop")).unwrap();
    assert_eq!(imported.layout, Layout::Files);
    assert_eq!(entries(&imported), originals(&beside[..2]));
    insta::assert_snapshot!(imported.notes.join("\n"), @r"
    the keys look like the layout `files`; `--layout` chooses another
    the set goes to every cluster; say which with `--clusters`, or in `spec.clusters`
    the files lie in `config/`, so the set looks at all keys there; those that it does not hold are kept
    ");
}

#[test]
fn what_is_not_there_is_an_error() {
    let pairs = pairs(&[("a/b", "1")]);
    for (request, expected) in [
        (request("x"), "there are no keys below `x/`"),
        (request("a/b"), "there are no keys below `a/b/`"),
        (
            as_layout(Layout::SpringYaml, "a"),
            "there is no key `a/data`, which the layout `spring-yaml` is about",
        ),
        (
            structured(Layout::Keys, "a"),
            "the layout `keys` has no document that could be structured",
        ),
    ] {
        assert_eq!(import(&pairs, &request).unwrap_err().to_string(), expected);
    }
}

#[test]
fn too_many_keys_and_lost_flags_are_noted() {
    let mut many: Vec<ForeignKey> = (0..200).map(|n| pair(&format!("a/k{n}"), "1")).collect();
    many[0].flags = 7;
    many[1].flags = 42;
    let imported = import(&many, &request("a")).unwrap();
    insta::assert_snapshot!(imported.notes.join("\n"), @r"
    the keys look like the layout `keys`; `--layout` chooses another
    the set goes to every cluster; say which with `--clusters`, or in `spec.clusters`
    keys that cfgctl wrote: 1; another set may hold them already
    keys with KV flags of their own: 1; cfgctl's mark replaces the flags
    set `checkout` needs 201 operations in one transaction, the limit is 128; publish one document in place of many keys, split the set, or let the keys arrive in batches with `atomic: false`
    ");
}

fn keys() -> impl Strategy<Value = String> {
    prop_oneof![
        "config/shop/[ab./\\[\\]01]{0,6}",
        "config/shop(/[a-c]{1,2}(\\[[01]\\])?){1,3}",
        "config/shop(\\.yml|-a\\.properties|/data)",
        "config/shop/.{0,3}",
        ".{0,6}",
    ]
}

fn texts() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => "[-+]?[0-9]{0,3}(\\.[0-9]{1,3})?(e[0-9])?".prop_map(String::into_bytes),
        4 => "(true|false|null|no|\\[(1|\"a\"|true|,|\\[|\\]){0,5}\\]|\\{\\})".prop_map(String::into_bytes),
        4 => "([a-c.]{1,3}(=|: | )[a-z0-9#:]{0,4}\n){0,4}".prop_map(String::into_bytes),
        4 => any::<String>().prop_map(String::into_bytes),
        1 => prop::collection::vec(any::<u8>(), 0..6),
    ]
}

fn layouts() -> impl Strategy<Value = Option<Layout>> {
    prop::option::of(prop::sample::select(vec![
        Layout::SpringYaml,
        Layout::SpringProperties,
        Layout::SpringKeyValue,
        Layout::Files,
        Layout::Keys,
    ]))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// The promise of an import: what the set publishes was there with the same bytes, and what it
    /// does not publish is named.
    #[test]
    fn whatever_the_keys_are_no_byte_changes(
        found in prop::collection::btree_map(keys(), texts(), 0..12),
        layout in layouts(),
    ) {
        let pairs: Vec<ForeignKey> = found.iter().map(|(key, value)| pair(key, value.clone())).collect();
        let request = ImportRequest { layout, ..request("config/shop") };
        match import(&pairs, &request) {
            Ok(imported) => {
                let entries = entries(&imported);
                for (key, bytes) in &entries {
                    prop_assert_eq!(Some(bytes), found.get(key), "{}", key);
                }
                for (key, fate) in &imported.keys {
                    prop_assert_eq!(*fate == Fate::SameBytes, entries.contains_key(key), "{}", key);
                    prop_assert_ne!(fate, &Fate::SameValues);
                }
                for key in found.keys().filter(|key| key.starts_with("config/shop/")) {
                    prop_assert!(imported.keys.contains_key(key), "{} is not named", key);
                }
            }
            Err(ImportError::Unlike { reason }) => prop_assert!(false, "{}", reason),
            Err(ImportError::Unreadable { codes }) => prop_assert!(false, "{:?}", codes),
            Err(_) => {}
        }
    }

    /// Nothing is lost that a set can hold: plain keys with decent names all get in.
    #[test]
    fn decent_keys_are_all_imported(
        found in prop::collection::btree_map("[a-z]{1,3}", any::<String>(), 1..8),
    ) {
        let pairs: Vec<ForeignKey> = found
            .iter()
            .map(|(key, value)| pair(&format!("app/{key}"), value.as_str()))
            .collect();
        let imported = import(&pairs, &request("app")).unwrap();
        prop_assert_eq!(entries(&imported), originals(&pairs));
    }

    #[test]
    fn structured_documents_mean_the_same(
        text in "([a-c.]{1,3}(=|: |:| )[a-z0-9#:,\\[\\]]{0,6}\n){1,5}",
        layout in prop::sample::select(vec![Layout::SpringYaml, Layout::SpringProperties]),
    ) {
        let pairs = pairs(&[("config/shop/data", &text)]);
        if let Ok(imported) = import(&pairs, &structured(layout, "config/shop")) {
            let rendered = entries(&imported).remove("config/shop/data").unwrap();
            let format = match layout {
                Layout::SpringYaml => SpringFormat::Yaml,
                _ => SpringFormat::Properties,
            };
            prop_assert!(draft::means_the_same(format, &text, &rendered));
        }
    }

    #[test]
    fn no_export_breaks_the_reader(bytes in prop_oneof![
        prop::collection::vec(any::<u8>(), 0..64),
        "[\\[\\]{}\",:a-z0-9=+/ ]{0,64}".prop_map(String::into_bytes),
        "\\[(\\{\"key\": ?\"[a-z/]{0,5}\",\"flags\":-?[0-9]{1,22},\"value\":(null|\"[A-Za-z0-9=]{0,8}\")\\},?){0,3}\\]"
            .prop_map(String::into_bytes),
    ]) {
        if let Ok(pairs) = read_export(&bytes) {
            let _ = import(&pairs, &request("a"));
        }
    }
}
