//! Tables as kubectl prints them: no lines, capitals on top.

use comfy_table::{ContentArrangement, Table, presets};
use jiff::{SignedDuration, SpanRound, Timestamp, Unit};

use super::super::view::Canvas;

use crate::model::Origin;
/// Text from outside, on one line.
pub(crate) use crate::model::text::printable;

/// A table with these columns and rows; ends in a newline. Empty without rows.
pub(crate) fn table<const N: usize>(
    look: Canvas,
    header: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> String {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(header);
    if let Some(width) = look.width {
        table.set_width(width);
    }
    let mut is_empty = true;
    for row in rows {
        is_empty = false;
        table.add_row(row.map(|cell| printable(&cell)));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    if is_empty {
        return String::new();
    }
    let mut text = String::new();
    for line in table.lines() {
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// A length of time in its two largest units, rounded to the minute where it is longer than that:
/// `2 h`, `1 h 50 min`, `45 s`. What was just set to two hours has not become one hour.
pub(crate) fn span(length: SignedDuration) -> String {
    let seconds = length.abs().as_millis().saturating_add(500) / 1000;
    let seconds = match seconds {
        0 => return "now".to_owned(),
        90.. => (seconds + 30) / 60 * 60,
        _ => seconds,
    };
    let units = [(86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")];
    let mut left = seconds;
    let parts = units.into_iter().filter_map(|(unit, name)| {
        let count = left / unit;
        left %= unit;
        (count > 0).then(|| format!("{count} {name}"))
    });
    parts.take(2).collect::<Vec<_>>().join(" ")
}

/// How long ago `at` was, in its largest unit: `3 d`, `5 min`. Whoever wrote it may have had a clock
/// that was ahead of this machine's.
pub(crate) fn age(at: Timestamp, now: Timestamp) -> String {
    let ahead = at.duration_since(now);
    if ahead.is_positive() {
        return match span(ahead) {
            ahead if ahead.ends_with('s') || ahead == "1 min" => "now".to_owned(),
            ahead => format!("{ahead} ahead"),
        };
    }
    let round = SpanRound::new().largest(Unit::Day).days_are_24_hours();
    let Ok(span) = (now - at).round(round) else {
        return at.to_string();
    };
    let parts = [
        (span.get_days().into(), "d"),
        (i64::from(span.get_hours()), "h"),
        (span.get_minutes(), "min"),
        (span.get_seconds(), "s"),
    ];
    parts
        .into_iter()
        .find(|(count, _)| *count != 0)
        .map_or("now".to_owned(), |(count, unit)| format!("{count} {unit}"))
}

/// `count thing` or `count things`.
pub(crate) fn count(count: usize, thing: &str) -> String {
    if count == 1 {
        format!("1 {thing}")
    } else {
        format!("{count} {thing}s")
    }
}

/// A moment for people: to the second, in UTC.
pub(crate) fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}

/// Who planned what was applied later, and when; a dash where it was planned as it was applied.
pub(crate) fn planned(origin: &Origin) -> String {
    origin.planned.as_ref().map_or("-".to_owned(), |planned| {
        format!("{} by {}", moment(planned.at), printable(&planned.by))
    })
}

/// How much of a value is shown.
const SHOWN_BYTES: usize = 60;

/// A value on one line, cut where it is long and nobody asked for everything.
pub(crate) fn shortened(value: &str, look: Canvas) -> String {
    let line = printable(value);
    if look.wide || line.len() <= SHOWN_BYTES {
        return line;
    }
    let cut: String = line.chars().take(SHOWN_BYTES).collect();
    format!("{cut}… ({} bytes)", value.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_just_set_lasts_as_long_as_was_said() {
        for (milliseconds, shown) in [
            (7_200_000, "2 h"),
            (7_199_400, "2 h"),
            (7_190_000, "2 h"),
            (7_200_900, "2 h"),
            (6_600_000, "1 h 50 min"),
            (604_795_000, "7 d"),
            (600_000_000, "6 d 22 h"),
            (59_600, "1 min"),
            (45_000, "45 s"),
        ] {
            let length = SignedDuration::from_millis(milliseconds);
            assert_eq!(span(length), shown, "{milliseconds}");
        }
    }

    #[test]
    fn no_age_is_negative() {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let age_of = |seconds| age(now + SignedDuration::from_secs(seconds), now);
        assert_eq!(age_of(0), "now");
        assert_eq!(age_of(-90), "1 min");
        assert_eq!(age_of(30), "now", "clocks differ by as much");
        assert_eq!(age_of(7200), "2 h ahead");
        assert_eq!(age_of(3650 * 86_400), "3650 d ahead");
        assert!(age(Timestamp::MAX, Timestamp::MIN).ends_with("ahead"));
    }
}
