//! What a schema costs, before it is compiled and before it looks at any value.
//!
//! A schema comes with a pull request, and one of a dozen lines can refer twice to what refers twice
//! to something, thirty times: the crate that checks it has no bound, and would go on for years. So
//! it is counted first how often which part of it will look at which value. Every part that is
//! referred to is counted once for each value, however often it is referred to, so that counting is
//! quick where checking is not.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::compiling::Compiling;
use super::excess::{Excess, MAX_DEPTH, TooMuch, address};
use super::keywords::{Place, REFERENCES, UNEVALUATED, Way, parts};
use super::pattern;
use super::refs::Refs;

/// The most steps that all values of a set may take.
const MAX_STEPS: u64 = 32_000_000;
/// The most parts that are counted, which is what counting itself takes.
const MAX_VISITS: u64 = 4_000_000;
/// What it takes of these to come back to a part that is being counted.
const LOOP_VISITS: u64 = 256;
/// As often as much for all sets together.
const SETS: u64 = 8;
/// The most memory for everything that a schema may find.
const MAX_ERROR_BYTES: u64 = 128 << 20;
/// What one fault takes, without its path.
const ERROR_BYTES: u64 = 1024;
/// The most memory of all patterns, in units of about a hundred bytes.
const MAX_PATTERNS: u64 = 2_000_000;

/// How the faults of a value can be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Faults {
    /// All of them.
    All,
    /// The first one.
    First,
    /// None: they are too many even then.
    Uncounted,
}

/// What is left for the schemas of all sets.
#[derive(Clone, Copy, Debug)]
pub(super) struct Allowance {
    steps: u64,
    visits: u64,
}

impl Default for Allowance {
    fn default() -> Self {
        Self {
            steps: SETS * MAX_STEPS,
            visits: SETS * MAX_VISITS,
        }
    }
}

/// What looking at one value costs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Cost {
    /// Steps until it is known whether it is valid.
    check: u64,
    /// Steps until it is known what inside it was looked at.
    mark: u64,
    /// Steps until all faults are found.
    collect: u64,
    /// How many faults there may be,
    faults: u64,
    /// and the memory for them,
    bytes: u64,
    /// and the memory for the first one.
    first: u64,
}

/// What is looked at.
#[derive(Clone, Copy, Debug)]
enum Instance<'i> {
    Value(&'i Value),
    /// The name of a field.
    Name(&'i str),
}

impl<'i> Instance<'i> {
    /// Nothing else that lives as long is there.
    fn address(self) -> usize {
        match self {
            Self::Value(value) => address(value),
            Self::Name(name) => name.as_ptr().addr(),
        }
    }

    fn text(self) -> Option<&'i str> {
        match self {
            Self::Value(value) => value.as_str(),
            Self::Name(name) => Some(name),
        }
    }

    fn fields(self) -> Option<&'i Map<String, Value>> {
        match self {
            Self::Value(value) => value.as_object(),
            Self::Name(_) => None,
        }
    }

    fn items(self) -> &'i [Value] {
        match self {
            Self::Value(Value::Array(items)) => items,
            _ => &[],
        }
    }
}

/// Counts what one schema costs.
#[derive(Debug)]
pub(super) struct Costs<'s> {
    refs: Refs<'s>,
    steps: u64,
    visits: u64,
    /// What is known of a part that is referred to and a value.
    known: BTreeMap<(usize, usize), Cost>,
    /// The parts and values that are being counted, with how deep inside.
    open: BTreeMap<(usize, usize), usize>,
    weights: BTreeMap<usize, u64>,
    sizes: BTreeMap<&'s str, pattern::Size>,
}

/// How deep inside the counting the outermost part is open that was come back to.
const NO_LOOP: usize = usize::MAX;

