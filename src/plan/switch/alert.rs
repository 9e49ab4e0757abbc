//! Alerts, and what they come to for the breakers of one set.
//!
//! A breaker holds the set of its firing alerts. One that was told of before changes nothing, however
//! often it is told of again: after a person's reset it takes another one, or the same one anew. That
//! an alert is not told of proves nothing.

use std::collections::BTreeSet;
use std::fmt;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Ground;
use crate::model::{
    ALERT_NAME, Alert, AlertStatus, Breaker, BreakerName, Cause, Evidence, Fired, Fires,
    FiringAlerts, LastGone, Overrides, Requirement, Selector, Stamp, TripRequest, holds_token,
};

/// What one alert comes to for one breaker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum AlertEffect {
    /// It opens.
    Opened,
    /// It opens, and stays so until a person resets it: it was tripped too often within an hour, or for
    /// more alerts than are counted.
    Latched,
    /// It is open for other alerts already, and waits for this one too.
    Held,
    /// The alert was told of before.
    Known,
    /// The alert was resolved since then.
    Over,
    /// It is disabled.
    Disabled,
    /// The alert names no cluster that gets the set.
    NoCluster,
    /// The alert says that its rule had no data.
    NoData,
    /// Nothing more can be switched in this set.
    Refused {
        /// Why.
        reason: String,
    },
    /// It closes.
    Closed,
    /// It closes by itself later.
    ClosesAt {
        /// When.
        until: Timestamp,
    },
    /// It stays open until a person resets it.
    Stays,
    /// Other alerts still fire for it.
    StillFiring {
        /// How many.
        others: usize,
    },
    /// It was not open for this alert.
    NotFiring,
    /// The alert fires anew since then.
    Older,
    /// It stays open: the alert was resolved for want of data.
    Unproven,
}

impl AlertEffect {
    /// Whether nothing comes of an alert that fires.
    pub fn is_in_vain(&self) -> bool {
        matches!(self, Self::NoCluster | Self::NoData | Self::Disabled)
    }

    /// Whether it could not be done now.
    pub fn is_refused(&self) -> bool {
        matches!(self, Self::Refused { .. })
    }

    /// The word for it, for figures.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Latched => "latched",
            Self::Held => "held",
            Self::Known => "known",
            Self::Over => "over",
            Self::Disabled => "disabled",
            Self::NoCluster => "no_cluster",
            Self::NoData => "no_data",
            Self::Refused { .. } => "refused",
            Self::Closed => "closed",
            Self::ClosesAt { .. } => "closes_later",
            Self::Stays => "stays",
            Self::StillFiring { .. } => "still_firing",
            Self::NotFiring => "not_firing",
            Self::Older => "older",
            Self::Unproven => "unproven",
        }
    }
}

impl fmt::Display for AlertEffect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Opened => "opens",
            Self::Latched => "opens, until a person resets it",
            Self::Held => "is open, and waits for this alert too",
            Self::Known => "knows of this alert already",
            Self::Over => "is not tripped: the alert was resolved since then",
            Self::Disabled => "is disabled",
            Self::NoCluster => "is not tripped: the alert names no cluster that gets the set",
            Self::NoData => "is not tripped: the rule of the alert has no data",
            Self::Refused { reason } => return write!(f, "is not tripped: {reason}"),
            Self::Closed => "closes",
            Self::ClosesAt { until } => {
                return write!(f, "closes at {}", until.strftime("%Y-%m-%d %H:%M:%SZ"));
            }
            Self::Stays => "stays open until a person resets it",
            Self::StillFiring { others: 1 } => "stays open: another alert still fires",
            Self::StillFiring { others } => {
                return write!(f, "stays open: {others} other alerts still fire");
            }
            Self::NotFiring => "is not open for this alert",
            Self::Older => "stays open: the alert fires anew since then",
            Self::Unproven => "stays open: the alert was resolved for want of data",
        })
    }
}

/// What one alert of a message comes to for one breaker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertTold {
    /// Which alert of the message, from 0 on.
    pub alert: usize,
    /// The breaker.
    pub breaker: BreakerName,
    /// In which clusters.
    pub clusters: Selector,
    /// What it comes to.
    pub effect: AlertEffect,
}

