//! What a server keeps of HTTP: tags of what is read, pages of what is long, keys and consent of
//! what is changed; and what a client makes of a server that keeps nothing.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use serde_json::{Value, json};

use crate::support::cli::Cfgctl;
use crate::support::proxy::{Fate, Gate, Request};
use crate::support::server::Server;
use crate::support::transcript::{bring, edit};
use crate::support::world::World;

const FILES: &str = "fixtures/quickstart";

/// A server over a store with the first example in it, and who works through it.
fn served() -> (Cfgctl, Server) {
    let mut user = Cfgctl::new().with("CFGCTL_STORE", "store.db");
    bring(&user, FILES);
    let server = Server::start(&user, &["--allow-directories", "target"]);
    server.lead(&mut user);
    user.ok(&["apply", "-f", FILES, "--yes"]);
    (user, server)
}

/// A header of an answer.
fn header<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let (head, _) = text.split_once("\r\n\r\n")?;
    let mut lines = head.lines().filter_map(|line| line.split_once(": "));
    lines.find(|(found, _)| *found == name).map(|(_, it)| it)
}

fn body(text: &str) -> Value {
    let (_, body) = text.split_once("\r\n\r\n").unwrap();
    serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn get(server: &Server, path: &str) -> String {
    let (status, text) = server.ask_known(&format!("GET {path}"), "", "");
    assert_eq!(status, 200, "{path}\n{text}");
    text
}

#[test]
fn what_follows_from_the_store_is_tagged_and_what_clusters_say_is_not() {
    let (user, server) = served();
    let alone = "/v1/sets/checkout/revisions/head";
    let stored = [
        alone,
        "/v1/sets/checkout/revisions/1",
        "/v1/sets/checkout/revisions/1?cluster=eu-west",
        "/v1/sets/checkout/revisions",
        "/v1/clusters/eu-west/revisions",
        "/v1/sets/checkout/explanation",
        "/v1/sets/checkout/breakers/payment-provider/events",
        "/v1/names",
        "/v1/names?limit=1",
        "/v1/resources",
        "/v1/resources?names=checkout",
        "/v1/clusters",
        "/v1/clusters/eu-west",
    ];
    let mut tags = BTreeSet::new();
    for path in stored {
        let text = get(&server, path);
        let tag = header(&text, "etag").unwrap_or_else(|| panic!("{path}: {text}"));
        assert!(tag.starts_with('"'), "a strong one: {tag}");
        assert_eq!(header(&text, "cache-control"), Some("private, no-cache"));
        tags.insert(tag.to_owned());
        for seen in [tag.to_owned(), format!("\"x\", W/{tag}"), "*".to_owned()] {
            let head = format!("If-None-Match: {seen}\r\n");
            let (status, again) = server.ask_known(&format!("GET {path}"), &head, "");
            assert_eq!(status, 304, "{path}\n{again}");
            assert_eq!(header(&again, "etag"), Some(tag));
            assert!(again.ends_with("\r\n\r\n"), "{again}");
        }
        let head = "If-None-Match: \"x\"\r\n";
        assert_eq!(server.ask_known(&format!("GET {path}"), head, "").0, 200);
    }
    // What is shown as 1 and as the newest is the same.
    assert_eq!(tags.len(), stored.len() - 1);
    for path in ["/v1/status", "/v1/drift", "/v1/flags", "/v1/breakers"] {
        let text = get(&server, path);
        assert_eq!(header(&text, "etag"), None, "{path}");
        assert_eq!(header(&text, "cache-control"), Some("no-store"), "{path}");
    }

    // What somebody else commits elsewhere changes what it is about.
    let tag = |path: &str| header(&get(&server, path), "etag").unwrap().to_owned();
    let before = [alone, "/v1/names"].map(tag);
    let other = "apiVersion: cfgctl.dev/v1\nkind: ConfigSet\nmetadata: {name: other}\n\
                 spec: {values: {a: 1}}\n";
    user.write("other.yaml", other);
    user.ok(&["apply", "-f", "other.yaml", "--yes"]);
    assert_eq!(tag(alone), before[0]);
    assert_ne!(tag("/v1/names"), before[1]);
    edit(
        &user,
        "fixtures/quickstart/checkout.yaml",
        "timeoutMs: 2500",
        "timeoutMs: 3000",
    );
    user.ok(&["apply", "-f", FILES, "--yes"]);
    assert_ne!(tag(alone), before[0]);
}

/// Every page of a list, and how many there are.
fn pages(server: &Server, path: &str, limit: usize, field: &str) -> (Vec<Value>, usize) {
    let (mut all, mut count, mut cursor) = (Vec::new(), 0, String::new());
    loop {
        let page = body(&get(server, &format!("{path}?limit={limit}{cursor}")));
        let items = page[field].as_array().unwrap();
        assert!(items.len() <= limit, "{page}");
        all.extend(items.iter().cloned());
        count += 1;
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={}", next.replace('/', "%2F")),
            None => return (all, count),
        }
    }
}

