//! A signed note: a checkpoint with a signature below it, as C2SP signed-note has it
//! (<https://c2sp.org/signed-note>), with Ed25519.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::rand::{SecureRandom as _, SystemRandom};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use sha2::{Digest as _, Sha256};

use crate::model::Checkpoint;

/// What a signed note calls Ed25519.
const ALGORITHM: u8 = 1;
/// What stands before the 32 bytes of an Ed25519 key in a PKCS#8 document (RFC 8410, section 7), in the
/// version that every reader knows.
const PKCS8: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];
/// The longest note that is looked at.
const MAX_BYTES: usize = 64 * 1024;
/// What a signature line begins with.
const DASH: &str = "\u{2014} ";

/// What a note is signed with.
pub(crate) struct NoteSigner {
    name: String,
    key: Ed25519KeyPair,
}

/// What a signature is checked with: `NAME+HASH+KEY`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NoteVerifier {
    name: String,
    key: [u8; 32],
}

/// Why a note says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoteError {
    /// It has another form.
    #[error("a signed checkpoint is three lines, an empty one, and signatures")]
    Form,
    /// Nobody signed it whose key this is.
    #[error("it has no signature of this key")]
    Unsigned,
    /// The signature is of something else.
    #[error("its signature is wrong: somebody changed it")]
    Forged,
    /// The text is no key.
    #[error("a key is `NAME+HASH+KEY`, as a server shows it when it starts")]
    Key,
}

impl std::fmt::Debug for NoteSigner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NoteSigner")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl NoteSigner {
    /// The signer with the private key in this PKCS#8 document, if it is one of Ed25519.
    pub(crate) fn new(name: &str, pkcs8: &[u8]) -> Option<Self> {
        let key = Ed25519KeyPair::from_pkcs8_maybe_unchecked(pkcs8).ok()?;
        let name = name.to_owned();
        Some(Self { name, key })
    }

    /// A new private key, as a PEM document; `None` where the machine has no randomness.
    pub(crate) fn generate() -> Option<String> {
        let mut document = PKCS8.to_vec();
        let mut seed = [0; 32];
        SystemRandom::new().fill(&mut seed).ok()?;
        document.extend(seed);
        let text = STANDARD.encode(document);
        let lines: Vec<_> = text
            .as_bytes()
            .chunks(64)
            .map(String::from_utf8_lossy)
            .collect();
        let lines = lines.join("\n");
        Some(format!(
            "-----BEGIN PRIVATE KEY-----\n{lines}\n-----END PRIVATE KEY-----\n"
        ))
    }

    /// What checks its signatures.
    pub(crate) fn verifier(&self) -> Option<NoteVerifier> {
        let key = self.key.public_key().as_ref().try_into().ok()?;
        let name = self.name.clone();
        Some(NoteVerifier { name, key })
    }

    /// `checkpoint` with a signature.
    pub(crate) fn sign(&self, checkpoint: &Checkpoint) -> String {
        let body = checkpoint.to_string();
        let key = self.key.public_key();
        let mut signature = key_id(&self.name, key.as_ref()).to_vec();
        signature.extend(self.key.sign(body.as_bytes()).as_ref());
        let (name, signature) = (&self.name, STANDARD.encode(signature));
        format!("{body}\n{DASH}{name} {signature}\n")
    }
}

impl NoteVerifier {
    /// Whether one of the signatures of `note` is by this key, and right.
    pub(crate) fn check(&self, note: &str) -> Result<(), NoteError> {
        let (body, signatures) = parts(note)?;
        let mut signed = Err(NoteError::Unsigned);
        for line in signatures.lines() {
            let line = line.strip_prefix(DASH).ok_or(NoteError::Form)?;
            let (name, signature) = line.split_once(' ').ok_or(NoteError::Form)?;
            let bytes = STANDARD.decode(signature).map_err(|_| NoteError::Form)?;
            let (id, signature) = bytes.split_at_checked(4).ok_or(NoteError::Form)?;
            if name != self.name || id != key_id(name, &self.key) {
                continue;
            }
            let key = UnparsedPublicKey::new(&ED25519, self.key);
            let checked = key.verify(body.as_bytes(), signature);
            checked.map_err(|_| NoteError::Forged)?;
            signed = Ok(());
        }
        signed
    }
}

