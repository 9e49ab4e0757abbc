//! What is wrong with files, and where.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use crate::check::Severity;

/// A file that was read; an index into [`Sources`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SourceId(usize);

/// Every file that was read, kept so that findings can show the line.
#[derive(Clone, Debug, Default)]
pub struct Sources(Vec<Source>);

#[derive(Clone, Debug)]
struct Source {
    name: PathBuf,
    text: String,
}

impl Sources {
    /// Keeps a file. `name` is what the user called it; `-` is standard input.
    pub fn add(&mut self, name: PathBuf, text: String) -> SourceId {
        self.0.push(Source { name, text });
        SourceId(self.0.len() - 1)
    }

    /// What the user called the file.
    pub fn name(&self, id: SourceId) -> &Path {
        self.0
            .get(id.0)
            .map_or(Path::new(""), |source| &source.name)
    }

    /// The text of the file.
    pub fn text(&self, id: SourceId) -> &str {
        self.0.get(id.0).map_or("", |source| &source.text)
    }
}

/// A stretch of one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// The file.
    pub source: SourceId,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// The first byte.
    pub start: usize,
    /// The byte after the last.
    pub end: usize,
}

/// One thing that is wrong with files, and where in them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located {
    /// How bad it is.
    pub severity: Severity,
    /// A stable word for it, for machines: `unknown-field`.
    pub code: Cow<'static, str>,
    /// What is wrong, a fragment without a period.
    pub message: String,
    /// Where, if it is in a file.
    pub at: Option<Span>,
    /// What stands beside the marker, if it says more than the message.
    pub label: Option<String>,
    /// Other places that belong to it, each with what it is.
    pub related: Vec<(Span, String)>,
    /// What to do next, each a fragment without a period.
    pub help: Vec<String>,
    /// What is not shown where the line is: it may be a secret.
    pub concealed: Option<Span>,
}

impl Located {
    /// An error, to be completed with the builders below.
    pub fn error(code: &'static str, at: Option<Span>, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            code: Cow::Borrowed(code),
            message: message.into(),
            at,
            label: None,
            related: Vec::new(),
            help: Vec::new(),
            concealed: None,
        }
    }

    /// A warning, to be completed with the builders below.
    pub fn warning(code: &'static str, at: Option<Span>, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(code, at, message)
        }
    }

    /// With what stands beside the marker.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// With another place that belongs to it.
    #[must_use]
    pub fn related(mut self, at: Span, what: impl Into<String>) -> Self {
        self.related.push((at, what.into()));
        self
    }

    /// With something that is not shown.
    #[must_use]
    pub fn conceal(mut self, what: Span) -> Self {
        self.concealed = Some(what);
        self
    }

    /// With what to do next.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }
}
