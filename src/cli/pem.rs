//! PEM: files of certificates and keys.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use super::failure::{Exit, Failure};

/// The largest one.
const MAX_BYTES: u64 = 1024 * 1024;

/// What is in the file at `path`.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let read = || {
        let mut bytes = Vec::new();
        File::open(path)?.take(MAX_BYTES).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    read().map_err(|error: std::io::Error| {
        let error = anyhow::Error::new(error);
        let error = error.context(format!("could not read `{}`", path.display()));
        Failure::new(Exit::Usage, error)
    })
}
