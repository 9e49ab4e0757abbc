//! The operators whose answers are flagd's and not the engine's.

use std::cmp::Ordering;
use std::sync::Arc;

use datalogic_rs::bumpalo::Bump;
use datalogic_rs::operator::EvalContext;
use datalogic_rs::{
    ArenaExt as _, CustomOperator, DataValue, DivisionByZeroHandling, Engine, EvaluationConfig,
    Result,
};

use super::javascript::{is_truthy, loosely_equal, number, ordering, text};
use super::meter::{Meter, refused};
use super::rule::OURS;
use super::{bucketing, version};

/// The engine with all of them, for one evaluation, which ends when `meter` is used up.
pub(super) fn engine(meter: &Arc<Meter>) -> Engine {
    let config =
        EvaluationConfig::default().with_division_by_zero(DivisionByZeroHandling::ThrowError);
    let comparisons: [(&str, Comparison); 6] = [
        ("==", loosely_equal),
        ("!=", |a, b| !loosely_equal(a, b)),
        ("<", |a, b| ordering(a, b).is_some_and(Ordering::is_lt)),
        ("<=", |a, b| ordering(a, b).is_some_and(Ordering::is_le)),
        (">", |a, b| ordering(a, b).is_some_and(Ordering::is_gt)),
        (">=", |a, b| ordering(a, b).is_some_and(Ordering::is_ge)),
    ];
    let plain: [(&str, PlainOperator); 7] = [
        ("paid", |operands, arena| Ok(same(operands, arena))),
        ("array", |operands, arena| Ok(array(operands, arena))),
        ("cat", |operands, arena| Ok(cat(operands, arena))),
        ("merge", |operands, arena| Ok(merge(operands, arena))),
        ("substr", substr),
        ("min", |operands, arena| {
            extreme(operands, arena, Ordering::Less)
        }),
        ("max", |operands, arena| {
            extreme(operands, arena, Ordering::Greater)
        }),
    ];
    let metered: [(&str, MeteredOperator); 3] = [("in", contains), ("list", list), ("step", step)];
    let flagds: [(&str, FlagdOperator); 4] = [
        ("starts_with", |operands, _, arena| {
            affix(operands, arena, |text, part| text.starts_with(part))
        }),
        ("ends_with", |operands, _, arena| {
            affix(operands, arena, |text, part| text.ends_with(part))
        }),
        ("sem_ver", sem_ver),
        ("fractional", |operands, root, arena| {
            arena.alloc(bucketing::variant(operands, root))
        }),
    ];
    let mut engine = Engine::builder().with_config(config);
    for (name, holds) in comparisons {
        engine = engine.add_operator(format!("{OURS}{name}"), Compare(holds, Arc::clone(meter)));
    }
    for (name, answer) in plain {
        engine = engine.add_operator(format!("{OURS}{name}"), Plain(answer, Arc::clone(meter)));
    }
    for (name, answer) in metered {
        engine = engine.add_operator(format!("{OURS}{name}"), Metered(answer, Arc::clone(meter)));
    }
    for (name, answer) in flagds {
        engine = engine.add_operator(name, Flagd(answer, Arc::clone(meter)));
    }
    engine.build()
}

/// What one of the operators is given, and what it answers.
type Operands<'o, 'a> = &'o [&'a DataValue<'a>];
type Answer<'a> = Result<&'a DataValue<'a>>;
/// Whether the first of two values stands to the second as it should.
type Comparison = fn(&DataValue<'_>, &DataValue<'_>) -> bool;
type PlainOperator = for<'o, 'a> fn(Operands<'o, 'a>, &'a Bump) -> Answer<'a>;
type MeteredOperator = for<'o, 'a> fn(Operands<'o, 'a>, &'a Bump, &Meter) -> Answer<'a>;
type FlagdOperator =
    for<'o, 'a> fn(Operands<'o, 'a>, &'a DataValue<'a>, &'a Bump) -> &'a DataValue<'a>;

/// An operator that looks at nothing but its operands, and pays for all of them.
struct Plain(PlainOperator, Arc<Meter>);

impl CustomOperator for Plain {
    fn evaluate<'a>(
        &self,
        operands: &[&'a DataValue<'a>],
        _: &mut EvalContext<'_, 'a>,
        arena: &'a Bump,
    ) -> Answer<'a> {
        self.1.pay_all(operands, arena)?;
        self.0(operands, arena)
    }
}

/// An operator that says itself what it pays for.
struct Metered(MeteredOperator, Arc<Meter>);

impl CustomOperator for Metered {
    fn evaluate<'a>(
        &self,
        operands: &[&'a DataValue<'a>],
        _: &mut EvalContext<'_, 'a>,
        arena: &'a Bump,
    ) -> Answer<'a> {
        self.0(operands, arena, &self.1)
    }
}

