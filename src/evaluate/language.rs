//! The operators that a rule may have: those of `JsonLogic` that flagd documents, and its own.

use serde_json::Value;

/// The deepest rule that is evaluated; no manifest has a deeper one.
pub(super) const MAX_RULE_DEPTH: usize = 64;

/// Where flagd puts what it knows itself.
pub(super) const FLAGD: &str = "$flagd";
/// The field of a context that says who asks.
pub(crate) const TARGETING_KEY: &str = "targetingKey";

/// What an operator takes, as flagd's schema has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operands {
    /// Anything; what is no list is the only operand.
    Any,
    /// A list of at least and at most this many.
    List(usize, usize),
    /// A list of names.
    Names,
    /// A number and a list of names.
    CountAndNames,
    /// Two, each a text or a rule.
    TwoTexts,
    /// A version, how to compare, and a version.
    Versions,
    /// Perhaps a rule for what to bucket by, then the buckets.
    Buckets,
}

use Operands::{Any, Buckets, CountAndNames, List, Names, TwoTexts, Versions};

/// As many as anyone likes.
const MANY: usize = usize::MAX;

/// Every operator with what it takes; see <https://flagd.dev/reference/flag-definitions/>.
pub(crate) const OPERATORS: &[(&str, Operands)] = &[
    ("var", Any),
    ("missing", Names),
    ("missing_some", CountAndNames),
    ("if", List(1, MANY)),
    ("and", List(1, MANY)),
    ("or", List(1, MANY)),
    ("!", Any),
    ("!!", Any),
    ("==", List(2, 2)),
    ("===", List(2, 2)),
    ("!=", List(2, 2)),
    ("!==", List(2, 2)),
    ("<", List(2, 3)),
    ("<=", List(2, 3)),
    (">", List(2, 2)),
    (">=", List(2, 2)),
    ("+", List(1, MANY)),
    ("-", List(1, MANY)),
    ("*", List(2, MANY)),
    ("/", List(2, 2)),
    ("%", List(2, 2)),
    ("min", List(1, MANY)),
    ("max", List(1, MANY)),
    ("map", List(2, 2)),
    ("filter", List(2, 2)),
    ("reduce", List(3, 3)),
    ("all", List(2, 2)),
    ("none", List(2, 2)),
    ("some", List(2, 2)),
    ("merge", List(1, MANY)),
    ("in", List(2, 2)),
    ("cat", List(1, MANY)),
    ("substr", List(2, 3)),
    ("starts_with", TwoTexts),
    ("ends_with", TwoTexts),
    ("sem_ver", Versions),
    ("fractional", Buckets),
];

/// Whether `rule` compares the field at `path` as a version anywhere.
pub(crate) fn compares_versions(rule: &Value, path: &str) -> bool {
    let is_field = |operand: &Value| {
        let found = match operand.get("var") {
            Some(Value::Array(list)) => list.first(),
            found => found,
        };
        found.and_then(Value::as_str) == Some(path)
    };
    match rule {
        Value::Array(items) => items.iter().any(|item| compares_versions(item, path)),
        Value::Object(map) => map.iter().any(|(operator, operands)| {
            let is_compared = (operands.as_array())
                .is_some_and(|list| operator == "sem_ver" && list.iter().any(is_field));
            is_compared || compares_versions(operands, path)
        }),
        _ => false,
    }
}

/// Whether what `rule` says may change with the time: it looks at what flagd says of that, or at a field
/// that only its evaluation names, or at the whole context.
pub(super) fn reads_time(rule: &Value) -> bool {
    let is_time = |field: &Value| match field {
        Value::String(field) => {
            let below = field.strip_prefix(FLAGD);
            field.is_empty() || below.is_some_and(|below| below != ".flagKey")
        }
        Value::Object(_) | Value::Null => true,
        Value::Array(_) | Value::Bool(_) | Value::Number(_) => false,
    };
    match rule {
        Value::Array(items) => items.iter().any(reads_time),
        Value::Object(map) => map.iter().any(|(operator, operands)| {
            let is_read = match (operator.as_str(), operands) {
                ("var", Value::Array(list)) => list.first().is_none_or(is_time),
                ("var", field) => is_time(field),
                _ => false,
            };
            is_read || reads_time(operands)
        }),
        _ => false,
    }
}

/// Whether lists and maps are nested deeper than `depth` levels.
pub(super) fn deeper_than(value: &Value, depth: usize) -> bool {
    // The depth of this recursion is `depth`, not that of the value.
    let mut inside: Box<dyn Iterator<Item = &Value>> = match value {
        Value::Array(items) => Box::new(items.iter()),
        Value::Object(map) => Box::new(map.values()),
        _ => return false,
    };
    depth == 0 || inside.any(|value| deeper_than(value, depth - 1))
}
