//! Looks at the store and every cluster, plans, and changes nothing: what `status`, `diff` and
//! `drift` have in common.

use std::collections::BTreeSet;
use std::time::Duration;

use super::failure::Failure;
use super::interrupt::Interrupt;
use super::names::{around, known_set};
use super::session::{ReachArgs, Session, duration};
use super::views::table::printable;
use super::works::Works;
use crate::engine::{self, Survey};
use crate::model::{Cause, Consent, SetName};
use crate::plan::{Clusters, Condition, Desired, Plan, Reach};
use crate::store::Store;

/// What is asked.
#[derive(Debug)]
pub(crate) struct Question {
    /// What should become of which resources.
    pub(crate) desired: Desired,
    /// Which sets to look at beyond those.
    pub(crate) sets: Reach,
    /// What a person has consented to.
    pub(crate) consents: BTreeSet<Consent>,
}

impl Question {
    /// How things stand with `sets`, none of which should change.
    pub(crate) fn of(sets: Reach) -> Self {
        Self {
            desired: Desired::nothing(),
            sets,
            consents: BTreeSet::new(),
        }
    }
}

/// The sets that were named, which must be known; all where none was.
pub(crate) async fn reach(store: &dyn Store, sets: &[SetName]) -> Result<Reach, Failure> {
    if sets.is_empty() {
        return Ok(Reach::All);
    }
    let heads = around(store, sets).await?;
    for set in sets {
        known_set(&heads, set)?;
    }
    Ok(Reach::Named(sets.iter().cloned().collect()))
}

/// How long a list looks at clusters.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct LookArgs {
    /// The longest wait for one cluster, as in `2s`; the others do not wait longer than that
    #[arg(long, value_name = "DURATION", default_value = "2s", value_parser = duration)]
    timeout: Duration,
}

/// Looks at `sets` in every cluster that has to do with them, all at once, and says which clusters
/// could not be looked at. They hold up the answer for no longer than `args` says.
pub(crate) async fn look(
    session: &Session,
    store: &dyn Store,
    sets: BTreeSet<SetName>,
    args: &LookArgs,
) -> Result<(Survey, Plan), Failure> {
    let reach = ReachArgs::everywhere(args.timeout);
    let question = Question::of(Reach::Named(sets));
    let interrupt = Interrupt::listen();
    let (survey, plan) = self::survey(session, store, &question, &reach, &interrupt).await?;
    let mut told = BTreeSet::new();
    for delivery in &plan.deliveries {
        let Condition::Unseen(unseen) = &delivery.condition else {
            continue;
        };
        let cluster = &delivery.pair.cluster;
        if delivery.desired.is_some() && told.insert(cluster) {
            let reason = printable(&unseen.reason);
            session
                .ui
                .status(&format!("could not look at {cluster}: {reason}"));
        }
    }
    Ok((survey, plan))
}

/// Answers `question` from what is true now.
pub(crate) async fn survey(
    session: &Session,
    store: &dyn Store,
    question: &Question,
    reach: &ReachArgs,
    interrupt: &Interrupt,
) -> Result<(Survey, Plan), Failure> {
    let Question {
        desired,
        sets,
        consents,
    } = question;
    let works = Works::new(session, store, interrupt, reach.pace());
    // Nothing is carried out, so the origin is never written anywhere.
    let origin = session.origin(Cause::Apply, None);
    let asked = engine::Question {
        desired,
        reach: sets,
        clusters: &Clusters::Matching(reach.clusters.clone()),
        consents,
    };
    let (survey, plan) = works.look(&asked, &origin).await?;
    reach.check(&survey.heads, desired)?;
    session.tell_of_nothing(store, &plan);
    Ok((survey, plan))
}
