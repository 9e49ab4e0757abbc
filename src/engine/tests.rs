//! What happens when wires break, people are faster, and targets never answer.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;

use super::*;
use crate::model::{ConfigSet, Content, Origin, Overrides, Revision, Selector, SetName};
use crate::plan::testing::*;
use crate::plan::{
    Action, ClusterScope, Condition, Denials, Desired, ObjectionReason, Permitted, Plan, Reach,
    Unseen,
};
use crate::store::{MovedHead, Store, StoreError, Which};

const SNAPSHOT: &str = "cfgctl/shop/snapshot";

fn two_sets(a: u64) -> Desired {
    let news = ConfigSet {
        publish: vec![keys("news")],
        ..set(json!({"a": a}))
    };
    sets(&[("shop", &set(json!({"a": a, "b": 2}))), ("news", &news)])
}

#[test]
fn whatever_write_is_lost_the_next_run_completes_it() {
    for lost in [Lost::Request, Lost::Answer] {
        for nth in 0..2 {
            for desired in [two_sets(2), shop(&set(json!({"z": 1}))), deleted("shop")] {
                let world = World::new();
                world.apply(&two_sets(1));
                world.target("eu").set_wire(Wire::Loses(nth, lost));
                let reports = world.apply(&desired);
                let all_well = reports.iter().all(|report| report.outcome.is_settled());
                let hit = nth < desired.contents.len();
                // A lost answer is found out by looking.
                assert_eq!(
                    all_well,
                    lost == Lost::Answer || !hit,
                    "{lost:?} {nth}: {reports:?}"
                );

                world.heal();
                assert!(world.plan_all().is_settled(), "{lost:?} {nth} {desired:?}");
            }
        }
    }
}

#[test]
fn a_lost_request_does_not_hold_back_the_other_sets_of_the_cluster() {
    let world = World::new();
    world.target("eu").set_wire(Wire::Loses(0, Lost::Request));
    let reports = world.apply(&two_sets(1));
    let [
        Ending::Unknown(_),
        Ending::Delivered,
        Ending::Delivered,
        Ending::Delivered,
    ] = outcomes(&reports)[..]
    else {
        panic!("{reports:?}");
    };
}

#[test]
fn of_two_administrators_with_the_same_survey_one_commits_and_the_other_changes_nothing() {
    let (world, _) = delivered();
    let slow = world.prepare(&shop(&set(json!({"a": 2}))));
    let fast = world.prepare(&shop(&set(json!({"a": 3}))));
    world.carry_out(&fast.0, &fast.1).unwrap();

    let error = world.carry_out(&slow.0, &slow.1).unwrap_err();
    let EngineError::Commit(StoreError::HeadsMoved(moved)) = &error else {
        panic!("{error:?}");
    };
    let (id, expected, found) = (set_id("shop"), Some(version(1)), Some(version(2)));
    let moved_head = MovedHead {
        id,
        expected,
        found,
    };
    assert_eq!(*moved, [moved_head]);
    assert_eq!(
        chain(&error),
        "nothing was committed: set/shop changed since it was read"
    );
    assert_eq!(world.target("eu").text("app/a"), "3");
    assert_eq!(world.head("shop").version, version(2));
}

/// There is nothing to commit, so only a look at the heads can notice it; and where the set was
/// removed meanwhile, no fence is left that would hold the write back.
#[test]
fn a_repair_that_follows_from_old_heads_is_not_carried_out() {
    let (world, first) = delivered();
    world.target("eu").memory.delete_as_other(SNAPSHOT);
    let (survey, repair) = world.prepare(&shop(&first));
    world.apply(&deleted("shop"));
    let error = world.carry_out(&survey, &repair).unwrap_err();
    assert!(matches!(
        error,
        EngineError::Commit(StoreError::HeadsMoved(_))
    ));
    assert_eq!(world.target("eu").memory.get(SNAPSHOT), None);
}

