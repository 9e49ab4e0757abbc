//! Deliveries in batches that are stopped half-way.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use crate::engine::Ending;
use crate::model::{ConfigSet, Limits, Publish, SpringFormat};
use crate::plan::testing::*;
use crate::plan::{Action, Condition, ForeignEdit};

const MARK: &str = "cfgctl/shop/delivering";

/// Room for six keys beside the two that are compared with every batch.
fn narrow() -> World {
    let mut world = World::with_limits(Limits {
        operations: 8,
        ..Limits::CONSUL
    });
    // Nothing hangs here, and many transactions take long on a busy machine.
    world.pace.timeout = Duration::from_secs(60);
    world
}

/// One key per leaf that may be late, and a document that may not.
fn loose(values: Value) -> ConfigSet {
    let document = Publish::Spring {
        context: key("config/shop"),
        format: SpringFormat::Yaml,
        atomic: true,
    };
    let keys = Publish::Keys {
        prefix: key("app"),
        atomic: false,
    };
    ConfigSet {
        publish: vec![document, keys],
        ..set(values)
    }
}

/// Leaves `<name>00`, `<name>01` … that all have this value.
fn leaves(name: &str, count: usize, value: u64) -> Value {
    let leaves: BTreeMap<_, _> = (0..count)
        .map(|n| (format!("{name}{n:02}"), value))
        .collect();
    json!(leaves)
}

/// Delivers `set`, and someone else touches `key` just before, so that it stops at the batch with it.
fn stop_at(world: &World, set: &ConfigSet, key: &'static str) {
    let eu = world.target("eu");
    eu.before_write(move |memory| memory.put_as_other(key, b"theirs"));
    let reports = world.apply(&shop(set));
    let [Ending::Conflict(keys), Ending::Delivered] = outcomes(&reports)[..] else {
        panic!("{reports:?}");
    };
    assert_eq!(keys, key);
    assert!(eu.memory.get(MARK).is_some());
}

#[test]
fn a_stopped_delivery_is_no_drift_and_the_next_pass_finishes_it() {
    let world = narrow();
    world.apply(&shop(&loose(leaves("k", 20, 1))));
    stop_at(&world, &loose(leaves("k", 20, 2)), "app/k15");
    let eu = world.target("eu");
    let texts = ["app/k00", "app/k19", "config/shop/data"].map(|key| eu.text(key));
    assert_eq!(texts[..2], ["2", "1"], "the first batch, and not the last");
    assert!(texts[2].contains("k00: 1"), "what is not loose goes last");

    let plan = world.plan_all();
    let delivery = delivery(&plan, "shop", "eu");
    assert_eq!(delivery.condition, Condition::Unfinished(version(2)));
    assert_eq!(delivery.action, Action::Update);
    assert_eq!(
        delivery.holds.as_ref().map(|(held, _)| *held),
        Some(version(1))
    );
    // Only what someone else wrote.
    let [ForeignEdit::Edited { key: edited, .. }] = &delivery.drift[..] else {
        panic!("{:?}", delivery.drift);
    };
    assert_eq!(*edited, key("app/k15"));
    assert!(delivery.foreign.is_empty() && !plan.is_settled());

    world.heal();
    assert_eq!([eu.text("app/k00"), eu.text("app/k19")], ["2", "2"]);
    assert_eq!(eu.memory.get(MARK), None);
    assert!(world.plan_all().is_settled());
}

#[test]
fn what_a_stopped_delivery_made_goes_when_the_set_goes_back() {
    let world = narrow();
    let before = loose(leaves("k", 2, 1));
    world.apply(&shop(&before));
    let eu = world.target("eu");
    eu.memory.put_as_other("app/foreign", b"theirs");
    let mut more = leaves("j", 20, 1);
    more.as_object_mut().unwrap().extend(map(leaves("k", 2, 1)));
    stop_at(&world, &loose(more), "app/k01");
    assert_eq!(eu.text("app/j00"), "1");

    let plan = world.plan(&shop(&before));
    assert_eq!(delivery(&plan, "shop", "eu").foreign, [key("app/foreign")]);
    world.apply(&shop(&before));
    for n in 0..20 {
        assert_eq!(eu.memory.get(&format!("app/j{n:02}")), None);
    }
    assert_eq!([eu.text("app/k00"), eu.text("app/k01")], ["1", "1"]);
    assert_eq!(eu.text("app/foreign"), "theirs");
}

#[test]
fn what_a_stopped_first_delivery_made_goes_with_the_set() {
    let world = narrow();
    stop_at(&world, &loose(leaves("k", 20, 1)), "app/k19");
    let eu = world.target("eu");
    assert_eq!(eu.text("app/k00"), "1");
    assert_eq!(eu.memory.get("cfgctl/shop/snapshot"), None);

    let plan = world.plan(&deleted("shop"));
    assert_eq!(delivery(&plan, "shop", "eu").action, Action::Remove);
    // It stops once more, after the deletion is committed.
    eu.set_wire(Wire::Loses(0, Lost::Request));
    world.apply(&deleted("shop"));
    let plan = world.plan_all();
    let left = delivery(&plan, "shop", "eu");
    assert_eq!(
        (&left.condition, left.action),
        (&Condition::Leftover, Action::Remove)
    );
    let reports = world.heal();
    assert_eq!(outcomes(&reports)[0], &Ending::Removed);
    for n in 0..19 {
        assert_eq!(eu.memory.get(&format!("app/k{n:02}")), None);
    }
    assert_eq!(eu.memory.get(MARK), None);
    assert_eq!(eu.text("app/k19"), "theirs");
    assert_eq!(
        delivery(&world.plan_all(), "shop", "eu").condition,
        Condition::None
    );
}

#[test]
fn what_the_delivery_of_another_store_made_stays() {
    let other = narrow();
    stop_at(&other, &loose(leaves("k", 20, 1)), "app/k19");
    let mut world = other.adopting();
    world.store = std::sync::Arc::default();
    for name in ["eu", "us"] {
        world.apply(&described(name, cluster(name, name)));
    }

    world.apply(&shop(&loose(leaves("j", 20, 1))));
    let eu = world.target("eu");
    assert_eq!([eu.text("app/j00"), eu.text("app/k00")], ["1", "1"]);
    assert_eq!(eu.memory.get(MARK), None);
    let plan = world.plan_all();
    let foreign = &delivery(&plan, "shop", "eu").foreign;
    assert!(foreign.contains(&key("app/k00")), "{foreign:?}");
}

#[test]
fn a_snapshot_in_parts_is_replaced_taken_back_and_removed() {
    let limits = Limits {
        value_bytes: 2000,
        request_bytes: 6000,
        ..Limits::CONSUL
    };
    let world = World::with_limits(limits);
    let sized = |text: &str, count| {
        let values: BTreeMap<_, _> = (0..count)
            .map(|n| (format!("k{n}"), text.repeat(100)))
            .collect();
        ConfigSet {
            publish: Vec::new(),
            ..set(json!(values))
        }
    };
    for (text, count) in [("a", 1), ("b", 60), ("c", 60), ("a", 1)] {
        world.apply(&shop(&sized(text, count)));
        assert!(world.plan_all().is_settled(), "{text}");
    }
    world.apply(&shop(&sized("b", 60)));
    let eu = world.target("eu");
    assert!(eu.text("cfgctl/shop/snapshot").contains("SnapshotParts"));
    world.apply(&deleted("shop"));
    assert_eq!(
        delivery(&world.plan_all(), "shop", "eu").condition,
        Condition::None,
        "not even parts are left"
    );
}
