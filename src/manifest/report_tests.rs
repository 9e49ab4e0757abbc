use super::*;

fn finding(text: &str, start: usize, end: usize) -> (Sources, Located) {
    let mut sources = Sources::default();
    let source = sources.add("a.yaml".into(), text.to_owned());
    let line_start = text[..start].rfind('\n').map_or(0, |index| index + 1);
    let span = Span {
        source,
        line: text[..start].matches('\n').count() + 1,
        column: text[line_start..start].chars().count() + 1,
        start,
        end,
    };
    (sources, Located::error("test", Some(span), "this is wrong"))
}

fn shown((sources, finding): (Sources, Located)) -> String {
    show(&[finding], &sources, Style::Plain)
}

#[test]
fn nothing_is_shown_for_no_findings() {
    assert_eq!(show(&[], &Sources::default(), Style::Color), "");
}

#[test]
fn errors_come_first_and_are_counted() {
    let (sources, error) = finding("a: 1\nb: 2\n", 5, 6);
    let at = error.at.unwrap();
    let error = error.label("here").related(at, "there").help("do this");
    let warning = Located::warning("other", None, "no place");
    let findings = [warning.clone(), error.clone(), error];
    insta::assert_snapshot!(show(&findings, &sources, Style::Plain), @r#"
    error[test]: this is wrong
     --> a.yaml:2:1
      |
    2 | b: 2
      | ^ here
      |
     ::: a.yaml:2:1
      |
    2 | b: 2
      | - there
      |
      = help: do this

    error[test]: this is wrong
     --> a.yaml:2:1
      |
    2 | b: 2
      | ^ here
      |
     ::: a.yaml:2:1
      |
    2 | b: 2
      | - there
      |
      = help: do this

    warning[other]: no place

    2 errors, 1 warning
    "#);
    assert!(show(&findings, &sources, Style::Color).contains("\u{1b}["));
}

#[test]
fn one_line_of_a_long_stretch_is_shown_and_a_long_line_is_cut() {
    insta::assert_snapshot!(shown(finding("a:\n  b: 1\n  c: 2\n", 3, 17)), @r#"
    error[test]: this is wrong
     --> a.yaml:2:1
      |
    2 |   b: 1
      | ^^^^^^

    1 error
    "#);
    let long = format!(
        "{{{}\"b\": [{}]}}",
        "\"a\": 1, ".repeat(100_000),
        "1,".repeat(100_000)
    );
    let start = long.find('[').unwrap();
    let text = shown(finding(&long, start, long.len() - 1));
    assert!(text.len() < 2000);
    insta::assert_snapshot!(text, @r#"
    error[test]: this is wrong
     --> a.yaml:1:800007
      |
     ::: 
    1 | ... 1, "a": 1, "a": 1, "b": [1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1…
      |                             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    1 error
    "#);
    insta::assert_snapshot!(shown(finding(&long, 100, 103)), @r#"
    error[test]: this is wrong
     --> a.yaml:1:101
      |
    1 | {"a": 1, "a": 1, "a": 1, "a": 1, "a": 1, "a": 1, "a": 1, "a": 1, "a": 1, "a": 1, "a": 1, "a": 1, "a": 1, "a": 1, "a": 1, "a": 1, "a":...
      |                                                                                                     ^^^

    1 error
    "#);
}

#[test]
fn the_end_of_a_line_and_of_a_file_and_places_beyond_it_can_be_marked() {
    insta::assert_snapshot!(shown(finding("a: \nb: 1\n", 3, 3)), @r#"
    error[test]: this is wrong
     --> a.yaml:1:4
      |
    1 | a:  
      |    ^

    1 error
    "#);
    insta::assert_snapshot!(shown(finding("a:\n", 3, 3)), @r#"
    error[test]: this is wrong
     --> a.yaml:2:1
      |
    2 |  
      | ^

    1 error
    "#);
    insta::assert_snapshot!(shown(finding("", 0, 0)), @r#"
    error[test]: this is wrong
     --> a.yaml:1:1
      |
    1 |  
      | ^

    1 error
    "#);
    let (sources, mut beyond) = finding("ü", 0, 1);
    beyond.at = beyond.at.map(|span| Span {
        start: 1,
        end: 900,
        ..span
    });
    assert!(shown((sources, beyond)).contains("a.yaml:1:1"));
}

#[test]
fn nothing_of_a_hostile_file_reaches_the_terminal_raw() {
    let mut sources = Sources::default();
    let source = sources.add(
        "a\u{1b}[2J\n.yaml".into(),
        "\tk: \u{1b}]0;x\u{7}\u{202e}\u{9b}\r\n".to_owned(),
    );
    let span = Span {
        source,
        line: 1,
        column: 2,
        start: 1,
        end: 2,
    };
    let finding = Located::error("test", Some(span), "bad \u{1b}[31m\u{8}")
        .label("\u{1b}c")
        .help("\u{1b}d")
        .related(span, "\u{1b}e");
    let text = show(&[finding], &sources, Style::Plain);
    assert!(
        text.chars()
            .all(|character| character == '\n' || !character.is_control()),
        "{text:?}"
    );
    assert!(!text.contains('\u{202e}'));
    insta::assert_snapshot!(text, @r#"
    error[test]: bad \u{1b}[31m\u{8}
     --> a\u{1b}[2J⏎.yaml:1:2
      |
    1 |  k: \u{1b}]0;x\u{7}\u{202e}\u{9b}
      |  ^ \u{1b}c
      |
     ::: a\u{1b}[2J⏎.yaml:1:2
      |
    1 |  k: \u{1b}]0;x\u{7}\u{202e}\u{9b}
      |  - \u{1b}e
      |
      = help: \u{1b}d

    1 error
    "#);
}