#[test]
fn a_slow_delivery_of_an_older_version_is_superseded() {
    let (world, _) = delivered();
    let (survey, approved) = world.prepare(&shop(&set(json!({"a": 2}))));
    // It commits, and falls asleep before it delivers.
    let commit = &approved.plan().commit;
    world.runtime.block_on(world.store.commit(commit)).unwrap();
    world.apply(&shop(&set(json!({"a": 3}))));

    let reports = world.with_engine(&|_| (), async |engine| {
        let deliveries = approved.plan().deliveries.iter().collect();
        engine.deliver(&survey, deliveries).await
    });
    let superseded = Ending::Superseded(version(3));
    assert_eq!(outcomes(&reports), [&superseded, &superseded]);
    assert!(superseded.is_settled());
    assert_eq!(world.target("eu").text("app/a"), "3");
    assert!(world.plan_all().is_settled());
}

#[test]
fn a_newer_snapshot_that_this_store_did_not_make_supersedes_nothing() {
    let (world, _) = delivered();
    let text = world.target("eu").text(SNAPSHOT);
    let newer = world.origin();
    world.target("eu").before_write(move |memory| {
        let document = crate::model::Document::parse(text.as_bytes()).unwrap();
        let snapshot = crate::model::Snapshot::seal(
            document.set().clone(),
            document.cluster().clone(),
            version(9),
            &newer,
            document.contents().clone(),
            BTreeMap::new(),
            [].into(),
        );
        memory.put_as_other(SNAPSHOT, &snapshot.document.to_bytes());
    });
    let reports = world.apply(&shop(&set(json!({"a": 2}))));
    let conflict = Ending::Conflict(SNAPSHOT.to_owned());
    assert_eq!(outcomes(&reports), [&conflict, &Ending::Delivered]);
}

#[test]
fn an_edit_between_plan_and_write_is_a_conflict_and_nothing_changes() {
    let (world, _) = delivered();
    let before = world.target("eu").text(SNAPSHOT);
    world
        .target("eu")
        .before_write(|memory| memory.put_as_other("app/b", b"hand"));
    let reports = world.apply(&shop(&set(json!({"a": 2, "b": 2}))));
    let conflict = Ending::Conflict("app/b".to_owned());
    assert_eq!(outcomes(&reports), [&conflict, &Ending::Delivered]);
    assert!(!conflict.is_settled());

    let eu = world.target("eu");
    assert_eq!(
        (eu.text("app/a"), eu.text("app/b")),
        ("1".to_owned(), "hand".to_owned())
    );
    assert_eq!(eu.text(SNAPSHOT), before);
    world.heal();
    assert!(world.plan_all().is_settled());
}

#[test]
fn a_person_who_stops_it_before_the_commit_has_changed_nothing() {
    let (world, _) = delivered();
    let (survey, approved) = world.prepare(&shop(&set(json!({"a": 2}))));
    world.stop.send_replace(true);
    let error = world.carry_out(&survey, &approved).unwrap_err();
    assert!(matches!(error, EngineError::Interrupted));
    assert_eq!(world.head("shop").version, version(1));
}

#[test]
fn a_person_who_stops_it_after_the_commit_reads_what_is_left_to_do() {
    let (world, _) = delivered();
    let (survey, approved) = world.prepare(&shop(&set(json!({"a": 2}))));
    let stop = |event: Milestone| {
        if matches!(event, Milestone::Committed) {
            world.stop.send_replace(true);
        }
    };
    let reports = world.with_engine(&stop, async |engine| {
        engine.carry_out(&survey, &approved).await
    });
    let reports = reports.unwrap();
    assert_eq!(
        outcomes(&reports),
        [&Ending::Interrupted, &Ending::Interrupted]
    );
    assert_eq!(world.target("eu").text("app/a"), "1");

    world.stop.send_replace(false);
    world.heal();
    assert_eq!(world.target("eu").text("app/a"), "2");
}

#[test]
fn a_survey_stops_when_a_person_wants_it_to() {
    let mut world = World::new();
    world.pace.timeout = Duration::from_mins(1);
    world.target("eu").set_wire(Wire::Hanging);
    let stop = |event: Milestone| {
        if matches!(event, Milestone::Surveying(_)) {
            world.stop.send_replace(true);
        }
    };
    let desired = shop(&set(json!({"a": 1})));
    let survey = world.with_engine(&stop, async |engine| {
        let reach = Reach::All;
        engine.survey(&desired, &reach, &ClusterScope::all()).await
    });
    assert!(matches!(survey.unwrap_err(), EngineError::Interrupted));
}

