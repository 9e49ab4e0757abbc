//! `/metrics`: what Prometheus reads of a server and of its store, and what the log of the server says.

use std::collections::{BTreeMap, BTreeSet};

use rustix::process::Signal;
use serde_json::Value;

use crate::support::cli::Cfgctl;
use crate::support::python;
use crate::support::server::Server;
use crate::support::transcript::bring;

const FILES: &str = "fixtures/quickstart";
const TRIP: [&str; 5] = [
    "breaker",
    "trip",
    "checkout/payment-provider",
    "--yes",
    "--reason=down",
];

/// A server over a store with the first example in it, who works beside it, and who works through it.
fn served(more: &[&str]) -> (Cfgctl, Server) {
    let user = Cfgctl::new().with("CFGCTL_STORE", "store.db");
    bring(&user, FILES);
    let arguments = ["--allow-directories", "target", "--recover"];
    let server = Server::start(&user, &[&arguments, more].concat());
    user.ok(&["apply", "-f", FILES, "--yes"]);
    (user, server)
}

/// What is read as metrics.
fn scrape(server: &Server) -> String {
    let (status, text) = server.ask_known("GET /metrics", "", "");
    assert_eq!(status, 200, "{text}");
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let kind = "content-type: text/plain; version=0.0.4; charset=utf-8";
    assert!(head.lines().any(|line| line == kind), "{head}");
    body.to_owned()
}

/// Every sample of a text: its name with its labels, and its value.
fn samples(text: &str) -> BTreeMap<&str, f64> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let samples = lines.map(|line| line.rsplit_once(' ').unwrap());
    let mut found = BTreeMap::new();
    for (name, value) in samples {
        let before = found.insert(name, value.parse().unwrap());
        assert_eq!(before, None, "{name} twice");
    }
    found
}

/// What is said of what follows from the store.
fn of_the_store(text: &str) -> Vec<&str> {
    let names = ["cfgctl_set_version", "cfgctl_breaker_state", "cfgctl_store"];
    let lines = text.lines();
    lines
        .filter(|line| names.iter().any(|name| line.starts_with(name)))
        .collect()
}

/// What a reader makes of it that is not ours: a line for each sample, with its family and kind.
fn judged(text: &str) -> Vec<(String, String, String)> {
    let program = "
import sys
from prometheus_client.parser import text_string_to_metric_families
for family in text_string_to_metric_families(sys.stdin.read()):
    assert family.documentation, family.name
    for sample in family.samples:
        print(family.name, family.type, sample.name, *sorted(sample.labels))
";
    let lines = String::from_utf8(python::judged(program, text.as_bytes())).unwrap();
    let lines = lines.lines().map(|line| {
        let mut words = line.splitn(4, ' ');
        let mut word = || words.next().unwrap_or_default().to_owned();
        let (_, kind, name, labels) = (word(), word(), word(), word());
        (name, kind, labels)
    });
    lines.collect()
}

/// The rows of the table of metrics in README.md: name, kind and labels.
fn documented() -> BTreeMap<String, (String, BTreeSet<String>)> {
    let readme = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
    let readme = std::fs::read_to_string(readme).unwrap();
    let rows = readme.lines().filter_map(|line| {
        let cells: Vec<_> = line.strip_prefix("| `cfgctl_")?.split(" | ").collect();
        let [name, kind, labels, ..] = cells[..] else {
            panic!("no row of metrics: {line}");
        };
        let labels = labels.split(", ").map(|it| it.trim_matches('`').to_owned());
        let labels = labels.filter(|it| !it.is_empty()).collect();
        let name = format!("cfgctl_{}", name.trim_end_matches('`'));
        Some((name, (kind.to_owned(), labels)))
    });
    rows.collect()
}

