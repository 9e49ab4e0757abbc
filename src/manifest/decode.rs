//! Trees become manifests. Reports every mistake of a document, not the first.

use std::fmt::Display;
use std::path::{Component, Path, PathBuf};
use std::str::FromStr;

use serde_json::Value;

use super::node::{Entry, Kind, Node};
use super::read::Reader;
use super::words::{alternatives, closest, shown};
use super::{Located, Manifest, SourceId, Span};
use crate::model::value::Map;
use crate::model::{
    API_VERSION, Content, Labels, ResourceId, ResourceKind, check_label_key, check_label_value,
};

mod cluster;
mod grant;
mod runtime;
mod selector;
mod set;
#[cfg(test)]
pub(super) mod testing;

/// The fields that a document may have.
const DOCUMENT_FIELDS: &[&str] = &["apiVersion", "kind", "metadata", "spec"];
/// The fields of `metadata` of a cluster or a set.
const METADATA_FIELDS: &[&str] = &["name", "labels"];
/// The fields of `metadata` of a grant, which nothing selects.
const GRANT_METADATA_FIELDS: &[&str] = &["name"];
/// The kinds.
const KINDS: &[&str] = &["Cluster", "ConfigSet", "Grant"];

/// One document that names a resource.
pub(super) struct Decoded {
    /// What it names.
    pub(super) id: ResourceId,
    /// Where it is named.
    pub(super) named_at: Span,
    /// The manifest; `None` if a mistake leaves no telling what it should say.
    pub(super) manifest: Option<Manifest>,
}

/// The manifest in a document, as far as it can be made out. What is wrong goes to `reader`.
/// `beside` is the directory that relative paths of files to read start from.
pub(super) fn decode(node: &Node, beside: &Path, reader: &mut Reader<'_>) -> Option<Decoded> {
    let mut decoder = Decoder {
        reader,
        beside,
        schema_file: None,
    };
    decoder.document(node)
}

/// The fields of one map.
#[derive(Clone, Copy)]
struct Fields<'n> {
    /// Where a missing field is reported.
    at: Span,
    entries: &'n [Entry],
}

impl<'n> Fields<'n> {
    fn get(&self, name: &str) -> Option<&'n Entry> {
        self.entries.iter().find(|entry| entry.key == name)
    }
}

struct Decoder<'r, 'c> {
    reader: &'r mut Reader<'c>,
    beside: &'r Path,
    schema_file: Option<SourceId>,
}

impl Decoder<'_, '_> {
    fn document(&mut self, node: &Node) -> Option<Decoded> {
        let at = match &node.kind {
            Kind::Map(entries) => entries.first().map_or(node.span, |entry| entry.at),
            _ => node.span,
        };
        if self.is_no_manifest(node, at) {
            return None;
        }
        let fields = self.known_fields(node, at, "a manifest", DOCUMENT_FIELDS)?;
        let version = self
            .required(fields, "apiVersion")
            .and_then(|entry| self.one_of(entry, "API version", &[API_VERSION]));
        let kind = self
            .required(fields, "kind")
            .and_then(|entry| self.one_of(entry, "kind", KINDS));
        let (known, kind) = match kind {
            Some("Cluster") => (METADATA_FIELDS, ResourceKind::Cluster),
            Some("Grant") => (GRANT_METADATA_FIELDS, ResourceKind::Grant),
            Some(_) => (METADATA_FIELDS, ResourceKind::Set),
            // What else is in there cannot be judged without the kind.
            None => return None,
        };
        let metadata = self.required(fields, "metadata");
        let metadata = metadata
            .and_then(|entry| self.known_fields(&entry.value, entry.at, "`metadata`", known));
        let named = metadata.and_then(|metadata| self.required(metadata, "name"));
        let id = named.and_then(|entry| {
            let code = "invalid-name";
            match kind {
                ResourceKind::Cluster => self.parsed(entry, code).map(ResourceId::Cluster),
                ResourceKind::Grant => self.parsed(entry, code).map(ResourceId::Grant),
                ResourceKind::Set => self.parsed(entry, code).map(ResourceId::Set),
            }
        });
        let spec = self.required(fields, "spec");
        let labels = metadata.and_then(|metadata| self.labels(metadata));
        let content = match kind {
            ResourceKind::Cluster => self.cluster(spec, labels).map(Content::Cluster),
            ResourceKind::Grant => self.grant(spec).map(Content::Grant),
            ResourceKind::Set => self.set(spec, labels).map(Content::from),
        };
        let id = id?;
        let manifest = content
            .filter(|_| version.is_some())
            .map(|content| Manifest {
                id: id.clone(),
                content,
                places: node.places(at),
                schema_file: self.schema_file,
            });
        Some(Decoded {
            id,
            named_at: named.map_or(at, |entry| entry.value.span),
            manifest,
        })
    }

