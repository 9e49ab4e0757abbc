//! Labels and the selectors that match them, as Kubernetes writes both.
//!
//! See <https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/>.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a cluster or a set is, for selectors: region, stage, market, team …
pub type Labels = BTreeMap<String, String>;

/// The longest label key or value.
const MAX_LABEL_BYTES: usize = 63;
/// The most requirements in one selector; people write three.
const MAX_REQUIREMENTS: usize = 64;

/// A selector, label key or label value that does not follow the rules.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not a {what}: {reason}", .input.escape_debug())]
pub struct SelectorError {
    input: String,
    what: &'static str,
    /// The rule that is broken, as a sentence without a period.
    pub reason: &'static str,
}

impl SelectorError {
    fn new(input: &str, what: &'static str, reason: &'static str) -> Self {
        Self {
            input: input.chars().take(80).collect(),
            what,
            reason,
        }
    }
}

/// One condition of a selector.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Requirement {
    /// `key=value`, `key in (a,b)`: the label is there and has one of these values.
    In(String, BTreeSet<String>),
    /// `key!=value`, `key notin (a,b)`: the label is missing or has none of these values.
    NotIn(String, BTreeSet<String>),
    /// `key`: the label is there.
    Exists(String),
    /// `!key`: the label is missing.
    Missing(String),
}

impl Requirement {
    fn matches(&self, labels: &Labels) -> bool {
        match self {
            Self::In(key, values) => labels.get(key).is_some_and(|value| values.contains(value)),
            Self::NotIn(key, values) => labels.get(key).is_none_or(|value| !values.contains(value)),
            Self::Exists(key) => labels.contains_key(key),
            Self::Missing(key) => !labels.contains_key(key),
        }
    }

    /// Whether `needed` holds wherever this does.
    fn implies(&self, needed: &Self) -> bool {
        match (self, needed) {
            (Self::In(key, values), Self::In(same, allowed)) => {
                key == same && values.is_subset(allowed)
            }
            (Self::In(key, values), Self::NotIn(same, refused)) => {
                key == same && values.is_disjoint(refused)
            }
            (Self::In(key, _) | Self::Exists(key), Self::Exists(same))
            | (Self::Missing(key), Self::Missing(same) | Self::NotIn(same, _)) => key == same,
            (Self::NotIn(key, values), Self::NotIn(same, refused)) => {
                key == same && refused.is_subset(values)
            }
            _ => false,
        }
    }

    fn parse(input: &str) -> Result<Self, SelectorError> {
        let input = input.trim();
        if let Some((key, values)) = split_set(input, " notin ") {
            return Ok(Self::NotIn(label_key(key)?, value_set(values)?));
        }
        if let Some((key, values)) = split_set(input, " in ") {
            return Ok(Self::In(label_key(key)?, value_set(values)?));
        }
        if let Some((key, value)) = input.split_once("!=") {
            return Ok(Self::NotIn(label_key(key)?, [label_value(value)?].into()));
        }
        if let Some((key, value)) = input.split_once("==").or_else(|| input.split_once('=')) {
            return Ok(Self::In(label_key(key)?, [label_value(value)?].into()));
        }
        if let Some(key) = input.strip_prefix('!') {
            return Ok(Self::Missing(label_key(key)?));
        }
        Ok(Self::Exists(label_key(input)?))
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |values: &BTreeSet<String>| {
            values
                .iter()
                .map(String::as_str)
                .collect::<Vec<_>>()
                .join(",")
        };
        match self {
            Self::In(key, values) if values.len() == 1 => write!(f, "{key}={}", list(values)),
            Self::In(key, values) => write!(f, "{key} in ({})", list(values)),
            Self::NotIn(key, values) if values.len() == 1 => write!(f, "{key}!={}", list(values)),
            Self::NotIn(key, values) => write!(f, "{key} notin ({})", list(values)),
            Self::Exists(key) => f.write_str(key),
            Self::Missing(key) => write!(f, "!{key}"),
        }
    }
}

/// `key in (a,b)` → `key` and `(a,b)`.
fn split_set<'a>(input: &'a str, operator: &str) -> Option<(&'a str, &'a str)> {
    let open = input.find('(')?;
    let (head, values) = input.split_at(open);
    let head = format!("{} ", head.trim_end());
    head.ends_with(operator)
        .then(|| (&input[..head.len() - operator.len()], values))
}

