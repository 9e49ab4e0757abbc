//! Who may do what: over grants, sets, clusters and every road to a change.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::json;

use super::super::Local;
use super::super::authorise::Access;
use super::super::testing::{pace, request};
use crate::api::report::Outcome;
use crate::api::{
    AccessQuery, AccessVerb, Approval, BreakerChange, BreakerOperation, Caller, Change,
    ClusterQuery, Declaration, Error, ErrorKind, EvaluateQuery, ExplainQuery, FlagChange,
    FlagPosition, HistoryQuery, LookQuery, Observer, Preview, Proposal, Reach, Request,
    ResourcesQuery, RevisionQuery, Service as _, TokenHolder, Wanted,
};
use crate::model::{
    Breaker, ConfigSet, Content, Contents, Flag, Heads, Identified, Labels, ResourceId, Role,
    Selector, TokenKind, Trip,
};
use crate::plan::Desired;
use crate::plan::testing::*;
use crate::render;

mod looks;

fn labels(team: &str) -> Labels {
    Labels::from([("team".to_owned(), team.to_owned())])
}

/// A set of a team with a flag and a breaker, and a value in each region.
fn of_team(team: &str, values: [u8; 3]) -> ConfigSet {
    let [all, eu, us] = values;
    let named = |name: &str, when: &str, value: u8| crate::model::Layer {
        name: name.parse().unwrap(),
        ..layer(when, json!({"b": value}))
    };
    let trip = Trip {
        values: map(json!({"a": 99})),
        ..Trip::default()
    };
    let breaker = Breaker {
        trip,
        ..Breaker::default()
    };
    ConfigSet {
        labels: labels(team),
        layers: vec![named("eu", "region=eu", eu), named("us", "region=us", us)],
        flags: [("new".parse().unwrap(), Flag::boolean(true))].into(),
        breakers: [("failing".parse().unwrap(), breaker)].into(),
        publish: Vec::new(),
        ..set(json!({"a": all, "b": 0}))
    }
}

/// The clusters `eu` and `us`, each in a region of its name; `shop` of the team `pay` and `news` of
/// the team `press`, delivered to both.
fn world() -> World {
    let world = World::new();
    let (shop, news) = (of_team("pay", [1, 1, 1]), of_team("press", [1, 1, 1]));
    world.apply(&sets(&[("shop", &shop), ("news", &news)]));
    world
}

fn with(grants: &[(Role, &str, &str)]) -> World {
    let world = world();
    for (number, (role, sets, clusters)) in grants.iter().enumerate() {
        world.apply(&granted(&format!("g{number}"), *role, sets, clusters));
    }
    world
}

fn local(world: &World) -> Local {
    Local::new(world.store.clone(), world.connect(), || {
        Timestamp::UNIX_EPOCH
    })
}

/// Somebody deletes everything in a cluster.
fn wipe(world: &World, cluster: &str) {
    let memory = &world.target(cluster).memory;
    for key in memory.all().keys() {
        memory.delete_as_other(key);
    }
}

fn token(name: &str, kind: TokenKind) -> Caller {
    let id = "0123456789".parse().unwrap();
    Caller::token(TokenHolder::new(&name.parse().unwrap(), id, kind, None))
}

fn ci() -> Caller {
    token("ci", TokenKind::Api)
}

fn declare(desired: Desired) -> Request {
    request(Change::Declare(Declaration {
        contents: desired.contents,
        provenances: BTreeMap::new(),
    }))
}

fn planned(world: &World, by: &Caller, asked: &Request) -> Result<Proposal, Error> {
    let local = local(world);
    let nobody = Observer::nobody();
    world.runtime.block_on(local.plan(by, asked, &nobody))
}

fn done(world: &World, by: &Caller, asked: &Request) -> Result<Outcome, Error> {
    let local = local(world);
    let nobody = Observer::nobody();
    let done = local.carry_out(by, asked, &Approval::Unseen, &nobody);
    world.runtime.block_on(done)
}

