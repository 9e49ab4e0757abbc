//! What the store would hold after the plan.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::super::holds::{Hold, holds};
use super::super::objection::{Objection, ObjectionReason};
use super::super::seen::Pair;
use super::change::{PlanError, ResourceChange, Why};
use super::desired::Desired;
use super::reach::Reach;
use super::rendered::Renderings;
use crate::model::{
    Cluster, ClusterName, ConfigSet, Connection, Content, Contents, Heads, Key, Labels, Origin,
    Overrides, Part, ResourceId, Selector, SetName, Snapshot, Version,
};
use crate::render;

/// A set as the store has it in one cluster.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Head<'a> {
    /// The version of the set.
    pub(crate) version: Version,
    /// What it says.
    pub(crate) set: &'a ConfigSet,
    /// What is overridden.
    pub(crate) overrides: &'a Overrides,
    /// The labels of the cluster.
    pub(crate) labels: &'a Labels,
}

/// A version of a set that a target holds with content that is not the set's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Claim {
    /// The greatest such version.
    pub(crate) version: Version,
    /// Why the set needs a greater one.
    pub(crate) why: Why,
}

/// The resources as they would be, next to the heads as they are.
#[derive(Debug)]
pub(crate) struct After<'a> {
    pub(crate) desired: &'a Desired,
    pub(crate) heads: &'a Heads,
    /// Every cluster that would exist.
    pub(crate) clusters: BTreeMap<&'a ClusterName, &'a Cluster>,
    /// Every cluster that goes, but for those whose place another one takes or has.
    pub(crate) leaving: BTreeMap<&'a ClusterName, &'a Cluster>,
    /// Every set; `None` when it would be deleted.
    pub(crate) sets: BTreeMap<&'a SetName, Option<&'a ConfigSet>>,
    /// What would be overridden in which set; sets without overrides are left out.
    overrides: BTreeMap<&'a SetName, Overrides>,
    /// What is overridden and would not be declared any more, unless that was consented to.
    dangling: BTreeMap<&'a SetName, BTreeSet<Part>>,
    /// What of that was rendered.
    renderings: Renderings,
}

/// Nothing is overridden.
static NO_OVERRIDES: Overrides = Overrides {
    flags: Vec::new(),
    openings: Vec::new(),
    disabled: BTreeMap::new(),
    trips: BTreeMap::new(),
};

/// Whether an override for these clusters is in force anywhere.
fn reaches<'c>(
    set: &ConfigSet,
    selector: &Selector,
    mut clusters: impl Iterator<Item = &'c Cluster>,
) -> bool {
    clusters.any(|it| set.clusters.matches(&it.labels) && selector.matches(&it.labels))
}

impl<'a> After<'a> {
    pub(crate) fn of(desired: &'a Desired, heads: &'a Heads) -> Self {
        let mut clusters = BTreeMap::new();
        let mut sets = BTreeMap::new();
        let heads_first = heads.iter().map(|(id, head)| (id, &head.content));
        for (id, content) in heads_first.chain(&desired.contents) {
            match id {
                ResourceId::Cluster(name) => match content.cluster() {
                    Some(cluster) => _ = clusters.insert(name, cluster),
                    None => _ = clusters.remove(name),
                },
                ResourceId::Set(name) => _ = sets.insert(name, content.set()),
                // No cluster gets it.
                ResourceId::Grant(_) => {}
            }
        }
        let goes = |(id, content): (&'a ResourceId, &Content)| match id {
            ResourceId::Cluster(name) if *content == Content::Deleted => {
                Some((name, heads.get(id)?.content.cluster()?))
            }
            _ => None,
        };
        let stays = |cluster: &Cluster| {
            let mut others = clusters.values();
            others.any(|other: &&Cluster| other.connection.is_same_place(&cluster.connection))
        };
        let leaving = desired.contents.iter().filter_map(goes);
        let leaving = leaving.filter(|(_, cluster)| !stays(cluster)).collect();
        let mut overrides = BTreeMap::new();
        let mut dangling = BTreeMap::new();
        for (name, set) in &sets {
            let head = heads.get(&ResourceId::Set((*name).clone()));
            let found = desired.overrides.get(*name);
            let Some(found) = found.or_else(|| head.map(|head| &head.overrides)) else {
                continue;
            };
            let before = head.and_then(|head| head.content.set());
            let was = |selector: &Selector| {
                let clusters = heads.values().filter_map(|head| head.content.cluster());
                before.is_some_and(|set| reaches(set, selector, clusters))
            };
            let is = |selector: &Selector| {
                set.is_some_and(|set| reaches(set, selector, clusters.values().copied()))
            };
            let mut lost = found.dangling(*set);
            lost.extend(found.stranded(was, is));
            let (dropped, kept): (BTreeSet<Part>, _) = lost
                .into_iter()
                .partition(|part| desired.dropped.contains(&((*name).clone(), part.clone())));
            let mut found = found.clone();
            found.forget(&dropped);
            if set.is_none() && kept.is_empty() {
                found = Overrides::default();
            }
            if !kept.is_empty() {
                dangling.insert(*name, kept);
            }
            if !found.is_empty() {
                overrides.insert(*name, found);
            }
        }
        Self {
            desired,
            heads,
            clusters,
            leaving,
            sets,
            overrides,
            dangling,
            renderings: Renderings::default(),
        }
    }

