//! The words of cfgctl as types: parsed once, then trusted.
//!
//! Nothing here reads a file, a clock, the environment or the network, and nothing is async.

mod aside;
mod cluster;
mod commit;
mod consent;
mod key;
mod name;
mod observed;
mod parts;
mod provenance;
mod resource;
mod revision;
mod selector;
mod set;
mod snapshot;
mod steps;
mod transaction;
pub mod value;
mod write;

pub use aside::{Aside, Cell, Delivering, ObservedPart};
pub use cluster::{
    ClientCertificate, Cluster, Connection, Consul, Directory, LimitOverrides, Tls, TokenSource,
};
pub use commit::{Commit, Heads};
pub use consent::Consent;
pub use key::{Key, KeyError, Prefix};
pub use name::{ClusterName, LayerName, NameError, SetName};
pub use observed::{Fence, Observed, ObservedEntry, ObservedSnapshot, Owner, Place};
pub use parts::{AsideNames, Read};
pub use provenance::Provenance;
pub use resource::{ResourceId, ResourceKind};
pub use revision::{Cause, Content, Origin, Revision, Version};
pub use selector::{
    Labels, Requirement, Selector, SelectorError, check_label_key, check_label_value,
};
pub use set::{ConfigSet, Layer, Publish, SpringFormat};
pub use snapshot::{Digest, Document, DocumentError, Snapshot};
pub use transaction::{Act, Expected, Operation, Transaction};
pub use write::{EntryWrite, Limits, Oversize, SnapshotWrite, Write};

/// The version of every format that cfgctl reads and writes: manifests, snapshots, JSON output.
pub const API_VERSION: &str = "cfgctl.dev/v1";
