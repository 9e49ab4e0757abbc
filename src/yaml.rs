//! YAML that readers of YAML 1.1 and of 1.2 understand alike, written from values.
//!
//! Spring reads what is published with `SnakeYAML`, a reader of YAML 1.1, to which `no`, `1:30`,
//! `017` and `2026-11-21` are no text. The emitters at hand leave some of these bare, in keys above
//! all. Here it is turned around: text stays bare only if it is plainly a word.

use std::fmt::Write;

use serde_json::{Number, Value};

use crate::model::text;

/// The longest key that is written before a colon. Readers look 1024 characters ahead for it.
const MAX_SIMPLE_KEY: usize = 900;

/// `value` as one YAML document in block style, with a line end. Maps keep their order, which is
/// that of the sorted keys.
pub fn to_string(value: &Value) -> String {
    document(value, is_literal)
}

/// The same for a log: no line of it is one that a forge carries out, whatever the texts are.
pub fn to_log(value: &Value) -> String {
    let literal = |text: &str| is_literal(text) && !text::is_command(text);
    // What is left of them stands in double quotes: no word has a `#`.
    text::without_marks(&document(value, literal), "\\x23")
}

/// `literal` says which texts are written as blocks.
fn document(value: &Value, literal: Literal) -> String {
    let mut out = String::new();
    match value {
        Value::Object(map) if !map.is_empty() => block(value, 0, literal, &mut out),
        Value::Array(items) if !items.is_empty() => block(value, 0, literal, &mut out),
        // A block scalar needs something to be indented against.
        Value::String(text) => out.push_str(&quoted(text)),
        _ => scalar(value, 0, literal, &mut out),
    }
    if !out.ends_with('\n') {
        out.push('\n');
    }
    out
}

/// Whether a text is written as a literal block.
type Literal = fn(&str) -> bool;

/// Writes a map or list that is not empty. The cursor stands at column `indent`.
fn block(value: &Value, indent: usize, is_literal: Literal, out: &mut String) {
    match value {
        Value::Object(map) => {
            for (index, (key, value)) in map.iter().enumerate() {
                start_line(index, indent, out);
                write_key(key, indent, out);
                if is_block(value) {
                    out.push('\n');
                    out.extend(std::iter::repeat_n(' ', indent + 2));
                    block(value, indent + 2, is_literal, out);
                } else {
                    out.push(' ');
                    scalar(value, indent + 2, is_literal, out);
                    out.push('\n');
                }
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                start_line(index, indent, out);
                out.push_str("- ");
                if is_block(item) {
                    block(item, indent + 2, is_literal, out);
                } else {
                    scalar(item, indent + 2, is_literal, out);
                    out.push('\n');
                }
            }
        }
        _ => scalar(value, indent, is_literal, out),
    }
}

fn is_block(value: &Value) -> bool {
    match value {
        Value::Object(map) => !map.is_empty(),
        Value::Array(items) => !items.is_empty(),
        _ => false,
    }
}

/// The cursor stands in the first line already: behind `- `, or at the start of everything.
fn start_line(index: usize, indent: usize, out: &mut String) {
    if index > 0 {
        out.extend(std::iter::repeat_n(' ', indent));
    }
}

fn write_key(key: &str, indent: usize, out: &mut String) {
    let key = if is_word(key) && !key.contains(':') {
        key.to_owned()
    } else {
        quoted(key)
    };
    if key.chars().count() > MAX_SIMPLE_KEY {
        out.push_str("? ");
        out.push_str(&key);
        out.push('\n');
        out.extend(std::iter::repeat_n(' ', indent));
    } else {
        out.push_str(&key);
    }
    out.push(':');
}

/// Writes what is no block, without a line end. A block scalar is indented by `indent`.
fn scalar(value: &Value, indent: usize, is_literal: Literal, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(number) => out.push_str(&number_text(number)),
        Value::String(text) if is_word(text) => out.push_str(text),
        Value::String(text) if is_literal(text) => literal(text, indent, out),
        Value::String(text) => out.push_str(&quoted(text)),
        Value::Array(_) => out.push_str("[]"),
        Value::Object(_) => out.push_str("{}"),
    }
}

