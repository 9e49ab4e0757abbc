//! Selectors: a map of labels, or text as on the command line.

use std::collections::BTreeSet;

use serde_json::Value;

use super::super::node::{Entry, Kind};
use super::Decoder;
use crate::model::{Requirement, Selector, check_label_key, check_label_value};

impl Decoder<'_, '_> {
    /// `stage=prod,region!=us`, `{stage: prod}` or `{stage: [prod, test]}`.
    pub(super) fn selector(&mut self, entry: &Entry) -> Option<Selector> {
        match &entry.value.kind {
            Kind::Scalar(Value::String(_)) => self.parsed(entry, "invalid-selector"),
            Kind::Map(entries) => {
                let requirements: Vec<_> = entries
                    .iter()
                    .map(|entry| self.requirement(entry))
                    .collect();
                requirements
                    .into_iter()
                    .collect::<Option<Vec<_>>>()
                    .map(Selector::new)
            }
            Kind::Scalar(_) | Kind::List(_) | Kind::Broken => {
                self.wrong_type(&entry.value, entry.at, "a map of labels or a selector");
                None
            }
        }
    }

    fn requirement(&mut self, entry: &Entry) -> Option<Requirement> {
        let key = check_label_key(&entry.key);
        if let Err(error) = &key {
            self.report("invalid-label", entry.at, error);
        }
        let nodes = match &entry.value.kind {
            Kind::List(nodes) if nodes.is_empty() => {
                self.report(
                    "invalid-selector",
                    entry.value.span,
                    &"an empty list matches no cluster",
                );
                return None;
            }
            Kind::List(nodes) => nodes.as_slice(),
            Kind::Scalar(_) | Kind::Map(_) | Kind::Broken => std::slice::from_ref(&entry.value),
        };
        let mut values = Some(BTreeSet::new());
        for node in nodes {
            let text = self.text_of(node, entry.at);
            let checked = text.map(check_label_value);
            if let (Some(Err(error)), Some(text)) = (&checked, text) {
                self.invalid_label(node.span, error, text);
            }
            match (&mut values, checked, text) {
                (Some(values), Some(Ok(())), Some(text)) => {
                    values.insert(text.to_owned());
                }
                _ => values = None,
            }
        }
        key.ok()?;
        Some(Requirement::In(entry.key.clone(), values?))
    }
}
