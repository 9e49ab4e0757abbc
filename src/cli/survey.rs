//! Looks at the store and every cluster, plans, and changes nothing: what `status`, `diff` and
//! `drift` have in common.

use std::collections::BTreeSet;

use super::failure::Failure;
use super::interrupt::Interrupt;
use super::names::known_set;
use super::session::{ReachArgs, Session};
use super::works::Works;
use crate::engine::Survey;
use crate::model::{Cause, Consent, SetName};
use crate::plan::{Desired, Plan, Reach};
use crate::store::{Store, Which};

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
    let heads = store.heads(&Which::All).await?.heads;
    for set in sets {
        known_set(&heads, set)?;
    }
    Ok(Reach::Named(sets.iter().cloned().collect()))
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
    let works = Works {
        session,
        store,
        interrupt,
        pace: reach.pace(),
    };
    let survey = works.survey(desired, sets, &reach.clusters).await?;
    reach.check(&survey.heads, desired)?;
    // Nothing is carried out, so the origin is never written anywhere.
    let origin = session.origin(Cause::Apply, None);
    let plan = survey.plan(desired, sets, &origin, consents)?;
    if plan.deliveries.is_empty() && !plan.has_changes() && store.exists() {
        session.looked_in(store);
    }
    Ok((survey, plan))
}
