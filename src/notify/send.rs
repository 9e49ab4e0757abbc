//! Sending: one request, bounded in time, to nobody but who was meant.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use reqwest::{Client, StatusCode, Url};

use super::letter::Letter;
use super::receiver::{Format, Receiver};
use crate::api::Happening;

/// The longest wait for an answer.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Sends what happened to one receiver. Its address may be a secret.
pub(super) struct Sender {
    source: String,
    format: Format,
    url: Url,
    may_be_private: bool,
    /// None where this machine has no means to speak TLS.
    client: Option<Client>,
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = self.url.host_str();
        f.debug_struct("Sender")
            .field("host", &host)
            .finish_non_exhaustive()
    }
}

/// Why something did not arrive.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failed {
    /// Another time it may.
    #[error("{0}")]
    ForNow(String),
    /// It never will.
    #[error("{0}")]
    Forever(String),
}

impl Sender {
    pub(super) fn new(source: &str, receiver: &Receiver) -> Self {
        // Whoever was first is as good: there is but one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut client = Client::builder()
            .timeout(TIMEOUT)
            .redirect(Policy::none())
            // Where a proxy connects to nobody knows.
            .no_proxy();
        if receiver.url.scheme() == "http" {
            // Saves reading the system's certificates, which nobody will ask for.
            client = client.tls_certs_only([]);
        }
        if !receiver.may_be_private {
            client = client.dns_resolver(Arc::new(PublicOnly));
        }
        Self {
            source: source.to_owned(),
            format: receiver.format.clone(),
            url: receiver.url.clone(),
            may_be_private: receiver.may_be_private,
            client: client.build().ok(),
        }
    }

    /// Tells of `happening` once.
    pub(super) async fn send(&self, happening: &Happening, now: Timestamp) -> Result<(), Failed> {
        let Some(client) = &self.client else {
            return Err(Failed::Forever(
                "there is no TLS on this machine".to_owned(),
            ));
        };
        // A name is resolved by whoever looks at what it stands for; an address stands for itself.
        let host = self.url.host_str().unwrap_or_default();
        let literal = host.trim_matches(['[', ']']).parse::<IpAddr>();
        if let (Ok(address), false) = (literal, self.may_be_private)
            && !is_public(address)
        {
            return Err(Failed::Forever(PRIVATE.to_owned()));
        }
        let letter = Letter::of(happening, &self.format, &self.source, now);
        let mut request = client.post(self.url.clone()).body(letter.body);
        for (name, value) in letter.headers {
            request = request.header(name, value);
        }
        // The address may be a secret.
        let answer = request
            .send()
            .await
            .map_err(|error| Failed::ForNow(crate::plan::chain(&error.without_url())))?;
        match answer.status() {
            status if status.is_success() => Ok(()),
            status @ (StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS) => {
                Err(Failed::ForNow(format!("it answered {status}")))
            }
            status if status.is_server_error() => {
                Err(Failed::ForNow(format!("it answered {status}")))
            }
            status => Err(Failed::Forever(format!("it answered {status}"))),
        }
    }
}

const PRIVATE: &str = "it is at a private address, and does not say `allowPrivate: true`";

/// Resolves names to addresses that everybody can reach, and to no others: whoever may name a receiver
/// does not reach what only this machine can.
struct PublicOnly;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        let host = name.as_str().to_owned();
        Box::pin(async move {
            let found = tokio::net::lookup_host((host.as_str(), 0)).await?;
            let public: Vec<SocketAddr> = found.filter(|at| is_public(at.ip())).collect();
            if public.is_empty() {
                return Err(PRIVATE.into());
            }
            let addresses: Addrs = Box::new(public.into_iter());
            Ok(addresses)
        })
    }
}

/// Whether everybody can reach it: none of the special ones of
/// <https://www.iana.org/assignments/iana-ipv4-special-registry> and its like for version 6.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            let [a, b, c, _] = address.octets();
            !(address.is_private()
                || address.is_loopback()
                || address.is_link_local()
                || address.is_multicast()
                || address.is_broadcast()
                || address.is_documentation()
                || a == 0
                || a >= 240
                || (a == 100 && (64..128).contains(&b))
                || (a == 192 && b == 0 && c == 0)
                || (a == 198 && (18..20).contains(&b)))
        }
        IpAddr::V6(address) => {
            if let Some(mapped) = address.to_ipv4_mapped() {
                return is_public(mapped.into());
            }
            let [first, second, ..] = address.segments();
            // Global unicast, without documentation, and without what carries version 4 in it.
            (first & 0xe000) == 0x2000
                && !(first == 0x2001 && (second == 0x0db8 || second < 0x0200))
                && first != 0x2002
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_this_network_knows_is_told_from_the_rest() {
        for private in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "198.18.0.1",
            "::1",
            "fe80::1",
            "fd00::1",
            "::ffff:10.0.0.1",
            "2001:db8::1",
            "2002:0a00:0001::1",
            "::",
            "64:ff9b::a00:1",
        ] {
            assert!(!is_public(private.parse().unwrap()), "{private}");
        }
        for public in [
            "1.1.1.1",
            "93.184.216.34",
            "2606:4700::1111",
            "::ffff:1.1.1.1",
        ] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
    }
}
