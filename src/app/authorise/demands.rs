//! What a change demands: every set and cluster in which something changes, and the role that it
//! takes there.

use std::collections::{BTreeMap, BTreeSet};

use super::access::Need;
use crate::api::Change;
use crate::model::{
    Cluster, ClusterName, ConfigSet, Connection, Content, Heads, Labels, Overrides, ResourceId,
    Role, SetName,
};
use crate::plan::{Plan, ResourceChange, Why};
use crate::render;

/// One thing that is demanded.
#[derive(Clone, Debug)]
pub(super) struct Demand {
    /// What is changed.
    pub(super) id: ResourceId,
    /// The cluster in which it is, if it is about one.
    pub(super) cluster: Option<ClusterName>,
    /// What has to be allowed for that.
    pub(super) need: Need,
}

/// What a plan is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::app) enum Purpose {
    /// To declare something.
    Declare,
    /// To bring clusters to what is committed already. That takes an operator: nothing is written but
    /// what somebody with more rights has made.
    Reconcile,
    /// To see what would change. That takes a viewer, as far as nothing is asked of names and keys that
    /// others may have.
    Look,
}

impl Purpose {
    /// What a plan of this change is for, if it is to be carried out.
    pub(super) fn of(change: &Change) -> Self {
        match change {
            Change::Reconcile(_) => Self::Reconcile,
            _ => Self::Declare,
        }
    }
}

type Clusters<'a> = BTreeMap<&'a ClusterName, &'a Cluster>;

/// Everything that `plan` demands, where these are the `heads` that it was made from and `named` is
/// what was declared. Of what is `unread` it is what it would be if the name were free.
pub(super) fn of_plan<'a>(
    plan: &Plan,
    heads: &Heads,
    named: impl IntoIterator<Item = &'a ResourceId>,
    purpose: Purpose,
    unread: &BTreeSet<&ResourceId>,
) -> Vec<Demand> {
    let before: Clusters<'_> = heads
        .iter()
        .filter_map(|(id, head)| cluster(id, &head.content))
        .collect();
    let mut after = before.clone();
    for change in &plan.resources {
        if let ResourceId::Cluster(name) = &change.id {
            match change.after.cluster() {
                Some(cluster) => _ = after.insert(name, cluster),
                None => _ = after.remove(name),
            }
        }
    }
    let mut demands = Vec::new();
    for change in &plan.resources {
        let free = unread.contains(&change.id).then(|| as_if_free(change));
        let change = free.as_ref().unwrap_or(change);
        match &change.id {
            ResourceId::Set(name) => {
                of_set(name, change, [&before, &after], purpose, &mut demands);
            }
            ResourceId::Cluster(_) => of_cluster(change, purpose, &mut demands),
            ResourceId::Grant(_) => of_grant(change, &mut demands),
        }
    }
    of_deliveries(plan, heads, &after, (purpose, unread), &mut demands);
    let changed: BTreeSet<&ResourceId> = plan.resources.iter().map(|it| &it.id).collect();
    let same = named.into_iter();
    let same = same.filter(|id| !changed.contains(id) && !unread.contains(id));
    // That something is as it was declared is for those to know who may read it.
    demands.extend(same.filter_map(|id| {
        Some(Demand {
            id: id.clone(),
            cluster: None,
            need: known(id, &heads.get(id)?.content)?,
        })
    }));
    demands
}

/// The same change where nothing has the name yet.
fn as_if_free(change: &ResourceChange) -> ResourceChange {
    ResourceChange {
        before: None,
        overrides_before: Overrides::default(),
        overrides: Overrides::default(),
        ..change.clone()
    }
}

/// What has to be allowed, whatever there is already, for these to be declared.
pub(super) fn of_contents<'a>(
    contents: impl IntoIterator<Item = (&'a ResourceId, &'a Content)>,
) -> Vec<Demand> {
    let needs = contents.into_iter().filter_map(|(id, content)| {
        let need = match content {
            Content::Set(set) => Need::Set(Role::Editor, set.labels.clone()),
            Content::Cluster(cluster) => Need::Over(Role::Admin, cluster.labels.clone()),
            Content::Grant(grant) => Need::Give(grant.clone()),
            Content::Deleted => return None,
        };
        Some((id, need))
    });
    needs
        .map(|(id, need)| Demand {
            id: id.clone(),
            cluster: None,
            need,
        })
        .collect()
}

