//! Alerts: what a message of them came to, what it would come to, and which fire.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{EffectIn, NewRevision, Report};
use crate::api::AlertEffect;
use crate::model::{AlertStatus, Fingerprint, Selector, SetName};

/// What a message of alerts came to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AlertsTaken {
    /// What each alert of the message came to, in its order.
    pub alerts: Vec<TakenAlert>,
    /// The new revisions.
    pub committed: Vec<NewRevision>,
    /// The sets in which nothing could be done; the same message once more may do it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<FailedSet>,
    /// What is in the message and is no alert.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unreadable: Vec<Unreadable>,
}

impl AlertsTaken {
    /// Whether the same message once more may do what was not done.
    pub fn is_to_be_repeated(&self) -> bool {
        let mut told = self.alerts.iter().flat_map(|alert| &alert.breakers);
        !self.failed.is_empty() || told.any(|told| told.effect.is_refused())
    }
}

impl Report for AlertsTaken {
    const KIND: &'static str = "AlertsTaken";
}

/// What one alert came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TakenAlert {
    /// What it is called.
    pub name: String,
    /// What tells it from others.
    pub fingerprint: Fingerprint,
    /// Whether it fires.
    pub status: AlertStatus,
    /// The breakers that it has to do with; none: it matches nothing.
    pub breakers: Vec<ToldBreaker>,
}

/// What one alert came to for one breaker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ToldBreaker {
    /// The breaker, as `SET/BREAKER`.
    pub breaker: String,
    /// In which clusters; left out: everywhere.
    #[serde(default, skip_serializing_if = "Selector::is_empty")]
    pub clusters: Selector,
    /// What it came to.
    pub effect: AlertEffect,
}

/// A set in which nothing could be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FailedSet {
    /// The set.
    pub set: SetName,
    /// Why.
    pub reason: String,
}

/// What stands in place of an alert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Unreadable {
    /// Where, from 0 on.
    pub index: usize,
    /// What is wrong with it.
    pub reason: String,
}

/// What a message of alerts would come to for one breaker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AlertTest {
    /// The breaker, as `SET/BREAKER`.
    pub breaker: String,
    /// What each alert of the message would come to, in its order.
    pub alerts: Vec<TestedAlert>,
    /// What would be different in every cluster.
    pub effects: Vec<EffectIn>,
}

impl Report for AlertTest {
    const KIND: &'static str = "AlertTest";
}

/// What one alert would come to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TestedAlert {
    /// What it is called.
    pub name: String,
    /// Whether it fires.
    pub status: AlertStatus,
    /// What it would come to; none: it does not match.
    pub told: Vec<ToldBreaker>,
    /// The labels that the breaker wants otherwise: what they are, if they are there.
    pub differing: BTreeMap<String, Option<String>>,
}

/// Which alerts fire, and which matched nothing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Alerts {
    /// Those that fire, by breaker.
    pub firing: Vec<FiringAlert>,
    /// Those that this server was told of and that trip nothing, the newest first.
    pub unmatched: Vec<UnmatchedAlert>,
}

impl Report for Alerts {
    const KIND: &'static str = "Alerts";
}

/// An alert that fires for a breaker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FiringAlert {
    /// The breaker, as `SET/BREAKER`.
    pub breaker: String,
    /// In which clusters; left out: everywhere.
    #[serde(default, skip_serializing_if = "Selector::is_empty")]
    pub clusters: Selector,
    /// What the alert is called.
    pub name: String,
    /// What tells it from others.
    pub fingerprint: Fingerprint,
    /// Since when it fires, if that was said.
    pub since: Option<Timestamp>,
    /// Whether the breaker is open for alerts there; a person may have reset it.
    pub open: bool,
}

/// An alert that trips nothing: it matches no breaker, or none that it could trip.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UnmatchedAlert {
    /// What tells it from others.
    pub fingerprint: Fingerprint,
    /// What it is about.
    pub labels: BTreeMap<String, String>,
    /// Whether it fired when it was told of last.
    pub status: AlertStatus,
    /// When that was.
    pub at: Timestamp,
    /// How often it was told of.
    pub count: u64,
    /// Why it trips nothing, by breaker; empty: it matches none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub reasons: BTreeMap<String, AlertEffect>,
}
