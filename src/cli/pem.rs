//! PEM: files of certificates and keys.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read as _, Write as _};
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

/// Makes the file at `path` with `text` in it, which nobody else may read. One that somebody made
/// meanwhile stays as it is.
pub(crate) fn write_new(path: &Path, text: &str) -> Result<(), Failure> {
    let write = || {
        if let Some(directory) = path.parent() {
            std::fs::create_dir_all(directory)?;
        }
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        match options.open(path) {
            Ok(mut file) => file
                .write_all(text.as_bytes())
                .and_then(|()| file.sync_all()),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(error),
        }
    };
    write().map_err(|error: std::io::Error| {
        let error = anyhow::Error::new(error);
        let error = error.context(format!("could not make `{}`", path.display()));
        Failure::new(Exit::Usage, error)
    })
}
