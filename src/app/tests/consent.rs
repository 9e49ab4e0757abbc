//! What is shown is what is done: over any plan, and any way in which the world may move.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use proptest::prelude::*;

use super::super::Local;
use super::super::testing::request;
use crate::api::{
    Approval, Caller, Change, Declaration, ErrorKind, Observer, Request, Service as _,
};
use crate::model::{
    Cluster, Commit, Content, Document, EntryWrite, Revision, Sequence, SnapshotWrite, Version,
};
use crate::plan::testing::*;
use crate::plan::tests::laws::{CLUSTERS, Draft, SETS, both, desired};
use crate::plan::{Desired, Plan};
use crate::store::{CommitRecord, Store as _};

/// What every target holds, by cluster and key.
type Held = BTreeMap<(&'static str, String), Vec<u8>>;

fn held(world: &World) -> Held {
    let cells = CLUSTERS.into_iter().flat_map(|name| {
        let all = world.target(name).memory.all();
        all.into_iter()
            .map(move |(key, value)| ((name, key), value))
    });
    cells.collect()
}

fn records(world: &World) -> Vec<CommitRecord> {
    let records = world.store.commits(Sequence::START, usize::MAX);
    world.runtime.block_on(records).unwrap()
}

/// A document without how it came to be, which is not decided when it is planned.
fn said(key: &str, value: &[u8]) -> String {
    if !key.ends_with("/snapshot") {
        return format!("{value:?}");
    }
    match Document::parse(value) {
        Ok(it) => format!("{} {:?} {:?}", it.version(), it.contents(), it.keys()),
        Err(_) => format!("{value:?}"),
    }
}

fn all_said(held: &Held) -> BTreeMap<(&'static str, String), String> {
    let said = held
        .iter()
        .map(|(at, value)| (at.clone(), said(&at.1, value)));
    said.collect()
}

/// What targets hold once everything is written that `plan` shows, and nothing else is.
fn after(before: &Held, plan: &Plan) -> Held {
    let mut held = before.clone();
    for delivery in &plan.deliveries {
        let Some(write) = &delivery.write else {
            continue;
        };
        let name = delivery.pair.cluster.as_str();
        let cluster = CLUSTERS.into_iter().find(|it| *it == name).unwrap();
        let snapshot = (cluster, format!("cfgctl/{}/snapshot", write.set));
        match &write.snapshot {
            SnapshotWrite::Put { value, .. } => held.insert(snapshot, value.clone()),
            SnapshotWrite::Delete { .. } => held.remove(&snapshot),
        };
        for (key, entry) in &write.entries {
            let key = (cluster, key.to_string());
            match entry {
                EntryWrite::Put { value, .. } => {
                    held.insert(key, value.clone());
                }
                EntryWrite::Keep { .. } => {}
                EntryWrite::Delete { .. } => {
                    held.remove(&key);
                }
            }
        }
    }
    held
}

fn local(world: &World) -> Local {
    let store = world.store.clone();
    Local::new(store, world.connect(), || Timestamp::UNIX_EPOCH)
}

fn asked(world: &World, desired: &Desired) -> Request {
    Request {
        consents: world.consents.clone(),
        dropped: BTreeSet::new(),
        ..request(Change::Declare(Declaration {
            contents: desired.contents.clone(),
            provenances: BTreeMap::new(),
        }))
    }
}

/// Without what was switched by hand, which nobody does here.
fn wanted(drafts: &[Option<Draft>; 2]) -> Desired {
    Desired {
        dropped: BTreeSet::new(),
        ..desired(drafts)
    }
}

/// Three clusters, and whatever may be applied of this.
fn world(first: &[Option<Draft>; 2]) -> World {
    let world = World::without_clusters(crate::model::Limits::CONSUL);
    for name in CLUSTERS {
        world.apply(&described(name, cluster(name, name)));
    }
    apply(&world, &wanted(first));
    world
}

fn apply(world: &World, desired: &Desired) {
    let (survey, plan) = world.look(desired, &crate::plan::Reach::All);
    if let Ok(approved) = approve(plan) {
        world.carry_out(&survey, &approved).unwrap();
    }
}

/// A way in which the world moves while somebody looks at a plan.
#[derive(Clone, Debug)]
enum Move {
    /// Somebody commits to one of the sets, the same again.
    Commit(usize),
    /// Somebody changes or deletes the nth key that a target holds for the sets.
    Edit(usize, usize, bool),
    /// A cluster gets another label.
    Labels(usize, bool),
    /// Somebody applies something else.
    Apply([Option<Draft>; 2]),
}

fn moves() -> impl Strategy<Value = Move> {
    prop_oneof![
        (0..SETS.len()).prop_map(Move::Commit),
        (0..CLUSTERS.len(), 0..8_usize, prop::bool::ANY)
            .prop_map(|(at, nth, deletes)| Move::Edit(at, nth, deletes)),
        (0..CLUSTERS.len(), prop::bool::ANY).prop_map(|(at, matters)| Move::Labels(at, matters)),
        both().prop_map(Move::Apply),
    ]
}

impl Move {
    /// Moves the world; `false`: there is nothing to move.
    fn make(&self, world: &World) -> bool {
        match self {
            Self::Commit(set) => commit_again(world, SETS[*set]),
            Self::Edit(at, nth, deletes) => {
                let memory = &world.target(CLUSTERS[*at]).memory;
                let all = memory.all();
                let Some((key, _)) = all.iter().nth(nth % all.len().max(1)) else {
                    return false;
                };
                if *deletes {
                    memory.delete_as_other(key);
                } else {
                    memory.put_as_other(key, b"by hand");
                }
                true
            }
            Self::Labels(at, matters) => {
                let name = CLUSTERS[*at];
                let before = cluster(name, name);
                let label = if *matters { "region" } else { "stage" };
                let mut labels = before.labels.clone();
                labels.insert(label.to_owned(), "other".to_owned());
                apply(world, &described(name, Cluster { labels, ..before }));
                true
            }
            Self::Apply(drafts) => {
                let before = records(world);
                apply(world, &wanted(drafts));
                records(world) != before
            }
        }
    }
}

fn commit_again(world: &World, set: &str) -> bool {
    let id = set_id(set);
    let Some(head) = world.heads().remove(&id) else {
        return false;
    };
    let commit = Commit {
        expected: [(id.clone(), Some(head.version))].into(),
        revisions: [(
            id,
            Revision {
                version: head.version.next(),
                ..head
            },
        )]
        .into(),
        ..Commit::default()
    };
    world.runtime.block_on(world.store.commit(&commit)).unwrap();
    true
}

fn config() -> ProptestConfig {
    ProptestConfig {
        cases: 96,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn carrying_out_a_token_on_an_unmoved_world_does_what_was_shown(
        first in both(),
        edit in prop::option::of((0..CLUSTERS.len(), 0..8_usize, prop::bool::ANY)),
        then in both(),
    ) {
        let world = world(&first);
        if let Some((at, nth, deletes)) = edit {
            Move::Edit(at, nth, deletes).make(&world);
        }
        let (desired, local) = (wanted(&then), local(&world));
        let (by, nobody) = (Caller::local("ops@laptop".to_owned()), Observer::nobody());
        let request = asked(&world, &desired);
        let plan = world.plan(&desired);
        let shown = world.runtime.block_on(local.plan(&by, &request, &nobody)).unwrap();
        prop_assert_eq!(shown.changes, plan.has_changes());
        let (before, commits) = (held(&world), records(&world));
        let approval = Approval::Exactly(shown.token);
        let outcome = local.carry_out(&by, &request, &approval, &nobody);
        let outcome = world.runtime.block_on(outcome);
        if plan.objections.is_empty() {
            let outcome = outcome.unwrap();
            prop_assert!(outcome.complete);
            prop_assert_eq!(all_said(&held(&world)), all_said(&after(&before, &plan)));
            let made: BTreeMap<_, Version> =
                plan.resources.iter().map(|it| (it.id.clone(), it.version)).collect();
            let mut now = records(&world);
            let newest = now.split_off(commits.len());
            prop_assert_eq!(&now, &commits);
            prop_assert_eq!(newest.len(), usize::from(!made.is_empty()));
            for record in newest {
                prop_assert_eq!(&record.changes, &made);
            }
            let heads = world.heads();
            for change in &plan.resources {
                prop_assert_eq!(&heads[&change.id].content, &change.after);
            }
        } else {
            prop_assert_eq!(outcome.unwrap_err().kind, ErrorKind::Refused);
            prop_assert_eq!(held(&world), before);
            prop_assert_eq!(records(&world), commits);
        }
    }

    #[test]
    fn carrying_out_a_token_on_a_moved_world_does_nothing(
        first in both(),
        then in both(),
        moved in moves(),
    ) {
        let world = world(&first);
        let (desired, local) = (wanted(&then), local(&world));
        let (by, nobody) = (Caller::local("ops@laptop".to_owned()), Observer::nobody());
        let request = asked(&world, &desired);
        let plan = world.plan(&desired);
        // Where no set changes, what clusters are called is of no account.
        let is_set = |id: &crate::model::ResourceId| SETS.contains(&id.name());
        prop_assume!(plan.resources.iter().any(|it| is_set(&it.id)));
        let shown = world.runtime.block_on(local.plan(&by, &request, &nobody)).unwrap();
        prop_assume!(moved.make(&world));
        let (before, commits) = (held(&world), records(&world));
        let approval = Approval::Exactly(shown.token);
        let outcome = local.carry_out(&by, &request, &approval, &nobody);
        let error = world.runtime.block_on(outcome).unwrap_err();
        prop_assert_eq!(error.kind, ErrorKind::Conflict, "{:?}", error);
        let now = error.about.basis.unwrap();
        // What has moved is told wherever it is no matter of what is declared itself.
        prop_assert!(shown.basis != now, "{:?}", shown.basis);
        prop_assert_eq!(held(&world), before);
        prop_assert_eq!(records(&world), commits);
    }
}

/// A set with content that is only deleted when somebody says so.
#[test]
fn a_deletion_is_shown_and_done_as_well() {
    let (world, _) = delivered();
    let gone = Desired::from([(set_id("shop"), Content::Deleted)]);
    let (request, local) = (asked(&world, &gone), local(&world));
    let (by, nobody) = (Caller::local("ops@laptop".to_owned()), Observer::nobody());
    let shown = world
        .runtime
        .block_on(local.plan(&by, &request, &nobody))
        .unwrap();
    let approval = Approval::Exactly(shown.token);
    let outcome = local.carry_out(&by, &request, &approval, &nobody);
    assert!(world.runtime.block_on(outcome).unwrap().complete);
    assert_eq!(held(&world), Held::new());
}
