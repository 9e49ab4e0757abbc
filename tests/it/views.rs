//! Views: clients that know nothing of cfgctl get from it what they know from others, each in its own
//! protocol.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::support::cli::Cfgctl;
use crate::support::flagd;
use crate::support::server::Server;

const CLUSTERS: &str = "\
apiVersion: cfgctl.dev/v1
kind: Cluster
metadata: {name: eu, labels: {region: eu}}
spec: {directory: {path: target/eu}}
---
apiVersion: cfgctl.dev/v1
kind: Cluster
metadata: {name: us, labels: {region: us}}
spec: {directory: {path: target/us}}
";

const CHECKOUT: &str = r#"
apiVersion: cfgctl.dev/v1
kind: ConfigSet
metadata: {name: checkout}
spec:
  values:
    payment: {provider: stripe, timeoutMs: 1500, share: 0.5}
    hosts: [{name: a, port: 1}, {name: b, port: 2}]
    nothing: null
  layers:
    - name: europe
      when: {region: eu}
      values: {payment: {timeoutMs: 2500}}
  flags:
    express-pay: true
    banner:
      state: ENABLED
      variants: {plain: "Hello", beta: "Hello, tester"}
      defaultVariant: plain
      targeting: {"if": [{"==": [{var: tier}, beta]}, beta, null]}
    limit: {state: ENABLED, variants: {low: 5, high: 10}, defaultVariant: low}
    rate: {state: ENABLED, variants: {whole: 1, half: 0.5}, defaultVariant: whole}
    theme: {state: ENABLED, variants: {dark: {back: "black", depth: 2}}, defaultVariant: dark, metadata: {owner: web}}
    gone: {state: DISABLED, variants: {a: "x"}, defaultVariant: a}
    own: {state: ENABLED, variants: {a: "x"}}
    broken: {state: ENABLED, variants: {a: "x"}, defaultVariant: a, targeting: {"+": ["a", 1]}}
  breakers:
    payment-provider:
      trip: {values: {payment: {provider: adyen}}, flags: {express-pay: false}}
  publish: [flagd: {key: flags/checkout}]
"#;

const TILL: &str = "
apiVersion: cfgctl.dev/v1
kind: ConfigSet
metadata: {name: till}
spec: {clusters: {region: eu}, values: {a: 1}, flags: {open: true}}
";

/// A store with `checkout` in two clusters and `till` in one.
pub(crate) fn host() -> Cfgctl {
    let host = Cfgctl::new().with("CFGCTL_STORE", "store.db");
    host.write("world/clusters.yaml", CLUSTERS);
    host.write("world/checkout.yaml", CHECKOUT);
    host.write("world/till.yaml", TILL);
    host.ok(&["apply", "-f", "world", "--yes"]);
    host
}

/// A token for an application.
pub(crate) fn app(host: &Cfgctl, name: &str, more: &[&str]) -> String {
    let made = host.ok(&[&["token", "create", name, "--kind", "app"], more].concat());
    made.trim().to_owned()
}

pub(crate) fn serve(host: &Cfgctl, more: &[&str]) -> Server {
    Server::start(host, &[&["--recover"], more].concat())
}

/// What was answered.
#[derive(Debug)]
struct Told {
    status: u16,
    head: String,
    body: String,
}

impl Told {
    fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        let found = lines.find(|(it, _)| it.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value)
    }

    #[track_caller]
    fn json(&self) -> Value {
        assert_eq!(
            self.header("content-type"),
            Some("application/json"),
            "{self:?}"
        );
        serde_json::from_str(&self.body).unwrap()
    }

    #[track_caller]
    fn ok(&self) -> Value {
        assert_eq!(self.status, 200, "{self:?}");
        self.json()
    }

    /// A failure in OFREP's shape: its status, code and details.
    #[track_caller]
    fn failure(&self) -> (u16, String, String) {
        let json = self.json();
        let text = |name: &str| json[name].as_str().unwrap().to_owned();
        (self.status, text("errorCode"), text("errorDetails"))
    }
}

fn ask(server: &Server, request: &str, head: &str, body: &str) -> Told {
    let (status, text) = server.ask(request, head, body);
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    Told {
        status,
        head: head.to_owned(),
        body: body.to_owned(),
    }
}

fn by(token: &str) -> String {
    format!("Authorization: Bearer {token}\r\n")
}

const BULK: &str = "POST /ofrep/v1/evaluate/flags";

fn flag<'a>(bulk: &'a Value, key: &str) -> &'a Value {
    let mut flags = bulk["flags"].as_array().unwrap().iter();
    flags.find(|flag| flag["key"] == key).unwrap()
}

