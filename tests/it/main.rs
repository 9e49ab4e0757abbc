//! The integration tests: real stores, real servers, the real binary.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests may stop at the first surprise; clippy.toml reaches only functions marked #[test]"
)]

// Modules are added here as they come: one file each.
mod ci_jobs;
mod consul_answers;
mod consul_harness;
mod consul_target;
mod directory_target;
mod drift;
mod store_contract;
mod store_processes;
mod store_sqlite;
mod support;
mod target_contract;
mod walls;
