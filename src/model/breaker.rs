//! Circuit breakers as they are declared.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::value::Map;
use super::{Counted, Flag, FlagName, Limit, Selector, Witness};

/// What changes at once when something fails, and how it changes back.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Breaker {
    /// What it is for, read by whoever is woken up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What is different while it is open.
    pub trip: Trip,
    /// The labels of the alerts that trip it; empty: none does.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub alerts: BTreeMap<String, String>,
    /// The label of these alerts that says where it is tripped: in the clusters that have it with the
    /// same value. `None`: everywhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
    /// How it closes again.
    #[serde(default, skip_serializing_if = "Reset::is_manual")]
    pub reset: Reset,
    /// How long it stays open at the least, whatever alerts and timers say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_open: Option<SignedDuration>,
    /// After this many trips within an hour it stays open until a person resets it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_trips_per_hour: Option<u32>,
    /// The clusters that it may be tripped in without the others; empty: each.
    #[serde(default, skip_serializing_if = "Selector::is_empty")]
    pub separately: Selector,
}

impl Breaker {
    /// Whether an alert with these labels trips it.
    pub fn is_tripped_by(&self, labels: &BTreeMap<String, String>) -> bool {
        let mut wanted = self.alerts.iter();
        !self.alerts.is_empty() && wanted.all(|(key, value)| labels.get(key) == Some(value))
    }

    /// Until when a trip at `now` lasts by itself, for as long as is asked for or else declared, and how that
    /// was counted.
    pub fn ends(
        &self,
        limit: Option<Limit>,
        now: Timestamp,
        witness: Witness,
    ) -> (Option<Timestamp>, Option<Counted>) {
        let least = self.min_open.unwrap_or_default();
        match limit.or(self.reset.limit()) {
            Some(limit) => {
                let (until, counted) = limit.ends(now, least, witness);
                (Some(until), counted)
            }
            None => (None, None),
        }
    }
}

/// What is different while a breaker is open.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Trip {
    /// Values laid over defaults and layers; touches only keys that the defaults have.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub values: Map,
    /// What flags are held at.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub flags: BTreeMap<FlagName, Choice>,
}

/// A variant of a flag.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Choice {
    /// The variant with this value.
    Boolean(bool),
    /// The variant of this name.
    Variant(String),
}

impl Choice {
    /// The name of the variant of `flag`, if it has one like this.
    pub fn of<'a>(&self, flag: &'a Flag) -> Option<&'a str> {
        match self {
            Self::Boolean(on) => flag.variant_of(&Value::Bool(*on)),
            Self::Variant(name) => flag
                .variants
                .get_key_value(name)
                .map(|(name, _)| name.as_str()),
        }
    }
}

/// How a breaker closes after a trip for which nobody said how long.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Reset {
    /// A person resets it.
    #[default]
    Manual,
    /// It closes by itself after this long.
    After(SignedDuration),
    /// It closes when the alerts that tripped it are resolved; a person's trip is reset by one.
    OnResolve,
}

impl Reset {
    /// How long it lasts by itself.
    pub fn limit(self) -> Option<Limit> {
        match self {
            Self::After(lasts) => Some(Limit::For(lasts)),
            Self::Manual | Self::OnResolve => None,
        }
    }

    fn is_manual(&self) -> bool {
        *self == Self::Manual
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_choice_is_a_value_of_a_boolean_flag_or_a_name() {
        let flag = Flag::boolean(true);
        let choice = |value| serde_json::from_value::<Choice>(value).unwrap();
        assert_eq!(choice(json!(false)).of(&flag), Some("off"));
        assert_eq!(choice(json!("on")).of(&flag), Some("on"));
        assert_eq!(choice(json!("blue")).of(&flag), None);
    }
}
