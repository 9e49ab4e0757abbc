//! What marks a file as a store of cfgctl, and how older formats become this one.

use rusqlite::{Connection, TransactionBehavior};

use super::format_4;
use super::site::Site;
use crate::store::StoreError;

/// `application_id` of a store: `cfgc` in ASCII, kept in the header of the file. `file(1)` shows
/// it, and no other program's database has it.
const APPLICATION_ID: i64 = 0x6366_6763;

/// What makes format n+1 out of format n.
enum Step {
    Sql(&'static str),
    Code(fn(&Connection, &Site) -> Result<(), StoreError>),
}

/// The steps from an empty file on. Never edited once released, only added to.
///
/// `revisions` keeps its rowid: its rows are large, and without one they would lie in the inner
/// pages of the primary key too. The triggers are a belt: no code here breaks them.
const STEPS: &[Step] = &[
    Step::Sql(
        "
CREATE TABLE commits (
    id INTEGER PRIMARY KEY
) STRICT;

CREATE TABLE revisions (
    kind      TEXT    NOT NULL,
    name      TEXT    NOT NULL,
    version   INTEGER NOT NULL CHECK (version > 0),
    commit_id INTEGER NOT NULL REFERENCES commits (id),
    origin    TEXT    NOT NULL,
    content   TEXT    NOT NULL,
    PRIMARY KEY (kind, name, version)
) STRICT;

CREATE TABLE heads (
    kind    TEXT    NOT NULL,
    name    TEXT    NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (kind, name),
    FOREIGN KEY (kind, name, version) REFERENCES revisions (kind, name, version)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER revisions_are_not_changed BEFORE UPDATE ON revisions
BEGIN SELECT RAISE(ABORT, 'revisions are immutable'); END;

CREATE TRIGGER revisions_are_not_deleted BEFORE DELETE ON revisions
BEGIN SELECT RAISE(ABORT, 'revisions are immutable'); END;

CREATE TRIGGER heads_only_grow BEFORE UPDATE ON heads
WHEN NEW.version <= OLD.version OR NEW.kind <> OLD.kind OR NEW.name <> OLD.name
BEGIN SELECT RAISE(ABORT, 'heads only grow'); END;

CREATE TRIGGER heads_are_not_deleted BEFORE DELETE ON heads
BEGIN SELECT RAISE(ABORT, 'heads only grow'); END;
",
    ),
    Step::Sql("ALTER TABLE revisions ADD COLUMN provenance TEXT"),
    Step::Sql("ALTER TABLE revisions ADD COLUMN overrides TEXT"),
    Step::Code(format_4::migrate),
    Step::Sql(
        "
ALTER TABLE commits ADD COLUMN records TEXT;

CREATE TABLE records (
    kind     TEXT    NOT NULL,
    id       TEXT    NOT NULL,
    sequence INTEGER NOT NULL REFERENCES commits (sequence),
    until    INTEGER,
    content  TEXT    NOT NULL,
    digest   BLOB    NOT NULL,
    used     INTEGER,
    PRIMARY KEY (kind, id)
) STRICT;

CREATE INDEX records_by_commit ON records (sequence);

CREATE INDEX records_by_until ON records (until) WHERE until IS NOT NULL;
",
    ),
];

/// The newest format known here.
const KNOWN: usize = STEPS.len();

/// What the header of a file says it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    application: i64,
    format: i64,
    tables: bool,
}

impl Stamp {
    /// Reads it, without taking a lock that outlives the call.
    pub(super) fn read(connection: &Connection) -> rusqlite::Result<Self> {
        let pragma = |name| connection.pragma_query_value(None, name, |row| row.get(0));
        let (application, format) = (pragma("application_id")?, pragma("user_version")?);
        let tables = application != APPLICATION_ID
            && connection.query_row("SELECT EXISTS (SELECT 1 FROM sqlite_schema)", [], |row| {
                row.get(0)
            })?;
        Ok(Self {
            application,
            format,
            tables,
        })
    }

