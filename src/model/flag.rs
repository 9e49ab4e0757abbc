//! Feature flags, in flagd's terms.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::value::Map;

/// The variant that a boolean flag in its short form has while it is on.
const ON: &str = "on";
/// The variant that a boolean flag in its short form has while it is off.
const OFF: &str = "off";

/// One flag as flagd defines it; see <https://flagd.dev/reference/flag-definitions/>.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Flag {
    /// Whether it is evaluated at all.
    pub state: FlagState,
    /// The values that it can have, by variant; all of one type.
    pub variants: BTreeMap<String, Value>,
    /// The variant where targeting decides nothing; `None`: the default that the application has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_variant: Option<String>,
    /// The `JsonLogic` rule that chooses the variant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub targeting: Option<Value>,
    /// What the application gets to know beside the value.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub metadata: Map,
}

/// Whether a flag is evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum FlagState {
    /// It is.
    Enabled,
    /// It is not: applications use the default that they have themselves.
    Disabled,
}

impl Flag {
    /// What the short form, a boolean, stands for.
    pub fn boolean(on: bool) -> Self {
        Self {
            state: FlagState::Enabled,
            variants: BTreeMap::from([
                (ON.to_owned(), true.into()),
                (OFF.to_owned(), false.into()),
            ]),
            default_variant: Some(if on { ON } else { OFF }.to_owned()),
            targeting: None,
            metadata: Map::new(),
        }
    }

    /// The boolean that says all of it, if one does.
    pub fn as_boolean(&self) -> Option<bool> {
        [true, false]
            .into_iter()
            .find(|on| *self == Self::boolean(*on))
    }

    /// The flag as a manifest writes it: a boolean where that says all of it.
    pub fn to_manifest(&self) -> Value {
        match self.as_boolean() {
            Some(on) => on.into(),
            None => json!(self),
        }
    }

    /// The first variant with this value, by name.
    pub fn variant_of(&self, value: &Value) -> Option<&str> {
        let mut variants = self.variants.iter();
        variants
            .find(|(_, found)| *found == value)
            .map(|(name, _)| name.as_str())
    }

    /// The same flag held at `variant`: always evaluated, and without its targeting.
    #[must_use]
    pub fn held_at(&self, variant: &str) -> Self {
        Self {
            state: FlagState::Enabled,
            variants: self.variants.clone(),
            default_variant: Some(variant.to_owned()),
            targeting: None,
            metadata: self.metadata.clone(),
        }
    }

    /// The value where targeting decides nothing. `None` where applications use their own default:
    /// the flag is disabled, or has no default variant.
    pub fn default_value(&self) -> Option<&Value> {
        match self.state {
            FlagState::Enabled => self.variants.get(self.default_variant.as_deref()?),
            FlagState::Disabled => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_boolean_is_a_flag_that_flagd_knows() {
        let flag = Flag::boolean(true);
        assert_eq!(
            json!(flag),
            json!({
                "state": "ENABLED",
                "variants": {"on": true, "off": false},
                "defaultVariant": "on",
            })
        );
        assert_eq!(flag.as_boolean(), Some(true));
        assert_eq!(flag.default_value(), Some(&json!(true)));
        assert_eq!(flag.variant_of(&json!(false)), Some("off"));
        let held = flag.held_at("off");
        assert_eq!(held.as_boolean(), Some(false));
    }

    #[test]
    fn a_disabled_flag_leaves_the_value_to_the_application() {
        let disabled = Flag {
            state: FlagState::Disabled,
            ..Flag::boolean(true)
        };
        assert_eq!(disabled.default_value(), None);
        assert_eq!(disabled.as_boolean(), None);
        let held = disabled.held_at("on");
        assert_eq!(held.default_value(), Some(&json!(true)), "held means held");
    }
}
