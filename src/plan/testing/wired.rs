//! A target in memory behind a wire that tests can cut.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;

use super::key;
use crate::model::{Key, Limits, Observed, Place, SetName, Write};
use crate::target::memory::Memory;
use crate::target::{Health, Target, TargetError};

/// What a wire loses. The writer sees the same: no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lost {
    /// The write never arrives.
    Request,
    /// The write is carried out, and nobody hears of it.
    Answer,
}

/// How a target behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wire {
    /// It answers.
    Fine,
    /// It refuses connections.
    Down,
    /// It never answers.
    Hanging,
    /// It answers reads and never writes.
    HangingWrites,
    /// It lists nothing, and answers everything else.
    Hiding,
    /// It answers reads and denies writes.
    ReadOnly,
    /// It loses the nth write from now, counted from 0.
    Loses(usize, Lost),
}

type Hook = Box<dyn FnOnce(&Memory) + Send>;

/// A target in memory behind a wire.
pub(crate) struct Wired {
    pub(crate) memory: Memory,
    wire: Mutex<Wire>,
    before_write: Mutex<Option<Hook>>,
    /// Everything that it was asked to write.
    pub(crate) writes: AtomicUsize,
    /// Every set that was read, each time.
    pub(crate) looked: Mutex<Vec<SetName>>,
}

impl std::fmt::Debug for Wired {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.memory.fmt(f)
    }
}

impl Wired {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            memory: Memory::new(key("cfgctl")).with_limits(limits),
            wire: Mutex::new(Wire::Fine),
            before_write: Mutex::default(),
            writes: AtomicUsize::new(0),
            looked: Mutex::default(),
        }
    }

    pub(crate) fn set_wire(&self, wire: Wire) {
        *self.wire.lock().unwrap() = wire;
    }

    /// Does something between a plan and its next write.
    pub(crate) fn before_write(&self, hook: impl FnOnce(&Memory) + Send + 'static) {
        *self.before_write.lock().unwrap() = Some(Box::new(hook));
    }

    /// The text of a key; empty if there is none.
    pub(crate) fn text(&self, key: &str) -> String {
        String::from_utf8(self.memory.get(key).unwrap_or_default()).unwrap()
    }

    async fn reach(&self) -> Result<(), TargetError> {
        let wire = *self.wire.lock().unwrap();
        match wire {
            Wire::Fine | Wire::Hiding | Wire::HangingWrites | Wire::ReadOnly | Wire::Loses(..) => {
                Ok(())
            }
            Wire::Down => Err(TargetError::Unreachable {
                location: self.location(),
                source: "connection refused".into(),
            }),
            Wire::Hanging => std::future::pending().await,
        }
    }

    /// What the wire does to this write.
    fn loses(&self) -> Option<Lost> {
        let mut wire = self.wire.lock().unwrap();
        match *wire {
            Wire::Loses(0, lost) => {
                *wire = Wire::Fine;
                Some(lost)
            }
            Wire::Loses(nth, lost) => {
                *wire = Wire::Loses(nth - 1, lost);
                None
            }
            _ => None,
        }
    }
}

#[async_trait]
impl Target for Wired {
    fn location(&self) -> String {
        "wired".to_owned()
    }

    fn snapshot_key(&self, set: &SetName) -> String {
        self.memory.snapshot_key(set)
    }

    async fn limits(&self) -> Result<Limits, TargetError> {
        self.reach().await?;
        self.memory.limits().await
    }

    async fn sets(&self, doubted: &BTreeSet<SetName>) -> Result<BTreeSet<SetName>, TargetError> {
        self.reach().await?;
        if *self.wire.lock().unwrap() == Wire::Hiding {
            return Err(TargetError::Denied {
                location: self.location(),
                reason: "the token may not list".to_owned(),
            });
        }
        self.memory.sets(doubted).await
    }

    async fn observe(&self, place: &Place) -> Result<Observed, TargetError> {
        self.reach().await?;
        self.looked.lock().unwrap().push(place.set.clone());
        self.memory.observe(place).await
    }

    async fn write(&self, write: &Write) -> Result<(), TargetError> {
        self.reach().await?;
        if *self.wire.lock().unwrap() == Wire::HangingWrites {
            std::future::pending::<()>().await;
        }
        if *self.wire.lock().unwrap() == Wire::ReadOnly {
            return Err(TargetError::Denied {
                location: self.location(),
                reason: "the token may not write".to_owned(),
            });
        }
        let hook = self.before_write.lock().unwrap().take();
        if let Some(hook) = hook {
            hook(&self.memory);
        }
        self.writes.fetch_add(1, Ordering::Relaxed);
        let lost = self.loses();
        if lost != Some(Lost::Request) {
            self.memory.write(write).await?;
        }
        match lost {
            None => Ok(()),
            Some(lost) => Err(TargetError::Unknown {
                location: self.location(),
                source: format!("{lost:?} lost by the test").into(),
            }),
        }
    }

    async fn denials(
        &self,
        sets: &BTreeMap<SetName, BTreeSet<Key>>,
    ) -> Result<BTreeMap<SetName, String>, TargetError> {
        self.reach().await?;
        let wire = *self.wire.lock().unwrap();
        let denied = sets.keys().filter(|_| wire == Wire::ReadOnly);
        let denied = denied.map(|set| (set.clone(), "the token may not write".to_owned()));
        Ok(denied.collect())
    }

    async fn health(&self, sets: &BTreeMap<SetName, BTreeSet<Key>>) -> Result<Health, TargetError> {
        self.memory.health(sets).await
    }
}
