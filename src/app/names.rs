//! Names that somebody asked for, looked up.

use std::collections::BTreeMap;

use crate::api::Error;
use crate::model::{
    Cluster, ClusterName, ConfigSet, Content, Heads, ResourceId, ResourceKind, Revision, SetName,
    Version,
};
use crate::plan::Reach;
use crate::store::{Store, Which};

/// How alike a name must be to be suggested; 1 is the same.
const SIMILAR: f64 = 0.7;

/// The heads of these sets and of every cluster; all that there are where one of the sets is not,
/// so that whoever looks it up can say which ones are like it.
pub(super) async fn around<'s>(
    store: &dyn Store,
    sets: impl IntoIterator<Item = &'s SetName>,
) -> Result<Heads, Error> {
    let sets: Vec<&SetName> = sets.into_iter().collect();
    let which = Which::around(sets.iter().copied());
    let heads = store.heads(&which).await?.heads;
    let is_there = |set: &&SetName| heads.contains_key(&ResourceId::Set((*set).clone()));
    if sets.iter().all(is_there) {
        return Ok(heads);
    }
    Ok(store.heads(&Which::All).await?.heads)
}

/// Refuses a reach that names sets which never were.
pub(super) async fn check_reach(store: &dyn Store, reach: &Reach) -> Result<(), Error> {
    let Reach::Named(sets) = reach else {
        return Ok(());
    };
    let heads = around(store, sets).await?;
    for set in sets {
        known_set(&heads, set)?;
    }
    Ok(())
}

/// A set that is there, as it is declared, and its head.
pub(super) fn living<'a>(
    heads: &'a Heads,
    name: &SetName,
) -> Result<(&'a ConfigSet, &'a Revision), Error> {
    let id = ResourceId::Set(name.clone());
    let head = known(heads, &id)?;
    let set = head.content.set();
    let set = set.ok_or_else(|| Error::absent(format!("{id} was deleted")))?;
    Ok((set, head))
}

/// The set that was named, which must be known; all that are there where none was.
pub(super) fn living_or_all<'a>(
    heads: &'a Heads,
    only: Option<&SetName>,
) -> Result<Vec<(&'a SetName, &'a ConfigSet, &'a Revision)>, Error> {
    if let Some(only) = only {
        known_set(heads, only)?;
    }
    let sets = heads.iter().filter_map(|(id, head)| match id {
        ResourceId::Set(name) if only.is_none_or(|only| only == name) => {
            Some((name, head.content.set()?, head))
        }
        _ => None,
    });
    Ok(sets.collect())
}

/// The part of a set with this name, or an error that says which ones there are.
pub(super) fn known_part<'a, N: Ord + std::fmt::Display, T>(
    parts: &'a BTreeMap<N, T>,
    kind: &str,
    set: &SetName,
    name: &N,
) -> Result<&'a T, Error> {
    parts.get(name).ok_or_else(|| {
        let error = Error::absent(format!("{set} has no {kind} `{name}`"));
        let names: Vec<String> = parts.keys().map(ToString::to_string).collect();
        let meant = crate::manifest::closest(&name.to_string(), names.iter().map(String::as_str));
        match meant {
            Some(meant) => error.hint(format!("did you mean `{set}/{meant}`?")),
            None => error.hint(format!("`cfgctl {kind} list {set}` shows what there is")),
        }
    })
}

/// The head of a resource that exists or existed.
pub(super) fn known<'a>(heads: &'a Heads, id: &ResourceId) -> Result<&'a Revision, Error> {
    heads.get(id).ok_or_else(|| {
        let error = Error::absent(format!("there is no {id}"));
        if let Some(hint) = kind(id) {
            return error.hint(hint);
        }
        match alike(heads, id) {
            Some(other) => error.hint(format!("did you mean `{other}`?")),
            None => error.hint("`cfgctl get` lists what there is"),
        }
    })
}

/// What whoever named a kind in place of a name was looking for.
fn kind(id: &ResourceId) -> Option<&'static str> {
    match (id.kind(), id.name()) {
        (ResourceKind::Set, "set" | "sets" | "configset" | "configsets") => {
            Some("a set is named alone, as in `cfgctl get checkout`; `cfgctl get` lists everything")
        }
        (ResourceKind::Set, "cluster" | "clusters") => {
            Some("a cluster is named `cluster/NAME`; `cfgctl cluster list` lists them")
        }
        (ResourceKind::Set, "grant" | "grants") => {
            Some("a grant is named `grant/NAME`; `cfgctl get grants` lists them")
        }
        (ResourceKind::Set, "flag" | "flags") => Some("`cfgctl flag list` lists flags"),
        (ResourceKind::Set, "breaker" | "breakers") => Some("`cfgctl breaker list` lists breakers"),
        _ => None,
    }
}

/// The identifier of a set that exists or existed.
pub(super) fn known_set(heads: &Heads, name: &SetName) -> Result<ResourceId, Error> {
    let id = ResourceId::Set(name.clone());
    known(heads, &id)?;
    Ok(id)
}

/// One revision of a resource, or an error that says which ones there are.
pub(super) async fn revision(
    store: &dyn Store,
    id: &ResourceId,
    version: Version,
) -> Result<Revision, Error> {
    let mut found = store.revisions(&[(id.clone(), version)]).await?;
    let found = found.pop().map(|(_, revision)| revision);
    found.ok_or_else(|| {
        Error::absent(format!("{id} has no revision {version}"))
            .hint(format!("`cfgctl history {}` lists them", short(id)))
    })
}

/// The clusters that the store knows.
pub(super) fn clusters(heads: &Heads) -> BTreeMap<&ClusterName, &Cluster> {
    heads
        .iter()
        .filter_map(|(id, head)| match id {
            ResourceId::Cluster(name) => Some((name, head.content.cluster()?)),
            ResourceId::Grant(_) | ResourceId::Set(_) => None,
        })
        .collect()
}

/// A resource as it is typed: sets without their kind.
pub(super) fn short(id: &ResourceId) -> String {
    match id.kind() {
        ResourceKind::Set => id.name().to_owned(),
        ResourceKind::Cluster | ResourceKind::Grant => id.to_string(),
    }
}

fn alike(heads: &Heads, id: &ResourceId) -> Option<String> {
    heads
        .iter()
        .filter(|(_, head)| head.content != Content::Deleted)
        .map(|(other, _)| (strsim::jaro_winkler(id.name(), other.name()), other))
        .filter(|(likeness, _)| *likeness >= SIMILAR)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, other)| short(other))
}

/// That a resource is there no more.
pub(super) fn gone(id: &ResourceId) -> Error {
    Error::absent(format!("{id} was deleted"))
        .hint(format!("`cfgctl history {id}` shows what it was"))
}