#[test]
fn a_flag_is_asked_for_in_each_way_to_say_which() {
    let host = host();
    let (own, till) = (
        app(
            &host,
            "checkout-eu",
            &["--set", "checkout", "--cluster", "eu"],
        ),
        app(&host, "till", &["--set", "till"]),
    );
    let everywhere = app(&host, "checkout", &["--set", "checkout"]);
    let server = serve(&host, &[]);
    let owner = by(&server.token);
    let selected = |by: &str, selector: &str| format!("{by}Flagd-Selector: {selector}\r\n");
    let one = "/ofrep/v1/evaluate/flags/express-pay";
    for (request, head) in [
        (one.to_owned(), by(&own)),
        (format!("{one}?cluster=us"), by(&everywhere)),
        (
            format!("{one}/?cluster=us&flagConfigEtag=x"),
            by(&everywhere),
        ),
        (
            one.to_owned(),
            selected(&owner, "flagSetId=checkout,cluster=eu"),
        ),
        (
            format!("{one}?cluster=eu"),
            selected(&owner, "flagSetId=checkout"),
        ),
        (format!("/v1/sets/checkout{one}?cluster=eu"), owner.clone()),
        (format!("/v1/clusters/eu/sets/checkout{one}"), owner.clone()),
        (
            format!("/v1/clusters/us/sets/checkout{one}"),
            by(&everywhere),
        ),
        ("/ofrep/v1/evaluate/flags/open".to_owned(), by(&till)),
        (
            "/v1/sets/till/ofrep/v1/evaluate/flags/open".to_owned(),
            owner.clone(),
        ),
    ] {
        let told = ask(&server, &format!("POST {request}"), &head, "{}");
        let found = told.ok();
        assert_eq!(found["value"], true, "{request}: {told:?}");
        assert_eq!(found["variant"], "on");
        assert_eq!(found["reason"], "STATIC");
    }
}

#[test]
fn what_is_not_there_or_not_said_is_told_in_a_way_that_helps() {
    let host = host();
    let own = app(
        &host,
        "checkout-eu",
        &["--set", "checkout", "--cluster", "eu"],
    );
    let everywhere = app(&host, "checkout", &["--set", "checkout"]);
    let server = serve(&host, &[]);
    let owner = by(&server.token);
    let one = "/ofrep/v1/evaluate/flags/express-pay";
    for (request, head, expected, said) in [
        (one, owner.as_str(), 400, "`Flagd-Selector: flagSetId=SET`"),
        (one, &by(&everywhere), 400, "`?cluster=eu`"),
        (
            "/v1/clusters/us/sets/checkout/ofrep/v1/evaluate/flags/a",
            &by(&own),
            404,
            "checkout in the cluster eu",
        ),
        (
            "/v1/sets/till/ofrep/v1/evaluate/flags/open",
            &by(&own),
            404,
            "checkout in the cluster eu",
        ),
        (
            "/v1/clusters/mars/sets/checkout/ofrep/v1/evaluate/flags/a",
            &by(&everywhere),
            404,
            "for this token",
        ),
        (
            "/v1/clusters/us/sets/till/ofrep/v1/evaluate/flags/open",
            &owner,
            404,
            "till",
        ),
        (
            "/v1/sets/none/ofrep/v1/evaluate/flags/open",
            &owner,
            404,
            "none",
        ),
        (
            "/v1/sets/A%20b/ofrep/v1/evaluate/flags/open",
            &owner,
            404,
            "A b",
        ),
        ("/ofrep/v1/evaluate/flags/none", &by(&own), 404, "`none`"),
        (
            "/ofrep/v1/evaluate/flags/a%2F..%2Fb",
            &by(&own),
            404,
            "`a/../b`",
        ),
    ] {
        let told = ask(&server, &format!("POST {request}"), head, "");
        let (status, code, details) = told.failure();
        let expected_code = if expected == 404 {
            "FLAG_NOT_FOUND"
        } else {
            "GENERAL"
        };
        assert_eq!(
            (status, code.as_str()),
            (expected, expected_code),
            "{request}: {told:?}"
        );
        assert!(details.contains(said), "{request}: {details}");
        assert!(told.json()["key"].is_string(), "{told:?}");
        // Nobody is told of others by what he may not read.
        assert!(
            head.contains(&server.token) || !details.contains("did you mean"),
            "{details}"
        );
    }
}

