//! What it takes to compile a schema: most parts once, but those that `unevaluatedProperties` and
//! `unevaluatedItems` have to follow once more for each way that leads to them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::excess::{Excess, MAX_DEPTH, TooMuch, address};
use super::keywords::{REFERENCES, UNEVALUATED, Way, parts};
use super::refs::Refs;

/// The most parts that are compiled, in units of about a kilobyte.
const MAX_PARTS: u64 = 400_000;

/// Counts the parts that are compiled.
#[derive(Debug)]
pub(super) struct Compiling<'r, 's> {
    refs: &'r Refs<'s>,
    /// The parts that are referred to, and were not counted yet.
    waiting: Vec<&'s Value>,
    counted: BTreeSet<usize>,
    parts: BTreeMap<usize, u64>,
    followed: BTreeMap<usize, u64>,
    open: BTreeSet<usize>,
}

impl<'r, 's> Compiling<'r, 's> {
    /// An error if `refs` has more parts than are compiled.
    pub(super) fn check(refs: &'r Refs<'s>) -> Result<(), TooMuch<'s>> {
        let mut compiling = Self {
            refs,
            waiting: vec![refs.root()],
            counted: BTreeSet::new(),
            parts: BTreeMap::new(),
            followed: BTreeMap::new(),
            open: BTreeSet::new(),
        };
        let mut all = 0_u64;
        while let Some(part) = compiling.waiting.pop() {
            if compiling.counted.insert(address(part)) {
                all = all.saturating_add(compiling.part(part, 0)?);
                enough(part, all)?;
            }
        }
        Ok(())
    }

    /// How many parts are compiled for `part`, itself included.
    fn part(&mut self, part: &'s Value, depth: usize) -> Result<u64, TooMuch<'s>> {
        if let Some(known) = self.parts.get(&address(part)) {
            return Ok(*known);
        }
        let Value::Object(map) = part else {
            return Ok(1);
        };
        if !self.open.insert(address(part)) {
            return Ok(1);
        }
        deep_enough(part, depth)?;
        let mut all = 1_u64;
        for (.., inner) in parts(map) {
            all = all.saturating_add(self.part(inner, depth + 1)?);
        }
        for target in self.targets(map) {
            if self.refs.are_nested() {
                all = all.saturating_add(self.part(target, depth + 1)?);
            }
            self.waiting.push(target);
        }
        self.open.remove(&address(part));
        for _ in UNEVALUATED.iter().filter(|it| map.contains_key(**it)) {
            all = all.saturating_add(self.following(part, &mut BTreeSet::new(), depth)?);
        }
        self.parts.insert(address(part), all);
        enough(part, all)?;
        Ok(all)
    }

    /// How many parts are compiled to know what `part` looks at inside a value.
    fn following(
        &mut self,
        part: &'s Value,
        open: &mut BTreeSet<usize>,
        depth: usize,
    ) -> Result<u64, TooMuch<'s>> {
        let Value::Object(map) = part else {
            return Ok(1);
        };
        if let Some(known) = self.followed.get(&address(part)) {
            return Ok(*known);
        }
        if !open.insert(address(part)) {
            return Ok(1);
        }
        deep_enough(part, depth)?;
        let mut all = 1_u64;
        for (way, _, inner) in parts(map) {
            if !matches!(way, Way::Definition | Way::Not | Way::Field | Way::Name) {
                all = all.saturating_add(self.part(inner, depth + 1)?);
            }
            if way.is_in_place() {
                all = all.saturating_add(self.following(inner, open, depth + 1)?);
            }
        }
        for target in self.targets(map) {
            all = all.saturating_add(self.following(target, open, depth + 1)?);
        }
        open.remove(&address(part));
        self.followed.insert(address(part), all);
        enough(part, all)?;
        Ok(all)
    }

    fn targets(&self, map: &serde_json::Map<String, Value>) -> Vec<&'s Value> {
        let references = REFERENCES.iter().filter_map(|it| map.get(*it)?.as_str());
        let targets = references.flat_map(|reference| self.refs.targets(reference));
        targets.collect()
    }
}

fn enough(at: &Value, parts: u64) -> Result<(), TooMuch<'_>> {
    if parts > MAX_PARTS {
        let of = Excess::Parts;
        return Err(TooMuch { at, of });
    }
    Ok(())
}

/// References may follow each other without end where nothing comes back.
fn deep_enough(at: &Value, depth: usize) -> Result<(), TooMuch<'_>> {
    if depth > MAX_DEPTH {
        let of = Excess::Depth;
        return Err(TooMuch { at, of });
    }
    Ok(())
}
