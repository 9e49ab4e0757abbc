//! Pending deliveries: what cfgctl itself committed and has to bring to clusters without anybody who waits
//! for it. That stands in the store from the commit on, so whichever server lives does it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::api::{Error, ErrorKind, LogEntry, Noted};
use crate::engine;
use crate::model::{Record, RecordChange, RecordContent, RecordId, RecordKind, SetName};
use crate::store::{Store, StoreError};

/// What a commit has to say so that `set` is delivered afterwards.
pub(super) async fn pend(
    store: &dyn Store,
    set: &SetName,
    now: Timestamp,
) -> Result<(RecordId, RecordChange), StoreError> {
    let id = RecordId::Delivery(set.clone());
    let found = store.record(&id).await?;
    let change = RecordChange {
        expected: found.map(|record| record.changed),
        content: Some(RecordContent::Delivery(now)),
    };
    Ok((id, change))
}

/// The sets that are to be delivered.
pub(super) async fn all(store: &dyn Store) -> Result<BTreeSet<SetName>, StoreError> {
    let records = store.records(RecordKind::Delivery).await?.records;
    let sets = records.into_keys().filter_map(|id| match id {
        RecordId::Delivery(set) => Some(set),
        _ => None,
    });
    Ok(sets.collect())
}

/// What is to be delivered of `set`, if anything is.
pub(super) async fn of(store: &dyn Store, set: &SetName) -> Result<Option<Record>, StoreError> {
    store.record(&RecordId::Delivery(set.clone())).await
}

/// Takes note that `pending` was delivered everywhere, if nothing new is to be since.
pub(super) async fn done(store: &dyn Store, set: &SetName, pending: Record) -> Result<(), Error> {
    let change = RecordChange {
        expected: Some(pending.changed),
        content: None,
    };
    let entry = LogEntry {
        by: None,
        what: Noted::Delivered { set: set.clone() },
        message: None,
    };
    let entry = serde_json::to_value(&entry);
    let entry = entry.map_err(|error| Error::of(ErrorKind::Bug, &error))?;
    let changes = BTreeMap::from([(RecordId::Delivery(set.clone()), change)]);
    match engine::note(store, changes, None, entry).await {
        Ok(_) | Err(StoreError::RecordsMoved(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