#[test]
fn an_application_reads_what_clusters_get_of_its_set_and_nothing_else() {
    let host = host();
    let (own, everywhere) = (
        app(
            &host,
            "checkout-eu",
            &["--set", "checkout", "--cluster", "eu"],
        ),
        app(&host, "checkout", &["--set", "checkout"]),
    );
    let server = serve(&host, &[]);
    let index = |token: &str, cluster: &str| {
        let told = ask(
            &server,
            &format!("GET /v1/clusters/{cluster}/snapshots"),
            &by(token),
            "",
        );
        let sets = (told.status == 200).then(|| told.json());
        let names = |json: Value| -> Vec<String> {
            let sets = json["sets"].as_array().unwrap().iter();
            sets.map(|set| set["name"].as_str().unwrap().to_owned())
                .collect()
        };
        (told.status, sets.map(names).unwrap_or_default())
    };
    for (token, cluster) in [(&own, "eu"), (&everywhere, "eu"), (&everywhere, "us")] {
        assert_eq!(index(token, cluster), (200, vec!["checkout".to_owned()]));
        let path = format!("GET /v1/clusters/{cluster}/snapshots/checkout");
        assert_eq!(ask(&server, &path, &by(token), "").ok()["set"], "checkout");
    }
    assert_eq!(index(&own, "us"), (404, Vec::new()));
    assert_eq!(index(&everywhere, "mars"), (404, Vec::new()));
    for (token, path, status) in [
        (&own, "/v1/clusters/us/snapshots/checkout", 404),
        (&own, "/v1/clusters/eu/snapshots/till", 404),
        (&everywhere, "/v1/clusters/e/snapshots/checkout", 404),
        (
            &everywhere,
            "/v1/clusters/eu/snapshots/checkout/lineage",
            403,
        ),
        (&own, "/v1/names", 403),
        (&own, "/v1/news", 403),
        (&own, "/v1/sets/checkout/explanation", 403),
        (&own, "/v1/sets/checkout/revisions", 403),
    ] {
        let told = ask(&server, &format!("GET {path}"), &by(token), "");
        assert_eq!(told.status, status, "{path}: {told:?}");
        assert!(!told.body.contains("did you mean"), "{path}: {told:?}");
    }
}

#[test]
fn whoever_may_read_one_cluster_alone_need_not_name_it() {
    let host = host();
    let ci = host.ok(&["token", "create", "ci"]);
    host.write(
        "world/grant.yaml",
        "apiVersion: cfgctl.dev/v1\nkind: Grant\nmetadata: {name: ci}\n\
         spec: {to: [\"token:ci\"], role: viewer, clusters: {region: eu}}\n",
    );
    host.ok(&["apply", "-f", "world", "--yes"]);
    let server = serve(&host, &[]);
    let path = "POST /v1/sets/checkout/ofrep/v1/evaluate/flags";
    let told = ask(&server, path, &by(ci.trim()), "").ok();
    assert_eq!(told["metadata"]["cluster"], "eu");
    for (more, status) in [("?cluster=eu", 200), ("?cluster=us", 404)] {
        let told = ask(&server, &format!("{path}{more}"), &by(ci.trim()), "");
        assert_eq!(told.status, status, "{more}: {told:?}");
    }
    let path = "GET /spring/checkout/default";
    let told = ask(&server, path, &by(ci.trim()), "").ok();
    let source = &told["propertySources"][0]["source"];
    assert_eq!(source["payment.timeoutMs"], 2500);
}

#[test]
fn all_flags_are_asked_for_and_asked_for_again() {
    let host = host();
    let own = app(
        &host,
        "checkout-eu",
        &["--set", "checkout", "--cluster", "eu"],
    );
    let server = serve(&host, &[]);
    let head = by(&own);
    let beta = r#"{"context": {"targetingKey": "u", "tier": "beta", "deep": {"b": 1, "a": 2}}}"#;
    let first = ask(&server, BULK, &head, beta);
    let found = first.ok();
    assert_eq!(flag(&found, "banner")["variant"], "beta");
    assert_eq!(
        flag(&found, "gone"),
        &json!({"key": "gone", "reason": "DISABLED", "variant": ""})
    );
    assert_eq!(flag(&found, "broken")["errorCode"], "PARSE_ERROR");
    assert_eq!(
        found["metadata"],
        json!({"flagSetId": "checkout", "cluster": "eu"})
    );
    assert!(first.body.contains("\"value\":1.0"), "{first:?}");
    let other = ask(&server, BULK, &head, "").ok();
    assert_eq!(flag(&other, "banner")["reason"], "DEFAULT");

    let tag = first.header("etag").unwrap();
    let again = |body: &str| {
        let head = format!("{head}If-None-Match: {tag}\r\n");
        ask(&server, BULK, &head, body)
    };
    // The same context, in another order.
    let same = r#"{"context":{"deep":{"a":2,"b":1},"tier":"beta","targetingKey":"u"}}"#;
    let told = again(same);
    assert_eq!((told.status, told.body.as_str()), (304, ""), "{told:?}");
    assert_eq!(told.header("etag"), Some(tag));
    assert_eq!(again("{}").status, 200);

    host.ok(&[
        "breaker",
        "trip",
        "checkout/payment-provider",
        "--yes",
        "-m",
        "down",
    ]);
    // Another process committed it: the server hears of that.
    let tripped = std::iter::repeat_with(|| again(same)).find(|told| told.status == 200);
    let tripped = tripped.unwrap().ok();
    assert_eq!(flag(&tripped, "express-pay")["value"], false);
    assert_eq!(flag(&tripped, "express-pay")["reason"], "STATIC");
}

