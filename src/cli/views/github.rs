//! Annotations of GitHub Actions: lines that its runner reads from the log.
//!
//! See <https://docs.github.com/actions/reference/workflow-commands-for-github-actions>.

use std::fmt::Write as _;

use super::table::printable;

/// One annotation.
#[derive(Debug)]
pub(crate) struct Annotation<'a> {
    /// `error` or `warning`.
    pub(crate) level: &'static str,
    /// Where, if it is in a file.
    pub(crate) place: Option<FilePlace<'a>>,
    /// A few words on top.
    pub(crate) title: &'a str,
    /// What is wrong; may have several lines.
    pub(crate) message: String,
}

/// A place in a file.
#[derive(Debug)]
pub(crate) struct FilePlace<'a> {
    /// The file, from the root of the repository.
    pub(crate) file: &'a str,
    /// The line, from 1.
    pub(crate) line: usize,
    /// The column, from 1.
    pub(crate) column: usize,
    /// The column after the last, if it is in the same line.
    pub(crate) end_column: Option<usize>,
}

impl Annotation<'_> {
    /// The line, with its end.
    pub(crate) fn write(&self) -> String {
        let mut out = format!("::{} ", self.level);
        if let Some(place) = &self.place {
            let file = property(place.file);
            _ = write!(out, "file={file},line={},col={},", place.line, place.column);
            if let Some(end) = place.end_column {
                _ = write!(out, "endColumn={end},");
            }
        }
        let message = data(&self.message);
        _ = writeln!(out, "title={}::{message}", property(self.title));
        out
    }
}

/// Text after `::`.
fn data(text: &str) -> String {
    // What the runner reads as ends of lines is escaped by its rules, the rest made visible.
    let lines: Vec<_> = text
        .split('\n')
        .map(|line| printable(line).replace('%', "%25"))
        .collect();
    lines.join("%0A")
}

/// Text in a property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn annotation<'a>(file: &'a str, title: &'a str, message: &str) -> Annotation<'a> {
        Annotation {
            level: "error",
            place: Some(FilePlace {
                file,
                line: 3,
                column: 5,
                end_column: Some(9),
            }),
            title,
            message: message.to_owned(),
        }
    }

    #[test]
    fn an_annotation_is_one_line_with_its_place() {
        let text = annotation("a,b:c.yaml", "unknown-field", "100% wrong\nhelp: do it").write();
        assert_eq!(
            text,
            "::error file=a%2Cb%3Ac.yaml,line=3,col=5,endColumn=9,title=unknown-field\
             ::100%25 wrong%0Ahelp: do it\n"
        );
    }

    proptest! {
        #[test]
        fn nothing_can_begin_a_command_of_its_own(
            file in "(\\PC|[:,%\r\n]){0,20}",
            message in "(\\PC|[:,%\r\n]|::set-output name=x::){0,20}",
        ) {
            let text = annotation(&file, "code", &message).write();
            let line = text.strip_suffix('\n').unwrap();
            prop_assert!(!line.contains(['\n', '\r']));
            let (properties, _) = line.strip_prefix("::error ").unwrap().split_once("::").unwrap();
            let names: Vec<_> = properties
                .split(',')
                .map(|property| property.split_once('=').unwrap().0)
                .collect();
            prop_assert_eq!(names, ["file", "line", "col", "endColumn", "title"]);
        }
    }
}
