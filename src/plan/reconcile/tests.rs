//! Decisions from finished snapshots alone, as an agent has them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::due::{Certainty, ClusterSide, Now};
use super::lineage::Lineage;
use super::*;
use crate::model::{
    Auxiliary, Contents, Digest, EntryWrite, Fence, Limits, Observed, ObservedEntry,
    ObservedSnapshot, Origin, Owner, Snapshot, Version,
};
use crate::plan::testing::{World, cluster, key, map, pair, version};
use crate::plan::{Action, Condition, ForeignEdit, ObjectionReason, Observation};

/// Version `number` of `set` with these keys.
fn snapshot(set: &str, number: u64, origin: &Origin, keys: &[&str]) -> Snapshot {
    let contents = Contents::of_values(map(json!({"version": number})));
    let entry = |name: &&str| (key(name), format!("{set} {number}").into_bytes());
    Snapshot::seal(
        set.parse().unwrap(),
        "eu".parse().unwrap(),
        version(number),
        origin,
        contents,
        keys.iter().map(entry).collect::<BTreeMap<_, _>>(),
        BTreeSet::new(),
    )
}

/// What a target shows that holds `snapshot`.
fn holding(snapshot: &Snapshot) -> Observation {
    let fence = |text: &[u8]| Fence(Digest::of(text).to_string());
    let entry = |value: &Vec<u8>| ObservedEntry {
        value: value.clone(),
        unread: None,
        fence: fence(value),
        owner: Owner::Cfgctl,
    };
    let entries = snapshot.entries.iter();
    Observation::Seen(Observed {
        snapshot: ObservedSnapshot::Present {
            fence: fence(b"snapshot"),
            owner: Owner::Cfgctl,
            document: Box::new(Ok(snapshot.document.clone())),
        },
        entries: entries.map(|(key, it)| (key.clone(), entry(it))).collect(),
        auxiliary: Auxiliary::default(),
    })
}

/// What is due of a set whose head is what is desired, where the store made these versions.
fn due<'a>(
    set: &str,
    observation: &'a Observation,
    desired: Option<Snapshot>,
    origins: &[(u64, &'a Origin)],
) -> SetDue<'a> {
    let origins: BTreeMap<Version, &Origin> = origins
        .iter()
        .map(|(number, origin)| (version(*number), *origin))
        .collect();
    SetDue {
        pair: pair(set, "eu"),
        observation,
        lineage: Lineage {
            newest: origins.keys().next_back().copied(),
            origins,
        },
        now: desired.as_ref().map(|desired| Now {
            version: desired.document.version(),
            contents: None,
        }),
        desired,
        written: None,
        overridden: Vec::new(),
        certainty: Certainty::Sure,
    }
}

fn decided(sets: Vec<SetDue<'_>>) -> (Vec<Delivery>, Vec<Objection>) {
    let cluster = cluster("eu", "eu");
    reconcile(Due {
        side: ClusterSide {
            connection: &cluster.connection,
            limits: Some(Limits::CONSUL),
            is_leaving: false,
            taken: BTreeSet::new(),
            consents: &BTreeSet::new(),
        },
        sets,
    })
}

/// The keys that a delivery removes.
fn removed(delivery: &Delivery) -> Vec<String> {
    let entries = delivery.write.iter().flat_map(|write| &write.entries);
    let removed = entries.filter(|(_, entry)| matches!(entry, EntryWrite::Delete { .. }));
    removed.map(|(key, _)| key.to_string()).collect()
}

#[test]
fn a_key_that_another_snapshot_has_is_handed_over_and_not_removed() {
    let world = World::new();
    let (first, second) = (world.origin(), world.origin());
    let old = holding(&snapshot("shop", 1, &first, &["app/a", "app/b", "app/c"]));
    let empty = Observation::Seen(Observed::nothing());
    let (deliveries, objections) = decided(vec![
        due(
            "news",
            &empty,
            Some(snapshot("news", 1, &first, &["app/b"])),
            &[(1, &first)],
        ),
        due(
            "shop",
            &old,
            Some(snapshot("shop", 2, &second, &["app/a"])),
            &[(1, &first), (2, &second)],
        ),
    ]);
    assert_eq!(objections, []);
    let [news, shop] = &deliveries[..] else {
        panic!("{deliveries:?}");
    };
    assert_eq!((news.action, shop.action), (Action::Create, Action::Update));
    assert_eq!(shop.condition, Condition::Behind);
    assert_eq!(removed(shop), ["app/c"]);
}

#[test]
fn the_lineage_tells_what_is_ours_and_what_is_newer() {
    let world = World::new();
    let (ours, theirs) = (world.origin(), world.origin());
    let against = |held: &Snapshot| {
        let observation = holding(held);
        let desired = snapshot("shop", 1, &ours, &["app/a"]);
        let (mut deliveries, objections) = decided(vec![due(
            "shop",
            &observation,
            Some(desired),
            &[(1, &ours)],
        )]);
        let reasons: Vec<_> = objections.into_iter().map(|it| it.reason).collect();
        (deliveries.remove(0).action, reasons)
    };
    assert_eq!(
        against(&snapshot("shop", 1, &ours, &["app/a"])),
        (Action::Keep, vec![])
    );
    let (action, reasons) = against(&snapshot("shop", 1, &theirs, &["app/a"]));
    assert_eq!(action, Action::Refuse);
    assert!(matches!(
        reasons[..],
        [ObjectionReason::OtherHistory { .. }]
    ));
    let (action, reasons) = against(&snapshot("shop", 2, &ours, &["app/a"]));
    assert_eq!(action, Action::Refuse);
    assert!(matches!(reasons[..], [ObjectionReason::Ahead { .. }]));
}

/// A store that forgot what it wrote, or an agent that never knew it, mends drift all the same.
#[test]
fn drift_is_mended_where_nobody_knows_what_was_written() {
    let world = World::new();
    let origin = world.origin();
    let desired = snapshot("shop", 1, &origin, &["app/a"]);
    let Observation::Seen(mut observed) = holding(&desired) else {
        panic!("it was made to be seen");
    };
    observed.entries.get_mut(&key("app/a")).unwrap().value = b"edited".to_vec();
    let observation = Observation::Seen(observed);
    let (deliveries, objections) = decided(vec![due(
        "shop",
        &observation,
        Some(desired),
        &[(1, &origin)],
    )]);
    assert_eq!(objections, []);
    assert_eq!(deliveries[0].action, Action::Repair);
    assert_eq!(deliveries[0].condition, Condition::Edited);
    let edited = ForeignEdit::Edited {
        key: key("app/a"),
        found: b"edited".to_vec(),
        unread: None,
        expected: None,
    };
    assert_eq!(deliveries[0].drift, [edited]);
}
