//! The part of a value that is shown. What lies in a cluster may have been put there to be long.

use std::fmt::Write as _;

use serde_json::Value;

use crate::plan::{Edit, ValueChange};

/// The most bytes of a value.
const MAX_BYTES: usize = 32 * 1024;
/// The most lines of a value. Comparing two texts takes as long as their lines multiplied.
const MAX_LINES: usize = 1000;
/// How much of what is alike is shown before the first difference.
const BEFORE_BYTES: usize = 200;

/// How many bytes of two values to leave out, because they are the same: none unless one of them
/// is too long to be shown.
pub(super) fn alike(a: &[u8], b: &[u8]) -> usize {
    if [a, b].iter().all(|value| end(value) == value.len()) {
        return 0;
    }
    let same = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let mut start = same.saturating_sub(BEFORE_BYTES);
    // Where a line begins, if one does in sight; else where a character does.
    let line = a[start..same].iter().position(|byte| *byte == b'\n');
    start += line.map_or(0, |line| line + 1);
    while start > 0 && a.get(start).is_some_and(|byte| byte & 0xc0 == 0x80) {
        start -= 1;
    }
    start
}

/// The text of a value from `start` on, cut where it is too long; then also how many bytes it has.
pub(super) fn text(value: &[u8], start: usize) -> (String, Option<u64>) {
    let start = start.min(value.len());
    let rest = &value[start..];
    let mut end = end(rest);
    if start == 0 && end == rest.len() {
        return (String::from_utf8_lossy(value).into_owned(), None);
    }
    while end > 0 && rest.get(end).is_some_and(|byte| byte & 0xc0 == 0x80) {
        end -= 1;
    }
    let mut text = String::new();
    if start > 0 {
        _ = writeln!(text, "… ({start} bytes before)");
    }
    text.push_str(&String::from_utf8_lossy(&rest[..end]));
    if end < rest.len() {
        let after = rest.len() - end;
        let line = if text.ends_with('\n') { "" } else { "\n" };
        _ = writeln!(text, "{line}… ({after} bytes after)");
    }
    (text, Some(value.len() as u64))
}

/// The same change, with values that are no longer than can be shown.
pub(super) fn change(change: &ValueChange) -> ValueChange {
    let edit = match &change.edit {
        Edit::Added { to } => Edit::Added { to: short(to) },
        Edit::Removed { from } => Edit::Removed { from: short(from) },
        Edit::Changed { from, to } => Edit::Changed {
            from: short(from),
            to: short(to),
        },
    };
    let path = change.path.clone();
    ValueChange { path, edit }
}

fn short(value: &Value) -> Value {
    let whole = match value {
        Value::String(text) => text.clone(),
        Value::Array(_) | Value::Object(_) => value.to_string(),
        Value::Null | Value::Bool(_) | Value::Number(_) => return value.clone(),
    };
    match text(whole.as_bytes(), 0) {
        (_, None) => value.clone(),
        (text, Some(_)) => Value::String(text),
    }
}

/// Where what is shown of a value ends.
fn end(value: &[u8]) -> usize {
    let shown = &value[..value.len().min(MAX_BYTES)];
    let mut ends = shown.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
    ends.nth(MAX_LINES - 1)
        .map_or(shown.len(), |(at, _)| at + 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_short_is_shown_whole() {
        for value in ["", "a", "a\nb\n", "ü"] {
            assert_eq!(text(value.as_bytes(), 0), (value.to_owned(), None));
        }
        assert_eq!(alike(b"same", b"same but longer"), 0);
    }

    #[test]
    fn a_difference_far_behind_is_shown() {
        let lines: Vec<_> = (0..5000).map(|n| format!("key{n}: 1\n")).collect();
        let lines = lines.concat();
        let other = lines.replace("key4000: 1", "key4000: 2");
        let start = alike(lines.as_bytes(), other.as_bytes());
        let (shown, bytes) = text(other.as_bytes(), start);
        assert!(shown.contains("\nkey3999: 1\nkey4000: 2\n"), "{shown}");
        assert!(shown.starts_with("… ("), "{shown}");
        assert_eq!(bytes, Some(other.len() as u64));
    }

    #[test]
    fn what_is_shown_is_bounded_in_bytes_and_lines() {
        for value in [
            "x".repeat(1 << 20),
            "\n".repeat(1 << 20),
            "ü\n".repeat(1 << 19),
        ] {
            let (shown, bytes) = text(value.as_bytes(), 0);
            assert!(shown.len() <= MAX_BYTES + 100, "{}", shown.len());
            assert!(shown.lines().count() <= MAX_LINES + 2);
            assert_eq!(bytes, Some(value.len() as u64));
            assert!(shown.ends_with("bytes after)\n"));
            assert!(!shown.contains('\u{fffd}'));
        }
        let long = Value::from(vec!["x"; MAX_BYTES]);
        assert!(short(&long).to_string().len() < 2 * MAX_BYTES);
    }

    proptest! {
        #[test]
        fn any_bytes_can_be_shown(
            a in prop::collection::vec(any::<u8>(), 0..300),
            b in prop::collection::vec(any::<u8>(), 0..300),
            more in 0..2_usize,
        ) {
            let long = |bytes: &[u8]| [&vec![b'\n'; more * MAX_LINES], bytes, bytes].concat();
            let (a, b) = (long(&a), long(&b));
            let start = alike(&a, &b);
            prop_assert_eq!(&a[..start], &b[..start]);
            text(&a, start);
            text(&b, start);
        }
    }
}
