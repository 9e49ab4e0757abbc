//! Where every value comes from.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use crate::model::value::{Path, leaves};
use crate::model::{ConfigSet, Labels, LayerName, Origin, Revision, Version};
use crate::render;

/// Where one value comes from.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// The value.
    pub value: Value,
    /// The layer that sets it; `None`: the defaults.
    pub layer: Option<LayerName>,
    /// Where that is written, as `FILE:LINE`, if it came from a file.
    pub place: Option<String>,
    /// The revision that gave it this value.
    pub version: Version,
    /// How that revision came to be.
    pub origin: Origin,
}

/// Where each value comes from that the first revision of `history` has where `labels` are; empty
/// if the set does not go there. `history` is newest first and without gaps; where it ends early,
/// a value may be older than its oldest revision says.
pub fn explain(history: &[Revision], labels: &Labels) -> BTreeMap<Path, Explanation> {
    let Some((newest, older)) = history.split_first() else {
        return BTreeMap::new();
    };
    let Some((set, values)) = values(newest, labels) else {
        return BTreeMap::new();
    };
    let mut explained: BTreeMap<Path, Explanation> = leaves(&values)
        .into_iter()
        .map(|(path, value)| {
            let layer = deciding_layer(set, labels, &path);
            let provenance = newest.provenance.as_ref();
            let explanation = Explanation {
                value: value.clone(),
                place: provenance.and_then(|provenance| provenance.find(layer, &path)),
                layer: layer.cloned(),
                version: newest.version,
                origin: newest.origin.clone(),
            };
            (path, explanation)
        })
        .collect();

    // Back in time, for as long as a value stays what it is.
    let mut open: Vec<Path> = explained.keys().cloned().collect();
    for revision in older {
        let Some((_, values)) = self::values(revision, labels) else {
            break;
        };
        open.retain(|path| {
            let Some(explanation) = explained.get_mut(path) else {
                return false;
            };
            let same = path.find(&values) == Some(&explanation.value);
            if same {
                explanation.version = revision.version;
                explanation.origin = revision.origin.clone();
            }
            same
        });
        if open.is_empty() {
            break;
        }
    }
    explained
}

fn values<'a>(
    revision: &'a Revision,
    labels: &Labels,
) -> Option<(&'a ConfigSet, crate::model::value::Map)> {
    let set = revision.content.set()?;
    let values = set
        .clusters
        .matches(labels)
        .then(|| render::values(set, labels))?;
    Some((set, values))
}

/// The layer that has the last word about `path`.
fn deciding_layer<'a>(set: &'a ConfigSet, labels: &Labels, path: &Path) -> Option<&'a LayerName> {
    set.layers
        .iter()
        .rfind(|layer| layer.when.matches(labels) && path.find(&layer.values).is_some())
        .map(|layer| &layer.name)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::{Content, Provenance};
    use crate::plan::testing::*;

    fn history() -> Vec<Revision> {
        let world = World::new();
        let with = |a: i64, b: i64| ConfigSet {
            layers: vec![layer("region=eu", json!({"b": b}))],
            ..set(json!({"a": a, "b": 0}))
        };
        world.apply(&shop(&with(1, 5)));
        world.apply(&shop(&with(2, 5)));
        world.apply(&shop(&with(2, 6)));
        let mut history: Vec<Revision> = (1..=3)
            .rev()
            .map(|number| world.revision("shop", number))
            .collect();
        let mut provenance = Provenance::new("shop.yaml".to_owned());
        let Some(layer) = history[0]
            .content
            .set()
            .map(|set| set.layers[0].name.clone())
        else {
            panic!("a set has layers");
        };
        provenance.add(Some(&layer), &Path::from_iter(["b"]), 9);
        provenance.add(None, &Path::from_iter(["a"]), 4);
        history[0].provenance = Some(provenance);
        history
    }

    fn shown(history: &[Revision], region: &str) -> Vec<String> {
        let labels = Labels::from([("region".to_owned(), region.to_owned())]);
        explain(history, &labels)
            .iter()
            .map(|(path, found)| {
                let layer = found.layer.as_ref().map_or("defaults", LayerName::as_str);
                let place = found.place.as_deref().unwrap_or("?");
                format!("{path}={} {layer} {place} @{}", found.value, found.version)
            })
            .collect()
    }

    #[test]
    fn a_value_is_explained_by_its_layer_its_line_and_the_revision_that_gave_it() {
        let history = history();
        let layer = history[0].content.set().unwrap().layers[0].name.clone();
        assert_eq!(
            shown(&history, "eu"),
            [
                "a=2 defaults shop.yaml:4 @2".to_owned(),
                format!("b=6 {layer} shop.yaml:9 @3")
            ]
        );
        assert_eq!(shown(&history, "us")[1], "b=0 defaults ? @1");
    }

    #[test]
    fn an_older_revision_is_explained_by_what_came_before_it() {
        assert_eq!(shown(&history()[1..], "us")[0], "a=2 defaults ? @2");
    }

    #[test]
    fn a_deletion_in_between_is_where_every_value_begins_again() {
        let mut history = history();
        history[1].content = Content::Deleted;
        assert!(
            shown(&history, "us")
                .iter()
                .all(|line| line.ends_with("@3"))
        );
    }

    #[test]
    fn a_set_that_does_not_go_there_has_no_values() {
        let mut history = history();
        let Content::Set(set) = &mut history[0].content else {
            panic!("not a set");
        };
        set.clusters = selector("region=mars");
        assert_eq!(explain(&history, &Labels::new()), BTreeMap::new());
    }
}
