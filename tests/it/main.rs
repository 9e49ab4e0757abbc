//! The integration tests: real stores, real servers, the real binary.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests may stop at the first surprise; clippy.toml reaches only functions marked #[test]"
)]

// Modules are added here as they come: one file each.
mod access_matrix;
mod acl;
mod audit;
mod breakers;
mod broken_answers;
mod ci_jobs;
mod cli_absent;
mod cli_directory;
mod cli_flag_eval;
mod cli_hints;
mod cli_hostile;
mod cli_output;
mod cli_prompt;
mod cli_quickstart;
mod cli_reference;
mod cli_saved;
mod cli_secrets;
mod cli_stores;
mod cli_unreachable;
mod cli_validate;
mod cluster_login;
mod cluster_policy;
mod cluster_tls;
mod consul_answers;
mod consul_harness;
mod consul_target;
mod crash;
mod delivered;
mod directory_target;
mod drift;
mod flagd_judge;
mod flagd_schema;
mod flags;
mod fuzz_manifests;
mod fuzz_snapshots;
mod grants;
mod import;
mod installers;
mod large_sets;
mod laws;
mod leaving;
mod logins;
mod openapi;
mod otel;
mod outages;
mod ownership;
mod published;
mod racing;
mod reader;
mod readme;
mod serve;
mod serve_access;
mod serve_alerts;
mod serve_changes;
mod serve_feed;
mod serve_hostile;
mod serve_http;
mod serve_killed;
mod serve_metrics;
mod serve_notify;
mod serve_two;
mod service_contract;
mod shop;
mod signals;
mod sources;
mod store_contract;
mod store_damage;
mod store_formats;
mod store_processes;
mod store_sqlite;
mod support;
mod target_contract;
mod tokens;
mod tokens_login;
mod views;
mod views_browser;
mod walls;
mod written_files;
