//! Keys of others are reported and kept.

use serde_json::json;

use crate::model::Consent;
use crate::plan::testing::*;
use crate::plan::{Action, ObjectionReason};

#[test]
fn a_key_of_someone_else_at_our_place_stands_against_the_plan() {
    let world = World::new();
    let desired = shop(&set(json!({"a": 1, "b": 2})));
    world.target("eu").memory.put_as_other("app/b", b"theirs");
    let plan = world.plan(&desired);
    assert_eq!(actions(&plan), [Action::Refuse, Action::Create]);
    let [objection] = &plan.objections[..] else {
        panic!("{plan:?}");
    };
    let taken = vec![key("app/b")];
    assert_eq!(
        objection.reason,
        ObjectionReason::ForeignKeys { keys: taken }
    );
    assert_eq!(objection.reason.answer(), Some(Consent::Adopt));
    assert_eq!(
        objection.reason.to_string(),
        "`app/b` is there already, and cfgctl did not write it"
    );

    let world = world.adopting();
    world.apply(&desired);
    assert_eq!(world.target("eu").text("app/b"), "2");
    assert_eq!(world.head("shop").version, version(1));
}

/// Even with the content that it should have: what we write we delete one day.
#[test]
fn a_key_of_someone_else_with_our_content_is_theirs_too() {
    let world = World::new();
    world.target("eu").memory.put_as_other("app/a", b"1");
    assert_eq!(world.objections(&shop(&set(json!({"a": 1})))).len(), 1);
}

#[test]
fn a_key_of_someone_else_beside_ours_is_reported_and_kept() {
    let (world, set) = delivered();
    world.target("eu").memory.put_as_other("app/theirs", b"x");
    let plan = world.plan(&shop(&set));
    assert_eq!(delivery(&plan, "shop", "eu").foreign, [key("app/theirs")]);
    assert!(plan.is_settled());

    let mut all = deleted("shop");
    world.apply(&all);
    all.contents.extend(shop(&set).contents);
    world.apply(&all);
    assert_eq!(world.target("eu").text("app/theirs"), "x");
}

#[test]
fn many_foreign_keys_are_counted_and_not_listed() {
    let world = World::new();
    let values = json!({"a": 1, "b": 2, "c": 3, "d": 4, "e": 5});
    for name in ["a", "b", "c", "d", "e"] {
        world
            .target("eu")
            .memory
            .put_as_other(&format!("app/{name}"), b"x");
    }
    assert_eq!(
        world.objections(&shop(&set(values)))[0].reason.to_string(),
        "`app/a`, `app/b`, `app/c` and 2 more are there already, and cfgctl did not write them"
    );
}

#[test]
fn consent_to_adopt_is_no_licence_to_delete() {
    let (world, _) = delivered();
    world.target("eu").memory.put_as_other("app/theirs", b"x");
    let world = world.adopting();
    world.apply(&shop(&set(json!({"z": 1}))));
    world.apply(&deleted("shop"));
    assert_eq!(world.target("eu").text("app/theirs"), "x");
}
