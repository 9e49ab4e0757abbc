//! An alias: another name for one host.

use std::net::SocketAddr;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// Finds one host whatever name is asked for, so that TLS can expect another name than the one
/// that is connected to.
pub(super) struct Alias(pub(super) String);

impl Resolve for Alias {
    fn resolve(&self, _name: Name) -> Resolving {
        let host = self.0.clone();
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((host, 0)).await?.collect();
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}