#[test]
fn long_lists_come_in_pages_and_a_client_turns_all_of_them() {
    const CLUSTERS: usize = 1005;
    let (user, server) = served();
    let mut many = String::new();
    for n in 0..CLUSTERS - 2 {
        let labels = "labels: {region: far}";
        _ = write!(
            many,
            "---\napiVersion: cfgctl.dev/v1\nkind: Cluster\nmetadata: {{name: c-{n:04}, {labels}}}\n\
             spec: {{directory: {{path: {}/target/c-{n:04}}}}}\n",
            user.directory().display()
        );
    }
    user.write("many.yaml", &many);
    user.ok(&["apply", "-f", FILES, "-f", "many.yaml", "--yes", "--quiet"]);

    let listed = user.ok(&["get", "-o", "name"]);
    assert_eq!(listed.lines().count(), CLUSTERS + 1);
    let names: BTreeSet<&str> = listed.lines().collect();
    assert_eq!(names.len(), CLUSTERS + 1);
    let listed = user.ok(&["cluster", "list", "-o", "name"]);
    assert_eq!(listed.lines().count(), CLUSTERS);

    for (path, field, expected) in [
        ("/v1/names", "names", CLUSTERS + 1),
        ("/v1/resources", "items", CLUSTERS + 1),
        ("/v1/clusters", "items", CLUSTERS),
    ] {
        let whole = body(&get(&server, path));
        assert_eq!(whole[field].as_array().unwrap().len(), 1000, "{path}");
        assert!(whole["next"].is_string());
        let (all, count) = pages(&server, path, 400, field);
        assert_eq!((all.len(), count), (expected, 3), "{path}");
        let distinct: BTreeSet<_> = all.iter().map(ToString::to_string).collect();
        assert_eq!(distinct.len(), expected, "{path}");
        for wrong in ["limit=0", "limit=1001", "limit=x", "cursor=A%20b", "more=1"] {
            let (status, text) = server.ask_known(&format!("GET {path}?{wrong}"), "", "");
            assert_eq!(status, 400, "{path} {wrong}\n{text}");
        }
    }
    let (_, text) = server.ask_known("GET /v1/resources?names=checkout&limit=1", "", "");
    assert!(text.contains("comes at once"), "{text}");

    for operation in ["trip", "reset", "trip"] {
        let breaker = "checkout/payment-provider";
        user.ok(&["breaker", operation, breaker, "--yes", "--quiet"]);
    }
    let path = "/v1/sets/checkout/revisions";
    let whole = body(&get(&server, path));
    for limit in 1..=5 {
        let (all, count) = pages(&server, path, limit, "revisions");
        assert_eq!((all.len(), count), (4, 4_usize.div_ceil(limit)));
        assert_eq!(Value::from(all), whole["revisions"]);
    }
    let lines = |limit: &str| {
        let listed = user.ok(&["history", "checkout", "--limit", limit, "-o", "json"]);
        let listed: Value = serde_json::from_str(&listed).unwrap();
        listed["revisions"].as_array().unwrap().len()
    };
    assert_eq!([lines("0"), lines("3"), lines("5000")], [0, 3, 4]);
}

fn rollback(to: u64) -> Value {
    json!({
        "change": {"rollback": {"set": "checkout", "to": to}},
        "clusters": "", "consents": [], "dropped": [], "message": null, "key": null,
        "planned": null, "permission": "asked",
        "pace": {"clustersAtOnce": 4, "timeout": {"secs": 15, "nanos": 0}},
    })
}

