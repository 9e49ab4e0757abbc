//! A rule as it is written becomes one that the engine answers as flagd's evaluator does.

use serde_json::{Value, json};

use super::language::{MAX_RULE_DEPTH, OPERATORS, deeper_than};
use super::meter::UNIT;

/// Operators that are answered by ours of the same name with this in front; the engine has its own
/// under the plain names.
pub(super) const OURS: &str = "flagd:";
/// Those operators.
const REPLACED: &[&str] = &["in", "cat", "merge", "substr", "min", "max"];
/// The operators that compare loosely.
const COMPARISONS: &[&str] = &["==", "!=", "<", "<=", ">", ">="];
/// The operators that look at the whole of what they are given, and that are the engine's.
const PAID: &[&str] = &[
    "var",
    "missing",
    "missing_some",
    "===",
    "!==",
    "+",
    "-",
    "*",
    "/",
    "%",
];
/// The operators that go through a list.
pub(super) const ITERATORS: &[&str] = &["map", "filter", "reduce", "all", "none", "some"];

/// The same rule in the words of the engine; or why it is none.
pub(super) fn rewritten(rule: &Value) -> Result<Value, String> {
    if deeper_than(rule, MAX_RULE_DEPTH) {
        return Err(format!(
            "the rule is nested deeper than {MAX_RULE_DEPTH} levels"
        ));
    }
    node(rule)
}

fn node(rule: &Value) -> Result<Value, String> {
    match rule {
        Value::Array(items) => {
            let new: Value = items.iter().map(node).collect::<Result<_, _>>()?;
            Ok(if is_literal(rule) {
                new
            } else {
                renamed("array", new)
            })
        }
        Value::Object(map) => {
            let mut entries = map.iter();
            match (entries.next(), entries.next()) {
                (None, _) => Ok(json!({})),
                (Some((operator, operands)), None) => operation(operator, operands),
                (Some(_), Some(_)) => Err("an operation has one operator".to_owned()),
            }
        }
        literal => Ok(literal.clone()),
    }
}

fn operation(operator: &str, operands: &Value) -> Result<Value, String> {
    if !OPERATORS.iter().any(|(known, _)| *known == operator) {
        return Err(format!("there is no operator `{operator}`"));
    }
    let mut new = match operands {
        Value::Array(list) => list.iter().map(node).collect::<Result<_, _>>()?,
        operand => node(operand)?,
    };
    if PAID.contains(&operator) {
        pay_for(&mut new);
    }
    let list = new.as_array_mut();
    match (operator, list) {
        ("var", Some(list)) if list.len() == 2 => Ok(with_default(&list[0], &list[1])),
        (_, Some(list)) if COMPARISONS.contains(&operator) => {
            let written = operands.as_array().map(Vec::as_slice).unwrap_or_default();
            list.insert(0, written.iter().skip(1).map(is_plain_var).collect());
            Ok(renamed(operator, new))
        }
        (_, Some(list)) if ITERATORS.contains(&operator) => Ok(iteration(operator, operands, list)),
        _ if REPLACED.contains(&operator) => Ok(renamed(operator, new)),
        _ => Ok(operation_of(operator, new)),
    }
}

fn operation_of(operator: &str, operands: Value) -> Value {
    Value::Object([(operator.to_owned(), operands)].into_iter().collect())
}

fn renamed(operator: &str, operands: Value) -> Value {
    operation_of(&format!("{OURS}{operator}"), operands)
}

/// Whether there is nothing in it to evaluate.
fn is_literal(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().all(is_literal),
        Value::Object(map) => map.is_empty(),
        _ => true,
    }
}

/// What has to be evaluated is paid for before the engine looks at it.
fn pay_for(operands: &mut Value) {
    let pay = |operand: &mut Value| {
        if operand.is_object() {
            *operand = renamed("paid", json!([operand.take()]));
        }
    };
    match operands {
        Value::Array(list) => list.iter_mut().for_each(pay),
        operand => pay(operand),
    }
}

/// What it costs to look at all of a part of a rule once.
pub(super) fn weight(rule: &Value) -> usize {
    let inside = match rule {
        Value::Array(items) => items.iter().map(weight).sum(),
        Value::Object(map) => (map.iter())
            .map(|(key, value)| key.len() + weight(value))
            .sum(),
        Value::String(text) => text.len(),
        _ => 0,
    };
    UNIT + inside
}

/// The default counts where the field is null, too.
fn with_default(path: &Value, default: &Value) -> Value {
    let found = json!({"var": path});
    match path {
        // All of the context: it is always there.
        Value::Null => found,
        Value::String(path) if path.is_empty() => found,
        _ => json!({"??": [found, default]}),
    }
}

/// Whether it is a `var` whose path is written down. What such an operand is compared with is not
/// judged by its type: the compiler that flagd uses has forgotten it by then.
fn is_plain_var(operand: &Value) -> Value {
    let path = operand.get("var").map(|path| match path {
        Value::Array(list) if list.len() <= 2 => list.first().unwrap_or(&Value::Null),
        path => path,
    });
    let is_plain = match path {
        Some(Value::String(path)) => !path.is_empty() && !path.contains("../"),
        Some(Value::Number(_)) => true,
        _ => false,
    };
    is_plain.into()
}

/// What is no list is refused, and what is missing is an empty one. Every step is paid for.
fn iteration(operator: &str, written: &Value, operands: &mut [Value]) -> Value {
    let Some(list) = operands.first_mut() else {
        return operation_of(operator, json!([]));
    };
    let bare = list.take();
    *list = renamed("list", json!([bare.clone()]));
    if let Some(body) = operands.get_mut(1) {
        let cost = weight(body);
        *body = renamed("step", json!([cost, body.take()]));
    }
    let new = operation_of(operator, operands.to_vec().into());
    // All of an empty list are not, but all of a missing one are.
    let is_field = written
        .get(0)
        .is_some_and(|list| is_plain_var(list) == true);
    if operator == "all" && is_field {
        return json!({"if": [{"===": [bare, null]}, true, new]});
    }
    new
}
