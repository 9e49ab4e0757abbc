//! Changes that are asked for again under the same key: what is committed already is not committed
//! twice, whatever has happened since, and clusters are brought to what holds now.

use std::collections::BTreeSet;

use super::run::{REQUEST, Run};
use super::{declare, present};
use crate::api::report::{NewRevision, Outcome};
use crate::api::{
    Approval, BreakerChange, Change, Error, ErrorKind, Event, FlagChange, FlagPosition, Reach,
    Request, Wanted,
};
use crate::model::{
    Cause, Consent, IdempotencyKey, ResourceId, ResourceKind, Revision, SetName, Version,
};

/// What has come of `request` if it was committed before under its key; `None`: it was not.
pub(super) async fn again(run: &Run<'_>, request: &Request) -> Result<Option<Outcome>, Error> {
    match made(run, request).await? {
        Some(committed) => Ok(Some(finished(run, request, committed).await)),
        None => Ok(None),
    }
}

/// What has come of `request` once it was carried out with this `outcome`: somebody may have been
/// faster with the same key, or the answer of the store may have been lost.
pub(super) async fn settled(
    run: &Run<'_>,
    request: &Request,
    outcome: Result<Outcome, Error>,
) -> Result<Outcome, Error> {
    match (made(run, request).await, outcome) {
        (Ok(Some(made)), Ok(outcome)) if made.iter().all(|it| outcome.committed.contains(it)) => {
            Ok(outcome)
        }
        (Ok(Some(made)), _) => Ok(finished(run, request, made).await),
        (Err(other), Err(_)) if other.kind == ErrorKind::KeyTaken => Err(other),
        (Ok(None) | Err(_), outcome) => outcome,
    }
}

/// What was committed under the key of `request`; `None`: nothing was. Fails if that was not this
/// request.
async fn made(run: &Run<'_>, request: &Request) -> Result<Option<Vec<NewRevision>>, Error> {
    let Some(key) = &request.key else {
        return Ok(None);
    };
    let Some(record) = run.store().made_under(key).await? else {
        return Ok(None);
    };
    let ids: Vec<(ResourceId, Version)> = record.changes.into_iter().collect();
    let kept = record.audit.as_ref().and_then(|audit| audit.get(REQUEST));
    let kept = kept.and_then(|kept| kept.as_str());
    let is_the_same = if let (Some(kept), Some(asked)) = (kept, run.asked()) {
        *kept == asked.to_string()
    } else {
        // An older cfgctl made it: as far as what it made tells.
        let made = run.store().revisions(&ids).await?;
        is_made_by(run.actor(), &request.change, &made)
    };
    if !is_the_same {
        return Err(other(key));
    }
    let committed = ids.into_iter();
    let committed = committed.map(|(name, version)| NewRevision { name, version });
    Ok(Some(committed.collect()))
}

/// What has come of what was committed before, once clusters are brought to what holds now.
async fn finished(run: &Run<'_>, request: &Request, committed: Vec<NewRevision>) -> Outcome {
    let delivered = delivered(run, request, &committed).await;
    Outcome {
        complete: true,
        committed,
        clusters: Vec::new(),
        note: None,
        until: None,
    }
    .and(Some(delivered))
}

/// Brings clusters to what holds now, as far as it has to do with what was committed.
async fn delivered(run: &Run<'_>, request: &Request, committed: &[NewRevision]) -> Outcome {
    let reconciled = match &request.change {
        Change::Flag(FlagChange { set, .. }) | Change::Breaker(BreakerChange { set, .. }) => {
            match run.reconcile(set, &request.clusters).await {
                Ok(reconciled) => Ok(present::reconciled(set, None, Ok(reconciled))),
                Err(error) => Err(error.into()),
            }
        }
        Change::Declare(_) | Change::Rollback { .. } | Change::Delete(_) | Change::Reconcile(_) => {
            let request = Request {
                change: Change::Reconcile(reach(committed)),
                consents: consents(request),
                dropped: BTreeSet::new(),
                key: None,
                ..request.clone()
            };
            declare::carry_out(run, &request, &Approval::Unseen).await
        }
    };
    reconciled.unwrap_or_else(|error| {
        let reason = error.chain();
        run.seen.tell(Event::NotReconciled { reason });
        Outcome {
            complete: false,
            committed: Vec::new(),
            clusters: Vec::new(),
            note: None,
            until: None,
        }
    })
}

/// What has to do with these: another cluster may mean every set.
fn reach(committed: &[NewRevision]) -> Reach {
    let sets = committed.iter().filter_map(|it| match &it.name {
        ResourceId::Set(name) => Some(Some(name.clone())),
        ResourceId::Cluster(_) => Some(None),
        ResourceId::Grant(_) => None,
    });
    let sets: Option<BTreeSet<SetName>> = sets.collect();
    sets.map_or(Reach::All, Reach::Named)
}

fn consents(request: &Request) -> BTreeSet<Consent> {
    let mut consents = request.consents.clone();
    if matches!(request.change, Change::Delete(_)) {
        // Asking for it in so many words was consent.
        consents.insert(Consent::AllowDeletes);
    }
    consents
}

fn other(key: &IdempotencyKey) -> Error {
    let key = key.as_str();
    let error = format!("the key `{key}` is that of another change");
    Error::new(ErrorKind::KeyTaken, error).hint("every change needs a key of its own")
}

/// Whether `made` is what `change` comes to when `actor` asks for it, as far as that can be told.
fn is_made_by(actor: &str, change: &Change, made: &[(ResourceId, Revision)]) -> bool {
    let mut all = made.iter();
    all.all(|(id, revision)| {
        let cause = &revision.origin.cause;
        let is_set = |set: &SetName| id.kind() == ResourceKind::Set && id.name() == set.as_str();
        let is_named = |name: &ResourceId| id == name;
        revision.origin.actor == actor
            && match change {
                Change::Declare(declared) => {
                    let content = declared.contents.get(id);
                    // What a cluster is called changes sets that nobody declares.
                    *cause == Cause::Apply && content.is_none_or(|it| *it == revision.content)
                }
                Change::Rollback { name, to: None } => {
                    matches!(cause, Cause::Rollback { .. }) && is_named(name)
                }
                Change::Rollback { name, to: Some(to) } => {
                    *cause == Cause::Rollback { to: *to } && is_named(name)
                }
                Change::Delete(names) => *cause == Cause::Delete && names.contains(id),
                Change::Reconcile(_) => *cause == Cause::Apply,
                Change::Flag(change) => is_set(&change.set) && is_switched(change, cause),
                Change::Breaker(change) => {
                    let (breaker, operation) = (change.breaker.clone(), change.operation.word());
                    is_set(&change.set) && *cause == Cause::Breaker { breaker, operation }
                }
            }
    }) && match change {
        Change::Declare(declared) => made
            .iter()
            .any(|(id, _)| declared.contents.contains_key(id)),
        _ => true,
    }
}

fn is_switched(change: &FlagChange, cause: &Cause) -> bool {
    let Cause::Flag { flag, to } = cause else {
        return false;
    };
    *flag == change.flag
        && match (&change.to, to) {
            (FlagPosition::Declared, None) => true,
            (FlagPosition::Held { at, .. }, Some(variant)) => match at {
                Wanted::Variant(name) => name == variant,
                // Which one that is was decided when it was declared.
                Wanted::Boolean(_) => true,
            },
            _ => false,
        }
}
