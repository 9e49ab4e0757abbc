//! Digests of what must not change unnoticed.

use std::fmt;
use std::io;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::value;

/// A SHA-256, written `sha256:` and 64 hexadecimal digits.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest([u8; 32]);

/// Text that is not a digest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a digest is `sha256:` and 64 hexadecimal digits")]
pub struct DigestError;

impl Digest {
    /// The digest of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The digest of the canonical form of `value`, which is not made as a whole.
    pub fn of_canonical(value: &impl Serialize) -> Self {
        Self::of_canonical_with_bytes(value).0
    }

    /// The same, and how many bytes it has.
    pub(super) fn of_canonical_with_bytes(value: &impl Serialize) -> (Self, usize) {
        let mut hashing = Hashing {
            hash: Sha256::new(),
            rest: Vec::with_capacity(Hashing::PIECE),
            bytes: 0,
        };
        value::canonical_to(&mut hashing, value);
        hashing.hash.update(&hashing.rest);
        (Self(hashing.hash.finalize().into()), hashing.bytes)
    }

    /// The digest that these bytes are.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes that it is.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The digits alone, as names of keys have them.
    pub(super) fn hex(&self) -> String {
        self.to_string().split_off("sha256:".len())
    }
}

/// What is hashed piece by piece. JSON comes in pieces of a few bytes, each of which would cost more
/// than its share of the hash.
struct Hashing {
    hash: Sha256,
    /// What is not hashed yet.
    rest: Vec<u8>,
    bytes: usize,
}

impl Hashing {
    const PIECE: usize = 4096;
}

impl io::Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.rest.len() + bytes.len() > Self::PIECE {
            self.hash.update(&self.rest);
            self.rest.clear();
        }
        if bytes.len() > Self::PIECE {
            self.hash.update(bytes);
        } else {
            self.rest.extend_from_slice(bytes);
        }
        self.bytes += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Byte by byte with `{:02x}` this would be a quarter of a small apply: every published key
        // has a digest.
        const DIGITS: [char; 16] = [
            '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f',
        ];
        let halves = self.0.iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
        let digits: String = halves.map(|half| DIGITS[usize::from(half)]).collect();
        f.write_str("sha256:")?;
        f.write_str(&digits)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(input: &str) -> Result<Self, DigestError> {
        let digits = input.strip_prefix("sha256:").ok_or(DigestError)?;
        if digits.len() != 64 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(DigestError);
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.as_bytes().chunks_exact(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| DigestError)?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| DigestError)?;
        }
        Ok(Self(bytes))
    }
}

impl TryFrom<String> for Digest {
    type Error = DigestError;

    fn try_from(input: String) -> Result<Self, DigestError> {
        input.parse()
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_hashed_in_pieces_has_the_digest_of_the_whole() {
        let short = ["a", "b\n"].map(str::to_owned).to_vec();
        let mut long = vec!["c".repeat(3 * Hashing::PIECE), "d".to_owned()];
        long.extend((0..2 * Hashing::PIECE).map(|number| number.to_string()));
        for texts in [short, long] {
            let whole = value::canonical(&texts);
            let expected = (Digest::of(&whole), whole.len());
            assert_eq!(Digest::of_canonical_with_bytes(&texts), expected);
        }
    }
}
