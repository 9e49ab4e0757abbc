//! Where the values of a revision were written.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::LayerName;
use super::value::Path;

/// Lines by the path of a leaf, as [`Path`] writes it.
type Lines = BTreeMap<String, usize>;

/// The file that a revision was applied from, and the line of each of its values.
///
/// It says how a revision came to be and is no part of its content: the same values from another
/// file are no change.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Provenance {
    file: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    values: Lines,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    layers: BTreeMap<LayerName, Lines>,
}

impl Provenance {
    /// Nothing but the file so far.
    pub fn new(file: String) -> Self {
        Self {
            file,
            ..Self::default()
        }
    }

    /// Adds that the value at `path` of the defaults, or of a layer, stands on `line`, from 1.
    pub fn add(&mut self, layer: Option<&LayerName>, path: &Path, line: usize) {
        let lines = match layer {
            None => &mut self.values,
            Some(layer) => self.layers.entry(layer.clone()).or_default(),
        };
        lines.insert(path.to_string(), line);
    }

    /// Where the value at `path` of the defaults, or of a layer, stands: `FILE:LINE`.
    pub fn find(&self, layer: Option<&LayerName>, path: &Path) -> Option<String> {
        let lines = match layer {
            None => &self.values,
            Some(layer) => self.layers.get(layer)?,
        };
        let line = lines.get(&path.to_string())?;
        Some(format!("{}:{line}", self.file))
    }
}
