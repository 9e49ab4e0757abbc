//! What the references of a schema lead to.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;
use serde_json::Value;

/// The parts of a schema that others can refer to by a name.
#[derive(Debug)]
pub(super) struct Refs<'s> {
    root: &'s Value,
    /// The parts that have an `$id`, with its last segment.
    resources: Vec<(&'s str, &'s Value)>,
    anchors: BTreeMap<&'s str, Vec<&'s Value>>,
}

impl<'s> Refs<'s> {
    pub(super) fn of(root: &'s Value) -> Self {
        let mut refs = Self {
            root,
            resources: Vec::new(),
            anchors: BTreeMap::new(),
        };
        refs.collect(root);
        refs
    }

    pub(super) fn root(&self) -> &'s Value {
        self.root
    }

    /// Whether there are schemas inside the schema, with names of their own. What is compiled
    /// depends on the way to it then.
    pub(super) fn are_nested(&self) -> bool {
        (self.resources.iter()).any(|(_, resource)| !std::ptr::eq(*resource, self.root))
    }

    /// Every part that `reference` may mean, wherever it stands; none if it leads out of the schema
    /// or to nothing.
    pub(super) fn targets(&self, reference: &str) -> Vec<&'s Value> {
        let (base, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        let fragment = percent_decode_str(fragment).decode_utf8_lossy();
        let mut targets: Vec<&'s Value> = Vec::new();
        let mut add = |target: &'s Value| {
            if !targets.iter().any(|known| std::ptr::eq(*known, target)) {
                targets.push(target);
            }
        };
        if !fragment.is_empty() && !fragment.starts_with('/') {
            let named = self.anchors.get(fragment.as_ref());
            named.into_iter().flatten().for_each(|target| add(target));
            return targets;
        }
        let wanted = last_segment(base);
        let is_relative = matches!(wanted, "" | "." | "..");
        let own = is_relative.then_some(self.root);
        let others = (self.resources.iter())
            .filter(|(id, _)| is_relative || *id == wanted)
            .map(|(_, resource)| *resource);
        for base in own.into_iter().chain(others) {
            if let Some(target) = base.pointer(&fragment) {
                add(target);
            }
        }
        targets
    }

    fn collect(&mut self, part: &'s Value) {
        match part {
            Value::Object(map) => {
                if let Some(id) = map.get("$id").and_then(Value::as_str) {
                    self.resources.push((last_segment(id), part));
                }
                for keyword in ["$anchor", "$dynamicAnchor"] {
                    if let Some(name) = map.get(keyword).and_then(Value::as_str) {
                        self.anchors.entry(name).or_default().push(part);
                    }
                }
                map.values().for_each(|value| self.collect(value));
            }
            Value::Array(items) => items.iter().for_each(|item| self.collect(item)),
            _ => {}
        }
    }
}

/// Two names of one schema have the same last segment, however they are resolved.
fn last_segment(id: &str) -> &str {
    let id = id.split_once('#').map_or(id, |(id, _)| id);
    id.rsplit('/').next().unwrap_or(id)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn pointers_anchors_and_names_are_followed() {
        let schema = json!({
            "$id": "https://example.com/shop.json",
            "$defs": {
                "a b": {"$anchor": "here"},
                "other": {"$id": "other.json", "$defs": {"x": {"type": "integer"}}},
            },
        });
        let refs = Refs::of(&schema);
        let found = |reference: &str| refs.targets(reference);
        assert_eq!(found("#"), [&schema, &schema["$defs"]["other"]]);
        assert_eq!(found("#/$defs/a%20b"), [&schema["$defs"]["a b"]]);
        assert_eq!(found("#here"), [&schema["$defs"]["a b"]]);
        assert_eq!(found("shop.json#/$defs/a%20b"), [&schema["$defs"]["a b"]]);
        let x = &schema["$defs"]["other"]["$defs"]["x"];
        assert_eq!(found("https://example.com/other.json#/$defs/x"), [x]);
        assert_eq!(found("#/$defs/x"), [x]);
        assert!(found("https://example.com/nowhere.json").is_empty());
        assert!(found("#/$defs/none").is_empty());
        assert!(refs.are_nested());
    }
}
