//! Looks at every target, and then reads the heads.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream;
use jiff::Timestamp;

use super::asked::clocks_of;
use super::{Engine, EngineError, Fleet, Milestone, SETS_AT_ONCE, not_tried, timed_out, unseen};
use crate::model::{
    Clocks, Cluster, ClusterName, Consent, Content, Document, Heads, Limits, Observed,
    ObservedSnapshot, Origin, Place, ResourceId, Version,
};
use crate::plan::{
    ClusterScope, Desired, Input, Look, Observation, Pair, Past, Plan, PlanError, Reach, States,
    Unseen, UnseenKind, places, plan, states,
};
use crate::store::{HeadsAt, Which};
use crate::target::Target;
use crate::traces;

/// What is asked of the store and the clusters.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// What should become of which resources.
    pub desired: &'a Desired,
    /// Which sets to look at beyond those.
    pub reach: &'a Reach,
    /// Which clusters to look at.
    pub clusters: &'a ClusterScope,
    /// What a person has consented to.
    pub consents: &'a BTreeSet<Consent>,
}

/// What is true now: in the store, and in every target that matters.
#[derive(Debug)]
pub struct Survey {
    /// The heads, read after the targets were.
    pub heads: Heads,
    past: Past,
    observed: BTreeMap<Pair, Observation>,
    limits: BTreeMap<ClusterName, Limits>,
    pub(super) places: BTreeMap<Pair, Look>,
    pub(super) fleet: Fleet,
}

impl Survey {
    /// The state in which every pair was seen.
    pub fn states(&self) -> States {
        states(&self.observed)
    }

    /// What time it is, as far as `ours` and the clocks of the targets that answered agree. No time
    /// that is stored has a say: whoever wrote it may have been wrong, and for good.
    pub fn clocks(&self, ours: Timestamp) -> Clocks {
        Clocks::of(ours, clocks_of(&self.fleet))
    }

    /// What follows from this survey for `desired`, which it was made for.
    pub fn plan(
        &self,
        desired: &Desired,
        reach: &Reach,
        origin: &Origin,
        consents: &BTreeSet<Consent>,
    ) -> Result<Plan, PlanError> {
        plan(&Input {
            desired,
            reach,
            heads: &self.heads,
            past: &self.past,
            observed: &self.observed,
            limits: &self.limits,
            origin,
            consents,
        })
    }
}

#[cfg(test)]
impl Survey {
    /// As if every target had other limits.
    pub(crate) fn with_limits(mut self, limits: Limits) -> Self {
        let clusters = self.fleet.keys();
        self.limits = clusters.map(|name| (name.clone(), limits)).collect();
        self
    }
}

/// How often it looks before it leaves out what changes all the time. Each round means that
/// someone committed while the targets were being looked at.
const ROUNDS: usize = 3;

/// Where a survey looks, which follows from the heads.
#[derive(Debug, PartialEq)]
struct Scope {
    places: BTreeMap<Pair, Look>,
    clusters: BTreeMap<ClusterName, Cluster>,
}

impl Scope {
    fn of(desired: &Desired, reach: &Reach, heads: &Heads, clusters: &ClusterScope) -> Self {
        let places = places(desired, reach, heads, clusters);
        let described = |name: &ClusterName| -> Option<Cluster> {
            let id = ResourceId::Cluster(name.clone());
            let head = || heads.get(&id)?.content.cluster();
            let content = desired.contents.get(&id);
            // What is taken off the list is looked at for what it holds.
            content.and_then(Content::cluster).or_else(head).cloned()
        };
        let names: BTreeSet<&ClusterName> = places.keys().map(|pair| &pair.cluster).collect();
        let clusters = names
            .into_iter()
            .filter_map(|name| Some((name.clone(), described(name)?)))
            .collect();
        Self { places, clusters }
    }

