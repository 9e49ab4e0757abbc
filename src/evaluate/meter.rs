//! What an evaluation may cost: a rule of a few lines can ask for more than any machine has.
//!
//! Everything that is gone through, compared or made is paid for in bytes before it is, and each
//! step through a list with what its rule weighs. A list may hold the same list twice, and so on, so
//! that it is larger than the memory that it takes; what is paid for is what it is when written out.

use std::sync::atomic::{AtomicUsize, Ordering};

use datalogic_rs::bumpalo::Bump;
use datalogic_rs::{DataValue, Error, Result};

/// What may be paid, in bytes: a list of a thousand compared with a list of a thousand is a third
/// of it.
pub(super) const MAX_COST: usize = 64 << 20;
/// What a value costs that is no text, and every text beside its length.
pub(super) const UNIT: usize = 8;
/// The most memory that an evaluation takes.
const MAX_MEMORY: usize = 256 << 20;
/// The most lists and maps inside each other that a rule may make.
const MAX_DEPTH: usize = 128;

/// An evaluation that ends here.
pub(super) fn refused<T>(why: &str) -> Result<T> {
    Err(Error::custom_message(why))
}

/// What is left to be paid.
#[derive(Debug)]
pub(super) struct Meter(AtomicUsize);

impl Default for Meter {
    fn default() -> Self {
        Self(AtomicUsize::new(MAX_COST))
    }
}

impl Meter {
    /// Begins anew with `cost` bytes to be paid.
    pub(super) fn fill(&self, cost: usize) {
        self.0.store(cost, Ordering::Relaxed);
    }

    /// How many bytes are left.
    pub(super) fn left(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    /// Pays `cost` bytes; an error if they are not left, or if `arena` is too large.
    pub(super) fn pay(&self, cost: usize, arena: &Bump) -> Result<()> {
        let left = self.0.load(Ordering::Relaxed);
        let Some(left) = left.checked_sub(cost) else {
            self.0.store(0, Ordering::Relaxed);
            return refused(TOO_MUCH);
        };
        self.0.store(left, Ordering::Relaxed);
        if arena.allocated_bytes() > MAX_MEMORY {
            return refused(TOO_MUCH);
        }
        Ok(())
    }

    /// Pays for all of these values.
    pub(super) fn pay_all(&self, values: &[&DataValue<'_>], arena: &Bump) -> Result<()> {
        values
            .iter()
            .try_for_each(|value| self.pay_for(value, arena))
    }

    /// Pays for all of a value.
    pub(super) fn pay_for(&self, value: &DataValue<'_>, arena: &Bump) -> Result<()> {
        self.pay_inside(value, arena, MAX_DEPTH)
    }

    /// Pays for a value without what is inside its items.
    pub(super) fn pay_for_top(&self, value: &DataValue<'_>, arena: &Bump) -> Result<()> {
        let cost = match value {
            DataValue::String(text) => text.len(),
            DataValue::Array(items) => items.len().saturating_mul(UNIT),
            _ => 0,
        };
        self.pay(cost.saturating_add(UNIT), arena)
    }

    fn pay_inside(&self, value: &DataValue<'_>, arena: &Bump, depth: usize) -> Result<()> {
        let length = match value {
            DataValue::String(text) => text.len(),
            DataValue::Array(_) | DataValue::Object(_) if depth == 0 => {
                return refused("the rule makes a list that is nested too deeply");
            }
            _ => 0,
        };
        self.pay(UNIT + length, arena)?;
        match value {
            DataValue::Array(items) => {
                (items.iter()).try_for_each(|item| self.pay_inside(item, arena, depth - 1))
            }
            DataValue::Object(fields) => (fields.iter()).try_for_each(|(name, field)| {
                self.pay(name.len(), arena)?;
                self.pay_inside(field, arena, depth - 1)
            }),
            _ => Ok(()),
        }
    }
}

/// Why an evaluation ends that would go on for too long.
pub(crate) const TOO_MUCH: &str =
    "the rule asks for more than 64 MiB of lists and texts, or for as many steps";
