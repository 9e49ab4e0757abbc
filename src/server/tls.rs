//! TLS: the certificate that a server shows.

use std::fmt;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// A certificate with its private key.
#[derive(Clone)]
pub struct Certificate(Arc<ServerConfig>);

/// What is none.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// No PEM, or none with a certificate.
    #[error("it has no certificate in PEM")]
    NoCertificate,
    /// No PEM, or none with a key. What is wrong is not said: it might be a part of the key.
    #[error("it has no private key in PEM")]
    NoKey,
    /// They do not belong together, or are of a kind that nobody uses.
    #[error("certificate and key cannot be used")]
    Unusable(#[source] rustls::Error),
}

impl Certificate {
    /// The certificate in `chain`, with those between it and its authority, and its `key`; both in PEM.
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<Self, CertificateError> {
        let certificates = CertificateDer::pem_slice_iter(chain).collect::<Result<Vec<_>, _>>();
        let certificates = certificates.map_err(|_| CertificateError::NoCertificate)?;
        if certificates.is_empty() {
            return Err(CertificateError::NoCertificate);
        }
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| CertificateError::NoKey)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(CertificateError::Unusable)?
            .with_no_client_auth()
            .with_single_cert(certificates, key)
            .map_err(CertificateError::Unusable)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Self(Arc::new(config)))
    }

    pub(super) fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.0)
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate").finish_non_exhaustive()
    }
}
