//! Every decision of a plan, seen from what becomes of a small world.

mod batches;
mod clusters;
mod drift;
mod gates;
mod histories;
pub(crate) mod laws;
mod leaving;
mod overrides;
mod ownership;
mod runtime;
mod sets;
mod tokens;
