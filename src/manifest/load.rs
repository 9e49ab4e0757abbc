//! Inputs become manifests.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::decode::{self, Decoded};
use super::limits::Limits;
use super::read::{Reader, Recursion, Text};
use super::{Located, Manifest, Sources, Span, parse};
use crate::check::Severity;
use crate::model::ResourceId;
use crate::yaml;

/// Where manifests come from.
pub enum ManifestSource<'r> {
    /// A file, or a directory of files.
    Path(PathBuf, Recursion),
    /// Standard input, or what stands for it in a test.
    Stdin(&'r mut dyn Read),
    /// A text that is in no file, such as a revision of the store, under this name.
    Text(PathBuf, &'r mut dyn Read),
}

impl fmt::Debug for ManifestSource<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path, recursion) => {
                f.debug_tuple("Path").field(path).field(recursion).finish()
            }
            Self::Stdin(_) => f.write_str("Stdin"),
            Self::Text(name, _) => f.debug_tuple("Text").field(name).finish_non_exhaustive(),
        }
    }
}

/// Everything that was read.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    /// The texts, for showing findings.
    pub sources: Sources,
    /// The manifests in the order of the inputs, one for each name. With errors among the
    /// findings some are missing, and the rest are good for nothing but more checks.
    pub manifests: Vec<Manifest>,
    /// What is wrong so far.
    pub findings: Vec<Located>,
}

impl Loaded {
    /// Whether any finding is an error, so that nothing may be done with the manifests.
    pub fn has_errors(&self) -> bool {
        self.findings
            .iter()
            .any(|finding| finding.severity == Severity::Error)
    }
}

/// Reads every input to its end and reports everything that is wrong with any of them. Relative
/// paths start from `cwd`, which is absolute. Time and memory are bounded whatever the inputs are.
pub fn load(inputs: Vec<ManifestSource<'_>>, cwd: &Path) -> Loaded {
    load_within(inputs, cwd, Limits::default())
}

/// A manifest that is in no file, written as text that is called `name` and loaded again, so that
/// what is found in it has lines.
pub fn written(name: PathBuf, manifest: &Value) -> Loaded {
    let text = yaml::to_string(manifest);
    let mut bytes = text.as_bytes();
    // The schema stands inside, so no other file is looked for.
    load(vec![ManifestSource::Text(name, &mut bytes)], Path::new("/"))
}

pub(super) fn load_within(inputs: Vec<ManifestSource<'_>>, cwd: &Path, limits: Limits) -> Loaded {
    let mut reader = Reader::new(cwd, limits);
    let mut decoded = Vec::new();
    for input in inputs {
        match input {
            ManifestSource::Stdin(input) => {
                if let Some(text) = reader.stdin(input) {
                    decode_all(&text, &mut reader, &mut decoded);
                }
            }
            ManifestSource::Text(name, input) => {
                if let Some(text) = reader.named(&name, input) {
                    decode_all(&text, &mut reader, &mut decoded);
                }
            }
            ManifestSource::Path(path, recursion) => {
                for name in reader.files(&path, recursion) {
                    if let Some(text) = reader.file(&name) {
                        decode_all(&text, &mut reader, &mut decoded);
                    }
                }
            }
        }
    }
    let manifests = unique(decoded, &mut reader.findings);
    let mut loaded = Loaded {
        sources: reader.sources,
        manifests,
        findings: reader.findings,
    };
    if loaded.manifests.is_empty() && !loaded.has_errors() {
        loaded.findings.push(
            Located::error(
                "no-manifests",
                None,
                "there are no manifests in what was given",
            )
            .help("name files or directories with -f, or `-` for standard input"),
        );
    }
    loaded
}

fn decode_all(text: &Text, reader: &mut Reader<'_>, decoded: &mut Vec<Decoded>) {
    let (documents, findings) = parse::documents(
        text.source,
        reader.sources.text(text.source),
        reader.limits,
        &mut reader.spent,
    );
    reader.findings.extend(findings);
    for document in &documents {
        decoded.extend(decode::decode(document, &text.beside, reader));
    }
}

/// One manifest for each name; the others are reported.
fn unique(decoded: Vec<Decoded>, findings: &mut Vec<Located>) -> Vec<Manifest> {
    let mut named: BTreeMap<ResourceId, Span> = BTreeMap::new();
    let mut manifests = Vec::new();
    for Decoded {
        id,
        named_at,
        manifest,
    } in decoded
    {
        if let Some(first) = named.get(&id) {
            findings.push(
                Located::error(
                    "duplicate-resource",
                    Some(named_at),
                    format!("`{id}` is declared twice"),
                )
                .label("again here")
                .related(*first, "first here")
                .help("keep one of the two, or give one of them another name"),
            );
            continue;
        }
        named.insert(id, named_at);
        manifests.extend(manifest);
    }
    manifests
}

#[cfg(test)]
#[path = "load_tests.rs"]
mod tests;
