//! A store that is made by its first commit, so that looking at what would be leaves nothing behind.

use std::path::PathBuf;
use std::sync::OnceLock;

use async_trait::async_trait;
use jiff::Timestamp;

use super::log::now;
use super::sqlite::{POLL, Sqlite};
use super::{
    CommitLimits, CommitRecord, Committed, HeadsAt, RecordsAt, Store, StoreError, Which, guard,
};
use crate::model::{
    Commit, IdempotencyKey, Record, RecordId, RecordKind, ResourceId, Revision, Sequence, Version,
};

/// An empty store, until someone commits: through it, or into the same file.
#[derive(Debug)]
pub(super) struct Later {
    path: PathBuf,
    store: OnceLock<Sqlite>,
}

impl Later {
    /// Stands for the store that is to be in the file `path`.
    pub(super) fn new(path: PathBuf) -> Self {
        Self {
            path,
            store: OnceLock::new(),
        }
    }

    /// The store, if somebody has made it.
    async fn found(&self) -> Result<Option<&Sqlite>, StoreError> {
        if let Some(store) = self.store.get() {
            return Ok(Some(store));
        }
        match Sqlite::open_later(self.path.clone()).await {
            Ok(store) => Ok(Some(self.store.get_or_init(|| store))),
            Err(StoreError::Absent { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

#[async_trait]
impl Store for Later {
    fn location(&self) -> String {
        self.path.display().to_string()
    }

    fn exists(&self) -> bool {
        self.store.get().is_some()
    }

    fn limits(&self) -> CommitLimits {
        Sqlite::LIMITS
    }

    async fn heads(&self, which: &Which) -> Result<HeadsAt, StoreError> {
        match self.found().await? {
            Some(store) => store.heads(which).await,
            None => Ok(HeadsAt::default()),
        }
    }

    async fn revisions(
        &self,
        ids: &[(ResourceId, Version)],
    ) -> Result<Vec<(ResourceId, Revision)>, StoreError> {
        match self.found().await? {
            Some(store) => store.revisions(ids).await,
            None => Ok(Vec::new()),
        }
    }

    async fn history(
        &self,
        id: &ResourceId,
        before: Option<Version>,
        limit: usize,
    ) -> Result<Vec<Revision>, StoreError> {
        match self.found().await? {
            Some(store) => store.history(id, before, limit).await,
            None => Ok(Vec::new()),
        }
    }

    async fn commit(&self, commit: &Commit) -> Result<Committed, StoreError> {
        if let Some(store) = self.found().await? {
            return store.commit(commit).await;
        }
        // Nothing is made for a commit that would be refused.
        guard::check(commit)?;
        guard::compare(commit, |_| Ok(None))?;
        guard::compare_records(commit, |_| Ok(None))?;
        if commit.only_compares() {
            return Ok(Committed {
                sequence: Sequence::START,
                at: now(),
            });
        }
        let store = Sqlite::create_later(self.path.clone()).await?;
        self.store.get_or_init(|| store).commit(commit).await
    }

    async fn commits(
        &self,
        after: Sequence,
        limit: usize,
    ) -> Result<Vec<CommitRecord>, StoreError> {
        match self.found().await? {
            Some(store) => store.commits(after, limit).await,
            None => Ok(Vec::new()),
        }
    }

    async fn made_under(&self, key: &IdempotencyKey) -> Result<Option<CommitRecord>, StoreError> {
        match self.found().await? {
            Some(store) => store.made_under(key).await,
            None => Ok(None),
        }
    }

    async fn records(&self, kind: RecordKind) -> Result<RecordsAt, StoreError> {
        match self.found().await? {
            Some(store) => store.records(kind).await,
            None => Ok(RecordsAt::default()),
        }
    }

    async fn record(&self, id: &RecordId) -> Result<Option<Record>, StoreError> {
        match self.found().await? {
            Some(store) => store.record(id).await,
            None => Ok(None),
        }
    }

    async fn touch(&self, used: &[(RecordId, Timestamp)]) -> Result<(), StoreError> {
        match self.found().await? {
            Some(store) => store.touch(used).await,
            None => Ok(()),
        }
    }

    async fn wait(&self, after: Sequence) -> Result<Sequence, StoreError> {
        loop {
            if let Some(store) = self.found().await? {
                return store.wait(after).await;
            }
            if after != Sequence::START {
                return Ok(Sequence::START);
            }
            tokio::time::sleep(POLL).await;
        }
    }
}
