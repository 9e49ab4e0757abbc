//! From format 3 to format 4: the log with its seals is made out of the revisions there are.
//!
//! Whatever cannot be read stops it, with nothing changed: it must not be sealed.

use rusqlite::{Connection, params};

use super::append::{Label, append};
use super::log::Record;
use super::rows::{self, Encoded, Texts};
use super::site::Site;
use crate::model::{ResourceId, Revision};
use crate::store::StoreError;

const BEFORE: &str = "
DROP TRIGGER IF EXISTS revisions_are_not_changed;
DROP TRIGGER IF EXISTS revisions_are_not_deleted;
DROP TRIGGER IF EXISTS heads_only_grow;
DROP TRIGGER IF EXISTS heads_are_not_deleted;
ALTER TABLE heads RENAME TO old_heads;
ALTER TABLE revisions RENAME TO old_revisions;
ALTER TABLE commits RENAME TO old_commits;

CREATE TABLE commits (
    sequence INTEGER PRIMARY KEY CHECK (sequence > 0),
    at       TEXT NOT NULL,
    key      TEXT UNIQUE,
    audit    TEXT,
    changes  BLOB NOT NULL,
    heads    TEXT NOT NULL,
    previous BLOB,
    digest   BLOB NOT NULL
) STRICT;

CREATE TABLE revisions (
    kind       TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    version    INTEGER NOT NULL CHECK (version > 0),
    sequence   INTEGER NOT NULL REFERENCES commits (sequence),
    previous   BLOB,
    digest     BLOB    NOT NULL,
    origin     TEXT    NOT NULL,
    content    TEXT    NOT NULL,
    overrides  TEXT,
    provenance TEXT,
    PRIMARY KEY (kind, name, version)
) STRICT;

CREATE INDEX revisions_by_commit ON revisions (sequence);

CREATE TABLE heads (
    kind    TEXT    NOT NULL,
    name    TEXT    NOT NULL,
    version INTEGER NOT NULL,
    digest  BLOB    NOT NULL,
    due     INTEGER,
    PRIMARY KEY (kind, name),
    FOREIGN KEY (kind, name, version) REFERENCES revisions (kind, name, version)
) STRICT, WITHOUT ROWID;

CREATE INDEX heads_by_due ON heads (due) WHERE due IS NOT NULL;

CREATE TRIGGER commits_are_not_changed BEFORE UPDATE ON commits
BEGIN SELECT RAISE(ABORT, 'commits are immutable'); END;

CREATE TRIGGER commits_are_not_deleted BEFORE DELETE ON commits
BEGIN SELECT RAISE(ABORT, 'commits are immutable'); END;

CREATE TRIGGER revisions_are_not_changed BEFORE UPDATE ON revisions
BEGIN SELECT RAISE(ABORT, 'revisions are immutable'); END;

CREATE TRIGGER revisions_are_not_deleted BEFORE DELETE ON revisions
BEGIN SELECT RAISE(ABORT, 'revisions are immutable'); END;

CREATE TRIGGER heads_only_grow BEFORE UPDATE ON heads
WHEN NEW.version <= OLD.version OR NEW.kind <> OLD.kind OR NEW.name <> OLD.name
BEGIN SELECT RAISE(ABORT, 'heads only grow'); END;

CREATE TRIGGER heads_are_not_deleted BEFORE DELETE ON heads
BEGIN SELECT RAISE(ABORT, 'heads only grow'); END;
";

const AFTER: &str = "
DROP TABLE old_heads;
DROP TABLE old_revisions;
DROP TABLE old_commits;
";

/// A revision as format 3 has it.
struct Old {
    id: ResourceId,
    version: i64,
    revision: Revision,
    origin: String,
    content: String,
    overrides: Option<String>,
    provenance: Option<String>,
}

/// Does it, in the transaction of the caller.
pub(super) fn migrate(connection: &Connection, site: &Site) -> Result<(), StoreError> {
    let failed = |error| site.failed(error);
    connection.execute_batch(BEFORE).map_err(failed)?;
    let mut newest: Option<Record> = None;
    // Only the numbers at first: all revisions together may be large.
    for commit in commits(connection).map_err(failed)? {
        let olds: Vec<Old> = commit
            .iter()
            .map(|rowid| old(connection, *rowid, site))
            .collect::<Result<_, _>>()?;
        newest = Some(add(connection, newest.as_ref(), &olds, site)?);
    }
    check_heads(connection, site)?;
    connection.execute_batch(AFTER).map_err(failed)
}

