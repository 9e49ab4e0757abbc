//! Errors of a client that cannot even ask.

use super::address::AddressError;

/// Why nobody can be asked: a setting is wrong.
#[derive(Debug, thiserror::Error)]
pub enum RemoteError {
    /// Where the server is said to be.
    #[error("`{address}` is not where a server can be")]
    Address {
        /// The address, without secrets.
        address: String,
        /// Why not.
        #[source]
        source: AddressError,
    },
    /// What is said to be the token. Nothing of it is shown.
    #[error("the token has characters that a header cannot carry")]
    Token,
    /// What is said to be the client's own certificate. Nothing of it is shown.
    #[error("the client's certificate and key are none that can be used")]
    Identity,
    /// The machine has no certificates, or something like it.
    #[error("HTTP cannot be set up: {0}")]
    Setup(String),
}
