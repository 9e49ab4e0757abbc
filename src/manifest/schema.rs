//! The JSON Schema of manifests, for editors.

/// The JSON Schema (2020-12) of one manifest, as text. It knows the structure; what needs more than
/// one value to judge is known to the decoder and the checks alone.
pub fn json_schema() -> &'static str {
    include_str!("schema.json")
}

#[cfg(test)]
#[path = "schema_tests.rs"]
mod tests;
