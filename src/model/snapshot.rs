//! What one cluster gets of one revision.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::value::{self, Map};
use super::{
    API_VERSION, BreakerName, BreakerStatus, ClusterName, Contents, Digest, Flag, FlagName, Key,
    Origin, SetName, Version,
};

/// The `kind` of a snapshot document.
const KIND: &str = "Snapshot";
/// No snapshot is larger, in one key or in parts: it is held in memory more than once.
pub(super) const MAX_DOCUMENT_BYTES: usize = 16 * 1024 * 1024;

/// A snapshot: the document at the snapshot key, and the bytes of every key written with it.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    /// What lies at the snapshot key.
    pub document: Document,
    /// The other keys: `document.keys` holds the digest of each. They are the same in every cluster
    /// in which the set says the same.
    pub entries: Arc<BTreeMap<Key, Vec<u8>>>,
}

impl Snapshot {
    /// Puts a snapshot together and seals it with its digest. What lies below the keys `loose`
    /// may be delivered in batches.
    pub fn seal(
        set: SetName,
        cluster: ClusterName,
        version: Version,
        origin: &Origin,
        contents: impl Into<Arc<Contents>>,
        entries: impl Into<Arc<BTreeMap<Key, Vec<u8>>>>,
        loose: BTreeSet<Key>,
    ) -> Self {
        let entries = entries.into();
        let keys = entries
            .iter()
            .map(|(key, bytes)| (key.clone(), Digest::of(bytes)))
            .collect();
        let body = Body {
            api_version: API_VERSION.to_owned(),
            kind: KIND.to_owned(),
            set,
            cluster,
            version,
            origin: origin.delivered(),
            contents: contents.into(),
            keys,
            loose,
        };
        Self {
            document: Document::of(body),
            entries,
        }
    }
}

/// The document at a snapshot key, whose digest is known to be right.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    body: Body,
    digest: Digest,
    bytes: usize,
}

/// What the digest is taken over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", from = "Fields")]
struct Body {
    api_version: String,
    kind: String,
    set: SetName,
    cluster: ClusterName,
    version: Version,
    origin: Origin,
    #[serde(flatten)]
    contents: Arc<Contents>,
    keys: BTreeMap<Key, Digest>,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    loose: BTreeSet<Key>,
}

/// A document in the order of its bytes. What it has most of is sorted already and is not copied.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Sorted<'a> {
    api_version: &'a str,
    breakers: Value,
    cluster: &'a ClusterName,
    digest: &'a Digest,
    flags: Value,
    keys: &'a BTreeMap<Key, Digest>,
    kind: &'a str,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    loose: &'a BTreeSet<Key>,
    origin: Value,
    set: &'a SetName,
    values: &'a Map,
    version: Version,
}

impl<'a> Sorted<'a> {
    fn of(document: &'a Document) -> Self {
        let Document { body, digest, .. } = document;
        let contents = &body.contents;
        Self {
            api_version: &body.api_version,
            breakers: sorted(&contents.breakers),
            cluster: &body.cluster,
            digest,
            flags: sorted(&contents.flags),
            keys: &body.keys,
            kind: &body.kind,
            loose: &body.loose,
            origin: sorted(&body.origin),
            set: &body.set,
            values: &contents.values,
            version: body.version,
        }
    }
}

/// As a value, whose members are sorted.
fn sorted(part: &impl Serialize) -> Value {
    // A struct of text keys always becomes one.
    serde_json::to_value(part).unwrap_or_default()
}

/// The same as it is read: only so is an unknown field an error. A field added here needs a new
/// [`API_VERSION`].
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Fields {
    api_version: String,
    kind: String,
    set: SetName,
    cluster: ClusterName,
    version: Version,
    origin: Origin,
    values: Map,
    flags: BTreeMap<FlagName, Flag>,
    breakers: BTreeMap<BreakerName, BreakerStatus>,
    keys: BTreeMap<Key, Digest>,
    #[serde(default)]
    loose: BTreeSet<Key>,
}

