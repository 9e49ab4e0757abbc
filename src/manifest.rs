//! Files become manifests. The only module that knows YAML.

mod finding;

pub use finding::{Finding, Severity, SourceId, Sources, Span};
