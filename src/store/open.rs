//! From what a person wrote to an open store.

use std::path::PathBuf;
use std::sync::Arc;

use super::later::Later;
use super::sqlite::Sqlite;
use super::{Store, StoreError};

/// What it means that there is no store at a location.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// Something is wrong, and nothing is made: [`StoreError::Absent`].
    Refuse,
    /// Nothing was committed yet: an empty store, which the first commit makes.
    Create,
}

/// Opens the store at `location`: `sqlite:PATH`, `sqlite://PATH` or a plain path, taken relative
/// to the working directory; `missing` says what it means if there is none.
///
/// Anything else that starts like a scheme is [`StoreError::Location`]; `./name:rest` is the file
/// of that name.
pub async fn open(location: &str, missing: Missing) -> Result<Arc<dyn Store>, StoreError> {
    let path = sqlite_path(location).map_err(|reason| StoreError::Location {
        location: location.to_owned(),
        reason,
    })?;
    match (Sqlite::open_later(path.clone()).await, missing) {
        (Err(StoreError::Absent { .. }), Missing::Create) => Ok(Arc::new(Later::new(path))),
        (opened, _) => Ok(Arc::new(opened?)),
    }
}

/// The path of the SQLite store that `location` means, or why it means none.
fn sqlite_path(location: &str) -> Result<PathBuf, String> {
    let path = match scheme(location) {
        None => location,
        Some("sqlite") => {
            let rest = &location["sqlite:".len()..];
            rest.strip_prefix("//").unwrap_or(rest)
        }
        Some(other) => {
            return Err(format!(
                "`{other}:` is not a known kind of store; known are `sqlite:PATH` and a plain path"
            ));
        }
    };
    if path.is_empty() {
        return Err("it names no file".to_owned());
    }
    Ok(PathBuf::from(path))
}

/// What stands before the first colon, if it looks like the scheme of a URL (RFC 3986, 3.1). One
/// letter is none, as in the URL standard: it is a drive.
fn scheme(location: &str) -> Option<&str> {
    let (scheme, _) = location.split_once(':')?;
    let is_scheme = scheme.len() > 1
        && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
    is_scheme.then_some(scheme)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_taken_with_or_without_its_scheme() {
        for (location, path) in [
            ("store.db", "store.db"),
            ("/var/lib/cfgctl/store.db", "/var/lib/cfgctl/store.db"),
            ("sqlite:store.db", "store.db"),
            ("sqlite:/a/b.db", "/a/b.db"),
            ("sqlite:///a/b.db", "/a/b.db"),
            ("sqlite://a/b.db", "a/b.db"),
            ("./etcd:1", "./etcd:1"),
            ("a b/c:d", "a b/c:d"),
        ] {
            assert_eq!(sqlite_path(location), Ok(PathBuf::from(path)), "{location}");
        }
    }

    #[tokio::test]
    async fn other_kinds_of_store_are_refused_with_the_known_ones() {
        for location in ["https://a/b", "etcd://a", "memory:", "file:x.db"] {
            let error = open(location, Missing::Create)
                .await
                .unwrap_err()
                .to_string();
            assert!(error.contains("known are `sqlite:PATH`"), "{error}");
        }
        for location in ["", "sqlite:", "sqlite://"] {
            let error = open(location, Missing::Create)
                .await
                .unwrap_err()
                .to_string();
            assert!(error.ends_with("it names no file"), "{error}");
        }
    }
}
