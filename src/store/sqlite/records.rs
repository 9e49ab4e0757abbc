//! The records: what is kept beside revisions, and only as it stands now. Each has a seal, and the
//! newest commit the sum of all; when a record was last used is in neither.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rusqlite::{Connection, Row, params};

use super::log;
use super::rows::Stored;
use super::site::Site;
use crate::model::{
    Commit, Digest, Record, RecordContent, RecordFate, RecordId, RecordKind, Sequence,
};
use crate::store::log::{BETWEEN_USES, MAX_OVER, MAX_RECORDS};
use crate::store::seal::{Sealer, Sums};
use crate::store::{RecordsAt, StoreError, guard};

/// The columns of a record, as [`decode`] takes them.
const COLUMNS: &str = "kind, id, sequence, until, content, digest, used";

/// What becomes of one record.
#[derive(Clone, Debug)]
pub(super) struct Change {
    id: RecordId,
    fate: RecordFate,
    /// Its JSON and its end; nothing where it is no more.
    content: Option<(String, Option<i64>)>,
}

/// A record that was read, and what only its row says.
#[derive(Clone, Debug)]
pub(super) struct Found {
    id: RecordId,
    pub(super) record: Record,
    seal: Digest,
}

impl Found {
    /// Whether its time is over.
    pub(super) fn is_over(&self, at: Timestamp) -> bool {
        guard::is_over(&self.record.content, at)
    }
}

/// The end of a record as a row has it: in whole seconds since 1970.
fn until(content: &RecordContent) -> Option<i64> {
    content.until().map(Timestamp::as_second)
}

fn seal(id: &RecordId, sequence: i64, until: Option<i64>, content: &str) -> Digest {
    Sealer::of("record")
        .text(id.kind().as_str())
        .text(id.name())
        .number(sequence)
        .optional(until, Sealer::number)
        .text(content)
        .done()
}

/// The changes of `commit`. Done before any lock is taken.
pub(super) fn encode(commit: &Commit) -> Result<Vec<Change>, StoreError> {
    let changes = commit.records.iter().map(|(id, change)| {
        let json = change.content.as_ref();
        let json = json
            .map(|content| guard::json_of(id, content))
            .transpose()?;
        let until = change.content.as_ref().and_then(until);
        Ok(Change {
            id: id.clone(),
            fate: guard::fate(json.as_deref()),
            content: json.map(|json| (json, until)),
        })
    });
    changes.collect()
}

/// Whether every record is what `commit` expects, and there is room for what it adds.
pub(super) fn compare(
    connection: &Connection,
    commit: &Commit,
    at: Timestamp,
    site: &Site,
) -> Result<(), StoreError> {
    guard::compare_records(commit, |id| {
        let found = one(connection, id, site)?.filter(|found| !found.is_over(at));
        Ok(found.map(|found| found.record.changed))
    })?;
    guard::compare_kinds(commit, |kind, as_of| newer(connection, kind, as_of, site))?;
    let mut added: BTreeMap<RecordKind, usize> = BTreeMap::new();
    for (id, change) in &commit.records {
        if change.expected.is_none() {
            *added.entry(id.kind()).or_default() += 1;
        }
    }
    for (kind, added) in added {
        let removed = commit.records.iter();
        let removed = removed.filter(|(id, it)| id.kind() == kind && it.content.is_none());
        let there = count(connection, kind, at).map_err(|error| site.failed(error))?;
        if there.saturating_add(added).saturating_sub(removed.count()) > MAX_RECORDS {
            let most = MAX_RECORDS;
            return Err(StoreError::Full { kind, most });
        }
    }
    Ok(())
}

/// The records of this kind that were written after the commit `as_of`.
fn newer(
    connection: &Connection,
    kind: RecordKind,
    as_of: Sequence,
    site: &Site,
) -> Result<Vec<RecordId>, StoreError> {
    let failed = |error| site.failed(error);
    // No commit of SQLite's has a greater number.
    let as_of = i64::try_from(as_of.get()).unwrap_or(i64::MAX);
    let sql = "SELECT kind, id FROM records WHERE kind = ?1 AND sequence > ?2 ORDER BY id";
    let mut statement = connection.prepare_cached(sql).map_err(failed)?;
    let rows = statement.query(params![kind.as_str(), as_of]);
    let (mut rows, mut newer) = (rows.map_err(failed)?, Vec::new());
    while let Some(row) = rows.next().map_err(failed)? {
        newer.push(decode_id(row, site)?);
    }
    Ok(newer)
}

