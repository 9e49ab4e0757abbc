//! The schema of a set, and the values that break it. The only module that knows the schema crate.

use std::collections::BTreeSet;

use jsonschema::error::ValidationErrorKind as Kind;
use jsonschema::{Draft, PatternOptions, ValidationError, Validator};
use serde_json::Value;

use super::blame::Blame;
use super::finding::{Finding, Side, Spot};
use super::gathered::{Gathered, at_home};
use super::near::{did_you_mean, nearest};
use super::rendering::{Known, Rendering};
use super::world::Standing;
use crate::model::SetName;
use crate::model::value::{Map, Path};
use cost::{Allowance, Costs, Faults};
use excess::{Excess, TooMuch};
use refs::Refs;

mod compiling;
mod cost;
mod excess;
mod keywords;
mod pattern;
mod refs;

/// The most findings of one set that are shown; nobody reads more at once.
const MAX_FINDINGS: usize = 50;
/// The longest message; a schema may list a thousand allowed values.
const MAX_MESSAGE_CHARS: usize = 300;
/// The longest value that a message quotes.
const MAX_QUOTED_CHARS: usize = 60;
/// The most memory for one compiled pattern: enough for every pattern that a person wrote.
const MAX_PATTERN_BYTES: usize = 1024 * 1024;
/// The most parts of a schema of which everything is listed that is wrong.
const MAX_LISTED_PARTS: usize = 20_000;
/// What holds values and not schemas.
const DATA: &[&str] = &["const", "enum", "default", "examples"];
/// Where a manifest has its schema.
const PLACE: [&str; 2] = ["spec", "schema"];
/// How a schema says that it is one of ours, if it says it.
const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

pub(super) fn check(renderings: &[Rendering<'_>], findings: &mut Vec<Finding>) {
    let mut left = Allowance::default();
    for of_one_set in renderings.chunk_by(|a, b| a.name == b.name) {
        let is_due = |rendering: &&Rendering<'_>| rendering.known == Known::No;
        let Some(first) = of_one_set.iter().find(is_due) else {
            continue;
        };
        let &Rendering { name, view, .. } = first;
        let Some(schema) = &view.set.schema else {
            continue;
        };
        // What is stored was once within what all that is declared together may cost.
        let mut own = Allowance::default();
        let left = match view.standing {
            Standing::Stored => &mut own,
            Standing::Declared | Standing::Redeclared => &mut left,
        };
        let found = compile(schema, *left).and_then(|(validator, mut costs)| {
            let found = violations(&validator, &mut costs, name, of_one_set);
            *left = costs.leaves(*left);
            found.map_err(|too_much| vec![costly(schema, &too_much)])
        });
        let found = found.unwrap_or_else(|faults| {
            let faults = faults.into_iter();
            let findings = faults.map(|fault| fault.finding(name));
            let at_home = |finding| at_home(finding, first, &first.new);
            findings.map(at_home).collect()
        });
        let more = found.len().saturating_sub(MAX_FINDINGS);
        findings.extend(found.into_iter().take(MAX_FINDINGS));
        if more > 0 {
            let message = format!("the schema finds {more} more faults");
            let finding = Finding::error("schema-more", Spot::value(name, PLACE), message);
            findings.push(at_home(finding, first, &first.new));
        }
    }
}

/// Something that is wrong with a schema itself.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Fault {
    /// Where inside the schema.
    path: Path,
    code: &'static str,
    message: String,
    help: Option<&'static str>,
}

impl Fault {
    fn new(path: Path, code: &'static str, message: String) -> Self {
        Self {
            path,
            code,
            message: short(message),
            help: None,
        }
    }

    fn finding(self, set: &SetName) -> Finding {
        let inside = self.path.segments().iter().map(String::as_str);
        let at = Spot::value(set, PLACE.into_iter().chain(inside));
        let message = if self.path.segments().is_empty() {
            self.message
        } else {
            format!("`{}` in the schema: {}", self.path, self.message)
        };
        let finding = Finding::error(self.code, at, message)
            // Where in such a file is not known, but which file is.
            .related(Spot::of_set(set, Side::File, PLACE), "the schema");
        match self.help {
            Some(help) => finding.help(help),
            None => finding,
        }
    }
}

