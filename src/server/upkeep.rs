//! Upkeep: what a server does that nobody waits for. What alerts and timers commit is brought to every
//! cluster that can be reached, again and again until it is there.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{Notify, Semaphore, watch};

use super::lock::lock;
use crate::api::report::{DeliveryOutcome, Outcome};
use crate::api::{Drifted, Error, Upkeep};
use crate::model::text::without_secrets;
use crate::model::{ClusterName, SetName};
use crate::traces::Work;

/// How often it is looked whether the time of anything is over.
const LOOK: Duration = Duration::from_secs(5);
/// How long it waits before a set is delivered again that did not arrive everywhere; twice as long each
/// time.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// The longest of these waits.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// How long deliveries that are begun are waited for at the end.
const LAST: Duration = Duration::from_secs(30);

/// What is to be done, and what is being done.
#[derive(Debug)]
pub(super) struct Keeping {
    upkeep: Arc<dyn Upkeep>,
    /// The sets that are being delivered, or wait for that.
    sets: Mutex<BTreeMap<SetName, Arc<Again>>>,
    /// How many deliveries are under way.
    busy: watch::Sender<usize>,
    beside: Arc<Semaphore>,
    ended: watch::Sender<bool>,
}

/// Whether a set is to be delivered once more.
#[derive(Debug, Default)]
struct Again {
    is_busy: AtomicBool,
    is_wanted: AtomicBool,
    wanted: Notify,
    /// What the next delivery is part of, if it is part of anything. Those after it are not: a trace comes
    /// to an end.
    because: Mutex<Work>,
}

/// How many deliveries go on beside one that waits for a cluster.
const BESIDE: usize = 16;

impl Keeping {
    pub(super) fn new(upkeep: Arc<dyn Upkeep>) -> Self {
        Self {
            upkeep,
            sets: Mutex::default(),
            busy: watch::Sender::new(0),
            beside: Arc::new(Semaphore::new(BESIDE)),
            ended: watch::Sender::new(false),
        }
    }

    /// Delivers `set` now, or once more if that has begun already.
    pub(super) fn deliver_soon(self: &Arc<Self>, set: SetName) {
        let because = Work::current().from_afar();
        let mut sets = lock(&self.sets);
        if let Some(again) = sets.get(&set) {
            let is_busy = again.is_busy.load(Ordering::SeqCst);
            *lock(&again.because) = if is_busy {
                Work::default()
            } else {
                because.clone()
            };
            again.is_wanted.store(true, Ordering::SeqCst);
            again.wanted.notify_one();
            if is_busy {
                // It may be waiting for a cluster that does not answer, and others need not.
                self.deliver_beside(set, because);
            }
            return;
        }
        if *self.ended.borrow() {
            return;
        }
        let again = Arc::new(Again {
            because: Mutex::new(because),
            ..Again::default()
        });
        sets.insert(set.clone(), Arc::clone(&again));
        let keeping = Arc::clone(self);
        tokio::spawn(async move { keeping.deliver(set, &again).await });
    }

    /// Delivers `set` once, beside whoever sees to it that every cluster gets it.
    fn deliver_beside(self: &Arc<Self>, set: SetName, because: Work) {
        let Ok(permit) = Arc::clone(&self.beside).try_acquire_owned() else {
            return;
        };
        let keeping = Arc::clone(self);
        tokio::spawn(async move {
            _ = keeping.once(&set, &because).await;
            drop(permit);
        });
    }

    async fn once(&self, set: &SetName, because: &Work) -> Result<Outcome, Error> {
        let work = because.part(|| format!("deliver {set}"));
        work.say("cfgctl.set", || set.to_string());
        self.busy.send_modify(|busy| *busy += 1);
        let outcome = work.around(self.upkeep.deliver(set)).await;
        self.busy.send_modify(|busy| *busy -= 1);
        if outcome.as_ref().is_ok_and(|outcome| !outcome.complete) {
            work.failed("not delivered everywhere");
        }
        outcome
    }

