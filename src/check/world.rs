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

/// Whether a resource is new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is declared now, and all of it is checked.
    Declared,
    /// It comes from the store, was checked when it was committed, and only matters where it meets
    /// others.
    Stored,
}

/// One set, and whether it is new.
#[derive(Clone, Copy, Debug)]
pub struct SetView<'a> {
    /// What it says.
    pub set: &'a ConfigSet,
    /// Whether it is new.
    pub standing: Standing,
}

/// One cluster, and whether it is new.
#[derive(Clone, Copy, Debug)]
pub struct ClusterView<'a> {
    /// What it says.
    pub cluster: &'a Cluster,
    /// Whether it is new.
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
        match id {
            ResourceId::Set(name) => match content.set() {
                Some(set) => drop(self.sets.insert(name, SetView { set, standing })),
                None => drop(self.sets.remove(name)),
            },
            ResourceId::Cluster(name) => match content.cluster() {
                Some(cluster) => {
                    let view = ClusterView { cluster, standing };
                    self.clusters.insert(name, view);
                }
                None => drop(self.clusters.remove(name)),
            },
        }
    }
}

impl SetView<'_> {
    /// Whether it is declared now.
    pub(super) fn is_new(&self) -> bool {
        self.standing == Standing::Declared
    }
}

impl ClusterView<'_> {
    /// Whether it is declared now.
    pub(super) fn is_new(&self) -> bool {
        self.standing == Standing::Declared
    }
}