/// Why it is denied, planned or done, with nothing changed; none of it names a value.
#[track_caller]
fn denied(world: &World, asked: &Request) -> Vec<String> {
    let before = world.heads();
    let shown = planned(world, &ci(), asked).unwrap_err();
    let error = done(world, &ci(), asked).unwrap_err();
    assert_eq!(world.heads(), before);
    assert_eq!(error.kind, ErrorKind::Denied, "{error:?}");
    assert_eq!(shown, error);
    assert!(error.about.objections.is_empty() && error.about.basis.is_none());
    error.causes
}

#[track_caller]
fn allowed(world: &World, asked: &Request) -> Outcome {
    planned(world, &ci(), asked).unwrap();
    done(world, &ci(), asked).unwrap()
}

#[test]
fn an_editor_changes_what_his_clusters_get_and_nothing_else() {
    let world = with(&[(Role::Editor, "team=pay", "region=eu")]);
    let asked = |team, values| declare(shop(&of_team(team, values)));
    // A layer of his own; and what other clusters get of it is the same in a new version.
    let outcome = allowed(&world, &asked("pay", [1, 2, 1]));
    assert_eq!(outcome.committed.len(), 1);
    let seen: Vec<&str> = outcome
        .clusters
        .iter()
        .map(|it| it.cluster.as_str())
        .collect();
    assert_eq!(seen, ["eu"]);
    // The layer of another region, and a default that both share.
    for values in [[1, 2, 3], [3, 2, 1]] {
        assert_eq!(
            denied(&world, &asked("pay", values)),
            [
                "set/shop in a cluster that you may not read takes the role editor over this set in this cluster"
            ]
        );
    }
    // A set that belongs to others, and one that would.
    let refused = denied(&world, &asked("press", [1, 2, 1]));
    assert!(refused[0].contains("set/shop"), "{refused:?}");
    let news = sets(&[("news", &of_team("press", [1, 5, 1]))]);
    assert_eq!(
        denied(&world, &declare(news)),
        ["set/news takes the role editor over this set"]
    );
    // To declare it as it is would tell what it is.
    let same = sets(&[("news", &of_team("press", [1, 1, 1]))]);
    assert_eq!(denied(&world, &declare(same)).len(), 1);
    // To take the set from a cluster, or to bring it to one, changes that cluster.
    let narrow = ConfigSet {
        clusters: selector("region=eu"),
        ..of_team("pay", [1, 2, 1])
    };
    let gone = request(Change::Delete([set_id("shop")].into()));
    for asked in [declare(shop(&narrow)), gone] {
        assert!(denied(&world, &asked)[0].contains("in a cluster that you may not read"));
    }
    let back = Change::Rollback {
        name: set_id("shop"),
        to: None,
    };
    allowed(&world, &request(back));
}

#[test]
fn other_labels_take_the_right_on_both_sides_wherever_the_set_goes() {
    let asked = declare(shop(&of_team("press", [1, 1, 1])));
    let pay = (Role::Editor, "team=pay", "");
    let press = (Role::Editor, "team=press", "");
    for grants in [
        &[pay][..],
        &[press],
        &[pay, (Role::Editor, "team=press", "region=eu")],
    ] {
        denied(&with(grants), &asked);
    }
    allowed(&with(&[pay, press]), &asked);
}

/// What nobody sees today: below an override, and in a breaker that is closed.
#[test]
fn what_others_get_later_is_changed_by_nobody_who_may_not_change_it_now() {
    let world = with(&[(Role::Editor, "team=pay", "region=eu")]);
    // While the breaker is open, `a` is 99 everywhere.
    let [trip, _] = switches(None);
    let ops = Caller::local("ops@laptop".to_owned());
    done(&world, &ops, &trip).unwrap();
    denied(&world, &declare(shop(&of_team("pay", [7, 1, 1]))));
    let mut worse = of_team("pay", [1, 1, 1]);
    for breaker in worse.breakers.values_mut() {
        breaker.trip.values = map(json!({"a": 666}));
    }
    denied(&world, &declare(shop(&worse)));
    let world = with(&[(Role::Editor, "team=pay", "region=eu")]);
    denied(&world, &declare(shop(&worse)));
}

