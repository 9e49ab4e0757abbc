//! The revisions of one resource: each goes on from the one before it.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::heads;
use super::rows::{self, Found, Stored};
use super::site::Site;
use crate::model::{Digest, ResourceId, Revision};
use crate::store::StoreError;

/// One revision, if there is such a one.
pub(super) fn one(
    connection: &Connection,
    id: &ResourceId,
    version: i64,
    site: &Site,
) -> Result<Option<Revision>, StoreError> {
    let found = newest_first(connection, id, version, version, 1, site)?.pop();
    Ok(found.map(|found| found.revision))
}

/// The newest revisions of `id` before `before`, newest first; `None`: the newest there are.
pub(super) fn page(
    connection: &Connection,
    id: &ResourceId,
    before: Option<i64>,
    limit: i64,
    site: &Site,
) -> Result<Vec<Revision>, StoreError> {
    let newest = before.map_or(i64::MAX, |before| before - 1);
    let found = newest_first(connection, id, 1, newest, limit, site)?;
    if limit > 0 {
        check_top(connection, id, found.first(), newest, site)?;
    }
    for pair in found.windows(2) {
        let [newer, older] = pair else { continue };
        check_link(id, newer, Some(&older.seal), site)?;
    }
    if let Some(oldest) = found.last() {
        let before = seal_before(connection, id, oldest.standing.version, site)?;
        check_link(id, oldest, before.as_ref(), site)?;
    }
    Ok(found.into_iter().map(|found| found.revision).collect())
}

/// Whether `top` is what the revision after it goes on from, and the head if there is none after it.
fn check_top(
    connection: &Connection,
    id: &ResourceId,
    top: Option<&Found>,
    newest: i64,
    site: &Site,
) -> Result<(), StoreError> {
    let after = newest.checked_add(1);
    let next = after.map(|after| next(connection, id, after, site));
    if let Some((version, previous)) = next.transpose()?.flatten() {
        let is_linked = previous.as_ref() == top.map(|top| &top.seal);
        let what = "the revision before it is missing, or another one";
        return if is_linked {
            Ok(())
        } else {
            Err(damaged(id, version, what, site))
        };
    }
    let head = heads::row(connection, id, site)?;
    match (top, head) {
        (Some(top), Some(head)) if top.seal == head.revision => Ok(()),
        (None, None) => Ok(()),
        (Some(top), _) => {
            let what = "it is the newest, and not the head";
            Err(damaged(id, top.standing.version, what, site))
        }
        (None, Some(head)) => {
            let what = "this revision is missing, and it is the head";
            Err(damaged(id, head.version, what, site))
        }
    }
}

/// The version of the oldest revision of `id` from `version` on, and the seal that it goes on from.
fn next(
    connection: &Connection,
    id: &ResourceId,
    version: i64,
    site: &Site,
) -> Result<Option<(i64, Option<Digest>)>, StoreError> {
    let sql = "SELECT version, previous FROM revisions
        WHERE kind = ?1 AND name = ?2 AND version >= ?3 ORDER BY version LIMIT 1";
    connection
        .prepare_cached(sql)
        .and_then(|mut statement| {
            let found = |row: &Row<'_>| {
                let previous: Option<Stored> = row.get(1)?;
                Ok((row.get(0)?, previous.map(|Stored(seal)| seal)))
            };
            let id = params![id.kind().as_str(), id.name(), version];
            statement.query_row(id, found).optional()
        })
        .map_err(|error| site.failed(error))
}

fn check_link(
    id: &ResourceId,
    found: &Found,
    before: Option<&Digest>,
    site: &Site,
) -> Result<(), StoreError> {
    if found.standing.previous.as_ref() == before {
        return Ok(());
    }
    let what = "the revision before it is missing, or another one";
    Err(damaged(id, found.standing.version, what, site))
}

fn damaged(id: &ResourceId, version: i64, what: &str, site: &Site) -> StoreError {
    site.damaged(format!("{id} version {version}: {what}"))
}

/// The seal of the newest revision of `id` before `version`.
fn seal_before(
    connection: &Connection,
    id: &ResourceId,
    version: i64,
    site: &Site,
) -> Result<Option<Digest>, StoreError> {
    let sql = "SELECT digest FROM revisions WHERE kind = ?1 AND name = ?2 AND version < ?3
        ORDER BY version DESC LIMIT 1";
    let found: Option<Stored> = connection
        .prepare_cached(sql)
        .and_then(|mut statement| {
            statement
                .query_row(params![id.kind().as_str(), id.name(), version], |row| {
                    row.get(0)
                })
                .optional()
        })
        .map_err(|error| site.failed(error))?;
    Ok(found.map(|Stored(seal)| seal))
}

/// The newest revisions of `id` from `oldest` to `newest`, newest first; links are not looked at.
fn newest_first(
    connection: &Connection,
    id: &ResourceId,
    oldest: i64,
    newest: i64,
    limit: i64,
    site: &Site,
) -> Result<Vec<Found>, StoreError> {
    let failed = |error| site.failed(error);
    // The primary key, walked backwards.
    let sql = format!(
        "SELECT {} FROM revisions WHERE kind = ?1 AND name = ?2 AND version BETWEEN ?3 AND ?4
            ORDER BY version DESC LIMIT ?5",
        rows::COLUMNS
    );
    let mut statement = connection.prepare_cached(&sql).map_err(failed)?;
    let mut rows = statement
        .query(params![
            id.kind().as_str(),
            id.name(),
            oldest,
            newest,
            limit
        ])
        .map_err(failed)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().map_err(failed)? {
        found.push(rows::decode_row(id, row, 0, site)?);
    }
    Ok(found)
}
