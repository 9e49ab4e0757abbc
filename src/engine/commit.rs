//! The commit: the one point where a change becomes real.

use std::collections::BTreeMap;

use super::{Engine, EngineError, Event};
use crate::model::{
    Commit, IdempotencyKey, Origin, Overrides, ResourceId, Revision, SetName, Version,
};

impl Engine<'_> {
    /// Makes the revisions of `commit` the heads.
    pub(super) async fn commit(&self, commit: &Commit) -> Result<(), EngineError> {
        let committed = self.store.commit(commit).await;
        committed.map_err(EngineError::Commit)?;
        (self.events)(Event::Committed);
        Ok(())
    }

    /// Commits that `set`, of which `head` is the head, is overridden like this from now on, and
    /// says in which version. No other head and no cluster has a say: what overrides would publish
    /// was checked when it was declared, so nothing but somebody who was faster holds this up. Under
    /// one key it is committed once.
    pub async fn override_set(
        &self,
        set: &SetName,
        head: &Revision,
        overrides: Overrides,
        origin: Origin,
        key: Option<&IdempotencyKey>,
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
            key: key.cloned(),
            ..Commit::default()
        })
        .await?;
        Ok(version)
    }
}
