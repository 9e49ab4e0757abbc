//! One fenced, all-or-nothing write of one set to one target.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Auxiliary, Fence, Key, SetName};

/// Everything that is to become of one set in one target. What readers of the snapshot key see
/// changes as a whole, or not at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// The set; the target knows where its snapshot key lies.
    pub set: SetName,
    /// What happens to the snapshot key: always the first operation.
    pub snapshot: SnapshotWrite,
    /// What happens to the other keys.
    pub entries: BTreeMap<Key, EntryWrite>,
    /// Those of `entries` that may change before the snapshot key does, in batches, if all of it
    /// does not fit into one transaction.
    pub loose: BTreeSet<Key>,
    /// What was seen beside the snapshot key.
    pub auxiliary: Auxiliary,
}

impl Write {
    /// Whether any key beside the snapshot key goes.
    pub fn removes_keys(&self) -> bool {
        let mut entries = self.entries.values();
        entries.any(|entry| matches!(entry, EntryWrite::Delete { .. }))
    }

    /// The keys beside the snapshot key that get another content or go.
    pub fn changed(&self) -> impl Iterator<Item = &Key> {
        let changed = |(_, entry): &(&Key, &EntryWrite)| !matches!(entry, EntryWrite::Keep { .. });
        self.entries.iter().filter(changed).map(|(key, _)| key)
    }
}

/// What happens to a snapshot key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SnapshotWrite {
    /// It gets this content.
    Put {
        /// The bytes of the document.
        value: Vec<u8>,
        /// The state that it must be in; `None`: it must not exist.
        expected: Option<Fence>,
    },
    /// It is removed, with everything that the write deletes.
    Delete {
        /// The state that it must be in; `None`: there is none, and only what a delivery that was
        /// stopped has left is removed.
        expected: Option<Fence>,
    },
}

impl SnapshotWrite {
    /// The state that the key must be in; `None`: it must not exist.
    pub fn expected(&self) -> Option<&Fence> {
        match self {
            Self::Put { expected, .. } | Self::Delete { expected } => expected.as_ref(),
        }
    }
}

/// What happens to a key beside the snapshot key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EntryWrite {
    /// It gets this content and our mark.
    Put {
        /// The bytes.
        value: Vec<u8>,
        /// The state that it must be in; `None`: it must not exist.
        expected: Option<Fence>,
    },
    /// It is right already and must still be in this state, so that the snapshot is whole.
    Keep {
        /// The state that it must be in.
        expected: Fence,
    },
    /// It is removed.
    Delete {
        /// The state that it must be in.
        expected: Fence,
    },
}

/// What one transaction of a target can carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Limits {
    /// Operations in one transaction.
    pub operations: usize,
    /// Bytes in one value.
    pub value_bytes: usize,
    /// Bytes of the whole request as Consul's JSON, values in base64.
    pub request_bytes: usize,
}

impl Limits {
    /// Consul before 1.14: 64 operations, 512 KiB for a value and for a request.
    pub const CONSUL: Self = Self {
        operations: 64,
        value_bytes: 512 * 1024,
        request_bytes: 512 * 1024,
    };

    /// Consul from 1.14 on: 128 operations.
    pub const CONSUL_1_14: Self = Self {
        operations: 128,
        ..Self::CONSUL
    };

    /// What is written to a directory, and so what is read of one: enough for any snapshot and its
    /// keys in several formats, and little enough to hold in memory.
    pub const DIRECTORY: Self = Self {
        operations: 100_000,
        value_bytes: 16 * 1024 * 1024,
        request_bytes: 128 * 1024 * 1024,
    };

    /// A target that takes whatever cfgctl itself accepts.
    pub const NONE: Self = Self {
        operations: usize::MAX,
        value_bytes: usize::MAX,
        request_bytes: usize::MAX,
    };
}

/// A limit that a write exceeds, with the numbers.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Oversize {
    /// More than cfgctl delivers anywhere.
    #[error("the snapshot has {bytes} bytes, the limit for all of it is {limit}")]
    Snapshot {
        /// Its size.
        bytes: usize,
        /// What fits.
        limit: usize,
    },
    /// Too many keys.
    #[error("needs {needed} operations in one transaction, the limit is {limit}")]
    Operations {
        /// What the write needs.
        needed: usize,
        /// What fits.
        limit: usize,
    },
    /// One value is too large.
    #[error("`{key}` has {bytes} bytes, the limit for one value is {limit}")]
    Value {
        /// The key.
        key: String,
        /// Its size.
        bytes: usize,
        /// What fits.
        limit: usize,
    },
    /// All of it together is too large.
    #[error("needs a request of {bytes} bytes (values in base64), the limit is {limit}")]
    Request {
        /// The size of the request.
        bytes: usize,
        /// What fits.
        limit: usize,
    },
}
