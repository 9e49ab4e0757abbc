//! Durations as people write them.

use jiff::{SignedDuration, Span, SpanRelativeTo};

/// The longest time that anything stays switched by itself: longer is a change of the files.
const MAX_LASTING: SignedDuration = SignedDuration::from_hours(366 * 24);

/// Reads `30m`, `2h30m`, `7d`, `PT5M`: longer than nothing, and up to a year. A day has 24 hours.
pub fn parse_duration(text: &str) -> Option<SignedDuration> {
    let span: Span = text.parse().ok()?;
    let duration = span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
    (duration.is_positive() && duration <= MAX_LASTING).then_some(duration)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_has_a_unit_and_an_end() {
        for (text, minutes) in [
            ("30m", 30),
            ("2h30m", 150),
            ("PT5M", 5),
            ("7d", 7 * 24 * 60),
        ] {
            let expected = SignedDuration::from_mins(minutes);
            assert_eq!(parse_duration(text), Some(expected), "{text}");
        }
        for text in ["", "5", "0s", "-5m", "5 years", "1mo", "9000000h", "soon"] {
            assert_eq!(parse_duration(text), None, "{text}");
        }
    }
}
