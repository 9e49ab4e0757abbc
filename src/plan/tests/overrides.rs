//! What is switched by hand, and what happens to it.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::json;

use crate::engine::Ending;
use crate::model::{
    Breaker, ConfigSet, Document, Flag, FlagOverride, Overrides, Part, Selector, SetName, Stamp,
    Trip, TripRequest, Witness,
};
use crate::plan::testing::*;
use crate::plan::{
    Action, Condition, Desired, Hold, ObjectionReason, ValueSource, Why, approve_where_possible,
};

fn stamp() -> Stamp {
    Stamp {
        actor: "ops@laptop".to_owned(),
        since: Timestamp::UNIX_EPOCH,
        reason: Some("stripe 5xx".to_owned()),
    }
}

/// `a` and `b` of `shop`, a flag, and two breakers that both change `a`.
fn declared(a: i64) -> ConfigSet {
    let breaker = |values| Breaker {
        trip: Trip {
            values: map(values),
            ..Trip::default()
        },
        ..Breaker::default()
    };
    ConfigSet {
        flags: [("new".parse().unwrap(), Flag::boolean(false))].into(),
        breakers: [
            ("one".parse().unwrap(), breaker(json!({"a": 100}))),
            ("two".parse().unwrap(), breaker(json!({"a": 200, "b": 200}))),
        ]
        .into(),
        ..set(json!({"a": a, "b": 2}))
    }
}

fn trip(overrides: &mut Overrides, breaker: &str, clusters: &str) {
    let request = TripRequest {
        clusters: selector(clusters),
        stamp: stamp(),
        keeping: stamp().since,
        witness: Witness::Present,
        limit: None,
    };
    let name = breaker.parse().unwrap();
    overrides.trip(&name, &Breaker::default(), request).unwrap();
}

fn hold(overrides: &mut Overrides, variant: &str) {
    let held = FlagOverride {
        flag: "new".parse().unwrap(),
        variant: variant.to_owned(),
        clusters: Selector::default(),
        stamp: stamp(),
        until: None,
        counted: None,
    };
    overrides.hold_flag(held).unwrap();
}

fn reset(overrides: &mut Overrides, breaker: &str) {
    overrides.reset(&breaker.parse().unwrap(), None).unwrap();
}

fn world() -> World {
    let world = World::new();
    world.apply(&shop(&declared(1)));
    world
}

fn document(world: &World, cluster: &str) -> Document {
    let bytes = world.target(cluster).memory.get("cfgctl/shop/snapshot");
    Document::parse(&bytes.unwrap()).unwrap()
}

#[test]
fn a_trip_is_a_revision_that_changes_what_it_declares_and_nothing_else() {
    let world = world();
    world.switch(|overrides| trip(overrides, "one", ""));
    assert_eq!(world.target("eu").text("app/a"), "100");
    assert_eq!(world.target("eu").text("app/b"), "2");
    let head = world.head("shop");
    assert_eq!(head.version, version(2));
    assert_eq!(head.content.set(), Some(&declared(1)));
    let written = document(&world, "eu");
    assert_eq!(
        written.to_json()["breakers"],
        json!({
            "one": {
                "state": "open", "actor": "ops@laptop", "since": "1970-01-01T00:00:00Z",
                "reason": "stripe 5xx",
            },
            "two": {"state": "closed"},
        })
    );
    assert!(world.plan_all().is_settled(), "it is no drift");
    world.switch(|overrides| reset(overrides, "one"));
    assert_eq!(world.target("eu").text("app/a"), "1");
}

#[test]
fn apply_and_rollback_leave_an_open_breaker_and_a_switched_flag_as_they_are() {
    let world = world();
    world.switch(|overrides| {
        trip(overrides, "one", "");
        hold(overrides, "on");
    });
    let overrides = world.head("shop").overrides;
    world.apply(&shop(&ConfigSet {
        values: map(json!({"a": 5, "b": 6})),
        ..declared(1)
    }));
    assert_eq!(world.head("shop").overrides, overrides);
    assert_eq!(world.target("eu").text("app/a"), "100");
    assert_eq!(world.target("eu").text("app/b"), "6");
    assert_eq!(world.target("eu").text("app/flags/new"), "true");
    // A rollback is an apply of old content.
    let old = world.revision("shop", 1).content;
    world.apply(&Desired::from([(set_id("shop"), old)]));
    assert_eq!(world.head("shop").version, version(4));
    assert_eq!(world.head("shop").overrides, overrides);
    assert_eq!(world.target("eu").text("app/a"), "100");
    assert_eq!(world.target("eu").text("app/b"), "2");
}

