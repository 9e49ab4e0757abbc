//! Where a SQLite store lies, and what its errors mean to the caller.

use std::error::Error;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

use crate::store::StoreError;

/// The place of one store.
#[derive(Clone, Debug)]
pub(super) struct Site {
    /// As it was asked for; what people read.
    pub(super) location: String,
    /// Absolute, so that SQLite takes nothing for a URI or for `:memory:`.
    pub(super) path: PathBuf,
}

impl Site {
    pub(super) fn new(path: &Path) -> Result<Self, StoreError> {
        let location = path.display().to_string();
        match std::path::absolute(path) {
            Ok(path) => Ok(Self { location, path }),
            Err(error) => Err(StoreError::Location {
                location,
                reason: error.to_string(),
            }),
        }
    }

    /// There is no store here. It names the whole path: a relative one may be meant from elsewhere.
    pub(super) fn absent(&self) -> StoreError {
        StoreError::Absent {
            location: self.path.display().to_string(),
        }
    }

    /// The location is of no use as it is.
    pub(super) fn unusable(&self, reason: impl Into<String>) -> StoreError {
        StoreError::Location {
            location: self.location.clone(),
            reason: reason.into(),
        }
    }

    /// What was read was never written by cfgctl.
    pub(super) fn damaged(&self, reason: impl Into<String>) -> StoreError {
        StoreError::Damaged {
            location: self.location.clone(),
            reason: reason.into(),
        }
    }

    /// It may work again later.
    pub(super) fn unavailable(&self, source: impl Error + Send + Sync + 'static) -> StoreError {
        StoreError::Unavailable {
            location: self.location.clone(),
            source: Box::new(source),
        }
    }

    /// Sorts what SQLite says by what can be done about it.
    /// What it means that `what` went wrong with the file or its directory.
    pub(super) fn cannot(&self, what: &str, error: &io::Error) -> StoreError {
        match error.kind() {
            // The disk, not the location, is at fault.
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
                self.unavailable(io::Error::from(error.kind()))
            }
            _ => self.unusable(format!("{what}: {error}")),
        }
    }

    /// What it means that the last step of a commit failed: when others hold the lock nothing was
    /// written, and otherwise the disk may hold all of it or nothing.
    pub(super) fn in_doubt(&self, error: rusqlite::Error) -> StoreError {
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => self.failed(error),
            _ => StoreError::Unknown {
                location: self.location.clone(),
                source: Box::new(error),
            },
        }
    }

    pub(super) fn failed(&self, error: rusqlite::Error) -> StoreError {
        match &error {
            rusqlite::Error::SqliteFailure(failure, _) => match failure.code {
                ErrorCode::ReadOnly | ErrorCode::PermissionDenied => {
                    self.unusable("the file or its directory cannot be written")
                }
                ErrorCode::CannotOpen => {
                    self.unusable(format!("it, or a file beside it, cannot be opened: {error}"))
                }
                ErrorCode::DatabaseCorrupt
                | ErrorCode::NotADatabase
                // A row beyond our limit, or one that breaks our own constraints: nothing that
                // a commit of ours could have left behind.
                | ErrorCode::TooBig
                | ErrorCode::ConstraintViolation => self.damaged(error.to_string()),
                _ => self.unavailable(error),
            },
            rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::IntegralValueOutOfRange(..)
            | rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::Utf8Error(..) => self.damaged(error.to_string()),
            _ => self.unavailable(error),
        }
    }
}
