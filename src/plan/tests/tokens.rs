//! What a token covers: all that a plan decides, and nothing else.

use serde_json::json;

use crate::model::{
    ConfigSet, Content, Document, EntryWrite, Fence, Origin, Snapshot, SnapshotWrite,
};
use crate::plan::testing::*;
use crate::plan::{Action, Basis, Objection, ObjectionReason, Plan, PlanToken, Reach};

/// A plan that creates, keeps, puts and deletes keys.
struct Shown {
    world: World,
    survey: crate::engine::Survey,
    desired: crate::plan::Desired,
    origin: Origin,
}

impl Shown {
    fn new() -> Self {
        let (world, set) = delivered();
        world.target("us").memory.delete_as_other("app/b");
        let desired = shop(&ConfigSet {
            values: map(json!({"a": 1, "c": 3})),
            ..set
        });
        let survey = world.survey(&desired, &Reach::Named([].into()));
        let origin = world.origin();
        Self {
            world,
            survey,
            desired,
            origin,
        }
    }

    fn plan_by(&self, origin: &Origin) -> Plan {
        let nothing = Reach::Named([].into());
        let plan = (self.survey).plan(&self.desired, &nothing, origin, &self.world.consents);
        plan.unwrap()
    }

    fn token(&self, plan: &Plan) -> PlanToken {
        plan.token(&Basis::of(plan, &self.survey.states()))
    }

    /// The token once the plan is another one.
    fn after(&self, change: impl FnOnce(&mut Plan)) -> PlanToken {
        let mut plan = self.plan_by(&self.origin);
        change(&mut plan);
        self.token(&plan)
    }
}

fn sealed(document: &Document, version: u64, contents: serde_json::Value) -> Document {
    let contents = crate::model::Contents::of_values(map(contents));
    let (set, cluster) = (document.set().clone(), document.cluster().clone());
    let version = crate::plan::testing::version(version);
    let origin = document.origin();
    let entries = std::collections::BTreeMap::new();
    Snapshot::seal(set, cluster, version, origin, contents, entries, [].into()).document
}

#[test]
fn a_token_does_not_tell_who_when_and_why() {
    let shown = Shown::new();
    let token = shown.after(|_| ());
    let others = Origin {
        actor: "night@shift".to_owned(),
        at: jiff::Timestamp::MAX,
        message: Some("because".to_owned()),
        planned: Some(crate::model::Planned {
            by: "day@shift".to_owned(),
            at: jiff::Timestamp::MIN,
        }),
        ..shown.origin.clone()
    };
    let plan = shown.plan_by(&others);
    assert!(plan.has_changes());
    assert_eq!(shown.token(&plan), token);
}

