//! Values and a way to publish them that should give the same bytes.

use std::collections::BTreeMap;

use serde_json::Value;

use super::fate::Fate;
use super::properties;
use super::request::ImportRequest;
use super::screen::{Scope, Usable, is_utf_16, screened};
use super::tree::{Lists, nested, typed, with_lists};
use crate::manifest::yaml_1_1;
use crate::model::value::Map;
use crate::model::{Contents, Key, Publish, SpringFormat};
use crate::render;

/// A way to make a set of keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Draft {
    /// One key per value.
    Keys,
    /// One key per value, and every value a text.
    Texts,
    /// The same with the files beside the prefix.
    Files,
    /// One key per property of Spring.
    KeyValue,
    /// The values of a document.
    Document(SpringFormat),
}

/// What came of it.
#[derive(Debug)]
pub(super) struct Made<'a> {
    pub(super) publish: Vec<Publish>,
    pub(super) values: Map,
    /// The keys that the set should publish.
    pub(super) expected: BTreeMap<Key, &'a str>,
    /// What becomes of the others.
    pub(super) fates: BTreeMap<String, Fate>,
}

impl Draft {
    /// Makes values of the keys, without those that `refused` names.
    pub(super) fn make<'a>(
        self,
        scope: &Scope<'a>,
        request: &ImportRequest,
        refused: &BTreeMap<String, String>,
    ) -> Made<'a> {
        let mut fates = BTreeMap::new();
        let prefix = request.prefix.clone();
        let below = scope.below.values().copied();
        let (publish, usable, values) = match self {
            Self::Document(format) => return document(format, scope, request, refused),
            Self::Keys | Self::Texts => {
                let usable = screened(below, &prefix, refused, &mut fates);
                let values = leaves(&usable, |text| match self {
                    Self::Texts => Value::from(text),
                    _ => typed(text, Lists::Json),
                });
                (together(prefix), usable, values)
            }
            Self::Files => {
                let beside = scope.beside.values().copied();
                let base = match parent(&prefix) {
                    Some(parent) if !scope.beside.is_empty() => parent,
                    _ => prefix,
                };
                let usable = screened(below.chain(beside), &base, refused, &mut fates);
                let values = leaves(&usable, |text| Value::from(text));
                (together(base), usable, values)
            }
            Self::KeyValue => {
                let mut usable = screened(below, &prefix, refused, &mut fates);
                refuse_twins(&mut usable, &mut fates);
                let values = leaves(&usable, |text| typed(text, Lists::Text));
                let format = SpringFormat::KeyValue;
                let publish = Publish::Spring {
                    context: prefix,
                    format,
                    atomic: true,
                };
                (publish, usable, values.map(with_lists))
            }
        };
        Made {
            publish: vec![publish],
            values: values.unwrap_or_default(),
            expected: usable
                .into_iter()
                .map(|usable| (usable.key, usable.text))
                .collect(),
            fates,
        }
    }
}

