//! What there is to check: each set once for each different content that it has somewhere.

use std::collections::BTreeMap;

use serde_json::Value;

use super::world::{SetView, World};
use crate::model::{BreakerName, ClusterName, Contents, Flag, FlagName, SetName};
use crate::render::{self, Rendered};

/// What one set is in all clusters where the same layers match, while the same breakers are open.
#[derive(Debug)]
pub(super) struct Rendering<'a> {
    pub(super) name: &'a SetName,
    pub(super) view: SetView<'a>,
    /// The layers that match, by index, in order.
    pub(super) layers: Vec<usize>,
    /// The clusters that get it, sorted. None: no cluster does, and these are the bare defaults.
    pub(super) clusters: Vec<&'a ClusterName>,
    /// How many clusters get the set, with this content or another.
    pub(super) reach: usize,
    /// The breakers that are open, in the order in which they were tripped.
    pub(super) open: Vec<&'a BreakerName>,
    pub(super) contents: Contents,
    pub(super) rendered: Rendered,
}

/// Every different content of every set. Clusters in which the same layers match share one.
pub(super) fn all<'a>(world: &World<'a>) -> Vec<Rendering<'a>> {
    let mut renderings = Vec::new();
    for (name, view) in &world.sets {
        let mut contents: BTreeMap<Vec<usize>, Vec<&'a ClusterName>> = BTreeMap::new();
        for (cluster_name, cluster) in &world.clusters {
            let labels = &cluster.cluster.labels;
            if view.set.clusters.matches(labels) {
                let layers = (view.set.layers.iter().enumerate())
                    .filter(|(_, layer)| layer.when.matches(labels))
                    .map(|(index, _)| index)
                    .collect();
                contents.entry(layers).or_default().push(cluster_name);
            }
        }
        if contents.is_empty() && view.is_new() {
            contents.insert(Vec::new(), Vec::new());
        }
        let reach = contents.values().map(Vec::len).sum();
        for (layers, clusters) in contents {
            let states = openings(view).into_iter().flat_map(|open| {
                let matching = (layers.iter()).filter_map(|&index| view.set.layers.get(index));
                let contents = render::layered(view.set, matching, &open);
                let held = if open.is_empty() {
                    held(view)
                } else {
                    Vec::new()
                };
                let held = held.into_iter().map(|flags| Contents {
                    flags,
                    ..contents.clone()
                });
                let all: Vec<_> = held.map(|contents| (Vec::new(), contents)).collect();
                std::iter::once((open, contents)).chain(all)
            });
            for (open, contents) in states {
                renderings.push(Rendering {
                    name,
                    view: *view,
                    layers: layers.clone(),
                    clusters: clusters.clone(),
                    reach,
                    open,
                    rendered: render::rendered(&view.set.publish, &contents),
                    contents,
                });
            }
        }
    }
    renderings
}

/// The flags, held at each of their variants in turn, so that one that is set by hand can be
/// published. Only variants that are maps can fail in this.
fn held(view: &SetView<'_>) -> Vec<BTreeMap<FlagName, Flag>> {
    let of_maps = |flag: &Flag| flag.variants.values().any(Value::is_object);
    let flags = view.set.flags.values().filter(|flag| of_maps(flag));
    let most = flags.map(|flag| flag.variants.len()).max().unwrap_or(0);
    if !view.is_new() {
        return Vec::new();
    }
    let held = |index: usize| {
        let flags = view.set.flags.iter().map(|(name, flag)| {
            let variant = flag.variants.keys().nth(index).filter(|_| of_maps(flag));
            let flag = variant.map_or_else(|| flag.clone(), |variant| flag.held_at(variant));
            (name.clone(), flag)
        });
        flags.collect()
    };
    (0..most).map(held).collect()
}

/// Which breakers may be open together, as far as it is checked: none, each alone, and all. Trying
/// every combination would take twice as long with every breaker.
fn openings<'a>(view: &SetView<'a>) -> Vec<Vec<&'a BreakerName>> {
    let mut openings = vec![Vec::new()];
    // What the store holds was checked when it was committed; only where it lies matters now.
    if view.is_new() {
        let all: Vec<&BreakerName> = view.set.breakers.keys().collect();
        openings.extend(all.iter().map(|name| vec![*name]));
        if all.len() > 1 {
            openings.push(all);
        }
    }
    openings
}
