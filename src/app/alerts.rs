//! Alerts: what a message of them comes to for the breakers of every set that it has to do with.
//!
//! What it comes to is committed for each set by itself, against the head of the set and the record of
//! what fires for it alone: no cluster is asked anything, and one set that cannot be changed holds up no
//! other. That a breaker waits for an alert is what its declaration says, so whoever may tell of alerts
//! trips whatever waits for them.

use std::collections::{BTreeMap, BTreeSet};

use super::authorise::{Access, Need, View};
use super::names::{around, clusters, known_part, living};
use super::run::Run;
use super::{pending, present};
use crate::api::report::{
    AlertTest, Alerts, AlertsTaken, FailedSet, FiringAlert, NewRevision, TakenAlert, TestedAlert,
    ToldBreaker,
};
use crate::api::{
    AlertTestQuery, AlertsQuery, Caller, Error, ErrorKind, LogEntry, Noted, Principal,
};
use crate::engine::{EngineError, Overriding, stagger};
use crate::model::{
    ALERT_NAME, Alert, BreakerName, Clocks, Cluster, ClusterName, ConfigSet, Content, FiringAlerts,
    Origin, Record, RecordChange, RecordContent, RecordId, RecordKind, ResourceId, Revision, Role,
    Selector, SetName, TokenKind, Version,
};
use crate::plan::{AlertTold, Alerted, Ground, Plan, alerted};
use crate::store::{Store, StoreError};

mod index;
mod unmatched;

use index::Index;
use unmatched::Unmatched;

/// How often a message is taken in again on top of what others committed.
const ATTEMPTS: u32 = 100;
/// How many alerts the reason of a revision names.
const NAMED: usize = 3;

/// What is kept to find breakers quickly, and what nobody waited for.
#[derive(Debug, Default)]
pub(super) struct Watch {
    index: Index,
    unmatched: Unmatched,
}

impl Watch {
    /// Reads what there is, so that the first alert is as quick as any.
    pub(super) async fn begin(&self, store: &dyn Store) -> Result<(), Error> {
        self.index.meant(store, &[]).await?;
        Ok(())
    }
}

/// Refuses alerts of whoever may not tell of them: what has a token for that, and an operator of
/// everything.
pub(super) async fn check_may_tell(store: &dyn Store, by: &Caller) -> Result<(), Error> {
    match &by.principal {
        Principal::Token(holder) if holder.kind == TokenKind::Alerts => Ok(()),
        _ => {
            let access = Access::of(store, by).await?;
            let allowed = access.require(&Need::All(Role::Operator), "to tell of alerts");
            allowed.map_err(|error| {
                error.hint("`cfgctl token create NAME --kind alerts` makes a token for that")
            })
        }
    }
}

/// Takes in what a message says.
pub(super) async fn take(
    run: &Run<'_>,
    watch: &Watch,
    alerts: &[Alert],
) -> Result<AlertsTaken, Error> {
    let meant = watch.index.meant(run.store(), alerts).await?;
    let mut taken = AlertsTaken {
        alerts: alerts.iter().map(taken).collect(),
        ..AlertsTaken::default()
    };
    for (set, indices) in meant {
        let told: Vec<Alert> = indices
            .iter()
            .filter_map(|it| alerts.get(*it).cloned())
            .collect();
        match commit(run, &set, &told).await {
            Ok(done) => {
                taken
                    .committed
                    .extend(done.version.map(|version| NewRevision {
                        name: ResourceId::Set(set.clone()),
                        version,
                    }));
                for told in done.told {
                    let index = indices.get(told.alert).copied();
                    if let Some(alert) = index.and_then(|index| taken.alerts.get_mut(index)) {
                        alert.breakers.push(told_breaker(&set, told));
                    }
                }
            }
            Err(error) => {
                let reason = error.chain();
                taken.failed.push(FailedSet { set, reason });
            }
        }
    }
    if taken.failed.is_empty() {
        let unmatched = alerts.iter().zip(&taken.alerts);
        let unmatched = unmatched.filter(|(_, taken)| {
            let mut told = taken.breakers.iter();
            told.all(|told| told.effect.is_in_vain())
        });
        watch.unmatched.note(unmatched, run.now());
    }
    Ok(taken)
}

fn taken(alert: &Alert) -> TakenAlert {
    TakenAlert {
        name: alert.name().to_owned(),
        fingerprint: alert.fingerprint.clone(),
        status: alert.status,
        breakers: Vec::new(),
    }
}

fn told_breaker(set: &SetName, told: AlertTold) -> ToldBreaker {
    ToldBreaker {
        breaker: format!("{set}/{}", told.breaker),
        clusters: told.clusters,
        effect: told.effect,
    }
}

