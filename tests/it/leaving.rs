//! What becomes of our keys in a cluster that is taken off the list.

use std::fs;

use serde_json::Value;

use crate::support::cli::Cfgctl;
use crate::support::proxy::Proxy;
use crate::support::world::World;

/// Two clusters that hold generation 1, and files that declare `c0` and the set alone.
async fn world() -> World {
    let world = World::shared(2).await;
    world.apply(1).expect_code(0);
    forget_c1(&world);
    world
}

fn forget_c1(world: &World) {
    world.reach_through(world.addresses().into_iter().take(1));
}

const PRUNE: [&str; 7] = [
    "apply",
    "-f",
    "clusters.yaml",
    "-f",
    "checkout-1/checkout.yaml",
    "--prune",
    "--yes",
];

fn prune(more: &[&'static str]) -> Vec<&'static str> {
    [&PRUNE[..], more].concat()
}

fn listed(user: &Cfgctl) -> String {
    user.ok(&["cluster", "list", "-o", "name"])
}

#[tokio::test]
async fn pruning_a_cluster_asks_what_becomes_of_its_keys_and_one_flag_removes_them() {
    let world = world().await;
    let said = world.user.run(&PRUNE).expect_code(5);
    for told in [
        "refused: checkout in c1: the cluster is to be forgotten, and still holds 5 keys of ours",
        "`--remove-keys` removes our keys there first, `--keep-keys` leaves them there",
    ] {
        assert!(said.stderr.contains(told), "{}", said.stderr);
    }
    assert_eq!(world.all_held(), [Some((1, 1)), Some((1, 1))]);
    // That a set may lose keys does not mean that a cluster may lose all of them.
    let said = world.user.run(&prune(&["--allow-deletes", "-o", "json"]));
    let refused = said.expect_code(5).json();
    assert_eq!(refused["objections"][0]["rule"], "keeps-keys");
    assert_eq!(refused["objections"][0]["answer"], "--keep-keys");
    world
        .user
        .run(&prune(&["--keep-keys", "--remove-keys"]))
        .expect_code(2);

    let done = world.user.ok(&prune(&["--remove-keys", "-o", "json"]));
    let done: Value = serde_json::from_str(&done).expect("JSON");
    assert_eq!(done["clusters"][0]["outcome"], "unchanged", "{done}");
    assert_eq!(done["clusters"][1]["outcome"], "removed", "{done}");
    assert_eq!(world.all_held(), [Some((1, 1)), None]);
    assert!(!listed(&world.user).contains("c1"));
    world.user.ok(&["drift"]);
}

#[tokio::test]
async fn what_a_cluster_keeps_is_counted_and_explained_when_it_comes_back() {
    let world = world().await;
    let kept = world.user.run(&prune(&["--keep-keys"])).expect_code(0);
    let stays = "5 keys of ours stay there";
    assert!(kept.stdout.contains(stays), "{}", kept.stdout);
    assert!(
        kept.stderr
            .contains("declare the cluster again and delete it with `--remove-keys`"),
        "{}",
        kept.stderr
    );
    let history = world.user.ok(&["history", "cluster/c1", "-o", "json"]);
    assert!(history.contains("keep-keys"), "{history}");

    // The set goes on without it.
    world.apply(2).expect_code(0);
    assert_eq!(world.all_held(), [Some((2, 2)), Some((1, 1))]);
    world.reach_through(world.addresses());
    let back = ["-f", "clusters.yaml", "-f", "checkout-2/checkout.yaml"];
    let diff = world.user.run(&[&["diff"], &back[..]].concat());
    let diff = diff.expect_code(1).stdout;
    for told in ["left over", "1 → 2", "was left over there when the cluster"] {
        assert!(diff.contains(told), "{told}: {diff}");
    }
    world.user.ok(&[&["apply", "--yes"], &back[..]].concat());
    assert_eq!(world.all_held(), [Some((2, 2)), Some((2, 2))]);
    world.user.ok(&["status"]);

    // And the way that was named works.
    world
        .user
        .ok(&["delete", "cluster/c1", "--yes", "--remove-keys"]);
    assert_eq!(world.all_held(), [Some((2, 2)), None]);
}

#[tokio::test]
async fn a_saved_plan_says_what_becomes_of_the_keys() {
    let world = world().await;
    let files = [
        "-f",
        "clusters.yaml",
        "-f",
        "checkout-1/checkout.yaml",
        "--prune",
    ];
    let out = ["--remove-keys", "--out", "plan.json"];
    let words = [&["diff"], &files[..], &out].concat();
    world.user.run(&words).expect_code(1);
    assert_eq!(world.held(1), Some((1, 1)));
    world.user.ok(&["apply", "plan.json", "--yes"]);
    assert_eq!(world.all_held(), [Some((1, 1)), None]);
}

/// What is left over of a set that does not go there any more is told, and mended.
#[tokio::test]
async fn what_was_kept_of_a_set_that_is_gone_since_is_left_over() {
    let world = world().await;
    world.user.ok(&prune(&["--keep-keys"]));
    world.user.ok(&["delete", "checkout", "--yes"]);
    world.reach_through(world.addresses());
    world.user.ok(&["apply", "-f", "clusters.yaml", "--yes"]);
    let drift = world.json(1, &["drift"]);
    assert_eq!(drift["clusters"][0]["state"], "left-over", "{drift}");
    world.user.ok(&["apply", "--resume", "--yes"]);
    assert_eq!(world.all_held(), [None, None]);
}

#[tokio::test]
async fn a_cluster_that_does_not_answer_goes_only_if_its_keys_stay() {
    let world = World::shared(2).await;
    let proxies: Vec<Proxy> = world.behind_proxies();
    world.apply(1).expect_code(0);
    drop(proxies.into_iter().nth(1));
    for more in [&[][..], &["--remove-keys"]] {
        let words = [&["delete", "cluster/c1", "--yes", "--timeout", "2s"], more].concat();
        let said = world.user.run(&words).expect_code(5).stderr;
        assert!(said.contains("may still hold keys of ours"), "{said}");
        assert!(
            said.contains("or pass `--keep-keys`: what is there stays there"),
            "{said}"
        );
        assert!(listed(&world.user).contains("c1"));
    }
    let words = ["delete", "cluster/c1", "--yes", "--keep-keys"];
    let done = world.json(0, &[&words[..], &["--timeout", "2s"]].concat());
    assert_eq!(done["clusters"][0]["outcome"], "left", "{done}");
    assert!(!listed(&world.user).contains("c1"));
    assert_eq!(world.held(1), Some((1, 1)));
}

#[test]
fn a_directory_is_emptied_too() {
    let user = Cfgctl::new().with("CFGCTL_STORE", "store.db");
    let out = user.directory().join("out");
    user.write(
        "all.yaml",
        &format!(
            "apiVersion: cfgctl.dev/v1\nkind: Cluster\nmetadata: {{name: c0}}\n\
             spec: {{directory: {{path: \"{}\"}}}}\n---\n\
             apiVersion: cfgctl.dev/v1\nkind: ConfigSet\nmetadata: {{name: checkout}}\n\
             spec: {{publish: [{{keys: {{prefix: app}}}}], values: {{a: 1, b: 2}}}}\n",
            out.display()
        ),
    );
    user.ok(&["apply", "-f", "all.yaml", "--yes"]);
    fs::write(out.join("theirs"), "theirs").expect("a file");
    user.run(&["delete", "cluster/c0", "--yes"]).expect_code(5);
    assert!(out.join("checkout").exists());
    user.ok(&["delete", "cluster/c0", "--yes", "--remove-keys"]);
    assert!(!out.join("checkout").exists());
    assert!(out.join("theirs").exists(), "it was not ours");
    assert!(listed(&user).is_empty());
}
