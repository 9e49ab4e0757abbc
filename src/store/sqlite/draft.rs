//! A new store is made beside its place and put there whole.
//!
//! Nobody ever finds half a store, and all steps of the schema wait for the disk once; in place
//! each of them would, several times.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};

use super::connection::{self, Journal};
use super::schema;
use super::site::Site;
use crate::store::StoreError;

/// A file that has no place yet. Dropped, it is gone.
struct Draft(Site);

impl Drop for Draft {
    fn drop(&mut self) {
        // A draft that stays behind is in nobody's way.
        _ = fs::remove_file(&self.0.path);
    }
}

/// Makes a store at `site`, unless someone else just did.
pub(super) fn create(site: &Site, journal: Journal) -> Result<(), StoreError> {
    let created = |error: io::Error| site.cannot("it cannot be created", &error);
    let draft = Draft(Site {
        location: site.location.clone(),
        path: beside(&site.path),
    });
    create_empty(&draft.0.path).map_err(created)?;
    fill(&draft.0, journal)?;
    // SQLite makes its first log last together with the name of the file beside it.
    File::open(&draft.0.path)
        .and_then(|file| file.sync_all())
        .map_err(created)?;
    match place(&draft.0.path, &site.path) {
        Ok(()) => Ok(()),
        // Lost a race, which is fine; a link to nowhere is not.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            fs::metadata(&site.path).map(|_| ()).map_err(created)
        }
        Err(error) => Err(created(error)),
    }
}

/// Gives the file `from` the name `to`, which nothing has yet.
fn place(from: &Path, to: &Path) -> io::Result<()> {
    match fs::hard_link(from, to) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => {
            // Not every file system gives a file two names.
            let flags = RenameFlags::NOREPLACE;
            renameat_with(CWD, from, CWD, to, flags).map_err(Into::into)
        }
        linked => linked,
    }
}

/// A name that nobody uses, not even another machine.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!("-new-{:016x}", fastrand::u64(..)));
    PathBuf::from(name)
}

/// Creates an empty file for the owner alone. SQLite gives the mode on to the files that it puts
/// beside it.
fn create_empty(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    options.open(path).map(|_| ())
}

/// Brings an empty file to the newest format, without a care for what a power failure leaves of
/// it: a draft that was not finished is nobody's.
fn fill(draft: &Site, journal: Journal) -> Result<(), StoreError> {
    let mut connection = connection::connect(draft)?;
    let failed = |error| draft.failed(error);
    connection
        .execute_batch("PRAGMA synchronous = OFF; PRAGMA journal_mode = MEMORY")
        .map_err(failed)?;
    schema::create(&mut connection, draft)?;
    if journal == Journal::Wal {
        connection
            .pragma_update(None, "journal_mode", "WAL")
            .map_err(failed)?;
    }
    connection.close().map_err(|(_, error)| draft.failed(error))
}
