//! Requests to import: which keys become a set, and how.

use std::fmt;

use serde::Serialize;

use crate::model::{Key, Selector, SetName};

/// One key as it lies in a Consul.
#[derive(Clone, PartialEq, Eq)]
pub struct ForeignKey {
    /// Its name, which may break our rules for keys.
    pub key: String,
    /// The number that clients can keep beside the value.
    pub flags: u64,
    /// What applications read.
    pub value: Vec<u8>,
}

/// Values may be secrets and are not shown.
impl fmt::Debug for ForeignKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ForeignKey")
            .field("key", &self.key)
            .field("flags", &self.flags)
            .finish_non_exhaustive()
    }
}

/// What is wanted.
#[derive(Clone, Debug)]
pub struct ImportRequest {
    /// What the set will be named.
    pub name: SetName,
    /// Where its keys lie: `config/checkout`.
    pub prefix: Key,
    /// Which clusters will get it.
    pub clusters: Selector,
    /// How the keys are laid out; `None`: find out.
    pub layout: Option<Layout>,
    /// What becomes of whole documents.
    pub form: Form,
    /// The flags of keys that cfgctl wrote.
    pub mark: u64,
}

/// How applications find their configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layout {
    /// Spring's `YAML`: one document at `<prefix>/data`.
    SpringYaml,
    /// Spring's `PROPERTIES`: one document at `<prefix>/data`.
    SpringProperties,
    /// Spring's `KEY_VALUE`: one key per property.
    SpringKeyValue,
    /// Spring's `FILES` and git2consul: whole files below the prefix, or beside it as
    /// `<prefix>.yml` and `<prefix>-<profile>.yml`.
    Files,
    /// One key per value.
    Keys,
}

impl Layout {
    /// How it is named on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::SpringYaml => "spring-yaml",
            Self::SpringProperties => "spring-properties",
            Self::SpringKeyValue => "spring-key-value",
            Self::Files => "files",
            Self::Keys => "keys",
        }
    }
}

/// What becomes of a document whose bytes we would not write in the same way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// It stays one text, byte for byte.
    Exact,
    /// It becomes values; the text is rewritten, and the application reads the same from it.
    Structured,
}