impl<'s> Costs<'s> {
    /// Counts what it takes to compile a schema.
    pub(super) fn of(refs: Refs<'s>, left: Allowance) -> Result<Self, TooMuch<'s>> {
        let schema = refs.root();
        let mut costs = Self {
            refs,
            steps: left.steps.min(MAX_STEPS),
            visits: left.visits.min(MAX_VISITS),
            known: BTreeMap::new(),
            open: BTreeMap::new(),
            weights: BTreeMap::new(),
            sizes: BTreeMap::new(),
        };
        costs.patterns(schema, &mut 0)?;
        Compiling::check(&costs.refs)?;
        Ok(costs)
    }

    /// Counts what it takes to look at `values`, which have to stay where they are; says how its
    /// faults can be had then.
    pub(super) fn look_at(&mut self, values: &Value) -> Result<Faults, TooMuch<'s>> {
        let root = self.refs.root();
        self.known.clear();
        let (cost, _) = self.referred(root, Instance::Value(values), 0)?;
        self.steps = self.steps.checked_sub(cost.check).ok_or(TooMuch {
            at: root,
            of: Excess::Steps,
        })?;
        Ok(match cost {
            _ if cost.collect > MAX_STEPS => Faults::Uncounted,
            _ if cost.bytes <= MAX_ERROR_BYTES => Faults::All,
            _ if cost.first <= MAX_ERROR_BYTES => Faults::First,
            _ => Faults::Uncounted,
        })
    }

    /// What is left of `all` after this.
    pub(super) fn leaves(&self, all: Allowance) -> Allowance {
        let spent = |all: u64, most: u64, left: u64| all - all.min(most).saturating_sub(left);
        Allowance {
            steps: spent(all.steps, MAX_STEPS, self.steps),
            visits: spent(all.visits, MAX_VISITS, self.visits),
        }
    }

    fn patterns(&mut self, part: &'s Value, all: &mut u64) -> Result<(), TooMuch<'s>> {
        match part {
            Value::Object(map) => {
                let own = map.get("pattern").and_then(Value::as_str);
                let named = map.get("patternProperties").and_then(Value::as_object);
                let named = named.into_iter().flatten().map(|(name, _)| name.as_str());
                for text in own.into_iter().chain(named) {
                    let size = *self
                        .sizes
                        .entry(text)
                        .or_insert_with(|| pattern::size(text));
                    *all = all.saturating_add(size.memory);
                    // One that is too large alone is refused with its own words.
                    if *all > MAX_PATTERNS && size.memory <= MAX_PATTERNS {
                        return Err(TooMuch {
                            at: part,
                            of: Excess::Patterns,
                        });
                    }
                    *all = (*all).min(MAX_PATTERNS);
                }
                map.values().try_for_each(|value| self.patterns(value, all))
            }
            Value::Array(items) => items.iter().try_for_each(|item| self.patterns(item, all)),
            _ => Ok(()),
        }
    }

    /// The cost of a part that others refer to.
    fn referred(
        &mut self,
        part: &'s Value,
        at: Instance<'_>,
        depth: usize,
    ) -> Result<(Cost, usize), TooMuch<'s>> {
        let key = (address(part), at.address());
        if let Some(known) = self.known.get(&key) {
            return Ok((*known, NO_LOOP));
        }
        if let Some(open) = self.open.get(&key) {
            let too_much = TooMuch {
                at: part,
                of: Excess::Steps,
            };
            // What comes back to itself has to be counted again on each way that leads to it.
            self.visits = self.visits.checked_sub(LOOP_VISITS).ok_or(too_much)?;
            return Ok((UNIT, *open));
        }
        self.open.insert(key, depth);
        let found = self.part(part, at, depth + 1);
        self.open.remove(&key);
        let (cost, outermost) = found?;
        // What a loop was cut from is more where somebody else refers to it.
        let outermost = if outermost >= depth {
            NO_LOOP
        } else {
            outermost
        };
        if outermost == NO_LOOP {
            self.known.insert(key, cost);
        }
        Ok((cost, outermost))
    }

