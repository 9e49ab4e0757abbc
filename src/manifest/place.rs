//! Where in a file each part of a manifest stands.

use super::{SourceId, Span};

/// Where one value of a manifest stands, and everything inside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpanTree {
    /// The key that the value belongs to; the value itself where there is no key.
    key: Packed,
    value: Packed,
    inside: Inside,
}

/// A span in half the room: there are two for every value of every file, and no file is so long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Packed {
    source: SourceId,
    line: u32,
    column: u32,
    start: u32,
    end: u32,
}

impl From<Span> for Packed {
    fn from(span: Span) -> Self {
        let packed = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        Self {
            source: span.source,
            line: packed(span.line),
            column: packed(span.column),
            start: packed(span.start),
            end: packed(span.end),
        }
    }
}

impl From<Packed> for Span {
    fn from(packed: Packed) -> Self {
        let number = |packed: u32| usize::try_from(packed).unwrap_or(usize::MAX);
        Self {
            source: packed.source,
            line: number(packed.line),
            column: number(packed.column),
            start: number(packed.start),
            end: number(packed.end),
        }
    }
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
        Self {
            key: key.into(),
            value: value.into(),
            inside,
        }
    }

    /// Where what is directly inside stands, in any order.
    #[cfg(test)]
    pub(crate) fn inside_mut(&mut self) -> impl Iterator<Item = (&str, &mut Self)> {
        let inside = self.inside.iter_mut();
        inside.map(|(name, places)| (name.as_str(), places))
    }

    /// The same, and all that is inside, this many lines further up.
    #[cfg(test)]
    pub(crate) fn move_up(&mut self, lines: usize) {
        let up = u32::try_from(lines).unwrap();
        for span in [&mut self.key, &mut self.value] {
            span.line = span.line.saturating_sub(up);
        }
        for (_, inner) in self.inside_mut() {
            inner.move_up(lines);
        }
    }

    /// The same without anything inside.
    #[cfg(test)]
    pub(crate) fn forget_inside(&mut self) {
        self.inside = Box::default();
    }

    /// Where the value itself stands, with all that is inside.
    pub fn whole(&self) -> Span {
        self.value.into()
    }

    /// Where the value at `path` stands, or the innermost value around it that is written down.
    pub fn value<'a>(&self, path: impl IntoIterator<Item = &'a str>) -> Span {
        self.innermost(path).value.into()
    }

    /// Where the key of the value at `path` stands, or that of the innermost value around it.
    pub fn key<'a>(&self, path: impl IntoIterator<Item = &'a str>) -> Span {
        self.innermost(path).key.into()
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
