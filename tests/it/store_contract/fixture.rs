//! Commits and revisions to put into stores, and short words to look at them.

use std::collections::{BTreeMap, BTreeSet};

use cfgctl::model::{Cause, Commit, Content, Heads, Origin, ResourceId, Revision, Version};
use cfgctl::store::{MovedHead, Store, StoreError, Which};
use serde_json::{Value, json};

pub(crate) fn id(text: &str) -> ResourceId {
    text.parse().unwrap()
}

pub(crate) fn version(number: u64) -> Version {
    Version::new(number).unwrap()
}

pub(crate) fn content(json: Value) -> Content {
    serde_json::from_value(json).unwrap()
}

pub(crate) fn with_content(number: u64, content: Content) -> Revision {
    Revision {
        version: version(number),
        origin: Origin {
            actor: "ops@laptop".to_owned(),
            at: "2026-11-21T02:14:00Z".parse().unwrap(),
            cause: Cause::Apply,
            message: Some(format!("number {number}")),
            consents: BTreeSet::new(),
            planned: None,
        },
        content,
        overrides: cfgctl::model::Overrides::default(),
        provenance: None,
    }
}

/// A revision that `id` may have, with `text` in it.
pub(crate) fn revision(id: &ResourceId, number: u64, text: &str) -> Revision {
    let json = match id {
        ResourceId::Set(_) => json!({"set": {"values": {"text": text}}}),
        ResourceId::Grant(_) => json!({"grant": {
            "to": [format!("user:{}", text.replace(' ', "-"))],
            "role": "viewer",
        }}),
        ResourceId::Cluster(_) => json!({"cluster": {
            "labels": {"text": "x"},
            "connection": {"directory": {"path": format!("/{text}")}},
        }}),
    };
    with_content(number, content(json))
}

/// A commit of `(resource, expected head, new version)`; zero stands for none.
pub(crate) fn commit(changes: &[(&str, u64, u64)]) -> Commit {
    let mut commit = Commit::default();
    for (name, expected, new) in changes {
        let id = id(name);
        commit.expected.insert(id.clone(), Version::new(*expected));
        if *new > 0 {
            let revision = revision(&id, *new, &format!("{name} {new}"));
            commit.revisions.insert(id, revision);
        }
    }
    commit
}

pub(crate) fn versions(heads: &Heads) -> BTreeMap<String, u64> {
    heads
        .iter()
        .map(|(id, head)| (id.to_string(), head.version.get()))
        .collect()
}

pub(crate) fn versions_of(history: &[Revision]) -> Vec<u64> {
    history.iter().map(|found| found.version.get()).collect()
}

/// Everything that can be seen of `ids`.
pub(crate) async fn all(store: &dyn Store, ids: &[&str]) -> (Heads, Vec<Vec<Revision>>) {
    let mut histories = Vec::new();
    for name in ids {
        histories.push(store.history(&id(name), None, usize::MAX).await.unwrap());
    }
    (store.heads(&Which::All).await.unwrap().heads, histories)
}

pub(crate) async fn moved(store: &dyn Store, commit: &Commit) -> Vec<MovedHead> {
    match store.commit(commit).await {
        Err(StoreError::HeadsMoved(moved)) => moved,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn moved_head(name: &str, expected: u64, found: u64) -> MovedHead {
    MovedHead {
        id: id(name),
        expected: Version::new(expected),
        found: Version::new(found),
    }
}

/// The same as [`commit`], with a key.
pub(crate) fn keyed(key: &str, changes: &[(&str, u64, u64)]) -> Commit {
    Commit {
        key: Some(key.parse().unwrap()),
        ..commit(changes)
    }
}

/// `revision` with a flag that is held until then.
pub(crate) fn overridden(revision: Revision, until: jiff::Timestamp) -> Revision {
    let overrides = json!({"flags": [{
        "flag": "on",
        "variant": "off",
        "stamp": {"actor": "ops@laptop", "since": "2026-11-21T02:14:00Z"},
        "until": until,
    }]});
    Revision {
        overrides: serde_json::from_value(overrides).unwrap(),
        ..revision
    }
}

/// One revision, if there is such a one.
pub(crate) async fn one(store: &dyn Store, id: &ResourceId, version: Version) -> Option<Revision> {
    let found = store.revisions(&[(id.clone(), version)]).await.unwrap();
    found.into_iter().next().map(|(_, revision)| revision)
}
