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

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::model::value::Map;
use crate::model::{Flag, FlagName};

mod asker;
mod bound;
mod bucketing;
mod javascript;
mod language;
mod meter;
mod operators;
mod rule;
mod version;

pub(crate) use asker::{Arena, Asker, Targeted, Verdict};
pub(crate) use bound::too_costly;
pub(crate) use javascript::number_text;
use language::deeper_than;
pub(crate) use language::{OPERATORS, Operands, TARGETING_KEY, compares_versions};
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

impl Context {
    /// Its fields.
    pub(crate) fn fields(&self) -> &Map {
        &self.0
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
    let (arena, rule) = (Arena::default(), Targeted::of(flag));
    let choice = Asker::new(context, now, &arena).ask(name, flag, &rule);
    let Verdict {
        variant,
        reason,
        error,
    } = choice;
    Evaluation {
        value: variant.and_then(|name| flag.variants.get(name).cloned()),
        variant: variant.map(ToOwned::to_owned),
        reason,
        error,
    }
}

#[cfg(test)]
#[path = "evaluate_tests.rs"]
mod tests;