fn value_set(input: &str) -> Result<BTreeSet<String>, SelectorError> {
    let inner = input
        .trim()
        .strip_prefix('(')
        .and_then(|rest| rest.strip_suffix(')'))
        .ok_or_else(|| SelectorError::new(input, "list of values", "it lacks its parentheses"))?;
    inner.split(',').map(label_value).collect()
}

fn label_key(input: &str) -> Result<String, SelectorError> {
    let input = input.trim();
    check_label_key(input).map(|()| input.to_owned())
}

fn label_value(input: &str) -> Result<String, SelectorError> {
    let input = input.trim();
    check_label_value(input).map(|()| input.to_owned())
}

/// Says why `input` is not the key of a label, if it is not.
pub fn check_label_key(input: &str) -> Result<(), SelectorError> {
    let reject = |reason| Err(SelectorError::new(input, "label key", reason));
    match input.split_once('/') {
        Some((domain, name)) if !domain.is_empty() => {
            if domain.len() > 253 {
                return reject("its prefix is longer than 253 bytes");
            }
            check_part(domain).or_else(reject)?;
            check_part(name).or_else(reject)
        }
        _ => check_part(input).or_else(reject),
    }
}

/// Says why `input` is not the value of a label, if it is not. An empty value is one.
pub fn check_label_value(input: &str) -> Result<(), SelectorError> {
    if input.is_empty() {
        return Ok(());
    }
    check_part(input).map_err(|reason| SelectorError::new(input, "label value", reason))
}

fn check_part(input: &str) -> Result<(), &'static str> {
    let alphanumeric = |byte: &u8| byte.is_ascii_alphanumeric();
    match input.as_bytes() {
        [] => Err("it is empty"),
        bytes if bytes.len() > MAX_LABEL_BYTES && !input.contains('.') => {
            Err("it is longer than 63 bytes")
        }
        bytes
            if !bytes
                .iter()
                .all(|byte| alphanumeric(byte) || b"-_.".contains(byte)) =>
        {
            Err("only letters, digits, `-`, `_` and `.` are allowed")
        }
        [first, .., last] if !alphanumeric(first) || !alphanumeric(last) => {
            Err("it must start and end with a letter or digit")
        }
        [only] if !alphanumeric(only) => Err("it must start and end with a letter or digit"),
        _ => Ok(()),
    }
}

/// Chooses clusters or sets by their labels: every requirement must hold. The empty selector takes all.
#[derive(
    Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schemars(extend("examples" = ["stage=prod,region!=eu"]))]
pub struct Selector(Vec<Requirement>);

impl Selector {
    /// A selector of these requirements, in an order of its own.
    pub fn new(requirements: impl IntoIterator<Item = Requirement>) -> Self {
        let sorted: BTreeSet<_> = requirements.into_iter().collect();
        Self(sorted.into_iter().collect())
    }

    /// Whether all labels match, whatever they are.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The requirements, sorted.
    pub fn requirements(&self) -> &[Requirement] {
        &self.0
    }

    /// Whether every requirement holds for `labels`.
    pub fn matches(&self, labels: &Labels) -> bool {
        self.0.iter().all(|requirement| requirement.matches(labels))
    }

    /// Whether everything that `other` matches is certain to match here too. Requirements are
    /// compared one by one, and what cannot be seen that way is no.
    pub fn covers(&self, other: &Self) -> bool {
        let follows = |needed: &Requirement| other.0.iter().any(|known| known.implies(needed));
        self.0.iter().all(follows)
    }
}

impl FromStr for Selector {
    type Err = SelectorError;

    fn from_str(input: &str) -> Result<Self, SelectorError> {
        if input.trim().is_empty() {
            return Ok(Self::default());
        }
        let parts = split_requirements(input);
        if parts.len() > MAX_REQUIREMENTS {
            return Err(SelectorError::new(
                input,
                "selector",
                "it has more than 64 requirements",
            ));
        }
        parts
            .into_iter()
            .map(Requirement::parse)
            .collect::<Result<Vec<_>, _>>()
            .map(Self::new)
    }
}

/// Splits at the commas that are not inside parentheses.
fn split_requirements(input: &str) -> Vec<&str> {
    let mut inside = false;
    input
        .split(|character| {
            match character {
                '(' => inside = true,
                ')' => inside = false,
                _ => {}
            }
            character == ',' && !inside
        })
        .collect()
}