    /// What would be overridden in a set.
    pub(crate) fn overrides(&self, name: &SetName) -> &Overrides {
        self.overrides.get(name).unwrap_or(&NO_OVERRIDES)
    }

    /// What would be switched by hand in a set where it goes.
    pub(crate) fn holds(&self, pair: &Pair) -> Vec<Hold> {
        let cluster = self.clusters.get(&pair.cluster);
        let set = cluster.and_then(|cluster| self.set_in(&pair.set, cluster));
        set.zip(cluster).map_or_else(Vec::new, |(set, cluster)| {
            holds(set, self.overrides(&pair.set), &cluster.labels)
        })
    }

    /// What stands against forgetting overrides together with what they belong to.
    pub(crate) fn dangling(&self) -> impl Iterator<Item = Objection> {
        self.dangling.iter().flat_map(|(name, parts)| {
            parts.iter().map(|part| Objection {
                reason: ObjectionReason::Overridden {
                    set: (*name).clone(),
                    part: part.clone(),
                },
                set: (*name).clone(),
                cluster: None,
            })
        })
    }

    /// The set as it should be in a cluster; `None` when it should not be there.
    pub(crate) fn set_in(&self, name: &SetName, cluster: &Cluster) -> Option<&'a ConfigSet> {
        let set = (*self.sets.get(name)?)?;
        set.clusters.matches(&cluster.labels).then_some(set)
    }

    /// What the store has for `pair` now; `None` when nothing of the set should be there.
    pub(crate) fn head_in(&self, pair: &Pair) -> Option<Head<'a>> {
        let cluster = self.heads.get(&ResourceId::Cluster(pair.cluster.clone()))?;
        let head = self.heads.get(&ResourceId::Set(pair.set.clone()))?;
        let (set, cluster) = head.content.set().zip(cluster.content.cluster())?;
        let goes_there = set.clusters.matches(&cluster.labels);
        goes_there.then_some(Head {
            version: head.version,
            set,
            overrides: &head.overrides,
            labels: &cluster.labels,
        })
    }

    /// Those of `keys` that any set but these publishes in the same cluster; in one that goes,
    /// those that any set publishes in another cluster with the same keys.
    pub(crate) fn published(
        &self,
        cluster: &ClusterName,
        but: &BTreeSet<&SetName>,
        keys: BTreeSet<Key>,
    ) -> BTreeSet<Key> {
        let others: Vec<(&SetName, &Cluster)> = match self.clusters.get(cluster) {
            // In a directory each set has files of its own, which no other takes over.
            Some(Cluster {
                connection: Connection::Directory(_),
                ..
            }) => return BTreeSet::new(),
            Some(cluster) => {
                let names = self.sets.keys().filter(|name| !but.contains(**name));
                names.map(|name| (*name, *cluster)).collect()
            }
            None => self.sharing(cluster),
        };
        let mut unclaimed = keys;
        let mut claimed = BTreeSet::new();
        for (name, cluster) in others {
            let Some(set) = self.set_in(name, cluster) else {
                continue;
            };
            // Rendering is only worth it where one of the keys can be the set's at all.
            let place = render::place(name, set);
            let possible = |key: &&Key| {
                place.keys.contains(*key)
                    || place.prefixes.iter().any(|prefix| prefix.contains(key))
            };
            let possible: Vec<Key> = unclaimed.iter().filter(possible).cloned().collect();
            if possible.is_empty() {
                continue;
            }
            let contents = render::contents(set, self.overrides(name), &cluster.labels);
            let entries = render::entries(&set.publish, &contents);
            for key in possible {
                // Of a set that cannot be rendered every key may be its own.
                let free = (entries.as_ref()).is_ok_and(|entries| !entries.contains_key(&key));
                if !free {
                    unclaimed.remove(&key);
                    claimed.insert(key);
                }
            }
        }
        claimed
    }

    /// Every set with each cluster that stays and has its keys where one has them that goes.
    fn sharing(&self, leaving: &ClusterName) -> Vec<(&'a SetName, &'a Cluster)> {
        let Some(leaving) = self.leaving.get(leaving) else {
            return Vec::new();
        };
        let clusters = self.clusters.values();
        let sharing = clusters.filter(|it| it.connection.shares_keys_with(&leaving.connection));
        let with_sets = |cluster: &&'a Cluster| {
            let cluster = *cluster;
            self.sets.keys().map(move |name| (*name, cluster))
        };
        sharing.flat_map(with_sets).collect()
    }

    /// The sets that have to be looked at.
    pub(crate) fn reached(&self, reach: &Reach) -> BTreeSet<SetName> {
        let mut reached: BTreeSet<SetName> = match reach {
            Reach::All => return self.sets.keys().map(|name| (*name).clone()).collect(),
            Reach::Named(names) => names.clone(),
        };
        let named = self.desired.contents.keys().filter_map(ResourceId::set);
        reached.extend(named.cloned());
        reached.extend(self.desired.overrides.keys().cloned());
        // A cluster that is new or changed may have to get or lose any set.
        for (id, content) in &self.desired.contents {
            // A cluster that is taken off the list has nothing to get.
            if !matches!(content, Content::Cluster(_)) {
                continue;
            }
            let head = self.heads.get(id).map(|head| &head.content);
            if head == Some(content) {
                continue;
            }
            let clusters = [Some(content), head].into_iter().flatten();
            for cluster in clusters.filter_map(Content::cluster) {
                reached.extend(
                    self.sets
                        .keys()
                        .filter(|name| self.set_in(name, cluster).is_some())
                        .map(|name| (*name).clone()),
                );
            }
        }
        reached
    }

    /// The new revisions. `claims` names the versions that are taken already: a set that does not
    /// have a greater one gets it, even if nothing else about it changes.
    pub(crate) fn revisions(
        &self,
        claims: &BTreeMap<SetName, Claim>,
    ) -> BTreeMap<ResourceId, ResourceChange> {
        let mut changes = BTreeMap::new();
        for (id, content) in &self.desired.contents {
            let head = self.heads.get(id).map(|head| &head.content);
            // What never existed needs no tombstone.
            if head != Some(content) && (head.is_some() || *content != Content::Deleted) {
                changes.insert(id.clone(), self.change(id, content, Why::Content, claims));
            }
        }
        let relabelled = self.relabelled();
        for (name, set) in &self.sets {
            let Some(set) = set else { continue };
            let id = ResourceId::Set((*name).clone());
            let Some(head) = self.heads.get(&id) else {
                continue;
            };
            if changes.contains_key(&id) {
                continue;
            }
            let claim = claims
                .get(*name)
                .filter(|claim| claim.version >= head.version);
            let why = match claim {
                _ if head.overrides != *self.overrides(name) => Why::Overrides,
                Some(claim) => claim.why,
                None if self.reads_other_labels(name, set, &relabelled) => Why::Labels,
                None => continue,
            };
            let content = Content::from((*set).clone());
            changes.insert(id.clone(), self.change(&id, &content, why, claims));
        }
        changes
    }

    fn change(
        &self,
        id: &ResourceId,
        content: &Content,
        why: Why,
        claims: &BTreeMap<SetName, Claim>,
    ) -> ResourceChange {
        let head = self.heads.get(id);
        let next = head.map_or(Version::FIRST, |head| head.version.next());
        let version = match id {
            ResourceId::Set(name) => claims
                .get(name)
                .map_or(next, |claim| next.max(claim.version.next())),
            ResourceId::Cluster(_) | ResourceId::Grant(_) => next,
        };
        ResourceChange {
            id: id.clone(),
            base: head.map(|head| head.version),
            version,
            before: head.map(|head| head.content.clone()),
            after: content.clone(),
            overrides_before: head.map_or_else(Overrides::default, |head| head.overrides.clone()),
            overrides: match id {
                ResourceId::Set(name) => self.overrides(name).clone(),
                ResourceId::Cluster(_) | ResourceId::Grant(_) => Overrides::default(),
            },
            why,
        }
    }

    /// The labels of every cluster that gets others: before and after.
    fn relabelled(&self) -> Vec<(&'a Labels, &'a Labels)> {
        let labels = |(id, content): (&ResourceId, &'a Content)| {
            let after = &content.cluster()?.labels;
            let before = &self.heads.get(id)?.content.cluster()?.labels;
            (before != after).then_some((before, after))
        };
        self.desired.contents.iter().filter_map(labels).collect()
    }

    /// Whether a cluster that has the set and keeps it gets other values, because its labels
    /// change. Without a new revision one version would then have two contents.
    fn reads_other_labels(
        &self,
        name: &SetName,
        set: &ConfigSet,
        relabelled: &[(&Labels, &Labels)],
    ) -> bool {
        let contents = |labels| render::contents(set, self.overrides(name), labels);
        relabelled.iter().any(|(before, after)| {
            set.clusters.matches(before)
                && set.clusters.matches(after)
                && contents(before) != contents(after)
        })
    }

    /// What `pair` should hold; `None` when nothing of the set should be there.
    pub(crate) fn snapshot(
        &self,
        pair: &Pair,
        cluster: &Cluster,
        changes: &BTreeMap<ResourceId, ResourceChange>,
        origin: &Origin,
    ) -> Result<Option<Snapshot>, PlanError> {
        let Some(set) = self.set_in(&pair.set, cluster) else {
            return Ok(None);
        };
        let id = ResourceId::Set(pair.set.clone());
        let (version, origin) = match (changes.get(&id), self.heads.get(&id)) {
            (Some(change), _) => (change.version, origin),
            (None, Some(head)) => (head.version, &head.origin),
            // Neither new nor known: no set of this name.
            (None, None) => return Ok(None),
        };
        let name = &pair.set;
        let overrides = self.overrides(name);
        let rendering = (self.renderings).of(name, set, overrides, &cluster.labels);
        let entries = rendering.entries(set).clone();
        let entries = entries.map_err(|errors| PlanError::Render {
            set: name.clone(),
            cluster: pair.cluster.clone(),
            errors,
        })?;
        let contents = Arc::clone(&rendering.contents);
        let set = (name, set);
        let sealed = render::sealed(set, version, origin, &pair.cluster, contents, entries);
        Ok(Some(sealed))
    }

    /// What a set would say in a cluster that it goes to.
    pub(crate) fn contents(
        &self,
        name: &SetName,
        set: &ConfigSet,
        cluster: &Cluster,
    ) -> Arc<Contents> {
        let overrides = self.overrides(name);
        let rendering = (self.renderings).of(name, set, overrides, &cluster.labels);
        Arc::clone(&rendering.contents)
    }
}
