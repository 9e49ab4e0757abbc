//! How figures grow when the input grows tenfold. Two of them are not enough: what every run
//! costs hides the growth of the rest, so the last step is the one to look at.

use crate::inputs::{Shape, World};
use crate::measure::{Sample, User, clocked};
use crate::table::{Aim, Table};

/// Large inputs are slow; few runs tell enough.
pub(crate) const MOST_RUNS: usize = 3;

pub(crate) fn measure(table: &mut Table, addresses: &[String]) {
    let one = &addresses[..1];
    let worlds: [(&str, &str, Vec<World>); 3] = [
        (
            "sets",
            "each 20 leaves and a schema, 1 cluster",
            [10, 100, 1000]
                .map(|sets| World::many(sets, 20, one, 1))
                .into(),
        ),
        (
            "clusters",
            "10 sets of 20 leaves",
            [1, 10, 100]
                .map(|clusters| World::many(10, 20, addresses, clusters))
                .into(),
        ),
        (
            "keys",
            "as one document, 1 cluster",
            [10, 100, 1000]
                .map(|leaves| World::one(Shape::Document(leaves), one))
                .into(),
        ),
    ];
    for (what, fixed, worlds) in worlds {
        let grown: Vec<[Sample; 5]> = worlds
            .into_iter()
            .map(|world| figures(table, world))
            .collect();
        for (index, name) in NAMES.iter().enumerate() {
            let samples: Vec<_> = grown.iter().map(|samples| samples[index].clone()).collect();
            let limit = match *name {
                "`validate`" => Some(300.0),
                "one key changed" => Some(400.0),
                _ => None,
            };
            if let (Some(limit), "sets") = (limit, what) {
                table.aim(
                    &format!("{name}, 1,000 sets declared: under {limit} ms"),
                    Aim::Milliseconds(limit),
                    samples.last().expect("a sample"),
                );
            }
            table.grow(&format!("{name}: {what} ({fixed})"), &samples);
        }
    }
}

const NAMES: [&str; 5] = [
    "`validate`",
    "first apply",
    "one key changed",
    "`diff`, nothing changed",
    "`diff`: peak memory",
];

fn figures(table: &Table, mut world: World) -> [Sample; 5] {
    let runs = table.runs.min(MOST_RUNS);
    let (mut first, mut change) = (Sample::default(), Sample::default());
    let mut user = User::new();
    for run in 0..runs {
        // A store of its own, and everything new in Consul.
        user = User::new();
        world.afresh();
        world.write(&user);
        first.add(clocked(|| user.cfgctl(&["apply", "-f", "world", "--yes"])));
        world.change(run);
        world.write(&user);
        change.add(clocked(|| user.cfgctl(&["apply", "-f", "world", "--yes"])));
    }
    let validate = |user: &User| user.cfgctl(&["validate", "-f", "world"]);
    let diff = |user: &User| user.cfgctl(&["diff", "-f", "world"]);
    let [validate, diff] = user.samples(runs, [&validate, &diff]);
    let memory = user.peak_memory(runs, &["diff", "-f", "world"]);
    [validate, first, change, diff, memory]
}
