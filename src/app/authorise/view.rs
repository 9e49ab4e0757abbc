//! A store as one caller sees it: what he may not read is not there.
//!
//! Every question is asked of a view. What is answered of a name that may not be read is therefore
//! what is answered of one that nobody ever used, down to the last hint.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;

use super::access::{Access, Granted, Need};
use super::demands::known;
use super::sight::Sight;
use crate::api::Caller;
use crate::model::{
    Commit, Content, Heads, IdempotencyKey, Labels, Record, RecordId, RecordKind, ResourceId,
    Revision, Role, Sequence, SetName, Version,
};
use crate::store::{
    CommitLimits, CommitRecord, Committed, HeadsAt, RecordsAt, Store, StoreError, Which,
};

/// A store as one caller sees it.
#[derive(Clone, Debug)]
pub(in crate::app) struct View<'a> {
    store: &'a dyn Store,
    sight: Arc<Sight>,
    /// The set that is asked about: then a cluster is there if both may be read together.
    only: Option<SetName>,
    /// The least role that makes a set or a cluster visible.
    role: Role,
}

impl<'a> View<'a> {
    /// What `by` sees of `store`.
    pub(in crate::app) async fn of(store: &'a dyn Store, by: &Caller) -> Result<Self, StoreError> {
        let access = Access::of(store, by).await?;
        Ok(Self::with(store, access))
    }

    /// What can be seen of `store` with this access.
    pub(in crate::app) fn with(store: &'a dyn Store, access: Access) -> Self {
        Self {
            store,
            sight: Arc::new(Sight::new(access)),
            only: None,
            role: Role::Viewer,
        }
    }

    /// All of it, for cfgctl itself.
    pub(in crate::app) fn whole(store: &'a dyn Store) -> Self {
        Self::with(store, Access::Everything)
    }

    /// The same where one set alone is asked about.
    pub(in crate::app) fn about(self, set: &SetName) -> Self {
        let only = Some(set.clone());
        Self { only, ..self }
    }

    /// The same with nothing in it but where the caller has this role.
    pub(in crate::app) fn at(&self, role: Role) -> Self {
        Self {
            role,
            ..self.clone()
        }
    }

    pub(in crate::app) fn sight(&self) -> &Arc<Sight> {
        &self.sight
    }

    pub(in crate::app) fn access(&self) -> &Access {
        self.sight.access()
    }

    /// Takes in the labels of these and of all clusters, so that what is answered can be judged.
    pub(in crate::app) async fn learn(&self, ids: impl IntoIterator<Item = ResourceId>) {
        if self.access().is_everything() {
            return;
        }
        let which = Which::Around(ids.into_iter().collect());
        // Of what could not be read nothing is told.
        if let Ok(at) = self.store.heads(&which).await {
            self.sight.learn(&at.heads);
        }
    }

    /// The last content of a resource that is there or was: of one that was deleted, what it was.
    async fn last(&self, id: &ResourceId, head: &Revision) -> Result<Option<Content>, StoreError> {
        if head.content != Content::Deleted {
            return Ok(Some(head.content.clone()));
        }
        let older = self.store.history(id, Some(head.version), 1).await?;
        Ok(older.into_iter().next().map(|revision| revision.content))
    }

    /// The labels of the set that is asked about.
    async fn asked(&self) -> Result<Option<Labels>, StoreError> {
        let Some(set) = &self.only else {
            return Ok(None);
        };
        if let Some(labels) = self.sight.labels_of(set) {
            return Ok(Some(labels));
        }
        let id = ResourceId::Set(set.clone());
        let heads = self.store.heads(&Which::one(&id)).await?.heads;
        let Some(head) = heads.get(&id) else {
            return Ok(None);
        };
        let last = self.last(&id, head).await?;
        Ok(last.and_then(|content| content.labels().cloned()))
    }

    /// Whether what has this content is there, where `asked` are the labels of the set that is asked
    /// about.
    fn shows(&self, id: &ResourceId, content: &Content, asked: Option<&Labels>) -> bool {
        let Some(need) = known(id, content) else {
            return false;
        };
        let need = match (need, &self.only, asked) {
            (Need::Cluster(_, _), Some(_), None) => return false,
            (Need::Cluster(_, cluster), _, Some(set)) => {
                Need::Pair(self.role, set.clone(), cluster)
            }
            (Need::Cluster(_, cluster), None, None) => Need::Cluster(self.role, cluster),
            (Need::Set(_, set), ..) => Need::Set(self.role, set),
            (need, ..) => need,
        };
        self.access().allows(&need)
    }