/// A float of YAML 1.1 has a dot, and a sign in its exponent.
fn number_text(number: &Number) -> String {
    let Some(float) = number.as_f64().filter(|_| number.is_f64()) else {
        return number.to_string();
    };
    let text = format!("{float:?}");
    let Some((mantissa, exponent)) = text.split_once('e') else {
        return text;
    };
    let dot = if mantissa.contains('.') { "" } else { ".0" };
    let sign = if exponent.starts_with('-') { "" } else { "+" };
    format!("{mantissa}{dot}e{sign}{exponent}")
}

/// Whether text means itself without quotes to every reader: it starts with a letter or a slash,
/// has nothing that is punctuation of YAML, and is none of the words with a meaning.
fn is_word(text: &str) -> bool {
    const MEANINGS: [&str; 13] = [
        "y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf", "nil", "none",
    ];
    let mut characters = text.chars();
    let starts = characters
        .next()
        .is_some_and(|first| first == '/' || is_letter(first));
    let inside = |character: char| {
        let safe = |c| {
            matches!(
                c,
                ' ' | '_' | '-' | '.' | '/' | ':' | '@' | '+' | '=' | ',' | ';'
            )
        };
        let also = |c| matches!(c, '(' | ')' | '%' | '$' | '*');
        is_letter(character) || character.is_ascii_digit() || safe(character) || also(character)
    };
    let means = |word: &&str| word.eq_ignore_ascii_case(text);
    starts
        && characters.all(inside)
        && !text.contains(": ")
        && !text.ends_with([':', ' '])
        && !MEANINGS.iter().any(means)
}

fn is_letter(character: char) -> bool {
    character.is_ascii_alphabetic() || (character.is_alphabetic() && is_shown(character))
}

/// Whether text can be a literal block, `|`, without losing anything.
fn is_literal(text: &str) -> bool {
    let body = text.strip_suffix('\n').unwrap_or(text);
    body.contains('\n')
        && !body.ends_with('\n')
        && !body.starts_with(['\n', ' '])
        && body
            .split('\n')
            .all(|line| !line.ends_with(' ') && line.chars().all(is_shown))
}

fn literal(text: &str, indent: usize, out: &mut String) {
    let (header, body) = match text.strip_suffix('\n') {
        Some(body) => ("|", body),
        None => ("|-", text),
    };
    out.push_str(header);
    for line in body.split('\n') {
        out.push('\n');
        if !line.is_empty() {
            out.extend(std::iter::repeat_n(' ', indent));
            out.push_str(line);
        }
    }
}

fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            shown if is_shown(shown) => out.push(shown),
            hidden => {
                let code = u32::from(hidden);
                // Writing to a string does not fail.
                let _ = match code {
                    0..=0xff => write!(out, "\\x{code:02x}"),
                    0x100..=0xffff => write!(out, "\\u{code:04x}"),
                    _ => write!(out, "\\U{code:08x}"),
                };
            }
        }
    }
    out.push('"');
    out
}

/// Whether a character can be written as it is: every reader takes it, and a person sees it.
///
/// Left out are control characters, line ends of YAML 1.1, spaces that are not the space, what
/// changes the direction of text, private characters, and all beyond 16 bits, which old versions
/// of `SnakeYAML` refuse.
fn is_shown(character: char) -> bool {
    match character {
        '\u{a1}'..='\u{ac}' | '\u{ae}'..='\u{d7ff}' => {
            !character.is_whitespace()
                && !matches!(character,
                    '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
                    | '\u{2060}'..='\u{206f}')
        }
        ' '..='~' | '\u{f900}'..='\u{fdcf}' | '\u{fdf0}'..='\u{fefe}' | '\u{ff00}'..='\u{ffef}' => {
            true
        }
        _ => false,
    }
}
