//! Files become manifests. The only module that reads YAML.

use crate::model::{Content, ResourceId};

mod decode;
mod json;
mod limits;
mod load;
mod locate;
mod located;
mod node;
mod parse;
mod place;
mod read;
mod report;
mod scalar;
mod schema;
mod words;
mod write;
pub mod yaml_1_1;

pub use load::{Loaded, ManifestSource, load, written};
pub use locate::locate;
pub use located::{Located, SourceId, Sources, Span};
pub use place::SpanTree;
pub use read::Recursion;
pub(crate) use read::looks_like_utf_16;
pub use report::{Style, show};
pub use schema::json_schema;
pub use words::closest;
pub use write::manifest_of;

/// One resource as a file declares it.
#[derive(Clone, Debug, PartialEq)]
pub struct Manifest {
    /// Its kind and name.
    pub id: ResourceId,
    /// What it says; never a tombstone.
    pub content: Content,
    /// Where the whole document stands; paths start at its top: `["spec", "values", "payment"]`.
    pub places: SpanTree,
    /// Where its JSON Schema stands, if that is in a file of its own.
    pub schema_file: Option<SourceId>,
}

#[cfg(test)]
mod yaml_tests;
