//! The integration tests: real stores, real servers, the real binary.
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests may stop at the first surprise, like tests"
)]

// Modules are added here as they come: one file each.
mod consul_answers;
mod consul_harness;
mod consul_target;
mod directory_target;
mod support;
mod target_contract;
