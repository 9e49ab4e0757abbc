//! Flags that flagd could not evaluate, and breakers that hold them at what there is not.

use serde_json::Value;

use super::blame;
use super::near::{did_you_mean, nearest};
use super::{SetView, World, error, warning};
use crate::manifest::{Finding, Manifest};
use crate::model::{BreakerName, Choice, FLAGS_KEY, Flag, FlagName, Publish};
use targeting::Targeting;

mod differences;
mod outcome;
mod targeting;

pub(super) fn check(world: &World<'_>, findings: &mut Vec<Finding>) {
    for view in world.sets.values() {
        let Some(manifest) = view.manifest else {
            continue;
        };
        for (name, flag) in &view.set.flags {
            let declared = Declared {
                name,
                flag,
                manifest,
            };
            declared.variants(findings);
            findings.extend(declared.default_variant());
            declared.metadata(findings);
            if let Some(rule) = &flag.targeting {
                Targeting::new(declared, findings).check(rule);
            }
        }
        for (name, breaker) in &view.set.breakers {
            for (flag, choice) in &breaker.trip.flags {
                findings.extend(held(view, manifest, name, flag, choice));
            }
        }
        findings.extend(key_of_flags(view, manifest));
        findings.extend(without_flags(view, manifest));
    }
}

/// One flag, and where it is declared.
#[derive(Clone, Copy)]
struct Declared<'a> {
    name: &'a FlagName,
    flag: &'a Flag,
    manifest: &'a Manifest,
}

impl<'a> Declared<'a> {
    fn path(&self, inside: &[&'a str]) -> impl Iterator<Item = &'a str> + use<'a> {
        let above = ["spec", "flags", self.name.as_str()].into_iter();
        above.chain(inside.to_vec())
    }

    /// There is one, and all are of one type that flagd knows.
    fn variants(&self, findings: &mut Vec<Finding>) {
        let Self { name, flag, .. } = self;
        let places = &self.manifest.places;
        let at = |variant: &'a str| places.value(self.path(&["variants", variant]));
        if flag.variants.is_empty() {
            findings.push(
                Finding::error(
                    "flag-without-variants",
                    Some(places.value(self.path(&["variants"]))),
                    format!("flag `{name}` has no variant"),
                )
                .help("name at least one, as in `{\"on\": true, \"off\": false}`"),
            );
            return;
        }
        if flag.variants.contains_key("") {
            findings.push(error(
                "flag-variant-without-name",
                places.key(self.path(&["variants", ""])),
                format!("a variant of flag `{name}` has an empty name"),
            ));
        }
        // In the order in which they are written, so that the first sets the type.
        let mut variants: Vec<_> = flag.variants.iter().map(|(v, it)| (at(v), v, it)).collect();
        variants.sort_by_key(|(at, ..)| *at);
        let mut first = None;
        for (at, variant, value) in variants {
            let Some(kind) = kind(value) else {
                findings.push(
                    Finding::error(
                        "flag-variant-type",
                        Some(at),
                        format!("variant `{variant}` of flag `{name}` has no type that flagd has"),
                    )
                    .help("a variant is a boolean, a string, a number or a map"),
                );
                continue;
            };
            let (first_at, first_variant, first_kind) = *first.get_or_insert((at, variant, kind));
            if kind != first_kind {
                findings.push(
                    Finding::error(
                        "flag-variant-type",
                        Some(at),
                        format!("variants of flag `{name}` are of different types"),
                    )
                    .label(format!("this is {kind}"))
                    .related(first_at, format!("`{first_variant}` is {first_kind}")),
                );
            }
        }
    }

    fn default_variant(&self) -> Option<Finding> {
        let Self { name, flag, .. } = self;
        let variant = flag.default_variant.as_ref()?;
        if flag.variants.is_empty() || flag.variants.contains_key(variant) {
            return None;
        }
        let at = (self.manifest.places).value(self.path(&["defaultVariant"]));
        let message = format!("the default of flag `{name}` is `{variant}`, which is no variant");
        let mut finding = error("flag-unknown-variant", at, message);
        finding.help = variant_help(flag, variant);
        Some(finding)
    }

    /// Values that flagd passes on: no maps and no lists.
    fn metadata(&self, findings: &mut Vec<Finding>) {
        let Self { name, flag, .. } = self;
        let is_plain = |value: &Value| value.is_boolean() || value.is_number() || value.is_string();
        for (key, _) in flag.metadata.iter().filter(|(_, value)| !is_plain(value)) {
            let at = (self.manifest.places).value(self.path(&["metadata", key]));
            let message = format!("metadata `{key}` of flag `{name}` is no plain value");
            let help = "flagd passes on booleans, strings and numbers";
            findings.push(Finding::error("flag-metadata", Some(at), message).help(help));
        }
    }
}

/// The type of a variant, in words; `None` if flagd has no such type.
fn kind(value: &Value) -> Option<&'static str> {
    match value {
        Value::Bool(_) => Some("a boolean"),
        Value::String(_) => Some("a string"),
        Value::Number(_) => Some("a number"),
        Value::Object(_) => Some("a map"),
        Value::Null | Value::Array(_) => None,
    }
}

