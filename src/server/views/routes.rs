//! Routes of views: how they are told from the others.

use crate::wire::Routes;

/// Whether this is a route of a view.
pub(in crate::server) fn is_of_view(route: &str) -> bool {
    matches!(
        route,
        Routes::OFREP_FLAGS
            | Routes::OFREP_FLAG
            | Routes::OFREP_SET_FLAGS
            | Routes::OFREP_SET_FLAG
            | Routes::OFREP_CLUSTER_FLAGS
            | Routes::OFREP_CLUSTER_FLAG
            | Routes::OFREP_EVENTS
            | Routes::FLAG_FILE
            | Routes::CLUSTER_FLAG_FILE
            | Routes::SPRING
            | Routes::SPRING_LABEL
    )
}