/// The schema, ready to check values, with what that will cost; or all that is wrong with it.
fn compile(schema: &Value, left: Allowance) -> Result<(Validator, Costs<'_>), Vec<Fault>> {
    if let Some(dialect) = schema.get("$schema") {
        let known = dialect.as_str().map(|text| text.trim_end_matches('#')) == Some(DIALECT);
        if !known {
            let path = ["$schema"].into_iter().collect();
            let message = format!("{} is not JSON Schema 2020-12", quoted(dialect));
            let mut fault = Fault::new(path, "schema-invalid", message);
            fault.help = Some("write the schema for https://json-schema.org/draft/2020-12/schema");
            return Err(vec![fault]);
        }
    }
    let mut parts = MAX_LISTED_PARTS;
    let rules = jsonschema::draft202012::meta::validator();
    // Listing what is wrong takes several times as long as seeing that nothing is.
    let invalid: Vec<_> = if rules.is_valid(schema) {
        Vec::new()
    } else if is_small(schema, &mut parts) {
        rules.iter_errors(schema).collect()
    } else {
        rules.validate(schema).err().into_iter().collect()
    };
    let invalid: BTreeSet<_> = (invalid.into_iter())
        .map(|error| {
            // The meta-schema has alternatives only where the first of them says enough.
            let first = match error.kind() {
                Kind::AnyOf { context } => context.iter().flatten().next(),
                _ => None,
            };
            let message = worded(first.unwrap_or(&error));
            Fault::new(path_of(&error), "schema-invalid", message)
        })
        .collect();
    if !invalid.is_empty() {
        return Err(invalid.into_iter().collect());
    }
    let refs = Refs::of(schema);
    let mut broken = Vec::new();
    broken_references(&refs, schema, &Path::default(), &mut broken);
    if !broken.is_empty() {
        return Err(broken);
    }
    let costs = Costs::of(refs, left).map_err(|too_much| vec![costly(schema, &too_much)])?;
    // This engine is linear in the text, so no pattern and no value can make a check hang.
    let patterns = PatternOptions::regex()
        .size_limit(MAX_PATTERN_BYTES)
        .dfa_size_limit(MAX_PATTERN_BYTES);
    jsonschema::options()
        .with_draft(Draft::Draft202012)
        .with_pattern_options(patterns)
        .should_validate_formats(true)
        .build(schema)
        .map(|validator| (validator, costs))
        .map_err(|error| uncompiled(&error))
}

/// Whether a schema has few enough parts that everything wrong with it can be listed; `left` is
/// what is left of them.
fn is_small(part: &Value, left: &mut usize) -> bool {
    let Some(less) = left.checked_sub(1) else {
        return false;
    };
    *left = less;
    match part {
        Value::Object(map) => map.values().all(|value| is_small(value, left)),
        Value::Array(items) => items.iter().all(|item| is_small(item, left)),
        _ => true,
    }
}

/// A schema that would go on for too long.
fn costly(schema: &Value, TooMuch { at, of }: &TooMuch<'_>) -> Fault {
    let path = path_to(schema, at).unwrap_or_default();
    let message = match of {
        Excess::Steps => "looking at the values takes too many steps from here on",
        Excess::Parts => "it takes too many parts to follow what is unevaluated from here on",
        Excess::Patterns => "the patterns take too much memory together",
        Excess::Depth => "definitions refer to each other too deeply from here on",
    };
    let mut fault = Fault::new(path, "schema-too-costly", message.to_owned());
    fault.help = Some("what refers twice to what refers twice to something doubles with each step");
    fault
}

/// Where in `whole` the part stands that `wanted` is.
fn path_to(whole: &Value, wanted: &Value) -> Option<Path> {
    if std::ptr::eq(whole, wanted) {
        return Some(Path::default());
    }
    let inside: Vec<(String, &Value)> = match whole {
        Value::Object(map) => (map.iter())
            .map(|(key, value)| (key.clone(), value))
            .collect(),
        Value::Array(items) => (items.iter().enumerate())
            .map(|(index, item)| (index.to_string(), item))
            .collect(),
        _ => Vec::new(),
    };
    inside.into_iter().find_map(|(step, part)| {
        let rest = path_to(part, wanted)?;
        let path = std::iter::once(step).chain(rest.segments().iter().cloned());
        Some(path.collect())
    })
}

