//! What a change of sets makes of revisions and targets.

use serde_json::json;

use crate::model::{ConfigSet, Content, Limits, Version};
use crate::plan::testing::*;
use crate::plan::{Action, Condition, Desired, ObjectionReason, Why, value_changes};

#[test]
fn a_new_set_is_the_first_revision_and_goes_to_every_cluster() {
    let world = World::new();
    let plan = world.plan(&shop(&set(json!({"a": 1}))));
    assert_eq!(plan.resources[0].version, Version::FIRST);
    assert_eq!(plan.resources[0].base, None);
    assert_eq!(plan.resources[0].why, Why::Content);
    assert_eq!(actions(&plan), [Action::Create, Action::Create]);
    assert_eq!(delivery(&plan, "shop", "eu").condition, Condition::None);
    assert!(plan.has_changes() && !plan.is_settled());

    world.apply(&shop(&set(json!({"a": 1}))));
    assert_eq!(world.target("us").text("app/a"), "1");
}

#[test]
fn an_unchanged_set_makes_no_revision_and_no_write() {
    let (world, set) = delivered();
    let plan = world.plan(&shop(&set));
    assert!(plan.is_settled() && !plan.has_changes());
    assert_eq!(actions(&plan), [Action::Keep, Action::Keep]);
    assert!(plan.commit.revisions.is_empty());
}

#[test]
fn a_changed_set_replaces_what_is_there() {
    let (world, _) = delivered();
    let plan = world.plan(&shop(&set(json!({"a": 1, "b": 3}))));
    let eu = delivery(&plan, "shop", "eu");
    assert_eq!(
        (eu.action, &eu.condition),
        (Action::Update, &Condition::InSync)
    );
    assert_eq!(
        eu.changes,
        value_changes(&map(json!({"b": 2})), &map(json!({"b": 3})))
    );
    assert_eq!(plan.resources[0].version, version(2));

    world.apply(&shop(&set(json!({"a": 1, "b": 3}))));
    assert_eq!(world.target("eu").text("app/b"), "3");
    assert!(world.plan_all().is_settled());
}

#[test]
fn a_layer_for_one_cluster_changes_no_value_in_the_other() {
    let (world, set) = delivered();
    let layered = ConfigSet {
        layers: vec![layer("region=eu", json!({"a": 5}))],
        ..set
    };
    let plan = world.plan(&shop(&layered));
    assert_eq!(delivery(&plan, "shop", "eu").changes.len(), 1);
    assert_eq!(delivery(&plan, "shop", "us").changes, []);

    world.apply(&shop(&layered));
    assert_eq!(world.target("eu").text("app/a"), "5");
    assert_eq!(world.target("us").text("app/a"), "1");
}

#[test]
fn the_key_of_a_leaf_that_is_gone_is_deleted() {
    let (world, _) = delivered();
    world.apply(&shop(&set(json!({"a": 1}))));
    let eu = world.target("eu");
    assert_eq!(
        (eu.text("app/a"), eu.memory.get("app/b")),
        ("1".to_owned(), None)
    );
}

#[test]
fn where_the_selector_no_longer_matches_exactly_our_keys_are_removed() {
    let (world, set) = delivered();
    world.target("us").memory.put_as_other("app/theirs", b"x");
    let only_eu = ConfigSet {
        clusters: selector("region=eu"),
        ..set
    };
    let plan = world.plan(&shop(&only_eu));
    assert_eq!(actions(&plan), [Action::Update, Action::Remove]);
    assert_eq!(delivery(&plan, "shop", "us").foreign, [key("app/theirs")]);

    world.apply(&shop(&only_eu));
    let us = world.target("us");
    for gone in ["app/a", "app/b", "cfgctl/shop/snapshot"] {
        assert_eq!(us.memory.get(gone), None, "{gone}");
    }
    assert_eq!(us.text("app/theirs"), "x");
    assert!(world.plan_all().is_settled());
}

#[test]
fn a_deleted_set_is_a_tombstone_and_versions_go_on_when_it_comes_again() {
    let (world, set) = delivered();
    let plan = world.plan(&deleted("shop"));
    assert_eq!(actions(&plan), [Action::Remove, Action::Remove]);
    world.apply(&deleted("shop"));
    assert_eq!(world.head("shop").content, Content::Deleted);
    assert_eq!(world.target("eu").memory.get("app/a"), None);
    assert!(!world.plan(&deleted("shop")).has_changes());

    let again = world.plan(&shop(&set));
    assert_eq!(again.resources[0].version, version(3));
    assert_eq!(again.resources[0].base, Some(version(2)));
}

#[test]
fn what_never_existed_gets_no_tombstone() {
    let plan = World::new().plan(&deleted("shop"));
    assert!(plan.is_settled(), "{plan:?}");
}

#[test]
fn a_removal_that_was_not_finished_is_finished_when_all_sets_are_looked_at() {
    let (world, _) = delivered();
    world.target("us").set_wire(Wire::Down);
    world.apply(&deleted("shop"));
    world.target("us").set_wire(Wire::Fine);

    let plan = world.plan_all();
    assert_eq!(delivery(&plan, "shop", "us").condition, Condition::Leftover);
    assert_eq!(actions(&plan), [Action::Keep, Action::Remove]);
    world.heal();
    assert_eq!(world.target("us").memory.get("app/a"), None);
}

#[test]
fn a_rollback_is_a_new_revision_with_the_old_values() {
    let (world, old) = delivered();
    world.apply(&shop(&set(json!({"a": 7}))));
    world.apply(&shop(&old));
    assert_eq!(world.head("shop").version, version(3));
    assert_eq!(world.target("eu").text("app/b"), "2");
}

