//! Asking: one context, and as many flags as are asked for.
//!
//! What does not depend on the context is done once for a flag ([`Targeted`]), and what depends on nothing
//! else once for a context ([`Asker`]).

use std::cell::RefCell;
use std::sync::Arc;

use datalogic_rs::bumpalo::Bump;
use datalogic_rs::{DataValue, Engine, Logic};
use jiff::Timestamp;
use serde_json::Value;

use super::language::{FLAGD, reads_time};
use super::meter::{MAX_COST, Meter, TOO_MUCH};
use super::{Context, Reason, javascript, operators, rule};
use crate::model::value::canonical;
use crate::model::{Flag, FlagName, FlagState};

/// What all flags together may cost that are asked for with one context.
const MAX_TOGETHER: usize = 4 * MAX_COST;
/// The most memory that is kept from one evaluation for the next.
const KEPT: usize = 1 << 20;

/// The targeting of a flag, ready to be asked.
#[derive(Clone, Debug)]
pub(crate) struct Targeted {
    /// `None`: there is none. An error says why it is no rule.
    logic: Option<Result<Arc<Logic>, String>>,
    reads_time: bool,
}

impl Targeted {
    /// That of `flag`.
    pub(crate) fn of(flag: &Flag) -> Self {
        let targeting = match flag.state {
            FlagState::Enabled => flag.targeting.as_ref(),
            FlagState::Disabled => None,
        };
        Self {
            logic: targeting.map(compiled),
            reads_time: targeting.is_some_and(reads_time),
        }
    }

    /// Whether it is the same for every context.
    pub(crate) fn is_constant(&self) -> bool {
        self.logic.is_none()
    }

    /// Whether what it says may change with the time.
    pub(crate) fn reads_time(&self) -> bool {
        self.reads_time
    }
}

fn compiled(targeting: &Value) -> Result<Arc<Logic>, String> {
    let rule = rule::rewritten(targeting)?;
    let compile = |bench: &Bench| bench.engine.compile_arc(rule.to_string().as_str());
    BENCH
        .with_borrow(compile)
        .map_err(|error| explained(&error))
}

/// What evaluates rules in one thread. To make it takes longer than to use it.
struct Bench {
    engine: Engine,
    meter: Arc<Meter>,
    /// What an evaluation makes, and what is gone after it.
    scratch: Bump,
}

impl Bench {
    fn new() -> Self {
        let meter = Arc::new(Meter::default());
        Self {
            engine: operators::engine(&meter),
            meter,
            scratch: Bump::new(),
        }
    }

    fn clear(&mut self) {
        if self.scratch.allocated_bytes() > KEPT {
            self.scratch = Bump::new();
        } else {
            self.scratch.reset();
        }
    }
}

thread_local! {
    static BENCH: RefCell<Bench> = RefCell::new(Bench::new());
}

/// Where a context lies while flags are asked for with it.
#[derive(Debug, Default)]
pub(crate) struct Arena(Bump);

/// Somebody who asks for flags with one context, at one moment.
#[derive(Debug)]
pub(crate) struct Asker<'c> {
    /// The fields of the context; an error where it cannot be read.
    fields: Result<Vec<(&'c str, DataValue<'c>)>, String>,
    now: Timestamp,
    /// What may still be paid.
    left: usize,
}

/// What a flag comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Verdict<'f> {
    /// The variant; `None`: the application takes its own default.
    pub(crate) variant: Option<&'f str>,
    pub(crate) reason: Reason,
    /// What went wrong, if the reason is an error.
    pub(crate) error: Option<String>,
}

impl<'c> Asker<'c> {
    /// Whoever asks with `context`, which lies in `arena`.
    pub(crate) fn new(context: &Context, now: Timestamp, Arena(arena): &'c Arena) -> Self {
        let text = arena.alloc_slice_copy(&canonical(context.fields()));
        let text = std::str::from_utf8(text).unwrap_or_default();
        let fields = match DataValue::from_str(text, arena) {
            Ok(DataValue::Object(fields)) => {
                let fields = fields.iter().copied();
                Ok(fields.filter(|(name, _)| *name != FLAGD).collect())
            }
            Ok(_) => Ok(Vec::new()),
            Err(error) => Err(error.to_string()),
        };
        Self {
            fields,
            now,
            left: MAX_TOGETHER,
        }
    }