fn count(connection: &Connection, kind: RecordKind, at: Timestamp) -> rusqlite::Result<usize> {
    let sql = "SELECT count(*) FROM records WHERE kind = ?1 AND (until IS NULL OR until > ?2)";
    let count: i64 = connection
        .prepare_cached(sql)?
        .query_row(params![kind.as_str(), at.as_second()], |row| row.get(0))?;
    Ok(usize::try_from(count).unwrap_or(usize::MAX))
}

/// `changes`, and the end of records whose time is over.
pub(super) fn with_those_over(
    connection: &Connection,
    mut changes: Vec<Change>,
    at: Timestamp,
    site: &Site,
) -> Result<Vec<Change>, StoreError> {
    let failed = |error| site.failed(error);
    let sql = format!(
        "SELECT kind, id FROM records WHERE until IS NOT NULL AND until <= ?1
            ORDER BY until LIMIT {MAX_OVER}"
    );
    let mut statement = connection.prepare_cached(&sql).map_err(failed)?;
    let mut rows = statement.query([at.as_second()]).map_err(failed)?;
    while let Some(row) = rows.next().map_err(failed)? {
        let id = decode_id(row, site)?;
        if changes.iter().all(|change| change.id != id) {
            changes.push(Change {
                id,
                fate: RecordFate::Over,
                content: None,
            });
        }
    }
    Ok(changes)
}

/// What a commit comes to for records.
pub(super) struct Decided {
    /// What the log says of it, as JSON.
    pub(super) text: Option<String>,
    pub(super) writes: Vec<Write>,
}

/// One row that changes.
pub(super) struct Write {
    change: Change,
    sequence: i64,
    seal: Option<Digest>,
}

/// What `changes` come to in commit `sequence`; takes what they change into `sums`. The rows are looked
/// at whole, and nothing is built on a damaged one.
pub(super) fn decide(
    connection: &Connection,
    changes: &[Change],
    sequence: i64,
    sums: &mut Sums,
    site: &Site,
) -> Result<Decided, StoreError> {
    let mut writes = Vec::with_capacity(changes.len());
    let mut fates = BTreeMap::new();
    for change in changes {
        let id = &change.id;
        if let Some(before) = one(connection, id, site)? {
            sums.subtract_record(id.kind(), &before.seal);
        }
        let content = change.content.as_ref();
        let seal = content.map(|(json, until)| seal(id, sequence, *until, json));
        if let Some(seal) = &seal {
            sums.add_record(id.kind(), seal);
        }
        fates.insert(id, &change.fate);
        writes.push(Write {
            change: change.clone(),
            sequence,
            seal,
        });
    }
    let text = (!fates.is_empty()).then(|| serde_json::to_string(&fates));
    let text = text.transpose().map_err(|error| site.unavailable(error))?;
    Ok(Decided { text, writes })
}

impl Write {
    pub(super) fn write(&self, connection: &Connection) -> rusqlite::Result<()> {
        let id = &self.change.id;
        let (kind, name) = (id.kind().as_str(), id.name());
        let (Some((json, until)), Some(seal)) = (&self.change.content, &self.seal) else {
            let sql = "DELETE FROM records WHERE kind = ?1 AND id = ?2";
            connection.prepare_cached(sql)?.execute([kind, name])?;
            return Ok(());
        };
        let sql = "INSERT INTO records (kind, id, sequence, until, content, digest)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6)
            ON CONFLICT (kind, id) DO UPDATE SET sequence = excluded.sequence,
                until = excluded.until, content = excluded.content, digest = excluded.digest";
        let values = params![kind, name, self.sequence, until, json, seal.as_bytes()];
        connection.prepare_cached(sql)?.execute(values)?;
        Ok(())
    }
}

