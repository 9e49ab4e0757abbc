//! Changes through a server: whoever dies, goes away or wants to stop, nothing is half-done.

use std::io::Write as _;

use rustix::process::{Signal, kill_process};
use serde_json::json;

use crate::support::proxy::{Fate, Gate, Proxy, Request};
use crate::support::server::{Server, answer};
use crate::support::world::World;

/// Writes wait at a gate.
fn hold(proxies: &[Proxy]) -> Gate {
    let gate = Gate::default();
    for proxy in proxies {
        let gate = gate.clone();
        proxy.rule(move |request: &Request| {
            if request.is_write() {
                gate.pass();
            }
            Fate::Forward
        });
    }
    gate
}

/// Generation 1 is delivered, and writes of the next one wait.
async fn served(clusters: usize) -> (World, Vec<Proxy>, Server, Gate) {
    let mut world = World::shared(clusters).await;
    let proxies = world.behind_proxies();
    world.apply(1).expect_code(0);
    let server = Server::start(&world.user, &[]);
    server.lead(&mut world.user);
    let gate = hold(&proxies);
    (world, proxies, server, gate)
}

#[tokio::test]
async fn a_server_that_is_killed_leaves_nothing_that_the_next_pass_does_not_finish() {
    let (mut world, proxies, server, gate) = served(2).await;
    let running = world.spawn_apply(2, &[]);
    gate.until_arrived(2);
    server.signal(Signal::KILL);
    let said = running.end().expect_code(7);
    assert!(
        said.stderr.contains("it is not known whether it was done"),
        "{}",
        said.stderr
    );
    assert_eq!(server.end().0, None);
    gate.open();
    for proxy in &proxies {
        proxy.until_idle();
        proxy.forward();
    }
    // Each holds one of the two, whole.
    let held = world.all_held();
    assert!(
        held.iter()
            .all(|it| [Some((1, 1)), Some((2, 2))].contains(it)),
        "{held:?}"
    );

    world.user.set("CFGCTL_STORE", "store.db");
    let server = Server::start(&world.user, &[]);
    server.lead(&mut world.user);
    world.user.ok(&["apply", "--resume", "--yes"]);
    assert_eq!(world.all_held(), [Some((2, 2)); 2]);
    assert_eq!(world.history().await, [(1, 1), (2, 2)]);
}

#[tokio::test]
async fn a_client_that_goes_away_after_the_commit_cancels_nothing() {
    let (world, _proxies, server, gate) = served(2).await;
    let running = world.spawn_apply(2, &["--parallelism", "1"]);
    gate.until_arrived(1);
    kill_process(running.pid(), Signal::KILL).unwrap();
    assert_eq!(running.end().code, None);
    gate.open();
    // It waits for what goes on, and stops nothing that is begun.
    while world.all_held() != [Some((2, 2)); 2] {
        tokio::task::yield_now().await;
    }
    server.signal(Signal::TERM);
    let (code, said) = server.end();
    assert_eq!(code, Some(0));
    assert!(
        said.contains("committed=\"set/checkout@2\" sequence=2 complete=true"),
        "{said}"
    );
    assert_eq!(world.history().await, [(1, 1), (2, 2)]);
}

#[tokio::test]
async fn ctrl_c_at_the_client_means_what_it_means_beside_the_store() {
    let (world, _proxies, server, gate) = served(3).await;
    let mut running = world.spawn_apply(2, &["--parallelism", "1"]);
    gate.until_arrived(1);
    kill_process(running.pid(), Signal::INT).unwrap();
    running.until_said("stopping: what is begun is finished");
    // The server hears of it before the gate is open: it is asked on another connection.
    server.until_said("stopping: nothing new is begun");
    gate.open();
    let said = running.end().expect_code(130);
    let mut outcomes = said.outcomes();
    outcomes.sort();
    assert_eq!(outcomes, ["delivered", "interrupted", "interrupted"]);
    world.user.ok(&["apply", "--resume", "--yes"]);
    assert_eq!(world.all_held(), [Some((2, 2)); 3]);
    assert_eq!(world.history().await, [(1, 1), (2, 2)]);
}

