//! From a value in some cluster back to the place that sets it.

use serde_json::Value;

use super::finding::Spot;
use super::rendering::Rendering;
use crate::model::value::{Map, Path};
use crate::model::{BreakerName, ConfigSet, FLAGS_KEY, Publish, SetName};

/// Finds the places that one content of one set comes from.
#[derive(Clone, Copy)]
pub(super) struct Blame<'a> {
    name: &'a SetName,
    set: &'a ConfigSet,
    layers: &'a [usize],
    open: &'a [&'a BreakerName],
}

impl<'a> Blame<'a> {
    /// `None` if all of it was checked before.
    pub(super) fn of(rendering: &'a Rendering<'_>) -> Option<Self> {
        rendering.is_new().then_some(Self {
            name: rendering.name,
            set: rendering.view.set,
            layers: &rendering.layers,
            open: &rendering.open,
        })
    }

    /// The value at `path`, in the last breaker or layer that sets it, or in the defaults.
    pub(super) fn value(&self, path: &Path) -> Spot {
        let place = self.declared(path);
        Spot::value(self.name, place.iter().map(String::as_str))
    }

    /// The key of the value at `path`, in the same place.
    pub(super) fn key(&self, path: &Path) -> Spot {
        let place = self.declared(path);
        Spot::key(self.name, place.iter().map(String::as_str))
    }

    /// Where the publish target with this index names its keys.
    pub(super) fn publish(&self, index: usize) -> Spot {
        publish(self.name, self.set, index)
    }

    fn declared(&self, path: &Path) -> Vec<String> {
        // What is published below `flags` is declared there: values have no such key beside flags.
        let first = path.segments().first().map(String::as_str);
        let is_flag = first == Some(FLAGS_KEY) && !self.set.flags.is_empty();
        let above = if is_flag {
            vec!["spec".to_owned()]
        } else if let Some(breaker) = self.breaker(path) {
            let trip = ["spec", "breakers", breaker.as_str(), "trip", "values"];
            trip.map(str::to_owned).to_vec()
        } else if let Some(layer) = self.layer(path) {
            let layer = layer.to_string();
            ["spec", "layers", &layer, "values"]
                .map(str::to_owned)
                .to_vec()
        } else {
            ["spec", "values"].map(str::to_owned).to_vec()
        };
        (above.into_iter())
            .chain(path.segments().iter().cloned())
            .collect()
    }

    /// The open breaker that the value at `path` comes from, if one does.
    fn breaker(&self, path: &Path) -> Option<&'a BreakerName> {
        if self.is_map(path) {
            return None;
        }
        let sets = |name: &&&BreakerName| {
            let breaker = self.set.breakers.get(**name);
            breaker.is_some_and(|breaker| reach(&breaker.trip.values, path).is_some())
        };
        self.open.iter().rev().find(sets).copied()
    }

    /// A map is made of all that was laid over it, and is at home where it was first declared;
    /// inside a list nothing is merged.
    fn is_map(&self, path: &Path) -> bool {
        path.segments().is_empty() || path.find(&self.set.values).is_some_and(Value::is_object)
    }

    /// The layer that the value at `path` comes from; `None`: the defaults.
    fn layer(&self, path: &Path) -> Option<usize> {
        if self.is_map(path) {
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
pub(super) fn publish(name: &SetName, set: &ConfigSet, index: usize) -> Spot {
    let field = match set.publish.get(index) {
        Some(Publish::Spring { .. }) => ["spring", "context"],
        Some(Publish::Flagd { .. }) => ["flagd", "key"],
        Some(Publish::Keys { .. }) | None => ["keys", "prefix"],
    };
    let index = index.to_string();
    let path = ["spec", "publish", &index].into_iter().chain(field);
    Spot::value(name, path)
}
