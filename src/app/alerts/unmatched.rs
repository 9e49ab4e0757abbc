//! Alerts that trip nothing: kept for whoever wonders why nothing was tripped, as long as this
//! process lives.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use crate::api::report::{TakenAlert, UnmatchedAlert};
use crate::model::{Alert, Fingerprint};

/// How many are kept, those that were told of last.
const MOST: usize = 500;
/// How many breakers are named that one does not trip.
const MOST_REASONS: usize = 20;
/// How many bytes of labels are kept of each.
const LABEL_BYTES: usize = 2_000;

/// Those that were told of last.
#[derive(Debug, Default)]
pub(super) struct Unmatched(Mutex<BTreeMap<Fingerprint, UnmatchedAlert>>);

impl Unmatched {
    /// Takes note of these, which were told of `at` this time, and of what each came to.
    pub(super) fn note<'a>(
        &self,
        alerts: impl Iterator<Item = (&'a Alert, &'a TakenAlert)>,
        at: Timestamp,
    ) {
        let mut kept = self.kept();
        for (alert, taken) in alerts {
            let entry = kept.entry(alert.fingerprint.clone());
            let known = entry.or_insert_with(|| unmatched(alert, at));
            (known.status, known.at) = (alert.status, at);
            let told = taken.breakers.iter();
            let told = told.map(|told| (told.breaker.clone(), told.effect.clone()));
            known.reasons = told.take(MOST_REASONS).collect();
            known.count += 1;
            if kept.len() > MOST {
                let oldest = kept.values().min_by_key(|it| it.at);
                let oldest = oldest.map(|it| it.fingerprint.clone());
                kept.retain(|fingerprint, _| Some(fingerprint) != oldest.as_ref());
            }
        }
    }

    /// All that are kept, the newest first.
    pub(super) fn list(&self) -> Vec<UnmatchedAlert> {
        let mut all: Vec<_> = self.kept().values().cloned().collect();
        all.sort_by(|one, other| (other.at, &one.fingerprint).cmp(&(one.at, &other.fingerprint)));
        all
    }

    /// Nothing panics between two alerts.
    fn kept(&self) -> MutexGuard<'_, BTreeMap<Fingerprint, UnmatchedAlert>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn unmatched(alert: &Alert, at: Timestamp) -> UnmatchedAlert {
    let mut bytes = 0;
    let labels = alert.labels.iter().take_while(|(key, value)| {
        bytes += key.len() + value.len();
        bytes <= LABEL_BYTES
    });
    UnmatchedAlert {
        fingerprint: alert.fingerprint.clone(),
        labels: labels
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect(),
        status: alert.status,
        at,
        count: 0,
        reasons: BTreeMap::new(),
    }
}