    /// Forgets what was seen in other places than these, and says so where something is missing.
    fn drop_stale(&self, looked_at: &Self, observed: &mut BTreeMap<Pair, Observation>) {
        observed.retain(|pair, _| self.places.contains_key(pair));
        for (pair, place) in &self.places {
            let same = looked_at.places.get(pair) == Some(place)
                && looked_at.clusters.get(&pair.cluster) == self.clusters.get(&pair.cluster);
            if !same {
                let unseen = Unseen {
                    kind: UnseenKind::Unreachable,
                    reason: "others keep changing it while it is looked at".to_owned(),
                };
                observed.insert(pair.clone(), Observation::Unseen(unseen));
            }
        }
    }
}

impl Engine<'_> {
    /// Looks at everything that a plan for `desired` needs. Targets come first, then the heads: a
    /// target that is ahead of them is then a real fault, and not someone who was faster.
    pub async fn survey(
        &self,
        desired: &Desired,
        reach: &Reach,
        clusters: &ClusterScope,
    ) -> Result<Survey, EngineError> {
        let at = self.heads_at(&Which::All).await?;
        self.survey_from(at, &Which::All, desired, reach, clusters)
            .await
    }

    /// What follows for `desired`, as things are now, and what that was. It reads no more of the
    /// store than the sets in question and the clusters, as long as that is enough: which keys
    /// another set took over has to be known only where some are to be removed. `all` are all heads,
    /// if they were just read.
    pub async fn look(
        &self,
        question: &Question<'_>,
        all: Option<HeadsAt>,
        origin: &Origin,
    ) -> Result<(Survey, Plan), EngineError> {
        traces::part("plan", self.look_and_plan(question, all, origin)).await
    }

    async fn look_and_plan(
        &self,
        question: &Question<'_>,
        all: Option<HeadsAt>,
        origin: &Origin,
    ) -> Result<(Survey, Plan), EngineError> {
        let Question {
            desired,
            reach,
            clusters,
            consents,
        } = question;
        let narrow = match reach {
            Reach::Named(sets) if desired.contents.is_empty() => {
                Which::around(sets.iter().chain(desired.overrides.keys()))
            }
            Reach::Named(_) | Reach::All => Which::All,
        };
        let at = match all {
            Some(all) if narrow == Which::All => all,
            _ => self.heads_at(&narrow).await?,
        };
        let survey = self.survey_from(at, &narrow, desired, reach, clusters);
        let survey = survey.await?;
        let plan = survey.plan(desired, reach, origin, consents);
        let plan = plan.map_err(EngineError::Plan)?;
        if narrow == Which::All || !plan.removes_keys() {
            return Ok((survey, plan));
        }
        let survey = self.survey(desired, reach, clusters).await?;
        let plan = survey.plan(desired, reach, origin, consents);
        Ok((survey, plan.map_err(EngineError::Plan)?))
    }

    /// The survey that begins with the heads `at` of `which`.
    async fn survey_from(
        &self,
        mut at: HeadsAt,
        which: &Which,
        desired: &Desired,
        reach: &Reach,
        clusters: &ClusterScope,
    ) -> Result<Survey, EngineError> {
        let mut scope = Scope::of(desired, reach, &at.heads, clusters);
        let mut round = 1;
        loop {
            let fleet = self.fleet(&scope);
            (self.events)(Milestone::Surveying(scope.places.keys().cloned().collect()));
            let mut interrupt = self.interrupt.clone();
            let (mut observed, limits) = tokio::select! {
                seen = self.observe(&fleet, &scope.places) => seen,
                Ok(_) = interrupt.wait_for(|stop| *stop) => return Err(EngineError::Interrupted),
            };

            if let Some(newer) = self.newer_than(&at, which).await? {
                at = newer;
                let now = Scope::of(desired, reach, &at.heads, clusters);
                if now != scope && round < ROUNDS {
                    scope = now;
                    round += 1;
                    continue;
                }
                now.drop_stale(&scope, &mut observed);
                scope = now;
            }
            let past = self.past(&at.heads, &observed).await?;
            return Ok(Survey {
                heads: at.heads,
                past,
                observed,
                limits,
                places: scope.places,
                fleet,
            });
        }
    }

    pub(super) async fn heads(&self, which: &Which) -> Result<Heads, EngineError> {
        self.heads_at(which).await.map(|at| at.heads)
    }

    async fn heads_at(&self, which: &Which) -> Result<HeadsAt, EngineError> {
        self.store.heads(which).await.map_err(EngineError::Read)
    }

    /// The heads of `which` as they are now; `None` if those of `at` still are: nobody committed
    /// since.
    async fn newer_than(
        &self,
        at: &HeadsAt,
        which: &Which,
    ) -> Result<Option<HeadsAt>, EngineError> {
        let nothing = Which::Named(BTreeSet::new());
        if self.heads_at(&nothing).await?.sequence == at.sequence {
            return Ok(None);
        }
        self.heads_at(which).await.map(Some)
    }

    fn fleet(&self, scope: &Scope) -> Fleet {
        let targets = scope.clusters.iter().map(|(name, cluster)| {
            let target = self.connect.connect(name, cluster, self.pace.timeout);
            (name.clone(), target.map_err(|error| unseen(&error)))
        });
        targets.collect()
    }

    async fn observe(
        &self,
        fleet: &Fleet,
        places: &BTreeMap<Pair, Look>,
    ) -> (BTreeMap<Pair, Observation>, BTreeMap<ClusterName, Limits>) {
        let mut by_cluster: BTreeMap<&ClusterName, Vec<(&Pair, &Look)>> = BTreeMap::new();
        for look in places {
            by_cluster.entry(&look.0.cluster).or_default().push(look);
        }
        let looks = fleet.iter().map(|(name, target)| {
            let pairs = by_cluster.remove(name).unwrap_or_default();
            async move {
                match target {
                    Ok(target) => self.look_at(name, target, pairs).await,
                    Err(unseen) => (self.all_unseen(pairs, unseen), None),
                }
            }
        });
        let mut observed = BTreeMap::new();
        let mut limits = BTreeMap::new();
        let looks = stream::iter(looks).buffer_unordered(self.pace.clusters_at_once.max(1));
        // Boxed, so that no closure over a lifetime is part of this future: it has to be `Send`.
        let mut looks = looks.boxed();
        while let Some((seen, limit)) = looks.next().await {
            observed.extend(seen);
            limits.extend(limit);
        }
        (observed, limits)
    }

    /// Looks at one cluster. Once it does not answer, its other sets are not tried: each would
    /// wait as long.
    async fn look_at(
        &self,
        name: &ClusterName,
        target: &Arc<dyn Target>,
        pairs: Vec<(&Pair, &Look)>,
    ) -> (Vec<(Pair, Observation)>, Option<(ClusterName, Limits)>) {
        let down = AtomicBool::new(false);
        let (leftovers, due): (Vec<_>, Vec<_>) =
            (pairs.into_iter()).partition(|(_, look)| look.for_leftovers);
        let looks = async {
            let (due, left) = tokio::join!(
                self.look_for(target, due, &down),
                self.look_for_leftovers(target, leftovers, &down)
            );
            let mut seen: Vec<_> = due;
            seen.extend(left);
            seen
        };
        let limits = tokio::time::timeout(self.pace.timeout, target.limits());
        let (seen, limits) = tokio::join!(looks, limits);
        // Without limits the target could not be asked, which its observations say.
        let limits = limits.ok().and_then(Result::ok);
        (seen, limits.map(|limits| (name.clone(), limits)))
    }

    /// Reads these sets. Sets `down` as soon as the cluster does not answer.
    async fn look_for(
        &self,
        target: &Arc<dyn Target>,
        pairs: Vec<(&Pair, &Look)>,
        down: &AtomicBool,
    ) -> Vec<(Pair, Observation)> {
        let looks = stream::iter(pairs).map(|(pair, look)| async move {
            let observation = if down.load(Ordering::Relaxed) {
                Observation::Unseen(not_tried(target.as_ref()))
            } else {
                let patience = self.pace.timeout;
                self.look_once(target, &look.place, patience).await
            };
            if let Observation::Unseen(unseen) = &observation
                && unseen.kind == UnseenKind::Unreachable
            {
                down.store(true, Ordering::Relaxed);
            }
            (self.events)(Milestone::Surveyed(pair.clone()));
            (pair.clone(), observation)
        });
        let looks = looks.buffer_unordered(SETS_AT_ONCE).boxed();
        looks.collect().await
    }

    /// Finds out what is left of sets that do not belong there: most are known to be gone from one
    /// listing, and only the others are read.
    async fn look_for_leftovers(
        &self,
        target: &Arc<dyn Target>,
        pairs: Vec<(&Pair, &Look)>,
        down: &AtomicBool,
    ) -> Vec<(Pair, Observation)> {
        if pairs.is_empty() {
            return Vec::new();
        }
        let sets = pairs.iter().map(|(pair, _)| pair.set.clone()).collect();
        let left = match tokio::time::timeout(self.pace.timeout, target.sets(&sets)).await {
            Ok(Ok(left)) => left,
            Ok(Err(error)) => match unseen(&error) {
                unseen if unseen.kind == UnseenKind::Unreachable => {
                    down.store(true, Ordering::Relaxed);
                    return self.all_unseen(pairs, &unseen);
                }
                // Who may not list may read.
                _ => sets,
            },
            Err(_) => {
                down.store(true, Ordering::Relaxed);
                return self.all_unseen(pairs, &timed_out(self.pace));
            }
        };
        let is_left = |(pair, _): &(&Pair, _)| left.contains(&pair.set);
        let (left, gone): (Vec<_>, Vec<_>) = pairs.into_iter().partition(is_left);
        let mut seen = self.look_for(target, left, down).await;
        seen.extend(gone.into_iter().map(|(pair, _)| {
            (self.events)(Milestone::Surveyed(pair.clone()));
            (pair.clone(), Observation::Seen(Observed::nothing()))
        }));
        seen
    }

    fn all_unseen(&self, pairs: Vec<(&Pair, &Look)>, unseen: &Unseen) -> Vec<(Pair, Observation)> {
        let all = pairs.into_iter().map(|(pair, _)| {
            (self.events)(Milestone::Surveyed(pair.clone()));
            (pair.clone(), Observation::Unseen(unseen.clone()))
        });
        all.collect()
    }

    pub(super) async fn look_once(
        &self,
        target: &Arc<dyn Target>,
        place: &Place,
        patience: Duration,
    ) -> Observation {
        match tokio::time::timeout(patience, target.observe(place)).await {
            Ok(Ok(observed)) => Observation::Seen(observed),
            Ok(Err(error)) => Observation::Unseen(unseen(&error)),
            Err(_) => Observation::Unseen(timed_out(self.pace)),
        }
    }

    /// The revisions that targets hold and that are not the head any more.
    async fn past(
        &self,
        heads: &Heads,
        observed: &BTreeMap<Pair, Observation>,
    ) -> Result<Past, EngineError> {
        let held: BTreeSet<(ResourceId, Version)> = observed
            .iter()
            .filter_map(|(pair, observation)| {
                let Observation::Seen(observed) = observation else {
                    return None;
                };
                let id = ResourceId::Set(pair.set.clone());
                let head = heads.get(&id)?;
                let versions = versions(observed).filter(|version| *version < head.version);
                Some(versions.map(move |version| (id.clone(), version)))
            })
            .flatten()
            .collect();
        if held.is_empty() {
            return Ok(Past::new());
        }
        let held: Vec<_> = held.into_iter().collect();
        let found = self.store.revisions(&held).await;
        let found = found.map_err(EngineError::Read)?.into_iter();
        let past = found.filter_map(|(id, revision)| match id {
            ResourceId::Set(set) => Some(((set, revision.version), revision)),
            ResourceId::Cluster(_) | ResourceId::Grant(_) => None,
        });
        Ok(past.collect())
    }
}

/// The versions that a target holds or is about to hold.
fn versions(observed: &Observed) -> impl Iterator<Item = Version> {
    let held = match &observed.snapshot {
        ObservedSnapshot::Absent => None,
        ObservedSnapshot::Present { document, .. } => match document.as_ref() {
            Ok(document) => Some(document),
            Err(error) => error.changed(),
        },
    };
    let begun = observed.auxiliary.delivering.as_ref();
    let begun = begun.map(|begun| begun.version);
    held.map(Document::version).into_iter().chain(begun)
}