/// Asks for `request`, with these lines in the head.
fn change(server: &Server, head: &str, request: &Value, approval: Option<&str>) -> (u16, Value) {
    let mut body = json!({"request": request});
    if let Some(approval) = approval {
        body["approval"] = approval.into();
    }
    let (status, text) = server.ask_known("POST /v1/changes", head, &body.to_string());
    (status, self::body(&text))
}

#[test]
fn a_change_has_a_key_and_somebody_who_consents_to_it() {
    let (mut user, server) = served();
    for timeout in ["3000", "3500"] {
        edit(
            &user,
            "fixtures/quickstart/checkout.yaml",
            if timeout == "3000" {
                "timeoutMs: 2500"
            } else {
                "timeoutMs: 3000"
            },
            &format!("timeoutMs: {timeout}"),
        );
        user.ok(&["apply", "-f", FILES, "--yes", "--quiet"]);
    }
    let version = |answer: &Value| answer["committed"][0]["version"].as_u64();
    let plan = |request: &Value| {
        let (status, text) = server.ask_known("POST /v1/plans", "", &request.to_string());
        assert_eq!(status, 200, "{text}");
        let tag = header(&text, "etag").unwrap().to_owned();
        assert_eq!(
            format!("\"{}\"", body(&text)["token"].as_str().unwrap()),
            tag
        );
        tag
    };

    let (status, said) = change(&server, "If-Match: *\r\n", &rollback(1), None);
    assert_eq!(status, 400, "{said}");
    assert!(said["detail"].as_str().unwrap().contains("Idempotency-Key"));
    let (status, said) = change(&server, "Idempotency-Key: k1\r\n", &rollback(1), None);
    assert_eq!((status, &said["type"]), (428, &json!("/problems/invalid")));
    let shown = plan(&rollback(1));
    let head = format!("Idempotency-Key: k1\r\nIf-Match: {shown}\r\n");
    let (status, said) = change(&server, &head, &rollback(1), Some("unseen"));
    assert_eq!(status, 400, "{said}");
    let (status, said) = change(&server, &head, &rollback(1), None);
    assert_eq!((status, version(&said)), (200, Some(4)), "{said}");
    // It was for one time, and says what it was for.
    let head = format!("Idempotency-Key: k2\r\nIf-Match: {shown}\r\n");
    let (status, said) = change(&server, &head, &rollback(1), None);
    assert_eq!((status, &said["kind"]), (412, &json!("conflict")), "{said}");
    let events = format!("{head}Accept: text/event-stream\r\n");
    let asked = json!({"request": rollback(1)}).to_string();
    let (_, text) = server.ask_known("POST /v1/changes", &events, &asked);
    assert!(text.contains("event: problem"), "{text}");
    assert!(text.contains(r#""status":412"#), "{text}");
    for wrong in [
        "\"x\"",
        "x",
        &format!("W/{shown}"),
        &format!("{shown}, {shown}"),
    ] {
        let head = format!("Idempotency-Key: k2\r\nIf-Match: {wrong}\r\n");
        let (status, said) = change(&server, &head, &rollback(1), None);
        assert_eq!(status, 400, "{wrong} {said}");
    }
    // A key in the body is as good, and the quotes of the draft are none of the key.
    let keyed = |key: &str| {
        let mut request = rollback(2);
        request["key"] = key.into();
        request
    };
    let (status, said) = change(&server, "If-Match: *\r\n", &keyed("k3"), None);
    assert_eq!((status, version(&said)), (200, Some(5)), "{said}");
    let head = "Idempotency-Key: \"k3\"\r\n";
    let (status, said) = change(&server, head, &rollback(2), Some("unseen"));
    assert_eq!((status, version(&said)), (200, Some(5)), "{said}");
    let (status, said) = change(&server, head, &keyed("k4"), Some("unseen"));
    assert_eq!(status, 400, "{said}");

    // Something else with the same key is refused, also by a server that was not asked before.
    let head = "Idempotency-Key: k3\r\nIf-Match: *\r\n";
    let mut other = rollback(2);
    other["message"] = "because".into();
    let refused = |server: &Server| {
        for request in [&other, &rollback(1)] {
            let (status, said) = change(server, head, request, None);
            assert_eq!(
                (status, &said["kind"]),
                (422, &json!("key-taken")),
                "{said}"
            );
            assert!(said["detail"].as_str().unwrap().contains("`k3`"));
        }
    };
    refused(&server);
    user.set("CFGCTL_STORE", "store.db");
    drop(server);
    // The history goes on beside any server.
    user.ok(&["rollback", "checkout", "--to", "3", "--yes", "--quiet"]);
    let (one, two) = (Server::start(&user, &[]), Server::start(&user, &[]));
    for server in [&one, &two] {
        refused(server);
        let (status, said) = change(server, head, &rollback(2), None);
        assert_eq!((status, version(&said)), (200, Some(5)), "{said}");
    }
    assert!(
        user.ok(&["history", "checkout", "-o", "json"])
            .contains("\"version\": 6")
    );
    assert!(
        !user
            .ok(&["history", "checkout", "-o", "json"])
            .contains("\"version\": 7")
    );
}

#[tokio::test]
async fn a_key_is_busy_while_its_change_is_carried_out() {
    let world = World::shared(1).await;
    let proxies = world.behind_proxies();
    world.apply(1).expect_code(0);
    world.apply(2).expect_code(0);
    let server = Server::start(&world.user, &[]);
    let gate = Gate::default();
    let passed = gate.clone();
    proxies[0].rule(move |request: &Request| {
        if request.is_write() {
            passed.pass();
        }
        Fate::Forward
    });
    let head = "Idempotency-Key: k\r\nIf-Match: *\r\n";
    let body = json!({"request": rollback(1)}).to_string();
    std::thread::scope(|scope| {
        let first = scope.spawn(|| server.ask_known("POST /v1/changes", head, &body));
        gate.until_arrived(1);
        let (status, text) = server.ask_known("POST /v1/changes", head, &body);
        assert_eq!(status, 409, "{text}");
        assert_eq!(header(&text, "retry-after"), Some("1"), "{text}");
        assert_eq!(self::body(&text)["kind"], "running");
        gate.open();
        let (status, text) = first.join().unwrap();
        assert_eq!(status, 200, "{text}");
        let (status, again) = server.ask_known("POST /v1/changes", head, &body);
        assert_eq!(status, 200, "{again}");
        let committed = |text: &str| self::body(text)["committed"].clone();
        assert_eq!(committed(&again), committed(&text));
    });
    assert_eq!(world.history().await, [(1, 1), (2, 2), (3, 1)]);
}

/// Answers whatever comes with `answer`, and says where.
fn impostor(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut heard = [0; 4096];
            _ = stream.read(&mut heard);
            _ = stream.write_all(answer.as_bytes());
        }
    });
    format!("http://{address}")
}

