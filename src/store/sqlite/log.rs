//! The records of commits: a chain in which each seals the one before it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::rows::{self, Stored};
use super::site::Site;
use crate::model::{Digest, Sequence};
use crate::store::seal::{Sealer, Sums};
use crate::store::{CommitRecord, StoreError};

/// The record of one commit.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub(super) sequence: i64,
    /// When it was made, by the clock of the store.
    pub(super) at: String,
    /// What the caller knows it by.
    pub(super) key: Option<String>,
    /// What the caller wrote beside it, as JSON.
    pub(super) audit: Option<String>,
    /// The seal of the list of its revisions.
    pub(super) changes: Digest,
    /// What it did to records, as JSON; nothing where it did not.
    pub(super) records: Option<String>,
    /// The sums over all heads and records after it, as JSON.
    pub(super) heads: String,
    /// The seal of the record before it; `None`: it is the first one.
    pub(super) previous: Option<Digest>,
    pub(super) seal: Digest,
}

/// The columns of a record, as [`decode`] takes them.
const COLUMNS: &str = "sequence, at, key, audit, changes, heads, previous, digest, records";

impl Record {
    /// What its seal must be.
    fn expected_seal(&self) -> Digest {
        let sealer = Sealer::of("commit")
            .number(self.sequence)
            .text(&self.at)
            .optional(self.key.as_deref(), Sealer::text)
            .optional(self.audit.as_deref(), Sealer::text)
            .digest(&self.changes)
            .text(&self.heads)
            .optional(self.previous.as_ref(), Sealer::digest);
        // Before format 5 no commit did.
        match &self.records {
            None => sealer,
            Some(records) => sealer.text(records),
        }
        .done()
    }

    /// With the seal that it must have.
    pub(super) fn sealed(self) -> Self {
        Self {
            seal: self.expected_seal(),
            ..self
        }
    }

    /// The sums over all heads after it.
    pub(super) fn sums(&self, site: &Site) -> Result<Sums, StoreError> {
        serde_json::from_str(&self.heads).map_err(|error| {
            site.damaged(format!(
                "the sums of commit {} cannot be read: {error}",
                self.sequence
            ))
        })
    }

    pub(super) fn insert(&self, connection: &Connection) -> rusqlite::Result<()> {
        let sql = "INSERT INTO commits
            (sequence, at, key, audit, changes, heads, previous, digest)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
        // Format 4, which is on its way to this one, has no column for what is not there.
        let with_records = "INSERT INTO commits
            (sequence, at, key, audit, changes, heads, previous, digest, records)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
        let values = params![
            self.sequence,
            self.at,
            self.key,
            self.audit,
            self.changes.as_bytes(),
            self.heads,
            self.previous.as_ref().map(Digest::as_bytes),
            self.seal.as_bytes(),
            self.records,
        ];
        match &self.records {
            None => connection.prepare_cached(sql)?.execute(&values[..8])?,
            Some(_) => connection.prepare_cached(with_records)?.execute(values)?,
        };
        Ok(())
    }
}

/// The record in the columns [`COLUMNS`] of a row, if its seal is whole.
fn decode(row: &Row<'_>, site: &Site) -> Result<Record, StoreError> {
    let failed = |error| site.failed(error);
    let read = || -> rusqlite::Result<Record> {
        let previous: Option<Stored> = row.get(6)?;
        let digest = |column| row.get(column).map(|Stored(digest)| digest);
        Ok(Record {
            sequence: row.get(0)?,
            at: row.get(1)?,
            key: row.get(2)?,
            audit: row.get(3)?,
            changes: digest(4)?,
            heads: row.get(5)?,
            previous: previous.map(|Stored(digest)| digest),
            seal: digest(7)?,
            records: row.get(8)?,
        })
    };
    let record = read().map_err(failed)?;
    if record.seal != record.expected_seal() || record.sequence < 1 {
        return Err(site.damaged(format!(
            "the record of commit {} does not match its digest",
            record.sequence
        )));
    }
    Ok(record)
}

/// The records after `after`, oldest first: whole, and each linked to the one before it.
pub(super) fn after(
    connection: &Connection,
    after: i64,
    limit: i64,
    site: &Site,
) -> Result<Vec<Record>, StoreError> {
    let failed = |error| site.failed(error);
    let sql =
        format!("SELECT {COLUMNS} FROM commits WHERE sequence > ?1 ORDER BY sequence LIMIT ?2");
    let mut statement = connection.prepare_cached(&sql).map_err(failed)?;
    let mut rows = statement.query([after, limit]).map_err(failed)?;
    let mut records: Vec<Record> = Vec::new();
    while let Some(row) = rows.next().map_err(failed)? {
        let record = decode(row, site)?;
        match records.last() {
            Some(last) => check_link(Some((last.sequence, &last.seal)), &record, site)?,
            None => check_predecessor(connection, &record, site)?,
        }
        records.push(record);
    }
    Ok(records)
}

/// The record that was made under `key`.
pub(super) fn by_key(
    connection: &Connection,
    key: &str,
    site: &Site,
) -> Result<Option<Record>, StoreError> {
    let failed = |error| site.failed(error);
    let sql = format!("SELECT {COLUMNS} FROM commits WHERE key = ?1");
    let mut statement = connection.prepare_cached(&sql).map_err(failed)?;
    let mut rows = statement.query([key]).map_err(failed)?;
    match rows.next().map_err(failed)? {
        Some(row) => decode(row, site).map(Some),
        None => Ok(None),
    }
}

