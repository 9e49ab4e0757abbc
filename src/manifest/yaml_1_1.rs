//! What a document means to Spring, whose reader of YAML, `SnakeYAML`, follows version 1.1.
//!
//! There `no` is a boolean, `017` is 15 and `1:30` is 90. This reads what is read alike by every
//! version of that reader, and refuses the rest: whoever asks can then leave the text as it is.

use std::collections::BTreeMap;

use serde_json::Value;
use serde_saphyr::granit_parser::{
    self, ErrorKind, Event, Parser, ScalarStyle, ScanError, StrInput, Tag,
};

use super::limits::Limits;
use crate::model::value::Map;
use scalar::{Reason, scalar};

mod scalar;

/// Why a text is not read, a clause that repeats nothing of it: there may be secrets in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Refused {
    reason: String,
}

/// What some editors put before a text in UTF-8. Spring's reader of YAML skips one.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// The map that `text` is to Spring. Keys that are no text are named as Spring names them: `[5]`.
pub fn read(text: &str) -> Result<Map, Refused> {
    let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
    // To YAML 1.1 these end a line; further marks of the byte order are skipped or refused.
    if text.contains(['\u{85}', '\u{2028}', '\u{2029}', BYTE_ORDER_MARK, '\0']) {
        let reason = "it has characters that versions of YAML read differently".to_owned();
        return Err(Refused { reason });
    }
    let mut parser = parser(text);
    let mut reader = Reader {
        limits: Limits::default(),
        spent: 0,
        open: Vec::new(),
        anchors: BTreeMap::new(),
        documents: Vec::new(),
    };
    while let Some(next) = parser.next_event() {
        let (line, result) = match next {
            Ok((event, span)) => (span.start.line(), reader.event(event)),
            Err(error) => (error.marker().line(), Err(fault(&error))),
        };
        result.map_err(|reason| Refused {
            reason: format!("line {line}: {reason}"),
        })?;
    }
    let mut documents = reader.documents.into_iter();
    let refused = |reason: &str| Refused {
        reason: reason.to_owned(),
    };
    match (documents.next(), documents.next()) {
        (_, Some(_)) => Err(refused("it is more than one document")),
        (Some(Value::Object(map)), None) => Ok(map),
        (None | Some(Value::Null), None) => Err(refused("it is empty")),
        (Some(Value::Array(_)), None) => Err(refused("it is a list and not a map")),
        (Some(_), None) => Err(refused("it is one text or number and not a map")),
    }
}

/// Whether `text` was likely meant to be a map, though [`read`] may refuse it: there may be several
/// documents, tags, or mistakes further on.
pub fn looks_like_map(text: &str) -> bool {
    let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
    for event in parser(text) {
        match event {
            Ok((Event::MappingStart(..), _)) => return true,
            // An empty document may stand before the one that is meant.
            Ok((Event::Scalar(text, ..), _)) if !matches!(&*text, "" | "~") => return false,
            Ok((Event::SequenceStart(..), _)) | Err(_) => return false,
            Ok(_) => {}
        }
    }
    false
}

fn parser(text: &str) -> Parser<'_, StrInput<'_>> {
    let depth = Limits::default().depth;
    let options = granit_parser::options! {
        emit_unresolved_aliases: true,
        flow_nesting_limit: depth,
        block_nesting_limit: depth,
    };
    Parser::new_from_str_with_options(text, options)
}

/// What is wrong with a text that is not YAML. What the parser says may repeat some of it.
fn fault(error: &ScanError) -> Reason {
    match error.kind() {
        ErrorKind::TabInIndentation
        | ErrorKind::TabInPlainScalar
        | ErrorKind::TabInBlockIndentation
        | ErrorKind::TabNotAllowed => "a tab where YAML takes only spaces",
        ErrorKind::RecursionLimitExceeded => "maps and lists lie too deep inside each other",
        _ => "this is not YAML",
    }
}

/// A map or list that is not complete.
struct Open {
    anchor: usize,
    before: usize,
    inside: Inside,
}

enum Inside {
    List(Vec<Value>),
    Map {
        map: Map,
        /// What `<<` brings in; the first wins.
        merged: Vec<Map>,
        key: Option<Key>,
    },
}

enum Key {
    Named(String),
    Merge,
}

struct Reader {
    limits: Limits,
    /// Values and bytes of text, each time an alias repeats them.
    spent: usize,
    open: Vec<Open>,
    anchors: BTreeMap<usize, (Value, usize)>,
    documents: Vec<Value>,
}

