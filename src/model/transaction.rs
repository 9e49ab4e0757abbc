//! What happens to several keys at once or not at all, and how much of that fits into a request.

use std::borrow::Cow;

use super::{Fence, Limits, Oversize};

/// What the JSON of one operation takes beside its key and value, rounded up: braces, field
/// names, a 20-digit index and a 20-digit mark.
pub(super) const OPERATION_BYTES: usize = 160;

/// What happens at once or not at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transaction<'a> {
    /// In order; the first one is about the snapshot key.
    pub operations: Vec<Step<'a>>,
}

/// What happens to one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step<'a> {
    /// The key.
    pub key: Cow<'a, str>,
    /// What is done.
    pub act: Act<'a>,
    /// The state that the key must be in.
    pub expected: Expected<'a>,
}

/// What is done to a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act<'a> {
    /// Nothing.
    Check,
    /// It gets this content and our mark.
    Put(Cow<'a, [u8]>),
    /// It is removed. That it is gone already is no failure.
    Delete,
}

/// The state that a key must be in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected<'a> {
    /// It must not exist.
    Absent,
    /// As it was seen.
    At(&'a Fence),
    /// As an earlier transaction of the same write left it.
    Written,
}

impl<'a> Expected<'a> {
    pub(super) fn seen(fence: Option<&'a Fence>) -> Self {
        fence.map_or(Self::Absent, Self::At)
    }
}

impl<'a> Step<'a> {
    pub(super) fn new(key: impl Into<Cow<'a, str>>, act: Act<'a>, expected: Expected<'a>) -> Self {
        let key = key.into();
        Self { key, act, expected }
    }

    fn value(&self) -> &[u8] {
        match &self.act {
            Act::Put(value) => value,
            Act::Check | Act::Delete => &[],
        }
    }

    /// What it takes in Consul's JSON, at the most.
    pub(super) fn request_bytes(&self) -> usize {
        OPERATION_BYTES + escaped_bytes(&self.key) + self.value().len().div_ceil(3) * 4
    }
}

impl Transaction<'_> {
    /// Every limit that it exceeds.
    pub(super) fn oversize(&self, limits: Limits) -> Vec<Oversize> {
        let Limits {
            operations,
            value_bytes,
            request_bytes,
        } = limits;
        let mut found = Vec::new();
        let needed = self.operations.len();
        if needed > operations {
            found.push(Oversize::Operations {
                needed,
                limit: operations,
            });
        }
        let mut bytes = 2;
        for operation in &self.operations {
            let value = operation.value().len();
            if value > value_bytes {
                found.push(Oversize::Value {
                    key: operation.key.clone().into_owned(),
                    bytes: value,
                    limit: value_bytes,
                });
            }
            bytes += operation.request_bytes();
        }
        if bytes > request_bytes {
            found.push(Oversize::Request {
                bytes,
                limit: request_bytes,
            });
        }
        found
    }
}

/// How long a key is in JSON, at the most: some encoders escape more than they must.
pub(super) fn escaped_bytes(key: &str) -> usize {
    key.chars()
        .map(|c| match c {
            '"' | '\\' | '<' | '>' | '&' => 6,
            c => c.len_utf8(),
        })
        .sum()
}
