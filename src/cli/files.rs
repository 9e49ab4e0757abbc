//! Files that cfgctl writes for people: each is there whole, or as it was before.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use super::failure::{Exit, Failure};

/// The largest small file.
const MAX_SMALL_BYTES: u64 = 1024 * 1024;

/// What becomes of a file that is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Existing {
    /// It stays, and nothing is written: [`ErrorKind::AlreadyExists`].
    Kept,
    /// Whoever reads it meanwhile reads the old one or the new one.
    Replaced,
}

/// Who may read the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Readers {
    /// Its owner alone.
    Owner,
    /// Who may read the file that it replaces, or any new file of this user.
    AsUsual,
}

/// Puts `bytes` at `path`, on disk before it is seen. When it fails there is what was there before.
///
/// A link is followed. What is no file (a pipe, `/dev/stdout`) is written to as it stands.
pub(crate) fn write(
    path: &Path,
    bytes: &[u8],
    existing: Existing,
    readers: Readers,
) -> io::Result<()> {
    // A link to nowhere is in the way like anything else.
    let found = fs::symlink_metadata(path).is_ok();
    if found && existing == Existing::Kept {
        return Err(ErrorKind::AlreadyExists.into());
    }
    let path = if found {
        fs::canonicalize(path)?
    } else {
        path.to_owned()
    };
    let replaced = if found {
        Some(fs::metadata(&path)?)
    } else {
        None
    };
    match &replaced {
        Some(metadata) if metadata.is_dir() => return Err(ErrorKind::IsADirectory.into()),
        Some(metadata) if !metadata.is_file() => {
            return OpenOptions::new().write(true).open(&path)?.write_all(bytes);
        }
        _ => {}
    }
    let draft = Draft(path.with_file_name(format!(".cfgctl-{:016x}", fastrand::u64(..))));
    let mode = match readers {
        Readers::Owner => 0o600,
        Readers::AsUsual => 0o666,
    };
    let mut options = OpenOptions::new();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(&draft.0)?;
    if let (Readers::AsUsual, Some(replaced)) = (readers, &replaced) {
        file.set_permissions(Permissions::from_mode(replaced.permissions().mode()))?;
    }
    file.write_all(bytes)?;
    file.sync_all()?;
    match existing {
        Existing::Replaced => fs::rename(&draft.0, &path)?,
        Existing::Kept => put_new(&draft.0, &path, bytes)?,
    }
    sync_directory(&path)
}

/// What is in the small file at `path`: a certificate, a key, a checkpoint. Of a larger one no more is
/// read than any of them has.
pub(crate) fn read_small(path: &Path) -> Result<Vec<u8>, Failure> {
    let read = || {
        let mut bytes = Vec::new();
        File::open(path)?
            .take(MAX_SMALL_BYTES)
            .read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    read().map_err(|error: io::Error| {
        let error = anyhow::Error::new(error);
        let error = error.context(format!("could not read `{}`", path.display()));
        Failure::new(Exit::Usage, error)
    })
}

/// What `error` means to who named the file: a place that cannot be written to is for them to
/// change, a disk that is full or broken is not.
pub(crate) fn failure(path: &Path, error: io::Error) -> Failure {
    let exit = match error.kind() {
        ErrorKind::NotFound
        | ErrorKind::PermissionDenied
        | ErrorKind::AlreadyExists
        | ErrorKind::NotADirectory
        | ErrorKind::IsADirectory
        | ErrorKind::ReadOnlyFilesystem
        | ErrorKind::InvalidInput
        | ErrorKind::InvalidFilename => Exit::Usage,
        _ => Exit::Unavailable,
    };
    let error = anyhow::Error::new(error);
    Failure::new(
        exit,
        error.context(format!("could not write `{}`", path.display())),
    )
}

/// A file that has no place yet. Dropped, it is gone.
struct Draft(PathBuf);

impl Drop for Draft {
    fn drop(&mut self) {
        // It is not there any more when all went well.
        _ = fs::remove_file(&self.0);
    }
}

/// Gives `draft` its place, unless someone else just took it.
fn put_new(draft: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    match fs::hard_link(draft, path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(error),
        Ok(()) => Ok(()),
        // Not every file system gives a file two names.
        Err(_) => {
            let mut file = File::create_new(path)?;
            let written = file.write_all(bytes).and_then(|()| file.sync_all());
            written.inspect_err(|_| _ = fs::remove_file(path))
        }
    }
}

/// Makes the name of a file outlive a power cut, where the file system can.
fn sync_directory(path: &Path) -> io::Result<()> {
    let directory = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    match File::open(directory).and_then(|directory| directory.sync_all()) {
        // Who may write to a directory may not always list it, and some cannot be synced.
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::PermissionDenied | ErrorKind::InvalidInput
            ) =>
        {
            Ok(())
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(directory: &Path) -> Vec<String> {
        let items = fs::read_dir(directory).unwrap();
        let mut names: Vec<_> = items
            .map(|item| item.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_file_is_replaced_whole_and_keeps_who_may_read_it() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("file");
        write(&path, b"old", Existing::Kept, Readers::AsUsual).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        let mut open = File::open(&path).unwrap();
        write(&path, b"new", Existing::Replaced, Readers::AsUsual).unwrap();
        assert_eq!(mode(&path), 0o640);
        assert_eq!(fs::read(&path).unwrap(), b"new");
        let mut text = String::new();
        io::Read::read_to_string(&mut open, &mut text).unwrap();
        assert_eq!(text, "old");
        write(&path, b"mine", Existing::Replaced, Readers::Owner).unwrap();
        assert_eq!(mode(&path), 0o600);
        assert_eq!(names(home.path()), ["file"]);
    }

    #[test]
    fn a_file_that_is_to_stay_does_also_as_a_link_to_nowhere() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("file");
        fs::write(&file, "theirs").unwrap();
        let link = home.path().join("link");
        std::os::unix::fs::symlink("nowhere", &link).unwrap();
        for path in [&file, &link] {
            let error = write(path, b"ours", Existing::Kept, Readers::AsUsual).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::AlreadyExists);
        }
        assert_eq!(fs::read(&file).unwrap(), b"theirs");
        assert_eq!(names(home.path()), ["file", "link"]);
    }

    #[test]
    fn links_are_followed_and_stay_and_what_is_no_file_is_written_to() {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir(home.path().join("elsewhere")).unwrap();
        let file = home.path().join("elsewhere/file");
        fs::write(&file, "old").unwrap();
        let link = home.path().join("link");
        std::os::unix::fs::symlink("elsewhere/file", &link).unwrap();
        write(&link, b"new", Existing::Replaced, Readers::AsUsual).unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"new");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        write(
            Path::new("/dev/null"),
            b"x",
            Existing::Replaced,
            Readers::Owner,
        )
        .unwrap();
        let full = Path::new("/dev/full");
        let error = write(full, b"x", Existing::Replaced, Readers::Owner).unwrap_err();
        assert_eq!(failure(full, error).exit, Exit::Unavailable);
        let directory = home.path().join("elsewhere");
        let error = write(&directory, b"x", Existing::Replaced, Readers::Owner).unwrap_err();
        assert_eq!(failure(&directory, error).exit, Exit::Usage);
    }
}