/// Fifty sets, each with its own keys.
fn fifty(a: u64) -> Desired {
    let numbers = 0..50;
    let one = |number: i32| {
        let set = ConfigSet {
            publish: vec![keys(&format!("app/{number}"))],
            ..set(json!({"a": a}))
        };
        (set_id(&format!("set-{number}")), Content::from(set))
    };
    numbers.map(one).collect()
}

#[test]
fn a_target_that_never_answers_is_given_up_and_holds_nobody_back() {
    for wire in [Wire::Hanging, Wire::HangingWrites] {
        let mut world = World::new();
        world.pace.timeout = Duration::from_millis(300);
        let (survey, plan) = world.look(&fifty(1), &Reach::All);
        world.target("eu").set_wire(wire);

        let started = Instant::now();
        let reports = world.carry_out(&survey, &approve(plan).unwrap()).unwrap();
        // One wait for the write and one for the look after it; fifty would be 15 seconds.
        assert!(
            started.elapsed() < Duration::from_secs(10),
            "{:?}",
            started.elapsed()
        );
        for report in reports {
            let well = report.outcome == Ending::Delivered;
            assert_eq!(well, report.pair.cluster.as_str() == "us", "{report:?}");
        }
    }
}

#[test]
fn a_target_that_never_answers_is_unseen_after_one_wait() {
    let mut world = World::new();
    world.pace.timeout = Duration::from_millis(300);
    world.target("eu").set_wire(Wire::Hanging);
    let started = Instant::now();
    let (survey, plan) = world.look(&fifty(1), &Reach::All);
    assert!(
        started.elapsed() < Duration::from_secs(10),
        "{:?}",
        started.elapsed()
    );

    let reports = world.carry_out(&survey, &approve(plan).unwrap()).unwrap();
    let failed: Vec<_> = reports
        .iter()
        .filter_map(|report| match &report.outcome {
            Ending::Failed(Unseen { kind, reason }) => Some((kind, reason.as_str())),
            _ => None,
        })
        .collect();
    assert_eq!(failed.len(), 50);
    assert_eq!(
        failed[0],
        (&UnseenKind::Unreachable, "no answer within 0.3 s")
    );
    assert!(failed.contains(&(&UnseenKind::Unreachable, "wired cannot be reached")));
}

#[test]
fn no_cluster_at_once_means_one() {
    let mut world = World::new();
    world.pace.clusters_at_once = 0;
    world.apply(&shop(&set(json!({"a": 1}))));
    assert_eq!(world.target("us").text("app/a"), "1");
}

#[test]
fn a_commit_that_the_store_refuses_writes_nothing_to_any_target() {
    let (world, _) = delivered();
    let (survey, approved) = world.prepare(&shop(&set(json!({"a": 2}))));
    let writes = world.target("eu").writes.load(Ordering::Relaxed);
    let broken = Broken;
    let carried_out = world.with_engine(&|_| (), async |engine| {
        let engine = Engine {
            store: &broken,
            ..engine
        };
        engine.carry_out(&survey, &approved).await
    });
    assert!(matches!(
        carried_out.unwrap_err(),
        EngineError::Commit(StoreError::Unavailable { .. })
    ));
    assert_eq!(world.target("eu").writes.load(Ordering::Relaxed), writes);
    assert_eq!(world.head("shop").version, version(1));
}

/// A cluster that moves while it is looked at: what is written must go to where it is now.
#[test]
fn a_cluster_that_moves_during_the_survey_is_looked_at_again() {
    let (world, _) = delivered();
    let desired = shop(&set(json!({"a": 2})));
    let committed = std::sync::Once::new();
    let moves = |event: Milestone| {
        if matches!(event, Milestone::Surveyed(_)) {
            committed.call_once(|| move_us(&world, "elsewhere"));
        }
    };
    let reach = Reach::All;
    let survey = world.with_engine(&moves, async |engine| {
        engine.survey(&desired, &reach, &ClusterScope::all()).await
    });
    let survey = survey.unwrap();
    let plan = survey.plan(&desired, &reach, &world.origin(), &world.consents);
    world
        .carry_out(&survey, &approve(plan.unwrap()).unwrap())
        .unwrap();
    assert_eq!(world.target("elsewhere").text("app/a"), "2");
    assert_eq!(world.target("us").text("app/a"), "1", "nobody's any more");
}

