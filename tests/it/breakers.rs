//! `cfgctl breaker` against real Consuls, also when much else goes wrong at the same time.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::proxy::{Fate, Gate};
use crate::support::switched::{Switched, manifest};
use crate::support::world::{Running, World, fleet};

const BREAKER: &str = "checkout/payment-provider";

fn trip(switched: &Switched, more: &[&str]) -> crate::support::cli::Ran {
    let arguments = ["breaker", "trip", BREAKER, "--yes", "-o", "json"];
    switched.world.user.run(&[&arguments, more].concat())
}

#[tokio::test]
async fn a_trip_is_in_every_consul_and_a_reset_takes_it_back() {
    let switched = Switched::new(4).await;
    let said = trip(&switched, &["--reason", "stripe 5xx"]).expect_code(0);
    assert_eq!(said.outcomes(), ["delivered"; 4]);
    assert_eq!(switched.keys(4, "payment/provider"), ["backup"; 4]);
    assert_eq!(switched.keys(4, "flags/express-pay"), ["false"; 4]);
    let flags = format!("{}/flags/checkout", switched.world.prefix);
    let (file, _) = switched.world.tree(0)[&flags].clone();
    let file: Value = serde_json::from_slice(&file).unwrap();
    assert_eq!(file["flags"]["express-pay"]["defaultVariant"], "off");

    let user = &switched.world.user;
    let shown = user.ok(&["breaker", "show", BREAKER]);
    for expected in [
        "Stripe is failing",
        "alertname=PaymentErrorRate",
        "open in c0, c1, c2, c3 since ",
        ": stripe 5xx",
        "~ payment.provider: \"stripe\" → \"backup\"",
    ] {
        assert!(shown.contains(expected), "{expected}: {shown}");
    }
    for command in [
        &["status"][..],
        &["drift"],
        &["get", "checkout"],
        &["diff", "-f", "clusters.yaml", "-f", "set.yaml"],
    ] {
        let told = user.ok(command);
        assert!(
            told.contains("held by breaker payment-provider since"),
            "{command:?}: {told}"
        );
        assert!(told.contains("\"stripe 5xx\""), "{command:?}: {told}");
    }
    let explained = user.ok(&["explain", "checkout", "payment.provider"]);
    let from = "from:    breaker payment-provider (set.yaml:";
    assert!(explained.contains(from), "{explained}");

    user.ok(&["breaker", "reset", BREAKER, "--yes"]);
    assert_eq!(switched.keys(4, "payment/provider"), ["stripe"; 4]);
    let history = user.ok(&["breaker", "history", BREAKER]);
    assert!(
        history.contains("breaker payment-provider reset"),
        "{history}"
    );
    assert_eq!(history.lines().count(), 3, "{history}");
    let list = switched.world.json(0, &["breaker", "list"]);
    assert_eq!(list["breakers"][0]["state"], "closed");
    assert_eq!(list["breakers"][0]["stateNumber"], 0);
}

#[tokio::test]
async fn a_cluster_that_is_away_holds_up_no_other_and_gets_it_later() {
    let switched = Switched::new(3).await;
    let mut addresses = switched.world.addresses();
    let away = std::mem::replace(&mut addresses[1], "http://127.0.0.1:1".to_owned());
    switched.world.reach_through(addresses.clone());
    switched.apply().expect_code(3);
    // Whatever is wrong with the files, nobody reads them.
    switched.declare_as("not: [a manifest");
    let said = trip(&switched, &[]).expect_code(3);
    assert_eq!(said.outcomes(), ["delivered", "unreachable", "delivered"]);
    assert!(said.stderr.contains("apply --resume"), "{}", said.stderr);
    assert_eq!(
        switched.keys(3, "payment/provider"),
        ["backup", "stripe", "backup"]
    );
    // It comes back under its old address.
    addresses[1] = away;
    switched.world.reach_through(addresses);
    switched.declare("stripe");
    switched.apply().expect_code(0);
    assert_eq!(switched.keys(3, "payment/provider"), ["backup"; 3]);
}

