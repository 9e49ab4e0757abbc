//! What went wrong, what it means for the caller, and what to do next.

use std::fmt;

use super::views::objection::ObjectionView;
use super::views::validation::FindingView;
use crate::engine::EngineError;
use crate::model::text::without_secrets;
use crate::plan::PlanError;
use crate::store::StoreError;
use crate::target::TargetError;

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
    pub(crate) objections: Vec<ObjectionView>,
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

impl From<StoreError> for Failure {
    // Every variant is named: a new one does not compile until someone has decided what it means
    // to the person at the terminal.
    fn from(error: StoreError) -> Self {
        let (exit, hint) = match &error {
            StoreError::HeadsMoved(moved) => {
                let first = moved.first().map(|moved| moved.id.to_string());
                (
                    Exit::Conflict,
                    format!(
                        "someone was faster; see `cfgctl history {}`, then diff and apply again",
                        first.unwrap_or_default()
                    ),
                )
            }
            StoreError::Absent { .. } => (
                Exit::Unavailable,
                "name another one with `--store`, `CFGCTL_STORE` or a context".to_owned(),
            ),
            StoreError::Location { .. } => (
                Exit::Usage,
                "name another one with `--store`, `CFGCTL_STORE` or a context".to_owned(),
            ),
            StoreError::Invalid { .. } => (
                Exit::Bug,
                "this is a bug in cfgctl; nothing was changed".to_owned(),
            ),
            StoreError::Exhausted { .. } => (
                Exit::Unavailable,
                "nothing was changed; declare it under another name".to_owned(),
            ),
            StoreError::Newer { .. } => (Exit::Unavailable, "update cfgctl".to_owned()),
            StoreError::Unavailable { .. } => (
                Exit::Unavailable,
                "nothing was changed; try again when the store is back".to_owned(),
            ),
            StoreError::Damaged { .. } => (
                Exit::Unavailable,
                "clusters keep what they hold; restore the store from a backup".to_owned(),
            ),
        };
        Self::new(exit, error).hint(hint)
    }
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Read(source) => {
                let failure = Self::from(source);
                Self {
                    error: failure.error.context("could not read the store"),
                    ..failure
                }
            }
            EngineError::Commit(source) => {
                let failure = Self::from(source);
                Self {
                    error: failure.error.context("nothing was committed"),
                    ..failure
                }
            }
            EngineError::Plan(source) => source.into(),
            EngineError::NotRemoved(_) => {
                let error = anyhow::Error::from(error).context("nothing was committed");
                Self::new(Exit::Unavailable, error)
                    .hint("the same command again goes on from there")
                    .hint("`cfgctl apply --resume` brings back what was removed already")
            }
            EngineError::NotForgotten(source) => {
                let failure = Self::from(source);
                let error = failure
                    .error
                    .context("what the cluster held was removed, and nothing was committed");
                Self {
                    error,
                    hints: Vec::new(),
                    ..failure
                }
                .hint("the same command again finishes it")
                .hint("`cfgctl apply --resume` brings back what was removed")
            }
            EngineError::Interrupted => Self::new(Exit::Interrupted, error),
        }
    }
}

impl From<PlanError> for Failure {
    fn from(error: PlanError) -> Self {
        match error {
            PlanError::Render { .. } => Self::new(Exit::Usage, error)
                .hint("`cfgctl validate -f` shows where the value stands"),
        }
    }
}

impl From<TargetError> for Failure {
    fn from(error: TargetError) -> Self {
        let exit = match &error {
            TargetError::Denied { .. } => Exit::Denied,
            TargetError::Configuration { .. } => Exit::Usage,
            TargetError::Unreachable { .. }
            | TargetError::Moved { .. }
            | TargetError::Unknown { .. }
            | TargetError::TooLarge { .. }
            | TargetError::Invalid { .. } => Exit::Unavailable,
        };
        Self::new(exit, error)
    }
}
