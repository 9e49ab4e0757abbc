//! `kind: Cluster`.

use serde_json::Value;

use super::super::node::{Entry, Kind};
use super::{Decoder, Fields};
use crate::manifest::Located;
use crate::model::{
    ClientCertificate, Cluster, Connection, ConsulSpec, DirectorySpec, Key, Labels, LimitOverrides,
    Tls, TokenSource,
};

/// The fields of `spec`: exactly one of them.
pub(super) const CLUSTER_FIELDS: &[&str] = &["consul", "directory"];
/// The fields of `spec.consul`.
pub(super) const CONSUL_FIELDS: &[&str] =
    &["address", "prefix", "datacenter", "token", "tls", "limits"];
/// The fields of `spec.consul.token`: exactly one of them.
pub(super) const TOKEN_FIELDS: &[&str] = &["env", "file"];
/// The fields of `spec.consul.tls`.
pub(super) const TLS_FIELDS: &[&str] = &["caFile", "certFile", "keyFile", "serverName"];
/// The fields of `spec.consul.limits`.
pub(super) const LIMIT_FIELDS: &[&str] = &["operations", "valueBytes", "requestBytes"];
/// The fields of `spec.directory`.
pub(super) const DIRECTORY_FIELDS: &[&str] = &["path"];

/// Where our own keys lie in a Consul, unless the manifest says so.
const DEFAULT_PREFIX: &str = "cfgctl";

/// A field is there, and its value is wrong; that is reported.
struct Refused;

impl Decoder<'_, '_> {
    /// The cluster that `spec` describes; nothing if a mistake leaves no telling.
    pub(super) fn cluster(
        &mut self,
        spec: Option<&Entry>,
        labels: Option<Labels>,
    ) -> Option<Cluster> {
        let spec = spec?;
        let fields = self.known_fields(
            &spec.value,
            spec.at,
            "the spec of a cluster",
            CLUSTER_FIELDS,
        )?;
        let entry = self.exactly_one(fields, CLUSTER_FIELDS)?;
        let connection = match entry.key.as_str() {
            "consul" => self.consul(entry).map(Connection::Consul),
            _ => self.directory(entry).map(Connection::Directory),
        };
        Some(Cluster {
            labels: labels?,
            connection: connection?,
        })
    }

    fn directory(&mut self, entry: &Entry) -> Option<DirectorySpec> {
        let fields = self.known_fields(&entry.value, entry.at, "`directory`", DIRECTORY_FIELDS)?;
        let path = self.required(fields, "path")?;
        let path = self.beside_manifest(path)?;
        Some(DirectorySpec { path })
    }

    fn consul(&mut self, entry: &Entry) -> Option<ConsulSpec> {
        let fields = self.known_fields(&entry.value, entry.at, "`consul`", CONSUL_FIELDS)?;
        let address = self.optional(fields, "address", Self::address);
        let prefix = self.optional(fields, "prefix", |decoder, entry| {
            decoder.parsed::<Key>(entry, "invalid-key")
        });
        let datacenter = self.optional(fields, "datacenter", Self::datacenter);
        let token = self.optional(fields, "token", Self::token);
        let tls = self.optional(fields, "tls", Self::tls);
        if let (Some(entry), Ok(Some(address))) = (fields.get("tls"), &address)
            && !address.starts_with("https://")
        {
            self.add(
                Located::error(
                    "conflicting-fields",
                    Some(entry.at),
                    "`tls` is of no use with an address that starts with http://",
                )
                .help("write https:// in the address, or take `tls` out"),
            );
            return None;
        }
        let limits = self.optional(fields, "limits", Self::limits);
        Some(ConsulSpec {
            address: address.ok()?,
            prefix: match prefix.ok()? {
                Some(prefix) => prefix,
                None => DEFAULT_PREFIX.parse().ok()?,
            },
            datacenter: datacenter.ok()?,
            token: token.ok()?,
            tls: tls.ok()?.map(Box::new),
            limits: limits.ok()?.unwrap_or_default(),
        })
    }

