//! How a connection behaves, and which journal its file has.

use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::rows::MAX_REVISION_BYTES;
use super::site::Site;
use crate::store::StoreError;

/// How long to wait for another process's commit. One takes milliseconds; ten seconds outlast a
/// burst of them and a disk that hesitates, and are bearable for a person who waits.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// How SQLite makes a transaction whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Journal {
    /// A log beside the file: readers and the writer do not wait for each other.
    Wal,
    /// A copy of what is overwritten: slower, and right on network file systems too.
    Delete,
}

/// Settings of one connection; none of them touches the file.
pub(super) fn harden(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    // A file from elsewhere must not run anything in us, and nothing of us may write around SQL.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, true)?;
    // Plans follow from the schema alone, so that a statement is compiled once and not again for
    // every value that it is bound to.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    // Room for the other columns of a row.
    let length = i32::try_from(MAX_REVISION_BYTES + 4096).unwrap_or(i32::MAX);
    connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, length)?;
    // EXTRA is FULL, and where there is no WAL it also makes the end of a transaction last.
    connection.execute_batch("PRAGMA cell_size_check = ON; PRAGMA synchronous = EXTRA")
}

/// Switches the file to WAL, where it stays. If others are busy with it, another time will do:
/// the other journal is as safe.
pub(super) fn enter_wal(connection: &Connection) -> rusqlite::Result<()> {
    if journal_mode(connection)? == "wal" {
        return Ok(());
    }
    let switched = connection.pragma_update(None, "journal_mode", "WAL");
    match switched {
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => Ok(()),
        switched => switched,
    }
}

/// Takes the file out of WAL, into which it may have come on another file system. The exclusive
/// lock keeps SQLite from sharing memory over a file system that cannot.
pub(super) fn leave_wal(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    if journal_mode(connection)? == "wal" {
        // Fails, and does not only say so, while another process has the file open.
        connection.pragma_update(None, "journal_mode", "DELETE")?;
    }
    connection.pragma_update(None, "locking_mode", "NORMAL")?;
    // The lock is given back with the next read.
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))
}

pub(super) fn journal_mode(connection: &Connection) -> rusqlite::Result<String> {
    connection.pragma_query_value(None, "journal_mode", |row| row.get(0))
}

/// Opens the file that was found.
pub(super) fn connect(site: &Site) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(&site.path, flags).map_err(|error| site.failed(error))
}
