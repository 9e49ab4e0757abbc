//! Documents: bodies with `apiVersion` and `kind`, the same that `-o json` prints.

use std::fmt;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::api::report::{Envelope, Report};
use crate::api::{Approval, Described, Proposal, Request};
use crate::model::value::Map;
use crate::model::{API_VERSION, Cluster, ClusterName, ResourceId, SetName};

impl Report for Proposal {
    const KIND: &'static str = "Proposal";
}

/// The names of resources.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Names {
    /// The names.
    pub(crate) names: Vec<ResourceId>,
}

impl Report for Names {
    const KIND: &'static str = "Names";
}

/// One cluster as it is described.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ClusterDescription {
    /// The cluster.
    pub(crate) cluster: Cluster,
}

impl Report for ClusterDescription {
    const KIND: &'static str = "ClusterDescription";
}

/// The body that asks for a change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Carry {
    /// What should change.
    pub(crate) request: Request,
    /// How far that is consented to; left out: as far as the head of the request says.
    #[serde(default)]
    pub(crate) approval: Option<Approval>,
}

/// The body that asks for a token.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Exchange {
    /// What an issuer says of whoever asks.
    pub(crate) jwt: String,
}

/// Nothing of the JWT is shown.
impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange").finish_non_exhaustive()
    }
}

/// The body that asks for a flag's value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct EvaluateBody {
    /// What the application knows of whom it asks for.
    #[serde(default)]
    pub(crate) context: Map,
    /// Only in this cluster.
    #[serde(default)]
    pub(crate) cluster: Option<ClusterName>,
}

/// The body that asks for a cluster among those that are described in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Named {
    /// The clusters.
    pub(crate) described: Described,
}

/// The body that asks for the least policy for what is described in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct PolicyOf {
    /// The sets; none: all.
    #[serde(default)]
    pub(crate) sets: Vec<SetName>,
    /// The clusters and sets.
    pub(crate) described: Described,
}

/// `report` as the bytes of its document.
pub(crate) fn document<R: Report>(report: R) -> Result<Vec<u8>, serde_json::Error> {
    serde_json::to_vec(&Envelope::new(R::KIND, report))
}

/// The report in the bytes of a document, or why there is none.
pub(crate) fn report<R: Report + DeserializeOwned>(bytes: &[u8]) -> Result<R, String> {
    Ok(report_and(bytes, None)?.0)
}

/// The same, and what else the document may have in the field `beside`.
pub(super) fn report_and<R: Report>(
    bytes: &[u8],
    beside: Option<&str>,
) -> Result<(R, Option<serde_json::Value>), String> {
    let not_understood = |error: serde_json::Error| format!("it is no {}: {error}", R::KIND);
    let mut document: Map = serde_json::from_slice(bytes).map_err(not_understood)?;
    for (field, expected) in [("apiVersion", API_VERSION), ("kind", R::KIND)] {
        let found = document.remove(field);
        if found.as_ref().and_then(|found| found.as_str()) != Some(expected) {
            return Err(format!("its `{field}` is not `{expected}`"));
        }
    }
    let beside = beside.and_then(|field| document.remove(field));
    let report = serde_json::from_value(document.into()).map_err(not_understood)?;
    Ok((report, beside))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::report::Clusters;

    #[test]
    fn a_document_says_what_it_is_and_is_nothing_else() {
        let names = Names {
            names: vec!["set/shop".parse().unwrap()],
        };
        let text = document(names.clone()).unwrap();
        assert_eq!(
            String::from_utf8(text.clone()).unwrap(),
            r#"{"apiVersion":"cfgctl.dev/v1","kind":"Names","names":["set/shop"]}"#
        );
        assert_eq!(report::<Names>(&text).unwrap(), names);
        let error = report::<Clusters>(&text).unwrap_err();
        assert_eq!(error, "its `kind` is not `Clusters`");
        for broken in [&b"[]"[..], b"", b"{", br#"{"kind":"Names","names":[]}"#] {
            assert!(report::<Names>(broken).is_err());
        }
        let more = br#"{"apiVersion":"cfgctl.dev/v1","kind":"Names","names":[],"more":1}"#;
        assert!(report::<Names>(more).unwrap_err().contains("more"));
    }
}
