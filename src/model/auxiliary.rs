//! What cfgctl keeps beside a snapshot key for itself: parts, and the mark of a delivery in batches.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::parts::{self, AuxiliaryNames, Part};
use super::snapshot::Document;
use super::{API_VERSION, Fence, Key, Origin, Owner, Version, value};

/// The `kind` of the mark of a delivery that is under way.
const UNDER_WAY: &str = "Delivery";

/// What a target holds beside the snapshot key for cfgctl's own use. Empty for targets without
/// limits.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Auxiliary {
    /// Everything below the prefix of the parts.
    pub parts: BTreeMap<String, ObservedPart>,
    /// The parts that the snapshot or the mark there names.
    pub named: BTreeSet<String>,
    /// The mark of a delivery in batches that was begun and not finished.
    pub delivering: Option<Box<Delivering>>,
}

/// A part, or what lies in its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ObservedPart {
    /// Its state.
    pub fence: Fence,
    /// Whether it carries our mark.
    pub owner: Owner,
    /// Whether its content is what its name says.
    pub intact: bool,
}

/// The mark of a delivery in batches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Delivering {
    /// Its state.
    pub fence: Fence,
    /// The version that is being delivered.
    pub version: Version,
    /// How that version came to be.
    pub origin: Origin,
    /// Keys that no snapshot there names and that it may have made, as far as that can be read.
    pub created: BTreeSet<Key>,
}

/// A key as a target holds it.
#[derive(Clone, Copy, Debug)]
pub struct Cell<'a> {
    /// Its name.
    pub key: &'a str,
    /// Its bytes.
    pub value: &'a [u8],
    /// Whether it carries our mark.
    pub owner: Owner,
}

impl Auxiliary {
    /// Takes in a key beside the snapshot key; `part` gives the bytes at the key of a part. What
    /// stands at the place of the mark and is none is someone else's.
    pub fn insert<'a>(
        &mut self,
        names: &AuxiliaryNames,
        cell: Cell<'_>,
        fence: Fence,
        part: impl Fn(&str) -> Option<&'a [u8]>,
    ) {
        let Cell { key, value, owner } = cell;
        if key == names.delivering {
            let mark = serde_json::from_slice::<Mark>(value).ok().filter(|mark| {
                owner == Owner::Cfgctl
                    && mark.api_version == API_VERSION
                    && mark.kind == UNDER_WAY
                    && parts::are_sound(&mark.created, names)
            });
            let Some(mark) = mark else { return };
            let created = parts::join(&mark.created, part);
            let created = created.and_then(|bytes| serde_json::from_slice(&bytes).ok());
            self.named
                .extend(mark.created.into_iter().map(|part| part.key));
            self.delivering = Some(Box::new(Delivering {
                fence,
                version: mark.version,
                origin: mark.origin,
                created: created.unwrap_or_default(),
            }));
        } else if key.starts_with(&names.parts) {
            let part = ObservedPart {
                fence,
                owner,
                intact: names.is_part(key, value),
            };
            self.parts.insert(key.to_owned(), part);
        }
    }

    /// Keys that no snapshot names and that an unfinished delivery may have made.
    pub fn created(&self) -> impl Iterator<Item = &Key> {
        let delivering = self.delivering.iter();
        delivering.flat_map(|delivering| &delivering.created)
    }

    /// Whether nothing of ours is there.
    pub fn is_clear(&self) -> bool {
        self.delivering.is_none() && self.own_parts().next().is_none()
    }

    /// The parts that cfgctl wrote.
    pub fn own_parts(&self) -> impl Iterator<Item = (&str, &ObservedPart)> {
        let own = |(_, part): &(&String, &ObservedPart)| part.owner == Owner::Cfgctl;
        let parts = self.parts.iter().filter(own);
        parts.map(|(key, part)| (key.as_str(), part))
    }
}

/// What lies at the key of a delivery that is under way.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Mark {
    api_version: String,
    kind: String,
    version: Version,
    origin: Origin,
    /// The parts of the list of the keys that it makes.
    created: Vec<Part>,
}

impl Mark {
    /// The mark of a delivery of `document`, the list of whose new keys was cut into `created`.
    pub(super) fn of(document: &Document, created: Vec<Part>) -> Vec<u8> {
        value::canonical(&Self {
            api_version: API_VERSION.to_owned(),
            kind: UNDER_WAY.to_owned(),
            version: document.version(),
            origin: document.origin().clone(),
            created,
        })
    }
}
