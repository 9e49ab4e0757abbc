//! Keys of a key-value store, restricted to those that every Consul reads back under the same name.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The longest key: far below what fits into a URL, far above what people write.
const MAX_KEY_BYTES: usize = 1024;

/// A key that Consul would answer with a redirect, or store under another name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not a key: {reason}", .input.escape_debug())]
pub struct KeyError {
    input: String,
    /// The rule that is broken, as a sentence without a period.
    pub reason: &'static str,
}

/// One key, `a/b/c`: no empty, `.` or `..` segment, no control character, no space at its edges.
///
/// Consul answers the refused ones with 301, and a client that follows writes another key; see
/// <https://developer.hashicorp.com/consul/api-docs/kv>.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schemars(extend("pattern" = "^[^/]+(/[^/]+)*$"))]
pub struct Key(String);

impl Key {
    /// The key as text, without any encoding.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The key `segment` below this one.
    pub fn join(&self, segment: &str) -> Result<Self, KeyError> {
        format!("{self}/{segment}").parse()
    }

    /// Everything below this key.
    pub fn below(&self) -> Prefix {
        Prefix(format!("{self}/"))
    }

    /// The segments between the slashes.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        self.0.split('/')
    }
}

impl FromStr for Key {
    type Err = KeyError;

    fn from_str(input: &str) -> Result<Self, KeyError> {
        let reject = |reason| {
            Err(KeyError {
                input: input.chars().take(80).collect(),
                reason,
            })
        };
        if input.is_empty() {
            return reject("it is empty");
        }
        if input.len() > MAX_KEY_BYTES {
            return reject("it is longer than 1024 bytes");
        }
        if input.chars().any(char::is_control) {
            return reject("it has a control character");
        }
        for segment in input.split('/') {
            match segment {
                "" => return reject("it has an empty segment, or a slash at its start or end"),
                "." | ".." => return reject("`.` and `..` are not allowed as segments"),
                _ if segment.trim() != segment => {
                    return reject("a segment starts or ends with a space");
                }
                _ => {}
            }
        }
        Ok(Self(input.to_owned()))
    }
}

impl TryFrom<String> for Key {
    type Error = KeyError;

    fn try_from(input: String) -> Result<Self, KeyError> {
        input.parse()
    }
}

impl From<Key> for String {
    fn from(key: Key) -> Self {
        key.0
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Everything below a key. Ends in a slash, so that `web/` never takes in `webx`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Prefix(String);

impl Prefix {
    /// The prefix as text, with its closing slash.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `key` lies below this prefix.
    pub fn contains(&self, key: &Key) -> bool {
        key.0.starts_with(&self.0)
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_but_safe_keys_are_kept_as_they_are() {
        for input in ["a", "a/b c/d", "ü/%2F/#?&", "a/..b/c.", "~/$[0]"] {
            assert_eq!(input.parse::<Key>().unwrap().as_str(), input);
        }
    }

    #[test]
    fn keys_that_consul_redirects_are_refused() {
        for input in [
            "", "/a", "a/", "a//b", "a/./b", "../a", "a\n", "a/ b", "a\0",
        ] {
            assert!(input.parse::<Key>().is_err(), "{input:?}");
        }
    }

    #[test]
    fn a_prefix_does_not_take_in_its_neighbour() {
        let web: Key = "web".parse().unwrap();
        assert!(web.below().contains(&"web/a".parse().unwrap()));
        assert!(!web.below().contains(&"webx/a".parse().unwrap()));
        assert!(!web.below().contains(&web));
    }
}
