//! A store that remembers what was read of it.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;

use crate::model::{
    Commit, IdempotencyKey, Record, RecordId, RecordKind, ResourceId, Revision, Sequence, Version,
};
use crate::store::{
    CommitLimits, CommitRecord, Committed, HeadsAt, RecordsAt, Store, StoreError, Which,
};

/// What was read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counts {
    /// The resources whose heads were.
    pub(crate) heads: BTreeSet<String>,
    /// What was asked for, in order.
    pub(crate) asked: Vec<Which>,
    /// How many revisions were, beside heads.
    pub(crate) revisions: usize,
}

/// A store that remembers what was read of it.
#[derive(Debug)]
pub(crate) struct Counting {
    store: Arc<dyn Store>,
    counts: Mutex<Counts>,
    /// How many answers to commits are lost yet.
    lost: Mutex<u32>,
}

impl Counting {
    pub(crate) fn new(store: Arc<dyn Store>) -> Self {
        Self::losing(0, store)
    }

    /// The same, which loses its first answers to commits.
    pub(crate) fn losing(answers: u32, store: Arc<dyn Store>) -> Self {
        Self {
            store,
            counts: Mutex::default(),
            lost: Mutex::new(answers),
        }
    }

    /// What was read so far.
    pub(crate) fn counts(&self) -> Counts {
        self.counts.lock().unwrap().clone()
    }
}

#[async_trait]
impl Store for Counting {
    fn location(&self) -> String {
        self.store.location()
    }

    fn limits(&self) -> CommitLimits {
        self.store.limits()
    }

    async fn heads(&self, which: &Which) -> Result<HeadsAt, StoreError> {
        let at = self.store.heads(which).await?;
        let mut counts = self.counts.lock().unwrap();
        counts.asked.push(which.clone());
        counts
            .heads
            .extend(at.heads.keys().map(ToString::to_string));
        Ok(at)
    }

    async fn revisions(
        &self,
        ids: &[(ResourceId, Version)],
    ) -> Result<Vec<(ResourceId, Revision)>, StoreError> {
        let found = self.store.revisions(ids).await?;
        self.counts.lock().unwrap().revisions += found.len();
        Ok(found)
    }

    async fn history(
        &self,
        id: &ResourceId,
        before: Option<Version>,
        limit: usize,
    ) -> Result<Vec<Revision>, StoreError> {
        let found = self.store.history(id, before, limit).await?;
        self.counts.lock().unwrap().revisions += found.len();
        Ok(found)
    }

    async fn commit(&self, commit: &Commit) -> Result<Committed, StoreError> {
        let committed = self.store.commit(commit).await?;
        let mut lost = self.lost.lock().unwrap();
        if *lost == 0 {
            return Ok(committed);
        }
        *lost -= 1;
        Err(StoreError::Unknown {
            location: self.location(),
            source: "the wire broke".into(),
        })
    }

    async fn commits(
        &self,
        after: Sequence,
        limit: usize,
    ) -> Result<Vec<CommitRecord>, StoreError> {
        self.store.commits(after, limit).await
    }

    async fn made_under(&self, key: &IdempotencyKey) -> Result<Option<CommitRecord>, StoreError> {
        self.store.made_under(key).await
    }

    async fn records(&self, kind: RecordKind) -> Result<RecordsAt, StoreError> {
        self.store.records(kind).await
    }

    async fn record(&self, id: &RecordId) -> Result<Option<Record>, StoreError> {
        self.store.record(id).await
    }

    async fn touch(&self, used: &[(RecordId, jiff::Timestamp)]) -> Result<(), StoreError> {
        self.store.touch(used).await
    }

    async fn wait(&self, after: Sequence) -> Result<Sequence, StoreError> {
        self.store.wait(after).await
    }
}