#[tokio::test]
async fn people_who_trip_and_reset_at_once_all_succeed_one_after_the_other() {
    const EACH: usize = 4;
    let switched = Switched::new(2).await;
    let user = &switched.world.user;
    let trip = ["breaker", "trip", BREAKER, "--yes", "-o", "json"];
    let slow = ["breaker", "trip", "checkout/slow", "--yes", "-o", "json"];
    let flag = [
        "flag",
        "off",
        "checkout/express-pay",
        "--yes",
        "--reason",
        "test",
        "-o",
        "json",
    ];
    let commands: [&[&str]; 3] = [&trip, &slow, &flag];
    for _ in 0..EACH {
        let racing: Vec<_> = (commands.iter())
            .chain(&commands)
            .map(|command| Running::new(user.spawn(command)))
            .collect();
        for ran in racing {
            let ran = ran.end();
            assert_eq!(ran.code, Some(0), "{ran:?}");
        }
        assert_eq!(switched.keys(2, "flags/express-pay"), ["false"; 2]);
        assert_eq!(switched.keys(2, "payment/timeoutMs"), ["9000"; 2]);
        let resets = [
            vec!["breaker", "reset", BREAKER, "--yes", "-o", "json"],
            vec!["breaker", "reset", "checkout/slow", "--yes", "-o", "json"],
            vec![
                "flag",
                "unset",
                "checkout/express-pay",
                "--yes",
                "-m",
                "x",
                "-o",
                "json",
            ],
        ];
        let racing = resets.map(|command| Running::new(user.spawn(&command)));
        for ran in racing {
            let ran = ran.end();
            assert_eq!(ran.code, Some(0), "{ran:?}");
        }
        assert_eq!(switched.keys(2, "payment/provider"), ["stripe"; 2]);
        assert_eq!(switched.keys(2, "flags/express-pay"), ["true"; 2]);
    }
    // What was done already made no revision, but for a trip that lies on top of another again.
    let causes = switched.causes();
    let count = |wanted: fn(&Value) -> bool| causes.iter().filter(|it| wanted(it)).count();
    assert_eq!(count(|it| it["flag"].is_object()), EACH * 2);
    assert_eq!(count(|it| it["breaker"]["operation"] == "reset"), EACH * 2);
    let trips = count(|it| it["breaker"]["operation"] == "trip");
    assert!((EACH * 2..=EACH * 4).contains(&trips), "{causes:?}");
    assert_eq!(causes.len(), 1 + EACH * 4 + trips);
    let status = switched.world.json(0, &["status"]);
    assert_eq!(status["inSync"], true, "{status:#}");
}

#[tokio::test]
async fn a_trip_in_the_middle_of_a_rollout_is_no_conflict() {
    const APPLIES: usize = 8;
    let switched = Switched::new(3).await;
    let rollout = std::thread::scope(|scope| {
        let applies = scope.spawn(|| {
            let apply = |n| {
                switched.declare(&format!("p{n}"));
                switched.apply().code
            };
            (0..APPLIES).map(apply).collect::<Vec<_>>()
        });
        let mut trips = 0;
        while !applies.is_finished() {
            trip(&switched, &[]).expect_code(0);
            trips += 1;
            switched
                .world
                .user
                .ok(&["breaker", "reset", BREAKER, "--yes"]);
        }
        assert!(trips > 0);
        applies.join().unwrap()
    });
    // Who applies is told of a conflict, and looks again.
    assert!(
        rollout
            .iter()
            .all(|code| [0, 3, 4].map(Some).contains(code)),
        "{rollout:?}"
    );
    trip(&switched, &[]).expect_code(0);
    switched.world.user.ok(&["apply", "--resume", "--yes"]);
    assert_eq!(switched.keys(3, "payment/provider"), ["backup"; 3]);
}

