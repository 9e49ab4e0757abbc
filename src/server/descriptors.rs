//! Descriptors: how many connections this process can have at once.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// The most connections at once, whatever the system allows: each may make the server keep the head
/// of a request.
const MOST: u64 = 16_384;
/// What stays for the store, for clusters and for whatever else is open.
const RESERVED: u64 = 512;
/// Fewer are no server.
const LEAST: u64 = 64;

/// The most connections at once. What the system lets this process have at most, it takes.
pub(super) fn most_connections() -> usize {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    // Where it may not, what it has is enough for as many.
    _ = setrlimit(Resource::Nofile, raised);
    connections(getrlimit(Resource::Nofile).current)
}

/// The most connections where this many descriptors can be open.
fn connections(descriptors: Option<u64>) -> usize {
    let descriptors = descriptors.unwrap_or(u64::MAX);
    let free = descriptors.saturating_sub(RESERVED.min(descriptors / 2));
    usize::try_from(free.clamp(LEAST, MOST)).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn something_stays_for_the_store_and_for_clusters() {
        assert_eq!(connections(None), 16_384);
        assert_eq!(connections(Some(1 << 20)), 16_384);
        assert_eq!(connections(Some(4096)), 3584);
        assert_eq!(connections(Some(256)), 128);
        assert_eq!(connections(Some(0)), 64);
        assert!(most_connections() >= 64);
    }
}