impl From<Fields> for Body {
    fn from(fields: Fields) -> Self {
        let Fields {
            api_version,
            kind,
            set,
            cluster,
            version,
            origin,
            values,
            flags,
            breakers,
            keys,
            loose,
        } = fields;
        Self {
            api_version,
            kind,
            set,
            cluster,
            version,
            origin,
            contents: Arc::new(Contents {
                values,
                flags,
                breakers,
            }),
            keys,
            loose,
        }
    }
}

/// Why bytes are not the document of a snapshot.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// Larger than any snapshot.
    #[error("it has {bytes} bytes, more than the {MAX_DOCUMENT_BYTES} that a snapshot may have")]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// Not JSON, or not a JSON object.
    #[error("it is not a JSON document")]
    NotJson(#[source] serde_json::Error),
    /// Written by a cfgctl that knows more.
    #[error("its format is `{0}`, this cfgctl reads `{API_VERSION}`")]
    OtherFormat(String),
    /// Fields are missing, unknown or of a wrong type.
    #[error("it is not a snapshot document")]
    NotASnapshot(#[source] serde_json::Error),
    /// Its content was changed after it was written; holds what it says now.
    #[error("its content does not match its digest: it was changed by hand")]
    Changed(Box<Document>),
    /// Parts of it are gone or were changed; holds what is known without them, which is all but
    /// values and keys.
    #[error("parts of it are missing or were changed by hand")]
    Incomplete(Box<Document>),
    /// It is in parts, and what it says of them cannot be.
    #[error("it is in parts that cannot be those of this set")]
    UnsoundParts,
}

impl DocumentError {
    /// What the document says all the same, if it was one of ours before someone changed it.
    pub fn changed(&self) -> Option<&Document> {
        match self {
            Self::Changed(document) | Self::Incomplete(document) => Some(document),
            Self::TooLarge { .. }
            | Self::NotJson(_)
            | Self::OtherFormat(_)
            | Self::NotASnapshot(_)
            | Self::UnsoundParts => None,
        }
    }
}

impl Document {
    fn of(body: Body) -> Self {
        let (digest, bytes) = Digest::of_canonical_with_bytes(&body);
        // The same in another order, with one member more.
        let bytes = bytes + format!("\"digest\":\"{digest}\",").len();
        Self {
            body,
            digest,
            bytes,
        }
    }

    /// Reads what lies at a snapshot key.
    pub fn parse(bytes: &[u8]) -> Result<Self, DocumentError> {
        if bytes.len() > MAX_DOCUMENT_BYTES {
            return Err(DocumentError::TooLarge { bytes: bytes.len() });
        }
        let mut map: Map = serde_json::from_slice(bytes).map_err(DocumentError::NotJson)?;
        let format = map.get("apiVersion").and_then(|format| format.as_str());
        if format.is_some_and(|format| format != API_VERSION) {
            let format = format.unwrap_or_default().chars().take(80).collect();
            return Err(DocumentError::OtherFormat(format));
        }
        let digest = map.remove("digest");
        let body: Body = serde_json::from_value(map.into()).map_err(DocumentError::NotASnapshot)?;
        let document = Self::of(body);
        let claimed: Option<Digest> = digest.and_then(|digest| digest.as_str()?.parse().ok());
        let intact = claimed.as_ref() == Some(&document.digest) && document.body.kind == KIND;
        if intact {
            Ok(document)
        } else {
            Err(DocumentError::Changed(Box::new(document)))
        }
    }

    /// What is known of a document whose parts are gone.
    pub(super) fn without_values(
        set: SetName,
        cluster: ClusterName,
        version: Version,
        origin: &Origin,
    ) -> Self {
        let sealed = Snapshot::seal(
            set,
            cluster,
            version,
            origin,
            Contents::default(),
            BTreeMap::new(),
            BTreeSet::new(),
        );
        sealed.document
    }

    /// The bytes that lie at the snapshot key, or in its parts: canonical JSON.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.bytes);
        value::canonical_to(&mut bytes, &Sorted::of(self));
        bytes
    }

    /// How many bytes these are.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The document as JSON.
    pub fn to_json(&self) -> Map {
        let mut map = match serde_json::to_value(&self.body) {
            Ok(Value::Object(map)) => map,
            // A struct of text keys always becomes a map.
            Ok(_) | Err(_) => Map::new(),
        };
        map.insert("digest".to_owned(), self.digest.to_string().into());
        map
    }

    /// The set it is a snapshot of.
    pub fn set(&self) -> &SetName {
        &self.body.set
    }

    /// The cluster it was made for.
    pub fn cluster(&self) -> &ClusterName {
        &self.body.cluster
    }

    /// The revision of the set.
    pub fn version(&self) -> Version {
        self.body.version
    }

    /// How that revision came to be.
    pub fn origin(&self) -> &Origin {
        &self.body.origin
    }

    /// What this cluster gets.
    pub fn contents(&self) -> &Contents {
        &self.body.contents
    }

    /// The values of this cluster: defaults, layers and open breakers merged.
    pub fn values(&self) -> &Map {
        &self.body.contents.values
    }

    /// The other keys written with it, and the digest of each.
    pub fn keys(&self) -> &BTreeMap<Key, Digest> {
        &self.body.keys
    }

    /// Whether `key` may be delivered before the document, in batches: the set gave up for it that
    /// all changes at once.
    pub fn is_loose(&self, key: &Key) -> bool {
        (self.body.loose.iter()).any(|prefix| prefix.below().contains(key))
    }

    /// The digest over everything else in the document.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }
}

