//! The default store: one SQLite file, no server, any number of processes.
//!
//! A commit is one transaction that holds the write lock from its first read on, so what it
//! compares with is what it writes on. A process may be killed at any moment: the next one that
//! opens the file finds each commit whole or not at all.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::watch;

use self::append::{Label, append};
use self::connection::{Journal, enter_wal, harden, leave_wal};
use self::file::Access;
use self::readers::Readers;
use self::rows::MAX_REVISION_BYTES;
use self::site::Site;
use super::log::now;
use super::{
    CommitLimits, CommitRecord, Committed, HeadsAt, RecordsAt, Store, StoreError, Which, guard,
};
use crate::model::{
    Commit, IdempotencyKey, Record, RecordId, RecordKind, ResourceId, Revision, Sequence, Version,
};

mod append;
mod connection;
mod draft;
mod file;
mod format_4;
mod heads;
mod history;
mod log;
mod readers;
mod records;
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
    /// Dropped before the writer: whoever closes the file last takes the log into it, which a reader
    /// cannot.
    readers: Readers,
    /// The one connection that commits, or why nothing can be written here.
    writer: Result<Mutex<Connection>, String>,
    /// The newest commit that was made through this handle.
    news: watch::Sender<i64>,
}

impl Sqlite {
    /// What it takes.
    pub(super) const LIMITS: CommitLimits = CommitLimits {
        revision_bytes: MAX_REVISION_BYTES,
        commit_bytes: None,
    };

