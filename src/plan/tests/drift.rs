//! What others do to keys of ours.

use serde_json::json;

use crate::model::{ConfigSet, SpringFormat};
use crate::plan::testing::*;
use crate::plan::{Action, Condition, ForeignEdit, ObjectionReason, value_changes};

const SNAPSHOT: &str = "cfgctl/shop/snapshot";

#[test]
fn an_empty_target_gets_the_head_without_a_new_revision() {
    let (world, set) = delivered();
    for key in [SNAPSHOT, "app/a", "app/b"] {
        world.target("eu").memory.delete_as_other(key);
    }
    let plan = world.plan(&shop(&set));
    assert_eq!(actions(&plan), [Action::Create, Action::Keep]);
    assert_eq!(delivery(&plan, "shop", "eu").condition, Condition::Missing);
    assert!(plan.resources.is_empty());

    world.apply(&shop(&set));
    assert_eq!(world.target("eu").text("app/a"), "1");
    assert_eq!(world.head("shop").version, version(1));
}

#[test]
fn a_lost_snapshot_key_is_written_again_beside_keys_with_our_mark() {
    let (world, set) = delivered();
    world.target("eu").memory.delete_as_other(SNAPSHOT);
    assert_eq!(
        actions(&world.plan(&shop(&set))),
        [Action::Create, Action::Keep]
    );
    world.heal();
    assert!(world.plan_all().is_settled());
}

#[test]
fn an_edited_key_is_drift_and_repaired() {
    let (world, set) = delivered();
    world.target("eu").memory.put_as_other("app/a", b"hand");
    let plan = world.plan(&shop(&set));
    let eu = delivery(&plan, "shop", "eu");
    assert_eq!(
        (eu.action, &eu.condition),
        (Action::Repair, &Condition::Edited)
    );
    assert_eq!(
        eu.drift,
        [ForeignEdit::Edited {
            key: key("app/a"),
            found: b"hand".to_vec(),
            unread: None,
            expected: Some(b"1".to_vec()),
        }]
    );
    assert!(eu.foreign.is_empty() && plan.resources.is_empty());

    world.heal();
    assert_eq!(world.target("eu").text("app/a"), "1");
    assert!(world.plan_all().is_settled());
}

#[test]
fn a_missing_key_is_drift_and_repaired() {
    let (world, set) = delivered();
    world.target("eu").memory.delete_as_other("app/b");
    let plan = world.plan(&shop(&set));
    let eu = delivery(&plan, "shop", "eu");
    assert_eq!(
        eu.drift,
        [ForeignEdit::Missing {
            key: key("app/b"),
            expected: Some(b"2".to_vec()),
        }]
    );
    world.heal();
    assert_eq!(world.target("eu").text("app/b"), "2");
}

#[test]
fn drift_is_told_also_when_the_set_changes() {
    let (world, _) = delivered();
    world.target("eu").memory.put_as_other("app/a", b"hand");
    let plan = world.plan(&shop(&set(json!({"a": 5, "b": 2}))));
    let eu = delivery(&plan, "shop", "eu");
    assert_eq!(
        (eu.action, &eu.condition),
        (Action::Update, &Condition::Edited)
    );
    assert_eq!(eu.drift.len(), 1);
}

#[test]
fn what_an_older_version_said_is_known_from_its_revision() {
    let (world, _) = delivered();
    world.target("eu").set_wire(Wire::Down);
    world.apply(&shop(&set(json!({"a": 5, "b": 2}))));
    world.target("eu").set_wire(Wire::Fine);
    world.target("eu").memory.put_as_other("app/a", b"hand");
    let plan = world.plan_all();
    let eu = delivery(&plan, "shop", "eu");
    assert_eq!(eu.condition, Condition::Behind);
    assert_eq!(
        eu.drift,
        [ForeignEdit::Edited {
            key: key("app/a"),
            found: b"hand".to_vec(),
            unread: None,
            expected: Some(b"1".to_vec()),
        }]
    );
}

/// Changes a text in the snapshot of `eu` as a hand with an editor would.
fn edit(world: &World, from: &str, to: &str) {
    let eu = world.target("eu");
    let text = eu.text(SNAPSHOT);
    assert!(text.contains(from), "{text}");
    eu.memory
        .put_as_other(SNAPSHOT, text.replace(from, to).as_bytes());
}