    fn part(
        &mut self,
        part: &'s Value,
        at: Instance<'_>,
        depth: usize,
    ) -> Result<(Cost, usize), TooMuch<'s>> {
        let too_much = |of: Excess| TooMuch { at: part, of };
        self.visits = self.visits.checked_sub(1).ok_or(too_much(Excess::Steps))?;
        if depth > MAX_DEPTH {
            return Err(too_much(Excess::Depth));
        }
        let Value::Object(map) = part else {
            return Ok((UNIT, NO_LOOP));
        };
        let mut sum = Sum {
            cost: self.own(map, at),
            outermost: NO_LOOP,
        };
        // What it takes to count this part, which is less than to look at anything with it.
        let counting = sum.cost.check / 32;
        self.visits = (self.visits.checked_sub(counting)).ok_or(too_much(Excess::Steps))?;
        for (way, name, inner) in parts(map) {
            for at in looked_at(map, way, name, at) {
                let found = self.part(inner, at, depth + 1)?;
                sum.add(way, found, name.length());
            }
        }
        let references = REFERENCES.iter().filter_map(|it| map.get(*it)?.as_str());
        for reference in references {
            let mut most = (Cost::default(), NO_LOOP);
            for target in self.refs.targets(reference) {
                let (cost, outermost) = self.referred(target, at, depth)?;
                most = (most.0.or(cost), most.1.min(outermost));
            }
            sum.add(Way::Then, most, Place::Name(reference).length());
        }
        if UNEVALUATED.iter().any(|it| map.contains_key(*it)) {
            let cost = &mut sum.cost;
            cost.check = cost.check.saturating_add(cost.mark);
            cost.collect = cost.collect.saturating_add(cost.mark.saturating_mul(2));
        }
        if sum.cost.check > MAX_STEPS {
            return Err(too_much(Excess::Steps));
        }
        Ok((sum.cost, sum.outermost))
    }

    /// What the keywords of a part cost that have no parts themselves.
    fn own(&mut self, map: &'s Map<String, Value>, at: Instance<'_>) -> Cost {
        let mut steps = 1 + map.len() as u64;
        let mut bytes = 0_u64;
        if let Some(text) = at.text() {
            let length = text.len() as u64;
            steps = steps.saturating_add(length / 8);
            if let Some(pattern) = map.get("pattern").and_then(Value::as_str) {
                steps = steps.saturating_add(self.matching(pattern, length));
                bytes = bytes.saturating_add(pattern.len() as u64);
            }
            if map.get("format").is_some_and(|format| format == "regex") {
                steps = steps.saturating_add(pattern::size(text).memory.saturating_mul(8));
            }
        }
        for keyword in ["enum", "const"] {
            if let Some(wanted) = map.get(keyword) {
                let weight = self.weight(wanted);
                steps = steps.saturating_add(weight);
                bytes = bytes.saturating_add(weight.saturating_mul(16));
            }
        }
        let mut names = 0_u64;
        if let Some(fields) = at.fields() {
            let inside = |keyword: &str| map.get(keyword).and_then(Value::as_object);
            for keyword in ["properties", "dependentRequired", "dependencies"] {
                let more = inside(keyword).map_or(0, |named| named.values().map(width).sum());
                steps = steps.saturating_add(more);
            }
            steps = steps.saturating_add(map.get("required").map_or(0, width));
            names = fields.len() as u64;
            let patterns = inside("patternProperties").into_iter().flatten();
            for (pattern, _) in patterns {
                for name in fields.keys() {
                    if names > MAX_STEPS {
                        break;
                    }
                    names = names.saturating_add(self.matching(pattern, name.len() as u64));
                }
            }
            let unknown = ["additionalProperties", "unevaluatedProperties"];
            if unknown.iter().any(|keyword| map.contains_key(*keyword)) {
                let names = fields.keys().map(|name| name.len() as u64 + 32);
                bytes = bytes.saturating_add(names.sum());
            }
        }
        let items = at.items();
        names = names.saturating_add(items.len() as u64);
        if map.contains_key("uniqueItems") {
            steps = steps.saturating_add(items.iter().map(width_inside).sum::<u64>());
        }
        // Whoever looks for what nobody looked at matches the names again.
        let steps = steps.saturating_add(names.saturating_mul(2));
        let faults = map.len() as u64;
        let bytes = (faults.saturating_mul(ERROR_BYTES)).saturating_add(bytes);
        Cost {
            check: steps,
            mark: 1 + names,
            collect: steps.saturating_mul(2),
            faults,
            bytes,
            first: bytes,
        }
    }

    /// The steps in which a text of this length is matched.
    fn matching(&mut self, pattern: &'s str, length: u64) -> u64 {
        let size = *(self.sizes.entry(pattern)).or_insert_with(|| pattern::size(pattern));
        (length + 1).saturating_mul(size.places + 4) / 4
    }

    /// How many values there are in a part that is no schema.
    fn weight(&mut self, part: &'s Value) -> u64 {
        *(self.weights.entry(address(part))).or_insert_with(|| width_inside(part))
    }
}

