//! What a scalar means: the core schema of YAML 1.2, without its traps.
//!
//! See <https://yaml.org/spec/1.2.2/#103-core-schema>. Integers are exact or an error.

use serde_json::{Number, Value};

use super::words::shown;

/// A plain scalar that is no value, or one that a person may read otherwise than we do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Trouble {
    /// What is wrong with it.
    pub(super) message: String,
    /// What to write in its place.
    pub(super) help: String,
}

/// The value of a scalar without quotes and without a tag.
pub(super) fn plain(text: &str) -> Result<Value, Trouble> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Ok(Value::Null),
        "true" | "True" | "TRUE" => return Ok(Value::Bool(true)),
        "false" | "False" | "FALSE" => return Ok(Value::Bool(false)),
        _ => {}
    }
    if !text.starts_with(|first: char| first.is_ascii_digit() || "+-.".contains(first)) {
        return Ok(Value::String(text.to_owned()));
    }
    let (negative, unsigned) = match text.as_bytes()[0] {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return Err(Trouble {
            message: format!("`{text}` is not a number that a configuration can hold"),
            help: format!("if text is meant, write \"{text}\""),
        });
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return radix(text, digits, 8);
    }
    if let Some(digits) = text.strip_prefix("0x") {
        return radix(text, digits, 16);
    }
    if !unsigned.is_empty() && unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
        return decimal(text, negative, unsigned);
    }
    if is_float(unsigned) {
        return float(text);
    }
    Ok(Value::String(text.to_owned()))
}

/// Whether text without quotes is a number to a reader of YAML 1.1, though not to us.
pub(super) fn is_number_of_yaml_1_1(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if !unsigned.starts_with(|first: char| first.is_ascii_digit()) {
        return false;
    }
    if let Some(digits) = unsigned.strip_prefix("0b") {
        return !digits.is_empty() && digits.bytes().all(|byte| b"01_".contains(&byte));
    }
    let digits = unsigned.strip_prefix("0x").unwrap_or(unsigned);
    let hex = digits.len() < unsigned.len();
    unsigned.contains('_')
        && digits.bytes().all(|byte| {
            byte.is_ascii_digit()
                || byte == b'_'
                || (hex && byte.is_ascii_hexdigit())
                || (!hex && byte == b'.')
        })
}

fn radix(text: &str, digits: &str, radix: u32) -> Result<Value, Trouble> {
    if digits.is_empty() || !digits.chars().all(|digit| digit.is_digit(radix)) {
        return Ok(Value::String(text.to_owned()));
    }
    u64::from_str_radix(digits, radix)
        .map(Value::from)
        .map_err(|_| too_large(text))
}

fn decimal(text: &str, negative: bool, digits: &str) -> Result<Value, Trouble> {
    if digits.len() > 1 && digits.starts_with('0') {
        let trimmed = digits.trim_start_matches('0');
        let number = if trimmed.is_empty() { "0" } else { trimmed };
        let (text, number) = (shown(text), shown(number));
        return Err(Trouble {
            message: format!("`{text}` has a leading zero, which some readers take for octal"),
            help: format!("write {number} for the number or \"{text}\" for the text"),
        });
    }
    // `-0` is the integer 0.
    let number = if negative {
        format!("-{digits}").parse::<i64>().map(Value::from)
    } else {
        digits.parse::<u64>().map(Value::from)
    };
    number.map_err(|_| too_large(text))
}

fn too_large(text: &str) -> Trouble {
    let shown = shown(text);
    Trouble {
        message: format!("`{shown}` does not fit into 64 bits"),
        help: format!(
            "integers go from {} to {}; write it in quotes if text is meant",
            i64::MIN,
            u64::MAX
        ),
    }
}

/// `[0-9]+(\.[0-9]*)?|\.[0-9]+`, with or without an exponent.
fn is_float(unsigned: &str) -> bool {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    if let Some(exponent) = exponent {
        let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        if exponent.is_empty() || !digits(exponent) {
            return false;
        }
    }
    match mantissa.split_once('.') {
        Some((whole, fraction)) => {
            digits(whole) && digits(fraction) && !(whole.is_empty() && fraction.is_empty())
        }
        None => !mantissa.is_empty() && digits(mantissa),
    }
}

fn float(text: &str) -> Result<Value, Trouble> {
    text.parse::<f64>()
        .ok()
        .and_then(Number::from_f64)
        .map(Value::Number)
        .ok_or_else(|| {
            let shown = shown(text);
            Trouble {
                message: format!("`{shown}` is larger than any number of 64 bits"),
                help: "write it in quotes if text is meant".to_owned(),
            }
        })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn scalars_mean_what_yaml_1_2_says() {
        for (text, value) in [
            ("", json!(null)),
            ("~", json!(null)),
            ("True", json!(true)),
            ("no", json!("no")),
            ("on", json!("on")),
            ("yes", json!("yes")),
            ("off", json!("off")),
            ("y", json!("y")),
            ("1_000", json!("1_000")),
            ("1:30", json!("1:30")),
            ("0b11", json!("0b11")),
            ("2026-11-21", json!("2026-11-21")),
            ("0o17", json!(15)),
            ("0x1F", json!(31)),
            ("0xg", json!("0xg")),
            ("0", json!(0)),
            ("-0", json!(0)),
            ("+5", json!(5)),
            ("-", json!("-")),
            (".", json!(".")),
            ("1.", json!(1.0)),
            (".5", json!(0.5)),
            ("1e3", json!(1000.0)),
            ("1e+3", json!(1000.0)),
            ("1e", json!("1e")),
            ("1.2.3", json!("1.2.3")),
            ("18446744073709551615", json!(u64::MAX)),
            ("-9223372036854775808", json!(i64::MIN)),
        ] {
            assert_eq!(plain(text), Ok(value), "{text}");
        }
    }

    #[test]
    fn numbers_that_cannot_be_kept_exactly_are_refused() {
        for (text, message) in [
            ("18446744073709551616", "does not fit into 64 bits"),
            ("-9223372036854775809", "does not fit into 64 bits"),
            ("0xFFFFFFFFFFFFFFFFF", "does not fit into 64 bits"),
            ("1e999", "larger than any number"),
            (".nan", "can hold"),
            ("-.inf", "can hold"),
            ("017", "leading zero"),
            ("-00", "leading zero"),
        ] {
            let trouble = plain(text).unwrap_err();
            assert!(trouble.message.contains(message), "{text}: {trouble:?}");
        }
    }

    #[test]
    fn numbers_that_only_yaml_1_1_knows_are_noticed() {
        for text in ["1_000", "-1_0.5", "0b101", "0x_ff"] {
            assert!(is_number_of_yaml_1_1(text), "{text}");
        }
        for text in ["1000", "a_1", "_1", "1_a", "0b2", "10.0.0.1", "1e3"] {
            assert!(!is_number_of_yaml_1_1(text), "{text}");
        }
    }
}
