//! What the tests of this layer say in a word.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::Local;
use crate::api::report::Report;
use crate::api::{Change, Error, ErrorKind, Pace, Permission, Request};
use crate::engine::Connect;
use crate::model::{Cluster, ClusterName, Connection, Selector};
use crate::plan::testing::key;
use crate::store::Store;
use crate::target::memory::Memory;
use crate::target::{Target, TargetError};

/// The report, which survives JSON.
pub(super) fn asked<R: Report + Debug + PartialEq>(answer: Result<R, Error>) -> R {
    let report = answer.unwrap();
    let text = serde_json::to_string(&report).unwrap();
    assert_eq!(serde_json::from_str::<R>(&text).unwrap(), report, "{text}");
    report
}

/// The error and its hints, which are for whoever asked nonsense.
pub(super) fn refused<R: Debug>(answer: Result<R, Error>) -> String {
    let error = answer.unwrap_err();
    let kinds = [ErrorKind::Invalid, ErrorKind::Absent];
    assert!(kinds.contains(&error.kind), "{error:?}");
    let hints = error.hints.iter();
    hints.fold(error.chain(), |text, hint| format!("{text}; {hint}"))
}

/// Connects to an empty target in memory where the address says so, and to nothing else.
#[derive(Debug)]
struct InMemory;

impl Connect for InMemory {
    fn connect(
        &self,
        name: &ClusterName,
        cluster: &Cluster,
        _: Duration,
    ) -> Result<Arc<dyn Target>, TargetError> {
        match &cluster.connection {
            Connection::Consul(consul) if consul.address.as_deref() == Some("memory") => {
                Ok(Arc::new(Memory::new(key("cfgctl"))))
            }
            _ => Err(TargetError::Configuration {
                location: name.to_string(),
                reason: "the test has no target there".to_owned(),
            }),
        }
    }
}

/// The service over `store`, with targets in memory, at the beginning of 1970.
pub(super) fn local(store: Arc<dyn Store>) -> Local {
    Local::new(store, Arc::new(InMemory), || Timestamp::UNIX_EPOCH)
}

/// A request of `ops@laptop`, which nobody has said anything about.
pub(super) fn request(change: Change) -> Request {
    Request {
        change,
        clusters: Selector::default(),
        consents: BTreeSet::new(),
        dropped: BTreeSet::new(),
        message: None,
        key: None,
        planned: None,
        permission: Permission::Asked,
        pace: pace(),
    }
}

/// A few clusters at once, each for a moment.
pub(super) fn pace() -> Pace {
    Pace {
        clusters_at_once: 4,
        timeout: Duration::from_secs(1),
    }
}
