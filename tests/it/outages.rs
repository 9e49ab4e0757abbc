//! Law 3, Old is fine, broken is not, and law 5, Level, not edge: Consuls that stop in the middle,
//! lose their data or lose their answers.

use std::time::{Duration, Instant};

use crate::support::consul::Consul;
use crate::support::proxy::{Fate, Gate, Request};
use crate::support::world::{World, fleet};

/// What `--timeout 2s` allows for a write and for the look after it, with room for a busy machine.
const BOUND: Duration = Duration::from_secs(20);

/// Three of the shared agents, and one that may be stopped.
async fn three_and(fourth: &Consul) -> World {
    World::of(fleet().await.iter().take(3).chain([fourth]))
}

/// `stop` happens to the fourth of four clusters while its write is on its way; then `start`.
async fn stopped_in_the_middle(fourth: &Consul, stop: impl Fn(), start: impl AsyncFn()) {
    let world = three_and(fourth).await;
    let proxies = world.behind_proxies();
    world.apply(1).expect_code(0);
    let gate = Gate::default();
    {
        let gate = gate.clone();
        proxies[3].rule(move |request| {
            if request.is_write() {
                gate.pass();
            }
            Fate::Forward
        });
    }
    let running = world.spawn_apply(2, &["--timeout", "2s"]);
    gate.until_arrived(1);
    stop();
    let stopped = Instant::now();
    gate.open();
    let said = running.end().expect_code(3);
    assert!(stopped.elapsed() < BOUND, "{:?}", stopped.elapsed());
    let outcomes = said.outcomes();
    assert_eq!(outcomes[..3], ["delivered"; 3]);
    assert!(
        ["unknown", "unreachable"].contains(&outcomes[3].as_str()),
        "{outcomes:?}"
    );
    assert!(said.stderr.contains("apply --resume"), "{}", said.stderr);
    for n in 0..3 {
        assert_eq!(world.held(n), Some((2, 2)));
    }

    // As long as it is away, every pass says so, and the others stay as they are.
    let said = world.apply_with(2, &["--timeout", "1s"]).expect_code(3);
    assert_eq!(said.outcomes()[3], "unreachable");

    start().await;
    for proxy in &proxies {
        proxy.until_idle();
        proxy.forward();
    }
    world.user.ok(&["apply", "--resume", "--yes"]);
    assert_eq!(world.all_held(), [Some((2, 2)); 4]);
    let said = world.apply(2).expect_code(0);
    assert_eq!(said.outcomes(), ["unchanged"; 4]);
    assert_eq!(world.history().await, [(1, 1), (2, 2)]);
}

#[tokio::test]
async fn a_consul_that_is_killed_in_the_middle_keeps_its_data_and_gets_the_rest_later() {
    let fourth = Consul::start_on_disk().await;
    stopped_in_the_middle(&fourth, || fourth.kill(), async || fourth.restart().await).await;
}

#[tokio::test]
async fn a_consul_that_is_stopped_in_the_middle_holds_nobody_up() {
    let fourth = Consul::start().await;
    stopped_in_the_middle(&fourth, || fourth.pause(), async || fourth.resume()).await;
}

#[tokio::test]
async fn a_consul_that_is_killed_and_lost_its_data_is_filled_again() {
    let fourth = Consul::start().await;
    stopped_in_the_middle(&fourth, || fourth.kill(), async || fourth.restart().await).await;
}

#[tokio::test]
async fn an_emptied_consul_is_filled_again_from_the_store_at_the_same_version() {
    let second = Consul::start().await;
    let world = World::of([&fleet().await[0], &second]);
    for n in 1..=3 {
        world.apply(n).expect_code(0);
    }
    let full = world.tree(1);
    second.restart().await;
    assert!(world.tree(1).is_empty());
    let said = world.apply(3).expect_code(0);
    assert_eq!(said.outcomes(), ["unchanged", "delivered"]);
    assert_eq!(world.tree(1), full, "byte for byte");

    // And without the files.
    second.restart().await;
    world.user.ok(&["apply", "--resume", "--yes"]);
    assert_eq!(world.tree(1), full);
    assert_eq!(world.history().await, [(1, 1), (2, 2), (3, 3)]);
}

