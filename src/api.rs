//! The boundary: everything that can be asked of cfgctl, with plain data in and plain data out.
//!
//! Whoever asks calls [`Service`]: the command line, a server's handlers, webhooks, an agent. It asks
//! nobody, prints nothing, and knows neither terminal nor HTTP. Everything in here is owned data that
//! survives JSON unchanged, so that a client elsewhere can implement the same trait.

mod alerts;
mod audit;
mod caller;
mod door;
mod error;
mod event;
mod feed;
mod figures;
mod happenings;
mod query;
pub mod report;
mod request;
mod saved;
mod service;
mod tokens;

pub use alerts::{AlertTestQuery, AlertsQuery, Drifted, Upkeep};
pub use audit::{AuditQuery, CauseKind, CauseKindError, VerifyQuery};
pub use caller::{Caller, Principal, TokenHolder, Via};
pub use door::{Door, Keys, KnownToken, LogEntry, Noted, NotedToken, Vouched};
pub use error::{About, Error, ErrorKind};
pub use event::{ClocksOff, Event, Observer};
pub use feed::{AsOf, LineageQuery, News, Readable, SnapshotQuery, SnapshotsQuery};
pub use figures::{Holdings, SetFigures, Tally};
pub use happenings::{Happened, Happening, HappeningKind, KnownMailbox, Outbox};
pub use query::{
    AccessQuery, AccessVerb, At, BreakerHistoryQuery, BreakerQuery, BreakersQuery, CheckQuery,
    ClusterQuery, Described, EvaluateQuery, ExplainQuery, FlagsQuery, HistoryQuery, LookQuery,
    PolicyQuery, ResourcesQuery, RevisionQuery,
};
pub use request::{
    Approval, Change, Declaration, Message, MessageError, PartName, PartNameError, Permission,
    Preview, Proposal, Request,
};
pub use saved::{SavedPlan, SavedPlanError};
pub use service::Service;
pub use tokens::{Lasting, TokenOrder, TokenRevocation, TokenRotation};

pub use crate::engine::Pace;
pub use crate::plan::{
    AlertEffect, Basis, BreakerChange, BreakerOperation, Edit, Explanation, FlagChange,
    FlagPosition, Held, Hold, PlanToken, Reach, ValueChange, ValueSource, Wanted,
};
