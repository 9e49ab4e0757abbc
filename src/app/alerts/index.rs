//! The index: which sets an alert may have to do with, without a look at all of them.
//!
//! It follows the log, and only says where to look: what a message comes to is decided on the heads.

use std::collections::{BTreeMap, BTreeSet};

use tokio::sync::Mutex;

use crate::api::Error;
use crate::app::entries::newest;
use crate::model::{
    ALERT_NAME, Alert, AlertStatus, Fingerprint, FiringAlerts, Record, RecordId, RecordKind,
    ResourceId, Revision, Sequence, SetName,
};
use crate::store::{Store, Which};

/// How many entries of the log are read at once.
const WINDOW: usize = 200;
/// After how many commits everything is read anew.
const MOST_FOLLOWED: u64 = 5_000;

/// Which sets alerts have to do with.
#[derive(Debug, Default)]
pub(super) struct Index(Mutex<Option<Known>>);

/// What is known as of one commit.
#[derive(Debug, Default)]
struct Known {
    sequence: Sequence,
    /// One label of each breaker that waits for alerts, and the sets of these breakers.
    waiting: BTreeMap<Label, BTreeSet<SetName>>,
    /// The alerts that fire, and the sets with a breaker that they fire for.
    firing: BTreeMap<Fingerprint, BTreeSet<SetName>>,
    /// The same by set, to take it out again.
    of_sets: BTreeMap<SetName, OfSet>,
}

type Label = (String, String);

#[derive(Debug, Default)]
struct OfSet {
    labels: BTreeSet<Label>,
    fingerprints: BTreeSet<Fingerprint>,
}

impl Index {
    /// The sets that these alerts may have to do with, and which of the alerts, by their place.
    pub(super) async fn meant(
        &self,
        store: &dyn Store,
        alerts: &[Alert],
    ) -> Result<BTreeMap<SetName, Vec<usize>>, Error> {
        let mut known = self.0.lock().await;
        let known = now(&mut known, store).await?;
        let mut meant: BTreeMap<SetName, Vec<usize>> = BTreeMap::new();
        for (index, alert) in alerts.iter().enumerate() {
            for set in known.sets_of(alert) {
                meant.entry(set.clone()).or_default().push(index);
            }
        }
        Ok(meant)
    }
}

/// What is known, as of the newest commit.
async fn now<'k>(known: &'k mut Option<Known>, store: &dyn Store) -> Result<&'k Known, Error> {
    let now = match known.take() {
        // Whoever goes away meanwhile leaves nothing behind, and the next one reads all of it.
        Some(before) => before.follow(store).await?,
        None => Known::of_all(store).await?,
    };
    Ok(known.insert(now))
}

impl Known {
    async fn of_all(store: &dyn Store) -> Result<Self, Error> {
        // In this order: what is committed between the two is followed afterwards.
        let found = store.heads(&Which::All).await?;
        let mut known = Self {
            sequence: found.sequence,
            ..Self::default()
        };
        for (id, head) in &found.heads {
            if let ResourceId::Set(set) = id {
                known.learn_set(set, Some(head));
            }
        }
        for (id, record) in store.records(RecordKind::Alerts).await?.records {
            if let RecordId::Alerts(set) = id {
                known.learn_firing(&set, Some(&record));
            }
        }
        Ok(known)
    }

    /// The same as of the newest commit.
    async fn follow(mut self, store: &dyn Store) -> Result<Self, Error> {
        let newest = newest(store).await?;
        let behind = newest.get().checked_sub(self.sequence.get());
        // A store that was restored from a backup has another history.
        let Some(behind) = behind.filter(|behind| *behind <= MOST_FOLLOWED) else {
            return Self::of_all(store).await;
        };
        if behind == 0 {
            return Ok(self);
        }
        let (mut sets, mut records) = (BTreeSet::new(), BTreeSet::new());
        while self.sequence < newest {
            let entries = store.commits(self.sequence, WINDOW).await?;
            let Some(last) = entries.last() else {
                return Self::of_all(store).await;
            };
            self.sequence = last.sequence;
            for entry in entries {
                sets.extend(entry.changes.into_keys().filter_map(|id| id.set().cloned()));
                records.extend(entry.records.into_keys());
            }
        }
        let ids = sets.iter().cloned().map(ResourceId::Set).collect();
        let heads = store.heads(&Which::Named(ids)).await?.heads;
        for set in &sets {
            self.learn_set(set, heads.get(&ResourceId::Set(set.clone())));
        }
        for id in records {
            if let RecordId::Alerts(set) = &id {
                let found = store.record(&id).await?;
                self.learn_firing(set, found.as_ref());
            }
        }
        Ok(self)
    }

    fn learn_set(&mut self, set: &SetName, head: Option<&Revision>) {
        let breakers = head.and_then(|head| head.content.set()).into_iter();
        let breakers = breakers.flat_map(|set| set.breakers.values());
        let labels = breakers.filter_map(|breaker| {
            let alerts = &breaker.alerts;
            // The name of an alert tells more than any other label.
            let label = alerts
                .get_key_value(ALERT_NAME)
                .or(alerts.first_key_value());
            label.map(|(key, value)| (key.clone(), value.clone()))
        });
        let labels: BTreeSet<Label> = labels.collect();
        let of_set = self.of_sets.entry(set.clone()).or_default();
        relearn(&mut self.waiting, &of_set.labels, &labels, set);
        of_set.labels = labels;
        self.forget_empty(set);
    }

    fn learn_firing(&mut self, set: &SetName, record: Option<&Record>) {
        let firing = record.and_then(|record| record.content.firing());
        let fingerprints = firing.into_iter().flat_map(FiringAlerts::fingerprints);
        let fingerprints: BTreeSet<Fingerprint> = fingerprints.cloned().collect();
        let of_set = self.of_sets.entry(set.clone()).or_default();
        relearn(&mut self.firing, &of_set.fingerprints, &fingerprints, set);
        of_set.fingerprints = fingerprints;
        self.forget_empty(set);
    }

    fn forget_empty(&mut self, set: &SetName) {
        let is_empty = |of_set: &OfSet| of_set.labels.is_empty() && of_set.fingerprints.is_empty();
        if self.of_sets.get(set).is_some_and(is_empty) {
            self.of_sets.remove(set);
        }
    }

    fn sets_of(&self, alert: &Alert) -> BTreeSet<&SetName> {
        let labels = alert.labels.iter();
        let labels = labels.map(|(key, value)| (key.clone(), value.clone()));
        let waiting = labels.filter_map(|label| self.waiting.get(&label));
        // What fires for a breaker that waits for others by now is over too.
        let fires = match alert.status {
            AlertStatus::Resolved => self.firing.get(&alert.fingerprint),
            AlertStatus::Firing => None,
        };
        waiting.chain(fires).flatten().collect()
    }
}

/// Takes `set` from under what it was found by, and puts it under what it is found by now.
fn relearn<K: Ord + Clone>(
    sets: &mut BTreeMap<K, BTreeSet<SetName>>,
    before: &BTreeSet<K>,
    after: &BTreeSet<K>,
    set: &SetName,
) {
    for key in before.difference(after) {
        if let Some(found) = sets.get_mut(key) {
            found.remove(set);
            if found.is_empty() {
                sets.remove(key);
            }
        }
    }
    for key in after.difference(before) {
        sets.entry(key.clone()).or_default().insert(set.clone());
    }
}
