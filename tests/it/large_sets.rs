//! Sets that are larger than a value or a transaction, through the binary.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use cfgctl::model::{AuxiliaryNames, Read};
use serde_json::{Value, json};

use crate::crash::{When, kill_at};
use crate::support::proxy::{Fate, Proxy};
use crate::support::raw::Raw;
use crate::support::world::{Running, World};

/// Keys, which take three transactions of an old Consul.
const KEYS: usize = 130;
/// Bytes of a value, so that a snapshot takes three parts of [`LIMITS`].
const VALUE_BYTES: usize = 1000;
/// As far below a Consul's own as the values, to be quick.
const LIMITS: &str = " limits: {operations: 64, valueBytes: 65536, requestBytes: 65536},";

/// How the set is published.
#[derive(Clone, Copy, Debug)]
enum Way {
    /// Only as its snapshot.
    Parts,
    /// As keys that may be late, too.
    Batches,
}

fn values(n: u64) -> BTreeMap<String, String> {
    let value = |k| {
        (
            format!("k{k:03}"),
            format!("{n} {}", "x".repeat(VALUE_BYTES)),
        )
    };
    (0..KEYS).map(value).collect()
}

/// Writes the manifest of generation `n`; returns its name.
fn declare(world: &World, way: Way, n: u64) -> String {
    let prefix = &world.prefix;
    let publish = match way {
        Way::Parts => json!([]),
        Way::Batches => json!([{"keys": {"prefix": format!("{prefix}/app"), "atomic": false}}]),
    };
    let spec = json!({"publish": publish, "values": values(n)});
    world.check_out(
        n,
        &format!(
            "apiVersion: cfgctl.dev/v1\nkind: ConfigSet\nmetadata: {{name: checkout}}\nspec: {spec}\n"
        ),
    )
}

/// `apply` of generation `n`, which goes on in the background.
fn spawn(world: &World, way: Way, n: u64) -> Running {
    let name = declare(world, way, n);
    let arguments = ["apply", "-f", "clusters.yaml", "-f", &name, "--yes"];
    Running::new(world.user.spawn(&arguments))
}

fn apply(world: &World, way: Way, n: u64) {
    spawn(world, way, n).end().expect_code(0);
}

/// The generation of the whole snapshot that someone finds who reads it key by key; 0 for none.
fn followed(consul: &mut Raw, world: &World) -> u64 {
    let snapshot = world.snapshot_key();
    let names = AuxiliaryNames::of(&snapshot);
    loop {
        let mut get = |key: &str| consul.tree(key).remove(key).map(|(value, _)| value);
        let Some(head) = get(&snapshot) else {
            return 0;
        };
        let none = Read::new(&head, &names, |_| None);
        let parts: BTreeMap<_, _> = (none.parts.iter())
            .filter_map(|part| Some((part.clone(), get(part)?)))
            .collect();
        let read = Read::new(&head, &names, |part| parts.get(part).map(Vec::as_slice));
        match read.document {
            Ok(document) => {
                let text = |value: &Value| value.as_str().expect("text").to_owned();
                let found: BTreeMap<_, _> = (document.values().iter())
                    .map(|(key, value)| (key.clone(), text(value)))
                    .collect();
                let n = found["k000"].split(' ').next().expect("a number");
                let n = n.parse().expect("a number");
                assert_eq!(found, values(n), "a mixture");
                return n;
            }
            // Parts outlast one more write; a reader that was slower than two begins again.
            Err(error) => assert_ne!(get(&snapshot), Some(head), "{error}"),
        }
    }
}

/// What the set is in its one cluster.
fn state(world: &World) -> String {
    let status = world.json(0, &["status"]);
    let state = status["clusters"][0]["state"].as_str();
    state.unwrap_or("absent").to_owned()
}

/// Nothing is there but the snapshot, its parts and its keys, all of generation `n`.
fn assert_whole(world: &World, way: Way, n: u64) {
    let mut consul = Raw::to(&world.addresses()[0]);
    assert_eq!(followed(&mut consul, world), n);
    let mut found: BTreeMap<_, _> = (consul.tree(&format!("{}/app/", world.prefix)).into_iter())
        .map(|(key, (value, _))| (key, String::from_utf8(value).expect("text")))
        .collect();
    if let Way::Batches = way {
        for (key, value) in values(n) {
            let found = found.remove(&format!("{}/app/{key}", world.prefix));
            assert_eq!(found, Some(value));
        }
    }
    assert!(found.is_empty(), "{:?}", found.keys());
    let names = AuxiliaryNames::of(&world.snapshot_key());
    assert!(consul.tree(&names.delivering).is_empty());
    assert_eq!(state(world), "in-sync");
}

async fn killed_at_any_request(way: Way) {
    let world = World::shared(1).await;
    let proxies = world.behind_proxies();
    let behind: Vec<_> = proxies.iter().map(Proxy::address).collect();
    world.declare_clusters(behind, LIMITS);
    apply(&world, way, 1);

    let mut states = Vec::new();
    let mut head = 1;
    let moments = (0..).flat_map(|nth| [(nth, When::Before), (nth, When::After)]);
    for (nth, when) in moments {
        let next = head + 1;
        let victim = kill_at(&proxies, nth, when);
        let running = spawn(&world, way, next);
        victim.set(running.pid()).expect("one victim");
        let ran = running.end();
        for proxy in &proxies {
            proxy.until_idle();
            proxy.forward();
        }
        if ran.code.is_some() {
            // It has fewer requests than this.
            ran.expect_code(0);
            assert!(nth > 4, "only {nth} requests");
            break;
        }
        let mut consul = Raw::to(&world.addresses()[0]);
        let found = followed(&mut consul, &world);
        assert!([head, next].contains(&found), "{nth} {when:?}: {found}");

        let state = state(&world);
        if state == "unfinished" {
            let drift = world.json(1, &["drift"]);
            let drifted = &drift["clusters"][0];
            assert_eq!(drifted["keys"], json!([]), "nobody else changed anything");
            assert_eq!(drifted["foreign"], json!([]));
            let mend = drifted["mend"][0].as_str().expect("a command");
            let mut mend: Vec<_> = mend.split(' ').skip(1).collect();
            mend.push("--yes");
            world.user.ok(&mend);
            assert_whole(&world, way, next);
        }
        states.push(state);
        apply(&world, way, next);
        assert_whole(&world, way, next);
        head = next;
    }
    let batches = matches!(way, Way::Batches);
    assert_eq!(states.iter().any(|state| state == "unfinished"), batches);

    // What is left of all that goes with the set.
    world.user.ok(&["delete", "checkout", "--yes"]);
    assert_eq!(world.tree(0), BTreeMap::new());
}