#[tokio::test]
async fn a_write_whose_answer_is_lost_is_found_to_be_done() {
    for lost in [1, usize::MAX] {
        let world = World::shared(2).await;
        let proxies = world.behind_proxies();
        for n in 1..=2 {
            lose(&proxies[0], lost, || Fate::LoseAnswer);
            let said = world.apply(n).expect_code(0);
            assert_eq!(said.outcomes(), ["delivered"; 2]);
            assert_eq!(world.all_held(), [Some((n, n)); 2]);
        }
        proxies[0].forward();
        let said = world.apply(2).expect_code(0);
        assert_eq!(said.outcomes(), ["unchanged"; 2]);
    }
}

#[tokio::test]
async fn a_removal_whose_answer_is_lost_is_found_to_be_done() {
    let world = World::shared(2).await;
    let proxies = world.behind_proxies();
    world.apply(1).expect_code(0);
    lose(&proxies[0], usize::MAX, || Fate::LoseAnswer);
    let delete = ["delete", "checkout", "--yes", "-o", "json"];
    let said = world.user.run(&delete).expect_code(0);
    assert_eq!(said.outcomes(), ["removed"; 2]);
    assert_eq!(world.all_held(), [None; 2]);
}

#[tokio::test]
async fn a_write_that_never_arrives_is_sent_again() {
    let world = World::shared(1).await;
    let proxies = world.behind_proxies();
    lose(&proxies[0], 1, || Fate::Cut);
    let said = world.apply(1).expect_code(0);
    assert_eq!(said.outcomes(), ["delivered"]);

    // As often as it is tried, and more.
    lose(&proxies[0], usize::MAX, || Fate::Cut);
    let said = world.apply(2).expect_code(3);
    assert_eq!(said.outcomes(), ["unknown"]);
    assert_eq!(world.held(0), Some((1, 1)));
    proxies[0].forward();
    world.user.ok(&["apply", "--resume", "--yes"]);
    assert_eq!(world.held(0), Some((2, 2)));
}

/// This becomes of the next `count` writes.
fn lose(
    proxy: &crate::support::proxy::Proxy,
    count: usize,
    fate: impl Fn() -> Fate + Send + Sync + 'static,
) {
    let seen = std::sync::atomic::AtomicUsize::new(0);
    proxy.rule(move |request| {
        let order = std::sync::atomic::Ordering::SeqCst;
        if request.is_write() && seen.fetch_add(1, order) < count {
            fate()
        } else {
            Fate::Forward
        }
    });
}

/// Removal may be unfinished anywhere, so nobody is told that all is done before every cluster has
/// said what lies there; but that is one listing, however many sets were deleted.
#[tokio::test]
async fn a_deleted_set_is_not_read_any_more_and_every_cluster_still_has_its_say() {
    let world = World::shared(2).await;
    let proxies = world.behind_proxies();
    world.apply(1).expect_code(0);
    world.user.ok(&["delete", "checkout", "--yes"]);
    let key = world.snapshot_key();
    let asked = |n: usize, command: &[&str]| {
        let before = proxies[n].requests().len();
        world.user.ok(command);
        let requests = proxies[n].requests().split_off(before);
        let reads = |what: &str| {
            let body = |it: &Request| String::from_utf8_lossy(&it.body).into_owned();
            let is_read = |it: &&Request| it.path.contains(what) || body(it).contains(what);
            requests.iter().filter(is_read).count()
        };
        (reads("?keys"), reads("get-tree"), reads(&key))
    };
    for command in [&["status"][..], &["drift"], &["apply", "--resume", "--yes"]] {
        // The third is whether the token may see the set, which is not read.
        assert_eq!(asked(0, command), (1, 0, 1), "{command:?}");
    }
    proxies[1].rule(|_| Fate::Cut);
    let resume = ["apply", "--resume", "--yes", "--timeout", "2s"];
    let said = world.json(3, &resume);
    assert_eq!(said["clusters"][0]["cluster"], "c1", "{said:#}");
    assert_eq!(said["clusters"][0]["outcome"], "unreachable", "{said:#}");
    proxies[1].forward();

    // What comes back is seen at once.
    fleet().await[1].kv_put(&key, "x").await;
    let held = world.json(1, &["drift"]);
    assert!(held.to_string().contains("unreadable"), "{held:#}");
}
