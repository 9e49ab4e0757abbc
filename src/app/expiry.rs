//! Expiry: what is over by the clocks that answer is taken away by whatever runs next, as the system.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::names::{around, clusters};
use super::run::Run;
use super::{pending, present};
use crate::api::report::Outcome;
use crate::api::{Caller, Error, ErrorKind, Event};
use crate::engine::{Asked, EngineError, Overriding, clusters_of, stagger};
use crate::model::{
    Cause, Clocks, Cluster, ClusterName, Heads, Origin, Overrides, Part, ResourceId, Revision,
    Selector, SetName, Version, Witness,
};
use crate::plan::witness;
use crate::store::{StoreError, Which};

/// Who brings to clusters what is left.
#[derive(Clone, Copy, Debug)]
enum Delivery {
    /// Whoever takes it away.
    AtOnce,
    /// Whoever looks for what is pending.
    Pending,
}

/// How often it is tried again on top of what others committed.
const ATTEMPTS: u32 = 100;

/// `outcome` with what came of taking away what is over: by `heads`, and whatever else the store
/// holds. That it cannot be done is no failure of what was asked for.
pub(super) async fn finish(
    run: &Run<'_>,
    outcome: Outcome,
    heads: &Heads,
    clusters: &Selector,
) -> Outcome {
    let now = run.now();
    let mut due = due(heads, now);
    // `heads` may be those of one set alone.
    let swept = match run.store().heads(&Which::DueBefore(now)).await {
        Ok(over) => {
            due.extend(self::due(&over.heads, now));
            sweep(run, &due, clusters, Asked::TimeAtLeisure).await
        }
        Err(error) => Err(error.into()),
    };
    match swept {
        Ok(swept) => outcome.and(swept),
        Err(error) => {
            not_swept(run, &error);
            outcome
        }
    }
}

/// Takes away what is over of `set`: it must not be taken for what still holds. `asked` says how
/// long that may take.
pub(super) async fn sweep_before(run: &Run<'_>, set: &SetName, asked: Asked) -> Result<(), Error> {
    let heads = around(run.store(), [set]).await?;
    let mut due = due(&heads, run.now());
    due.retain(|due| due == set);
    match sweep(run, &due, &Selector::default(), asked).await {
        Ok(swept) => run.count(swept.as_ref()),
        Err(error) => not_swept(run, &error),
    }
    Ok(())
}

/// Takes away whatever is over, and says in which sets something was. Nothing is delivered by that, and
/// clusters of other sets are waited for no moment.
pub(super) async fn end_all(run: &Run<'_>) -> Result<Vec<(SetName, Version)>, Error> {
    let now = run.now();
    let over = run.store().heads(&Which::DueBefore(now)).await?;
    let mut ended = Vec::new();
    for set in due(&over.heads, now) {
        let heads = around(run.store(), [&set]).await?;
        let here = clusters_of(&set, &heads).collect();
        let answers = run.ask(Asked::AccessAndTime, &set, &here).await;
        let clocks = Clocks::of(run.now(), answers.clocks);
        let version = end(run, &set, &clocks, Delivery::Pending).await?;
        ended.extend(version.map(|version| (set, version)));
    }
    Ok(ended)
}

fn not_swept(run: &Run<'_>, error: &Error) {
    let reason = error.chain();
    run.seen.tell(Event::NotExpired { reason });
}

/// Takes away every override of these sets whose time is over, in a revision of its own that nobody
/// who happens to ask for something else answers for. Of several processes that do it at once one
/// succeeds, and the others find nothing left to do.
async fn sweep(
    run: &Run<'_>,
    due: &BTreeSet<SetName>,
    only: &Selector,
    asked: Asked,
) -> Result<Option<Outcome>, Error> {
    let Some(first) = due.first() else {
        return Ok(None);
    };
    let system = Caller::system();
    let run = &run.as_system(&system);
    // Where clusters are may just have changed.
    let heads = around(run.store(), due).await?;
    let here: BTreeMap<_, _> = due
        .iter()
        .flat_map(|set| clusters_of(set, &heads))
        .filter(|(_, cluster)| only.matches(&cluster.labels))
        .collect();
    let answers = run.ask(asked, first, &here).await;
    let clocks = Clocks::of(run.now(), answers.clocks);
    let mut swept: Option<Outcome> = None;
    for set in due {
        let Some(version) = end(run, set, &clocks, Delivery::AtOnce).await? else {
            continue;
        };
        let passes = run.reconcile(set, only).await;
        let outcome = present::reconciled(set, Some(version), passes);
        swept = Some(match swept {
            Some(others) => others.and(Some(outcome)),
            None => outcome,
        });
    }
    Ok(swept)
}