/// One of flagd's own operators, which also looks at the whole context.
struct Flagd(FlagdOperator, Arc<Meter>);

impl CustomOperator for Flagd {
    fn evaluate<'a>(
        &self,
        operands: &[&'a DataValue<'a>],
        context: &mut EvalContext<'_, 'a>,
        arena: &'a Bump,
    ) -> Answer<'a> {
        // Inside `map` and the like the context is one item, which does not have what they need.
        if context.depth() > 0 {
            return refused("flagd's own operators do not work on the items of a list");
        }
        self.1.pay_all(operands, arena)?;
        Ok(self.0(operands, context.root_input(), arena))
    }
}

/// A comparison of neighbours. Its first operand says of each that follows the second whether it
/// is a plain `var`.
struct Compare(Comparison, Arc<Meter>);

impl CustomOperator for Compare {
    fn evaluate<'a>(
        &self,
        operands: &[&'a DataValue<'a>],
        _: &mut EvalContext<'_, 'a>,
        arena: &'a Bump,
    ) -> Answer<'a> {
        let [DataValue::Array(plain_vars), first, rest @ ..] = operands else {
            return refused("nothing to compare");
        };
        self.1.pay_all(operands, arena)?;
        let mut before = **first;
        for (operand, is_plain_var) in rest.iter().zip(*plain_vars) {
            let is_plain_var = is_plain_var.as_bool() == Some(true);
            let judged = if is_plain_var { **operand } else { before };
            let operand = comparable(operand, &judged)?;
            if !self.0(&before, &operand) {
                return Ok(arena.bool(false));
            }
            before = operand;
        }
        Ok(arena.bool(true))
    }
}

/// `operand` as it is compared with what is `before` it; refused if that makes no sense.
fn comparable<'a>(operand: &DataValue<'a>, before: &DataValue<'_>) -> Result<DataValue<'a>> {
    use DataValue::{Array, Null, Object, String};
    match (before, operand) {
        (Null | String(_), Null | String(_)) => return Ok(*operand),
        (_, Array(_) | Object(_)) | (Array(_) | Object(_), _) => {
            return refused("a list or map cannot be compared");
        }
        (before, operand) if number(operand).is_nan() && *before != Null => {
            return refused("a text that is no number cannot be compared with a number");
        }
        (before, _) if number(before).is_nan() => {
            return refused("a text that is no number cannot be compared with a number");
        }
        _ => {}
    }
    Ok(match (before, operand) {
        (Null, operand) if !is_truthy(operand) => Null,
        (before, Null) if !is_truthy(before) => DataValue::from_i64(0),
        _ => *operand,
    })
}

/// Whether a list has an item, or a text a part.
fn contains<'a>(operands: Operands<'_, 'a>, arena: &'a Bump, meter: &Meter) -> Answer<'a> {
    let [item, container, ..] = operands else {
        return refused("`in` takes two operands");
    };
    meter.pay_for(item, arena)?;
    meter.pay_for_top(container, arena)?;
    Ok(arena.bool(match container {
        container if !is_truthy(container) => false,
        DataValue::String(whole) => whole.contains(&text(item)),
        DataValue::Array(items) => items.iter().any(|found| is_same(item, found)),
        _ => return refused("`in` looks into a list or a text"),
    }))
}

/// Whether two values are the same; lists and maps never are.
fn is_same(a: &DataValue<'_>, b: &DataValue<'_>) -> bool {
    use DataValue::{Bool, Null, Number, String};
    match (a, b) {
        (Null, Null) => true,
        (Bool(a), Bool(b)) => a == b,
        (String(a), String(b)) => a == b,
        #[expect(clippy::float_cmp, reason = "the same is the same")]
        (Number(a), Number(b)) => a.as_f64() == b.as_f64(),
        _ => false,
    }
}