/// Why a schema that follows the rules still cannot be used.
fn uncompiled(error: &ValidationError<'_>) -> Vec<Fault> {
    match error.kind() {
        Kind::Referencing(cause) => {
            let message = cause.to_string();
            vec![Fault::new(Path::default(), "schema-reference", message)]
        }
        Kind::Format { format } if format == "regex" => {
            let message = format!("{} is not a pattern", quoted(error.instance()));
            let mut fault = Fault::new(path_of(error), "schema-invalid", message);
            fault.help =
                Some("look-around, back-references and huge repetitions are not supported");
            vec![fault]
        }
        _ => vec![Fault::new(path_of(error), "schema-invalid", worded(error))],
    }
}

/// Every reference that leads out of the document, or to nothing in it.
fn broken_references(refs: &Refs<'_>, part: &Value, at: &Path, faults: &mut Vec<Fault>) {
    match part {
        Value::Object(map) => {
            for (key, value) in map {
                let path = at.join(key);
                match value.as_str() {
                    Some(to) if key == "$ref" || key == "$dynamicRef" => {
                        faults.extend(broken_reference(refs, to, path));
                    }
                    _ if DATA.contains(&key.as_str()) => {}
                    _ => broken_references(refs, value, &path, faults),
                }
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                broken_references(refs, item, &at.join(&index.to_string()), faults);
            }
        }
        _ => {}
    }
}

fn broken_reference(refs: &Refs<'_>, to: &str, path: Path) -> Option<Fault> {
    if !refs.targets(to).is_empty() {
        return None;
    }
    let shown = quoted(&Value::from(to));
    if to.starts_with('#') {
        let message = format!("{shown} leads to nothing");
        return Some(Fault::new(path, "schema-reference", message));
    }
    let message = format!("{shown} is outside of the schema");
    let mut fault = Fault::new(path, "schema-reference", message);
    fault.help = Some(
        "put what it refers to under `$defs`, so that the schema of an old revision can always be \
         read",
    );
    Some(fault)
}

/// Everything in any content of one set that breaks the schema, sorted by place.
fn violations<'s>(
    validator: &Validator,
    costs: &mut Costs<'s>,
    set: &SetName,
    renderings: &[Rendering<'_>],
) -> Result<Vec<Finding>, TooMuch<'s>> {
    let mut found = Gathered::default();
    for rendering in renderings {
        let due = Some(rendering).filter(|rendering| rendering.known == Known::No);
        let Some(blame) = due.and_then(Blame::of) else {
            continue;
        };
        let values = Value::Object(rendering.contents.values.clone());
        let faults = costs.look_at(&values)?;
        if validator.is_valid(&values) {
            continue;
        }
        let errors: Vec<_> = match faults {
            Faults::All => validator.iter_errors(&values).collect(),
            Faults::First => validator.validate(&values).err().into_iter().collect(),
            Faults::Uncounted => {
                let message = "the values break the schema in too many ways to list";
                let finding = Finding::error("schema-violation", Spot::value(set, PLACE), message);
                found.add(finding, rendering, &rendering.new);
                continue;
            }
        };
        for error in errors {
            for finding in broken(&error, blame, &rendering.contents.values) {
                let finding = said_at(finding, &error, set);
                found.add(finding, rendering, &rendering.new);
            }
        }
    }
    let reach = renderings.first().map_or(0, |rendering| rendering.reach);
    Ok(found.findings(reach).collect())
}

/// Adds the part of the schema that asks for something else.
fn said_at(finding: Finding, error: &ValidationError<'_>, set: &SetName) -> Finding {
    let inside = segments(error.schema_path().as_str());
    let path = PLACE.into_iter().chain(inside.iter().map(String::as_str));
    finding.related(Spot::key(set, path), "the schema says so here")
}