fn leaves(usable: &[Usable<'_>], value: impl Fn(&str) -> Value) -> Option<Map> {
    let leaf = |usable: &Usable<'_>| (usable.path.clone(), value(usable.text));
    nested(usable.iter().map(leaf))
}

fn parent(key: &Key) -> Option<Key> {
    key.as_str().rsplit_once('/')?.0.parse().ok()
}

/// To Spring, `a/b` and `a.b` are one property, and it sees only one of them.
fn refuse_twins(usable: &mut Vec<Usable<'_>>, fates: &mut BTreeMap<String, Fate>) {
    let name = |usable: &Usable<'_>| usable.path.join(".");
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for usable in usable.iter() {
        *seen.entry(name(usable)).or_default() += 1;
    }
    usable.retain(|usable| {
        let inner = usable.path.iter().skip(1);
        let reason = if seen.get(&name(usable)).is_some_and(|count| *count > 1) {
            "another key is the same property to Spring"
        } else if inner.clone().any(|segment| segment.starts_with('[')) {
            "a part of it begins with a bracket, which Spring takes for an index"
        } else {
            return true;
        };
        fates.insert(usable.key.to_string(), Fate::Refused(reason.to_owned()));
        false
    });
}

/// Keys that change at once: whether they may not is for a person to say.
fn together(prefix: Key) -> Publish {
    let atomic = true;
    Publish::Keys { prefix, atomic }
}

/// The values of the document at `<prefix>/data`.
fn document<'a>(
    format: SpringFormat,
    scope: &Scope<'a>,
    request: &ImportRequest,
    refused: &BTreeMap<String, String>,
) -> Made<'a> {
    let publish = vec![Publish::Spring {
        context: request.prefix.clone(),
        format,
        atomic: true,
    }];
    let mut fates = BTreeMap::new();
    let below = scope.below.values().copied();
    let usable = screened(below, &request.prefix, refused, &mut fates);
    let key = scope.document_key();
    let (document, others): (Vec<_>, Vec<_>) = usable
        .into_iter()
        .partition(|usable| usable.key.as_str() == key);
    for other in others {
        let reason = "a set that publishes a document has no room for other keys";
        fates.insert(other.key.to_string(), Fate::Refused(reason.to_owned()));
    }
    let mut values = Map::new();
    let mut expected = BTreeMap::new();
    for Usable { key, text, .. } in document {
        match values_of(format, text, &publish) {
            Ok(read) => {
                values = read;
                expected.insert(key, text);
            }
            Err(reason) => {
                fates.insert(key.to_string(), Fate::Refused(reason));
            }
        }
    }
    Made {
        publish,
        values,
        expected,
        fates,
    }
}

/// Why a document has no values, without repeating any of them.
type Reason = String;

fn values_of(format: SpringFormat, text: &str, publish: &[Publish]) -> Result<Map, Reason> {
    if is_utf_16(text.as_bytes()) {
        return Err("it looks like UTF-16, and Spring reads UTF-8".to_owned());
    }
    let candidates = match format {
        SpringFormat::Properties => {
            let properties = properties::read(text)?;
            let leaf = |(name, text): (&String, &String)| {
                let path = segments(name).map(str::to_owned).collect();
                (path, typed(text, Lists::Text))
            };
            let flat = properties.iter();
            let flat = flat.map(|(name, text)| (name.clone(), typed(text, Lists::Text)));
            let nested = nested(properties.iter().map(leaf)).map(with_lists);
            // `a` and `a.b` may both be properties, and then their names stay as they are.
            nested.into_iter().chain([flat.collect()]).collect()
        }
        SpringFormat::Yaml | SpringFormat::KeyValue => {
            vec![yaml_1_1::read(text).map_err(|refused| refused.to_string())?]
        }
    };
    let mut reason = "it would not read the same".to_owned();
    for values in candidates {
        let contents = Contents::of_values(values);
        match render::entries(publish, &contents) {
            Err(errors) => {
                reason = errors.first().map_or(reason, ToString::to_string);
            }
            Ok(entries) => {
                let same = |bytes: &Vec<u8>| means_the_same(format, text, bytes);
                if entries.values().all(same) {
                    return Ok(contents.values);
                }
            }
        }
    }
    Err(reason)
}

/// Whether the application reads the same from both.
pub(super) fn means_the_same(format: SpringFormat, original: &str, rendered: &[u8]) -> bool {
    let Ok(rendered) = std::str::from_utf8(rendered) else {
        return false;
    };
    match format {
        SpringFormat::Yaml => {
            yaml_1_1::read(original).is_ok_and(|map| yaml_1_1::read(rendered) == Ok(map))
        }
        SpringFormat::Properties => {
            properties::read(original).is_ok_and(|map| properties::read(rendered) == Ok(map))
        }
        SpringFormat::KeyValue => original == rendered,
    }
}

/// The parts of a property's name: dots inside brackets belong to their part.
fn segments(name: &str) -> impl Iterator<Item = &str> {
    let mut brackets = 0_usize;
    name.split(move |character| {
        match character {
            '[' => brackets += 1,
            ']' => brackets = brackets.saturating_sub(1),
            _ => {}
        }
        character == '.' && brackets == 0
    })
}
