//! What every operation reads of the store: what it is about, whatever else is stored.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::json;

use super::super::Local;
use super::super::testing::{pace, request};
use crate::api::{
    Approval, BreakerChange, BreakerHistoryQuery, BreakerOperation, BreakerQuery, BreakersQuery,
    Caller, Change, ClusterQuery, EvaluateQuery, ExplainQuery, FlagChange, FlagPosition,
    FlagsQuery, HistoryQuery, LineageQuery, LookQuery, Observer, PolicyQuery, Reach, Request,
    ResourcesQuery, RevisionQuery, Service as _, SnapshotQuery, SnapshotsQuery, Wanted,
};
use crate::model::{Breaker, ClusterName, ConfigSet, Flag, Selector, SetName, Trip, Version};
use crate::plan::testing::*;
use crate::store::Which;

/// How many revisions `shop` has.
const REVISIONS: u64 = 200;

/// `shop` with a long history among fifty other sets, all delivered.
fn crowded() -> World {
    let world = World::new();
    let other = ConfigSet {
        publish: Vec::new(),
        ..set(json!({"a": 1}))
    };
    let names: Vec<String> = (0..50).map(|n| format!("other{n}")).collect();
    let others: Vec<_> = names.iter().map(|name| (name.as_str(), &other)).collect();
    world.apply(&sets(&others));
    let trip = Trip {
        values: map(json!({"a": 9})),
        ..Trip::default()
    };
    let breaker = Breaker {
        trip,
        ..Breaker::default()
    };
    for number in 1..=REVISIONS {
        let shop = ConfigSet {
            flags: [("new".parse().unwrap(), Flag::boolean(true))].into(),
            breakers: [("failing".parse().unwrap(), breaker.clone())].into(),
            ..set(json!({"a": 1, "b": number}))
        };
        world.apply(&sets(&[("shop", &shop)]));
    }
    world
}

fn name() -> SetName {
    "shop".parse().unwrap()
}

/// What was read for what `ask` asks of the service over `world`.
fn read(world: &World, ask: impl AsyncFnOnce(&Local, &Caller, &Observer)) -> Counts {
    let counting = Arc::new(Counting::new(world.store.clone()));
    let local = Local::new(counting.clone(), world.connect(), || Timestamp::UNIX_EPOCH);
    let by = Caller::local("ops@laptop".to_owned());
    let nobody = Observer::nobody();
    world.runtime.block_on(ask(&local, &by, &nobody));
    counting.counts()
}

#[track_caller]
fn only_shop(counts: &Counts) {
    let around = ["cluster/eu", "cluster/us", "set/shop"];
    let others = counts
        .heads
        .iter()
        .filter(|id| !around.contains(&id.as_str()));
    assert_eq!(others.count(), 0, "{counts:?}");
    assert!(!counts.asked.contains(&Which::All), "{counts:?}");
}

fn switches() -> [Request; 2] {
    let trip = BreakerChange {
        set: name(),
        breaker: "failing".parse().unwrap(),
        operation: BreakerOperation::Trip {
            clusters: None,
            limit: None,
        },
    };
    let off = FlagChange {
        set: name(),
        flag: "new".parse().unwrap(),
        to: FlagPosition::Held {
            at: Wanted::Boolean(false),
            limit: None,
        },
        clusters: None,
    };
    let off = Request {
        message: Some("it fails".parse().unwrap()),
        ..request(Change::Flag(off))
    };
    [request(Change::Breaker(trip)), off]
}

#[test]
fn a_switch_reads_its_set_and_the_clusters() {
    let world = crowded();
    for switch in switches() {
        let shown = read(&world, async |local, by, seen| {
            assert!(local.plan(by, &switch, seen).await.unwrap().changes);
        });
        only_shop(&shown);
        let made = read(&world, async |local, by, seen| {
            let outcome = local.carry_out(by, &switch, &Approval::Unseen, seen);
            assert!(outcome.await.unwrap().complete);
        });
        only_shop(&made);
        // What the two clusters hold is no head any more.
        assert!(made.revisions <= 2, "{made:?}");
    }
}

#[test]
fn a_snapshot_is_read_from_two_heads_and_its_lineage_from_what_is_asked_after() {
    let world = crowded();
    let cluster: ClusterName = "eu".parse().unwrap();
    let one = |counts: &Counts| {
        assert!(
            counts.heads.iter().eq(["cluster/eu", "set/shop"]),
            "{counts:?}"
        );
    };
    let counts = read(&world, async |local, by, _| {
        let (cluster, set) = (cluster.clone(), name());
        let query = SnapshotQuery { cluster, set };
        local.snapshot(by, &query).await.unwrap();
    });
    one(&counts);
    assert_eq!(counts.revisions, 0);
    one(&read(&world, async |local, by, _| {
        let query = SnapshotsQuery {
            cluster: cluster.clone(),
            sets: Some([name()].into()),
        };
        let found = local.snapshots(by, &query).await.unwrap();
        assert_eq!(found.answer.sets.len(), 1);
    }));
    let counts = read(&world, async |local, by, _| {
        let query = LineageQuery {
            cluster: cluster.clone(),
            set: name(),
            versions: [3, REVISIONS]
                .into_iter()
                .filter_map(Version::new)
                .collect(),
        };
        let found = local.lineage(by, &query).await.unwrap().answer;
        assert_eq!(found.origins.len(), 2);
    });
    one(&counts);
    assert_eq!(counts.revisions, 1);
}

