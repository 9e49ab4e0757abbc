//! What a cluster gets of a set, before it is sealed into a snapshot.

use std::borrow::Cow;
use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::value::Map;
use super::{BreakerName, BreakerState, Flag, FlagName};

/// The key under which flags are published beside the values.
pub const FLAGS_KEY: &str = "flags";
/// The key under which breakers are compared beside the values.
const BREAKERS_KEY: &str = "breakers";

/// Everything that one cluster gets of one revision of a set, whoever made the revision.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Contents {
    /// Defaults, layers and open breakers merged.
    pub values: Map,
    /// The definition of every flag, overrides and open breakers folded in.
    pub flags: BTreeMap<FlagName, Flag>,
    /// How every breaker stands.
    pub breakers: BTreeMap<BreakerName, BreakerStatus>,
}

/// How a breaker stands in one cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BreakerStatus {
    /// Its state.
    pub state: BreakerState,
    /// Who brought it there; `None`: nobody touched it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// Since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// Until when, if it closes by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Why, if it was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Contents {
    /// A set without flags and breakers.
    pub fn of_values(values: Map) -> Self {
        Self {
            values,
            ..Self::default()
        }
    }

    /// What applications read without knowing of flags: the values, and below `flags` the value
    /// that each flag has where targeting decides nothing. A flag without such a value is left out,
    /// so that the application takes its own default.
    pub fn published(&self) -> Cow<'_, Map> {
        let flags: Map = self
            .flags
            .iter()
            .filter_map(|(name, flag)| Some((name.to_string(), flag.default_value()?.clone())))
            .collect();
        if flags.is_empty() {
            return Cow::Borrowed(&self.values);
        }
        let mut published = self.values.clone();
        published.insert(FLAGS_KEY.to_owned(), Value::Object(flags));
        Cow::Owned(published)
    }

    /// All of it as one map, to be compared leaf by leaf: the values, every flag as it is written
    /// in a manifest, and the state of every breaker.
    pub fn whole(&self) -> Cow<'_, Map> {
        if self.flags.is_empty() && self.breakers.is_empty() {
            return Cow::Borrowed(&self.values);
        }
        let flags: Map = (self.flags.iter())
            .map(|(name, flag)| (name.to_string(), flag.to_manifest()))
            .collect();
        let breakers: Map = (self.breakers.iter())
            .map(|(name, status)| (name.to_string(), json!(status.state)))
            .collect();
        let mut whole = self.values.clone();
        for (key, map) in [(FLAGS_KEY, flags), (BREAKERS_KEY, breakers)] {
            if !map.is_empty() {
                let taken = whole.contains_key(key);
                let key = if taken {
                    format!("({key})")
                } else {
                    key.to_owned()
                };
                whole.insert(key, Value::Object(map));
            }
        }
        Cow::Owned(whole)
    }
}