/// What became real of a message for one set.
struct Done {
    told: Vec<AlertTold>,
    version: Option<Version>,
}

/// Commits what `alerts` come to for `set`, on top of what others commit meanwhile.
async fn commit(run: &Run<'_>, set: &SetName, alerts: &[Alert]) -> Result<Done, Error> {
    for round in 1..=ATTEMPTS {
        let heads = around(run.store(), [set]).await?;
        let Ok((content, head)) = living(&heads, set) else {
            // It was deleted meanwhile.
            let (told, version) = (Vec::new(), None);
            return Ok(Done { told, version });
        };
        let clusters = clusters(&heads);
        let found = run.store().record(&RecordId::Alerts(set.clone())).await?;
        let firing = found.as_ref().and_then(|it| it.content.firing());
        let firing = firing.cloned().unwrap_or_default();
        let clocks = Clocks::of(run.now(), []);
        let ground = Ground::new(set, content, &head.overrides, &clusters, clocks);
        let alerted = alerted(&ground, &firing, alerts, run.actor());
        if alerted.overrides == head.overrides && alerted.firing == firing {
            let told = alerted.told;
            return Ok(Done {
                told,
                version: None,
            });
        }
        let mut records = BTreeMap::new();
        if alerted.firing != firing {
            records.extend([record(set, found, &alerted.firing)]);
        }
        if alerted.overrides != head.overrides {
            records.extend([pending::pend(run.store(), set, run.now()).await?]);
        }
        match write(run, (set, head), &alerted, records, &clusters, alerts).await? {
            Ok(version) => {
                let told = alerted.told;
                return Ok(Done { told, version });
            }
            Err(EngineError::Commit(StoreError::HeadsMoved(_) | StoreError::RecordsMoved(_))) => {
                stagger(round).await;
            }
            Err(error) => return Err(error.into()),
        }
    }
    let error = format!("others kept changing {set}");
    Err(Error::new(ErrorKind::Conflict, error))
}

async fn write(
    run: &Run<'_>,
    (set, head): (&SetName, &Revision),
    alerted: &Alerted,
    records: BTreeMap<RecordId, RecordChange>,
    clusters: &BTreeMap<&ClusterName, &Cluster>,
    alerts: &[Alert],
) -> Result<Result<Option<Version>, EngineError>, Error> {
    let overriding = Overriding {
        set,
        head,
        overrides: alerted.overrides.clone(),
        origin: Origin {
            message: Some(message(alerted, alerts)),
            ..run.origin(alerted.cause.clone(), None)
        },
        key: None,
        guards: BTreeMap::new(),
        records,
    };
    let firing = alerted.firing.iter().count();
    let noted = (alerted.overrides == head.overrides).then(|| LogEntry {
        by: Some(run.by().clone()),
        what: Noted::AlertsTold {
            set: set.clone(),
            firing,
        },
        message: None,
    });
    let permitted = run.access().permit_switch(overriding, clusters)?;
    Ok(match &noted {
        Some(noted) => run.override_set_noting(permitted, noted).await,
        None => run.override_set(permitted).await,
    })
}

/// What the record of `set` has to become.
fn record(set: &SetName, found: Option<Record>, firing: &FiringAlerts) -> (RecordId, RecordChange) {
    let content = (!firing.is_empty()).then(|| RecordContent::Alerts(firing.clone()));
    let change = RecordChange {
        expected: found.map(|record| record.changed),
        content,
    };
    (RecordId::Alerts(set.clone()), change)
}

/// Takes away with each set that `plan` deletes what fires for it: one of its name that is declared later
/// is another one.
pub(super) async fn forget_deleted(store: &dyn Store, plan: &mut Plan) -> Result<(), Error> {
    let revisions = plan.commit.revisions.iter();
    let deleted = revisions.filter(|(_, revision)| revision.content == Content::Deleted);
    let deleted: Vec<_> = deleted.filter_map(|(id, _)| id.set().cloned()).collect();
    for set in deleted {
        let found = store.record(&RecordId::Alerts(set.clone())).await?;
        if found.is_some() {
            let gone = record(&set, found, &FiringAlerts::default());
            plan.commit.records.extend([gone]);
        }
    }
    Ok(())
}

/// What the history says of it: which alerts did what.
fn message(alerted: &Alerted, alerts: &[Alert]) -> String {
    let sentence = |told: &AlertTold| {
        let alert = alerts.get(told.alert)?;
        let name: String = alert
            .name()
            .chars()
            .filter(|c| !c.is_control())
            .take(60)
            .collect();
        let name = crate::model::text::without_secrets(&name);
        Some(format!(
            "alert {name} {}: {} {}",
            alert.status.as_str(),
            told.breaker,
            told.effect
        ))
    };
    let told: Vec<String> = alerted.told.iter().filter_map(sentence).collect();
    let more = told.len().saturating_sub(NAMED);
    let told = told.into_iter().take(NAMED).collect::<Vec<_>>().join("; ");
    match more {
        0 => told,
        more => format!("{told}; and {more} more"),
    }
}

