//! Views: what clients that know nothing of cfgctl ask, in the protocols that they speak.
//!
//! Each is one way to say what a snapshot says: [`ready`] has its flags, as they are evaluated and sent.
//! Which snapshot is meant [`place`] finds out; nothing else here knows where it comes from.

use super::table::{Table, get, post};
use crate::wire::Routes;

pub(super) mod cors;
mod events;
pub(super) mod failure;
mod flagd;
mod ofrep;
mod place;
pub(super) mod places;
pub(super) mod ready;
pub(super) mod routes;
mod spring;
pub(super) mod ticket;

/// Every route of them.
pub(super) fn table() -> Table {
    Table::default()
        .route(Routes::OFREP_FLAGS, post(ofrep::bulk))
        .or_with_slash()
        .route(Routes::OFREP_FLAG, post(ofrep::one))
        .or_with_slash()
        .route(Routes::OFREP_SET_FLAGS, post(ofrep::bulk))
        .or_with_slash()
        .route(Routes::OFREP_SET_FLAG, post(ofrep::one))
        .or_with_slash()
        .route(Routes::OFREP_CLUSTER_FLAGS, post(ofrep::bulk))
        .or_with_slash()
        .route(Routes::OFREP_CLUSTER_FLAG, post(ofrep::one))
        .or_with_slash()
        .route(Routes::OFREP_EVENTS, get(events::events))
        .route(Routes::FLAG_FILE, get(flagd::file))
        .route(Routes::CLUSTER_FLAG_FILE, get(flagd::file))
        .route(Routes::SPRING, get(spring::environment))
        .route(Routes::SPRING_LABEL, get(spring::environment))
}

#[cfg(test)]
mod tests {
    use super::routes::is_of_view;
    use super::*;

    #[test]
    fn every_route_of_a_view_is_known_as_one() {
        assert!(table().rows().iter().all(|(_, route)| is_of_view(route)));
        assert!(!is_of_view(Routes::SNAPSHOT));
    }
}