/// What a message comes to for the breakers of one set.
#[derive(Clone, Debug, PartialEq)]
pub struct Alerted {
    /// All that is overridden from now on.
    pub overrides: Overrides,
    /// The alerts that fire from now on.
    pub firing: FiringAlerts,
    /// How the history names it.
    pub cause: Cause,
    /// What each alert comes to, in the order of the message.
    pub told: Vec<AlertTold>,
}

/// What `alerts` come to on `ground`, where these `firing` were told of before, as `actor` tells.
pub fn alerted(
    ground: &Ground<'_>,
    firing: &FiringAlerts,
    alerts: &[Alert],
    actor: &str,
) -> Alerted {
    let mut at_work = AtWork {
        ground,
        actor,
        overrides: ground.overrides.clone(),
        firing: firing.clone(),
        told: Vec::new(),
    };
    at_work
        .firing
        .keep(|breaker| ground.set.breakers.contains_key(breaker));
    for (index, alert) in alerts.iter().enumerate() {
        for (name, declared) in &ground.set.breakers {
            at_work.take(index, alert, (name, declared));
        }
    }
    let having = |effects: &[AlertEffect]| -> BTreeSet<BreakerName> {
        let told = at_work.told.iter();
        told.filter(|told| effects.contains(&told.effect))
            .map(|told| told.breaker.clone())
            .collect()
    };
    let cause = Cause::Alert {
        tripped: having(&[AlertEffect::Opened, AlertEffect::Latched]),
        closed: having(&[AlertEffect::Closed]),
    };
    Alerted {
        overrides: at_work.overrides,
        firing: at_work.firing,
        cause,
        told: at_work.told,
    }
}

/// A message that is being taken in.
struct AtWork<'a> {
    ground: &'a Ground<'a>,
    actor: &'a str,
    overrides: Overrides,
    firing: FiringAlerts,
    told: Vec<AlertTold>,
}

/// A breaker as it is declared.
type Declared<'a> = (&'a BreakerName, &'a Breaker);