#[test]
fn a_cluster_that_keeps_moving_is_left_alone() {
    let (world, _) = delivered();
    let count = AtomicUsize::new(0);
    let moves = |event: Milestone| {
        if let Milestone::Surveyed(pair) = event
            && pair.cluster.as_str() == "us"
        {
            let nth = count.fetch_add(1, Ordering::Relaxed);
            move_us(&world, &format!("address-{nth}"));
        }
    };
    let desired = shop(&set(json!({"a": 2})));
    let reach = Reach::All;
    let survey = world.with_engine(&moves, async |engine| {
        engine.survey(&desired, &reach, &ClusterScope::all()).await
    });
    let plan = survey
        .unwrap()
        .plan(&desired, &reach, &world.origin(), &world.consents);
    assert_eq!(
        actions(&plan.unwrap()),
        [crate::plan::Action::Update, crate::plan::Action::Wait]
    );
}

/// Commits another address for the cluster `us`, as another process would.
fn move_us(world: &World, address: &str) {
    use crate::model::{Commit, Revision};
    use futures_util::FutureExt as _;

    let id = cluster_id("us");
    let heads = world.store.heads(&crate::store::Which::All).now_or_never();
    let head = heads.unwrap().unwrap().heads[&id].version;
    let revision = Revision {
        version: head.next(),
        origin: world.origin(),
        content: Content::Cluster(cluster(address, "us")),
        overrides: crate::model::Overrides::default(),
        provenance: None,
    };
    let commit = Commit {
        expected: BTreeMap::from([(id.clone(), Some(head))]),
        revisions: BTreeMap::from([(id, revision)]),
        ..Commit::default()
    };
    let committed = world.store.commit(&commit).now_or_never();
    committed.unwrap().unwrap();
}

#[test]
fn who_may_not_write_learns_it_before_the_commit() {
    let (world, set) = delivered();
    world.target("us").set_wire(Wire::ReadOnly);
    let desired = shop(&ConfigSet {
        values: map(json!({"a": 2, "b": 2})),
        ..set
    });
    let nothing = Reach::Named(BTreeSet::new());
    let (survey, mut plan) = world.look(&desired, &nothing);
    let asked = |survey: &Survey, plan: &Plan| {
        world.with_engine(&|_| (), async |engine| engine.denials(survey, plan).await)
    };
    let denials = asked(&survey, &plan).unwrap();
    assert_eq!(denials.keys().collect::<Vec<_>>(), [&pair("shop", "us")]);
    // The other cluster takes it, so a switch would go on.
    assert_eq!(denied(&world), None);
    plan.deny(&denials);
    let plan = approve(plan).unwrap_err();
    assert_eq!(plan.objections.len(), 1);
    assert!(matches!(
        plan.objections[0].reason,
        ObjectionReason::Denied { .. }
    ));
    assert_eq!(actions(&plan), [Action::Update, Action::Refuse]);

    // Whoever does not answer denies nothing.
    for wire in [Wire::Down, Wire::Hanging] {
        let (survey, plan) = world.look(&desired, &nothing);
        world.target("us").set_wire(wire);
        assert_eq!(asked(&survey, &plan).unwrap(), Denials::new());
        world.target("us").set_wire(Wire::ReadOnly);
    }
    world.target("eu").set_wire(Wire::ReadOnly);
    let (survey, plan) = world.look(&desired, &nothing);
    assert_eq!(asked(&survey, &plan).unwrap().len(), 2);
    assert!(denied(&world).is_some());
}

#[test]
fn where_nothing_is_committed_permission_is_not_asked_for() {
    let (world, _) = delivered();
    world.target("us").memory.put_as_other("app/a", b"9");
    world.target("us").set_wire(Wire::ReadOnly);
    let (survey, plan) = world.look(&Desired::nothing(), &Reach::All);
    assert!(plan.has_changes());
    let denials = world.with_engine(&|_| (), async |engine| engine.denials(&survey, &plan).await);
    assert_eq!(denials.unwrap(), Denials::new());
}

/// A store that nobody can reach.
#[derive(Debug)]
struct Broken;

impl Broken {
    fn unavailable<T>(&self) -> Result<T, StoreError> {
        Err(StoreError::Unavailable {
            location: self.location(),
            source: "the disk is gone".into(),
        })
    }
}