    fn address(&mut self, entry: &Entry) -> Option<String> {
        let text = self.text(entry)?;
        if let Err(reason) = check_address(text) {
            let finding = Located::error(
                "invalid-address",
                Some(entry.value.span),
                format!("this is not the address of a Consul: {reason}"),
            )
            .help("write http://HOST:PORT or https://HOST:PORT");
            let may_hold_a_password = text.contains(['@', '?', '#']);
            self.add(if may_hold_a_password {
                finding.conceal(entry.value.span)
            } else {
                finding
            });
            return None;
        }
        Some(text.to_owned())
    }

    fn datacenter(&mut self, entry: &Entry) -> Option<String> {
        let text = self.text(entry)?;
        let known = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        if text.is_empty() || !text.bytes().all(known) {
            let message = "a datacenter has only letters, digits, `-` and `_`";
            self.report("invalid-value", entry.value.span, &message);
            return None;
        }
        Some(text.to_owned())
    }

    fn token(&mut self, entry: &Entry) -> Option<TokenSource> {
        if matches!(entry.value.kind, Kind::Scalar(Value::String(_))) {
            self.add(
                Located::error(
                    "wrong-type",
                    // Marks the key: a token that was written here is not for logs.
                    Some(entry.at),
                    "expected a map that says where the token is, found a string",
                )
                .help("a token is never in a manifest; write `token: {env: NAME}` or `token: {file: PATH}`")
                .conceal(entry.value.span),
            );
            return None;
        }
        let fields = self.known_fields(&entry.value, entry.at, "`token`", TOKEN_FIELDS)?;
        let source = self.exactly_one(fields, TOKEN_FIELDS)?;
        if source.key == "file" {
            return self.beside_manifest(source).map(TokenSource::File);
        }
        let name = self.text(source)?;
        if !is_variable(name) {
            let message = "a variable has only letters, digits and `_`, and starts with no digit";
            self.report("invalid-value", source.value.span, &message);
            return None;
        }
        Some(TokenSource::Env(name.to_owned()))
    }

    fn tls(&mut self, entry: &Entry) -> Option<Tls> {
        let fields = self.known_fields(&entry.value, entry.at, "`tls`", TLS_FIELDS)?;
        let ca_file = self.optional(fields, "caFile", Self::beside_manifest);
        let cert_file = self.optional(fields, "certFile", Self::beside_manifest);
        let key_file = self.optional(fields, "keyFile", Self::beside_manifest);
        let server_name = self.optional(fields, "serverName", Self::server_name);
        let client = match (cert_file.ok()?, key_file.ok()?) {
            (Some(cert_file), Some(key_file)) => Some(ClientCertificate {
                cert_file,
                key_file,
            }),
            (None, None) => None,
            (Some(_), None) => return self.half_a_pair(fields, "certFile", "keyFile"),
            (None, Some(_)) => return self.half_a_pair(fields, "keyFile", "certFile"),
        };
        Some(Tls {
            ca_file: ca_file.ok()?,
            client,
            server_name: server_name.ok()?,
        })
    }

    fn half_a_pair<T>(&mut self, fields: Fields<'_>, there: &str, missing: &str) -> Option<T> {
        self.add(
            Located::error(
                "missing-field",
                Some(fields.get(there)?.at),
                format!("`{there}` is of no use without `{missing}`"),
            )
            .label(format!("`{missing}` is missing beside it")),
        );
        None
    }

    fn server_name(&mut self, entry: &Entry) -> Option<String> {
        let text = self.text(entry)?;
        let known = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
        if text.is_empty() || !text.bytes().all(known) {
            let message = "the name in a certificate has only letters, digits, `-`, `.` and `_`";
            self.report("invalid-value", entry.value.span, &message);
            return None;
        }
        Some(text.to_owned())
    }

