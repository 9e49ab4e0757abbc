//! Data as tables and text for people.

pub(crate) mod diff;
pub(crate) mod drift;
pub(crate) mod github;
pub(crate) mod import;
pub(crate) mod junit;
pub(crate) mod markdown;
pub(crate) mod objection;
pub(crate) mod outcome;
pub(crate) mod overrides;
pub(crate) mod plan;
pub(crate) mod table;
pub(crate) mod validation;
mod values;