#[test]
fn what_does_not_fit_is_refused_with_the_numbers_and_nobody_can_consent_to_it() {
    let limits = Limits {
        operations: 2,
        ..Limits::CONSUL
    };
    let world = World::with_limits(limits).adopting();
    let plan = world.plan(&shop(&set(json!({"a": 1, "b": 2}))));
    assert_eq!(actions(&plan), [Action::Refuse, Action::Refuse]);
    let reason = &plan.objections[0].reason;
    assert_eq!(
        reason.to_string(),
        "needs 3 operations in one transaction, the limit is 2; with `atomic: false` in `publish` \
         the keys may arrive in batches"
    );
    assert!(matches!(reason, ObjectionReason::TooLarge { .. }) && reason.answer().is_none());
    let refused = approve(plan).unwrap_err();
    assert_eq!(refused.objections.len(), 2);
}

#[test]
fn one_value_that_is_too_large_is_refused() {
    let limits = Limits {
        value_bytes: 1000,
        ..Limits::CONSUL
    };
    let large = set(json!({"a": "x".repeat(1001)}));
    let objections = World::with_limits(limits).objections(&shop(&large));
    let text = objections[0].reason.to_string();
    assert!(
        text.contains("`app/a` has 1001 bytes, the limit for one value is 1000"),
        "{text}"
    );
}

#[test]
fn a_removal_that_does_not_fit_is_refused_too() {
    let (world, _) = delivered();
    let (desired, reach) = (deleted("shop"), super::super::Reach::All);
    let survey = world.survey(&desired, &reach).with_limits(Limits {
        operations: 2,
        ..Limits::CONSUL
    });
    let plan = survey.plan(&desired, &reach, &world.origin(), &world.consents);
    assert_eq!(actions(&plan.unwrap()), [Action::Refuse, Action::Refuse]);
}

#[test]
fn a_plan_is_approved_only_when_nothing_stands_against_it() {
    let world = World::new();
    assert!(approve(world.plan(&shop(&set(json!({"a": 1}))))).is_ok());
    world.target("eu").memory.put_as_other("app/a", b"theirs");
    assert!(approve(world.plan(&shop(&set(json!({"a": 1}))))).is_err());
}

#[test]
fn the_commit_is_guarded_by_everything_that_the_plan_follows_from() {
    let (world, set) = delivered();
    let plan = world.plan(&sets(&[("shop", &set), ("news", &other())]));
    let expected: Vec<_> = plan.commit.expected.into_iter().collect();
    assert_eq!(
        expected,
        [
            (cluster_id("eu"), Some(version(1))),
            (cluster_id("us"), Some(version(1))),
            (set_id("news"), None),
            (set_id("shop"), Some(version(1))),
        ]
    );
    assert_eq!(plan.commit.revisions.len(), 1);
}

#[test]
fn every_set_is_looked_at_when_asked_for_and_else_only_those_named() {
    let (world, _) = delivered();
    world.apply(&sets(&[("news", &other())]));
    assert_eq!(world.plan_all().deliveries.len(), 4);
    assert_eq!(world.plan(&sets(&[("news", &other())])).deliveries.len(), 2);
    assert_eq!(world.plan(&Desired::nothing()).deliveries.len(), 0);
}

/// A set that publishes elsewhere.
fn other() -> ConfigSet {
    ConfigSet {
        publish: vec![keys("news")],
        ..set(json!({"z": 1}))
    }
}

#[test]
fn keys_that_move_to_another_set_are_not_deleted_by_the_first() {
    for (from, to) in [("aaa", "zzz"), ("zzz", "aaa")] {
        let world = World::new();
        world.apply(&sets(&[(from, &set(json!({"a": 1, "b": 2})))]));
        let moved = sets(&[(from, &set(json!({"a": 1}))), (to, &set(json!({"b": 2})))]);
        world.apply(&moved);
        assert_eq!(world.target("eu").text("app/b"), "2", "{from} to {to}");
        assert!(world.plan_all().is_settled(), "{from} to {to}");
    }
}

#[test]
fn keys_that_move_come_through_lost_writes() {
    for nth in 0..2 {
        let world = World::new();
        world.apply(&sets(&[("aaa", &set(json!({"a": 1, "b": 2})))]));
        world.target("eu").set_wire(Wire::Loses(nth, Lost::Request));
        let moved = sets(&[
            ("aaa", &set(json!({"a": 1}))),
            ("zzz", &set(json!({"b": 5}))),
        ]);
        world.apply(&moved);
        assert!(!world.target("eu").text("app/b").is_empty());
        world.heal();
        assert_eq!(world.target("eu").text("app/b"), "5");
        assert!(world.plan_all().is_settled());
    }
}

#[test]
fn a_set_that_is_deleted_leaves_the_keys_that_another_takes_over() {
    let (world, set) = delivered();
    let mut desired = deleted("shop");
    desired.contents.extend(sets(&[("heir", &set)]).contents);
    world.apply(&desired);
    assert_eq!(world.target("eu").text("app/a"), "1");
    assert!(world.plan_all().is_settled());
}

#[test]
fn a_removal_that_could_not_be_looked_at_is_not_called_done() {
    let (world, _) = delivered();
    world.target("us").set_wire(Wire::Down);
    world.apply(&deleted("shop"));

    let plan = world.plan_all();
    assert_eq!(delivery(&plan, "shop", "us").action, Action::Wait);
    assert!(!plan.is_settled());

    world.target("us").set_wire(Wire::Fine);
    world.heal();
    assert!(world.plan_all().is_settled());
    assert_eq!(world.target("us").text("app/a"), "");
}
