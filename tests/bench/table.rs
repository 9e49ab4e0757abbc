//! The table that is printed.

use std::fmt::Write as _;

use crate::measure::{Sample, Unit};

/// Figures as they come, told on standard error while they do.
#[derive(Debug)]
pub(crate) struct Table {
    /// How often each figure is taken.
    pub(crate) runs: usize,
    rows: Vec<String>,
    growth: Vec<String>,
}

impl Table {
    pub(crate) fn new(runs: usize) -> Self {
        Self {
            runs,
            rows: Vec::new(),
            growth: Vec::new(),
        }
    }

    /// One figure, and what does something like it.
    pub(crate) fn add(&mut self, what: &str, figure: &Sample, beside: &[(&str, Sample)]) {
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
        let row = format!("| {what} | {} | ×{last:.1} |", cells.join(" → "));
        eprintln!("{row}");
        self.growth.push(row);
    }

    pub(crate) fn markdown(&self) -> String {
        let mut text = format!(
            "Medians of {} runs, whole processes; ×: cfgctl in units of the other.\n\n\
             | what | cfgctl | least … most | beside it |\n| --- | --- | --- | --- |\n",
            self.runs
        );
        for row in &self.rows {
            _ = writeln!(text, "{row}");
        }
        text.push_str(
            "\n| what grows tenfold, twice | cfgctl | last step |\n| --- | --- | --- |\n",
        );
        for row in &self.growth {
            _ = writeln!(text, "{row}");
        }
        text
    }
}

fn shown(sample: &Sample) -> String {
    let unit = match sample.unit {
        Unit::Milliseconds => "ms",
        Unit::Mebibytes => "MiB",
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
