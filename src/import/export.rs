//! What `consul kv export` writes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::request::ForeignKey;

/// The most bytes of an export that are read: far beyond what one set can hold, well within what
/// a machine can.
pub const MAX_EXPORT_BYTES: u64 = 64 << 20;

/// An export that cannot be read. Values may be secrets, so nothing of it is repeated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExportError {
    /// Not the JSON of an export.
    #[error("this is not what `consul kv export` writes, from line {line}, column {column} on")]
    Syntax {
        /// Where it stops making sense.
        line: usize,
        /// Where it stops making sense.
        column: usize,
    },
    /// A value that is no base64.
    #[error("the value of `{}` is not base64", .key.escape_debug())]
    Value {
        /// Whose.
        key: String,
    },
}

#[derive(Deserialize)]
struct Exported {
    key: String,
    #[serde(default)]
    flags: u64,
    #[serde(default)]
    value: Option<String>,
}

/// The keys in the JSON that `consul kv export` writes.
pub fn read_export(bytes: &[u8]) -> Result<Vec<ForeignKey>, ExportError> {
    let exported: Vec<Exported> =
        serde_json::from_slice(bytes).map_err(|error| ExportError::Syntax {
            line: error.line(),
            column: error.column(),
        })?;
    let pair = |Exported { key, flags, value }| match STANDARD.decode(value.unwrap_or_default()) {
        Ok(value) => Ok(ForeignKey { key, flags, value }),
        Err(_) => Err(ExportError::Value { key }),
    };
    exported.into_iter().map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_export_is_read_key_by_key() {
        let text = br#"[{"key": "a/b", "flags": 42, "value": "MQ=="}, {"key": "a/c", "value": ""},
            {"key": "d", "flags": 0, "value": null, "namespace": "x"}]"#;
        let read = read_export(text).unwrap();
        let shown: Vec<_> = read
            .iter()
            .map(|pair| (pair.key.as_str(), pair.flags, pair.value.as_slice()))
            .collect();
        assert_eq!(
            shown,
            [("a/b", 42, &b"1"[..]), ("a/c", 0, b""), ("d", 0, b"")]
        );
    }

    #[test]
    fn what_is_wrong_is_named_without_a_value() {
        let syntax = read_export(b"[{\"key\": \"a\", \"value\": hunter2}]").unwrap_err();
        assert_eq!(
            syntax.to_string(),
            "this is not what `consul kv export` writes, from line 1, column 24 on"
        );
        let value = read_export(br#"[{"key": "a", "value": "hunter2!"}]"#).unwrap_err();
        assert_eq!(value.to_string(), "the value of `a` is not base64");
        assert!(read_export(b"{}").is_err());
        assert!(read_export(b"").is_err());
        assert!(read_export(&vec![b'['; 100_000]).is_err());
    }
}
