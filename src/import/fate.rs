//! Fate of every key, and why there may be no set.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::request::Layout;
use crate::model::Key;

/// The most keys that are looked at; one set can hold far fewer.
pub(super) const MAX_KEYS: usize = 100_000;

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
