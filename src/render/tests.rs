use proptest::prelude::*;
use serde_json::json;
use std::collections::BTreeSet;

use super::*;
use crate::model::{Cause, Layer};

fn map(value: Value) -> Map {
    let Value::Object(map) = value else {
        panic!("not a map: {value}");
    };
    map
}

fn key(text: &str) -> Key {
    text.parse().unwrap()
}

fn keys(prefix: &str) -> Publish {
    let prefix = key(prefix);
    Publish::Keys {
        prefix,
        atomic: true,
    }
}

fn spring(context: &str, format: SpringFormat) -> Publish {
    let context = key(context);
    Publish::Spring {
        context,
        format,
        atomic: true,
    }
}

fn set(values: Map, publish: Vec<Publish>) -> ConfigSet {
    ConfigSet {
        values,
        publish,
        ..ConfigSet::default()
    }
}

fn contents_of(values: Map) -> Contents {
    Contents::of_values(values)
}

/// The values without anything switched by hand.
fn values(set: &ConfigSet, labels: &Labels) -> Map {
    contents(set, &Overrides::default(), labels).values
}

fn origin() -> Origin {
    Origin {
        actor: "ops@laptop".to_owned(),
        at: "2026-11-21T02:14:00Z".parse().unwrap(),
        cause: Cause::Apply,
        message: None,
        consents: BTreeSet::new(),
        planned: None,
    }
}