#[async_trait::async_trait]
impl Store for Broken {
    fn location(&self) -> String {
        "broken".to_owned()
    }

    fn limits(&self) -> crate::store::CommitLimits {
        crate::store::memory::Memory::default().limits()
    }

    async fn heads(&self, _: &crate::store::Which) -> Result<crate::store::HeadsAt, StoreError> {
        self.unavailable()
    }

    async fn revisions(
        &self,
        _: &[(crate::model::ResourceId, crate::model::Version)],
    ) -> Result<Vec<(crate::model::ResourceId, crate::model::Revision)>, StoreError> {
        self.unavailable()
    }

    async fn history(
        &self,
        _: &crate::model::ResourceId,
        _: Option<crate::model::Version>,
        _: usize,
    ) -> Result<Vec<crate::model::Revision>, StoreError> {
        self.unavailable()
    }

    async fn commit(
        &self,
        _: &crate::model::Commit,
    ) -> Result<crate::store::Committed, StoreError> {
        self.unavailable()
    }

    async fn commits(
        &self,
        _: crate::model::Sequence,
        _: usize,
    ) -> Result<Vec<crate::store::CommitRecord>, StoreError> {
        self.unavailable()
    }

    async fn made_under(
        &self,
        _: &crate::model::IdempotencyKey,
    ) -> Result<Option<crate::store::CommitRecord>, StoreError> {
        self.unavailable()
    }

    async fn records(
        &self,
        _: crate::model::RecordKind,
    ) -> Result<crate::store::RecordsAt, StoreError> {
        self.unavailable()
    }

    async fn record(
        &self,
        _: &crate::model::RecordId,
    ) -> Result<Option<crate::model::Record>, StoreError> {
        self.unavailable()
    }

    async fn touch(
        &self,
        _: &[(crate::model::RecordId, jiff::Timestamp)],
    ) -> Result<(), StoreError> {
        self.unavailable()
    }

    async fn wait(&self, _: crate::model::Sequence) -> Result<crate::model::Sequence, StoreError> {
        self.unavailable()
    }
}

/// Applies `shop` and fifty other sets, switches something in `shop`, and says whose heads that
/// took; `before` is what happens to `shop` once the targets hold it.
fn read_by_a_switch(before: impl FnOnce(&World)) -> BTreeSet<String> {
    let world = World::new();
    let other = ConfigSet {
        publish: Vec::new(),
        ..set(json!({"a": 1}))
    };
    let names: Vec<String> = (0..50).map(|n| format!("other{n}")).collect();
    let others: Vec<_> = names.iter().map(|name| (name.as_str(), &other)).collect();
    world.apply(&sets(&others));
    world.apply(&shop(&set(json!({"a": 1, "b": 2}))));
    before(&world);
    let name = "shop".parse().unwrap();
    let origin = world.origin();
    let mut overrides = world.head("shop").overrides;
    overrides
        .trips
        .insert("slow".parse().unwrap(), vec![origin.at]);
    world.with_engine(&|_| (), async |engine| {
        let counting = Counting::new(world.store.clone());
        let engine = Engine {
            store: &counting,
            ..engine
        };
        let heads = counting.heads(&Which::around([&name])).await.unwrap().heads;
        let head = &heads[&set_id("shop")];
        let switched = engine.override_set(overriding(&name, head, overrides, origin.clone()));
        switched.await.unwrap();
        let everywhere = Selector::default();
        let reconciled = engine.reconcile(&name, &everywhere, &origin).await.unwrap();
        for pass in &reconciled.passes {
            assert_eq!(outcomes(&pass.reports), [&Ending::Delivered]);
        }
        assert_eq!(reconciled.passes.len(), 2);
        counting.counts().heads
    })
}

#[test]
fn a_switch_reads_its_set_and_the_clusters_whatever_else_is_stored() {
    let read = read_by_a_switch(|_| ());
    let expected = ["cluster/eu", "cluster/us", "set/shop"].map(str::to_owned);
    assert_eq!(read, BTreeSet::from(expected));
}

