//! From what a person wrote to an open store.

use std::path::PathBuf;
use std::sync::Arc;

use super::later::Later;
use super::sqlite::Sqlite;
use super::{Store, StoreError};
use crate::model::text;

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
        location: text::place(location),
        reason,
    })?;
    match (Sqlite::open_later(path.clone()).await, missing) {
        (Err(StoreError::Absent { .. }), Missing::Create) => Ok(Arc::new(Later::new(path))),
        (opened, _) => Ok(Arc::new(opened?)),
    }
}

/// The path of the SQLite store that `location` means, or why it means none.
fn sqlite_path(location: &str) -> Result<PathBuf, String> {
    let path = match text::scheme(location) {
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

    #[tokio::test]
    async fn a_location_is_shown_without_the_password_in_it() {
        for location in [
            "https://u:SECRET@a/b",
            "etcd:u:SECRET@a",
            "http://a?t=SECRET#SECRET",
        ] {
            let error = open(location, Missing::Refuse).await.unwrap_err();
            let shown = format!("{error} {error:?}");
            assert!(!shown.contains("SECRET"), "{shown}");
        }
    }
}
