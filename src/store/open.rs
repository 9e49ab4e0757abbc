//! From what a person wrote to an open store.

use std::net::{Ipv6Addr, SocketAddr};
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
/// Anything else that starts like a scheme, or looks like the address of a server, is
/// [`StoreError::Location`]; `./name:rest` is the file of that name.
pub async fn open(location: &str, missing: Missing) -> Result<Arc<dyn Store>, StoreError> {
    let path = path_of(location)?;
    match (Sqlite::open_later(path.clone()).await, missing) {
        (Err(StoreError::Absent { .. }), Missing::Create) => Ok(Arc::new(Later::new(path))),
        (opened, _) => Ok(Arc::new(opened?)),
    }
}

/// The path of the store that `location` means, as [`open`] takes it, whether there is one or not.
pub fn path_of(location: &str) -> Result<PathBuf, StoreError> {
    sqlite_path(location).map_err(|reason| StoreError::Location {
        location: text::place(location),
        reason,
    })
}

/// The path of the SQLite store that `location` means, or why it means none.
fn sqlite_path(location: &str) -> Result<PathBuf, String> {
    let path = match text::scheme(location) {
        scheme if scheme != Some("sqlite") && is_host_and_port(location) => {
            let scheme = if is_this_machine(location) {
                "http"
            } else {
                "https"
            };
            return Err(format!(
                "a server is `{scheme}://{location}`; a file of that name is `./{location}`"
            ));
        }
        None => location,
        Some("sqlite") => {
            let rest = &location["sqlite:".len()..];
            rest.strip_prefix("//").unwrap_or(rest)
        }
        Some(other) => {
            return Err(format!(
                "`{other}:` is not a known kind of store; known are `sqlite:PATH` and a plain \
                 path; a server is `https://HOST:PORT`"
            ));
        }
    };
    if path.is_empty() {
        return Err("it names no file".to_owned());
    }
    Ok(PathBuf::from(path))
}

/// Whether `location` is a name or an address, a colon, and digits alone.
fn is_host_and_port(location: &str) -> bool {
    let Some((host, port)) = location.rsplit_once(':') else {
        return false;
    };
    let is_name = |host: &str| {
        !host.is_empty()
            && host
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'))
    };
    let bracketed = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    let is_host = match bracketed {
        Some(host) => host.parse::<Ipv6Addr>().is_ok(),
        None => is_name(host),
    };
    is_host && !port.is_empty() && port.chars().all(|c| c.is_ascii_digit())
}

/// Whether `HOST:PORT` names this machine, where a server needs no certificate.
fn is_this_machine(location: &str) -> bool {
    let address: Result<SocketAddr, _> = location.parse();
    location.starts_with("localhost:") || address.is_ok_and(|address| address.ip().is_loopback())
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
            ("sqlite:8440", "8440"),
            ("./127.0.0.1:8440", "./127.0.0.1:8440"),
            ("/srv/127.0.0.1:8440", "/srv/127.0.0.1:8440"),
            ("12:30 notes", "12:30 notes"),
            ("::1:8440", "::1:8440"),
            ("127.0.0.1:", "127.0.0.1:"),
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

    #[test]
    fn the_address_of_a_server_is_no_file() {
        for (location, server) in [
            ("127.0.0.1:8440", "http://127.0.0.1:8440"),
            ("127.1.2.3:1", "http://127.1.2.3:1"),
            ("[::1]:8440", "http://[::1]:8440"),
            ("localhost:8440", "http://localhost:8440"),
            ("10.0.0.1:8440", "https://10.0.0.1:8440"),
            ("cfgctl.example.com:443", "https://cfgctl.example.com:443"),
            ("[2001:db8::1]:8440", "https://[2001:db8::1]:8440"),
        ] {
            let error = path_of(location).unwrap_err().to_string();
            let told = format!(
                "`{location}` cannot be used as a store: a server is `{server}`; \
                 a file of that name is `./{location}`"
            );
            assert_eq!(error, told);
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
