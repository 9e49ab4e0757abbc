//! Happenings: what people want to hear of, as it follows from the log.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use jiff::Timestamp;

use super::entries::newest;
use super::{Local, audit};
use crate::api::{
    Error, ErrorKind, Happened, Happening, HappeningKind, KnownMailbox, LogEntry, Noted, Outbox,
};
use crate::engine;
use crate::model::{
    BreakerName, Grip, Labels, Mailbox, Opening, ReceiverName, RecordChange, RecordContent,
    RecordId, ResourceId, Revision, Selector, Sequence, SetName,
};
use crate::store::{CommitRecord, Store, StoreError, Which};

/// How many commits are looked at once.
const WINDOW: usize = 100;

#[async_trait]
impl Outbox for Local {
    fn time(&self) -> Timestamp {
        (self.clock)()
    }

    async fn newest(&self) -> Result<Sequence, Error> {
        newest(self.store.as_ref()).await
    }

    async fn more(&self, after: Sequence) -> Result<(), Error> {
        self.store.wait(after).await?;
        Ok(())
    }

    async fn happened(&self, after: Sequence) -> Result<Happened, Error> {
        let store = self.store.as_ref();
        let records = store.commits(after, WINDOW).await?;
        let mut happened = Happened {
            happenings: Vec::new(),
            sequence: records.last().map_or(after, |last| last.sequence),
        };
        for record in records {
            let mut found = of_revisions(store, &record).await?;
            found.extend(of_note(store, &record).await?);
            for (index, happening) in found.iter_mut().enumerate() {
                // The seal is another one in each store, and covers everything before it.
                let seal = record.seal.to_string();
                let seal: String = seal.chars().skip("sha256:".len()).take(16).collect();
                happening.id = format!("{}-{index}-{seal}", record.sequence);
            }
            happened.happenings.extend(found);
        }
        Ok(happened)
    }

    async fn mailbox(&self, of: &ReceiverName) -> Result<KnownMailbox, Error> {
        let found = self.store.record(&RecordId::Mailbox(of.clone())).await?;
        Ok(match found {
            Some(record) => KnownMailbox {
                changed: Some(record.changed),
                mailbox: record.content.mailbox().cloned().unwrap_or_default(),
            },
            None => KnownMailbox::default(),
        })
    }