/// Which of them another set took over is to be known then.
#[test]
fn a_switch_that_takes_keys_away_reads_everything_first() {
    let read = read_by_a_switch(|world| {
        world.target("eu").set_wire(Wire::Down);
        world.target("us").set_wire(Wire::Down);
        world.apply(&shop(&set(json!({"a": 1}))));
        world.target("eu").set_wire(Wire::Fine);
        world.target("us").set_wire(Wire::Fine);
    });
    assert!(read.contains("set/other7"), "{read:?}");
}

fn overriding<'a>(
    set: &'a SetName,
    head: &'a Revision,
    overrides: Overrides,
    origin: Origin,
) -> Permitted<Overriding<'a>> {
    Permitted(Overriding {
        set,
        head,
        overrides,
        origin,
        key: None,
        guards: BTreeMap::new(),
        records: BTreeMap::new(),
    })
}

/// The answer is lost, twice, and the commit was made: it is made once, and said to be made.
#[test]
fn a_commit_whose_answer_is_lost_is_made_once() {
    let world = World::new();
    world.apply(&shop(&set(json!({"a": 1}))));
    let (name, mut overrides) = ("shop".parse().unwrap(), world.head("shop").overrides);
    let origin = world.head("shop").origin;
    let trips = vec![origin.at];
    overrides.trips.insert("slow".parse().unwrap(), trips);
    world.with_engine(&|_| (), async |engine| {
        let lossy = Counting::losing(2, world.store.clone());
        let engine = Engine {
            store: &lossy,
            ..engine
        };
        let heads = lossy.heads(&Which::around([&name])).await.unwrap().heads;
        let head = &heads[&set_id("shop")];
        let made = engine.override_set(overriding(&name, head, overrides, origin));
        assert_eq!(made.await.unwrap(), Some(version(2)));
    });
    assert_eq!(world.head("shop").version, version(2));
}

/// Why a switch of `shop` would be refused, if it would be.
fn denied(world: &World) -> Option<String> {
    let heads = world.heads();
    let name = "shop".parse().unwrap();
    let clusters = clusters_of(&name, &heads).collect();
    world.with_engine(&|_| (), async |engine| {
        engine.ask(Asked::Access, &name, &clusters).await.denied
    })
}

/// One cluster says at once that we may not write, another takes its time: only all of them together
/// keep a switch from being committed.
#[test]
fn one_cluster_that_denies_is_no_verdict_while_another_is_slow() {
    let world = World::new();
    world.apply(&shop(&set(json!({"a": 1}))));
    world.target("eu").set_wire(Wire::ReadOnly);
    assert_eq!(denied(&world), None, "us lets it be written");
    world.target("us").set_wire(Wire::ReadOnly);
    assert!(denied(&world).is_some(), "nobody lets it be written");
}

/// A resume that has nothing to commit is not stopped by what somebody commits for another set.
#[test]
fn a_commit_elsewhere_stops_no_resume() {
    let world = World::new();
    world.apply(&two_sets(1));
    world.target("eu").set_wire(Wire::Down);
    world.apply(&shop(&set(json!({"a": 2, "b": 2}))));
    world.target("eu").set_wire(Wire::Fine);
    let (survey, plan) = world.look(&Desired::nothing(), &Reach::All);
    let resume = approve(plan).unwrap();
    let news = ConfigSet {
        publish: vec![keys("news")],
        ..set(json!({"a": 9}))
    };
    world.apply(&sets(&[("news", &news)]));
    let reports = world.carry_out(&survey, &resume).unwrap();
    assert!(
        reports.iter().all(|report| report.outcome.is_settled()),
        "{reports:?}"
    );
    assert!(world.plan_all().is_settled());
}