    /// Says it once of a file that is something else, where every field would be wrong.
    fn is_no_manifest(&mut self, node: &Node, at: Span) -> bool {
        let Kind::Map(entries) = &node.kind else {
            return false;
        };
        let marks = ["apiVersion", "kind"];
        if entries.is_empty()
            || entries
                .iter()
                .any(|entry| marks.contains(&entry.key.as_str()))
        {
            return false;
        }
        self.add(
            Located::error("no-manifest", Some(at), "this is not a manifest of cfgctl").help(format!(
                "a manifest has `apiVersion: {API_VERSION}`, and `kind: ConfigSet`, `kind: Cluster` or `kind: Grant`"
            )),
        );
        true
    }

    fn labels(&mut self, metadata: Fields<'_>) -> Option<Labels> {
        let Some(entry) = metadata.get("labels") else {
            return Some(Labels::new());
        };
        let fields = self.map(&entry.value, entry.at)?;
        let mut labels = Some(Labels::new());
        for entry in fields.entries {
            let key = check_label_key(&entry.key);
            let value = self.text(entry);
            let checked = value.map(check_label_value);
            if let Err(error) = &key {
                self.report("invalid-label", entry.at, error);
            }
            if let (Some(Err(error)), Some(value)) = (&checked, value) {
                self.invalid_label(entry.value.span, error, value);
            }
            match (key, checked, value) {
                (Ok(()), Some(Ok(())), Some(value)) => {
                    if let Some(labels) = &mut labels {
                        labels.insert(entry.key.clone(), value.to_owned());
                    }
                }
                _ => labels = None,
            }
        }
        labels
    }

    /// The fields of a map that may only have these.
    fn known_fields<'n>(
        &mut self,
        node: &'n Node,
        at: Span,
        what: &str,
        known: &[&str],
    ) -> Option<Fields<'n>> {
        let fields = self.map(node, at)?;
        for entry in fields.entries {
            if !known.contains(&entry.key.as_str()) {
                self.unknown_field(entry, what, known);
            }
        }
        Some(fields)
    }

    fn unknown_field(&mut self, entry: &Entry, what: &str, known: &[&str]) {
        let finding = Located::error(
            "unknown-field",
            Some(entry.at),
            format!("{what} has no field `{}`", shown(&entry.key)),
        );
        let finding = match closest(&entry.key, known.iter().copied()) {
            Some(meant) => finding.label(format!("did you mean `{meant}`?")),
            None => finding.help(format!("it may have {}", alternatives(known))),
        };
        // What was meant for one of these may hold a secret.
        let may_be_secret = |field: &&str| ["address", "token", "env"].contains(field);
        self.add(if known.iter().any(may_be_secret) {
            finding.conceal(entry.value.span)
        } else {
            finding
        });
    }

    fn map<'n>(&mut self, node: &'n Node, at: Span) -> Option<Fields<'n>> {
        if let Kind::Map(entries) = &node.kind {
            return Some(Fields { at, entries });
        }
        self.wrong_type(node, at, "a map");
        None
    }

    fn list<'n>(&mut self, entry: &'n Entry) -> Option<&'n [Node]> {
        if let Kind::List(items) = &entry.value.kind {
            return Some(items);
        }
        self.wrong_type(&entry.value, entry.at, "a list");
        None
    }

    /// Any map, as it is.
    fn values(&mut self, entry: &Entry) -> Option<Map> {
        self.map(&entry.value, entry.at)?;
        match entry.value.value()? {
            Value::Object(map) => Some(map),
            _ => None,
        }
    }

    fn text<'n>(&mut self, entry: &'n Entry) -> Option<&'n str> {
        self.text_of(&entry.value, entry.at)
    }

    fn text_of<'n>(&mut self, node: &'n Node, at: Span) -> Option<&'n str> {
        if let Kind::Scalar(Value::String(text)) = &node.kind {
            return Some(text);
        }
        self.wrong_type(node, at, "a string");
        None
    }

    fn parsed<T: FromStr<Err: Display>>(&mut self, entry: &Entry, code: &'static str) -> Option<T> {
        let text = self.text(entry)?;
        match text.parse() {
            Ok(parsed) => Some(parsed),
            Err(error) => {
                let finding = Located::error(code, Some(entry.value.span), error.to_string());
                let near = near(text);
                self.add(match near.parse::<T>() {
                    Ok(_) => finding.help(format!("did you mean `{near}`?")),
                    Err(_) => finding,
                });
                None
            }
        }
    }

    fn one_of(
        &mut self,
        entry: &Entry,
        what: &str,
        known: &[&'static str],
    ) -> Option<&'static str> {
        let text = self.text(entry)?;
        let found = known.iter().copied().find(|candidate| *candidate == text);
        if found.is_none() {
            let finding = Located::error(
                "unknown-value",
                Some(entry.value.span),
                format!("there is no {what} `{}`", shown(text)),
            );
            let finding = match closest(text, known.iter().copied()) {
                Some(meant) => finding.label(format!("did you mean `{meant}`?")),
                None => finding.help(format!("write {}", alternatives(known))),
            };
            self.add(finding);
        }
        found
    }

    fn required<'n>(&mut self, fields: Fields<'n>, name: &str) -> Option<&'n Entry> {
        let found = fields.get(name);
        if found.is_none() {
            let finding = Located::error(
                "missing-field",
                Some(fields.at),
                format!("the field `{name}` is missing"),
            )
            .label(format!("`{name}` is missing in here"));
            self.add(match example(name) {
                Some(example) => finding.help(format!("add it, as in `{example}`")),
                None => finding,
            });
        }
        found
    }

    /// `at` is where a value that is not written down is shown.
    fn wrong_type(&mut self, node: &Node, at: Span, expected: &str) {
        // What is broken is reported already.
        if matches!(node.kind, Kind::Broken) {
            return;
        }
        let place = if node.span.end > node.span.start {
            node.span
        } else {
            at
        };
        let finding = Located::error(
            "wrong-type",
            Some(place),
            format!("expected {expected}, found {}", node.what()),
        )
        .label(format!("expected {expected}"));
        let scalar = matches!(node.kind, Kind::Scalar(Value::Bool(_) | Value::Number(_)));
        self.add(if node.is_null() {
            finding.help("write the value, or take the field out")
        } else if expected == "a string" && scalar {
            finding.help("put it in quotes if text is meant")
        } else if expected == "a list" && matches!(node.kind, Kind::Map(_)) {
            finding.help("each item of a list begins with `- `")
        } else {
            finding
        });
    }

    fn invalid_label(&mut self, at: Span, error: &impl Display, value: &str) {
        let finding = Located::error("invalid-label", Some(at), error.to_string());
        let near: String = (value.trim().chars())
            .map(|c| {
                if c.is_ascii_alphanumeric() || "-_.".contains(c) {
                    c
                } else {
                    '-'
                }
            })
            .collect();
        self.add(if value.contains(',') {
            let values: Vec<_> = value.split(',').map(str::trim).collect();
            finding.help(format!(
                "several values are a list: [{}]",
                shown(&values.join(", "))
            ))
        } else if check_label_value(&near).is_ok() {
            finding.help(format!("did you mean `{near}`?"))
        } else {
            finding
        });
    }

    fn report(&mut self, code: &'static str, at: Span, message: &impl Display) {
        self.add(Located::error(code, Some(at), message.to_string()));
    }

    fn add(&mut self, finding: Located) {
        self.reader.findings.push(finding);
    }

    /// A path that starts beside the manifest, absolute, without `.` and `..`: it has to mean, and
    /// to look, the same from wherever the manifest is applied.
    fn beside_manifest(&mut self, entry: &Entry) -> Option<PathBuf> {
        let text = self.text(entry)?;
        if text.is_empty() || text.contains('\0') {
            self.report("invalid-path", entry.value.span, &"this is not a path");
            return None;
        }
        Some(straight(&self.reader.cwd.join(self.beside).join(text)))
    }
}

