//! A target behind a bad wire.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use cfgctl::model::{Key, Limits, Observed, Place, SetName, Write};
use cfgctl::target::{Health, Target, TargetError};

/// What the wire loses. The writer sees the same: no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lost {
    /// The write never arrives.
    Request,
    /// The write is carried out, and nobody hears of it.
    Answer,
}

/// Loses one write of a target; everything else goes through.
#[derive(Debug)]
pub(crate) struct Faulty {
    inner: Arc<dyn Target>,
    nth: usize,
    lost: Lost,
    writes: AtomicUsize,
}

impl Faulty {
    /// `nth` counts writes from 0.
    pub(crate) fn new(inner: Arc<dyn Target>, nth: usize, lost: Lost) -> Self {
        Self {
            inner,
            nth,
            lost,
            writes: AtomicUsize::new(0),
        }
    }
}

#[async_trait]
impl Target for Faulty {
    fn location(&self) -> String {
        self.inner.location()
    }

    fn snapshot_key(&self, set: &SetName) -> String {
        self.inner.snapshot_key(set)
    }

    async fn limits(&self) -> Result<Limits, TargetError> {
        self.inner.limits().await
    }

    async fn observe(&self, place: &Place) -> Result<Observed, TargetError> {
        self.inner.observe(place).await
    }

    async fn sets(&self, doubted: &BTreeSet<SetName>) -> Result<BTreeSet<SetName>, TargetError> {
        self.inner.sets(doubted).await
    }

    async fn write(&self, write: &Write) -> Result<(), TargetError> {
        if self.writes.fetch_add(1, Ordering::Relaxed) != self.nth {
            return self.inner.write(write).await;
        }
        if self.lost == Lost::Answer {
            self.inner.write(write).await?;
        }
        Err(TargetError::Unknown {
            location: self.location(),
            source: format!("{:?} lost by the test", self.lost).into(),
        })
    }

    async fn denials(
        &self,
        sets: &BTreeMap<SetName, BTreeSet<Key>>,
    ) -> Result<BTreeMap<SetName, String>, TargetError> {
        self.inner.denials(sets).await
    }

    async fn health(&self, sets: &BTreeMap<SetName, BTreeSet<Key>>) -> Result<Health, TargetError> {
        self.inner.health(sets).await
    }
}
