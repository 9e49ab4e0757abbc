//! Nested values as flat properties, named as Spring's `YamlProcessor` names them.
//!
//! See `buildFlattenedMap` in
//! <https://github.com/spring-projects/spring-framework/blob/main/spring-beans/src/main/java/org/springframework/beans/factory/config/YamlProcessor.java>.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::model::value::{Map, Path};

/// One property of an application.
#[derive(Debug)]
pub(super) struct Property<'a> {
    /// The value it comes from; list items count from 0.
    pub(super) path: Path,
    /// As the application names it: `hosts[0].port`.
    pub(super) name: String,
    /// The same with a slash between nested maps: `hosts[0]/port`.
    pub(super) key: String,
    value: &'a Value,
}

impl Property<'_> {
    /// What the application gets. Spring reads null and an empty list as the empty text.
    pub(super) fn text(&self) -> String {
        match self.value {
            Value::Null | Value::Array(_) => String::new(),
            Value::String(text) => text.clone(),
            value => value.to_string(),
        }
    }
}

/// All properties of a map of values, each with a name of its own.
#[derive(Debug, Default)]
pub(super) struct Flat<'a> {
    /// In the order of the values.
    pub(super) properties: Vec<Property<'a>>,
    /// Keys of maps that no property can have in its name, and why.
    pub(super) refused: Vec<(Path, &'static str)>,
    /// A value, the one before it that has the same name, and the name.
    pub(super) doubled: Vec<(Path, Path, String)>,
}

/// Why a key of a map cannot be part of a property's name, if it cannot.
pub(super) fn check_name(segment: &str) -> Option<&'static str> {
    segment
        .trim()
        .is_empty()
        .then_some("Spring drops blank names")
}

/// Flattens `values`; `rule` says why a key of a map is refused.
pub(super) fn flatten(values: &Map, rule: fn(&str) -> Option<&'static str>) -> Flat<'_> {
    let mut flat = Flat::default();
    flat.map(values, &Name::default(), rule);

    let mut names = BTreeMap::new();
    for property in std::mem::take(&mut flat.properties) {
        if let Some(first) = names.get(&property.name) {
            let first = Path::clone(first);
            flat.doubled.push((property.path, first, property.name));
        } else {
            names.insert(property.name.clone(), property.path.clone());
            flat.properties.push(property);
        }
    }
    flat
}

/// How far down the values we are, in every notation.
#[derive(Clone, Default)]
struct Name {
    path: Path,
    dotted: String,
    key: String,
}

impl Name {
    fn member(&self, key: &str) -> Self {
        // `"[a.b]"` is how Spring's users write a key with a dot in it.
        let (dot, slash) = if self.dotted.is_empty() || key.starts_with('[') {
            ("", "")
        } else {
            (".", "/")
        };
        Self {
            path: self.path.join(key),
            dotted: format!("{}{dot}{key}", self.dotted),
            key: format!("{}{slash}{key}", self.key),
        }
    }

    fn item(&self, index: usize) -> Self {
        Self {
            path: self.path.join(&index.to_string()),
            dotted: format!("{}[{index}]", self.dotted),
            key: format!("{}[{index}]", self.key),
        }
    }
}

impl<'a> Flat<'a> {
    fn map(&mut self, map: &'a Map, at: &Name, rule: fn(&str) -> Option<&'static str>) {
        for (key, value) in map {
            match rule(key) {
                Some(reason) => self.refused.push((at.path.join(key), reason)),
                None => self.value(value, at.member(key), rule),
            }
        }
    }

    fn value(&mut self, value: &'a Value, at: Name, rule: fn(&str) -> Option<&'static str>) {
        match value {
            Value::Object(map) => self.map(map, &at, rule),
            Value::Array(items) if !items.is_empty() => {
                for (index, item) in items.iter().enumerate() {
                    self.value(item, at.item(index), rule);
                }
            }
            _ => self.properties.push(Property {
                path: at.path,
                name: at.dotted,
                key: at.key,
                value,
            }),
        }
    }
}