#[test]
fn what_fails_fails_in_the_shape_that_its_clients_read() {
    let host = host();
    let own = app(
        &host,
        "checkout-eu",
        &["--set", "checkout", "--cluster", "eu"],
    );
    let alerts = host.ok(&["token", "create", "alertmanager", "--kind", "alerts"]);
    let server = serve(&host, &["--rate-limit", "20"]);
    let one = "POST /ofrep/v1/evaluate/flags/banner";
    let large = format!(r#"{{"context": {{"a": "{}"}}}}"#, "x".repeat(200_000));
    let deep = format!(
        r#"{{"context": {{"a": {}1{}}}}}"#,
        "[".repeat(60),
        "]".repeat(60)
    );
    for (request, head, body, status, code) in [
        (one, String::new(), "", 401, "GENERAL"),
        (one, by("cfg_app_nonsense"), "", 401, "GENERAL"),
        (one, by(alerts.trim()), "", 403, "GENERAL"),
        ("GET /ofrep/v1/evaluate/flags", by(&own), "", 405, "GENERAL"),
        ("POST /ofrep/v1/other", by(&own), "", 404, "FLAG_NOT_FOUND"),
        (
            "GET /ofrep/v1/events?ticket=x.y",
            String::new(),
            "",
            401,
            "GENERAL",
        ),
        (one, by(&own), "{", 400, "PARSE_ERROR"),
        (one, by(&own), "[]", 400, "PARSE_ERROR"),
        (one, by(&own), r#"{"context": 7}"#, 400, "INVALID_CONTEXT"),
        (one, by(&own), &deep, 400, "INVALID_CONTEXT"),
        (one, by(&own), &large, 413, "GENERAL"),
        (
            "POST /ofrep/v1/evaluate/flags/broken",
            by(&own),
            "",
            400,
            "PARSE_ERROR",
        ),
        (BULK, by(&own), "{", 400, "PARSE_ERROR"),
    ] {
        let told = ask(&server, request, &head, body);
        let (found, found_code, details) = told.failure();
        assert_eq!(
            (found, found_code.as_str()),
            (status, code),
            "{request}: {told:?}"
        );
        assert!(!details.is_empty());
        let key = request.strip_prefix("POST /ofrep/v1/evaluate/flags/");
        assert_eq!(told.json()["key"].as_str(), key, "{told:?}");
    }
    let mut told = std::iter::repeat_with(|| ask(&server, one, &by(&own), ""));
    let told = told.find(|told| told.status != 200).unwrap();
    assert_eq!(told.failure().0, 429);
    assert!(told.header("retry-after").is_some(), "{told:?}");
}

#[test]
fn pages_of_origins_that_were_named_are_let_in_and_no_others() {
    let host = host();
    let own = app(
        &host,
        "checkout-eu",
        &["--set", "checkout", "--cluster", "eu"],
    );
    let shop = "https://shop.example.com";
    let server = serve(
        &host,
        &[
            "--cors-origin",
            shop,
            "--cors-origin",
            "http://localhost:3000",
        ],
    );
    let preflight = |origin: &str, path: &str| {
        let head = format!(
            "Origin: {origin}\r\nAccess-Control-Request-Method: POST\r\n\
             Access-Control-Request-Headers: authorization,content-type,if-none-match\r\n"
        );
        ask(&server, &format!("OPTIONS {path}"), &head, "")
    };
    let path = "/v1/sets/checkout/ofrep/v1/evaluate/flags";
    for origin in [shop, "http://localhost:3000"] {
        let told = preflight(origin, path);
        assert_eq!(told.status, 204, "{told:?}");
        assert_eq!(told.header("access-control-allow-origin"), Some(origin));
        let allowed = told
            .header("access-control-allow-headers")
            .unwrap()
            .to_lowercase();
        for header in [
            "authorization",
            "content-type",
            "flagd-selector",
            "if-none-match",
        ] {
            assert!(allowed.contains(header), "{allowed}");
        }
        assert!(
            told.header("access-control-allow-methods")
                .unwrap()
                .contains("POST")
        );
    }
    let stranger = preflight("https://evil.example.com", path);
    assert_eq!(stranger.header("access-control-allow-origin"), None);
    assert_eq!(
        preflight(shop, "/v1/names").header("access-control-allow-origin"),
        None
    );

    let head = format!("{}Origin: {shop}\r\n", by(&own));
    for (request, status) in [(BULK, 200), ("POST /ofrep/v1/evaluate/flags/none", 404)] {
        let told = ask(&server, request, &head, "");
        assert_eq!(told.status, status);
        assert_eq!(told.header("access-control-allow-origin"), Some(shop));
        let exposed = told.header("access-control-expose-headers").unwrap();
        assert!(
            exposed.contains("ETag") && exposed.contains("Retry-After"),
            "{exposed}"
        );
        assert!(told.header("vary").is_some(), "{told:?}");
        assert_eq!(told.header("access-control-allow-credentials"), None);
    }
    let refused = host.run(&["serve", "--cors-origin", "https://shop.example.com/"]);
    assert_eq!(refused.code, Some(2), "{}", refused.stderr);
    assert!(
        refused.stderr.contains("an origin is"),
        "{}",
        refused.stderr
    );
}

/// A stream of events.
struct Events(BufReader<TcpStream>);

impl Events {
    /// Opens the one at this address.
    fn open(server: &Server, address: &str) -> Result<Self, u16> {
        let mut stream = server.connect();
        write!(
            stream,
            "GET {address} HTTP/1.1\r\nHost: server\r\nAccept: text/event-stream\r\n\r\n"
        )
        .unwrap();
        let mut events = Self(BufReader::new(stream));
        let status = events.line();
        let status = status.split(' ').nth(1).unwrap().parse().unwrap();
        while !events.line().is_empty() {}
        if status == 200 {
            Ok(events)
        } else {
            Err(status)
        }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// The next message; `None`: the stream has ended.
    fn message(&mut self) -> Option<Value> {
        let mut is_one = false;
        loop {
            let mut line = String::new();
            if self.0.read_line(&mut line).unwrap() == 0 {
                return None;
            }
            let line = line.trim_end();
            if let Some(event) = line.strip_prefix("event: ") {
                is_one = event == "message";
            }
            if let (Some(data), true) = (line.strip_prefix("data: "), is_one) {
                return Some(serde_json::from_str(data).unwrap());
            }
        }
    }
}

/// Where an answer in bulk says that its events are.
fn events_of(bulk: &Value) -> String {
    let stream = &bulk["eventStreams"][0];
    assert_eq!(stream["type"], "sse");
    stream["endpoint"]["requestUri"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[test]
fn a_ticket_opens_a_stream_that_tells_of_changes_and_nothing_else() {
    let host = host();
    let own = app(
        &host,
        "checkout-eu",
        &["--set", "checkout", "--cluster", "eu"],
    );
    let server = serve(&host, &[]);
    let bulk = ask(&server, BULK, &by(&own), "").ok();
    let address = events_of(&bulk);
    assert!(
        !address.contains(&own[8..]) && !address.contains("checkout"),
        "{address}"
    );
    let mut events = Events::open(&server, &address).ok().unwrap();
    let first = events.message().unwrap();
    assert_eq!(first["type"], "refetchEvaluation");
    assert!(
        first["etag"].is_string() && first["lastModified"].is_number(),
        "{first}"
    );

    // What leaves flags as they are is no news.
    host.write("world/checkout.yaml", &CHECKOUT.replace("1500", "1600"));
    host.ok(&["apply", "-f", "world", "--yes"]);
    host.ok(&[
        "flag",
        "set",
        "checkout/limit",
        "high",
        "--yes",
        "-m",
        "more",
    ]);
    let second = events.message().unwrap();
    assert_ne!(second["etag"], first["etag"]);
    let told = ask(&server, BULK, &by(&own), "").ok();
    assert_eq!(flag(&told, "limit")["variant"], "high");

    // The ticket is good for nothing but this, and no other ticket can be made of it.
    let ticket = address.split_once("ticket=").unwrap().1;
    let told = ask(&server, &format!("{BULK}?ticket={ticket}"), "", "");
    assert_eq!(told.status, 401);
    assert_eq!(ask(&server, BULK, &by(ticket), "").status, 401);
    let (said, seal) = ticket.split_once('.').unwrap();
    for wrong in [
        format!("{said}.{}", &seal[1..]),
        format!("x{said}.{seal}"),
        said.to_owned(),
    ] {
        let address = format!("/ofrep/v1/events?ticket={wrong}");
        assert_eq!(Events::open(&server, &address).err(), Some(401), "{wrong}");
    }
    // Another server over the store takes it.
    let other = serve(&host, &[]);
    let mut there = Events::open(&other, &address).ok().unwrap();
    assert_eq!(there.message().unwrap()["etag"], second["etag"]);
    drop(other);
    // It outlives the server, but not the token.
    let listen = server.host().to_owned();
    drop(server);
    assert_eq!(events.message(), None);
    let server = Server::start_at(&host, &listen, &["--recover"]);
    let mut events = Events::open(&server, &address).ok().unwrap();
    assert_eq!(events.message().unwrap()["etag"], second["etag"]);
    host.ok(&["token", "revoke", "checkout-eu"]);
    assert_eq!(events.message(), None);
    assert_eq!(Events::open(&server, &address).err(), Some(401));
}

#[test]
fn flagd_reads_its_file_and_asks_for_it_again() {
    let host = host();
    let everywhere = app(&host, "checkout", &["--set", "checkout"]);
    let server = serve(&host, &[]);
    let path = "GET /v1/clusters/eu/sets/checkout/flags.json";
    let told = ask(&server, path, &by(&everywhere), "");
    let file = told.ok();
    assert!(file["flags"]["banner"]["targeting"].is_object(), "{file}");
    assert_eq!(flagd::refusals(std::slice::from_ref(&told.body)), [None]);
    let contexts = [
        json!({"targetingKey": "u", "tier": "beta"}),
        json!({"targetingKey": "u"}),
    ];
    let answers = flagd::answers(&told.body, &contexts, 0);
    for (context, answer) in contexts.iter().zip(&answers["banner"]) {
        let body = json!({"context": context}).to_string();
        let request = "POST /ofrep/v1/evaluate/flags/banner?cluster=eu";
        let found = ask(&server, request, &by(&everywhere), &body).ok();
        assert_eq!(found["variant"].as_str(), answer.variant.as_deref());
        assert_eq!(found["value"], answer.value);
        assert_eq!(found["reason"], answer.reason.as_str());
    }
    // What is published is the same to the last byte.
    let published = std::fs::read_to_string(host.directory().join("target/eu/flags/checkout"));
    if let Ok(published) = published {
        assert_eq!(published, told.body);
    }
    let tag = told.header("etag").unwrap();
    let head = format!("{}If-None-Match: {tag}\r\n", by(&everywhere));
    let again = ask(&server, path, &head, "");
    assert_eq!((again.status, again.body.as_str()), (304, ""));
    let other = "GET /v1/sets/checkout/flags.json?cluster=us";
    assert_eq!(ask(&server, other, &by(&everywhere), "").status, 200);
    assert_eq!(ask(&server, other, "", "").status, 401);
    let unsaid = ask(
        &server,
        "GET /v1/sets/checkout/flags.json",
        &by(&everywhere),
        "",
    );
    assert_eq!(unsaid.status, 400);
    assert_eq!(
        unsaid.header("content-type"),
        Some("application/problem+json")
    );
    host.ok(&[
        "breaker",
        "trip",
        "checkout/payment-provider",
        "--yes",
        "-m",
        "down",
    ]);
    let mut again = std::iter::repeat_with(|| ask(&server, path, &head, ""));
    let again = again.find(|told| told.status != 304).unwrap().ok();
    assert_eq!(again["flags"]["express-pay"]["defaultVariant"], "off");
}

/// Where the clients are.
fn clients() -> std::ffi::OsString {
    std::env::var_os("CFGCTL_TEST_CLIENTS").expect(
        "CFGCTL_TEST_CLIENTS is not set: tests/install-clients installs the clients or says what is in the way, and tests/run passes it on",
    )
}

/// What a client prints, which is JSON.
#[track_caller]
fn client(program: &str, input: &Value) -> Value {
    let clients = clients();
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients");
    let mut command = if path.join(program).extension().is_some_and(|it| it == "py") {
        let mut python = Command::new("python3");
        python.env("PYTHONPATH", std::path::Path::new(&clients).join("python"));
        python
    } else {
        Command::new("node")
    };
    let mut child = command
        .arg(path.join(program))
        .env("CFGCTL_TEST_CLIENTS", &clients)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("a client");
    let mut stdin = child.stdin.take().expect("a pipe");
    write!(stdin, "{input}").expect("a reader");
    drop(stdin);
    let output = child.wait_with_output().expect("an end");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program}: {errors}");
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{program}: {error}: {errors}"))
}

#[test]
fn openfeature_clients_get_flags_by_ofrep() {
    let host = host();
    let own = app(
        &host,
        "checkout-eu",
        &["--set", "checkout", "--cluster", "eu"],
    );
    let everywhere = app(&host, "checkout", &["--set", "checkout"]);
    let server = serve(&host, &[]);
    let context = json!({"targetingKey": "user-1", "tier": "beta"});
    let at = |path: &str, token: &str| {
        let headers = json!({"Authorization": format!("Bearer {token}")});
        (format!("{}{path}", server.address), headers)
    };
    let node = json!([
        ["Boolean", "express-pay", false],
        ["String", "banner", "-"],
        ["Number", "limit", 0],
        ["Number", "rate", 0],
        ["Object", "theme", {}],
        ["String", "own", "-"],
        ["String", "gone", "-"],
        ["String", "none", "-"],
        ["String", "broken", "-"],
        ["String", "limit", "-"],
    ]);
    let python = json!([
        ["boolean", "express-pay", false],
        ["string", "banner", "-"],
        ["integer", "limit", 0],
        ["float", "rate", 0.0],
        ["object", "theme", {}],
        ["string", "own", "-"],
        ["string", "gone", "-"],
        ["string", "none", "-"],
        ["string", "broken", "-"],
        ["string", "limit", "-"],
    ]);
    for (base, headers) in [
        at("", &own),
        at("/v1/clusters/eu/sets/checkout", &everywhere),
    ] {
        for (program, flags) in [("ofrep.js", &node), ("ofrep.py", &python)] {
            let asked =
                json!({"baseUrl": base, "headers": headers, "context": context, "flags": flags});
            let found = client(program, &asked);
            let found = found.as_array().unwrap();
            let values: Vec<&Value> = found.iter().map(|it| &it["value"]).collect();
            let expected = json!([
                true, "Hello, tester", 5, 1, {"back": "black", "depth": 2}, "-", "-", "-", "-", "-"
            ]);
            let same = |(one, other): (&&Value, &Value)| match (one.as_f64(), other.as_f64()) {
                (Some(one), Some(other)) => (one - other).abs() < f64::EPSILON,
                _ => *one == other,
            };
            let expected = expected.as_array().unwrap();
            assert!(
                values.iter().zip(expected).all(same),
                "{program} {base}: {found:?}"
            );
            let words = |name: &str| -> Vec<&str> {
                found
                    .iter()
                    .map(|it| it[name].as_str().unwrap_or_default())
                    .collect()
            };
            assert_eq!(
                words("variant")[..5],
                ["on", "beta", "low", "whole", "dark"],
                "{program}"
            );
            assert_eq!(
                words("reason")[..3],
                ["STATIC", "TARGETING_MATCH", "STATIC"],
                "{program}"
            );
            assert_eq!(found[4]["metadata"]["owner"], "web", "{program}");
            let errors = words("errorCode");
            assert_eq!(
                errors[7..],
                ["FLAG_NOT_FOUND", "PARSE_ERROR", "TYPE_MISMATCH"],
                "{program}: {found:?}"
            );
        }
    }
    // Whoever is not known is told so in a way that the client understands.
    let (base, headers) = at("", "cfg_app_wrong");
    for (program, flags) in [("ofrep.js", &node), ("ofrep.py", &python)] {
        let asked =
            json!({"baseUrl": base, "headers": headers, "context": context, "flags": flags});
        let found = client(program, &asked);
        assert_eq!(found[0]["value"], false);
        let message = found[0]["errorMessage"]
            .as_str()
            .unwrap_or_default()
            .to_lowercase();
        assert!(
            message.contains("unauthorized") || program == "ofrep.js",
            "{program}: {found}"
        );
    }
}

#[test]
fn clients_of_spring_cloud_config_get_values() {
    let host = host();
    let own = app(
        &host,
        "checkout-eu",
        &["--set", "checkout", "--cluster", "eu"],
    );
    let everywhere = app(&host, "checkout", &["--set", "checkout"]);
    let server = serve(&host, &[]);
    let endpoint = format!("{}/spring", server.address);
    let bearer = |token: &str| json!({"Authorization": format!("Bearer {token}")});
    for options in [
        json!({"endpoint": endpoint, "name": "checkout", "profiles": ["prod", "eu"],
            "auth": {"user": "any", "pass": everywhere}}),
        json!({"endpoint": endpoint, "name": "checkout", "label": "main", "headers": bearer(&own)}),
        json!({"endpoint": endpoint, "name": "checkout", "profiles": "eu",
            "headers": {"X-Config-Token": everywhere}}),
    ] {
        let found = client("spring.js", &options);
        assert_eq!(found["error"], Value::Null, "{options}");
        let properties = &found["properties"];
        assert_eq!(properties["payment.timeoutMs"], 2500, "{found}");
        assert_eq!(properties["payment.share"], 0.5);
        assert_eq!(properties["hosts[1].name"], "b");
        assert_eq!(properties["nothing"], "");
        assert_eq!(properties["flags.express-pay"], true);
        assert_eq!(found["object"]["hosts"][0]["port"], 1);
        assert_eq!(found["raw"]["version"], "1");
    }
    let asked = |app: &str, profile: &str, token: &str| json!({"address": endpoint, "app": app, "profile": profile, "label": "master", "headers": bearer(token)});
    let found = client("spring.py", &asked("checkout", "us", &everywhere));
    assert_eq!(found["config"]["payment"]["timeoutMs"], 1500, "{found}");
    assert_eq!(
        found["config"]["hosts"].as_array().map(Vec::len),
        Some(2),
        "{found}"
    );
    for (app, profile, token) in [
        ("unknown", "us", &everywhere),
        ("till", "eu", &everywhere),
        ("checkout", "us", &own),
    ] {
        let found = client("spring.py", &asked(app, profile, token));
        assert!(found["error"].is_string(), "{app} {profile}: {found}");
    }
}

#[test]
fn spring_is_told_where_values_come_from_and_what_is_not_there() {
    let host = host();
    let own = app(
        &host,
        "checkout-eu",
        &["--set", "checkout", "--cluster", "eu"],
    );
    let everywhere = app(&host, "checkout", &["--set", "checkout"]);
    let server = serve(&host, &[]);
    host.ok(&[
        "breaker",
        "trip",
        "checkout/payment-provider",
        "--yes",
        "-m",
        "down",
    ]);
    // The media type that Spring's own client asks for.
    let v2 = "Accept: application/vnd.spring-cloud.config-server.v2+json\r\n";
    let path = "GET /spring/checkout/prod,eu/main";
    let head = format!("{}{v2}", by(&everywhere));
    let mut told = std::iter::repeat_with(|| ask(&server, path, &head, "").ok());
    let found = told.find(|found| found["version"] != "1").unwrap();
    let source = &found["propertySources"][0];
    assert_eq!(source["name"], "cfgctl:checkout/application-eu");
    let of = |key: &str| source["source"][key].clone();
    assert_eq!(
        of("payment.timeoutMs"),
        json!({"value": 2500, "origin": "layer europe (world/checkout.yaml:13)"})
    );
    assert_eq!(of("payment.provider")["value"], "adyen");
    let origin = of("payment.provider")["origin"].clone();
    assert!(
        origin
            .as_str()
            .unwrap()
            .starts_with("breaker payment-provider ("),
        "{origin}"
    );
    let origin = of("hosts[0].name")["origin"].clone();
    assert!(
        origin.as_str().unwrap().starts_with("defaults ("),
        "{origin}"
    );
    let explained = host.ok(&["explain", "checkout", "--cluster", "eu"]);
    assert!(
        explained.contains("layer europe (world/checkout.yaml:13)"),
        "{explained}"
    );
    assert_eq!(found["label"], "main");
    assert_eq!(found["profiles"], json!(["prod", "eu"]));
    let plain = ask(&server, "GET /spring/checkout/default", &by(&own), "").ok();
    assert_eq!(
        plain["propertySources"][0]["name"],
        "cfgctl:checkout/application"
    );
    assert_eq!(
        plain["propertySources"][0]["source"]["payment.provider"],
        "adyen"
    );
    assert_eq!(plain["label"], Value::Null);

    for (path, token, status, said) in [
        ("/spring/none/eu", &everywhere, 404, "none"),
        ("/spring/A%20b/eu", &everywhere, 404, "A b"),
        ("/spring/till/eu", &everywhere, 404, "for this token"),
        ("/spring/checkout/eu/a/b", &everywhere, 404, ""),
        (
            "/spring/checkout/default",
            &everywhere,
            400,
            "among the profiles",
        ),
        (
            "/spring/checkout/eu",
            &"cfg_app_wrong".to_owned(),
            401,
            "token",
        ),
    ] {
        let told = ask(&server, &format!("GET {path}"), &by(token), "");
        let json = told.json();
        assert_eq!(
            (told.status, &json["status"]),
            (status, &json!(status)),
            "{told:?}"
        );
        assert!(json["message"].as_str().unwrap().contains(said), "{json}");
        assert_eq!(json["path"], path);
    }
}
