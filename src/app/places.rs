//! Places of this machine that a cluster's description names, and who may name them.
//!
//! A directory, the file of a token or of a certificate, a variable of the environment: described by
//! whoever runs this process they are his own. Described by somebody elsewhere they are a way to read
//! and write what is none of his business, so they are refused unless the configuration of this
//! process allows them. What the store holds already is not asked about again.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use crate::api::{Caller, Change, Error, ErrorKind, Principal, Request};
use crate::model::{Cluster, ClusterName, Connection, Content, ResourceId, TokenSource};

/// What callers elsewhere may name of this machine; by default nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowedPlaces {
    /// Directories, absolute: everything below them may be named.
    pub directories: Vec<PathBuf>,
    /// Variables of the environment that may be named as where a token is.
    pub variables: BTreeSet<String>,
}

impl AllowedPlaces {
    /// Fails if `by` may not name what `request` does.
    pub(super) fn check_request(&self, by: &Caller, request: &Request) -> Result<(), Error> {
        match &request.change {
            Change::Declare(declaration) => self.check(by, &declaration.contents),
            Change::Rollback { .. }
            | Change::Delete(_)
            | Change::Reconcile(_)
            | Change::Flag(_)
            | Change::Breaker(_) => Ok(()),
        }
    }

    /// Fails if `by` may not name what one of `contents` does.
    pub(super) fn check(
        &self,
        by: &Caller,
        contents: &BTreeMap<ResourceId, Content>,
    ) -> Result<(), Error> {
        match by.principal {
            Principal::Local(_) | Principal::System => return Ok(()),
            Principal::Owner(_) | Principal::Token(_) => {}
        }
        for (id, content) in contents {
            if let (ResourceId::Cluster(name), Content::Cluster(cluster)) = (id, content) {
                self.check_cluster(name, cluster)?;
            }
        }
        Ok(())
    }

    fn check_cluster(&self, name: &ClusterName, cluster: &Cluster) -> Result<(), Error> {
        for path in paths(cluster) {
            if !self.allows(path) {
                let error = format!(
                    "cluster `{name}` names `{}`, a path of the server",
                    path.display()
                );
                return Err(Error::new(ErrorKind::Denied, error).hint(
                    "the server allows what lies below a directory that it was started with: \
                     `cfgctl serve --allow-directories PATH`",
                ));
            }
        }
        match variable(cluster) {
            Some(variable) if !self.variables.contains(variable) => {
                let error =
                    format!("cluster `{name}` names `{variable}`, a variable of the server");
                Err(Error::new(ErrorKind::Denied, error).hint(
                    "the server allows variables that it was started with: \
                     `cfgctl serve --allow-variables NAME`",
                ))
            }
            _ => Ok(()),
        }
    }

    /// Whether `path` lies in a directory that may be named. What leads up again might lead anywhere.
    fn allows(&self, path: &Path) -> bool {
        let goes_up = |it: &Path| it.components().any(|part| part == Component::ParentDir);
        let mut directories = self.directories.iter();
        !goes_up(path) && directories.any(|directory| path.starts_with(directory))
    }
}

/// The paths that a description names.
fn paths(cluster: &Cluster) -> Vec<&Path> {
    let consul = match &cluster.connection {
        Connection::Directory(directory) => return vec![&directory.path],
        Connection::Consul(consul) => consul,
    };
    let mut paths: Vec<&Path> = Vec::new();
    if let Some(TokenSource::File(path)) = &consul.token {
        paths.push(path);
    }
    if let Some(tls) = &consul.tls {
        paths.extend(tls.ca_file.as_deref());
        let client = tls.client.iter();
        paths.extend(client.flat_map(|it| [it.cert_file.as_path(), it.key_file.as_path()]));
    }
    paths
}

/// The variable that a description names.
fn variable(cluster: &Cluster) -> Option<&str> {
    match &cluster.connection {
        Connection::Consul(consul) => match consul.token.as_ref()? {
            TokenSource::Env(name) => Some(name),
            TokenSource::File(_) => None,
        },
        Connection::Directory(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::api::TokenHolder;
    use crate::model::TokenKind;

    fn refusal(places: &AllowedPlaces, by: &Caller, connection: &Value) -> Option<String> {
        let cluster = json!({"labels": {}, "connection": connection});
        let content = Content::Cluster(serde_json::from_value(cluster).unwrap());
        let contents = BTreeMap::from([("cluster/eu".parse().unwrap(), content)]);
        let error = places.check(by, &contents).err()?;
        assert_eq!(error.kind, ErrorKind::Denied);
        Some(error.error)
    }

    fn consul(field: &str, value: Value) -> Value {
        let mut consul = json!({"prefix": "cfgctl", "address": "https://consul:8501"});
        consul[field] = value;
        json!({ "consul": consul })
    }

    /// One description for each way to name a path.
    fn naming(path: &str) -> [Value; 4] {
        [
            json!({"directory": {"path": path}}),
            consul("token", json!({"file": path})),
            consul("tls", json!({"caFile": path})),
            consul(
                "tls",
                json!({"client": {"certFile": "/srv/clusters/c", "keyFile": path}}),
            ),
        ]
    }

    #[test]
    fn a_caller_elsewhere_names_no_place_of_this_machine_that_is_not_allowed() {
        let ci = TokenHolder::new(
            &"ci".parse().unwrap(),
            "0123456789".parse().unwrap(),
            TokenKind::Api,
            None,
        );
        for by in [Caller::owner(), Caller::token(ci)] {
            let none = AllowedPlaces::default();
            let some = AllowedPlaces {
                directories: vec!["/srv/clusters".into()],
                variables: ["EU_TOKEN".to_owned()].into(),
            };
            for description in naming("/srv/clusters/eu/file") {
                assert!(refusal(&none, &by, &description).is_some());
                assert_eq!(refusal(&some, &by, &description), None);
            }
            for path in [
                "/etc/passwd",
                "/srv/clusters-of-others/x",
                "/srv/clusters/../../etc/passwd",
                "srv/clusters/x",
                "/",
                "",
            ] {
                for description in naming(path) {
                    let refused = refusal(&some, &by, &description);
                    let expected = format!("cluster `eu` names `{path}`, a path of the server");
                    assert_eq!(refused.as_deref(), Some(&*expected), "{description}");
                }
            }
            let token = |name: &str| consul("token", json!({ "env": name }));
            assert_eq!(
                refusal(&some, &by, &token("HOME")).as_deref(),
                Some("cluster `eu` names `HOME`, a variable of the server")
            );
            assert_eq!(refusal(&some, &by, &token("EU_TOKEN")), None);
            let plain = json!({"consul": {"prefix": "cfgctl"}});
            assert_eq!(refusal(&none, &by, &plain), None);
        }
    }

    #[test]
    fn whoever_runs_this_process_names_what_he_likes() {
        let none = AllowedPlaces::default();
        for by in [Caller::local("ops@laptop".to_owned()), Caller::system()] {
            for description in naming("/etc/passwd") {
                assert_eq!(refusal(&none, &by, &description), None);
            }
        }
    }
}
