//! How long a Consul is waited for.

use std::time::Duration;

/// How long a Consul is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// For one connection.
    pub connect: Duration,
    /// For one request, from connecting to the last byte of the answer.
    pub request: Duration,
    /// How often a request is made before it has failed; at least 1.
    pub attempts: u32,
}

impl Default for Patience {
    /// A request outlives the 7 s for which a server without a leader parks it.
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(3),
            request: Duration::from_secs(10),
            attempts: 3,
        }
    }
}
