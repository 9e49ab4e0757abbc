use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::manifest::{Loaded, ManifestSource, Sources, Style, load, show};

/// Loads a text and shows what is wrong with it.
fn read_and_shown(text: &str) -> Loaded {
    let loaded = load(
        vec![ManifestSource::Stdin(&mut text.as_bytes())],
        std::path::Path::new("/somewhere"),
    );
    let shown = show(&loaded.findings, &loaded.sources, Style::Plain);
    assert!(shown.len() < 10_000 * (loaded.findings.len() + 1));
    loaded
}

fn lines(numbers: std::ops::Range<usize>, line: impl Fn(usize) -> String) -> String {
    numbers.map(line).collect::<Vec<_>>().join("\n")
}

fn codes(loaded: &Loaded) -> Vec<&str> {
    let findings = loaded.findings.iter();
    findings.map(|finding| finding.code.as_ref()).collect()
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

/// Every mistake in a text, as a person sees it.
fn mistakes(text: &str) -> String {
    let mut sources = Sources::default();
    let source = sources.add("a.yaml".into(), text.to_owned());
    let (_, findings) = documents(source, text, Limits::default(), &mut Cost::default());
    show(&findings, &sources, Style::Plain)
}

/// The places of all mistakes.
fn places(text: &str) -> Vec<(usize, usize)> {
    let source = Sources::default().add("a".into(), String::new());
    let (_, findings) = documents(source, text, Limits::default(), &mut Cost::default());
    let places = findings.iter().filter_map(|finding| finding.at);
    places.map(|at| (at.line, at.column)).collect()
}

#[test]
fn a_mistake_in_yaml_is_told_once_and_in_plain_words() {
    insta::assert_snapshot!(mistakes("a: [ , a ]\n"), @r#"
    error[syntax]: there is nothing before this comma
     --> a.yaml:1:6
      |
    1 | a: [ , a ]
      |      ^
      |
      = help: take the comma out, or write a value before it; an empty text is ""

    1 error
    "#);
    insta::assert_snapshot!(mistakes("a: {b: 1,, c: 2}\n"), @r#"
    error[syntax]: there is nothing before this comma
     --> a.yaml:1:10
      |
    1 | a: {b: 1,, c: 2}
      |          ^
      |
      = help: take the comma out, or write a value before it; an empty text is ""

    1 error
    "#);
    insta::assert_snapshot!(mistakes("? []: x\n"), @r"
    error[key-type]: a key must be a string, and this is a map or a list
     --> a.yaml:1:3
      |
    1 | ? []: x
      |   ^^
      |
      = help: if this is a template, as in `{{ name }}`, put it in quotes

    1 error
    ");
    insta::assert_snapshot!(mistakes("a: &a 1\n&b *a : v\n"), @r"
    error[syntax]: an alias has no anchor and no tag of its own
     --> a.yaml:2:4
      |
    2 | &b *a : v
      |    ^^
      |
      = help: take out what stands before it: it repeats what its anchor names

    1 error
    ");
    insta::assert_snapshot!(mistakes("a: &a 1\nb: !!str *a\n"), @r"
    error[syntax]: an alias has no anchor and no tag of its own
     --> a.yaml:2:10
      |
    2 | b: !!str *a
      |          ^^
      |
      = help: take out what stands before it: it repeats what its anchor names

    1 error
    ");
}

#[test]
fn a_tab_that_indents_is_shown_where_it_stands() {
    insta::assert_snapshot!(mistakes("a:\n  b: text\n\tc: 1\n"), @r"
    error[syntax]: a tab stands where only spaces may indent
     --> a.yaml:3:1
      |
    3 |  c: 1
      | ^
      |
      = help: indent with spaces

    1 error
    ");
    for (text, place) in [
        ("a: text\n\tb: 2\n", (2, 1)),
        ("a: text\n\n\tb: 2\n", (3, 1)),
        ("a:\n  b: text\n   more\n \tc: 1\n", (4, 2)),
        ("a: text\r\n\tb: 2\r\n", (2, 1)),
        ("a: |\n\t\nb: 1\n", (2, 1)),
        ("a: |\n\tx\n", (2, 1)),
        ("- [\n\tfoo,\n foo\n ]\n", (2, 1)),
        ("-\tkey: 1\n", (1, 2)),
        ("- \tkey: 1\n", (1, 3)),
        ("k:\n-\tkey: 1\n", (2, 2)),
        ("\ta: 1\n", (1, 1)),
        ("a: |\n  x\n\t\nb: 1\n", (3, 1)),
        ("a:\n  b: |\n \t\n  c: 1\n", (3, 2)),
        ("a:\n  b: >+\n    x\n\n \t \n  c: 1\n", (5, 2)),
    ] {
        assert_eq!(places(text).first(), Some(&place), "{text:?}");
    }
}

#[test]
fn brackets_that_go_on_left_of_what_they_belong_to_are_refused() {
    insta::assert_snapshot!(mistakes("flow: [a,\nb,\nc]\n"), @r"
    error[syntax]: what is in brackets goes on here, and is not indented further than what it belongs to
     --> a.yaml:2:1
      |
    2 | b,
      | ^^
      |
      = help: indent the line with a space or more

    1 error
    ");
    for (text, place) in [
        ("k: {\nk: v\n}\n", (2, 1)),
        ("a:\n  b: [1,\n  2]\n", (3, 3)),
        ("a:\n- [1,\n2]\n", (3, 1)),
        ("- - [1,\n  2]\n", (2, 3)),
        ("- k: [1,\n\n  # c\n  2]\n", (4, 3)),
        ("a:\r\n  b: [1,\r\n 2]\r\n", (3, 2)),
    ] {
        assert_eq!(places(text), [place], "{text:?}");
    }
}

#[test]
fn what_only_looks_like_these_mistakes_is_read() {
    for text in [
        "[a,\nb,\n{c:\n1}]\n",
        "{\n\t\"a\": [\n\t\t1\n\t]\n}\n",
        "a: [\n  b\n]\n",
        "a:\n  b: {\n    c: 1\n  }\n",
        "a: [\n# c\n\n  b]\n",
        "k: &m\n- [a,\n  b]\n- c\n",
        "k:\n- - [a,\n   b]\n",
        "k: &m\n  a: [1,\n   2]\n",
        "? - [a,\n    b]\n  - c\n: d\n",
        "-\ta\n",
        "-\t[a]\n",
        "- \t\"a: b\"\n",
        "a:\tb\n",
        "a:\t\n  b: 1\t# c\n",
        "- !!str\ta: 1\n",
        "- &x\ta: 1\n",
        "a: |\n \t\nb: 1\n",
        "a: |\n  x\n  \t\nb: 1\n",
        "a: |\n  x\n\n\nb: 1\n",
        "a: >\n  x\n# c\n\t\nb: 1\n",
        "a: \"x\n  y\"\nb: 'x\n\n  y'\n",
        "\"a\tb\": {c: 1}\n",
        "? &k\n: 1\n",
        "a: &b\nc: *b\n",
        "a: &b\n  *b : 1\n",
    ] {
        assert!(!mistakes(text).contains("[syntax]"), "{}", mistakes(text));
    }
}

#[test]
fn a_number_that_only_yaml_1_1_knows_is_text_and_a_warning() {
    let source = Sources::default().add("a".into(), String::new());
    let text = "a: 1_000\nb: '1_000'\n";
    let (_, findings) = documents(source, text, Limits::default(), &mut Cost::default());
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].severity, crate::check::Severity::Warning);
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

/// Documents that are valid, whatever they look like: collections in both styles, tabs where YAML
/// has them, comments and empty lines.
fn valid(depth: u32) -> BoxedStrategy<Vec<String>> {
    let line = |text: &'static str| Just(vec![text.to_owned()]);
    let leaf = prop_oneof![
        line("a"),
        line("[b, {c: 1}]"),
        line("[b, # x").prop_map(|mut lines| {
            lines.extend(["", "  # y", "  c,", "", "  {d: 1,", "   e: 2}"].map(str::to_owned));
            lines.push("]".to_owned());
            lines
        }),
        line("\"x").prop_map(|mut lines| {
            lines.extend(["", "  y\""].map(str::to_owned));
            lines
        }),
        line("|").prop_map(|mut lines| {
            lines.extend(["  x", "", "   \ty", "  \t"].map(str::to_owned));
            lines
        }),
        line("!!str\tx\t# tab"),
        line("\t'x'"),
    ];
    leaf.prop_recursive(depth, 24, 3, |value| {
        let indented = |lines: Vec<String>| -> Vec<String> {
            lines
                .into_iter()
                .map(|line| {
                    if line.is_empty() {
                        line
                    } else {
                        format!("  {line}")
                    }
                })
                .collect()
        };
        prop_oneof![
            prop::collection::vec(value.clone(), 1..3).prop_map(move |items| {
                let items = items.into_iter().map(|lines| {
                    let mut lines = indented(lines);
                    lines[0].replace_range(..1, "-");
                    lines
                });
                items.flatten().collect()
            }),
            (prop::collection::vec(value, 1..3), prop::bool::ANY).prop_map(
                move |(items, has_anchor)| {
                    let items = items.into_iter().enumerate().map(|(index, lines)| {
                        let anchor = if has_anchor { " &m" } else { "" };
                        let is_block = lines[0].starts_with(['-', 'k']);
                        let mut lines = indented(lines);
                        if is_block {
                            lines.insert(0, format!("k{index}:{anchor}"));
                        } else {
                            lines[0] =
                                format!("k{index}:{anchor} {}", lines[0].trim_start_matches(' '));
                        }
                        lines
                    });
                    items.flatten().collect()
                }
            ),
        ]
    })
    .boxed()
}

proptest! {
    /// No valid document is refused, and each means what another reader makes of it.
    #[test]
    fn what_another_reader_takes_is_read_alike(lines in valid(4)) {
        let text = lines.join("\n") + "\n";
        // It does not know a tab before a quote.
        let other: Value = serde_yaml::from_str(&text.replace("\t'x'", " 'x'")).unwrap();
        let source = Sources::default().add("a".into(), String::new());
        let (documents, findings) =
            documents(source, &text, Limits::default(), &mut Cost::default());
        prop_assert_eq!(findings, [], "{}", text);
        prop_assert_eq!(documents.first().and_then(Node::value), Some(other), "{}", text);
    }

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
        let loaded = load(vec![ManifestSource::Stdin(&mut bytes.as_slice())], std::path::Path::new("/somewhere"));
        show(&loaded.findings, &loaded.sources, Style::Plain);
    }
}