/// Nor is one that takes keys away in one cluster, or makes a new revision of one set.
#[test]
fn a_resume_is_guarded_by_what_it_writes_and_by_what_lies_beside_keys_that_go() {
    let world = World::new();
    let news = |a: u64| ConfigSet {
        clusters: selector("region=us"),
        publish: vec![keys("news")],
        ..set(json!({"a": a}))
    };
    world.apply(&shop(&set(json!({"a": 1, "b": 2}))));
    world.apply(&sets(&[("news", &news(1))]));
    world.target("eu").set_wire(Wire::Down);
    world.apply(&shop(&set(json!({"a": 1}))));
    world.target("eu").set_wire(Wire::Fine);
    let (survey, plan) = world.look(&Desired::nothing(), &Reach::All);
    assert!(plan.removes_keys());
    let guards: Vec<_> = plan.commit.expected.keys().cloned().collect();
    assert_eq!(guards, [cluster_id("eu"), set_id("shop")]);
    let resume = approve(plan).unwrap();
    world.apply(&sets(&[("news", &news(2))]));
    world.apply(&described("jp", cluster("jp", "jp")));
    let reports = world.carry_out(&survey, &resume).unwrap();
    assert!(
        reports.iter().all(|report| report.outcome.is_settled()),
        "{reports:?}"
    );
    assert_eq!(world.target("eu").memory.get("app/b"), None);
    assert!(world.plan_all().is_settled());

    // Another store was here, and `shop` gets a greater number.
    let world = world.adopting();
    let theirs = World::new();
    for a in 1..9 {
        theirs.apply(&shop(&set(json!({"a": a}))));
    }
    let alien = theirs.target("eu").text(SNAPSHOT);
    world
        .target("eu")
        .memory
        .put_as_other(SNAPSHOT, alien.as_bytes());
    let (survey, plan) = world.look(&Desired::nothing(), &Reach::All);
    assert_eq!(plan.commit.revisions.len(), 1);
    let resume = approve(plan).unwrap();
    world.apply(&sets(&[("news", &news(3))]));
    world.carry_out(&survey, &resume).unwrap();
    assert!(world.plan_all().is_settled());
}

/// `shop` is there, `gone` was deleted everywhere, and `eu` alone had `news`.
fn with_deleted_sets() -> World {
    let world = World::new();
    let news = ConfigSet {
        clusters: selector("region=eu"),
        publish: vec![keys("news")],
        ..set(json!({"a": 1}))
    };
    let gone = ConfigSet {
        publish: vec![keys("gone")],
        ..set(json!({"a": 1}))
    };
    let shop = set(json!({"a": 1}));
    world.apply(&sets(&[("shop", &shop), ("news", &news), ("gone", &gone)]));
    world.apply(&deleted("gone"));
    world
}

/// The sets that were read in a cluster, each time.
fn looked(world: &World, cluster: &str) -> Vec<String> {
    let mut sets = std::mem::take(&mut *world.target(cluster).looked.lock().unwrap());
    sets.sort();
    sets.iter().map(ToString::to_string).collect()
}

#[test]
fn a_look_at_everything_reads_what_lies_there_or_should_and_no_deleted_set() {
    let world = with_deleted_sets();
    for cluster in ["eu", "us"] {
        looked(&world, cluster);
    }
    let plan = world.plan_all();
    assert!(plan.is_settled());
    assert_eq!(
        plan.deliveries.len(),
        6,
        "each set is known in each cluster"
    );
    assert_eq!(looked(&world, "eu"), ["news", "shop"]);
    assert_eq!(looked(&world, "us"), ["shop"]);

    // What somebody put back is seen, and so is what should be there and is not.
    let key = "cfgctl/gone/snapshot";
    world.target("us").memory.put_as_other(key, b"x");
    world
        .target("us")
        .memory
        .delete_as_other("cfgctl/shop/snapshot");
    let plan = world.plan_all();
    assert_eq!(looked(&world, "us"), ["gone", "shop"]);
    let found = |set| &delivery(&plan, set, "us").condition;
    assert!(matches!(found("gone"), Condition::Alien(_)));
    assert_eq!(*found("shop"), Condition::Missing);
}

#[test]
fn who_may_not_list_reads_each_set_and_who_cannot_look_is_told_of_every_one() {
    let world = with_deleted_sets();
    looked(&world, "us");
    world.target("us").set_wire(Wire::Hiding);
    assert!(world.plan_all().is_settled());
    assert_eq!(looked(&world, "us"), ["gone", "news", "shop"]);

    for wire in [Wire::Down, Wire::Hanging] {
        world.target("us").set_wire(wire);
        let plan = world.plan_all();
        assert!(!plan.is_settled());
        for set in ["gone", "news", "shop"] {
            let delivery = delivery(&plan, set, "us");
            assert!(
                matches!(delivery.condition, Condition::Unseen(_)),
                "{wire:?}"
            );
            assert_eq!(delivery.action, Action::Wait, "{set} {wire:?}");
        }
    }
}
