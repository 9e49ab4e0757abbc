//! Where every value comes from.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::value::{Path, leaves};
use crate::model::{
    BreakerName, ConfigSet, Contents, FLAGS_KEY, FlagName, Home, Labels, LayerName, Opening,
    Origin, Overrides, Revision, Stamp, Version,
};
use crate::render;

/// Where one value comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// The value; null for a flag that leaves it to the application.
    pub value: Value,
    /// What sets it.
    #[serde(flatten)]
    pub source: ValueSource,
    /// Open breakers that would set it too, if those above them were closed: the topmost first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub beneath: Vec<BreakerName>,
    /// Where that is written, as `FILE:LINE`, if it came from a file.
    pub place: Option<String>,
    /// The revision that gave it this value.
    pub version: Version,
    /// How that revision came to be.
    pub origin: Origin,
}

impl Explanation {
    /// What sets it and where that is written, in a few words: `layer prod (shop.yaml:12)`. They may hold
    /// what no terminal should be sent.
    pub fn words(&self) -> String {
        let source = match &self.source {
            ValueSource::Defaults => "defaults".to_owned(),
            ValueSource::Layer { layer } => format!("layer {layer}"),
            ValueSource::Flag => "flag".to_owned(),
            ValueSource::Override { variant, .. } => format!("override {variant}"),
            ValueSource::Breaker { breaker, .. } => format!("breaker {breaker}"),
        };
        match &self.place {
            Some(place) => format!("{source} ({place})"),
            None => source,
        }
    }
}

/// What sets a value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", tag = "source")]
pub enum ValueSource {
    /// The defaults of the set.
    Defaults,
    /// A layer.
    Layer {
        /// Its name.
        layer: LayerName,
    },
    /// The declaration of the flag.
    Flag,
    /// Someone holds the flag at a variant.
    Override {
        /// The variant.
        variant: String,
        /// Who holds it.
        held: Held,
    },
    /// A breaker is open.
    Breaker {
        /// The breaker.
        breaker: BreakerName,
        /// Who opened it.
        held: Held,
    },
}

/// Who holds something, since when, until when and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Held {
    /// Who.
    pub actor: String,
    /// Since when.
    pub since: Timestamp,
    /// Until when; `None`: until somebody takes it back.
    pub until: Option<Timestamp>,
    /// Why, if it was said.
    pub reason: Option<String>,
}

impl Held {
    /// What an override says about itself.
    pub fn new(stamp: &Stamp, until: Option<Timestamp>) -> Self {
        Self {
            actor: stamp.actor.clone(),
            since: stamp.since,
            until,
            reason: stamp.reason.clone(),
        }
    }
}

/// The search for where each value comes from that a revision has where some labels are: fed with
/// ever older revisions for as long as it [is open](Origins::is_open).
#[derive(Debug)]
pub struct Origins<'a> {
    labels: &'a Labels,
    found: BTreeMap<Path, Explanation>,
    /// What an older revision may have given already.
    open: Vec<Path>,
}

impl<'a> Origins<'a> {
    /// Begins with `newest`, as if it had given every value, flags below `flags`. There are none if
    /// the set does not go there.
    pub fn of(newest: &Revision, labels: &'a Labels) -> Self {
        let provenance = newest.provenance.as_ref();
        let explained = |view: &View<'_>, path: &Path, value: Value| {
            let (source, beneath) = view.source(path);
            let (home, within) = source.home(path);
            Explanation {
                value,
                place: provenance.and_then(|provenance| provenance.find(home, &within)),
                source,
                beneath,
                version: newest.version,
                origin: newest.origin.clone(),
            }
        };
        let found = View::of(newest, labels).map_or(BTreeMap::new(), |view| {
            let values = view.values();
            let values = values.map(|(path, value)| {
                let explanation = explained(&view, &path, value);
                (path, explanation)
            });
            values.collect()
        });
        Self {
            labels,
            open: found.keys().cloned().collect(),
            found,
        }
    }

    /// The paths of the values.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.found.keys()
    }

    /// Forgets every value but those at the paths that are `wanted`.
    pub fn keep(&mut self, wanted: impl Fn(&Path) -> bool) {
        self.found.retain(|path, _| wanted(path));
        self.open.retain(wanted);
    }

    /// Whether an older revision may have given a value already.
    pub fn is_open(&self) -> bool {
        !self.open.is_empty()
    }

    /// Goes back to the revision right before the one that was looked at last: a value is as old as
    /// that for as long as it stays what it is, and nothing else holds it.
    pub fn go_back(&mut self, older: &Revision) {
        if !self.is_open() {
            return;
        }
        let Some(view) = View::of(older, self.labels) else {
            self.open.clear();
            return;
        };
        let found = &mut self.found;
        self.open.retain(|path| {
            let Some(explanation) = found.get_mut(path) else {
                return false;
            };
            let same = view.value(path).as_ref() == Some(&explanation.value)
                && view.source(path).0.holder() == explanation.source.holder();
            if same {
                explanation.version = older.version;
                explanation.origin = older.origin.clone();
            }
            same
        });
    }

    /// Where each value comes from. While the search is open, a value may be older than this says.
    pub fn found(self) -> BTreeMap<Path, Explanation> {
        self.found
    }
}

