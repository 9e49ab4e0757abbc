//! Metrics: what a server did, and what its store holds, for Prometheus to read.
//!
//! What requests count stands in a table that is made at the start, one row for each route. What
//! follows from the store is written once for each state of it, however often it is read.

use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use jiff::Timestamp;
use prometheus_client::encoding::prometheus_text;

use self::holdings::held;
use self::process::{Moment, Process};
use self::requests::Requests;
use super::counts::Count;
use super::lock::lock;
use crate::api::{Door, Error, ErrorKind, Holdings};
use crate::model::Sequence;

mod family;
mod holdings;
mod process;
mod requests;

pub(super) use process::Elsewhere;
pub(super) use prometheus_text::CONTENT_TYPE;

/// What a server counts, and what it has read of its store.
#[derive(Debug)]
pub(super) struct Metrics {
    pub(super) door: Arc<dyn Door>,
    started: Timestamp,
    /// The newest commit then; `None`: the store did not say.
    pub(super) since: Option<Sequence>,
    pub(super) requests: Arc<Requests>,
    /// Requests that were too many.
    pub(super) too_many: Count,
    /// What the store held when that was written last.
    written: Mutex<Written>,
}

/// What the store held, and its sets as text.
#[derive(Clone, Debug, Default)]
struct Written {
    holdings: Holdings,
    sets: Bytes,
}

impl Metrics {
    /// Nothing yet, of these methods and routes, and of what is behind this `door`.
    pub(super) async fn start(
        door: Arc<dyn Door>,
        routes: impl IntoIterator<Item = (&'static str, &'static str)>,
    ) -> Self {
        // Nothing is as new as that, so the answer comes at once.
        let newest = door.moved(Sequence::new(u64::MAX)).await;
        Self {
            started: door.now(),
            since: newest.ok(),
            door,
            requests: Arc::new(Requests::of(routes)),
            too_many: Count::default(),
            written: Mutex::default(),
        }
    }

    /// All of it as text; without `holdings` those that were there last.
    pub(super) async fn text(
        &self,
        elsewhere: Elsewhere,
        holdings: Option<Holdings>,
    ) -> Result<Vec<u8>, Error> {
        let is_fresh = holdings.is_some();
        let written = match holdings {
            Some(holdings) => self.written(holdings).await?,
            None => lock(&self.written).clone(),
        };
        let moment = Moment {
            elsewhere,
            started: self.started,
            is_fresh,
            sequence: written.holdings.sequence,
            commits: written.holdings.commits,
        };
        let registry = family::registry(Process(Arc::clone(&self.requests), moment));
        let mut text = String::with_capacity(written.sets.len() + (32 << 10));
        prometheus_text::encode(&mut text, &registry).map_err(unwritable)?;
        let mut body = text.into_bytes();
        body.extend_from_slice(&written.sets);
        Ok(body)
    }

    async fn written(&self, holdings: Holdings) -> Result<Written, Error> {
        let mut written = lock(&self.written).clone();
        if written.sets.is_empty() || !Arc::ptr_eq(&written.holdings.sets, &holdings.sets) {
            let sets = Arc::clone(&holdings.sets);
            // Thousands of sets take a moment, in which others are answered.
            let text = tokio::task::spawn_blocking(move || held(&sets)).await;
            let text = text.map_err(|error| Error::of(ErrorKind::Bug, &error))?;
            written.sets = text.map_err(unwritable)?.into();
        }
        written.holdings = holdings;
        *lock(&self.written) = written.clone();
        Ok(written)
    }
}

fn unwritable(error: std::fmt::Error) -> Error {
    Error::of(ErrorKind::Bug, &error)
}
