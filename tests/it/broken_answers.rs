//! Law 3, Old is fine, broken is not: no answer that makes no sense makes us write or delete.

use crate::support::proxy::{Fate, Proxy, Request, answer};
use crate::support::world::{World, fleet};

type Broken = fn() -> Fate;

/// What proxies, load balancers and sick servers say in place of a Consul.
const BROKEN: &[(&str, Broken)] = &[
    ("404 of a web server", || {
        answer("404 Not Found", "", "no such page")
    }),
    ("404, empty", || answer("404 Not Found", "", "")),
    ("200 with HTML", || {
        answer(
            "200 OK",
            "Content-Type: text/html\r\n",
            "<html>Log in</html>",
        )
    }),
    ("200, empty", || answer("200 OK", "", "")),
    ("200, an empty list", || {
        answer("200 OK", "X-Consul-Index: 7\r\n", "[]")
    }),
    ("200, null", || {
        answer("200 OK", "X-Consul-Index: 7\r\n", "null")
    }),
    ("200, cut off", || {
        answer("200 OK", "X-Consul-Index: 7\r\n", "[{\"Key\": \"cfgctl/che")
    }),
    ("200, no transaction", || {
        answer("200 OK", "X-Consul-Index: 7\r\n", "{\"Results\": null}")
    }),
    ("409, nothing", || answer("409 Conflict", "", "{}")),
    ("500", || {
        answer("500 Internal Server Error", "", "rpc error")
    }),
    ("503", || answer("503 Service Unavailable", "", "")),
    ("429", || answer("429 Too Many Requests", "", "")),
    ("403", || answer("403 Forbidden", "", "Permission denied")),
    ("401", || answer("401 Unauthorized", "", "who are you?")),
    ("301", || {
        answer("301 Moved Permanently", "Location: /ui/\r\n", "")
    }),
    ("no HTTP", || {
        Fate::Answer("SSH-2.0-OpenSSH_9.2\r\n".to_owned())
    }),
    ("cut", || Fate::Cut),
];

/// Who is asked gets a broken answer; everything else goes through.
fn break_at(proxy: &Proxy, what: fn(&Request) -> bool, broken: Broken) {
    proxy.rule(move |request| {
        if what(request) {
            broken()
        } else {
            Fate::Forward
        }
    });
}

/// The old cluster stays as it is, the other gets its due, and nothing is written on a guess.
async fn nothing_is_touched(what: fn(&Request) -> bool) {
    let world = World::shared(2).await;
    let proxies = world.behind_proxies();
    world.apply(1).expect_code(0);
    let before = world.tree(0);
    let mut version = 1;
    for (name, broken) in BROKEN {
        break_at(&proxies[0], what, *broken);
        let sent = proxies[0].requests().len();
        version += 1;
        if ["401", "403"].contains(name) {
            // Whoever may not is told so before anything is committed.
            _ = world.apply(version).expect_code(6);
            assert_eq!(world.tree(0), before, "{name}");
            continue;
        }
        let said = world.apply(version).expect_code(3);
        let outcomes = said.outcomes();
        assert!(
            ["unreachable", "failed"].contains(&outcomes[0].as_str()),
            "{name}: {outcomes:?}"
        );
        assert_eq!(outcomes[1], "delivered", "{name}");
        assert_eq!(world.tree(0), before, "{name}");
        let written = proxies[0].requests()[sent..].iter().any(Request::is_write);
        assert!(!written, "{name}");
    }
    // Neither does a deletion, which is finished when the Consul is well again.
    for (name, broken) in BROKEN.iter().step_by(5) {
        proxies[0].forward();
        world.apply(1).expect_code(0);
        let before = world.tree(0);
        break_at(&proxies[0], what, *broken);
        let sent = proxies[0].requests().len();
        let delete = ["delete", "checkout", "--yes"];
        world.user.run(&delete).expect_code(3);
        assert_eq!(world.tree(0), before, "{name}");
        assert!(world.tree(1).is_empty(), "{name}");
        let written = proxies[0].requests()[sent..].iter().any(Request::is_write);
        assert!(!written, "{name}");
    }
    proxies[0].forward();
    world.user.ok(&["apply", "--resume", "--yes"]);
    assert_eq!(world.all_held(), [None; 2]);
}

