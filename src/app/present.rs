//! Reports made of plans: enums, numbers and texts in place of what the planner holds.

mod drift;
mod effect;
mod excerpt;
mod holds;
mod leaving;
mod mend;
mod outcome;
mod plan;

pub(super) use drift::drift;
pub(super) use effect::{alone, differences, in_plan};
pub(super) use holds::{arrivals, gathered, overridden};
pub(super) use outcome::{outcome, reconciled};
pub(super) use plan::{condition_reason, objection, plan_report, state};
