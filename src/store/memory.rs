//! An in-memory store, for unit tests of pure logic: gone with its process, shared with nobody.
//!
//! It keeps the same contract as the real ones, so a test that passes here says something. It is
//! offered under no location.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use tokio::sync::watch;

use super::log::now;
use super::{CommitLimits, CommitRecord, Committed, HeadsAt, Store, StoreError, Which, guard};
use crate::model::{Commit, IdempotencyKey, ResourceId, Revision, Sequence, Version};

/// All revisions of all resources, by version.
type Revisions = BTreeMap<ResourceId, BTreeMap<Version, Revision>>;

/// A store that starts empty and lives as long as this value.
#[derive(Debug, Default)]
pub struct Memory {
    log: Mutex<Log>,
    newest: watch::Sender<Sequence>,
}

#[derive(Debug, Default)]
struct Log {
    revisions: Revisions,
    records: Vec<CommitRecord>,
}

impl Log {
    fn sequence(&self) -> Sequence {
        let newest = self.records.last();
        newest.map_or(Sequence::START, |record| record.sequence)
    }

    fn made_under(&self, key: &IdempotencyKey) -> Option<&CommitRecord> {
        let mut records = self.records.iter();
        records.find(|record| record.key.as_ref() == Some(key))
    }

    /// What has come of a commit that was made before under the same key.
    fn again(&self, commit: &Commit) -> Result<Option<Committed>, StoreError> {
        let Some(key) = &commit.key else {
            return Ok(None);
        };
        let Some(record) = self.made_under(key) else {
            return Ok(None);
        };
        guard::same(commit, record, |id, version| {
            let versions = self.revisions.get(id);
            Ok(versions
                .and_then(|versions| versions.get(&version))
                .cloned())
        })
        .map(Some)
    }
}

impl Memory {
    fn lock(&self) -> MutexGuard<'_, Log> {
        // A commit is checked before the first insert, so a poisoned log is still a whole one.
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Store for Memory {
    fn location(&self) -> String {
        "memory".to_owned()
    }

    fn limits(&self) -> CommitLimits {
        CommitLimits {
            revision_bytes: usize::MAX,
            commit_bytes: None,
        }
    }

    async fn heads(&self, which: &Which) -> Result<HeadsAt, StoreError> {
        let log = self.lock();
        let heads = log.revisions.iter().filter_map(|(id, versions)| {
            let (_, head) = versions.last_key_value()?;
            which.has(id, head).then(|| (id.clone(), head.clone()))
        });
        Ok(HeadsAt {
            sequence: log.sequence(),
            heads: heads.collect(),
        })
    }

    async fn revisions(
        &self,
        ids: &[(ResourceId, Version)],
    ) -> Result<Vec<(ResourceId, Revision)>, StoreError> {
        let log = self.lock();
        let found = ids.iter().filter_map(|(id, version)| {
            let revision = log.revisions.get(id)?.get(version)?;
            Some((id.clone(), revision.clone()))
        });
        Ok(found.collect())
    }

    async fn history(
        &self,
        id: &ResourceId,
        before: Option<Version>,
        limit: usize,
    ) -> Result<Vec<Revision>, StoreError> {
        let log = self.lock();
        let versions = log.revisions.get(id).into_iter().flatten().rev();
        let older = versions.filter(|(version, _)| before.is_none_or(|before| **version < before));
        let newest = older.take(limit);
        Ok(newest.map(|(_, revision)| revision.clone()).collect())
    }

    async fn commit(&self, commit: &Commit) -> Result<Committed, StoreError> {
        guard::check(commit)?;
        let mut log = self.lock();
        if let Some(committed) = log.again(commit)? {
            return Ok(committed);
        }
        guard::compare(commit, |id| {
            let newest = log.revisions.get(id).and_then(BTreeMap::last_key_value);
            Ok(newest.map(|(version, _)| *version))
        })?;
        let (newest, at) = (log.sequence(), now());
        if commit.revisions.is_empty() {
            return Ok(Committed {
                sequence: newest,
                at,
            });
        }
        let sequence = Sequence::new(newest.get() + 1);
        let mut changes = BTreeMap::new();
        for (id, revision) in &commit.revisions {
            let versions = log.revisions.entry(id.clone()).or_default();
            versions.insert(revision.version, revision.clone());
            changes.insert(id.clone(), revision.version);
        }
        log.records.push(CommitRecord {
            sequence,
            at,
            key: commit.key.clone(),
            audit: commit.audit.clone(),
            changes,
        });
        self.newest.send_replace(sequence);
        Ok(Committed { sequence, at })
    }

    async fn commits(
        &self,
        after: Sequence,
        limit: usize,
    ) -> Result<Vec<CommitRecord>, StoreError> {
        let log = self.lock();
        let later = log.records.iter().filter(|record| record.sequence > after);
        Ok(later.take(limit).cloned().collect())
    }

    async fn made_under(&self, key: &IdempotencyKey) -> Result<Option<CommitRecord>, StoreError> {
        Ok(self.lock().made_under(key).cloned())
    }

    async fn wait(&self, after: Sequence) -> Result<Sequence, StoreError> {
        let mut newest = self.newest.subscribe();
        let found = newest.wait_for(|newest| *newest != after).await;
        // The sender lives as long as the store.
        Ok(found.map_or(after, |newest| *newest))
    }
}