#[tokio::test]
async fn what_is_over_expires_once_whoever_comes_first() {
    let switched = Switched::new(2).await;
    trip(&switched, &["--for", "4s"]).expect_code(0);
    assert_eq!(switched.keys(2, "payment/provider"), ["backup"; 2]);
    // Consul tells the time to the second, and the earlier clock counts.
    std::thread::sleep(Duration::from_millis(5600));
    let user = &switched.world.user;
    let sweep = ["apply", "--resume", "--yes", "-o", "json"];
    let racing: Vec<_> = (0..6).map(|_| Running::new(user.spawn(&sweep))).collect();
    for ran in racing {
        let ran = ran.end();
        assert!([Some(0), Some(3), Some(4)].contains(&ran.code), "{ran:?}");
    }
    user.ok(&["apply", "--resume", "--yes"]);
    let expiries = switched
        .causes()
        .into_iter()
        .filter(|it| *it == json!("expiry"));
    assert_eq!(expiries.count(), 1);
    assert_eq!(switched.keys(2, "payment/provider"), ["stripe"; 2]);
}

/// The answers of a Consul whose clock is wrong by so many hours.
fn shifted(hours: i64) -> impl Fn(Vec<u8>) -> Vec<u8> {
    move |answer| {
        let end = answer.windows(4).position(|it| it == b"\r\n\r\n").unwrap();
        let head = std::str::from_utf8(&answer[..end]).unwrap();
        let line = head
            .lines()
            .find(|line| line.starts_with("Date: "))
            .unwrap();
        let date = line.trim_start_matches("Date: ");
        let date = jiff::fmt::rfc2822::parse(date).unwrap().timestamp();
        let date = date + jiff::SignedDuration::from_hours(hours);
        let date = date.strftime("Date: %a, %d %b %Y %H:%M:%S GMT").to_string();
        [head.replace(line, &date).as_bytes(), &answer[end..]].concat()
    }
}

#[tokio::test]
async fn clocks_that_are_an_hour_apart_close_no_breaker_early() {
    for hours in [-1, 1] {
        let switched = Switched::in_world(World::shared(1).await);
        let proxies = switched.world.behind_proxies();
        proxies[0].rule(move |_| Fate::Rewrite(Box::new(shifted(hours))));
        switched.apply().expect_code(0);
        let said = trip(&switched, &["--for", "1s"]).expect_code(0);
        assert!(said.stderr.contains("clocks"), "{}", said.stderr);
        std::thread::sleep(Duration::from_millis(2600));
        switched.world.user.ok(&["apply", "--resume", "--yes"]);
        assert_eq!(switched.key(0, "payment/provider").unwrap(), "backup");
    }
}

/// The clusters that could tell the time are away, and this machine alone is not believed.
#[tokio::test]
async fn a_clock_that_nobody_confirms_closes_no_breaker() {
    let switched = Switched::in_world(World::shared(1).await);
    switched.apply().expect_code(0);
    trip(&switched, &["--for", "1s"]).expect_code(0);
    switched.world.user.write(
        "other.yaml",
        "apiVersion: cfgctl.dev/v1\nkind: ConfigSet\nmetadata: {name: other}\n\
         spec: {values: {a: 1}, clusters: nowhere}\n",
    );
    let addresses = switched.world.addresses();
    switched
        .world
        .reach_through(["http://127.0.0.1:1".to_owned()]);
    switched.apply().expect_code(3);
    std::thread::sleep(Duration::from_millis(2600));
    switched
        .world
        .user
        .ok(&["apply", "-f", "other.yaml", "--yes"]);
    assert!(!switched.causes().contains(&json!("expiry")));
    switched.world.reach_through(addresses);
    switched.apply().expect_code(0);
    assert_eq!(switched.key(0, "payment/provider").unwrap(), "stripe");
    assert!(switched.causes().contains(&json!("expiry")));
}

