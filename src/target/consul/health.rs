//! What a Consul says of itself, and what our token may do there.

use std::collections::{BTreeMap, BTreeSet};

use reqwest::{Method, StatusCode};
use serde::Deserialize;

use super::super::{Health, TargetError};
use super::connection::Consul;
use super::http::SMALL_ANSWER;
use super::permission;
use crate::model::{Key, Limits, SetName};
use crate::target::Target as _;

/// Says whether the Consul of `consul` is fit for use with `sets`. It changes nothing.
pub(super) async fn health(
    consul: &Consul,
    sets: &BTreeMap<SetName, BTreeSet<Key>>,
) -> Result<Health, TargetError> {
    consul.check_leader().await?;
    let version = consul.version().await?;
    let (access, mut warnings) = permission::access(consul, sets).await?;
    if consul.client.token_in_the_clear() {
        warnings.push("the token travels unencrypted: use https".to_owned());
    }
    if version.is_none() && consul.overrides.operations.is_none() {
        warnings.push(format!(
            "the token may not read the version (`agent:read`), so {} operations are taken as the limit",
            Limits::CONSUL.operations
        ));
    }
    Ok(Health {
        server: version.map_or_else(
            || "Consul".to_owned(),
            |version| format!("Consul {version}"),
        ),
        limits: consul.limits().await?,
        access,
        warnings,
    })
}

/// The limits of a Consul of this version; the smaller ones if it is not known.
pub(super) fn limits_of(version: Option<&str>) -> Limits {
    let mut numbers = version
        .unwrap_or_default()
        .split(|c: char| !c.is_ascii_digit())
        .map(str::parse::<u32>);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor))) if (major, minor) >= (1, 14) => Limits::CONSUL_1_14,
        _ => Limits::CONSUL,
    }
}

/// What a Consul makes of the token that it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recognised {
    /// It knows the token; this is the name of it that is no secret.
    Accessor(String),
    /// It asks nobody for a token.
    NoAcls,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OwnToken {
    #[serde(rename = "AccessorID")]
    accessor: String,
}

/// Asks the Consul of `consul` for the token it is shown.
pub(super) async fn recognises_token(consul: &Consul) -> Result<Recognised, TargetError> {
    let path = "acl/token/self";
    let answer = consul.read(&Method::GET, path, None, SMALL_ANSWER).await?;
    match answer.status {
        StatusCode::OK => Ok(Recognised::Accessor(
            consul.json::<OwnToken>(&answer)?.accessor,
        )),
        StatusCode::UNAUTHORIZED if answer.text().contains("ACL support disabled") => {
            Ok(Recognised::NoAcls)
        }
        _ => Err(consul.refused(&answer)),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Agent {
    config: AgentConfig,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AgentConfig {
    version: String,
}

impl Consul {
    /// The version of the agent, which is who checks the number of operations; `None` if the
    /// token may not know.
    pub(super) async fn version(&self) -> Result<Option<String>, TargetError> {
        let answer = self
            .read(&Method::GET, "agent/self", None, SMALL_ANSWER)
            .await?;
        match answer.status {
            StatusCode::OK => Ok(Some(self.json::<Agent>(&answer)?.config.version)),
            StatusCode::FORBIDDEN => Ok(None),
            _ => Err(self.refused(&answer)),
        }
    }

    async fn check_leader(&self) -> Result<(), TargetError> {
        let answer = self
            .read(&Method::GET, "status/leader", None, SMALL_ANSWER)
            .await?;
        if answer.status != StatusCode::OK {
            return Err(self.refused(&answer));
        }
        if self.json::<String>(&answer)?.is_empty() {
            return Err(TargetError::Unreachable {
                location: self.location(),
                source: "it has no leader".into(),
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_operations_fit_from_1_14_on() {
        for (version, operations) in [
            (Some("1.8.7"), 64),
            (Some("1.13.9+ent"), 64),
            (Some("1.14.0"), 128),
            (Some("1.22.1+ent"), 128),
            (Some("2.0.0-rc1"), 128),
            (Some("dev"), 64),
            (None, 64),
        ] {
            assert_eq!(limits_of(version).operations, operations, "{version:?}");
        }
    }
}
