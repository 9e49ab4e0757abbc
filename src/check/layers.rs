//! What layers and breakers may touch, and whether anyone gets it.

use serde_json::Value;

use super::finding::{Finding, Side, Spot};
use super::near::{did_you_mean, nearest};
use super::world::{SetView, World};
use crate::model::value::{Map, Path};
use crate::model::{Labels, Requirement, Selector, SetName};

pub(super) fn check(world: &World<'_>, findings: &mut Vec<Finding>) {
    for (&set, view) in world
        .sets
        .iter()
        .filter(|(_, view)| view.standing.is_declared())
    {
        for (index, layer) in view.set.layers.iter().enumerate() {
            let mut touched = Touched {
                who: format!("layer `{}`", layer.name),
                codes: ["layer-unknown-key", "layer-other-shape"],
                above: &["spec", "layers", &index.to_string(), "values"],
                set,
                findings,
            };
            touched.map(&layer.values, &view.set.values, &Path::default());
        }
        for (name, breaker) in &view.set.breakers {
            let mut touched = Touched {
                who: format!("breaker `{name}`"),
                codes: ["breaker-unknown-key", "breaker-other-shape"],
                above: &["spec", "breakers", name.as_str(), "trip", "values"],
                set,
                findings,
            };
            touched.map(&breaker.trip.values, &view.set.values, &Path::default());
        }
        if !world.clusters.is_empty() {
            selectors(world, set, view, findings);
        }
    }
}

/// What one layer or breaker says, compared with the defaults.
struct Touched<'a> {
    /// The layer or breaker, in words.
    who: String,
    /// The codes of a key that the defaults do not have, and of one that has another shape there.
    codes: [&'static str; 2],
    /// Where its values stand in the manifest.
    above: &'a [&'a str],
    set: &'a SetName,
    findings: &'a mut Vec<Finding>,
}

impl Touched<'_> {
    fn map(&mut self, over: &Map, defaults: &Map, at: &Path) {
        for (key, value) in over {
            let path = at.join(key);
            match (defaults.get(key), value) {
                (None, _) => self.unknown(key, defaults, &path),
                (Some(Value::Object(defaults)), Value::Object(over)) => {
                    self.map(over, defaults, &path);
                }
                (Some(default), _) if default.is_object() || value.is_object() => {
                    self.other_shape(default, value, &path);
                }
                (Some(_), _) => {}
            }
        }
    }

    fn unknown(&mut self, key: &str, siblings: &Map, path: &Path) {
        let message = format!("{} sets `{path}`, which the defaults do not have", self.who);
        let siblings = siblings.keys().map(String::as_str);
        let help = match nearest(key, siblings) {
            Some(guess) => did_you_mean(guess),
            None => format!("add `{path}` to `spec.values`"),
        };
        self.findings.push(
            Finding::error(self.codes[0], self.spot(Side::Key, path), message)
                .label("not among the defaults")
                .help(help),
        );
    }

    fn other_shape(&mut self, default: &Value, value: &Value, path: &Path) {
        let message = format!(
            "{} replaces `{path}`, {} in the defaults, by {}",
            self.who,
            shape(default),
            shape(value)
        );
        let defaults = ["spec", "values"].into_iter();
        let default = defaults.chain(path.segments().iter().map(String::as_str));
        self.findings.push(
            Finding::error(self.codes[1], self.spot(Side::Value, path), message)
                .related(Spot::key(self.set, default), "the default is here")
                .help("keep the shape of the default, or change it in `spec.values`"),
        );
    }

    /// Where the key at `path` is declared, or its value.
    fn spot(&self, side: Side, path: &Path) -> Spot {
        let above = self.above.iter().copied();
        let path = above.chain(path.segments().iter().map(String::as_str));
        Spot::of_set(self.set, side, path)
    }
}

fn shape(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "a map",
    }
}

