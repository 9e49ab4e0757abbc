//! How JavaScript turns values into texts and numbers, and compares them: flagd's evaluator is
//! written in it, and its answers show it.

use std::cmp::Ordering;

use datalogic_rs::DataValue;

/// The text of a value, as `String(value)` has it.
pub(super) fn text(value: &DataValue<'_>) -> String {
    match value {
        DataValue::Null => "null".to_owned(),
        DataValue::Bool(value) => value.to_string(),
        DataValue::Number(number) => number_text(number.as_f64()),
        DataValue::String(text) => (*text).to_owned(),
        DataValue::Array(items) => {
            let items: Vec<String> = items
                .iter()
                .map(|item| match item {
                    DataValue::Null => String::new(),
                    item => text(item),
                })
                .collect();
            items.join(",")
        }
        DataValue::Object(_) => "[object Object]".to_owned(),
    }
}

/// The shortest text that reads back as `number`.
pub(crate) fn number_text(number: f64) -> String {
    let size = number.abs();
    if number == 0.0 {
        "0".to_owned()
    } else if (1e-6..1e21).contains(&size) {
        number.to_string()
    } else if number.is_finite() {
        let text = format!("{number:e}");
        match text.split_once('e') {
            Some((digits, exponent)) if !exponent.starts_with('-') => {
                format!("{digits}e+{exponent}")
            }
            _ => text,
        }
    } else if number.is_nan() {
        "NaN".to_owned()
    } else if number > 0.0 {
        "Infinity".to_owned()
    } else {
        "-Infinity".to_owned()
    }
}

/// The number of a value, as `Number(value)` has it; not a number if it is none.
pub(super) fn number(value: &DataValue<'_>) -> f64 {
    match value {
        DataValue::Null => 0.0,
        DataValue::Bool(value) => f64::from(u8::from(*value)),
        DataValue::Number(number) => number.as_f64(),
        DataValue::String(text) => number_of_text(text),
        DataValue::Array(_) | DataValue::Object(_) => number_of_text(&text(value)),
    }
}

fn number_of_text(text: &str) -> f64 {
    let text = text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    for (prefix, radix) in [
        ("0x", 16),
        ("0X", 16),
        ("0o", 8),
        ("0O", 8),
        ("0b", 2),
        ("0B", 2),
    ] {
        if let Some(digits) = text.strip_prefix(prefix) {
            return digits_in(digits, radix).unwrap_or(f64::NAN);
        }
    }
    match text {
        "" => 0.0,
        "Infinity" | "+Infinity" => f64::INFINITY,
        "-Infinity" => f64::NEG_INFINITY,
        // Rust reads words such as `inf` too.
        _ if text.contains(|c: char| c.is_alphabetic() && !matches!(c, 'e' | 'E')) => f64::NAN,
        _ => text.parse().unwrap_or(f64::NAN),
    }
}

fn digits_in(digits: &str, radix: u32) -> Option<f64> {
    if digits.is_empty() {
        return None;
    }
    digits.chars().try_fold(0.0, |number, c| {
        Some(number * f64::from(radix) + f64::from(c.to_digit(radix)?))
    })
}

/// Whether a condition would take the value for true. Unlike in `JsonLogic`, an empty list is.
pub(super) fn is_truthy(value: &DataValue<'_>) -> bool {
    match value {
        DataValue::Null => false,
        DataValue::Bool(value) => *value,
        DataValue::Number(number) => {
            let number = number.as_f64();
            number != 0.0 && !number.is_nan()
        }
        DataValue::String(text) => !text.is_empty(),
        DataValue::Array(_) | DataValue::Object(_) => true,
    }
}

/// `a == b`, where `b` is neither a list nor a map.
pub(super) fn loosely_equal(a: &DataValue<'_>, b: &DataValue<'_>) -> bool {
    use DataValue::{Array, Null, Object, String};
    match (a, b) {
        (Null, Null) => true,
        (Null, _) | (_, Null) => false,
        (String(a), String(b)) => a == b,
        (Array(_) | Object(_), String(b)) => text(a) == *b,
        #[expect(clippy::float_cmp, reason = "this is what JavaScript does")]
        _ => number(a) == number(b),
    }
}

/// How `a` stands to `b`; `None` if they cannot be compared, and then neither is less.
pub(super) fn ordering(a: &DataValue<'_>, b: &DataValue<'_>) -> Option<Ordering> {
    use DataValue::{Array, Object, String};
    match (a, b) {
        (String(a), String(b)) => Some(by_units(a, b)),
        (Array(_) | Object(_), String(b)) => Some(by_units(&text(a), b)),
        _ => number(a).partial_cmp(&number(b)),
    }
}

/// Texts are compared by the units of UTF-16.
fn by_units(a: &str, b: &str) -> Ordering {
    a.encode_utf16().cmp(b.encode_utf16())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_javascript_writes_them() {
        let texts = [
            (0.0, "0"),
            (-0.0, "0"),
            (2.0, "2"),
            (-1.5, "-1.5"),
            (1e20, "100000000000000000000"),
            (1e21, "1e+21"),
            (1.5e300, "1.5e+300"),
            (1e-6, "0.000001"),
            (1.5e-7, "1.5e-7"),
            (f64::INFINITY, "Infinity"),
        ];
        for (number, text) in texts {
            assert_eq!(number_text(number), text);
        }
    }

    #[test]
    fn texts_are_numbers_where_javascript_says_so() {
        let numbers = [
            ("", 0.0),
            (" 3\n", 3.0),
            ("1e3", 1000.0),
            (".5", 0.5),
            ("5.", 5.0),
            ("0x1F", 31.0),
            ("0b101", 5.0),
            ("-Infinity", f64::NEG_INFINITY),
        ];
        for (text, number) in numbers {
            assert!((number_of_text(text) - number).abs() < 1e-9 || number.is_infinite());
            assert_eq!(number_of_text(text).is_finite(), number.is_finite());
        }
        for text in [
            "a", "inf", "nan", "1_000", "0x", "0xg", "1 2", ".", "-", "infinity",
        ] {
            assert!(number_of_text(text).is_nan(), "{text}");
        }
    }
}
