//! Names that a person typed, read.

use crate::model::text::printable;
use crate::model::{ResourceId, SetName, Version};

/// Reads the number of a revision.
pub(crate) fn version(input: &str) -> Result<Version, String> {
    input
        .parse()
        .ok()
        .and_then(Version::new)
        .ok_or_else(|| "a version is a number from 1 on".to_owned())
}

/// `NAME` or `NAME@VERSION`, of any kind.
#[derive(Clone, Debug)]
pub(crate) struct NameAt {
    pub(crate) name: ResourceId,
    pub(crate) version: Option<Version>,
}

impl std::str::FromStr for NameAt {
    type Err = String;

    fn from_str(input: &str) -> Result<Self, String> {
        let (name, at) = match input.split_once('@') {
            Some((name, at)) => (name, Some(version(at)?)),
            None => (input, None),
        };
        Ok(Self {
            name: name.parse().map_err(|error| format!("{error}"))?,
            version: at,
        })
    }
}

/// `SET` or `SET@VERSION`.
#[derive(Clone, Debug)]
pub(crate) struct SetAt {
    pub(crate) set: SetName,
    pub(crate) version: Option<Version>,
}

impl std::str::FromStr for SetAt {
    type Err = String;

    fn from_str(input: &str) -> Result<Self, String> {
        let input = input.strip_prefix("set/").unwrap_or(input);
        let (set, at) = match input.split_once('@') {
            Some((set, at)) => (set, Some(version(at)?)),
            None => (input, None),
        };
        Ok(Self {
            set: set.parse().map_err(|error| format!("{error}"))?,
            version: at,
        })
    }
}

/// `SET/FLAG` or `SET/BREAKER`.
#[derive(Clone, Debug)]
pub(crate) struct PartOf<N> {
    pub(crate) set: SetName,
    pub(crate) name: N,
}

impl<N: std::str::FromStr<Err: std::fmt::Display>> std::str::FromStr for PartOf<N> {
    type Err = String;

    fn from_str(input: &str) -> Result<Self, String> {
        let input = input.strip_prefix("set/").unwrap_or(input);
        let (set, name) = input
            .split_once('/')
            .ok_or_else(|| format!("write the set and the name: `SET/{}`", printable(input)))?;
        Ok(Self {
            set: set.parse().map_err(|error| format!("{error}"))?,
            name: name.parse().map_err(|error| format!("{error}"))?,
        })
    }
}
