//! The next commit of the log: its record, its revisions, and the heads after it.

use rusqlite::{Connection, params};

use super::heads::{self, HeadRow};
use super::log::{self, Record};
use super::records::{self, Change};
use super::rows::{Encoded, Standing};
use super::site::Site;
use crate::model::{Digest, Revision};
use crate::store::StoreError;
use crate::store::seal::{Sealer, Sums};

/// What a commit is known by, beside what it changes.
#[derive(Clone, Debug)]
pub(super) struct Label {
    /// When it is made, by the clock of the store.
    pub(super) at: String,
    /// What the caller knows it by.
    pub(super) key: Option<String>,
    /// What the caller wrote beside it, as JSON.
    pub(super) audit: Option<String>,
}

/// One revision on its way into the store.
struct Sealed<'a> {
    row: &'a Encoded<'a>,
    standing: Standing,
    head: HeadRow,
}

/// Adds one commit to the log, which ends with `newest`: new heads for the resources of `rows`, by
/// kind and name, and what becomes of records. What was there before is looked at whole, and nothing is
/// built on what is damaged.
pub(super) fn append(
    connection: &Connection,
    newest: Option<&Record>,
    label: Label,
    rows: &[(&Revision, Encoded<'_>)],
    becoming: &[Change],
    site: &Site,
) -> Result<Record, StoreError> {
    let mut sums = match newest {
        Some(record) => record.sums(site)?,
        None => Sums::default(),
    };
    let last = newest.map_or(0, |record| record.sequence);
    let sequence = last
        .checked_add(1)
        .ok_or_else(|| site.damaged(format!("it has {last} commits")))?;
    let mut changes = Sealer::of("changes");
    let mut sealed = Vec::with_capacity(rows.len());
    for (revision, row) in rows {
        let before = heads::one(connection, row.id, site)?.map(|(head, _)| head);
        let standing = Standing {
            version: row.version,
            sequence,
            previous: before.as_ref().map(|head| head.revision.clone()),
        };
        let seal = standing.seal(row.id, &row.texts());
        changes = log::change(
            changes,
            row.id.kind().as_str(),
            row.id.name(),
            row.version,
            &seal,
        );
        let head = HeadRow::new(row.version, revision, seal);
        if let Some(before) = before {
            sums.subtract(row.id.kind(), &before.seal());
        }
        sums.add(row.id.kind(), &head.seal());
        sealed.push(Sealed {
            row,
            standing,
            head,
        });
    }
    let kept = records::decide(connection, becoming, sequence, &mut sums, site)?;
    let Label { at, key, audit } = label;
    let record = Record {
        sequence,
        at,
        key,
        audit,
        changes: changes.done(),
        records: kept.text,
        heads: serde_json::to_string(&sums).map_err(|error| site.unavailable(error))?,
        previous: newest.map(|record| record.seal.clone()),
        seal: Digest::of(&[]),
    }
    .sealed();
    write(connection, &record, &sealed)
        .and_then(|()| {
            let mut writes = kept.writes.iter();
            writes.try_for_each(|it| it.write(connection))
        })
        .map_err(|error| site.failed(error))?;
    Ok(record)
}

fn write(connection: &Connection, record: &Record, sealed: &[Sealed<'_>]) -> rusqlite::Result<()> {
    record.insert(connection)?;
    let mut revision = connection.prepare_cached(
        "INSERT INTO revisions
            (kind, name, version, sequence, previous, digest,
                origin, content, overrides, provenance)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?;
    for Sealed {
        row,
        standing,
        head,
    } in sealed
    {
        revision.execute(params![
            row.id.kind().as_str(),
            row.id.name(),
            standing.version,
            standing.sequence,
            standing.previous.as_ref().map(Digest::as_bytes),
            head.revision.as_bytes(),
            row.origin,
            row.content,
            row.overrides,
            row.provenance
        ])?;
        head.write(connection, row.id)?;
    }
    Ok(())
}
