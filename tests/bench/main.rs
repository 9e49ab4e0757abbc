//! The figures: what cfgctl costs, beside the consul command and bare HTTP on the same keys.
//!
//! `tests/bench/run` installs a Consul if there is none, builds the release binary, measures it as
//! whole processes against Consuls that it starts itself, and prints one Markdown table. Every
//! figure is the median of several runs after one that does not count, with the fastest and the
//! slowest. `RUNS` says how many; nothing here passes or fails by time.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a benchmark may stop at the first surprise, and its table is its output"
)]

mod far;
mod growth;
mod inputs;
mod measure;
mod rivals;
mod table;

#[expect(
    dead_code,
    reason = "the harness of the tests can do more than is needed here"
)]
#[path = "../it/support"]
mod support {
    pub(crate) mod consul;
}

use far::Far;
use inputs::{Shape, World};
use measure::{Sample, User, clocked};
use support::consul::Consul;
use table::Table;

/// How far away the clusters of the last rows are: there and back.
const FAR_MS: u64 = 20;
/// The clusters of a small team.
const CLUSTERS: usize = 4;

/// How often each figure is taken.
fn runs() -> usize {
    let asked = std::env::var_os("RUNS").and_then(|runs| runs.into_string().ok()?.parse().ok());
    asked.unwrap_or(11)
}

fn main() {
    // `cargo bench` and `cargo test --benches` pass arguments that mean nothing here.
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let mut consuls = Vec::new();
    for _ in 0..CLUSTERS {
        consuls.push(runtime.block_on(Consul::start()));
    }
    let near: Vec<String> = consuls.iter().map(Consul::address).collect();
    let proxies: Vec<Far> = near
        .iter()
        .map(|address| Far::new(address, FAR_MS))
        .collect();
    let far: Vec<String> = proxies.iter().map(Far::address).collect();

    let mut table = Table::new(runs());
    startup(&mut table);
    for shape in [Shape::Document(1000), Shape::Keys(60)] {
        applying(&mut table, shape, &near[..1], "1 cluster");
        applying(&mut table, shape, &near, "4 clusters");
    }
    applying(
        &mut table,
        Shape::Keys(60),
        &far,
        &format!("4 clusters {FAR_MS} ms away"),
    );
    comparing(&mut table, &near);
    growth::measure(&mut table, &near);
    println!("{}", table.markdown());
}

/// What a command costs that does next to nothing.
fn startup(table: &mut Table) {
    let user = User::new();
    let shop = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/shop");
    let version = user.sample(table.runs, |user| user.cfgctl(&["--version"]));
    let beside = user.sample(table.runs, |user| user.consul(&["version"]));
    table.add(
        "start: `--version`",
        &version,
        &[("`consul version`", beside)],
    );
    let validate = user.sample(table.runs, |user| user.cfgctl(&["validate", "-f", shop]));
    table.add("start: `validate -f fixtures/shop`", &validate, &[]);
}

/// The first apply of one set, and then a change of one key in it.
fn applying(table: &mut Table, shape: Shape, addresses: &[String], to: &str) {
    let (mut first, mut change) = (Sample::default(), Sample::default());
    let (mut import, mut put) = (Sample::default(), Sample::default());
    for run in 0..=table.runs {
        let user = User::new();
        let mut world = World::one(shape, addresses);
        world.write(&user);
        let apply = |user: &User| user.cfgctl(&["apply", "-f", "world", "--yes"]);
        let took = clocked(|| apply(&user));
        world.change(run);
        world.write(&user);
        let again = clocked(|| apply(&user));
        let keys = rivals::keys(&world, &user);
        let imported = rivals::import(&user, addresses);
        let (key, value) = &keys[0];
        let changed = rivals::put(&user, addresses, key, value);
        // The first run warms everything up.
        if run > 0 {
            first.add(took);
            change.add(again);
            import.add(imported);
            put.add(changed);
        }
    }
    let bare = rivals::bare(addresses, 10 * table.runs);
    table.add(
        &format!("first apply of {shape}, to {to}"),
        &first,
        &[("`consul kv import`", import)],
    );
    table.add(
        &format!("one key of {shape} changed, to {to}"),
        &change,
        &[
            ("`consul kv put`", put),
            ("slowest of as many bare PUTs", bare),
        ],
    );
}

/// `diff` of a hundred sets that are everywhere as they should be: time and memory.
fn comparing(table: &mut Table, addresses: &[String]) {
    let user = User::new();
    let world = World::many(100, 20, addresses, CLUSTERS);
    world.write(&user);
    user.cfgctl(&["apply", "-f", "world", "--yes"]);
    let time = user.sample(table.runs, |user| user.cfgctl(&["diff", "-f", "world"]));
    let export = user.sample(table.runs, |user| rivals::export(user, addresses));
    table.add(
        "`diff` of 100 unchanged sets × 4 clusters",
        &time,
        &[("`consul kv export`", export)],
    );
    let memory = user.peak_memory(table.runs, &["diff", "-f", "world"]);
    table.add("the same: peak memory", &memory, &[]);
}
