//! YAML text becomes trees; every mistake that needs no knowledge of manifests is found here.
//!
//! This reads the events of the parser instead of deserializing: duplicate keys, aliases, tags
//! and numbers are then all seen as they were written, and all at once.

use std::collections::BTreeMap;

use serde_saphyr::granit_parser::{
    self, ErrorKind, Event, Marker, Parser, ScalarStyle, ScanError, StrInput, YamlVersion,
};

use super::limits::{Cost, Limits};
use super::node::{Entry, Kind, Node};
use super::words::shown;
use super::{Located, SourceId, Span};
use mistakes::{Key, aliased, exhausted, key_of, syntax, too_deep};

mod meaning;
mod mistakes;
mod strict;

/// The longest key that is read, in characters with its quotes and escapes.
const MAX_KEY: usize = 64 * 1024;

/// The documents of one file that are not empty and not broken beyond reading, and everything
/// that is wrong with the text. `spent` counts over all files.
pub(super) fn documents(
    source: SourceId,
    text: &str,
    limits: Limits,
    spent: &mut Cost,
) -> (Vec<Node>, Vec<Located>) {
    // The parser bounds block and flow nesting each on its own.
    let options = granit_parser::options! {
        emit_unresolved_aliases: true,
        // YAML stops at 1024 characters before a colon, JSON does not.
        simple_key_max_lookahead: MAX_KEY,
        flow_nesting_limit: limits.depth,
        block_nesting_limit: limits.depth,
    };
    let mut builder = Builder {
        source,
        text,
        limits,
        at_start: *spent,
        spent: *spent,
        open: Vec::new(),
        anchors: BTreeMap::new(),
        documents: Vec::new(),
        findings: Vec::new(),
        told: None,
    };
    builder.read(Parser::new_from_str_with_options(text, options));
    *spent = builder.spent;
    (builder.documents, builder.findings)
}

/// More was read than is allowed; it is reported, and the rest of the file is not read.
struct Exhausted;

/// A map or list that is not complete.
struct Open {
    start: Marker,
    style_end: End,
    /// How far it is indented, in columns from 0; `None` in brackets.
    column: Option<usize>,
    anchor: usize,
    before: Cost,
    /// How many maps and lists lie inside each other below this one.
    height: usize,
    inside: Inside,
}

/// Where a collection ends.
#[derive(Clone, Copy)]
enum End {
    /// At its bracket.
    Bracket,
    /// With the last of its values: the parser sees the end only at the next line that is less
    /// indented.
    LastValue,
}

enum Inside {
    List(Vec<Node>),
    Map {
        entries: Vec<Entry>,
        seen: BTreeMap<String, Span>,
        key: Option<Key>,
    },
}

/// A value that was read to its end.
struct Complete {
    node: Node,
    height: usize,
    /// The anchor that is defined on it, and what was spent before it.
    anchor: Option<(usize, Cost)>,
    /// How it was written, if it is a scalar that was not repeated by an alias.
    scalar: Option<ScalarStyle>,
}

impl Complete {
    fn new(span: Span, kind: Kind) -> Self {
        Self {
            node: Node { span, kind },
            height: 0,
            anchor: None,
            scalar: None,
        }
    }
}

/// What an alias repeats.
struct Anchored {
    node: Node,
    cost: Cost,
    height: usize,
}

struct Builder<'a> {
    source: SourceId,
    text: &'a str,
    limits: Limits,
    at_start: Cost,
    spent: Cost,
    open: Vec<Open>,
    anchors: BTreeMap<usize, Anchored>,
    documents: Vec<Node>,
    findings: Vec<Located>,
    /// Where the parser will stumble over something that was reported already.
    told: Option<usize>,
}

impl<'a> Builder<'a> {
    fn read(&mut self, mut parser: Parser<'a, StrInput<'a>>) {
        while let Some(next) = parser.next_event() {
            let result = match next {
                Ok((event, span)) => self.event(event, span),
                Err(error) => {
                    self.syntax_error(&error);
                    self.abandon();
                    match parser.proceed_next_document() {
                        Ok(true) => Ok(()),
                        Ok(false) => return,
                        Err(error) => {
                            self.syntax_error(&error);
                            return;
                        }
                    }
                }
            };
            if result.is_err() {
                self.abandon();
                return;
            }
        }
    }

    fn abandon(&mut self) {
        self.open.clear();
        self.anchors.clear();
    }

    fn syntax_error(&mut self, error: &ScanError) {
        let at = self.span(*error.marker(), *error.marker());
        // What follows from a mistake that was told is no other one.
        if self.told == Some(at.start) {
            return;
        }
        self.findings.push(match error.kind() {
            ErrorKind::RecursionLimitExceeded => too_deep(at, self.limits),
            _ => syntax(error, self.text, at),
        });
    }

