//! How large a pattern of a schema is once its repetitions are written out.

use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, Hir, HirKind};

/// Deeper patterns are refused by whoever compiles them.
const MAX_DEPTH: u32 = 100;
/// What a character of a pattern counts that only the schema crate can read.
const UNREAD: u64 = 64;

/// The size of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Size {
    /// The places in it that a text may be at; with each character of a text all may have to be
    /// looked at.
    pub(super) places: u64,
    /// What the places take of memory, in units of about a hundred bytes.
    pub(super) memory: u64,
}

/// The size of `pattern`.
pub(super) fn size(pattern: &str) -> Size {
    let parsed = ParserBuilder::new()
        .nest_limit(MAX_DEPTH)
        .build()
        .parse(pattern);
    parsed.map_or_else(
        |_| {
            let all = UNREAD.saturating_mul(pattern.len() as u64);
            Size {
                places: all,
                memory: all,
            }
        },
        |hir| of(&hir),
    )
}

fn of(hir: &Hir) -> Size {
    let times = |size: Size, times: u64| Size {
        places: size.places.saturating_mul(times),
        memory: size.memory.saturating_mul(times),
    };
    let sum = |parts: &[Hir]| {
        parts.iter().map(of).fold(
            Size {
                places: 1,
                memory: 1,
            },
            |all, part| Size {
                places: all.places.saturating_add(part.places),
                memory: all.memory.saturating_add(part.memory),
            },
        )
    };
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => Size {
            places: 1,
            memory: 1,
        },
        HirKind::Literal(literal) => {
            let length = literal.0.len() as u64;
            Size {
                places: length,
                memory: length,
            }
        }
        HirKind::Class(class) => {
            let ranges = match class {
                Class::Unicode(class) => class.ranges().len(),
                Class::Bytes(class) => class.ranges().len(),
            };
            Size {
                places: 1,
                memory: 1 + ranges as u64 / 4,
            }
        }
        HirKind::Repetition(repetition) => {
            let most = repetition.max.unwrap_or(repetition.min.saturating_add(1));
            times(of(&repetition.sub), u64::from(most.max(1)))
        }
        HirKind::Capture(capture) => of(&capture.sub),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => sum(parts),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repetitions_count_as_often_as_they_may_be() {
        assert_eq!(size("abc").places, 3);
        assert_eq!(size("[a-z]{1,63}").places, 63);
        assert_eq!(size("(ab){2,10}").places, 20);
        assert!(size("((a{1,1000}){1,1000}){1,1000}").places >= 1_000_000_000);
        assert!(size(r"\p{L}").memory > 100);
        // What is read in JavaScript's way only.
        assert_eq!(size(r"\cA").places, 3 * UNREAD);
    }
}
