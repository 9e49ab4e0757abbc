//! Connections that only read: none of them holds up a commit, and none waits for one.

use std::io;
use std::sync::{Mutex, PoisonError};

use rusqlite::Connection;

use super::connection::harden;
use super::site::Site;
use super::{file, schema};
use crate::store::StoreError;

/// How many are kept for the next reader.
const IDLE: usize = 8;

/// How often a file that cannot be locked is read again because somebody wrote to it meanwhile.
const ROUNDS: usize = 5;

/// The readers of one store.
#[derive(Debug)]
pub(super) struct Readers {
    idle: Mutex<Vec<Connection>>,
    /// Whether locks can be taken beside the file.
    can_lock: bool,
}

impl Readers {
    pub(super) fn new(can_lock: bool) -> Self {
        Self {
            idle: Mutex::default(),
            can_lock,
        }
    }

    /// Reads in one transaction, which is one moment in time. `work` may be done again.
    pub(super) fn read<T>(
        &self,
        site: &Site,
        work: impl Fn(&Connection, &Site) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        if !self.can_lock {
            return read_sealed(site, work);
        }
        let idle = self.lock().pop();
        let mut connection = match idle {
            Some(connection) => connection,
            None => open(site, file::connect_to_read(site))?,
        };
        let result = at_one_moment(&mut connection, site, work);
        let mut idle = self.lock();
        if idle.len() < IDLE {
            idle.push(connection);
        }
        result
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        // What is in here is whole at any time.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn open(site: &Site, connected: rusqlite::Result<Connection>) -> Result<Connection, StoreError> {
    let failed = |error| site.failed(error);
    let connection = connected.map_err(failed)?;
    harden(&connection).map_err(failed)?;
    Ok(connection)
}

fn at_one_moment<T>(
    connection: &mut Connection,
    site: &Site,
    work: impl Fn(&Connection, &Site) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let transaction = connection
        .transaction()
        .map_err(|error| site.failed(error))?;
    schema::check_again(&transaction, site)?;
    work(&transaction, site)
}

/// Reads where neither the file nor anything beside it can be written. SQLite then cannot lock, so
/// whatever it read while somebody else wrote is read again.
fn read_sealed<T>(
    site: &Site,
    work: impl Fn(&Connection, &Site) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let traces = || file::traces(site).map_err(|error| site.unavailable(error));
    for _ in 0..ROUNDS {
        let before = traces()?;
        // With a log the file alone is not the store; SQLite can read both if the log has an index.
        let connected = if before.has_log() {
            file::connect_to_read(site)
        } else {
            file::connect_sealed(site)
        };
        let mut connection = open(site, connected)?;
        let result = at_one_moment(&mut connection, site, &work);
        if before.has_log() || traces()? == before {
            return result;
        }
    }
    Err(site.unavailable(io::Error::other("others write to it all the time")))
}
