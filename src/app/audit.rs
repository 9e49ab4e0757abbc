//! The log, read: who did what, and whether it is whole.

use super::authorise::{Access, Need};
use super::entries::{newest, origins};
use super::error::damaged_log;
use super::run::REQUEST;
use crate::api::report::{AuditChange, AuditEntry, AuditEvent, AuditLog, VerifiedLog};
use crate::api::{
    AuditQuery, Caller, CauseKind, Error, ErrorKind, LogEntry, Noted, Principal, VerifyQuery,
};
use crate::model::{Cause, Checkpoint, Digest, Origin, Role, Sequence};
use crate::store::{CommitRecord, Store};

/// How many entries are read at once.
const WINDOW: u64 = 200;
/// How many entries one question looks at; whoever wants more asks for the next ones.
const MOST_LOOKED_AT: u64 = 20_000;
/// How many changes one answer names, before it ends with the entry at hand.
const MOST_CHANGES: usize = 5_000;

/// The log names everything that there is, and everybody: only an admin of everything reads it.
pub(super) async fn check_may(store: &dyn Store, by: &Caller) -> Result<(), Error> {
    let access = Access::of(store, by).await?;
    access.require(&Need::All(Role::Admin), "to read the log")
}

/// The entries that were asked for, newest first.
pub(super) async fn list(store: &dyn Store, query: &AuditQuery) -> Result<AuditLog, Error> {
    let newest = newest(store).await?;
    let mut end = match query.before {
        Some(before) => before.get().saturating_sub(1).min(newest.get()),
        None => newest.get(),
    };
    let last = end.saturating_sub(MOST_LOOKED_AT);
    let mut log = AuditLog {
        entries: Vec::new(),
        next: None,
    };
    let mut changes = 0;
    while end > last {
        let start = end.saturating_sub(WINDOW).max(last);
        let size = usize::try_from(end - start).unwrap_or(0);
        let records = store.commits(Sequence::new(start), size).await?;
        let origins = origins(store, &records).await?;
        for record in records.into_iter().rev() {
            if log.entries.len() >= query.limit || changes >= MOST_CHANGES {
                log.next = Some(Sequence::new(record.sequence.get() + 1));
                return Ok(log);
            }
            if query.since.is_some_and(|since| record.at < since) {
                return Ok(log);
            }
            let origin = origins.get(&record.sequence);
            let Some(entry) = chosen(record, origin, query) else {
                continue;
            };
            let entry = with_versions_before(store, entry).await?;
            changes += entry.changes.len();
            log.entries.push(entry);
        }
        end = start;
    }
    log.next = (end > 0).then(|| Sequence::new(end + 1));
    Ok(log)
}

/// What `record` says, if that was asked for.
fn chosen(record: CommitRecord, origin: Option<&Origin>, query: &AuditQuery) -> Option<AuditEntry> {
    let names = &query.names;
    let is_named = names.is_empty() || names.iter().any(|id| record.changes.contains_key(id));
    let is_before = query.until.is_none_or(|until| record.at < until);
    let cause = origin.map(|origin| &origin.cause);
    let is_caused =
        (query.cause).is_none_or(|kind| cause.is_some_and(|cause| CauseKind::from(cause) == kind));
    if !(is_named && is_before && is_caused) {
        return None;
    }
    let entry = entry(record, origin);
    // How far somebody was told is told elsewhere, and would hide what was done.
    if let Some(Noted::Notified { .. }) = entry.noted {
        return None;
    }
    let actor = entry.actor.as_deref();
    let is_by = (query.actor.as_deref()).is_none_or(|asked| actor == Some(asked));
    is_by.then_some(entry)
}

fn entry(record: CommitRecord, origin: Option<&Origin>) -> AuditEntry {
    let (by, noted, said) = kept(record.audit);
    let token = by.as_ref().and_then(|by| match &by.principal {
        Principal::Token(holder) => Some(holder.id.clone()),
        Principal::Local(_) | Principal::Owner(_) | Principal::System => None,
    });
    let cause = origin.map(|origin| origin.cause.clone());
    let changes = record.changes.into_iter();
    AuditEntry {
        event: event(cause.as_ref(), noted.as_ref()),
        sequence: record.sequence,
        at: record.at,
        // A commit that is older than what is kept beside it has its author in its revisions.
        actor: match (origin, &by) {
            (Some(origin), _) => Some(origin.actor.clone()),
            (None, by) => by.as_ref().map(|by| by.actor().to_owned()),
        },
        token,
        via: by.and_then(|by| by.via),
        cause,
        message: origin.and_then(|origin| origin.message.clone()).or(said),
        changes: changes
            .map(|(name, after)| AuditChange {
                name,
                before: None,
                after,
            })
            .collect(),
        noted,
    }
}

