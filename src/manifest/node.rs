//! One YAML document as a tree that knows where each of its parts stands.

use serde_json::Value;

use super::{Span, SpanTree};

/// One value of a document.
#[derive(Clone, Debug)]
pub(super) struct Node {
    /// Where it stands; for an alias, where it is used.
    pub(super) span: Span,
    /// What it is.
    pub(super) kind: Kind,
}

/// What a value is.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    /// Text, a number, a boolean or null.
    Scalar(Value),
    /// Something that no value can be made of; already reported.
    Broken,
    /// A list.
    List(Vec<Node>),
    /// A map, in the order of the file, each key once.
    Map(Vec<Entry>),
}

/// One key of a map and its value.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// The key.
    pub(super) key: String,
    /// Where the key stands.
    pub(super) at: Span,
    /// The value.
    pub(super) value: Node,
}

impl Node {
    /// The value as JSON; `None` if a part of it is broken.
    pub(super) fn value(&self) -> Option<Value> {
        match &self.kind {
            Kind::Scalar(value) => Some(value.clone()),
            Kind::Broken => None,
            Kind::List(items) => items.iter().map(Self::value).collect(),
            Kind::Map(entries) => entries
                .iter()
                .map(|entry| Some((entry.key.clone(), entry.value.value()?)))
                .collect::<Option<_>>()
                .map(Value::Object),
        }
    }

    /// Where the value stands and everything inside it; `key` is where its key stands.
    pub(super) fn places(&self, key: Span) -> SpanTree {
        match &self.kind {
            Kind::Scalar(_) | Kind::Broken => SpanTree::new(key, self.span, []),
            Kind::List(items) => {
                let items = items.iter().enumerate();
                let inside = items.map(|(index, item)| (index.to_string(), item.places(item.span)));
                SpanTree::new(key, self.span, inside)
            }
            Kind::Map(entries) => {
                let entries = entries.iter();
                let inside = entries.map(|entry| (entry.key.clone(), entry.value.places(entry.at)));
                SpanTree::new(key, self.span, inside)
            }
        }
    }

    /// What it is, for `expected a map, found …`.
    pub(super) fn what(&self) -> &'static str {
        match &self.kind {
            Kind::Scalar(Value::Null) => "nothing (null)",
            Kind::Scalar(Value::Bool(_)) => "a boolean",
            Kind::Scalar(Value::Number(number)) if number.is_f64() => "a number with a fraction",
            Kind::Scalar(Value::Number(_)) => "a number",
            Kind::Scalar(_) => "a string",
            Kind::Broken => "something unreadable",
            Kind::List(_) => "a list",
            Kind::Map(_) => "a map",
        }
    }

    /// Whether it is null, written out or left empty.
    pub(super) fn is_null(&self) -> bool {
        matches!(self.kind, Kind::Scalar(Value::Null))
    }
}