    /// Delivers `set` until every cluster has it.
    async fn deliver(&self, set: SetName, again: &Again) {
        let mut ended = self.ended.subscribe();
        let mut wait = FIRST_WAIT;
        let mut said = None;
        loop {
            again.is_wanted.store(false, Ordering::SeqCst);
            let because = std::mem::take(&mut *lock(&again.because));
            again.is_busy.store(true, Ordering::SeqCst);
            let outcome = self.once(&set, &because).await;
            again.is_busy.store(false, Ordering::SeqCst);
            let missing = Missing::of(outcome);
            if said.as_ref() != Some(&missing) {
                tell(&set, &missing);
                if let Missing::In(clusters) = &missing {
                    self.note(&set, clusters.clone()).await;
                }
            }
            let is_done = missing == Missing::Nowhere;
            said = Some(missing);
            {
                let mut sets = lock(&self.sets);
                let is_wanted = again.is_wanted.load(Ordering::SeqCst);
                if (is_done && !is_wanted) || *ended.borrow() {
                    sets.remove(&set);
                    return;
                }
                if is_wanted {
                    wait = FIRST_WAIT;
                    continue;
                }
            }
            tokio::select! {
                () = tokio::time::sleep(wait) => wait = (wait * 2).min(LONGEST_WAIT),
                () = again.wanted.notified() => wait = FIRST_WAIT,
                _ = ended.wait_for(|ended| *ended) => {}
            }
        }
    }

    /// Writes down where a set did not arrive.
    async fn note(&self, set: &SetName, missing: BTreeMap<ClusterName, String>) {
        if let Err(error) = self.upkeep.note_undelivered(set, missing).await {
            let error = error.chain();
            tracing::warn!(
                error,
                "that something did not arrive could not be written down"
            );
        }
    }

    /// Looks for drift once in so long; never where nobody says how often.
    pub(super) async fn look(self: Arc<Self>, every: Option<Duration>) {
        let Some(every) = every else {
            return;
        };
        let mut drifted = Drifted::new();
        loop {
            match self.upkeep.look_for_drift(&drifted).await {
                Ok(found) => drifted = found,
                Err(error) => {
                    let error = error.chain();
                    tracing::warn!(error, "it is not known whether anything has drifted");
                }
            }
            tokio::time::sleep(every).await;
        }
    }

    /// Takes away what is over and delivers what is not delivered, whoever left it, for as long as the server
    /// serves.
    pub(super) async fn work(self: Arc<Self>) {
        if let Err(error) = self.upkeep.begin().await {
            let error = error.chain();
            tracing::warn!(error, "it is not known yet which breakers wait for alerts");
        }
        let mut failed = None;
        loop {
            match self.look_around().await {
                Ok(()) => failed = None,
                Err(error) => {
                    let error = error.chain();
                    if failed.as_ref() != Some(&error) {
                        tracing::warn!(error, "what is over could not be taken away");
                    }
                    failed = Some(error);
                }
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    async fn look_around(self: &Arc<Self>) -> Result<(), Error> {
        for (set, version) in self.upkeep.expire().await? {
            let (name, version) = (set.to_string(), version.get());
            tracing::info!(name, version, "the time of something was over");
        }
        for set in self.upkeep.undelivered().await? {
            // Whoever has begun goes on.
            if !lock(&self.sets).contains_key(&set) {
                self.deliver_soon(set);
            }
        }
        Ok(())
    }

    /// Begins nothing new, and waits for what is under way.
    pub(super) async fn end(&self) {
        self.ended.send_replace(true);
        let mut busy = self.busy.subscribe();
        _ = tokio::time::timeout(LAST, busy.wait_for(|busy| *busy == 0)).await;
    }
}

/// Where a set did not arrive.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Missing {
    Nowhere,
    /// In these clusters, and why.
    In(BTreeMap<ClusterName, String>),
    /// Nobody could find out, and why.
    Unknown(String),
}

impl Missing {
    fn of(outcome: Result<Outcome, Error>) -> Self {
        let outcome = match outcome {
            Ok(outcome) => outcome,
            Err(error) => return Self::Unknown(error.chain()),
        };
        let missing = outcome.clusters.into_iter();
        let missing = missing.filter(|it| !it.outcome.is_settled());
        let missing: BTreeMap<_, _> = missing
            .map(|it| {
                let why = reason(&it);
                (it.cluster, why)
            })
            .collect();
        if missing.is_empty() {
            Self::Nowhere
        } else {
            Self::In(missing)
        }
    }
}

fn reason(delivery: &DeliveryOutcome) -> String {
    let word = delivery.outcome.as_str();
    match &delivery.reason {
        Some(reason) => format!("{word}: {reason}"),
        None => word.to_owned(),
    }
}

fn tell(set: &SetName, missing: &Missing) {
    let set = set.as_str();
    let missing = match missing {
        Missing::Nowhere => {
            tracing::info!(set, "delivered everywhere");
            return;
        }
        Missing::In(clusters) => {
            let each = clusters
                .iter()
                .map(|(cluster, why)| format!("{cluster}: {why}"));
            each.collect::<Vec<_>>().join("; ")
        }
        Missing::Unknown(why) => why.clone(),
    };
    let missing = without_secrets(&missing);
    tracing::warn!(
        set,
        missing,
        "not delivered everywhere yet; it is tried again"
    );
}
