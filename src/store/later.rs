//! A store that is made by its first commit, so that looking at what would be leaves nothing behind.

use std::path::PathBuf;
use std::sync::OnceLock;

use async_trait::async_trait;

use super::sqlite::Sqlite;
use super::{Store, StoreError, guard};
use crate::model::{Commit, Heads, ResourceId, Revision, Version};

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

    async fn heads(&self) -> Result<Heads, StoreError> {
        match self.found().await? {
            Some(store) => store.heads().await,
            None => Ok(Heads::new()),
        }
    }

    async fn revision(
        &self,
        id: &ResourceId,
        version: Version,
    ) -> Result<Option<Revision>, StoreError> {
        match self.found().await? {
            Some(store) => store.revision(id, version).await,
            None => Ok(None),
        }
    }

    async fn history(&self, id: &ResourceId, limit: usize) -> Result<Vec<Revision>, StoreError> {
        match self.found().await? {
            Some(store) => store.history(id, limit).await,
            None => Ok(Vec::new()),
        }
    }

    async fn commit(&self, commit: &Commit) -> Result<(), StoreError> {
        if let Some(store) = self.found().await? {
            return store.commit(commit).await;
        }
        // Nothing is made for a commit that would be refused.
        guard::check(commit)?;
        guard::compare(commit, |_| Ok(None))?;
        if commit.revisions.is_empty() {
            return Ok(());
        }
        let store = Sqlite::create_later(self.path.clone()).await?;
        self.store.get_or_init(|| store).commit(commit).await
    }
}
