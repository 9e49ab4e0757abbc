//! What people get wrong in YAML, and what is said about it.

use serde_json::Value;
use serde_saphyr::granit_parser::{ErrorKind, ScalarStyle, ScanError};

use super::super::limits::Limits;
use super::super::node::{Kind, Node};
use crate::manifest::words::shown;
use crate::manifest::{Located, Span};

/// A key whose value has not been read.
pub(super) enum Key {
    Taken(String, Span),
    /// It is no key, or one that is there already: its value is dropped.
    Dropped,
}

/// A tab where it cannot stand.
pub(super) fn tab_indents(at: Span) -> Located {
    let message = "a tab stands where only spaces may indent";
    Located::error("syntax", Some(at), message).help("indent with spaces")
}

/// What a node is as a key.
pub(super) fn key_of(
    node: Node,
    style: Option<ScalarStyle>,
    text: &str,
    findings: &mut Vec<Located>,
) -> Key {
    let at = node.span;
    let raw = text.get(at.start..at.end).unwrap_or_default();
    match node.kind {
        Kind::Scalar(Value::String(key)) => {
            if key == "<<" && style == Some(ScalarStyle::Plain) {
                findings.push(
                    Located::error("merge-key", Some(at), "merge keys (`<<`) are not part of YAML 1.2")
                        .help("write the keys out, or put them into a layer; \"<<\" in quotes is an ordinary key"),
                );
                return Key::Dropped;
            }
            Key::Taken(key, at)
        }
        Kind::Scalar(value) => {
            let what = match value {
                Value::Null => "null",
                Value::Bool(_) => "a boolean",
                _ => "a number",
            };
            let finding = Located::error(
                "key-type",
                Some(at),
                format!("a key must be a string, and this is {what}"),
            );
            findings.push(if raw.is_empty() {
                finding.help("write the key before the colon")
            } else {
                finding.help(format!("put it in quotes: \"{}\"", shown(raw)))
            });
            Key::Taken(raw.to_owned(), at)
        }
        // Already reported.
        Kind::Broken => Key::Dropped,
        Kind::List(_) | Kind::Map(_) => {
            // A key in a key that stands at the same place is told once.
            let is_told = |last: &Located| {
                last.code == "key-type" && last.at.is_some_and(|told| told.start == at.start)
            };
            if findings.last().is_some_and(is_told) {
                return Key::Dropped;
            }
            findings.push(
                Located::error(
                    "key-type",
                    Some(at),
                    "a key must be a string, and this is a map or a list",
                )
                .help("if this is a template, as in `{{ name }}`, put it in quotes"),
            );
            Key::Dropped
        }
    }
}

pub(super) fn too_deep(at: Span, limits: Limits) -> Located {
    Located::error(
        "too-deep",
        Some(at),
        format!(
            "maps and lists lie more than {} deep inside each other",
            limits.depth
        ),
    )
}

/// How many lines behind an error are looked at for the tab that it is about.
const MAX_TAB_LINES: usize = 64;

/// What is said about an error of the parser, at the place where a person would look for it.
pub(super) fn syntax(error: &ScanError, text: &str, at: Span) -> Located {
    let kind = error.kind();
    let rest = text.get(at.start..).unwrap_or_default();
    match kind {
        ErrorKind::TabInPlainScalar | ErrorKind::TabAtBlockScalarStart => {
            // These are reported where the text starts that the tab ends.
            if let Some(tab) = tab_behind(text, at) {
                return tab_indents(tab);
            }
        }
        ErrorKind::TabInIndentation
        | ErrorKind::TabInBlockIndentation
        | ErrorKind::TabNotAllowed => {
            if let Some(tab) = tab_before(text, at) {
                return tab_indents(tab);
            }
        }
        // The parser wants a value, and calls whatever else is there the end.
        ErrorKind::UnexpectedEofFlowSequence
        | ErrorKind::UnexpectedEofFlowMapping
        | ErrorKind::UnexpectedEofImplicitFlowMapping
        | ErrorKind::UnexpectedEofBlockSequence
        | ErrorKind::UnexpectedEofBlockMapping
        | ErrorKind::UnexpectedEof => {
            if rest.starts_with(',') {
                return Located::error("syntax", Some(at), "there is nothing before this comma")
                    .help("take the comma out, or write a value before it; an empty text is \"\"");
            }
            if !rest.trim().is_empty() {
                return Located::error("syntax", Some(at), "a value or a key should be here");
            }
        }
        _ => {}
    }
    let finding = Located::error("syntax", Some(at), error.info());
    match advice(kind) {
        Some(help) => finding.help(help),
        None => finding,
    }
}

