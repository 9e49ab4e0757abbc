//! What becomes of our keys in a cluster that is taken off the list.

use std::collections::BTreeSet;

use futures_util::FutureExt as _;
use serde_json::json;

use crate::engine::{Ending, EngineError, Milestone};
use crate::model::{ClusterName, Commit, ConfigSet, Connection, Consent, Content, Revision};
use crate::plan::testing::*;
use crate::plan::{Action, Condition, Desired, ObjectionReason, Plan};
use crate::store::Store as _;

const SNAPSHOT: &str = "cfgctl/shop/snapshot";

/// Two keys of `shop` in two clusters, and a person who consented to `consent`.
fn world(consent: Option<Consent>) -> World {
    let (mut world, _) = delivered();
    world.consents = consent.into_iter().collect();
    world
}

fn without_us() -> Desired {
    Desired::from([(cluster_id("us"), Content::Deleted)])
}

fn reasons(plan: &Plan) -> Vec<(&str, Option<&str>, &'static str)> {
    let objections = plan.objections.iter();
    let reason = objections.map(|it| {
        let cluster = it.cluster.as_ref().map(ClusterName::as_str);
        (it.set.as_str(), cluster, it.reason.rule().as_str())
    });
    reason.collect()
}

/// What a target holds of `shop`.
fn held(world: &World, address: &str) -> [String; 3] {
    ["app/a", "app/b", SNAPSHOT].map(|key| world.target(address).text(key))
}

fn is_listed(world: &World, cluster: &str) -> bool {
    world.heads()[&cluster_id(cluster)].content != Content::Deleted
}

#[test]
fn a_cluster_that_holds_keys_is_not_forgotten_before_somebody_says_what_becomes_of_them() {
    // That many keys of a set may go says nothing of a whole cluster.
    for consent in [None, Some(Consent::AllowDeletes), Some(Consent::Adopt)] {
        let world = world(consent);
        let plan = world.plan(&without_us());
        assert_eq!(reasons(&plan), [("shop", Some("us"), "keeps-keys")]);
        let reason = &plan.objections[0].reason;
        assert_eq!(*reason, ObjectionReason::KeepsKeys { keys: 3 });
        assert_eq!(reason.answer(), Some(Consent::KeepKeys));
        assert_eq!(delivery(&plan, "shop", "us").action, Action::Refuse);
        assert!(approve(plan).is_err());
    }
}

#[test]
fn what_is_removed_goes_before_the_cluster_does() {
    let world = world(Some(Consent::RemoveKeys));
    let before = world.target("eu").text("app/a");
    let plan = world.plan(&without_us());
    assert_eq!(plan.objections, []);
    assert_eq!(delivery(&plan, "shop", "us").action, Action::Remove);
    let reports = world.apply(&without_us());
    assert_eq!(outcomes(&reports), [&Ending::Removed]);
    assert_eq!(held(&world, "us"), ["", "", ""]);
    assert!(!is_listed(&world, "us"));
    assert_eq!(world.target("eu").text("app/a"), before);
    let consents = &world.heads()[&cluster_id("us")].origin.consents;
    assert_eq!(*consents, BTreeSet::from([Consent::RemoveKeys]));
}

#[test]
fn what_is_kept_is_counted_and_the_cluster_goes_on_from_it_when_it_comes_back() {
    let mut world = world(Some(Consent::KeepKeys));
    let plan = world.plan(&without_us());
    assert_eq!(plan.objections, []);
    assert_eq!(delivery(&plan, "shop", "us").action, Action::Leave(Some(3)));
    let reports = world.apply(&without_us());
    assert_eq!(outcomes(&reports), [&Ending::Left(Some(3))]);
    assert_eq!(world.target("us").text("app/a"), "1");
    assert!(!is_listed(&world, "us") && world.plan_all().is_settled());

    world.consents.clear();
    world.apply(&shop(&set(json!({"a": 5, "b": 2}))));
    assert_eq!(world.target("us").text("app/a"), "1");
    let again = described("us", cluster("us", "us"));
    let plan = world.plan(&again);
    assert_eq!(plan.objections, []);
    let back = delivery(&plan, "shop", "us");
    assert_eq!(
        (&back.condition, back.action),
        (&Condition::Leftover, Action::Update)
    );
    world.apply(&again);
    assert_eq!(world.target("us").text("app/a"), "5");
    assert!(world.plan_all().is_settled());
}

#[test]
fn a_cluster_that_cannot_be_looked_at_goes_only_if_what_is_there_stays() {
    for consent in [None, Some(Consent::RemoveKeys)] {
        let world = world(consent);
        world.target("us").set_wire(Wire::Down);
        let plan = world.plan(&without_us());
        assert_eq!(reasons(&plan), [("shop", Some("us"), "may-keep-keys")]);
        assert!(approve(plan).is_err());
    }
    let world = world(Some(Consent::KeepKeys));
    world.target("us").set_wire(Wire::Down);
    let reports = world.apply(&without_us());
    assert_eq!(outcomes(&reports), [&Ending::Left(None)]);
    assert!(!is_listed(&world, "us"));
}

