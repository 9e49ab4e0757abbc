//! Names of sets, clusters, and what is in them.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The longest name: a DNS label (RFC 1123), as Kubernetes takes them for most objects.
const MAX_NAME_BYTES: usize = 63;

/// A name that breaks the rules of a DNS label.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not a name: {reason}", .input.escape_debug())]
pub struct NameError {
    input: String,
    /// The rule that is broken, as a sentence without a period.
    pub reason: &'static str,
}

fn check(input: &str) -> Result<(), NameError> {
    let reject = |reason| {
        Err(NameError {
            input: input.chars().take(MAX_NAME_BYTES + 1).collect(),
            reason,
        })
    };
    match input.as_bytes() {
        [] => reject("it is empty"),
        bytes if bytes.len() > MAX_NAME_BYTES => reject("it is longer than 63 bytes"),
        [b'-', ..] | [.., b'-'] => reject("it starts or ends with a hyphen"),
        bytes
            if bytes
                .iter()
                .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-')) =>
        {
            Ok(())
        }
        _ => reject("only a-z, 0-9 and hyphens are allowed"),
    }
}

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        ///
        /// At most 63 bytes of `a-z`, `0-9` and inner hyphens.
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(try_from = "String", into = "String")]
        #[schemars(extend("pattern" = "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$", "maxLength" = MAX_NAME_BYTES))]
pub struct $name(String);

        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = NameError;

            fn from_str(input: &str) -> Result<Self, NameError> {
                check(input).map(|()| Self(input.to_owned()))
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;

            fn try_from(input: String) -> Result<Self, NameError> {
                check(&input).map(|()| Self(input))
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    )*};
}

names! {
    /// The name of a set: the configuration of one application.
    SetName;
    /// The name of a cluster: one place of delivery.
    ClusterName;
    /// The name of a layer within its set.
    LayerName;
    /// The name of a breaker within its set.
    BreakerName;
    /// The name of a token, which several may have one after the other.
    TokenName;
    /// The name of a grant: who may do what.
    GrantName;
    /// The name of somebody who is told what happens.
    ReceiverName;
}

/// The longest flag key; flagd has no limit, people use a tenth.
const MAX_FLAG_NAME_BYTES: usize = 128;

/// The name of a flag within its set, which is flagd's flag key.
///
/// At most 128 bytes of `A-Z`, `a-z`, `0-9`, and inner hyphens, underscores and dots.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schemars(extend(
    "pattern" = "^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$",
    "maxLength" = MAX_FLAG_NAME_BYTES
))]
pub struct FlagName(String);

impl FlagName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for FlagName {
    type Err = NameError;

    fn from_str(input: &str) -> Result<Self, NameError> {
        let inner = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        let edge = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
        let bytes = input.as_bytes();
        let reason = if bytes.is_empty() {
            "it is empty"
        } else if bytes.len() > MAX_FLAG_NAME_BYTES {
            "it is longer than 128 bytes"
        } else if !bytes.iter().copied().all(inner) {
            "only letters, digits, hyphens, underscores and dots are allowed"
        } else if !edge(bytes.first()) || !edge(bytes.last()) {
            "it starts or ends with a hyphen, underscore or dot"
        } else {
            return Ok(Self(input.to_owned()));
        };
        Err(NameError {
            input: input.chars().take(MAX_FLAG_NAME_BYTES + 1).collect(),
            reason,
        })
    }
}

impl TryFrom<String> for FlagName {
    type Error = NameError;

    fn try_from(input: String) -> Result<Self, NameError> {
        input.parse()
    }
}

impl From<FlagName> for String {
    fn from(name: FlagName) -> Self {
        name.0
    }
}

impl fmt::Display for FlagName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dns_label_is_a_name() {
        for input in ["a", "7", "eu-west-1", &"x".repeat(63)] {
            assert_eq!(input.parse::<SetName>().unwrap().as_str(), input);
        }
    }

    #[test]
    fn anything_else_is_refused_with_the_rule_it_breaks() {
        let reason = |input: &str| input.parse::<SetName>().unwrap_err().reason;
        assert_eq!(reason(""), "it is empty");
        assert_eq!(reason("-a"), "it starts or ends with a hyphen");
        assert_eq!(reason("a-"), "it starts or ends with a hyphen");
        assert_eq!(reason("Ab"), "only a-z, 0-9 and hyphens are allowed");
        assert_eq!(reason("a/b"), "only a-z, 0-9 and hyphens are allowed");
        assert_eq!(reason(".."), "only a-z, 0-9 and hyphens are allowed");
        assert_eq!(reason(&"x".repeat(64)), "it is longer than 63 bytes");
    }

    #[test]
    fn a_flag_is_named_as_flagd_s_users_name_them() {
        for input in ["express-pay", "isColorYellow", "new_banner.v2", "a"] {
            assert_eq!(input.parse::<FlagName>().unwrap().as_str(), input);
        }
        for input in ["", "a/b", "a b", ".a", "a-", "é", &"x".repeat(129)] {
            assert!(input.parse::<FlagName>().is_err(), "{input}");
        }
    }
}
