//! How figures grow when the input grows tenfold. Two of them are not enough: what every run
//! costs hides the growth of the rest, so the last step is the one to look at.

use crate::inputs::{Shape, World};
use crate::measure::{Sample, User, clocked};
use crate::table::Table;

/// Large inputs are slow; few runs tell enough.
const MOST_RUNS: usize = 3;

pub(crate) fn measure(table: &mut Table, addresses: &[String]) {
    let one = &addresses[..1];
    let worlds: [(&str, &str, Vec<World>); 3] = [
        (
            "sets",
            "20 leaves, 1 cluster",
            [10, 100, 1000]
                .map(|sets| World::many(sets, 20, one, 1))
                .into(),
        ),
        (
            "clusters",
            "10 sets of 20 leaves",
            [4, 40, 400]
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
    let user = User::new();
    world.write(&user);
    let validate = user.sample(runs, |user| user.cfgctl(&["validate", "-f", "world"]));
    for run in 0..runs {
        // A store of its own, and everything new in Consul.
        let user = User::new();
        world.afresh();
        world.write(&user);
        first.add(clocked(|| user.cfgctl(&["apply", "-f", "world", "--yes"])));
        world.change(run);
        world.write(&user);
        change.add(clocked(|| user.cfgctl(&["apply", "-f", "world", "--yes"])));
    }
    world.afresh();
    world.write(&user);
    user.cfgctl(&["apply", "-f", "world", "--yes"]);
    let diff = user.sample(runs, |user| user.cfgctl(&["diff", "-f", "world"]));
    let memory = user.peak_memory(runs, &["diff", "-f", "world"]);
    [validate, first, change, diff, memory]
}