fn labels(pairs: &[(&str, &str)]) -> Labels {
    pairs
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

/// The keys and their bytes as text.
fn shown(publish: &Publish, values: Value) -> Vec<(String, String)> {
    entries(std::slice::from_ref(publish), &contents_of(map(values)))
        .unwrap()
        .into_iter()
        .map(|(key, bytes)| (key.to_string(), String::from_utf8(bytes).unwrap()))
        .collect()
}

fn errors(publish: &[Publish], values: Value) -> Vec<String> {
    entries(publish, &contents_of(map(values)))
        .unwrap_err()
        .iter()
        .map(ToString::to_string)
        .collect()
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    labels(pairs).into_iter().collect()
}

#[test]
fn keys_hold_one_leaf_each() {
    assert_eq!(
        shown(
            &keys("app"),
            json!({
                "s": "x y", "n": 1.5, "b": true, "none": null, "list": [1, {"a": "b"}],
                "deep": {"er": {"big": u64::MAX}, "empty": {}}, "no": [],
            }),
        ),
        pairs(&[
            ("app/b", "true"),
            ("app/deep/empty", "{}"),
            ("app/deep/er/big", "18446744073709551615"),
            ("app/list", r#"[1,{"a":"b"}]"#),
            ("app/n", "1.5"),
            ("app/no", "[]"),
            ("app/none", ""),
            ("app/s", "x y"),
        ]),
    );
}

#[test]
fn spring_finds_one_key_per_property() {
    assert_eq!(
        shown(
            &spring("config/shop", SpringFormat::KeyValue),
            json!({
                "pay": {"timeout": 5, "a.b": "c", "[x.y]": "z", "none": {}},
                "hosts": ["h", {"port": 1, "tags": []}],
                "null": null,
            }),
        ),
        pairs(&[
            ("config/shop/hosts[0]", "h"),
            ("config/shop/hosts[1]/port", "1"),
            ("config/shop/hosts[1]/tags", ""),
            ("config/shop/null", ""),
            ("config/shop/pay/a.b", "c"),
            ("config/shop/pay/timeout", "5"),
            ("config/shop/pay[x.y]", "z"),
        ]),
    );
}

#[test]
fn properties_are_ascii_that_java_reads_back() {
    let publish = spring("config/shop", SpringFormat::Properties);
    let shown = shown(
        &publish,
        json!({"a b:=#!": "  x y #\n\t\\", "ü": "😀é", "list": [{"k": 1}], "e": {}, "n": null}),
    );
    let [(key, text)] = shown.as_slice() else {
        panic!("{shown:?}");
    };
    assert_eq!(key, "config/shop/data");
    insta::assert_snapshot!(text, @r"
    a\ b\:\=\#\!=\ \ x y \#\n\t\\
    list[0].k=1
    n=
    \u00FC=\uD83D\uDE00\u00E9
    ");
}

#[test]
fn yaml_is_one_document_and_may_have_slashes_in_its_keys() {
    let publish = spring("config/shop", SpringFormat::Yaml);
    let shown = shown(&publish, json!({"/api/**": {"on": "no"}}));
    let [(key, text)] = shown.as_slice() else {
        panic!("{shown:?}");
    };
    assert_eq!(key, "config/shop/data");
    let read: Value = serde_yaml::from_str(text).unwrap();
    assert_eq!(read, json!({"/api/**": {"on": "no"}}));
}

#[test]
fn a_key_that_consul_would_redirect_is_refused_once() {
    let values = json!({"a/b": {"x": 1, "y": 2}, "": 1, "..": 1, " c": 1, "d\n": 1, "ok": 1});
    assert_eq!(
        errors(&[keys("app")], values.clone()),
        [
            "`` cannot be part of a published key: it is empty",
            "` c` cannot be part of a published key: it starts or ends with a space",
            "`..` cannot be part of a published key: Consul takes `.` and `..` for steps in a path",
            "`a/b` cannot be part of a published key: it has a slash",
            "`d\\n` cannot be part of a published key: it has a control character",
        ]
    );
    let key_value = spring("app", SpringFormat::KeyValue);
    assert_eq!(errors(&[key_value], values).len(), 5);
}

#[test]
fn a_key_that_is_too_long_is_refused_with_its_length() {
    let values = json!({"x".repeat(600): {"y".repeat(600): 1}});
    assert_eq!(
        errors(&[keys("app")], values),
        ["a published key would have 1205 bytes: it is longer than 1024 bytes"]
    );
    let context = "c".repeat(1024);
    assert_eq!(
        errors(&[spring(&context, SpringFormat::Yaml)], json!({})),
        ["a published key would have 1029 bytes: it is longer than 1024 bytes"]
    );
}

#[test]
fn two_values_with_one_property_name_are_refused() {
    let values = json!({"a": {"b": 1}, "a.b": 2, "l": [1], "l[0]": 2});
    for format in [
        SpringFormat::Yaml,
        SpringFormat::Properties,
        SpringFormat::KeyValue,
    ] {
        assert_eq!(
            errors(&[spring("app", format)], values.clone()),
            [
                "`\"a.b\"` and `a.b` are both the property `a.b`",
                "`l[0]` and `l.0` are both the property `l[0]`",
            ]
        );
    }
}

#[test]
fn two_targets_with_one_key_are_refused() {
    let publish = [
        spring("app", SpringFormat::Yaml),
        keys("app"),
        keys("app/data"),
    ];
    let found = entries(&publish, &contents_of(map(json!({"data": 1, "x": 2})))).unwrap_err();
    assert_eq!(
        found,
        [RenderError::SameKey {
            publish: 1,
            other: 0,
            path: ["data"].into_iter().collect(),
            key: key("app/data"),
        }]
    );
}

#[test]
fn the_place_of_a_set_is_where_its_keys_can_lie() {
    let set = set(
        Map::new(),
        vec![
            spring("config/a", SpringFormat::Yaml),
            spring("config/b", SpringFormat::Properties),
            spring("config/c", SpringFormat::KeyValue),
            keys("app/d"),
            spring(&"c".repeat(1024), SpringFormat::Yaml),
        ],
    );
    let place = place(&"shop".parse().unwrap(), &set);
    assert_eq!(
        place.keys.iter().map(Key::as_str).collect::<Vec<_>>(),
        ["config/a/data", "config/b/data"]
    );
    assert_eq!(
        (place.prefixes.iter().map(crate::model::Prefix::as_str)).collect::<Vec<_>>(),
        ["app/d/", "config/c/"]
    );
}

#[test]
fn later_layers_win_where_they_match() {
    let mut set = set(map(json!({"a": 1, "b": {"c": 1, "d": 1}})), Vec::new());
    for (name, when, values) in [
        ("eu", "region=eu", json!({"a": 2, "b": {"c": 2}})),
        ("us", "region=us", json!({"a": 3})),
        ("prod", "stage=prod", json!({"b": {"c": 4}})),
    ] {
        set.layers.push(Layer {
            name: name.parse().unwrap(),
            when: when.parse().unwrap(),
            values: map(values),
        });
    }
    assert_eq!(
        Value::Object(values(
            &set,
            &labels(&[("region", "eu"), ("stage", "prod")])
        )),
        json!({"a": 2, "b": {"c": 4, "d": 1}})
    );
}

/// What `java.util.Properties.load` does, for text without comments.
fn java_load(text: &str) -> BTreeMap<String, String> {
    assert!(text.is_ascii(), "{text:?}");
    let mut read = BTreeMap::new();
    for line in text.split(['\n', '\r']).filter(|line| !line.is_empty()) {
        let line = line.trim_start_matches([' ', '\t', '\u{c}']);
        assert!(!line.starts_with(['#', '!']), "a comment: {line:?}");
        let mut escaped = false;
        let end = line
            .find(|c: char| {
                let ends = !escaped && matches!(c, '=' | ':' | ' ' | '\t' | '\u{c}');
                escaped = c == '\\' && !escaped;
                ends
            })
            .unwrap_or(line.len());
        let (key, rest) = line.split_at(end);
        let rest = rest.trim_start_matches([' ', '\t', '\u{c}']);
        let rest = rest.strip_prefix(['=', ':']).unwrap_or(rest);
        let value = rest.trim_start_matches([' ', '\t', '\u{c}']);
        read.insert(java_unescape(key), java_unescape(value));
    }
    read
}

fn java_unescape(text: &str) -> String {
    let mut units: Vec<u16> = Vec::new();
    let mut rest = text.chars();
    while let Some(character) = rest.next() {
        let unit = match character {
            '\\' => match rest.next().expect("a line never ends in a backslash") {
                'u' => {
                    let digits: String = rest.by_ref().take(4).collect();
                    u16::from_str_radix(&digits, 16).unwrap()
                }
                't' => 9,
                'n' => 10,
                'f' => 12,
                'r' => 13,
                other => u16::try_from(u32::from(other)).unwrap(),
            },
            other => u16::try_from(u32::from(other)).unwrap(),
        };
        units.push(unit);
    }
    String::from_utf16(&units).unwrap()
}

fn names() -> BoxedStrategy<String> {
    "[a-c]{1,2}".boxed()
}

fn texts() -> BoxedStrategy<String> {
    prop_oneof![
        "[a-c]{1,2}",
        "[ab.\\[\\]0/ ]{0,4}",
        "[ \\t\\n\\r\\x0c\\\\:=#!aé😀\\x00\\x7f]{0,5}",
    ]
    .boxed()
}

fn values_of(names: BoxedStrategy<String>) -> BoxedStrategy<Map> {
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        texts().prop_map(Value::from),
    ];
    let inner = names.clone();
    let value = scalar.prop_recursive(3, 24, 4, move |value| {
        prop_oneof![
            prop::collection::vec(value.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map(inner.clone(), value, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    });
    prop::collection::btree_map(names, value, 0..5)
        .prop_map(|map| map.into_iter().collect())
        .boxed()
}

/// Everything that Spring makes a property of: scalars and empty lists.
fn count_properties(value: &Value) -> usize {
    match value {
        Value::Object(map) => map.values().map(count_properties).sum(),
        Value::Array(items) if !items.is_empty() => items.iter().map(count_properties).sum(),
        _ => 1,
    }
}

proptest! {
    #[test]
    fn java_reads_every_property_back_exactly(values in values_of(texts())) {
        let flat = flat::flatten(&values, flat::check_name);
        let written: BTreeMap<_, _> = flat
            .properties
            .iter()
            .map(|property| (property.name.clone(), property.text()))
            .collect();
        prop_assert_eq!(java_load(&properties::to_string(&flat.properties)), written);
    }

    #[test]
    fn every_leaf_has_a_key_of_its_own_or_all_is_refused(
        values in prop_oneof![values_of(texts()), values_of("[a-c.]{1,3}".boxed())],
    ) {
        if let Ok(entries) = entries(&[keys("app")], &contents_of(values.clone())) {
            prop_assert_eq!(entries.len(), value::leaves(&values).len());
        }
        let properties = count_properties(&Value::Object(values.clone()));
        let publish = [spring("app", SpringFormat::KeyValue)];
        if let Ok(entries) = entries(&publish, &contents_of(values.clone())) {
            prop_assert_eq!(entries.len(), properties);
            let names: BTreeSet<_> = entries.keys().map(|key| key.as_str().replace('/', ".")).collect();
            prop_assert_eq!(names.len(), properties, "Spring sees every one of them");
        }
        let publish = [spring("app", SpringFormat::Properties)];
        if let Ok(entries) = entries(&publish, &contents_of(values.clone())) {
            let text = String::from_utf8(entries[&key("app/data")].clone()).unwrap();
            prop_assert_eq!(java_load(&text).len(), properties);
        }
    }

    #[test]
    fn what_lies_in_a_key_is_the_leaf(values in values_of(names())) {
        let entries = entries(&[keys("app")], &contents_of(values.clone())).unwrap();
        for (path, leaf) in value::leaves(&values) {
            let bytes = &entries[&key(&format!("app/{}", path.segments().join("/")))];
            match leaf {
                Value::Null => prop_assert!(bytes.is_empty()),
                Value::String(text) => prop_assert_eq!(bytes, text.as_bytes()),
                other => prop_assert_eq!(&serde_json::from_slice::<Value>(bytes).unwrap(), other),
            }
        }
    }

    #[test]
    fn the_same_revision_and_cluster_give_the_same_bytes(
        values in values_of(names()),
    ) {
        let set = set(values, vec![keys("app"), spring("config", SpringFormat::Yaml)]);
        let snapshot = |set: &ConfigSet| snapshot(
            &"shop".parse().unwrap(), set, &Overrides::default(), Version::FIRST, &origin(), &"eu".parse().unwrap(),
            &Labels::new(),
        );
        // A set that went through its text is the same set.
        let again: ConfigSet = serde_json::from_slice(&value::canonical(&set)).unwrap();
        let (first, second) = (snapshot(&set).unwrap(), snapshot(&again).unwrap());
        prop_assert_eq!(first.document.to_bytes(), second.document.to_bytes());
        prop_assert_eq!(first.entries, second.entries);
    }

    #[test]
    fn a_layer_changes_only_the_clusters_that_it_matches(
        defaults in values_of(names()),
        over in values_of(names()),
    ) {
        let plain = set(defaults.clone(), Vec::new());
        let mut layered = plain.clone();
        layered.layers.push(Layer {
            name: "eu".parse().unwrap(),
            when: "region=eu".parse().unwrap(),
            values: over.clone(),
        });
        let elsewhere = labels(&[("region", "us")]);
        prop_assert_eq!(values(&layered, &elsewhere), values(&plain, &elsewhere));

        let mut merged = defaults;
        value::merge(&mut merged, &over);
        prop_assert_eq!(values(&layered, &labels(&[("region", "eu")])), merged);
    }
}
