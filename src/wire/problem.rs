//! Problems: errors as RFC 9457 has them, with all that an error of the service says.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::{Error, ErrorKind};

/// An error on its way to a client.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Problem {
    /// What kind of problem it is, as the README explains it; leads nowhere.
    #[serde(rename = "type")]
    identity: String,
    /// The same for a person.
    title: String,
    /// The status of the answer.
    pub(crate) status: u16,
    /// What went wrong, causes included.
    detail: String,
    /// The request that it was said to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) instance: Option<String>,
    /// All of it.
    #[serde(flatten)]
    pub(crate) error: Error,
}

impl Problem {
    /// `error` with the status that its kind has.
    pub(crate) fn of(error: Error) -> Self {
        Self::with_status(status(error.kind), error)
    }

    /// `error` where HTTP knows a better word for it.
    pub(crate) fn with_status(status: u16, error: Error) -> Self {
        let (word, title) = words(error.kind);
        Self {
            identity: format!("/problems/{word}"),
            title: title.to_owned(),
            status,
            detail: error.chain(),
            instance: None,
            error,
        }
    }
}

/// The error in the body of a problem, if it is one.
pub(crate) fn error_of(body: &[u8]) -> Option<Error> {
    serde_json::from_slice(body).ok()
}

fn status(kind: ErrorKind) -> u16 {
    match kind {
        ErrorKind::Invalid => 400,
        ErrorKind::Absent => 404,
        ErrorKind::Conflict | ErrorKind::Running => 409,
        // It can be done, with more said or with another key.
        ErrorKind::Refused | ErrorKind::KeyTaken => 422,
        ErrorKind::Denied => 403,
        ErrorKind::Unavailable | ErrorKind::Interrupted => 503,
        ErrorKind::Bug => 500,
    }
}

/// The word for a kind of error, as problems and logs name it.
pub(crate) fn kind_word(kind: ErrorKind) -> &'static str {
    words(kind).0
}

fn words(kind: ErrorKind) -> (&'static str, &'static str) {
    match kind {
        ErrorKind::Invalid => ("invalid", "What was asked for makes no sense or is invalid"),
        ErrorKind::Absent => ("absent", "What is named is not there"),
        ErrorKind::Conflict => ("conflict", "Something moved since it was read"),
        ErrorKind::Running => ("running", "The same is being carried out already"),
        ErrorKind::KeyTaken => (
            "key-taken",
            "The key is that of something else that was done",
        ),
        ErrorKind::Refused => ("refused", "A gate refuses it until someone consents"),
        ErrorKind::Denied => ("denied", "It is not allowed"),
        ErrorKind::Unavailable => ("unavailable", "The store or a cluster is not available"),
        ErrorKind::Interrupted => ("interrupted", "It was stopped before anything was changed"),
        ErrorKind::Bug => ("bug", "A bug in cfgctl"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_carries_the_whole_error() {
        let kinds = [
            (ErrorKind::Invalid, 400),
            (ErrorKind::Absent, 404),
            (ErrorKind::Conflict, 409),
            (ErrorKind::Running, 409),
            (ErrorKind::KeyTaken, 422),
            (ErrorKind::Refused, 422),
            (ErrorKind::Denied, 403),
            (ErrorKind::Unavailable, 503),
            (ErrorKind::Interrupted, 503),
            (ErrorKind::Bug, 500),
        ];
        for (kind, status) in kinds {
            let error = Error::new(kind, "inner").context("outer").hint("do this");
            let mut problem = Problem::of(error.clone());
            problem.instance = Some("r1".to_owned());
            assert_eq!(problem.status, status);
            let text = serde_json::to_vec(&problem).unwrap();
            assert_eq!(error_of(&text).unwrap(), error);
            assert_eq!(serde_json::from_slice::<Problem>(&text).unwrap(), problem);
            let json: serde_json::Value = serde_json::from_slice(&text).unwrap();
            assert_eq!(json["detail"], "outer: inner");
            assert_eq!(json["instance"], "r1");
        }
        assert_eq!(error_of(b"<html>"), None);
        assert_eq!(error_of(b"{}"), None);
    }
}
