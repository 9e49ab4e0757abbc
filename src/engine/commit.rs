//! The commit: the one point where a change becomes real.

use std::collections::BTreeMap;

use super::chance::{fresh_key, stagger};
use super::{Engine, EngineError, Milestone};
use crate::model::{
    Commit, IdempotencyKey, Origin, Overrides, RecordChange, RecordId, ResourceId, Revision,
    SetName, Version,
};
use crate::store::{Committed, Store, StoreError};

/// How often a commit is asked for again whose answer was lost.
const ROUNDS: u32 = 5;

/// Commits what has to do with no resource and no cluster: `changes` of records, and what the log is to
/// keep.
pub async fn note(
    store: &dyn Store,
    changes: BTreeMap<RecordId, RecordChange>,
    audit: serde_json::Value,
) -> Result<Committed, StoreError> {
    let commit = Commit {
        records: changes,
        key: fresh_key(),
        audit: Some(audit),
        ..Commit::default()
    };
    made(store, &commit).await
}

async fn made(store: &dyn Store, commit: &Commit) -> Result<Committed, StoreError> {
    let mut round = 0;
    loop {
        match store.commit(commit).await {
            Err(StoreError::Unknown { .. }) if commit.key.is_some() && round < ROUNDS => {
                round += 1;
                stagger(round).await;
            }
            made => return made,
        }
    }
}

impl Engine<'_> {
    /// Makes the revisions of `commit` the heads. Where the answer is lost it asks again: the key
    /// sees to it that nothing is done twice.
    pub(super) async fn commit(&self, commit: &Commit) -> Result<(), EngineError> {
        made(self.store, commit)
            .await
            .map_err(EngineError::Commit)?;
        (self.events)(Milestone::Committed);
        Ok(())
    }

    /// Commits that `set`, of which `head` is the head, is overridden like this from now on, and
    /// says in which version. No other head and no cluster has a say: what overrides would publish
    /// was checked when it was declared, so nothing but somebody who was faster holds this up. `key` is
    /// what whoever asked knows the commit by.
    pub async fn override_set(
        &self,
        set: &SetName,
        head: &Revision,
        overrides: Overrides,
        origin: Origin,
        key: Option<IdempotencyKey>,
    ) -> Result<Version, EngineError> {
        if *self.interrupt.borrow() {
            return Err(EngineError::Interrupted);
        }
        let id = ResourceId::Set(set.clone());
        let version = head.version.next();
        let revision = Revision {
            version,
            origin,
            content: head.content.clone(),
            overrides,
            // The same content still stands where it stood.
            provenance: head.provenance.clone(),
        };
        self.commit(&Commit {
            expected: BTreeMap::from([(id.clone(), Some(head.version))]),
            revisions: BTreeMap::from([(id, revision)]),
            key: key.or_else(fresh_key),
            audit: self.audit.clone(),
            ..Commit::default()
        })
        .await?;
        Ok(version)
    }
}