/// The tab that the line up to `at` is indented with.
fn tab_before(text: &str, at: Span) -> Option<Span> {
    let line_start = at.start.checked_sub(at.column - 1)?;
    let line = text.get(line_start..)?;
    let indentation = line.len() - line.trim_start_matches([' ', '\t', '-', '?', ':']).len();
    let tab = line[..indentation].find('\t')?;
    Some(Span {
        column: tab + 1,
        start: line_start + tab,
        end: line_start + tab + 1,
        ..at
    })
}

/// The tab that one of the lines behind `at` is indented with: the first that stands left of what
/// is in the line of `at`, if there is one.
fn tab_behind(text: &str, at: Span) -> Option<Span> {
    let (before, behind) = text.split_at_checked(at.start)?;
    let first = before.rsplit(['\n', '\r']).next().unwrap_or_default();
    let spaces = first.len() - first.trim_start_matches(' ').len();
    let mut found = None;
    let mut start = at.start;
    for (index, line) in behind.split_inclusive('\n').take(MAX_TAB_LINES).enumerate() {
        let indentation = line.len() - line.trim_start_matches([' ', '\t']).len();
        if let Some(tab) = line[..indentation].find('\t').filter(|_| index > 0) {
            let place = Span {
                line: at.line + index,
                column: tab + 1,
                start: start + tab,
                end: start + tab + 1,
                ..at
            };
            if tab <= spaces {
                return Some(place);
            }
            found = found.or(Some(place));
        }
        start += line.len();
    }
    found
}

/// An alias with an anchor or a tag of its own.
pub(super) fn aliased(at: Span) -> Located {
    Located::error(
        "syntax",
        Some(at),
        "an alias has no anchor and no tag of its own",
    )
    .help("take out what stands before it: it repeats what its anchor names")
}

/// What to do about the syntax errors that people really make.
pub(super) fn advice(kind: &ErrorKind) -> Option<&'static str> {
    match kind {
        ErrorKind::TabInIndentation
        | ErrorKind::TabInPlainScalar
        | ErrorKind::TabInBlockIndentation
        | ErrorKind::TabNotAllowed => Some("indent with spaces"),
        ErrorKind::MappingValueNotAllowed | ErrorKind::InvalidSimpleKey => Some(
            "text with `: ` in it goes in quotes; otherwise look at the indentation of this line and the one before",
        ),
        ErrorKind::InvalidColonPlacement => Some(
            "look for a bracket, brace or quote before this that is not closed; text with `: ` in it goes in quotes",
        ),
        ErrorKind::ExpectedBlockMappingKey
        | ErrorKind::ExpectedBlockSequenceEntry
        | ErrorKind::InvalidIndentation
        | ErrorKind::SimpleKeyExpected => {
            Some("look at the indentation of this line and the one before, and for a missing `:`")
        }
        ErrorKind::UnclosedQuotedScalar
        | ErrorKind::InvalidQuotedScalarIndent
        | ErrorKind::DocumentIndicatorInQuotedScalar => Some("close the quote"),
        ErrorKind::UnexpectedCharacter { character } if character.is_ascii_graphic() => {
            Some("text that starts with a character like @, ` or % goes in quotes")
        }
        _ => None,
    }
}

pub(super) fn exhausted(at: Span, limits: Limits) -> Located {
    Located::error(
        "too-many-values",
        Some(at),
        format!(
            "from here on there are more values than cfgctl reads: {} in one file, {} in all, with what aliases repeat",
            limits.file_nodes, limits.nodes
        ),
    )
    .help("split the file, or write fewer aliases of aliases")
}
