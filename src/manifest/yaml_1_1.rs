//! What a document means to Spring, whose reader of YAML, `SnakeYAML`, follows version 1.1.
//!
//! There `no` is a boolean, `017` is 15 and `1:30` is 90. This reads what is read alike by every
//! version of that reader, and refuses the rest: whoever asks can then leave the text as it is.

use std::collections::BTreeMap;

use serde_json::{Number, Value};
use serde_saphyr::granit_parser::{self, Event, Parser, ScalarStyle, StrInput, Tag};

use super::limits::Limits;
use crate::model::value::Map;

/// Why a text is not read, a clause that repeats nothing of it: there may be secrets in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Refused {
    reason: String,
}

type Reason = &'static str;

/// The map that `text` is to Spring. Keys that are no text are named as Spring names them: `[5]`.
pub fn read(text: &str) -> Result<Map, Refused> {
    // To YAML 1.1 these end a line; a mark of the byte order is skipped or refused.
    if text.contains(['\u{85}', '\u{2028}', '\u{2029}', '\u{feff}', '\0']) {
        let reason = "it has characters that versions of YAML read differently".to_owned();
        return Err(Refused { reason });
    }
    let limits = Limits::default();
    let options = granit_parser::options! {
        emit_unresolved_aliases: true,
        flow_nesting_limit: limits.depth,
        block_nesting_limit: limits.depth,
    };
    let mut reader = Reader {
        limits,
        spent: 0,
        open: Vec::new(),
        anchors: BTreeMap::new(),
        documents: Vec::new(),
    };
    let mut parser: Parser<'_, StrInput<'_>> = Parser::new_from_str_with_options(text, options);
    while let Some(next) = parser.next_event() {
        let (line, result) = match next {
            Ok((event, span)) => (span.start.line(), reader.event(event)),
            Err(error) => (error.marker().line(), Err("this is not YAML")),
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
        (None | Some(_), None) => Err(refused("it is not a map")),
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

fn scalar(text: &str, is_plain: bool, tag: Option<&Tag>) -> Result<Value, Reason> {
    match tag {
        None if is_plain => plain(text),
        None => Ok(Value::from(text)),
        Some(tag) if tag.core_suffix() == Some("str") => Ok(Value::from(text)),
        Some(_) => Err("a tag"),
    }
}

/// The value of a scalar without quotes and without a tag; see `Resolver` in
/// <https://bitbucket.org/snakeyaml/snakeyaml/src/master/src/main/java/org/yaml/snakeyaml/resolver/Resolver.java>.
fn plain(text: &str) -> Result<Value, Reason> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Ok(Value::Null),
        "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => {
            return Ok(Value::Bool(true));
        }
        "false" | "False" | "FALSE" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => {
            return Ok(Value::Bool(false));
        }
        "=" | "<<" => return Err("a word with a meaning of its own"),
        _ => {}
    }
    let (negative, unsigned) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    match unsigned.as_bytes() {
        [b'.', rest @ ..] if rest.first().is_some_and(u8::is_ascii_digit) => {
            Err("a number that versions of YAML read differently")
        }
        _ if matches!(unsigned.to_ascii_lowercase().as_str(), ".inf" | ".nan") => {
            Err("a number that JSON does not have")
        }
        [first, ..] if first.is_ascii_digit() => number(text, negative, unsigned),
        _ => Ok(Value::from(text)),
    }
}

