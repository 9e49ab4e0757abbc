//! The command lines that bring a cluster in sync again, as they can be typed.

use std::collections::BTreeSet;

use crate::model::text::{place, shell_word as quoted};
use crate::model::{Connection, Consent, Heads, Key, ResourceId, Selector};
use crate::plan::{Condition, Delivery, Objection, ObjectionReason, UnseenKind};

/// Foreign keys are removed by hand, and nobody types more than this.
const MAX_KEYS: usize = 20;

/// What to run, one after another; nothing where all is well or cfgctl cannot help.
pub(super) fn commands(
    delivery: &Delivery,
    against: &[&Objection],
    heads: &Heads,
    clusters: &Selector,
) -> Vec<String> {
    let cluster = delivery.pair.cluster.as_str();
    let command = match &delivery.condition {
        Condition::None => return Vec::new(),
        Condition::InSync => return foreign(delivery, heads),
        Condition::Unseen(unseen) => match unseen.kind {
            // No policy helps a token that the Consul does not know.
            UnseenKind::Denied if unseen.reason.contains("does not know the token") => {
                vec!["cfgctl", "cluster", "login", cluster]
            }
            UnseenKind::Denied => vec!["cfgctl", "cluster", "policy", cluster],
            UnseenKind::Unreachable | UnseenKind::Unusable => {
                vec!["cfgctl", "cluster", "check", cluster]
            }
        },
        // What is not from this store is not ours to remove.
        Condition::Alien(_) if delivery.desired.is_none() => return Vec::new(),
        Condition::Missing
        | Condition::Behind
        | Condition::Unfinished(_)
        | Condition::Edited
        | Condition::Outdated
        | Condition::Leftover
        | Condition::Alien(_) => repair(delivery, against),
    };
    let mut command: Vec<String> = command.into_iter().map(quoted).collect();
    if command.iter().any(|word| word == "--repair") && !clusters.is_empty() {
        command.extend(["-l".to_owned(), quoted(&clusters.to_string())]);
    }
    vec![command.join(" ")]
}

fn repair<'a>(delivery: &'a Delivery, against: &[&Objection]) -> Vec<&'a str> {
    let is_too_large =
        |objection: &&Objection| matches!(objection.reason, ObjectionReason::TooLarge { .. });
    if against.iter().any(is_too_large) {
        // Shows the limits that are in the way.
        return vec!["cfgctl", "cluster", "check", delivery.pair.cluster.as_str()];
    }
    let mut command = vec!["cfgctl", "drift", "--repair"];
    let answers = against
        .iter()
        .filter_map(|objection| objection.reason.answer());
    let answers: BTreeSet<Consent> = answers.collect();
    for answer in answers {
        command.push(answer.flag());
    }
    command.push(delivery.pair.set.as_str());
    command
}

/// cfgctl never removes what it did not write; Consul's own command does.
fn foreign(delivery: &Delivery, heads: &Heads) -> Vec<String> {
    let id = ResourceId::Cluster(delivery.pair.cluster.clone());
    let head = heads.get(&id);
    let Some(Connection::Consul(consul)) = head
        .and_then(|head| head.content.cluster())
        .map(|cluster| &cluster.connection)
    else {
        return Vec::new();
    };
    let delete = |key: &Key| {
        let mut command = vec!["consul".to_owned(), "kv".to_owned(), "delete".to_owned()];
        if let Some(address) = &consul.address {
            command.push(quoted(&format!("-http-addr={}", place(address))));
        }
        if let Some(datacenter) = &consul.datacenter {
            command.push(quoted(&format!("-datacenter={datacenter}")));
        }
        command.push(quoted(&key.to_string()));
        command.join(" ")
    };
    delivery.foreign.iter().take(MAX_KEYS).map(delete).collect()
}
