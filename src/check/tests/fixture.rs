//! Manifests for tests. Goes when `manifest::load` is there: it gives the same lines.

use std::path::PathBuf;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use serde_saphyr::{Location, Spanned};

use crate::manifest::{Manifest, Places, SourceId, Sources, Span};
use crate::model::{Cluster, Content, ResourceId};

/// The manifests of `yaml`, one per document.
pub(super) fn fixture(yaml: &str) -> Vec<Manifest> {
    let source = Sources::default().add(PathBuf::from("test.yaml"), yaml.to_owned());
    let mut line = 0;
    let mut manifests = Vec::new();
    for document in yaml.split("---\n") {
        // Padded, so that lines are those of the whole text.
        let padded = format!("{}{document}", "\n".repeat(line));
        line += document.matches('\n').count() + 1;
        if !document.trim().is_empty() {
            let root: Spanned<Node> = serde_saphyr::from_str(&padded).unwrap();
            manifests.push(manifest(&root, source));
        }
    }
    manifests
}

fn manifest(root: &Spanned<Node>, source: SourceId) -> Manifest {
    let document = root.value.json();
    let name = document["metadata"]["name"].as_str().unwrap();
    let mut spec = document["spec"].clone();
    let (id, content) = if document["kind"] == "Cluster" {
        let labels = document["metadata"].get("labels").cloned();
        let labels = labels.unwrap_or_else(|| Map::new().into());
        let cluster = Cluster {
            labels: serde_json::from_value(labels).unwrap(),
            connection: serde_json::from_value(spec).unwrap(),
        };
        let id = ResourceId::Cluster(name.parse().unwrap());
        (id, Content::Cluster(cluster))
    } else {
        selector(&mut spec["clusters"]);
        for layer in spec["layers"].as_array_mut().into_iter().flatten() {
            selector(&mut layer["when"]);
        }
        let fields = spec.as_object_mut().unwrap();
        fields.retain(|_, value| !value.is_null());
        let content = Content::Set(serde_json::from_value(spec).unwrap());
        (ResourceId::Set(name.parse().unwrap()), content)
    };
    let places = places(span(root.defined, source), root, source);
    Manifest {
        id,
        content,
        places,
        schema_file: None,
    }
}

/// `{region: eu}` → `region=eu`.
fn selector(value: &mut Value) {
    let pairs = value.as_object().into_iter().flatten();
    let pairs: Vec<_> = pairs
        .map(|(key, value)| format!("{key}={}", value.as_str().unwrap()))
        .collect();
    *value = pairs.join(",").into();
}

fn places(key: Span, node: &Spanned<Node>, source: SourceId) -> Places {
    let inside = match &node.value {
        Node::Scalar(_) => Vec::new(),
        Node::List(items) => (items.iter().enumerate())
            .map(|(index, item)| {
                let at = span(item.defined, source);
                (index.to_string(), places(at, item, source))
            })
            .collect(),
        Node::Map(entries) => (entries.iter())
            .map(|(key, value)| {
                let at = span(key.defined, source);
                (key.value.clone(), places(at, value, source))
            })
            .collect(),
    };
    Places {
        key,
        value: span(node.defined, source),
        inside: inside.into_iter().collect(),
    }
}

fn span(location: Location, source: SourceId) -> Span {
    let line = usize::try_from(location.line()).unwrap();
    let column = usize::try_from(location.column()).unwrap();
    let start = line * 1000 + column;
    Span {
        source,
        line,
        column,
        start,
        end: start + 1,
    }
}

#[derive(Debug)]
enum Node {
    Scalar(Value),
    List(Vec<Spanned<Node>>),
    Map(Vec<(Spanned<String>, Spanned<Node>)>),
}

impl Node {
    fn json(&self) -> Value {
        match self {
            Self::Scalar(value) => value.clone(),
            Self::List(items) => items.iter().map(|item| item.value.json()).collect(),
            Self::Map(entries) => (entries.iter())
                .map(|(key, value)| (key.value.clone(), value.value.json()))
                .collect(),
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("YAML")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Scalar(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Scalar(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Scalar(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
        Ok(Node::Scalar(value.into()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Scalar(value.into()))
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Scalar(Value::Null))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Node, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Node::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Node::Map(entries))
    }
}
