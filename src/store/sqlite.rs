//! The default store: one SQLite file, no server, any number of processes.
//!
//! A commit is one transaction that holds the write lock from its first read on, so what it
//! compares with is what it writes on. A process may be killed at any moment: the next one that
//! opens the file finds each commit whole or not at all.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};

use self::site::Site;
use super::{Store, StoreError, guard};
use crate::model::{Commit, Heads, ResourceId, Revision, Version};

mod file;
mod rows;
mod schema;
mod site;

/// How long to wait for another process's commit. One takes milliseconds; ten seconds outlast a
/// burst of them and a disk that hesitates, and are bearable for a person who waits.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// How SQLite makes a transaction whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Journal {
    /// A log beside the file: readers and the writer do not wait for each other.
    Wal,
    /// A copy of what is overwritten: slower, and right on network file systems too.
    Delete,
}

/// A store in one SQLite file.
///
/// Dropping a future of it does not stop what has begun: a commit then may still be made.
#[derive(Debug)]
pub struct Sqlite {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    site: Site,
    connection: Mutex<Connection>,
}

impl Sqlite {
    /// Opens the store in the file `path`, and creates it if there is none: the file with mode
    /// 0600, missing directories above it with 0700. An older format is migrated.
    ///
    /// Blocks: call it from a thread that may wait, as [`open`](super::open()) does. Fails with
    /// [`StoreError::Location`] if this is no place for a store or another program's file (which
    /// is left as it was), with [`StoreError::Newer`] if a newer cfgctl wrote it, and with
    /// [`StoreError::Unavailable`] if others keep it locked for more than ten seconds.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let site = Site::new(path)?;
        let journal = file::prepare(&site)?;
        Self::open_with(site, journal)
    }

    /// Opens the existing file of `site`.
    fn open_with(site: Site, journal: Journal) -> Result<Self, StoreError> {
        file::recognise(&site)?;
        let mut connection = file::connect(&site)?;
        let failed = |error| site.failed(error);
        harden(&connection).map_err(failed)?;
        if journal == Journal::Delete {
            leave_wal(&connection).map_err(failed)?;
        }
        // Before the switch to WAL, so that the mark of a store is in the file itself from its
        // first commit on, and never only in a log.
        schema::migrate(&mut connection, &site)?;
        if journal == Journal::Wal {
            enter_wal(&connection).map_err(failed)?;
        }
        let connection = Mutex::new(connection);
        Ok(Self {
            shared: Arc::new(Shared { site, connection }),
        })
    }

    /// Runs `work` on a thread that may wait for the disk.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Shared) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let shared = Arc::clone(&self.shared);
        let done = tokio::task::spawn_blocking(move || work(&shared)).await;
        done.map_err(|error| self.shared.site.unavailable(error))?
    }
}

/// Settings of one connection; none of them touches the file.
fn harden(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    // A file from elsewhere must not run anything in us, and nothing of us may write around SQL.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, true)?;
    // Room for the other columns of a row.
    let length = i32::try_from(rows::MAX_REVISION_BYTES + 4096).unwrap_or(i32::MAX);
    connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, length)?;
    // EXTRA is FULL, and where there is no WAL it also makes the end of a transaction last.
    connection.execute_batch("PRAGMA cell_size_check = ON; PRAGMA synchronous = EXTRA")
}

/// Switches the file to WAL, where it stays. If others are busy with it, another time will do:
/// the other journal is as safe.
fn enter_wal(connection: &Connection) -> rusqlite::Result<()> {
    if journal_mode(connection)? == "wal" {
        return Ok(());
    }
    let switched = connection.pragma_update(None, "journal_mode", "WAL");
    match switched {
        Err(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy) => {
            Ok(())
        }
        switched => switched,
    }
}

/// Takes the file out of WAL, into which it may have come on another file system. The exclusive
/// lock keeps SQLite from sharing memory over a file system that cannot.
fn leave_wal(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    if journal_mode(connection)? == "wal" {
        connection.pragma_update(None, "journal_mode", "DELETE")?;
    }
    connection.pragma_update(None, "locking_mode", "NORMAL")?;
    // The lock is given back with the next read.
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))
}

fn journal_mode(connection: &Connection) -> rusqlite::Result<String> {
    connection.pragma_query_value(None, "journal_mode", |row| row.get(0))
}

