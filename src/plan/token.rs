//! The token of a plan: a digest over everything that the plan was made from and decides.
//!
//! Who consents to a token consents to exactly the writes that were shown. Who makes them, when and
//! why is not in it: the same plan, carried out by somebody else, does the same.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Action, Delivery, Observation, Pair, Plan};
use crate::model::{
    Auxiliary, ClusterName, Digest, Document, EntryWrite, Fence, Key, ObservedSnapshot, ResourceId,
    SetName, SnapshotWrite, Version, Write,
};

/// What someone consents to who consents to a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct PlanToken(Digest);

impl fmt::Display for PlanToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a plan was made from: the versions of what it depends on, and of what targets held digests
/// alone. Two of them tell what moved in between.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Basis {
    heads: BTreeMap<ResourceId, Option<Version>>,
    targets: Vec<SeenTarget>,
}

/// The state in which one set was seen in one cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SeenTarget {
    set: String,
    cluster: String,
    state: Digest,
}

/// The states in which every pair was seen.
pub type States = BTreeMap<Pair, Digest>;

/// The states of what was observed, without any of its content.
pub fn states(observed: &BTreeMap<Pair, Observation>) -> States {
    observed
        .iter()
        .map(|(pair, observation)| (pair.clone(), state(observation)))
        .collect()
}

fn state(observation: &Observation) -> Digest {
    match observation {
        // How exactly it failed may differ from one try to the next.
        Observation::Unseen(_) => Digest::of(b"unseen"),
        Observation::Seen(observed) => {
            let snapshot = match &observed.snapshot {
                ObservedSnapshot::Absent => None,
                ObservedSnapshot::Present { fence, .. } => Some(fence),
            };
            let entries: BTreeMap<_, _> = observed
                .entries
                .iter()
                .map(|(key, entry)| (key, (&entry.fence, Digest::of(&entry.value))))
                .collect();
            Digest::of_canonical(&(snapshot, entries, &observed.auxiliary))
        }
    }
}

impl Basis {
    /// What `plan` was made from, where every pair was seen in one of `states`.
    pub fn of(plan: &Plan, states: &States) -> Self {
        let seen = |(pair, state): (&Pair, &Digest)| SeenTarget {
            set: pair.set.to_string(),
            cluster: pair.cluster.to_string(),
            state: state.clone(),
        };
        Self {
            heads: plan.commit.expected.clone(),
            targets: states.iter().map(seen).collect(),
        }
    }

    /// The head of a set alone, which a switch is made from.
    pub fn of_head(set: &SetName, version: Version) -> Self {
        Self {
            heads: [(ResourceId::Set(set.clone()), Some(version))].into(),
            targets: Vec::new(),
        }
    }

    /// Forgets the resources, and the sets in clusters, that are not to be told.
    pub fn keep(
        &mut self,
        id: impl Fn(&ResourceId) -> bool,
        pair: impl Fn(&SetName, &ClusterName) -> bool,
    ) {
        self.heads.retain(|it, _| id(it));
        self.targets.retain(|seen| {
            let names = seen.set.parse().ok().zip(seen.cluster.parse().ok());
            names.is_some_and(|(set, cluster)| pair(&set, &cluster))
        });
    }

    /// What moved between this and `now`, one sentence each.
    pub fn moved(&self, now: &Self) -> Vec<String> {
        let mut moved = Vec::new();
        // Which heads a plan follows from is a matter of what it writes, which the token covers.
        for (id, then) in &self.heads {
            let Some(now) = now.heads.get(id).filter(|now| *now != then) else {
                continue;
            };
            let shown = |version: &Option<Version>| {
                version.map_or("nothing".to_owned(), |version| version.to_string())
            };
            let (then, now) = (shown(then), shown(now));
            moved.push(format!("{id} was at {then}, now at {now}"));
        }
        let by_place = |of: &Self| -> BTreeMap<(String, String), Digest> {
            let seen = of.targets.iter();
            seen.map(|seen| {
                let place = (seen.set.clone(), seen.cluster.clone());
                (place, seen.state.clone())
            })
            .collect()
        };
        let (then, now) = (by_place(self), by_place(now));
        for place in then.keys().chain(now.keys()).collect::<BTreeSet<_>>() {
            let (set, cluster) = place;
            match (then.get(place), now.get(place)) {
                (Some(then), Some(now)) if then == now => {}
                (Some(_), Some(_)) => {
                    moved.push(format!("what {cluster} holds of {set} changed"));
                }
                _ => moved.push(format!(
                    "{set} in {cluster} has to do with only one of the two"
                )),
            }
        }
        moved
    }
}

