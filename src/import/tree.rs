//! Texts become values, and keys become maps and lists, such that they render to the same bytes.

use std::collections::BTreeMap;

use serde_json::{Number, Value};

use crate::model::value::{self, Map};

/// Lists inside lists that are taken as such. What lies deeper is no list that people edit.
const MAX_LIST_DEPTH: usize = 4;
/// The longest text that can be a number of 64 bits.
const MAX_NUMBER_BYTES: usize = 32;

/// Whether texts that look like lists become lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lists {
    /// They do: they are published as compact JSON.
    Json,
    /// They stay text: lists would be published in another way.
    Text,
}

/// The most telling value that is published as exactly this text.
pub(super) fn typed(text: &str, lists: Lists) -> Value {
    let found = match text.as_bytes() {
        b"true" => Some(Value::Bool(true)),
        b"false" => Some(Value::Bool(false)),
        [b'0'..=b'9' | b'-', ..] => number(text),
        [b'[', ..] if lists == Lists::Json => list(text),
        _ => None,
    };
    found.unwrap_or_else(|| Value::from(text))
}

/// A number without an exponent: `12e5` is more likely a part of a hash.
fn number(text: &str) -> Option<Value> {
    let plain = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'-' | b'.');
    if text.len() > MAX_NUMBER_BYTES || !text.bytes().all(plain) {
        return None;
    }
    let number: Number = serde_json::from_str(text).ok()?;
    (number.to_string() == text).then_some(Value::Number(number))
}

fn list(text: &str) -> Option<Value> {
    let list: Value = serde_json::from_str(text).ok()?;
    let same = value::canonical(&list) == text.as_bytes();
    (same && list.is_array() && depth(&list) <= MAX_LIST_DEPTH).then_some(list)
}

fn depth(value: &Value) -> usize {
    let inside: Option<usize> = match value {
        Value::Array(items) => Some(items.iter().map(depth).max().unwrap_or_default()),
        Value::Object(map) => Some(map.values().map(depth).max().unwrap_or_default()),
        _ => None,
    };
    inside.map_or(0, |inside| inside + 1)
}

/// Maps inside maps, by the segments of paths. `None` if a value lies where a map is needed.
pub(super) fn nested(leaves: impl IntoIterator<Item = (Vec<String>, Value)>) -> Option<Map> {
    let mut root = Map::new();
    for (path, value) in leaves {
        let (last, folders) = path.split_last()?;
        let mut map = &mut root;
        for folder in folders {
            let below = map
                .entry(folder.as_str())
                .or_insert_with(|| Value::Object(Map::new()));
            map = below.as_object_mut()?;
        }
        if map.insert(last.clone(), value).is_some() {
            return None;
        }
    }
    Some(root)
}

/// The same with `hosts[0]`, `hosts[1]` as a list, where the indices have no gap.
pub(super) fn with_lists(map: Map) -> Map {
    let inside = |value| match value {
        Value::Object(map) => Value::Object(with_lists(map)),
        other => other,
    };
    let mut map: Map = map
        .into_iter()
        .map(|(key, value)| (key, inside(value)))
        .collect();
    // `a[0][1]` becomes a list of `a[0]` first, and then these become one of `a`.
    loop {
        let mut lists: BTreeMap<String, BTreeMap<usize, String>> = BTreeMap::new();
        for key in map.keys() {
            if let Some((base, index)) = indexed(key) {
                let items = lists.entry(base.to_owned()).or_default();
                items.insert(index, key.clone());
            }
        }
        lists.retain(|base, items| {
            !map.contains_key(base) && items.keys().copied().eq(0..items.len())
        });
        if lists.is_empty() {
            return map;
        }
        for (base, items) in lists {
            let items = items.values().filter_map(|key| map.remove(key)).collect();
            map.insert(base, Value::Array(items));
        }
    }
}

/// `hosts[12]` is item 12 of `hosts`.
pub(super) fn indexed(key: &str) -> Option<(&str, usize)> {
    let (base, digits) = key.strip_suffix(']')?.rsplit_once('[')?;
    let index: usize = digits.parse().ok()?;
    (!base.is_empty() && index.to_string() == digits).then_some((base, index))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn map(value: Value) -> Map {
        let Value::Object(map) = value else {
            panic!("not a map: {value}");
        };
        map
    }

    #[test]
    fn a_text_gets_a_type_only_if_it_is_written_as_we_write_that_type() {
        for (text, expected) in [
            ("true", json!(true)),
            ("0", json!(0)),
            ("-12", json!(-12)),
            ("1.5", json!(1.5)),
            ("18446744073709551615", json!(u64::MAX)),
            ("[1,\"a\",{\"b\":[]}]", json!([1, "a", {"b": []}])),
            ("[]", json!([])),
        ] {
            assert_eq!(typed(text, Lists::Json), expected, "{text}");
        }
        for text in [
            "",
            "True",
            " true",
            "true\n",
            "null",
            "007",
            "1.50",
            "+1",
            "-0",
            "1e3",
            "12e5",
            "18446744073709551616",
            "0.1000000000000000055511151231257827",
            "1.",
            "[1, 2]",
            "[1]\n",
            "[{\"b\":1,\"a\":2}]",
            "[[[[[1]]]]]",
            "{}",
            "{\"a\":1}",
            "\"a\"",
        ] {
            assert_eq!(typed(text, Lists::Json), json!(text), "{text}");
        }
        assert_eq!(typed("[1]", Lists::Text), json!("[1]"));
    }

    #[test]
    fn indices_without_a_gap_become_lists() {
        assert_eq!(
            Value::Object(with_lists(map(json!({
                "a[0]": 1, "a[1]": {"b[0]": 2}, "c[1]": 3, "d": 4, "d[0]": 5,
                "e[0][0]": 6, "e[0][1]": 7, "e[1][0]": 8, "f[00]": 9, "[0]": 10, "g[x]": 11,
            })))),
            json!({
                "a": [1, {"b": [2]}], "c[1]": 3, "d": 4, "d[0]": 5,
                "e": [[6, 7], [8]], "f[00]": 9, "[0]": 10, "g[x]": 11,
            })
        );
    }

    #[test]
    fn a_value_where_a_map_is_needed_is_noticed_in_any_order() {
        let leaf = |path: &str| (path.split('/').map(str::to_owned).collect(), json!(1));
        assert_eq!(nested([leaf("a"), leaf("a/b")]), None);
        assert_eq!(nested([leaf("a/b"), leaf("a")]), None);
        assert_eq!(
            nested([leaf("a/b"), leaf("a/c")]),
            Some(map(json!({"a": {"b": 1, "c": 1}})))
        );
    }
}
