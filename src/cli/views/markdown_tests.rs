use proptest::prelude::*;

use super::*;

/// Text as someone would write it who wants to break out.
fn hostile() -> impl Strategy<Value = String> {
    let pieces = prop_oneof![
        Just("```".to_owned()),
        Just("````diff".to_owned()),
        Just("</code>".to_owned()),
        Just("</details>".to_owned()),
        Just("<script>alert(1)</script>".to_owned()),
        Just("<!--".to_owned()),
        Just("-->".to_owned()),
        Just("@everyone".to_owned()),
        Just("#1".to_owned()),
        Just("!1".to_owned()),
        Just("https://evil.example".to_owned()),
        Just("www.evil.example".to_owned()),
        Just("![x](y)".to_owned()),
        Just("[x]: y".to_owned()),
        Just(" | ".to_owned()),
        Just("\\".to_owned()),
        Just("&lt;".to_owned()),
        Just("\n".to_owned()),
        Just("\r".to_owned()),
        Just("\n\n# heading".to_owned()),
        Just("\u{1b}[31m".to_owned()),
        Just("\u{202e}".to_owned()),
        ".{0,6}",
    ];
    proptest::collection::vec(pieces, 0..12).prop_map(|pieces| pieces.concat())
}

fn section(text: impl Into<String>) -> Section {
    Section {
        title: "one".to_owned(),
        language: "diff",
        text: text.into(),
    }
}

fn comment(rows: usize, sections: Vec<Section>) -> Comment<'static> {
    Comment {
        command: "diff",
        summary: "all".to_owned(),
        header: &["A", "B"],
        rows: vec![vec![code("x"), code("y")]; rows],
        sections,
        about: "set",
        everything: "cfgctl diff",
    }
}

proptest! {
    #[test]
    fn inline_text_is_nothing_but_text(text in hostile()) {
        let shown = code(&text);
        if let Some(inner) = shown.strip_prefix("<code>") {
            let inner = inner.strip_suffix("</code>").unwrap();
            let outside_of_entities = {
                let mut rest = inner;
                let mut plain = String::new();
                while let Some(start) = rest.find("&#") {
                    plain.push_str(&rest[..start]);
                    let end = start + rest[start..].find(';').unwrap();
                    prop_assert!(rest[start + 2..end].bytes().all(|b| b.is_ascii_digit()));
                    rest = &rest[end + 1..];
                }
                plain.push_str(rest);
                plain
            };
            let active = ['<', '>', '&', '`', '*', '_', '[', ']', '|', '\\', '@', '#', ':', '~', '!', '\n', '\r', '\u{1b}'];
            prop_assert!(!outside_of_entities.contains(active), "{shown}");
            prop_assert!(!outside_of_entities.contains("www."), "{shown}");
        } else {
            prop_assert!(shown.is_empty() && text.is_empty());
        }
    }

    #[test]
    fn nothing_in_a_section_closes_its_fence(text in hostile()) {
        let folded = section(text).folded(MAX_BYTES).unwrap();
        let lines: Vec<&str> = folded.lines().collect();
        let fence = lines[3].strip_suffix("diff").unwrap();
        prop_assert!(fence.len() >= 3 && fence.bytes().all(|b| b == b'`'));
        let closing: Vec<_> = lines[4..]
            .iter()
            .enumerate()
            .filter(|(_, line)| line.trim_start().starts_with(fence))
            .collect();
        // The one that is ours, before the empty line and the end of the details.
        prop_assert_eq!(closing.len(), 1, "{}", folded);
        prop_assert_eq!(&lines[4 + closing[0].0..], &[fence, "", "</details>"][..]);
        let is_visible = !folded.contains(['\r', '\u{1b}', '\u{202e}']);
        prop_assert!(is_visible);
    }
}

proptest! {
    // Each case is many kilobytes.
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn a_comment_is_never_longer_than_a_forge_takes(
        rows in 0usize..2_000,
        sizes in proptest::collection::vec(0usize..60_000, 0..5),
    ) {
        let sections = sizes.iter().map(|size| section("+ ä line\n".repeat(size / 10))).collect();
        let text = comment(rows, sections).write();
        prop_assert!(text.len() < 65_536);
        prop_assert_eq!(text.matches("<details>").count(), text.matches("</details>").count());
    }
}

#[test]
fn what_does_not_fit_is_counted_and_the_command_that_shows_it_is_named() {
    let big = || section("+ a line of a diff\n".repeat(5_000));
    let text = comment(4_000, (0..9).map(|_| big()).collect()).write();
    assert!(text.contains("more rows; <code>cfgctl diff</code> shows all."));
    assert!(text.contains("more lines of it"));
    assert!(text.contains("more sets are not shown**; <code>cfgctl diff</code> shows all."));

    let text = comment(1, vec![section("-a\n+b\n")]).write();
    insta::assert_snapshot!(text, @r"
    <!-- cfgctl diff -->
    all

    | A | B |
    | --- | --- |
    | <code>x</code> | <code>y</code> |

    <details><summary>one</summary>

    ```diff
    -a
    +b
    ```

    </details>
    ");
}

#[test]
fn a_line_of_half_a_megabyte_is_cut() {
    let folded = section("x".repeat(500_000)).folded(MAX_BYTES).unwrap();
    assert!(folded.contains("… (500000 bytes)") && folded.len() < 1_000);
}