#[test]
fn a_cluster_that_holds_nothing_of_ours_just_goes() {
    let mut world = World::new();
    world.consents.clear();
    world.target("us").set_wire(Wire::Down);
    world.apply(&shop(&ConfigSet {
        clusters: selector("region=eu"),
        ..set(json!({"a": 1}))
    }));
    world.apply(&without_us());
    assert!(!is_listed(&world, "us"));
    world.consents.insert(Consent::RemoveKeys);
    world.apply(&Desired::from([(cluster_id("eu"), Content::Deleted)]));
    assert_eq!(held(&world, "eu"), ["", "", ""]);
}

#[test]
fn what_a_deleted_set_left_there_counts_too() {
    let mut world = world(Some(Consent::AllowDeletes));
    world.target("us").set_wire(Wire::Down);
    world.apply(&deleted("shop"));
    world.target("us").set_wire(Wire::Fine);
    world.consents.clear();
    assert_eq!(
        reasons(&world.plan(&without_us())),
        [("shop", Some("us"), "keeps-keys")]
    );
}

/// Nobody could finish it after the cluster is forgotten.
#[test]
fn a_removal_that_fails_leaves_the_cluster_on_the_list_and_the_same_again_ends_it() {
    let mut world = world(Some(Consent::RemoveKeys));
    world.consents.insert(Consent::AllowGrowth);
    world.apply(&sets(&[(
        "more",
        &ConfigSet {
            publish: vec![keys("more")],
            ..set(json!({"c": 1}))
        },
    )]));
    let (survey, approved) = world.prepare(&without_us());
    world.target("us").set_wire(Wire::ReadOnly);
    let Err(EngineError::NotRemoved(failed)) = world.carry_out(&survey, &approved) else {
        panic!("it was forgotten");
    };
    assert_eq!(failed.len(), 2, "{failed:?}");
    assert!(is_listed(&world, "us"));
    world.target("us").set_wire(Wire::Fine);
    world.apply(&without_us());
    assert_eq!(held(&world, "us"), ["", "", ""]);
    assert!(!is_listed(&world, "us"));
}

#[test]
fn somebody_who_is_faster_keeps_everything_there() {
    let world = world(Some(Consent::RemoveKeys));
    let (survey, approved) = world.prepare(&without_us());
    world.apply(&shop(&set(json!({"a": 7, "b": 2}))));
    assert!(world.carry_out(&survey, &approved).is_err());
    assert_eq!(world.target("us").text("app/a"), "7");
    assert!(is_listed(&world, "us"));
}

/// Between the last removal and the commit.
#[test]
fn somebody_who_is_faster_after_the_removal_leaves_the_cluster_on_the_list() {
    let world = world(Some(Consent::RemoveKeys));
    let (survey, approved) = world.prepare(&without_us());
    let id = cluster_id("eu");
    let head = world.heads().remove(&id).unwrap();
    let faster = Commit {
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
    let commits = |event: Milestone| {
        if let Milestone::Delivered(_) = event {
            let committed = world.store.commit(&faster).now_or_never();
            committed.unwrap().unwrap();
        }
    };
    let done = world.with_engine(&commits, async |engine| {
        engine.carry_out(&survey, &approved).await
    });
    assert!(
        matches!(done, Err(EngineError::NotForgotten(_))),
        "{done:?}"
    );
    assert!(is_listed(&world, "us"));
    assert_eq!(held(&world, "us"), ["", "", ""]);
    // Any later pass brings it back, as the store says.
    world.heal();
    assert_eq!(world.target("us").text("app/a"), "1");
    assert!(world.plan_all().is_settled());
}

/// A new name for the same place is no reason to remove what lies there.
#[test]
fn what_lies_where_another_cluster_has_its_place_stays() {
    let mut world = world(Some(Consent::Adopt));
    world.consents.insert(Consent::RemoveKeys);
    let mut renamed = described("usa", cluster("us", "us"));
    renamed.contents.extend(without_us().contents);
    world.apply(&renamed);
    assert_eq!(world.target("us").text("app/a"), "1");
    assert!(world.plan_all().is_settled());
}

#[test]
fn keys_that_another_cluster_publishes_in_the_same_consul_stay() {
    let mut world = world(Some(Consent::RemoveKeys));
    let mut beside = cluster("us", "us");
    if let Connection::Consul(consul) = &mut beside.connection {
        consul.prefix = key("other");
    }
    let moved: Desired = [
        (cluster_id("beside"), Content::Cluster(beside)),
        (cluster_id("us"), Content::Deleted),
    ]
    .into();
    world.consents.insert(Consent::Adopt);
    let plan = world.plan(&moved);
    let removal = delivery(&plan, "shop", "us").write.as_ref().unwrap();
    assert!(removal.entries.is_empty(), "{removal:?}");
}

#[test]
fn what_is_not_from_this_store_stays_and_is_shown() {
    let (world, other) = (world(Some(Consent::RemoveKeys)), World::new());
    for _ in 0..100 {
        other.origin();
    }
    other.apply(&shop(&set(json!({"a": 8}))));
    let theirs = other.target("us").text(SNAPSHOT);
    let target = world.target("us");
    target.memory.put_as_other(SNAPSHOT, theirs.as_bytes());
    let plan = world.plan(&without_us());
    let found = delivery(&plan, "shop", "us");
    assert!(matches!(found.condition, Condition::Alien(_)));
    assert_eq!(
        (found.action, &plan.objections[..]),
        (Action::Keep, &[][..])
    );
    world.apply(&without_us());
    assert_eq!(target.text(SNAPSHOT), theirs);
    assert!(!is_listed(&world, "us"));
}
