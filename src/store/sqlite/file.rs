//! The file of a store: created for its owner alone, recognised before anything touches it.

use std::fs::{self, DirBuilder, File};
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use percent_encoding::{NON_ALPHANUMERIC, percent_encode};
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::connection::Journal;
use super::draft;
use super::schema::{self, Stamp};
use super::site::Site;
use crate::store::StoreError;

/// Held while a file is created. Closing a file drops every POSIX lock that the process has on
/// it, so the descriptor that creates the file must be gone before SQLite in another thread can
/// find and lock it; see <https://sqlite.org/howtocorrupt.html>, 2.2.
static CREATING: Mutex<()> = Mutex::new(());

/// The smallest database: one page, <https://sqlite.org/fileformat.html>, 1.3.2.
const MIN_BYTES: u64 = 512;

const NOT_SQLITE: &str = "it is not a SQLite file";

/// What a store that was cut off looks like, or a file that something else has made.
const NO_BYTES: &str = "the file has 0 bytes, which no store has; if there never was one here, \
    remove the file";

/// What can be done with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// Everything, with the journal that suits it.
    Full(Journal),
    /// It can only be read: why.
    Read(String),
}

/// Looks for a file that SQLite can work with; `None` if there is none. Changes nothing.
pub(super) fn find(site: &Site) -> Result<Option<Access>, StoreError> {
    let directory = directory_of(site)?;
    {
        let _creating = CREATING.lock().unwrap_or_else(PoisonError::into_inner);
        if !look(site)? {
            return Ok(None);
        }
    }
    access(site, directory).map(Some)
}

/// The same, and makes a store if there is none.
pub(super) fn find_or_create(site: &Site) -> Result<Access, StoreError> {
    let directory = directory_of(site)?;
    {
        let _creating = CREATING.lock().unwrap_or_else(PoisonError::into_inner);
        if !look(site)? {
            create_directories(directory)
                .map_err(|error| site.cannot("its directory cannot be created", &error))?;
            draft::create(site, journal_of(site, directory)?)?;
        }
    }
    access(site, directory)
}

fn directory_of(site: &Site) -> Result<&Path, StoreError> {
    site.path
        .parent()
        .ok_or_else(|| site.unusable("it is a directory; name a file in it"))
}

/// Whether there is a file, which then may be a store.
fn look(site: &Site) -> Result<bool, StoreError> {
    match fs::metadata(&site.path) {
        Ok(found) if found.is_dir() => Err(site.unusable("it is a directory; name a file in it")),
        Ok(found) if !found.is_file() => Err(site.unusable("it is not a regular file")),
        // SQLite would take either for an empty database.
        Ok(found) if found.len() == 0 => Err(site.damaged(NO_BYTES)),
        Ok(found) if found.len() < MIN_BYTES => Err(site.unusable(NOT_SQLITE)),
        Ok(_) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(site.cannot("it cannot be read", &error)),
    }
}

fn access(site: &Site, directory: &Path) -> Result<Access, StoreError> {
    use rustix::fs::Access as Mode;
    let may = |path: &Path, mode| rustix::fs::access(path, mode).map_err(io::Error::from);
    may(&site.path, Mode::READ_OK).map_err(|error| site.cannot("it cannot be read", &error))?;
    if let Err(error) = may(&site.path, Mode::WRITE_OK) {
        return Ok(Access::Read(format!("it cannot be written: {error}")));
    }
    if let Err(error) = may(directory, Mode::READ_OK | Mode::WRITE_OK | Mode::EXEC_OK) {
        let what = "its directory cannot be written, where SQLite keeps its log";
        return Ok(Access::Read(format!("{what}: {error}")));
    }
    journal_of(site, &site.path).map(Access::Full)
}

fn journal_of(site: &Site, path: &Path) -> Result<Journal, StoreError> {
    journal_for(path).map_err(|error| site.cannot("its file system is unknown", &error))
}

