//! What people get wrong in YAML, and what is said about it.

use serde_json::Value;
use serde_saphyr::granit_parser::{ErrorKind, ScalarStyle};

use super::super::limits::Limits;
use super::super::node::{Kind, Node};
use super::Key;
use crate::manifest::words::shown;
use crate::manifest::{Finding, Span};

/// What a node is as a key.
pub(super) fn key_of(
    node: Node,
    style: Option<ScalarStyle>,
    text: &str,
    findings: &mut Vec<Finding>,
) -> Key {
    let at = node.span;
    let raw = text.get(at.start..at.end).unwrap_or_default();
    match node.kind {
        Kind::Scalar(Value::String(key)) => {
            if key == "<<" && style == Some(ScalarStyle::Plain) {
                findings.push(
                    Finding::error("merge-key", Some(at), "merge keys (`<<`) are not part of YAML 1.2")
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
            let finding = Finding::error(
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
            findings.push(
                Finding::error(
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

pub(super) fn too_deep(at: Span, limits: Limits) -> Finding {
    Finding::error(
        "too-deep",
        Some(at),
        format!(
            "maps and lists lie more than {} deep inside each other",
            limits.depth
        ),
    )
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

pub(super) fn exhausted(at: Span, limits: Limits) -> Finding {
    Finding::error(
        "too-many-values",
        Some(at),
        format!(
            "from here on there are more values than cfgctl reads: {} in one file, {} in all, with what aliases repeat",
            limits.file_nodes, limits.nodes
        ),
    )
    .help("split the file, or write fewer aliases of aliases")
}
