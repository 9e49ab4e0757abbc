//! Flags that flagd could not evaluate, and breakers that hold them at what there is not.

use super::blame;
use super::finding::{Finding, Spot};
use super::near::{did_you_mean, nearest};
use super::world::{SetView, World};
use crate::model::{BreakerName, Choice, FLAGS_KEY, FlagName, Publish, SetName};
use declared::{Declared, variant_help};
use targeting::Targeting;

mod declared;
mod differences;
mod outcome;
mod targeting;

pub(super) fn check(world: &World<'_>, findings: &mut Vec<Finding>) {
    for (&set, view) in world
        .sets
        .iter()
        .filter(|(_, view)| view.standing.is_declared())
    {
        for (name, flag) in &view.set.flags {
            let declared = Declared { set, name, flag };
            declared.variants(findings);
            findings.extend(declared.default_variant());
            declared.metadata(findings);
            if let Some(rule) = &flag.targeting {
                Targeting::new(declared, findings).check(rule);
            }
        }
        for (name, breaker) in &view.set.breakers {
            for (flag, choice) in &breaker.trip.flags {
                findings.extend(held(set, view, name, flag, choice));
            }
        }
        findings.extend(key_of_flags(set, view));
        findings.extend(without_flags(set, view));
    }
}

/// What is wrong with holding `flag` at `choice` while `breaker` is open.
fn held(
    set: &SetName,
    view: &SetView<'_>,
    breaker: &BreakerName,
    flag: &FlagName,
    choice: &Choice,
) -> Option<Finding> {
    let path = [
        "spec",
        "breakers",
        breaker.as_str(),
        "trip",
        "flags",
        flag.as_str(),
    ];
    let Some(declared) = view.set.flags.get(flag) else {
        let message =
            format!("breaker `{breaker}` holds flag `{flag}`, which the set does not have");
        let names = view.set.flags.keys().map(FlagName::as_str);
        let help = match nearest(flag.as_str(), names) {
            Some(guess) => did_you_mean(guess),
            None => format!("declare `{flag}` in `spec.flags`"),
        };
        let finding = Finding::error("breaker-unknown-flag", Spot::key(set, path), message);
        return Some(finding.help(help));
    };
    if declared.variants.is_empty() || choice.of(declared).is_some() {
        return None;
    }
    let (message, help) = match choice {
        Choice::Boolean(on) => (
            format!("breaker `{breaker}` holds flag `{flag}` at {on}, which no variant is"),
            "name the variant that it is held at".to_owned(),
        ),
        Choice::Variant(variant) => (
            format!("breaker `{breaker}` holds flag `{flag}` at `{variant}`, which is no variant"),
            variant_help(declared, variant),
        ),
    };
    let declared = Spot::key(set, ["spec", "flags", flag.as_str()]);
    let finding = Finding::error("breaker-unknown-variant", Spot::value(set, path), message)
        .related(declared, "the flag is here")
        .help(help);
    Some(finding)
}

/// Beside the values, flags are published under a key that values may not have then.
fn key_of_flags(set: &SetName, view: &SetView<'_>) -> Option<Finding> {
    if view.set.flags.is_empty() || !view.set.values.contains_key(FLAGS_KEY) {
        return None;
    }
    let at = Spot::key(set, ["spec", "values", FLAGS_KEY]);
    let message = format!("`{FLAGS_KEY}` is where the flags are published beside the values");
    let finding = Finding::error("flags-key-taken", at, message)
        .related(Spot::key(set, ["spec", "flags"]), "the set has flags")
        .help("rename the value");
    Some(finding)
}

/// A flag file that would have no flag in it.
fn without_flags(set: &SetName, view: &SetView<'_>) -> Option<Finding> {
    if !view.set.flags.is_empty() {
        return None;
    }
    let is_flagd = |publish: &Publish| matches!(publish, Publish::Flagd { .. });
    let index = view.set.publish.iter().position(is_flagd)?;
    let at = blame::publish(set, view.set, index);
    let message = "the flag file is empty: the set has no flags";
    Some(Finding::warning("flagd-without-flags", at, message))
}