/// What decides about a flag where `labels` are: its declaration, an override or an open breaker.
pub fn source_of_flag(
    set: &ConfigSet,
    overrides: &Overrides,
    labels: &Labels,
    flag: &FlagName,
) -> ValueSource {
    let view = View {
        set,
        overrides,
        labels,
        contents: Contents::default(),
    };
    view.source(&Path::from_iter([FLAGS_KEY, flag.as_str()])).0
}

/// A set at one revision, seen from one cluster.
struct View<'a> {
    set: &'a ConfigSet,
    overrides: &'a Overrides,
    labels: &'a Labels,
    contents: Contents,
}

impl<'a> View<'a> {
    /// `None` if the set does not go there.
    fn of(revision: &'a Revision, labels: &'a Labels) -> Option<Self> {
        let set = revision.content.set()?;
        let overrides = &revision.overrides;
        set.clusters.matches(labels).then(|| Self {
            set,
            overrides,
            labels,
            contents: render::contents(set, overrides, labels),
        })
    }

    /// Every value with its path.
    fn values(&self) -> impl Iterator<Item = (Path, Value)> {
        let values = leaves(&self.contents.values).into_iter();
        let values = values.map(|(path, value)| (path, value.clone()));
        let flags = self.contents.flags.iter().map(|(name, flag)| {
            let value = flag.default_value().cloned().unwrap_or_default();
            (Path::from_iter([FLAGS_KEY, name.as_str()]), value)
        });
        values.chain(flags)
    }

    fn value(&self, path: &Path) -> Option<Value> {
        match self.flag(path) {
            Some(name) => {
                let flag = self.contents.flags.get(&name)?;
                Some(flag.default_value().cloned().unwrap_or_default())
            }
            None => path.find(&self.contents.values).cloned(),
        }
    }

    /// The flag that a path names: values have no key `flags` beside them.
    fn flag(&self, path: &Path) -> Option<FlagName> {
        match path.segments() {
            [first, name] if first == FLAGS_KEY && !self.set.values.contains_key(FLAGS_KEY) => {
                name.parse().ok()
            }
            _ => None,
        }
    }

    /// What has the last word about `path`, and the open breakers beneath it.
    fn source(&self, path: &Path) -> (ValueSource, Vec<BreakerName>) {
        let flag = self.flag(path);
        let sets = |opening: &&Opening| {
            let breaker = self.set.breakers.get(&opening.breaker);
            breaker.is_some_and(|breaker| match &flag {
                Some(name) => breaker.trip.flags.contains_key(name),
                None => path.find(&breaker.trip.values).is_some(),
            })
        };
        let mut open = self.overrides.open_in(self.labels).rev().filter(sets);
        if let Some(top) = open.next() {
            let source = ValueSource::Breaker {
                breaker: top.breaker.clone(),
                held: Held::new(&top.stamp, top.until),
            };
            let mut beneath: Vec<BreakerName> = open.map(|it| it.breaker.clone()).collect();
            beneath.retain(|name| *name != top.breaker);
            beneath.dedup();
            return (source, beneath);
        }
        let source = match &flag {
            Some(name) => match self.overrides.of_flag(name, self.labels) {
                Some(found) => ValueSource::Override {
                    variant: found.variant.clone(),
                    held: Held::new(&found.stamp, found.until),
                },
                None => ValueSource::Flag,
            },
            None => match self.deciding_layer(path) {
                Some(layer) => ValueSource::Layer {
                    layer: layer.clone(),
                },
                None => ValueSource::Defaults,
            },
        };
        (source, Vec::new())
    }

    /// The layer that has the last word about `path`.
    fn deciding_layer(&self, path: &Path) -> Option<&'a LayerName> {
        self.set
            .layers
            .iter()
            .rfind(|layer| layer.when.matches(self.labels) && path.find(&layer.values).is_some())
            .map(|layer| &layer.name)
    }
}

impl ValueSource {
    /// The breaker or override that holds the value, if one does.
    fn holder(&self) -> Option<(Option<&BreakerName>, &Held)> {
        match self {
            Self::Defaults | Self::Layer { .. } | Self::Flag => None,
            Self::Override { held, .. } => Some((None, held)),
            Self::Breaker { breaker, held } => Some((Some(breaker), held)),
        }
    }

    /// Where it is declared, and the path there of what is at `path` in a snapshot.
    fn home(&self, path: &Path) -> (Home<'_>, Path) {
        let home = match self {
            Self::Defaults => Home::Defaults,
            Self::Layer { layer } => Home::Layer(layer),
            Self::Breaker { breaker, .. } => Home::Breaker(breaker),
            Self::Flag | Self::Override { .. } => {
                return (Home::Flags, path.segments().iter().skip(1).collect());
            }
        };
        (home, path.clone())
    }
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
        provenance.add(Home::Layer(&layer), &Path::from_iter(["b"]), 9);
        provenance.add(Home::Defaults, &Path::from_iter(["a"]), 4);
        history[0].provenance = Some(provenance);
        history
    }

    fn shown(history: &[Revision], region: &str) -> Vec<String> {
        let labels = Labels::from([("region".to_owned(), region.to_owned())]);
        explain(history, &labels)
            .iter()
            .map(|(path, found)| {
                let layer = match &found.source {
                    ValueSource::Layer { layer } => layer.as_str(),
                    _ => "defaults",
                };
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
        std::sync::Arc::make_mut(set).clusters = selector("region=mars");
        assert_eq!(explain(&history, &Labels::new()), BTreeMap::new());
    }
}