impl Shared {
    /// The one connection, for as short as possible. A panic in here rolls its transaction back
    /// while it unwinds, so a poisoned connection is a good one.
    fn with<T>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut connection = self
            .connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        work(&mut connection)
    }

    fn failed(&self, error: rusqlite::Error) -> StoreError {
        self.site.failed(error)
    }

    fn heads(&self) -> Result<Heads, StoreError> {
        // One statement is one moment in time. The outer join shows a head without its revision.
        const SQL: &str = "SELECT kind, name, heads.version, origin, content
            FROM heads LEFT JOIN revisions USING (kind, name, version)";
        self.with(|connection| {
            let mut heads = Heads::new();
            let mut statement = connection
                .prepare_cached(SQL)
                .map_err(|error| self.failed(error))?;
            let mut found = statement.query([]).map_err(|error| self.failed(error))?;
            while let Some(row) = found.next().map_err(|error| self.failed(error))? {
                let id = rows::decode_id(row, &self.site)?;
                let revision = rows::decode_row(&id, row, 2, &self.site)?;
                heads.insert(id, revision);
            }
            Ok(heads)
        })
    }

    /// The newest revisions of `id` up to `newest`, newest first.
    fn revisions(
        &self,
        id: &ResourceId,
        newest: i64,
        oldest: i64,
        limit: usize,
    ) -> Result<Vec<Revision>, StoreError> {
        // The primary key, walked backwards.
        const SQL: &str = "SELECT version, origin, content FROM revisions
            WHERE kind = ?1 AND name = ?2 AND version BETWEEN ?3 AND ?4
            ORDER BY version DESC LIMIT ?5";
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.with(|connection| {
            let mut revisions = Vec::new();
            let mut statement = connection
                .prepare_cached(SQL)
                .map_err(|error| self.failed(error))?;
            let mut found = statement
                .query(params![
                    id.kind().as_str(),
                    id.name(),
                    oldest,
                    newest,
                    limit
                ])
                .map_err(|error| self.failed(error))?;
            while let Some(row) = found.next().map_err(|error| self.failed(error))? {
                revisions.push(rows::decode_row(id, row, 0, &self.site)?);
            }
            Ok(revisions)
        })
    }

    fn commit(&self, commit: &Commit) -> Result<(), StoreError> {
        guard::check(commit)?;
        let encoded = rows::encode(commit, &self.site)?;
        self.with(|connection| {
            // Immediate: the write lock comes before the first read. Dropped without a commit, it
            // is rolled back.
            let transaction = connection
                .transaction_with_behavior(TransactionBehavior::Immediate)
                .map_err(|error| self.failed(error))?;
            schema::check_again(&transaction, &self.site)?;
            guard::compare(commit, |id| self.head(&transaction, id))?;
            if encoded.is_empty() {
                return Ok(());
            }
            insert(&transaction, &encoded)
                .and_then(|()| transaction.commit())
                .map_err(|error| self.failed(error))
        })
    }

    fn head(
        &self,
        connection: &Connection,
        id: &ResourceId,
    ) -> Result<Option<Version>, StoreError> {
        let found: Option<i64> = connection
            .prepare_cached("SELECT version FROM heads WHERE kind = ?1 AND name = ?2")
            .and_then(|mut statement| {
                statement
                    .query_row([id.kind().as_str(), id.name()], |row| row.get(0))
                    .optional()
            })
            .map_err(|error| self.failed(error))?;
        let Some(number) = found else {
            return Ok(None);
        };
        let version = rows::version_of(number);
        let damaged = || self.site.damaged(format!("the head of {id} is {number}"));
        version.map(Some).ok_or_else(damaged)
    }
}

/// Writes the rows of one commit.
fn insert(connection: &Connection, encoded: &[rows::Encoded<'_>]) -> rusqlite::Result<()> {
    connection.execute("INSERT INTO commits DEFAULT VALUES", [])?;
    let commit = connection.last_insert_rowid();
    let mut revision = connection.prepare_cached(
        "INSERT INTO revisions (kind, name, version, commit_id, origin, content)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    let mut head = connection.prepare_cached(
        "INSERT INTO heads (kind, name, version) VALUES (?1, ?2, ?3)
            ON CONFLICT (kind, name) DO UPDATE SET version = excluded.version",
    )?;
    for row in encoded {
        let (kind, name) = (row.id.kind().as_str(), row.id.name());
        revision.execute(params![
            kind,
            name,
            row.version,
            commit,
            row.origin,
            row.content
        ])?;
        head.execute(params![kind, name, row.version])?;
    }
    Ok(())
}

#[async_trait]
impl Store for Sqlite {
    fn location(&self) -> String {
        self.shared.site.location.clone()
    }

    async fn heads(&self) -> Result<Heads, StoreError> {
        self.run(Shared::heads).await
    }

    async fn revision(
        &self,
        id: &ResourceId,
        version: Version,
    ) -> Result<Option<Revision>, StoreError> {
        // What does not fit was never stored.
        let Ok(version) = i64::try_from(version.get()) else {
            return Ok(None);
        };
        let id = id.clone();
        self.run(move |shared| Ok(shared.revisions(&id, version, version, 1)?.pop()))
            .await
    }

    async fn history(&self, id: &ResourceId, limit: usize) -> Result<Vec<Revision>, StoreError> {
        let id = id.clone();
        self.run(move |shared| shared.revisions(&id, i64::MAX, i64::MIN, limit))
            .await
    }

    async fn commit(&self, commit: &Commit) -> Result<(), StoreError> {
        let commit = commit.clone();
        self.run(move |shared| shared.commit(&commit)).await
    }
}
