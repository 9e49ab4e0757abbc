//! Flags by OFREP: how often all flags of a set are evaluated for somebody, in a second.

use std::fmt::Write as _;
use std::fs;

use crate::measure::{Sample, Unit, User};
use crate::serve::{READERS, Server, wrk};
use crate::table::Table;

/// How many flags the sets have.
const SIZES: [usize; 2] = [5, 350];
const MOST_RUNS: usize = 5;

/// As few and as many flags as applications have, half of them with a rule.
pub(crate) fn measure(table: &mut Table) {
    let user = User::new();
    let mut world = "apiVersion: cfgctl.dev/v1\nkind: Cluster\nmetadata: {name: c0}\n\
                     spec: {directory: {path: out}}\n"
        .to_owned();
    for flags in SIZES {
        world += &manifest(flags);
    }
    fs::write(user.home().join("world.yaml"), world).expect("a file");
    user.cfgctl(&["apply", "-f", "world.yaml", "--yes"]);
    // What wrk sends, in its own words.
    let script = user.home().join("post.lua");
    let body = r#"{"context": {"targetingKey": "user-1", "tier": "beta", "country": "de"}}"#;
    let program = format!(
        "wrk.method = 'POST'\nwrk.body = '{body}'\nwrk.headers['Content-Type'] = 'application/json'\n"
    );
    fs::write(&script, program).expect("a file");
    let server = Server::start_with(&user, &["--rate-limit", "100000000"]);
    for flags in SIZES {
        let path = format!("v1/clusters/c0/sets/flags-{flags}/ofrep/v1/evaluate/flags");
        let url = format!("{}/{path}", server.address());
        let (mut rate, mut p99) = (Sample::default(), Sample::default());
        rate.unit = Unit::PerSecond;
        for run in 0..=table.runs.min(MOST_RUNS) {
            let (evaluations, slowest) = wrk(&url, &[], Some(&script));
            if run > 0 {
                rate.add_number(evaluations);
                p99.add(slowest);
            }
        }
        let what = format!("all {flags} flags of a set by OFREP, {READERS} connections");
        table.add(&format!("{what}: evaluations"), &rate, &[]);
        table.add(&format!("{what}: p99"), &p99, &[]);
    }
}

/// A set with so many flags.
fn manifest(flags: usize) -> String {
    let mut text = format!(
        "---\napiVersion: cfgctl.dev/v1\nkind: ConfigSet\nmetadata: {{name: flags-{flags}}}\nspec:\n  \
         values: {{a: 1}}\n  flags:\n"
    );
    for number in 0..flags {
        // Writing to a text cannot fail.
        _ = match number % 2 {
            0 => writeln!(text, "    flag-{number}: true"),
            _ => writeln!(
                text,
                "    flag-{number}: {{state: ENABLED, variants: {{on: true, off: false}}, \
                 defaultVariant: off, targeting: {{\"if\": [{{\"==\": [{{var: tier}}, beta]}}, on, off]}}}}"
            ),
        };
    }
    text
}
