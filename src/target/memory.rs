//! A target in memory, for tests of what stands above targets. It keeps the whole contract and
//! behaves like a Consul where the contract leaves a choice.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::{Access, Health, Target, TargetError};
use crate::model::{
    self, Act, Auxiliary, AuxiliaryNames, Expected, Fence, Key, Limits, Observed, ObservedEntry,
    ObservedSnapshot, Owner, Place, Read, SetName, Transaction, Write,
};

/// A key-value store in memory.
#[derive(Debug)]
pub struct Memory {
    prefix: Key,
    limits: Limits,
    store: Mutex<Store>,
}

#[derive(Debug, Default)]
struct Store {
    /// Grows with every change, and is what fences are made of.
    index: u64,
    cells: BTreeMap<String, Cell>,
}

#[derive(Clone, Debug)]
struct Cell {
    value: Vec<u8>,
    owner: Owner,
    index: u64,
}

impl Memory {
    /// An empty store whose snapshots lie at `<prefix>/<set>/snapshot`, with the limits of a
    /// Consul before 1.14.
    pub fn new(prefix: Key) -> Self {
        Self {
            prefix,
            limits: Limits::CONSUL,
            store: Mutex::default(),
        }
    }

    /// The same with other limits.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// The value of a key, whoever wrote it; `None` if there is none.
    pub fn get(&self, key: &str) -> Option<Vec<u8>> {
        self.store().cells.get(key).map(|cell| cell.value.clone())
    }

    /// Every key with its value, whoever wrote it.
    pub fn all(&self) -> BTreeMap<String, Vec<u8>> {
        let store = self.store();
        let cells = store.cells.iter();
        cells
            .map(|(key, cell)| (key.clone(), cell.value.clone()))
            .collect()
    }

    /// Writes a key as someone else would: without our mark.
    pub fn put_as_other(&self, key: &str, value: &[u8]) {
        self.store().put(key, value, Owner::Other);
    }

    /// Deletes a key as someone else would; nothing happens if there is none.
    pub fn delete_as_other(&self, key: &str) {
        self.store().delete(key);
    }

    /// Carries out all of one transaction, or nothing of it. `written` holds the states that
    /// earlier ones left.
    fn carry_out(
        &self,
        transaction: &Transaction<'_>,
        written: &mut BTreeMap<String, Fence>,
    ) -> Result<(), TargetError> {
        let mut store = self.store();
        let moved = transaction.operations.iter().filter(|operation| {
            let key = operation.key.as_ref();
            let expected = match operation.expected {
                Expected::Absent => None,
                Expected::At(fence) => Some(fence),
                Expected::Written => written.get(key),
            };
            store.fence(key).as_ref() != expected
        });
        let keys: BTreeSet<String> = moved.map(|operation| operation.key.to_string()).collect();
        if !keys.is_empty() {
            return Err(TargetError::Moved {
                location: self.location(),
                keys: keys.into_iter().collect(),
            });
        }
        for operation in &transaction.operations {
            let key = operation.key.as_ref();
            match &operation.act {
                Act::Check => {}
                Act::Put(value) => {
                    store.put(key, value, Owner::Cfgctl);
                    written.extend(store.fence(key).map(|fence| (key.to_owned(), fence)));
                }
                Act::Delete => store.delete(key),
            }
        }
        Ok(())
    }

    fn store(&self) -> MutexGuard<'_, Store> {
        // A panic while it was held leaves whole cells: nothing panics between two of them.
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store {
    fn put(&mut self, key: &str, value: &[u8], owner: Owner) {
        let same = |cell: &Cell| cell.value == value && cell.owner == owner;
        // As in Consul: writing what is there already is no change.
        if self.cells.get(key).is_some_and(same) {
            return;
        }
        self.index += 1;
        let cell = Cell {
            value: value.to_vec(),
            owner,
            index: self.index,
        };
        self.cells.insert(key.to_owned(), cell);
    }

    fn delete(&mut self, key: &str) {
        if self.cells.remove(key).is_some() {
            self.index += 1;
        }
    }

    fn bytes(&self, key: &str) -> Option<&[u8]> {
        self.cells.get(key).map(|cell| cell.value.as_slice())
    }

    fn auxiliary(&self, names: &AuxiliaryNames) -> Auxiliary {
        let mut auxiliary = Auxiliary::default();
        for (key, cell) in &self.cells {
            let (value, owner, fence) = (cell.value.as_slice(), cell.owner, cell.fence());
            let cell = model::Cell { key, value, owner };
            auxiliary.insert(names, cell, fence, |part| self.bytes(part));
        }
        auxiliary
    }

    fn fence(&self, key: &str) -> Option<Fence> {
        self.cells.get(key).map(Cell::fence)
    }
}

impl Cell {
    fn fence(&self) -> Fence {
        Fence(self.index.to_string())
    }