impl AtWork<'_> {
    fn take(&mut self, index: usize, alert: &Alert, breaker: Declared<'_>) {
        let (name, declared) = breaker;
        let is_meant = declared.is_tripped_by(&alert.labels);
        let effects = match alert.status {
            AlertStatus::Firing if is_meant => vec![self.fires(alert, breaker)],
            AlertStatus::Firing => return,
            AlertStatus::Resolved => {
                // What it was told of is undone also where the breaker waits for others by now.
                let places = self.firing.places(name, &alert.fingerprint);
                let is_known = is_meant || !places.is_empty();
                let over = alert.ends.or(alert.starts);
                if let (true, Evidence::Measured, Some(over)) = (is_known, alert.evidence, over) {
                    let now = self.ground.clocks.setting;
                    // One that ends in the future would keep it from ever firing again.
                    self.firing.end(&alert.fingerprint, over.min(now), now);
                }
                if places.is_empty() && is_meant {
                    let nowhere = place(self.ground, declared, alert).unwrap_or_default();
                    vec![(nowhere, AlertEffect::NotFiring)]
                } else {
                    let each = places.into_iter();
                    each.map(|place| self.ends(alert, breaker, place)).collect()
                }
            }
        };
        self.told
            .extend(effects.into_iter().map(|(clusters, effect)| AlertTold {
                alert: index,
                breaker: name.clone(),
                clusters,
                effect,
            }));
    }

    fn fires(&mut self, alert: &Alert, (name, declared): Declared<'_>) -> (Selector, AlertEffect) {
        let is_named = declared.alerts.contains_key(ALERT_NAME);
        if alert.is_without_data() && !is_named {
            return (Selector::default(), AlertEffect::NoData);
        }
        let Some(clusters) = place(self.ground, declared, alert) else {
            return (Selector::default(), AlertEffect::NoCluster);
        };
        let now = self.ground.clocks.setting;
        let fires = Fires {
            since: alert.starts,
            told: alert
                .starts
                .is_some_and(|starts| starts > now)
                .then_some(now),
            name: (!is_named).then(|| alert.name().to_owned()),
        };
        let known = self.firing.get(name, &clusters, &alert.fingerprint);
        if known.is_some_and(|known| fires.since <= known.since) {
            return (clusters, AlertEffect::Known);
        }
        let over = self.firing.over(&alert.fingerprint);
        if over.is_some_and(|over| fires.begun().is_some_and(|begun| begun < over)) {
            return (clusters, AlertEffect::Over);
        }
        let request = TripRequest {
            clusters: clusters.clone(),
            stamp: Stamp {
                actor: self.actor.to_owned(),
                since: now,
                reason: Some(reason(alert)),
            },
            keeping: self.ground.clocks.keeping,
            witness: self.ground.witness,
            limit: None,
        };
        let effect = match self.overrides.alert_fires(name, declared, request) {
            Err(error) => {
                let reason = error.to_string();
                return (clusters, AlertEffect::Refused { reason });
            }
            Ok(Fired::Disabled) => return (clusters, AlertEffect::Disabled),
            Ok(Fired::Opened) => AlertEffect::Opened,
            Ok(Fired::Latched) => AlertEffect::Latched,
            Ok(Fired::Open) => AlertEffect::Held,
        };
        let alert = &alert.fingerprint;
        if self.firing.insert(name, &clusters, alert, fires) {
            return (clusters, effect);
        }
        self.overrides.latch_alerts(name, &clusters);
        (clusters, AlertEffect::Latched)
    }

    fn ends(
        &mut self,
        alert: &Alert,
        (name, declared): Declared<'_>,
        (clusters, since): (Selector, Option<Timestamp>),
    ) -> (Selector, AlertEffect) {
        if !alert.ends_what_fires_since(since) {
            return (clusters, AlertEffect::Older);
        }
        if alert.evidence == Evidence::Absent {
            return (clusters, AlertEffect::Unproven);
        }
        self.firing.remove(name, &clusters, &alert.fingerprint);
        let others = self.firing.count(name, &clusters);
        if others > 0 {
            return (clusters, AlertEffect::StillFiring { others });
        }
        let (now, witness) = (self.ground.clocks.keeping, self.ground.witness);
        let gone = (self.overrides).last_alert_is_gone(name, declared, &clusters, now, witness);
        let effect = match gone {
            LastGone::Closed => AlertEffect::Closed,
            LastGone::ClosesAt(until) => AlertEffect::ClosesAt { until },
            LastGone::Stays => AlertEffect::Stays,
            LastGone::NotOpen => AlertEffect::NotFiring,
        };
        (clusters, effect)
    }
}

/// The clusters that `alert` is about; `None`: it names none that gets the set.
fn place(ground: &Ground<'_>, declared: &Breaker, alert: &Alert) -> Option<Selector> {
    let Some(label) = &declared.cluster else {
        return Some(Selector::default());
    };
    let value = alert.labels.get(label)?;
    let named = |labels: &crate::model::Labels| labels.get(label) == Some(value);
    let mut here = ground.here().filter(|(_, it)| named(&it.labels)).peekable();
    here.peek()?;
    let separately = &declared.separately;
    if !separately.is_empty() && here.any(|(_, it)| !separately.matches(&it.labels)) {
        // It is tripped in all of them or in none.
        return Some(Selector::default());
    }
    let requirement = Requirement::In(label.clone(), BTreeSet::from([value.clone()]));
    Some(Selector::new([requirement]))
}

/// What an alert is called that may not be named.
const ALERT: &str = "alert";
/// The longest reason that is taken over, in characters: every snapshot carries it.
const REASON_CHARS: usize = 200;

/// What a person reads of an alert, on one line.
fn reason(alert: &Alert) -> String {
    let text = match &alert.summary {
        Some(summary) => format!("{}: {summary}", alert.name()),
        None => alert.name().to_owned(),
    };
    let is_bare = |c: char| !c.is_control();
    let text = text.chars().map(|c| if is_bare(c) { c } else { ' ' });
    let text: String = text.take(REASON_CHARS).collect();
    // Everybody who reads the history would have it.
    if holds_token(&text) {
        return ALERT.to_owned();
    }
    text
}

#[cfg(test)]
#[path = "alert_tests.rs"]
mod tests;
