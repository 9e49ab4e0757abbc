//! The part of a schema at which there is too much.

use serde_json::Value;

/// The most parts that look into each other: definitions that refer to each other, and values
/// inside values.
pub(super) const MAX_DEPTH: usize = 300;

/// The part of a schema at which more was counted than there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooMuch<'s> {
    /// That part.
    pub(super) at: &'s Value,
    /// Of what.
    pub(super) of: Excess,
}

/// What there is too much of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Excess {
    /// Steps, or parts that look at values.
    Steps,
    /// Parts that have to be compiled.
    Parts,
    /// Memory for patterns.
    Patterns,
    /// Parts that look into each other.
    Depth,
}

/// What tells one part from every other.
pub(super) fn address(value: &Value) -> usize {
    std::ptr::from_ref(value).addr()
}