#[test]
fn who_takes_a_name_over_reads_nothing_of_what_it_was() {
    let world = with(&[(Role::Editor, "team=pay", "")]);
    let request_of = |name: &str| request(Change::Delete([set_id(name)].into()));
    let ops = Caller::local("ops@laptop".to_owned());
    done(&world, &ops, &request_of("news")).unwrap();
    allowed(
        &world,
        &declare(sets(&[("news", &of_team("pay", [5, 5, 5]))])),
    );
    let (local, by) = (local(&world), ci());
    let history = HistoryQuery {
        name: set_id("news"),
        before: None,
        limit: 9,
    };
    let found = world
        .runtime
        .block_on(local.history(&by, &history))
        .unwrap();
    let versions: Vec<u64> = (found.revisions.iter())
        .map(|it| it.version.get())
        .collect();
    assert_eq!(versions, [3]);
    let old = RevisionQuery {
        name: set_id("news"),
        version: Some(version(1)),
        cluster: None,
    };
    let error = world
        .runtime
        .block_on(local.revision(&by, &old))
        .unwrap_err();
    let never = RevisionQuery {
        version: Some(version(9)),
        ..old
    };
    let absent = world
        .runtime
        .block_on(local.revision(&by, &never))
        .unwrap_err();
    assert_eq!(
        format!("{error:?}").replace("revision 1", "revision N"),
        format!("{absent:?}").replace("revision 9", "revision N")
    );
    let back = |to| {
        let name = set_id("news");
        planned(&world, &ci(), &request(Change::Rollback { name, to }))
    };
    assert_eq!(back(Some(version(1))).unwrap_err().kind, absent.kind);
    assert!(back(None).unwrap_err().error.contains("no older content"));
}

#[test]
fn what_others_publish_is_found_out_by_nobody_who_may_declare_nothing() {
    let world = with(&[(Role::Viewer, "team=pay", "")]);
    let owned = ConfigSet {
        publish: vec![keys("secret")],
        ..of_team("press", [1, 1, 1])
    };
    world.apply(&sets(&[("news", &owned)]));
    let same = |prefix: &str| {
        let mine = ConfigSet {
            publish: vec![keys(prefix)],
            ..of_team("pay", [1, 1, 1])
        };
        denied(&world, &declare(sets(&[("mine", &mine)])))
    };
    same("secret");
    same("free");
    // Who may declare it is told that it collides, and not with what.
    world.apply(&granted("more", Role::Editor, "team=pay", ""));
    let mine = ConfigSet {
        publish: vec![keys("secret")],
        ..of_team("pay", [1, 1, 1])
    };
    let error = planned(&world, &ci(), &declare(sets(&[("mine", &mine)]))).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Invalid);
    assert!(!format!("{error:?}").contains("news"), "{error:?}");
}

#[test]
fn whether_somebody_can_counts_the_clusters_that_he_does_not_see() {
    let world = with(&[(Role::Editor, "team=pay", "region=eu")]);
    let (local, by) = (local(&world), ci());
    let asked = |verb, cluster: Option<&str>| {
        let query = AccessQuery {
            verb: Some(verb),
            name: Some(set_id("shop")),
            cluster: cluster.map(|it| it.parse().unwrap()),
            subject: None,
        };
        let found = world.runtime.block_on(local.access(&by, &query)).unwrap();
        assert!(!format!("{found:?}").contains("\"us\""), "{found:?}");
        (found.allowed, found.elsewhere)
    };
    assert_eq!(asked(AccessVerb::Apply, None), (false, true));
    assert_eq!(asked(AccessVerb::Read, None), (true, false));
    assert_eq!(asked(AccessVerb::Apply, Some("eu")), (true, false));
}

