//! Pure: keys that others wrote become a set which publishes the same bytes.
//!
//! Nothing is believed here: what was made is written as a manifest, read back, rendered and
//! compared with the original, key by key. A key that would change is left out and named.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use crate::manifest::Manifest;
use crate::model::{Key, Selector, SetName, SpringFormat};

mod draft;
mod export;
mod notes;
mod properties;
mod screen;
mod structured;
mod tree;
mod verify;

pub use export::{ExportError, MAX_EXPORT_BYTES, read_export};
pub use screen::is_beside;

use draft::Draft;
use screen::Scope;

/// The most keys that are looked at; one set can hold far fewer.
const MAX_KEYS: usize = 100_000;

/// One key as it lies in a Consul.
#[derive(Clone, PartialEq, Eq)]
pub struct Pair {
    /// Its name, which may break our rules for keys.
    pub key: String,
    /// The number that clients can keep beside the value.
    pub flags: u64,
    /// What applications read.
    pub value: Vec<u8>,
}

/// Values may be secrets and are not shown.
impl fmt::Debug for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pair")
            .field("key", &self.key)
            .field("flags", &self.flags)
            .finish_non_exhaustive()
    }
}

/// What is wanted.
#[derive(Clone, Debug)]
pub struct Request {
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

/// What was made of the keys.
#[derive(Clone, Debug)]
pub struct Imported {
    /// The manifest, as its text reads.
    pub manifest: Manifest,
    /// The manifest in YAML.
    pub text: String,
    /// How the keys are laid out.
    pub layout: Layout,
    /// What becomes of each key that was looked at.
    pub keys: BTreeMap<String, Fate>,
    /// What a person should know, each a sentence without a period, and without values.
    pub notes: Vec<String>,
}

/// What becomes of one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// `apply --adopt` leaves its bytes as they are.
    SameBytes,
    /// The application reads the same values from it; the text is rewritten.
    SameValues,
    /// It stays as it is, and no application misses it in the set.
    Ignored(&'static str),
    /// It stays as it is, and the set does not have it.
    Refused(String),
}

/// Why there is no set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// There is nothing to import.
    #[error("there are no keys below `{prefix}/`")]
    Nothing {
        /// Where was looked.
        prefix: Key,
    },
    /// There is no document where the layout has one.
    #[error("there is no key `{key}`, which the layout `{}` is about", .layout.name())]
    NoDocument {
        /// Where it was looked for.
        key: String,
        /// The layout that was asked for.
        layout: Layout,
    },
    /// Values of a document were asked for with a layout that has none.
    #[error("the layout `{}` has no document that could be structured", .layout.name())]
    NotStructured {
        /// The layout that was asked for.
        layout: Layout,
        /// The layout that has one here.
        instead: Option<Layout>,
    },
    /// Values of a document were asked for, and none is there.
    #[error("there is no document at `{key}` that could be structured")]
    NothingToStructure {
        /// Where it was looked for.
        key: String,
        /// A prefix that has one.
        elsewhere: Option<Key>,
    },
    /// No values can be made of the document.
    #[error("no values can be made of `{key}`: {reason}")]
    NoValues {
        /// Where it lies.
        key: String,
        /// A clause that repeats nothing of it.
        reason: String,
        /// What helps.
        remedy: Remedy,
    },
    /// None of the keys can be imported.
    #[error("none of the {} keys below `{prefix}/` can be imported", .keys.len())]
    Refused {
        /// Where was looked.
        prefix: Key,
        /// What stands against each.
        keys: BTreeMap<String, Fate>,
    },
    /// More keys than are looked at.
    #[error("there are {found} keys below `{prefix}/`, and no set can hold more than {MAX_KEYS}")]
    TooMany {
        /// Where was looked.
        prefix: Key,
        /// How many there are.
        found: usize,
    },
    /// The manifest would not be read; nothing of it is repeated.
    #[error("the manifest would not be read back: {}", .codes.join(", "))]
    Unreadable {
        /// The codes of the findings.
        codes: Vec<Cow<'static, str>>,
    },
    /// The set would publish something else than was there: a bug.
    #[error("the set would not publish what is there: {reason}")]
    Unlike {
        /// What is wrong.
        reason: String,
    },
}

