//! Values: JSON with exact 64-bit integers, merged deeply, walked leaf by leaf.

use std::fmt;
use std::io;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A map of values; its keys are always sorted, which the canonical form relies on.
pub type Map = serde_json::Map<String, Value>;

/// Where a value lies inside a document: `payment.timeoutMs`, `hosts."a.b"`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Path(Vec<String>);

impl Path {
    /// The path one segment further down.
    #[must_use]
    pub fn join(&self, segment: &str) -> Self {
        let mut segments = self.0.clone();
        segments.push(segment.to_owned());
        Self(segments)
    }

    /// The segments, outermost first.
    pub fn segments(&self) -> &[String] {
        &self.0
    }

    /// The value at this path below `map`, if there is one.
    pub fn find<'a>(&self, map: &'a Map) -> Option<&'a Value> {
        let (first, rest) = self.0.split_first()?;
        rest.iter().try_fold(map.get(first)?, |value, segment| {
            value.as_object()?.get(segment)
        })
    }
}

impl<S: Into<String>> FromIterator<S> for Path {
    fn from_iter<I: IntoIterator<Item = S>>(segments: I) -> Self {
        Self(segments.into_iter().map(Into::into).collect())
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, segment) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(".")?;
            }
            if segment.is_empty() || segment.contains(['.', '"', ' ']) {
                write!(f, "{segment:?}")?;
            } else {
                f.write_str(segment)?;
            }
        }
        Ok(())
    }
}

impl Serialize for Path {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Path {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Text that is not the path of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a path is written `payment.timeoutMs`, with quotes as in `hosts.\"a.b\"`")]
pub struct PathError;

/// Reads what [`Path`] displays.
impl std::str::FromStr for Path {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut segments = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let (segment, left) = if let Some(quoted) = rest.strip_prefix('"') {
                unquoted(quoted).ok_or(PathError)?
            } else {
                let end = rest.find('.').unwrap_or(rest.len());
                (rest[..end].to_owned(), &rest[end..])
            };
            segments.push(segment);
            rest = match left.strip_prefix('.') {
                // Something has to follow.
                Some("") => return Err(PathError),
                Some(next) => next,
                None if left.is_empty() => left,
                None => return Err(PathError),
            };
        }
        Ok(Self(segments))
    }
}

/// What stands before the closing quote of `text`, with Rust's escapes taken back, and what follows.
fn unquoted(text: &str) -> Option<(String, &str)> {
    let mut segment = String::new();
    let mut chars = text.char_indices();
    loop {
        match chars.next()? {
            (at, '"') => return Some((segment, &text[at + 1..])),
            (_, '\\') => segment.push(match chars.next()?.1 {
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                '0' => '\0',
                'u' => {
                    let (open, _) = chars.next().filter(|(_, c)| *c == '{')?;
                    let (close, _) = chars.find(|(_, c)| *c == '}')?;
                    let digits = &text[open + 1..close];
                    char::from_u32(u32::from_str_radix(digits, 16).ok()?)?
                }
                c @ ('"' | '\\' | '\'') => c,
                _ => return None,
            }),
            (_, c) => segment.push(c),
        }
    }
}

/// Lays `over` onto `base`: maps merge deeply, lists and scalars replace.
pub fn merge(base: &mut Map, over: &Map) {
    for (key, value) in over {
        match (base.get_mut(key), value) {
            (Some(Value::Object(base)), Value::Object(over)) => merge(base, over),
            _ => {
                base.insert(key.clone(), value.clone());
            }
        }
    }
}

/// Every leaf with its path, in the order of the paths. A leaf is a scalar, a list or an empty
/// map: what is replaced as a whole.
pub fn leaves(map: &Map) -> Vec<(Path, &Value)> {
    let mut found = Vec::new();
    collect_leaves(map, &Path::default(), &mut found);
    found
}

/// How many leaves there are.
pub fn count_leaves(map: &Map) -> usize {
    let below = |value: &Value| match value {
        Value::Object(inner) if !inner.is_empty() => count_leaves(inner),
        _ => 1,
    };
    map.values().map(below).sum()
}

fn collect_leaves<'a>(map: &'a Map, at: &Path, found: &mut Vec<(Path, &'a Value)>) {
    for (key, value) in map {
        let path = at.join(key);
        match value {
            Value::Object(inner) if !inner.is_empty() => collect_leaves(inner, &path, found),
            _ => found.push((path, value)),
        }
    }
}

/// The canonical form: compact JSON with sorted keys. Equal values have equal bytes, and numbers
/// keep all their digits, which RFC 8785 would round beyond 2^53.
///
/// # Panics
///
/// Never for the types of this crate: their maps have text keys and they do no IO.
pub fn canonical(value: &impl Serialize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(128);
    canonical_to(&mut bytes, value);
    bytes
}

/// The same, piece by piece as it is made. `to` must not fail.
///
/// # Panics
///
/// Only if `to` does fail.
pub(super) fn canonical_to(to: &mut impl io::Write, value: &impl Serialize) {
    #[expect(
        clippy::expect_used,
        reason = "serde_json fails only on maps without text keys, which no type of this crate has"
    )]
    serde_json::to_writer(to, value).expect("plain data is JSON");
}

/// How many bytes the canonical form has, without making it.
pub fn canonical_bytes(value: &impl Serialize) -> usize {
    struct Counter(usize);
    impl io::Write for Counter {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut counter = Counter(0);
    canonical_to(&mut counter, value);
    counter.0
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
    fn maps_merge_deeply_and_everything_else_replaces() {
        let mut base = map(json!({"a": {"b": 1, "c": [1, 2]}, "d": "x"}));
        merge(&mut base, &map(json!({"a": {"c": [3]}, "d": null})));
        assert_eq!(
            Value::Object(base),
            json!({"a": {"b": 1, "c": [3]}, "d": null})
        );
    }

    #[test]
    fn leaves_are_scalars_lists_and_empty_maps() {
        let map = map(json!({"b": {"x.y": 1, "e": {}}, "a": [{"z": 1}]}));
        let paths: Vec<_> = leaves(&map)
            .iter()
            .map(|(path, _)| path.to_string())
            .collect();
        assert_eq!(paths, ["a", "b.e", "b.\"x.y\""]);
    }

    /// Breaks when a dependency switches on `serde_json/preserve_order` or drops
    /// `float_roundtrip`; digests would then depend on how a file was written.
    #[test]
    fn the_canonical_form_is_sorted_and_exact() {
        let text = r#"{"z":18446744073709551615,"a":-9223372036854775808,"m":0.30000000000000004}"#;
        let value: Value = serde_json::from_str(text).unwrap();
        assert_eq!(
            String::from_utf8(canonical(&value)).unwrap(),
            r#"{"a":-9223372036854775808,"m":0.30000000000000004,"z":18446744073709551615}"#
        );
        assert_eq!(canonical_bytes(&value), canonical(&value).len());
    }
}
