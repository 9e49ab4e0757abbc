//! Comments for a pull request: a summary and a table, with the details folded.
//!
//! Everything that comes from files, clusters and stores goes through [`code`] or into a fence that
//! it cannot close: no name and no value can add a link, a mention or markup of its own.

use std::fmt::Write as _;

use super::table::{count, printable};

/// GitHub takes 65,536 characters in one comment, GitLab more. Bytes are never fewer.
const MAX_BYTES: usize = 65_000;
/// The table gets at most half, so that there is room for details.
const MAX_TABLE_BYTES: usize = MAX_BYTES / 2;
/// One section leaves room for others.
const MAX_SECTION_BYTES: usize = MAX_BYTES / 3;
/// Below this, a section that is cut says too little.
const MIN_SECTION_BYTES: usize = 1_000;
/// For the lines that say what is not shown.
const RESERVED_BYTES: usize = 400;
/// The longest text within a line.
const MAX_INLINE_CHARS: usize = 200;
/// The longest line in a section.
const MAX_LINE_CHARS: usize = 500;

/// What one comment says.
#[derive(Debug)]
pub(crate) struct Comment<'a> {
    /// The command: a hidden first line with it lets a later run find the comment.
    pub(crate) command: &'a str,
    /// One line that says it all; markdown.
    pub(crate) summary: String,
    /// The columns of the table.
    pub(crate) header: &'a [&'a str],
    /// Its rows; every cell is markdown.
    pub(crate) rows: Vec<Vec<String>>,
    /// What is folded.
    pub(crate) sections: Vec<Section>,
    /// What one section is about, in the singular: `set`.
    pub(crate) about: &'a str,
    /// The command line that shows everything.
    pub(crate) everything: &'a str,
}

/// Details of one thing.
#[derive(Debug)]
pub(crate) struct Section {
    /// Its title; markdown without line breaks.
    pub(crate) title: String,
    /// How it is coloured: `diff`, `text`.
    pub(crate) language: &'static str,
    /// As it is, without escapes.
    pub(crate) text: String,
}

impl Comment<'_> {
    /// The comment, short enough to be posted.
    pub(crate) fn write(&self) -> String {
        let mut out = format!("<!-- cfgctl {} -->\n{}\n", self.command, self.summary);
        self.table(&mut out);
        let mut hidden = 0;
        for section in &self.sections {
            let room = MAX_BYTES.saturating_sub(RESERVED_BYTES + out.len());
            let room = if self.sections.len() > 1 {
                room.min(MAX_SECTION_BYTES)
            } else {
                room
            };
            match section.folded(room) {
                Some(text) if hidden == 0 => out.push_str(&text),
                _ => hidden += 1,
            }
        }
        if hidden > 0 {
            let things = count(hidden, &format!("more {}", self.about));
            let verb = if hidden == 1 { "is" } else { "are" };
            let shown = code(self.everything);
            _ = write!(out, "\n**{things} {verb} not shown**; {shown} shows all.\n");
        }
        out
    }

    fn table(&self, out: &mut String) {
        if self.rows.is_empty() {
            return;
        }
        _ = write!(out, "\n| {} |\n", self.header.join(" | "));
        _ = writeln!(out, "|{}", " --- |".repeat(self.header.len()));
        for (index, row) in self.rows.iter().enumerate() {
            let line = format!("| {} |\n", row.join(" | "));
            if out.len() + line.len() > MAX_TABLE_BYTES {
                let rest = count(self.rows.len() - index, "more row");
                let shown = code(self.everything);
                _ = write!(out, "\n… and {rest}; {shown} shows all.\n");
                return;
            }
            out.push_str(&line);
        }
    }
}

impl Section {
    /// At most `room` bytes of it; `None` where that is too little to say anything.
    fn folded(&self, room: usize) -> Option<String> {
        let text = shortened(&self.text);
        let fence = fence(&text);
        let Self {
            title, language, ..
        } = self;
        let frame = |text: &str, rest: &str| {
            format!(
                "\n<details><summary>{title}</summary>\n\n{fence}{language}\n{text}{fence}\n{rest}\n</details>\n"
            )
        };
        let whole = frame(&text, "");
        if whole.len() <= room {
            return Some(whole);
        }
        if room < MIN_SECTION_BYTES {
            return None;
        }
        // The frame and the line about the rest take their part too.
        let room = room.checked_sub(frame("", "").len() + 100)?;
        let mut end = 0;
        let mut lines = text.split_inclusive('\n');
        for line in lines.by_ref() {
            if end + line.len() > room {
                break;
            }
            end += line.len();
        }
        let rest = text[end..].lines().count();
        let rest = format!("\n… and {} of it\n", count(rest, "more line"));
        Some(frame(&text[..end], &rest))
    }
}

/// Every line short and visible; ends in a newline.
fn shortened(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 1);
    for line in text.lines().map(printable) {
        match line.char_indices().nth(MAX_LINE_CHARS) {
            Some((end, _)) => _ = write!(out, "{}… ({} bytes)", &line[..end], line.len()),
            None => out.push_str(&line),
        }
        out.push('\n');
    }
    out
}

/// A fence that nothing in `text` closes.
fn fence(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    "`".repeat(longest.saturating_add(1).max(3))
}

/// `text` as code that means nothing to markdown, HTML or the forge: no link, no mention, no
/// reference to an issue, and no end of a table's cell.
pub(crate) fn code(text: &str) -> String {
    let text = printable(text);
    if text.is_empty() {
        return String::new();
    }
    // Forges turn `www.` into a link wherever it stands.
    let has_link = text.to_ascii_lowercase().contains("www.");
    let mut out = String::from("<code>");
    for (index, c) in text.chars().enumerate() {
        if index == MAX_INLINE_CHARS {
            out.push('…');
            break;
        }
        match c {
            '.' if !has_link => out.push(c),
            ' ' | '-' | '/' | ',' | '(' | ')' | '→' => out.push(c),
            c if c.is_alphanumeric() => out.push(c),
            c => _ = write!(out, "&#{};", u32::from(c)),
        }
    }
    out.push_str("</code>");
    out
}

#[cfg(test)]
#[path = "markdown_tests.rs"]
mod tests;
