//! One run: an operation at work, for whom, how hard it tries, and who hears of it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Once};

use jiff::Timestamp;

use super::authorise::{Access, Sight, View};
use super::figures::Figures;
use crate::api::report::Outcome;
use crate::api::{Caller, ClocksOff, Error, Event, LogEntry, Message, Observer, Pace, Request};
use crate::engine::{
    self, Answers, Asked, Connect, Engine, EngineError, Overriding, Question, Reconciled, Survey,
};
use crate::model::value::canonical;
use crate::model::{
    Cause, Clocks, Cluster, ClusterName, Digest, IdempotencyKey, Origin, Selector, SetName, Version,
};
use crate::plan::{Approved, Denials, Pair, Permitted, Plan};
use crate::store::{HeadsAt, Store};

/// The digest of what was asked for, in the audit of its commit.
pub(super) const REQUEST: &str = "request";

/// An operation at work.
pub(super) struct Run<'a> {
    store: &'a dyn Store,
    connect: &'a dyn Connect,
    clock: fn() -> Timestamp,
    by: &'a Caller,
    view: View<'a>,
    pace: Pace,
    asked: Option<Digest>,
    figures: Option<&'a Figures>,
    pub(super) seen: &'a Observer,
    /// What whoever hears of it may see, which is less than what cfgctl itself does.
    hears: Arc<Sight>,
    hear: Hear<'a>,
}

type Hear<'a> = Box<dyn Fn(engine::Milestone) + Send + Sync + 'a>;

impl fmt::Debug for Run<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let by = self.by;
        f.debug_struct("Run")
            .field("by", by)
            .finish_non_exhaustive()
    }
}

impl<'a> Run<'a> {
    pub(super) fn new(
        (store, connect, clock): (&'a dyn Store, &'a dyn Connect, fn() -> Timestamp),
        by: &'a Caller,
        view: View<'a>,
        pace: Pace,
        seen: &'a Observer,
    ) -> Self {
        let hears = Arc::clone(view.sight());
        Self {
            store,
            connect,
            clock,
            by,
            view,
            pace,
            asked: None,
            figures: None,
            seen,
            hear: hearing(&hears, seen),
            hears,
        }
    }

    /// The same for `request`, by whose digest it is told from others with its key.
    pub(super) fn asked_for(self, request: &Request) -> Self {
        let Request {
            change,
            clusters,
            consents,
            dropped,
            message,
            planned,
            // How it is known, and how hard it is tried.
            key,
            permission: _,
            pace: _,
        } = request;
        let asked = (
            self.actor(),
            change,
            clusters,
            consents,
            dropped,
            message,
            planned,
        );
        let asked = key.as_ref().map(|_| Digest::of(&canonical(&asked)));
        Self { asked, ..self }
    }

    /// The same, counted by `figures` too where its outcome does not say it.
    pub(super) fn counted_by(self, figures: &'a Figures) -> Self {
        let figures = Some(figures);
        Self { figures, ..self }
    }

    /// Counts what was done on the way, which is no part of what was asked for.
    pub(super) fn count(&self, outcome: Option<&Outcome>) {
        if let (Some(figures), Some(outcome)) = (self.figures, outcome) {
            figures.note(outcome);
        }
    }

    /// The digest of what was asked for, if that has a key.
    pub(super) fn asked(&self) -> Option<&Digest> {
        self.asked.as_ref()
    }

