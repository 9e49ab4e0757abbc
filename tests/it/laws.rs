//! The laws that all of cfgctl keeps, one by one, on real Consuls.
//!
//! All or nothing is in `reader`, Old is fine in `broken_answers`, Only our own keys in
//! `ownership`, What was shown is what is done in `racing`, and every way to be killed in `crash`.

use crate::support::consul::Consul;
use crate::support::world::{World, fleet};

/// Law 2, Never backwards.
#[tokio::test]
async fn a_rollback_is_a_new_version_with_old_content() {
    let world = World::shared(2).await;
    for n in 1..=3 {
        world.apply(n).expect_code(0);
    }
    let rollback = |to| {
        world
            .user
            .ok(&["rollback", "checkout", "--to", to, "--yes"])
    };
    rollback("1");
    assert_eq!(world.all_held(), [Some((4, 1)); 2]);
    rollback("3");
    assert_eq!(world.all_held(), [Some((5, 3)); 2]);
    assert_eq!(
        world.history().await,
        [(1, 1), (2, 2), (3, 3), (4, 1), (5, 3)]
    );
}

/// Law 2, Never backwards.
#[tokio::test]
async fn a_store_restored_from_an_old_copy_overwrites_nothing() {
    let world = World::shared(2).await;
    world.apply(1).expect_code(0);
    let old = std::fs::read(world.store()).unwrap();
    assert!(!world.store().with_extension("db-wal").exists());
    world.apply(2).expect_code(0);
    world.apply(3).expect_code(0);
    std::fs::write(world.store(), old).unwrap();
    let trees = [world.tree(0), world.tree(1)];

    // New content, the content of the store, and the content out there.
    for n in [4, 1, 3] {
        let ran = world.apply(n).expect_code(5);
        assert!(ran.stderr.contains("--adopt"), "{}", ran.stderr);
    }
    for arguments in [
        ["apply", "--resume", "--yes"].as_slice(),
        &["rollback", "checkout", "--to", "1", "--yes"],
    ] {
        world.user.run(arguments).expect_code(5);
    }
    assert_eq!([world.tree(0), world.tree(1)], trees);
    assert_eq!(world.history().await, [(1, 1)]);

    world.apply_with(4, &["--adopt"]).expect_code(0);
    assert_eq!(world.all_held(), [Some((4, 4)); 2]);
    assert_eq!(world.history().await, [(1, 1), (4, 4)]);
}

/// Law 2, Never backwards.
#[tokio::test]
async fn a_store_that_knows_nothing_overwrites_nothing() {
    let world = World::shared(2).await;
    for n in 1..=3 {
        world.apply(n).expect_code(0);
    }
    std::fs::remove_file(world.store()).unwrap();
    let trees = [world.tree(0), world.tree(1)];
    for n in [3, 4] {
        let ran = world.apply(n).expect_code(5);
        assert!(ran.stderr.contains("--adopt"), "{}", ran.stderr);
    }
    assert_eq!([world.tree(0), world.tree(1)], trees);
    assert_eq!(world.history().await, []);
    world.apply_with(3, &["--adopt"]).expect_code(0);
    assert_eq!(world.all_held(), [Some((4, 3)); 2]);
}

/// Law 4, Commit, then deliver.
#[tokio::test]
async fn what_is_committed_is_finished_by_any_later_pass_of_anyone() {
    let (stays, goes) = (&fleet().await[0], Consul::start_on_disk().await);
    let world = World::of([stays, &goes]);
    world.apply(1).expect_code(0);
    goes.kill();
    for n in 2..=4 {
        let ran = world.apply(n).expect_code(3);
        assert_eq!(ran.outcomes(), ["delivered", "unreachable"]);
    }
    assert_eq!(world.held(0), Some((4, 4)));
    goes.restart().await;
    assert_eq!(world.held(1), Some((1, 1)));

    // Someone else, without the files: the store is enough.
    let resume = ["apply", "--resume", "--yes", "-o", "json"];
    let mut other = world.user.command(&resume);
    other.env("CFGCTL_ACTOR", "night@shift");
    let ran = other.output().unwrap();
    assert_eq!(ran.status.code(), Some(0));
    assert_eq!(world.all_held(), [Some((4, 4)); 2]);
    assert_eq!(world.history().await, [(1, 1), (2, 2), (3, 3), (4, 4)]);
    let text = String::from_utf8(world.tree(1)[&world.snapshot_key()].0.clone()).unwrap();
    assert!(!text.contains("night@shift"), "it made nothing: {text}");
}

