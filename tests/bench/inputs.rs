//! The sets and clusters that are measured.

use std::fmt::{self, Write as _};
use std::fs;

use serde_json::{Map, Value, json};

use crate::measure::User;
use crate::support::consul::unique_prefix;

/// As long as the values of the floors that were measured for the consul command.
const VALUE_BYTES: usize = 100;
/// Leaves in one map, as people group them.
const GROUP: usize = 20;

/// How a set reaches its application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// One YAML document with this many leaves.
    Document(usize),
    /// This many leaves, a key each.
    Keys(usize),
    /// This many leaves in the snapshot only, so that clusters can share a Consul.
    Snapshot(usize),
}

impl Shape {
    pub(crate) fn leaves(self) -> usize {
        match self {
            Self::Document(leaves) | Self::Keys(leaves) | Self::Snapshot(leaves) => leaves,
        }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Document(leaves) => write!(f, "{leaves} leaves as one document"),
            Self::Keys(leaves) => write!(f, "{leaves} leaves as keys"),
            Self::Snapshot(leaves) => write!(f, "{leaves} leaves"),
        }
    }
}

/// Sets and clusters that nobody else uses.
#[derive(Debug)]
pub(crate) struct World {
    /// Below it lies everything in every Consul.
    pub(crate) prefix: String,
    pub(crate) shape: Shape,
    sets: usize,
    clusters: usize,
    addresses: Vec<String>,
    /// What the first value of the first set ends with.
    change: usize,
}

impl World {
    /// One set in the clusters at `addresses`.
    pub(crate) fn one(shape: Shape, addresses: &[String]) -> Self {
        Self::new(shape, 1, addresses.len(), addresses)
    }

    /// Many sets in many clusters, which share the Consuls at `addresses`.
    pub(crate) fn many(sets: usize, leaves: usize, addresses: &[String], clusters: usize) -> Self {
        Self::new(Shape::Snapshot(leaves), sets, clusters, addresses)
    }

    /// Many sets in one cluster that is a directory.
    pub(crate) fn in_a_directory(sets: usize, leaves: usize) -> Self {
        Self::new(Shape::Snapshot(leaves), sets, 1, &[])
    }

    fn new(shape: Shape, sets: usize, clusters: usize, addresses: &[String]) -> Self {
        Self {
            prefix: unique_prefix(),
            shape,
            sets,
            clusters,
            addresses: addresses.to_vec(),
            change: 0,
        }
    }

    /// The same at a place of its own.
    pub(crate) fn afresh(&mut self) {
        self.prefix = unique_prefix();
    }

    /// Gives one key another value.
    pub(crate) fn change(&mut self, number: usize) {
        self.change = number + 1;
    }

    /// The leaves of the first set: path and value.
    pub(crate) fn leaves(&self) -> Vec<(String, String)> {
        (0..self.shape.leaves())
            .map(|leaf| {
                let path = format!("group{:03}/key{leaf:04}", leaf / GROUP);
                (path, self.value(0, leaf))
            })
            .collect()
    }

    /// How many bytes these are.
    pub(crate) fn bytes(&self) -> usize {
        let leaves = self.leaves();
        leaves
            .iter()
            .map(|(path, value)| path.len() + value.len())
            .sum()
    }

    fn value(&self, set: usize, leaf: usize) -> String {
        let change = if set == 0 && leaf == 0 {
            self.change
        } else {
            0
        };
        format!(
            "{:0VALUE_BYTES$}",
            set * 1_000_000_000 + leaf * 1_000 + change
        )
        .replace("000000", "abcdef")
    }

    /// Writes everything to the directory `world` of this user.
    pub(crate) fn write(&self, user: &User) {
        let directory = user.home().join("world");
        fs::create_dir_all(&directory).expect("a directory");
        let clusters: String = (0..self.clusters)
            .map(|index| self.cluster(index))
            .collect();
        fs::write(directory.join("clusters.yaml"), clusters).expect("a file");
        for index in 0..self.sets {
            let path = directory.join(format!("set{index:04}.yaml"));
            fs::write(path, self.set(index)).expect("a file");
            if self.has_schemas() {
                let path = directory.join(schema_of(index));
                fs::write(path, self.schema(index)).expect("a file");
            }
        }
    }

    fn cluster(&self, index: usize) -> String {
        let delivery = match self.addresses.as_slice() {
            [] => "directory:\n    path: out\n".to_owned(),
            addresses => format!(
                "consul:\n    address: {}\n    prefix: {}/cfgctl{index}\n",
                addresses[index % addresses.len()],
                self.prefix
            ),
        };
        format!(
            "---\napiVersion: cfgctl.dev/v1\nkind: Cluster\nmetadata:\n  name: cluster{index:03}\n  \
             labels: {{stage: prod}}\nspec:\n  {delivery}"
        )
    }

    fn set(&self, index: usize) -> String {
        let schema = if self.has_schemas() {
            format!("  schema: {}\n", schema_of(index))
        } else {
            String::new()
        };
        let mut text = format!(
            "apiVersion: cfgctl.dev/v1\nkind: ConfigSet\nmetadata:\n  name: set{index:04}\nspec:\n  \
             clusters: {{stage: prod}}\n{schema}  values:\n"
        );
        for leaf in 0..self.shape.leaves() {
            if leaf % GROUP == 0 {
                _ = writeln!(text, "    group{:03}:", leaf / GROUP);
            }
            _ = writeln!(text, "      key{leaf:04}: \"{}\"", self.value(index, leaf));
        }
        let prefix = &self.prefix;
        match self.shape {
            Shape::Document(_) => {
                _ = writeln!(
                    text,
                    "  publish:\n    - spring: {{context: {prefix}/config/set{index}}}"
                );
            }
            Shape::Keys(_) => {
                _ = writeln!(
                    text,
                    "  publish:\n    - keys: {{prefix: {prefix}/app/set{index}}}"
                );
            }
            Shape::Snapshot(_) => {}
        }
        text
    }

    /// Whether the values are checked too, as no rival does: not where there are rivals, nor where
    /// there are more sets than files with schemas may have values in all.
    fn has_schemas(&self) -> bool {
        matches!(self.shape, Shape::Snapshot(_)) && !self.addresses.is_empty()
    }

    /// What allows exactly these keys. No two are equal, as no two sets of people have the same.
    fn schema(&self, index: usize) -> String {
        let object = |properties: Map<String, Value>| {
            let required: Vec<_> = properties.keys().cloned().collect();
            json!({"type": "object", "additionalProperties": false, "required": required, "properties": properties})
        };
        let leaves: Vec<usize> = (0..self.shape.leaves()).collect();
        let groups = leaves.chunks(GROUP).enumerate().map(|(group, leaves)| {
            let key = |leaf: &usize| {
                let rule = json!({"type": "string", "minLength": 1, "maxLength": 200});
                (format!("key{leaf:04}"), rule)
            };
            let keys = object(leaves.iter().map(key).collect());
            (format!("group{group:03}"), keys)
        });
        let mut schema = object(groups.collect());
        schema["title"] = json!(format!("set{index:04}"));
        schema.to_string()
    }
}

fn schema_of(index: usize) -> String {
    format!("set{index:04}.schema.json")
}
