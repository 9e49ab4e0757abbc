//! What looks like an accident needs consent, once.

use serde_json::json;

use crate::model::{Consent, Limits};
use crate::plan::ObjectionReason;
use crate::plan::testing::*;

/// A world whose person has consented to nothing, and a set of ten keys in two clusters.
fn world() -> World {
    let mut world = World::new();
    world.consents.clear();
    world.apply(&shop(&set(ten_keys())));
    world
}

fn ten_keys() -> serde_json::Value {
    (0..10).map(|n| (format!("key{n}"), json!(n))).collect()
}

fn without(count: usize) -> serde_json::Value {
    (count..10).map(|n| (format!("key{n}"), json!(n))).collect()
}

#[test]
fn up_to_a_fifth_of_the_keys_may_go() {
    let world = world();
    assert_eq!(world.objections(&shop(&set(without(2)))), []);
}

#[test]
fn more_than_a_fifth_needs_consent_in_every_cluster_that_loses_them() {
    let world = world();
    let objections = world.objections(&shop(&set(without(3))));
    assert_eq!(objections.len(), 2);
    assert_eq!(
        objections[0].reason,
        ObjectionReason::Deletes { removed: 3, of: 10 }
    );
    assert_eq!(objections[0].reason.answer(), Some(Consent::AllowDeletes));
}

#[test]
fn a_set_that_goes_as_a_whole_needs_consent_also_where_the_cluster_does_not_answer() {
    let world = world();
    world.target("us").set_wire(Wire::Down);
    let objections = world.objections(&deleted("shop"));
    assert_eq!(objections.len(), 2);
    assert_eq!(objections[1].reason, ObjectionReason::DeletesAll);
}

#[test]
fn a_snapshot_that_doubles_needs_consent() {
    let world = world();
    let mut values = ten_keys();
    values["key0"] = json!("x".repeat(5000));
    let objections = world.objections(&shop(&set(values)));
    assert!(matches!(objections[0].reason, ObjectionReason::Grows { from, to } if to > 2 * from));
    assert_eq!(objections[0].reason.answer(), Some(Consent::AllowGrowth));
}

#[test]
fn consent_lets_it_pass_and_is_recorded_with_the_revision() {
    let mut world = world();
    world.consents.insert(Consent::AllowDeletes);
    world.apply(&shop(&set(without(5))));
    let consents = world.head("shop").origin.consents;
    assert_eq!(
        consents.into_iter().collect::<Vec<_>>(),
        [Consent::AllowDeletes]
    );
}

#[test]
fn what_was_consented_to_is_delivered_later_without_asking_again() {
    let mut world = world();
    world.consents.insert(Consent::AllowDeletes);
    world.target("us").set_wire(Wire::Down);
    world.apply(&shop(&set(without(5))));
    world.target("us").set_wire(Wire::Fine);
    world.consents.clear();

    let plan = world.plan_all();
    assert_eq!(plan.objections, []);
    world.heal();
    assert!(world.plan_all().is_settled());
}

#[test]
fn a_new_set_and_a_new_cluster_ask_for_nothing() {
    let mut world = World::without_clusters(Limits::NONE);
    world.consents.clear();
    world.apply(&described("eu", cluster("eu", "eu")));
    world.apply(&shop(&set(ten_keys())));
    let plan = world.plan(&described("us", cluster("us", "us")));
    assert!(approve(plan).is_ok());
}

#[test]
fn a_publish_target_that_goes_takes_its_keys_and_needs_consent() {
    let world = world();
    let silent = crate::model::ConfigSet {
        publish: Vec::new(),
        ..set(ten_keys())
    };
    let objections = world.objections(&shop(&silent));
    let reason = ObjectionReason::Deletes {
        removed: 10,
        of: 10,
    };
    assert_eq!(objections[0].reason, reason);
}