#[tokio::test]
async fn a_consul_whose_answers_are_all_broken_is_left_as_it_is() {
    nothing_is_touched(|_| true).await;
}

#[tokio::test]
async fn a_consul_that_cannot_be_read_is_left_as_it_is() {
    nothing_is_touched(|request| request.path.starts_with("/v1/txn?")).await;
}

#[tokio::test]
async fn a_write_with_a_broken_answer_is_not_taken_for_done() {
    let world = World::shared(2).await;
    let proxies = world.behind_proxies();
    world.apply(1).expect_code(0);
    let before = world.tree(0);
    for (version, (name, broken)) in (2..).zip(BROKEN) {
        break_at(&proxies[0], Request::is_write, *broken);
        let said = world.apply(version).expect_code(3);
        let outcomes = said.outcomes();
        assert!(
            ["unknown", "denied", "failed"].contains(&outcomes[0].as_str()),
            "{name}: {outcomes:?}"
        );
        assert_eq!(outcomes[1], "delivered", "{name}");
        assert_eq!(world.tree(0), before, "{name}");
    }
    proxies[0].forward();
    world.user.ok(&["apply", "--resume", "--yes"]);
    assert_eq!(world.held(0), world.held(1));
}

/// The worst answer is one that is well-formed and wrong: the fence of the write is the last word.
#[tokio::test]
async fn a_consul_that_claims_to_be_empty_is_not_overwritten() {
    let world = World::shared(2).await;
    let proxies = world.behind_proxies();
    world.apply(1).expect_code(0);
    let before = world.tree(0);
    proxies[0].rule(|request| {
        let body = String::from_utf8_lossy(&request.body);
        if request.is_write() || !body.contains("get-tree") {
            Fate::Forward
        } else {
            answer("200 OK", "", "{\"Results\": [], \"Errors\": null}")
        }
    });
    for n in [1, 2] {
        let said = world.apply(n).expect_code(3);
        assert_eq!(said.outcomes()[0], "conflict");
        assert_eq!(world.tree(0), before);
    }
    proxies[0].forward();
    world.apply(2).expect_code(0);
    assert_eq!(world.all_held(), [Some((2, 2)); 2]);
}

#[tokio::test]
async fn what_lies_at_the_snapshot_key_and_cannot_be_read_stays_there() {
    let world = World::shared(2).await;
    world.apply(1).expect_code(0);
    let consul = &fleet().await[0];
    let key = world.snapshot_key();
    let good = String::from_utf8(consul.kv_get(&key).await.unwrap()).unwrap();
    for garbage in [
        String::new(),
        "garbage".to_owned(),
        "null".to_owned(),
        "{}".to_owned(),
        good[..good.len() / 2].to_owned(),
        // Another set's, another cluster's, and one of a cfgctl to come.
        good.replace("\"set\":\"checkout\"", "\"set\":\"payment\""),
        good.replace("\"cluster\":\"c0\"", "\"cluster\":\"c1\""),
        good.replace("cfgctl.dev/v1", "cfgctl.dev/v9"),
    ] {
        consul.kv_put(&key, garbage.clone()).await;
        let before = [world.tree(0), world.tree(1)];
        let said = world.apply(2).expect_code(5);
        assert!(said.stderr.contains("--adopt"), "{}", said.stderr);
        assert_eq!([world.tree(0), world.tree(1)], before, "{garbage}");
        assert_eq!(world.history().await, [(1, 1)], "{garbage}");
        // It is told, and a deletion does not take it either.
        let status = world.json(0, &["status"]);
        assert_eq!(status["inSync"], false, "{status}");
    }
    world.apply_with(2, &["--adopt"]).expect_code(0);
    let generations = world.all_held().into_iter().map(|held| held.unwrap().1);
    assert_eq!(generations.collect::<Vec<_>>(), [2, 2]);
}
