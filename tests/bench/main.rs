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

mod alert;
mod crowd;
mod far;
mod growth;
mod inputs;
mod measure;
mod ofrep;
mod rivals;
mod serve;
mod table;
mod trip;

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
use rivals::Bare;
use support::consul::Consul;
use table::{Aim, Table};

/// How far away the clusters of some rows are: there and back.
const FAR_MS: u64 = 20;
/// The clusters of a small team.
const CLUSTERS: usize = 4;
/// The Consuls that a hundred clusters share. Each grants 200 connections to one address, and a
/// cluster takes up to eight.
const CONSULS: usize = 10;

/// How often each figure is taken.
fn runs() -> usize {
    let asked = std::env::var_os("RUNS").and_then(|runs| runs.into_string().ok()?.parse().ok());
    asked.unwrap_or(11)
}

/// One part of the figures, and what it is called on the command line.
type Part = (&'static str, fn(&mut Table, &Places));

const PARTS: [Part; 10] = [
    ("startup", |table, _| startup(table)),
    ("applying", |table, places| {
        for shape in [Shape::Document(1000), Shape::Keys(60)] {
            applying(table, shape, &places.near[..1], "1 cluster");
            applying(table, shape, &places.near, "4 clusters");
        }
        let to = format!("4 clusters {FAR_MS} ms away");
        applying(table, Shape::Keys(60), &places.far, &to);
    }),
    ("trip", |table, places| trip::measure(table, &places.near)),
    ("crowd", |table, places| crowd::measure(table, &places.near)),
    ("comparing", |table, places| comparing(table, &places.near)),
    ("serve", |table, places| serve::measure(table, &places.near)),
    ("waiting", |table, places| {
        serve::waiting(table, &places.near);
    }),
    ("alert", |table, places| {
        alert::measure(table, &places.near);
    }),
    ("ofrep", |table, _| ofrep::measure(table)),
    ("growth", |table, places| {
        growth::measure(table, &places.many);
    }),
];

/// The Consuls of all parts, by address.
struct Places {
    near: Vec<String>,
    far: Vec<String>,
    many: Vec<String>,
}

fn main() {
    // `cargo bench` adds an option that means nothing here; names choose parts.
    let chosen: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with('-'))
        .collect();
    let is_chosen = |name: &str| chosen.is_empty() || chosen.iter().any(|it| it == name);
    for name in &chosen {
        assert!(
            PARTS.iter().any(|(part, _)| part == name),
            "`{name}` is none of {}",
            PARTS.map(|(part, _)| part).join(", ")
        );
    }
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let consuls: Vec<Consul> = (0..CONSULS)
        .map(|_| runtime.block_on(Consul::start()))
        .collect();
    let many: Vec<String> = consuls.iter().map(Consul::address).collect();
    let near = many[..CLUSTERS].to_vec();
    let proxies: Vec<Far> = near
        .iter()
        .map(|address| Far::new(address, FAR_MS))
        .collect();
    let places = Places {
        far: proxies.iter().map(Far::address).collect(),
        near,
        many,
    };

    let mut table = Table::new(runs());
    for (name, measure) in PARTS {
        if is_chosen(name) {
            measure(&mut table, &places);
        }
    }
    println!("{}", table.markdown(&circumstances(runs())));
}

/// What the figures depend on, and how they came to be.
fn circumstances(runs: usize) -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let fsync = measure::fsync(10 * runs).median();
    format!(
        "Medians of {runs} runs ({} for what grows), taking turns, on {cores} cores; whole \
         processes, and a store that each first apply creates on a disk whose fsync takes \
         {fsync:.1} ms; {} `-dev` on loopback. ×: cfgctl in units of the other. A bare \
         PUT is one round trip over an open connection; a bare change is what none can do without: \
         connect, read, compare and set as many bytes; both to all clusters at once, until the \
         slowest is done.",
        runs.min(growth::MOST_RUNS),
        measure::consul_version(),
    )
}

/// What a command costs that does next to nothing.
fn startup(table: &mut Table) {
    let user = User::new();
    let shop = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/shop");
    let [version, beside, validate] = user.samples(
        table.runs,
        [
            &|user| user.cfgctl(&["--version"]),
            &|user| user.consul(&["version"]),
            &|user| user.cfgctl(&["validate", "-f", shop]),
        ],
    );
    table.aim("`--version` under 5 ms", Aim::Milliseconds(5.0), &version);
    table.add("`--version`", &version, &[("`consul version`", &beside)]);
    table.add("`validate -f fixtures/shop`", &validate, &[]);
}

/// The first apply of one set, and then a change of one key in it.
fn applying(table: &mut Table, shape: Shape, addresses: &[String], to: &str) {
    let (mut first, mut change) = (Sample::default(), Sample::default());
    let (mut import, mut put) = (Sample::default(), Sample::default());
    let (mut trip, mut bare) = (Sample::default(), Sample::default());
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
        let Bare { once, all } = rivals::bare(addresses, world.bytes());
        // The first run warms everything up.
        if run > 0 {
            first.add(took);
            change.add(again);
            import.add(imported);
            put.add(changed);
            trip.add(once);
            bare.add(all);
        }
    }
    if shape == Shape::Document(1000) {
        table.aim(
            &format!("first apply of {shape}, to {to}: 20 times as fast as `consul kv import`"),
            Aim::Share(1.0 / 20.0, &import),
            &first,
        );
    }
    if addresses.len() > 1 {
        table.aim(
            &format!(
                "one key of {shape} changed, to {to}: at most 3 times the slowest bare change"
            ),
            Aim::Share(3.0, &bare),
            &change,
        );
        table.aim(
            &format!("one key of {shape} changed, to {to}: as fast as as many `consul kv put`"),
            Aim::Share(1.0, &put),
            &change,
        );
    }
    table.add(
        &format!("first apply of {shape}, to {to}"),
        &first,
        &[("`consul kv import`", &import)],
    );
    table.add(
        &format!("one key of {shape} changed, to {to}"),
        &change,
        &[
            ("`consul kv put`", &put),
            ("bare change", &bare),
            ("bare PUT", &trip),
        ],
    );
}

/// `diff` of a hundred sets that are everywhere as they should be: time and memory.
fn comparing(table: &mut Table, addresses: &[String]) {
    let user = User::new();
    let world = World::many(100, 20, addresses, CLUSTERS);
    world.write(&user);
    user.cfgctl(&["apply", "-f", "world", "--yes"]);
    let diff = |user: &User| user.cfgctl(&["diff", "-f", "world"]);
    let export = |user: &User| rivals::export(user, addresses, &world);
    let [time, export] = user.samples(table.runs, [&diff, &export]);
    let what = "`diff` of 100 unchanged sets × 4 clusters";
    table.add(what, &time, &[("`consul kv export`", &export)]);
    let memory = user.peak_memory(table.runs, &["diff", "-f", "world"]);
    table.add(&format!("{what}: peak memory"), &memory, &[]);
}
