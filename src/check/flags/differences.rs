//! Rules that flagd and the libraries that evaluate for it answer differently.

use serde_json::Value;

use super::targeting::Targeting;

/// Whether one number stands to another as an operator says.
type Holds = fn(f64, f64) -> bool;

/// The comparisons of numbers.
const ORDERS: &[(&str, Holds)] = &[
    ("<", |a, b| a < b),
    ("<=", |a, b| a <= b),
    (">", |a, b| a > b),
    (">=", |a, b| a >= b),
];

impl Targeting<'_> {
    /// Warns where the answer depends on who evaluates `operator`.
    pub(super) fn differences(&mut self, operator: &str, operands: &[Value]) {
        let (message, help) = match (operator, operands) {
            ("all", [list, _]) if is_bare_field(list) => (
                "a missing field is a list of which `all` holds to some libraries of flagd, and to \
                 others it is not",
                "say what is taken in its place: `{var: [FIELD, []]}`",
            ),
            ("fractional", [key, ..]) if is_bare_field(key) => (
                "whoever lacks the field that `fractional` goes by is answered differently by the \
                 libraries of flagd",
                "go by a text that is always there: `{cat: [{var: $flagd.flagKey}, {var: FIELD}]}`",
            ),
            ("==" | "!=", [Value::String(text), other] | [other, Value::String(text)])
                if is_number(text) && !other.is_string() =>
            {
                (
                    "some libraries of flagd take this text for equal to the number, and others do not",
                    "write it as the field has it, and compare with `===`",
                )
            }
            _ => match ORDERS.iter().find(|(known, _)| *known == operator) {
                Some((_, holds)) if holds_if_missing(*holds, operands) => (
                    "a missing field is 0 here to some libraries of flagd, and to others it cannot \
                     be compared",
                    "say what is taken in its place: `{var: [FIELD, 0]}`",
                ),
                _ => return,
            },
        };
        self.warn("flag-evaluators-differ", message, help);
    }
}

/// A field with nothing that is taken in its place.
fn is_bare_field(operand: &Value) -> bool {
    match operand.get("var") {
        Some(Value::String(path)) => is_of_the_context(path),
        Some(Value::Array(list)) => {
            matches!(list.as_slice(), [Value::String(path)] if is_of_the_context(path))
        }
        _ => false,
    }
}

/// Whether somebody may lack it. Items, and what flagd knows itself, are always there.
fn is_of_the_context(path: &str) -> bool {
    let first = path.split('.').next().unwrap_or_default();
    !matches!(
        first,
        "" | "$flagd" | "current" | "accumulator" | "targetingKey"
    )
}

fn is_number(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit() || c == '-') && text.parse::<f64>().is_ok()
}

/// Whether it would hold for a field that is missing, were that 0.
fn holds_if_missing(holds: Holds, operands: &[Value]) -> bool {
    let is_missing = operands.iter().any(is_bare_field);
    let numbers: Option<Vec<f64>> = (operands.iter())
        .map(|operand| match operand {
            operand if is_bare_field(operand) => Some(0.0),
            operand => operand.as_f64(),
        })
        .collect();
    is_missing
        && numbers.is_some_and(|numbers| {
            let mut pairs = numbers.iter().zip(numbers.iter().skip(1));
            pairs.all(|(a, b)| holds(*a, *b))
        })
}