#[test]
fn an_edited_snapshot_is_drift_and_repaired() {
    let (world, set) = delivered();
    edit(&world, r#""b":2"#, r#""b":3"#);
    world.target("eu").memory.delete_as_other("app/b");
    let plan = world.plan(&shop(&set));
    let eu = delivery(&plan, "shop", "eu");
    assert_eq!(
        (eu.action, &eu.condition),
        (Action::Repair, &Condition::Edited)
    );
    assert_eq!(
        eu.drift,
        [
            ForeignEdit::EditedSnapshot {
                values: value_changes(&map(json!({"a": 1, "b": 2})), &map(json!({"a": 1, "b": 3}))),
            },
            ForeignEdit::Missing {
                key: key("app/b"),
                expected: Some(b"2".to_vec()),
            }
        ]
    );
    assert_eq!(eu.changes.len(), 1, "back to what the store says");
    assert!(plan.resources.is_empty() && plan.objections.is_empty());
    world.heal();
    assert!(world.plan_all().is_settled());
}

#[test]
fn a_snapshot_that_is_only_laid_out_differently_is_no_drift() {
    let (world, set) = delivered();
    edit(&world, r#""values":{"#, "\"values\" : {\n ");
    assert!(world.plan(&shop(&set)).is_settled());
}

#[test]
fn a_key_that_lost_its_mark_is_still_ours_when_the_snapshot_names_it() {
    let (world, set) = delivered();
    world.target("eu").memory.put_as_other("app/a", b"1");
    assert!(world.plan(&shop(&set)).is_settled());
    world.target("eu").memory.put_as_other("app/a", b"hand");
    assert!(world.objections(&shop(&set)).is_empty());
    world.apply(&deleted("shop"));
    assert_eq!(world.target("eu").memory.get("app/a"), None);
}

#[test]
fn an_edited_snapshot_cannot_make_us_delete_what_was_never_ours() {
    let (world, _) = delivered();
    let eu = world.target("eu");
    eu.memory.put_as_other("app/theirs", b"x");
    let digest = crate::model::Digest::of(b"x");
    edit(
        &world,
        r#""keys":{"#,
        &format!(r#""keys":{{"app/theirs":"{digest}","#),
    );

    let changed = set(json!({"a": 1}));
    world.apply(&shop(&changed));
    assert_eq!(eu.text("app/theirs"), "x");
    assert_eq!(eu.memory.get("app/b"), None, "it has our mark");
}

#[test]
fn a_set_whose_snapshot_was_edited_is_removed_with_its_keys() {
    let (world, _) = delivered();
    edit(&world, r#""b":2"#, r#""b":3"#);
    world.apply(&deleted("shop"));
    let eu = world.target("eu");
    for gone in [SNAPSHOT, "app/a", "app/b"] {
        assert_eq!(eu.memory.get(gone), None, "{gone}");
    }
}

#[test]
fn what_another_cfgctl_rendered_is_written_again_under_the_same_number() {
    let (world, set) = delivered();
    let head = world.head("shop");
    // The same values, laid out in another way.
    let other = ConfigSet {
        publish: vec![crate::model::Publish::Spring {
            context: key("config/shop"),
            format: SpringFormat::Yaml,
            atomic: true,
        }],
        ..set.clone()
    };
    let eu = "eu".parse().unwrap();
    let shop_name = "shop".parse().unwrap();
    let labels = cluster("eu", "eu").labels;
    let (version, origin) = (head.version, &head.origin);
    let snapshot = crate::render::snapshot(
        &shop_name,
        &other,
        &crate::model::Overrides::default(),
        version,
        origin,
        &eu,
        &labels,
    );
    let bytes = snapshot.unwrap().document.to_bytes();
    world.target("eu").memory.put_as_other(SNAPSHOT, &bytes);

    let plan = world.plan(&shop(&set));
    assert_eq!(delivery(&plan, "shop", "eu").action, Action::Repair);
    assert!(plan.resources.is_empty());
}

#[test]
fn what_cannot_be_read_is_not_replaced_without_consent() {
    for junk in [
        "",
        "{}",
        "hello",
        "[1]",
        r#"{"apiVersion":"cfgctl.dev/v9"}"#,
    ] {
        let (world, set) = delivered();
        world
            .target("eu")
            .memory
            .put_as_other(SNAPSHOT, junk.as_bytes());
        let plan = world.plan(&shop(&set));
        let [objection] = &plan.objections[..] else {
            panic!("{junk}: {plan:?}");
        };
        let reason = &objection.reason;
        assert!(
            matches!(reason, ObjectionReason::Unreadable { .. }),
            "{junk}: {reason:?}"
        );
        assert!(objection.is_about(&pair("shop", "eu")));
        assert_eq!(actions(&plan), [Action::Refuse, Action::Keep]);

        let world = world.adopting();
        assert_eq!(
            actions(&world.plan(&shop(&set))),
            [Action::Update, Action::Keep]
        );
        world.apply(&shop(&set));
        assert!(world.plan_all().is_settled(), "{junk}");
        assert_eq!(world.head("shop").version, version(1));
    }
}
