//! What there is to check: each set once for each different content that it has somewhere.

use std::collections::BTreeMap;

use serde_json::Value;

use super::world::{SetView, Standing, World};
use crate::model::{BreakerName, ClusterName, ConfigSet, Contents, Flag, FlagName, SetName, value};
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
    /// The clusters among them for which it was not checked before: all if the set is declared,
    /// else those that are new or change.
    pub(super) new: Vec<&'a ClusterName>,
    /// Whether the store has the set like this already, for just these clusters as they are.
    pub(super) known: Known,
    /// How many clusters get the set, with this content or another.
    pub(super) reach: usize,
    /// The breakers that are open, in the order in which they were tripped.
    pub(super) open: Vec<&'a BreakerName>,
    pub(super) contents: Contents,
    pub(super) rendered: Rendered,
}

/// Whether something was checked when it was committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// The store has it already: what it says, and every cluster that gets it.
    Wholly,
    /// The set or one of its clusters is new or changes.
    No,
}

impl Rendering<'_> {
    /// Whether this was not checked before, in one cluster at least.
    pub(super) fn is_new(&self) -> bool {
        self.view.standing.is_declared() || !self.new.is_empty()
    }
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
        if contents.is_empty() && view.standing.is_declared() {
            contents.insert(Vec::new(), Vec::new());
        }
        let reach = contents.values().map(Vec::len).sum();
        for (layers, clusters) in contents {
            let moves = |name: &&&ClusterName| {
                let cluster = world.clusters.get(**name);
                cluster.is_some_and(|cluster| cluster.standing == Standing::Declared)
            };
            let changed: Vec<_> = clusters.iter().filter(moves).copied().collect();
            let known = match view.standing {
                Standing::Stored | Standing::Redeclared if changed.is_empty() => Known::Wholly,
                Standing::Stored | Standing::Redeclared | Standing::Declared => Known::No,
            };
            let new = match view.standing {
                Standing::Stored => changed,
                Standing::Declared | Standing::Redeclared => clusters.clone(),
            };
            let bare = Rendering {
                name,
                view: *view,
                layers,
                clusters,
                new,
                known,
                reach,
                open: Vec::new(),
                contents: Contents::default(),
                rendered: Rendered::default(),
            };
            bare.states(&mut renderings);
        }
    }
    renderings
}

impl<'a> Rendering<'a> {
    /// Adds everything that this may be at runtime: as it is declared, with flags that are held by
    /// hand, and with open breakers. What was checked before only matters as it is declared.
    fn states(self, renderings: &mut Vec<Self>) {
        let set = self.view.set;
        let mut add = |open: Vec<&'a BreakerName>, contents: Contents| {
            renderings.push(Rendering {
                name: self.name,
                view: self.view,
                layers: self.layers.clone(),
                clusters: self.clusters.clone(),
                new: self.new.clone(),
                known: self.known,
                reach: self.reach,
                open,
                rendered: render::rendered(&set.publish, &contents),
                contents,
            });
        };
        let layers = || {
            self.layers
                .iter()
                .filter_map(|&index| set.layers.get(index))
        };
        let declared = render::layered(set, layers(), &[]);
        add(Vec::new(), declared.clone());
        if self.known == Known::Wholly {
            return;
        }
        for flags in held(set) {
            let contents = Contents {
                flags,
                ..declared.clone()
            };
            add(Vec::new(), contents);
        }
        for open in openings(set) {
            let contents = render::layered(set, layers(), &open);
            add(open, contents);
        }
    }
}

/// The flags, held at each of their variants in turn, and all at the largest, so that whatever is
/// set by hand can be published. Left out are those where this cannot fail: short values that are
/// published anyway.
fn held(set: &ConfigSet) -> Vec<BTreeMap<FlagName, Flag>> {
    let matters = |flag: &Flag| {
        let is_short = |value: &Value| value.is_boolean() || value.is_number();
        flag.default_value().is_none() || !flag.variants.values().all(is_short)
    };
    let flags = set.flags.values().filter(|flag| matters(flag));
    let (count, most) = flags.fold((0, 0), |(count, most): (usize, usize), flag| {
        (count + 1, most.max(flag.variants.len()))
    });
    let held = |choose: &dyn Fn(&Flag) -> Option<String>| {
        let flags = set.flags.iter().map(|(name, flag)| {
            let variant = Some(flag).filter(|flag| matters(flag)).and_then(choose);
            let flag = variant.map_or_else(|| flag.clone(), |variant| flag.held_at(&variant));
            (name.clone(), flag)
        });
        flags.collect()
    };
    let each = |index: usize| held(&|flag| flag.variants.keys().nth(index).cloned());
    let mut all: Vec<_> = (0..most).map(each).collect();
    if count > 1 {
        let size = |value: &Value| value::canonical(value).len();
        all.push(held(&|flag| {
            let largest = flag.variants.iter().max_by_key(|(_, value)| size(value));
            largest.map(|(variant, _)| variant.clone())
        }));
    }
    all
}

/// Which breakers may be open together, as far as it is checked: each alone, and all. Trying every
/// combination would take twice as long with every breaker. Where a breaker may be open does not
/// matter: what is laid over in one cluster follows from no other.
fn openings(set: &ConfigSet) -> Vec<Vec<&BreakerName>> {
    let all: Vec<&BreakerName> = set.breakers.keys().collect();
    let mut openings: Vec<_> = all.iter().map(|name| vec![*name]).collect();
    if all.len() > 1 {
        openings.push(all);
    }
    openings
}
