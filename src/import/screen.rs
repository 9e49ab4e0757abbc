//! Which keys are meant, how they look, and which of them no set can hold.

use std::collections::{BTreeMap, BTreeSet};

use super::fate::Fate;
use super::request::{ForeignKey, ImportRequest, Layout};
use super::{properties, tree};
use crate::manifest::{looks_like_utf_16, yaml_1_1};
use crate::model::Key;

/// The key below a context that Spring reads whole documents from.
const DOCUMENT: &str = "data";
/// What Spring and git2consul take for files.
const ENDINGS: [&str; 3] = [".yml", ".yaml", ".properties"];
/// How deep keys may lie below the prefix: manifests end at 64 levels, with some of their own.
const MAX_SEGMENTS: usize = 48;

/// Whether `key` may be a file beside `prefix` that belongs to it: `config/checkout.yml` and
/// `config/checkout-prod.yml` to `config/checkout`.
pub fn is_beside(prefix: &Key, key: &str) -> bool {
    let rest = key.strip_prefix(prefix.as_str()).unwrap_or_default();
    rest.starts_with(['.', '-']) && !rest.contains('/') && is_file(rest)
}

fn is_file(key: &str) -> bool {
    ENDINGS.iter().any(|ending| key.ends_with(ending))
}

/// The keys that an import is about.
#[derive(Debug)]
pub(super) struct Scope<'a> {
    prefix: &'a Key,
    /// Below the prefix.
    pub(super) below: BTreeMap<&'a str, &'a ForeignKey>,
    /// Files right beside it.
    pub(super) beside: BTreeMap<&'a str, &'a ForeignKey>,
    /// Whether the prefix itself is a key.
    pub(super) itself: bool,
}

impl<'a> Scope<'a> {
    pub(super) fn new(pairs: &'a [ForeignKey], request: &'a ImportRequest) -> Self {
        let prefix = &request.prefix;
        let mut scope = Self {
            prefix,
            below: BTreeMap::new(),
            beside: BTreeMap::new(),
            itself: false,
        };
        let below = prefix.below();
        for pair in pairs {
            let key = pair.key.as_str();
            if key.starts_with(below.as_str()) {
                // As for `consul kv import`, the last of several counts.
                scope.below.insert(key, pair);
            } else if is_beside(prefix, key) {
                scope.beside.insert(key, pair);
            } else if key == prefix.as_str() {
                scope.itself = true;
            }
        }
        scope
    }

    /// Whether there is nothing for this layout.
    pub(super) fn is_empty(&self, layout: Option<Layout>) -> bool {
        let files = matches!(layout, None | Some(Layout::Files));
        self.below.is_empty() && (self.beside.is_empty() || !files)
    }

    pub(super) fn document_key(&self) -> String {
        format!("{}/{DOCUMENT}", self.prefix)
    }

    /// What Spring would read as a whole document.
    pub(super) fn document(&self) -> Option<&'a ForeignKey> {
        self.below.get(self.document_key().as_str()).copied()
    }

    /// The layout whose document the key for one looks like, if any. It may be one of which no
    /// values can be made.
    pub(super) fn document_layout(&self) -> Option<Layout> {
        let text = std::str::from_utf8(&self.document()?.value).ok()?;
        if yaml_1_1::looks_like_map(text) && !properties::has_no_colons(text) {
            Some(Layout::SpringYaml)
        } else if properties::looks_like(text) {
            Some(Layout::SpringProperties)
        } else {
            None
        }
    }

    /// The keys beside a document.
    pub(super) fn others_than(
        &self,
        document: &ForeignKey,
    ) -> impl Iterator<Item = &'a ForeignKey> {
        let key = document.key.clone();
        let pairs = self.below.values().copied();
        pairs.filter(move |pair| pair.key != key && !is_folder(pair))
    }

    /// The layout that the keys look like.
    pub(super) fn likely_layout(&self) -> Layout {
        if let Some(layout) = self.document_layout() {
            return layout;
        }
        let mut keys = self.below.keys();
        if self.below.is_empty() || keys.clone().any(|key| is_file(key)) {
            return Layout::Files;
        }
        let is_item = |key: &&str| key.split('/').any(|part| tree::indexed(part).is_some());
        // The prefix that Spring has unless it is told another.
        let is_springs = self.prefix.segments().next() == Some("config");
        if is_springs || keys.any(is_item) {
            Layout::SpringKeyValue
        } else {
            Layout::Keys
        }
    }
}

/// Whether a key is what the web interface of Consul makes for a folder.
fn is_folder(pair: &ForeignKey) -> bool {
    pair.key.ends_with('/') && pair.value.is_empty()
}

/// Whether bytes are likely text in UTF-16, and not just some bytes.
pub(super) fn is_utf_16(bytes: &[u8]) -> bool {
    bytes.len() > 2 && bytes.len().is_multiple_of(2) && looks_like_utf_16(bytes)
}

/// A key that a set can hold, if nothing else stands against it.
#[derive(Debug)]
pub(super) struct Usable<'a> {
    pub(super) key: Key,
    /// Below the base.
    pub(super) path: Vec<String>,
    pub(super) text: &'a str,
}

/// Tells the keys that a set can hold below `base` from the others. What `refused` names is out
/// already.
pub(super) fn screened<'a>(
    pairs: impl IntoIterator<Item = &'a ForeignKey>,
    base: &Key,
    refused: &BTreeMap<String, String>,
    fates: &mut BTreeMap<String, Fate>,
) -> Vec<Usable<'a>> {
    let mut usable = Vec::new();
    for pair in pairs {
        match judged(pair, base, refused) {
            Ok(found) => usable.push(found),
            Err(fate) => {
                fates.insert(pair.key.clone(), fate);
            }
        }
    }
    let folders: BTreeSet<Vec<String>> = usable
        .iter()
        .flat_map(|usable| (1..usable.path.len()).map(|depth| usable.path[..depth].to_vec()))
        .collect();
    usable.retain(|usable| {
        let is_parent = folders.contains(&usable.path);
        if is_parent {
            let reason = "other keys lie below it, and a value cannot be a map as well";
            fates.insert(usable.key.to_string(), Fate::Refused(reason.to_owned()));
        }
        !is_parent
    });
    usable
}

fn judged<'a>(
    pair: &'a ForeignKey,
    base: &Key,
    refused: &BTreeMap<String, String>,
) -> Result<Usable<'a>, Fate> {
    if is_folder(pair) {
        return Err(Fate::Ignored(
            "a folder without a value, as Consul's web interface makes them",
        ));
    }
    if let Some(reason) = refused.get(&pair.key) {
        return Err(Fate::Refused(reason.clone()));
    }
    let refuse = |reason: &str| Fate::Refused(reason.to_owned());
    let key: Key =
        (pair.key.parse()).map_err(|error: crate::model::KeyError| refuse(error.reason))?;
    let below = base.below();
    let Some(path) = key.as_str().strip_prefix(below.as_str()) else {
        return Err(refuse("it lies elsewhere"));
    };
    let path: Vec<String> = path.split('/').map(str::to_owned).collect();
    if path.len() > MAX_SEGMENTS {
        return Err(refuse("it lies too many folders deep"));
    }
    let text = std::str::from_utf8(&pair.value).map_err(|_| {
        refuse(if is_utf_16(&pair.value) {
            "its value looks like UTF-16, and a manifest holds nothing but UTF-8"
        } else {
            "its value is not UTF-8, and a manifest holds nothing but text"
        })
    })?;
    Ok(Usable { key, path, text })
}
