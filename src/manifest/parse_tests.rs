use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::manifest::{Input, Loaded, Sources, Style, load, show};

/// Loads a text and shows what is wrong with it.
fn read_and_shown(text: &str) -> Loaded {
    let loaded = load(
        vec![Input::Stdin(&mut text.as_bytes())],
        std::path::Path::new("/somewhere"),
    );
    let shown = show(&loaded.findings, &loaded.sources, Style::Plain);
    assert!(shown.len() < 10_000 * (loaded.findings.len() + 1));
    loaded
}

fn lines(numbers: std::ops::Range<usize>, line: impl Fn(usize) -> String) -> String {
    numbers.map(line).collect::<Vec<_>>().join("\n")
}

fn codes(loaded: &Loaded) -> Vec<&'static str> {
    loaded.findings.iter().map(|finding| finding.code).collect()
}

fn value(text: &str) -> Option<Value> {
    let source = Sources::default().add("a".into(), String::new());
    let (documents, findings) = documents(source, text, Limits::default(), &mut Cost::default());
    assert_eq!(findings, [], "{text}");
    documents.first().and_then(Node::value)
}

#[test]
fn text_in_every_style_is_read() {
    for (text, expected) in [
        ("a: 'it''s'", serde_json::json!({"a": "it's"})),
        ("a: |\n  x\n   y\n", serde_json::json!({"a": "x\n y\n"})),
        ("a: >-\n  x\n  y\n", serde_json::json!({"a": "x y"})),
        ("? a\n: b", serde_json::json!({"a": "b"})),
        (
            "\"a\\u0041\\ud83d\\ude00\": 1",
            serde_json::json!({"aA😀": 1}),
        ),
        (
            "- &x {a: 1}\n- *x\n- - *x",
            serde_json::json!([{"a": 1}, {"a": 1}, [{"a": 1}]]),
        ),
        ("{\"a\":1,\"b\":[],}", serde_json::json!({"a": 1, "b": []})),
        ("a:\nb: ''", serde_json::json!({"a": null, "b": ""})),
        ("! 1", serde_json::json!("1")),
    ] {
        assert_eq!(value(text), Some(expected), "{text}");
    }
}

#[test]
fn a_number_that_only_yaml_1_1_knows_is_text_and_a_warning() {
    let source = Sources::default().add("a".into(), String::new());
    let text = "a: 1_000\nb: '1_000'\n";
    let (_, findings) = documents(source, text, Limits::default(), &mut Cost::default());
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].severity, crate::manifest::Severity::Warning);
}

#[test]
fn bombs_of_aliases_are_refused() {
    let laughs = lines(1..40, |level| {
        let uses = vec![format!("*a{}", level - 1); 9].join(",");
        format!("a{level}: &a{level} [{uses}]")
    });
    let laughs = format!("a0: &a0 [x,x,x,x,x,x,x,x,x]\n{laughs}");
    assert_eq!(codes(&read_and_shown(&laughs)), ["too-many-values"]);

    let wide = format!(
        "a: &a [{}]\nb: [{}]\n",
        "x,".repeat(5000),
        "*a,".repeat(2000)
    );
    assert_eq!(codes(&read_and_shown(&wide)), ["too-many-values"]);

    let long = format!(
        "a: &a {}\nb: [{}]\n",
        "x".repeat(1_000_000),
        "*a,".repeat(10_000)
    );
    assert_eq!(codes(&read_and_shown(&long)), ["too-many-values"]);

    let chain = lines(1..10_000, |level| {
        format!("a{level}: &a{level} [*a{}]", level - 1)
    });
    let chain = format!("a0: &a0 []\n{chain}");
    assert_eq!(codes(&read_and_shown(&chain)), ["too-deep"]);
}

#[test]
fn what_is_nested_too_deeply_is_refused() {
    for text in [
        "[".repeat(10_000),
        "{a: ".repeat(10_000),
        "- ".repeat(10_000),
        "? ".repeat(10_000),
        "a: [".repeat(10_000),
        lines(0..10_000, |depth| format!("{}a:", " ".repeat(depth % 1000))),
        format!("{}{}", "- ".repeat(50), "[".repeat(50)),
    ] {
        let loaded = read_and_shown(&text);
        assert!(
            codes(&loaded)
                .iter()
                .any(|code| ["too-deep", "syntax"].contains(code)),
            "{:?}",
            codes(&loaded)
        );
    }
    let fits = format!("{}{}", "[".repeat(64), "]".repeat(64));
    assert!(value(&fits).is_some());
}

#[test]
fn a_hundred_megabytes_are_refused_before_they_are_parsed() {
    assert_eq!(
        codes(&read_and_shown(&"a: 1\n".repeat(20_000_000))),
        ["too-large"]
    );
}

#[test]
fn large_files_of_every_shape_take_time_in_proportion() {
    for text in [
        "a: 1\n".repeat(25_000),
        lines(0..20_000, |key| format!("k{key}: 1")),
        format!("[{}]", "1,".repeat(40_000)),
        format!("a: \"{}\"", "x".repeat(1_000_000)),
        format!("a: \"{}\"", "\\n".repeat(250_000)),
        format!("a: '{}", "x\n\n ".repeat(125_000)),
        format!("a: |\n{}", " x\n".repeat(250_000)),
        "#".repeat(1_000_000),
        "# x\n".repeat(250_000),
        "\n".repeat(1_000_000),
        " ".repeat(1_000_000),
        "x ".repeat(500_000),
        "x\n".repeat(250_000),
        "? ".repeat(250_000),
        "---\n".repeat(125_000),
        "a: [\n---\n".repeat(50_000),
        "*a ".repeat(125_000),
        "&a ".repeat(125_000),
        "!a ".repeat(125_000),
        "%a\n".repeat(125_000),
        "\"".repeat(250_000),
        "{".repeat(250_000),
        "a: b: ".repeat(125_000),
        "\t".repeat(250_000),
    ] {
        read_and_shown(&text);
    }
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "\\PC*") {
        read_and_shown(&text);
    }

    #[test]
    fn no_soup_of_yaml_makes_it_panic(
        parts in prop::collection::vec(prop::sample::select(vec![
            "a", ": ", "- ", "\n", "\n  ", "[", "]", "{", "}", ",", "'", "\"", "|", ">", "&a ", "*a",
            "!x ", "!!str ", "---\n", "...\n", "%YAML 1.2\n", "#", "<<", "1", "017", "~", "\t", "?",
            "\r\n", "\u{85}", "ü", "\\", "kind", "apiVersion: cfgctl.dev/v1\n", "kind: ConfigSet\n",
            "kind: Cluster\n", "spec:\n", "metadata: {name: a}\n", " values", " layers", "\u{feff}", "\0",
        ]), 0..40)
    ) {
        read_and_shown(&parts.concat());
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let loaded = load(vec![Input::Stdin(&mut bytes.as_slice())], std::path::Path::new("/somewhere"));
        show(&loaded.findings, &loaded.sources, Style::Plain);
    }
}
