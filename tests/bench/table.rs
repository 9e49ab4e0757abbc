//! The table that is printed.

use std::fmt::Write as _;

use crate::measure::{Sample, Unit};

/// What a figure should be.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Aim<'a> {
    /// At most so long.
    Milliseconds(f64),
    /// At most so much memory.
    Mebibytes(f64),
    /// The same in smaller pieces.
    Kibibytes(f64),
    /// At most so many times the other.
    Share(f64, &'a Sample),
}

/// Figures as they come, told on standard error while they do.
#[derive(Debug)]
pub(crate) struct Table {
    /// How often each figure is taken.
    pub(crate) runs: usize,
    rows: Vec<String>,
    growth: Vec<String>,
    beside: Vec<String>,
    aims: Vec<String>,
    /// The steepest growth that was seen: by how much, and of what.
    steepest: (f64, String),
}

impl Table {
    pub(crate) fn new(runs: usize) -> Self {
        Self {
            runs,
            rows: Vec::new(),
            growth: Vec::new(),
            beside: Vec::new(),
            aims: Vec::new(),
            steepest: (0.0, String::new()),
        }
    }

    /// One figure, and what does something like it.
    pub(crate) fn add(&mut self, what: &str, figure: &Sample, beside: &[(&str, &Sample)]) {
        let beside: Vec<_> = beside
            .iter()
            .map(|(name, sample)| {
                let ratio = figure.median() / sample.median();
                format!("{name} {} (×{ratio:.2})", shown(sample))
            })
            .collect();
        let (least, most) = figure.range();
        let row = format!(
            "| {what} | {} | {} … {} | {} |",
            shown(figure),
            number(least),
            number(most),
            beside.join("; ")
        );
        eprintln!("{row}");
        self.rows.push(row);
    }

    /// One figure for inputs that grow tenfold each time.
    pub(crate) fn grow(&mut self, what: &str, figures: &[Sample]) {
        let cells: Vec<_> = figures.iter().map(shown).collect();
        let last = match figures {
            [.., before, after] => after.median() / before.median(),
            _ => f64::NAN,
        };
        if last > self.steepest.0 {
            self.steepest = (last, what.to_owned());
        }
        let row = format!("| {what} | {} | ×{last:.1} |", cells.join(" → "));
        eprintln!("{row}");
        self.growth.push(row);
    }

    /// One figure while other things grow, which should leave it as it is.
    pub(crate) fn beside_growth(&mut self, what: &str, figures: &[Sample]) {
        let cells: Vec<_> = figures.iter().map(shown).collect();
        let whole = match figures {
            [before, .., after] => after.median() / before.median(),
            _ => f64::NAN,
        };
        let row = format!("| {what} | {} | ×{whole:.1} |", cells.join(" → "));
        eprintln!("{row}");
        self.beside.push(row);
    }

    /// What was aimed at, and how `figure` compares.
    pub(crate) fn aim(&mut self, what: &str, aim: Aim<'_>, figure: &Sample) {
        let (limit, measured) = match aim {
            Aim::Milliseconds(limit) | Aim::Mebibytes(limit) | Aim::Kibibytes(limit) => {
                (limit, shown(figure))
            }
            Aim::Share(share, other) => {
                let ratio = figure.median() / other.median();
                let measured = if share < 1.0 {
                    format!("{} times as fast", number(1.0 / ratio))
                } else {
                    format!("{} times", number(ratio))
                };
                (share * other.median(), measured)
            }
        };
        self.judge(what, &measured, figure.median() <= limit);
    }

    /// That there are at least so many times as many as of the other.
    pub(crate) fn aim_more(&mut self, what: &str, times: f64, other: &Sample, figure: &Sample) {
        let ratio = figure.median() / other.median();
        self.judge(what, &format!("{} times", number(ratio)), ratio >= times);
    }

    fn judge(&mut self, what: &str, measured: &str, held: bool) {
        let verdict = if held { "yes" } else { "**no**" };
        self.aims
            .push(format!("| {what} | {measured} | {verdict} |"));
    }

    /// Everything, under `circumstances`.
    pub(crate) fn markdown(mut self, circumstances: &str) -> String {
        let (steepest, what) = std::mem::take(&mut self.steepest);
        if !self.growth.is_empty() {
            self.judge(
                "nothing grows faster than its input",
                &format!("at most ×{steepest:.1} ({what})"),
                steepest <= 10.0,
            );
        }
        let heads = [
            ("what | cfgctl | least … most | beside it", &self.rows),
            (
                "what grows tenfold, twice | cfgctl | last step",
                &self.growth,
            ),
            (
                "what should not grow, beside 10, 100, 1,000 and 5,000 other sets | cfgctl | in all",
                &self.beside,
            ),
            ("aim | measured | held", &self.aims),
        ];
        let mut text = format!("{circumstances}\n");
        for (head, rows) in heads {
            let line = " --- |".repeat(head.split('|').count());
            _ = writeln!(text, "\n| {head} |\n|{line}");
            for row in rows {
                _ = writeln!(text, "{row}");
            }
        }
        text
    }
}

fn shown(sample: &Sample) -> String {
    let unit = match sample.unit {
        Unit::Milliseconds => "ms",
        Unit::Mebibytes => "MiB",
        Unit::Kibibytes => "KiB",
        Unit::PerSecond => "a second",
    };
    format!("{} {unit}", number(sample.median()))
}

/// Three digits are as many as can be told apart.
fn number(figure: f64) -> String {
    match figure {
        small if small < 10.0 => format!("{small:.2}"),
        middle if middle < 100.0 => format!("{middle:.1}"),
        large => format!("{large:.0}"),
    }
}
