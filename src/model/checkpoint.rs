//! A checkpoint: what the log of a store was at one moment, in the words of C2SP tlog-checkpoint
//! (<https://c2sp.org/tlog-checkpoint>): whose log, how many entries, and the seal of the last one.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Digest, Sequence};

/// What the log of a store was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Checkpoint {
    /// Whose log: what its first entry makes it.
    pub origin: String,
    /// How many entries it had.
    pub size: Sequence,
    /// The seal of the last of them, which covers all before it.
    pub hash: Digest,
}

/// Text that is no checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a checkpoint is three lines: whose log it is, the number of entries, and 32 bytes in base64"
)]
pub struct CheckpointError;

impl Checkpoint {
    /// The checkpoint of the log that begins with the entry of the seal `first`.
    pub fn of(first: &Digest, size: Sequence, hash: Digest) -> Self {
        let hex = first.hex();
        let origin = format!("cfgctl/{}", hex.get(..16).unwrap_or_default());
        Self { origin, size, hash }
    }
}

/// The body of a signed note: each line ends in a newline.
impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.origin)?;
        writeln!(f, "{}", self.size)?;
        writeln!(f, "{}", STANDARD.encode(self.hash.as_bytes()))
    }
}

impl FromStr for Checkpoint {
    type Err = CheckpointError;

    fn from_str(text: &str) -> Result<Self, CheckpointError> {
        let mut lines = text.lines();
        let mut line = || lines.next().ok_or(CheckpointError);
        let (origin, size, hash) = (line()?, line()?, line()?);
        let is_name = |byte: u8| byte.is_ascii_graphic() && byte != b'+';
        if origin.is_empty() || origin.len() > 200 || !origin.bytes().all(is_name) {
            return Err(CheckpointError);
        }
        // One number has one text.
        let number: u64 = size.parse().map_err(|_| CheckpointError)?;
        if number == 0 || number.to_string() != size {
            return Err(CheckpointError);
        }
        let hash = STANDARD.decode(hash).map_err(|_| CheckpointError)?;
        let hash = <[u8; 32]>::try_from(hash).map_err(|_| CheckpointError)?;
        Ok(Self {
            origin: origin.to_owned(),
            size: Sequence::new(number),
            hash: Digest::from_bytes(hash),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_is_read_as_it_is_written_and_nothing_else_is_one() {
        let hash = Digest::of(b"last");
        let made = Checkpoint::of(&Digest::of(b"first"), Sequence::new(7), hash);
        let text = made.to_string();
        assert_eq!(text.lines().count(), 3);
        assert_eq!(text.parse(), Ok(made));
        let [origin, size, hash] = text.lines().collect::<Vec<_>>()[..] else {
            unreachable!()
        };
        for wrong in [
            String::new(),
            format!("{origin}\n{size}\n"),
            format!("\n{size}\n{hash}\n"),
            format!("a b\n{size}\n{hash}\n"),
            format!("{origin}\n07\n{hash}\n"),
            format!("{origin}\n0\n{hash}\n"),
            format!("{origin}\n-7\n{hash}\n"),
            format!("{origin}\n{size}\n{}\n", &hash[1..]),
            format!("{origin}\n{size}\nAAAA\n"),
        ] {
            assert_eq!(wrong.parse::<Checkpoint>(), Err(CheckpointError), "{wrong}");
        }
    }
}
