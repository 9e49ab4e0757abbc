//! The default store: one SQLite file, no server, any number of processes.
//!
//! A commit is one transaction that holds the write lock from its first read on, so what it
//! compares with is what it writes on. A process may be killed at any moment: the next one that
//! opens the file finds each commit whole or not at all.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{Connection, TransactionBehavior};

use self::append::{Label, append};
use self::connection::{Journal, enter_wal, harden, leave_wal};
use self::site::Site;
use super::{Store, StoreError, guard};
use crate::model::{Commit, Heads, ResourceId, Revision, Version};

mod append;
mod connection;
mod draft;
mod file;
mod format_4;
mod heads;
mod history;
mod log;
mod rows;
mod schema;
mod site;

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
    /// Opens the store in the file `path`. An older format is migrated.
    ///
    /// Blocks: call it from a thread that may wait, as [`open`](super::open()) does. Fails with
    /// [`StoreError::Absent`] if there is none, with [`StoreError::Location`] if this is no place
    /// for a store or another program's file (which is left as it was), with [`StoreError::Newer`]
    /// if a newer cfgctl wrote it, and with [`StoreError::Unavailable`] if others keep it locked for
    /// more than ten seconds.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let site = Site::new(path)?;
        let journal = file::find(&site)?.ok_or_else(|| site.absent())?;
        Self::open_with(site, journal)
    }

    /// Like [`Sqlite::open`], and makes the store if there is none: the file with mode 0600, missing
    /// directories above it with 0700.
    pub fn create(path: &Path) -> Result<Self, StoreError> {
        let site = Site::new(path)?;
        let journal = file::find_or_create(&site)?;
        Self::open_with(site, journal)
    }

    /// [`Sqlite::open`] on a thread that may wait.
    pub(super) async fn open_later(path: PathBuf) -> Result<Self, StoreError> {
        Self::elsewhere(path, Self::open).await
    }

    /// [`Sqlite::create`] on a thread that may wait.
    pub(super) async fn create_later(path: PathBuf) -> Result<Self, StoreError> {
        Self::elsewhere(path, Self::create).await
    }

    async fn elsewhere(
        path: PathBuf,
        open: fn(&Path) -> Result<Self, StoreError>,
    ) -> Result<Self, StoreError> {
        let location = path.display().to_string();
        let opened = tokio::task::spawn_blocking(move || open(&path)).await;
        opened.map_err(|source| StoreError::Unavailable {
            location,
            source: Box::new(source),
        })?
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

    /// Reads in one transaction, which is one moment in time.
    fn read<T>(
        &self,
        work: impl FnOnce(&Connection, &Site) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.with(|connection| {
            let transaction = connection
                .transaction()
                .map_err(|error| self.failed(error))?;
            work(&transaction, &self.site)
        })
    }

    fn heads(&self) -> Result<Heads, StoreError> {
        self.read(heads::all)
    }

    fn revision(&self, id: &ResourceId, version: i64) -> Result<Option<Revision>, StoreError> {
        self.read(|connection, site| history::one(connection, id, version, site))
    }

    fn history(&self, id: &ResourceId, limit: usize) -> Result<Vec<Revision>, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.read(|connection, site| history::page(connection, id, limit, site))
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
            let newest = log::newest(&transaction, &self.site)?;
            guard::compare(commit, |id| self.head(&transaction, id))?;
            if encoded.is_empty() {
                return Ok(());
            }
            let label = Label {
                at: now().to_string(),
                key: None,
                audit: None,
            };
            append(&transaction, newest.as_ref(), label, &encoded, &self.site)?;
            transaction.commit().map_err(|error| self.failed(error))
        })
    }

    /// The version of the head of `id`, which is not looked at whole.
    fn head(
        &self,
        connection: &Connection,
        id: &ResourceId,
    ) -> Result<Option<Version>, StoreError> {
        let Some(row) = heads::row(connection, id, &self.site)? else {
            return Ok(None);
        };
        let damaged = || {
            let number = row.version;
            self.site.damaged(format!("the head of {id} is {number}"))
        };
        let version = rows::version_of(row.version);
        version.map(Some).ok_or_else(damaged)
    }
}

