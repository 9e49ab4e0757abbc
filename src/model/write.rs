//! One fenced, all-or-nothing write of one set to one target.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Fence, Key, SetName};

/// Everything that one transaction does. It succeeds whole, or changes nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// The set; the target knows where its snapshot key lies.
    pub set: SetName,
    /// What happens to the snapshot key: always the first operation.
    pub snapshot: SnapshotWrite,
    /// What happens to the other keys.
    pub entries: BTreeMap<Key, EntryWrite>,
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
        /// The state that it must be in.
        expected: Fence,
    },
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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

/// What the JSON of one operation takes beside its key and value, rounded up: braces, field
/// names, a 20-digit index and a 20-digit mark.
const OPERATION_BYTES: usize = 160;

impl Write {
    /// Every limit that this write exceeds. `snapshot_key` is the name that the target gives to
    /// the snapshot key.
    pub fn oversize(&self, snapshot_key: &str, limits: Limits) -> Vec<Oversize> {
        let Limits {
            operations,
            value_bytes,
            request_bytes,
        } = limits;
        let mut found = Vec::new();
        // Only a put tells by itself whether the snapshot key is there: see `target::consul`.
        let checks = usize::from(matches!(self.snapshot, SnapshotWrite::Delete { .. }));
        let needed = 1 + checks + self.entries.len();
        if needed > operations {
            found.push(Oversize::Operations {
                needed,
                limit: operations,
            });
        }
        let mut bytes = 2 + checks * (OPERATION_BYTES + escaped_bytes(snapshot_key));
        for (key, value) in self.values(snapshot_key) {
            if value.len() > value_bytes {
                found.push(Oversize::Value {
                    key: key.to_owned(),
                    bytes: value.len(),
                    limit: value_bytes,
                });
            }
            let key_bytes = escaped_bytes(key);
            bytes += OPERATION_BYTES + key_bytes + value.len().div_ceil(3) * 4;
        }
        if bytes > request_bytes {
            found.push(Oversize::Request {
                bytes,
                limit: request_bytes,
            });
        }
        found
    }

    /// Every key that is touched, with the bytes that are sent for it.
    fn values<'a>(&'a self, snapshot_key: &'a str) -> impl Iterator<Item = (&'a str, &'a [u8])> {
        let snapshot: &[u8] = match &self.snapshot {
            SnapshotWrite::Put { value, .. } => value,
            SnapshotWrite::Delete { .. } => &[],
        };
        let entries = self.entries.iter().map(|(key, write)| match write {
            EntryWrite::Put { value, .. } => (key.as_str(), value.as_slice()),
            EntryWrite::Keep { .. } | EntryWrite::Delete { .. } => (key.as_str(), &[][..]),
        });
        std::iter::once((snapshot_key, snapshot)).chain(entries)
    }
}

/// How long a key is in JSON, at the most: some encoders escape more than they must.
fn escaped_bytes(key: &str) -> usize {
    key.chars()
        .map(|c| match c {
            '"' | '\\' | '<' | '>' | '&' => 6,
            c => c.len_utf8(),
        })
        .sum()
}
