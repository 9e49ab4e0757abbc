//! What a plan becomes where the token may not write: right or not is known before the commit, and
//! a change that whoever makes it may not deliver is not left for the next one to deliver.

use std::collections::BTreeMap;

use super::Plan;
use super::objection::{Objection, ObjectionReason};
use super::permitted::Permitted;
use super::reconcile::delivery::{Action, Condition, Delivery};
use super::seen::{Pair, Unseen, UnseenKind};
use crate::model::ResourceId;

/// Why the token may not write what a plan has to, by set and cluster.
pub type Denials = BTreeMap<Pair, String>;

impl Permitted<Plan> {
    /// Refuses what `denials` name of it.
    pub fn deny(&mut self, denials: &Denials) {
        self.0.deny(denials);
    }
}

impl Plan {
    /// Refuses what `denials` name, and what could not even be looked at for want of permission
    /// although it has to change.
    pub fn deny(&mut self, denials: &Denials) {
        let reasons: Vec<Option<String>> = self
            .deliveries
            .iter()
            .map(|delivery| self.denied(delivery, denials))
            .collect();
        for (delivery, reason) in self.deliveries.iter_mut().zip(reasons) {
            let Some(reason) = reason else { continue };
            delivery.action = Action::Refuse;
            delivery.write = None;
            let reason = ObjectionReason::Denied { reason };
            self.objections.push(Objection::at(&delivery.pair, reason));
        }
        self.objections.sort();
    }

    fn denied(&self, delivery: &Delivery, denials: &Denials) -> Option<String> {
        let Pair { set, cluster } = &delivery.pair;
        match &delivery.condition {
            Condition::Unseen(Unseen {
                kind: UnseenKind::Denied,
                reason,
            }) if delivery.action == Action::Wait => {
                let set = ResourceId::Set(set.clone());
                let cluster = ResourceId::Cluster(cluster.clone());
                let changes = |id: &ResourceId| self.commit.revisions.contains_key(id);
                (changes(&set) || changes(&cluster)).then(|| reason.clone())
            }
            _ => denials.get(&delivery.pair).cloned(),
        }
    }
}