/// The rows of each commit that made any, oldest first.
fn commits(connection: &Connection) -> rusqlite::Result<Vec<Vec<i64>>> {
    let mut commits: Vec<Vec<i64>> = Vec::new();
    let mut last = None;
    let mut statement = connection
        .prepare("SELECT commit_id, rowid FROM old_revisions ORDER BY commit_id, kind, name")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (commit, rowid): (i64, i64) = (row.get(0)?, row.get(1)?);
        match commits.last_mut() {
            Some(rows) if last == Some(commit) => rows.push(rowid),
            _ => commits.push(vec![rowid]),
        }
        last = Some(commit);
    }
    Ok(commits)
}

fn old(connection: &Connection, rowid: i64, site: &Site) -> Result<Old, StoreError> {
    let sql = "SELECT kind, name, version, origin, content, overrides, provenance
        FROM old_revisions WHERE rowid = ?1";
    let failed = |error| site.failed(error);
    let mut statement = connection.prepare_cached(sql).map_err(failed)?;
    let mut rows = statement.query([rowid]).map_err(failed)?;
    let row = rows.next().map_err(failed)?;
    let row = row.ok_or_else(|| site.damaged("a revision is in an index alone"))?;
    let id = rows::decode_id(row, site)?;
    let read = || -> rusqlite::Result<_> {
        Ok((
            row.get(2)?,
            row.get::<_, String>(3)?,
            row.get::<_, String>(4)?,
            row.get::<_, Option<String>>(5)?,
            row.get::<_, Option<String>>(6)?,
        ))
    };
    let (version, origin, content, overrides, provenance) = read().map_err(failed)?;
    let texts = Texts {
        origin: &origin,
        content: &content,
        overrides: overrides.as_deref(),
        provenance: provenance.as_deref(),
    };
    let revision = rows::decode(&id, version, &texts, site)?;
    Ok(Old {
        id,
        version,
        revision,
        origin,
        content,
        overrides,
        provenance,
    })
}

/// Adds the commit that made these revisions.
fn add(
    connection: &Connection,
    newest: Option<&Record>,
    olds: &[Old],
    site: &Site,
) -> Result<Record, StoreError> {
    let mut encoded = Vec::with_capacity(olds.len());
    for old in olds {
        encoded.push((
            &old.revision,
            Encoded {
                id: &old.id,
                version: old.version,
                origin: old.origin.clone(),
                content: old.content.clone(),
                overrides: old.overrides.clone(),
                provenance: old.provenance.clone(),
            },
        ));
    }
    let at = olds.iter().map(|old| old.revision.origin.at).max();
    let label = Label {
        // When it was planned, which is all that is known.
        at: at.unwrap_or_default().to_string(),
        key: None,
        audit: None,
    };
    append(connection, newest, label, &encoded, &[], site)
}

/// Compares the heads that there were with those that the log has led to.
fn check_heads(connection: &Connection, site: &Site) -> Result<(), StoreError> {
    let failed = |error| site.failed(error);
    let sql = "SELECT kind, name, version FROM old_heads
            EXCEPT SELECT kind, name, version FROM heads
        UNION ALL SELECT kind, name, version FROM (SELECT kind, name, version FROM heads
            EXCEPT SELECT kind, name, version FROM old_heads)";
    let mut statement = connection.prepare(sql).map_err(failed)?;
    let mut rows = statement.query(params![]).map_err(failed)?;
    match rows.next().map_err(failed)? {
        None => Ok(()),
        Some(row) => {
            let text = |column| row.get::<_, String>(column).map_err(failed);
            let version: i64 = row.get(2).map_err(failed)?;
            Err(site.damaged(format!(
                "{}/{} version {version}: the head and the newest revision are not the same",
                text(0)?.escape_debug(),
                text(1)?.escape_debug()
            )))
        }
    }
}
