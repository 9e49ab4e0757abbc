//! Plans that are only looked at: who sees them, what they tell, and whom they ask.

use std::sync::Mutex;
use std::time::Duration;

use super::*;
use crate::api::{Event, Permission, PlanToken};
use crate::engine::Connect;
use crate::model::{Cluster, ClusterName, Connection, Publish, SpringFormat};
use crate::target::{Target, TargetError};

/// The same where nobody is asked whether it may be written.
fn looking(asked: Request) -> Request {
    Request {
        permission: Permission::Unasked,
        ..asked
    }
}

fn seen(world: &World, asked: &Request) -> Vec<String> {
    let shown = planned(world, &ci(), &looking(asked.clone())).unwrap();
    let Preview::Plan(plan) = shown.preview else {
        panic!("{shown:?}");
    };
    let clusters = plan.clusters.iter();
    clusters
        .map(|it| format!("{} in {}", it.set, it.cluster))
        .collect()
}

#[test]
fn a_viewer_sees_what_would_change_where_he_may_read_it_and_changes_nothing() {
    let world = with(&[(Role::Viewer, "team=pay", "region=eu")]);
    let asked = |values| declare(shop(&of_team("pay", values)));
    // His own layer; that it is the same in a new version elsewhere is not for him.
    let own = asked([1, 2, 1]);
    assert_eq!(seen(&world, &own), ["shop in eu"]);
    assert!(denied(&world, &own)[0].contains("the role editor"));
    let gone = Change::Delete([set_id("shop")].into());
    for asked in [asked([1, 1, 2]), asked([2, 1, 1]), request(gone)] {
        let error = planned(&world, &ci(), &looking(asked.clone())).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Denied);
        assert_eq!(
            error.causes,
            [
                "set/shop in a cluster that you may not read takes the role viewer over this set in this cluster"
            ]
        );
        denied(&world, &asked);
    }
    let [_, flag] = switches(Some("region=eu"));
    planned(&world, &ci(), &looking(flag.clone())).unwrap();
    denied(&world, &flag);
    for switch in switches(None) {
        let error = planned(&world, &ci(), &looking(switch)).unwrap_err();
        assert!(error.causes[0].contains("the role viewer"), "{error:?}");
    }
}

#[test]
fn a_viewer_of_everything_sees_what_would_be_new() {
    let world = with(&[(Role::Viewer, "", "")]);
    let new = declare(sets(&[("new", &of_team("pay", [1, 1, 1]))]));
    assert_eq!(seen(&world, &new), ["new in eu", "new in us"]);
    denied(&world, &new);
    let moved = declare(shop(&ConfigSet {
        clusters: selector("region=eu"),
        publish: vec![keys("elsewhere")],
        ..of_team("press", [1, 1, 1])
    }));
    assert_eq!(seen(&world, &moved), ["shop in eu", "shop in us"]);
    denied(&world, &moved);
    // Where a cluster is, and what others may do, he is not even shown.
    for asked in [
        declare(described("new", cluster("new", "eu"))),
        declare(described("eu", cluster("new", "eu"))),
        declare(granted("new", Role::Viewer, "", "")),
    ] {
        planned(&world, &ci(), &looking(asked)).unwrap_err();
    }
}

/// What is answered of something that may not be read, and of what nobody ever made, under the same
/// name.
#[track_caller]
fn same(world: &World, by: &Caller, [hidden, absent]: [(&Request, &str); 2]) {
    for permission in [Permission::Asked, Permission::Unasked] {
        let [hidden, absent] = [hidden, absent].map(|(asked, name)| {
            let asked = Request {
                permission,
                ..asked.clone()
            };
            let shown = planned(world, by, &asked).map(|mut shown| {
                // The digest of all that there is.
                shown.token = PlanToken::of(&());
                shown
            });
            format!("{shown:?}").replace(name, "NAME")
        });
        assert_eq!(hidden, absent);
    }
}

