//! What a rule costs whoever evaluates it, as far as that stands in the rule.
//!
//! What only a context decides is taken for a single value, every branch for taken and every list
//! for gone through to its end. So a rule that costs too much here may cost less where a context
//! decides early; but nobody wrote it for that.

use serde_json::Value;

use super::meter::{MAX_COST, UNIT};
use super::rule::{ITERATORS, weight};

/// Where in `rule` the operation stands that asks for more than an evaluation may cost; `None` if
/// there is none.
pub(crate) fn too_costly(rule: &Value) -> Option<Vec<String>> {
    let found = of(rule, Scope::default());
    found.err().map(|mut path| {
        path.reverse();
        path
    })
}

/// How large a value is.
#[derive(Clone, Copy, Debug)]
struct Shape {
    /// Bytes, when it is written out.
    size: usize,
    /// How many items it has, if it is a list that stands in the rule.
    items: Option<usize>,
}

/// What is known of a value that a context decides.
const UNKNOWN: Shape = Shape {
    size: UNIT,
    items: None,
};

impl Shape {
    fn or(self, other: Self) -> Self {
        Self {
            size: self.size.max(other.size),
            items: self.items.max(other.items),
        }
    }

    /// Of several, together.
    fn all(shapes: &[Self]) -> usize {
        (shapes.iter()).fold(UNIT, |size, shape| size.saturating_add(shape.size))
    }

    /// What one of its items is like.
    fn item(self) -> Self {
        Self {
            size: (self.size / self.items.unwrap_or(1).max(1)).max(UNIT),
            items: None,
        }
    }
}

/// What the fields of a context are like inside the rule of an iteration.
#[derive(Clone, Copy, Debug, Default)]
struct Scope {
    item: Option<Shape>,
    accumulator: Option<Shape>,
}

/// A value, and what it cost.
type Found = Result<(Shape, usize), Vec<String>>;

fn of(rule: &Value, scope: Scope) -> Found {
    match rule {
        Value::Array(items) => {
            let (shapes, cost) = each(items, scope)?;
            let shape = Shape {
                size: Shape::all(&shapes),
                items: Some(items.len()),
            };
            affordable(shape, cost.saturating_add(shape.size))
        }
        Value::Object(map) => match map.iter().next() {
            Some((operator, operands)) => {
                (operation(operator, operands, scope)).map_err(|path| further(path, operator))
            }
            None => Ok((UNKNOWN, UNIT)),
        },
        Value::String(text) => affordable(
            Shape {
                size: UNIT + text.len(),
                items: None,
            },
            UNIT,
        ),
        _ => Ok((UNKNOWN, UNIT)),
    }
}

fn each(operands: &[Value], scope: Scope) -> Result<(Vec<Shape>, usize), Vec<String>> {
    let mut cost = UNIT;
    let mut shapes = Vec::new();
    for (index, operand) in operands.iter().enumerate() {
        let (shape, more) =
            (of(operand, scope)).map_err(|path| further(path, &index.to_string()))?;
        cost = cost.saturating_add(more);
        shapes.push(shape);
    }
    Ok((shapes, cost))
}

fn operation(operator: &str, operands: &Value, scope: Scope) -> Found {
    let Value::Array(list) = operands else {
        let (shape, cost) = of(operands, scope)?;
        let shape = match operator {
            "var" => field(operands, scope),
            _ => Shape {
                items: None,
                ..shape
            },
        };
        return Ok((shape, cost));
    };
    if let (true, [over, body, rest @ ..]) = (ITERATORS.contains(&operator), list.as_slice()) {
        return iteration(operator, over, body, rest.first(), scope);
    }
    let (shapes, cost) = each(list, scope)?;
    let size = Shape::all(&shapes);
    let shape = match operator {
        "var" => {
            let found = list.first().map_or(UNKNOWN, |path| field(path, scope));
            shapes.get(1).map_or(found, |default| found.or(*default))
        }
        "if" | "and" | "or" => shapes.into_iter().fold(UNKNOWN, Shape::or),
        "cat" => Shape { size, items: None },
        "merge" => Shape {
            size,
            items: Some(
                (shapes.iter()).fold(0, |all, shape| all.saturating_add(shape.items.unwrap_or(1))),
            ),
        },
        "substr" => Shape {
            items: None,
            ..shapes.first().copied().unwrap_or(UNKNOWN)
        },
        _ => UNKNOWN,
    };
    affordable(shape, cost.saturating_add(size))
}