impl Reader {
    fn event(&mut self, event: Event<'_>) -> Result<(), Reason> {
        match event {
            Event::DocumentStart(_, Some(version)) if (version.major, version.minor) != (1, 1) => {
                Err("it is declared as another YAML than 1.1")
            }
            Event::DocumentStart(..) | Event::DocumentEnd => {
                self.anchors.clear();
                Ok(())
            }
            Event::Scalar(text, style, anchor, tag) => {
                let before = self.spent;
                self.spend(1 + text.len())?;
                let is_plain = style == ScalarStyle::Plain;
                if is_plain && tag.is_none() && text == "<<" && self.expects_key() {
                    return self.take_key(Key::Merge);
                }
                let value = scalar(&text, is_plain, tag.as_deref())?;
                self.complete(value, anchor, before)
            }
            Event::Alias(id) => {
                let (value, cost) = self.anchors.get(&id).ok_or("an alias inside its anchor")?;
                // Paid before it is copied, or the copy could be what breaks us.
                self.spent = self.spent.saturating_add(*cost);
                if self.spent > self.limits.file_bytes {
                    return Err("it is too large");
                }
                let value = value.clone();
                self.complete(value, 0, self.spent)
            }
            Event::UnresolvedAlias(_) => Err("an alias without an anchor"),
            Event::SequenceStart(_, anchor, tag) => {
                self.start(anchor, tag.as_deref(), Inside::List(Vec::new()))
            }
            Event::MappingStart(_, anchor, tag) => {
                let (map, merged, key) = (Map::new(), Vec::new(), None);
                let inside = Inside::Map { map, merged, key };
                self.start(anchor, tag.as_deref(), inside)
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(),
            // The rest of the events carry no data.
            _ => Ok(()),
        }
    }

    fn start(&mut self, anchor: usize, tag: Option<&Tag>, inside: Inside) -> Result<(), Reason> {
        if tag.is_some() {
            return Err("a tag");
        }
        let before = self.spent;
        self.spend(1)?;
        if self.open.len() >= self.limits.depth {
            return Err("maps and lists lie too deep inside each other");
        }
        self.open.push(Open {
            anchor,
            before,
            inside,
        });
        Ok(())
    }

    fn end(&mut self) -> Result<(), Reason> {
        let Some(open) = self.open.pop() else {
            return Ok(());
        };
        let value = match open.inside {
            Inside::List(items) => Value::Array(items),
            Inside::Map {
                mut map, merged, ..
            } => {
                for (key, value) in merged.into_iter().flatten() {
                    map.entry(key).or_insert(value);
                }
                Value::Object(map)
            }
        };
        self.complete(value, open.anchor, open.before)
    }

    fn spend(&mut self, cost: usize) -> Result<(), Reason> {
        self.spent = self.spent.saturating_add(cost);
        if self.spent > self.limits.file_bytes {
            return Err("it is too large");
        }
        Ok(())
    }

    fn expects_key(&self) -> bool {
        let inside = self.open.last().map(|open| &open.inside);
        matches!(inside, Some(Inside::Map { key: None, .. }))
    }

    fn take_key(&mut self, taken: Key) -> Result<(), Reason> {
        let Some(Open {
            inside: Inside::Map { map, key, .. },
            ..
        }) = self.open.last_mut()
        else {
            return Err("a key outside of a map");
        };
        if let Key::Named(name) = &taken
            && map.contains_key(name)
        {
            return Err("a key that is there already");
        }
        *key = Some(taken);
        Ok(())
    }

    /// Puts a complete value where it belongs.
    fn complete(&mut self, value: Value, anchor: usize, before: usize) -> Result<(), Reason> {
        if anchor != 0 {
            let cost = self.spent.saturating_sub(before);
            self.spend(cost)?;
            self.anchors.insert(anchor, (value.clone(), cost));
        }
        if self.expects_key() {
            return self.take_key(Key::Named(name_of(value)?));
        }
        match self.open.last_mut().map(|open| &mut open.inside) {
            None => self.documents.push(value),
            Some(Inside::List(items)) => items.push(value),
            Some(Inside::Map { map, merged, key }) => match key.take() {
                Some(Key::Named(name)) => {
                    map.insert(name, value);
                }
                Some(Key::Merge) => merge(value, merged)?,
                None => {}
            },
        }
        Ok(())
    }
}

fn merge(value: Value, merged: &mut Vec<Map>) -> Result<(), Reason> {
    match value {
        Value::Object(map) => merged.push(map),
        Value::Array(items) => {
            for item in items {
                let Value::Object(map) = item else {
                    return Err("`<<` takes maps");
                };
                merged.push(map);
            }
        }
        _ => return Err("`<<` takes maps"),
    }
    Ok(())
}

/// A key as Spring's `YamlProcessor` names it.
fn name_of(value: Value) -> Result<String, Reason> {
    match value {
        Value::String(text) => Ok(text),
        Value::Bool(flag) => Ok(format!("[{flag}]")),
        Value::Number(number) if !number.is_f64() => Ok(format!("[{number}]")),
        _ => Err("a key that is neither text, nor an integer, nor a boolean"),
    }
}

#[cfg(test)]
#[path = "yaml_1_1_tests.rs"]
mod tests;