    fn observed_entry(&self) -> ObservedEntry {
        ObservedEntry {
            value: self.value.clone(),
            unread: None,
            fence: self.fence(),
            owner: self.owner,
        }
    }
}

#[async_trait]
impl Target for Memory {
    fn location(&self) -> String {
        "memory".to_owned()
    }

    fn snapshot_key(&self, set: &SetName) -> String {
        format!("{}/{set}/snapshot", self.prefix)
    }

    async fn limits(&self) -> Result<Limits, TargetError> {
        Ok(self.limits)
    }

    async fn observe(&self, place: &Place) -> Result<Observed, TargetError> {
        let snapshot_key = self.snapshot_key(&place.set);
        let names = AuxiliaryNames::of(&snapshot_key);
        let store = self.store();
        let mut auxiliary = store.auxiliary(&names);
        let snapshot = match store.cells.get(&snapshot_key) {
            None => ObservedSnapshot::Absent,
            Some(cell) => {
                let read = Read::new(&cell.value, &names, |part| store.bytes(part));
                auxiliary.named.extend(read.parts);
                ObservedSnapshot::Present {
                    fence: cell.fence(),
                    owner: cell.owner,
                    document: Box::new(read.document),
                }
            }
        };
        let document = snapshot.document();
        let wanted = |key: &Key| {
            place.keys.contains(key)
                || document.is_some_and(|document| document.keys().contains_key(key))
                || auxiliary.created().any(|created| created == key)
                || place.prefixes.iter().any(|prefix| prefix.contains(key))
        };
        let entries = store
            .cells
            .iter()
            .filter(|(key, _)| **key != snapshot_key && !names.holds(key))
            .filter_map(|(key, cell)| Some((key.parse().ok()?, cell)))
            .filter(|(key, _)| wanted(key))
            .map(|(key, cell)| (key, cell.observed_entry()))
            .collect();
        Ok(Observed {
            snapshot,
            entries,
            auxiliary,
        })
    }

    async fn sets(&self, _: &BTreeSet<SetName>) -> Result<BTreeSet<SetName>, TargetError> {
        let below = self.prefix.below();
        let store = self.store();
        let names = store.cells.keys().filter_map(|key| {
            let (set, _) = key.strip_prefix(below.as_str())?.split_once('/')?;
            set.parse().ok()
        });
        Ok(names.collect())
    }

    async fn write(&self, write: &Write) -> Result<(), TargetError> {
        let snapshot_key = self.snapshot_key(&write.set);
        let transactions = write.transactions(&snapshot_key, self.limits);
        let transactions = transactions.map_err(|reasons| TargetError::TooLarge {
            location: self.location(),
            reasons,
        })?;
        let mut written = BTreeMap::new();
        for transaction in &transactions {
            self.carry_out(transaction, &mut written)?;
            // Others get a turn, as they would with a server.
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    async fn denials(
        &self,
        _: &BTreeMap<SetName, BTreeSet<Key>>,
    ) -> Result<BTreeMap<SetName, String>, TargetError> {
        Ok(BTreeMap::new())
    }

    async fn health(&self, _: &BTreeMap<SetName, BTreeSet<Key>>) -> Result<Health, TargetError> {
        Ok(Health {
            server: "memory".to_owned(),
            limits: self.limits,
            access: Access::Full,
            warnings: Vec::new(),
        })
    }
}
