//! Pure: what a flag is for one context, as flagd decides it.
//!
//! `JsonLogic` itself is the crate `datalogic-rs`. It was compared with flagd's own evaluator over
//! tens of thousands of rules and contexts, and answers differently where fields are missing or of
//! another type than the rule expects: `"" == null`, `null` inside `cat`, `in` a number, variants
//! of `fractional` that are no texts. So every operator whose answer differs is one of ours, in
//! [`operators`] and [`bucketing`], and [`rule`] rewrites a rule to use them; `tests/it/flagd_judge.rs`
//! holds the whole equal to flagd's evaluator.
//!
//! Differences are left where that evaluator, which is the one for JavaScript, differs from flagd
//! itself or answers by accident. A text beyond ASCII is bucketed by its UTF-8 here, as flagd and
//! most of its libraries do; there by UTF-16. A path into a text, as in `email.length`, finds
//! nothing here. What can never be computed, such as `{"+": ["a", 1]}`, is an error there even where
//! nothing asks for it. And where the second operand of a comparison is more than a plain `var`,
//! what is compiled there may look at the type of something else than the first operand.

use std::sync::Arc;

use datalogic_rs::DataValue;
use datalogic_rs::bumpalo::Bump;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use crate::model::value::Map;
use crate::model::{Flag, FlagName, FlagState};

mod bound;
mod bucketing;
mod javascript;
mod language;
mod meter;
mod operators;
mod rule;
mod version;

pub(crate) use bound::too_costly;
pub(crate) use javascript::number_text;
use language::{FLAGD, deeper_than};
pub(crate) use language::{OPERATORS, Operands, TARGETING_KEY, compares_versions};
use meter::Meter;
pub(crate) use meter::TOO_MUCH;

/// The deepest context that is taken.
const MAX_CONTEXT_DEPTH: usize = 32;
/// The largest context that is taken, in bytes of JSON.
const MAX_CONTEXT_BYTES: usize = 64 * 1024;

/// What is known about whoever asks for a flag.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Context(Map);

/// Why something is no context.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ContextError {
    /// It has too many bytes.
    #[error("the context has {0} bytes of JSON; {MAX_CONTEXT_BYTES} are the limit")]
    TooLarge(usize),
    /// It is nested too deeply.
    #[error("the context is nested deeper than {MAX_CONTEXT_DEPTH} levels")]
    TooDeep,
}

impl TryFrom<Map> for Context {
    type Error = ContextError;

    fn try_from(map: Map) -> Result<Self, Self::Error> {
        let value = Value::Object(map);
        // Depth first: what measures the length calls itself for every level.
        if deeper_than(&value, MAX_CONTEXT_DEPTH) {
            return Err(ContextError::TooDeep);
        }
        let bytes = value.to_string().len();
        if bytes > MAX_CONTEXT_BYTES {
            return Err(ContextError::TooLarge(bytes));
        }
        match value {
            Value::Object(map) => Ok(Self(map)),
            _ => Ok(Self::default()),
        }
    }
}

/// What a flag is for one context.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Evaluation {
    /// The variant; `None`: the application takes its own default.
    pub variant: Option<String>,
    /// The value of the variant.
    pub value: Option<Value>,
    /// Why it is this one.
    pub reason: Reason,
    /// What went wrong, if the reason is an error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// Why a flag has its value, in the words of flagd.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Reason {
    /// It has no targeting.
    Static,
    /// Targeting chose the variant.
    TargetingMatch,
    /// Targeting decided nothing, or there is no variant to fall back to.
    Default,
    /// The flag is disabled.
    Disabled,
    /// Targeting failed, or chose a variant that there is not.
    Error,
}

/// What `flag` is for `context` at the time `now`.
pub fn evaluate(name: &FlagName, flag: &Flag, context: &Context, now: Timestamp) -> Evaluation {
    if flag.state == FlagState::Disabled {
        return Evaluation::none(Reason::Disabled);
    }
    let Some(targeting) = &flag.targeting else {
        return Evaluation::fallback(flag, Reason::Static);
    };
    match outcome(name, targeting, context, now) {
        Ok(None) => Evaluation::fallback(flag, Reason::Default),
        Ok(Some(variant)) => Evaluation::of(flag, &variant, Reason::TargetingMatch),
        Err(error) => Evaluation::failed(error),
    }
}

impl Evaluation {
    fn none(reason: Reason) -> Self {
        Self {
            variant: None,
            value: None,
            reason,
            error: None,
        }
    }

    fn failed(error: String) -> Self {
        Self {
            error: Some(error),
            ..Self::none(Reason::Error)
        }
    }

    /// The default variant, if the flag has one. To flagd an empty name is none.
    fn fallback(flag: &Flag, reason: Reason) -> Self {
        match flag.default_variant.as_deref() {
            None | Some("") => Self::none(Reason::Default),
            Some(variant) => Self::of(flag, variant, reason),
        }
    }

    fn of(flag: &Flag, variant: &str, reason: Reason) -> Self {
        match flag.variants.get(variant) {
            Some(value) => Self {
                variant: Some(variant.to_owned()),
                value: Some(value.clone()),
                reason,
                error: None,
            },
            None => Self::failed(format!("there is no variant `{variant}`")),
        }
    }
}

/// The name of the variant that targeting chooses; `None` if it chooses none.
fn outcome(
    name: &FlagName,
    targeting: &Value,
    Context(context): &Context,
    now: Timestamp,
) -> Result<Option<String>, String> {
    let rule = rule::rewritten(targeting)?;
    let mut context = context.clone();
    let flagd = json!({"flagKey": name, "timestamp": now.as_second()});
    context.insert(FLAGD.to_owned(), flagd);

    let meter = Arc::new(Meter::default());
    let engine = operators::engine(&meter);
    let compiled = engine.compile(rule.to_string().as_str());
    let compiled = compiled.map_err(|error| explained(&error))?;
    let arena = Bump::new();
    let context = Value::Object(context).to_string();
    let found = engine.evaluate(&compiled, context.as_str(), &arena);
    let found = found.and_then(|found| meter.pay_for(found, &arena).map(|()| found));
    match found.map_err(|error| explained(&error))? {
        DataValue::Null => Ok(None),
        found => Ok(Some(javascript::text(found))),
    }
}

/// What went wrong, without the names that only we use.
fn explained(error: &datalogic_rs::Error) -> String {
    if error.thrown_value().is_some() {
        return "something that is no number cannot be calculated with".to_owned();
    }
    error.to_string().replace(rule::OURS, "")
}

#[cfg(test)]
#[path = "evaluate_tests.rs"]
mod tests;
