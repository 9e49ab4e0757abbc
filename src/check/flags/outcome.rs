//! Whether what a rule can choose is a variant, as far as that stands in the rule.

use serde_json::Value;

use super::declared::variant_help;
use super::targeting::Targeting;
use crate::evaluate::number_text;

/// What all of it is called.
const CODE: &str = "flag-unknown-variant";
/// Operators that answer with true or false.
const BOOLEAN: &[&str] = &[
    "!",
    "!!",
    "==",
    "===",
    "!=",
    "!==",
    "<",
    "<=",
    ">",
    ">=",
    "in",
    "all",
    "none",
    "some",
    "starts_with",
    "ends_with",
    "sem_ver",
];
/// Operators that answer with a list.
const LISTS: &[&str] = &["map", "filter", "merge", "missing", "missing_some"];

/// Which of the values of a part of a rule are its outcome.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Which {
    All,
    /// Where `or` goes no further.
    Truthy,
    /// Where `and` goes no further.
    Falsy,
}

impl Targeting<'_> {
    /// Reports every outcome that is no variant. What only a context decides is let pass.
    pub(super) fn outcomes(&mut self, rule: &Value) {
        self.outcome(rule, Which::All);
    }

    fn outcome(&mut self, rule: &Value, which: Which) {
        let is_truthy = match rule {
            // Nothing chosen: the default.
            Value::Null => return,
            Value::Bool(value) => *value,
            Value::Number(number) => number.as_f64() != Some(0.0),
            Value::String(text) => !text.is_empty(),
            Value::Array(_) => return self.no_variant("a list"),
            Value::Object(map) => {
                if let Some((operator, operands)) = map.iter().next() {
                    self.inside(operator, |it| it.outcome_of(operator, operands, which));
                }
                return;
            }
        };
        if which == Which::All || is_truthy == (which == Which::Truthy) {
            self.named(&name(rule));
        }
    }

    fn outcome_of(&mut self, operator: &str, operands: &Value, which: Which) {
        let list = operands.as_array().map(Vec::as_slice).unwrap_or_default();
        match operator {
            "if" => {
                let end = list.len().saturating_sub(1);
                for (index, branch) in list.iter().enumerate() {
                    // Conditions stand before branches; what is left at the end has none.
                    if index % 2 == 1 || index == end {
                        self.inside(&index, |it| it.outcome(branch, which));
                    }
                }
            }
            "and" | "or" => {
                let early = if operator == "and" {
                    Which::Falsy
                } else {
                    Which::Truthy
                };
                let end = list.len().saturating_sub(1);
                for (index, operand) in list.iter().enumerate() {
                    let of_it = if index == end { which } else { early };
                    if which == Which::All || of_it == which {
                        self.inside(&index, |it| it.outcome(operand, of_it));
                    }
                }
            }
            "fractional" => {
                for (index, bucket) in list.iter().enumerate() {
                    if let Some(variant) = bucket.get(0) {
                        self.inside(&index, |it| it.inside(&0, |it| it.outcome(variant, which)));
                    }
                }
            }
            "var" => {
                if let Some(default) = list.get(1) {
                    self.inside(&1, |it| it.outcome(default, which));
                }
            }
            _ if BOOLEAN.contains(&operator) => self.boolean(operator, which),
            _ if LISTS.contains(&operator) => self.no_variant(&format!("the list of `{operator}`")),
            _ => {}
        }
    }

    /// The variant of this name must exist.
    fn named(&mut self, variant: &str) {
        if self.flag().variants.contains_key(variant) {
            return;
        }
        let help = variant_help(self.flag(), variant);
        let message = format!("the rule chooses `{variant}`, which is no variant");
        self.report(CODE, self.value(), message, Some(help));
    }

    fn no_variant(&mut self, what: &str) {
        let message = format!("the rule chooses {what}, which is no variant");
        self.report(CODE, self.value(), message, None);
    }

    /// True and false mean the variants that are called so.
    fn boolean(&mut self, operator: &str, which: Which) {
        let names = [("true", Which::Truthy), ("false", Which::Falsy)];
        let missing = names.into_iter().find(|(name, of)| {
            (which == Which::All || which == *of) && !self.flag().variants.contains_key(*name)
        });
        if let Some((name, _)) = missing {
            let message = format!("`{operator}` can be {name}, and no variant is called `{name}`");
            let help = "choose variants with `{if: [CONDITION, \"on\", \"off\"]}`".to_owned();
            self.report(CODE, self.key(), message, [help]);
        }
    }
}

/// The name of the variant that a value chooses.
fn name(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number_text(number.as_f64().unwrap_or(f64::NAN)),
        other => other.to_string(),
    }
}
