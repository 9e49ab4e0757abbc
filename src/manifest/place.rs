//! Where in a file each part of a manifest stands.

use std::collections::BTreeMap;

use super::Span;

/// Where one value of a manifest stands, and everything inside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    /// The key that the value belongs to; the value itself where there is no key.
    pub key: Span,
    /// The value.
    pub value: Span,
    /// What is inside: by key for a map, by index (`"0"`, `"1"` …) for a list.
    pub inside: BTreeMap<String, Places>,
}

impl Places {
    /// Where the value at `path` stands, or the innermost value around it that is written down.
    pub fn value<'a>(&self, path: impl IntoIterator<Item = &'a str>) -> Span {
        self.innermost(path).value
    }

    /// Where the key of the value at `path` stands, or that of the innermost value around it.
    pub fn key<'a>(&self, path: impl IntoIterator<Item = &'a str>) -> Span {
        self.innermost(path).key
    }

    fn innermost<'a>(&self, path: impl IntoIterator<Item = &'a str>) -> &Self {
        let mut place = self;
        for segment in path {
            match place.inside.get(segment) {
                Some(inner) => place = inner,
                None => break,
            }
        }
        place
    }
}
