//! `kind: ConfigSet`.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::node::{Entry, Kind, Node};
use super::{Decoder, Fields};
use crate::manifest::{Located, Span};
use crate::model::{ConfigSet, Key, Labels, Layer, LayerName, Publish, Selector, SpringFormat};

/// The fields of `spec`.
pub(super) const SET_FIELDS: &[&str] = &[
    "clusters", "schema", "values", "layers", "flags", "breakers", "publish",
];
/// The fields of a layer.
pub(super) const LAYER_FIELDS: &[&str] = &["name", "when", "values"];
/// The ways to publish.
pub(super) const PUBLISH_FIELDS: &[&str] = &["spring", "keys", "flagd"];
/// The fields of `spring`.
pub(super) const SPRING_FIELDS: &[&str] = &["context", "format", "atomic"];
/// The formats of `spring`.
pub(super) const SPRING_FORMATS: &[&str] = &["yaml", "properties", "key-value"];
/// The fields of `keys`.
pub(super) const KEYS_FIELDS: &[&str] = &["prefix", "atomic"];
/// The fields of `flagd`.
pub(super) const FLAGD_FIELDS: &[&str] = &["key"];

impl Decoder<'_, '_> {
    /// The set that `spec` describes; nothing if a mistake leaves no telling.
    pub(super) fn set(
        &mut self,
        spec: Option<&Entry>,
        labels: Option<Labels>,
    ) -> Option<ConfigSet> {
        let spec = spec?;
        let fields = self.known_fields(&spec.value, spec.at, "the spec of a set", SET_FIELDS)?;
        let clusters = match fields.get("clusters") {
            Some(entry) => self.selector(entry),
            None => Some(Selector::default()),
        };
        let schema = match fields.get("schema") {
            Some(entry) => self.schema(entry).map(Some),
            None => Some(None),
        };
        let values = self.required(fields, "values");
        let values = values.and_then(|entry| self.values(entry));
        let layers = match fields.get("layers") {
            Some(entry) => self.layers(entry),
            None => Some(Vec::new()),
        };
        let flags = match fields.get("flags") {
            Some(entry) => self.flags(entry),
            None => Some(BTreeMap::new()),
        };
        let breakers = match fields.get("breakers") {
            Some(entry) => self.breakers(entry),
            None => Some(BTreeMap::new()),
        };
        let publish = match fields.get("publish") {
            Some(entry) => self.publish(entry),
            None => Some(Vec::new()),
        };
        Some(ConfigSet {
            labels: labels?,
            clusters: clusters?,
            schema: schema?,
            values: values?,
            layers: layers?,
            flags: flags?,
            breakers: breakers?,
            publish: publish?,
        })
    }

    fn schema(&mut self, entry: &Entry) -> Option<Value> {
        match &entry.value.kind {
            Kind::Map(_) => entry.value.value(),
            Kind::Scalar(Value::String(path)) => {
                let (file, schema) = self.reader.schema(path, self.beside, entry.value.span)?;
                self.schema_file = Some(file);
                Some(schema)
            }
            Kind::Scalar(_) | Kind::List(_) | Kind::Broken => {
                self.wrong_type(&entry.value, entry.at, "a JSON Schema or the path of one");
                None
            }
        }
    }

    fn layers(&mut self, entry: &Entry) -> Option<Vec<Layer>> {
        let mut named: BTreeMap<LayerName, Span> = BTreeMap::new();
        let mut layers = Some(Vec::new());
        for node in self.list(entry)? {
            let layer = self.layer(node, &mut named);
            match (&mut layers, layer) {
                (Some(layers), Some(layer)) => layers.push(layer),
                _ => layers = None,
            }
        }
        layers
    }