#[test]
fn others_read_the_metrics_and_the_readme_names_all_of_them() {
    let (mut user, server) = served(&[]);
    // So that each has something to say.
    server.lead(&mut user);
    user.ok(&TRIP);
    let text = scrape(&server);
    let judged = judged(&text);
    assert_eq!(judged.len(), samples(&text).len(), "{text}");
    let documented = documented();
    let mut families: BTreeMap<String, (String, BTreeSet<String>)> = BTreeMap::new();
    for line in text.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
        let (name, kind) = line.split_once(' ').unwrap();
        families.insert(name.to_owned(), (kind.to_owned(), BTreeSet::new()));
    }
    for (name, kind, labels) in judged {
        assert_ne!(kind, "unknown", "{name}");
        let family = ["", "_bucket", "_sum", "_count"]
            .into_iter()
            .find_map(|end| {
                let family = name.strip_suffix(end)?;
                families.contains_key(family).then(|| family.to_owned())
            });
        let (found, all) = families.get_mut(&family.unwrap()).unwrap();
        assert_eq!(kind, *found, "{name}");
        let labels = labels.split_whitespace().filter(|label| *label != "le");
        all.extend(labels.map(ToOwned::to_owned));
    }
    assert_eq!(families, documented);
}

#[test]
fn nothing_that_a_client_makes_up_becomes_a_label() {
    let (_host, server) = served(&[]);
    for _ in 0..3 {
        let wrong = "Authorization: Bearer made-up\r\n";
        assert_eq!(server.ask("GET /v1/status", wrong, "").0, 401);
    }
    for path in [
        "/made-up",
        "/v1/sets/made-up/revisions/head",
        "/v1/made-up?a=made-up",
    ] {
        let (status, text) = server.ask_known(&format!("GET {path}"), "", "");
        assert_eq!(status, 404, "{text}");
    }
    assert_eq!(server.ask_known("MADEUP /v1/status", "", "").0, 405);
    assert_eq!(server.ask_known("HEAD /v1/names", "", "").0, 200);
    let (status, text) = server.ask_known("GET /v1/news?after=0&wait=1s", "", "");
    assert_eq!(status, 200, "{text}");
    let text = scrape(&server);
    assert!(
        !text.contains("made-up") && !text.contains("MADEUP"),
        "{text}"
    );
    let samples = samples(&text);
    let requests = |route: &str, method: &str, status: &str| {
        let labels = format!("route=\"{route}\",method=\"{method}\",status=\"{status}\"");
        samples[&*format!("cfgctl_http_requests_total{{{labels}}}")]
    };
    let is = |found: f64, count: u32| (found - f64::from(count)).abs() < f64::EPSILON;
    assert!(is(requests("/v1/status", "get", "401"), 3));
    assert!(is(
        requests("/v1/sets/{set}/revisions/{version}", "get", "404"),
        1
    ));
    assert!(is(requests("/v1/names", "get", "200"), 1));
    assert!(is(requests("other", "other", "404"), 2));
    assert!(is(requests("other", "other", "405"), 1));
    assert!(is(
        samples["cfgctl_logins_rejected_total{reason=\"no_token\"}"],
        3
    ));
    let took = |route: &str| {
        let labels = format!("route=\"{route}\",method=\"get\"");
        samples[&*format!("cfgctl_http_request_duration_seconds_count{{{labels}}}")]
    };
    assert!(is(took("/v1/status"), 3));
    assert!(is(took("/v1/news"), 0), "a wait says nothing of the server");
}

