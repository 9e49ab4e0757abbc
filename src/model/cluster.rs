//! A place of delivery, and how to reach it.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Key, Labels, SetName};

/// One place of delivery; its name is the name of its resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Cluster {
    /// What selectors match on.
    pub labels: Labels,
    /// Where snapshots go.
    pub connection: Connection,
}

/// How to reach a cluster's target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Connection {
    /// The KV store of a Consul.
    Consul(ConsulSpec),
    /// A directory on this machine.
    Directory(DirectorySpec),
}

impl Connection {
    /// Whether both put what sets publish in the same place, as far as their descriptions tell.
    pub fn shares_keys_with(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Consul(a), Self::Consul(b)) => {
                (&a.address, &a.datacenter) == (&b.address, &b.datacenter)
            }
            (Self::Directory(a), Self::Directory(b)) => a.path == b.path,
            _ => false,
        }
    }

    /// Whether both put their snapshots there too.
    pub fn is_same_place(&self, other: &Self) -> bool {
        let prefix = |it: &Self| match it {
            Self::Consul(consul) => Some(consul.prefix.clone()),
            Self::Directory(_) => None,
        };
        self.shares_keys_with(other) && prefix(self) == prefix(other)
    }
}

/// How to reach a Consul. What is left out comes from the `CONSUL_*` variables that the consul
/// command line knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ConsulSpec {
    /// `http://host:port` or `https://host:port`, without credentials; left out:
    /// `CONSUL_HTTP_ADDR`, else `http://127.0.0.1:8500`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Below which our own keys lie: `<prefix>/<set>/snapshot`.
    pub prefix: Key,
    /// The datacenter to ask for; left out: the agent's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub datacenter: Option<String>,
    /// Where the ACL token is found; left out: `CONSUL_HTTP_TOKEN_FILE`, `CONSUL_HTTP_TOKEN`, else
    /// what `cfgctl cluster login` kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<TokenSource>,
    /// Whom to trust over https, and who we are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<Box<Tls>>,
    /// The server's limits where they are not what its version says.
    #[serde(default, skip_serializing_if = "LimitOverrides::is_empty")]
    pub limits: LimitOverrides,
}

impl ConsulSpec {
    /// Where the snapshot of `set` lies: `cfgctl/checkout/snapshot`.
    pub fn snapshot_key(&self, set: &SetName) -> String {
        format!("{}snapshot", self.own_keys(set))
    }

    /// Below which lies all of `set` that cfgctl keeps for itself.
    pub fn own_keys(&self, set: &SetName) -> String {
        format!("{}/{set}/", self.prefix)
    }
}

/// Where a token is found. The token itself is never in a manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum TokenSource {
    /// An environment variable, by name.
    Env(String),
    /// A file that holds nothing but the token; absolute.
    File(PathBuf),
}

/// TLS towards a Consul. What is left out comes from the `CONSUL_*` variables. Keys and
/// certificates are named, never held.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Tls {
    /// The authorities to trust in place of the system's, in PEM; absolute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,
    /// Our own certificate, for a Consul that asks for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<ClientCertificate>,
    /// The name that the Consul's certificate must have, if it is not the host of the address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_name: Option<String>,
}

/// A certificate and its private key, which are of no use without each other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClientCertificate {
    /// The certificate in PEM, with those between it and its authority; absolute.
    pub cert_file: PathBuf,
    /// The private key in PEM; absolute.
    pub key_file: PathBuf,
}

/// Limits of a Consul that an administrator knows better than its version number does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LimitOverrides {
    /// Operations in one transaction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operations: Option<usize>,
    /// Bytes in one value (`kv_max_value_size`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value_bytes: Option<usize>,
    /// Bytes in the body of one transaction (`txn_max_req_len`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_bytes: Option<usize>,
}

impl LimitOverrides {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A directory target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DirectorySpec {
    /// Absolute; each set gets a directory of its own inside.
    pub path: PathBuf,
}
