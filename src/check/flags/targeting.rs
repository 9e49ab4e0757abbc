//! Whether a rule is one that flagd takes: known operators, each with what it needs.

use std::fmt::Display;

use serde_json::Value;

use super::declared::Declared;
use crate::check::finding::{Finding, Spot};
use crate::check::near::{did_you_mean, nearest};
use crate::evaluate::{OPERATORS, Operands, TOO_MUCH, too_costly};
use crate::model::Flag;

/// How `sem_ver` compares.
const VERSION_COMPARISONS: &[&str] = &["=", "!=", "<", "<=", ">", ">=", "^", "~"];
/// The operators that go through a list; each item is the context of their second operand.
const ITERATORS: &[&str] = &["map", "filter", "reduce", "all", "none", "some"];
/// The most that all weights of `fractional` may be together, in flagd.
const MAX_WEIGHTS: u64 = i32::MAX as u64;

/// The rule of one flag, and where in it we are.
pub(super) struct Targeting<'a> {
    declared: Declared<'a>,
    findings: &'a mut Vec<Finding>,
    path: Vec<String>,
    is_broken: bool,
}

/// What a part of a rule is evaluated against.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Against {
    /// The whole context.
    Context,
    /// One item of a list.
    Item,
}

impl<'a> Targeting<'a> {
    pub(super) fn new(declared: Declared<'a>, findings: &'a mut Vec<Finding>) -> Self {
        Self {
            declared,
            findings,
            path: declared.path(&["targeting"]).map(str::to_owned).collect(),
            is_broken: false,
        }
    }

    /// Looks at all of the rule. No manifest is nested so deeply that this or an evaluation would
    /// be too deep.
    pub(super) fn check(&mut self, rule: &Value) {
        self.rule(rule, Against::Context);
        if !self.is_broken {
            self.cost(rule);
        }
        // What a broken rule would choose is not asked.
        if !self.is_broken && !self.flag().variants.is_empty() {
            self.outcomes(rule);
        }
    }

    /// Every request for the flag evaluates the rule, so it has to end soon.
    fn cost(&mut self, rule: &Value) {
        let Some(path) = too_costly(rule) else {
            return;
        };
        let steps = self.path.len();
        self.path.extend(path);
        let help = "flagd evaluates a rule each time that an application asks for the flag";
        self.report("flag-costly-rule", self.key(), TOO_MUCH, [help.to_owned()]);
        self.path.truncate(steps);
    }

