//! The JSON of Consul's KV and transaction endpoints.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::model::{Fence, ObservedEntry, Owner};

/// The KV `Flags` of every key that cfgctl writes: `cfgctl` in ASCII. Below 2^53, so that readers
/// which keep numbers as floats show it as it is.
pub const FLAGS: u64 = 0x6366_6763_746c;

/// One operation of a transaction, with its field names as Consul's documents have them.
#[derive(Debug, Serialize)]
pub(super) struct Operation<'a> {
    #[serde(rename = "KV")]
    kv: KvOperation<'a>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct KvOperation<'a> {
    verb: &'static str,
    key: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<Base64<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    flags: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<&'a str>,
}

impl<'a> Operation<'a> {
    fn new(verb: &'static str, key: &'a str, index: Option<u64>) -> Self {
        let kv = KvOperation {
            verb,
            key,
            value: None,
            flags: None,
            index,
            namespace: None,
        };
        Self { kv }
    }

    /// Every key whose name starts with `prefix`.
    pub(super) fn get_tree(prefix: &'a str) -> Self {
        Self::new("get-tree", prefix, None)
    }

    /// Writes a key with our mark if it has this index; 0: if it does not exist.
    pub(super) fn cas(key: &'a str, value: &'a [u8], index: u64) -> Self {
        let mut operation = Self::new("cas", key, Some(index));
        operation.kv.value = Some(Base64(value));
        operation.kv.flags = Some(FLAGS);
        operation
    }

    /// Deletes a key if it has this index, and succeeds if there is none.
    pub(super) fn delete_cas(key: &'a str, index: u64) -> Self {
        Self::new("delete-cas", key, Some(index))
    }

    /// Fails unless a key has this index; always fails for 0.
    pub(super) fn check_index(key: &'a str, index: u64) -> Self {
        Self::new("check-index", key, Some(index))
    }

    /// Fails if there is such a key.
    pub(super) fn check_not_exists(key: &'a str) -> Self {
        Self::new("check-not-exists", key, None)
    }

    pub(super) fn in_namespace(mut self, namespace: Option<&'a str>) -> Self {
        self.kv.namespace = namespace;
        self
    }

    /// The key or prefix it is about.
    pub(super) fn key(&self) -> &'a str {
        self.kv.key
    }

    /// Whether a success is answered with the key.
    pub(super) fn is_put(&self) -> bool {
        self.kv.value.is_some()
    }
}

/// Bytes as JSON can carry them.
#[derive(Debug)]
struct Base64<'a>(&'a [u8]);

impl Serialize for Base64<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(self.0))
    }
}

/// One key.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct KvPair {
    pub(super) key: String,
    /// Null for an empty value; left out in the answer to a write.
    #[serde(default, deserialize_with = "from_base64")]
    pub(super) value: Vec<u8>,
    pub(super) flags: u64,
    pub(super) modify_index: u64,
}

impl KvPair {
    pub(super) fn fence(&self) -> Fence {
        Fence(self.modify_index.to_string())
    }

    pub(super) fn owner(&self) -> Owner {
        if self.flags == FLAGS {
            Owner::Cfgctl
        } else {
            Owner::Other
        }
    }

    pub(super) fn into_entry(self) -> ObservedEntry {
        ObservedEntry {
            fence: self.fence(),
            owner: self.owner(),
            unread: None,
            value: self.value,
        }
    }
}

fn from_base64<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?.unwrap_or_default();
    STANDARD.decode(text).map_err(serde::de::Error::custom)
}

/// The index that a fence names; `None` if it is not one of ours.
pub(super) fn index(fence: &Fence) -> Option<u64> {
    fence.0.parse().ok().filter(|index| *index > 0)
}

/// The answer to a transaction, carried out (200) or not (409).
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct TxnAnswer {
    /// One per key that was read, put or checked; deletes have none. Null when it failed.
    pub(super) results: Option<Vec<TxnResult>>,
    /// Every operation that failed.
    pub(super) errors: Option<Vec<TxnError>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct TxnResult {
    #[serde(rename = "KV")]
    pub(super) kv: KvPair,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct TxnError {
    pub(super) op_index: usize,
    pub(super) what: String,
}

impl TxnError {
    /// Newer Consuls say more after these words.
    pub(super) fn is_denied(&self) -> bool {
        self.what.contains("Permission denied")
    }
}

impl TxnAnswer {
    /// The keys of the operations that were denied, each once.
    pub(super) fn denied_keys(&self, operations: &[Operation<'_>]) -> Vec<String> {
        self.failed_keys(operations, TxnError::is_denied)
    }

    /// The keys of the operations that failed in this way, each once.
    pub(super) fn failed_keys(
        &self,
        operations: &[Operation<'_>],
        wanted: impl Fn(&TxnError) -> bool,
    ) -> Vec<String> {
        let mut keys = Vec::new();
        for error in self.errors.iter().flatten().filter(|error| wanted(error)) {
            let key = operations.get(error.op_index).map(Operation::key);
            if let Some(key) = key.filter(|key| !keys.iter().any(|known| known == key)) {
                keys.push(key.to_owned());
            }
        }
        keys
    }
}