/// One violation as findings: one for each key that should not be there, else one.
fn broken(fault: &ValidationError<'_>, blame: Blame<'_>, values: &Map) -> Vec<Finding> {
    const CODE: &str = "schema-violation";
    let path = path_of(fault);
    let at_key = |name: &str, why: &str| {
        let path = path.join(name);
        Finding::error(CODE, blame.key(&path), short(format!("`{path}`: {why}")))
    };
    match fault.kind() {
        Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
            unexpected
                .iter()
                .map(|name| at_key(name, "the schema does not know this key"))
                .collect()
        }
        Kind::PropertyNames { error } => {
            let name = error.instance().as_str().unwrap_or_default();
            vec![at_key(name, &worded(error))]
        }
        Kind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            let whole = match path.segments() {
                [] => "the values lack".to_owned(),
                _ => format!("`{path}` lacks"),
            };
            let message = short(format!("{whole} `{name}`, which the schema requires"));
            let mut finding = Finding::error(CODE, blame.key(&path), message);
            let known = match path.segments() {
                [] => Some(values),
                _ => path.find(values).and_then(Value::as_object),
            };
            let known = known.into_iter().flatten().map(|(key, _)| key.as_str());
            finding.help = nearest(name, known)
                .map(|key| format!("is `{key}` meant to be `{name}`?"))
                .into_iter()
                .collect();
            vec![finding]
        }
        kind => {
            let what = match path.segments() {
                [] => "the values".to_owned(),
                _ => format!("`{path}`"),
            };
            let message = short(format!("{what}: {}", worded(fault)));
            let mut finding = Finding::error(CODE, blame.value(&path), message);
            finding.help = help(kind, fault.instance());
            vec![finding]
        }
    }
}

fn help(kind: &Kind, value: &Value) -> Vec<String> {
    match kind {
        Kind::Enum { options } => {
            let options = options.as_array().into_iter().flatten();
            let near = value
                .as_str()
                .and_then(|text| nearest(text, options.filter_map(Value::as_str)));
            near.map(did_you_mean).into_iter().collect()
        }
        // Which alternative was meant cannot be known, so each says what stands against it.
        Kind::AnyOf { context } | Kind::OneOfNotValid { context } => (context.iter().enumerate())
            .filter_map(|(index, errors)| {
                let first = errors.first()?;
                let path = path_of(first);
                let at = match path.segments() {
                    [] => String::new(),
                    _ => format!("`{path}`: "),
                };
                let number = index + 1;
                Some(short(format!(
                    "alternative {number}: {at}{}",
                    worded(first)
                )))
            })
            .take(4)
            .collect(),
        _ => Vec::new(),
    }
}

/// What the crate says, with the value quoted only if it is short.
fn worded(error: &ValidationError<'_>) -> String {
    let value = quoted(error.instance());
    short(match error.kind() {
        Kind::AnyOf { .. } | Kind::OneOfNotValid { .. } => {
            format!("{value} fits none of the alternatives")
        }
        Kind::OneOfMultipleValid { .. } => {
            format!("{value} fits more than one alternative, and may fit only one")
        }
        Kind::Enum { options } => one_of(&value, options),
        _ => error.masked_with(value.as_str()).to_string(),
    })
}

/// All that is possible, where the crate stops after three; [`short`] ends what nobody reads.
fn one_of(value: &str, options: &Value) -> String {
    let options = options.as_array().into_iter().flatten();
    let options: Vec<_> = options.map(ToString::to_string).collect();
    match options.split_last() {
        Some((last, [])) => format!("{value} is not {last}"),
        Some((last, others)) => format!("{value} is not one of {} or {last}", others.join(", ")),
        None => format!("{value} is not possible, and neither is anything else"),
    }
}

fn quoted(value: &Value) -> String {
    match value {
        Value::Object(_) => "this map".to_owned(),
        Value::Array(_) => "this list".to_owned(),
        scalar => {
            let text = scalar.to_string();
            if text.chars().count() > MAX_QUOTED_CHARS {
                let start: String = text.chars().take(MAX_QUOTED_CHARS).collect();
                format!("{start}…\"")
            } else {
                text
            }
        }
    }
}

fn short(mut message: String) -> String {
    if let Some((end, _)) = message.char_indices().nth(MAX_MESSAGE_CHARS) {
        message.truncate(end);
        message.push('…');
    }
    message
}

fn path_of(error: &ValidationError<'_>) -> Path {
    segments(error.instance_path().as_str())
        .into_iter()
        .collect()
}

/// The segments of a JSON pointer (RFC 6901).
fn segments(pointer: &str) -> Vec<String> {
    pointer
        .split('/')
        .skip(1)
        .map(|segment| segment.replace("~1", "/").replace("~0", "~"))
        .collect()
}