    fn layer(&mut self, node: &Node, named: &mut BTreeMap<LayerName, Span>) -> Option<Layer> {
        let fields = self.known_fields(node, start_of(node), "a layer", LAYER_FIELDS)?;
        let entry = self.required(fields, "name");
        let name = entry.and_then(|entry| self.parsed::<LayerName>(entry, "invalid-name"));
        if let (Some(entry), Some(name)) = (entry, &name) {
            if let Some(first) = named.get(name) {
                self.add(
                    Located::error(
                        "duplicate-layer",
                        Some(entry.value.span),
                        format!("two layers are named `{name}`"),
                    )
                    .label("again here")
                    .related(*first, "first here")
                    .help("give one of them another name"),
                );
            } else {
                named.insert(name.clone(), entry.value.span);
            }
        }
        let when = self.required(fields, "when");
        let when = when.and_then(|entry| self.selector(entry));
        let values = self.required(fields, "values");
        let values = values.and_then(|entry| self.values(entry));
        Some(Layer {
            name: name?,
            when: when?,
            values: values?,
        })
    }

    fn publish(&mut self, entry: &Entry) -> Option<Vec<Publish>> {
        let mut ways = Some(Vec::new());
        for node in self.list(entry)? {
            let way = self.way(node);
            match (&mut ways, way) {
                (Some(ways), Some(way)) => ways.push(way),
                _ => ways = None,
            }
        }
        ways
    }

    fn way(&mut self, node: &Node) -> Option<Publish> {
        let fields = self.known_fields(node, start_of(node), "`publish`", PUBLISH_FIELDS)?;
        let [entry] = fields.entries else {
            self.add(
                Located::error(
                    "wrong-type",
                    Some(node.span),
                    "each item of `publish` has exactly one key",
                )
                .help("write one item each: `- spring: {context: …}`, `- keys: {prefix: …}`"),
            );
            return None;
        };
        match entry.key.as_str() {
            "spring" => {
                let fields =
                    self.known_fields(&entry.value, entry.at, "`spring`", SPRING_FIELDS)?;
                self.spring(fields)
            }
            "keys" => {
                let fields = self.known_fields(&entry.value, entry.at, "`keys`", KEYS_FIELDS)?;
                let prefix = self.required(fields, "prefix");
                let prefix = prefix.and_then(|entry| self.parsed::<Key>(entry, "invalid-key"));
                let atomic = self.atomic(fields);
                Some(Publish::Keys {
                    prefix: prefix?,
                    atomic: atomic?,
                })
            }
            "flagd" => {
                let fields = self.known_fields(&entry.value, entry.at, "`flagd`", FLAGD_FIELDS)?;
                let key = self.required(fields, "key")?;
                let key = self.parsed::<Key>(key, "invalid-key")?;
                Some(Publish::Flagd { key })
            }
            _ => None,
        }
    }

    fn spring(&mut self, fields: Fields<'_>) -> Option<Publish> {
        let context = self.required(fields, "context");
        let context = context.and_then(|entry| self.parsed::<Key>(entry, "invalid-key"));
        let format = match fields.get("format") {
            None => Some(SpringFormat::default()),
            Some(entry) => self
                .one_of(entry, "format", SPRING_FORMATS)
                .map(|word| match word {
                    "properties" => SpringFormat::Properties,
                    "key-value" => SpringFormat::KeyValue,
                    _ => SpringFormat::Yaml,
                }),
        };
        let atomic = self.atomic(fields);
        if let (Some(entry), Some(false)) = (fields.get("atomic"), atomic)
            && format.is_some_and(|format| format != SpringFormat::KeyValue)
        {
            let message = "a document at one key always changes at once";
            self.add(
                Located::error("unknown-value", Some(entry.value.span), message)
                    .help("take `atomic` out; only `format: key-value` can do without"),
            );
            return None;
        }
        Some(Publish::Spring {
            context: context?,
            format: format?,
            atomic: atomic?,
        })
    }

    fn atomic(&mut self, fields: Fields<'_>) -> Option<bool> {
        let Some(entry) = fields.get("atomic") else {
            return Some(true);
        };
        if let Kind::Scalar(Value::Bool(atomic)) = &entry.value.kind {
            return Some(*atomic);
        }
        self.wrong_type(&entry.value, entry.at, "true or false");
        None
    }
}

/// Where a missing field of an item is shown: at the first of those that are there.
fn start_of(node: &Node) -> Span {
    match &node.kind {
        Kind::Map(entries) => entries.first().map_or(node.span, |entry| entry.at),
        _ => node.span,
    }
}