#[tokio::test]
async fn an_open_breaker_that_is_tripped_again_lies_on_top_and_an_expired_one_begins_anew() {
    let switched = Switched::new(1).await;
    let provider = || switched.key(0, "payment/provider").unwrap();
    let slow = ["breaker", "trip", "checkout/slow", "--yes"];
    trip(&switched, &[]).expect_code(0);
    switched.world.user.ok(&slow);
    assert_eq!(provider(), "slow");
    let said = trip(&switched, &[]).expect_code(0);
    assert!(said.stderr.contains("lies on top"), "{}", said.stderr);
    assert_eq!(provider(), "backup");
    switched
        .world
        .user
        .ok(&["breaker", "reset", BREAKER, "--yes"]);

    trip(&switched, &["--for", "1s", "-m", "old"]).expect_code(0);
    std::thread::sleep(Duration::from_millis(2600));
    trip(&switched, &["-m", "new"]).expect_code(0);
    let list = switched.world.user.ok(&["breaker", "list"]);
    assert!(list.contains("new") && !list.contains("old"), "{list}");
    let expiries = switched
        .causes()
        .into_iter()
        .filter(|it| *it == json!("expiry"));
    assert_eq!(expiries.count(), 1);
}

#[tokio::test]
async fn an_override_is_not_lost_because_a_label_changes() {
    let switched = Switched::new(1).await;
    trip(&switched, &["-l", "number=c0"]).expect_code(0);
    let text = std::fs::read_to_string(switched.world.user.directory().join("clusters.yaml"));
    let text = text.unwrap().replace("number: c0", "number: other");
    switched.world.user.write("clusters.yaml", &text);
    let ran = switched.apply();
    assert_eq!(ran.code, Some(5), "{}", ran.stderr);
    assert!(
        ran.stderr
            .contains("--drop-overrides checkout/payment-provider"),
        "{}",
        ran.stderr
    );
    assert_eq!(switched.key(0, "payment/provider").unwrap(), "backup");
}

#[tokio::test]
async fn one_wrong_clock_of_three_changes_nothing() {
    let switched = Switched::in_world(World::shared(2).await);
    let proxies = switched.world.behind_proxies();
    proxies[0].rule(move |_| Fate::Rewrite(Box::new(shifted(1))));
    switched.apply().expect_code(0);
    trip(&switched, &["--for", "1s"]).expect_code(0);
    std::thread::sleep(Duration::from_millis(2600));
    switched.world.user.ok(&["apply", "--resume", "--yes"]);
    assert_eq!(switched.keys(2, "payment/provider"), ["stripe"; 2]);
}

/// What the first apply says of itself where the clock is ten years ahead.
async fn applied_ten_years_ahead(switched: &Switched) {
    let location = switched.world.store().into_os_string().into_string();
    let store = cfgctl::store::open(&location.unwrap(), cfgctl::store::Missing::Refuse)
        .await
        .unwrap();
    let mut commit = cfgctl::model::Commit::default();
    for (id, mut head) in store.heads(&cfgctl::store::Which::All).await.unwrap().heads {
        commit.expected.insert(id.clone(), Some(head.version));
        head.version = head.version.next();
        head.origin.at += jiff::SignedDuration::from_hours(10 * 365 * 24);
        commit.revisions.insert(id, head);
    }
    store.commit(&commit).await.unwrap();
}

/// How long it lasts, by what is stored about it.
#[expect(
    clippy::disallowed_methods,
    reason = "what is stored is compared with the clock"
)]
fn lasting(switched: &Switched) -> jiff::SignedDuration {
    let list = switched.world.json(0, &["breaker", "list", "checkout"]);
    let of = |view: &&Value| view["breaker"] == "payment-provider";
    let views = list["breakers"].as_array().unwrap();
    let until = views.iter().find(of).unwrap()["until"].as_str().unwrap();
    let until: jiff::Timestamp = until.parse().unwrap();
    until.duration_since(jiff::Timestamp::now())
}

#[tokio::test]
async fn a_time_that_is_stored_sets_no_limit_and_stretches_none() {
    let switched = Switched::new(2).await;
    applied_ten_years_ahead(&switched).await;
    for provider in ["a", "b"] {
        switched.declare(provider);
        switched.apply().expect_code(0);
    }
    let said = trip(&switched, &["--for", "1m"]).expect_code(0);
    assert!(
        lasting(&switched) <= jiff::SignedDuration::from_mins(1),
        "{}",
        said.stderr
    );
    assert!(said.stderr.contains("\nuntil 20"), "{}", said.stderr);
    assert!(said.json()["until"].is_string());
    let user = &switched.world.user;
    let get = user.ok(&["get"]);
    assert!(get.contains("3650 d ahead"), "as history: {get}");
}