/// Creates `directory` and what is missing above it, for the owner alone, and makes that last:
/// a commit is worth nothing if the directory is gone after a power failure.
fn create_directories(directory: &Path) -> io::Result<()> {
    let missing: Vec<_> = directory
        .ancestors()
        .take_while(|ancestor| !ancestor.exists())
        .collect();
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)?;
    for created in missing {
        if let Some(parent) = created.parent() {
            File::open(parent)?.sync_all()?;
        }
    }
    Ok(())
}

/// Refuses a file that is not ours without leaving a trace: `immutable` reads without locks, and
/// neither creates a log beside the file nor recovers one.
pub(super) fn recognise(site: &Site) -> Result<(), StoreError> {
    let look = || connect_sealed(site).and_then(|connection| Stamp::read(&connection));
    // Without locks the parts of a stamp can be from before and after another process migrated the
    // file. A second look finds it whole.
    let stamp = match look() {
        Ok(stamp) if schema::check(stamp, site).is_err() => look(),
        stamp => stamp,
    };
    match stamp {
        Ok(stamp) => schema::check(stamp, site),
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::NotADatabase) => {
            Err(site.unusable(NOT_SQLITE))
        }
        // Without its log a file can look broken, after a kill for example. The real open, which
        // reads the log, decides.
        Err(_) => Ok(()),
    }
}

/// Opens a file as if nobody could write to it: without locks, and without its log.
pub(super) fn connect_sealed(site: &Site) -> rusqlite::Result<Connection> {
    let path = percent_encode(site.path.as_os_str().as_bytes(), NON_ALPHANUMERIC);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_URI
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(format!("file:{path}?immutable=1"), flags)
}

/// Opens the file only to read it.
pub(super) fn connect_to_read(site: &Site) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(&site.path, flags)
}

/// What changes whenever somebody writes to the store: the file and the log beside it.
pub(super) fn traces(site: &Site) -> io::Result<Traces> {
    let mut log = site.path.as_os_str().to_owned();
    log.push("-wal");
    let of = |path: &Path| fs::metadata(path).and_then(|it| Ok((it.len(), it.modified()?)));
    Ok(Traces {
        file: of(&site.path)?,
        log: of(Path::new(&log)).ok(),
    })
}

/// What [`traces`] finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Traces {
    file: (u64, SystemTime),
    log: Option<(u64, SystemTime)>,
}

impl Traces {
    /// Whether there is a log with something in it.
    pub(super) fn has_log(&self) -> bool {
        self.log.is_some_and(|(bytes, _)| bytes > 0)
    }
}

/// File systems that are shared between machines, or may be: `f_type` of statfs(2), the numbers
/// are from `linux/magic.h` and the sources of the file systems.
#[cfg(target_os = "linux")]
const NETWORK: [u32; 15] = [
    0x0000_6969, // nfs
    0x0000_517B, // smbfs
    0xFF53_4D42, // cifs
    0xFE53_4D42, // smb2 and later
    0x6573_5546, // fuse: sshfs, s3fs, glusterfs, gcsfuse …
    0x0102_1997, // 9p
    0x00C3_6400, // ceph
    0x5346_414F, // afs
    0x6B41_4653, // kafs
    0x7375_7245, // coda
    0x0BD0_0BD0, // lustre
    0x4750_4653, // gpfs
    0x0116_1970, // gfs2
    0x7461_636F, // ocfs2
    0x786F_4256, // vboxsf
];

/// The journal that suits the file system of `path`. WAL keeps its index in memory that all
/// processes share, which machines cannot: on a network file system it loses commits, and late.
#[cfg(target_os = "linux")]
fn journal_for(path: &Path) -> io::Result<Journal> {
    let found = rustix::fs::statfs(path)?.f_type;
    let network = u32::try_from(found).is_ok_and(|magic| NETWORK.contains(&magic));
    Ok(if network {
        Journal::Delete
    } else {
        Journal::Wal
    })
}

/// Where file systems cannot be told apart, the journal that is right on all of them.
#[cfg(not(target_os = "linux"))]
fn journal_for(_path: &Path) -> io::Result<Journal> {
    Ok(Journal::Delete)
}
