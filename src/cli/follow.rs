//! Follows an operation at work: how far it is, what a person should know meanwhile, and Ctrl-C.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::future::{Either, select};

use super::clocks::tell_of_clocks;
use super::declared;
use super::interrupt::Interrupt;
use super::progress::Gauge;
use super::ui::Ui;
use super::views::plan::{Detail, PlanView};
use super::views::table::moment;
use crate::api::{Event, Observer, Preview, Proposal};
use crate::manifest::Loaded;
use crate::model::text::printable;

/// What is done with proposals that are heard of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Proposals {
    /// They are shown: nobody was asked before.
    Shown,
    /// They were shown and agreed to.
    Known,
}

/// Hears of an operation, on behalf of a person at a terminal.
#[derive(Debug)]
pub(crate) struct Follower<'a> {
    ear: Arc<Ear>,
    interrupt: &'a Interrupt,
}

#[derive(Debug)]
struct Ear {
    ui: Arc<Ui>,
    progress: Gauge,
    proposals: Mutex<Proposals>,
    /// What was loaded, whose lines findings are about.
    loaded: Option<Arc<Loaded>>,
    /// What was about to be done last.
    proposed: Mutex<Option<Proposal>>,
    has_no_store: AtomicBool,
}

impl<'a> Follower<'a> {
    pub(crate) fn new(ui: &Arc<Ui>, interrupt: &'a Interrupt) -> Self {
        Self::of_files(ui, interrupt, None)
    }

    /// The same for what was loaded from files.
    pub(crate) fn of_files(
        ui: &Arc<Ui>,
        interrupt: &'a Interrupt,
        loaded: Option<Arc<Loaded>>,
    ) -> Self {
        let ear = Ear {
            ui: Arc::clone(ui),
            progress: Gauge::new(ui),
            proposals: Mutex::new(Proposals::Shown),
            loaded,
            proposed: Mutex::default(),
            has_no_store: AtomicBool::new(false),
        };
        Self {
            ear: Arc::new(ear),
            interrupt,
        }
    }

    /// Who is told by the operation, and does this with what it proposes.
    pub(crate) fn observer(&self, proposals: Proposals) -> Observer {
        *lock(&self.ear.proposals) = proposals;
        let ear = Arc::clone(&self.ear);
        let hear = move |event: Event| ear.hear(event);
        Observer::new(Arc::new(hear), self.interrupt.receiver())
    }

    /// Waits for an operation, and says what a first Ctrl-C means for it.
    pub(crate) async fn until<T>(&self, operation: impl Future<Output = T>) -> T {
        let mut stop = self.interrupt.receiver();
        let operation = std::pin::pin!(operation);
        let result = match select(operation, std::pin::pin!(stop.wait_for(|stop| *stop))).await {
            Either::Left((result, _)) => result,
            // Without handlers there is no sender, and signals end the process anyway.
            Either::Right((Err(_), operation)) => operation.await,
            Either::Right((Ok(_), operation)) => {
                self.ear.status(
                    "stopping: what is begun is finished, nothing new is begun; \
                     once more stops at once",
                );
                operation.await
            }
        };
        self.ear.progress.finish();
        result
    }

    /// What was about to be done last, if it was heard of.
    pub(crate) fn proposed(&self) -> Option<Proposal> {
        lock(&self.ear.proposed).take()
    }

    /// Whether there was no store to begin with.
    pub(crate) fn has_no_store(&self) -> bool {
        self.ear.has_no_store.load(Ordering::Relaxed)
    }
}

impl Ear {
    /// Says something where a bar may be.
    fn status(&self, message: &str) {
        self.progress.finish();
        self.ui.status(message);
    }

    fn hear(&self, event: Event) {
        match event {
            Event::Surveying { pairs } => self.progress.start("looking at clusters", pairs),
            Event::Delivering { pairs } => self.progress.start("delivering", pairs),
            Event::Surveyed | Event::Delivered { .. } => self.progress.advance(),
            Event::Committed => {}
            Event::NoStore => self.has_no_store.store(true, Ordering::Relaxed),
            Event::StoreMade { location } => {
                self.status(&format!("created the store at `{location}`"));
            }
            Event::Clocks(off) => {
                self.progress.finish();
                tell_of_clocks(&self.ui, &off);
            }
            Event::Proposed(mut proposal) => {
                if *lock(&self.proposals) == Proposals::Shown {
                    self.progress.finish();
                    if let Some(loaded) = &self.loaded {
                        declared::warn(&self.ui, loaded, &proposal.warnings);
                    }
                    present(&self.ui, &proposal);
                }
                forget_details(&mut proposal.preview);
                *lock(&self.proposed) = Some(*proposal);
            }
            Event::Unwitnessed => self.status(
                "note: no cluster says what time it is; what is set now is counted anew once one \
                 does",
            ),
            Event::Expired { set, part } => self.status(&format!("expired: {part} of {set}")),
            Event::Recounted { set, part, until } => {
                let until = moment(until);
                self.status(&format!(
                    "counted anew: {part} of {set} lasts until {until}; its time was in doubt"
                ));
            }
            Event::NotExpired { reason } => self.status(&format!(
                "what is over stays until the next command: {reason}"
            )),
            Event::NotReconciled { reason } => self.status(&format!(
                "it is committed, and no cluster was looked at: {reason}"
            )),
            Event::Unseen { cluster, reason } => {
                let reason = printable(&reason);
                self.status(&format!("could not look at {cluster}: {reason}"));
            }
        }
    }
}

/// Lets go of what was shown, and may be as large as everything that is declared.
fn forget_details(preview: &mut Preview) {
    let Preview::Plan(plan) = preview else { return };
    for resource in &mut plan.resources {
        resource.diff = String::new();
    }
    for cluster in &mut plan.clusters {
        cluster.changes = Vec::new();
    }
}

/// A thread that panicked meanwhile left nothing half done in there.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Shows what is about to be done, where there is anything to show.
pub(crate) fn present(ui: &Ui, proposal: &Proposal) {
    match &proposal.preview {
        Preview::Plan(plan) => {
            if proposal.changes || proposal.refusal.is_some() {
                ui.present(&PlanView::new(plan, Detail::Brief));
            }
        }
        Preview::Effect(effect) => ui.present(effect),
    }
}