#[test]
fn a_plan_tells_nobody_whether_others_have_a_name() {
    for grants in [
        &[][..],
        &[(Role::Viewer, "team=pay", "region=eu")],
        &[(Role::Operator, "team=pay", "")],
        &[
            (Role::Viewer, "team=pay", ""),
            (Role::Editor, "team=other", ""),
        ],
    ] {
        let world = with(grants);
        let by = ci();
        for team in ["pay", "press"] {
            for only in ["", "region=eu", "region=us", "region=nowhere"] {
                let asked = |name: &str| {
                    let set = ConfigSet {
                        clusters: selector(only),
                        ..of_team(team, [1, 1, 1])
                    };
                    declare(sets(&[(name, &set)]))
                };
                let pair = [(&asked("news"), "news"), (&asked("never"), "never")];
                same(&world, &by, pair);
            }
        }
        let gone = |name: &str| declare(Desired::from([(set_id(name), Content::Deleted)]));
        same(
            &world,
            &by,
            [(&gone("news"), "news"), (&gone("never"), "never")],
        );
        let delete = |name: &str| request(Change::Delete([set_id(name)].into()));
        let pair = [(&delete("news"), "news"), (&delete("never"), "never")];
        same(&world, &by, pair);
        if grants.iter().any(|(.., clusters)| clusters.is_empty()) {
            // They read the cluster `us`.
            continue;
        }
        let place = |name: &str, address: &str| declare(described(name, cluster(address, "us")));
        for address in ["us", "elsewhere"] {
            let (us, mars) = (place("us", address), place("mars", address));
            same(&world, &by, [(&us, "cluster/us"), (&mars, "cluster/mars")]);
        }
    }
}

#[test]
fn a_refusal_tells_nobody_where_a_set_goes_that_he_may_not_read() {
    let world = with(&[(Role::Editor, "team=pay", "region=eu")]);
    let asked = |name: &str, only: &str| {
        let set = ConfigSet {
            clusters: selector(only),
            ..of_team("pay", [1, 1, 1])
        };
        declare(sets(&[(name, &set)]))
    };
    // Wherever it went, or whatever was switched in it.
    for (only, is_tripped) in [("", true), ("region=eu", false), ("region=us", false)] {
        let hidden = ConfigSet {
            clusters: selector(only),
            ..of_team("press", [1, 1, 1])
        };
        world.apply(&sets(&[("news", &hidden)]));
        if is_tripped {
            let mut trip = switches(None)[0].clone();
            if let Change::Breaker(change) = &mut trip.change {
                change.set = "news".parse().unwrap();
            }
            let ops = Caller::local("ops@laptop".to_owned());
            done(&world, &ops, &trip).unwrap();
            let mut reset = trip;
            if let Change::Breaker(change) = &mut reset.change {
                change.operation = BreakerOperation::Reset { clusters: None };
            }
            same_of(&world, asked, &["", "region=us"]);
            done(&world, &ops, &reset).unwrap();
        }
        same_of(&world, asked, &["", "region=us"]);
        // That somebody has the name is found out by whoever may make a set of it; nothing else is.
        for only in ["region=eu", "region=nowhere"] {
            assert_eq!(
                denied(&world, &asked("news", only)),
                ["set/news takes the role editor over this set"]
            );
        }
    }
}

#[track_caller]
fn same_of(world: &World, asked: impl Fn(&str, &str) -> Request, places: &[&str]) {
    for only in places {
        let (news, never) = (asked("news", only), asked("never", only));
        same(world, &ci(), [(&news, "news"), (&never, "never")]);
        assert_eq!(denied(world, &news).len(), 1);
    }
}

/// To declare a set of `pay` everywhere, which publishes keys below `prefix`.
fn publishing(name: &str, prefix: &str) -> Request {
    let mine = ConfigSet {
        publish: vec![keys(prefix)],
        ..of_team("pay", [1, 1, 1])
    };
    declare(sets(&[(name, &mine)]))
}

#[test]
fn a_plan_tells_nobody_which_keys_others_have() {
    let world = with(&[(Role::Viewer, "team=pay", "")]);
    let owned = ConfigSet {
        publish: vec![keys("secret")],
        ..of_team("press", [1, 1, 1])
    };
    world.apply(&sets(&[("news", &owned)]));
    for name in ["shop", "mine"] {
        let (taken, free) = (publishing(name, "secret"), publishing(name, "free"));
        same(&world, &ci(), [(&taken, "secret"), (&free, "free")]);
    }
}

