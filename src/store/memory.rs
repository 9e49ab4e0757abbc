//! An in-memory store, for unit tests of pure logic: gone with its process, shared with nobody.
//!
//! It keeps the same contract as the real ones, so a test that passes here says something. It is
//! offered under no location.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::{Store, StoreError, guard};
use crate::model::{Commit, Heads, ResourceId, Revision, Version};

/// All revisions of all resources, by version.
type Revisions = BTreeMap<ResourceId, BTreeMap<Version, Revision>>;

/// A store that starts empty and lives as long as this value.
#[derive(Debug, Default)]
pub struct Memory {
    revisions: Mutex<Revisions>,
}

impl Memory {
    fn lock(&self) -> MutexGuard<'_, Revisions> {
        // A commit is checked before the first insert, so a poisoned map is still a whole one.
        self.revisions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Store for Memory {
    fn location(&self) -> String {
        "memory".to_owned()
    }

    async fn heads(&self) -> Result<Heads, StoreError> {
        let revisions = self.lock();
        let heads = revisions.iter().filter_map(|(id, versions)| {
            let (_, head) = versions.last_key_value()?;
            Some((id.clone(), head.clone()))
        });
        Ok(heads.collect())
    }

    async fn revision(
        &self,
        id: &ResourceId,
        version: Version,
    ) -> Result<Option<Revision>, StoreError> {
        let revisions = self.lock();
        let revision = revisions
            .get(id)
            .and_then(|versions| versions.get(&version));
        Ok(revision.cloned())
    }

    async fn history(&self, id: &ResourceId, limit: usize) -> Result<Vec<Revision>, StoreError> {
        let revisions = self.lock();
        let versions = revisions.get(id).into_iter().flatten();
        let newest = versions.rev().take(limit);
        Ok(newest.map(|(_, revision)| revision.clone()).collect())
    }

    async fn commit(&self, commit: &Commit) -> Result<(), StoreError> {
        guard::check(commit)?;
        let mut revisions = self.lock();
        guard::compare(commit, |id| {
            let newest = revisions.get(id).and_then(BTreeMap::last_key_value);
            Ok(newest.map(|(version, _)| *version))
        })?;
        for (id, revision) in &commit.revisions {
            let versions = revisions.entry(id.clone()).or_default();
            versions.insert(revision.version, revision.clone());
        }
        Ok(())
    }
}