#[test]
fn a_token_changes_with_every_single_write_and_fence() {
    let shown = Shown::new();
    let token = shown.after(|_| ());
    let plan = shown.plan_by(&shown.origin);
    let fence = || Fence("another".to_owned());
    let mut kinds = std::collections::BTreeSet::new();
    for (at, delivery) in plan.deliveries.iter().enumerate() {
        let write = delivery.write.as_ref().unwrap();
        for (key, entry) in &write.entries {
            let other = |made: Option<EntryWrite>| {
                shown.after(|plan| {
                    let write = plan.deliveries[at].write.as_mut().unwrap();
                    match made {
                        Some(made) => write.entries.insert(key.clone(), made),
                        None => write.entries.remove(key),
                    };
                })
            };
            let expected = fence();
            let all = match entry {
                EntryWrite::Put { value, expected } => {
                    kinds.insert("put");
                    let longer = [value.as_slice(), b"!"].concat();
                    let (value, was) = (value.clone(), expected.clone());
                    vec![
                        EntryWrite::Put {
                            value: longer,
                            expected: was,
                        },
                        EntryWrite::Put {
                            value,
                            expected: Some(fence()),
                        },
                        EntryWrite::Keep { expected: fence() },
                    ]
                }
                EntryWrite::Keep { expected: was } => {
                    kinds.insert("keep");
                    let was = was.clone();
                    vec![
                        EntryWrite::Delete { expected: was },
                        EntryWrite::Keep { expected },
                    ]
                }
                EntryWrite::Delete { expected: was } => {
                    kinds.insert("delete");
                    let was = was.clone();
                    vec![
                        EntryWrite::Keep { expected: was },
                        EntryWrite::Delete { expected },
                    ]
                }
            };
            for made in all {
                assert_ne!(other(Some(made.clone())), token, "{key} {made:?}");
            }
            assert_ne!(other(None), token, "{key}");
        }
        let changed = |change: &dyn Fn(&mut crate::plan::Delivery)| {
            assert_ne!(shown.after(|plan| change(&mut plan.deliveries[at])), token);
        };
        changed(&|it| it.action = Action::Keep);
        changed(&|it| it.write = None);
        changed(&|it| {
            let write = it.write.as_mut().unwrap();
            let key = write.entries.keys().next().unwrap().clone();
            write.loose.insert(key);
        });
        changed(&|it| {
            let write = it.write.as_mut().unwrap();
            write.auxiliary.named.insert("a part".to_owned());
        });
        changed(&|it| {
            let snapshot = &mut it.write.as_mut().unwrap().snapshot;
            match snapshot {
                SnapshotWrite::Put { expected, .. } => *expected = Some(fence()),
                SnapshotWrite::Delete { .. } => panic!("{snapshot:?}"),
            }
        });
        changed(&|it| {
            let expected = it.write.as_ref().unwrap().snapshot.expected().cloned();
            it.write.as_mut().unwrap().snapshot = SnapshotWrite::Delete { expected };
        });
        // Also where nothing but the document is another one.
        let document = |version, contents: serde_json::Value| {
            shown.after(|plan| {
                let delivery = &mut plan.deliveries[at];
                let desired = delivery.desired.as_ref().unwrap();
                delivery.desired = Some(sealed(desired, version, contents));
            })
        };
        let contents = || json!({"a": 1, "c": 3});
        let same = document(2, contents());
        assert_ne!(document(3, contents()), same);
        assert_ne!(document(2, json!({"a": 1, "c": 4})), same);
    }
    assert_eq!(kinds, ["delete", "keep", "put"].into());
}

#[test]
fn a_token_changes_with_what_is_committed_and_what_it_follows_from() {
    let shown = Shown::new();
    let token = shown.after(|_| ());
    let changes: [&dyn Fn(&mut Plan); 8] = [
        &|plan| plan.resources[0].version = version(9),
        &|plan| plan.resources[0].after = Content::Deleted,
        &|plan| {
            let trips = &mut plan.resources[0].overrides.trips;
            trips.insert("b".parse().unwrap(), vec![jiff::Timestamp::UNIX_EPOCH]);
        },
        &|plan| {
            plan.resources.clear();
        },
        &|plan| {
            plan.deliveries.pop();
        },
        &|plan| {
            plan.commit
                .expected
                .insert(set_id("shop"), Some(version(9)));
        },
        &|plan| {
            plan.commit.expected.insert(set_id("news"), None);
        },
        &|plan| {
            plan.objections.push(Objection {
                reason: ObjectionReason::DeletesAll,
                set: "shop".parse().unwrap(),
                cluster: None,
            });
        },
    ];
    for (nth, change) in changes.into_iter().enumerate() {
        assert_ne!(shown.after(change), token, "{nth}");
    }
    // Not what the same plan was made from where targets moved.
    let plan = shown.plan_by(&shown.origin);
    let mut states = shown.survey.states();
    for state in states.values_mut() {
        let before = std::mem::replace(state, crate::model::Digest::of(b"moved"));
        assert_ne!(before, *state);
    }
    assert_ne!(plan.token(&Basis::of(&plan, &states)), token);
}