/// The record of this id, if there is one, whether or not its time is over.
pub(super) fn one(
    connection: &Connection,
    id: &RecordId,
    site: &Site,
) -> Result<Option<Found>, StoreError> {
    let failed = |error| site.failed(error);
    let sql = format!("SELECT {COLUMNS} FROM records WHERE kind = ?1 AND id = ?2");
    let mut statement = connection.prepare_cached(&sql).map_err(failed)?;
    let mut rows = statement
        .query([id.kind().as_str(), id.name()])
        .map_err(failed)?;
    match rows.next().map_err(failed)? {
        Some(row) => decode(row, site).map(Some),
        None => Ok(None),
    }
}

/// All records of one kind, which together must be those that the newest commit left.
pub(super) fn every(
    connection: &Connection,
    kind: RecordKind,
    at: Timestamp,
    site: &Site,
) -> Result<RecordsAt, StoreError> {
    let failed = |error| site.failed(error);
    let newest = log::newest(connection, site)?;
    let expected = match &newest {
        Some(record) => record.sums(site)?,
        None => Sums::default(),
    };
    let sql = format!("SELECT {COLUMNS} FROM records WHERE kind = ?1");
    let mut statement = connection.prepare_cached(&sql).map_err(failed)?;
    let mut rows = statement.query([kind.as_str()]).map_err(failed)?;
    let (mut records, mut sums) = (BTreeMap::new(), Sums::default());
    while let Some(row) = rows.next().map_err(failed)? {
        let found = decode(row, site)?;
        sums.add_record(kind, &found.seal);
        if !found.is_over(at) {
            records.insert(found.id, found.record);
        }
    }
    if sums.of_records(kind) != expected.of_records(kind) {
        let kind = kind.as_str();
        let what = format!("its {kind}s are not those that its newest commit left");
        return Err(site.damaged(what));
    }
    Ok(RecordsAt {
        sequence: log::number(newest.map_or(0, |record| record.sequence)),
        records,
    })
}

/// Writes down when records were used.
pub(super) fn touch(
    connection: &Connection,
    used: &[(RecordId, Timestamp)],
) -> rusqlite::Result<()> {
    let sql = "UPDATE records SET used = ?3
        WHERE kind = ?1 AND id = ?2 AND (used IS NULL OR used <= ?3 - ?4)";
    let mut statement = connection.prepare_cached(sql)?;
    for (id, at) in used {
        let (kind, name, at) = (id.kind().as_str(), id.name(), at.as_second());
        statement.execute(params![kind, name, at, BETWEEN_USES.as_secs()])?;
    }
    Ok(())
}

/// The record that the columns `kind, id` of a row name.
fn decode_id(row: &Row<'_>, site: &Site) -> Result<RecordId, StoreError> {
    let text = |column| row.get::<_, String>(column);
    let (kind, id) = text(0)
        .and_then(|kind| Ok((kind, text(1)?)))
        .map_err(|error| site.failed(error))?;
    let id = format!("{kind}/{id}");
    id.parse()
        .map_err(|_| site.damaged(format!("`{}` is not a record", id.escape_debug())))
}

/// The record in the columns [`COLUMNS`] of a row, if its seal is whole.
fn decode(row: &Row<'_>, site: &Site) -> Result<Found, StoreError> {
    let failed = |error| site.failed(error);
    let id = decode_id(row, site)?;
    let sequence: i64 = row.get(2).map_err(failed)?;
    let stored_until: Option<i64> = row.get(3).map_err(failed)?;
    let json: String = row.get(4).map_err(failed)?;
    let Stored(found) = row.get(5).map_err(failed)?;
    if seal(&id, sequence, stored_until, &json) != found {
        return Err(site.damaged(format!("{id} does not match its digest")));
    }
    let unreadable = |error| site.damaged(format!("{id} cannot be read: {error}"));
    let content: RecordContent = serde_json::from_str(&json).map_err(unreadable)?;
    if content.kind() != id.kind() || until(&content) != stored_until {
        return Err(site.damaged(format!("{id}: its row says something else than it does")));
    }
    let used: Option<i64> = row.get(6).map_err(failed)?;
    let used = used.map(Timestamp::from_second).transpose();
    let used = used.map_err(|_| site.damaged(format!("{id} was used at no time")))?;
    Ok(Found {
        record: Record {
            changed: Sequence::new(u64::try_from(sequence).unwrap_or(0)),
            content,
            used,
        },
        seal: found,
        id,
    })
}