fn cat<'a>(operands: Operands<'_, 'a>, arena: &'a Bump) -> &'a DataValue<'a> {
    let texts: String = operands.iter().map(|operand| text(operand)).collect();
    arena.string(&texts)
}

fn merge<'a>(operands: Operands<'_, 'a>, arena: &'a Bump) -> &'a DataValue<'a> {
    let items: Vec<DataValue<'a>> = (operands.iter())
        .flat_map(|operand| operand.as_array().unwrap_or(std::slice::from_ref(*operand)))
        .copied()
        .collect();
    arena.array(&items)
}

/// A part of a text, counted in units of UTF-16, from the end where a number is negative.
fn substr<'a>(operands: Operands<'_, 'a>, arena: &'a Bump) -> Answer<'a> {
    let [DataValue::String(whole), from, rest @ ..] = operands else {
        return refused("`substr` takes a text");
    };
    let units: Vec<u16> = whole.encode_utf16().collect();
    let length = f64_of(units.len());
    let from = number(from).trunc();
    let from = if from < 0.0 { length + from } else { from };
    let from = index(from).min(units.len());
    let after = &units[from..];
    let count = match rest.first().map(|end| number(end).trunc()) {
        None => after.len(),
        Some(end) if end < 0.0 => index(f64_of(after.len()) + end),
        Some(end) => index(end),
    };
    let part = String::from_utf16_lossy(&after[..count.min(after.len())]);
    Ok(arena.string(&part))
}

#[expect(clippy::cast_precision_loss, reason = "no context is that long")]
fn f64_of(length: usize) -> f64 {
    length as f64
}

/// The nearest index that there can be.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "what is too small becomes 0, what is too large the largest, and no number 0"
)]
fn index(number: f64) -> usize {
    number as usize
}

/// The least or the greatest number.
fn extreme<'a>(operands: Operands<'_, 'a>, arena: &'a Bump, wanted: Ordering) -> Answer<'a> {
    let mut found: Option<f64> = None;
    for operand in operands {
        let DataValue::Number(number) = operand else {
            return refused("`min` and `max` take numbers");
        };
        let number = number.as_f64();
        if found.is_none_or(|found| number.partial_cmp(&found) == Some(wanted)) {
            found = Some(number);
        }
    }
    match found {
        Some(found) => Ok(arena.f64(found)),
        None => refused("`min` and `max` take numbers"),
    }
}

/// A list to go through: what is missing or false is an empty one.
fn list<'a>(operands: Operands<'_, 'a>, arena: &'a Bump, _: &Meter) -> Answer<'a> {
    match operands {
        [list @ DataValue::Array(_)] => Ok(list),
        [other] if !is_truthy(other) => Ok(arena.array(&[])),
        _ => refused("only a list can be gone through"),
    }
}

/// The outcome of one step through a list: the first operand says what the rule of it costs.
fn step<'a>(operands: Operands<'_, 'a>, arena: &'a Bump, meter: &Meter) -> Answer<'a> {
    let [cost, outcome] = operands else {
        return refused("nothing to do in a step");
    };
    meter.pay(index(number(cost)), arena)?;
    meter.pay_for(outcome, arena)?;
    Ok(outcome)
}

/// What was paid for, as it is.
fn same<'a>(operands: Operands<'_, 'a>, arena: &'a Bump) -> &'a DataValue<'a> {
    operands.first().copied().unwrap_or_else(|| arena.null())
}

/// The list of all operands.
fn array<'a>(operands: Operands<'_, 'a>, arena: &'a Bump) -> &'a DataValue<'a> {
    let items: Vec<DataValue<'a>> = operands.iter().map(|operand| **operand).collect();
    arena.array(&items)
}

/// Null unless both are texts.
fn affix<'a>(
    operands: Operands<'_, 'a>,
    arena: &'a Bump,
    has: fn(&str, &str) -> bool,
) -> &'a DataValue<'a> {
    match operands {
        [DataValue::String(text), DataValue::String(part)] => arena.bool(has(text, part)),
        _ => arena.null(),
    }
}

fn sem_ver<'a>(
    operands: Operands<'_, 'a>,
    _: &'a DataValue<'a>,
    arena: &'a Bump,
) -> &'a DataValue<'a> {
    let found = match operands {
        [a, operator, b] => version::compare(&text(a), &text(operator), &text(b)),
        _ => None,
    };
    found.map_or_else(|| arena.null(), |found| arena.bool(found))
}
