//! What a target holds now.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Auxiliary, Digest, Document, DocumentError, Key, Prefix, SetName};

/// Names one state of one key. A write that carries it fails if the key was written since.
///
/// What it says is the backend's own: a `ModifyIndex` for Consul, a digest for a directory.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fence(pub String);

/// Who wrote a key, as far as the mark on it tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Owner {
    /// It carries cfgctl's mark.
    Cfgctl,
    /// It does not.
    Other,
}

/// Where to look for one set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The set; a target knows where its snapshot key lies.
    pub set: SetName,
    /// Keys that may be written, beside those that the snapshot found there names.
    pub keys: BTreeSet<Key>,
    /// Prefixes that applications read whole, so that foreign keys below them matter.
    pub prefixes: BTreeSet<Prefix>,
}

/// One consistent view of everything that a target holds of one set.
#[derive(Debug)]
pub struct Observed {
    /// What lies at the snapshot key.
    pub snapshot: ObservedSnapshot,
    /// Every key that exists among: the keys of the place, the keys that the snapshot names, and
    /// what lies below the prefixes of the place. Never the snapshot key.
    pub entries: BTreeMap<Key, ObservedEntry>,
    /// What cfgctl keeps there for itself.
    pub auxiliary: Auxiliary,
}

impl Observed {
    /// Nothing of the set is there.
    pub fn nothing() -> Self {
        Self {
            snapshot: ObservedSnapshot::Absent,
            entries: BTreeMap::new(),
            auxiliary: Auxiliary::default(),
        }
    }

    /// Whether exactly this snapshot is there, every key of it included, and no other is on its way.
    pub fn holds(&self, document: &Document) -> bool {
        self.auxiliary.delivering.is_none()
            && self.snapshot.document() == Some(document)
            && document.keys().iter().all(|(key, digest)| {
                let entry = self.entries.get(key);
                entry.is_some_and(|entry| entry.has(digest))
            })
    }
}

/// What lies at a snapshot key.
#[derive(Debug)]
pub enum ObservedSnapshot {
    /// The target says, in so many words, that there is none.
    Absent,
    /// Something.
    Present {
        /// Its state.
        fence: Fence,
        /// Whether it carries our mark.
        owner: Owner,
        /// The document, or why it cannot be read.
        document: Box<Result<Document, DocumentError>>,
    },
}

impl ObservedSnapshot {
    /// The document, if one is there and can be read.
    pub fn document(&self) -> Option<&Document> {
        match self {
            Self::Present { document, .. } => (**document).as_ref().ok(),
            Self::Absent => None,
        }
    }

    /// The state of the key; `None` when it does not exist.
    pub fn fence(&self) -> Option<&Fence> {
        match self {
            Self::Present { fence, .. } => Some(fence),
            Self::Absent => None,
        }
    }
}

/// One key beside the snapshot key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObservedEntry {
    /// Its bytes; none if they were not read.
    pub value: Vec<u8>,
    /// How many bytes it has, if it was not read: nothing that cfgctl writes is as large.
    pub unread: Option<u64>,
    /// Its state.
    pub fence: Fence,
    /// Whether it carries our mark.
    pub owner: Owner,
}

impl ObservedEntry {
    /// Whether it holds these bytes.
    pub fn is(&self, value: &[u8]) -> bool {
        self.unread.is_none() && self.value == value
    }

    /// Whether it holds the bytes with this digest.
    pub fn has(&self, digest: &Digest) -> bool {
        self.unread.is_none() && Digest::of(&self.value) == *digest
    }
}
