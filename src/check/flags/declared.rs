//! One flag: its variants, its default and its metadata.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde_json::Value;

use crate::check::finding::{Finding, Spot};
use crate::check::near::{did_you_mean, nearest};
use crate::model::{Flag, FlagName, SetName};

/// One flag, and where it is declared.
#[derive(Clone, Copy)]
pub(super) struct Declared<'a> {
    pub(super) set: &'a SetName,
    pub(super) name: &'a FlagName,
    pub(super) flag: &'a Flag,
}

impl<'a> Declared<'a> {
    pub(super) fn path(&self, inside: &[&'a str]) -> impl Iterator<Item = &'a str> + use<'a> {
        let above = ["spec", "flags", self.name.as_str()].into_iter();
        above.chain(inside.to_vec())
    }

    fn value(&self, inside: &[&'a str]) -> Spot {
        Spot::value(self.set, self.path(inside))
    }

    /// There is one, and all are of one type that flagd knows.
    pub(super) fn variants(&self, findings: &mut Vec<Finding>) {
        let Self { set, name, flag } = self;
        if flag.variants.is_empty() {
            let message = format!("flag `{name}` has no variant");
            let finding =
                Finding::error("flag-without-variants", self.value(&["variants"]), message);
            findings
                .push(finding.help("name at least one, as in `{\"on\": true, \"off\": false}`"));
            return;
        }
        if flag.variants.contains_key("") {
            findings.push(Finding::error(
                "flag-variant-without-name",
                Spot::key(set, self.path(&["variants", ""])),
                format!("a variant of flag `{name}` has an empty name"),
            ));
        }
        let model = model(flag);
        for (variant, value) in &flag.variants {
            let at = self.value(&["variants", variant]);
            let Some(kind) = kind(value) else {
                let message =
                    format!("variant `{variant}` of flag `{name}` has no type that flagd has");
                let finding = Finding::error("flag-variant-type", at, message);
                findings.push(finding.help("a variant is a boolean, a string, a number or a map"));
                continue;
            };
            if let Some((other, usual)) = model.filter(|(_, usual)| *usual != kind) {
                let message = format!("variants of flag `{name}` are of different types");
                findings.push(
                    Finding::error("flag-variant-type", at, message)
                        .label(format!("this is {kind}"))
                        .related(
                            self.value(&["variants", other]),
                            format!("`{other}` is {usual}"),
                        ),
                );
            }
        }
    }

    pub(super) fn default_variant(&self) -> Option<Finding> {
        let Self { name, flag, .. } = self;
        let variant = flag.default_variant.as_ref()?;
        if flag.variants.is_empty() || flag.variants.contains_key(variant) {
            return None;
        }
        let at = self.value(&["defaultVariant"]);
        let message = format!("the default of flag `{name}` is `{variant}`, which is no variant");
        let finding = Finding::error("flag-unknown-variant", at, message);
        Some(finding.help(variant_help(flag, variant)))
    }

    /// Values that flagd passes on: no maps and no lists.
    pub(super) fn metadata(&self, findings: &mut Vec<Finding>) {
        let Self { name, flag, .. } = self;
        let is_plain = |value: &Value| value.is_boolean() || value.is_number() || value.is_string();
        for (key, _) in flag.metadata.iter().filter(|(_, value)| !is_plain(value)) {
            let at = self.value(&["metadata", key]);
            let message = format!("metadata `{key}` of flag `{name}` is no plain value");
            let help = "flagd passes on booleans, strings and numbers";
            findings.push(Finding::error("flag-metadata", at, message).help(help));
        }
    }
}

/// The variant that the others are compared with, and its type: the first by name of the type that
/// most of them have. One without a name is wrong itself, and stands for others only if it is alone.
fn model(flag: &Flag) -> Option<(&str, &'static str)> {
    let mut of_kind: BTreeMap<&'static str, Vec<&str>> = BTreeMap::new();
    for (variant, value) in &flag.variants {
        if let Some(kind) = kind(value) {
            of_kind.entry(kind).or_default().push(variant);
        }
    }
    let (kind, variants) = (of_kind.into_iter())
        .max_by_key(|(_, variants)| (variants.len(), Reverse(variants.first().copied())))?;
    let mut named = variants.iter().filter(|variant| !variant.is_empty());
    Some((named.next().or(variants.first())?, kind))
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
pub(super) fn variant_help(flag: &Flag, wanted: &str) -> String {
    let names = || flag.variants.keys().map(String::as_str);
    match nearest(wanted, names()) {
        Some(guess) => did_you_mean(guess),
        None => format!(
            "the variants are: {}",
            names().collect::<Vec<_>>().join(", ")
        ),
    }
}
