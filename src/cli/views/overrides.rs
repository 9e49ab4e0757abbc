//! Flags and breakers as people see them.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use jiff::Timestamp;
use serde::Serialize;

use super::super::runtime::Scene;
use super::super::ui::{Look, Report};
use super::table::{age, moment, printable};
use super::values::value_lines;
use crate::model::{BreakerState, ClusterName, Overrides, SetName};
use crate::plan::{Delivery, Held, Hold, Pair, ValueChange, value_changes};
use crate::render;

/// Since when, by whom, why and until when something is held.
pub(crate) fn held_by(held: &Held) -> String {
    let mut text = format!("since {} ({}", moment(held.since), printable(&held.actor));
    if let Some(reason) = &held.reason {
        _ = write!(text, ": \"{}\"", printable(reason));
    }
    text.push(')');
    if let Some(until) = held.until {
        _ = write!(text, ", until {}", moment(until));
    }
    text
}

/// How long something is still held.
pub(crate) fn lasts(until: Option<Timestamp>, now: Timestamp) -> String {
    match until {
        None => "until it is taken back".to_owned(),
        Some(until) if until <= now => "over".to_owned(),
        // An age counts forwards as well as backwards.
        Some(until) => age(now, until),
    }
}

/// Something that is switched by hand, and where.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HoldView {
    set: String,
    clusters: Vec<String>,
    #[serde(flatten)]
    hold: Hold,
}

impl HoldView {
    /// What is switched by hand in any of these clusters.
    pub(crate) fn all<'a>(deliveries: impl IntoIterator<Item = &'a Delivery>) -> Vec<Self> {
        let holds = deliveries.into_iter().flat_map(|delivery| {
            let Pair { set, cluster } = &delivery.pair;
            (delivery.overridden.iter()).map(move |hold| (set, cluster, hold.clone()))
        });
        Self::gathered(holds)
    }

    /// The same thing in several clusters is shown once.
    pub(crate) fn gathered<'a>(
        holds: impl Iterator<Item = (&'a SetName, &'a ClusterName, Hold)>,
    ) -> Vec<Self> {
        let mut views: Vec<Self> = Vec::new();
        for (set, cluster, hold) in holds {
            let mut known = views.iter_mut();
            match known.find(|view| view.set == set.as_str() && view.hold == hold) {
                Some(view) => view.clusters.push(cluster.to_string()),
                None => views.push(Self {
                    set: set.to_string(),
                    clusters: vec![cluster.to_string()],
                    hold,
                }),
            }
        }
        views
    }

    /// One line for people.
    pub(crate) fn line(&self) -> String {
        let (what, held) = match &self.hold {
            Hold::Flag {
                flag,
                variant,
                held,
            } => {
                let variant = printable(variant);
                (format!("flag {flag} held at {variant}"), held)
            }
            Hold::Breaker {
                breaker,
                state: BreakerState::Disabled,
                held,
            } => (format!("breaker {breaker} disabled"), held),
            Hold::Breaker { breaker, held, .. } => (format!("held by breaker {breaker}"), held),
        };
        let clusters = self.clusters.join(", ");
        format!("* {} in {clusters}: {what} {}\n", self.set, held_by(held))
    }
}

/// What a change of overrides means in every cluster.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Effect {
    set: String,
    note: Option<String>,
    effects: Vec<EffectIn>,
}

/// Clusters in which the same changes.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EffectIn {
    clusters: Vec<String>,
    changes: Vec<ValueChange>,
}

impl Effect {
    /// What changes in every cluster that gets `set` if `overrides` are in force from now on.
    pub(crate) fn new(
        set: &SetName,
        scene: &Scene<'_>,
        overrides: &Overrides,
        note: Option<String>,
    ) -> Self {
        Self {
            set: set.to_string(),
            note,
            effects: effects(scene, scene.overrides, overrides),
        }
    }
}

/// What is different between two states of the overrides, by clusters with the same differences.
pub(crate) fn effects(scene: &Scene<'_>, before: &Overrides, after: &Overrides) -> Vec<EffectIn> {
    let mut found: Vec<(Vec<ValueChange>, Vec<&ClusterName>)> = Vec::new();
    for (name, cluster) in scene.clusters {
        let labels = &cluster.labels;
        if !scene.set.clusters.matches(labels) {
            continue;
        }
        let [before, after] =
            [before, after].map(|overrides| render::contents(scene.set, overrides, labels));
        let changes = value_changes(&before.whole(), &after.whole());
        match found.iter_mut().find(|(known, _)| *known == changes) {
            Some((_, clusters)) => clusters.push(*name),
            None => found.push((changes, vec![*name])),
        }
    }
    let effect = |(changes, clusters): (Vec<ValueChange>, Vec<&ClusterName>)| EffectIn {
        clusters: clusters.iter().map(ToString::to_string).collect(),
        changes,
    };
    found.into_iter().map(effect).collect()
}

/// Effects as lines.
pub(crate) fn effect_lines(effects: &[EffectIn], look: Look, text: &mut String) {
    for effect in effects {
        let clusters = effect.clusters.join(", ");
        if effect.changes.is_empty() {
            _ = writeln!(text, "in {clusters}: nothing changes");
        } else {
            _ = writeln!(text, "in {clusters}:");
            value_lines(&effect.changes, look, text);
        }
    }
}

impl Report for Effect {
    const KIND: &'static str = "Effect";

    fn table(&self, look: Look) -> String {
        let mut text = String::new();
        if let Some(note) = &self.note {
            _ = writeln!(text, "{}", printable(note));
        }
        effect_lines(&self.effects, look, &mut text);
        if self.effects.is_empty() {
            _ = writeln!(text, "{} goes to no cluster", self.set);
        }
        text
    }

    fn names(&self) -> Vec<String> {
        let changed = self.effects.iter().filter(|it| !it.changes.is_empty());
        let names: BTreeSet<&String> = changed.flat_map(|it| &it.clusters).collect();
        names.into_iter().cloned().collect()
    }
}