/// It is told which clock is wrong and by how much; and what it set is counted anew once it is right.
#[tokio::test]
async fn what_a_fast_clock_set_ends_in_time_once_that_clock_is_right() {
    let switched = Switched::in_world(World::shared(1).await);
    let proxies = switched.world.behind_proxies();
    proxies[0].rule(move |_| Fate::Rewrite(Box::new(shifted(240))));
    switched.apply().expect_code(0);
    let said = trip(&switched, &["--for", "1m"]).expect_code(0);
    let told = "the clock of c0 is 10 d ahead of this machine's; nobody can tell";
    assert!(said.stderr.contains(told), "{}", said.stderr);
    let list = switched.world.user.ok(&["breaker", "list"]);
    assert!(list.contains("d ahead"), "{list}");
    assert!(lasting(&switched) > jiff::SignedDuration::from_hours(230));

    proxies[0].rule(|_| Fate::Forward);
    let resumed = switched
        .world
        .user
        .run(&["apply", "--resume", "--yes"])
        .expect_code(0);
    let told = "counted anew: breaker `payment-provider` of checkout lasts until";
    assert!(resumed.stderr.contains(told), "{}", resumed.stderr);
    assert!(lasting(&switched) <= jiff::SignedDuration::from_mins(1));
    assert_eq!(switched.key(0, "payment/provider").unwrap(), "backup");
}

/// This machine may be slow, and nobody was there to say so.
#[tokio::test]
async fn a_limit_that_nobody_confirmed_is_counted_from_when_somebody_does() {
    let switched = Switched::in_world(World::shared(1).await);
    let addresses = switched.world.addresses();
    switched
        .world
        .reach_through(["http://127.0.0.1:1".to_owned()]);
    switched.apply().expect_code(3);
    let said = trip(&switched, &["--for", "1s"]).expect_code(3);
    assert!(
        said.stderr.contains("no cluster says what time it is"),
        "{}",
        said.stderr
    );
    std::thread::sleep(Duration::from_millis(1100));
    switched.world.reach_through(addresses);
    let said = switched.apply().expect_code(0);
    assert!(said.stderr.contains("counted anew"), "{}", said.stderr);
    assert_eq!(switched.key(0, "payment/provider").unwrap(), "backup");
    std::thread::sleep(Duration::from_millis(2600));
    switched.world.user.ok(&["apply", "--resume", "--yes"]);
    assert_eq!(switched.key(0, "payment/provider").unwrap(), "stripe");
}

#[tokio::test]
async fn one_wrong_clock_of_several_is_told_by_every_command_that_asks_clusters() {
    let switched = Switched::in_world(World::shared(2).await);
    let proxies = switched.world.behind_proxies();
    proxies[0].rule(move |_| Fate::Rewrite(Box::new(shifted(-3))));
    for command in [
        &["apply", "-f", "clusters.yaml", "-f", "set.yaml", "--yes"][..],
        &["status"],
        &["drift"],
        &["cluster", "check"],
        &["breaker", "trip", BREAKER, "--yes"],
    ] {
        let ran = switched.world.user.run(command).expect_code(0);
        let told = "note: the clock of c0 is 3 h behind the others";
        assert!(ran.stderr.contains(told), "{command:?} {}", ran.stderr);
    }
}

#[tokio::test]
async fn a_key_that_an_open_breaker_touches_can_go_with_what_it_says_about_it() {
    let switched = Switched::new(2).await;
    trip(&switched, &[]).expect_code(0);
    let text = manifest(&switched.world.prefix, "stripe");
    switched.declare_as(
        &text
            .replace("provider: stripe, ", "")
            .replace("values: {payment: {provider: backup}}", "values: {}")
            .replace(", provider: slow", ""),
    );
    let mut files = vec!["apply", "-f", "clusters.yaml", "-f", "set.yaml", "--yes"];
    files.push("--allow-deletes");
    switched.world.user.ok(&files);
    assert_eq!(switched.key(0, "payment/provider"), None);
    assert_eq!(
        switched.keys(2, "flags/express-pay"),
        ["false"; 2],
        "still open"
    );
    // A key that it still touches cannot go: that is a mistake in the file.
    switched.declare_as(&text.replace("provider: stripe, ", ""));
    let ran = switched.apply();
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("breaker-unknown-key"), "{}", ran.stderr);
}