/// What starts like a number: one, or text.
fn number(text: &str, negative: bool, unsigned: &str) -> Result<Value, Reason> {
    let all = |text: &str, allowed: fn(u8) -> bool| {
        text.bytes().any(allowed) && text.bytes().all(|byte| allowed(byte) || byte == b'_')
    };
    let digits = unsigned.replace('_', "");
    if let Some(bits) = unsigned.strip_prefix("0b") {
        return match all(bits, |byte| matches!(byte, b'0' | b'1')) {
            true => integer(negative, digits.get(2..).unwrap_or_default(), 2),
            false => Ok(Value::from(text)),
        };
    }
    if let Some(hex) = unsigned.strip_prefix("0x") {
        return match all(hex, |byte| byte.is_ascii_hexdigit()) {
            true => integer(negative, digits.get(2..).unwrap_or_default(), 16),
            false => Ok(Value::from(text)),
        };
    }
    if all(unsigned, |byte| byte.is_ascii_digit()) {
        return match unsigned.as_bytes() {
            [b'0'] => Ok(Value::from(0)),
            [b'0', octal @ ..] => match octal.iter().all(|byte| matches!(byte, b'0'..=b'7' | b'_'))
                && octal.iter().any(u8::is_ascii_digit)
            {
                true => integer(negative, &digits, 8),
                false => Ok(Value::from(text)),
            },
            _ => integer(negative, &digits, 10),
        };
    }
    if unsigned.contains(':') {
        return sexagesimal(text, negative, &digits);
    }
    if is_date(text) {
        return Err("a date, which is no text to its reader");
    }
    float(text, unsigned)
}

fn integer(negative: bool, digits: &str, radix: u32) -> Result<Value, Reason> {
    let sign = if negative { "-" } else { "" };
    // `-0` is 0.
    let value = i64::from_str_radix(&format!("{sign}{digits}"), radix).map(Value::from);
    let value = match value {
        Err(_) if !negative => u64::from_str_radix(digits, radix).map(Value::from),
        value => value,
    };
    value.map_err(|_| "an integer of more than 64 bits")
}

/// `1:30` is 90. What has colons and is no such number is text, unless it may be a time.
fn sexagesimal(text: &str, negative: bool, digits: &str) -> Result<Value, Reason> {
    if is_date(text) {
        return Err("a date, which is no text to its reader");
    }
    let mut parts = digits.split(':');
    let first = parts.next().unwrap_or_default();
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let below_60 =
        |part: &str| is_digits(part) && (part.len() == 1 || (part.len() == 2 && part < "6"));
    let rest: Vec<&str> = parts.collect();
    if let Some((last, middle)) = rest.split_last()
        && is_digits(first)
        && middle.iter().all(|part| below_60(part))
        && last.contains('.')
        && last
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.')
    {
        return Err("a number that versions of YAML read differently");
    }
    if !is_digits(first) || first.starts_with('0') || !rest.iter().all(|part| below_60(part)) {
        return Ok(Value::from(text));
    }
    let mut sum: i64 = 0;
    for part in std::iter::once(&first).chain(&rest) {
        let digit = part.parse::<i64>().ok();
        let next = digit.and_then(|digit| sum.checked_mul(60)?.checked_add(digit));
        sum = next.ok_or("an integer of more than 64 bits")?;
    }
    Ok(Value::from(if negative { -sum } else { sum }))
}

/// Whether text may be a date or a time, which only some readers take for text.
fn is_date(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() >= 8
        && bytes[..4].iter().all(u8::is_ascii_digit)
        && bytes[4] == b'-'
        && bytes[5].is_ascii_digit()
}

fn float(text: &str, unsigned: &str) -> Result<Value, Reason> {
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let digits = |text: &str| {
        text.bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'_')
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if !digits(whole) || !digits(fraction) {
        return Ok(Value::from(text));
    }
    if let Some(exponent) = exponent {
        let unsigned = exponent.strip_prefix(['+', '-']);
        let power = unsigned.unwrap_or(exponent);
        if power.is_empty() || !power.bytes().all(|byte| byte.is_ascii_digit()) {
            return Ok(Value::from(text));
        }
        if unsigned.is_none() || !mantissa.contains('.') {
            return Err("a number that versions of YAML read differently");
        }
    }
    let number = text.replace('_', "").parse::<f64>().ok();
    let number = number.and_then(Number::from_f64);
    number
        .map(Value::Number)
        .ok_or("a number that does not fit into 64 bits")
}

#[cfg(test)]
#[path = "yaml_1_1_tests.rs"]
mod tests;
