//! Findings: what is wrong with what is declared, and where in it.
//!
//! They are plain data, so that they can come from elsewhere: whoever loaded the files knows their
//! lines.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{ClusterName, ResourceId, SetName};

/// How bad a finding is.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// It works, but perhaps not as meant.
    Warning,
    /// It cannot be used.
    Error,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// A stable word for it, for machines: `layer-unknown-key`.
    pub code: Cow<'static, str>,
    /// What is wrong, a fragment without a period.
    pub message: String,
    /// Where.
    pub at: Spot,
    /// What to say beside the place, if that says more than the message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Other places that belong to it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub related: Vec<Related>,
    /// What to do next, each a fragment without a period.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub help: Vec<String>,
}

/// Another place that belongs to a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Related {
    /// Where.
    pub at: Spot,
    /// What is there, a fragment without a period.
    pub what: String,
}

/// One place in what is declared.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Spot {
    /// The resource.
    pub resource: ResourceId,
    /// The way through its manifest: `["spec", "values", "payment"]`. Items of a list are named by
    /// their index. What it leads to need not be written there: then the innermost part that is
    /// written around it is meant.
    pub path: Vec<String>,
    /// What is meant of the entry to which it leads.
    pub side: Side,
}

/// What is meant of an entry of a manifest.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// Its key.
    Key,
    /// Its value.
    Value,
    /// The file that its value was read from, if that is one of its own.
    File,
}

impl Spot {
    /// What `side` says of the entry at `path` in the manifest of a set.
    pub(super) fn of_set<'a>(
        set: &SetName,
        side: Side,
        path: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        Self {
            resource: ResourceId::Set(set.clone()),
            path: path.into_iter().map(str::to_owned).collect(),
            side,
        }
    }

    /// The key of the entry at `path` in the manifest of a set.
    pub(super) fn key<'a>(set: &SetName, path: impl IntoIterator<Item = &'a str>) -> Self {
        Self::of_set(set, Side::Key, path)
    }

    /// The value at `path` in the manifest of a set.
    pub(super) fn value<'a>(set: &SetName, path: impl IntoIterator<Item = &'a str>) -> Self {
        Self::of_set(set, Side::Value, path)
    }

    /// The value at `path` in the manifest of a cluster.
    pub(super) fn in_cluster<'a>(
        cluster: &ClusterName,
        path: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        Self {
            resource: ResourceId::Cluster(cluster.clone()),
            path: path.into_iter().map(str::to_owned).collect(),
            side: Side::Value,
        }
    }
}

impl Finding {
    /// An error, to be completed with the builders below.
    pub(super) fn error(code: &'static str, at: Spot, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            code: Cow::Borrowed(code),
            message: message.into(),
            at,
            label: None,
            related: Vec::new(),
            help: Vec::new(),
        }
    }

    /// A warning, to be completed with the builders below.
    pub(super) fn warning(code: &'static str, at: Spot, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(code, at, message)
        }
    }

    /// A warning about a resource as a whole.
    pub fn of_resource(code: &'static str, id: &ResourceId, message: impl Into<String>) -> Self {
        let at = Spot {
            resource: id.clone(),
            path: vec!["spec".to_owned()],
            side: Side::Key,
        };
        Self::warning(code, at, message)
    }

    /// With what to say beside the place.
    pub(super) fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// With another place that belongs to it.
    pub(super) fn related(mut self, at: Spot, what: impl Into<String>) -> Self {
        let what = what.into();
        self.related.push(Related { at, what });
        self
    }

    /// With what to do next.
    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_finding_goes_through_json_and_comes_back() {
        let shop = "shop".parse().unwrap();
        let bare = Finding::warning("some-code", Spot::value(&shop, []), "it is odd");
        let full = Finding::error("other-code", Spot::key(&shop, ["spec", "a.b", "0"]), "no")
            .label("here")
            .related(Spot::of_set(&shop, Side::File, ["spec"]), "there")
            .related(
                Spot::in_cluster(&"eu".parse().unwrap(), ["spec"]),
                "and there",
            )
            .help("do this")
            .help("or that");
        for finding in [&bare, &full] {
            let text = serde_json::to_string(finding).unwrap();
            assert_eq!(&serde_json::from_str::<Finding>(&text).unwrap(), finding);
            // Also from a reader, which lends no text to what it makes.
            let read: Finding = serde_json::from_reader(text.as_bytes()).unwrap();
            assert_eq!(&read, finding);
        }
        let written: Value = serde_json::to_value(&bare).unwrap();
        assert_eq!(
            written,
            json!({
                "severity": "warning",
                "code": "some-code",
                "message": "it is odd",
                "at": {"resource": "set/shop", "path": [], "side": "value"},
            })
        );
    }
}