#[tokio::test]
async fn a_breaker_is_not_removed_while_it_is_open_unless_it_is_named() {
    let switched = Switched::new(1).await;
    trip(&switched, &[]).expect_code(0);
    let text = manifest(&switched.world.prefix, "stripe");
    let start = text.find("    payment-provider:").unwrap();
    let end = text.find("    slow:").unwrap();
    switched.declare_as(&(text[..start].to_owned() + &text[end..]));
    let ran = switched.apply();
    assert_eq!(ran.code, Some(5), "{}", ran.stderr);
    let hint = "--drop-overrides checkout/payment-provider";
    assert!(ran.stderr.contains(hint), "{}", ran.stderr);
    assert_eq!(switched.key(0, "payment/provider").unwrap(), "backup");
    let user = &switched.world.user;
    user.ok(&[
        "apply",
        "-f",
        "set.yaml",
        "--yes",
        "--drop-overrides",
        "checkout/payment-provider",
    ]);
    assert_eq!(switched.key(0, "payment/provider").unwrap(), "stripe");
    let revisions = switched.world.json(0, &["history", "checkout"]);
    assert_eq!(
        revisions["revisions"][0]["origin"]["consents"],
        json!(["drop-overrides"])
    );
}

#[tokio::test]
async fn some_clusters_are_tripped_alone_where_the_breaker_allows_it() {
    let switched = Switched::new(2).await;
    let user = &switched.world.user;
    let slow = ["breaker", "trip", "checkout/slow", "--yes"];
    let only = |label: &str| user.run(&[&slow[..], &["--clusters", label]].concat());
    let ran = only("number=c1");
    assert_eq!(ran.code, Some(2));
    assert!(
        ran.stderr.contains("may not be tripped alone in c1"),
        "{}",
        ran.stderr
    );
    let ran = only("number=c9");
    assert!(ran.stderr.contains("matches no cluster"), "{}", ran.stderr);
    assert_eq!(only("number=c0").code, Some(0));
    assert_eq!(switched.keys(2, "payment/timeoutMs"), ["9000", "1500"]);
    let ran = user.run(&[
        "breaker",
        "reset",
        "checkout/slow",
        "--yes",
        "-l",
        "number=c1",
    ]);
    assert!(ran.stderr.contains("but for `number=c0`"), "{}", ran.stderr);
    user.ok(&["breaker", "reset", "checkout/slow", "--yes"]);
    assert_eq!(switched.keys(2, "payment/timeoutMs"), ["1500"; 2]);
}

#[tokio::test]
async fn a_held_breaker_stays_and_a_disabled_one_ignores_trips() {
    let switched = Switched::new(1).await;
    let user = &switched.world.user;
    let provider = || switched.key(0, "payment/provider").unwrap();
    trip(&switched, &["--for", "1s"]).expect_code(0);
    user.ok(&["breaker", "hold", BREAKER, "--yes", "-m", "not yet"]);
    std::thread::sleep(Duration::from_millis(2600));
    user.ok(&["apply", "--resume", "--yes"]);
    assert_eq!(provider(), "backup");
    let list = user.ok(&["breaker", "list"]);
    assert!(list.contains("forced-open"), "{list}");

    user.ok(&["breaker", "disable", BREAKER, "--yes", "-m", "false alarms"]);
    assert_eq!(provider(), "stripe");
    let said = trip(&switched, &[]).expect_code(0);
    assert!(said.stderr.contains("is disabled"), "{}", said.stderr);
    assert_eq!(provider(), "stripe");
    let history = user.ok(&["breaker", "history", BREAKER]);
    assert_eq!(
        history.lines().count(),
        5,
        "the ignored trip too: {history}"
    );
    user.ok(&["breaker", "enable", BREAKER, "--yes"]);
    trip(&switched, &[]).expect_code(0);
    assert_eq!(provider(), "backup");
}

