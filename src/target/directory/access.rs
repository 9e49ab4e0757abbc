//! Whether we may write where a directory target lies, found out without writing.

use std::io;
use std::path::Path;

use rustix::fs::{Access, access};

/// The first place on the way to a write in `set`, a directory below `root`, that may not be
/// written, and why. What is not there yet is made, so whatever it is made in counts.
pub(super) fn refuses(root: &Path, set: &Path, lock: &Path) -> Option<io::Error> {
    let made_in = root
        .ancestors()
        .find(|path| path.symlink_metadata().is_ok());
    let directories = [made_in, Some(set)].into_iter().flatten();
    let needs = directories.map(|path| (path, Access::WRITE_OK | Access::EXEC_OK));
    needs
        .chain([(lock, Access::WRITE_OK)])
        .find_map(|(path, mode)| match access(path, mode) {
            Ok(()) | Err(rustix::io::Errno::NOENT) => None,
            Err(error) => {
                let error = io::Error::from(error);
                let text = format!("`{}` cannot be written: {error}", path.display());
                Some(io::Error::new(error.kind(), text))
            }
        })
}
