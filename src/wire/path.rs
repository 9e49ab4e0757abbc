//! Paths: where each operation is found.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// The version that names the newest.
pub(crate) const HEAD: &str = "head";

/// What RFC 3986 leaves unreserved stays readable.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The routes, as a router takes them.
#[derive(Debug)]
pub(crate) struct Routes;

impl Routes {
    pub(crate) const PLANS: &str = "/v1/plans";
    pub(crate) const CHANGES: &str = "/v1/changes";
    pub(crate) const CHANGE: &str = "/v1/changes/{id}";
    pub(crate) const STATUS: &str = "/v1/status";
    pub(crate) const DRIFT: &str = "/v1/drift";
    pub(crate) const NAMES: &str = "/v1/names";
    pub(crate) const RESOURCES: &str = "/v1/resources";
    pub(crate) const REVISION: &str = "/v1/sets/{set}/revisions/{version}";
    pub(crate) const SET_REVISIONS: &str = "/v1/sets/{set}/revisions";
    pub(crate) const CLUSTER_REVISIONS: &str = "/v1/clusters/{cluster}/revisions";
    pub(crate) const EXPLANATION: &str = "/v1/sets/{set}/explanation";
    pub(crate) const FLAGS: &str = "/v1/flags";
    pub(crate) const EVALUATION: &str = "/v1/sets/{set}/flags/{flag}/evaluation";
    pub(crate) const BREAKERS: &str = "/v1/breakers";
    pub(crate) const BREAKER: &str = "/v1/sets/{set}/breakers/{breaker}";
    pub(crate) const BREAKER_EVENTS: &str = "/v1/sets/{set}/breakers/{breaker}/events";
    pub(crate) const ALERT_TESTS: &str = "/v1/sets/{set}/breakers/{breaker}/alert-tests";
    pub(crate) const ALERTS: &str = "/v1/alerts";
    pub(crate) const ALERTMANAGER: &str = "/v1/hooks/alertmanager";
    pub(crate) const GRAFANA: &str = "/v1/hooks/grafana";
    pub(crate) const CLUSTERS: &str = "/v1/clusters";
    pub(crate) const CLUSTER: &str = "/v1/clusters/{cluster}";
    pub(crate) const POLICY: &str = "/v1/clusters/{cluster}/policy";
    pub(crate) const CLUSTER_CHECKS: &str = "/v1/cluster-checks";
    pub(crate) const ACCESS: &str = "/v1/access";
    pub(crate) const GRANT_REVISIONS: &str = "/v1/grants/{grant}/revisions";
    pub(crate) const GRANT_REVISION: &str = "/v1/grants/{grant}/revisions/{version}";
    pub(crate) const CLUSTER_REVISION: &str = "/v1/clusters/{cluster}/revisions/{version}";
    pub(crate) const IDENTITY: &str = "/v1/identity";
    pub(crate) const TOKENS: &str = "/v1/tokens";
    pub(crate) const TOKEN_ROTATIONS: &str = "/v1/token-rotations";
    pub(crate) const TOKEN_REVOCATIONS: &str = "/v1/token-revocations";
    pub(crate) const NOTIFICATIONS: &str = "/v1/notifications";
    pub(crate) const EXCHANGE: &str = "/v1/tokens/exchange";
    pub(crate) const INFO: &str = "/.well-known/cfgctl";
    pub(crate) const AUDIT: &str = "/v1/audit";
    pub(crate) const AUDIT_VERIFICATIONS: &str = "/v1/audit-verifications";
    pub(crate) const CHECKPOINT: &str = "/v1/checkpoint";
    pub(crate) const SNAPSHOTS: &str = "/v1/clusters/{cluster}/snapshots";
    pub(crate) const SNAPSHOT: &str = "/v1/clusters/{cluster}/snapshots/{set}";
    pub(crate) const LINEAGE: &str = "/v1/clusters/{cluster}/snapshots/{set}/lineage";
    pub(crate) const NEWS: &str = "/v1/news";
    pub(crate) const OFREP_FLAGS: &str = "/ofrep/v1/evaluate/flags";
    pub(crate) const OFREP_FLAG: &str = "/ofrep/v1/evaluate/flags/{key}";
    pub(crate) const OFREP_SET_FLAGS: &str = "/v1/sets/{set}/ofrep/v1/evaluate/flags";
    pub(crate) const OFREP_SET_FLAG: &str = "/v1/sets/{set}/ofrep/v1/evaluate/flags/{key}";
    pub(crate) const OFREP_CLUSTER_FLAGS: &str =
        "/v1/clusters/{cluster}/sets/{set}/ofrep/v1/evaluate/flags";
    pub(crate) const OFREP_CLUSTER_FLAG: &str =
        "/v1/clusters/{cluster}/sets/{set}/ofrep/v1/evaluate/flags/{key}";
    pub(crate) const OFREP_EVENTS: &str = "/ofrep/v1/events";
    pub(crate) const FLAG_FILE: &str = "/v1/sets/{set}/flags.json";
    pub(crate) const CLUSTER_FLAG_FILE: &str = "/v1/clusters/{cluster}/sets/{set}/flags.json";
    pub(crate) const SPRING: &str = "/spring/{app}/{profiles}";
    pub(crate) const SPRING_LABEL: &str = "/spring/{app}/{profiles}/{label}";
    pub(crate) const METRICS: &str = "/metrics";
    pub(crate) const HEALTHY: &str = "/healthz";
    pub(crate) const READY: &str = "/readyz";
    pub(crate) const OPENAPI: &str = "/openapi.json";
}

/// `route` with `values` in place of what stands in braces, in their order.
pub(crate) fn segment(route: &str, values: &[&str]) -> String {
    let mut values = values.iter();
    let segments = route.split('/').map(|segment| {
        if segment.starts_with('{') {
            let value = values.next().copied().unwrap_or_default();
            utf8_percent_encode(value, ENCODED).to_string()
        } else {
            segment.to_owned()
        }
    });
    segments.collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_named_in_a_path_leads_nowhere_else() {
        assert_eq!(
            segment(Routes::BREAKER, &["shop", "a/../b?c"]),
            "/v1/sets/shop/breakers/a%2F..%2Fb%3Fc"
        );
        assert_eq!(segment(Routes::NAMES, &[]), "/v1/names");
    }
}