#[tokio::test]
async fn a_delivery_in_parts_that_is_killed_at_any_request_is_completed_by_the_next() {
    killed_at_any_request(Way::Parts).await;
}

#[tokio::test]
async fn a_delivery_in_batches_that_is_killed_at_any_request_is_completed_by_the_next() {
    killed_at_any_request(Way::Batches).await;
}

/// So little fits into a request that a set takes a dozen of them and more.
const TIGHT: &str = " limits: {operations: 64, valueBytes: 16384, requestBytes: 16384},";
/// How long a slow Consul takes for a request, and how long it is waited for with all of them.
const SLOW: Duration = Duration::from_millis(400);
const TIMEOUT: &str = "2s";
/// More passes than it takes on any machine, each of which must get one request through.
const PASSES: usize = 100;

async fn too_slow_for_one_pass(way: Way) {
    let world = World::shared(1).await;
    let proxies = world.behind_proxies();
    world.declare_clusters(proxies.iter().map(Proxy::address), TIGHT);
    proxies[0].rule(|request| {
        if request.is_write() {
            std::thread::sleep(SLOW);
        }
        Fate::Forward
    });
    let name = declare(&world, way, 1);
    let files = ["-f", "clusters.yaml", "-f", &name];
    let how = ["--yes", "--timeout", TIMEOUT, "-o", "json"];
    let said = world.user.run(&[&["apply"], &files[..], &how].concat());
    let said = said.expect_code(3);
    assert_eq!(said.outcomes(), ["stopped"]);
    let reason = said.each_cluster("reason").concat();
    assert!(reason.starts_with("stopped after 2 s, "), "{reason}");
    assert!(reason.contains("`cfgctl apply --resume`"), "{reason}");

    let mut passes = 0;
    loop {
        // What was on its way when it was given up arrives all the same.
        proxies[0].until_idle();
        passes += 1;
        assert!(passes < PASSES, "it never comes through");
        let ran = world.user.run(&[&["apply", "--resume"], &how[..]].concat());
        if ran.code == Some(0) {
            break;
        }
        ran.expect_code(3);
    }
    assert!(passes > 1, "it is not slow enough");
    proxies[0].forward();
    assert_whole(&world, way, 1);
}

#[tokio::test]
async fn a_set_in_parts_that_needs_longer_than_the_timeout_comes_through_pass_by_pass() {
    too_slow_for_one_pass(Way::Parts).await;
}

#[tokio::test]
async fn a_set_in_batches_that_needs_longer_than_the_timeout_comes_through_pass_by_pass() {
    too_slow_for_one_pass(Way::Batches).await;
}

#[tokio::test]
async fn who_reads_key_by_key_never_sees_half_of_a_large_snapshot() {
    let world = Arc::new(World::shared(1).await);
    world.declare_clusters(world.addresses(), LIMITS);
    apply(&world, Way::Batches, 1);
    let stop = Arc::new(AtomicBool::new(false));
    let reader = {
        let (world, stop) = (Arc::clone(&world), Arc::clone(&stop));
        std::thread::spawn(move || {
            let mut consul = Raw::to(&world.addresses()[0]);
            let mut seen = vec![1];
            loop {
                let last_look = stop.load(Ordering::SeqCst);
                let now = followed(&mut consul, &world);
                let newest = seen[seen.len() - 1];
                assert!(now >= newest, "{now} after {newest}");
                if now > newest {
                    seen.push(now);
                }
                if last_look {
                    return seen;
                }
            }
        })
    };
    for n in 2..15 {
        apply(&world, Way::Batches, n);
    }
    stop.store(true, Ordering::SeqCst);
    let seen = reader.join().expect("a reader");
    assert_eq!(seen.last(), Some(&14));
    assert!(seen.len() > 3, "it saw only {seen:?}");
}

#[tokio::test]
async fn more_keys_than_fit_are_refused_unless_they_may_be_late() {
    let world = World::shared(1).await;
    world.declare_clusters(world.addresses(), LIMITS);
    apply(&world, Way::Batches, 1);
    let text = std::fs::read_to_string(world.user.directory().join("checkout-1/checkout.yaml"));
    let text = text.expect("a file").replace("\"atomic\":false,", "");
    world.user.write("atomic.yaml", &text);
    let arguments = ["apply", "-f", "clusters.yaml", "-f", "atomic.yaml", "--yes"];
    let ran = world.user.run(&arguments);
    assert_eq!(ran.code, Some(2), "{}", ran.stderr);
    for part in [
        "operations in one transaction, the limit is 64",
        "`atomic: false`",
    ] {
        assert!(ran.stderr.contains(part), "{part}: {}", ran.stderr);
    }
    assert_whole(&world, Way::Batches, 1);
}
