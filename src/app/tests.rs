//! The service as a whole, over a store and targets in memory.

mod consent;
mod grants;
mod reads;