    fn limits(&mut self, entry: &Entry) -> Option<LimitOverrides> {
        let fields = self.known_fields(&entry.value, entry.at, "`limits`", LIMIT_FIELDS)?;
        let operations = self.optional(fields, "operations", Self::positive);
        let value_bytes = self.optional(fields, "valueBytes", Self::positive);
        let request_bytes = self.optional(fields, "requestBytes", Self::positive);
        Some(LimitOverrides {
            operations: operations.ok()?,
            value_bytes: value_bytes.ok()?,
            request_bytes: request_bytes.ok()?,
        })
    }

    fn positive(&mut self, entry: &Entry) -> Option<usize> {
        let number = match &entry.value.kind {
            Kind::Scalar(Value::Number(number)) => number.as_u64(),
            _ => None,
        };
        let number = number.filter(|number| *number > 0);
        let found = number.and_then(|number| usize::try_from(number).ok());
        if found.is_none() {
            self.wrong_type(&entry.value, entry.at, "a whole number from 1 on");
        }
        found
    }

    /// The value of a field that may be left out.
    fn optional<T>(
        &mut self,
        fields: Fields<'_>,
        name: &str,
        decode: impl FnOnce(&mut Self, &Entry) -> Option<T>,
    ) -> Result<Option<T>, Refused> {
        match fields.get(name) {
            Some(entry) => decode(self, entry).map(Some).ok_or(Refused),
            None => Ok(None),
        }
    }

    /// The only one of these fields that is there.
    fn exactly_one<'n>(&mut self, fields: Fields<'n>, names: &[&str]) -> Option<&'n Entry> {
        let there: Vec<&Entry> = names.iter().filter_map(|name| fields.get(name)).collect();
        match there.as_slice() {
            [only] => Some(only),
            [] => {
                let names = super::alternatives(names);
                self.add(Located::error(
                    "missing-field",
                    Some(fields.at),
                    format!("one of the fields {names} must be here"),
                ));
                None
            }
            [first, second, ..] => {
                let (first, second) = if first.at.start < second.at.start {
                    (first, second)
                } else {
                    (second, first)
                };
                self.add(
                    Located::error(
                        "conflicting-fields",
                        Some(second.at),
                        format!("`{}` and `{}` exclude each other", first.key, second.key),
                    )
                    .related(first.at, "the other one")
                    .help("keep one of the two"),
                );
                None
            }
        }
    }
}

fn is_variable(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|first: char| first.is_ascii_digit())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Why `text` is not `http(s)://host[:port]`.
fn check_address(text: &str) -> Result<(), &'static str> {
    let rest = text
        .strip_prefix("http://")
        .or_else(|| text.strip_prefix("https://"))
        .ok_or("it does not start with http:// or https://")?;
    if rest.contains('@') {
        return Err("it holds a user or password, which belong into `token`");
    }
    if rest.contains(['/', '?', '#']) {
        return Err("nothing may stand after the host and port");
    }
    let (host, port) = match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, port)) => {
            host.parse::<std::net::Ipv6Addr>()
                .map_err(|_| "what is in the brackets is no IPv6 address")?;
            (host, port)
        }
        None => rest.split_at(rest.find(':').unwrap_or(rest.len())),
    };
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:".contains(&byte);
    if host.is_empty() || !host.bytes().all(known) {
        return Err("the host is missing, or has characters that no host has");
    }
    match port.strip_prefix(':') {
        None if port.is_empty() => Ok(()),
        Some(port) if port.parse::<u16>().is_ok_and(|port| port > 0) && !port.starts_with('+') => {
            Ok(())
        }
        _ => Err("the port is not a number from 1 to 65535"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_scheme_a_host_and_perhaps_a_port() {
        for text in [
            "http://127.0.0.1:8500",
            "https://consul.example.com",
            "http://[::1]:8500",
        ] {
            assert_eq!(check_address(text), Ok(()), "{text}");
        }
        for text in [
            "127.0.0.1:8500",
            "ftp://a",
            "http://",
            "http://:8500",
            "http://a:0",
            "http://a:+1",
            "http://a:99999",
            "http://u:p@a",
            "http://a/",
            "http://a?b",
            "http://a b",
            "http://[x]:1",
            "http://[::1]8500",
        ] {
            assert!(check_address(text).is_err(), "{text}");
        }
    }
}