    async fn keep(
        &self,
        of: &ReceiverName,
        known: &KnownMailbox,
        mailbox: Mailbox,
    ) -> Result<Option<KnownMailbox>, Error> {
        // A store that nobody has committed to yet is not made to say how far somebody was told.
        if !self.store.exists() {
            return Ok(None);
        }
        let entry = LogEntry {
            by: None,
            what: Noted::Notified {
                receiver: of.clone(),
                told: mailbox.told,
            },
            message: None,
        };
        let entry = serde_json::to_value(&entry);
        let entry = entry.map_err(|error| Error::of(ErrorKind::Bug, &error))?;
        let change = RecordChange {
            expected: known.changed,
            content: Some(RecordContent::Mailbox(mailbox.clone())),
        };
        let changes = BTreeMap::from([(RecordId::Mailbox(of.clone()), change)]);
        match engine::note(self.store.as_ref(), changes, None, entry).await {
            Ok(made) => Ok(Some(KnownMailbox {
                changed: Some(made.sequence),
                mailbox,
            })),
            Err(StoreError::RecordsMoved(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

/// What the revisions of a commit did to breakers.
async fn of_revisions(store: &dyn Store, record: &CommitRecord) -> Result<Vec<Happening>, Error> {
    let ids: Vec<_> = record
        .changes
        .iter()
        .map(|(id, version)| (id.clone(), *version))
        .collect();
    let mut happenings = Vec::new();
    for (id, after) in store.revisions(&ids).await? {
        let ResourceId::Set(set) = &id else {
            continue;
        };
        let before = store.history(&id, Some(after.version), 1).await?;
        let before = before
            .first()
            .map_or(&[][..], |it| &it.overrides.openings[..]);
        let breakers: BTreeSet<&BreakerName> = before
            .iter()
            .chain(&after.overrides.openings)
            .map(|it| &it.breaker)
            .collect();
        for breaker in breakers {
            let kind = changed(before, &after.overrides.openings, breaker);
            happenings.extend(kind.map(|kind| {
                let new = new_opening(before, &after.overrides.openings, breaker);
                of_breaker(record, (set, breaker), &after, new, kind)
            }));
        }
    }
    Ok(happenings)
}

/// What opened a breaker, if something did.
fn new_opening<'o>(
    before: &[Opening],
    after: &'o [Opening],
    breaker: &BreakerName,
) -> Option<&'o Opening> {
    let is_like = |old: &Opening, it: &Opening| {
        old.breaker == it.breaker && old.clusters == it.clusters && old.grip == it.grip
    };
    let mut after = after.iter().filter(|it| it.breaker == *breaker);
    after.find(|it| !before.iter().any(|old| is_like(old, it)))
}

/// What became of a breaker, by what was open for it and what is.
fn changed(before: &[Opening], after: &[Opening], breaker: &BreakerName) -> Option<HappeningKind> {
    let new = new_opening(before, after, breaker);
    if new.is_some_and(|it| it.grip == Grip::Latched) {
        return Some(HappeningKind::Latched);
    }
    let (was, is) = (places(before, breaker), places(after, breaker));
    if !is.is_subset(&was) {
        Some(HappeningKind::Tripped)
    } else if is != was {
        Some(HappeningKind::Reset)
    } else {
        None
    }
}

/// Where a breaker is open.
fn places<'o>(openings: &'o [Opening], breaker: &BreakerName) -> BTreeSet<&'o Selector> {
    let openings = openings.iter().filter(|it| it.breaker == *breaker);
    openings.map(|it| &it.clusters).collect()
}

fn of_breaker(
    record: &CommitRecord,
    (set, breaker): (&SetName, &BreakerName),
    after: &Revision,
    new: Option<&Opening>,
    kind: HappeningKind,
) -> Happening {
    let said = new.and_then(|opening| opening.stamp.reason.clone());
    Happening {
        set: Some(set.clone()),
        labels: after
            .content
            .set()
            .map(|set| set.labels.clone())
            .unwrap_or_default(),
        breaker: Some(breaker.clone()),
        version: Some(after.version),
        actor: Some(after.origin.actor.clone()),
        place: new
            .map(|opening| opening.clusters.clone())
            .unwrap_or_default(),
        reason: said.or_else(|| after.origin.message.clone()),
        ..happening(record, kind)
    }
}

fn happening(record: &CommitRecord, kind: HappeningKind) -> Happening {
    Happening {
        id: String::new(),
        sequence: record.sequence,
        at: record.at,
        kind,
        set: None,
        labels: Labels::new(),
        breaker: None,
        clusters: Vec::new(),
        place: Selector::default(),
        version: None,
        actor: None,
        reason: None,
    }
}

/// What was written down that made no revision.
async fn of_note(store: &dyn Store, record: &CommitRecord) -> Result<Option<Happening>, Error> {
    let Some((actor, noted)) = audit::noted(record) else {
        return Ok(None);
    };
    Ok(match noted {
        // What was only to be read is no change.
        Noted::Refused { operation, .. } if operation.starts_with("GET ") => None,
        Noted::Refused {
            operation, error, ..
        } => Some(Happening {
            actor,
            reason: Some(format!("{operation}: {error}")),
            ..happening(record, HappeningKind::Refused)
        }),
        Noted::Undelivered { set, clusters } => Some(Happening {
            labels: labels_of(store, &set).await?,
            set: Some(set),
            reason: reasons(&clusters),
            clusters: clusters.into_keys().collect(),
            ..happening(record, HappeningKind::Undelivered)
        }),
        Noted::Drifted { set, clusters } => Some(Happening {
            labels: labels_of(store, &set).await?,
            set: Some(set),
            reason: reasons(&clusters),
            clusters: clusters.into_keys().collect(),
            ..happening(record, HappeningKind::Drifted)
        }),
        _ => None,
    })
}

/// Why, told once where it is the same in several clusters.
fn reasons<K>(clusters: &BTreeMap<K, String>) -> Option<String> {
    let reasons: BTreeSet<&str> = clusters.values().map(String::as_str).collect();
    let reasons: Vec<&str> = reasons.into_iter().filter(|it| !it.is_empty()).collect();
    (!reasons.is_empty()).then(|| reasons.join("; "))
}

async fn labels_of(store: &dyn Store, set: &SetName) -> Result<Labels, Error> {
    let id = ResourceId::Set(set.clone());
    let heads = store.heads(&Which::one(&id)).await?.heads;
    let labels = heads.get(&id).and_then(|head| head.content.labels());
    Ok(labels.cloned().unwrap_or_default())
}