/// The same path without `.` and `..`. Links stay as they are called, but for those that `..` leads
/// out of: where it ends depends on what they point to.
fn straight(path: &Path) -> PathBuf {
    let mut straight = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                if straight.is_symlink()
                    && let Ok(real) = straight.canonicalize()
                {
                    straight = real;
                }
                straight.pop();
            }
            component => straight.push(component),
        }
    }
    straight
}

/// How a field that is missing is written.
fn example(field: &str) -> Option<&'static str> {
    Some(match field {
        "apiVersion" => "apiVersion: cfgctl.dev/v1",
        "kind" => "kind: ConfigSet",
        "metadata" => "metadata: {name: checkout}",
        "name" => "name: checkout",
        "values" => "values: {payment: {timeoutMs: 1500}}",
        "when" => "when: {region: eu}",
        "path" => "path: out/eu-west",
        "context" => "context: config/checkout",
        "prefix" => "prefix: app/services/checkout",
        "key" => "key: flags/checkout",
        "state" => "state: ENABLED",
        "variants" => "variants: {\"on\": true, \"off\": false}",
        "trip" => "trip: {values: {payment: {provider: backup}}}",
        "after" => "after: 10m",
        "to" => "to: [\"group:payments\"]",
        "role" => "role: editor",
        _ => return None,
    })
}

/// What `text` probably should be where only names or keys are allowed.
fn near(text: &str) -> String {
    if text.contains('/') {
        let segments = text.split('/').filter(|segment| !segment.is_empty());
        return segments.collect::<Vec<_>>().join("/");
    }
    let hyphened = |c: char| {
        if c.is_ascii_alphanumeric() {
            c.to_ascii_lowercase()
        } else {
            '-'
        }
    };
    let name: String = text.chars().map(hyphened).collect();
    name.trim_matches('-').to_owned()
}
