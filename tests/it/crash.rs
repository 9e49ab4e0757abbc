//! Law 4, Commit, then deliver: whoever is killed, wherever, leaves nothing that a plain `apply`
//! does not complete.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::support::proxy::{Fate, Proxy};
use crate::support::world::{Held, Running, World};

/// How often a process is killed at no particular time.
const RANDOM_KILLS: u64 = 30;

/// When a process dies: before a request arrives, or when it was carried out and nobody knows yet.
#[derive(Clone, Copy, Debug)]
pub(crate) enum When {
    Before,
    After,
}

/// Kills a process at its nth request, counted over all proxies, and nothing passes after it.
pub(crate) fn kill_at(proxies: &[Proxy], nth: usize, when: When) -> Arc<OnceLock<Pid>> {
    let victim: Arc<OnceLock<Pid>> = Arc::default();
    let count = Arc::new(AtomicUsize::new(0));
    let dead = Arc::new(AtomicBool::new(false));
    for proxy in proxies {
        let (victim, count) = (Arc::clone(&victim), Arc::clone(&count));
        let dead = Arc::clone(&dead);
        proxy.rule(move |_| {
            if dead.load(Ordering::SeqCst) {
                return Fate::Cut;
            }
            if count.fetch_add(1, Ordering::SeqCst) != nth {
                return Fate::Forward;
            }
            let (victim, dead) = (Arc::clone(&victim), Arc::clone(&dead));
            let kill = move || {
                dead.store(true, Ordering::SeqCst);
                kill_process(*victim.wait(), Signal::KILL).unwrap();
            };
            match when {
                When::Before => {
                    kill();
                    Fate::Cut
                }
                When::After => Fate::ForwardThen(Box::new(kill)),
            }
        });
    }
    victim
}

/// Lets `running` be killed as [`kill_at`] says, and waits until nothing of it is on its way.
fn dies(running: Running, victim: &OnceLock<Pid>, proxies: &[Proxy]) {
    victim.set(running.pid()).unwrap();
    let ran = running.end();
    assert_eq!(ran.code, None, "it was not killed: {ran:?}");
    for proxy in proxies {
        proxy.until_idle();
        proxy.forward();
    }
}

fn requests(proxies: &[Proxy]) -> usize {
    proxies.iter().map(|proxy| proxy.requests().len()).sum()
}

/// Every request of a run to several clusters, both ways of dying.
fn every_step(steps: usize) -> impl Iterator<Item = (usize, When)> {
    assert!(steps >= 4, "only {steps} requests");
    (0..steps).flat_map(|nth| [(nth, When::Before), (nth, When::After)])
}

#[tokio::test]
async fn an_apply_that_is_killed_at_any_request_of_a_change_is_completed_by_the_next() {
    let world = World::shared(3).await;
    let proxies = world.behind_proxies();
    world.apply(1).expect_code(0);
    let before = requests(&proxies);
    world.apply(2).expect_code(0);
    let steps = requests(&proxies) - before;

    let mut expected = vec![(1, 1), (2, 2)];
    for (nth, when) in every_step(steps) {
        let head = expected[expected.len() - 1];
        let next = (head.0 + 1, head.1 + 1);
        let victim = kill_at(&proxies, nth, when);
        dies(world.spawn_apply(next.1, &[]), &victim, &proxies);

        // Every cluster holds one or the other, and nothing that is not committed.
        let history = world.history().await;
        let committed = history.last() == Some(&next);
        for held in world.all_held() {
            let new = held == Some(next) && committed;
            assert!(new || held == Some(head), "{nth} {when:?}: {held:?}");
        }
        if !committed {
            assert_eq!(history, expected, "{nth} {when:?}");
        }
        world.apply(next.1).expect_code(0);
        expected.push(next);
        assert_eq!(world.history().await, expected, "{nth} {when:?}");
        assert_eq!(world.all_held(), [Some(next); 3], "{nth} {when:?}");
    }
}

#[tokio::test]
async fn an_apply_that_is_killed_at_any_request_of_the_first_delivery_is_completed_by_the_next() {
    let counted = World::shared(2).await;
    let proxies = counted.behind_proxies();
    counted.apply(1).expect_code(0);
    for (nth, when) in every_step(requests(&proxies)) {
        let world = World::shared(2).await;
        let proxies = world.behind_proxies();
        let victim = kill_at(&proxies, nth, when);
        dies(world.spawn_apply(1, &[]), &victim, &proxies);
        for held in world.all_held() {
            assert!(matches!(held, None | Some((1, 1))), "{nth} {when:?}");
        }
        world.apply(1).expect_code(0);
        assert_eq!(world.history().await, [(1, 1)], "{nth} {when:?}");
        assert_eq!(world.all_held(), [Some((1, 1)); 2], "{nth} {when:?}");
    }
}

#[tokio::test]
async fn a_delete_that_is_killed_at_any_request_is_completed_by_the_next_pass() {
    let world = World::shared(2).await;
    let proxies = world.behind_proxies();
    let delete = ["delete", "checkout", "--yes"];
    world.apply(1).expect_code(0);
    let before = requests(&proxies);
    world.user.ok(&delete);
    for (nth, when) in every_step(requests(&proxies) - before) {
        world.apply(1).expect_code(0);
        let victim = kill_at(&proxies, nth, when);
        let running = Running::new(world.user.spawn(&delete));
        dies(running, &victim, &proxies);
        let deleted = world.history().await.last().unwrap().1 == 0;
        let last: &[&str] = if deleted {
            &["apply", "--resume", "--yes"]
        } else {
            &delete
        };
        world.user.ok(last);
        assert_eq!(world.all_held(), [None; 2], "{nth} {when:?}");
    }
}

#[tokio::test]
async fn a_kill_in_the_commit_commits_nothing() {
    let world = World::shared(2).await;
    world.apply(1).expect_code(0);
    for _ in 0..5 {
        let lock = world.lock_store();
        let mut running = world.spawn_apply(2, &[]);
        running.until_shown();
        // It asks for the lock next, and nothing shows when it does.
        std::thread::sleep(Duration::from_millis(fastrand::u64(0..60)));
        kill_process(running.pid(), Signal::KILL).unwrap();
        assert_eq!(running.end().code, None);
        drop(lock);
        assert_eq!(world.history().await, [(1, 1)]);
        assert_eq!(world.all_held(), [Some((1, 1)); 2]);
    }
    world.apply(2).expect_code(0);
    assert_eq!(world.all_held(), [Some((2, 2)); 2]);
}

#[tokio::test]
async fn kills_at_any_time_leave_nothing_that_the_next_apply_does_not_complete() {
    let world = World::shared(3).await;
    let began = Instant::now();
    world.apply(1).expect_code(0);
    let longest = u64::try_from(began.elapsed().as_micros()).unwrap();
    let mut expected = vec![(1, 1)];
    for n in 2..2 + RANDOM_KILLS {
        let running = world.spawn_apply(n, &[]);
        std::thread::sleep(Duration::from_micros(fastrand::u64(0..longest)));
        kill_process(running.pid(), Signal::KILL).unwrap();
        _ = running.end();

        // What it sent may still arrive while the next one looks; then the one after that is it.
        if world.apply(n).code != Some(0) {
            world.apply(n).expect_code(0);
        }
        expected.push((n, n));
        assert_eq!(world.history().await, expected);
        let head: Held = Some((n, n));
        assert_eq!(world.all_held(), [head; 3]);
    }
}
