//! What differs from run to run, made the same: so that output can be compared as a whole.

use std::path::Path;
use std::sync::LazyLock;

use regex::Regex;

/// Patterns with what takes their place, in this order.
static RULES: LazyLock<Vec<(Regex, &'static str)>> = LazyLock::new(|| {
    let rules = [
        // The moment of a revision, for people and for programs.
        (
            r"\b20\d\d-\d\d-\d\d \d\d:\d\d:\d\dZ",
            "[time]              ",
        ),
        (r"\b20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "[time]"),
        // An age is as wide as its number, and so is its column: both get one width.
        (r"\bAGE +", "AGE    "),
        (r"\bSINCE +", "SINCE  "),
        (r"  (now|\d+ (s|min|h|d)) +", "  [age]  "),
        // Digests hold the moment.
        (r"\bsha256:[0-9a-f]{64}\b", "sha256:[digest]"),
        // Blanks after the last column say nothing.
        (r"(?m) +$", ""),
    ];
    let compiled = rules.map(|(pattern, to)| (Regex::new(pattern).expect("a pattern"), to));
    compiled.into()
});

/// What lies between two columns.
pub(crate) static GAP: LazyLock<Regex> = LazyLock::new(|| Regex::new(" {2,}").expect("a pattern"));

/// `text` of a run in `home`.
pub(crate) fn redact(text: &str, home: &Path) -> String {
    let home = home.to_str().expect("a path in UTF-8");
    let mut text = text.replace(home, "[home]");
    for (pattern, to) in RULES.iter() {
        text = pattern.replace_all(&text, *to).into_owned();
    }
    narrowed(&text)
}

/// The same with tables of places in columns no wider than needed: how wide they are depends on
/// where the home is.
fn narrowed(text: &str) -> String {
    let mut in_table = false;
    let mut lines = Vec::new();
    for line in text.split('\n') {
        in_table = if in_table {
            !line.is_empty() && !line.starts_with('[')
        } else {
            line.contains("  TARGET") || line.contains("  STORE")
        };
        lines.push(if in_table {
            GAP.replace_all(line, "  ").into_owned()
        } else {
            line.to_owned()
        });
    }
    lines.join("\n")
}

#[test]
fn what_differs_from_run_to_run_looks_the_same() {
    let redacted = |text: &str| redact(text, Path::new("/tmp/.tmpX1"));
    assert_eq!(
        redacted("NAME  AGE  BY\na     9 s  x\n"),
        redacted("NAME  AGE   BY\na     12 s  x\n")
    );
    assert_eq!(redacted("/tmp/.tmpX1/store.db"), "[home]/store.db");
    assert_eq!(
        redacted("NAME  TARGET           LABELS\na     /tmp/.tmpX1/out  b"),
        "NAME  TARGET  LABELS\na  [home]/out  b"
    );
    assert_eq!(
        redacted("2  2026-11-21 11:01:39Z  ops"),
        "2  [time]                ops"
    );
    assert_eq!(redacted("\"2026-11-21T11:01:39.85Z\""), "\"[time]\"");
}
