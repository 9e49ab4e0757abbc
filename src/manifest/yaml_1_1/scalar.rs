//! Scalars of YAML 1.1, as `SnakeYAML` resolves them.

use serde_json::{Number, Value};
use serde_saphyr::granit_parser::Tag;

/// Why a text is not read, a clause.
pub(super) type Reason = &'static str;

/// The value of a scalar; `is_plain`: without quotes.
pub(super) fn scalar(text: &str, is_plain: bool, tag: Option<&Tag>) -> Result<Value, Reason> {
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
        return if all(bits, |byte| matches!(byte, b'0' | b'1')) {
            integer(negative, digits.get(2..).unwrap_or_default(), 2)
        } else {
            Ok(Value::from(text))
        };
    }
    if let Some(hex) = unsigned.strip_prefix("0x") {
        return if all(hex, |byte| byte.is_ascii_hexdigit()) {
            integer(negative, digits.get(2..).unwrap_or_default(), 16)
        } else {
            Ok(Value::from(text))
        };
    }
    if all(unsigned, |byte| byte.is_ascii_digit()) {
        return match unsigned.as_bytes() {
            [b'0'] => Ok(Value::from(0)),
            [b'0', octal @ ..] => {
                let is_octal = |byte: &u8| matches!(byte, b'0'..=b'7' | b'_');
                if octal.iter().all(is_octal) && octal.iter().any(u8::is_ascii_digit) {
                    integer(negative, &digits, 8)
                } else {
                    Ok(Value::from(text))
                }
            }
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
