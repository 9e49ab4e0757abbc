//! What a person should know about an import. Values may be secrets and are never repeated.

use std::collections::BTreeMap;

use super::fate::{Fate, ImportError};
use super::request::{ImportRequest, Layout};
use super::screen::Scope;
use super::verify::Verified;
use crate::check::{self, ClusterView, SetView, Standing, World};
use crate::manifest::{self, Located, Manifest};
use crate::model::{
    Cluster, ClusterName, Connection, ConsulSpec, Labels, LimitOverrides, Publish, Selector,
};

/// Everything that is worth saying.
pub(super) fn notes(
    scope: &Scope<'_>,
    request: &ImportRequest,
    layout: Layout,
    manifest: &Manifest,
    keys: &BTreeMap<String, Fate>,
) -> Vec<String> {
    let mut notes = Vec::new();
    if request.layout.is_none() {
        notes.push(format!(
            "the keys look like the layout `{}`; `--layout` chooses another",
            layout.name()
        ));
    }
    if request.clusters.is_empty() {
        notes.push(
            "the set goes to every cluster; say which with `--clusters`, or in `spec.clusters`"
                .to_owned(),
        );
    }
    notes.extend(one_property(scope, request, layout));
    for (key, fate) in keys {
        if *fate == Fate::SameValues {
            let lost = if has_mark(scope, key) {
                "comments, order and the byte order mark at its start are lost"
            } else {
                "comments and order are lost"
            };
            notes.push(format!(
                "`{key}` is written anew when the set is applied: the application reads the same \
                 values, but {lost}"
            ));
        }
    }
    notes.extend(marks(scope, keys));
    if layout != Layout::Files && !scope.beside.is_empty() {
        let files: Vec<_> = scope.beside.keys().map(|key| format!("`{key}`")).collect();
        notes.push(format!(
            "{} may belong to the application too; `--layout files` imports it",
            files.join(", ")
        ));
    }
    notes.extend(base_note(request, manifest));
    if scope.itself {
        notes.push(format!(
            "`{}` is a key itself, which a set cannot hold; it stays as it is",
            request.prefix
        ));
    }
    notes.extend(flags(scope, request, keys));
    notes.extend(misfits(request, manifest));
    notes
}

/// Why a document stays one text. `alone`: no other key lies beside it.
pub(super) fn kept(key: &str, structured: Result<&Verified, &ImportError>, alone: bool) -> String {
    let start = format!("`{key}` is kept as one text, byte for byte");
    let reason = match structured {
        Err(ImportError::Refused { keys, .. }) => match keys.get(key) {
            Some(Fate::Refused(reason)) => reason.clone(),
            _ => "it cannot be read".to_owned(),
        },
        Err(error) => error.to_string(),
        Ok(_) if alone => {
            return format!(
                "{start}; `--structured` makes values of it, which the application reads the \
                 same, though the text is rewritten"
            );
        }
        Ok(_) => {
            return format!(
                "{start}, with the keys beside it; `--structured --partial` makes values of it \
                 alone, which the application reads the same"
            );
        }
    };
    format!("{start}: no values can be made of it: {reason}")
}

/// What lies where Spring has its documents may have been meant to be one.
fn one_property(scope: &Scope<'_>, request: &ImportRequest, layout: Layout) -> Option<String> {
    let key = scope.document()?.key.as_str();
    let is_guessed = request.layout.is_none();
    (is_guessed && layout == Layout::SpringKeyValue).then(|| {
        format!(
            "`{key}` looks like no document, neither in YAML nor as properties, so it is taken for \
             one property named `data`; `--layout spring-yaml` takes it for a document"
        )
    })
}

/// Whether a value starts with what some editors put before a text in UTF-8.
fn has_mark(scope: &Scope<'_>, key: &str) -> bool {
    let pair = scope.below.get(key).or_else(|| scope.beside.get(key));
    pair.is_some_and(|pair| pair.value.starts_with("\u{feff}".as_bytes()))
}

/// Nobody sees a byte order mark, and not every application skips it.
fn marks(scope: &Scope<'_>, keys: &BTreeMap<String, Fate>) -> Option<String> {
    let mut marked = keys
        .iter()
        .filter(|(key, fate)| **fate == Fate::SameBytes && has_mark(scope, key));
    let (first, _) = marked.next()?;
    let (others, verb) = match marked.count() {
        0 => (String::new(), "starts"),
        1 => (" and 1 other key".to_owned(), "start"),
        more => (format!(" and {more} other keys"), "start"),
    };
    Some(format!(
        "`{first}`{others} {verb} with a byte order mark, which stays: Spring skips it in YAML, but \
         not in properties, and other applications may not skip it"
    ))
}

/// A set for files beside the prefix looks at everything that lies there.
fn base_note(request: &ImportRequest, manifest: &Manifest) -> Option<String> {
    let set = manifest.content.set()?;
    let base = set.publish.iter().find_map(|publish| match publish {
        Publish::Keys { prefix, .. } => Some(prefix),
        Publish::Spring { .. } | Publish::Flagd { .. } => None,
    })?;
    (*base != request.prefix).then(|| {
        format!(
            "the files lie in `{base}/`, so the set looks at all keys there; those that it does \
             not hold are kept"
        )
    })
}

/// Flags are the one thing that adopting a key changes.
fn flags(
    scope: &Scope<'_>,
    request: &ImportRequest,
    keys: &BTreeMap<String, Fate>,
) -> impl Iterator<Item = String> {
    let taken = |key: &str| matches!(keys.get(key), Some(Fate::SameBytes | Fate::SameValues));
    let pairs = scope.below.values().chain(scope.beside.values());
    let (mut ours, mut others) = (0, 0);
    for pair in pairs.filter(|pair| taken(&pair.key)) {
        if pair.flags == request.mark {
            ours += 1;
        } else if pair.flags != 0 {
            others += 1;
        }
    }
    let ours = (ours > 0)
        .then(|| format!("keys that cfgctl wrote: {ours}; another set may hold them already"));
    let others = (others > 0).then(|| {
        format!("keys with KV flags of their own: {others}; cfgctl's mark replaces the flags")
    });
    ours.into_iter().chain(others)
}

/// What stands against delivering the set to a Consul with the usual limits.
fn misfits(request: &ImportRequest, manifest: &Manifest) -> Vec<String> {
    let (Ok(name), Ok(prefix)) = ("imported".parse::<ClusterName>(), "cfgctl".parse()) else {
        return Vec::new();
    };
    let Some(set) = manifest.content.set() else {
        return Vec::new();
    };
    let mut set = set.clone();
    set.clusters = Selector::default();
    let cluster = Cluster {
        labels: Labels::new(),
        connection: Connection::Consul(ConsulSpec {
            address: None,
            prefix,
            datacenter: None,
            token: None,
            tls: None,
            limits: LimitOverrides::default(),
        }),
    };
    let view = SetView {
        set: &set,
        standing: Standing::Declared,
    };
    let place = ClusterView {
        cluster: &cluster,
        standing: Standing::Stored,
    };
    let world = World {
        sets: [(&request.name, view)].into(),
        clusters: [(&name, place)].into(),
    };
    let note = |finding: Located| {
        let label = finding.label.map(|label| format!(": {label}"));
        let help = finding.help.into_iter().map(|help| format!("; {help}"));
        let rest: String = label.into_iter().chain(help).collect();
        format!("{}{rest}", finding.message)
    };
    let found = manifest::locate(check::check(&world), std::slice::from_ref(manifest));
    found.into_iter().map(note).collect()
}
