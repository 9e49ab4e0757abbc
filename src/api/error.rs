//! Errors: what went wrong, by what whoever asked can do about it.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Basis;
use super::report::ObjectionItem;
use crate::check::Finding;
use crate::model::Version;

/// What kind of error it is. A command's exit code and a server's status follow from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ErrorKind {
    /// What was asked for makes no sense or is invalid. Nothing was changed.
    Invalid,
    /// What is named is not there, or not for whoever asks. Nothing was changed.
    Absent,
    /// Something moved since it was read: look again. Nothing was changed.
    Conflict,
    /// The same is being carried out already, for somebody who asked with the same key.
    Running,
    /// What was asked for has the key of something else that was done. Nothing was changed.
    KeyTaken,
    /// A gate refuses it until someone consents. Nothing was changed.
    Refused,
    /// It is not allowed.
    Denied,
    /// The store or a cluster is not available.
    Unavailable,
    /// Whoever asked stopped it before anything was changed.
    Interrupted,
    /// A bug in cfgctl.
    Bug,
}

/// What went wrong, and what to do next.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Error {
    /// What kind of error it is.
    pub kind: ErrorKind,
    /// What went wrong.
    pub error: String,
    /// Why, outermost first.
    pub causes: Vec<String>,
    /// What to do next.
    pub hints: Vec<String>,
    /// What exactly it is about.
    #[serde(flatten)]
    pub about: Box<About>,
}

/// What exactly an error is about, where it is about more than a sentence can say.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct About {
    /// What stands against the plan, if that is why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub objections: Vec<ObjectionItem>,
    /// What is wrong with what is declared, if that is why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
    /// The revision whose content that is, where an old one was to come back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Version>,
    /// What the plan would be made from now, if it is not the one that was consented to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub basis: Option<Basis>,
}

impl Error {
    /// An error without a cause.
    pub fn new(kind: ErrorKind, error: impl fmt::Display) -> Self {
        Self {
            kind,
            error: error.to_string(),
            causes: Vec::new(),
            hints: Vec::new(),
            about: Box::default(),
        }
    }

    /// What was asked for makes no sense.
    pub fn invalid(error: impl fmt::Display) -> Self {
        Self::new(ErrorKind::Invalid, error)
    }

    /// What is named is not there.
    pub fn absent(error: impl fmt::Display) -> Self {
        Self::new(ErrorKind::Absent, error)
    }

    /// `error` with its causes.
    pub fn of(kind: ErrorKind, error: &dyn std::error::Error) -> Self {
        let causes = std::iter::successors(error.source(), |error| error.source());
        Self {
            causes: causes.map(ToString::to_string).collect(),
            ..Self::new(kind, error)
        }
    }

    /// With what it means in this place; what it said becomes the cause.
    #[must_use]
    pub fn context(mut self, context: impl fmt::Display) -> Self {
        let cause = std::mem::replace(&mut self.error, context.to_string());
        self.causes.insert(0, cause);
        self
    }

    /// With what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// With what exactly it is about.
    #[must_use]
    pub fn about(mut self, about: About) -> Self {
        *self.about = about;
        self
    }

    /// All of it on one line, hints left out.
    pub fn chain(&self) -> String {
        let causes = self.causes.iter();
        causes.fold(self.error.clone(), |text, cause| format!("{text}: {cause}"))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.error)
    }
}

impl std::error::Error for Error {}