fn switches(clusters: Option<&str>) -> [Request; 2] {
    let clusters: Option<Selector> = clusters.map(selector);
    let trip = BreakerChange {
        set: "shop".parse().unwrap(),
        breaker: "failing".parse().unwrap(),
        operation: BreakerOperation::Trip {
            clusters: clusters.clone(),
            limit: None,
        },
    };
    let off = FlagChange {
        set: "shop".parse().unwrap(),
        flag: "new".parse().unwrap(),
        to: FlagPosition::Held {
            at: Wanted::Boolean(false),
            limit: None,
        },
        clusters,
    };
    let off = Request {
        message: Some("it fails".parse().unwrap()),
        ..request(Change::Flag(off))
    };
    [request(Change::Breaker(trip)), off]
}

#[test]
fn an_operator_switches_where_he_may_and_declares_nothing() {
    let world = with(&[(Role::Operator, "team=pay", "region=eu")]);
    // The breaker says that it is tripped everywhere together.
    let [_, flag] = switches(Some("region=eu"));
    allowed(&world, &flag);
    for switch in switches(None) {
        assert_eq!(
            denied(&world, &switch),
            [
                "set/shop in a cluster that you may not read takes the role operator over this set in this cluster"
            ]
        );
    }
    let asked = declare(shop(&of_team("pay", [1, 2, 1])));
    assert!(denied(&world, &asked)[0].contains("the role editor"));
    let world = with(&[(Role::Operator, "", "")]);
    for switch in switches(None) {
        allowed(&world, &switch);
    }
    let world = with(&[(Role::Viewer, "", "")]);
    for switch in switches(None) {
        denied(&world, &switch);
    }
}

#[test]
fn clusters_are_brought_to_what_is_committed_where_one_is_operator() {
    let world = with(&[
        (Role::Operator, "team=pay", "region=eu"),
        (Role::Viewer, "", ""),
    ]);
    for cluster in ["eu", "us"] {
        wipe(&world, cluster);
    }
    let outcome = allowed(&world, &request(Change::Reconcile(Reach::All)));
    let brought: Vec<String> = (outcome.clusters.iter())
        .map(|it| format!("{} in {}", it.set, it.cluster))
        .collect();
    assert_eq!(brought, ["shop in eu"]);
    assert!(world.target("us").memory.all().is_empty());
    let named = Reach::Named(["news".parse().unwrap()].into());
    let refused = denied(&world, &request(Change::Reconcile(named)));
    assert_eq!(refused.len(), 1, "{refused:?}");
    assert!(world.target("us").memory.all().is_empty());
}

#[test]
fn whoever_describes_where_a_cluster_is_is_admin_of_everything() {
    let scoped = || {
        with(&[
            (Role::Admin, "", "region in (eu,far)"),
            (Role::Viewer, "", ""),
        ])
    };
    let world = scoped();
    // Another label within what he has, and off the list.
    allowed(&world, &declare(described("eu", cluster("eu", "far"))));
    for (name, description) in [
        ("new", cluster("new", "eu")),
        ("eu", cluster("us", "far")),
        ("eu", cluster("eu", "us")),
        ("us", cluster("us", "eu")),
    ] {
        denied(&world, &declare(described(name, description)));
    }
    let gone = |name: &str| Request {
        consents: [crate::model::Consent::KeepKeys].into(),
        ..request(Change::Delete([cluster_id(name)].into()))
    };
    denied(&world, &gone("us"));
    allowed(&world, &gone("eu"));
    let world = with(&[(Role::Admin, "team=pay", ""), (Role::Editor, "", "")]);
    denied(&world, &declare(described("eu", cluster("eu", "far"))));
    let world = with(&[(Role::Admin, "", "")]);
    allowed(&world, &declare(described("new", cluster("new", "eu"))));
}