/// What was probably meant by something that is no variant of `flag`.
fn variant_help(flag: &Flag, wanted: &str) -> Vec<String> {
    let names = || flag.variants.keys().map(String::as_str);
    vec![match nearest(wanted, names()) {
        Some(guess) => did_you_mean(guess),
        None => format!(
            "the variants are: {}",
            names().collect::<Vec<_>>().join(", ")
        ),
    }]
}

/// What is wrong with holding `flag` at `choice` while `breaker` is open.
fn held(
    view: &SetView<'_>,
    manifest: &Manifest,
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
        let mut finding = error("breaker-unknown-flag", manifest.places.key(path), message);
        let names = view.set.flags.keys().map(FlagName::as_str);
        finding.help = match nearest(flag.as_str(), names) {
            Some(guess) => vec![did_you_mean(guess)],
            None => vec![format!("declare `{flag}` in `spec.flags`")],
        };
        return Some(finding);
    };
    if declared.variants.is_empty() || choice.of(declared).is_some() {
        return None;
    }
    let (message, help) = match choice {
        Choice::Boolean(on) => (
            format!("breaker `{breaker}` holds flag `{flag}` at {on}, which no variant is"),
            vec!["name the variant that it is held at".to_owned()],
        ),
        Choice::Variant(variant) => (
            format!("breaker `{breaker}` holds flag `{flag}` at `{variant}`, which is no variant"),
            variant_help(declared, variant),
        ),
    };
    let mut finding = error(
        "breaker-unknown-variant",
        manifest.places.value(path),
        message,
    );
    finding.help = help;
    let path = ["spec", "flags", flag.as_str()];
    finding.related = vec![(manifest.places.key(path), "the flag is here".to_owned())];
    Some(finding)
}

/// Beside the values, flags are published under a key that values may not have then.
fn key_of_flags(view: &SetView<'_>, manifest: &Manifest) -> Option<Finding> {
    if view.set.flags.is_empty() || !view.set.values.contains_key(FLAGS_KEY) {
        return None;
    }
    let at = manifest.places.key(["spec", "values", FLAGS_KEY]);
    let message = format!("`{FLAGS_KEY}` is where the flags are published beside the values");
    let finding = Finding::error("flags-key-taken", Some(at), message)
        .related(manifest.places.key(["spec", "flags"]), "the set has flags")
        .help("rename the value");
    Some(finding)
}

/// A flag file that would have no flag in it.
fn without_flags(view: &SetView<'_>, manifest: &Manifest) -> Option<Finding> {
    if !view.set.flags.is_empty() {
        return None;
    }
    let is_flagd = |publish: &Publish| matches!(publish, Publish::Flagd { .. });
    let index = view.set.publish.iter().position(is_flagd)?;
    let at = blame::publish(view.set, manifest, index);
    let message = "the flag file is empty: the set has no flags".to_owned();
    Some(warning("flagd-without-flags", at, message))
}
