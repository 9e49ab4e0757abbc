//! What an operation on one set costs beside everything else: thousands of other sets in the
//! store, and clusters that do not answer.

use std::fmt::Write as _;
use std::fs;
use std::net::TcpListener;
use std::time::Duration;

use crate::inputs::World;
use crate::measure::{Sample, User, clocked};
use crate::table::{Aim, Table};
use crate::trip::{applied, until_changed};

/// How many other sets there are.
const CROWDS: [usize; 4] = [10, 100, 1000, 5000];
/// How often a breaker is tripped in each crowd.
const TRIPS: usize = 11;
/// How long a command waits for a silent cluster that puts everything back after a trip.
const REST: Duration = Duration::from_secs(1);
/// A store of thousands of sets is slow to make; few runs tell enough.
const MOST_RUNS: usize = 3;
/// What a person asks about one set.
const QUESTIONS: [(&str, &[&str]); 4] = [
    ("status", &["status", "checkout"]),
    ("explain", &["explain", "checkout", "payment.provider"]),
    ("flag get", &["flag", "get", "checkout/express-pay"]),
    ("history", &["history", "checkout"]),
];

pub(crate) fn measure(table: &mut Table, addresses: &[String]) {
    let alone = Place::new(addresses, &Others::default()).trips(TRIPS);
    table.add(
        "`breaker trip --yes`, nothing else in the store",
        &alone,
        &[],
    );
    crowds(table, addresses, &alone);
    silent_clusters(table, addresses, &alone);
    many_sets(table);
}

/// The same trip and the same questions while the store grows around them.
fn crowds(table: &mut Table, addresses: &[String], alone: &Sample) {
    let mut trips = Vec::new();
    let mut answers: [Vec<Sample>; QUESTIONS.len()] = Default::default();
    for sets in CROWDS {
        let others = Others {
            sets,
            ..Others::default()
        };
        let place = Place::new(addresses, &others);
        trips.push(place.trips(TRIPS));
        for ((_, question), answers) in QUESTIONS.iter().zip(&mut answers) {
            let ask = |user: &User| user.cfgctl(question);
            let [answer] = place.user.samples(TRIPS, [&ask]);
            answers.push(answer);
        }
        if sets == CROWDS[CROWDS.len() - 1] {
            let what = format!("`breaker trip --yes` beside {sets} other sets");
            table.aim(
                &format!("{what}: 1.5 times that of a set alone"),
                Aim::Share(1.5, alone),
                trips.last().expect("a sample"),
            );
            let memory = place
                .user
                .peak_memory(MOST_RUNS, &["breaker", "trip", BREAKER, "--yes"]);
            table.aim(
                &format!("{what}: peak memory of 25 MiB"),
                Aim::Mebibytes(25.0),
                &memory,
            );
            table.add(&format!("{what}: peak memory"), &memory, &[]);
        }
    }
    let [least, .., most] = CROWDS;
    for ((name, _), answers) in QUESTIONS.iter().zip(&answers) {
        let what = format!("`{name}` of one set");
        let [few, .., many] = answers.as_slice() else {
            unreachable!("there are several crowds")
        };
        table.aim(
            &format!("{what} among {most}: twice that of one among {least}"),
            Aim::Share(2.0, few),
            many,
        );
        table.beside_growth(&format!("{what}: other sets in the store"), answers);
    }
    table.beside_growth("`breaker trip --yes`: other sets in the store", &trips);
}

/// The same trip beside clusters that take a request and never answer.
fn silent_clusters(table: &mut Table, addresses: &[String], alone: &Sample) {
    let (_held, address) = silent();
    let rows = [
        (Silent::Stranger, "beside a silent cluster of another set"),
        (Silent::OfTheSet, "where a cluster of the set is silent"),
    ];
    // Each trip beside them comes after its reset has waited for one of them; whoever has rested as
    // long begins as cold.
    let rested = Place::new(addresses, &Others::default());
    let rested = rested.trips_after(REST, TRIPS.min(table.runs));
    let what = "`breaker trip --yes`, nothing else in the store, after a rest";
    table.add(what, &rested, &[]);
    for (silent, which) in rows {
        let others = Others {
            silent: Some((silent, address.clone())),
            ..Others::default()
        };
        let trips = Place::new(addresses, &others).trips(TRIPS.min(table.runs));
        let alone = match silent {
            Silent::Stranger => alone,
            Silent::OfTheSet => &rested,
        };
        let what = format!("`breaker trip --yes` until the key is changed, {which}");
        table.aim(
            &format!("{what}: 1.5 times that of a set alone"),
            Aim::Share(1.5, alone),
            &trips,
        );
        table.add(&what, &trips, &[]);
    }
}