/// The number of the newest record, which is not looked at: good enough to wake somebody.
pub(super) fn newest_number(connection: &Connection, site: &Site) -> Result<i64, StoreError> {
    let found: Option<i64> = connection
        .prepare_cached("SELECT max(sequence) FROM commits")
        .and_then(|mut statement| statement.query_row([], |row| row.get(0)))
        .map_err(|error| site.failed(error))?;
    Ok(found.unwrap_or(0))
}

/// Adds one revision to the seal of the list of those that a commit made.
pub(super) fn change(
    changes: Sealer,
    kind: &str,
    name: &str,
    version: i64,
    revision: &Digest,
) -> Sealer {
    changes
        .text(kind)
        .text(name)
        .number(version)
        .digest(revision)
}

/// What `record` says to others, with the revisions it made, which are those that it was sealed
/// with.
pub(super) fn publish(
    connection: &Connection,
    record: &Record,
    site: &Site,
) -> Result<CommitRecord, StoreError> {
    let failed = |error| site.failed(error);
    let sql = "SELECT kind, name, version, digest FROM revisions WHERE sequence = ?1
        ORDER BY kind, name";
    let mut statement = connection.prepare_cached(sql).map_err(failed)?;
    let mut rows = statement.query([record.sequence]).map_err(failed)?;
    let mut changes = BTreeMap::new();
    let mut seal = Sealer::of("changes");
    let damaged = |what: &str| site.damaged(format!("commit {}: {what}", record.sequence));
    while let Some(row) = rows.next().map_err(failed)? {
        let id = rows::decode_id(row, site)?;
        let number = row.get(2).map_err(failed)?;
        let Stored(revision) = row.get(3).map_err(failed)?;
        seal = change(seal, id.kind().as_str(), id.name(), number, &revision);
        let version = rows::version_of(number);
        changes.insert(id, version.ok_or_else(|| damaged("this is not a version"))?);
    }
    if seal.done() != record.changes {
        return Err(damaged("its revisions are not those that it was made of"));
    }
    let audit = record
        .audit
        .as_deref()
        .map(serde_json::from_str)
        .transpose();
    let key = record.key.as_deref().map(str::parse).transpose();
    let records = record.records.as_deref().map(serde_json::from_str);
    let records = records.transpose();
    let records = records.map_err(|_| damaged("what it did to records cannot be read"))?;
    Ok(CommitRecord {
        sequence: number(record.sequence),
        at: time(&record.at).ok_or_else(|| damaged("its time cannot be read"))?,
        key: key.map_err(|_| damaged("its key cannot be read"))?,
        audit: audit.map_err(|_| damaged("what was kept beside it cannot be read"))?,
        changes,
        records: records.unwrap_or_default(),
    })
}

/// A sequence as SQLite counts, as others count.
pub(super) fn number(sequence: i64) -> Sequence {
    Sequence::new(u64::try_from(sequence).unwrap_or(0))
}

/// A time as a record has it.
fn time(text: &str) -> Option<Timestamp> {
    text.parse().ok()
}

/// The newest record; `None` in a store without commits. It is whole, it goes on from the one before
/// it, and nothing belongs to a later one.
pub(super) fn newest(connection: &Connection, site: &Site) -> Result<Option<Record>, StoreError> {
    let failed = |error| site.failed(error);
    let sql = format!("SELECT {COLUMNS} FROM commits ORDER BY sequence DESC LIMIT 1");
    let mut statement = connection.prepare_cached(&sql).map_err(failed)?;
    let mut rows = statement.query([]).map_err(failed)?;
    let newest = match rows.next().map_err(failed)? {
        Some(row) => Some(decode(row, site)?),
        None => None,
    };
    if let Some(record) = &newest {
        check_predecessor(connection, record, site)?;
    }
    let sequence = newest.as_ref().map_or(0, |record| record.sequence);
    let sql = "SELECT max(sequence) FROM
        (SELECT max(sequence) AS sequence FROM revisions
            UNION ALL SELECT max(sequence) FROM records)";
    let orphan: Option<i64> = connection
        .prepare_cached(sql)
        .and_then(|mut statement| statement.query_row([], |row| row.get(0)))
        .map_err(failed)?;
    match orphan {
        Some(orphan) if orphan > sequence => Err(missing(orphan, site)),
        Some(_) | None => Ok(newest),
    }
}

/// Checks `record` against the record that is stored before it.
fn check_predecessor(
    connection: &Connection,
    record: &Record,
    site: &Site,
) -> Result<(), StoreError> {
    let sql = "SELECT digest FROM commits WHERE sequence = ?1";
    let before = record.sequence - 1;
    let found: Option<Stored> = connection
        .prepare_cached(sql)
        .and_then(|mut statement| statement.query_row([before], |row| row.get(0)).optional())
        .map_err(|error| site.failed(error))?;
    let found = found.as_ref().map(|Stored(seal)| (before, seal));
    check_link(found, record, site)
}

/// Whether `record` goes on from the one before it, and begins the log if there is none.
fn check_link(
    before: Option<(i64, &Digest)>,
    record: &Record,
    site: &Site,
) -> Result<(), StoreError> {
    let is_linked = match before {
        Some((sequence, seal)) => {
            sequence == record.sequence - 1 && record.previous.as_ref() == Some(seal)
        }
        None => record.sequence == 1 && record.previous.is_none(),
    };
    if is_linked {
        return Ok(());
    }
    match before {
        Some((sequence, _)) if sequence == record.sequence - 1 => Err(site.damaged(format!(
            "commit {} does not go on from commit {sequence}",
            record.sequence
        ))),
        _ => Err(missing(record.sequence - 1, site)),
    }
}

fn missing(sequence: i64, site: &Site) -> StoreError {
    site.damaged(format!("the record of commit {sequence} is missing"))
}
