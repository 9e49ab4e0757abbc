//! Nested values as flat properties, named as Spring's `YamlProcessor` names them.
//!
//! See `buildFlattenedMap` in
//! <https://github.com/spring-projects/spring-framework/blob/main/spring-beans/src/main/java/org/springframework/beans/factory/config/YamlProcessor.java>.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::Value;

use crate::model::value::{Map, Path};

/// One property of an application.
#[derive(Debug)]
pub(crate) struct Property<'a> {
    /// As the application names it: `hosts[0].port`.
    pub(crate) name: String,
    steps: Vec<Step<'a>>,
    value: &'a Value,
}

/// One step down into nested values.
#[derive(Clone, Copy, Debug)]
enum Step<'a> {
    Member(&'a str),
    Item(usize),
}

impl Property<'_> {
    /// The value it comes from; list items count from 0.
    pub(crate) fn path(&self) -> Path {
        path(&self.steps)
    }

    /// The name with a slash between nested maps: `hosts[0]/port`.
    pub(super) fn key(&self) -> String {
        name(&self.steps, '/')
    }

    /// The value as Spring has it in memory: null and an empty list are the empty text.
    pub(crate) fn read(&self) -> Value {
        match self.value {
            Value::Null | Value::Array(_) => String::new().into(),
            value => value.clone(),
        }
    }

    /// What the application gets. Spring reads null and an empty list as the empty text.
    pub(super) fn text(&self) -> String {
        match self.value {
            Value::Null | Value::Array(_) => String::new(),
            Value::String(text) => text.clone(),
            value => value.to_string(),
        }
    }
}

fn path(steps: &[Step<'_>]) -> Path {
    let segment = |step: &Step<'_>| match step {
        Step::Member(key) => (*key).to_owned(),
        Step::Item(index) => index.to_string(),
    };
    steps.iter().map(segment).collect()
}

fn name(steps: &[Step<'_>], separator: char) -> String {
    let mut name = String::new();
    for step in steps {
        match step {
            Step::Member(key) => {
                // `"[a.b]"` is how Spring's users write a key with a dot in it.
                if !name.is_empty() && !key.starts_with('[') {
                    name.push(separator);
                }
                name.push_str(key);
            }
            // Writing to a text cannot fail.
            Step::Item(index) => _ = write!(name, "[{index}]"),
        }
    }
    name
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

/// The properties that Spring makes of `values`. What no property can be is left out.
pub(crate) fn properties(values: &Map) -> Vec<Property<'_>> {
    flatten(values, check_name).properties
}

/// Flattens `values`; `rule` says why a key of a map is refused.
pub(super) fn flatten(values: &Map, rule: fn(&str) -> Option<&'static str>) -> Flat<'_> {
    let mut flat = Flat::default();
    flat.map(values, &mut Vec::new(), rule);

    let mut names: BTreeMap<&str, &Property<'_>> = BTreeMap::new();
    let mut later = BTreeSet::new();
    for (index, property) in flat.properties.iter().enumerate() {
        if let Some(first) = names.get(property.name.as_str()) {
            let (path, first) = (property.path(), first.path());
            flat.doubled.push((path, first, property.name.clone()));
            later.insert(index);
        } else {
            names.insert(&property.name, property);
        }
    }
    let mut index = 0..;
    flat.properties
        .retain(|_| index.next().is_none_or(|index| !later.contains(&index)));
    flat
}

impl<'a> Flat<'a> {
    fn map(
        &mut self,
        map: &'a Map,
        at: &mut Vec<Step<'a>>,
        rule: fn(&str) -> Option<&'static str>,
    ) {
        for (key, value) in map {
            at.push(Step::Member(key));
            match rule(key) {
                Some(reason) => self.refused.push((path(at), reason)),
                None => self.value(value, at, rule),
            }
            at.pop();
        }
    }

    fn value(
        &mut self,
        value: &'a Value,
        at: &mut Vec<Step<'a>>,
        rule: fn(&str) -> Option<&'static str>,
    ) {
        match value {
            Value::Object(map) => self.map(map, at, rule),
            Value::Array(items) if !items.is_empty() => {
                for (index, item) in items.iter().enumerate() {
                    at.push(Step::Item(index));
                    self.value(item, at, rule);
                    at.pop();
                }
            }
            _ => self.properties.push(Property {
                name: name(at, '.'),
                steps: at.clone(),
                value,
            }),
        }
    }
}