    fn event(&mut self, event: Event<'a>, span: granit_parser::Span) -> Result<(), Exhausted> {
        match event {
            Event::DocumentStart(_, version) => self.document_start(version, span),
            Event::DocumentEnd => self.anchors.clear(),
            Event::Scalar(text, style, anchor, tag) => {
                let before = self.spent;
                let at = self.span(span.start, span.end);
                self.spend(
                    at,
                    Cost {
                        nodes: 1,
                        bytes: text.len(),
                    },
                )?;
                self.check_text_end(style, span.end);
                let has_properties = anchor != 0 || tag.is_some();
                let tag = tag.as_deref().map(|tag| (tag, self.tag_span(span)));
                let kind = if has_properties && let Some(alias) = self.alias_after(at) {
                    self.told = Some(alias.start);
                    self.findings.push(aliased(alias));
                    Kind::Broken
                } else {
                    self.scalar(&text, style, tag, at)
                };
                self.complete(Complete {
                    anchor: (anchor != 0).then_some((anchor, before)),
                    scalar: Some(style),
                    ..Complete::new(at, kind)
                })?;
            }
            Event::Alias(id) => self.alias(id, span)?,
            Event::UnresolvedAlias(name) => {
                let at = self.span(span.start, span.end);
                self.findings.push(
                    Located::error(
                        "unknown-anchor",
                        Some(at),
                        format!("no anchor `&{}` stands before this", shown(&name)),
                    )
                    .help("an anchor holds only within its own document"),
                );
                self.complete(Complete::new(at, Kind::Broken))?;
            }
            Event::SequenceStart(style, anchor, tag) => {
                self.check_tag(tag.as_deref(), "seq", span);
                self.start(span, style.into(), anchor, Inside::List(Vec::new()))?;
            }
            Event::MappingStart(style, anchor, tag) => {
                self.check_tag(tag.as_deref(), "map", span);
                let inside = Inside::Map {
                    entries: Vec::new(),
                    seen: BTreeMap::new(),
                    key: None,
                };
                self.start(span, style.into(), anchor, inside)?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(span)?,
            // The rest of the events carry no data.
            _ => {}
        }
        Ok(())
    }

    fn document_start(&mut self, version: Option<YamlVersion>, span: granit_parser::Span) {
        self.abandon();
        let Some(version) = version.filter(|version| (version.major, version.minor) != (1, 2))
        else {
            return;
        };
        let at = self.span(span.start, span.end);
        let YamlVersion { major, minor, .. } = version;
        self.findings.push(
            Located::error(
                "yaml-version",
                Some(at),
                format!("this document is declared as YAML {major}.{minor}"),
            )
            .help("cfgctl reads YAML 1.2, where `no`, `on` and `yes` are text; take the `%YAML` line out"),
        );
    }

    fn start(
        &mut self,
        span: granit_parser::Span,
        style_end: End,
        anchor: usize,
        inside: Inside,
    ) -> Result<(), Exhausted> {
        let before = self.spent;
        let at = self.span(span.start, span.end);
        self.spend(at, Cost { nodes: 1, bytes: 0 })?;
        let column = self.column(span.start, style_end, &inside);
        if column.is_some() && matches!(inside, Inside::Map { .. }) {
            self.check_tabs(span.start);
        }
        if self.open.len() >= self.limits.depth {
            self.findings.push(too_deep(at, self.limits));
            return Err(Exhausted);
        }
        self.open.push(Open {
            start: span.start,
            style_end,
            column,
            anchor,
            before,
            height: 0,
            inside,
        });
        Ok(())
    }

    fn end(&mut self, span: granit_parser::Span) -> Result<(), Exhausted> {
        let Some(open) = self.open.pop() else {
            return Ok(());
        };
        if open.column.is_none() {
            self.check_brackets(&open, span.end);
        }
        let mut at = self.span(open.start, span.end);
        let (last, kind) = match open.inside {
            Inside::List(items) => (items.last().map(|item| item.span.end), Kind::List(items)),
            Inside::Map { entries, .. } => (
                entries
                    .last()
                    .map(|entry| entry.value.span.end.max(entry.at.end)),
                Kind::Map(entries),
            ),
        };
        if let (End::LastValue, Some(last)) = (open.style_end, last) {
            at.end = last;
        }
        self.complete(Complete {
            height: open.height,
            anchor: (open.anchor != 0).then_some((open.anchor, open.before)),
            ..Complete::new(at, kind)
        })
    }

    fn alias(&mut self, id: usize, span: granit_parser::Span) -> Result<(), Exhausted> {
        let at = self.span(span.start, span.end);
        let Some(anchored) = self.anchors.get(&id) else {
            self.findings.push(Located::error(
                "recursive-alias",
                Some(at),
                "this alias stands inside its own anchor",
            ));
            return self.complete(Complete::new(at, Kind::Broken));
        };
        let (cost, height) = (anchored.cost, anchored.height);
        if self.open.len() + height > self.limits.depth {
            self.findings.push(too_deep(at, self.limits));
            return Err(Exhausted);
        }
        // Paid before it is copied, or the copy could be what breaks us.
        self.spend(at, cost)?;
        let kind = match self.anchors.get(&id) {
            Some(anchored) => anchored.node.kind.clone(),
            None => Kind::Broken,
        };
        self.complete(Complete {
            height,
            ..Complete::new(at, kind)
        })
    }

    /// Puts a complete value where it belongs.
    fn complete(&mut self, complete: Complete) -> Result<(), Exhausted> {
        let Complete {
            node,
            height,
            anchor,
            scalar,
        } = complete;
        if let Some((anchor, before)) = anchor {
            let cost = self.spent.since(before);
            self.spend(node.span, cost)?;
            let node = node.clone();
            self.anchors.insert(anchor, Anchored { node, cost, height });
        }
        let Some(open) = self.open.last_mut() else {
            if !node.is_null() {
                self.documents.push(node);
            }
            return Ok(());
        };
        open.height = open.height.max(height + 1);
        match &mut open.inside {
            Inside::List(items) => items.push(node),
            Inside::Map { entries, key, .. } => match key.take() {
                Some(Key::Taken(key, at)) => entries.push(Entry {
                    key,
                    at,
                    value: node,
                }),
                Some(Key::Dropped) => {}
                None => {
                    let taken = key_of(node, scalar, self.text, &mut self.findings);
                    self.take_key(taken);
                }
            },
        }
        Ok(())
    }

    fn take_key(&mut self, taken: Key) {
        let Some(Open {
            inside: Inside::Map { seen, key, .. },
            ..
        }) = self.open.last_mut()
        else {
            return;
        };
        let Key::Taken(name, at) = &taken else {
            *key = Some(taken);
            return;
        };
        if let Some(first) = seen.get(name) {
            self.findings.push(
                Located::error(
                    "duplicate-key",
                    Some(*at),
                    format!("the key `{}` is here twice", shown(name)),
                )
                .label("again here")
                .related(*first, "first here")
                .help("keep one of the two"),
            );
            *key = Some(Key::Dropped);
        } else {
            seen.insert(name.clone(), *at);
            *key = Some(taken);
        }
    }

    fn spend(&mut self, at: Span, cost: Cost) -> Result<(), Exhausted> {
        let after = self.spent.plus(cost);
        let of_file = after.since(self.at_start);
        if after.nodes > self.limits.nodes
            || of_file.nodes > self.limits.file_nodes
            || after.bytes > self.limits.bytes
            || of_file.bytes > self.limits.file_bytes
        {
            self.findings.push(exhausted(at, self.limits));
            return Err(Exhausted);
        }
        self.spent = after;
        Ok(())
    }

    /// The alias right behind an empty value, in the same line.
    fn alias_after(&self, at: Span) -> Option<Span> {
        let rest = self.text.get(at.start..).filter(|_| at.start == at.end)?;
        let alias = rest.trim_start_matches([' ', '\t']);
        let start = at.start + rest.len() - alias.len();
        let name = alias.strip_prefix('*')?;
        let length = name.find([' ', '\t', '\n', '\r', ',', '[', ']', '{', '}']);
        Some(Span {
            start,
            end: start + 1 + length.unwrap_or(name.len()),
            column: at.column + start - at.start,
            ..at
        })
    }

    fn tag_span(&self, span: granit_parser::Span) -> Span {
        let tag = span.tag_span().unwrap_or(span);
        self.span(tag.start, tag.end)
    }

    fn span(&self, start: Marker, end: Marker) -> Span {
        let first = start.byte_offset().unwrap_or(0).min(self.text.len());
        let last = end.byte_offset().unwrap_or(first).min(self.text.len());
        Span {
            source: self.source,
            line: start.line(),
            column: start.col() + 1,
            start: first,
            end: last.max(first),
        }
    }
}

impl From<granit_parser::StructureStyle> for End {
    fn from(style: granit_parser::StructureStyle) -> Self {
        match style {
            granit_parser::StructureStyle::Block => Self::LastValue,
            granit_parser::StructureStyle::Flow => Self::Bracket,
        }
    }
}

#[cfg(test)]
#[path = "parse_tests.rs"]
mod tests;
