//! What there is to check: each set once for each different content that it has somewhere.

use std::collections::BTreeMap;

use super::{SetView, World};
use crate::model::value::Map;
use crate::model::{ClusterName, SetName};
use crate::render::{self, Rendered};

/// What one set is in all clusters where the same layers match.
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
    pub(super) values: Map,
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
        if contents.is_empty() && view.manifest.is_some() {
            contents.insert(Vec::new(), Vec::new());
        }
        let reach = contents.values().map(Vec::len).sum();
        for (layers, clusters) in contents {
            let matching = (layers.iter()).filter_map(|&index| view.set.layers.get(index));
            let values = render::layered(view.set, matching);
            renderings.push(Rendering {
                name,
                view: *view,
                rendered: render::rendered(&view.set.publish, &values),
                layers,
                clusters,
                reach,
                values,
            });
        }
    }
    renderings
}
