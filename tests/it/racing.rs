//! Law 8, What was shown is what is done: others change things between our look and our write.

use crate::support::consul::Consul;
use crate::support::proxy::{Fate, Gate, Proxy};
use crate::support::world::{Running, World, fleet};

/// How often two administrators meet.
const ROUNDS: u64 = 10;
/// How many apply at once when everyone does.
const CROWD: u64 = 6;

/// Writes wait at the gate; everything else goes through.
fn hold_writes(proxy: &Proxy, gate: &Gate) {
    let gate = gate.clone();
    proxy.rule(move |request| {
        if request.is_write() {
            gate.pass();
        }
        Fate::Forward
    });
}

#[tokio::test]
async fn of_two_administrators_who_apply_at_once_one_wins_and_the_other_changes_nothing() {
    let world = World::shared(2).await;
    world.apply(1).expect_code(0);
    let mut expected = vec![(1, 1)];
    for round in 0..ROUNDS {
        // Nobody can commit until both have made their plan, from the same heads.
        let lock = world.lock_store();
        let rivals = [2 * round + 10, 2 * round + 11];
        let mut racing = rivals.map(|n| world.spawn_apply(n, &[]));
        racing.iter_mut().for_each(Running::until_shown);
        drop(lock);
        let ran = racing.map(Running::end);

        let winner = ran.iter().position(|ran| ran.code == Some(0)).unwrap();
        let loser = &ran[1 - winner];
        assert_eq!(loser.code, Some(4), "{ran:?}");
        assert!(loser.stderr.contains("nothing was committed"), "{loser:?}");
        let version = expected.len() as u64 + 1;
        expected.push((version, rivals[winner]));
        assert_eq!(world.all_held(), [Some((version, rivals[winner])); 2]);
    }
    assert_eq!(world.history().await, expected);
    let (_, generation) = expected[expected.len() - 1];
    let ran = world.apply(generation).expect_code(0);
    assert_eq!(ran.outcomes(), ["unchanged"; 2]);
}

#[tokio::test]
async fn when_everyone_applies_at_once_the_history_is_exactly_what_won() {
    let world = World::shared(2).await;
    world.apply(1).expect_code(0);
    let crowd = 10..10 + CROWD;
    let racing: Vec<_> = crowd.clone().map(|n| world.spawn_apply(n, &[])).collect();
    let ran: Vec<_> = racing.into_iter().map(Running::end).collect();

    let history = world.history().await;
    for (n, ran) in crowd.zip(&ran) {
        // Who was overtaken after the commit is told that too: 3.
        let committed = match ran.code {
            Some(0 | 3) => 1,
            Some(4) => 0,
            _ => panic!("{ran:?}"),
        };
        let found = history.iter().filter(|(_, generation)| *generation == n);
        assert_eq!(found.count(), committed, "{n} of {history:?}: {ran:?}");
    }
    let versions: Vec<_> = history.iter().map(|(version, _)| *version).collect();
    assert_eq!(versions, (1..=history.len() as u64).collect::<Vec<_>>());
    let resume = ["apply", "--resume", "--yes"];
    world.user.ok(&resume);
    assert_eq!(world.all_held(), [history.last().copied(); 2]);
}

#[tokio::test]
async fn an_administrator_who_delivers_late_does_not_take_back_what_is_newer() {
    let world = World::shared(1).await;
    world.apply(1).expect_code(0);
    let proxies = world.behind_proxies();
    world.apply(1).expect_code(0);
    let gate = Gate::default();
    hold_writes(&proxies[0], &gate);
    let late = world.spawn_apply(2, &[]);
    gate.until_arrived(1);
    // Someone on a faster line: the cluster is declared without the proxy.
    world.reach_through(world.addresses());
    world.apply(3).expect_code(0);
    assert_eq!(world.held(0), Some((3, 3)));
    gate.open();
    let ran = late.end().expect_code(0);
    assert_eq!(ran.outcomes(), ["superseded"]);
    assert_eq!(world.held(0), Some((3, 3)));
}

#[tokio::test]
async fn a_key_that_is_edited_between_plan_and_write_stays_and_is_told() {
    let world = World::shared(2).await;
    edited_meanwhile(&world, &world.leaf("payment/provider")).await;
}

#[tokio::test]
async fn a_snapshot_that_is_edited_between_plan_and_write_stays_and_is_told() {
    let world = World::shared(2).await;
    let key = world.snapshot_key();
    let consul = &fleet().await[0];
    world.apply(1).expect_code(0);
    let sneaky = consul.kv_get(&key).await.unwrap();
    let sneaky = String::from_utf8(sneaky).unwrap();
    let sneaky = sneaky.replace("\"timeoutMs\":1", "\"timeoutMs\":9");
    edited_to(&world, &key, &sneaky).await;
}

