//! Nothing is written that was not read back, rendered and compared with what was there.

use std::collections::BTreeMap;
use std::path::Path;

use super::draft::{Draft, Made, means_the_same};
use super::fate::{Fate, ImportError};
use super::request::ImportRequest;
use super::screen::Scope;
use crate::check::Severity;
use crate::manifest::{self, Manifest, ManifestSource, manifest_of};
use crate::model::{ConfigSet, Content, Contents, ResourceId, SpringFormat};
use crate::render;
use crate::yaml;

/// How often keys are left out before it is given up: each time at least one is.
const MAX_PASSES: usize = 4;

/// A set that publishes what is there.
#[derive(Clone, Debug)]
pub(super) struct Verified {
    pub(super) manifest: Manifest,
    pub(super) text: String,
    pub(super) keys: BTreeMap<String, Fate>,
    /// Why a document was kept as a text.
    pub(super) kept: Option<String>,
}

impl Verified {
    /// How many keys the set does not have.
    pub(super) fn refused(&self) -> usize {
        let fates = self.keys.values();
        fates
            .filter(|fate| matches!(fate, Fate::Refused(_)))
            .count()
    }

    /// Whether every key is in the set with the bytes that it has.
    pub(super) fn is_exact(&self) -> bool {
        let mut fates = self.keys.values();
        fates.all(|fate| matches!(fate, Fate::SameBytes | Fate::Ignored(_)))
    }
}

/// Makes a set in this way, and makes sure of it.
pub(super) fn verified(
    scope: &Scope<'_>,
    request: &ImportRequest,
    draft: Draft,
) -> Result<Verified, ImportError> {
    let mut refused = BTreeMap::new();
    for _ in 0..MAX_PASSES {
        let made = draft.make(scope, request, &refused);
        if made.expected.is_empty() {
            return Err(ImportError::Refused {
                prefix: request.prefix.clone(),
                keys: made.fates,
            });
        }
        let (manifest, text) = written(request, &made)?;
        let (same, unlike) = compared(&manifest, &made, draft)?;
        if unlike.is_empty() {
            let mut keys = made.fates;
            keys.extend(same);
            return Ok(Verified {
                manifest,
                text,
                keys,
                kept: None,
            });
        }
        let reason = "cfgctl would publish other bytes";
        refused.extend(unlike.into_iter().map(|key| (key, reason.to_owned())));
    }
    Err(ImportError::Unlike {
        reason: "key after key turned out to be different".to_owned(),
    })
}

/// The manifest as its text reads.
fn written(request: &ImportRequest, made: &Made<'_>) -> Result<(Manifest, String), ImportError> {
    let id = ResourceId::Set(request.name.clone());
    let set = ConfigSet {
        clusters: request.clusters.clone(),
        values: made.values.clone(),
        publish: made.publish.clone(),
        ..ConfigSet::default()
    };
    let text = manifest_of(&id, &Content::from(set)).map(|manifest| yaml::to_string(&manifest));
    let text = text.unwrap_or_default();
    let mut bytes = text.as_bytes();
    let inputs = vec![ManifestSource::Text("imported.yaml".into(), &mut bytes)];
    let loaded = manifest::load(inputs, Path::new("/"));
    let errors = loaded.findings.iter();
    let mut codes: Vec<_> = errors
        .filter(|finding| finding.severity == Severity::Error)
        .map(|finding| finding.code.clone())
        .collect();
    codes.dedup();
    match <[Manifest; 1]>::try_from(loaded.manifests) {
        Ok([manifest]) if codes.is_empty() => Ok((manifest, text)),
        Ok(_) | Err(_) => Err(ImportError::Unreadable { codes }),
    }
}

/// The keys that the set publishes as they are, and those that it does not.
fn compared(
    manifest: &Manifest,
    made: &Made<'_>,
    draft: Draft,
) -> Result<(BTreeMap<String, Fate>, Vec<String>), ImportError> {
    let unlike = |reason: String| ImportError::Unlike { reason };
    let set = manifest.content.set();
    let set = set.ok_or_else(|| unlike("it is not a set".to_owned()))?;
    let contents = Contents::of_values(set.values.clone());
    let entries = render::entries(&set.publish, &contents).map_err(|errors| {
        let first = errors.first().map(ToString::to_string);
        unlike(first.unwrap_or_default())
    })?;
    if let Some(key) = entries.keys().find(|key| !made.expected.contains_key(key)) {
        return Err(unlike(format!("it would make the key `{key}`")));
    }
    let format = match draft {
        Draft::Document(format) => format,
        _ => SpringFormat::KeyValue,
    };
    let mut fates = BTreeMap::new();
    let mut wrong = Vec::new();
    for (key, original) in &made.expected {
        match entries.get(key) {
            Some(bytes) if bytes == original.as_bytes() => {
                fates.insert(key.to_string(), Fate::SameBytes);
            }
            Some(bytes) if means_the_same(format, original, bytes) => {
                fates.insert(key.to_string(), Fate::SameValues);
            }
            Some(_) | None => wrong.push(key.to_string()),
        }
    }
    Ok((fates, wrong))
}