    pub(super) fn store(&self) -> &'a dyn Store {
        self.store
    }

    /// The store as whoever asks sees it: names are looked up there.
    pub(super) fn view(&self) -> &View<'a> {
        &self.view
    }

    /// What whoever asks may do.
    pub(super) fn access(&self) -> &Access {
        self.view.access()
    }

    /// What whoever asks may see.
    pub(super) fn sight(&self) -> &Sight {
        self.view.sight()
    }

    pub(super) fn connect(&self) -> &'a dyn Connect {
        self.connect
    }

    pub(super) fn pace(&self) -> Pace {
        self.pace
    }

    /// What time it is here.
    pub(super) fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// Who asks.
    pub(super) fn by(&self) -> &'a Caller {
        self.by
    }

    /// Who the history says it was.
    pub(super) fn actor(&self) -> &'a str {
        self.by.actor()
    }

    /// The origin of what is committed now.
    pub(super) fn origin(&self, cause: Cause, message: Option<&Message>) -> Origin {
        Origin {
            actor: self.actor().to_owned(),
            at: self.now(),
            cause,
            message: message.map(|message| message.as_str().to_owned()),
            consents: std::collections::BTreeSet::new(),
            planned: None,
        }
    }

    /// What the log keeps beside a commit.
    fn audit(&self) -> Option<serde_json::Value> {
        let by = serde_json::to_value(self.by).ok()?;
        let mut audit = serde_json::json!({ "by": by });
        if let Some(asked) = &self.asked {
            audit[REQUEST] = asked.to_string().into();
        }
        Some(audit)
    }

    /// The same, done by cfgctl itself: who happens to have asked for something else is not its
    /// author.
    pub(super) fn as_system<'s>(&'s self, system: &'s Caller) -> Run<'s> {
        let parts = (self.store, self.connect, self.clock);
        let view = View::whole(self.store);
        let hears = Arc::clone(&self.hears);
        Run {
            hear: hearing(&hears, self.seen),
            hears,
            ..Run::new(parts, system, view, self.pace, self.seen)
        }
    }

    /// Says in `plan` who commits it, and under which key.
    pub(super) fn sign(&self, plan: &mut Plan, key: Option<&IdempotencyKey>) {
        plan.commit.key = key.cloned().or_else(engine::fresh_key);
        plan.commit.audit = self.audit();
    }

    fn engine(&self) -> Engine<'_> {
        Engine {
            store: self.store(),
            connect: self.connect(),
            pace: self.pace,
            events: self.hear.as_ref(),
            audit: self.audit(),
            interrupt: self.seen.stop(),
        }
    }

    /// What follows for what is asked, as things are now. `all` are all heads, if they were just read.
    pub(super) async fn look(
        &self,
        question: &Question<'_>,
        all: Option<HeadsAt>,
        origin: &Origin,
    ) -> Result<(Survey, Plan), Error> {
        Ok(self.engine().look(question, all, origin).await?)
    }

    /// What may not be written of what `plan` has to.
    pub(super) async fn denials(&self, survey: &Survey, plan: &Plan) -> Result<Denials, Error> {
        Ok(self.engine().denials(survey, plan).await?)
    }

    /// Makes a plan real, in the store and then in every target.
    pub(super) async fn deliver(
        &self,
        survey: &Survey,
        approved: &Approved,
    ) -> Result<Vec<engine::Attempt>, EngineError> {
        let (existed, made) = (self.store().exists(), Once::new());
        let tell_of_store = || {
            if !existed && self.store().exists() {
                let location = self.store().location();
                made.call_once(|| self.seen.tell(Event::StoreMade { location }));
            }
        };
        let hear = |milestone| {
            let is_commit = matches!(milestone, engine::Milestone::Committed);
            (self.hear)(milestone);
            if is_commit {
                tell_of_store();
            }
        };
        let engine = Engine {
            events: &hear,
            ..self.engine()
        };
        let reports = engine.carry_out(survey, approved).await;
        // A commit that failed may have made it too.
        tell_of_store();
        reports
    }

    /// Commits what is overridden in one set.
    pub(super) async fn override_set(
        &self,
        permitted: Permitted<Overriding<'_>>,
    ) -> Result<Option<Version>, EngineError> {
        self.engine().override_set(permitted).await
    }

    /// The same for what the log is to say in other words than its revision, which it may not have.
    pub(super) async fn override_set_noting(
        &self,
        permitted: Permitted<Overriding<'_>>,
        entry: &LogEntry,
    ) -> Result<Option<Version>, EngineError> {
        let engine = Engine {
            audit: serde_json::to_value(entry).ok(),
            ..self.engine()
        };
        engine.override_set(permitted).await
    }

    /// Brings the clusters of one set to its head, each for itself.
    pub(super) async fn reconcile(
        &self,
        set: &SetName,
        only: &Selector,
    ) -> Result<Reconciled, EngineError> {
        let origin = self.origin(Cause::Apply, None);
        self.engine().reconcile(set, only, &origin).await
    }

    /// What these clusters say before a switch is committed, within a moment.
    pub(super) async fn ask(
        &self,
        asked: Asked,
        set: &SetName,
        clusters: &BTreeMap<&ClusterName, &Cluster>,
    ) -> Answers {
        self.engine().ask(asked, set, clusters).await
    }

    /// Tells which of `clocks` are off, if any are.
    pub(super) fn tell_clocks(&self, clocks: &Clocks) {
        let off: Vec<_> = clocks
            .off()
            .into_iter()
            .map(|off| (off.whose.cloned(), off.ahead))
            .collect();
        if !off.is_empty() {
            let undecided = clocks.is_undecided();
            self.seen.tell(Event::Clocks(ClocksOff { off, undecided }));
        }
    }
}

/// Tells `seen` of milestones, as far as they are for whoever sees this.
fn hearing<'a>(sight: &Arc<Sight>, seen: &'a Observer) -> Hear<'a> {
    let sight = Arc::clone(sight);
    Box::new(move |milestone| {
        if let Some(event) = event(milestone, &sight) {
            seen.tell(event);
        }
    })
}

fn event(milestone: engine::Milestone, sight: &Sight) -> Option<Event> {
    Some(match milestone {
        engine::Milestone::Surveying(pairs) => Event::Surveying {
            pairs: sight.count(&pairs),
        },
        engine::Milestone::Surveyed(pair) => {
            return (sight.count(&[pair]) > 0).then_some(Event::Surveyed);
        }
        engine::Milestone::Committed => Event::Committed,
        engine::Milestone::Delivering(pairs) => Event::Delivering {
            pairs: sight.count(&pairs),
        },
        engine::Milestone::Delivered(Pair { set, cluster }) => {
            return (sight.sees_pair(&set, &cluster)).then_some(Event::Delivered { set, cluster });
        }
    })
}