#[test]
fn nobody_grants_or_takes_what_he_does_not_have() {
    let world = with(&[(Role::Admin, "team=pay", "region in (eu,far)")]);
    world.apply(&granted("all", Role::Viewer, "", ""));
    for (role, sets, clusters) in [
        (Role::Viewer, "team=pay", "region=eu"),
        (Role::Admin, "team=pay,tier=gold", "region in (eu,far)"),
    ] {
        allowed(&world, &declare(granted("new", role, sets, clusters)));
    }
    for (name, role, sets, clusters) in [
        ("new", Role::Viewer, "", "region=eu"),
        ("new", Role::Viewer, "team=pay", ""),
        ("new", Role::Editor, "team=press", "region=eu"),
        ("new", Role::Editor, "team=pay", "region!=us"),
        // What he would take from others he does not have either.
        ("all", Role::Viewer, "team=pay", "region=eu"),
    ] {
        denied(&world, &declare(granted(name, role, sets, clusters)));
    }
    let gone = |name: &str| request(Change::Delete([grant_id(name)].into()));
    denied(&world, &gone("all"));
    allowed(&world, &gone("new"));
    let world = with(&[(Role::Editor, "", "")]);
    denied(&world, &declare(granted("g0", Role::Admin, "", "")));
}

#[test]
fn the_last_admin_is_not_locked_out_by_an_apply() {
    let world = with(&[(Role::Admin, "", ""), (Role::Admin, "team=pay", "")]);
    let gone = request(Change::Delete([grant_id("g0")].into()));
    let less = declare(granted("g0", Role::Admin, "", "region=eu"));
    for asked in [&gone, &less] {
        let refused = denied(&world, asked);
        assert!(refused[0].contains("would still be one"), "{refused:?}");
    }
    // That it is to somebody else now may be a slip of the pen.
    let to_others = |name: &str| {
        let mut desired = granted(name, Role::Admin, "", "");
        for content in desired.contents.values_mut() {
            if let Content::Grant(grant) = content {
                grant.to = ["token:cj".parse().unwrap()].into();
            }
        }
        desired
    };
    denied(&world, &declare(to_others("g0")));
    let mut both = to_others("another");
    both.contents.insert(grant_id("g0"), Content::Deleted);
    denied(&world, &declare(both));
    world.apply(&granted("another", Role::Admin, "", ""));
    allowed(&world, &gone);
    // Whoever can write the store is told of it.
    let gone = request(Change::Delete([grant_id("another")].into()));
    let ops = Caller::local("ops@laptop".to_owned());
    let shown = planned(&world, &ops, &gone).unwrap();
    assert_eq!(shown.warnings.len(), 1, "{shown:?}");
    assert_eq!(shown.warnings[0].code, "last-admin");
    done(&world, &ops, &gone).unwrap();
}

#[test]
fn what_is_allowed_is_allowed_only_as_long_as_its_grants_hold() {
    let world = with(&[(Role::Editor, "team=pay", "")]);
    let heads = world.heads();
    let grants = heads.clone().into_iter();
    let grants: Heads = grants
        .filter(|(id, _)| matches!(id, ResourceId::Grant(_)))
        .collect();
    let access = Access::granted(grants, "token:ci", &Identified::called("token:ci"));
    let plan = world.plan(&shop(&of_team("pay", [2, 2, 2])));
    let change = Change::Declare(Declaration::default());
    let permitted = access.permit(plan, &change, &heads).unwrap().plan;
    let guard = permitted.get().commit.expected.get(&grant_id("g0"));
    assert_eq!(guard, Some(&Some(version(1))));
}

