//! Figures: what the store holds and what was done here, kept up to date with what was committed
//! since somebody looked last.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::authorise::{Access, Need};
use super::entries::{newest, origins};
use super::names::clusters;
use crate::api::report::{AlertsTaken, Outcome};
use crate::api::{Caller, CauseKind, Error, Event, Holdings, Observer, SetFigures, Tally};
use crate::model::{Cluster, ClusterName, Heads, ResourceId, Revision, Role, Sequence, SetName};
use crate::store::{HeadsAt, Store, Which};

/// How many entries of the log are read at once.
const WINDOW: usize = 200;
/// How many one look counts; the next one goes on from there.
const MOST_COUNTED: usize = 5_000;
/// After how many sets others have their turn.
const TURN: usize = 64;

/// They name everything that there is: only whoever may see all of it reads them.
pub(super) async fn check_may(store: &dyn Store, by: &Caller) -> Result<(), Error> {
    let access = Access::of(store, by).await?;
    access.require(&Need::All(Role::Viewer), "to read the metrics")
}

/// What was found out so far.
#[derive(Debug, Default)]
pub(super) struct Figures {
    known: tokio::sync::Mutex<Known>,
    tally: Arc<Mutex<Tally>>,
}

/// What is known of the store.
#[derive(Clone, Debug, Default)]
struct Known {
    /// The last commit that was counted; `None`: counting has not begun.
    counted: Option<Sequence>,
    /// What there is, if that was looked at.
    held: Option<Holdings>,
    commits: BTreeMap<CauseKind, u64>,
}

impl Figures {
    /// What `store` holds now; commits are counted from the one after `since`, or from now on. It
    /// reads what was committed since the last time, and everything the first time.
    pub(super) async fn look(
        &self,
        store: &dyn Store,
        since: Option<Sequence>,
    ) -> Result<Holdings, Error> {
        let mut known = self.known.lock().await;
        // Whoever goes away meanwhile leaves what was known before.
        let mut next = known.clone();
        let newest = newest(store).await?;
        let start = next.counted.or(since).unwrap_or(newest);
        if newest < start {
            // A store that was restored from a backup: what came after is another history.
            next.held = None;
        }
        next.counted = Some(start.min(newest));
        let changed = next.count(store, newest).await?;
        next.held = Some(match (next.held.take(), changed) {
            (Some(held), Some(changed)) => held_after(store, held, &changed, newest).await?,
            _ => all(store).await?,
        });
        *known = next;
        let held = known.held.clone().unwrap_or_default();
        let commits = known.commits.clone();
        Ok(Holdings { commits, ..held })
    }

    /// What was done so far.
    pub(super) fn tally(&self) -> Tally {
        tally(&self.tally).clone()
    }

    /// Takes note of what has come of a change.
    pub(super) fn note(&self, outcome: &Outcome) {
        let mut tally = tally(&self.tally);
        for delivery in &outcome.clusters {
            let states = tally.deliveries.entry(delivery.cluster.clone());
            let count = states.or_default().entry(delivery.outcome.as_str());
            *count.or_default() += 1;
        }
    }

    /// Takes note of what has come of alerts.
    pub(super) fn note_alerts(&self, taken: &AlertsTaken) {
        let mut tally = tally(&self.tally);
        for alert in &taken.alerts {
            for told in &alert.breakers {
                *tally.alerts.entry(told.effect.as_str()).or_default() += 1;
            }
            if alert.breakers.is_empty() && taken.failed.is_empty() {
                tally.unmatched_alerts += 1;
            }
        }
    }

    /// `seen`, with note taken of what is over.
    pub(super) fn observer(&self, seen: &Observer) -> Observer {
        let (kept, told) = (Arc::clone(&self.tally), seen.clone());
        let hear = move |event: Event| {
            match &event {
                Event::Expired { .. } => tally(&kept).expired += 1,
                Event::Recounted { .. } => tally(&kept).recounted += 1,
                Event::NotExpired { .. } => tally(&kept).not_expired += 1,
                _ => {}
            }
            told.tell(event);
        };
        Observer::new(Arc::new(hear), seen.stop())
    }
}

