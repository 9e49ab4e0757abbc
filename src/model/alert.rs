//! Alerts, as a monitoring system tells of them, and which of them fire.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::value::canonical;
use super::{BreakerName, Digest, Selector};

/// The label that names an alert.
pub const ALERT_NAME: &str = "alertname";
/// What Grafana calls the alerts that stand for a rule that has no data, or that could not be evaluated:
/// <https://grafana.com/docs/grafana/latest/alerting/fundamentals/alert-rule-evaluation/stale-alert-instances/>.
const WITHOUT_DATA: [&str; 2] = ["DatasourceNoData", "DatasourceError"];

/// One alert of a message. Only its status and its labels are certain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Alert {
    /// Whether it fires.
    pub status: AlertStatus,
    /// What it is about.
    pub labels: BTreeMap<String, String>,
    /// What tells it from others.
    pub fingerprint: Fingerprint,
    /// Since when it fires, if that was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts: Option<Timestamp>,
    /// Since when it does no more, if that was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends: Option<Timestamp>,
    /// What a person should read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// What the status follows from.
    pub evidence: Evidence,
}

/// Whether an alert fires.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum AlertStatus {
    /// It does.
    Firing,
    /// It did.
    Resolved,
}

impl AlertStatus {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Firing => "firing",
            Self::Resolved => "resolved",
        }
    }
}

/// What the status of an alert follows from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Evidence {
    /// What was measured.
    Measured,
    /// That nothing was measured, which proves nothing.
    Absent,
}

impl Alert {
    /// What a person would call it.
    pub fn name(&self) -> &str {
        self.labels.get(ALERT_NAME).map_or("alert", String::as_str)
    }

    /// Whether it stands for a rule that had no data.
    pub fn is_without_data(&self) -> bool {
        WITHOUT_DATA.contains(&self.name())
    }

    /// Whether what it ends is what fires since `held`: a message may be older than the last firing.
    pub fn ends_what_fires_since(&self, held: Option<Timestamp>) -> bool {
        // Two servers of Prometheus that watch the same may not agree on when it began.
        let told = self.ends.or(self.starts);
        match (told, held) {
            (Some(told), Some(held)) => told >= held,
            (None, _) | (_, None) => true,
        }
    }
}

/// What tells an alert from others, whatever its status: in Alertmanager a digest of its labels.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schemars(extend("pattern" = "^[0-9A-Za-z_-]{1,40}$"))]
pub struct Fingerprint(String);

/// Text that is no fingerprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a fingerprint is 1 to 40 letters, digits, `_` and `-`")]
pub struct FingerprintError;

impl Fingerprint {
    /// The longest one, in bytes; Alertmanager's have 16.
    const MAX_BYTES: usize = 40;
    /// The digits of one that is made here.
    const DIGITS: usize = 32;

    /// The one of an alert that comes without: a digest of its labels.
    pub fn of(labels: &BTreeMap<String, String>) -> Self {
        let mut digits = Digest::of(&canonical(labels)).hex();
        digits.truncate(Self::DIGITS);
        Self(digits)
    }

    /// The fingerprint as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for Fingerprint {
    type Err = FingerprintError;

    fn from_str(input: &str) -> Result<Self, Self::Err> {
        let is_known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        let fits = (1..=Self::MAX_BYTES).contains(&input.len());
        if !fits || !input.bytes().all(is_known) {
            return Err(FingerprintError);
        }
        Ok(Self(input.to_owned()))
    }
}

impl TryFrom<String> for Fingerprint {
    type Error = FingerprintError;

    fn try_from(input: String) -> Result<Self, Self::Error> {
        input.parse()
    }
}

impl From<Fingerprint> for String {
    fn from(fingerprint: Fingerprint) -> Self {
        fingerprint.0
    }
}

/// The alerts that fire for the breakers of one set, by breaker and clusters. What was told once is
/// in here until it is resolved, whatever becomes of the breaker meanwhile: it trips it once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FiringAlerts {
    firing: BTreeMap<BreakerName, BTreeMap<Selector, BTreeMap<Fingerprint, Fires>>>,
    /// Those that were resolved last, and when they were over: a message may come late or twice.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    over: BTreeMap<Fingerprint, Timestamp>,
}

/// One alert that fires.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Fires {
    /// Since when, if that was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// When it was told of first, if that was before it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told: Option<Timestamp>,
    /// What it is called, where the breaker does not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl Fires {
    /// Since when, as far as it may be: one that begins in the future would outlive whatever ends it.
    pub fn begun(&self) -> Option<Timestamp> {
        self.since
            .map(|since| self.told.map_or(since, |told| since.min(told)))
    }
}

impl FiringAlerts {
    /// How many are remembered that were resolved.
    const MOST_OVER: usize = 100;
    /// How long: a sender that is late for longer is not one of these.
    const REMEMBERED: SignedDuration = SignedDuration::from_hours(24);
    /// How much of it is kept, in bytes of JSON, which is less than what a record may have.
    const MAX_BYTES: usize = 60 * 1024;
    /// What an alert takes beside its texts, in bytes of JSON: quotes, a time, the names of fields.
    const BYTES_BESIDE: usize = 64;
    /// The longest name that is kept, in characters.
    const NAME_CHARS: usize = 60;

