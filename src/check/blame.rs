//! From a value in some cluster back to the line that sets it.

use serde_json::Value;

use super::rendering::Rendering;
use crate::manifest::{Manifest, Span};
use crate::model::value::{Map, Path};
use crate::model::{ConfigSet, Publish};

/// Finds the lines that one content of one set comes from.
#[derive(Clone, Copy)]
pub(super) struct Blame<'a> {
    set: &'a ConfigSet,
    manifest: &'a Manifest,
    layers: &'a [usize],
}

impl<'a> Blame<'a> {
    /// `None` if the set comes from the store, where no lines are.
    pub(super) fn of(rendering: &'a Rendering<'_>) -> Option<Self> {
        Some(Self {
            set: rendering.view.set,
            manifest: rendering.view.manifest?,
            layers: &rendering.layers,
        })
    }

    /// The value at `path`, in the last layer that sets it, or in the defaults.
    pub(super) fn value(&self, path: &Path) -> Span {
        let place = self.declared(path);
        self.manifest.places.value(place.iter().map(String::as_str))
    }

    /// The key of the value at `path`, in the same place.
    pub(super) fn key(&self, path: &Path) -> Span {
        let place = self.declared(path);
        self.manifest.places.key(place.iter().map(String::as_str))
    }

    /// Where the publish target with this index names its keys.
    pub(super) fn publish(&self, index: usize) -> Span {
        publish(self.set, self.manifest, index)
    }

    fn declared(&self, path: &Path) -> Vec<String> {
        let layer = self.layer(path);
        let top = match layer {
            Some(layer) => vec!["spec".into(), "layers".into(), layer.to_string()],
            None => vec!["spec".into()],
        };
        (top.into_iter())
            .chain(["values".to_owned()])
            .chain(path.segments().iter().cloned())
            .collect()
    }

    /// The layer that the value at `path` comes from; `None`: the defaults.
    fn layer(&self, path: &Path) -> Option<usize> {
        // A map is made of all that was laid over it, and is at home where it was first declared;
        // inside a list nothing is merged.
        if path.segments().is_empty() || path.find(&self.set.values).is_some_and(Value::is_object) {
            return None;
        }
        let sets = |&&index: &&usize| {
            (self.set.layers.get(index)).is_some_and(|layer| reach(&layer.values, path).is_some())
        };
        self.layers.iter().rev().find(sets).copied()
    }
}

/// The value at `path`, through lists too.
fn reach<'a>(map: &'a Map, path: &Path) -> Option<&'a Value> {
    let (first, rest) = path.segments().split_first()?;
    rest.iter()
        .try_fold(map.get(first)?, |value, segment| match value {
            Value::Object(map) => map.get(segment),
            Value::Array(items) => items.get(segment.parse::<usize>().ok()?),
            _ => None,
        })
}

/// Where the publish target with this index names its keys.
pub(super) fn publish(set: &ConfigSet, manifest: &Manifest, index: usize) -> Span {
    let field = match set.publish.get(index) {
        Some(Publish::Spring { .. }) => ["spring", "context"],
        Some(Publish::Keys { .. }) | None => ["keys", "prefix"],
    };
    let index = index.to_string();
    let path = ["spec", "publish", &index].into_iter().chain(field);
    manifest.places.value(path)
}