/// What a message would come to for one breaker.
pub(super) async fn test(
    view: &View<'_>,
    store: &dyn Store,
    now: jiff::Timestamp,
    query: &AlertTestQuery,
) -> Result<AlertTest, Error> {
    let AlertTestQuery {
        set,
        breaker,
        alerts,
    } = query;
    let heads = around(view, [set]).await?;
    let (content, head) = living(&heads, set)?;
    let declared = known_part(&content.breakers, "breaker", set, breaker)?;
    let found = store.record(&RecordId::Alerts(set.clone())).await?;
    let firing = found.as_ref().and_then(|it| it.content.firing());
    let firing = firing.cloned().unwrap_or_default();
    let alone = alone(content, breaker);
    let clusters = clusters(&heads);
    let clocks = Clocks::of(now, []);
    let ground = Ground::new(set, &alone, &head.overrides, &clusters, clocks);
    let alerted = alerted(&ground, &firing, alerts, "");
    let ground = Ground {
        set: content,
        ..ground
    };
    let effects = present::differences(&ground, &head.overrides, &alerted.overrides);
    let mut told = alerted.told;
    let tested = alerts.iter().enumerate().map(|(index, alert)| {
        let of_it = told.extract_if(.., |told| told.alert == index);
        let of_it = of_it.map(|told| told_breaker(set, told)).collect();
        let wanted = declared.alerts.iter();
        let differing = wanted.filter_map(|(key, value)| {
            let found = alert.labels.get(key);
            (found != Some(value)).then(|| (key.clone(), found.cloned()))
        });
        TestedAlert {
            name: alert.name().to_owned(),
            status: alert.status,
            told: of_it,
            differing: differing.collect(),
        }
    });
    Ok(AlertTest {
        breaker: format!("{set}/{breaker}"),
        alerts: tested.collect(),
        effects,
    })
}

/// The set with this breaker alone.
fn alone(set: &ConfigSet, breaker: &BreakerName) -> ConfigSet {
    let mut alone = set.clone();
    alone.breakers.retain(|name, _| name == breaker);
    alone
}

/// Which alerts fire, as far as whoever asks may read the sets; and, if he may read all of them, which
/// match nothing.
pub(super) async fn list(
    view: &View<'_>,
    store: &dyn Store,
    watch: &Watch,
    query: &AlertsQuery,
) -> Result<Alerts, Error> {
    let records = match &query.set {
        Some(set) => {
            living(&around(view, [set]).await?, set)?;
            let id = RecordId::Alerts(set.clone());
            let found = store.record(&id).await?;
            found.map(|found| (id, found)).into_iter().collect()
        }
        None => store.records(RecordKind::Alerts).await?.records,
    };
    let mut firing = BTreeMap::new();
    for (id, record) in &records {
        if let (RecordId::Alerts(set), Some(alerts)) = (id, record.content.firing()) {
            firing.insert(set.clone(), alerts);
        }
    }
    let sets: BTreeSet<ResourceId> = firing.keys().cloned().map(ResourceId::Set).collect();
    let heads = view.heads(&crate::store::Which::Named(sets)).await?.heads;
    let mut found = Vec::new();
    for (set, alerts) in &firing {
        // What may not be read is not there.
        let Ok((content, head)) = living(&heads, set) else {
            continue;
        };
        found.extend(
            alerts
                .iter()
                .filter_map(|(breaker, clusters, fingerprint, fires)| {
                    let declared = content.breakers.get(breaker)?;
                    let name = declared.alerts.get(ALERT_NAME).or(fires.name.as_ref());
                    Some(FiringAlert {
                        breaker: format!("{set}/{breaker}"),
                        clusters: clusters.clone(),
                        name: name.cloned().unwrap_or_default(),
                        fingerprint: fingerprint.clone(),
                        since: fires.since,
                        open: is_open(head, breaker, clusters),
                    })
                }),
        );
    }
    let reads_all = query.set.is_none() && view.access().allows(&Need::All(Role::Viewer));
    Ok(Alerts {
        firing: found,
        unmatched: if reads_all {
            watch.unmatched.list()
        } else {
            Vec::new()
        },
    })
}

fn is_open(head: &Revision, breaker: &BreakerName, clusters: &Selector) -> bool {
    let mut openings = head.overrides.openings.iter();
    openings.any(|it| it.breaker == *breaker && it.clusters == *clusters && it.alerts.is_some())
}
