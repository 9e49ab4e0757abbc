//! The integration tests: real stores, real servers, the real binary.
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests may stop at the first surprise, like tests"
)]
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests may stop at the first surprise; clippy.toml reaches only functions marked #[test]"
)]

// Modules are added here as they come: one file each.
mod acl;
mod broken_answers;
mod consul_harness;
mod crash;
mod laws;
mod outages;
mod ownership;
mod racing;
mod reader;
mod shop;
mod signals;
mod store_contract;
mod store_processes;
mod store_sqlite;
mod support;
