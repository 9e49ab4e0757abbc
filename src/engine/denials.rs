//! Asks every target before the commit whether it would take what the plan has to write there.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::StreamExt as _;
use futures_util::stream;

use super::{Engine, EngineError, Survey};
use crate::model::{ClusterName, Key, SetName};
use crate::plan::{Denials, Pair, Plan, chain};
use crate::target::TargetError;

/// Sets with the keys that change beside their snapshot keys.
type Sets = BTreeMap<SetName, BTreeSet<Key>>;

impl Engine<'_> {
    /// What the token that we have may not write, of all that `plan` has to. Writes nothing, and
    /// takes one round trip for most clusters. Who cannot answer denies nothing: its delivery will
    /// tell. A plan without a commit is not asked about: its writes tell it as well, and whoever
    /// may not carry them out has left nothing behind for others to deliver.
    pub async fn denials(&self, survey: &Survey, plan: &Plan) -> Result<Denials, EngineError> {
        if plan.commit.revisions.is_empty() {
            return Ok(Denials::new());
        }
        let mut by_cluster: BTreeMap<&ClusterName, Sets> = BTreeMap::new();
        for delivery in &plan.deliveries {
            if let Some(write) = &delivery.write {
                let sets = by_cluster.entry(&delivery.pair.cluster).or_default();
                sets.insert(write.set.clone(), write.changed().cloned().collect());
            }
        }
        let questions = by_cluster
            .into_iter()
            .map(|(cluster, sets)| self.denials_in(survey, cluster, sets));
        let asked = stream::iter(questions)
            .buffer_unordered(self.pace.clusters_at_once.max(1))
            .boxed()
            .concat();
        let mut interrupt = self.interrupt.clone();
        tokio::select! {
            denials = asked => Ok(denials.into_iter().collect()),
            Ok(_) = interrupt.wait_for(|stop| *stop) => Err(EngineError::Interrupted),
        }
    }

    async fn denials_in(
        &self,
        survey: &Survey,
        cluster: &ClusterName,
        sets: Sets,
    ) -> Vec<(Pair, String)> {
        let Some(Ok(target)) = survey.fleet.get(cluster) else {
            return Vec::new();
        };
        let at = |set: SetName| Pair {
            set,
            cluster: cluster.clone(),
        };
        match tokio::time::timeout(self.pace.timeout, target.denials(&sets)).await {
            Ok(Ok(denied)) => denied
                .into_iter()
                .map(|(set, reason)| (at(set), reason))
                .collect(),
            Ok(Err(error @ TargetError::Denied { .. })) => sets
                .into_keys()
                .map(|set| (at(set), chain(&error)))
                .collect(),
            Ok(Err(_)) | Err(_) => Vec::new(),
        }
    }
}