#[test]
fn what_was_declared_meanwhile_holds_once_a_flag_is_unset() {
    let world = world();
    world.switch(|overrides| hold(overrides, "on"));
    world.apply(&shop(&ConfigSet {
        flags: [("new".parse().unwrap(), Flag::boolean(true))].into(),
        ..declared(1)
    }));
    world.switch(|overrides| hold(overrides, "off"));
    assert_eq!(world.target("us").text("app/flags/new"), "false");
    world.switch(|overrides| overrides.unset_flag(&"new".parse().unwrap(), None).unwrap());
    assert_eq!(world.target("us").text("app/flags/new"), "true");
}

#[test]
fn of_two_open_breakers_the_one_tripped_last_wins_and_explain_shows_both() {
    let world = world();
    world.switch(|overrides| trip(overrides, "two", ""));
    world.switch(|overrides| trip(overrides, "one", ""));
    assert_eq!(world.target("eu").text("app/a"), "100");
    assert_eq!(world.target("eu").text("app/b"), "200");
    let history = [3, 2, 1].map(|number| world.revision("shop", number));
    let labels = [("region".to_owned(), "eu".to_owned())].into();
    let explained = explain(&history, &labels);
    let a = &explained[&["a"].into_iter().collect()];
    let ValueSource::Breaker { breaker, held } = &a.source else {
        panic!("{a:?}");
    };
    assert_eq!(breaker.as_str(), "one");
    assert_eq!(held.reason.as_deref(), Some("stripe 5xx"));
    assert_eq!(a.beneath, ["two".parse().unwrap()]);
    assert_eq!(a.version, version(3));
    let b = &explained[&["b"].into_iter().collect()];
    assert!(matches!(&b.source, ValueSource::Breaker { breaker, .. } if breaker.as_str() == "two"));
    assert_eq!(b.version, version(2));
    world.switch(|overrides| reset(overrides, "one"));
    assert_eq!(world.target("eu").text("app/a"), "200");
}

#[test]
fn a_trip_in_some_clusters_leaves_the_others_alone() {
    let world = world();
    world.switch(|overrides| trip(overrides, "one", "region=eu"));
    assert_eq!(world.target("eu").text("app/a"), "100");
    assert_eq!(world.target("us").text("app/a"), "1");
    let plan = world.plan_all();
    assert_eq!(delivery(&plan, "shop", "us").overridden, []);
    let [Hold::Breaker { breaker, .. }] = &delivery(&plan, "shop", "eu").overridden[..] else {
        panic!("{plan:?}");
    };
    assert_eq!(breaker.as_str(), "one");
}

#[test]
fn what_is_open_or_switched_is_not_removed_without_consent() {
    let world = world();
    world.switch(|overrides| {
        trip(overrides, "one", "");
        hold(overrides, "on");
    });
    let without = ConfigSet {
        breakers: [].into(),
        flags: [].into(),
        ..declared(1)
    };
    let mut desired = shop(&without);
    let parts = |desired: &Desired| -> Vec<Part> {
        let objections = world.objections(desired).into_iter();
        let part = |reason| match reason {
            ObjectionReason::Overridden { part, .. } => part,
            other => panic!("{other:?}"),
        };
        objections.map(|objection| part(objection.reason)).collect()
    };
    let (one, new) = ("one".parse().unwrap(), "new".parse().unwrap());
    assert_eq!(parts(&desired), [Part::Flag(new), Part::Breaker(one)]);
    desired.dropped = BTreeSet::from([flag("new")]);
    assert_eq!(parts(&desired).len(), 1);
    desired.dropped.insert(breaker("one"));
    world.apply(&desired);
    assert_eq!(world.head("shop").overrides, Overrides::default());
    assert_eq!(world.target("eu").text("app/a"), "1");
}