#[test]
fn which_keys_others_have_is_told_only_to_whom_the_change_is_allowed() {
    let world = with(&[(Role::Editor, "team=pay", "region=eu")]);
    let owned = ConfigSet {
        clusters: selector("region=us"),
        publish: vec![keys("secret")],
        ..of_team("press", [1, 1, 1])
    };
    world.apply(&sets(&[("news", &owned)]));
    for name in ["shop", "mine"] {
        let (taken, free) = (publishing(name, "secret"), publishing(name, "free"));
        same(&world, &ci(), [(&taken, "secret"), (&free, "free")]);
        denied(&world, &taken);
    }
    // What he may make collides with what he may not read: he is told, and it is not done.
    let owned = ConfigSet {
        clusters: selector("region=eu"),
        ..owned
    };
    world.apply(&sets(&[("news", &owned)]));
    let mine = ConfigSet {
        clusters: selector("region=eu"),
        publish: vec![keys("secret")],
        ..of_team("pay", [1, 1, 1])
    };
    let asked = declare(sets(&[("mine", &mine)]));
    let before = world.heads();
    for asked in [&asked, &looking(asked.clone())] {
        let error = planned(&world, &ci(), asked).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Invalid, "{error:?}");
        let text = format!("{error:?}");
        assert!(
            text.contains("it collides with something that you may not read"),
            "{text}"
        );
        assert!(!text.contains("news"), "{text}");
    }
    let error = done(&world, &ci(), &asked).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Invalid, "{error:?}");
    assert_eq!(world.heads(), before);
}

#[test]
fn what_cannot_be_published_where_one_may_not_read_is_denied_like_anything_there() {
    let world = with(&[(Role::Editor, "team=pay", "region=eu")]);
    let asked = |layer: serde_json::Value| {
        let mut mine = of_team("pay", [1, 1, 1]);
        mine.publish = vec![Publish::Spring {
            context: key("config/shop"),
            format: SpringFormat::KeyValue,
            atomic: true,
        }];
        mine.values = map(json!({"a": 1, "b": 0, "list": []}));
        mine.layers[1].values = map(json!({"list": [layer]}));
        declare(shop(&mine))
    };
    // No key of Consul is like this one.
    let (broken, whole) = (asked(json!({"..": 1})), asked(json!({"c": 1})));
    assert_eq!(denied(&world, &broken), denied(&world, &whole));
}

/// Remembers whom it was asked to reach.
#[derive(Debug)]
struct Remembering {
    within: Arc<dyn Connect>,
    asked: Mutex<Vec<String>>,
}

impl Connect for Remembering {
    fn connect(
        &self,
        name: &ClusterName,
        cluster: &Cluster,
        timeout: Duration,
    ) -> Result<Arc<dyn Target>, TargetError> {
        if let Connection::Consul(consul) = &cluster.connection {
            let address = consul.address.clone().unwrap_or_default();
            self.asked.lock().unwrap().push(address);
        }
        self.within.connect(name, cluster, timeout)
    }
}

#[test]
fn nobody_is_asked_where_somebody_without_the_right_says_that_a_cluster_is() {
    for grants in [
        &[][..],
        &[(Role::Viewer, "", "")],
        &[(Role::Editor, "", ""), (Role::Admin, "", "region=eu")],
    ] {
        let world = with(grants);
        let connect = Arc::new(Remembering {
            within: world.connect(),
            asked: Mutex::default(),
        });
        let local = Local::new(world.store.clone(), connect.clone(), || {
            Timestamp::UNIX_EPOCH
        });
        let (by, nobody) = (ci(), Observer::nobody());
        for name in ["eu", "new"] {
            let mut desired = described(name, cluster("attacker", "eu"));
            desired
                .contents
                .extend(sets(&[("new", &of_team("pay", [1, 1, 1]))]).contents);
            let asked = declare(desired);
            for asked in [&asked, &looking(asked.clone())] {
                let plan = world.runtime.block_on(local.plan(&by, asked, &nobody));
                assert_eq!(plan.unwrap_err().kind, ErrorKind::Denied);
            }
            let done = local.carry_out(&by, &asked, &Approval::Unseen, &nobody);
            let error = world.runtime.block_on(done).unwrap_err();
            assert_eq!(error.kind, ErrorKind::Denied);
        }
        let asked = connect.asked.lock().unwrap();
        assert!(!asked.contains(&"attacker".to_owned()), "{asked:?}");
    }
}

