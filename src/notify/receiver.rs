//! A receiver: who wants to hear of what, where and in which form.

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;

use reqwest::Url;

use super::address::is_public;
use super::sign::Secret;
use crate::api::{Happening, HappeningKind};
use crate::model::{ReceiverName, Selector};

/// Somebody who is told what happens.
#[derive(Clone)]
pub struct Receiver {
    /// What it is called.
    pub name: ReceiverName,
    /// Which sets it wants to hear of, by their labels; empty: all, and what is about none.
    pub sets: Selector,
    /// What it wants to hear of; empty: everything.
    pub kinds: BTreeSet<HappeningKind>,
    /// In which form.
    pub format: Format,
    /// Whether it may be at an address that only this network knows.
    pub may_be_private: bool,
    /// Where, which may be a secret.
    pub(super) url: Url,
}

/// The form in which somebody is told.
#[derive(Clone, Debug)]
pub enum Format {
    /// As an event of <https://cloudevents.io>, signed as
    /// <https://www.standardwebhooks.com> has it.
    CloudEvents(Secret),
    /// As one line of text, as Slack and the chats take it that are compatible with it.
    Slack,
}

/// Somebody who cannot be told anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReceiverError {
    /// Not an address.
    #[error("its address is no URL with `https://`, or with `http://` to this machine")]
    Address,
    /// Only this network knows it.
    #[error("it is at a private address, and does not say `allowPrivate: true`")]
    Private,
}

impl Receiver {
    /// The one of this name at `url`, who wants to hear everything.
    pub fn new(name: ReceiverName, url: &str, format: Format) -> Result<Self, ReceiverError> {
        let url = Url::parse(url.trim()).map_err(|_| ReceiverError::Address)?;
        let is_local = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
        if url.host_str().is_none()
            || !(url.scheme() == "https" || (url.scheme() == "http" && is_local))
        {
            return Err(ReceiverError::Address);
        }
        Ok(Self {
            name,
            sets: Selector::default(),
            kinds: BTreeSet::new(),
            format,
            may_be_private: false,
            url,
        })
    }

    /// Refuses an address that only this network knows, as far as that shows before it is looked up.
    pub fn check_address(&self) -> Result<(), ReceiverError> {
        let host = self.url.host_str().unwrap_or_default();
        let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
        let is_private = address.map_or(host == "localhost", |address| !is_public(address));
        if is_private && !self.may_be_private {
            return Err(ReceiverError::Private);
        }
        Ok(())
    }

    /// Whether it wants to hear of this.
    pub(super) fn wants(&self, happening: &Happening) -> bool {
        let is_meant = match &happening.set {
            Some(_) => self.sets.matches(&happening.labels),
            None => self.sets.is_empty(),
        };
        is_meant && (self.kinds.is_empty() || self.kinds.contains(&happening.kind))
    }
}

/// Without where it is: that may be all that it takes to talk to it.
impl fmt::Debug for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver")
            .field("name", &self.name)
            .field("host", &self.url.host_str())
            .finish_non_exhaustive()
    }
}