    /// Whether none fires.
    pub fn is_empty(&self) -> bool {
        self.firing.is_empty() && self.over.is_empty()
    }

    /// When this one was over, if it was resolved lately.
    pub fn over(&self, alert: &Fingerprint) -> Option<Timestamp> {
        self.over.get(alert).copied()
    }

    /// Takes note that an alert was over `at` this time.
    pub fn end(&mut self, alert: &Fingerprint, at: Timestamp, now: Timestamp) {
        let over = self.over.entry(alert.clone()).or_insert(at);
        *over = at.max(*over);
        let is_late = |at: &Timestamp| now.duration_since(*at) > Self::REMEMBERED;
        self.over.retain(|_, at| !is_late(at));
        while self.over.len() > Self::MOST_OVER {
            let oldest = self.over.iter().min_by_key(|(_, at)| **at);
            let Some(oldest) = oldest.map(|(alert, _)| alert.clone()) else {
                return;
            };
            self.over.remove(&oldest);
        }
    }

    /// The fingerprints of all.
    pub fn fingerprints(&self) -> impl Iterator<Item = &Fingerprint> {
        let places = self.firing.values().flat_map(BTreeMap::values);
        places.flat_map(BTreeMap::keys)
    }

    /// All of them, with the breaker and the clusters that each is about.
    pub fn iter(&self) -> impl Iterator<Item = (&BreakerName, &Selector, &Fingerprint, &Fires)> {
        self.firing.iter().flat_map(|(breaker, places)| {
            places.iter().flat_map(move |(clusters, alerts)| {
                let alerts = alerts.iter();
                alerts.map(move |(fingerprint, fires)| (breaker, clusters, fingerprint, fires))
            })
        })
    }

    /// How many fire for `breaker` in exactly these clusters.
    pub fn count(&self, breaker: &BreakerName, clusters: &Selector) -> usize {
        let places = self.firing.get(breaker);
        places
            .and_then(|places| places.get(clusters))
            .map_or(0, BTreeMap::len)
    }

    /// How this one fires for `breaker` in these clusters, if it does.
    pub fn get(
        &self,
        breaker: &BreakerName,
        clusters: &Selector,
        alert: &Fingerprint,
    ) -> Option<&Fires> {
        self.firing.get(breaker)?.get(clusters)?.get(alert)
    }

    /// Where `alert` fires for `breaker`, and since when.
    pub fn places(
        &self,
        breaker: &BreakerName,
        alert: &Fingerprint,
    ) -> Vec<(Selector, Option<Timestamp>)> {
        let places = self.firing.get(breaker).into_iter().flatten();
        places
            .filter_map(|(clusters, alerts)| Some((clusters.clone(), alerts.get(alert)?.begun())))
            .collect()
    }

    /// Takes note that an alert fires; whether there is room for it.
    #[must_use]
    pub fn insert(
        &mut self,
        breaker: &BreakerName,
        clusters: &Selector,
        alert: &Fingerprint,
        mut fires: Fires,
    ) -> bool {
        if let Some(name) = &mut fires.name {
            *name = name.chars().take(Self::NAME_CHARS).collect();
        }
        let is_new = self.get(breaker, clusters, alert).is_none();
        self.over.remove(alert);
        if is_new && self.bytes().saturating_add(bytes(alert, &fires)) > Self::MAX_BYTES {
            return false;
        }
        let places = self.firing.entry(breaker.clone()).or_default();
        let alerts = places.entry(clusters.clone()).or_default();
        alerts.insert(alert.clone(), fires);
        true
    }

    /// Forgets one that does not fire any more.
    pub fn remove(&mut self, breaker: &BreakerName, clusters: &Selector, alert: &Fingerprint) {
        let Some(places) = self.firing.get_mut(breaker) else {
            return;
        };
        if let Some(alerts) = places.get_mut(clusters) {
            alerts.remove(alert);
        }
        places.retain(|_, alerts| !alerts.is_empty());
        self.firing.retain(|_, places| !places.is_empty());
    }

    /// Forgets those of breakers that are not among `declared`.
    pub fn keep(&mut self, is_declared: impl Fn(&BreakerName) -> bool) {
        self.firing.retain(|breaker, _| is_declared(breaker));
    }

    /// At most so many bytes of JSON.
    fn bytes(&self) -> usize {
        let each = self.firing.iter().map(|(breaker, places)| {
            let each = places.iter().map(|(clusters, alerts)| {
                let alerts = alerts.iter();
                let alerts = alerts.map(|(alert, fires)| bytes(alert, fires));
                clusters.to_string().len() + Self::BYTES_BESIDE + alerts.sum::<usize>()
            });
            breaker.as_str().len() + Self::BYTES_BESIDE + each.sum::<usize>()
        });
        let over = self
            .over
            .keys()
            .map(|alert| alert.as_str().len() + Self::BYTES_BESIDE);
        each.sum::<usize>() + over.sum::<usize>()
    }
}

fn bytes(alert: &Fingerprint, fires: &Fires) -> usize {
    // A character that JSON escapes takes six bytes.
    let name = fires.name.as_ref().map_or(0, |name| name.len() * 6);
    let times = if fires.told.is_some() { 2 } else { 1 };
    alert.as_str().len() + name + times * FiringAlerts::BYTES_BESIDE
}

#[cfg(test)]
#[path = "alert_tests.rs"]
mod tests;