/// A step, with nothing that can be wrong.
const UNIT: Cost = Cost {
    check: 1,
    mark: 1,
    collect: 2,
    faults: 1,
    bytes: ERROR_BYTES,
    first: ERROR_BYTES,
};

/// How many there are in a list.
fn width(value: &Value) -> u64 {
    value.as_array().map_or(1, |list| list.len() as u64)
}

/// How many values there are in a value.
fn width_inside(value: &Value) -> u64 {
    match value {
        Value::Array(items) => 1 + items.iter().map(width_inside).sum::<u64>(),
        Value::Object(map) => 1 + map.values().map(width_inside).sum::<u64>(),
        Value::String(text) => 1 + text.len() as u64 / 16,
        _ => 1,
    }
}

/// What the part of `map` at this place looks at when all of it looks at `at`.
fn looked_at<'i>(
    map: &Map<String, Value>,
    way: Way,
    place: Place<'_>,
    at: Instance<'i>,
) -> Vec<Instance<'i>> {
    let fields = || at.fields().into_iter().flatten();
    match way {
        Way::Definition => Vec::new(),
        Way::All | Way::Any | Way::If | Way::Then | Way::Not => vec![at],
        Way::Field => {
            let field = match place {
                Place::Name(name) => at.fields().and_then(|fields| fields.get(name)),
                Place::Index(_) => None,
            };
            field.map(Instance::Value).into_iter().collect()
        }
        Way::Fields => {
            let known = map.get("properties");
            fields()
                .filter(|(name, _)| known.is_none_or(|known| known.get(name).is_none()))
                .map(|(_, value)| Instance::Value(value))
                .collect()
        }
        Way::Pattern => fields().map(|(_, value)| Instance::Value(value)).collect(),
        Way::Name => fields().map(|(name, _)| Instance::Name(name)).collect(),
        Way::Item => {
            let item = match place {
                Place::Index(index) => at.items().get(index),
                Place::Name(_) => None,
            };
            item.map(Instance::Value).into_iter().collect()
        }
        Way::Items | Way::Contains => at.items().iter().map(Instance::Value).collect(),
        Way::Unevaluated => (fields().map(|(_, value)| value))
            .chain(at.items())
            .map(Instance::Value)
            .collect(),
    }
}

/// The cost of a part, as far as it was counted.
struct Sum {
    cost: Cost,
    /// How deep inside the outermost part is open that was come back to.
    outermost: usize,
}

impl Sum {
    /// Adds what a part inside costs whose name has this many bytes.
    fn add(&mut self, way: Way, (inner, outermost): (Cost, usize), name: u64) {
        self.outermost = self.outermost.min(outermost);
        let cost = &mut self.cost;
        // The crate may look whether something is valid first, and for faults then.
        cost.check = cost.check.saturating_add(inner.check);
        cost.collect = (cost.collect)
            .saturating_add(inner.check)
            .saturating_add(inner.collect);
        let marked = match way {
            Way::All | Way::Any | Way::If => inner.check.saturating_add(inner.mark),
            Way::Then => inner.mark,
            Way::Contains | Way::Unevaluated => inner.check,
            _ => 0,
        };
        cost.mark = cost.mark.saturating_add(marked);
        cost.faults = cost.faults.saturating_add(inner.faults);
        let bytes = (inner.bytes).saturating_add(inner.faults.saturating_mul(name * 2));
        cost.bytes = cost.bytes.saturating_add(bytes);
        cost.first = match way {
            // What stands against each of them is kept.
            Way::Any => cost.first.saturating_add(bytes),
            _ => cost.first.max(inner.first.saturating_add(name * 2)),
        };
    }
}

impl Cost {
    fn or(self, other: Self) -> Self {
        Self {
            check: self.check.max(other.check),
            mark: self.mark.max(other.mark),
            collect: self.collect.max(other.collect),
            faults: self.faults.max(other.faults),
            bytes: self.bytes.max(other.bytes),
            first: self.first.max(other.first),
        }
    }
}