#[tokio::test]
async fn a_server_that_is_told_to_stop_finishes_what_is_begun_and_says_so() {
    let (mut world, _proxies, server, gate) = served(3).await;
    let running = world.spawn_apply(2, &["--parallelism", "1"]);
    gate.until_arrived(1);
    server.signal(Signal::TERM);
    server.until_said("nothing new is begun");
    gate.open();
    let said = running.end().expect_code(3);
    let mut outcomes = said.outcomes();
    outcomes.sort();
    assert_eq!(outcomes, ["delivered", "interrupted", "interrupted"]);
    assert_eq!(server.end().0, Some(0));
    world.user.set("CFGCTL_STORE", "store.db");
    world.user.ok(&["apply", "--resume", "--yes"]);
    assert_eq!(world.all_held(), [Some((2, 2)); 3]);
}

#[tokio::test]
async fn a_change_that_is_asked_for_again_is_made_once() {
    let mut world = World::shared(1).await;
    world.apply(1).expect_code(0);
    world.apply(2).expect_code(0);
    let server = Server::start(&world.user, &[]);
    let body = json!({
        "request": {
            "change": {"rollback": {"set": "checkout", "to": 1}},
            "clusters": "", "consents": [], "dropped": [], "message": null, "key": null,
            "planned": null, "permission": "asked",
            "pace": {"clustersAtOnce": 4, "timeout": {"secs": 15, "nanos": 0}},
        },
        "approval": "unseen",
    });
    let ask = |server: &Server| {
        let head = "Idempotency-Key: again-and-again\r\n";
        server.ask_known("POST /v1/changes", head, &body.to_string())
    };
    let (status, text) = ask(&server);
    assert_eq!(status, 200, "{text}");
    assert!(text.contains(r#""version":3"#), "{text}");
    let (status, text) = ask(&server);
    assert_eq!(status, 200, "{text}");
    // Somebody else goes on, and the same request comes once more, at another server.
    drop(server);
    world.apply(4).expect_code(0);
    let server = Server::start(&world.user, &[]);
    let (status, text) = ask(&server);
    assert_eq!(status, 200, "{text}");
    server.lead(&mut world.user);
    assert_eq!(world.history().await, [(1, 1), (2, 2), (3, 1), (4, 4)]);
}

#[tokio::test]
async fn events_are_told_to_who_asks_for_them_with_the_answer_at_the_end() {
    let (world, _proxies, server, gate) = served(2).await;
    gate.open();
    world.user.ok(&["status"]);
    let (status, text) = server.ask_known("GET /v1/status", "Accept: text/event-stream\r\n", "");
    assert_eq!(status, 200, "{text}");
    assert!(text.contains("content-type: text/event-stream"), "{text}");
    let events = text.matches("event: event\n").count();
    assert_eq!(events, 3, "{text}");
    let (_, end) = text.split_once("event: report\n").expect("a report");
    assert!(end.contains(r#""kind":"Status""#), "{text}");
    let missing = "GET /v1/status?sets=nothing";
    let (_, text) = server.ask_known(missing, "Accept: text/event-stream\r\n", "");
    assert!(text.contains("event: problem\n"), "{text}");
    assert!(text.contains("there is no set/nothing"), "{text}");
}

#[tokio::test]
async fn whoever_never_reads_what_happens_holds_up_nobody() {
    let (world, _proxies, server, gate) = served(2).await;
    let streams: Vec<_> = (0..50)
        .map(|_| {
            let mut stream = server.connect();
            let token = &server.token;
            write!(
                stream,
                "GET /v1/status HTTP/1.1\r\nHost: server\r\nAuthorization: Bearer {token}\r\n\
                 Accept: text/event-stream\r\n\r\n"
            )
            .unwrap();
            stream
        })
        .collect();
    gate.open();
    world.apply(2).expect_code(0);
    assert_eq!(world.all_held(), [Some((2, 2)); 2]);
    server.signal(Signal::TERM);
    assert_eq!(server.end().0, Some(0));
    for stream in streams {
        assert_eq!(answer(stream).0, 200);
    }
}