/// Law 5, Level, not edge.
#[tokio::test]
async fn what_differs_is_mended_and_what_does_not_is_left_alone() {
    let world = World::shared(3).await;
    let consuls = fleet().await;
    world.apply(1).expect_code(0);
    let index = async |n: usize| {
        let entry = consuls[n].kv_entry(&world.snapshot_key()).await;
        entry.unwrap().modify_index
    };
    let before = [index(0).await, index(1).await, index(2).await];

    // Every way in which a cluster can differ, and one cluster that does not.
    consuls[1]
        .kv_put(&world.leaf("payment/provider"), "hand-made")
        .await;
    consuls[1].kv_delete(&world.leaf("payment/timeoutMs")).await;
    for key in world.tree(2).into_keys() {
        consuls[2].kv_delete(&key).await;
    }
    let status = world.json(0, &["status"]);
    let found: Vec<_> = status["clusters"]
        .as_array()
        .unwrap()
        .iter()
        .map(|view| view["state"].as_str().unwrap())
        .collect();
    assert_eq!(found, ["in-sync", "changed-by-hand", "missing"]);

    let ran = world.apply(1).expect_code(0);
    assert_eq!(ran.outcomes(), ["unchanged", "delivered", "delivered"]);
    assert_eq!(world.all_held(), [Some((1, 1)); 3]);
    assert_eq!(index(0).await, before[0]);
    assert_eq!(world.history().await, [(1, 1)]);

    let after = [index(0).await, index(1).await, index(2).await];
    let ran = world.apply(1).expect_code(0);
    assert_eq!(ran.outcomes(), ["unchanged"; 3]);
    assert_eq!([index(0).await, index(1).await, index(2).await], after);
}

/// Law 9, Every value can be explained: as far as revisions go.
#[tokio::test]
async fn who_when_and_why_is_the_same_in_the_store_and_in_every_cluster() {
    let world = World::shared(2).await;
    world
        .apply_with(1, &["--message", "first of all"])
        .expect_code(0);
    world.apply(2).expect_code(0);
    let back = ["rollback", "checkout", "--yes", "-m", "it was better"];
    world.user.ok(&back);

    let history = world.json(0, &["history", "checkout"]);
    let newest = &history["revisions"][0];
    let origin = &newest["origin"];
    assert_eq!(newest["version"], 3);
    assert_eq!(origin["actor"], "ops@laptop");
    assert_eq!(origin["message"], "it was better");
    assert_eq!(origin["cause"]["rollback"]["to"], 1);
    assert_eq!(history["revisions"][2]["origin"]["message"], "first of all");
    for n in 0..2 {
        let there = world.tree(n)[&world.snapshot_key()].0.clone();
        let there: serde_json::Value = serde_json::from_slice(&there).unwrap();
        assert_eq!(there["origin"], *origin);
        let shown = world.json(0, &["show", "checkout@3", "--cluster", &format!("c{n}")]);
        for field in ["version", "digest", "origin", "values", "keys"] {
            assert_eq!(shown["snapshot"][field], there[field], "{field}");
        }
        // What an older revision said there is still known.
        let shown = world.json(0, &["show", "checkout@2", "--cluster", &format!("c{n}")]);
        assert_eq!(shown["snapshot"]["values"]["generation"], 2);
    }
}
