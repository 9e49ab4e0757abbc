//! The words of cfgctl as types: parsed once, then trusted.
//!
//! Nothing here reads a file, a clock, the environment or the network, and nothing is async.

mod alert;
mod auxiliary;
mod breaker;
mod checkpoint;
mod claims;
mod clocks;
mod cluster;
mod commit;
mod consent;
mod contents;
mod digest;
mod duration;
mod flag;
mod grant;
mod key;
mod mailbox;
mod name;
mod observed;
mod overrides;
mod parts;
mod provenance;
mod record;
mod resource;
mod revision;
mod selector;
mod set;
mod snapshot;
mod steps;
pub mod text;
mod token;
mod transaction;
pub mod value;
mod write;

pub use alert::{
    ALERT_NAME, Alert, AlertStatus, Evidence, Fingerprint, FingerprintError, Fires, FiringAlerts,
};
pub use auxiliary::{Auxiliary, Cell, Delivering, ObservedPart};
pub use breaker::{Breaker, Choice, Reset, Trip};
pub use checkpoint::{Checkpoint, CheckpointError};
pub use claims::{AskedClaims, ClaimError, Claims, ISSUER};
pub use clocks::{Clocks, Off};
pub use cluster::{
    ClientCertificate, Cluster, Connection, ConsulSpec, DirectorySpec, LimitOverrides, Tls,
    TokenSource,
};
pub use commit::{Commit, Heads, IdempotencyKey, IdempotencyKeyError, Sequence};
pub use consent::Consent;
pub use contents::{BreakerStatus, Contents, FLAGS_KEY};
pub use digest::Digest;
pub use duration::parse_duration;
pub use flag::{Flag, FlagState};
pub use grant::{ByClaims, Grant, Identified, Recipient, Role, Subject, SubjectError, Whom};
pub use key::{Key, KeyError, Prefix};
pub use mailbox::{DeadLetter, Mailbox, MailboxFailure, MailboxTeller};
pub use name::{
    BreakerName, ClusterName, FlagName, GrantName, LayerName, NameError, ReceiverName, SetName,
    TokenName,
};
pub use observed::{Fence, Observed, ObservedEntry, ObservedSnapshot, Owner, Place};
pub use overrides::{
    AlertState, BreakerState, Counted, Fired, FlagOverride, Grip, LastGone, Limit,
    MAX_TRIPS_PER_HOUR, Opening, OverrideError, Overrides, Part, Stamp, TripRequest, Tripped,
    Witness, places,
};
pub use parts::{AuxiliaryNames, Read};
pub use provenance::{Home, Provenance, Source};
pub use record::{
    ExchangeId, ExchangeRecord, Record, RecordChange, RecordContent, RecordFate, RecordId,
    RecordIdError, RecordKind,
};
pub use resource::{ResourceId, ResourceKind};
pub use revision::{Cause, Content, Operation, Origin, Planned, Revision, Version};
pub use selector::{
    Labels, Requirement, Selector, SelectorError, check_label_key, check_label_value,
};
pub use set::{ConfigSet, Layer, Publish, SpringFormat};
pub use snapshot::{Document, DocumentError, Snapshot};
pub use token::{
    LoginRecord, OWNER_TOKEN, TokenId, TokenIdError, TokenKind, TokenRecord, TokenText,
    TokenTextError, holds_token,
};
pub use transaction::{Act, Expected, Step, Transaction};
pub use write::{EntryWrite, Limits, Oversize, SnapshotWrite, Write};

/// The version of every format that cfgctl reads and writes: manifests, snapshots, JSON output.
pub const API_VERSION: &str = "cfgctl.dev/v1";