/// Every question about `set` and `cluster`, and what it answers.
fn questions(world: &World, set: &str, cluster: &str) -> Vec<(&'static str, Error)> {
    let (local, by, nobody) = (local(world), ci(), Observer::nobody());
    let name = || set.parse().unwrap();
    let place = || Some(cluster.parse().unwrap());
    let look = LookQuery {
        sets: Reach::Named([name()].into()),
        clusters: Selector::default(),
        pace: pace(),
    };
    let switched = |mut request: Request| {
        match &mut request.change {
            Change::Flag(change) => change.set = name(),
            Change::Breaker(change) => change.set = name(),
            _ => {}
        }
        request
    };
    world.runtime.block_on(async {
        let mut asked = vec![
            ("status", local.status(&by, &look, &nobody).await.err()),
            ("drift", local.drift(&by, &look, &nobody).await.err()),
        ];
        let query = ResourcesQuery {
            names: vec![set_id(set)],
            ..ResourcesQuery::default()
        };
        asked.push(("resources", local.resources(&by, &query).await.err()));
        let query = HistoryQuery {
            name: set_id(set),
            before: None,
            limit: 9,
        };
        asked.push(("history", local.history(&by, &query).await.err()));
        for (word, cluster) in [("revision", None), ("snapshot", place())] {
            let query = RevisionQuery {
                name: set_id(set),
                version: None,
                cluster,
            };
            asked.push((word, local.revision(&by, &query).await.err()));
        }
        let query = ExplainQuery {
            set: name(),
            key: None,
            cluster: place(),
            at: None,
        };
        asked.push(("explain", local.explain(&by, &query).await.err()));
        let query = EvaluateQuery {
            set: name(),
            flag: "new".parse().unwrap(),
            context: map(json!({})),
            cluster: place(),
        };
        asked.push(("evaluate", local.evaluate(&by, &query).await.err()));
        for request in switches(None).map(switched) {
            let verb = request.change.word();
            asked.push((verb, local.plan(&by, &request, &nobody).await.err()));
        }
        for change in [
            Change::Delete([set_id(set)].into()),
            Change::Rollback {
                name: set_id(set),
                to: None,
            },
            Change::Reconcile(Reach::Named([name()].into())),
        ] {
            let verb = change.word();
            let request = request(change);
            asked.push((verb, local.plan(&by, &request, &nobody).await.err()));
        }
        let (name, described) = (cluster.parse().unwrap(), None);
        let query = ClusterQuery { name, described };
        asked.push(("cluster", local.cluster(&by, &query).await.err()));
        let answers = asked.into_iter();
        answers
            .filter_map(|(word, error)| Some((word, error?)))
            .collect()
    })
}

#[test]
fn what_may_not_be_read_answers_as_what_is_not_there() {
    let world = with(&[(Role::Editor, "team=press", "region=us")]);
    let as_text = |errors: Vec<(&'static str, Error)>, set: &str, cluster: &str| {
        let text = format!("{errors:#?}");
        assert!(!text.contains("Denied"), "{text}");
        text.replace(set, "SET").replace(cluster, "CLUSTER")
    };
    let hidden = as_text(questions(&world, "shop", "eu"), "shop", "eu");
    let absent = as_text(questions(&world, "none", "xx"), "none", "xx");
    assert_eq!(hidden, absent);
    assert_eq!(questions(&world, "shop", "eu").len(), 14);
    // A set that he may read, in a cluster that he may not.
    let reads = |cluster: &str| {
        let mut asked = questions(&world, "news", cluster);
        asked.retain(|(word, _)| ["snapshot", "explain", "evaluate", "cluster"].contains(word));
        assert_eq!(asked.len(), 4);
        as_text(asked, "news", cluster)
    };
    let (hidden, absent) = (reads("eu"), reads("xx"));
    assert_eq!(hidden, absent);
}

