//! The one point where a change becomes real.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{RecordChange, RecordId, ResourceId, Revision, Version};

/// The newest revision of every resource that ever was, tombstones included.
pub type Heads = BTreeMap<ResourceId, Revision>;

/// New revisions of several resources, changes of records and an entry of the log, made together or
/// not at all.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Commit {
    /// The heads that it was planned against, also of resources it does not change; `None`: the
    /// resource must never have existed. Every key of `revisions` is in here.
    pub expected: BTreeMap<ResourceId, Option<Version>>,
    /// What becomes the new heads. Each version is greater than the expected one.
    pub revisions: BTreeMap<ResourceId, Revision>,
    /// What becomes of records.
    pub records: BTreeMap<RecordId, RecordChange>,
    /// The commit after which nobody may have written another record of a kind that is in `records`;
    /// `None`: anybody may, whenever.
    pub records_as_of: Option<Sequence>,
    /// What it is known by: a commit with this key is made once, however often it is asked for.
    pub key: Option<IdempotencyKey>,
    /// What is to be kept beside it in the log, a JSON object; no store looks into it.
    pub audit: Option<serde_json::Value>,
}

impl Commit {
    /// Whether there is nothing to be made or written down: then it only compares.
    pub fn only_compares(&self) -> bool {
        self.revisions.is_empty() && self.records.is_empty() && self.audit.is_none()
    }
}

/// The number of a commit in its store: 1, 2, 3 …; zero stands before the first one.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(transparent)]
pub struct Sequence(u64);

impl Sequence {
    /// Before the first commit.
    pub const START: Self = Self(0);

    /// The sequence with this number.
    pub fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number.
    pub fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Sequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// What whoever asks for a commit knows it by, so that it can ask again after a lost answer.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schemars(extend("pattern" = "^[!-~]+$", "minLength" = 1, "maxLength" = Self::MAX_BYTES))]
pub struct IdempotencyKey(String);

/// Text that is not a key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an idempotency key is 1 to 200 printable ASCII characters without blanks")]
pub struct IdempotencyKeyError;

impl IdempotencyKey {
    /// The longest key, in bytes.
    const MAX_BYTES: usize = 200;

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for IdempotencyKey {
    type Err = IdempotencyKeyError;

    fn from_str(input: &str) -> Result<Self, Self::Err> {
        let fits = (1..=Self::MAX_BYTES).contains(&input.len());
        if !fits || !input.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(IdempotencyKeyError);
        }
        Ok(Self(input.to_owned()))
    }
}

impl TryFrom<String> for IdempotencyKey {
    type Error = IdempotencyKeyError;

    fn try_from(input: String) -> Result<Self, Self::Error> {
        input.parse()
    }
}

impl From<IdempotencyKey> for String {
    fn from(key: IdempotencyKey) -> Self {
        key.0
    }
}
