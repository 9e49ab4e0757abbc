//! What YAML 1.2 does not allow, and the parser takes.
//!
//! Other readers refuse these, or read something else: a manifest means the same to all of them.

use serde_saphyr::granit_parser::{Marker, ScalarStyle};

use super::mistakes::tab_indents;
use super::{Builder, End, Inside, Open};
use crate::manifest::{Located, Span};

impl Builder<'_> {
    /// The column, from 0, that a collection in block style is indented to; `None` in brackets.
    pub(super) fn column(&self, start: Marker, style_end: End, inside: &Inside) -> Option<usize> {
        let End::LastValue = style_end else {
            return None;
        };
        let is_list_in_map = |open: &Open| {
            matches!(inside, Inside::List(_)) && matches!(open.inside, Inside::Map { .. })
        };
        match self.open.last() {
            // The parser sees a list whose dashes stand below the key only behind the first dash.
            Some(open) if is_list_in_map(open) && self.line_before(start).contains('-') => {
                open.column
            }
            _ => Some(start.col()),
        }
    }

    /// A map is indented with spaces only, also behind the `-` or `?` in its line.
    pub(super) fn check_tabs(&mut self, start: Marker) {
        let before = self.line_before(start);
        let is_indentation = |character: char| matches!(character, ' ' | '\t' | '-' | '?' | ':');
        let Some(tab) = before.find('\t') else { return };
        if !before.chars().all(is_indentation) {
            return;
        }
        // Everything before the tab is one byte and one column.
        let line_start = start.byte_offset().unwrap_or(0) - before.len();
        let at = self.tab(start.line(), line_start, tab);
        self.findings.push(tab_indents(at));
    }

    /// A line with nothing but white space ends a text in block style only if it is empty: with a
    /// tab that stands too far left, it is neither a part of it nor of what follows.
    pub(super) fn check_text_end(&mut self, style: ScalarStyle, end: Marker) {
        if !matches!(style, ScalarStyle::Literal | ScalarStyle::Folded) {
            return;
        }
        let offset = end.byte_offset().unwrap_or(self.text.len());
        let rest = self.text.get(offset..).unwrap_or_default();
        let blank = rest.len() - rest.trim_start_matches([' ', '\t']).len();
        let (line, after) = rest.split_at(blank);
        let Some(tab) = line.find('\t') else { return };
        if !(after.is_empty() || after.starts_with(['\n', '\r'])) {
            return;
        }
        let spaces = end.col();
        let at = self.tab(end.line(), offset.saturating_sub(spaces), spaces + tab);
        self.findings.push(
            Located::error(
                "syntax",
                Some(at),
                "this line has nothing but a tab, left of the text that it stands in",
            )
            .help("empty the line, or indent it with as many spaces as the text"),
        );
    }

    /// What goes on in brackets over several lines is indented further than what it belongs to. The
    /// closing bracket may stand below it, which every reader takes.
    pub(super) fn check_brackets(&mut self, open: &Open, end: Marker) {
        let Some(parent) = self.open.last().and_then(|open| open.column) else {
            return;
        };
        let start = open.start.byte_offset().unwrap_or(0);
        let end = end.byte_offset().unwrap_or(self.text.len());
        let inside = self.text.get(start..end).unwrap_or_default();
        let mut offset = start;
        for (index, piece) in inside.split_inclusive('\n').enumerate() {
            let content = piece.trim_start_matches(' ');
            let spaces = piece.len() - content.len();
            let is_free = content.trim_start().is_empty() || content.starts_with(['#', ']', '}']);
            if index > 0 && spaces <= parent && !is_free {
                let at = Span {
                    line: open.start.line() + index,
                    column: spaces + 1,
                    start: offset + spaces,
                    end: offset + piece.trim_end().len(),
                    source: self.source,
                };
                self.findings.push(
                    Located::error(
                        "syntax",
                        Some(at),
                        "what is in brackets goes on here, and is not indented further than what it belongs to",
                    )
                    .help(match parent {
                        0 => "indent the line with a space or more".to_owned(),
                        _ => format!("indent the line with {} spaces or more", parent + 1),
                    }),
                );
                return;
            }
            offset += piece.len();
        }
    }

    /// The line up to a place.
    fn line_before(&self, place: Marker) -> &str {
        let offset = place.byte_offset().unwrap_or(0);
        let before = self.text.get(..offset).unwrap_or_default();
        before.rsplit(['\n', '\r']).next().unwrap_or_default()
    }

    /// The tab in a column, from 0, of a line that has only ASCII before it.
    fn tab(&self, line: usize, line_start: usize, column: usize) -> Span {
        Span {
            source: self.source,
            line,
            column: column + 1,
            start: line_start + column,
            end: line_start + column + 1,
        }
    }
}
