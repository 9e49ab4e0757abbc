use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::yaml;

fn value(text: &str) -> Result<Value, Refused> {
    read(text).map(Value::Object)
}

#[test]
fn words_and_numbers_mean_what_snake_yaml_says() {
    for (text, expected) in [
        ("no", json!(false)),
        ("On", json!(true)),
        ("YES", json!(true)),
        ("y", json!("y")),
        ("\"no\"", json!("no")),
        ("!!str no", json!("no")),
        ("", json!(null)),
        ("~", json!(null)),
        ("017", json!(15)),
        ("-017", json!(-15)),
        ("08", json!("08")),
        ("0o17", json!("0o17")),
        ("0x1F", json!(31)),
        ("0b1_01", json!(5)),
        ("0xg", json!("0xg")),
        ("1_000", json!(1000)),
        ("+12", json!(12)),
        ("-0", json!(0)),
        ("18446744073709551615", json!(u64::MAX)),
        ("1:30", json!(90)),
        ("-1:30:05", json!(-5405)),
        ("0:30", json!("0:30")),
        ("1:60", json!("1:60")),
        ("1:x", json!("1:x")),
        ("1:host.example", json!("1:host.example")),
        ("127.0.0.1:8080", json!("127.0.0.1:8080")),
        ("1.50", json!(1.5)),
        ("1.", json!(1.0)),
        ("1_0.5e+3", json!(10500.0)),
        ("1.2.3", json!("1.2.3")),
        ("10.0.0.1", json!("10.0.0.1")),
        ("5m", json!("5m")),
        ("2e", json!("2e")),
        ("{a: [1, {b: no}]}", json!({"a": [1, {"b": false}]})),
    ] {
        assert_eq!(
            value(&format!("k: {text}")),
            Ok(json!({"k": expected})),
            "{text}"
        );
    }
}

#[test]
fn what_readers_do_not_agree_on_is_refused() {
    for text in [
        "k: 2026-11-21",
        "k: 2026-11-21T10:00:00Z",
        "k: 1e3",
        "k: 1.5e3",
        "k: .5",
        "k: 1:30.5",
        "k: .inf",
        "k: -.NaN",
        "k: 18446744073709551616",
        "k: -9223372036854775809",
        "k: !!int 5",
        "k: !ref x",
        "k: =",
        "k: 1\nk: 2",
        "1.5: a",
        "? [a]\n: b",
        "k: *a",
        "a: 1\n---\nb: 2",
        "- a",
        "a",
        "",
        "k: a\u{2028}b",
        "%YAML 1.2\n---\na: 1",
        "k: [",
    ] {
        assert!(value(text).is_err(), "{text}");
    }
}

#[test]
fn anchors_and_merge_keys_are_spelled_out() {
    let text = "base: &base {a: 1, b: 2}\nother: &other {b: 3, c: 4}\n\
                one: {<<: *base, a: 5}\nmany:\n  <<: [*base, *other]\n  d: &x [1]\ne: *x\n";
    assert_eq!(
        value(text),
        Ok(json!({
            "base": {"a": 1, "b": 2}, "other": {"b": 3, "c": 4},
            "one": {"a": 5, "b": 2}, "many": {"a": 1, "b": 2, "c": 4, "d": [1]}, "e": [1],
        }))
    );
}

#[test]
fn keys_that_are_no_text_are_named_as_spring_names_them() {
    assert_eq!(
        value("codes: {404: x, on: y, a: z}"),
        Ok(json!({"codes": {"[404]": "x", "[true]": "y", "a": "z"}}))
    );
}

#[test]
fn a_reason_shows_a_line_and_nothing_of_the_text() {
    let refused = read("a: 1\npassword: !vault hunter2\n").unwrap_err();
    assert_eq!(refused.to_string(), "line 2: a tag");
}

#[test]
fn one_byte_order_mark_is_skipped() {
    assert_eq!(value("\u{feff}a: 1"), Ok(json!({"a": 1})));
    assert!(value("\u{feff}\u{feff}a: 1").is_err());
    assert!(value("a: 1\n\u{feff}b: 1").is_err());
}

#[test]
fn a_map_is_recognised_whatever_is_wrong_with_it() {
    for text in [
        "a: 1",
        "\u{feff}a: 1\n---\nb: 2",
        "---\n---\na: !x 1",
        "{a: 1}",
        "a: [",
        "a:\n\t1",
    ] {
        assert!(looks_like_map(text), "{text}");
    }
    for text in ["", "# a: 1", "a", "- a: 1", "[a: 1]", "\"", "a=1"] {
        assert!(!looks_like_map(text), "{text}");
    }
}

#[test]
fn a_bomb_of_aliases_is_refused() {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let items = vec![format!("*a{}", level - 1); 10].join(", ");
        text.extend([format!("a{level}: &a{level} [{items}]\n")]);
    }
    assert!(read(&text).is_err());
}

fn values() -> impl Strategy<Value = Map> {
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>()
            .prop_filter("finite", |float| float.is_finite())
            .prop_map(Value::from),
        "[a-z0-9_.:~<=+ -]{0,6}".prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    let value = scalar.prop_recursive(3, 16, 4, |value| {
        prop_oneof![
            prop::collection::vec(value.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map("[a-z0-9<~=]{0,3}", value, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    });
    prop::collection::btree_map("[a-z0-9.\\[\\]]{0,4}", value, 1..5)
        .prop_map(|map| map.into_iter().collect())
}

proptest! {
    /// What we write for Spring is what Spring reads.
    #[test]
    fn what_is_written_is_read_back(map in values()) {
        let text = yaml::to_string(&Value::Object(map.clone()));
        prop_assert_eq!(read(&text).unwrap(), map, "{}", text);
    }

    #[test]
    fn no_text_breaks_the_reader(text in "[-a:?&*!|>#%@0-9.<= \\n\\t\"'\\[\\]{},_]{0,40}") {
        if read(&text).is_ok() {
            prop_assert!(looks_like_map(&text) || text.contains('&'), "{}", text);
        }
    }
}
