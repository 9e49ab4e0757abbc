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
use super::{API_VERSION, ClusterName, Digest, Fence, Origin, Owner, SetName, Version};

/// The `kind` of a table of contents.
const CONTENTS: &str = "SnapshotParts";
/// The `kind` of the mark of a delivery that is under way.
const UNDER_WAY: &str = "Delivery";
/// More parts than this no table of contents may name: a transaction could not check them.
const MOST_PARTS: usize = 1024;

/// The names that cfgctl gives to keys beside a snapshot key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AsideNames {
    /// Below which parts lie; ends in a slash.
    pub parts: String,
    /// Where a delivery in batches leaves its mark.
    pub delivering: String,
}

impl AsideNames {
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

    /// Whether `key` is one of these.
    pub fn holds(&self, key: &str) -> bool {
        key == self.delivering || key.starts_with(&self.parts)
    }
}

/// What a target holds beside the snapshot key for cfgctl's own use. Empty for targets without
/// limits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Aside {
    /// Everything below the prefix of the parts.
    pub parts: BTreeMap<String, ObservedPart>,
    /// The parts that the snapshot there names.
    pub named: BTreeSet<String>,
    /// The mark of a delivery in batches that was begun and not finished.
    pub delivering: Option<Delivering>,
}

/// A part, or what lies in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObservedPart {
    /// Its state.
    pub fence: Fence,
    /// Whether it carries our mark.
    pub owner: Owner,
    /// Whether its content is what its name says.
    pub intact: bool,
}

/// The mark of a delivery in batches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivering {
    /// Its state.
    pub fence: Fence,
    /// The version that is being delivered.
    pub version: Version,
}

impl Aside {
    /// Takes in a key beside the snapshot key. What stands at the place of the mark and is none is
    /// someone else's.
    pub fn insert(
        &mut self,
        names: &AsideNames,
        key: &str,
        value: &[u8],
        fence: Fence,
        owner: Owner,
    ) {
        if key == names.delivering {
            let mark = serde_json::from_slice::<Mark>(value).ok();
            self.delivering = mark
                .filter(|_| owner == Owner::Cfgctl)
                .map(|Mark { version, .. }| Delivering { fence, version });
        } else if key.starts_with(&names.parts) {
            let part = ObservedPart {
                fence,
                owner,
                intact: key == names.part(&Digest::of(value)),
            };
            self.parts.insert(key.to_owned(), part);
        }
    }
}

/// What lies at the key of a delivery that is under way.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Mark {
    api_version: String,
    kind: String,
    version: Version,
    digest: Digest,
}

/// The bytes of the mark of a delivery of `document`.
pub(super) fn mark(document: &Document) -> Vec<u8> {
    value::canonical(&Mark {
        api_version: API_VERSION.to_owned(),
        kind: UNDER_WAY.to_owned(),
        version: document.version(),
        digest: document.digest().clone(),
    })
}

/// A table of contents.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Contents {
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
struct Part {
    key: String,
    digest: Digest,
    bytes: usize,
}

impl Contents {
    /// Cuts `bytes`, which are those of `document`, into parts of at most `part_bytes`. Gives what
    /// lies at the snapshot key, and every part with its key.
    pub(super) fn cut<'a>(
        document: &Document,
        bytes: &'a [u8],
        part_bytes: usize,
        names: &AsideNames,
    ) -> (Vec<u8>, BTreeMap<String, &'a [u8]>) {
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
        let contents = Self {
            api_version: API_VERSION.to_owned(),
            kind: CONTENTS.to_owned(),
            set: document.set().clone(),
            cluster: document.cluster().clone(),
            version: document.version(),
            origin: document.origin().clone(),
            digest: document.digest().clone(),
            parts,
        };
        (value::canonical(&contents), chunks)
    }

    /// Whether it stays within bounds, and leads nowhere but to parts of its own set.
    fn is_sound(&self, names: &AsideNames) -> bool {
        let sizes = self.parts.iter().map(|part| part.bytes);
        let total = sizes.fold(0, usize::saturating_add);
        self.parts.len() <= MOST_PARTS
            && total <= MAX_DOCUMENT_BYTES
            && (self.parts.iter()).all(|part| part.key == names.part(&part.digest))
    }

    /// The document, from what lies at the keys of its parts.
    fn join<'a>(&self, part: impl Fn(&str) -> Option<&'a [u8]>) -> Result<Document, DocumentError> {
        let lacking = || {
            let (set, cluster) = (self.set.clone(), self.cluster.clone());
            let known = Document::without_values(set, cluster, self.version, self.origin.clone());
            DocumentError::Incomplete(Box::new(known))
        };
        let mut bytes = Vec::new();
        for Part {
            key,
            digest,
            bytes: size,
        } in &self.parts
        {
            let found = part(key).filter(|found| found.len() == *size);
            let found = found.filter(|found| Digest::of(found) == *digest);
            bytes.extend_from_slice(found.ok_or_else(lacking)?);
        }
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
        names: &AsideNames,
        part: impl Fn(&str) -> Option<&'a [u8]>,
    ) -> Self {
        let contents = (bytes.len() <= MAX_DOCUMENT_BYTES)
            .then(|| serde_json::from_slice::<Contents>(bytes).ok())
            .flatten()
            .filter(|contents| contents.api_version == API_VERSION && contents.kind == CONTENTS);
        match contents {
            // Most are whole, and say with more care what is wrong with them.
            None => Self {
                document: Document::parse(bytes),
                parts: BTreeSet::new(),
            },
            Some(contents) if !contents.is_sound(names) => Self {
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