#[test]
fn what_is_committed_beside_a_server_is_in_its_metrics() {
    let (user, server) = served(&[]);
    let other = Server::start(&user, &["--recover"]);
    let state = |text: &str| {
        let samples = samples(text);
        let name = "cfgctl_breaker_state{set=\"checkout\",breaker=\"payment-provider\",";
        let found = samples.iter().filter(|(it, _)| it.starts_with(name));
        found.map(|(_, state)| *state).collect::<Vec<_>>()
    };
    let both = || {
        let (text, others) = (scrape(&server), scrape(&other));
        assert_eq!(of_the_store(&text), of_the_store(&others));
        text
    };
    let text = both();
    assert_eq!(state(&text), [0.0; 2], "{text}");
    assert!(text.contains("cfgctl_set_version{set=\"checkout\",cluster=\"eu-west\"} 1"));
    assert!(
        text.contains("cfgctl_commits_total{cause=\"apply\"} 1\n"),
        "{text}"
    );
    user.ok(&TRIP);
    let text = both();
    assert_eq!(state(&text), [1.0; 2], "{text}");
    assert!(text.contains("cfgctl_set_version{set=\"checkout\",cluster=\"eu-west\"} 2"));
    assert!(
        text.contains("cfgctl_commits_total{cause=\"breaker\"} 1\n"),
        "{text}"
    );
    user.ok(&["breaker", "disable", "checkout/payment-provider", "--yes"]);
    assert_eq!(state(&both()), [3.0; 2]);
    user.ok(&[
        "breaker",
        "hold",
        "checkout/payment-provider",
        "--yes",
        "--reason=x",
    ]);
    assert_eq!(state(&both()), [4.0; 2]);
    // A cluster that is called otherwise gets the set no more.
    user.ok(&["delete", "cluster/eu-west", "--yes", "--keep-keys"]);
    let text = both();
    assert_eq!(state(&text), [4.0]);
    assert!(!text.contains("eu-west"), "{text}");
    user.ok(&[
        "delete",
        "checkout",
        "--yes",
        "--allow-deletes",
        "--drop-overrides=checkout/payment-provider",
    ]);
    assert!(state(&both()).is_empty());
}

#[test]
fn deliveries_of_the_server_are_counted_by_cluster_and_end() {
    let (mut user, server) = served(&[]);
    assert!(!scrape(&server).contains("cfgctl_deliveries_total{"));
    server.lead(&mut user);
    user.ok(&TRIP);
    let text = scrape(&server);
    let count = "cfgctl_deliveries_total{cluster=\"eu-west\",state=\"delivered\"} 1\n";
    assert!(text.contains(count), "{text}");
}

#[test]
fn only_who_may_see_everything_reads_the_metrics() {
    let (user, server) = served(&[]);
    let create = |name| user.ok(&["token", "create", name]).trim().to_owned();
    let (all, some) = (create("prometheus"), create("team"));
    let ask = |token: &str| {
        let head = format!("Authorization: Bearer {token}\r\n");
        server.ask("GET /metrics", &head, "")
    };
    assert_eq!(server.ask("GET /metrics", "", "").0, 401);
    assert_eq!(ask(&all).0, 403);
    let grant = |name: &str, scope: &str| {
        format!(
            "apiVersion: cfgctl.dev/v1\nkind: Grant\nmetadata: {{name: {name}}}\n\
             spec: {{to: [\"token:{name}\"], role: viewer{scope}}}\n"
        )
    };
    user.write("all.yaml", &grant("prometheus", ""));
    user.write("some.yaml", &grant("team", ", clusters: {region: eu}"));
    user.ok(&["apply", "-f", "all.yaml", "-f", "some.yaml", "--yes"]);
    assert_eq!(ask(&all).0, 200);
    let (status, text) = ask(&some);
    assert_eq!(status, 403, "{text}");
    assert!(!text.contains("checkout"), "{text}");
}

/// Every line of a log, which all are JSON.
fn lines(said: &str) -> Vec<Value> {
    let line = |line| {
        let value = serde_json::from_str::<Value>(line);
        value.unwrap_or_else(|error| panic!("{error}: {line}"))
    };
    said.lines().map(line).collect()
}