/// Selectors that choose nothing: nearly always a label that is spelled differently.
fn selectors(world: &World<'_>, set: &SetName, view: &SetView<'_>, findings: &mut Vec<Finding>) {
    let all = || world.clusters.values().map(|view| &view.cluster.labels);
    let chosen: Vec<_> = all()
        .filter(|labels| view.set.clusters.matches(labels))
        .collect();
    if chosen.is_empty() {
        let mut finding = Finding::warning(
            "selector-matches-nothing",
            Spot::value(set, ["spec", "clusters"]),
            format!("`{}` matches no cluster", view.set.clusters),
        )
        .label("the set goes nowhere");
        finding.help = selector_help(&view.set.clusters, all);
        findings.push(finding);
    }
    for (name, breaker) in &view.set.breakers {
        let separately = &breaker.separately;
        if !separately.is_empty() && !all().any(|labels| separately.matches(labels)) {
            let path = ["spec", "breakers", name.as_str(), "separately"];
            let mut finding = Finding::warning(
                "selector-matches-nothing",
                Spot::value(set, path),
                format!("`{separately}` matches no cluster"),
            )
            .label("the breaker is tripped everywhere or nowhere");
            finding.help = selector_help(separately, all);
            findings.push(finding);
        }
    }
    for (name, breaker) in &view.set.breakers {
        let Some(label) = &breaker.cluster else {
            continue;
        };
        if chosen.is_empty() || chosen.iter().any(|labels| labels.contains_key(label)) {
            continue;
        }
        let path = ["spec", "breakers", name.as_str(), "cluster"];
        let message = format!("no cluster that gets the set has the label `{label}`");
        let help = format!("give clusters the label `{label}`, with what alerts call them");
        findings.push(
            Finding::warning("selector-matches-nothing", Spot::value(set, path), message)
                .label("no alert trips the breaker")
                .help(help),
        );
    }
    for (index, layer) in view.set.layers.iter().enumerate() {
        let index = index.to_string();
        let at = Spot::value(set, ["spec", "layers", &index, "when"]);
        if !all().any(|labels| layer.when.matches(labels)) {
            let message = format!(
                "layer `{}` matches no cluster: `{}`",
                layer.name, layer.when
            );
            let code = "selector-matches-nothing";
            let mut finding = Finding::warning(code, at, message);
            finding.help = selector_help(&layer.when, all);
            findings.push(finding);
        } else if !chosen.is_empty() && !chosen.iter().any(|labels| layer.when.matches(labels)) {
            let message = format!(
                "layer `{}` matches only clusters that the set does not go to",
                layer.name
            );
            let code = "layer-never-used";
            let clusters = Spot::value(set, ["spec", "clusters"]);
            findings.push(
                Finding::warning(code, at, message).related(clusters, "the set goes only here"),
            );
        }
    }
}

/// What to do about a selector that matches none of `clusters`.
fn selector_help<'a, I: Iterator<Item = &'a Labels>>(
    selector: &Selector,
    clusters: impl Fn() -> I,
) -> Vec<String> {
    let mut help = Vec::new();
    for requirement in selector.requirements() {
        let alone = Selector::new([requirement.clone()]);
        if clusters().any(|labels| alone.matches(labels)) {
            continue;
        }
        let (Requirement::In(key, _)
        | Requirement::NotIn(key, _)
        | Requirement::Exists(key)
        | Requirement::Missing(key)) = requirement;
        let mut values: Vec<_> = clusters()
            .filter_map(|labels| labels.get(key).map(String::as_str))
            .collect();
        values.sort_unstable();
        values.dedup();
        let guess = match requirement {
            Requirement::In(_, wanted) if !values.is_empty() => (wanted.iter())
                .find_map(|wanted| nearest(wanted, values.iter().copied()))
                .map(|value| format!("{key}={value}")),
            _ if values.is_empty() => {
                let keys = clusters().flat_map(|labels| labels.keys().map(String::as_str));
                nearest(key, keys).map(str::to_owned)
            }
            _ => None,
        };
        help.push(match guess {
            Some(guess) => did_you_mean(&guess),
            None if values.is_empty() => format!("no cluster has the label `{key}`"),
            None => format!("the clusters have `{key}`: {}", few(&values)),
        });
    }
    if help.is_empty() {
        help.push("each part of it matches some cluster, but no cluster matches all".to_owned());
    }
    help
}

fn few(values: &[&str]) -> String {
    const SHOWN: usize = 8;
    match values.len().saturating_sub(SHOWN) {
        0 => values.join(", "),
        more => format!("{} and {more} more", values[..SHOWN].join(", ")),
    }
}
