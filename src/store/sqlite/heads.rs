//! The heads: which revision of each resource is the newest one.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::log;
use super::rows::{self, Found, Stored};
use super::site::Site;
use crate::model::{Digest, Heads, ResourceId, ResourceKind, Revision};
use crate::store::seal::{Sealer, Sums};
use crate::store::{HeadsAt, StoreError, Which};

/// One row of the table of heads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct HeadRow {
    pub(super) version: i64,
    /// The seal of the revision.
    pub(super) revision: Digest,
    /// When the first of its overrides ends, in seconds since 1970.
    pub(super) due: Option<i64>,
}

impl HeadRow {
    /// The row of `revision`, whose seal is given.
    pub(super) fn new(version: i64, revision: &Revision, seal: Digest) -> Self {
        let due = revision.overrides.next_expiry();
        Self {
            version,
            revision: seal,
            due: due.map(Timestamp::as_second),
        }
    }

    /// What it adds to the sum over all heads.
    pub(super) fn seal(&self) -> Digest {
        Sealer::of("head")
            .digest(&self.revision)
            .optional(self.due, Sealer::number)
            .done()
    }

    /// Makes this the head of `id`.
    pub(super) fn write(&self, connection: &Connection, id: &ResourceId) -> rusqlite::Result<()> {
        let sql = "INSERT INTO heads (kind, name, version, digest, due) VALUES (?1, ?2, ?3, ?4, ?5)
            ON CONFLICT (kind, name) DO UPDATE
            SET version = excluded.version, digest = excluded.digest, due = excluded.due";
        connection.prepare_cached(sql)?.execute(params![
            id.kind().as_str(),
            id.name(),
            self.version,
            self.revision.as_bytes(),
            self.due,
        ])?;
        Ok(())
    }

    /// The columns `version, digest, due` from `first` on.
    fn decode(row: &Row<'_>, first: usize) -> rusqlite::Result<Self> {
        let Stored(revision) = row.get(first + 1)?;
        Ok(Self {
            version: row.get(first)?,
            revision,
            due: row.get(first + 2)?,
        })
    }
}

/// The row of the head of `id`, not compared with its revision.
pub(super) fn row(
    connection: &Connection,
    id: &ResourceId,
    site: &Site,
) -> Result<Option<HeadRow>, StoreError> {
    connection
        .prepare_cached("SELECT version, digest, due FROM heads WHERE kind = ?1 AND name = ?2")
        .and_then(|mut statement| {
            statement
                .query_row([id.kind().as_str(), id.name()], |row| {
                    HeadRow::decode(row, 0)
                })
                .optional()
        })
        .map_err(|error| site.failed(error))
}

/// What the head of a resource is joined with; an outer join, which shows a head without its
/// revision.
fn select(condition: &str) -> String {
    let columns: Vec<String> = rows::COLUMNS
        .split(", ")
        .map(|column| format!("revisions.{column}"))
        .collect();
    format!(
        "SELECT heads.kind, heads.name, heads.version, heads.digest, heads.due, {}
            FROM heads LEFT JOIN revisions USING (kind, name, version) {condition}",
        columns.join(", ")
    )
}

/// The head in the columns of [`select`], if it is whole, with its row.
fn decode(row: &Row<'_>, site: &Site) -> Result<(ResourceId, HeadRow, Found), StoreError> {
    let failed = |error| site.failed(error);
    let id = rows::decode_id(row, site)?;
    let head = HeadRow::decode(row, 2).map_err(failed)?;
    let version: Option<i64> = row.get(5).map_err(failed)?;
    if version.is_none() {
        return Err(site.damaged(format!(
            "{id} version {}: this revision is missing, and it is the head",
            head.version
        )));
    }
    let found = rows::decode_row(&id, row, 5, site)?;
    if found.seal != head.revision || found.standing.version != head.version {
        return Err(site.damaged(format!(
            "{id} version {}: it is the head under another digest",
            head.version
        )));
    }
    if head != HeadRow::new(head.version, &found.revision, found.seal.clone()) {
        return Err(site.damaged(format!(
            "{id} version {}: the head says that something of it ends at another time",
            head.version
        )));
    }
    Ok((id, head, found))
}

/// The heads of `which`, and the newest commit.
pub(super) fn read(
    connection: &Connection,
    which: &Which,
    site: &Site,
) -> Result<HeadsAt, StoreError> {
    let newest = log::newest(connection, site)?;
    let sums = match &newest {
        Some(record) => record.sums(site)?,
        None => Sums::default(),
    };
    let mut heads = match which {
        Which::All => every(connection, &ResourceKind::ALL, &sums, site)?,
        Which::Clusters => every(connection, &[ResourceKind::Cluster], &sums, site)?,
        Which::Grants => every(connection, &[ResourceKind::Grant], &sums, site)?,
        Which::Named(ids) => named(connection, ids.iter(), site)?,
        Which::Around(ids) => {
            let mut heads = every(connection, &[ResourceKind::Cluster], &sums, site)?;
            heads.extend(named(connection, ids.iter(), site)?);
            heads
        }
        Which::DueBefore(at) => named(connection, due(connection, *at, site)?.iter(), site)?,
    };
    // The index knows whole seconds.
    heads.retain(|id, head| which.has(id, head));
    Ok(HeadsAt {
        sequence: log::number(newest.map_or(0, |record| record.sequence)),
        heads,
    })
}

