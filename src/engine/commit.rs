//! The commit: the one point where a change becomes real.

use std::collections::BTreeMap;

use super::chance::{fresh_key, stagger};
use super::{Engine, EngineError, Milestone};
use crate::model::{
    Commit, IdempotencyKey, Origin, Overrides, RecordChange, RecordId, ResourceId, Revision,
    Sequence, SetName, Version,
};
use crate::plan::Permitted;
use crate::store::{Committed, Store, StoreError};
use crate::traces;

/// How often a commit is asked for again whose answer was lost.
const ROUNDS: u32 = 5;

/// What is to be overridden in one set from now on.
#[derive(Debug)]
pub struct Overriding<'a> {
    /// The set.
    pub set: &'a SetName,
    /// Its head.
    pub head: &'a Revision,
    /// All that is overridden.
    pub overrides: Overrides,
    /// How that came to be.
    pub origin: Origin,
    /// What whoever asked knows the commit by.
    pub key: Option<IdempotencyKey>,
    /// The other heads that must still be what they were.
    pub guards: BTreeMap<ResourceId, Option<Version>>,
    /// What becomes of records with it.
    pub records: BTreeMap<RecordId, RecordChange>,
}

/// Commits what has to do with no resource and no cluster: `changes` of records, which were planned
/// against all of their kinds `as_of` a commit where that matters, and what the log is to keep.
pub async fn note(
    store: &dyn Store,
    changes: BTreeMap<RecordId, RecordChange>,
    as_of: Option<Sequence>,
    audit: serde_json::Value,
) -> Result<Committed, StoreError> {
    let commit = Commit {
        records: changes,
        records_as_of: as_of,
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
        let made = traces::part("commit", made(self.store, commit)).await;
        made.map_err(EngineError::Commit)?;
        (self.events)(Milestone::Committed);
        Ok(())
    }

    /// Commits that a set is overridden like this from now on, and says in which version; none if
    /// only records change. No other head but those by which it is permitted has a say, and no cluster:
    /// what overrides would publish was checked when it was declared, so nothing but somebody who was
    /// faster holds this up.
    pub async fn override_set(
        &self,
        permitted: Permitted<Overriding<'_>>,
    ) -> Result<Option<Version>, EngineError> {
        if *self.interrupt.borrow() {
            return Err(EngineError::Interrupted);
        }
        let Overriding {
            set,
            head,
            overrides,
            origin,
            key,
            guards: mut expected,
            records,
        } = permitted.into_inner();
        let id = ResourceId::Set(set.clone());
        expected.insert(id.clone(), Some(head.version));
        let version = (overrides != head.overrides).then(|| head.version.next());
        let revision = version.map(|version| Revision {
            version,
            origin,
            content: head.content.clone(),
            overrides,
            // The same content still stands where it stood.
            provenance: head.provenance.clone(),
        });
        self.commit(&Commit {
            expected,
            revisions: revision
                .map(|revision| (id, revision))
                .into_iter()
                .collect(),
            records,
            key: key.or_else(fresh_key),
            audit: self.audit.clone(),
            ..Commit::default()
        })
        .await?;
        Ok(version)
    }
}