/// The clock of the store, which dates its commits.
#[expect(
    clippy::disallowed_methods,
    reason = "a commit is made when the store makes it, not when its plan was asked for"
)]
fn now() -> Timestamp {
    Timestamp::now()
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
        self.run(move |shared| shared.revision(&id, version)).await
    }

    async fn history(&self, id: &ResourceId, limit: usize) -> Result<Vec<Revision>, StoreError> {
        let id = id.clone();
        self.run(move |shared| shared.history(&id, limit)).await
    }

    async fn commit(&self, commit: &Commit) -> Result<(), StoreError> {
        let commit = commit.clone();
        self.run(move |shared| shared.commit(&commit)).await
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::connection::journal_mode;
    use super::*;

    fn site() -> (tempfile::TempDir, Site) {
        let directory = tempfile::tempdir().unwrap();
        let site = Site::new(&directory.path().join("store.db")).unwrap();
        file::find_or_create(&site).unwrap();
        (directory, site)
    }

    fn open(site: &Site, journal: Journal) -> Sqlite {
        Sqlite::open_with(site.clone(), journal).unwrap()
    }

    fn on_connection<T>(store: &Sqlite, work: impl FnOnce(&Connection) -> T) -> T {
        let connection = store.shared.connection.lock().unwrap();
        work(&connection)
    }

    fn mode(store: &Sqlite) -> String {
        on_connection(store, journal_mode).unwrap()
    }

    /// The set `a`, from one version to the next, with a text of `bytes`.
    fn change(from: u64, bytes: usize) -> Commit {
        let id: ResourceId = "set/a".parse().unwrap();
        let revision = serde_json::json!({
            "version": from + 1,
            "origin": {"actor": "a", "at": "2026-11-21T02:14:00Z", "cause": "apply"},
            "content": {"set": {"values": {"text": "x".repeat(bytes)}}},
        });
        Commit {
            expected: [(id.clone(), Version::new(from))].into(),
            revisions: [(id, serde_json::from_value(revision).unwrap())].into(),
        }
    }

    fn head(store: &Sqlite) -> Option<u64> {
        let heads = store.shared.heads().unwrap();
        heads.values().next().map(|head| head.version.get())
    }

    #[test]
    fn a_store_without_wal_keeps_commits_apart_as_well() {
        let (_directory, site) = site();
        let (one, two) = (open(&site, Journal::Delete), open(&site, Journal::Delete));
        for from in 0..5 {
            let change = change(from, 1);
            let outcomes = std::thread::scope(|scope| {
                let racers = [&one, &two].map(|store| scope.spawn(|| store.shared.commit(&change)));
                racers.map(|racer| racer.join().unwrap().is_ok())
            });
            assert_ne!(outcomes[0], outcomes[1]);
            assert_eq!((head(&one), head(&two)), (Some(from + 1), Some(from + 1)));
        }
        assert_eq!((mode(&one), mode(&two)), ("delete".into(), "delete".into()));
        assert!(!site.path.with_extension("db-wal").exists());
    }

    #[test]
    fn a_file_that_moves_between_file_systems_changes_its_journal() {
        let (_directory, site) = site();
        for (from, journal, expected) in [
            (0, Journal::Wal, "wal"),
            (1, Journal::Delete, "delete"),
            (2, Journal::Wal, "wal"),
        ] {
            let store = open(&site, journal);
            assert_eq!(mode(&store), expected);
            store.shared.commit(&change(from, 1)).unwrap();
            assert_eq!(head(&store), Some(from + 1));
        }
    }

    #[test]
    fn a_file_that_others_use_with_wal_is_not_taken_out_of_it() {
        let (_directory, site) = site();
        let local = open(&site, Journal::Wal);
        local.shared.commit(&change(0, 1)).unwrap();
        let shared = file::connect(&site).unwrap();
        shared.busy_timeout(Duration::ZERO).unwrap();
        assert!(leave_wal(&shared).is_err());
        drop(shared);
        local.shared.commit(&change(1, 1)).unwrap();
        assert_eq!((mode(&local), head(&local)), ("wal".into(), Some(2)));
    }

    #[test]
    fn every_connection_waits_for_the_disk_and_trusts_no_schema() {
        let (_directory, site) = site();
        let store = open(&site, Journal::Wal);
        for (pragma, expected) in [
            ("synchronous", 3),
            ("foreign_keys", 1),
            ("trusted_schema", 0),
            ("cell_size_check", 1),
            ("busy_timeout", 10_000),
        ] {
            let found: i64 = on_connection(&store, |connection| {
                connection.pragma_query_value(None, pragma, |row| row.get(0))
            })
            .unwrap();
            assert_eq!(found, expected, "{pragma}");
        }
    }

    #[test]
    fn a_full_disk_leaves_everything_as_it_was() {
        let (_directory, site) = site();
        let store = open(&site, Journal::Wal);
        store.shared.commit(&change(0, 1)).unwrap();
        on_connection(&store, |connection| {
            connection.pragma_update(None, "max_page_count", 10)
        })
        .unwrap();
        let error = store.shared.commit(&change(1, 100_000)).unwrap_err();
        assert!(matches!(error, StoreError::Unavailable { .. }), "{error:?}");
        assert_eq!(head(&store), Some(1));
        store.shared.commit(&change(1, 1)).unwrap();
    }

    #[test]
    fn a_store_that_others_keep_locked_is_unavailable() {
        let (_directory, site) = site();
        let store = open(&site, Journal::Wal);
        let other = Connection::open(&site.path).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        on_connection(&store, |connection| connection.busy_timeout(Duration::ZERO)).unwrap();
        let error = store.shared.commit(&change(0, 1)).unwrap_err();
        assert!(matches!(error, StoreError::Unavailable { .. }), "{error:?}");
        assert_eq!(head(&store), None, "reading goes on");
        other.execute_batch("ROLLBACK").unwrap();
        store.shared.commit(&change(0, 1)).unwrap();
    }
}
