//! What a switch means in every cluster, as a report.

use super::state;
use crate::api::report::{Effect, EffectIn};
use crate::model::{ClusterName, Labels, Overrides};
use crate::plan::{
    Action, Condition, Delivery, Ground, Pair, Plan, Switched, ValueChange, value_changes,
};
use crate::render;

/// What changes, by clusters in which the same does.
pub(crate) type Effects = Vec<EffectIn>;

/// What a switch changes by itself, whatever clusters hold.
pub(crate) fn alone(ground: &Ground<'_>, switched: &Switched, effects: Effects) -> Effect {
    Effect {
        set: ground.name.clone(),
        note: switched.note.clone(),
        until: switched.until,
        effects,
    }
}

/// What changes in every cluster that gets the set if `switched` is in force from now on, and `plan`
/// is carried out: a snapshot is replaced whole.
pub(crate) fn in_plan(ground: &Ground<'_>, switched: &Switched, plan: &Plan) -> Effect {
    let in_cluster = |name: &ClusterName, labels: &Labels| {
        let pair = Pair {
            set: ground.name.clone(),
            cluster: name.clone(),
        };
        let alone = || changes(ground, [ground.overrides, &switched.overrides], labels);
        let beyond = plan
            .delivery(&pair)
            .and_then(|delivery| Some((delivery, beyond(delivery)?)));
        match beyond {
            None => (alone(), None),
            Some((delivery, reason)) => match delivery.action {
                Action::Wait | Action::Refuse => (alone(), Some(reason)),
                _ => (delivery.changes.clone(), Some(reason)),
            },
        }
    };
    alone(ground, switched, gathered(ground, in_cluster))
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
        (_, Condition::Edited) => {
            let keys = match delivery.drift.len() {
                1 => "1 key".to_owned(),
                keys => format!("{keys} keys"),
            };
            Some(format!("was changed by hand ({keys}), and is overwritten"))
        }
        (_, condition) => Some(format!(
            "is {}, and gets the whole set",
            state(condition).words()
        )),
    }
}

/// What is different between two states of the overrides.
pub(crate) fn differences(ground: &Ground<'_>, before: &Overrides, after: &Overrides) -> Effects {
    gathered(ground, |_, labels| {
        (changes(ground, [before, after], labels), None)
    })
}

fn changes(ground: &Ground<'_>, states: [&Overrides; 2], labels: &Labels) -> Vec<ValueChange> {
    let [before, after] = states.map(|overrides| render::contents(ground.set, overrides, labels));
    value_changes(&before.whole(), &after.whole())
}

/// What happens to each cluster that gets the set; the same in several clusters is told once.
fn gathered(
    ground: &Ground<'_>,
    of: impl Fn(&ClusterName, &Labels) -> (Vec<ValueChange>, Option<String>),
) -> Effects {
    let mut found: Effects = Vec::new();
    for (name, cluster) in ground.here() {
        let (changes, reason) = of(name, &cluster.labels);
        let same = |known: &&mut EffectIn| known.changes == changes && known.reason == reason;
        match found.iter_mut().find(same) {
            Some(known) => known.clusters.push(name.clone()),
            None => found.push(EffectIn {
                clusters: vec![name.clone()],
                changes,
                reason,
            }),
        }
    }
    found
}
