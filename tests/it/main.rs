//! The integration tests: real stores, real servers, the real binary.

// Modules are added here as they come: one file each.

mod store_contract;
mod store_sqlite;
