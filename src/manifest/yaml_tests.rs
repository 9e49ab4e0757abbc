//! What is written as YAML, as our own reader and others find it.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::limits::{Cost, Limits};
use super::{Sources, parse};
use crate::yaml::to_string;

/// Text that some reader of YAML takes for something else, or loses a part of.
#[rustfmt::skip]
const NASTY: &[&str] = &[
    "", "~", "null", "Null", "no", "No", "on", "y", "N", "yes", "off", "true", "FALSE", "=", "<<",
    "-", "--- a", "---", "...", "?", "? a", ":", ": a", "a: b", "a:", "a #b", "#a", "1", "+1",
    "-0", "017", "0o17", "0x1F", "0b1", "1_000", "1:30", "1:30:00.5", "190:20:30", "1e3", "1.5e3",
    "1.", ".5", ".inf", "-.INF", ".nan", "nan", "2026-11-21", "2026-11-21T10:00:00Z",
    "2026-11-21 10:00:00", "12345678901234567890123", " a", "a ", "a\n", "\na", "a\nb",
    "a\n\n b\n", " a\nb", "a \nb", "a\n\n", "a\tb\nc", "\ta", "a\r\nb", "\u{85}", "a\u{2028}b",
    "\u{feff}a", "\u{a0}", "\0", "\u{7f}", "é", "日本語", "😀", "\u{202e}abc", "'", "\"", "'a'", "\\",
    "a\\nb", "[a]", "{a}", "a, b", "&a", "*a", "!a", "!!str a", "|", ">", "%a", "@a", "`a`",
    "${A:b}", "https://a.example.com:80/b?c=d&e#f", "a'b", "a: ", "key with spaces",
];

/// The value that our own reader finds, which must not complain.
fn read_back(text: &str) -> Value {
    let mut sources = Sources::default();
    let source = sources.add("test.yaml".into(), text.to_owned());
    let (documents, findings) =
        parse::documents(source, text, Limits::default(), &mut Cost::default());
    assert_eq!(findings, [], "{text}");
    documents
        .first()
        .map_or(Value::Null, |document| document.value().unwrap())
}

/// JSON with escapes for what JSON takes raw and YAML does not.
fn printable(json: &str) -> String {
    let escape = |character: char| match character {
        '\u{85}' | '\n' => character.to_string(),
        '\u{fffe}' | '\u{ffff}' => format!("\\u{:04x}", u32::from(character)),
        control if control.is_control() => format!("\\u{:04x}", u32::from(control)),
        _ => character.to_string(),
    };
    json.chars().map(escape).collect()
}

fn nasty() -> impl Strategy<Value = String> {
    let words = prop::sample::select(NASTY);
    prop_oneof![
        words.prop_map(str::to_owned),
        any::<String>(),
        "[a-z0-9:#\\-\n ]{0,12}",
        "[0-9._eE+:-]{0,8}",
    ]
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        prop::num::f64::NORMAL.prop_map(Value::from),
        nasty().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(nasty(), inner, 0..5)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read_back_the_same(value in values()) {
        let text = to_string(&value);
        prop_assert_eq!(read_back(&text), value, "{}", text);
    }

    #[test]
    fn json_is_read_as_json(value in values()) {
        for text in [value.to_string(), serde_json::to_string_pretty(&value).unwrap()] {
            prop_assert_eq!(&read_back(&printable(&text)), &value);
        }
    }

    #[test]
    fn other_readers_read_it_the_same(value in values()) {
        let text = to_string(&value);
        let read: Value = serde_yaml::from_str(&text).unwrap();
        prop_assert_eq!(read, value, "{}", text);
    }
}

#[test]
fn a_document_reads_well() {
    let value = json!({
        "hosts": [{"name": "a", "ports": [1, 2]}, [], [["x"]], {}],
        "motd": "hello\n  world\n",
        "no": "no",
        "payment": {"provider": "stripe", "url": "https://pay.example.com", "empty": {}},
        "ratio": 1e300,
        "since": "2026-11-21",
        "size": 18_446_744_073_709_551_615_u64,
        "tiny": 1.5e-7,
        "whole": 1.0,
    });
    insta::assert_snapshot!(to_string(&value), @r#"
    hosts:
      - name: a
        ports:
          - 1
          - 2
      - []
      - - - x
      - {}
    motd: |
      hello
        world
    "no": "no"
    payment:
      empty: {}
      provider: stripe
      url: https://pay.example.com
    ratio: 1.0e+300
    since: "2026-11-21"
    size: 18446744073709551615
    tiny: 1.5e-7
    whole: 1.0
    "#);
}

#[test]
fn what_a_reader_of_yaml_1_1_would_misread_is_quoted() {
    for text in [
        "no",
        "on",
        "Y",
        "1_000",
        "017",
        "0b1",
        "1:30",
        "2026-11-21",
        "<<",
        "=",
        "~",
        ".inf",
        "1e3",
        "",
        " a",
        "a ",
        "\u{85}",
        "\u{2028}",
        "a\tb",
        "NULL",
        "None",
    ] {
        assert!(to_string(&json!(text)).starts_with('"'), "{text}");
        let key = to_string(&json!({text: 1}));
        assert!(key.starts_with('"'), "{key}");
        assert!(to_string(&json!([text])).starts_with("- \""), "{text}");
    }
}

#[test]
fn a_key_longer_than_readers_look_ahead_is_read_back() {
    let value = json!({"a": {"k".repeat(5000): {"b": [1]}, "é\"".repeat(800): 1}});
    let text = to_string(&value);
    assert_eq!(read_back(&text), value);
    assert_eq!(serde_yaml::from_str::<Value>(&text).unwrap(), value);
}

#[test]
fn json_in_unusual_layouts_is_read() {
    for text in [
        r#"{"a" : 1 ,"b":{"c":[1 ,2]},"d":[]}"#.to_owned(),
        "{\"a\"\n:\n1\n,\"b\":[\n]\n}".to_owned(),
        "\t{\t\"a\"\t:\t1,\r\n\t\"b\": [\r\n\t\t1,\r\n\t\t{\"c\": null}]}\r\n".to_owned(),
        "[\n1,\n[\n{\n\"a\": 1\n}\n]\n]".to_owned(),
        format!(
            r#"{{"{}": {{"a": "{}"}}, "b": 1}}"#,
            "k".repeat(5000),
            "v".repeat(5000)
        ),
        format!(r#"[[{}], {{"a": 1}}]"#, vec!["1"; 3000].join(",")),
        r#"{"a": "\u00e9\ud83d\ude00\/\b\f \u007f", "b": -1.5E-3}"#.to_owned(),
        "{\"a\": \"\u{85}\u{2028}x\"}".to_owned(),
        r#"{"a":-1,"b":"- x","c":" # x","d":"a: b"}"#.to_owned(),
    ] {
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(read_back(&text), value, "{text}");
    }
}
