//! What went wrong, what it means for the caller, and what to do next.

use std::fmt;

use super::views::validation::FindingView;
use crate::api::report::ObjectionItem;
use crate::api::{self, ErrorKind};
use crate::model::text::without_secrets;

/// The exit codes, documented in the README and never renumbered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done, or no difference.
    Done = 0,
    /// Differences were found.
    Differences = 1,
    /// Bad usage or invalid input; nothing was changed.
    Usage = 2,
    /// Committed, but not delivered everywhere.
    Incomplete = 3,
    /// Something moved since it was read; nothing was changed.
    Conflict = 4,
    /// A gate refused; nothing was changed.
    Refused = 5,
    /// Not allowed.
    Denied = 6,
    /// A store or cluster is not available.
    Unavailable = 7,
    /// A bug in cfgctl.
    Bug = 70,
    /// Stopped by Ctrl-C.
    Interrupted = 130,
    /// Stopped by SIGTERM.
    Terminated = 143,
}

impl Exit {
    /// A word for it, for programs.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Differences => "differences",
            Self::Usage => "usage",
            Self::Incomplete => "incomplete",
            Self::Conflict => "conflict",
            Self::Refused => "refused",
            Self::Denied => "denied",
            Self::Unavailable => "unavailable",
            Self::Bug => "bug",
            Self::Interrupted => "interrupted",
            Self::Terminated => "terminated",
        }
    }
}

/// What a command ends with when it could not do what it was asked for.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    pub(crate) error: anyhow::Error,
    pub(crate) hints: Vec<String>,
    /// What stands against the plan, if that is why.
    pub(crate) objections: Vec<ObjectionItem>,
    /// What is wrong with files, if that is why. A person has seen it already.
    pub(crate) findings: Vec<FindingView>,
}

impl Failure {
    pub(crate) fn new(exit: Exit, error: impl Into<anyhow::Error>) -> Self {
        Self {
            exit,
            error: error.into(),
            hints: Vec::new(),
            objections: Vec::new(),
            findings: Vec::new(),
        }
    }

    /// Bad usage or invalid input.
    pub(crate) fn usage(message: impl fmt::Display) -> Self {
        Self::new(Exit::Usage, anyhow::anyhow!("{message}"))
    }

    /// Adds what to do next.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(without_secrets(&hint.into()));
        self
    }

    /// The error, then its causes, outermost first; addresses in them without secrets.
    pub(crate) fn chain(&self) -> Vec<String> {
        let texts = self.error.chain().map(ToString::to_string);
        texts.map(|text| without_secrets(&text)).collect()
    }
}

/// For the few places where nothing but a bug or a broken machine can be the cause.
impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::new(Exit::Bug, error)
    }
}

impl From<ErrorKind> for Exit {
    fn from(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::Invalid | ErrorKind::Absent | ErrorKind::KeyTaken => Self::Usage,
            ErrorKind::Conflict | ErrorKind::Running => Self::Conflict,
            ErrorKind::Refused => Self::Refused,
            ErrorKind::Denied => Self::Denied,
            ErrorKind::Unavailable => Self::Unavailable,
            ErrorKind::Interrupted => Self::Interrupted,
            ErrorKind::Bug => Self::Bug,
        }
    }
}

/// What the service answered, as the person at the terminal gets to know it.
impl From<api::Error> for Failure {
    fn from(error: api::Error) -> Self {
        let api::Error {
            kind,
            error,
            causes,
            hints,
            // Whoever loaded the files shows what is found in them, with the lines.
            about,
        } = error;
        let chain = [error].into_iter().chain(causes);
        let chain = chain
            .rev()
            .fold(None, |chain: Option<anyhow::Error>, text| {
                Some(match chain {
                    Some(cause) => cause.context(text),
                    None => anyhow::Error::msg(text),
                })
            });
        let failure = Self {
            objections: about.objections,
            ..Self::new(
                kind.into(),
                chain.unwrap_or_else(|| anyhow::anyhow!("unknown")),
            )
        };
        hints.into_iter().fold(failure, Self::hint)
    }
}
