//! The world that is checked: contents, and which of them are new.

use std::collections::BTreeMap;

use crate::model::{Cluster, ClusterName, ConfigSet, Content, Heads, ResourceId, SetName};

/// Every set and cluster that there will be.
#[derive(Clone, Debug, Default)]
pub struct World<'a> {
    /// The sets.
    pub sets: BTreeMap<&'a SetName, SetView<'a>>,
    /// The clusters.
    pub clusters: BTreeMap<&'a ClusterName, ClusterView<'a>>,
}

/// Whether a resource is declared or stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is declared now, and all of it is checked.
    Declared,
    /// It is declared now as the store has it already.
    Redeclared,
    /// It comes from the store, was checked when it was committed, and only matters where it meets
    /// others.
    Stored,
}

/// One set, and how it stands.
#[derive(Clone, Copy, Debug)]
pub struct SetView<'a> {
    /// What it says.
    pub set: &'a ConfigSet,
    /// Whether it is declared or stored.
    pub standing: Standing,
}

/// One cluster, and how it stands.
#[derive(Clone, Copy, Debug)]
pub struct ClusterView<'a> {
    /// What it says.
    pub cluster: &'a Cluster,
    /// Whether it is declared or stored.
    pub standing: Standing,
}

impl<'a> World<'a> {
    /// What there will be once `declared` is committed on top of `heads`.
    pub fn new(
        declared: impl IntoIterator<Item = (&'a ResourceId, &'a Content)>,
        heads: &'a Heads,
    ) -> Self {
        let mut world = Self::default();
        for (id, head) in heads {
            world.put(id, &head.content, Standing::Stored);
        }
        for (id, content) in declared {
            world.put(id, content, Standing::Declared);
        }
        world
    }

    /// Adds a resource in place of the one that has its name; what is deleted is not there.
    fn put(&mut self, id: &'a ResourceId, content: &'a Content, standing: Standing) {
        match (id, content.set(), content.cluster()) {
            (ResourceId::Set(name), Some(set), _) => {
                let same = |old: &SetView<'_>| old.set == set;
                let standing = standing.beside(self.sets.get(name).is_some_and(same));
                self.sets.insert(name, SetView { set, standing });
            }
            (ResourceId::Cluster(name), _, Some(cluster)) => {
                let same = |old: &ClusterView<'_>| old.cluster == cluster;
                let standing = standing.beside(self.clusters.get(name).is_some_and(same));
                let view = ClusterView { cluster, standing };
                self.clusters.insert(name, view);
            }
            (ResourceId::Set(name), None, _) => drop(self.sets.remove(name)),
            (ResourceId::Cluster(name), _, None) => drop(self.clusters.remove(name)),
            // What it selects may come later.
            (ResourceId::Grant(_), ..) => {}
        }
    }
}

impl Standing {
    /// The standing of what is declared where the store has the `same`, or something else.
    fn beside(self, same: bool) -> Self {
        match self {
            Self::Declared if same => Self::Redeclared,
            standing => standing,
        }
    }

    /// Whether somebody declares it now, and can be told what is wrong with it.
    pub(super) fn is_declared(self) -> bool {
        self != Self::Stored
    }
}
