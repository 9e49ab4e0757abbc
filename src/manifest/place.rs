//! Where in a file each part of a manifest stands.

use super::Span;

/// Where one value of a manifest stands, and everything inside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpanTree {
    /// The key that the value belongs to; the value itself where there is no key.
    pub key: Span,
    /// The value.
    pub value: Span,
    inside: Inside,
}

/// What is inside, sorted: by key for a map, by index (`"0"`, `"1"` …) for a list. There is one for
/// every map of every file, so it takes no more room than it needs.
type Inside = Box<[(String, SpanTree)]>;

impl SpanTree {
    /// A value that stands at `value`, with what is inside.
    pub(super) fn new(
        key: Span,
        value: Span,
        inside: impl IntoIterator<Item = (String, Self)>,
    ) -> Self {
        let mut inside: Inside = inside.into_iter().collect();
        inside.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        Self { key, value, inside }
    }

    /// Where what is directly inside stands, in any order.
    #[cfg(test)]
    pub(crate) fn inside_mut(&mut self) -> impl Iterator<Item = (&str, &mut Self)> {
        let inside = self.inside.iter_mut();
        inside.map(|(name, places)| (name.as_str(), places))
    }

    /// The same without anything inside.
    #[cfg(test)]
    pub(crate) fn forget_inside(&mut self) {
        self.inside = Box::default();
    }

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
            let found = place
                .inside
                .binary_search_by(|(name, _)| name.as_str().cmp(segment));
            match found.ok().and_then(|index| place.inside.get(index)) {
                Some((_, inner)) => place = inner,
                None => break,
            }
        }
        place
    }
}