impl Plan {
    /// The token of this plan, which was made from `basis`.
    pub fn token(&self, basis: &Basis) -> PlanToken {
        let resources: Vec<_> = self
            .resources
            .iter()
            .map(|it| (&it.id, it.version, &it.after, &it.overrides))
            .collect();
        let deliveries: Vec<_> = self.deliveries.iter().map(Decided::of).collect();
        let objections: Vec<_> = (self.objections.iter())
            .map(|it| (&it.set, &it.cluster, it.reason.rule()))
            .collect();
        let all = (basis, resources, deliveries, objections);
        PlanToken(Digest::of_canonical(&all))
    }
}

impl PlanToken {
    /// The token of anything else that is shown and consented to.
    pub fn of(shown: &impl Serialize) -> Self {
        Self(Digest::of_canonical(shown))
    }
}

/// What happens to one set in one cluster, whole.
#[derive(Serialize)]
struct Decided<'a> {
    set: &'a str,
    cluster: &'a str,
    action: Action,
    snapshot: Option<DecidedSnapshot<'a>>,
    entries: BTreeMap<&'a Key, DecidedEntry<'a>>,
    loose: Vec<&'a Key>,
    beside: Option<&'a Auxiliary>,
}

#[derive(Serialize)]
enum DecidedSnapshot<'a> {
    Put(DecidedDocument<'a>, Option<&'a Fence>),
    Delete(Option<&'a Fence>),
}

/// A document without its origin, which says when it is planned and by whom.
#[derive(Serialize)]
struct DecidedDocument<'a> {
    version: Version,
    contents: Digest,
    keys: &'a BTreeMap<Key, Digest>,
}

#[derive(Serialize)]
enum DecidedEntry<'a> {
    Put(Digest, Option<&'a Fence>),
    Keep(&'a Fence),
    Delete(&'a Fence),
}

impl<'a> Decided<'a> {
    fn of(delivery: &'a Delivery) -> Self {
        let write = delivery.write.as_ref();
        let entries = write.iter().flat_map(|write| &write.entries);
        Self {
            set: delivery.pair.set.as_str(),
            cluster: delivery.pair.cluster.as_str(),
            action: delivery.action,
            snapshot: write.map(|write| DecidedSnapshot::of(write, delivery.desired.as_ref())),
            entries: entries
                .map(|(key, entry)| (key, DecidedEntry::of(entry)))
                .collect(),
            loose: write.map_or(Vec::new(), |write| write.loose.iter().collect()),
            beside: write.map(|write| &write.auxiliary),
        }
    }
}

impl<'a> DecidedSnapshot<'a> {
    fn of(write: &'a Write, desired: Option<&'a Document>) -> Self {
        match (&write.snapshot, desired) {
            (SnapshotWrite::Put { expected, .. }, Some(desired)) => {
                let document = DecidedDocument {
                    version: desired.version(),
                    contents: Digest::of_canonical(desired.contents()),
                    keys: desired.keys(),
                };
                Self::Put(document, expected.as_ref())
            }
            (snapshot, _) => Self::Delete(snapshot.expected()),
        }
    }
}

impl<'a> DecidedEntry<'a> {
    fn of(entry: &'a EntryWrite) -> Self {
        match entry {
            EntryWrite::Put { value, expected } => Self::Put(Digest::of(value), expected.as_ref()),
            EntryWrite::Keep { expected } => Self::Keep(expected),
            EntryWrite::Delete { expected } => Self::Delete(expected),
        }
    }
}
