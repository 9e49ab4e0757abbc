//! Targets that hold what this store did not make.

use serde_json::json;

use crate::model::{Document, Version};
use crate::plan::testing::*;
use crate::plan::{Action, Condition, ObjectionReason, Why};

const SNAPSHOT: &str = "cfgctl/shop/snapshot";

/// Two stores that go to the same targets: the second has what `applies` left in the first's, and
/// a store that knows nothing of it.
fn after_another_store(applies: u64) -> World {
    let (first, second) = (World::new(), World::new());
    // Its clock runs differently, or the two could not be told apart.
    for _ in 0..100 {
        first.origin();
    }
    for number in 1..=applies {
        first.apply(&shop(&set(json!({"a": number}))));
    }
    let wire = first.target("eu");
    second
        .target("eu")
        .memory
        .put_as_other(SNAPSHOT, wire.text(SNAPSHOT).as_bytes());
    second
        .target("eu")
        .memory
        .put_as_other("app/a", wire.text("app/a").as_bytes());
    second
}

fn held(world: &World) -> Version {
    let bytes = world.target("eu").memory.get(SNAPSHOT).unwrap();
    Document::parse(&bytes).unwrap().version()
}

#[test]
fn a_target_ahead_of_the_store_is_not_written_to() {
    let world = after_another_store(3);
    let desired = shop(&set(json!({"a": 9})));
    let plan = world.plan(&desired);
    assert!(plan.objections.iter().any(|objection| {
        let (observed, head) = (version(3), None);
        objection.reason == ObjectionReason::Ahead { observed, head }
    }));
    assert_eq!(actions(&plan), [Action::Refuse, Action::Create]);
    assert!(matches!(
        delivery(&plan, "shop", "eu").condition,
        Condition::Alien(_)
    ));
    assert_eq!(held(&world), version(3));
}

#[test]
fn who_takes_over_goes_above_what_is_there() {
    let world = after_another_store(3).adopting();
    let desired = shop(&set(json!({"a": 9})));
    let plan = world.plan(&desired);
    assert_eq!(plan.resources[0].version, version(4));
    world.apply(&desired);
    assert_eq!(held(&world), version(4));
    assert!(world.plan(&desired).is_settled());
}

/// The store came back from a copy that is older than what was delivered.
#[test]
fn a_restored_store_takes_over_only_with_consent_and_with_a_new_number() {
    let world = World::new();
    let desired = shop(&set(json!({"a": 1})));
    world.apply(&desired);
    let newer = after_another_store(5).target("eu").text(SNAPSHOT);
    world
        .target("eu")
        .memory
        .put_as_other(SNAPSHOT, newer.as_bytes());

    let [objection] = &world.objections(&desired)[..] else {
        panic!("one objection");
    };
    let (observed, head) = (version(5), Some(version(1)));
    assert_eq!(objection.reason, ObjectionReason::Ahead { observed, head });

    let world = world.adopting();
    let plan = world.plan(&desired);
    assert_eq!(plan.resources[0].why, Why::Takeover);
    assert_eq!(plan.resources[0].version, version(6));
    world.apply(&desired);
    assert_eq!(held(&world), version(6));
    assert!(world.plan_all().is_settled());
}

#[test]
fn the_same_number_from_another_history_is_told_apart() {
    let world = World::new();
    let desired = shop(&set(json!({"a": 1})));
    world.apply(&desired);
    let theirs = after_another_store(1).target("eu").text(SNAPSHOT);
    world
        .target("eu")
        .memory
        .put_as_other(SNAPSHOT, theirs.as_bytes());

    let objections = world.objections(&desired);
    assert!(matches!(
        &objections[0].reason,
        ObjectionReason::OtherHistory { observed, actor } if *observed == version(1) && actor == "ops@laptop"
    ));
    let world = world.adopting();
    world.apply(&desired);
    assert_eq!(held(&world), version(2));
}

#[test]
fn an_older_number_from_another_history_needs_no_new_revision() {
    let world = World::new();
    world.apply(&shop(&set(json!({"a": 1}))));
    let desired = shop(&set(json!({"a": 2})));
    world.apply(&desired);
    let theirs = after_another_store(1).target("eu").text(SNAPSHOT);
    world
        .target("eu")
        .memory
        .put_as_other(SNAPSHOT, theirs.as_bytes());

    let world = world.adopting();
    let plan = world.plan(&desired);
    assert!(plan.resources.is_empty());
    assert_eq!(actions(&plan), [Action::Update, Action::Keep]);
}

#[test]
fn the_snapshot_of_another_set_or_cluster_stands_against_the_plan() {
    let (world, set) = delivered();
    let eu = world.target("eu").text(SNAPSHOT);
    world
        .target("us")
        .memory
        .put_as_other(SNAPSHOT, eu.as_bytes());
    let objections = world.objections(&shop(&set));
    assert_eq!(
        objections[0].reason.to_string(),
        "what lies at its snapshot key cannot be read: it is the snapshot of `shop` for cluster \
         `eu`"
    );
    // Its readers have seen this number with other content.
    let world = world.adopting();
    world.apply(&shop(&set));
    assert_eq!(world.head("shop").version, version(2));

    let sold = eu.replace(r#""set":"shop""#, r#""set":"sold""#);
    world
        .target("us")
        .memory
        .put_as_other(SNAPSHOT, sold.as_bytes());
    world.apply(&shop(&set));
    assert_eq!(world.head("shop").version, version(2));
    assert!(world.plan_all().is_settled());
}

/// A hand that writes the largest number must not bring the store to its end.
#[test]
fn a_number_that_nobody_counted_to_is_not_exceeded() {
    for number in [u64::MAX, u64::MAX / 2, 1 << 53] {
        let (world, set) = delivered();
        let eu = world.target("eu");
        let claim = format!(r#""version":{number}"#);
        let text = eu.text(SNAPSHOT).replace(r#""version":1"#, &claim);
        eu.memory.put_as_other(SNAPSHOT, text.as_bytes());
        assert_eq!(world.objections(&shop(&set)).len(), 1);

        let world = world.adopting();
        world.apply(&shop(&set));
        assert_eq!(held(&world), version(1));
    }
}

#[test]
fn a_number_that_was_raised_by_hand_is_exceeded() {
    let (world, set) = delivered();
    let eu = world.target("eu");
    let text = eu
        .text(SNAPSHOT)
        .replace(r#""version":1"#, r#""version":7"#);
    eu.memory.put_as_other(SNAPSHOT, text.as_bytes());
    let world = world.adopting();
    world.apply(&shop(&set));
    assert_eq!(held(&world), version(8));
}

#[test]
fn what_is_not_from_this_store_is_not_removed() {
    let world = after_another_store(2).adopting();
    let plan = world.plan(&deleted("shop"));
    assert_eq!(actions(&plan), [Action::Keep, Action::Keep]);
    assert!(plan.objections.is_empty() && !plan.has_changes());
}

#[test]
fn a_store_that_was_left_behind_deletes_nothing_that_is_newer() {
    let (world, _) = delivered();
    // What a store with a longer history delivered meanwhile.
    let newer = after_another_store(9).target("eu").text(SNAPSHOT);
    let eu = world.target("eu");
    eu.memory.put_as_other(SNAPSHOT, newer.as_bytes());

    let objections = world.objections(&deleted("shop"));
    assert!(
        matches!(objections[0].reason, ObjectionReason::Ahead { .. }),
        "{objections:?}"
    );
    let world = world.adopting();
    world.apply(&deleted("shop"));
    assert!(world.plan_all().is_settled());
}