/// The same, and for every set also what has to be allowed in each cluster that gets it.
pub(super) fn wherever(contents: &BTreeMap<ResourceId, Content>, heads: &Heads) -> Vec<Demand> {
    let heads = heads.iter().map(|(id, head)| (id, &head.content));
    let clusters: Clusters<'_> = heads
        .chain(contents)
        .filter_map(|(id, content)| cluster(id, content))
        .collect();
    let sets = contents.iter();
    let sets = sets.filter_map(|(id, content)| Some((id, content.set()?)));
    let pairs = sets.flat_map(|(id, set)| {
        let here = clusters.iter();
        let here = here.filter(|(_, cluster)| set.clusters.matches(&cluster.labels));
        here.map(|(name, cluster)| Demand {
            id: id.clone(),
            cluster: Some((*name).clone()),
            need: Need::Pair(Role::Editor, set.labels.clone(), cluster.labels.clone()),
        })
    });
    of_contents(contents).into_iter().chain(pairs).collect()
}

/// What has to be allowed for it to be said where a cluster is.
pub(super) fn of_place(id: &ResourceId) -> Demand {
    Demand {
        id: id.clone(),
        cluster: None,
        need: Need::All(Role::Admin),
    }
}

/// What has to be allowed to know of a resource that is there.
pub(super) fn known(id: &ResourceId, content: &Content) -> Option<Need> {
    Some(match (id, content) {
        (ResourceId::Grant(name), Content::Grant(grant)) => Need::Know(name.clone(), grant.clone()),
        (_, Content::Set(set)) => Need::Set(Role::Viewer, set.labels.clone()),
        (_, Content::Cluster(cluster)) => Need::Cluster(Role::Viewer, cluster.labels.clone()),
        _ => return None,
    })
}

fn cluster<'a>(id: &'a ResourceId, content: &'a Content) -> Option<(&'a ClusterName, &'a Cluster)> {
    match id {
        ResourceId::Cluster(name) => Some((name, content.cluster()?)),
        ResourceId::Grant(_) | ResourceId::Set(_) => None,
    }
}

/// What a cluster gets of a set, and what it would get of it: an override hides what it lies over, and
/// what a breaker does is seen once it is tripped. What is published follows from this alone.
fn effective<'a>(
    set: Option<&'a ConfigSet>,
    overrides: &'a Overrides,
    cluster: Option<&&'a Cluster>,
) -> Option<impl PartialEq + use<'a>> {
    let (set, cluster) = set.zip(cluster)?;
    let labels = &cluster.labels;
    set.clusters.matches(labels).then(|| {
        (
            render::contents(set, overrides, labels),
            render::contents(set, &Overrides::default(), labels),
            said(overrides, labels),
            (&set.breakers, &set.publish),
        )
    })
}

/// A new revision of a set changes it where a cluster gets something else, gets it for the first time
/// or gets it no more. Other labels of the set change who may do what with it wherever it goes.
fn of_set(
    name: &SetName,
    change: &ResourceChange,
    [before, after]: [&Clusters<'_>; 2],
    purpose: Purpose,
    demands: &mut Vec<Demand>,
) {
    let old = change.before.as_ref().and_then(Content::set);
    let new = change.after.set();
    let role = match (purpose, change.why) {
        (Purpose::Reconcile, Why::Labels) => Role::Operator,
        (Purpose::Look, _) => Role::Viewer,
        _ => Role::Editor,
    };
    // Whoever looks may ask for any name, and with it for any place and key.
    let asks =
        purpose == Purpose::Look && !old.is_some_and(|old| new.is_none_or(|new| stays(old, new)));
    let labels: BTreeSet<&Labels> = [old, new]
        .into_iter()
        .flatten()
        .map(|set| &set.labels)
        .collect();
    let mut demand = |cluster: Option<&ClusterName>, need: Need| {
        demands.push(Demand {
            id: ResourceId::Set(name.clone()),
            cluster: cluster.cloned(),
            need,
        });
    };
    for set in &labels {
        demand(None, Need::Set(role, (*set).clone()));
    }
    if asks {
        demand(None, Need::All(role));
    }
    let is_moved = labels.len() > 1;
    let clusters: BTreeSet<&ClusterName> = before.keys().chain(after.keys()).copied().collect();
    for cluster in clusters {
        let (was, is) = (before.get(cluster), after.get(cluster));
        let held = effective(old, &change.overrides_before, was);
        let gets = effective(new, &change.overrides, is);
        let is_touched = held != gets || (is_moved && gets.is_some());
        if !is_touched {
            continue;
        }
        let places: BTreeSet<&Labels> = [was, is]
            .into_iter()
            .flatten()
            .map(|it| &it.labels)
            .collect();
        for set in &labels {
            for place in &places {
                let need = Need::Pair(role, (*set).clone(), (*place).clone());
                demand(Some(cluster), need);
            }
        }
    }
}

/// Whether a set goes to the same places under the same labels.
fn stays(old: &ConfigSet, new: &ConfigSet) -> bool {
    let places = |set: &'_ ConfigSet| (set.labels.clone(), set.clusters.clone());
    places(old) == places(new) && old.publish == new.publish
}

/// Where a cluster is says where everything is written. Its labels, and whether it is there, decide
/// what it gets of every set.
fn of_cluster(change: &ResourceChange, purpose: Purpose, demands: &mut Vec<Demand>) {
    let role = match purpose {
        Purpose::Look => Role::Viewer,
        Purpose::Declare | Purpose::Reconcile => Role::Admin,
    };
    let before = change.before.as_ref().and_then(Content::cluster);
    let after = change.after.cluster();
    let mut demand = |need: Need| {
        demands.push(Demand {
            id: change.id.clone(),
            cluster: None,
            need,
        });
    };
    let connection = |it: Option<&'_ Cluster>| -> Option<Connection> {
        it.map(|cluster| cluster.connection.clone())
    };
    if after.is_some() && connection(before) != connection(after) {
        demand(Need::All(Role::Admin));
    }
    for cluster in [before, after].into_iter().flatten() {
        demand(Need::Over(role, cluster.labels.clone()));
    }
}

