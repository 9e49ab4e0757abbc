//! Entries of the log: which is the newest, and how commits came about.

use std::collections::{BTreeMap, BTreeSet};

use crate::api::Error;
use crate::model::{Origin, ResourceId, Revision, Sequence};
use crate::store::{CommitRecord, Store, Which};

/// The newest commit.
pub(super) async fn newest(store: &dyn Store) -> Result<Sequence, Error> {
    Ok(store.heads(&Which::Named(BTreeSet::new())).await?.sequence)
}

/// How each of these commits came about, of which all revisions have the same origin.
pub(super) async fn origins(
    store: &dyn Store,
    records: &[CommitRecord],
) -> Result<BTreeMap<Sequence, Origin>, Error> {
    let first = |record: &CommitRecord| {
        let (id, version) = record.changes.first_key_value()?;
        Some(((id.clone(), *version), record.sequence))
    };
    let commits: BTreeMap<_, _> = records.iter().filter_map(first).collect();
    let ids: Vec<_> = commits.keys().cloned().collect();
    let revisions = store.revisions(&ids).await?;
    let of = |(id, revision): (ResourceId, Revision)| {
        let sequence = commits.get(&(id, revision.version))?;
        Some((*sequence, revision.origin))
    };
    Ok(revisions.into_iter().filter_map(of).collect())
}
