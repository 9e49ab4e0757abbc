//! An in-memory store, for unit tests of pure logic: gone with its process, shared with nobody.
//!
//! It keeps the same contract as the real ones, so a test that passes here says something. It is
//! offered under no location.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use jiff::Timestamp;
use tokio::sync::watch;

use super::log::{BETWEEN_USES, MAX_OVER, MAX_RECORDS, now};
use super::{
    CommitLimits, CommitRecord, Committed, HeadsAt, RecordsAt, Store, StoreError, Which, guard,
};
use crate::model::{
    Commit, Digest, IdempotencyKey, Record, RecordFate, RecordId, RecordKind, ResourceId, Revision,
    Sequence, Version,
};

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
    commits: Vec<CommitRecord>,
    records: BTreeMap<RecordId, Record>,
}

impl Log {
    fn sequence(&self) -> Sequence {
        let newest = self.commits.last();
        newest.map_or(Sequence::START, |record| record.sequence)
    }

    fn made_under(&self, key: &IdempotencyKey) -> Option<&CommitRecord> {
        let mut commits = self.commits.iter();
        commits.find(|record| record.key.as_ref() == Some(key))
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

    /// The records of one kind whose time is not over.
    fn living(
        &self,
        kind: RecordKind,
        at: Timestamp,
    ) -> impl Iterator<Item = (&RecordId, &Record)> {
        let of_kind = self.records.iter().filter(move |(id, _)| id.kind() == kind);
        of_kind.filter(move |(_, record)| !is_over(record, at))
    }

    fn check_room(&self, commit: &Commit, at: Timestamp) -> Result<(), StoreError> {
        for kind in commit.records.keys().map(RecordId::kind) {
            let others = self.living(kind, at);
            let others = others.filter(|(id, _)| !commit.records.contains_key(id));
            let new = commit
                .records
                .iter()
                .filter(|(id, change)| id.kind() == kind && change.content.is_some());
            if others.count() + new.count() > MAX_RECORDS {
                let most = MAX_RECORDS;
                return Err(StoreError::Full { kind, most });
            }
        }
        Ok(())
    }

    /// Changes records, and says what became of each.
    fn change_records(
        &mut self,
        commit: &Commit,
        sequence: Sequence,
        at: Timestamp,
    ) -> Result<BTreeMap<RecordId, RecordFate>, StoreError> {
        let mut fates = BTreeMap::new();
        for (id, change) in &commit.records {
            let json = change.content.as_ref();
            let json = json
                .map(|content| guard::json_of(id, content))
                .transpose()?;
            fates.insert(id.clone(), guard::fate(json.as_deref()));
        }
        let over: Vec<_> = self
            .records
            .iter()
            .filter(|(id, record)| is_over(record, at) && !commit.records.contains_key(id))
            .map(|(id, _)| id.clone())
            .take(MAX_OVER)
            .collect();
        for id in over {
            self.records.remove(&id);
            fates.insert(id, RecordFate::Over);
        }
        for (id, change) in &commit.records {
            let before = self.records.remove(id);
            if let Some(content) = &change.content {
                let record = Record {
                    changed: sequence,
                    content: content.clone(),
                    used: before.and_then(|before| before.used),
                };
                self.records.insert(id.clone(), record);
            }
        }
        Ok(fates)
    }
}

fn is_over(record: &Record, at: Timestamp) -> bool {
    guard::is_over(&record.content, at)
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
        guard::compare_records(commit, |id| {
            let found = log.records.get(id).filter(|record| !is_over(record, at));
            Ok(found.map(|record| record.changed))
        })?;
        guard::compare_kinds(commit, |kind, as_of| {
            let all = log.records.iter().filter(|(id, _)| id.kind() == kind);
            let newer = all.filter(|(_, record)| record.changed > as_of);
            Ok(newer.map(|(id, _)| id.clone()).collect())
        })?;
        log.check_room(commit, at)?;
        if commit.only_compares() {
            return Ok(Committed {
                sequence: newest,
                at,
            });
        }
        let sequence = Sequence::new(newest.get() + 1);
        let records = log.change_records(commit, sequence, at)?;
        let mut changes = BTreeMap::new();
        for (id, revision) in &commit.revisions {
            let versions = log.revisions.entry(id.clone()).or_default();
            versions.insert(revision.version, revision.clone());
            changes.insert(id.clone(), revision.version);
        }
        let before = log.commits.last().map(|record| &record.seal);
        let sealed = (sequence, at, &commit.key, &commit.audit);
        let seal = Digest::of_canonical(&(sealed, &commit.revisions, &records, before));
        log.commits.push(CommitRecord {
            sequence,
            at,
            key: commit.key.clone(),
            audit: commit.audit.clone(),
            changes,
            records,
            seal,
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
        let later = log.commits.iter().filter(|record| record.sequence > after);
        Ok(later.take(limit).cloned().collect())
    }

    async fn made_under(&self, key: &IdempotencyKey) -> Result<Option<CommitRecord>, StoreError> {
        Ok(self.lock().made_under(key).cloned())
    }

    async fn records(&self, kind: RecordKind) -> Result<RecordsAt, StoreError> {
        let (log, at) = (self.lock(), now());
        let records = log.living(kind, at);
        Ok(RecordsAt {
            sequence: log.sequence(),
            records: records.map(|(id, it)| (id.clone(), it.clone())).collect(),
        })
    }

    async fn record(&self, id: &RecordId) -> Result<Option<Record>, StoreError> {
        let (log, at) = (self.lock(), now());
        let found = log.records.get(id).filter(|record| !is_over(record, at));
        Ok(found.cloned())
    }

    async fn touch(&self, used: &[(RecordId, Timestamp)]) -> Result<(), StoreError> {
        let mut log = self.lock();
        for (id, at) in used {
            if let Some(record) = log.records.get_mut(id)
                && record
                    .used
                    .is_none_or(|used| at.duration_since(used) >= BETWEEN_USES)
            {
                record.used = Some(*at);
            }
        }
        Ok(())
    }

    async fn wait(&self, after: Sequence) -> Result<Sequence, StoreError> {
        let mut newest = self.newest.subscribe();
        let found = newest.wait_for(|newest| *newest != after).await;
        // The sender lives as long as the store.
        Ok(found.map_or(after, |newest| *newest))
    }
}