/// All heads of these kinds, which together must be those that the newest commit left. Those of
/// kinds that nobody knows are damage.
fn every(
    connection: &Connection,
    kinds: &[ResourceKind],
    expected: &Sums,
    site: &Site,
) -> Result<Heads, StoreError> {
    let failed = |error| site.failed(error);
    let sql = match kinds {
        [kind] => select(&format!("WHERE heads.kind = '{}'", kind.as_str())),
        _ => select(""),
    };
    let mut heads = Heads::new();
    let mut sums = Sums::default();
    let mut statement = connection.prepare_cached(&sql).map_err(failed)?;
    let mut rows = statement.query([]).map_err(failed)?;
    while let Some(row) = rows.next().map_err(failed)? {
        let (id, head, found) = decode(row, site)?;
        sums.add(id.kind(), &head.seal());
        heads.insert(id, found.revision);
    }
    for kind in kinds {
        if sums.of(*kind) != expected.of(*kind) {
            return Err(lost(connection, &heads, *kind, site));
        }
    }
    Ok(heads)
}

fn named<'a>(
    connection: &Connection,
    ids: impl Iterator<Item = &'a ResourceId>,
    site: &Site,
) -> Result<Heads, StoreError> {
    let mut heads = Heads::new();
    for id in ids {
        if let Some((_, found)) = one(connection, id, site)? {
            heads.insert(id.clone(), found.revision);
        }
    }
    Ok(heads)
}

/// The resources with an override whose time is over at `at` or in the same second.
fn due(connection: &Connection, at: Timestamp, site: &Site) -> Result<Vec<ResourceId>, StoreError> {
    let failed = |error| site.failed(error);
    let sql = "SELECT kind, name FROM heads WHERE due IS NOT NULL AND due <= ?1";
    let mut statement = connection.prepare_cached(sql).map_err(failed)?;
    let mut rows = statement.query([at.as_second()]).map_err(failed)?;
    let mut ids = Vec::new();
    while let Some(row) = rows.next().map_err(failed)? {
        ids.push(rows::decode_id(row, site)?);
    }
    Ok(ids)
}

/// What is wrong with heads that are whole each for itself, and not together.
fn lost(connection: &Connection, heads: &Heads, kind: ResourceKind, site: &Site) -> StoreError {
    let find = || -> rusqlite::Result<Option<(String, i64)>> {
        let sql = "SELECT name, max(version) FROM revisions WHERE kind = ?1 GROUP BY name";
        let mut statement = connection.prepare_cached(sql)?;
        let mut rows = statement.query([kind.as_str()])?;
        while let Some(row) = rows.next()? {
            let (name, version): (String, i64) = (row.get(0)?, row.get(1)?);
            let head = format!("{}/{name}", kind.as_str()).parse::<ResourceId>();
            let head = head.ok().and_then(|id| heads.get(&id));
            let head = head.and_then(|head| i64::try_from(head.version.get()).ok());
            if head != Some(version) {
                return Ok(Some((name, version)));
            }
        }
        Ok(None)
    };
    match find() {
        Ok(Some((name, version))) => site.damaged(format!(
            "{}/{} version {version} is not the head, and it is the newest",
            kind.as_str(),
            name.escape_debug()
        )),
        Ok(None) => site.damaged(format!(
            "its {}s are not those that its newest commit left",
            kind.as_str()
        )),
        Err(error) => site.failed(error),
    }
}

/// The head of `id`, compared with all that is known of it: whole, and the newest revision.
pub(super) fn one(
    connection: &Connection,
    id: &ResourceId,
    site: &Site,
) -> Result<Option<(HeadRow, Found)>, StoreError> {
    let failed = |error| site.failed(error);
    let sql = select("WHERE heads.kind = ?1 AND heads.name = ?2");
    let mut statement = connection.prepare_cached(&sql).map_err(failed)?;
    let mut rows = statement
        .query([id.kind().as_str(), id.name()])
        .map_err(failed)?;
    let found = match rows.next().map_err(failed)? {
        Some(row) => Some(decode(row, site)?),
        None => None,
    };
    let newest: Option<i64> = connection
        .prepare_cached("SELECT max(version) FROM revisions WHERE kind = ?1 AND name = ?2")
        .and_then(|mut statement| {
            statement.query_row([id.kind().as_str(), id.name()], |row| row.get(0))
        })
        .map_err(failed)?;
    let version = found.as_ref().map(|(_, head, _)| head.version);
    if let Some(newest) = newest.filter(|newest| Some(*newest) != version) {
        return Err(site.damaged(format!(
            "{id} version {newest} is not the head, and it is the newest"
        )));
    }
    Ok(found.map(|(_, head, found)| (head, found)))
}
