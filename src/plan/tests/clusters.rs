//! What a change of clusters makes of the sets that go there.

use serde_json::json;

use crate::engine::Ending;
use crate::model::{ConfigSet, Content};
use crate::plan::testing::*;
use crate::plan::{Action, Condition, Desired, UnseenKind, Why};

#[test]
fn a_cluster_that_is_added_gets_its_sets_at_their_head() {
    let (world, _) = delivered();
    let plan = world.plan(&described("jp", cluster("jp", "jp")));
    assert_eq!(plan.resources.len(), 1);
    assert_eq!(actions(&plan), [Action::Keep, Action::Create, Action::Keep]);

    world.apply(&described("jp", cluster("jp", "jp")));
    assert_eq!(world.target("jp").text("app/a"), "1");
    assert!(world.plan_all().is_settled());
}

#[test]
fn other_labels_make_a_new_revision_of_those_sets_that_read_them() {
    let (world, set) = delivered();
    let layered = ConfigSet {
        layers: vec![layer("region=jp", json!({"a": 9}))],
        publish: vec![keys("layered")],
        ..set
    };
    world.apply(&sets(&[("layered", &layered)]));

    let relabelled = described("us", cluster("us", "jp"));
    let plan = world.plan(&relabelled);
    let changed: Vec<_> = plan.resources.iter().map(|it| (&it.id, it.why)).collect();
    assert_eq!(
        changed,
        [
            (&cluster_id("us"), Why::Content),
            (&set_id("layered"), Why::Labels),
        ]
    );
    assert_eq!(actions(&plan), [Action::Keep, Action::Keep]);

    world.apply(&relabelled);
    assert_eq!(world.target("us").text("layered/a"), "9");
    assert_eq!(world.target("eu").text("layered/a"), "1");
    assert!(world.plan_all().is_settled());
}

/// What it holds cannot be asked, and must not be trusted to be asked later.
#[test]
fn other_labels_make_a_new_revision_also_while_the_cluster_is_away() {
    let world = World::new();
    let layered = ConfigSet {
        layers: vec![layer("region=jp", json!({"a": 9}))],
        ..set(json!({"a": 1}))
    };
    world.apply(&shop(&layered));
    world.target("us").set_wire(Wire::Down);
    let plan = world.plan(&described("us", cluster("us", "jp")));
    assert_eq!(plan.resources[1].why, Why::Labels);
    assert_eq!(actions(&plan), [Action::Update, Action::Wait]);
}

#[test]
fn labels_that_take_a_cluster_out_of_a_selector_remove_the_set() {
    let (world, set) = delivered();
    let only_eu = ConfigSet {
        clusters: selector("region=eu"),
        ..set
    };
    world.apply(&shop(&only_eu));
    let plan = world.plan(&described("eu", cluster("eu", "jp")));
    assert_eq!(plan.resources.len(), 1);
    assert_eq!(actions(&plan), [Action::Remove, Action::Keep]);
}

/// The cluster was away while it was deleted and made again: what is there has the number of the
/// head and other values, and a reader must not see the same number with other values.
#[test]
fn a_cluster_that_comes_again_with_other_labels_gets_a_new_number() {
    let world = World::new();
    let layered = ConfigSet {
        layers: vec![layer("region=jp", json!({"a": 9}))],
        ..set(json!({"a": 1}))
    };
    world.apply(&shop(&layered));
    world.apply(&Desired::from([(cluster_id("us"), Content::Deleted)]));
    assert_eq!(world.target("us").text("app/a"), "1", "it is left as it is");

    let again = described("us", cluster("us", "jp"));
    let plan = world.plan(&again);
    assert_eq!(plan.resources[1].why, Why::Labels);
    assert_eq!(plan.resources[1].version, version(2));
    world.apply(&again);
    assert_eq!(world.target("us").text("app/a"), "9");
    assert!(world.plan_all().is_settled());
}

#[test]
fn what_was_rendered_for_other_labels_is_outdated() {
    let world = World::new();
    let layered = ConfigSet {
        layers: vec![layer("region=jp", json!({"a": 9}))],
        ..set(json!({"a": 1}))
    };
    world.apply(&shop(&layered));
    world.apply(&Desired::from([(cluster_id("us"), Content::Deleted)]));
    world.target("us").set_wire(Wire::Down);
    world.apply(&described("us", cluster("us", "jp")));
    world.target("us").set_wire(Wire::Fine);

    let plan = world.plan(&shop(&layered));
    assert_eq!(delivery(&plan, "shop", "us").condition, Condition::Outdated);
    assert_eq!(actions(&plan), [Action::Update, Action::Update]);
    assert_eq!(plan.resources[0].why, Why::Labels);
}

#[test]
fn at_another_address_the_head_is_written_again() {
    let (world, _) = delivered();
    let plan = world.plan(&described("us", cluster("elsewhere", "us")));
    assert_eq!(plan.resources.len(), 1);
    assert_eq!(actions(&plan), [Action::Keep, Action::Create]);
    assert_eq!(delivery(&plan, "shop", "us").condition, Condition::Missing);

    world.apply(&described("us", cluster("elsewhere", "us")));
    assert_eq!(world.target("elsewhere").text("app/a"), "1");
    assert_eq!(world.target("us").text("app/a"), "1", "it is left as it is");
}

#[test]
fn a_cluster_that_does_not_answer_waits_and_the_others_go_on() {
    let (world, _) = delivered();
    world.target("eu").set_wire(Wire::Down);
    let changed = shop(&set(json!({"a": 3})));
    let plan = world.plan(&changed);
    assert_eq!(actions(&plan), [Action::Wait, Action::Update]);
    assert!(plan.objections.is_empty() && !plan.is_settled());

    let reports = world.apply(&changed);
    let [Ending::Failed(unseen), Ending::Delivered] = outcomes(&reports)[..] else {
        panic!("{reports:?}");
    };
    assert_eq!(unseen.kind, UnseenKind::Unreachable);
    assert_eq!(unseen.reason, "wired cannot be reached: connection refused");
    assert_eq!(world.target("eu").text("app/a"), "1");

    world.target("eu").set_wire(Wire::Fine);
    let plan = world.plan_all();
    assert_eq!(delivery(&plan, "shop", "eu").condition, Condition::Behind);
    world.heal();
    assert_eq!(world.target("eu").text("app/a"), "3");
}

#[test]
fn a_cluster_that_a_set_does_not_go_to_may_be_away() {
    let world = World::new();
    world.target("us").set_wire(Wire::Down);
    let only_eu = ConfigSet {
        clusters: selector("region=eu"),
        ..set(json!({"a": 1}))
    };
    let reports = world.apply(&shop(&only_eu));
    assert_eq!(outcomes(&reports), [&Ending::Delivered, &Ending::Unchanged]);
    assert!(world.plan(&shop(&only_eu)).is_settled());
}

#[test]
fn a_removal_waits_for_a_cluster_that_does_not_answer() {
    let (world, _) = delivered();
    world.target("us").set_wire(Wire::Down);
    assert_eq!(
        actions(&world.plan(&deleted("shop"))),
        [Action::Remove, Action::Wait]
    );
}
