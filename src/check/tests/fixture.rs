//! Manifests for tests.

use std::path::Path;

use crate::manifest::{Manifest, ManifestSource, load};

/// The manifests of `yaml`, one per document, each without its `apiVersion`.
pub(super) fn fixture(yaml: &str) -> Vec<Manifest> {
    if yaml.is_empty() {
        return Vec::new();
    }
    let whole = yaml
        .split("---\n")
        .map(|document| match document {
            "" => String::new(),
            document => format!("apiVersion: cfgctl.dev/v1\n{document}"),
        })
        .collect::<Vec<_>>()
        .join("---\n");
    let mut text = whole.as_bytes();
    let inputs = vec![ManifestSource::Text("test.yaml".into(), &mut text)];
    let mut loaded = load(inputs, Path::new("/"));
    assert_eq!(loaded.findings, []);
    // Each document got one line that the test does not show.
    for (index, manifest) in loaded.manifests.iter_mut().enumerate() {
        manifest.places.move_up(index + 1);
    }
    loaded.manifests
}
