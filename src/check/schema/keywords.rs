//! The parts that a schema is made of, and what each looks at.

use serde_json::{Map, Value};

/// References; the last one is of an older draft, and is followed in one place all the same.
pub(super) const REFERENCES: &[&str] = &["$ref", "$dynamicRef", "$recursiveRef"];
/// What looks at everything that nothing else looked at.
pub(super) const UNEVALUATED: &[&str] = &["unevaluatedProperties", "unevaluatedItems"];

/// What a part of a schema looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Nothing by itself.
    Definition,
    /// The same value, as one that has to be met.
    All,
    /// The same value, as one of several.
    Any,
    /// The same value, which decides about the others.
    If,
    /// The same value, if something else holds.
    Then,
    /// The same value, which it must not be.
    Not,
    /// The field of its name.
    Field,
    /// Fields whose names fit a pattern.
    Pattern,
    /// All other fields.
    Fields,
    /// The names of all fields.
    Name,
    /// The item with its index.
    Item,
    /// All items.
    Items,
    /// All items, of which some have to fit.
    Contains,
    /// Whatever nothing else looked at.
    Unevaluated,
}

impl Way {
    pub(super) fn is_in_place(self) -> bool {
        matches!(self, Self::All | Self::Any | Self::If | Self::Then)
    }
}

/// Where a part stands: its name among others, or its index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place<'s> {
    /// Its name, or the keyword.
    Name(&'s str),
    /// Its index in a list.
    Index(usize),
}

impl Place<'_> {
    /// About how many bytes it takes in the path of a fault.
    pub(super) fn length(self) -> u64 {
        match self {
            Self::Name(name) => name.len() as u64 + 16,
            Self::Index(_) => 24,
        }
    }
}

/// The parts of a schema, each with what it looks at and where it stands.
pub(super) fn parts(map: &Map<String, Value>) -> Vec<(Way, Place<'_>, &Value)> {
    let mut parts = Vec::new();
    for (keyword, value) in map {
        let (one, many) = match keyword.as_str() {
            "$defs" | "definitions" => (None, Some(Way::Definition)),
            "allOf" => (None, Some(Way::All)),
            "anyOf" | "oneOf" => (None, Some(Way::Any)),
            "if" => (Some(Way::If), None),
            "then" | "else" => (Some(Way::Then), None),
            "dependentSchemas" | "dependencies" => (None, Some(Way::Then)),
            "not" => (Some(Way::Not), None),
            "properties" => (None, Some(Way::Field)),
            "patternProperties" => (None, Some(Way::Pattern)),
            "additionalProperties" => (Some(Way::Fields), None),
            "propertyNames" => (Some(Way::Name), None),
            "prefixItems" => (None, Some(Way::Item)),
            "items" | "additionalItems" if value.is_array() => (None, Some(Way::Item)),
            "items" | "additionalItems" => (Some(Way::Items), None),
            "contains" => (Some(Way::Contains), None),
            "unevaluatedProperties" | "unevaluatedItems" => (Some(Way::Unevaluated), None),
            _ => (None, None),
        };
        if let Some(way) = one {
            parts.push((way, Place::Name(keyword), value));
        }
        let Some(way) = many else { continue };
        match value {
            Value::Array(items) => {
                let items = items.iter().enumerate();
                parts.extend(items.map(|(index, item)| (way, Place::Index(index), item)));
            }
            Value::Object(named) => {
                parts.extend(
                    named
                        .iter()
                        .map(|(name, part)| (way, Place::Name(name), part)),
                );
            }
            _ => {}
        }
    }
    parts
}