/// Commits what is left of the overrides of `set` once everything is taken away that is over.
async fn end(
    run: &Run<'_>,
    set: &SetName,
    clocks: &Clocks,
    delivery: Delivery,
) -> Result<Option<Version>, Error> {
    let id = ResourceId::Set(set.clone());
    for round in 1..=ATTEMPTS {
        let heads = around(run.store(), [set]).await?;
        let Some(head) = heads.get(&id) else {
            return Ok(None);
        };
        let Some(ended) = ended(head, &clusters(&heads), clocks) else {
            return Ok(None);
        };
        let origin = Origin {
            message: Some(ended.message(set)),
            ..run.origin(Cause::Expiry, None)
        };
        let overrides = ended.overrides.clone();
        let overriding = Overriding {
            set,
            head,
            overrides,
            origin,
            key: None,
            guards: BTreeMap::new(),
            records: match delivery {
                Delivery::AtOnce => BTreeMap::new(),
                Delivery::Pending => {
                    BTreeMap::from([pending::pend(run.store(), set, run.now()).await?])
                }
            },
        };
        let permitted = run.access().permit_switch(overriding, &clusters(&heads))?;
        match run.override_set(permitted).await {
            Ok(version) => {
                ended.tell(run, set);
                return Ok(version);
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

/// The sets in which something may be over, or may be counted wrongly, by this machine's clock
/// alone.
fn due(heads: &Heads, now: Timestamp) -> BTreeSet<SetName> {
    let is_due = |head: &Revision| {
        let over = head.overrides.next_expiry().is_some_and(|at| at <= now);
        over || head.overrides.is_miscounted(now)
    };
    heads
        .iter()
        .filter_map(|(id, head)| match id {
            ResourceId::Set(name) if is_due(head) => Some(name.clone()),
            _ => None,
        })
        .collect()
}

/// What is left once everything is taken away that is over.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) overrides: Overrides,
    expired: BTreeSet<Part>,
    /// What lasts until another time than was thought.
    recounted: Vec<(Part, Timestamp)>,
}

/// What is over of a set, as far as `clocks` tell the time; `None`: nothing is.
pub(super) fn ended(
    head: &Revision,
    clusters: &BTreeMap<&ClusterName, &Cluster>,
    clocks: &Clocks,
) -> Option<Ended> {
    // Where some Consul could tell the time and none does, this machine alone is not believed.
    if witness(head.content.set(), clusters, clocks) == Witness::Missing {
        return None;
    }
    let mut overrides = head.overrides.clone();
    let recounted = overrides.recount(clocks.setting);
    let expired = overrides.expire(clocks.keeping);
    let ended = Ended {
        overrides,
        expired,
        recounted,
    };
    (!ended.expired.is_empty() || !ended.recounted.is_empty()).then_some(ended)
}

impl Ended {
    /// What the history says of it.
    fn message(&self, set: &SetName) -> String {
        let recounted = self.recounted.iter().map(|(part, until)| {
            let until = until.strftime("%Y-%m-%d %H:%M:%SZ");
            format!("counted anew: {part} of {set} lasts until {until}; its time was in doubt")
        });
        let expired = self.expired.iter();
        let expired = expired.map(|part| format!("expired: {part} of {set}"));
        recounted.chain(expired).collect::<Vec<_>>().join("; ")
    }

    fn tell(&self, run: &Run<'_>, set: &SetName) {
        for (part, until) in &self.recounted {
            run.seen.tell(Event::Recounted {
                set: set.clone(),
                part: part.to_string(),
                until: *until,
            });
        }
        for part in &self.expired {
            run.seen.tell(Event::Expired {
                set: set.clone(),
                part: part.to_string(),
            });
        }
    }
}
