//! Findings as a person reads them: the place, the line, a marker, and what to do.

use std::fmt::Write;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use super::{Located, Sources, Span};
use crate::check::Severity;
use crate::model::text;

/// The most characters of a line that are shown to either side of what is marked.
const CONTEXT: usize = 100;
/// The most characters that are marked; after that it is clear what is meant.
const MARKED: usize = 80;

/// The most bytes of an address that is masked before and behind what is shown.
const ADDRESS: usize = 64 * 1024;

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
pub fn show(findings: &[Located], sources: &Sources, style: Style) -> String {
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
    // A line is shown for what is wrong anywhere in it.
    let concealed: Vec<Span> = findings.iter().filter_map(|it| it.concealed).collect();
    for finding in sorted.iter().take(MAX_SHOWN) {
        out.push_str(&renderer.render(&report(finding, sources, &concealed)));
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

fn report<'a>(finding: &Located, sources: &Sources, concealed: &[Span]) -> Vec<Group<'a>> {
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level
        .primary_title(visible(&finding.message))
        .id(finding.code.clone());
    let mut group = Group::with_title(title);
    let related = finding
        .related
        .iter()
        .map(|(span, what)| (*span, Some(what), AnnotationKind::Context));
    let main = finding
        .at
        .map(|span| (span, finding.label.as_ref(), AnnotationKind::Primary));
    for (span, label, kind) in main.into_iter().chain(related) {
        let hidden = concealed.iter().filter(|it| it.source == span.source);
        let hidden: Vec<_> = hidden.map(|it| it.start..it.end).collect();
        let Excerpt { text, marked } = excerpt(sources.text(span.source), span, hidden);
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

/// One line of a file, cut to what can be read.
struct Excerpt {
    text: String,
    marked: Range<usize>,
}

/// The first line of `span` around what is marked, with stars for all that is hidden, and for what
/// addresses hold beside the place.
fn excerpt(text: &str, span: Span, mut hidden: Vec<Range<usize>>) -> Excerpt {
    let start = floor(text, span.start);
    let line_start = text[..start]
        .rfind(['\n', '\r'])
        .map_or(0, |index| index + 1);
    let line_end = text[start..]
        .find(['\n', '\r'])
        .map_or(text.len(), |index| start + index);
    let end = floor(text, span.end).clamp(start, line_end.max(start));

    let before = text[line_start..start].char_indices().rev();
    let cut = before.map(|(index, _)| line_start + index).nth(CONTEXT - 1);
    let from = cut.unwrap_or(line_start);
    let marked_end = at_most(text, start..end, MARKED);
    let to = if marked_end < end {
        marked_end
    } else {
        at_most(text, end..line_end, CONTEXT)
    };
    // Where an address begins may be out of sight.
    let near = floor(text, from.saturating_sub(ADDRESS)).max(line_start)
        ..floor(text, to.saturating_add(ADDRESS)).min(line_end);
    let secrets = text::secrets(&text[near.clone()]).into_iter();
    hidden.extend(secrets.map(|it| near.start + it.start..near.start + it.end));
    hidden.retain(|it| it.start < to && it.end > from);

    let mut out = String::new();
    if from > line_start {
        out.push('…');
    }
    out.push_str(&covered(text, from..start, &hidden));
    let first = out.len();
    out.push_str(&covered(text, start..marked_end, &hidden));
    // What is empty is marked at the place where it could stand.
    let last = out.len();
    out.push_str(&covered(text, marked_end..to, &hidden));
    if to < line_end {
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

/// A part of a line with a star in place of every character that is hidden: columns stay.
fn covered(text: &str, part: Range<usize>, hidden: &[Range<usize>]) -> String {
    let start = part.start;
    let cover = |(index, character)| {
        let is_hidden = |range: &Range<usize>| range.contains(&(start + index));
        if hidden.iter().any(is_hidden) {
            '*'
        } else {
            character
        }
    };
    let part: String = text[part].char_indices().map(cover).collect();
    visible(&part)
}

/// Where `part` ends after at most so many characters.
fn at_most(text: &str, part: Range<usize>, characters: usize) -> usize {
    let cut = text[part.clone()].char_indices().nth(characters);
    cut.map_or(part.end, |(index, _)| part.start + index)
}

/// The last place up to `index` where a character starts.
fn floor(text: &str, index: usize) -> usize {
    let mut index = index.min(text.len());
    while !text.is_char_boundary(index) {
        index -= 1;
    }
    index
}

/// Text on one line; a tab takes one column.
fn visible(text: &str) -> String {
    text::printable(&text.replace('\t', " "))
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
