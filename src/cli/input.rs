//! Input: a file or standard input, as JSON, bounded in size.

use std::io::Read as _;
use std::path::Path;

use serde::de::DeserializeOwned;

/// Why there is nothing to be had from it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InputError {
    /// It cannot be read.
    #[error(transparent)]
    Unreadable(#[from] std::io::Error),
    /// It is larger than anything that is meant.
    #[error("it is larger than {0} MiB")]
    TooLarge(u64),
    /// It says something else.
    #[error(transparent)]
    NotThis(#[from] serde_json::Error),
}

/// What the file at `path` says, or standard input if that is `-`, in at most `most` bytes.
pub(crate) fn json<T: DeserializeOwned>(path: &Path, most: u64) -> Result<T, InputError> {
    let mut bytes = Vec::new();
    let bounded = most + 1;
    if path.as_os_str() == "-" {
        let input = std::io::stdin().lock();
        input.take(bounded).read_to_end(&mut bytes)?;
    } else {
        let file = std::fs::File::open(path)?;
        file.take(bounded).read_to_end(&mut bytes)?;
    }
    if bytes.len() as u64 > most {
        return Err(InputError::TooLarge(most >> 20));
    }
    Ok(serde_json::from_slice(&bytes)?)
}
