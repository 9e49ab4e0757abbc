//! Where a Consul is.

use std::fmt;

use reqwest::Url;

use super::super::Variables;
use super::credentials::flag;

/// Where a Consul listens if nobody says otherwise.
const DEFAULT: &str = "http://127.0.0.1:8500";

/// The address of a Consul, `https://host:port` and maybe the path at which a proxy keeps it.
#[derive(Clone, Debug)]
pub(super) struct Address {
    url: Url,
}

impl Address {
    /// The address that the manifest names, else the one of `CONSUL_HTTP_ADDR`.
    pub(super) fn find(manifest: Option<&str>, environment: &Variables) -> Result<Self, String> {
        if let Some(address) = manifest {
            return parse(address);
        }
        let address = environment.get("CONSUL_HTTP_ADDR").unwrap_or(DEFAULT);
        let mut found = parse(address).map_err(|error| format!("CONSUL_HTTP_ADDR: {error}"))?;
        // As for the consul command: this switches TLS on, and never off.
        if flag(environment, "CONSUL_HTTP_SSL")? == Some(true) {
            found
                .url
                .set_scheme("https")
                .map_err(|()| "CONSUL_HTTP_SSL: the address cannot use https".to_owned())?;
        }
        Ok(found)
    }

    /// The same, with another name for the host.
    pub(super) fn with_host(&self, host: &str) -> Result<Self, String> {
        let mut url = self.url.clone();
        url.set_host(Some(host))
            .map_err(|error| error.to_string())?;
        Ok(Self { url })
    }

    /// The name or number of the host; IPv6 without brackets.
    pub(super) fn host(&self) -> &str {
        let host = self.url.host_str().unwrap_or_default();
        host.trim_start_matches('[').trim_end_matches(']')
    }

    /// Whether the connection is encrypted.
    pub(super) fn is_https(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// Whether what is sent stays on this machine.
    pub(super) fn is_loopback(&self) -> bool {
        let host = self.host();
        host == "localhost"
            || host
                .parse::<std::net::IpAddr>()
                .is_ok_and(|ip| ip.is_loopback())
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.url.as_str().trim_end_matches('/'))
    }
}

/// Reads `http://host:port`, `https://host:port` or `host:port`. The error does not repeat the
/// text: it may hold a password.
pub(super) fn parse(text: &str) -> Result<Address, String> {
    let url = match text.split_once("://") {
        Some(("http" | "https", _)) => Url::parse(text),
        Some(("unix", _)) => return Err("unix sockets are not supported".to_owned()),
        Some(_) => return Err("the address must start with http:// or https://".to_owned()),
        None => Url::parse(&format!("http://{text}")),
    };
    let url = url.map_err(|error| format!("the address is not a URL: {error}"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("the address must not hold credentials; use CONSUL_HTTP_AUTH".to_owned());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("the address must not have a query or a fragment".to_owned());
    }
    Ok(Address { url })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(manifest: Option<&str>, variables: &[(&str, &str)]) -> Result<String, String> {
        let environment = variables.iter().copied().collect();
        Address::find(manifest, &environment).map(|address| address.to_string())
    }

    #[test]
    fn the_manifest_wins_over_the_environment() {
        let variables = [("CONSUL_HTTP_ADDR", "b:1"), ("CONSUL_HTTP_SSL", "true")];
        let found = find(Some("http://a:8500"), &variables);
        assert_eq!(found.as_deref(), Ok("http://a:8500"));
        assert_eq!(find(None, &variables).as_deref(), Ok("https://b:1"));
    }

    #[test]
    fn addresses_mean_what_they_mean_to_the_consul_command() {
        let env = |address| find(None, &[("CONSUL_HTTP_ADDR", address)]);
        assert_eq!(find(None, &[]).as_deref(), Ok(DEFAULT));
        assert_eq!(env("").as_deref(), Ok(DEFAULT));
        assert_eq!(env("10.0.0.1:8500").as_deref(), Ok("http://10.0.0.1:8500"));
        assert_eq!(
            env("https://[::1]:8501/").as_deref(),
            Ok("https://[::1]:8501")
        );
        assert_eq!(
            env("https://proxy/consul/").as_deref(),
            Ok("https://proxy/consul")
        );
    }

    #[test]
    fn an_address_that_cannot_be_used_is_refused_without_being_repeated() {
        for address in [
            "unix:///run/consul.sock",
            "ftp://host",
            "http://user:secret@host",
            "http://host?token=secret",
            "http://",
        ] {
            let error = find(Some(address), &[]).unwrap_err();
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn loopback_is_known_by_name_and_number() {
        for (address, expected) in [
            ("localhost:1", true),
            ("127.1.2.3:1", true),
            ("[::1]:1", true),
            ("10.0.0.1:1", false),
            ("localhost.example.com:1", false),
        ] {
            assert_eq!(parse(address).unwrap().is_loopback(), expected, "{address}");
        }
    }
}