#[test]
fn lists_and_reports_have_what_may_be_read() {
    let world = with(&[
        (Role::Viewer, "team=press", "region=us"),
        (Role::Viewer, "team=pay", "region=eu"),
    ]);
    let (local, by, nobody) = (local(&world), ci(), Observer::nobody());
    let look = LookQuery {
        sets: Reach::All,
        clusters: Selector::default(),
        pace: pace(),
    };
    let status = world.runtime.block_on(local.status(&by, &look, &nobody));
    let seen: Vec<String> = (status.unwrap().clusters.iter())
        .map(|it| format!("{} in {}", it.set, it.cluster))
        .collect();
    // One may be read in one, the other in the other: both together in none.
    assert_eq!(seen, ["news in us", "shop in eu"]);
    let names = world.runtime.block_on(local.names(&by)).unwrap();
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    assert_eq!(
        names,
        [
            "cluster/eu",
            "cluster/us",
            "grant/g0",
            "grant/g1",
            "set/news",
            "set/shop"
        ]
    );
    let query = ExplainQuery {
        set: "shop".parse().unwrap(),
        key: None,
        cluster: None,
        at: None,
    };
    let explained = world.runtime.block_on(local.explain(&by, &query)).unwrap();
    let mut clusters = explained.values.iter().flat_map(|it| &it.clusters);
    assert!(clusters.all(|cluster| cluster.as_str() == "eu"));

    let nobody_s = token("stranger", TokenKind::Api);
    let names = world.runtime.block_on(local.names(&nobody_s)).unwrap();
    assert_eq!(names, []);
    // Grants mean nothing to a token that is for something else.
    for kind in [TokenKind::Alerts, TokenKind::Agent] {
        let other = token("ci", kind);
        let names = world.runtime.block_on(local.names(&other)).unwrap();
        assert_eq!(names, []);
    }
}

#[test]
fn a_proposal_tells_nothing_of_clusters_that_may_not_be_read() {
    let world = with(&[(Role::Editor, "team=pay", "region=eu")]);
    wipe(&world, "us");
    let asked = declare(shop(&of_team("pay", [1, 2, 1])));
    let shown = planned(&world, &ci(), &asked).unwrap();
    let Preview::Plan(plan) = &shown.preview else {
        panic!("{shown:?}");
    };
    let seen: Vec<&str> = plan.clusters.iter().map(|it| it.cluster.as_str()).collect();
    assert_eq!(seen, ["eu"]);
    let text = serde_json::to_string(&(&shown.basis, &shown.undeclared)).unwrap();
    for hidden in ["us", "news"] {
        assert!(!text.contains(&format!("\"{hidden}\"")), "{text}");
        assert!(!text.contains(&format!("/{hidden}\"")), "{text}");
    }
    // And what was shown is what is done.
    let local = local(&world);
    let exactly = Approval::Exactly(shown.token);
    let nobody = Observer::nobody();
    let by = ci();
    let done = local.carry_out(&by, &asked, &exactly, &nobody);
    assert!(world.runtime.block_on(done).unwrap().complete);
    assert!(!world.target("us").memory.all().is_empty());
}

#[test]
fn a_trip_reads_its_set_the_clusters_and_the_grants() {
    let world = with(&[(Role::Operator, "team=pay", "")]);
    for other in 0..20 {
        world.apply(&sets(&[(
            &format!("other{other}"),
            &of_team("x", [1, 1, 1]),
        )]));
    }
    let counting = Arc::new(Counting::new(world.store.clone()));
    let local = Local::new(counting.clone(), world.connect(), || Timestamp::UNIX_EPOCH);
    let [trip, _] = switches(None);
    let (by, nobody) = (ci(), Observer::nobody());
    let done = local.carry_out(&by, &trip, &Approval::Unseen, &nobody);
    assert!(world.runtime.block_on(done).unwrap().complete);
    let read = counting.counts().heads.into_iter().collect::<Vec<_>>();
    assert_eq!(read, ["cluster/eu", "cluster/us", "grant/g0", "set/shop"]);
}

/// What every cluster gets of every set.
fn effective(heads: &Heads) -> BTreeMap<(ResourceId, ResourceId), Contents> {
    let clusters = || {
        heads
            .iter()
            .filter_map(|(id, head)| Some((id, head.content.cluster()?)))
    };
    let mut found = BTreeMap::new();
    for (id, head) in heads {
        let Some(set) = head.content.set() else {
            continue;
        };
        for (place, cluster) in clusters() {
            if set.clusters.matches(&cluster.labels) {
                let contents = render::contents(set, &head.overrides, &cluster.labels);
                found.insert((id.clone(), place.clone()), contents);
            }
        }
    }
    found
}