/// Nothing panics between two counts.
fn tally(kept: &Mutex<Tally>) -> MutexGuard<'_, Tally> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Known {
    /// Counts commits up to `newest`, and says what they changed; `None`: more than was counted.
    async fn count(
        &mut self,
        store: &dyn Store,
        newest: Sequence,
    ) -> Result<Option<BTreeSet<ResourceId>>, Error> {
        let mut changed = BTreeSet::new();
        for _ in 0..MOST_COUNTED / WINDOW {
            let counted = self.counted.unwrap_or(newest);
            if counted >= newest {
                return Ok(Some(changed));
            }
            let records = store.commits(counted, WINDOW).await?;
            let Some(last) = records.last() else {
                return Ok(None);
            };
            self.counted = Some(last.sequence);
            for origin in origins(store, &records).await?.values() {
                let cause = CauseKind::from(&origin.cause);
                *self.commits.entry(cause).or_default() += 1;
            }
            changed.extend(records.into_iter().flat_map(|it| it.changes.into_keys()));
        }
        Ok(None)
    }
}

/// What there is once these have changed.
async fn held_after(
    store: &dyn Store,
    mut held: Holdings,
    changed: &BTreeSet<ResourceId>,
    newest: Sequence,
) -> Result<Holdings, Error> {
    // What a cluster is called decides which sets go there.
    if changed
        .iter()
        .any(|id| matches!(id, ResourceId::Cluster(_)))
    {
        return all(store).await;
    }
    let sets: BTreeSet<_> = changed.iter().filter_map(ResourceId::set).collect();
    if sets.is_empty() {
        held.sequence = held.sequence.max(newest);
        return Ok(held);
    }
    let found = store.heads(&Which::around(sets.iter().copied())).await?;
    let clusters = clusters(&found.heads);
    let all = Arc::make_mut(&mut held.sets);
    for set in sets {
        let newest = found.heads.get(&ResourceId::Set(set.clone()));
        match newest.and_then(|newest| of(newest, &clusters)) {
            Some(figures) => _ = all.insert(set.clone(), figures),
            None => _ = all.remove(set),
        }
    }
    held.sequence = found.sequence;
    Ok(held)
}

/// Everything that there is.
async fn all(store: &dyn Store) -> Result<Holdings, Error> {
    let HeadsAt { sequence, heads } = store.heads(&Which::All).await?;
    Ok(Holdings {
        sequence,
        sets: Arc::new(all_sets(&heads).await),
        commits: BTreeMap::new(),
    })
}

async fn all_sets(heads: &Heads) -> BTreeMap<SetName, SetFigures> {
    let clusters = clusters(heads);
    let mut sets = BTreeMap::new();
    for (id, head) in heads {
        let Some((name, figures)) = id.set().zip(of(head, &clusters)) else {
            continue;
        };
        sets.insert(name.clone(), figures);
        if sets.len().is_multiple_of(TURN) {
            tokio::task::yield_now().await;
        }
    }
    sets
}

/// What there is to tell of a set with this head; `None`: it is none, or no more.
fn of(head: &Revision, clusters: &BTreeMap<&ClusterName, &Cluster>) -> Option<SetFigures> {
    let set = head.content.set()?;
    let places = clusters.iter();
    let places: Vec<_> = places
        .filter(|(_, cluster)| set.clusters.matches(&cluster.labels))
        .collect();
    let states = |breaker| {
        let each = places.iter();
        each.map(|(_, cluster)| head.overrides.status(breaker, &cluster.labels).state)
            .collect()
    };
    let breakers = set.breakers.keys();
    Some(SetFigures {
        version: head.version,
        clusters: places.iter().map(|(name, _)| (**name).clone()).collect(),
        breakers: breakers.map(|it| (it.clone(), states(it))).collect(),
    })
}
