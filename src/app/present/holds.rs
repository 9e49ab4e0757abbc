//! What is switched by hand, and whether it has arrived: what the store says and what clusters hold
//! are two things.

use std::collections::BTreeMap;

use super::{condition_reason, state};
use crate::api::report::{HoldItem, State, Waiting};
use crate::model::{ClusterName, Flag, FlagState, Part, SetName, text};
use crate::plan::{Condition, Delivery, Found, Hold, Pair, Plan};

/// The cluster of `delivery`, if it waits for `part` there.
pub(crate) fn waiting(delivery: &Delivery, part: &Part) -> Option<Waiting> {
    let found = delivery.otherwise.get(part);
    // Which flag or breaker a key belongs to that was changed by hand, nobody knows.
    let doubtful = !delivery.drift.is_empty()
        || matches!(
            delivery.condition,
            Condition::Unseen(_) | Condition::Unfinished(_)
        );
    if found.is_none() && !doubtful {
        return None;
    }
    Some(Waiting {
        cluster: delivery.pair.cluster.clone(),
        state: if delivery.drift.is_empty() {
            state(&delivery.condition)
        } else {
            State::ChangedByHand
        },
        holds: found.and_then(|found| match found {
            Found::Nothing => None,
            Found::Flag(flag) => Some(in_short(flag)),
            Found::Breaker(state) => Some(state.as_str().to_owned()),
        }),
        reason: condition_reason(&delivery.condition),
    })
}

/// A flag in a word or two.
fn in_short(flag: &Flag) -> String {
    let default = flag.default_variant.as_deref().unwrap_or("(application)");
    match (flag.state, &flag.targeting) {
        (FlagState::Disabled, _) => "disabled".to_owned(),
        (FlagState::Enabled, None) => text::printable(default),
        (FlagState::Enabled, Some(_)) => format!("targeting, else {}", text::printable(default)),
    }
}

/// Those of `clusters` in which `part` of `set` is as it should be, and those that wait for it.
pub(crate) fn arrivals(
    plan: &Plan,
    set: &SetName,
    part: &Part,
    clusters: &[ClusterName],
) -> (Vec<ClusterName>, Vec<Waiting>) {
    let mut delivered = Vec::new();
    let mut waits = Vec::new();
    let deliveries = plan.deliveries_of(set);
    for cluster in clusters {
        let found = deliveries.binary_search_by(|it| it.pair.cluster.cmp(cluster));
        let Some(delivery) = found.ok().and_then(|found| deliveries.get(found)) else {
            continue;
        };
        match waiting(delivery, part) {
            Some(it) => waits.push(it),
            None => delivered.push(cluster.clone()),
        }
    }
    (delivered, waits)
}

/// What is switched by hand in any of these clusters, and to which it was not delivered.
pub(crate) fn overridden(deliveries: &[Delivery]) -> Vec<HoldItem> {
    let holds = deliveries.iter().flat_map(|delivery| {
        let Pair { set, cluster } = &delivery.pair;
        (delivery.overridden.iter()).map(move |hold| (set, cluster, hold.clone()))
    });
    let mut items = gathered(holds);
    if items.is_empty() {
        return items;
    }
    let by_pair: BTreeMap<(&SetName, &ClusterName), &Delivery> = deliveries
        .iter()
        .map(|delivery| ((&delivery.pair.set, &delivery.pair.cluster), delivery))
        .collect();
    for item in &mut items {
        let part = match &item.hold {
            Hold::Flag { flag, .. } => Part::Flag(flag.clone()),
            Hold::Breaker { breaker, .. } => Part::Breaker(breaker.clone()),
        };
        let here = item.clusters.iter();
        let here = here.filter_map(|cluster| by_pair.get(&(&item.set, cluster)));
        let waits = here.filter_map(|delivery| waiting(delivery, &part));
        item.waiting = Some(waits.collect());
    }
    items
}

/// The same thing in several clusters is told once.
pub(crate) fn gathered<'a>(
    holds: impl Iterator<Item = (&'a SetName, &'a ClusterName, Hold)>,
) -> Vec<HoldItem> {
    let mut items: Vec<HoldItem> = Vec::new();
    // Where the items of a set begin: what is compared is that of one set alone.
    let mut of_set: BTreeMap<&SetName, Vec<usize>> = BTreeMap::new();
    for (set, cluster, hold) in holds {
        let known = of_set.entry(set).or_default();
        if let Some(at) = known.iter().find(|at| items[**at].hold == hold) {
            items[*at].clusters.push(cluster.clone());
            continue;
        }
        known.push(items.len());
        items.push(HoldItem {
            set: set.clone(),
            clusters: vec![cluster.clone()],
            hold,
            waiting: None,
        });
    }
    items
}