#[test]
fn whatever_answers_in_place_of_a_server_is_told_from_one() {
    for (answer, code) in [
        ("", 7),
        ("garbage\r\n\r\n", 7),
        (
            "HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\nContent-Length: 3\r\n\r\n<p>",
            7,
        ),
        ("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", 7),
        (
            "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n",
            7,
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
            7,
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\nevent: report\ndata: 1\n\n",
            7,
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n: nothing more\n\n",
            7,
        ),
        ("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", 7),
        // It says in our words why not.
        (
            "HTTP/1.1 403 No\r\nContent-Type: application/problem+json\r\n\r\n\
             {\"kind\":\"denied\",\"error\":\"you may not\",\"causes\":[],\"hints\":[\"no\"]}",
            6,
        ),
    ] {
        let user = Cfgctl::new().with("CFGCTL_STORE", &impostor(answer));
        bring(&user, FILES);
        for command in [
            &["get"][..],
            &["status"],
            &["history", "checkout"],
            &["apply", "-f", FILES, "--yes"],
            &["breaker", "trip", "checkout/payment-provider", "--yes"],
        ] {
            let ran = user.run(command);
            assert_eq!(
                ran.code,
                Some(code),
                "{answer}\n{command:?}\n{}",
                ran.stderr
            );
            assert!(ran.stderr.starts_with("error: "), "{}", ran.stderr);
        }
    }
}