    /// The format of a store.
    fn format(self, site: &Site) -> Result<usize, StoreError> {
        match self {
            Self {
                application: APPLICATION_ID,
                format,
                ..
            } => match usize::try_from(format) {
                Ok(format) if (1..=KNOWN).contains(&format) => Ok(format),
                Ok(known) if known > KNOWN => Err(StoreError::Newer {
                    found: format,
                    known: number(KNOWN),
                }),
                Ok(_) | Err(_) => Err(site.damaged(format!("its format is {format}"))),
            },
            Self {
                application: 0,
                format: 0,
                tables: false,
            } => Err(site.unusable("it is an empty SQLite database, and no store")),
            _ => Err(site.unusable("it is the SQLite database of another program")),
        }
    }
}

/// Refuses a file that is not a store, or one of a format that is not known here.
pub(super) fn check(stamp: Stamp, site: &Site) -> Result<(), StoreError> {
    stamp.format(site).map(|_| ())
}

/// Refuses to go on in a store that a newer cfgctl has migrated since it was opened.
pub(super) fn check_again(connection: &Connection, site: &Site) -> Result<(), StoreError> {
    let stamp = Stamp::read(connection).map_err(|error| site.failed(error))?;
    check(stamp, site)
}

/// Makes a store of the newest format in an empty file, which nobody else knows.
pub(super) fn create(connection: &mut Connection, site: &Site) -> Result<(), StoreError> {
    let failed = |error| site.failed(error);
    let transaction = connection.transaction().map_err(failed)?;
    for (format, step) in (1..).zip(STEPS) {
        advance(&transaction, step, format, site)?;
    }
    transaction.commit().map_err(failed)
}

/// Refuses a store of an older format, where it cannot be brought to the newest one.
pub(super) fn check_newest(connection: &Connection, site: &Site) -> Result<(), StoreError> {
    let stamp = Stamp::read(connection).map_err(|error| site.failed(error))?;
    match stamp.format(site)? {
        KNOWN => Ok(()),
        older => Err(site.unusable(format!(
            "it has format {older}, and cannot be brought to format {KNOWN} where it cannot be written"
        ))),
    }
}

/// Brings the store to the newest format: each step in a transaction of its own, so that a kill
/// leaves a whole format behind, and any number of processes may do this at once.
pub(super) fn migrate(connection: &mut Connection, site: &Site) -> Result<(), StoreError> {
    let failed = |error| site.failed(error);
    // Only to read first: nearly always there is nothing to do. In one transaction, or the parts of
    // the stamp could be from before and after another process's step.
    let mut format = connection
        .transaction()
        .and_then(|transaction| Stamp::read(&transaction))
        .map_err(failed)?
        .format(site)?;
    while format < KNOWN {
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Exclusive)
            .map_err(failed)?;
        // Another process may have done this step while we waited for the lock.
        format = Stamp::read(&transaction).map_err(failed)?.format(site)?;
        let Some(step) = STEPS.get(format) else {
            break;
        };
        format += 1;
        advance(&transaction, step, format, site)?;
        transaction.commit().map_err(failed)?;
    }
    Ok(())
}

/// Does one step, which leads to `format`.
fn advance(
    connection: &Connection,
    step: &Step,
    format: usize,
    site: &Site,
) -> Result<(), StoreError> {
    let failed = |error| site.failed(error);
    match step {
        Step::Sql(sql) => connection.execute_batch(sql).map_err(failed)?,
        Step::Code(make) => make(connection, site)?,
    }
    connection
        .pragma_update(None, "application_id", APPLICATION_ID)
        .and_then(|()| connection.pragma_update(None, "user_version", number(format)))
        .map_err(failed)
}

/// A format as SQLite counts.
fn number(format: usize) -> i64 {
    i64::try_from(format).unwrap_or(i64::MAX)
}
