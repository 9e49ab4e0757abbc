//! Places: to which clusters sets go, remembered until something is committed.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use super::super::lock::lock;
use crate::model::{ClusterName, Sequence, SetName};

/// Where a set goes, and as of which commit.
type Known = (Sequence, Arc<[ClusterName]>);

/// Where sets go, as of the newest commit that was heard of when it was looked up.
#[derive(Debug, Default)]
pub(in crate::server) struct Places(Mutex<BTreeMap<SetName, Known>>);

impl Places {
    pub(super) fn known(&self, set: &SetName, newest: Sequence) -> Option<Arc<[ClusterName]>> {
        let known = lock(&self.0);
        let (at, clusters) = known.get(set)?;
        (*at == newest).then(|| Arc::clone(clusters))
    }

    pub(super) fn keep(&self, set: &SetName, newest: Sequence, clusters: &Arc<[ClusterName]>) {
        lock(&self.0).insert(set.clone(), (newest, Arc::clone(clusters)));
    }
}