fn event(cause: Option<&Cause>, noted: Option<&Noted>) -> AuditEvent {
    match (cause, noted) {
        (Some(Cause::Rollback { .. }), _) => AuditEvent::ConfigReloadRolledBack,
        (Some(_), _) => AuditEvent::ConfigReloadApplied,
        (None, Some(Noted::Refused { .. })) => AuditEvent::ConfigReloadRejected,
        (None, Some(Noted::AlertsTold { .. })) => AuditEvent::AlertsTold,
        (None, Some(Noted::Undelivered { .. })) => AuditEvent::ConfigReloadFailed,
        (None, Some(Noted::Delivered { .. })) => AuditEvent::Delivered,
        (None, Some(Noted::Drifted { .. })) => AuditEvent::DriftFound,
        (None, Some(Noted::Notified { .. })) => AuditEvent::Notified,
        (None, Some(Noted::LoggedIn | Noted::Exchanged { .. })) => AuditEvent::LoggedIn,
        (None, Some(Noted::LoginFailed { .. })) => AuditEvent::LoginFailed,
        (None, Some(Noted::TokenCreated(_))) => AuditEvent::TokenCreated,
        (None, Some(Noted::TokenRotated { .. })) => AuditEvent::TokenRotated,
        (None, Some(Noted::TokenRevoked { .. })) => AuditEvent::TokenRevoked,
        (None, None) => AuditEvent::Other,
    }
}

/// What was written down with a commit that made no revision, and by whom.
pub(super) fn noted(record: &CommitRecord) -> Option<(Option<String>, Noted)> {
    let (by, noted, _) = kept(record.audit.clone());
    let actor = by.map(|by| by.actor().to_owned());
    noted.map(|noted| (actor, noted))
}

/// What was kept beside a commit: who, what without a revision, and why. Whatever cannot be read was
/// written by another cfgctl.
fn kept(audit: Option<serde_json::Value>) -> (Option<Caller>, Option<Noted>, Option<String>) {
    let Some(mut audit) = audit else {
        return (None, None, None);
    };
    if let Some(fields) = audit.as_object_mut() {
        fields.remove(REQUEST);
        if !fields.contains_key("what") {
            let by = fields.remove("by");
            return (
                by.and_then(|by| serde_json::from_value(by).ok()),
                None,
                None,
            );
        }
    }
    match serde_json::from_value::<LogEntry>(audit) {
        Ok(entry) => (entry.by, Some(entry.what), entry.message),
        Err(_) => (None, None, None),
    }
}

/// The same with the versions that were there before.
async fn with_versions_before(
    store: &dyn Store,
    mut entry: AuditEntry,
) -> Result<AuditEntry, Error> {
    for change in &mut entry.changes {
        // The first version has none before it.
        if change.after > crate::model::Version::FIRST {
            let before = store.history(&change.name, Some(change.after), 1).await?;
            change.before = before.first().map(|revision| revision.version);
        }
    }
    Ok(entry)
}

/// Reads the log and every revision in it, and says what it is. What is not whole is an error, and so is
/// a log that does not go on from what it is asked against.
pub(super) async fn verify(store: &dyn Store, query: &VerifyQuery) -> Result<VerifiedLog, Error> {
    let against = query.against.as_ref();
    let (mut first, mut last): (Option<Digest>, Option<(Sequence, Digest)>) = (None, None);
    let mut found = None;
    loop {
        let after = last
            .as_ref()
            .map_or(Sequence::START, |(sequence, _)| *sequence);
        let size = usize::try_from(WINDOW).unwrap_or(usize::MAX);
        let records = store.commits(after, size).await?;
        if records.is_empty() {
            break;
        }
        for record in &records {
            let ids: Vec<_> = record.changes.clone().into_iter().collect();
            let revisions = store.revisions(&ids).await?;
            if revisions.len() != ids.len() {
                let what = format!("revisions of entry {} are missing", record.sequence);
                return Err(damaged_log(&what));
            }
            if against.is_some_and(|against| against.size == record.sequence) {
                found = Some(record.seal.clone());
            }
        }
        if first.is_none() {
            first = records.first().map(|record| record.seal.clone());
        }
        last = records
            .last()
            .map(|record| (record.sequence, record.seal.clone()));
    }
    let head = first.zip(last);
    let head = head.map(|(first, (size, hash))| Checkpoint::of(&first, size, hash));
    if let Some(against) = against {
        goes_on(head.as_ref(), against, found.as_ref())?;
    }
    Ok(VerifiedLog {
        head,
        against: query.against.clone(),
    })
}

fn goes_on(
    head: Option<&Checkpoint>,
    against: &Checkpoint,
    found: Option<&Digest>,
) -> Result<(), Error> {
    let size = head.map_or(0, |head| head.size.get());
    if head.is_some_and(|head| head.origin != against.origin) {
        let error = format!("the checkpoint is of the log `{}`", against.origin);
        let origin = head.map_or("", |head| head.origin.as_str());
        return Err(Error::new(ErrorKind::Conflict, error).hint(format!(
            "this is `{origin}`: name its store, or the entries up to that were replaced"
        )));
    }
    match found {
        Some(seal) if *seal == against.hash => Ok(()),
        Some(_) => Err(damaged_log(&format!(
            "it is not what it was when it had {} entries: some were changed or replaced",
            against.size
        ))),
        None => Err(damaged_log(&format!(
            "it had {} entries once, and has {size} now: the newest were cut off",
            against.size
        ))),
    }
}

/// What the log is now, without a look at what lies before its end; `None` in a store without commits.
pub(super) async fn head(store: &dyn Store) -> Result<Option<Checkpoint>, Error> {
    let first = store.commits(Sequence::START, 1).await?;
    let newest = newest(store).await?;
    let before = Sequence::new(newest.get().saturating_sub(1));
    let last = store.commits(before, 1).await?;
    let (Some(first), Some(last)) = (first.first(), last.first()) else {
        return Ok(None);
    };
    Ok(Some(Checkpoint::of(
        &first.seal,
        last.sequence,
        last.seal.clone(),
    )))
}
