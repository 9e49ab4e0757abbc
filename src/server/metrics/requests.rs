//! Requests: how many there were of each route, how they ended, and how long they took.
//!
//! All that can be counted has a place from the start, so that no request waits for another one or
//! allocates for it, and nothing that a client makes up becomes a label.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::server::counts::Count;

/// The statuses that are told apart; any other counts as `other`.
const STATUSES: [u16; 19] = [
    200, 304, 202, 400, 401, 403, 404, 405, 408, 409, 412, 413, 415, 422, 428, 429, 500, 503, 504,
];
/// The same as labels, and what stands for the rest.
const STATUS_NAMES: [&str; 20] = [
    "200", "304", "202", "400", "401", "403", "404", "405", "408", "409", "412", "413", "415",
    "422", "428", "429", "500", "503", "504", "other",
];
/// What is no route, and a method that a route does not have.
const OTHER: &str = "other";

/// The bounds of how long it takes, in microseconds: reads from memory to deliveries everywhere.
const BOUNDS: [u64; 14] = [
    100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000,
    5_000_000, 30_000_000,
];

/// All of them.
#[derive(Debug)]
pub(in crate::server) struct Requests {
    routes: BTreeMap<&'static str, Vec<Row>>,
    others: Row,
}

/// Those of one method of one route.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) route: &'static str,
    pub(super) method: &'static str,
    statuses: [Count; STATUS_NAMES.len()],
    took: [Count; BOUNDS.len() + 1],
    microseconds: Count,
}

impl Requests {
    /// Of these methods and routes.
    pub(super) fn of(routes: impl IntoIterator<Item = (&'static str, &'static str)>) -> Self {
        let mut rows: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (method, route) in routes {
            rows.entry(route).or_default().push(Row::new(route, method));
        }
        Self {
            routes: rows,
            others: Row::new(OTHER, OTHER),
        }
    }

    /// Counts one that was answered after so long; `None`: it had something to wait for, and how
    /// long that took says nothing of the server.
    pub(in crate::server) fn count(
        &self,
        method: &str,
        route: Option<&str>,
        status: u16,
        took: Option<Duration>,
    ) {
        // Whoever may get something may ask for its head alone.
        let method = if method == "HEAD" { "GET" } else { method };
        let rows = route.and_then(|route| self.routes.get(route));
        let row = rows.and_then(|rows| {
            let mut rows = rows.iter();
            rows.find(|row| row.method.eq_ignore_ascii_case(method))
        });
        row.unwrap_or(&self.others).count(status, took);
    }

    /// Those that something was counted of.
    pub(super) fn rows(&self) -> impl Iterator<Item = &Row> {
        let rows = self.routes.values().flatten();
        rows.chain([&self.others]).filter(|row| row.is_used())
    }
}

impl Row {
    fn new(route: &'static str, method: &'static str) -> Self {
        Self {
            route,
            method,
            statuses: std::array::from_fn(|_| Count::default()),
            took: std::array::from_fn(|_| Count::default()),
            microseconds: Count::default(),
        }
    }

    fn count(&self, status: u16, took: Option<Duration>) {
        let status = STATUSES.iter().position(|it| *it == status);
        if let Some(count) = self.statuses.get(status.unwrap_or(STATUSES.len())) {
            count.add_one();
        }
        let Some(took) = took else {
            return;
        };
        let took = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let bucket = BOUNDS.partition_point(|bound| *bound < took);
        if let Some(count) = self.took.get(bucket) {
            count.add_one();
        }
        self.microseconds.add(took);
    }

    fn is_used(&self) -> bool {
        self.statuses.iter().any(|count| count.get() > 0)
    }

    /// How often each status was answered.
    pub(super) fn statuses(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let counts = self.statuses.iter().map(Count::get);
        let named = STATUS_NAMES.into_iter().zip(counts);
        named.filter(|(_, count)| *count > 0)
    }

    /// Seconds of all together, and how many took at most so many seconds each.
    pub(super) fn took(&self) -> (f64, Vec<(f64, u64)>) {
        let bounds = BOUNDS.into_iter().map(seconds).chain([f64::INFINITY]);
        let buckets = bounds.zip(self.took.iter().map(Count::get)).collect();
        (seconds(self.microseconds.get()), buckets)
    }
}

fn seconds(microseconds: u64) -> f64 {
    Duration::from_micros(microseconds).as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::refusal::problem_statuses;

    #[test]
    fn every_status_that_is_answered_has_a_place() {
        for (status, name) in STATUSES.iter().zip(STATUS_NAMES) {
            assert_eq!(status.to_string(), name);
        }
        for (status, _) in problem_statuses() {
            assert!(STATUSES.contains(&status), "{status}");
        }
        assert!(BOUNDS.is_sorted());
    }

    #[test]
    fn what_a_client_makes_up_is_counted_under_one_name() {
        let requests = Requests::of([("get", "/a"), ("post", "/a"), ("get", "/b/{c}")]);
        let took = Some(Duration::from_micros(250));
        requests.count("GET", Some("/a"), 200, took);
        requests.count("HEAD", Some("/a"), 200, Some(Duration::from_secs(60)));
        requests.count("GET", Some("/b/{c}"), 404, None);
        requests.count("BREW", Some("/a"), 405, took);
        requests.count("GET", None, 404, took);
        requests.count("GET", Some("/b/x"), 999, took);
        let rows: Vec<_> = requests
            .rows()
            .map(|row| (row.route, row.method, row.statuses().collect::<Vec<_>>()))
            .collect();
        assert_eq!(
            rows,
            [
                ("/a", "get", vec![("200", 2)]),
                ("/b/{c}", "get", vec![("404", 1)]),
                (OTHER, OTHER, vec![("404", 1), ("405", 1), ("other", 1)]),
            ]
        );
        let row = requests.rows().next().unwrap();
        let (sum, buckets) = row.took();
        assert!((sum - 60.00025).abs() < 1e-9, "{sum}");
        let filled: Vec<_> = buckets
            .into_iter()
            .filter(|(_, count)| *count > 0)
            .collect();
        assert_eq!(filled, [(0.00025, 1), (f64::INFINITY, 1)]);
        let waited = requests.rows().nth(1).unwrap().took();
        assert!(waited.1.iter().all(|(_, count)| *count == 0), "it waited");
    }
}
