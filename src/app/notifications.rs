//! Notifications: how far whoever wants to hear what happens was told.

use super::authorise::{Access, Need};
use crate::api::report::{Notifications, ReceiverItem};
use crate::api::{Caller, Error};
use crate::model::{RecordId, RecordKind, Role};
use crate::store::Store;

/// How far everybody was told. What never arrived names everything that there is.
pub(super) async fn notifications(store: &dyn Store, by: &Caller) -> Result<Notifications, Error> {
    let access = Access::of(store, by).await?;
    access.require(&Need::All(Role::Viewer), "to see who is told what happens")?;
    let records = store.records(RecordKind::Mailbox).await?.records;
    let items = records.into_iter().filter_map(|(id, record)| {
        let RecordId::Mailbox(name) = id else {
            return None;
        };
        let mailbox = record.content.mailbox()?.clone();
        Some(ReceiverItem {
            name,
            told: mailbox.told,
            failing: mailbox.failing,
            dead: mailbox.dead,
        })
    });
    Ok(Notifications {
        receivers: items.collect(),
    })
}
