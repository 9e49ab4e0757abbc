//! What changes between two maps of values, leaf by leaf.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::value::{Map, Path, count_leaves, leaves};

/// One leaf that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ValueChange {
    /// Where it lies.
    pub path: Path,
    /// What happens to it.
    #[serde(flatten)]
    pub edit: Edit,
}

/// What happens to a leaf.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    // Paths are dear, and most of what is compared is the same, or new.
    if before == after {
        return Vec::new();
    }
    if before.is_empty() {
        let new = leaves(after).into_iter();
        let added = |(path, to): (Path, &Value)| ValueChange {
            path,
            edit: Edit::Added { to: to.clone() },
        };
        return new.map(added).collect();
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

/// How many leaves of `before` are none of `after`.
pub(super) fn removed_leaves(before: &Map, after: &Map) -> usize {
    let removed = |(key, from): (&String, &Value)| match (from, after.get(key)) {
        (Value::Object(from), Some(Value::Object(to))) if !from.is_empty() && !to.is_empty() => {
            removed_leaves(from, to)
        }
        (Value::Object(from), _) if !from.is_empty() => count_leaves(from),
        (_, Some(Value::Object(to))) => usize::from(!to.is_empty()),
        (_, Some(_)) => 0,
        (_, None) => 1,
    };
    before.iter().map(removed).sum()
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

    #[test]
    fn leaves_that_go_are_counted_as_they_are_named() {
        let map = |value: Value| value.as_object().cloned().unwrap_or_default();
        let maps = [
            json!({}),
            json!({"a": 1, "b": {"c": 2, "d": 3}, "e": {"f": 1}, "h": {}}),
            json!({"a": 1, "b": {"c": 4}, "e": 5, "g": [], "h": {"i": 1}}),
            json!({"a": {}, "b": {}, "h": {"i": {"j": 1}}}),
            json!({"a": {"x": 1, "y": {}}, "b": {"d": [1]}}),
        ]
        .map(map);
        for before in &maps {
            assert_eq!(count_leaves(before), leaves(before).len());
            for after in &maps {
                let changes = value_changes(before, after);
                let removed = changes
                    .iter()
                    .filter(|change| matches!(change.edit, Edit::Removed { .. }))
                    .count();
                assert_eq!(
                    removed_leaves(before, after),
                    removed,
                    "{before:?} {after:?}"
                );
            }
        }
    }
}
