//! The revisions of one resource: each goes on from the one before it.

use rusqlite::{Connection, OptionalExtension as _, params};

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

/// The newest revisions of `id`, newest first.
pub(super) fn page(
    connection: &Connection,
    id: &ResourceId,
    limit: i64,
    site: &Site,
) -> Result<Vec<Revision>, StoreError> {
    let found = newest_first(connection, id, 1, i64::MAX, limit, site)?;
    let head = heads::row(connection, id, site)?;
    if let Some(newest) = found.first() {
        let is_head = head.is_some_and(|head| head.revision == newest.seal);
        if !is_head {
            return Err(damaged(
                id,
                newest.standing.version,
                "it is the newest, and not the head",
                site,
            ));
        }
    } else if let Some(head) = head.filter(|_| limit > 0) {
        return Err(damaged(
            id,
            head.version,
            "this revision is missing, and it is the head",
            site,
        ));
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