#[derive(Clone, Debug)]
enum Asked {
    Declare(&'static str, Option<(&'static str, [u8; 3], &'static str)>),
    Describe(&'static str, &'static str),
    Grant(Role, &'static str, &'static str),
    Switch(usize, Option<&'static str>),
}

fn asked() -> impl Strategy<Value = Asked> {
    let team = || prop::sample::select(&["pay", "press"][..]);
    let name = || prop::sample::select(&["shop", "news", "fresh"][..]);
    let cluster = || prop::sample::select(&["eu", "us"][..]);
    let region = || prop::sample::select(&["eu", "us", "far"][..]);
    let only = || prop::sample::select(&["", "region=eu", "region=us", "region!=us"][..]);
    let values = prop::array::uniform3(1..3_u8);
    let set = prop::option::weighted(0.9, (team(), values, only()));
    prop_oneof![
        4 => (name(), set).prop_map(|(name, set)| Asked::Declare(name, set)),
        1 => (cluster(), region()).prop_map(|(name, region)| Asked::Describe(name, region)),
        1 => (role(), sets_of(), only()).prop_map(|(role, sets, only)| Asked::Grant(role, sets, only)),
        2 => (0..2_usize, prop::option::of(only())).prop_map(|(nth, only)| Asked::Switch(nth, only)),
    ]
}

fn role() -> impl Strategy<Value = Role> {
    prop::sample::select(Role::ALL.to_vec())
}

fn sets_of() -> impl Strategy<Value = &'static str> {
    prop::sample::select(&["", "team=pay", "team=press", "team!=pay"][..])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    /// Whatever is asked for, nothing changes in a cluster that no grant of the caller covers
    /// together with the set, by the labels of both before and after.
    #[test]
    fn a_permitted_plan_changes_nothing_that_no_grant_covers(
        grants in prop::collection::vec(
            (role(), sets_of(), prop::sample::select(&["", "region=eu", "region=us", "region!=us"][..])),
            0..4,
        ),
        changes in prop::collection::vec(asked(), 1..4),
    ) {
        let world = with(&grants);
        for change in changes {
            let asked = match change {
                Asked::Declare(name, Some((team, values, only))) => {
                    let set = ConfigSet {
                        clusters: selector(only),
                        ..of_team(team, values)
                    };
                    declare(sets(&[(name, &set)]))
                }
                Asked::Declare(name, None) => request(Change::Delete([set_id(name)].into())),
                Asked::Describe(name, region) => declare(described(name, cluster(name, region))),
                Asked::Grant(role, sets, only) => declare(granted("more", role, sets, only)),
                Asked::Switch(nth, only) => switches(only)[nth].clone(),
            };
            let asked = Request { consents: world.consents.clone(), ..asked };
            let before = world.heads();
            let result = done(&world, &ci(), &asked);
            let after = world.heads();
            if result.is_err() {
                prop_assert_eq!(&before, &after);
                continue;
            }
            let (was, is) = (effective(&before), effective(&after));
            let held = before.iter();
            let held: Vec<_> = held.filter_map(|(_, head)| head.content.grant()).collect();
            for pair in was.keys().chain(is.keys()) {
                if was.get(pair) == is.get(pair) {
                    continue;
                }
                let labels = |heads: &Heads, id: &ResourceId| {
                    heads.get(id).and_then(|head| head.content.labels().cloned())
                };
                let role = match &asked.change {
                    Change::Flag(_) | Change::Breaker(_) => Role::Operator,
                    _ => Role::Editor,
                };
                for heads in [&before, &after] {
                    let both = labels(heads, &pair.0).zip(labels(heads, &pair.1));
                    let Some((set, cluster)) = both else { continue };
                    let covered = held.iter().any(|grant| grant.covers(role, &set, &cluster));
                    prop_assert!(covered, "{:?} by {:?} with {:?}", pair, &asked.change, held);
                }
            }
        }
    }
}
