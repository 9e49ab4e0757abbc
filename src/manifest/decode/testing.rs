//! Fields that the decoder knows, to be compared with the published schema.

use super::{
    DOCUMENT_FIELDS, GRANT_METADATA_FIELDS, METADATA_FIELDS, cluster, grant, runtime, set,
};

/// The definitions of the JSON Schema with the fields that the decoder knows for them.
pub(in crate::manifest) fn known_fields() -> Vec<(&'static str, &'static [&'static str])> {
    vec![
        ("Cluster", DOCUMENT_FIELDS),
        ("ConfigSet", DOCUMENT_FIELDS),
        ("Grant", DOCUMENT_FIELDS),
        ("GrantMetadata", GRANT_METADATA_FIELDS),
        ("GrantSpec", grant::GRANT_FIELDS),
        ("ClusterMetadata", METADATA_FIELDS),
        ("ConfigSetMetadata", METADATA_FIELDS),
        ("ClusterSpec", cluster::CLUSTER_FIELDS),
        ("Consul", cluster::CONSUL_FIELDS),
        ("Token", cluster::TOKEN_FIELDS),
        ("Tls", cluster::TLS_FIELDS),
        ("Limits", cluster::LIMIT_FIELDS),
        ("Directory", cluster::DIRECTORY_FIELDS),
        ("ConfigSetSpec", set::SET_FIELDS),
        ("Layer", set::LAYER_FIELDS),
        ("Publish", set::PUBLISH_FIELDS),
        ("Spring", set::SPRING_FIELDS),
        ("Keys", set::KEYS_FIELDS),
        ("Flagd", set::FLAGD_FIELDS),
        ("FlagDefinition", runtime::FLAG_FIELDS),
        ("Breaker", runtime::BREAKER_FIELDS),
        ("Trip", runtime::TRIP_FIELDS),
        ("ResetAfter", runtime::RESET_FIELDS),
    ]
}