    async fn readable(
        &self,
        granted: &Granted,
        which: &Which,
        heads: Heads,
    ) -> Result<Heads, StoreError> {
        if granted.grants.is_empty() {
            return Ok(Heads::new());
        }
        self.sight.learn(&heads);
        let asked = self.asked().await?;
        let mut readable = Heads::new();
        for (id, head) in heads {
            let named = match which {
                Which::Named(ids) | Which::Around(ids) => ids.contains(&id),
                Which::All | Which::Clusters | Which::Grants | Which::DueBefore(_) => false,
            };
            let last = if head.content != Content::Deleted {
                Some(head.content.clone())
            } else if named {
                self.last(&id, &head).await?
            } else {
                // Nobody asks for one tombstone among all.
                None
            };
            if last.is_some_and(|content| self.shows(&id, &content, asked.as_ref())) {
                readable.insert(id, head);
            }
        }
        Ok(readable)
    }

    /// Those of `revisions` that the caller may read by what they say themselves: a name may have
    /// been somebody else's before.
    async fn legible(
        &self,
        revisions: Vec<(ResourceId, Revision)>,
    ) -> Result<Vec<(ResourceId, Revision)>, StoreError> {
        let asked = self.asked().await?;
        let mut legible = Vec::new();
        for (id, revision) in revisions {
            let content = self.last(&id, &revision).await?;
            if content.is_some_and(|content| self.shows(&id, &content, asked.as_ref())) {
                legible.push((id, revision));
            }
        }
        Ok(legible)
    }

    /// Whether this resource is there for the caller.
    async fn has(&self, id: &ResourceId) -> Result<bool, StoreError> {
        Ok(self.heads(&Which::one(id)).await?.heads.contains_key(id))
    }
}

#[async_trait]
impl Store for View<'_> {
    fn location(&self) -> String {
        self.store.location()
    }

    fn exists(&self) -> bool {
        self.store.exists()
    }

    fn limits(&self) -> CommitLimits {
        self.store.limits()
    }

    async fn heads(&self, which: &Which) -> Result<HeadsAt, StoreError> {
        let at = self.store.heads(which).await?;
        let Some(granted) = self.access().limits() else {
            return Ok(at);
        };
        Ok(HeadsAt {
            sequence: at.sequence,
            heads: self.readable(granted, which, at.heads).await?,
        })
    }

    async fn revisions(
        &self,
        ids: &[(ResourceId, Version)],
    ) -> Result<Vec<(ResourceId, Revision)>, StoreError> {
        let mut found = self.store.revisions(ids).await?;
        if self.access().limits().is_some() {
            let named = found.iter().map(|(id, _)| id.clone()).collect();
            let readable = self.heads(&Which::Named(named)).await?.heads;
            found.retain(|(id, _)| readable.contains_key(id));
            found = self.legible(found).await?;
        }
        Ok(found)
    }

    async fn history(
        &self,
        id: &ResourceId,
        before: Option<Version>,
        limit: usize,
    ) -> Result<Vec<Revision>, StoreError> {
        if self.access().limits().is_none() {
            return self.store.history(id, before, limit).await;
        }
        if !self.has(id).await? {
            return Ok(Vec::new());
        }
        let (mut before, mut history) = (before, Vec::new());
        while history.len() < limit {
            let page = self
                .store
                .history(id, before, limit - history.len())
                .await?;
            let Some(oldest) = page.last() else { break };
            before = Some(oldest.version);
            let page = page.into_iter().map(|it| (id.clone(), it)).collect();
            let legible = self.legible(page).await?.into_iter();
            history.extend(legible.map(|(_, revision)| revision));
        }
        Ok(history)
    }

    async fn commit(&self, _: &Commit) -> Result<Committed, StoreError> {
        Err(StoreError::Unavailable {
            location: self.location(),
            source: "nothing is committed by whoever only looks".into(),
        })
    }

    async fn commits(
        &self,
        after: Sequence,
        limit: usize,
    ) -> Result<Vec<CommitRecord>, StoreError> {
        let records = self.store.commits(after, limit).await?;
        Ok(match self.access().limits() {
            None => records,
            // The log names everything.
            Some(_) => Vec::new(),
        })
    }

    async fn made_under(&self, key: &IdempotencyKey) -> Result<Option<CommitRecord>, StoreError> {
        match self.access().limits() {
            None => self.store.made_under(key).await,
            Some(_) => Ok(None),
        }
    }

    async fn records(&self, kind: RecordKind) -> Result<RecordsAt, StoreError> {
        let mut at = self.store.records(kind).await?;
        if self.access().limits().is_some() {
            at.records.clear();
        }
        Ok(at)
    }

    async fn record(&self, id: &RecordId) -> Result<Option<Record>, StoreError> {
        match self.access().limits() {
            None => self.store.record(id).await,
            Some(_) => Ok(None),
        }
    }

    async fn touch(&self, used: &[(RecordId, Timestamp)]) -> Result<(), StoreError> {
        self.store.touch(used).await
    }

    async fn wait(&self, after: Sequence) -> Result<Sequence, StoreError> {
        self.store.wait(after).await
    }
}