    /// What `flag` is, whose targeting is `rule`.
    pub(crate) fn ask<'f>(
        &mut self,
        name: &FlagName,
        flag: &'f Flag,
        rule: &Targeted,
    ) -> Verdict<'f> {
        let logic = match &rule.logic {
            None => return Verdict::otherwise(flag),
            Some(Err(error)) => return Verdict::failed(error.clone()),
            Some(Ok(logic)) => logic,
        };
        match self.outcome(name, logic, flag) {
            Ok(None) => Verdict::otherwise(flag),
            Ok(Some(variant)) => Verdict {
                variant: Some(variant),
                reason: Reason::TargetingMatch,
                error: None,
            },
            Err(error) => Verdict::failed(error),
        }
    }

    /// The variant that targeting chooses; `None` if it chooses none.
    fn outcome<'f>(
        &mut self,
        name: &FlagName,
        logic: &Logic,
        flag: &'f Flag,
    ) -> Result<Option<&'f str>, String> {
        let fields = self.fields.as_ref().map_err(Clone::clone)?;
        let limit = self.left.min(MAX_COST);
        if limit == 0 {
            return Err(TOO_MUCH.to_owned());
        }
        let now = self.now.as_second();
        let (found, left) = BENCH.with_borrow_mut(|bench| {
            bench.meter.fill(limit);
            let found = bench.decide(logic, fields, name.as_str(), now, flag);
            bench.clear();
            (found, bench.meter.left())
        });
        self.left -= limit - left;
        found
    }
}

impl Bench {
    fn decide<'f>(
        &self,
        logic: &Logic,
        fields: &[(&str, DataValue<'_>)],
        name: &str,
        now: i64,
        flag: &'f Flag,
    ) -> Result<Option<&'f str>, String> {
        let arena = &self.scratch;
        let flagd = [
            ("flagKey", DataValue::String(name)),
            ("timestamp", DataValue::from_i64(now)),
        ];
        let flagd = (FLAGD, DataValue::Object(arena.alloc_slice_copy(&flagd)));
        let mut all = Vec::with_capacity(fields.len() + 1);
        all.extend_from_slice(fields);
        all.push(flagd);
        let context = DataValue::Object(arena.alloc_slice_copy(&all));
        let found = self.engine.evaluate(logic, context, arena);
        let found = found.and_then(|found| self.meter.pay_for(found, arena).map(|()| found));
        match found.map_err(|error| explained(&error))? {
            DataValue::Null => Ok(None),
            DataValue::String(variant) => variant_of(flag, variant).map(Some),
            found => variant_of(flag, &javascript::text(found)).map(Some),
        }
    }
}

fn variant_of<'f>(flag: &'f Flag, variant: &str) -> Result<&'f str, String> {
    let known = flag.variants.get_key_value(variant);
    let known = known.map(|(name, _)| name.as_str());
    known.ok_or_else(|| no_variant(variant))
}

fn no_variant(variant: &str) -> String {
    format!("there is no variant `{variant}`")
}

impl<'f> Verdict<'f> {
    fn none(reason: Reason) -> Self {
        Self {
            variant: None,
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

    /// What `flag` comes to without targeting, or where that chooses nothing.
    pub(crate) fn otherwise(flag: &'f Flag) -> Self {
        match (flag.state, &flag.targeting) {
            (FlagState::Disabled, _) => Self::none(Reason::Disabled),
            (FlagState::Enabled, None) => Self::fallback(flag, Reason::Static),
            (FlagState::Enabled, Some(_)) => Self::fallback(flag, Reason::Default),
        }
    }

    /// The default variant, if the flag has one. To flagd an empty name is none.
    fn fallback(flag: &'f Flag, reason: Reason) -> Self {
        match flag.default_variant.as_deref() {
            None | Some("") => Self::none(Reason::Default),
            Some(variant) => match variant_of(flag, variant) {
                Ok(variant) => Self {
                    variant: Some(variant),
                    reason,
                    error: None,
                },
                Err(error) => Self::failed(error),
            },
        }
    }
}

/// What went wrong, without the names that only we use.
fn explained(error: &datalogic_rs::Error) -> String {
    if error.thrown_value().is_some() {
        return "something that is no number cannot be calculated with".to_owned();
    }
    error.to_string().replace(rule::OURS, "")
}
