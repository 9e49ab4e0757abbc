//! Data as tables and text for people.

pub(crate) mod diff;
pub(crate) mod import;
pub(crate) mod outcome;
pub(crate) mod plan;
pub(crate) mod table;