#[tokio::test]
async fn a_key_that_appears_between_plan_and_write_stays_and_is_told() {
    let world = World::shared(2).await;
    let proxies = world.behind_proxies();
    let gate = Gate::default();
    hold_writes(&proxies[0], &gate);
    let running = world.spawn_apply(1, &[]);
    gate.until_arrived(1);
    let key = world.leaf("payment/provider");
    fleet().await[0].kv_put(&key, "theirs").await;
    let before = world.tree(0);
    gate.open();
    let ran = running.end().expect_code(3);
    assert_eq!(ran.outcomes(), ["conflict", "delivered"]);
    assert_eq!(world.tree(0), before);
    assert_eq!(world.held(1), Some((1, 1)));
    // It is not ours, so the next one asks first.
    let ran = world.apply(1).expect_code(5);
    assert!(ran.stderr.contains(&key), "{}", ran.stderr);
    assert_eq!(world.tree(0), before);
}

#[tokio::test]
async fn a_key_that_goes_between_plan_and_write_is_told() {
    let world = World::shared(2).await;
    world.apply(1).expect_code(0);
    let proxies = world.behind_proxies();
    world.apply(1).expect_code(0);
    let gate = Gate::default();
    hold_writes(&proxies[0], &gate);
    let running = world.spawn_apply(2, &[]);
    gate.until_arrived(1);
    let key = world.leaf("generation");
    fleet().await[0].kv_delete(&key).await;
    let before = world.tree(0);
    gate.open();
    let ran = running.end().expect_code(3);
    assert_eq!(ran.outcomes(), ["conflict", "delivered"]);
    assert_eq!(world.tree(0), before);
    mended(&world);
}

async fn edited_meanwhile(world: &World, key: &str) {
    world.apply(1).expect_code(0);
    edited_to(world, key, "hand-made").await;
}

/// Someone gives `key` another value in the first cluster while generation 2 is on its way.
async fn edited_to(world: &World, key: &str, value: &str) {
    let consul: &Consul = &fleet().await[0];
    let proxies = world.behind_proxies();
    world.apply(1).expect_code(0);
    let gate = Gate::default();
    hold_writes(&proxies[0], &gate);
    let running = world.spawn_apply(2, &[]);
    gate.until_arrived(1);
    consul.kv_put(key, value).await;
    let before = world.tree(0);
    gate.open();
    let ran = running.end().expect_code(3);
    assert_eq!(ran.outcomes(), ["conflict", "delivered"]);
    let reason = ran.json()["clusters"][0]["reason"].to_string();
    assert!(reason.contains(key), "{reason}");
    assert_eq!(world.tree(0), before, "nothing was written, not even half");
    assert_eq!(world.held(1), Some((2, 2)));
    mended(world);
}

/// The next apply sees that the cluster is behind and drifted, and brings it up to date.
fn mended(world: &World) {
    let file = world.declare(2);
    let diff = ["diff", "-f", "clusters.yaml", "-f", &file];
    let diff = world.json(1, &diff);
    let drift = &diff["clusters"][0]["drift"];
    assert_ne!(drift.as_array().map(Vec::len), Some(0), "{diff}");
    let ran = world.apply(2).expect_code(0);
    assert_eq!(ran.outcomes(), ["delivered", "unchanged"]);
    assert_eq!(world.all_held(), [Some((2, 2)); 2]);
    let ran = world.apply(2).expect_code(0);
    assert_eq!(ran.outcomes(), ["unchanged"; 2]);
}

#[tokio::test]
async fn a_saved_plan_is_carried_out_as_it_was_shown_or_not_at_all() {
    let world = World::shared(2).await;
    world.apply(1).expect_code(0);
    let save = |n: u64| {
        let file = world.declare(n);
        let diff = ["diff", "-f", "clusters.yaml", "-f", &file, "--out", "plan"];
        world.user.run(&diff).expect_code(1);
    };
    let carry_out = || world.user.run(&["apply", "plan", "--yes", "-o", "json"]);
    save(2);
    assert_eq!(carry_out().expect_code(0).outcomes(), ["delivered"; 2]);
    assert_eq!(world.all_held(), [Some((2, 2)); 2]);

    // One cluster moved.
    save(3);
    let key = world.leaf("payment/provider");
    fleet().await[1].kv_put(&key, "hand-made").await;
    let before = [world.tree(0), world.tree(1)];
    carry_out().expect_code(4);
    assert_eq!([world.tree(0), world.tree(1)], before);
    assert_eq!(world.history().await, [(1, 1), (2, 2)]);

    // The store moved.
    save(3);
    world.apply(4).expect_code(0);
    carry_out().expect_code(4);
    assert_eq!(world.all_held(), [Some((3, 4)); 2]);
    assert_eq!(world.history().await, [(1, 1), (2, 2), (3, 4)]);
}