    pub(super) fn flag(&self) -> &'a Flag {
        self.declared.flag
    }

    /// Where the part of the rule stands that we are in.
    pub(super) fn value(&self) -> Spot {
        let path = self.path.iter().map(String::as_str);
        Spot::value(self.declared.set, path)
    }

    /// Where its key stands.
    pub(super) fn key(&self) -> Spot {
        let path = self.path.iter().map(String::as_str);
        Spot::key(self.declared.set, path)
    }

    /// Does something one step further inside.
    pub(super) fn inside(&mut self, step: &(impl ToString + ?Sized), look: impl FnOnce(&mut Self)) {
        self.path.push(step.to_string());
        look(self);
        self.path.pop();
    }

    /// Adds an error that says whose rule it is in, with what to do about it.
    pub(super) fn report(
        &mut self,
        code: &'static str,
        at: Spot,
        message: impl Display,
        help: impl IntoIterator<Item = String>,
    ) {
        let message = format!("flag `{}`: {message}", self.declared.name);
        let mut finding = Finding::error(code, at, message);
        finding.help = help.into_iter().collect();
        self.findings.push(finding);
        self.is_broken = true;
    }

    /// Adds a warning about the operation that we are in.
    pub(super) fn warn(&mut self, code: &'static str, message: &str, help: &str) {
        let message = format!("flag `{}`: {message}", self.declared.name);
        self.findings
            .push(Finding::warning(code, self.key(), message).help(help));
    }

    fn rule(&mut self, rule: &Value, against: Against) {
        match rule {
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.inside(&index, |it| it.rule(item, against));
                }
            }
            Value::Object(map) => {
                let mut entries = map.iter();
                let (Some((operator, operands)), None) = (entries.next(), entries.next()) else {
                    let message = match map.len() {
                        0 => "a rule needs an operator".to_owned(),
                        many => format!("a rule has one operator, and this has {many}"),
                    };
                    self.report("flag-bad-rule", self.value(), message, None);
                    return;
                };
                self.inside(operator, |it| it.operation(operator, operands, against));
            }
            _ => {}
        }
    }

    fn operation(&mut self, operator: &str, operands: &Value, against: Against) {
        let known = OPERATORS.iter().find(|(known, _)| *known == operator);
        let Some((_, wanted)) = known else {
            self.unknown(operator);
            return;
        };
        let is_flagds = matches!(
            wanted,
            Operands::TwoTexts | Operands::Versions | Operands::Buckets
        );
        if is_flagds && against == Against::Item {
            let message = format!("`{operator}` looks at the items of a list");
            let help = "inside `some`, `map` and the like not every library of flagd evaluates it";
            self.warn("flag-operator-on-items", &message, help);
        }
        if let Some(needed) = wanted.missing_from(operands) {
            let at = if operands.is_array() {
                self.key()
            } else {
                self.value()
            };
            let message = format!("`{operator}` takes {needed}");
            self.report("flag-bad-operands", at, message, None);
            return;
        }
        if *wanted == Operands::Buckets {
            self.buckets(operands.as_array().map(Vec::as_slice).unwrap_or_default());
        }
        let Value::Array(list) = operands else {
            self.rule(operands, against);
            return;
        };
        self.differences(operator, list);
        for (index, operand) in list.iter().enumerate() {
            let is_of_item = index == 1 && ITERATORS.contains(&operator);
            let against = if is_of_item { Against::Item } else { against };
            self.inside(&index, |it| it.rule(operand, against));
        }
    }

    fn unknown(&mut self, operator: &str) {
        let at = self.key();
        if operator == "$ref" {
            let message = "`$ref` names a rule that flags share, and manifests have none";
            let help = "write the rule out where it is used".to_owned();
            self.report("flag-reference", at, message, [help]);
            return;
        }
        let names = OPERATORS.iter().map(|(name, _)| *name);
        let help = match nearest(operator, names) {
            Some(guess) => did_you_mean(guess),
            None => "https://flagd.dev/reference/flag-definitions/ lists the operators".to_owned(),
        };
        let message = format!("there is no operator `{operator}`");
        self.report("flag-unknown-operator", at, message, [help]);
    }

    /// What `fractional` chooses from.
    fn buckets(&mut self, operands: &[Value]) {
        let keys = usize::from(operands.first().is_some_and(Value::is_object));
        let mut total = 0_u64;
        for (index, bucket) in operands.iter().enumerate().skip(keys) {
            self.inside(&index, |it| {
                let weight = match bucket.as_array().map(Vec::as_slice) {
                    Some([_]) => Some(1),
                    Some([_, weight]) if weight.is_object() => Some(0),
                    Some([_, weight]) => {
                        let found = weight.as_u64();
                        if found.is_none() {
                            let message = "a weight is a whole number from 0 on, or a rule";
                            it.inside(&1, |it| {
                                it.report("flag-bad-weight", it.value(), message, None);
                            });
                        }
                        found
                    }
                    _ => {
                        let message = "`fractional` takes buckets, each a variant and its weight";
                        let help = "write a bucket as `[\"on\", 25]`".to_owned();
                        it.report("flag-bad-operands", it.value(), message, [help]);
                        None
                    }
                };
                total = total.saturating_add(weight.unwrap_or_default());
            });
        }
        if total > MAX_WEIGHTS {
            let message = format!("the weights are {total} together; {MAX_WEIGHTS} is the limit");
            self.report("flag-bad-weight", self.key(), message, None);
        }
    }
}

impl Operands {
    /// What is needed, in words, if `operands` are something else.
    fn missing_from(self, operands: &Value) -> Option<String> {
        let list = operands.as_array().map(Vec::as_slice);
        let texts = |value: &Value| {
            let list = value.as_array();
            list.is_some_and(|list| list.iter().all(Value::is_string))
        };
        let is_rule = Value::is_object;
        let (is_met, needed) = match self {
            Self::Any => (true, String::new()),
            Self::List(least, most) => (
                list.is_some_and(|list| (least..=most).contains(&list.len())),
                format!("a list of {}", how_many(least, most)),
            ),
            Self::Names => (texts(operands), "a list of names".to_owned()),
            Self::CountAndNames => (
                matches!(list, Some([Value::Number(_), names]) if texts(names)),
                "a number and a list of names".to_owned(),
            ),
            Self::TwoTexts => (
                matches!(list, Some([a, b]) if [a, b].iter().all(|it| it.is_string() || is_rule(it))),
                "two texts, or rules that find them".to_owned(),
            ),
            Self::Versions => (
                matches!(list, Some([a, how, b]) if is_version(a) && is_version(b)
                    && how.as_str().is_some_and(|how| VERSION_COMPARISONS.contains(&how))),
                format!(
                    "a version, one of {}, and a version; a version is `1.2.3` or a `var`",
                    VERSION_COMPARISONS.join(" ")
                ),
            ),
            Self::Buckets => (
                match list {
                    Some([first]) => !is_rule(first),
                    Some([_, ..]) => true,
                    _ => false,
                },
                "a list of buckets, as in `[\"on\", 25], [\"off\", 75]`".to_owned(),
            ),
        };
        (!is_met).then_some(needed)
    }
}

fn is_version(value: &Value) -> bool {
    match value {
        Value::String(text) => semver::Version::parse(text).is_ok(),
        value => value.get("var").is_some(),
    }
}

fn how_many(least: usize, most: usize) -> String {
    match (least, most) {
        (1, usize::MAX) => "operands".to_owned(),
        (least, usize::MAX) => format!("{least} or more operands"),
        (least, most) if least == most => format!("{least} operands"),
        (least, most) => format!("{least} or {most} operands"),
    }
}