fn flag(name: &str) -> (SetName, Part) {
    ("shop".parse().unwrap(), Part::Flag(name.parse().unwrap()))
}

fn breaker(name: &str) -> (SetName, Part) {
    let part = Part::Breaker(name.parse().unwrap());
    ("shop".parse().unwrap(), part)
}

/// A flag and a breaker of one name are two things.
#[test]
fn consent_to_drop_a_flag_drops_no_breaker_of_its_name() {
    let world = world();
    world.switch(|overrides| trip(overrides, "one", ""));
    let mut desired = deleted("shop");
    desired.dropped = BTreeSet::from([flag("one")]);
    assert!(approve(world.plan(&desired)).is_err());
}

#[test]
fn consent_for_something_else_drops_nothing() {
    let world = world();
    world.switch(|overrides| trip(overrides, "one", ""));
    let mut desired = shop(&declared(7));
    desired.dropped = BTreeSet::from([breaker("one")]);
    world.apply(&desired);
    assert_eq!(
        world.head("shop").overrides.openings.len(),
        1,
        "it is declared still"
    );
}

#[test]
fn a_variant_that_a_flag_is_held_at_cannot_go_either() {
    let world = world();
    world.switch(|overrides| hold(overrides, "on"));
    let other = Flag {
        variants: [("blue".to_owned(), json!("#00f"))].into(),
        default_variant: Some("blue".to_owned()),
        ..Flag::boolean(true)
    };
    let objections = world.objections(&shop(&ConfigSet {
        flags: [("new".parse().unwrap(), other)].into(),
        ..declared(1)
    }));
    assert!(matches!(
        objections[0].reason,
        ObjectionReason::Overridden { .. }
    ));
}

#[test]
fn a_set_is_not_deleted_while_something_of_it_is_open() {
    let world = world();
    world.switch(|overrides| trip(overrides, "one", ""));
    let mut desired = deleted("shop");
    assert!(approve(world.plan(&desired)).is_err());
    desired.dropped = BTreeSet::from([breaker("one")]);
    world.apply(&desired);
    world.apply(&shop(&declared(1)));
    assert_eq!(world.head("shop").overrides, Overrides::default());
}

#[test]
fn what_stands_against_a_trip_in_one_cluster_holds_up_no_other() {
    let world = world();
    world
        .target("us")
        .memory
        .put_as_other("cfgctl/shop/snapshot", b"{}");
    let reports = world.switch(|overrides| trip(overrides, "one", ""));
    assert_eq!(outcomes(&reports), [&Ending::Delivered, &Ending::Refused]);
    assert_eq!(world.target("eu").text("app/a"), "100");
    // The same does not pass for what files declare.
    let plan = world.plan(&shop(&declared(9)));
    assert!(approve_where_possible(plan).is_err());
}

#[test]
fn an_older_revision_with_other_overrides_is_known_for_what_it_is() {
    let world = world();
    world.switch(|overrides| trip(overrides, "one", ""));
    world.target("us").set_wire(Wire::Down);
    world.switch(|overrides| reset(overrides, "one"));
    world.target("us").set_wire(Wire::Fine);
    world.target("us").memory.put_as_other("app/a", b"7");
    let plan = world.plan_all();
    let behind = delivery(&plan, "shop", "us");
    assert_eq!(behind.condition, Condition::Behind);
    assert_eq!(behind.action, Action::Update);
    let crate::plan::ForeignEdit::Edited { expected, .. } = &behind.drift[0] else {
        panic!("{behind:?}");
    };
    assert_eq!(
        expected.as_deref(),
        Some(&b"100"[..]),
        "what was written there"
    );
    world.heal();
    assert_eq!(world.target("us").text("app/a"), "1");
}

#[test]
fn a_change_of_overrides_says_that_it_is_one() {
    let world = world();
    let mut overrides = Overrides::default();
    trip(&mut overrides, "one", "");
    let desired = Desired::overridden("shop".parse().unwrap(), overrides);
    let plan = world.plan(&desired);
    let [change] = &plan.resources[..] else {
        panic!("{plan:?}");
    };
    assert_eq!(change.why, Why::Overrides);
    assert_eq!(plan.commit.revisions.len(), 1);
}
