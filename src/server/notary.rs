//! The notary: signs what the log is, so that whoever keeps that somewhere else finds out if it is changed.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject as _;
use tokio::time::{MissedTickBehavior, interval};

use super::lock::lock;
use crate::api::{Door, Error};
use crate::model::Checkpoint;
use crate::wire::NoteSigner;

/// What a server signs checkpoints with.
#[derive(Debug)]
pub struct CheckpointKey(pub(super) NoteSigner);

impl CheckpointKey {
    /// The Ed25519 key in this PEM document (PKCS#8), as `openssl genpkey -algorithm ed25519` makes it.
    pub fn from_pem(pem: &[u8]) -> Option<Self> {
        let key = PrivatePkcs8KeyDer::from_pem_slice(pem).ok()?;
        NoteSigner::new(NAME, key.secret_pkcs8_der()).map(Self)
    }

    /// A new key as a PEM document; `None` where the machine has no randomness.
    pub fn generate() -> Option<String> {
        NoteSigner::generate()
    }

    /// What checks its signatures, `NAME+HASH+KEY` as C2SP signed-note has it.
    pub fn verifier(&self) -> Option<String> {
        self.0.verifier().map(|verifier| verifier.to_string())
    }
}

/// What the key is called in what it signs.
const NAME: &str = "cfgctl";

/// How often what the log is now is said in the log of the server.
const EVERY: Duration = Duration::from_secs(60);

/// Signs what the log is.
#[derive(Debug)]
pub(super) struct Notary {
    door: Arc<dyn Door>,
    signer: Option<NoteSigner>,
    /// What was said last.
    said: Mutex<Option<Checkpoint>>,
}

impl Notary {
    pub(super) fn new(door: Arc<dyn Door>, signer: Option<NoteSigner>) -> Self {
        let said = Mutex::default();
        Self { door, signer, said }
    }

    /// Says every minute what the log is now, if it is another one, where whoever keeps the log of
    /// the server keeps that too.
    pub(super) async fn speak(&self) {
        let mut minutes = interval(EVERY);
        minutes.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            minutes.tick().await;
            self.say().await;
        }
    }

    /// Says what the log is now, if it is another one.
    pub(super) async fn say(&self) {
        let Some(signer) = &self.signer else {
            return;
        };
        match self.door.head().await {
            Ok(Some(head)) => {
                let mut said = lock(&self.said);
                if said.as_ref() != Some(&head) {
                    let (size, checkpoint) = (head.size.get(), signer.sign(&head));
                    tracing::info!(size, checkpoint, "checkpoint");
                    *said = Some(head);
                }
            }
            Ok(None) => {}
            Err(error) => tracing::debug!(error = error.chain(), "there is no checkpoint"),
        }
    }

    /// What the log is now, signed.
    pub(super) async fn checkpoint(&self) -> Result<String, Error> {
        let signer = self.signer.as_ref();
        let signer = signer.ok_or_else(|| Error::absent("this server signs no checkpoints"))?;
        let head = self.door.head().await?;
        let head = head.ok_or_else(|| Error::absent("nobody has committed anything yet"))?;
        Ok(signer.sign(&head))
    }
}
