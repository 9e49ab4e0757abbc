//! Events: what happens while something is done, and the observer who hears of it.

use std::fmt;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use super::Proposal;
use crate::model::{ClusterName, SetName};

/// Something that happened, told while work goes on. No decision follows from an event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "event")]
pub enum Event {
    /// There is no store yet; the first commit makes it.
    NoStore,
    /// The first commit made the store.
    StoreMade {
        /// Where.
        location: String,
    },
    /// It starts to look at this many pairs of a set and a cluster.
    Surveying {
        /// How many.
        pairs: usize,
    },
    /// It has looked at one.
    Surveyed,
    /// Some clocks are off.
    Clocks(ClocksOff),
    /// This is about to be done.
    Proposed(Box<Proposal>),
    /// The commit is real.
    Committed,
    /// It starts to write to this many pairs.
    Delivering {
        /// How many.
        pairs: usize,
    },
    /// It is done with one.
    Delivered {
        /// The set.
        set: SetName,
        /// The cluster.
        cluster: ClusterName,
    },
    /// No cluster confirms what time it is that a limit was counted from.
    Unwitnessed,
    /// Something switched by hand is over, and was taken away.
    Expired {
        /// The set.
        set: SetName,
        /// The flag or breaker, with its kind.
        part: String,
    },
    /// The limit of something switched by hand was counted anew: its time was in doubt.
    Recounted {
        /// The set.
        set: SetName,
        /// The flag or breaker, with its kind.
        part: String,
        /// When it is over now.
        until: Timestamp,
    },
    /// What is over could not be taken away.
    NotExpired {
        /// Why not.
        reason: String,
    },
    /// It is committed, and no cluster was looked at.
    NotReconciled {
        /// Why not.
        reason: String,
    },
    /// A cluster could not be looked at for an answer that is given without it.
    Unseen {
        /// The cluster.
        cluster: ClusterName,
        /// Why not.
        reason: String,
    },
}

/// Clocks that are off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClocksOff {
    /// Which, and by how much: the clock of a cluster, or of the machine that asked them.
    pub off: Vec<(Option<ClusterName>, SignedDuration)>,
    /// Whether nobody can tell which clocks are right; then they are compared with that machine's.
    pub undecided: bool,
}

/// Who hears what happens, and can stop it.
#[derive(Clone)]
pub struct Observer {
    hear: Arc<dyn Fn(Event) + Send + Sync>,
    stop: watch::Receiver<bool>,
}

impl Observer {
    /// Tells every event to `hear`. Once `stop` turns true, what runs is finished and nothing new is
    /// begun.
    pub fn new(hear: Arc<dyn Fn(Event) + Send + Sync>, stop: watch::Receiver<bool>) -> Self {
        Self { hear, stop }
    }

    /// Nobody listens, and nobody stops it.
    pub fn nobody() -> Self {
        // Without a sender the value never changes.
        let (_, stop) = watch::channel(false);
        Self::new(Arc::new(|_| ()), stop)
    }

    /// Tells an event.
    pub fn tell(&self, event: Event) {
        (self.hear)(event);
    }

    /// Turns true when whoever asked wants it to stop.
    pub fn stop(&self) -> watch::Receiver<bool> {
        self.stop.clone()
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observer").finish_non_exhaustive()
    }
}
