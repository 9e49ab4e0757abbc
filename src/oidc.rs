//! OpenID Connect: who somebody is, as an issuer says it in a JWT.
//!
//! A JWT is as untrusted as anything else from outside until its signature is checked: bounded, read
//! strictly, and nothing of it is told or logged but what whoever shows it knows anyway. `sub` is never
//! looked into: what it says changes with what somebody set up elsewhere.

mod claims;
mod device;
mod fetch;
mod github;
mod jws;
mod jwt;
mod keys;
mod provider;
mod spec;

pub use device::{Device, DeviceError, Pending};
pub use fetch::FetchError;
pub use github::of_github;
pub use provider::{Issuers, NotVouched};
pub use spec::{Algorithm, Audience, IssuerSpec, IssuerUrl, IssuersFile, PeopleSpec};
