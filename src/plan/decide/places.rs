//! Where a plan has to look before it is made.

use std::collections::{BTreeMap, BTreeSet};

use super::super::seen::Pair;
use super::after::After;
use super::desired::Desired;
use super::reach::{ClusterScope, Reach};
use crate::model::{Cluster, ClusterName, Heads, Place, SetName};
use crate::render;

/// What one set is looked for in one cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// Where.
    pub place: Place,
    /// Whether a listing of the target tells as well: the set neither belongs there nor will, and
    /// matters only if something is left of it.
    pub for_leftovers: bool,
}

/// Every pair that has to be observed for a plan, and where to look.
pub fn places(
    desired: &Desired,
    reach: &Reach,
    heads: &Heads,
    clusters: &ClusterScope,
) -> BTreeMap<Pair, Look> {
    let after = After::of(desired, heads);
    let mut places = BTreeMap::new();
    let mut look = |name: &SetName, (cluster_name, cluster): (&ClusterName, &Cluster)| {
        let pair = Pair {
            set: name.clone(),
            cluster: cluster_name.clone(),
        };
        let mut place = Place {
            set: name.clone(),
            keys: BTreeSet::new(),
            prefixes: BTreeSet::new(),
        };
        // Where it lies now matters too: a snapshot that was changed by hand may not say it.
        let before = after.head_in(&pair).map(|head| head.set);
        let due = after.set_in(name, cluster);
        for set in [due, before].into_iter().flatten() {
            let Place {
                set: _,
                keys,
                prefixes,
            } = render::place(name, set);
            place.keys.extend(keys);
            place.prefixes.extend(prefixes);
        }
        // One set is read as fast as a listing, whose cost follows from all the others.
        let many = *reach == Reach::All || after.leaving.contains_key(cluster_name);
        let for_leftovers = many && due.is_none() && before.is_none();
        let look = Look {
            place,
            for_leftovers,
        };
        places.insert(pair, look);
    };
    for name in after.reached(reach) {
        // Also clusters that the set does not go to: an earlier removal may not be finished there.
        for (cluster_name, cluster) in &after.clusters {
            if clusters.contain(cluster_name, cluster) {
                look(&name, (cluster_name, cluster));
            }
        }
    }
    for (cluster_name, cluster) in &after.leaving {
        for name in after.sets.keys() {
            look(name, (cluster_name, cluster));
        }
    }
    places
}
