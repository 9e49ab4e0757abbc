//! Flags and breakers as people see them.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use jiff::Timestamp;
use serde::Serialize;

use super::super::runtime::{Edited, Scene};
use super::super::ui::{Look, Report};
use super::delivered::{Waiting, waiting_for};
use super::plan::condition_word;
use super::table::{count, moment, printable, span};
use super::values::value_lines;
use crate::model::{BreakerState, ClusterName, Labels, Overrides, Part, SetName};
use crate::plan::{
    Action, Condition, Delivery, Held, Hold, Pair, Plan, ValueChange, value_changes,
};
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
        Some(until) => span(until.duration_since(now)),
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
    /// The clusters that it was not delivered to, where they were looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    waiting: Option<Vec<Waiting>>,
}

impl HoldView {
    /// What is switched by hand in any of these clusters, and to which it was not delivered.
    pub(crate) fn all(deliveries: &[Delivery]) -> Vec<Self> {
        let holds = deliveries.iter().flat_map(|delivery| {
            let Pair { set, cluster } = &delivery.pair;
            (delivery.overridden.iter()).map(move |hold| (set, cluster, hold.clone()))
        });
        let mut views = Self::gathered(holds);
        for view in &mut views {
            let part = view.part();
            let here = deliveries.iter().filter(|delivery| {
                let Pair { set, cluster } = &delivery.pair;
                let named = view.clusters.iter().any(|name| name == cluster.as_str());
                named && view.set == set.as_str()
            });
            let waiting = here.filter_map(|delivery| Waiting::of(delivery, &part));
            view.waiting = Some(waiting.collect());
        }
        views
    }

    fn part(&self) -> Part {
        match &self.hold {
            Hold::Flag { flag, .. } => Part::Flag(flag.clone()),
            Hold::Breaker { breaker, .. } => Part::Breaker(breaker.clone()),
        }
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
                    waiting: None,
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
        let waiting = match self.waiting.as_deref() {
            None | Some([]) => String::new(),
            Some(waiting) => {
                let there = self.clusters.len().saturating_sub(waiting.len());
                format!("; delivered in {there}, {}", waiting_for(waiting))
            }
        };
        let held = held_by(held);
        format!("* {} in {clusters}: {what} {held}{waiting}\n", self.set)
    }
}

/// What a change of overrides means in every cluster.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Effect {
    set: String,
    note: Option<String>,
    /// Until when it lasts by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<Timestamp>,
    pub(crate) effects: Vec<EffectIn>,
}

/// Clusters in which the same changes.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EffectIn {
    clusters: Vec<String>,
    changes: Vec<ValueChange>,
    /// Why more or less than the switch itself changes there.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

impl Effect {
    /// What a switch changes by itself, whatever clusters hold.
    pub(crate) fn alone(set: &SetName, edited: &Edited, effects: &[EffectIn]) -> Self {
        Self {
            set: set.to_string(),
            note: edited.note.clone(),
            until: edited.until,
            effects: effects.to_vec(),
        }
    }

    /// What changes in every cluster that gets `set` if `edited` is in force from now on, and `plan`
    /// is carried out: a snapshot is replaced whole.
    pub(crate) fn in_plan(set: &SetName, scene: &Scene<'_>, edited: &Edited, plan: &Plan) -> Self {
        let in_cluster = |name: &ClusterName, labels: &Labels| {
            let pair = Pair {
                set: set.clone(),
                cluster: name.clone(),
            };
            let delivery = plan.delivery(&pair);
            let switched = || differences(scene, [scene.overrides, &edited.overrides], labels);
            match delivery.and_then(|delivery| Some((delivery, beyond(delivery)?))) {
                None => (switched(), None),
                Some((delivery, reason)) => match delivery.action {
                    Action::Wait | Action::Refuse => (switched(), Some(reason)),
                    _ => (delivery.changes.clone(), Some(reason)),
                },
            }
        };
        Self {
            set: set.to_string(),
            note: edited.note.clone(),
            until: edited.until,
            effects: gathered(scene, in_cluster),
        }
    }
}

/// Why more or less than a switch happens to one cluster, if so.
fn beyond(delivery: &Delivery) -> Option<String> {
    let held = delivery
        .holds
        .as_ref()
        .map_or(0, |(version, _)| version.get());
    match (&delivery.action, &delivery.condition) {
        (Action::Wait, _) => Some("cannot be looked at, and gets it later".to_owned()),
        (Action::Refuse, _) => Some("something stands against it, and it gets nothing".to_owned()),
        (_, Condition::InSync | Condition::None) => None,
        (_, Condition::Behind) => Some(format!(
            "holds version {held}, and gets everything that is newer too"
        )),
        (_, Condition::Edited) => Some(format!(
            "was changed by hand ({}), and is overwritten",
            count(delivery.drift.len(), "key")
        )),
        (_, condition) => Some(format!(
            "is {}, and gets the whole set",
            condition_word(condition).replace('-', " ")
        )),
    }
}

/// What is different between two states of the overrides, by clusters with the same differences.
pub(crate) fn effects(scene: &Scene<'_>, before: &Overrides, after: &Overrides) -> Vec<EffectIn> {
    gathered(scene, |_, labels| {
        (differences(scene, [before, after], labels), None)
    })
}

fn differences(scene: &Scene<'_>, states: [&Overrides; 2], labels: &Labels) -> Vec<ValueChange> {
    let [before, after] = states.map(|overrides| render::contents(scene.set, overrides, labels));
    value_changes(&before.whole(), &after.whole())
}

/// What happens to each cluster that gets the set; the same in several clusters is told once.
fn gathered(
    scene: &Scene<'_>,
    of: impl Fn(&ClusterName, &Labels) -> (Vec<ValueChange>, Option<String>),
) -> Vec<EffectIn> {
    let mut found: Vec<EffectIn> = Vec::new();
    for (name, cluster) in scene.clusters {
        if !scene.set.clusters.matches(&cluster.labels) {
            continue;
        }
        let (changes, reason) = of(name, &cluster.labels);
        let same = |known: &&mut EffectIn| known.changes == changes && known.reason == reason;
        match found.iter_mut().find(same) {
            Some(known) => known.clusters.push(name.to_string()),
            None => found.push(EffectIn {
                clusters: vec![name.to_string()],
                changes,
                reason,
            }),
        }
    }
    found
}

/// Effects as lines.
pub(crate) fn effect_lines(effects: &[EffectIn], look: Look, text: &mut String) {
    for effect in effects {
        let clusters = effect.clusters.join(", ");
        if let Some(reason) = &effect.reason {
            _ = writeln!(text, "! {clusters} {reason}");
        }
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
        if let Some(until) = self.until {
            _ = writeln!(text, "until {}", moment(until));
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
