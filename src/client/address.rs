//! The address of a server, as a person writes it.

use reqwest::Url;

/// Why an address is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Not a URL of the right kind.
    #[error("it must be `http://HOST[:PORT]` or `https://HOST[:PORT]`")]
    Form,
    /// A part that would be sent, shown or dropped.
    #[error("it must have nothing but scheme, host, port and path")]
    More,
    /// The token would be there for everyone to read.
    #[error("only `https://` keeps a token secret on its way to another machine")]
    InTheClear,
}

/// Reads the address of a server; it ends without a slash.
pub(super) fn read(text: &str) -> Result<Url, AddressError> {
    let url = Url::parse(text).map_err(|_| AddressError::Form)?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
        return Err(AddressError::Form);
    }
    let has_login = !url.username().is_empty() || url.password().is_some();
    if has_login || url.query().is_some() || url.fragment().is_some() {
        return Err(AddressError::More);
    }
    if url.scheme() == "http" && !is_loopback(&url) {
        return Err(AddressError::InTheClear);
    }
    Ok(url)
}

/// Whether `url` is on this machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let address = host.parse::<std::net::IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_on_this_machine_or_behind_tls() {
        for good in [
            "http://127.0.0.1:8440",
            "http://localhost:8440/",
            "http://[::1]:8440",
            "https://cfgctl.example.com",
            "https://example.com/cfgctl",
        ] {
            assert!(read(good).is_ok(), "{good}");
        }
        for (bad, why) in [
            ("http://10.0.0.1:8440", AddressError::InTheClear),
            ("http://127.0.0.1.example.com", AddressError::InTheClear),
            ("http://localhost.example.com", AddressError::InTheClear),
            ("https://u:p@example.com", AddressError::More),
            ("https://example.com?a=b", AddressError::More),
            ("https://example.com#a", AddressError::More),
            ("https://", AddressError::Form),
            ("https:", AddressError::Form),
            ("ftp://example.com", AddressError::Form),
        ] {
            assert_eq!(read(bad), Err(why), "{bad}");
        }
    }
}
