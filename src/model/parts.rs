//! A document that is too large for one key, in parts.
//!
//! The canonical bytes of the document are cut into consecutive parts, each at a key that is named
//! after its own digest: `<prefix>/<set>/parts/<64 hexadecimal digits>`. What then lies at the
//! snapshot key is the table of contents: who follows it, and joins the parts in order, has the
//! bytes that would lie there otherwise.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::snapshot::{Document, DocumentError, MAX_DOCUMENT_BYTES};
use super::value;
use super::{API_VERSION, ClusterName, Digest, Origin, SetName, Version};

/// The `kind` of a table of contents.
const CONTENTS: &str = "SnapshotParts";
/// More parts than this no table of contents may name: a transaction could not check them.
const MOST_PARTS: usize = 1024;

/// The names that cfgctl gives to keys beside a snapshot key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuxiliaryNames {
    /// Below which parts lie; ends in a slash.
    pub parts: String,
    /// Where a delivery in batches leaves its mark.
    pub delivering: String,
}

impl AuxiliaryNames {
    /// The names beside the snapshot key of this name.
    pub fn of(snapshot_key: &str) -> Self {
        let above = match snapshot_key.rsplit_once('/') {
            Some((above, _)) => above,
            None => snapshot_key,
        };
        Self {
            parts: format!("{above}/parts/"),
            delivering: format!("{above}/delivering"),
        }
    }

    /// The key of the part with this digest.
    pub(super) fn part(&self, digest: &Digest) -> String {
        format!("{}{}", self.parts, digest.hex())
    }

    /// Whether `key` is the name of a part with these bytes.
    pub(super) fn is_part(&self, key: &str, bytes: &[u8]) -> bool {
        key == self.part(&Digest::of(bytes))
    }

    /// Whether `key` is one of these.
    pub fn holds(&self, key: &str) -> bool {
        key == self.delivering || key.starts_with(&self.parts)
    }
}

/// A table of contents.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Table {
    api_version: String,
    kind: String,
    set: SetName,
    cluster: ClusterName,
    version: Version,
    origin: Origin,
    /// The digest of the document.
    digest: Digest,
    parts: Vec<Part>,
}

/// One part, in the order in which they are joined.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Part {
    pub(super) key: String,
    digest: Digest,
    bytes: usize,
}

/// Parts of at most `part_bytes`, in order, and what lies at the key of each.
pub(super) fn cut<'a>(
    bytes: &'a [u8],
    part_bytes: usize,
    names: &AuxiliaryNames,
) -> (Vec<Part>, BTreeMap<String, &'a [u8]>) {
    let mut chunks = BTreeMap::new();
    let mut parts = Vec::new();
    for chunk in bytes.chunks(part_bytes.max(1)) {
        let digest = Digest::of(chunk);
        let key = names.part(&digest);
        chunks.insert(key.clone(), chunk);
        parts.push(Part {
            key,
            digest,
            bytes: chunk.len(),
        });
    }
    (parts, chunks)
}

/// Whether they stay within bounds, and lead nowhere but to parts of their own set.
pub(super) fn are_sound(parts: &[Part], names: &AuxiliaryNames) -> bool {
    let sizes = parts.iter().map(|part| part.bytes);
    let total = sizes.fold(0, usize::saturating_add);
    parts.len() <= MOST_PARTS
        && total <= MAX_DOCUMENT_BYTES
        && (parts.iter()).all(|part| part.key == names.part(&part.digest))
}

/// The bytes that were cut, if `part` still has all of them at their keys.
pub(super) fn join<'a>(parts: &[Part], part: impl Fn(&str) -> Option<&'a [u8]>) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    for Part {
        key,
        digest,
        bytes: size,
    } in parts
    {
        let found = part(key).filter(|found| found.len() == *size)?;
        bytes.extend_from_slice(Some(found).filter(|found| Digest::of(found) == *digest)?);
    }
    Some(bytes)
}

impl Table {
    /// What lies at the snapshot key in place of `document`, which was cut into `parts`.
    pub(super) fn of(document: &Document, parts: Vec<Part>) -> Vec<u8> {
        value::canonical(&Self {
            api_version: API_VERSION.to_owned(),
            kind: CONTENTS.to_owned(),
            set: document.set().clone(),
            cluster: document.cluster().clone(),
            version: document.version(),
            origin: document.origin().clone(),
            digest: document.digest().clone(),
            parts,
        })
    }

    /// The document, from what lies at the keys of its parts.
    fn join<'a>(&self, part: impl Fn(&str) -> Option<&'a [u8]>) -> Result<Document, DocumentError> {
        let lacking = || {
            let (set, cluster) = (self.set.clone(), self.cluster.clone());
            let known = Document::without_values(set, cluster, self.version, &self.origin);
            DocumentError::Incomplete(Box::new(known))
        };
        let bytes = join(&self.parts, part).ok_or_else(lacking)?;
        let document = Document::parse(&bytes)?;
        let same = document.digest() == &self.digest
            && document.set() == &self.set
            && document.cluster() == &self.cluster
            && document.version() == self.version
            && document.origin() == &self.origin;
        if same {
            Ok(document)
        } else {
            Err(DocumentError::Changed(Box::new(document)))
        }
    }
}

/// What was read at a snapshot key.
#[derive(Debug)]
pub struct Read {
    /// The document, or why there is none.
    pub document: Result<Document, DocumentError>,
    /// The keys of the parts that it is made of; none if it lies there whole.
    pub parts: BTreeSet<String>,
}

impl Read {
    /// Reads what lies at a snapshot key; `part` gives the bytes at the key of a part.
    pub fn new<'a>(
        bytes: &[u8],
        names: &AuxiliaryNames,
        part: impl Fn(&str) -> Option<&'a [u8]>,
    ) -> Self {
        let contents = (bytes.len() <= MAX_DOCUMENT_BYTES)
            .then(|| serde_json::from_slice::<Table>(bytes).ok())
            .flatten()
            .filter(|contents| contents.api_version == API_VERSION && contents.kind == CONTENTS);
        match contents {
            // Most are whole, and say with more care what is wrong with them.
            None => Self {
                document: Document::parse(bytes),
                parts: BTreeSet::new(),
            },
            Some(contents) if !are_sound(&contents.parts, names) => Self {
                document: Err(DocumentError::UnsoundParts),
                parts: BTreeSet::new(),
            },
            Some(contents) => Self {
                document: contents.join(part),
                parts: contents.parts.into_iter().map(|part| part.key).collect(),
            },
        }
    }
}
