//! cfgctl declares the configuration of many clusters, and keeps every cluster's Consul true to it.
//!
//! The modules form layers; each imports only from those below it, which `tests/it/walls.rs` holds:
//!
//! ```text
//! cli        one file per command: arguments become a request, reports become views
//! server     the service offered over HTTP: decodes, calls, encodes
//! client     the service over HTTP, at a server
//! notify     whoever wants to hear what happens is told, over HTTP
//! app        the service over a store and targets: plans, consents, switches, answers
//! oidc       what issuers say: their keys, JWTs checked by them, how to get one
//! wire       what server and client say to each other: paths, queries, documents, problems
//! api        the service as a trait; requests, reports, events and errors as data
//! engine     survey, commit, deliver; emits events, prints nothing
//! store      revisions and their heads, behind one trait
//! target     what snapshots are written to, behind one trait
//! traces     which work belongs together, told to a collector
//! plan       pure: what would change, and what stands against it
//! import     pure: keys that others wrote become a set that publishes the same bytes
//! manifest   files become manifests, and findings get their lines; the only module that reads YAML
//! check      pure: schema and rules; returns every finding
//! evaluate   pure: what a flag is for one context, as flagd decides it
//! render     pure: one revision for one cluster becomes its snapshot
//! yaml       pure: values become text that every reader of YAML understands alike
//! model      names, revisions, snapshots; parsed once, then trusted
//! ```

pub mod api;
pub mod app;
pub mod check;
pub mod cli;
pub mod client;
pub mod engine;
pub mod evaluate;
pub mod import;
pub mod manifest;
pub mod model;
pub mod notify;
pub mod oidc;
pub mod plan;
pub mod render;
pub mod server;
pub mod store;
pub mod target;
pub mod traces;
mod wire;
pub mod yaml;
