//! Whether what is switched has arrived: what the store says and what clusters hold are two things.

use serde::Serialize;

use super::plan::{condition_reason, condition_word};
use super::table::printable;
use crate::model::{ClusterName, Flag, FlagState, Part, SetName};
use crate::plan::{Condition, Delivery, Found, Plan};

/// A cluster in which a flag or breaker is not known to stand as it should.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Waiting {
    cluster: String,
    /// How the cluster is.
    state: &'static str,
    /// How the flag or breaker stands there, as far as that could be seen.
    holds: Option<String>,
    /// Why it could not be seen, or cannot be believed.
    reason: Option<String>,
}

impl Waiting {
    /// Whether `part` waits to be delivered to the cluster of `delivery`.
    pub(crate) fn of(delivery: &Delivery, part: &Part) -> Option<Self> {
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
        let state = if delivery.drift.is_empty() {
            condition_word(&delivery.condition)
        } else {
            condition_word(&Condition::Edited)
        };
        Some(Self {
            cluster: delivery.pair.cluster.to_string(),
            state,
            holds: found.and_then(|found| match found {
                Found::Nothing => None,
                Found::Flag(flag) => Some(in_short(flag)),
                Found::Breaker(state) => Some(state.as_str().to_owned()),
            }),
            reason: condition_reason(&delivery.condition),
        })
    }

    /// The cluster, and in a word how it is there.
    fn words(&self) -> String {
        let word = match &self.holds {
            Some(holds) => printable(holds),
            None => self.state.replace('-', " "),
        };
        format!("{} ({word})", self.cluster)
    }
}

/// A flag in a word or two.
pub(crate) fn in_short(flag: &Flag) -> String {
    let default = flag.default_variant.as_deref().unwrap_or("(application)");
    match (flag.state, &flag.targeting) {
        (FlagState::Disabled, _) => "disabled".to_owned(),
        (FlagState::Enabled, None) => printable(default),
        (FlagState::Enabled, Some(_)) => format!("targeting, else {}", printable(default)),
    }
}

/// Those of `clusters` in which `part` of `set` is as it should be, and those that wait for it.
pub(crate) fn arrivals(
    plan: &Plan,
    set: &SetName,
    part: &Part,
    clusters: &[ClusterName],
) -> (Vec<String>, Vec<Waiting>) {
    let mut delivered = Vec::new();
    let mut waiting = Vec::new();
    for delivery in plan.deliveries_of(set) {
        if !clusters.contains(&delivery.pair.cluster) {
            continue;
        }
        match Waiting::of(delivery, part) {
            Some(it) => waiting.push(it),
            None => delivered.push(delivery.pair.cluster.to_string()),
        }
    }
    (delivered, waiting)
}

/// In how many of `clusters` it has arrived, and which wait for it: one cell of a table.
pub(crate) fn delivered(clusters: usize, waiting: &[Waiting]) -> String {
    if clusters == 0 {
        return "-".to_owned();
    }
    let there = clusters.saturating_sub(waiting.len());
    let all = format!("{there} of {clusters}");
    if waiting.is_empty() {
        all
    } else {
        format!("{all}, {}", waiting_for(waiting))
    }
}

/// Who waits for it.
pub(crate) fn waiting_for(waiting: &[Waiting]) -> String {
    let names: Vec<String> = waiting.iter().map(Waiting::words).collect();
    format!("waiting for {}", names.join(", "))
}