fn iteration(
    operator: &str,
    over: &Value,
    body: &Value,
    initial: Option<&Value>,
    scope: Scope,
) -> Found {
    let (list, mut cost) = of(over, scope).map_err(|path| further(path, "0"))?;
    let steps = list.items.unwrap_or(1);
    let mut scope = Scope {
        item: Some(list.item()),
        accumulator: None,
    };
    let run = |scope: Scope| -> Found {
        let (shape, cost) = of(body, scope).map_err(|path| further(path, "1"))?;
        let step = cost.saturating_add(weight(body)).saturating_add(shape.size);
        Ok((shape, step))
    };
    if operator == "reduce" {
        let initial = initial.unwrap_or(&Value::Null);
        let (mut found, more) = of(initial, scope)?;
        cost = cost.saturating_add(more);
        for _ in 0..steps {
            scope.accumulator = Some(found);
            let step;
            (found, step) = run(scope)?;
            cost = cost.saturating_add(step);
            affordable(found, cost)?;
        }
        return affordable(found, cost);
    }
    let (shape, step) = run(scope)?;
    let cost = cost.saturating_add(steps.saturating_mul(step));
    let found = match operator {
        "map" => Shape {
            size: UNIT.saturating_add(steps.saturating_mul(shape.size)),
            items: list.items,
        },
        "filter" => list,
        _ => UNKNOWN,
    };
    affordable(found, cost)
}

fn affordable(shape: Shape, cost: usize) -> Found {
    if cost > MAX_COST || shape.size > MAX_COST {
        return Err(Vec::new());
    }
    Ok((shape, cost))
}

/// What `var` finds at a path that is written down.
fn field(path: &Value, scope: Scope) -> Shape {
    let found = match path {
        Value::String(path) => match path.split('.').next() {
            Some("accumulator") => scope.accumulator,
            Some("current") if scope.accumulator.is_some() => scope.item,
            Some("") => scope.item,
            _ => None,
        },
        Value::Null => scope.item,
        _ => None,
    };
    found.unwrap_or(UNKNOWN)
}

/// One step further out; the path is turned round at the end.
fn further(mut path: Vec<String>, step: &str) -> Vec<String> {
    path.push(step.to_owned());
    path
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn place(rule: &Value) -> Option<String> {
        too_costly(rule).map(|path| path.join("."))
    }

    #[test]
    fn what_doubles_itself_over_a_list_that_stands_there_is_seen() {
        let numbers: Vec<usize> = (0..40).collect();
        let twice = json!([{"var": "accumulator"}, {"var": "accumulator"}]);
        for body in [
            json!({"cat": twice}),
            json!({"merge": twice}),
            twice.clone(),
        ] {
            let rule = json!({"if": [{"reduce": [numbers, body, "a"]}, "on", "off"]});
            let at = place(&rule).unwrap();
            assert!(at.starts_with("if.0.reduce"), "{at}");
        }
        // How long the list is, only a context says.
        let rule = json!({"reduce": [{"var": "n"}, {"cat": twice}, "a"]});
        assert_eq!(place(&rule), None);
    }

    #[test]
    fn steps_within_steps_are_seen() {
        let numbers: Vec<usize> = (0..300).collect();
        for operator in ["map", "filter", "all", "none", "some"] {
            let nested = |times: usize| {
                (0..times).fold(
                    json!({"var": ""}),
                    |body, _| json!({operator: [numbers, body]}),
                )
            };
            assert_eq!(place(&nested(2)), None, "{operator}");
            let at = place(&json!({"if": [{"var": "a"}, "on", nested(4)]})).unwrap();
            assert!(at.starts_with(&format!("if.2.{operator}")), "{at}");
            let over = json!({operator: [{"var": "list"}, nested(4)]});
            assert!(place(&over).is_some(), "{operator}");
        }
    }

    #[test]
    fn a_list_of_lists_is_as_long_as_what_it_was_made_from() {
        let long = json!({"merge": [vec![1; 3000], vec![2; 3000]]});
        let pairs = json!({"map": [long, {"map": [long, 1]}]});
        assert_eq!(place(&pairs).as_deref(), Some("map"));
        let few = json!({"some": [{"filter": [long, {"var": ""}]}, {"==": [{"var": ""}, 2]}]});
        assert_eq!(place(&few), None);
    }

    #[test]
    fn ordinary_rules_cost_little() {
        let emails: Vec<String> = (0..5000).map(|n| format!("user-{n}@example.com")).collect();
        let rule = json!({"if": [
            {"in": [{"var": "email"}, emails]}, "on",
            {"some": [{"var": "roles"}, {"in": [{"var": ""}, ["a", "b"]]}]}, "on",
            {"fractional": [["on", 1], ["off", 99]]},
        ]});
        assert_eq!(place(&rule), None);
        let sum = json!({"reduce": [vec![1; 10_000],
            {"+": [{"var": "current"}, {"var": "accumulator"}]}, 0]});
        assert_eq!(place(&sum), None);
    }
}
