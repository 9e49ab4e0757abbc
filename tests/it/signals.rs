//! Ctrl-C and SIGTERM: what runs is finished, nothing new is begun, and the report tells.

use std::time::Duration;

use rustix::process::{Signal, kill_process};

use crate::support::proxy::{Fate, Gate, Proxy, Request};
use crate::support::world::World;

fn hold(proxy: &Proxy, gate: &Gate, what: fn(&Request) -> bool) {
    let gate = gate.clone();
    proxy.rule(move |request| {
        if what(request) {
            gate.pass();
        }
        Fate::Forward
    });
}

async fn stopped_while_delivering(signal: Signal, code: i32) {
    let world = World::shared(3).await;
    let proxies = world.behind_proxies();
    world.apply(1).expect_code(0);
    let gate = Gate::default();
    for proxy in &proxies {
        hold(proxy, &gate, Request::is_write);
    }
    // One after the other: the first is being written, the rest is not begun.
    let mut running = world.spawn_apply(2, &["--parallelism", "1"]);
    gate.until_arrived(1);
    kill_process(running.pid(), signal).unwrap();
    running.until_said("stopping: what is begun is finished");
    gate.open();
    let said = running.end().expect_code(code);
    let mut outcomes = said.outcomes();
    outcomes.sort();
    assert_eq!(outcomes, ["delivered", "interrupted", "interrupted"]);
    assert!(said.stderr.contains("apply --resume"), "{}", said.stderr);

    // What was begun is whole, what was not is as it was.
    let mut held = world.all_held();
    held.sort();
    assert_eq!(held, [Some((1, 1)), Some((1, 1)), Some((2, 2))]);
    world.user.ok(&["apply", "--resume", "--yes"]);
    assert_eq!(world.all_held(), [Some((2, 2)); 3]);
    assert_eq!(world.history().await, [(1, 1), (2, 2)]);
}

#[tokio::test]
async fn ctrl_c_while_delivering_finishes_what_runs_and_begins_nothing() {
    stopped_while_delivering(Signal::INT, 130).await;
}

#[tokio::test]
async fn sigterm_while_delivering_finishes_what_runs_and_begins_nothing() {
    stopped_while_delivering(Signal::TERM, 143).await;
}

#[tokio::test]
async fn a_second_ctrl_c_ends_at_once() {
    let world = World::shared(2).await;
    let proxies = world.behind_proxies();
    world.apply(1).expect_code(0);
    let gate = Gate::default();
    hold(&proxies[0], &gate, Request::is_write);
    let mut running = world.spawn_apply(2, &["--timeout", "60s"]);
    gate.until_arrived(1);
    // Signals that come too close are one.
    while !running.has_ended() {
        kill_process(running.pid(), Signal::INT).unwrap();
        std::thread::sleep(Duration::from_millis(50));
    }
    let ran = running.end();
    assert_eq!(ran.code, Some(130), "{ran:?}");
    assert_eq!(world.held(0), Some((1, 1)));
    gate.open();
    proxies[0].until_idle();
    world.user.ok(&["apply", "--resume", "--yes"]);
    assert_eq!(world.all_held(), [Some((2, 2)); 2]);
}

#[tokio::test]
async fn a_signal_while_looking_changes_nothing() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let world = World::shared(2).await;
        let proxies = world.behind_proxies();
        world.apply(1).expect_code(0);
        let gate = Gate::default();
        hold(&proxies[0], &gate, |request| !request.is_write());
        let running = world.spawn_apply(2, &["--timeout", "60s"]);
        gate.until_arrived(1);
        kill_process(running.pid(), signal).unwrap();
        let said = running.end().expect_code(code);
        assert!(said.stderr.contains("before anything was changed"));
        gate.open();
        assert_eq!(world.history().await, [(1, 1)]);
        assert_eq!(world.all_held(), [Some((1, 1)); 2]);
    }
}
