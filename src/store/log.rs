//! What is asked of the log of commits, and what it answers.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use crate::model::{
    Heads, IdempotencyKey, Record, RecordFate, RecordId, ResourceId, ResourceKind, Revision,
    Sequence, SetName, Version,
};

/// Which heads are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// Every head there is.
    All,
    /// Those of all clusters.
    Clusters,
    /// Those of all grants.
    Grants,
    /// Those of these resources; one that never was is left out of the answer.
    Named(BTreeSet<ResourceId>),
    /// Those of these resources and of all clusters: what there is to know about sets.
    Around(BTreeSet<ResourceId>),
    /// Those with an override whose time is over at this moment.
    DueBefore(Timestamp),
}

impl Which {
    /// The head of one resource.
    pub fn one(id: &ResourceId) -> Self {
        Self::Named(BTreeSet::from([id.clone()]))
    }

    /// The heads of these sets and of all clusters.
    pub fn around<'s>(sets: impl IntoIterator<Item = &'s SetName>) -> Self {
        Self::Around(sets.into_iter().cloned().map(ResourceId::Set).collect())
    }

    /// Whether `revision`, the head of `id`, is one of those.
    pub(super) fn has(&self, id: &ResourceId, revision: &Revision) -> bool {
        match self {
            Self::All => true,
            Self::Clusters => id.kind() == ResourceKind::Cluster,
            Self::Grants => id.kind() == ResourceKind::Grant,
            Self::Named(ids) => ids.contains(id),
            Self::Around(ids) => id.kind() == ResourceKind::Cluster || ids.contains(id),
            Self::DueBefore(at) => revision
                .overrides
                .next_expiry()
                .is_some_and(|due| due <= *at),
        }
    }
}

/// Heads from one moment in time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HeadsAt {
    /// The newest commit at that moment.
    pub sequence: Sequence,
    /// The heads that were asked for, tombstones included.
    pub heads: Heads,
}

/// Records of one kind from one moment in time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordsAt {
    /// The newest commit at that moment.
    pub sequence: Sequence,
    /// The records.
    pub records: BTreeMap<RecordId, Record>,
}

/// What has come of a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Committed {
    /// Its number; of one that only compares that of the newest one.
    pub sequence: Sequence,
    /// When it was made, by the clock of the store.
    pub at: Timestamp,
}

/// What the log keeps of one commit.
#[derive(Clone, Debug, PartialEq)]
pub struct CommitRecord {
    /// Its number.
    pub sequence: Sequence,
    /// When it was made, by the clock of the store.
    pub at: Timestamp,
    /// What it is known by.
    pub key: Option<IdempotencyKey>,
    /// What was to be kept beside it.
    pub audit: Option<serde_json::Value>,
    /// The revisions that it made.
    pub changes: BTreeMap<ResourceId, Version>,
    /// What it did to records, among them those whose time was over.
    pub records: BTreeMap<RecordId, RecordFate>,
}

/// The most that a store takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommitLimits {
    /// Bytes of one revision, as JSON.
    pub revision_bytes: usize,
    /// Bytes of all revisions of one commit together; `None`: as many as there are.
    pub commit_bytes: Option<usize>,
}

/// The most records of one kind: whoever reads them reads all.
pub(super) const MAX_RECORDS: usize = 10_000;
/// The most bytes that the JSON of one record may have.
pub(super) const MAX_RECORD_BYTES: usize = 64 * 1024;
/// The most records whose time is over that one commit takes away: a trip must not wait for them.
pub(super) const MAX_OVER: usize = 100;
/// How far apart the uses of a record are that are written down.
pub(super) const BETWEEN_USES: SignedDuration = SignedDuration::from_secs(60);

/// The clock of a store, which dates its commits.
#[expect(
    clippy::disallowed_methods,
    reason = "a commit is made when the store makes it, not when its plan was asked for"
)]
pub(super) fn now() -> Timestamp {
    Timestamp::now()
}