#[test]
fn a_switch_tells_nobody_which_labels_clusters_have_that_he_may_not_read() {
    let viewer = with(&[(Role::Viewer, "team=pay", "region=eu")]);
    let operator = with(&[(Role::Operator, "team=pay", "region=eu")]);
    let no_cluster = |error: &Error| {
        let said = error.error.contains("matches no cluster that gets the set");
        assert!(said, "{error:?}");
    };
    for world in [&viewer, &operator] {
        let pairs = switches(Some("region=us")).into_iter();
        for (hidden, absent) in pairs.zip(switches(Some("region=zz"))) {
            same(
                world,
                &ci(),
                [(&hidden, "region=us"), (&absent, "region=zz")],
            );
            no_cluster(&planned(world, &ci(), &hidden).unwrap_err());
            no_cluster(&done(world, &ci(), &hidden).unwrap_err());
        }
    }
    // Whoever may not do it anyway sees what it does where he may read it.
    let pairs = switches(Some("region in (eu,us)")).into_iter();
    for (hidden, absent) in pairs.zip(switches(Some("region in (eu,zz)"))) {
        let effect = |asked: Request| {
            let shown = planned(&viewer, &ci(), &looking(asked)).unwrap();
            let Preview::Effect(effect) = shown.preview else {
                panic!("{:?}", shown.preview);
            };
            let clusters: Vec<_> = (effect.effects.iter())
                .flat_map(|it| it.clusters.clone())
                .collect();
            assert_eq!(clusters, ["eu".parse::<ClusterName>().unwrap()]);
            (shown.token, effect)
        };
        denied(&operator, &hidden);
        assert_eq!(effect(hidden), effect(absent));
    }
}

#[test]
fn which_clusters_are_tripped_together_is_told_only_of_those_that_may_be_read() {
    let world = with(&[(Role::Operator, "team=pay", "region=eu")]);
    let mut together = of_team("pay", [1, 1, 1]);
    for breaker in together.breakers.values_mut() {
        breaker.separately = selector("region=eu");
    }
    world.apply(&shop(&together));
    let [trip, _] = switches(Some("region in (eu,us)"));
    assert_eq!(
        denied(&world, &trip),
        [
            "set/shop in a cluster that you may not read takes the role operator over this set in this cluster"
        ]
    );
    world.apply(&granted("more", Role::Operator, "team=pay", "region=us"));
    let error = planned(&world, &ci(), &trip).unwrap_err();
    assert!(
        error.error.contains("it may not be tripped alone in us"),
        "{error:?}"
    );
}

/// What is heard while something is carried out.
fn heard(world: &World, by: &Caller, asked: &Request) -> Vec<Event> {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let ear = Arc::clone(&heard);
    let (_stop, stopped) = tokio::sync::watch::channel(false);
    let hear = move |event| ear.lock().unwrap().push(event);
    let observer = Observer::new(Arc::new(hear), stopped);
    let local = local(world);
    let done = local.carry_out(by, asked, &Approval::Unseen, &observer);
    world.runtime.block_on(done).unwrap();
    heard.lock().unwrap().drain(..).collect()
}

#[test]
fn progress_counts_nothing_in_clusters_that_may_not_be_read() {
    let world = with(&[(Role::Editor, "team=pay", "region=eu")]);
    let [_, flag] = switches(Some("region=eu"));
    let new = ConfigSet {
        clusters: selector("region=eu"),
        ..of_team("pay", [1, 1, 1])
    };
    let resume = request(Change::Reconcile(Reach::Named(
        ["shop".parse().unwrap()].into(),
    )));
    for (asked, surveyed) in [
        (declare(shop(&of_team("pay", [1, 2, 1]))), 1),
        (declare(sets(&[("new", &new)])), 1),
        (flag, 0),
        (resume, 1),
    ] {
        let heard = heard(&world, &ci(), &asked);
        let looked = heard.iter().filter(|it| **it == Event::Surveyed);
        assert_eq!(looked.count(), surveyed, "{heard:?}");
        for event in &heard {
            if let Event::Surveying { pairs } | Event::Delivering { pairs } = event {
                assert!(*pairs <= 1, "{heard:?}");
            }
        }
    }
}

#[test]
fn a_switch_says_which_head_it_is_made_from() {
    let world = with(&[(Role::Operator, "", "")]);
    let [_, flag] = switches(None);
    let shown = planned(&world, &ci(), &flag).unwrap();
    world.apply(&shop(&of_team("pay", [1, 2, 1])));
    let now = planned(&world, &ci(), &flag).unwrap();
    assert_eq!(
        shown.basis.moved(&now.basis),
        ["set/shop was at 1, now at 2"]
    );
    // Others changed nothing of what it does, so it is consented to all the same.
    assert_eq!(shown.token, now.token);
}