    /// Opens the store in the file `path`. An older format is migrated. Where the file or its
    /// directory cannot be written it can be read, and a commit is refused.
    ///
    /// Blocks: call it from a thread that may wait, as [`open`](super::open()) does. Fails with
    /// [`StoreError::Absent`] if there is none, with [`StoreError::Location`] if this is no place
    /// for a store or another program's file (which is left as it was), with [`StoreError::Newer`]
    /// if a newer cfgctl wrote it, and with [`StoreError::Unavailable`] if others keep it locked for
    /// more than ten seconds.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let site = Site::new(path)?;
        let access = file::find(&site)?.ok_or_else(|| site.absent())?;
        Self::open_with(site, access)
    }

    /// Like [`Sqlite::open`], and makes the store if there is none: the file with mode 0600, missing
    /// directories above it with 0700.
    pub fn create(path: &Path) -> Result<Self, StoreError> {
        let site = Site::new(path)?;
        let access = file::find_or_create(&site)?;
        Self::open_with(site, access)
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
    fn open_with(site: Site, access: Access) -> Result<Self, StoreError> {
        file::recognise(&site)?;
        let (writer, can_lock) = match access {
            Access::Full(journal) => (Ok(Mutex::new(open_to_write(&site, journal)?)), true),
            Access::Read(why) => (Err(why), false),
        };
        let shared = Shared {
            writer,
            readers: Readers::new(can_lock),
            news: watch::Sender::new(0),
            site,
        };
        if !can_lock {
            shared.readers.read(&shared.site, schema::check_newest)?;
        }
        Ok(Self {
            shared: Arc::new(shared),
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

/// The connection that commits, in a file of the newest format.
fn open_to_write(site: &Site, journal: Journal) -> Result<Connection, StoreError> {
    let mut connection = connection::connect(site)?;
    let failed = |error| site.failed(error);
    harden(&connection).map_err(failed)?;
    if journal == Journal::Delete {
        leave_wal(&connection).map_err(failed)?;
    }
    // Before the switch to WAL, so that the mark of a store is in the file itself from its first
    // commit on, and never only in a log.
    schema::migrate(&mut connection, site)?;
    if journal == Journal::Wal {
        enter_wal(&connection).map_err(failed)?;
    }
    Ok(connection)
}

impl Shared {
    /// The connection that commits, for as short as possible. A panic in here rolls its transaction
    /// back while it unwinds, so a poisoned connection is a good one.
    fn write<T>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let writer = self.writer.as_ref();
        let writer = writer.map_err(|why| self.site.unusable(why.clone()))?;
        work(&mut writer.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn failed(&self, error: rusqlite::Error) -> StoreError {
        self.site.failed(error)
    }

    fn heads(&self, which: &Which) -> Result<HeadsAt, StoreError> {
        self.readers.read(&self.site, |connection, site| {
            heads::read(connection, which, site)
        })
    }

    fn revisions(
        &self,
        ids: &[(ResourceId, Version)],
    ) -> Result<Vec<(ResourceId, Revision)>, StoreError> {
        self.readers.read(&self.site, |connection, site| {
            let mut revisions = Vec::with_capacity(ids.len());
            for (id, version) in ids {
                // What does not fit was never stored.
                let Ok(version) = i64::try_from(version.get()) else {
                    continue;
                };
                if let Some(revision) = history::one(connection, id, version, site)? {
                    revisions.push((id.clone(), revision));
                }
            }
            Ok(revisions)
        })
    }

    fn history(
        &self,
        id: &ResourceId,
        before: Option<Version>,
        limit: usize,
    ) -> Result<Vec<Revision>, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        // No version is beyond what fits, so then it is as if nothing was said.
        let before = before.and_then(|before| i64::try_from(before.get()).ok());
        self.readers.read(&self.site, |connection, site| {
            history::page(connection, id, before, limit, site)
        })
    }

    fn commits(&self, after: Sequence, limit: usize) -> Result<Vec<CommitRecord>, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let Ok(after) = i64::try_from(after.get()) else {
            return Ok(Vec::new());
        };
        self.readers.read(&self.site, |connection, site| {
            let records = log::after(connection, after, limit, site)?.into_iter();
            records
                .map(|record| log::publish(connection, &record, site))
                .collect()
        })
    }

    fn made_under(&self, key: &IdempotencyKey) -> Result<Option<CommitRecord>, StoreError> {
        self.readers.read(&self.site, |connection, site| {
            let record = log::by_key(connection, key.as_str(), site)?;
            let record = record.map(|record| log::publish(connection, &record, site));
            record.transpose()
        })
    }

    fn newest(&self) -> Result<Sequence, StoreError> {
        let newest = self.readers.read(&self.site, log::newest_number)?;
        Ok(log::number(newest))
    }

    fn commit(&self, commit: &Commit) -> Result<Committed, StoreError> {
        guard::check(commit)?;
        let encoded = rows::encode(commit, &self.site)?;
        let changed = records::encode(commit)?;
        let audit = commit.audit.as_ref().map(ToString::to_string);
        self.write(|connection| {
            // Immediate: the write lock comes before the first read. Dropped without a commit, it
            // is rolled back.
            let transaction = connection
                .transaction_with_behavior(TransactionBehavior::Immediate)
                .map_err(|error| self.failed(error))?;
            schema::check_again(&transaction, &self.site)?;
            let newest = log::newest(&transaction, &self.site)?;
            if let Some(committed) = self.again(&transaction, commit)? {
                return Ok(committed);
            }
            guard::compare(commit, |id| self.head(&transaction, id))?;
            let at = now();
            records::compare(&transaction, commit, at, &self.site)?;
            if commit.only_compares() {
                let sequence = newest.map_or(0, |record| record.sequence);
                return Ok(Committed {
                    sequence: log::number(sequence),
                    at,
                });
            }
            let label = Label {
                at: at.to_string(),
                key: commit.key.as_ref().map(|key| key.as_str().to_owned()),
                audit,
            };
            let (newest, site) = (newest.as_ref(), &self.site);
            let changed = records::with_those_over(&transaction, changed, at, site)?;
            let record = append(&transaction, newest, label, &encoded, &changed, site)?;
            transaction
                .commit()
                .map_err(|error| self.site.in_doubt(error))?;
            self.news.send_replace(record.sequence);
            Ok(Committed {
                sequence: log::number(record.sequence),
                at,
            })
        })
    }

    fn records(&self, kind: RecordKind) -> Result<RecordsAt, StoreError> {
        self.readers.read(&self.site, |connection, site| {
            records::every(connection, kind, now(), site)
        })
    }

    fn record(&self, id: &RecordId) -> Result<Option<Record>, StoreError> {
        self.readers.read(&self.site, |connection, site| {
            let found = records::one(connection, id, site)?;
            Ok(found.filter(|it| !it.is_over(now())).map(|it| it.record))
        })
    }

    fn touch(&self, used: &[(RecordId, Timestamp)]) -> Result<(), StoreError> {
        self.write(|connection| {
            let transaction = connection
                .transaction_with_behavior(TransactionBehavior::Immediate)
                .map_err(|error| self.failed(error))?;
            schema::check_again(&transaction, &self.site)?;
            records::touch(&transaction, used)
                .and_then(|()| transaction.commit())
                .map_err(|error| self.failed(error))
        })
    }

    /// What has come of a commit that was made before under the same key.
    fn again(
        &self,
        connection: &Connection,
        commit: &Commit,
    ) -> Result<Option<Committed>, StoreError> {
        let Some(key) = &commit.key else {
            return Ok(None);
        };
        let Some(record) = log::by_key(connection, key.as_str(), &self.site)? else {
            return Ok(None);
        };
        let record = log::publish(connection, &record, &self.site)?;
        guard::same(commit, &record, |id, version| {
            let Ok(version) = i64::try_from(version.get()) else {
                return Ok(None);
            };
            history::one(connection, id, version, &self.site)
        })
        .map(Some)
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

#[async_trait]
impl Store for Sqlite {
    fn location(&self) -> String {
        self.shared.site.location.clone()
    }

    fn limits(&self) -> CommitLimits {
        Self::LIMITS
    }

    async fn heads(&self, which: &Which) -> Result<HeadsAt, StoreError> {
        let which = which.clone();
        self.run(move |shared| shared.heads(&which)).await
    }

    async fn revisions(
        &self,
        ids: &[(ResourceId, Version)],
    ) -> Result<Vec<(ResourceId, Revision)>, StoreError> {
        let ids = ids.to_vec();
        self.run(move |shared| shared.revisions(&ids)).await
    }

    async fn history(
        &self,
        id: &ResourceId,
        before: Option<Version>,
        limit: usize,
    ) -> Result<Vec<Revision>, StoreError> {
        let id = id.clone();
        self.run(move |shared| shared.history(&id, before, limit))
            .await
    }

    async fn commit(&self, commit: &Commit) -> Result<Committed, StoreError> {
        let commit = commit.clone();
        self.run(move |shared| shared.commit(&commit)).await
    }

    async fn commits(
        &self,
        after: Sequence,
        limit: usize,
    ) -> Result<Vec<CommitRecord>, StoreError> {
        self.run(move |shared| shared.commits(after, limit)).await
    }

    async fn made_under(&self, key: &IdempotencyKey) -> Result<Option<CommitRecord>, StoreError> {
        let key = key.clone();
        self.run(move |shared| shared.made_under(&key)).await
    }

    async fn records(&self, kind: RecordKind) -> Result<RecordsAt, StoreError> {
        self.run(move |shared| shared.records(kind)).await
    }

    async fn record(&self, id: &RecordId) -> Result<Option<Record>, StoreError> {
        let id = id.clone();
        self.run(move |shared| shared.record(&id)).await
    }

    async fn touch(&self, used: &[(RecordId, Timestamp)]) -> Result<(), StoreError> {
        let used = used.to_vec();
        self.run(move |shared| shared.touch(&used)).await
    }

    async fn wait(&self, after: Sequence) -> Result<Sequence, StoreError> {
        // Before the first look, so that no commit falls in between.
        let mut news = self.shared.news.subscribe();
        loop {
            let newest = self.run(Shared::newest).await?;
            if newest != after {
                return Ok(newest);
            }
            // Its own commits wake it at once; those of other processes are looked for.
            _ = tokio::time::timeout(POLL, news.changed()).await;
        }
    }
}

/// How often a store that waits looks for commits of other processes: below what a person notices,
/// and a look costs microseconds.
pub(super) const POLL: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests;
