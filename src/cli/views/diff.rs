//! Two texts as a unified diff, with the changed words marked on a terminal.

use std::borrow::Cow;
use std::fmt::Write as _;

use anstyle::{AnsiColor, Effects, Style};
use similar::{ChangeTag, DiffOp, TextDiff};

use super::super::view::Canvas;
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

/// A unified diff without colours, as it is shown.
pub(crate) fn colored(diff: &str, highlight: Highlight) -> String {
    let mut text = String::new();
    let mut block = Block::default();
    let mut is_header = true;
    for line in diff.lines() {
        is_header &= !line.starts_with("@@ ");
        if is_header {
            let bold = Style::new().bold();
            _ = writeln!(text, "{bold}{}{bold:#}", printable(line));
        } else if let Some(removed) = line.strip_prefix('-') {
            if !block.added.is_empty() {
                block.flush(highlight, &mut text);
            }
            block.removed.push(removed);
        } else if let Some(added) = line.strip_prefix('+') {
            block.added.push(added);
        } else {
            block.flush(highlight, &mut text);
            if line.starts_with("@@ ") {
                let cyan = AnsiColor::Cyan.on_default();
                _ = writeln!(text, "{cyan}{line}{cyan:#}");
            } else {
                let same = line.strip_prefix(' ').unwrap_or(line);
                self::line(&mut text, ChangeTag::Equal, whole(same));
            }
        }
    }
    block.flush(highlight, &mut text);
    text
}

/// Lines that follow one another, of which one stands for the other.
#[derive(Default)]
struct Block<'a> {
    removed: Vec<&'a str>,
    added: Vec<&'a str>,
}

impl Block<'_> {
    fn flush(&mut self, highlight: Highlight, text: &mut String) {
        let (removed, added) = (self.removed.len(), self.added.len());
        if highlight == Highlight::Words && removed > 0 && added > 0 {
            let [old, new] = [&self.removed, &self.added].map(|lines| lines.join("\n") + "\n");
            let diff = TextDiff::from_lines(&old, &new);
            let replaced = DiffOp::Replace {
                old_index: 0,
                old_len: removed,
                new_index: 0,
                new_len: added,
            };
            for change in diff.iter_inline_changes(&replaced) {
                let parts = change.iter_strings_lossy();
                line(text, change.tag(), parts);
            }
        } else {
            for removed in &self.removed {
                line(text, ChangeTag::Delete, whole(removed));
            }
            for added in &self.added {
                line(text, ChangeTag::Insert, whole(added));
            }
        }
        *self = Self::default();
    }
}

/// A line in which nothing is marked.
fn whole(line: &str) -> impl Iterator<Item = (bool, Cow<'_, str>)> {
    std::iter::once((false, Cow::Borrowed(line)))
}

impl Highlight {
    /// Words only where colours are shown.
    pub(crate) fn of(look: Canvas) -> Self {
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

fn line<'a>(text: &mut String, tag: ChangeTag, parts: impl Iterator<Item = (bool, Cow<'a, str>)>) {
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
