//! Addresses: how many connections each has, so that none has all of them.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use super::lock::lock;

/// How many connections there are, by where they come from.
#[derive(Debug)]
pub(super) struct Addresses {
    /// The most that one may have.
    share: usize,
    open: Mutex<BTreeMap<IpAddr, usize>>,
}

/// One connection, counted until it is dropped.
#[derive(Debug)]
pub(super) struct Counted {
    addresses: Arc<Addresses>,
    address: IpAddr,
}

impl Addresses {
    /// Of `most` connections in all, one address may have three quarters: others always find some,
    /// and whoever stands before many clients is one address, too.
    pub(super) fn of(most: usize) -> Arc<Self> {
        Arc::new(Self {
            share: most - most / 4,
            open: Mutex::default(),
        })
    }

    /// Counts one from `address`; `None` if that has its share.
    pub(super) fn count(self: &Arc<Self>, address: IpAddr) -> Option<Counted> {
        let address = network(address);
        let mut open = self.open();
        let count = open.entry(address).or_default();
        if *count >= self.share {
            return None;
        }
        *count += 1;
        Some(Counted {
            addresses: Arc::clone(self),
            address,
        })
    }

    fn open(&self) -> MutexGuard<'_, BTreeMap<IpAddr, usize>> {
        lock(&self.open)
    }
}

/// What one host has: of IPv6 that are all addresses of a network.
pub(super) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let network = address.to_bits() & !u128::from(u64::MAX);
            IpAddr::V6(network.into())
        }
        address @ IpAddr::V4(_) => address,
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut open = self.addresses.open();
        if let Some(count) = open.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_has_more_than_his_share_and_gets_back_what_he_gives_up() {
        let addresses = Addresses::of(8);
        let take = |address: &str| addresses.count(address.parse().unwrap());
        let mut first: Vec<_> = (0..6).map(|_| take("192.0.2.1").unwrap()).collect();
        assert!(take("192.0.2.1").is_none());
        assert!(take("::ffff:192.0.2.1").is_none());
        let other = take("192.0.2.2").unwrap();
        first.pop();
        assert!(take("192.0.2.1").is_some());
        let host: Vec<_> = (0..6).map(|n| take(&format!("2001:db8::{n}"))).collect();
        assert!(host.iter().all(Option::is_some));
        assert!(take("2001:db8::ffff:1").is_none());
        assert!(take("2001:db8:0:1::1").is_some());
        drop((first, other, host));
        assert!(addresses.open().is_empty());
    }
}
