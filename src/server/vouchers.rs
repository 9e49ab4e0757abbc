//! The vouchers: the issuers whose JWTs count, and how often somebody tried with one.

use std::sync::Mutex;

use super::attempts::Attempts;
use crate::oidc::Issuers;

/// Whose JWTs count, and how often somebody tried.
#[derive(Debug)]
pub(super) struct Vouchers {
    /// `None`: no JWTs do.
    pub(super) issuers: Option<Issuers>,
    pub(super) attempts: Mutex<Attempts>,
}

impl Vouchers {
    pub(super) fn new(issuers: Option<Issuers>) -> Self {
        Self {
            issuers,
            attempts: Mutex::default(),
        }
    }
}