impl std::fmt::Display for NoteVerifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let id = u32::from_be_bytes(key_id(&self.name, &self.key));
        let mut key = vec![ALGORITHM];
        key.extend(self.key);
        write!(f, "{}+{id:08x}+{}", self.name, STANDARD.encode(key))
    }
}

impl std::str::FromStr for NoteVerifier {
    type Err = NoteError;

    fn from_str(text: &str) -> Result<Self, NoteError> {
        let read = || {
            let (name, rest) = text.split_once('+')?;
            let (_, key) = rest.split_once('+')?;
            let key = STANDARD.decode(key).ok()?;
            let (algorithm, key) = key.split_first()?;
            let key = key.try_into().ok()?;
            let name = name.to_owned();
            (*algorithm == ALGORITHM).then_some(Self { name, key })
        };
        let verifier = read().ok_or(NoteError::Key)?;
        // The hash shows a key that was copied wrong.
        (verifier.to_string() == text)
            .then_some(verifier)
            .ok_or(NoteError::Key)
    }
}

/// The checkpoint that `note` is of. Nothing is said of its signatures.
pub(crate) fn checkpoint_of(note: &str) -> Result<Checkpoint, NoteError> {
    let (body, _) = parts(note)?;
    body.parse().map_err(|_| NoteError::Form)
}

fn parts(note: &str) -> Result<(&str, &str), NoteError> {
    if note.len() > MAX_BYTES {
        return Err(NoteError::Form);
    }
    let at = note.rfind("\n\n").ok_or(NoteError::Form)?;
    let (body, signatures) = note.split_at_checked(at + 1).ok_or(NoteError::Form)?;
    Ok((body, signatures.trim_start_matches('\n')))
}

/// The first 4 bytes of the SHA-256 of the name, a newline, the algorithm and the key.
fn key_id(name: &str, key: &[u8]) -> [u8; 4] {
    let hash = Sha256::new()
        .chain_update(name)
        .chain_update([b'\n', ALGORITHM])
        .chain_update(key)
        .finalize();
    let mut id = [0; 4];
    id.copy_from_slice(&hash[..4]);
    id
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Digest, Sequence};

    fn signer(name: &str) -> NoteSigner {
        let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        NoteSigner::new(name, pkcs8.as_ref()).unwrap()
    }

    #[test]
    fn the_key_of_the_specification_is_read_and_written() {
        // The example key of golang.org/x/mod/sumdb/note.
        let text = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
        let verifier: NoteVerifier = text.parse().unwrap();
        assert_eq!(verifier.to_string(), text);
        // And its example note, which somebody else signed.
        let note = "If you think cryptography is the answer to your problem,\n\
            then you don't know what your problem is.\n\n\
            \u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
        assert_eq!(verifier.check(note), Ok(()));
        assert_eq!(
            verifier.check(&note.replace("answer", "Answer")),
            Err(NoteError::Forged)
        );
        for wrong in [
            "",
            "a+b",
            &text.replace("c74f", "c74e"),
            &text[..text.len() - 4],
        ] {
            assert_eq!(
                wrong.parse::<NoteVerifier>(),
                Err(NoteError::Key),
                "{wrong}"
            );
        }
    }

    #[test]
    fn only_the_key_that_signed_says_so() {
        let (one, other) = (signer("cfgctl"), signer("cfgctl"));
        let checkpoint = Checkpoint::of(&Digest::of(b"1"), Sequence::new(3), Digest::of(b"3"));
        let note = one.sign(&checkpoint);
        assert_eq!(checkpoint_of(&note), Ok(checkpoint));
        let verifier = one.verifier().unwrap();
        assert_eq!(verifier.check(&note), Ok(()));
        let other = other.verifier().unwrap();
        assert_eq!(other.check(&note), Err(NoteError::Unsigned));
        let forged = note.replacen("\n3\n", "\n4\n", 1);
        assert_eq!(verifier.check(&forged), Err(NoteError::Forged));
        for wrong in ["", "\n\n", "a\n1\n", &note[..note.len() - 30]] {
            assert!(verifier.check(wrong).is_err(), "{wrong}");
        }
    }
}
