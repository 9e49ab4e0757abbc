//! TLS: the certificate that a server shows, and those that it wants to see.
//!
//! Files of certificates are renewed while a server runs. What they hold is looked at every few
//! seconds, and whoever connects from then on sees what is new; where that cannot be used, what was
//! there before stays.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};

use super::lock::lock;

/// How often files are looked at.
const INTERVAL: Duration = Duration::from_secs(2);

/// What stands in the files of a certificate, in PEM.
#[derive(Clone, PartialEq, Eq)]
pub struct Pem {
    /// The certificate, with those between it and its authority.
    pub chain: Vec<u8>,
    /// Its private key.
    pub key: Vec<u8>,
    /// The authorities of clients, one of which every client has to show a certificate of.
    pub clients: Option<Vec<u8>>,
}

impl fmt::Debug for Pem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pem").finish_non_exhaustive()
    }
}

/// Reads the files again, or says why it could not.
pub type Reader = Arc<dyn Fn() -> Result<Pem, String> + Send + Sync>;

/// A certificate with its private key.
#[derive(Clone)]
pub struct Certificate {
    now: Arc<Mutex<Arc<ServerConfig>>>,
    reader: Option<(Reader, Pem)>,
}

/// What is none.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// No PEM, or none with a certificate.
    #[error("it has no certificate in PEM")]
    NoCertificate,
    /// No PEM, or none with a key. What is wrong is not said: it might be a part of the key.
    #[error("it has no private key in PEM")]
    NoKey,
    /// No authority whose certificates could be looked for.
    #[error("there is no authority of clients in PEM")]
    NoAuthority,
    /// They do not belong together, or are of a kind that nobody uses.
    #[error("certificate and key cannot be used")]
    Unusable(#[source] rustls::Error),
}

impl Certificate {
    /// What `pem` holds, once and for all.
    pub fn from_pem(pem: &Pem) -> Result<Self, CertificateError> {
        let now = Arc::new(Mutex::new(config(pem)?));
        Ok(Self { now, reader: None })
    }

    /// The same, looked at again by `reader` from time to time.
    pub fn renewed_by(pem: Pem, reader: Reader) -> Result<Self, CertificateError> {
        let now = Self::from_pem(&pem)?.now;
        let reader = Some((reader, pem));
        Ok(Self { now, reader })
    }

    pub(super) fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.now())
    }

    /// Takes over what is new in the files, as long as it runs.
    pub(super) async fn keep_fresh(self) {
        let Some((reader, mut last)) = self.reader.clone() else {
            return;
        };
        let mut complaint = String::new();
        loop {
            tokio::time::sleep(INTERVAL).await;
            let reader = Arc::clone(&reader);
            let read = tokio::task::spawn_blocking(move || reader()).await;
            let read = read.unwrap_or_else(|error| Err(error.to_string()));
            let renewed = match read {
                Ok(pem) if pem == last => Ok(false),
                // Half of them may be written: what is looked at next is whole.
                Ok(pem) => config(&pem).map_err(|error| chain(&error)).map(|config| {
                    *self.now() = config;
                    last = pem;
                    true
                }),
                Err(error) => Err(error),
            };
            match renewed {
                Ok(renewed) => {
                    if renewed {
                        tracing::info!("the certificate is renewed");
                    }
                    complaint.clear();
                }
                Err(error) if error == complaint => {}
                Err(error) => {
                    tracing::warn!(error, "the certificate is not renewed; the old one stays");
                    complaint = error;
                }
            }
        }
    }

    fn now(&self) -> MutexGuard<'_, Arc<ServerConfig>> {
        lock(&self.now)
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |error| error.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

fn config(pem: &Pem) -> Result<Arc<ServerConfig>, CertificateError> {
    let certificates = certificates(&pem.chain);
    let certificates = certificates.ok_or(CertificateError::NoCertificate)?;
    let key = PrivateKeyDer::from_pem_slice(&pem.key).map_err(|_| CertificateError::NoKey)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(CertificateError::Unusable)?;
    let builder = match &pem.clients {
        None => builder.with_no_client_auth(),
        Some(clients) => {
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(self::certificates(clients).unwrap_or_default());
            let verifier =
                WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
            builder.with_client_cert_verifier(verifier.map_err(|_| CertificateError::NoAuthority)?)
        }
    };
    let mut config = builder
        .with_single_cert(certificates, key)
        .map_err(CertificateError::Unusable)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// The certificates in `pem`, if there are any and nothing else.
fn certificates(pem: &[u8]) -> Option<Vec<CertificateDer<'static>>> {
    let found = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>();
    found.ok().filter(|found| !found.is_empty())
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate").finish_non_exhaustive()
    }
}
