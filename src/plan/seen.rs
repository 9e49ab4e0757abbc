//! What was seen of one set in one cluster.

use crate::model::{ClusterName, Observed, SetName};

/// One set in one cluster.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pair {
    /// The set.
    pub set: SetName,
    /// The cluster.
    pub cluster: ClusterName,
}

/// What was seen of one set in one cluster.
#[derive(Debug)]
pub enum Observation {
    /// What is there.
    Seen(Observed),
    /// Why nothing is known.
    Unseen(Unseen),
}

/// Why a target could not be looked at. What is there stays there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unseen {
    /// What kind of failure it is.
    pub kind: UnseenKind,
    /// The whole error, causes included.
    pub reason: String,
}

/// What kind of failure keeps a target from being looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnseenKind {
    /// It does not answer; it may later.
    Unreachable,
    /// The token is not allowed to.
    Denied,
    /// It answers nonsense, or the connection is described wrongly.
    Unusable,
}
