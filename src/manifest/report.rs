//! Findings as a person reads them: the place, the line, a marker, and what to do.

use std::borrow::Cow;
use std::fmt::Write;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use super::{Finding, Severity, Sources, Span};

/// The most characters of a line that are shown to either side of what is marked.
const CONTEXT: usize = 100;
/// The most characters that are marked; after that it is clear what is meant.
const MARKED: usize = 80;

/// The most findings that are shown. Nobody reads more, and a machine-made file can have millions.
const MAX_SHOWN: usize = 1000;

/// Whether text may carry the escape sequences of a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Text alone.
    Plain,
    /// With colors.
    Color,
}

/// Every finding with the lines it is about, and at the end how many there are: `3 errors,
/// 1 warning`. Errors come first, then what has no place, then each file from top to bottom.
/// Nothing for no findings. Control characters of names and texts are made visible, so that a file
/// cannot take over the terminal.
pub fn show(findings: &[Finding], sources: &Sources, style: Style) -> String {
    if findings.is_empty() {
        return String::new();
    }
    let renderer = match style {
        Style::Plain => Renderer::plain(),
        Style::Color => Renderer::styled(),
    };
    let mut sorted: Vec<_> = findings.iter().collect();
    sorted.sort_by_key(|finding| {
        let place = finding.at.map(|span| (span.source, span.start));
        (std::cmp::Reverse(finding.severity), place)
    });
    let mut out = String::new();
    for finding in sorted.iter().take(MAX_SHOWN) {
        out.push_str(&renderer.render(&report(finding, sources)));
        out.push_str("\n\n");
    }
    if sorted.len() > MAX_SHOWN {
        // Writing to a string does not fail.
        let _ = write!(out, "and {} more\n\n", sorted.len() - MAX_SHOWN);
    }
    let count = |severity| {
        findings
            .iter()
            .filter(|finding| finding.severity == severity)
            .count()
    };
    out.push_str(&counts(count(Severity::Error), count(Severity::Warning)));
    out.push('\n');
    out
}

fn report<'a>(finding: &Finding, sources: &Sources) -> Vec<Group<'a>> {
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level
        .primary_title(visible(&finding.message))
        .id(finding.code);
    let mut group = Group::with_title(title);
    let related = finding
        .related
        .iter()
        .map(|(span, what)| (*span, Some(what), AnnotationKind::Context));
    let main = finding
        .at
        .map(|span| (span, finding.label.as_ref(), AnnotationKind::Primary));
    for (span, label, kind) in main.into_iter().chain(related) {
        let source = concealed(sources.text(span.source), span, finding.concealed);
        let Excerpt { text, marked } = excerpt(&source, span);
        let marked_from = marked.start;
        let annotation = kind.span(marked).label(label.map(|label| visible(label)));
        let path = visible(&sources.name(span.source).to_string_lossy());
        // The column is counted in what is shown, which may lack the start of the line.
        let true_column = text[..marked_from].chars().count() + 1 == span.column;
        let snippet = Snippet::source(text)
            .line_start(span.line)
            .annotation(annotation);
        group = if true_column {
            group.element(snippet.path(path))
        } else {
            group
                .element(Origin::path(path).line(span.line).char_column(span.column))
                .element(snippet)
        };
    }
    for help in &finding.help {
        group = group.element(Level::HELP.message(visible(help)));
    }
    vec![group]
}

/// The text of a file with stars in place of what lies at `hidden`.
fn concealed(text: &str, shown: Span, hidden: Option<Span>) -> Cow<'_, str> {
    let hidden = hidden.filter(|hidden| hidden.source == shown.source);
    let Some(hidden) = hidden else {
        return Cow::Borrowed(text);
    };
    let start = floor(text, hidden.start);
    let end = floor(text, hidden.end).max(start);
    // As many bytes, so that other places stay where they are.
    let lines = text[start..end].split('\n');
    let covered: Vec<_> = lines.map(|line| "*".repeat(line.len())).collect();
    let covered = covered.join("\n");
    Cow::Owned([&text[..start], &covered, &text[end..]].concat())
}

/// One line of a file, cut to what can be read.
struct Excerpt {
    text: String,
    marked: Range<usize>,
}

/// The first line of `span` around what is marked.
fn excerpt(text: &str, span: Span) -> Excerpt {
    let start = floor(text, span.start);
    let line_start = text[..start]
        .rfind(['\n', '\r'])
        .map_or(0, |index| index + 1);
    let line_end = text[start..]
        .find(['\n', '\r'])
        .map_or(text.len(), |index| start + index);
    let end = floor(text, span.end).clamp(start, line_end.max(start));
    let before = &text[line_start..start];
    let (marked, after) = text[start..line_end.max(start)].split_at(end - start);

    let mut out = String::new();
    let cut = before
        .char_indices()
        .rev()
        .nth(CONTEXT)
        .map(|(index, character)| index + character.len_utf8());
    if let Some(cut) = cut {
        out.push('…');
        push_visible(&before[cut..], &mut out);
    } else {
        push_visible(before, &mut out);
    }
    let first = out.len();
    let is_cut = push_at_most(marked, MARKED, &mut out);
    // What is empty is marked at the place where it could stand.
    let last = out.len();
    if is_cut || push_at_most(after, CONTEXT, &mut out) {
        out.push('…');
    }
    if out.len() == first {
        out.push(' ');
    }
    let last = if last == first {
        first + out[first..].chars().next().map_or(1, char::len_utf8)
    } else {
        last
    };
    Excerpt {
        text: out,
        marked: first..last,
    }
}

/// Whether something of `text` was left out.
fn push_at_most(text: &str, characters: usize, out: &mut String) -> bool {
    let cut = text.char_indices().nth(characters).map(|(index, _)| index);
    push_visible(&text[..cut.unwrap_or(text.len())], out);
    cut.is_some()
}

/// The last place up to `index` where a character starts.
fn floor(text: &str, index: usize) -> usize {
    let mut index = index.min(text.len());
    while !text.is_char_boundary(index) {
        index -= 1;
    }
    index
}

fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    push_visible(text, &mut out);
    out
}

/// Writes text without anything that a terminal would obey or that turns its direction around.
fn push_visible(text: &str, out: &mut String) {
    for character in text.chars() {
        match character {
            '\t' => out.push(' '),
            '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{61c}' => {
                // Writing to a string does not fail.
                let _ = write!(out, "{}", character.escape_unicode());
            }
            control if control.is_control() => {
                let _ = write!(out, "{}", control.escape_unicode());
            }
            _ => out.push(character),
        }
    }
}

fn counts(errors: usize, warnings: usize) -> String {
    let of = |count: usize, word: &str| match count {
        0 => None,
        1 => Some(format!("1 {word}")),
        _ => Some(format!("{count} {word}s")),
    };
    [of(errors, "error"), of(warnings, "warning")]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(", ")
}

#[cfg(test)]
#[path = "report_tests.rs"]
mod tests;