/// Nobody gives or takes what he does not have.
fn of_grant(change: &ResourceChange, demands: &mut Vec<Demand>) {
    let before = change.before.as_ref().and_then(Content::grant);
    for grant in [before, change.after.grant()].into_iter().flatten() {
        demands.push(Demand {
            id: change.id.clone(),
            cluster: None,
            need: Need::Give(grant.clone()),
        });
    }
}

/// What is written beyond what a new revision changes: where only clusters are brought to what is
/// committed, all of it; and what others wrote and is taken over.
fn of_deliveries(
    plan: &Plan,
    heads: &Heads,
    clusters: &Clusters<'_>,
    (purpose, unread): (Purpose, &BTreeSet<&ResourceId>),
    demands: &mut Vec<Demand>,
) {
    let changed: BTreeMap<&ResourceId, &Content> = plan
        .resources
        .iter()
        .map(|change| (&change.id, &change.after))
        .collect();
    for delivery in &plan.deliveries {
        let role = if !delivery.adopted.is_empty() {
            match purpose {
                Purpose::Look => Role::Viewer,
                Purpose::Declare | Purpose::Reconcile => Role::Editor,
            }
        } else if purpose == Purpose::Reconcile && delivery.write.is_some() {
            Role::Operator
        } else {
            continue;
        };
        let id = ResourceId::Set(delivery.pair.set.clone());
        if unread.contains(&id) {
            // Wherever it goes is demanded already.
            continue;
        }
        let head = heads.get(&id).map(|head| &head.content);
        let set = changed.get(&id).copied().or(head).and_then(Content::set);
        let cluster = clusters.get(&delivery.pair.cluster);
        let need = match set.zip(cluster) {
            Some((set, cluster)) => Need::Pair(role, set.labels.clone(), cluster.labels.clone()),
            // What is left of a set that was deleted belongs to nobody.
            None => match cluster {
                Some(cluster) => Need::Over(role, cluster.labels.clone()),
                None => Need::All(role),
            },
        };
        demands.push(Demand {
            id,
            cluster: Some(delivery.pair.cluster.clone()),
            need,
        });
    }
}

/// What it demands that a set is overridden otherwise: this role, an operator's unless it is only looked
/// at, wherever that says anything else
/// than before.
pub(super) fn of_switch(
    role: Role,
    name: &SetName,
    set: &ConfigSet,
    [before, after]: [&Overrides; 2],
    clusters: &Clusters<'_>,
) -> Vec<Demand> {
    let here = clusters.iter();
    let here = here.filter(|(_, cluster)| set.clusters.matches(&cluster.labels));
    let touched = here.filter(|(_, cluster)| {
        let labels = &cluster.labels;
        said(before, labels) != said(after, labels)
            || render::contents(set, before, labels) != render::contents(set, after, labels)
    });
    let all = Demand {
        id: ResourceId::Set(name.clone()),
        cluster: None,
        need: Need::Set(role, set.labels.clone()),
    };
    let pairs = of_pairs(role, name, set, touched);
    std::iter::once(all).chain(pairs).collect()
}

/// This role over a set in each of these clusters.
pub(super) fn of_pairs<'a>(
    role: Role,
    name: &SetName,
    set: &ConfigSet,
    clusters: impl Iterator<Item = (&'a &'a ClusterName, &'a &'a Cluster)>,
) -> impl Iterator<Item = Demand> {
    clusters.map(move |(cluster, place)| Demand {
        id: ResourceId::Set(name.clone()),
        cluster: Some((*cluster).clone()),
        need: Need::Pair(role, set.labels.clone(), place.labels.clone()),
    })
}

/// Everything that overrides say where `labels` are, whether it makes a difference there or not.
fn said<'a>(overrides: &'a Overrides, labels: &'a Labels) -> impl PartialEq + use<'a> {
    let flags = overrides.flags.iter();
    let flags: Vec<_> = flags.filter(|it| it.clusters.matches(labels)).collect();
    let open: Vec<_> = overrides.open_in(labels).collect();
    (flags, open, &overrides.disabled)
}
