//! What changes between two maps of values, leaf by leaf.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::value::{Map, Path, leaves};

/// One leaf that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ValueChange {
    /// Where it lies.
    pub path: Path,
    /// What happens to it.
    #[serde(flatten)]
    pub edit: Edit,
}

/// What happens to a leaf.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", tag = "change")]
pub enum Edit {
    /// It was not there.
    Added {
        /// What it becomes.
        to: Value,
    },
    /// It is no longer there.
    Removed {
        /// What it was.
        from: Value,
    },
    /// It gets another value.
    Changed {
        /// What it was.
        from: Value,
        /// What it becomes.
        to: Value,
    },
}

/// Every leaf in which `before` and `after` differ, by path.
pub fn value_changes(before: &Map, after: &Map) -> Vec<ValueChange> {
    // Paths are dear, and most of what is compared is the same.
    if before == after {
        return Vec::new();
    }
    let mut old: BTreeMap<Path, &Value> = leaves(before).into_iter().collect();
    let mut changes = Vec::new();
    for (path, to) in leaves(after) {
        let edit = match old.remove(&path) {
            Some(from) if from == to => continue,
            Some(from) => Edit::Changed {
                from: from.clone(),
                to: to.clone(),
            },
            None => Edit::Added { to: to.clone() },
        };
        changes.push(ValueChange { path, edit });
    }
    changes.extend(old.into_iter().map(|(path, from)| ValueChange {
        path,
        edit: Edit::Removed { from: from.clone() },
    }));
    changes.sort_by(|a, b| a.path.cmp(&b.path));
    changes
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_leaf_that_differs_is_named_once() {
        let map = |value: Value| value.as_object().cloned().unwrap_or_default();
        let changes = value_changes(
            &map(json!({"a": 1, "b": {"c": 2, "d": 3}, "e": {"f": 1}})),
            &map(json!({"a": 1, "b": {"c": 4}, "e": 5, "g": []})),
        );
        let shown: Vec<_> = changes
            .iter()
            .map(|change| format!("{} {}", change.path, json!(change.edit)))
            .collect();
        assert_eq!(
            shown,
            [
                r#"b.c {"change":"changed","from":2,"to":4}"#,
                r#"b.d {"change":"removed","from":3}"#,
                r#"e {"change":"added","to":5}"#,
                r#"e.f {"change":"removed","from":1}"#,
                r#"g {"change":"added","to":[]}"#,
            ]
        );
    }
}
