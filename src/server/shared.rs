//! What every request shares.

use std::num::NonZeroU32;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::Mutex;

use super::feed::Feed;
use super::keeper::Keeper;
use super::metrics::Metrics;
use super::notary::Notary;
use super::rate::Rate;
use super::room::Rooms;
use super::runs::Runs;
use super::upkeep::Keeping;
use super::views::cors::Origins;
use super::views::places::Places;
use super::vouchers::Vouchers;
use crate::api::{Error, Service};

/// What every request shares.
#[derive(Clone, Debug)]
pub(super) struct Shared(Arc<Parts>);

#[derive(Debug)]
pub(super) struct Parts {
    pub(super) service: Arc<dyn Service>,
    pub(super) keeper: Arc<Keeper>,
    pub(super) notary: Arc<Notary>,
    pub(super) vouchers: Vouchers,
    pub(super) runs: Arc<Runs>,
    pub(super) upkeep: Arc<Keeping>,
    pub(super) feed: Feed,
    pub(super) rate: Rate,
    pub(super) rooms: Rooms,
    pub(super) metrics: Metrics,
    /// The origins of pages that may ask for flags.
    pub(super) origins: Origins,
    pub(super) places: Places,
    /// What the store said last when it was asked whether it answers, and when.
    pub(super) ready: Mutex<Option<(Instant, Result<(), Error>)>>,
}

impl Shared {
    pub(super) fn new(
        service: Arc<dyn Service>,
        (keeper, notary, feed): (Arc<Keeper>, Arc<Notary>, Feed),
        vouchers: Vouchers,
        (runs, upkeep): (Arc<Runs>, Arc<Keeping>),
        (per_second, metrics): (NonZeroU32, Metrics),
        origins: Origins,
    ) -> Self {
        Self(Arc::new(Parts {
            service,
            keeper,
            notary,
            vouchers,
            runs,
            upkeep,
            feed,
            rate: Rate::of(per_second),
            rooms: Rooms::default(),
            metrics,
            origins,
            places: Places::default(),
            ready: Mutex::default(),
        }))
    }
}

impl Deref for Shared {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}