/// Five thousand sets that nobody has applied before.
fn many_sets(table: &mut Table) {
    let sets = CROWDS[CROWDS.len() - 1];
    let mut first = Sample::default();
    let runs = table.runs.min(MOST_RUNS);
    let arguments = ["apply", "-f", "world", "--yes"];
    // They stay until all is measured: ext4 takes long to find room among thousands of files that
    // were just deleted, which is no part of an apply.
    let mut users = Vec::new();
    for _ in 0..runs {
        let user = User::new();
        World::in_a_directory(sets, 20).write(&user);
        first.add(clocked(|| user.cfgctl(&arguments)));
        users.push(user);
    }
    let what = format!("first apply of {sets} sets to one directory");
    let user = User::new();
    World::in_a_directory(sets, 20).write(&user);
    let memory = user.peak_memory(1, &arguments);
    table.aim(
        &format!("{what}: under 4 s"),
        Aim::Milliseconds(4000.0),
        &first,
    );
    table.aim(
        &format!("{what}: peak memory of 250 MiB"),
        Aim::Mebibytes(250.0),
        &memory,
    );
    table.add(&what, &first, &[]);
    table.add(&format!("{what}: peak memory"), &memory, &[]);
}

/// Somebody who takes connections and never answers, and where. What was never accepted looks like a host
/// that lets everything vanish.
pub(crate) fn silent() -> (TcpListener, String) {
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}", silent.local_addr().expect("an address"));
    (silent, address)
}

const BREAKER: &str = "checkout/payment-provider";

/// What there is beside the set whose breaker is tripped.
#[derive(Debug, Default)]
pub(crate) struct Others {
    /// How many other sets, all in one directory.
    pub(crate) sets: usize,
    /// A cluster that takes a connection and never answers.
    pub(crate) silent: Option<(Silent, String)>,
}

/// Whom a silent cluster has to do with.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Silent {
    /// With other sets only.
    Stranger,
    /// With the set whose breaker is tripped.
    OfTheSet,
}

/// A store with one set that has a breaker, in every Consul, and others beside it.
pub(crate) struct Place {
    pub(crate) user: User,
    addresses: Vec<String>,
    pub(crate) prefix: String,
    /// A silent cluster of the set is told as not delivered.
    exit: i32,
}

impl Place {
    pub(crate) fn new(addresses: &[String], others: &Others) -> Self {
        let (user, prefix) = applied(addresses);
        if others.sets > 0 {
            World::in_a_directory(others.sets, 20).write(&user);
            user.cfgctl(&["apply", "-f", "world", "--yes"]);
        }
        let mut exit = 0;
        if let Some((silent, address)) = &others.silent {
            let stage = match silent {
                Silent::Stranger => "elsewhere",
                Silent::OfTheSet => "here",
            };
            let mut text = format!(
                "apiVersion: cfgctl.dev/v1\nkind: Cluster\nmetadata: {{name: silent, labels: \
                 {{stage: {stage}}}}}\nspec: {{consul: {{address: \"{address}\"}}}}\n"
            );
            _ = write!(
                text,
                "---\napiVersion: cfgctl.dev/v1\nkind: ConfigSet\nmetadata: {{name: elsewhere}}\n\
                 spec: {{clusters: {{stage: elsewhere}}, values: {{a: 1}}}}\n"
            );
            fs::write(user.home().join("silent.yaml"), text).expect("a file");
            let applied = ["apply", "-f", "silent.yaml", "--yes", "--timeout", "1s"];
            // It is committed, and cannot be delivered there.
            user.cfgctl_ending_with(3, &applied);
            exit = match silent {
                Silent::Stranger => 0,
                Silent::OfTheSet => 3,
            };
        }
        Self {
            user,
            addresses: addresses.to_vec(),
            prefix,
            exit,
        }
    }

    /// The key that a trip changes.
    pub(crate) fn key(&self) -> String {
        format!("{}/app/payment/provider", self.prefix)
    }

    /// How long it takes from pressing enter until the key is another one in every Consul.
    fn trips(&self, runs: usize) -> Sample {
        self.trips_after(Duration::ZERO, runs)
    }

    /// The same, each after a rest.
    fn trips_after(&self, rest: Duration, runs: usize) -> Sample {
        let key = self.key();
        let mut sample = Sample::default();
        for run in 0..=runs {
            std::thread::sleep(rest);
            let until = until_changed(&self.addresses, &key, || {
                let trip = ["breaker", "trip", BREAKER, "--yes", "--timeout", "2s"];
                self.user.cfgctl_ending_with(self.exit, &trip);
            });
            let back = ["breaker", "reset", BREAKER, "--yes", "--timeout", "1s"];
            self.user.cfgctl_ending_with(self.exit, &back);
            if run > 0 {
                sample.add(until);
            }
        }
        sample
    }
}