impl TryFrom<String> for Selector {
    type Error = SelectorError;

    fn try_from(input: String) -> Result<Self, SelectorError> {
        input.parse()
    }
}

impl From<Selector> for String {
    fn from(selector: Selector) -> Self {
        selector.to_string()
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, requirement) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(",")?;
            }
            write!(f, "{requirement}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn matches(selector: &str, labels: &[(&str, &str)]) -> bool {
        let labels = labels
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect();
        selector.parse::<Selector>().unwrap().matches(&labels)
    }

    #[test]
    fn every_form_of_kubernetes_matches_as_there() {
        let prod = [("stage", "prod"), ("region", "eu")];
        for selector in [
            "",
            "stage=prod",
            "stage==prod",
            "stage = prod , region!=us",
            "stage in (dev, prod)",
            "stage in(prod)",
            "region notin (us,ap),stage",
            "!market",
            "market!=de",
            "market notin (de)",
        ] {
            assert!(matches(selector, &prod), "{selector}");
        }
        for selector in [
            "stage=dev",
            "market",
            "!stage",
            "stage!=prod",
            "region notin (eu)",
        ] {
            assert!(!matches(selector, &prod), "{selector}");
        }
    }

    #[test]
    fn a_selector_reads_back_as_it_was_written() {
        for text in ["stage=prod", "a in (b,c),d!=e,f notin (g,h),i,!j", ""] {
            let selector: Selector = text.parse().unwrap();
            assert_eq!(selector.to_string().parse::<Selector>().unwrap(), selector);
        }
    }

    #[test]
    fn a_selector_covers_another_where_that_can_be_seen() {
        let covers = |wide: &str, narrow: &str| {
            let [wide, narrow]: [Selector; 2] = [wide, narrow].map(|text| text.parse().unwrap());
            wide.covers(&narrow)
        };
        for (wide, narrow) in [
            ("", ""),
            ("", "stage=prod"),
            ("stage=prod", "stage=prod,region=eu"),
            ("stage in (a,b)", "stage=a"),
            ("stage", "stage=a"),
            ("stage!=a", "stage=b"),
            ("stage!=a", "stage notin (a,b)"),
            ("stage!=a", "!stage"),
        ] {
            assert!(covers(wide, narrow), "{wide} covers {narrow}");
        }
        for (wide, narrow) in [
            ("stage=prod", ""),
            ("stage=prod", "region=eu"),
            ("stage=a", "stage in (a,b)"),
            ("stage=a", "stage"),
            ("stage", "stage!=a"),
            ("stage notin (a,b)", "stage!=a"),
            ("!stage", "stage!=a"),
            ("stage=a,region=eu", "stage=a"),
        ] {
            assert!(!covers(wide, narrow), "{wide} covers {narrow}");
        }
    }

    fn requirement() -> impl Strategy<Value = Requirement> {
        let key = || prop::sample::select(vec!["a".to_owned(), "b".to_owned()]);
        let value = || prop::sample::select(vec!["x".to_owned(), "y".to_owned(), "z".to_owned()]);
        let values = move || prop::collection::btree_set(value(), 1..3);
        prop_oneof![
            (key(), values()).prop_map(|(key, values)| Requirement::In(key, values)),
            (key(), values()).prop_map(|(key, values)| Requirement::NotIn(key, values)),
            key().prop_map(Requirement::Exists),
            key().prop_map(Requirement::Missing),
        ]
    }

    proptest! {
        #[test]
        fn what_a_covered_selector_matches_the_other_one_matches(
            wide in prop::collection::vec(requirement(), 0..3),
            narrow in prop::collection::vec(requirement(), 0..4),
            labels in prop::collection::btree_map("[ab]", "[wxyz]", 0..3),
        ) {
            let (wide, narrow) = (Selector::new(wide), Selector::new(narrow));
            if wide.covers(&narrow) && narrow.matches(&labels) {
                prop_assert!(wide.matches(&labels));
            }
        }
    }

    #[test]
    fn what_is_no_selector_is_refused() {
        for text in [
            "=a", "a=b,", ",", "a in (b", "a in b)", "a b", "-a=b", "a=b c", "a=(b)",
        ] {
            assert!(text.parse::<Selector>().is_err(), "{text}");
        }
    }
}