#[test]
fn with_json_every_line_of_the_log_is_an_object_and_a_change_is_one() {
    let (mut user, server) = served(&["--log", "json"]);
    server.lead(&mut user);
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let head = format!(
        "X-Request-Id: r-trip\r\ntraceparent: 00-{trace}-b7ad6b7169203331-01\r\n\
         Idempotency-Key: k-trip\r\nIf-Match: *\r\n"
    );
    let trip = |breaker: &str| {
        serde_json::json!({"request": {
            "change": {"breaker": {"set": "checkout", "breaker": breaker, "operation": {"trip": {}}}},
            "clusters": "", "consents": [], "dropped": [], "message": "see https://ops:secret@x/",
            "key": null, "planned": null, "permission": "asked",
            "pace": {"clustersAtOnce": 4, "timeout": {"secs": 15, "nanos": 0}},
        }})
        .to_string()
    };
    let (status, text) = server.ask_known("POST /v1/changes", &head, &trip("payment-provider"));
    assert_eq!(status, 200, "{text}");
    // One is refused for its name, one for want of consent, and one token is made.
    let other = head.replace("trip", "none");
    assert_eq!(
        server
            .ask_known("POST /v1/changes", &other, &trip("none"))
            .0,
        404
    );
    let unasked = "X-Request-Id: r-unasked\r\nIdempotency-Key: k\r\n";
    let (status, text) = server.ask_known("POST /v1/changes", unasked, &trip("none"));
    assert_eq!(status, 428, "{text}");
    let token = user.ok(&["token", "create", "ci"]);
    assert_eq!(server.ask("GET /v1/status", "", "").0, 401);
    server.until_said("no token");
    server.signal(Signal::TERM);
    let owner = server.token.clone();
    let (code, said) = server.end();
    assert_eq!(code, Some(0));
    let (shown, said) = said.split_once("\n{").unwrap();
    assert_eq!(shown.matches(&owner).count(), 1);
    let said = format!("{{{said}");
    for secret in [owner.as_str(), token.trim(), "secret"] {
        assert!(!said.contains(secret), "{said}");
    }
    let lines = lines(&said);
    for line in &lines {
        assert!(
            line["timestamp"].is_string() && line["level"].is_string(),
            "{line}"
        );
    }
    assert_eq!(lines[0]["message"], "serving");
    assert_eq!(lines[0]["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(lines.last().unwrap()["message"], "stopped");
    let of = |request: &str| {
        let found = lines.iter().filter(|line| line["request_id"] == request);
        let found: Vec<_> = found.collect();
        assert_eq!(found.len(), 1, "{found:#?}");
        found[0].clone()
    };
    let mut line = of("r-trip");
    line.as_object_mut().unwrap().remove("timestamp");
    assert_eq!(
        line,
        serde_json::json!({
            "level": "INFO", "message": "carried out", "by": "owner", "change": "breaker",
            "committed": "set/checkout@2", "sequence": 2, "complete": true,
            "reason": "see https://***@x/", "request_id": "r-trip", "trace": trace,
        })
    );
    let line = of("r-none");
    assert_eq!(
        (&line["level"], &line["kind"]),
        (&"WARN".into(), &"absent".into())
    );
    assert_eq!(line["message"], "not carried out");
    assert!(line["error"].as_str().unwrap().contains("none"), "{line}");
    assert_eq!(of("r-unasked")["kind"], "invalid");
    let made = lines
        .iter()
        .find(|line| line["change"] == "create-token")
        .unwrap();
    assert!(
        made["tokens"].as_str().unwrap().starts_with("ci:"),
        "{made}"
    );
}

#[test]
fn the_form_of_the_log_may_come_from_a_variable_and_text_stays_the_default() {
    let user = Cfgctl::new().with("CFGCTL_SERVE_LOG", "json");
    let server = Server::start(&user, &[]);
    server.until_said("\"message\":\"serving\"");
    let server = Server::start(&user, &["--log", "text"]);
    server.signal(Signal::TERM);
    let (code, said) = server.end();
    assert_eq!(code, Some(0));
    assert!(said.starts_with("serving the store at"), "{said}");
    assert!(!said.contains('{'), "{said}");
    let ran = user.run(&["serve", "--log", "xml"]);
    assert_eq!(ran.code, Some(2), "{}", ran.stderr);
}
