//! Names that a person typed, looked up.

use crate::model::text::printable;
use crate::model::{
    ConfigSet, FlagName, Heads, ResourceId, ResourceKind, Revision, SetName, Version,
};
use crate::store::{Store, Which};

use super::failure::Failure;

/// How alike a name must be to be suggested; 1 is the same.
const SIMILAR: f64 = 0.7;

/// The heads of these sets and of every cluster; all that there are where one of the sets is not,
/// so that whoever looks it up can say which ones are like it.
pub(crate) async fn around<'s>(
    store: &dyn Store,
    sets: impl IntoIterator<Item = &'s SetName>,
) -> Result<Heads, Failure> {
    let sets: Vec<&SetName> = sets.into_iter().collect();
    let heads = store
        .heads(&Which::around(sets.iter().copied()))
        .await?
        .heads;
    let is_there = |set: &&SetName| heads.contains_key(&ResourceId::Set((*set).clone()));
    if sets.iter().all(is_there) {
        return Ok(heads);
    }
    Ok(store.heads(&Which::All).await?.heads)
}

/// Reads the number of a revision.
pub(crate) fn version(input: &str) -> Result<Version, String> {
    input
        .parse()
        .ok()
        .and_then(Version::new)
        .ok_or_else(|| "a version is a number from 1 on".to_owned())
}

/// `SET` or `SET@VERSION`.
#[derive(Clone, Debug)]
pub(crate) struct SetAt {
    pub(crate) set: SetName,
    pub(crate) version: Option<Version>,
}

impl std::str::FromStr for SetAt {
    type Err = String;

    fn from_str(input: &str) -> Result<Self, String> {
        let input = input.strip_prefix("set/").unwrap_or(input);
        let (set, at) = match input.split_once('@') {
            Some((set, at)) => (set, Some(version(at)?)),
            None => (input, None),
        };
        Ok(Self {
            set: set.parse().map_err(|error| format!("{error}"))?,
            version: at,
        })
    }
}

/// `SET/FLAG` or `SET/BREAKER`.
#[derive(Clone, Debug)]
pub(crate) struct PartOf<N> {
    pub(crate) set: SetName,
    pub(crate) name: N,
}

impl<N: std::str::FromStr<Err: std::fmt::Display>> std::str::FromStr for PartOf<N> {
    type Err = String;

    fn from_str(input: &str) -> Result<Self, String> {
        let input = input.strip_prefix("set/").unwrap_or(input);
        let (set, name) = input
            .split_once('/')
            .ok_or_else(|| format!("write the set and the name: `SET/{}`", printable(input)))?;
        Ok(Self {
            set: set.parse().map_err(|error| format!("{error}"))?,
            name: name.parse().map_err(|error| format!("{error}"))?,
        })
    }
}

/// A set that is there, as it is declared, and its head.
pub(crate) fn living<'a>(
    heads: &'a Heads,
    name: &SetName,
) -> Result<(&'a ConfigSet, &'a Revision), Failure> {
    let id = ResourceId::Set(name.clone());
    let head = known(heads, &id)?;
    let set = head.content.set();
    let set = set.ok_or_else(|| Failure::usage(format!("{id} was deleted")))?;
    Ok((set, head))
}

/// The set that was named, which must be known; all that are there where none was.
pub(crate) fn living_or_all<'a>(
    heads: &'a Heads,
    only: Option<&SetName>,
) -> Result<Vec<(&'a SetName, &'a ConfigSet, &'a Revision)>, Failure> {
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

/// The part of a set with this name, or a failure that says which ones there are.
pub(crate) fn known_part<'a, N: Ord + std::fmt::Display, T>(
    parts: &'a std::collections::BTreeMap<N, T>,
    kind: &str,
    set: &SetName,
    name: &N,
) -> Result<&'a T, Failure> {
    parts.get(name).ok_or_else(|| {
        let failure = Failure::usage(format!("{set} has no {kind} `{name}`"));
        let names: Vec<String> = parts.keys().map(ToString::to_string).collect();
        let meant = crate::manifest::closest(&name.to_string(), names.iter().map(String::as_str));
        match meant {
            Some(meant) => failure.hint(format!("did you mean `{set}/{meant}`?")),
            None => failure.hint(format!("`cfgctl {kind} list {set}` shows what there is")),
        }
    })
}

/// Reads `SET/NAME`, which names a flag or breaker of a set.
pub(crate) fn part(input: &str) -> Result<String, String> {
    let (set, name) = input
        .split_once('/')
        .ok_or_else(|| "write the set too, as in `checkout/express-pay`".to_owned())?;
    let set: SetName = set.parse().map_err(|error| format!("{error}"))?;
    let name: FlagName = name.parse().map_err(|error| format!("{error}"))?;
    Ok(format!("{set}/{name}"))
}

/// The head of a resource that exists or existed.
pub(crate) fn known<'a>(heads: &'a Heads, id: &ResourceId) -> Result<&'a Revision, Failure> {
    heads.get(id).ok_or_else(|| {
        let failure = Failure::usage(format!("there is no {id}"));
        if let Some(hint) = kind(id) {
            return failure.hint(hint);
        }
        match similar(heads, id) {
            Some(similar) => failure.hint(format!("did you mean `{similar}`?")),
            None => failure.hint("`cfgctl get` lists what there is"),
        }
    })
}

/// What whoever typed the name of a kind in place of a name was looking for.
fn kind(id: &ResourceId) -> Option<&'static str> {
    match (id.kind(), id.name()) {
        (ResourceKind::Set, "set" | "sets" | "configset" | "configsets") => {
            Some("a set is named alone, as in `cfgctl get checkout`; `cfgctl get` lists everything")
        }
        (ResourceKind::Set, "cluster" | "clusters") => {
            Some("a cluster is named `cluster/NAME`; `cfgctl cluster list` lists them")
        }
        (ResourceKind::Set, "flag" | "flags") => Some("`cfgctl flag list` lists flags"),
        (ResourceKind::Set, "breaker" | "breakers") => Some("`cfgctl breaker list` lists breakers"),
        _ => None,
    }
}

/// The identifier of a set that exists or existed.
pub(crate) fn known_set(heads: &Heads, name: &SetName) -> Result<ResourceId, Failure> {
    let id = ResourceId::Set(name.clone());
    known(heads, &id)?;
    Ok(id)
}

/// One revision of a resource, or a failure that says which ones there are.
pub(crate) async fn revision(
    store: &dyn Store,
    id: &ResourceId,
    version: Version,
) -> Result<Revision, Failure> {
    let mut found = store.revisions(&[(id.clone(), version)]).await?;
    let found = found.pop().map(|(_, revision)| revision);
    found.ok_or_else(|| {
        Failure::usage(format!("{id} has no revision {version}"))
            .hint(format!("`cfgctl history {}` lists them", short(id)))
    })
}

/// A resource as it is typed: sets without their kind.
pub(crate) fn short(id: &ResourceId) -> String {
    match id.kind() {
        ResourceKind::Set => id.name().to_owned(),
        ResourceKind::Cluster => id.to_string(),
    }
}

fn similar(heads: &Heads, id: &ResourceId) -> Option<String> {
    heads
        .iter()
        .filter(|(_, head)| head.content != crate::model::Content::Deleted)
        .map(|(other, _)| (strsim::jaro_winkler(id.name(), other.name()), other))
        .filter(|(likeness, _)| *likeness >= SIMILAR)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, other)| short(other))
}
