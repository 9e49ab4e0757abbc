//! The values of a document that were asked for, or the true reason why there are none.

use super::draft::Draft;
use super::fate::{Fate, ImportError, Remedy};
use super::request::{ImportRequest, Layout};
use super::screen::{Scope, is_utf_16};
use super::verify::{self, Verified};
use crate::model::{Key, SpringFormat};

/// Makes values of the document below the prefix.
pub(super) fn values(
    scope: &Scope<'_>,
    request: &ImportRequest,
) -> Result<(Layout, Verified), ImportError> {
    let looks_like = scope.document_layout();
    let key = scope.document_key();
    let asked = request.layout.or(looks_like);
    let (layout, format) = match asked {
        // What looks like neither is told what stands against the more usual of the two.
        Some(Layout::SpringYaml) | None => (Layout::SpringYaml, SpringFormat::Yaml),
        Some(Layout::SpringProperties) => (Layout::SpringProperties, SpringFormat::Properties),
        Some(layout) => {
            let Some(instead) = looks_like else {
                let instead = None;
                return Err(ImportError::NotStructured { layout, instead });
            };
            let as_document = ImportRequest {
                layout: Some(instead),
                ..request.clone()
            };
            values(scope, &as_document)?;
            let instead = Some(instead);
            return Err(ImportError::NotStructured { layout, instead });
        }
    };
    let Some(document) = scope.document() else {
        return Err(if let Some(layout) = asked {
            ImportError::NoDocument { key, layout }
        } else {
            let elsewhere = elsewhere(scope);
            ImportError::NothingToStructure { key, elsewhere }
        });
    };
    let made = verify::verified(scope, request, Draft::Document(format));
    made.map(|verified| (layout, verified)).map_err(|error| {
        let Some(mut reason) = refused(&error, &key) else {
            return error;
        };
        let is_encoded = std::str::from_utf8(&document.value).is_ok();
        if asked.is_none() && is_encoded && !is_utf_16(&document.value) {
            reason.push_str(", and it does not look like properties either");
        }
        let remedy = match looks_like {
            Some(other) if other != layout => Remedy::Layout(other),
            _ if is_encoded => Remedy::KeepText,
            _ => Remedy::Encode,
        };
        ImportError::NoValues {
            key,
            reason,
            remedy,
        }
    })
}

/// What stands against the document itself.
fn refused(error: &ImportError, key: &str) -> Option<String> {
    match error {
        ImportError::Refused { keys, .. } => match keys.get(key) {
            Some(Fate::Refused(reason)) => Some(reason.clone()),
            _ => None,
        },
        _ => None,
    }
}

/// The prefix of a document that lies deeper.
fn elsewhere(scope: &Scope<'_>) -> Option<Key> {
    let mut keys = scope.below.keys();
    keys.find_map(|key| key.strip_suffix("/data")?.parse().ok())
}
