//! What a scalar means with its quotes and its tag.

use serde_json::Value;
use serde_saphyr::granit_parser::{self, ScalarStyle, Tag};

use super::super::node::Kind;
use super::Builder;
use crate::manifest::words::shown;
use crate::manifest::{Located, Span, scalar};

impl Builder<'_> {
    pub(super) fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        tag: Option<(&Tag, Span)>,
        at: Span,
    ) -> Kind {
        let quoted = Value::String(text.to_owned());
        let core = match tag {
            None if style != ScalarStyle::Plain => return Kind::Scalar(quoted),
            None => None,
            Some((tag, _)) if tag.core_suffix() == Some("str") || is_non_specific(tag) => {
                return Kind::Scalar(quoted);
            }
            Some(tag) => Some(tag),
        };
        let value = match scalar::plain(text) {
            Ok(value) => value,
            Err(trouble) => {
                self.findings
                    .push(Located::error("number", Some(at), trouble.message).help(trouble.help));
                return Kind::Broken;
            }
        };
        if let Some((tag, tag_at)) = core {
            if tag.core_suffix().is_some_and(|suffix| fits(suffix, &value)) {
                return Kind::Scalar(value);
            }
            self.findings.push(bad_tag(tag, tag_at));
            return Kind::Broken;
        }
        if value.is_string() && scalar::is_number_of_yaml_1_1(text) {
            let text = shown(text);
            self.findings.push(
                Located::warning(
                    "looks-like-number",
                    Some(at),
                    format!("`{text}` is text in YAML 1.2, not a number"),
                )
                .help(format!(
                    "write \"{text}\" if text is meant, or the number in plain digits"
                )),
            );
        }
        Kind::Scalar(value)
    }

    pub(super) fn check_tag(
        &mut self,
        tag: Option<&Tag>,
        expected: &str,
        span: granit_parser::Span,
    ) {
        if let Some(tag) = tag
            && tag.core_suffix() != Some(expected)
            && !is_non_specific(tag)
        {
            let at = self.tag_span(span);
            self.findings.push(bad_tag(tag, at));
        }
    }
}

/// `!`, which only says "not a plain scalar".
fn is_non_specific(tag: &Tag) -> bool {
    tag.original() == "!"
}

fn fits(suffix: &str, value: &Value) -> bool {
    match suffix {
        "null" => value.is_null(),
        "bool" => value.is_boolean(),
        "int" => value.is_i64() || value.is_u64(),
        "float" => value.is_f64(),
        _ => false,
    }
}

fn bad_tag(tag: &Tag, at: Span) -> Located {
    Located::error(
        "tag",
        Some(at),
        format!("the tag `{}` does not belong here", shown(&tag.original())),
    )
    .help("take the tag out; text that looks like something else goes in quotes")
}