/// Reads it as it lies at a snapshot key: what its digest does not match is an error.
impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = value::canonical(&Map::deserialize(deserializer)?);
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

impl Serialize for Document {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_json().serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use std::collections::BTreeSet;

    use crate::model::Cause;

    fn snapshot() -> Snapshot {
        let Ok(Value::Object(values)) = serde_json::to_value(json!({"a": {"b": 1.5}})) else {
            panic!("not a map");
        };
        Snapshot::seal(
            "shop".parse().unwrap(),
            "eu".parse().unwrap(),
            Version::FIRST,
            &Origin {
                actor: "ops@laptop".to_owned(),
                at: "2026-11-21T02:14:00Z".parse().unwrap(),
                cause: Cause::Apply,
                message: None,
                consents: BTreeSet::new(),
                planned: None,
            },
            Contents::of_values(values),
            BTreeMap::from([("config/shop/data".parse().unwrap(), b"a: 1".to_vec())]),
            BTreeSet::new(),
        )
    }

    #[test]
    fn a_document_reads_back_as_it_was_written() {
        let document = snapshot().document;
        assert_eq!(Document::parse(&document.to_bytes()).unwrap(), document);
        assert_eq!(document.to_bytes().len(), document.bytes());
    }

    #[test]
    fn who_planned_stays_in_the_store_so_that_every_cfgctl_reads_the_document() {
        let plain = snapshot();
        let origin = Origin {
            planned: Some(crate::model::Planned {
                by: "ana@laptop".to_owned(),
                at: "2026-11-20T02:14:00Z".parse().unwrap(),
            }),
            ..plain.document.origin().clone()
        };
        let sealed = Snapshot::seal(
            plain.document.set().clone(),
            plain.document.cluster().clone(),
            plain.document.version(),
            &origin,
            plain.document.contents().clone(),
            plain.entries.clone(),
            BTreeSet::new(),
        );
        assert_eq!(sealed, plain);
    }

    #[test]
    fn a_document_that_was_changed_by_hand_is_noticed() {
        let text = String::from_utf8(snapshot().document.to_bytes()).unwrap();
        let parse = |text: &str| Document::parse(text.as_bytes());
        assert!(matches!(
            parse(&text.replace("1.5", "1.6")),
            Err(DocumentError::Changed(_))
        ));
        assert!(matches!(
            parse(&text.replace("cfgctl.dev/v1", "cfgctl.dev/v9")),
            Err(DocumentError::OtherFormat(_))
        ));
        assert!(matches!(parse(&text[1..]), Err(DocumentError::NotJson(_))));
        assert!(matches!(parse("{}"), Err(DocumentError::NotASnapshot(_))));
        assert!(matches!(parse(""), Err(DocumentError::NotJson(_))));
        assert!(matches!(
            parse(&text.replace("\"flags\":{}", "\"flags\":{},\"more\":1")),
            Err(DocumentError::NotASnapshot(_))
        ));
    }
}