#[test]
fn a_question_about_a_set_reads_that_and_the_clusters() {
    let world = crowded();
    let look = LookQuery {
        sets: Reach::Named([name()].into()),
        clusters: Selector::default(),
        pace: pace(),
    };
    only_shop(&read(&world, async |local, by, seen| {
        assert!(local.status(by, &look, seen).await.unwrap().in_sync);
        assert!(local.drift(by, &look, seen).await.unwrap().in_sync);
    }));
    only_shop(&read(&world, async |local, by, seen| {
        for flag in [None, Some("new".parse().unwrap())] {
            let query = FlagsQuery {
                set: Some(name()),
                flag,
                pace: pace(),
            };
            assert_eq!(local.flags(by, &query, seen).await.unwrap().flags.len(), 1);
        }
        let query = EvaluateQuery {
            set: name(),
            flag: "new".parse().unwrap(),
            context: map(json!({})),
            cluster: None,
        };
        assert_eq!(local.evaluate(by, &query).await.unwrap().answers.len(), 1);
    }));
    only_shop(&read(&world, async |local, by, seen| {
        let query = BreakersQuery {
            set: Some(name()),
            pace: pace(),
        };
        let found = local.breakers(by, &query, seen).await.unwrap();
        assert_eq!(found.breakers.len(), 1);
    }));
    only_shop(&read(&world, async |local, by, seen| {
        let query = BreakerQuery {
            set: name(),
            breaker: "failing".parse().unwrap(),
            pace: pace(),
        };
        let found = local.breaker(by, &query, seen).await.unwrap();
        assert_eq!(found.states.len(), 1);
        let query = BreakerHistoryQuery {
            set: name(),
            breaker: "failing".parse().unwrap(),
            limit: 5,
        };
        let found = local.breaker_history(by, &query).await.unwrap();
        assert_eq!(found.events, []);
    }));
    only_shop(&read(&world, async |local, by, _| {
        for id in [set_id("shop"), cluster_id("eu")] {
            let query = ResourcesQuery {
                names: vec![id],
                ..ResourcesQuery::default()
            };
            assert_eq!(local.resources(by, &query).await.unwrap().items.len(), 1);
        }
        let query = RevisionQuery {
            name: set_id("shop"),
            version: Some(Version::FIRST),
            cluster: Some("eu".parse().unwrap()),
        };
        assert!(local.revision(by, &query).await.unwrap().snapshot.is_some());
        let query = PolicyQuery {
            cluster: "eu".parse().unwrap(),
            sets: vec![name()],
            described: None,
        };
        assert!(!local.policy(by, &query).await.unwrap().rules.is_empty());
        let query = ClusterQuery {
            name: "eu".parse().unwrap(),
            described: None,
        };
        assert!(local.cluster(by, &query).await.is_ok());
        assert_eq!(local.clusters(by).await.unwrap().items.len(), 2);
    }));
}

#[test]
fn a_history_is_read_as_far_as_it_is_asked_for() {
    let world = crowded();
    let one = read(&world, async |local, by, _| {
        let query = HistoryQuery {
            name: set_id("shop"),
            before: None,
            limit: 3,
        };
        assert_eq!(local.history(by, &query).await.unwrap().revisions.len(), 3);
    });
    only_shop(&one);
    assert_eq!((one.heads.len(), one.revisions), (0, 4));

    let explained = |key: &str| {
        read(&world, async |local, by, _| {
            let query = ExplainQuery {
                set: name(),
                key: Some(key.to_owned()),
                cluster: None,
                at: None,
            };
            assert_eq!(local.explain(by, &query).await.unwrap().values.len(), 1);
        })
    };
    // The newest revision gave `b` its value, the first one `a`.
    for (key, most) in [("b", 100), ("a", 200)] {
        let counts = explained(key);
        only_shop(&counts);
        assert!(counts.revisions <= most, "{key}: {}", counts.revisions);
    }
}

/// Whether what comes back fits to everything else is another question.
#[test]
fn a_rollback_and_a_delete_look_up_what_they_name() {
    let world = crowded();
    let gone = Change::Rollback {
        name: set_id("shop"),
        to: Version::new(REVISIONS + 1),
    };
    let counts = read(&world, async |local, by, seen| {
        assert!(local.plan(by, &request(gone), seen).await.is_err());
    });
    only_shop(&counts);
    assert_eq!(counts.revisions, 0);

    let back = Change::Rollback {
        name: set_id("shop"),
        to: None,
    };
    let counts = read(&world, async |local, by, seen| {
        assert!(local.plan(by, &request(back), seen).await.unwrap().changes);
    });
    assert_eq!(counts.asked[0], Which::one(&set_id("shop")));
    assert!(counts.revisions <= 50, "{}", counts.revisions);

    let delete = Change::Delete([set_id("shop")].into());
    let counts = read(&world, async |local, by, seen| {
        assert!(
            local
                .plan(by, &request(delete), seen)
                .await
                .unwrap()
                .changes
        );
    });
    assert_eq!(counts.asked[0], Which::one(&set_id("shop")));
}

#[test]
fn only_questions_about_everything_read_everything() {
    let world = crowded();
    let mistyped = ResourcesQuery {
        names: vec![set_id("shp")],
        ..ResourcesQuery::default()
    };
    let counts = read(&world, async |local, by, _| {
        let error = local.resources(by, &mistyped).await.unwrap_err();
        assert_eq!(error.hints, ["did you mean `shop`?"]);
    });
    // Somebody has to be told what is like it.
    assert!(counts.asked.contains(&Which::All));
    let counts = read(&world, async |local, by, _| {
        assert_eq!(local.names(by).await.unwrap().len(), 53);
    });
    assert_eq!(counts.asked, [Which::All]);
}