/// What helps if no values can be made of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// It looks like the document of this layout.
    Layout(Layout),
    /// It can be kept as one text.
    KeepText,
    /// It can be neither: its bytes are no text that a manifest holds.
    Encode,
}

/// Makes a set of the keys below a prefix. Keys elsewhere are not touched; those right beside the
/// prefix may be files of the same application.
pub fn import(pairs: &[Pair], request: &Request) -> Result<Imported, ImportError> {
    let scope = Scope::new(pairs, request);
    if scope.below.len() + scope.beside.len() > MAX_KEYS {
        return Err(ImportError::TooMany {
            prefix: request.prefix.clone(),
            found: scope.below.len() + scope.beside.len(),
        });
    }
    if scope.is_empty(request.layout) {
        let prefix = request.prefix.clone();
        return Err(ImportError::Nothing { prefix });
    }
    let (layout, verified) = match (request.form, request.layout) {
        (Form::Structured, _) => structured::values(&scope, request)?,
        (Form::Exact, Some(layout)) => (layout, of_layout(&scope, request, layout)?),
        (Form::Exact, None) => found_out(&scope, request)?,
    };
    let verify::Verified {
        manifest,
        text,
        keys,
        kept,
    } = verified;
    let mut notes = notes::notes(&scope, request, layout, &manifest, &keys);
    notes.extend(kept);
    Ok(Imported {
        manifest,
        text,
        layout,
        keys,
        notes,
    })
}

/// The keys as a layout has them, byte for byte.
fn of_layout(
    scope: &Scope<'_>,
    request: &Request,
    layout: Layout,
) -> Result<verify::Verified, ImportError> {
    let make = |draft: Draft| verify::verified(scope, request, draft);
    let format = match layout {
        Layout::SpringYaml => SpringFormat::Yaml,
        Layout::SpringProperties => SpringFormat::Properties,
        Layout::SpringKeyValue => return make(Draft::KeyValue),
        Layout::Files => return make(Draft::Files),
        Layout::Keys => return make(Draft::Keys),
    };
    let Some(document) = scope.document() else {
        let key = scope.document_key();
        return Err(ImportError::NoDocument { key, layout });
    };
    // Other keys would have no place in a set that publishes the document.
    let alone = scope.others_than(document).next().is_none();
    let structured = make(Draft::Document(format));
    if let Ok(verified) = &structured
        && verified.is_exact()
    {
        return structured;
    }
    let mut whole = make(Draft::Texts)?;
    whole.kept = Some(notes::kept(&document.key, structured.as_ref(), alone));
    Ok(whole)
}

/// The keys as the layout that they most likely have.
fn found_out(
    scope: &Scope<'_>,
    request: &Request,
) -> Result<(Layout, verify::Verified), ImportError> {
    let layout = scope.likely_layout();
    if layout != Layout::SpringKeyValue {
        return of_layout(scope, request, layout).map(|verified| (layout, verified));
    }
    let properties = of_layout(scope, request, layout);
    let refused = |verified: &Result<verify::Verified, ImportError>| match verified {
        Ok(verified) => verified.refused(),
        Err(_) => usize::MAX,
    };
    if refused(&properties) == 0 {
        return properties.map(|verified| (layout, verified));
    }
    // What has no place among properties may have one among plain keys.
    let plain = of_layout(scope, request, Layout::Keys);
    if refused(&plain) < refused(&properties) {
        plain.map(|verified| (Layout::Keys, verified))
    } else {
        properties.map(|verified| (layout, verified))
    }
}

#[cfg(test)]
mod tests;
