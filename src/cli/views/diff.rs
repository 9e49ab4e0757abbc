//! Two texts as a unified diff, with the changed words marked on a terminal.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Effects, Style};
use similar::{ChangeTag, TextDiff};

use super::super::ui::Look;
use super::table::printable;

/// Lines of context around a change, as `diff -u` has them.
const CONTEXT: usize = 3;

/// A unified diff of `before` and `after` under these names; empty when they are equal. Styled
/// words only help where colours are shown, so they are left out elsewhere.
pub(crate) fn unified(name: &str, before: &str, after: &str, highlight: Highlight) -> String {
    let diff = TextDiff::from_lines(before, after);
    let mut text = String::new();
    for hunk in diff.unified_diff().context_radius(CONTEXT).iter_hunks() {
        if text.is_empty() {
            let bold = Style::new().bold();
            _ = writeln!(text, "{bold}--- {name}{bold:#}\n{bold}+++ {name}{bold:#}");
        }
        let cyan = AnsiColor::Cyan.on_default();
        _ = writeln!(text, "{cyan}{}{cyan:#}", hunk.header());
        for op in hunk.ops() {
            match highlight {
                Highlight::Words => {
                    for change in diff.iter_inline_changes(op) {
                        let parts = change.iter_strings_lossy();
                        line(&mut text, change.tag(), parts);
                    }
                }
                Highlight::Lines => {
                    for change in diff.iter_changes(op) {
                        let parts = [(false, change.to_string_lossy())];
                        line(&mut text, change.tag(), parts.into_iter());
                    }
                }
            }
        }
    }
    text
}

impl Highlight {
    /// Words only where colours are shown.
    pub(crate) fn of(look: Look) -> Self {
        if look.color { Self::Words } else { Self::Lines }
    }
}

/// What is marked in a changed line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Highlight {
    /// The words that differ.
    Words,
    /// Nothing within the line.
    Lines,
}

fn line<'a>(
    text: &mut String,
    tag: ChangeTag,
    parts: impl Iterator<Item = (bool, std::borrow::Cow<'a, str>)>,
) {
    let (sign, style) = match tag {
        ChangeTag::Equal => (' ', Style::new()),
        ChangeTag::Delete => ('-', AnsiColor::Red.on_default()),
        ChangeTag::Insert => ('+', AnsiColor::Green.on_default()),
    };
    _ = write!(text, "{style}{sign}");
    for (emphasised, part) in parts {
        let part = printable(part.trim_end_matches('\n'));
        if emphasised {
            let strong = style.effects(Effects::BOLD | Effects::UNDERLINE);
            _ = write!(text, "{style:#}{strong}{part}{strong:#}{style}");
        } else {
            text.push_str(&part);
        }
    }
    _ = writeln!(text, "{style:#}");
}
