//! What the tests stand on.

pub(crate) mod cli;
pub(crate) mod consul;
pub(crate) mod delivery;
pub(crate) mod faulty;
pub(crate) mod keyring;
