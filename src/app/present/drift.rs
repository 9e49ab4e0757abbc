//! How clusters differ from what they should hold, as a report.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::plan::key_drift;
use super::{condition_reason, mend, overridden, state};
use crate::api::report::{Drift, DriftItem, State};
use crate::model::{Heads, ResourceId, Selector, Version};
use crate::plan::{Action, Condition, Delivery, Objection, Pair, Plan};

/// What follows from a look at `clusters`, as things were at `at`.
pub(crate) fn drift(plan: &Plan, heads: &Heads, clusters: &Selector, at: Timestamp) -> Drift {
    let concerns = |delivery: &&Delivery| match delivery.condition {
        Condition::None => false,
        // Where the set should not be anyway, nothing is expected to be found.
        Condition::Unseen(_) => delivery.action != Action::Keep,
        _ => true,
    };
    let mut against: BTreeMap<Pair, Vec<&Objection>> = BTreeMap::new();
    for objection in &plan.objections {
        if let Some(cluster) = objection.cluster.clone() {
            let set = objection.set.clone();
            let here = against.entry(Pair { set, cluster });
            here.or_default().push(objection);
        }
    }
    let items: Vec<_> = (plan.deliveries.iter())
        .filter(concerns)
        .map(|delivery| {
            let against = against.get(&delivery.pair).map_or(&[][..], Vec::as_slice);
            item(delivery, against, heads, clusters)
        })
        .collect();
    let unseen = items.iter().filter(|it| it.state.is_unseen()).count();
    let drifted = items.iter().filter(|it| it.has_drifted()).count();
    Drift {
        at,
        in_sync: drifted + unseen == 0,
        drifted,
        unseen,
        clusters: items,
        overridden: overridden(&plan.deliveries),
    }
}

fn item(
    delivery: &Delivery,
    against: &[&Objection],
    heads: &Heads,
    clusters: &Selector,
) -> DriftItem {
    let id = ResourceId::Set(delivery.pair.set.clone());
    let head = heads.get(&id).map(|head| head.version);
    let holds = delivery.holds.as_ref();
    DriftItem {
        set: delivery.pair.set.clone(),
        cluster: delivery.pair.cluster.clone(),
        state: match delivery.condition {
            Condition::InSync if !delivery.foreign.is_empty() => State::ForeignKeys,
            _ => state(&delivery.condition),
        },
        cause: cause(delivery, head, against),
        mend: mend::commands(delivery, against, heads, clusters),
        head,
        holds: holds.map(|(version, _)| *version),
        since: holds.map(|(_, origin)| origin.at),
        actor: holds.map(|(_, origin)| origin.actor.clone()),
        keys: delivery.drift.iter().map(key_drift).collect(),
        foreign: delivery.foreign.iter().map(ToString::to_string).collect(),
    }
}

/// Why it is as it is; nothing where all is well.
fn cause(delivery: &Delivery, head: Option<Version>, against: &[&Objection]) -> Option<String> {
    let by_hand = match delivery.drift.len() {
        1 => "1 key".to_owned(),
        keys => format!("{keys} keys"),
    };
    let holds = delivery.holds.as_ref().map(|(version, _)| *version);
    let cause = match &delivery.condition {
        Condition::None => return None,
        Condition::InSync if delivery.foreign.is_empty() => return None,
        Condition::InSync => {
            "keys that cfgctl did not write lie where the application reads".into()
        }
        Condition::Missing => "nothing is there: it was never delivered, or deleted".into(),
        Condition::Behind => {
            let version = |version: Option<Version>| version.map_or(0, Version::get);
            let (holds, head) = (version(holds), version(head));
            let more = if delivery.drift.is_empty() {
                String::new()
            } else {
                format!(", and {by_hand} changed by hand")
            };
            format!("it holds version {holds}, the head is {head}{more}")
        }
        Condition::Edited => format!("{by_hand} changed by someone else since the last write"),
        Condition::Outdated => "it was written for other labels, or by another cfgctl".into(),
        Condition::Leftover => "the set does not belong there any more".into(),
        condition @ (Condition::Alien(_) | Condition::Unseen(_) | Condition::Unfinished(_)) => {
            let mut reason = condition_reason(condition).unwrap_or_default();
            if matches!(condition, Condition::Alien(_)) && delivery.desired.is_none() {
                reason.push_str("; it does not belong there, and only who wrote it can remove it");
            }
            reason
        }
    };
    let more = against.iter().map(|objection| objection.reason.to_string());
    // The first of them may be the condition itself.
    let more = more.filter(|reason| *reason != cause);
    let parts: Vec<_> = [cause.clone()].into_iter().chain(more).collect();
    Some(parts.join("; "))
}
