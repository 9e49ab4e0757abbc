//! Pure: keys that others wrote become a set which publishes the same bytes.
//!
//! Nothing is believed here: what was made is written as a manifest, read back, rendered and
//! compared with the original, key by key. A key that would change is left out and named.

use std::collections::BTreeMap;

use crate::manifest::Manifest;
use crate::model::SpringFormat;

mod draft;
mod export;
mod fate;
mod notes;
mod properties;
mod request;
mod screen;
mod structured;
mod tree;
mod verify;

pub use export::{ExportError, MAX_EXPORT_BYTES, read_export};
pub use fate::{Fate, ImportError, Remedy};
pub use request::{ForeignKey, Form, ImportRequest, Layout};
pub use screen::is_beside;

use draft::Draft;
use fate::MAX_KEYS;
use screen::Scope;

/// What was made of the keys.
#[derive(Clone, Debug)]
pub struct Imported {
    /// The manifest, as its text reads.
    pub manifest: Manifest,
    /// The manifest in YAML.
    pub text: String,
    /// How the keys are laid out.
    pub layout: Layout,
    /// What becomes of each key that was looked at.
    pub keys: BTreeMap<String, Fate>,
    /// What a person should know, each a sentence without a period, and without values.
    pub notes: Vec<String>,
}

/// Makes a set of the keys below a prefix. Keys elsewhere are not touched; those right beside the
/// prefix may be files of the same application.
pub fn import(pairs: &[ForeignKey], request: &ImportRequest) -> Result<Imported, ImportError> {
    let scope = Scope::new(pairs, request);
    if scope.below.len() + scope.beside.len() > MAX_KEYS {
        return Err(ImportError::TooMany {
            prefix: request.prefix.clone(),
            found: scope.below.len() + scope.beside.len(),
        });
    }
    if scope.is_empty(request.layout) {
        let prefix = request.prefix.clone();
        return Err(ImportError::Nothing { prefix });
    }
    let (layout, verified) = match (request.form, request.layout) {
        (Form::Structured, _) => structured::values(&scope, request)?,
        (Form::Exact, Some(layout)) => (layout, of_layout(&scope, request, layout)?),
        (Form::Exact, None) => found_out(&scope, request)?,
    };
    let verify::Verified {
        manifest,
        text,
        keys,
        kept,
    } = verified;
    let mut notes = notes::notes(&scope, request, layout, &manifest, &keys);
    notes.extend(kept);
    Ok(Imported {
        manifest,
        text,
        layout,
        keys,
        notes,
    })
}

/// The keys as a layout has them, byte for byte.
fn of_layout(
    scope: &Scope<'_>,
    request: &ImportRequest,
    layout: Layout,
) -> Result<verify::Verified, ImportError> {
    let make = |draft: Draft| verify::verified(scope, request, draft);
    let format = match layout {
        Layout::SpringYaml => SpringFormat::Yaml,
        Layout::SpringProperties => SpringFormat::Properties,
        Layout::SpringKeyValue => return make(Draft::KeyValue),
        Layout::Files => return make(Draft::Files),
        Layout::Keys => return make(Draft::Keys),
    };
    let Some(document) = scope.document() else {
        let key = scope.document_key();
        return Err(ImportError::NoDocument { key, layout });
    };
    // Other keys would have no place in a set that publishes the document.
    let alone = scope.others_than(document).next().is_none();
    let structured = make(Draft::Document(format));
    if let Ok(verified) = &structured
        && verified.is_exact()
    {
        return structured;
    }
    let mut whole = make(Draft::Texts)?;
    whole.kept = Some(notes::kept(&document.key, structured.as_ref(), alone));
    Ok(whole)
}

/// The keys as the layout that they most likely have.
fn found_out(
    scope: &Scope<'_>,
    request: &ImportRequest,
) -> Result<(Layout, verify::Verified), ImportError> {
    let layout = scope.likely_layout();
    if layout != Layout::SpringKeyValue {
        return of_layout(scope, request, layout).map(|verified| (layout, verified));
    }
    let properties = of_layout(scope, request, layout);
    let refused = |verified: &Result<verify::Verified, ImportError>| match verified {
        Ok(verified) => verified.refused(),
        Err(_) => usize::MAX,
    };
    if refused(&properties) == 0 {
        return properties.map(|verified| (layout, verified));
    }
    // What has no place among properties may have one among plain keys.
    let plain = of_layout(scope, request, Layout::Keys);
    if refused(&plain) < refused(&properties) {
        plain.map(|verified| (Layout::Keys, verified))
    } else {
        properties.map(|verified| (layout, verified))
    }
}

#[cfg(test)]
mod tests;
