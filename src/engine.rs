//! Looks at every target, commits, and delivers. Emits events, prints nothing.
//!
//! The order is fixed: observe the targets, read the heads, plan (which is pure and happens
//! elsewhere), commit, deliver. Every step may be the last one that runs; whoever comes next
//! starts from what is true then.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::model::{Cluster, ClusterName};
use crate::plan::{Pair, PlanError, Unseen, UnseenKind, chain};
use crate::store::{Store, StoreError};
use crate::target::{Target, TargetError};

mod asked;
mod chance;
mod commit;
mod deliver;
mod denials;
mod reconcile;
mod survey;

pub use asked::{Answers, Asked};
pub use chance::{fresh_key, stagger};
pub use commit::{Overriding, note};
pub use deliver::{Attempt, Ending};
pub use reconcile::{Pass, Reconciled, clusters_of};
pub use survey::{Question, Survey};

/// How many sets of one cluster are worked on at once: enough to hide the round trips, far below
/// the 200 connections that a Consul grants to one address.
const SETS_AT_ONCE: usize = 8;

/// Makes targets from how clusters are described.
pub trait Connect: Debug + Send + Sync {
    /// The target of `cluster`, whose every request may take as long as `timeout`. Does not talk to
    /// it yet.
    fn connect(
        &self,
        name: &ClusterName,
        cluster: &Cluster,
        timeout: Duration,
    ) -> Result<Arc<dyn Target>, TargetError>;
}

/// How hard to try.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Pace {
    /// How many clusters are worked on at once.
    #[schemars(range(min = 1, max = u16::MAX))]
    pub clusters_at_once: usize,
    /// The longest wait for one look at a set in one cluster, and for one delivery of it: repeats,
    /// parts, batches and the look after a lost answer included.
    #[schemars(schema_with = "timeout_schema")]
    pub timeout: Duration,
}

impl Pace {
    /// That of what nobody asked for, and nobody waits for.
    pub const AT_LEISURE: Self = Self {
        clusters_at_once: 32,
        timeout: Duration::from_secs(15),
    };
}

/// What a server takes for it; beside the store a person may wait as long as he likes.
fn timeout_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "properties": {
            "secs": {"type": "integer", "minimum": 0, "maximum": 3600},
            "nanos": {"type": "integer", "minimum": 0, "maximum": u32::MAX},
        },
        "required": ["secs", "nanos"],
        "additionalProperties": false,
    })
}

/// What the engine tells while it works.
#[derive(Clone, Debug)]
pub enum Milestone {
    /// It starts to look at these pairs.
    Surveying(Vec<Pair>),
    /// It has looked at one.
    Surveyed(Pair),
    /// The commit is real.
    Committed,
    /// It starts to write to these pairs.
    Delivering(Vec<Pair>),
    /// It is done with one.
    Delivered(Pair),
}

/// Where a survey, a commit and a delivery take place.
pub struct Engine<'a> {
    /// The central store.
    pub store: &'a dyn Store,
    /// How targets are reached.
    pub connect: &'a dyn Connect,
    /// How hard to try.
    pub pace: Pace,
    /// Who hears what happens.
    pub events: &'a (dyn Fn(Milestone) + Sync),
    /// What the log keeps beside every commit: who asked, and how.
    pub audit: Option<serde_json::Value>,
    /// Turns true when a person wants it to stop: what runs is finished, nothing new is begun.
    pub interrupt: watch::Receiver<bool>,
}

impl std::fmt::Debug for Engine<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine")
            .field("store", &self.store)
            .field("pace", &self.pace)
            .finish_non_exhaustive()
    }
}

/// The clusters of one run, each with its target or with why there is none.
type Fleet = BTreeMap<ClusterName, Result<Arc<dyn Target>, Unseen>>;

/// What stops the engine as a whole. What goes wrong in one cluster is in its report instead.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The heads and what a head is built on could not be read.
    #[error("could not read the store")]
    Read(#[source] StoreError),
    /// What should be delivered cannot be made.
    #[error(transparent)]
    Plan(PlanError),
    /// Nothing was committed and nothing written to any cluster.
    #[error("nothing was committed")]
    Commit(#[source] StoreError),
    /// What a cluster holds that is taken off the list could not all be removed, so it stays there.
    /// Nothing was committed.
    #[error("not all that the cluster holds could be removed: {}", .0.join("; "))]
    NotRemoved(Vec<String>),
    /// What it held was removed, and then nothing was committed.
    #[error("nothing was committed")]
    NotForgotten(#[source] StoreError),
    /// A person stopped it before anything was committed.
    #[error("stopped before anything was changed")]
    Interrupted,
}

fn unseen(error: &TargetError) -> Unseen {
    let kind = match error {
        TargetError::Unreachable { .. } | TargetError::Unknown { .. } => UnseenKind::Unreachable,
        TargetError::Denied { .. } => UnseenKind::Denied,
        TargetError::Moved { .. }
        | TargetError::TooLarge { .. }
        | TargetError::Invalid { .. }
        | TargetError::Configuration { .. } => UnseenKind::Unusable,
    };
    Unseen {
        kind,
        reason: chain(error),
    }
}

fn timed_out(pace: Pace) -> Unseen {
    Unseen {
        kind: UnseenKind::Unreachable,
        reason: format!("no answer within {} s", pace.timeout.as_secs_f32()),
    }
}

/// For the other sets of a cluster that did not answer: each would wait as long again.
fn not_tried(target: &dyn Target) -> Unseen {
    Unseen {
        kind: UnseenKind::Unreachable,
        reason: format!("{} cannot be reached", target.location()),
    }
}

#[cfg(test)]
mod tests;
