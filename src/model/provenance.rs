//! Where the values of a revision were written.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::value::Path;
use super::{BreakerName, LayerName};

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
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    flags: Lines,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    breakers: BTreeMap<BreakerName, Lines>,
}

/// The part of a set that a value is declared in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Home<'a> {
    /// The defaults.
    Defaults,
    /// A layer.
    Layer(&'a LayerName),
    /// The flags; the path is the name of one.
    Flags,
    /// What changes while a breaker is open.
    Breaker(&'a BreakerName),
}

impl Provenance {
    /// Nothing but the file so far.
    pub fn new(file: String) -> Self {
        Self {
            file,
            ..Self::default()
        }
    }

    /// Adds that the value at `path` of `home` stands on `line`, from 1.
    pub fn add(&mut self, home: Home<'_>, path: &Path, line: usize) {
        let lines = match home {
            Home::Defaults => &mut self.values,
            Home::Layer(layer) => self.layers.entry(layer.clone()).or_default(),
            Home::Flags => &mut self.flags,
            Home::Breaker(breaker) => self.breakers.entry(breaker.clone()).or_default(),
        };
        lines.insert(path.to_string(), line);
    }

    /// Where the value at `path` of `home` stands: `FILE:LINE`.
    pub fn find(&self, home: Home<'_>, path: &Path) -> Option<String> {
        let lines = match home {
            Home::Defaults => &self.values,
            Home::Layer(layer) => self.layers.get(layer)?,
            Home::Flags => &self.flags,
            Home::Breaker(breaker) => self.breakers.get(breaker)?,
        };
        let line = lines.get(&path.to_string())?;
        Some(format!("{}:{line}", self.file))
    }
}