#[tokio::test]
async fn whoever_gives_wrong_names_or_no_consent_changes_nothing_and_is_told() {
    let switched = Switched::new(1).await;
    let user = &switched.world.user;
    for (arguments, code, told) in [
        (
            &["trip", "checkout/payment-provder", "--yes"][..],
            2,
            "did you mean `checkout/payment-provider`?",
        ),
        (
            &["trip", "chekout/slow", "--yes"],
            2,
            "did you mean `checkout`?",
        ),
        (&["trip", "slow", "--yes"], 2, "`SET/slow`"),
        (&["trip", BREAKER], 2, "--yes"),
        (
            &["trip", BREAKER, "--yes", "--for", "0s"],
            2,
            "a duration is",
        ),
        (
            &["trip", BREAKER, "--yes", "--until", "2001-01-01T00:00:00Z"],
            2,
            "is over already",
        ),
        (
            &["show", "checkout/none"],
            2,
            "`cfgctl breaker list checkout`",
        ),
    ] {
        let ran = user.run(&[&["breaker"], arguments].concat());
        assert_eq!(ran.code, Some(code), "{arguments:?} {}", ran.stderr);
        assert!(ran.stderr.contains(told), "{arguments:?} {}", ran.stderr);
    }
    let dry = user.ok(&["breaker", "trip", BREAKER, "--dry-run"]);
    assert!(dry.contains("payment.provider"), "{dry}");
    assert_eq!(switched.causes().len(), 1);
    let again = user.ok(&["breaker", "reset", BREAKER, "--yes"]);
    assert!(again.contains("unchanged"), "{again}");
    assert_eq!(switched.causes().len(), 1, "nothing was open");
}

/// The Consuls stay for the other tests.
#[tokio::test]
async fn a_stopped_consul_is_given_up_on_before_a_person_loses_patience() {
    let fleet = fleet().await;
    let stopped = crate::support::consul::Consul::start().await;
    let switched = Switched::in_world(World::of(fleet.iter().take(1).chain([&stopped])));
    switched.apply().expect_code(0);
    stopped.pause();
    let said = trip(&switched, &["--timeout", "1s"]).expect_code(3);
    assert_eq!(said.outcomes()[0], "delivered");
    assert_eq!(switched.key(0, "payment/provider").unwrap(), "backup");
    stopped.resume();
    switched.world.user.ok(&["apply", "--resume", "--yes"]);
    assert_eq!(switched.key(1, "payment/provider").unwrap(), "backup");
}

/// One cluster takes every request and answers none. The others, and the commit, do not wait for it.
#[tokio::test]
async fn a_cluster_that_never_answers_delays_no_other_and_no_commit() {
    let switched = Switched::in_world(World::shared(3).await);
    let proxies = switched.world.behind_proxies();
    switched.apply().expect_code(0);
    let gate = Gate::default();
    let inside = gate.clone();
    proxies[0].rule(move |_| {
        inside.pass();
        Fate::Cut
    });
    let trip = ["breaker", "trip", BREAKER, "--yes", "--timeout", "20s"];
    let mut running = Running::new(switched.world.user.spawn(&trip));
    gate.until_arrived(1);
    while [1, 2].map(|n| switched.key(n, "payment/provider"))
        != ["backup"; 2].map(|it| Some(it.to_owned()))
    {
        assert!(running.is_running(), "it ended before it was delivered");
        std::thread::sleep(Duration::from_millis(5));
    }
    // Everything is done but for the silent one, for which the command still waits.
    assert!(
        running.is_running(),
        "it gave up on a cluster after less than its timeout"
    );
    assert_eq!(switched.causes().len(), 2);
    gate.open();
    let ran = running.end().expect_code(3);
    assert!(ran.stdout.contains("c0"), "{}", ran.stdout);
    assert_eq!(
        switched.key(0, "payment/provider").as_deref(),
        Some("stripe")
    );

    proxies[0].forward();
    switched.world.user.ok(&["apply", "--resume", "--yes"]);
    assert_eq!(switched.keys(3, "payment/provider"), ["backup"; 3]);
}
