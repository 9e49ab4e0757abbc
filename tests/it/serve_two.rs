//! Two servers over one store: whatever is asked of one is as if it had been asked of the other.

use std::sync::Barrier;

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::cli::Cfgctl;
use crate::support::proxy::{Fate, Gate, Proxy, Request};
use crate::support::server::{Server, ask, json_by};
use crate::support::switched::Switched;
use crate::support::world::World;

const HEAD: &str = "/v1/sets/checkout/revisions/head";

/// Two servers over a set with two revisions, and whoever may do everything at both by the same token.
struct Pair {
    switched: Switched,
    proxies: Vec<Proxy>,
    servers: [Server; 2],
    token: String,
}

fn grant(name: &str, to: &str, role: &str) -> String {
    format!(
        "apiVersion: cfgctl.dev/v1\nkind: Grant\nmetadata: {{name: {name}}}\n\
         spec: {{to: [\"token:{to}\"], role: {role}}}\n"
    )
}

impl Pair {
    async fn new(clusters: usize) -> Self {
        let world = World::shared(clusters).await;
        let proxies = world.behind_proxies();
        let switched = Switched::in_world(world);
        for provider in ["stripe", "adyen"] {
            switched.declare(provider);
            switched.apply().expect_code(0);
        }
        let host = &switched.world.user;
        host.write("ops.yaml", &grant("ops", "ops", "admin"));
        host.ok(&["apply", "-f", "ops.yaml", "--yes"]);
        let token = host.ok(&["token", "create", "ops"]).trim().to_owned();
        let servers = [(), ()].map(|()| Server::start(host, &["--recover"]));
        Self {
            switched,
            proxies,
            servers,
            token,
        }
    }

    /// Status and answer of one of the two.
    fn ask(&self, server: usize, request: &str, head: &str, body: &str) -> (u16, String) {
        let head = json_by(&self.token) + head;
        ask(self.servers[server].connect(), request, &head, body)
    }

    /// Carries out a change that is known as `key`.
    fn change(&self, server: usize, key: &str, if_match: &str, change: &Value) -> (u16, Value) {
        let head = format!("Idempotency-Key: {key}\r\nIf-Match: {if_match}\r\n");
        let body = json!({"request": request(change)}).to_string();
        let (status, text) = self.ask(server, "POST /v1/changes", &head, &body);
        (status, document(&text))
    }

    /// Asks both for the same at once.
    fn at_both<T: Send>(&self, ask: impl Fn(&Self, usize) -> T + Sync) -> [T; 2] {
        let start = Barrier::new(2);
        std::thread::scope(|scope| {
            let (start, ask) = (&start, &ask);
            let asked = [0, 1].map(|server| {
                scope.spawn(move || {
                    start.wait();
                    ask(self, server)
                })
            });
            asked.map(|it| it.join().unwrap())
        })
    }

    /// The newest version, as one of the two says.
    fn head(&self, server: usize) -> u64 {
        let (status, text) = self.ask(server, &format!("GET {HEAD}"), "", "");
        assert_eq!(status, 200, "{text}");
        document(&text)["version"].as_u64().unwrap()
    }

    /// A user who works through one of the two.
    fn user(&self, server: usize, token: &str) -> Cfgctl {
        let user = Cfgctl::new().with("CFGCTL_TOKEN", token);
        user.with("CFGCTL_STORE", &self.servers[server].address)
    }

    /// Both find the log whole, and it is one. How many entries it has by then may differ: who logs in
    /// is written down a moment later.
    fn verified(&self) {
        let logs = [0, 1].map(|server| {
            let said = self.user(server, &self.token).ok(&["audit", "verify"]);
            assert!(said.contains("the log is whole"), "{said}");
            let log = said.lines().find(|line| line.contains("cfgctl/"));
            log.unwrap().to_owned()
        });
        assert_eq!(logs[0], logs[1]);
    }

    /// Writes to clusters wait at this gate.
    fn hold(&self) -> Gate {
        let gate = Gate::default();
        for proxy in &self.proxies {
            let gate = gate.clone();
            proxy.rule(move |request: &Request| {
                if request.is_write() {
                    gate.pass();
                }
                Fate::Forward
            });
        }
        gate
    }

    fn providers(&self) -> Vec<String> {
        self.switched.keys(self.proxies.len(), "payment/provider")
    }
}

fn request(change: &Value) -> Value {
    json!({
        "change": change, "clusters": "", "consents": [], "dropped": [], "message": "because",
        "key": null, "planned": null, "permission": "asked",
        "pace": {"clustersAtOnce": 1, "timeout": {"secs": 15, "nanos": 0}},
    })
}

fn document(text: &str) -> Value {
    let (_, body) = text.split_once("\r\n\r\n").unwrap();
    serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn header<'t>(text: &'t str, name: &str) -> &'t str {
    let mut lines = text.lines().filter_map(|line| line.split_once(": "));
    lines.find(|(found, _)| *found == name).unwrap().1
}

fn breaker(operation: &str) -> Value {
    let operation = json!({operation: {}});
    json!({"breaker": {"set": "checkout", "breaker": "payment-provider", "operation": operation}})
}

fn flag(on: bool) -> Value {
    let to = json!({"held": {"at": {"boolean": on}}});
    json!({"flag": {"set": "checkout", "flag": "express-pay", "to": to}})
}

fn rollback(to: u64) -> Value {
    json!({"rollback": {"name": "set/checkout", "to": to}})
}

fn readers(to: &[&str]) -> Value {
    let to: Vec<_> = to.iter().map(|name| format!("token:{name}")).collect();
    let grant = json!({"to": to, "role": "viewer"});
    json!({"declare": {"contents": {"grant/readers": {"grant": grant}}}})
}

#[tokio::test]
async fn a_key_that_both_are_sent_at_once_is_one_change() {
    let pair = Pair::new(2).await;
    let names: Vec<_> = (0..4).map(|n| format!("reader-{n}")).collect();
    let grants = names.iter().map(|name| readers(&[name]));
    let turns = ["trip", "reset", "trip", "reset"];
    let switches = turns.iter().enumerate();
    let switches = switches.flat_map(|(n, turn)| [breaker(turn), flag(n % 2 == 1)]);
    let rollbacks = [1, 2, 1, 2].map(rollback);
    let changes: Vec<_> = switches.chain(rollbacks).chain(grants).collect();
    let mut seen = std::collections::BTreeSet::new();
    for (n, change) in changes.iter().enumerate() {
        let key = format!("key-{n}");
        let answers = pair.at_both(|pair, server| pair.change(server, &key, "*", change));
        let [(first, one), (second, other)] = &answers;
        assert_eq!((first, second), (&200, &200), "{change} {answers:?}");
        assert_eq!(one["committed"], other["committed"], "{change}");
        assert_eq!(
            one["committed"].as_array().unwrap().len(),
            1,
            "{change} {one}"
        );
        assert!(seen.insert(one["committed"].to_string()), "{change} {one}");
    }
    let made = seen.len() - names.len();
    assert_eq!(pair.head(0), 2 + made as u64);
    pair.user(1, &pair.token)
        .ok(&["apply", "--resume", "--yes"]);
    pair.user(0, &pair.token).ok(&["drift"]);
    pair.verified();
}

#[tokio::test]
async fn of_two_who_saw_the_same_plan_at_two_servers_one_carries_it_out() {
    let pair = Pair::new(1).await;
    for n in 0..8 {
        let change = if n % 2 == 0 { rollback(1) } else { rollback(2) };
        let plan = |pair: &Pair, server: usize| {
            let body = request(&change).to_string();
            let (status, text) = pair.ask(server, "POST /v1/plans", "", &body);
            assert_eq!(status, 200, "{text}");
            header(&text, "etag").to_owned()
        };
        let tags = pair.at_both(plan);
        assert_eq!(tags[0], tags[1]);
        let answers = pair.at_both(|pair, server| {
            pair.change(server, &format!("key-{n}-{server}"), &tags[server], &change)
        });
        let mut statuses = answers.each_ref().map(|it| it.0);
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 412], "{answers:?}");
        let loser = answers.iter().find(|it| it.0 == 412).unwrap();
        assert_eq!(loser.1["kind"], "conflict", "{loser:?}");
        assert_eq!([pair.head(0), pair.head(1)], [3 + n; 2]);
    }
    pair.verified();
}

#[tokio::test]
async fn what_one_acknowledges_the_other_has_and_tells_whoever_waits() {
    let pair = Pair::new(1).await;
    let snapshot = "/v1/clusters/c0/snapshots/checkout";
    for n in 0..12 {
        let (by, other) = (n % 2, 1 - n % 2);
        let (_, before) = pair.ask(other, &format!("GET {HEAD}"), "", "");
        let (_, now) = pair.ask(other, &format!("GET {snapshot}"), "", "");
        let after = header(&now, "x-cfgctl-sequence").to_owned();
        let wait = format!("GET {snapshot}?after={after}&wait=290s");
        std::thread::scope(|scope| {
            let waits = scope.spawn(|| pair.ask(other, &wait, "", ""));
            let (status, said) = pair.change(by, &format!("key-{n}"), "*", &flag(n % 2 == 1));
            assert_eq!(status, 200, "{said}");
            let version = said["committed"][0]["version"].as_u64();
            // At once: nobody waits for the news of it.
            let known = format!("If-None-Match: {}\r\n", header(&before, "etag"));
            let (status, text) = pair.ask(other, &format!("GET {HEAD}"), &known, "");
            assert_eq!(status, 200, "{text}");
            assert_eq!(document(&text)["version"].as_u64(), version);
            let (_, here) = pair.ask(by, &format!("GET {HEAD}"), "", "");
            assert_eq!(header(&here, "etag"), header(&text, "etag"));
            let (status, text) = waits.join().unwrap();
            assert_eq!(status, 200, "{text}");
            assert_eq!(document(&text)["version"].as_u64(), version);
        });
    }
}

#[tokio::test]
async fn what_somebody_may_no_more_at_one_he_may_no_more_at_the_other() {
    let pair = Pair::new(1).await;
    let owner = pair.user(0, &pair.token);
    let token = owner.ok(&["token", "create", "dev"]).trim().to_owned();
    let reads = |server: usize, token: &str| {
        let stream = pair.servers[server].connect();
        ask(stream, &format!("GET {HEAD}"), &json_by(token), "").0
    };
    assert_eq!([reads(0, &token), reads(1, &token)], [404; 2]);
    for n in 0..6 {
        let (by, other) = (n % 2, 1 - n % 2);
        let (first, then) = (format!("given-{n}"), format!("taken-{n}"));
        assert_eq!(pair.change(by, &first, "*", &readers(&["dev"])).0, 200);
        assert_eq!([reads(other, &token), reads(by, &token)], [200; 2]);
        assert_eq!(pair.change(by, &then, "*", &readers(&["other"])).0, 200);
        assert_eq!([reads(other, &token), reads(by, &token)], [404; 2]);
    }
    assert_eq!(pair.change(0, "last", "*", &readers(&["dev"])).0, 200);
    // One that takes over, and is younger than what the other knows.
    let next = owner.ok(&["token", "rotate", "dev"]).trim().to_owned();
    assert_eq!([reads(1, &next), reads(1, &token)], [200; 2]);
    owner.ok(&["token", "revoke", "dev"]);
    for ended in [&token, &next] {
        for server in [0, 1] {
            while reads(server, ended) != 401 {}
        }
    }
    pair.verified();
}

#[tokio::test]
async fn a_change_at_one_is_seen_through_the_other_and_stopped_where_it_is_made() {
    let pair = Pair::new(3).await;
    let gate = pair.hold();
    let body = json!({"request": request(&breaker("trip"))}).to_string();
    let head = "Idempotency-Key: k\r\nIf-Match: *\r\nX-Request-Id: the-trip\r\n";
    std::thread::scope(|scope| {
        let carries = scope.spawn(|| pair.ask(0, "POST /v1/changes", head, &body));
        gate.until_arrived(1);
        // It is committed, so it is there for everybody, and clusters lie behind.
        assert_eq!([pair.head(0), pair.head(1)], [3; 2]);
        let seen = pair.user(1, &pair.token).run(&["drift", "-o", "json"]);
        assert_ne!(seen.code, Some(0), "{seen:?}");
        let (status, said) = pair.ask(1, "DELETE /v1/changes/the-trip", "", "");
        assert_eq!(status, 404, "{said}");
        assert!(said.contains("this server carries out no change"), "{said}");
        let (status, said) = pair.ask(0, "DELETE /v1/changes/the-trip", "", "");
        assert_eq!(status, 202, "{said}");
        gate.open();
        let (status, text) = carries.join().unwrap();
        assert_eq!(status, 200, "{text}");
        let outcome = document(&text);
        assert_eq!(outcome["complete"], false);
        let clusters = outcome["clusters"].as_array().unwrap().iter();
        let mut outcomes: Vec<_> = clusters.map(|it| it["outcome"].as_str().unwrap()).collect();
        outcomes.sort_unstable();
        assert_eq!(outcomes, ["delivered", "interrupted", "interrupted"]);
    });
    pair.user(1, &pair.token)
        .ok(&["apply", "--resume", "--yes"]);
    assert_eq!(pair.providers(), ["backup"; 3]);
    assert_eq!(pair.head(0), 3);
}

#[tokio::test]
async fn what_one_leaves_that_is_killed_the_other_finishes() {
    for again in [true, false] {
        let mut pair = Pair::new(3).await;
        let gate = pair.hold();
        std::thread::scope(|scope| {
            let carries = scope.spawn(|| {
                let head = "Idempotency-Key: k\r\nIf-Match: *\r\n";
                let body = json!({"request": request(&breaker("trip"))}).to_string();
                pair.ask(0, "POST /v1/changes", head, &body)
            });
            gate.until_arrived(1);
            pair.servers[0].signal(Signal::KILL);
            assert_eq!(carries.join().unwrap().0, 0);
        });
        gate.open();
        for proxy in &pair.proxies {
            proxy.until_idle();
            proxy.forward();
        }
        assert_eq!(pair.head(1), 3);
        if again {
            let (status, outcome) = pair.change(1, "k", "*", &breaker("trip"));
            assert_eq!((status, &outcome["complete"]), (200, &json!(true)));
            assert_eq!(outcome["committed"][0]["version"], 3, "{outcome}");
        } else {
            pair.user(1, &pair.token)
                .ok(&["apply", "--resume", "--yes"]);
        }
        assert_eq!(pair.providers(), ["backup"; 3]);
        assert_eq!(pair.head(1), 3);
        pair.servers[0] = Server::start(&pair.switched.world.user, &["--recover"]);
        pair.verified();
    }
}

#[tokio::test]
async fn both_write_at_once_and_the_log_is_one_chain() {
    const EACH: usize = 6;
    let pair = Pair::new(1).await;
    let write = |pair: &Pair, server: usize| {
        let owner = pair.user(server, &pair.token);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for n in 0..EACH {
                    owner.ok(&["token", "create", &format!("t-{server}-{n}")]);
                }
            });
            for n in 0..EACH {
                let change = match server {
                    0 => flag(n % 2 == 1),
                    _ => breaker(["trip", "reset"][n % 2]),
                };
                let key = format!("key-{server}-{n}");
                let (status, said) = pair.change(server, &key, "*", &change);
                assert_eq!(status, 200, "{said}");
                assert_eq!(said["committed"].as_array().unwrap().len(), 1, "{said}");
            }
        });
    };
    pair.at_both(write);
    assert_eq!([pair.head(0), pair.head(1)], [2 + 2 * EACH as u64; 2]);
    let listed = [0, 1].map(|server| {
        let user = pair.user(server, &pair.token);
        user.ok(&["audit", "list", "--limit", "1000", "-o", "json"])
    });
    for listed in listed {
        let count = |event: &str| listed.matches(event).count();
        assert_eq!(count("\"TOKEN_CREATED\""), 1 + 2 * EACH);
        assert_eq!(count("\"set/checkout\",\"before\""), 1 + 2 * EACH);
    }
    pair.verified();
}

#[tokio::test]
async fn a_name_is_given_to_one_token_at_both_together() {
    let pair = Pair::new(1).await;
    for n in 0..6 {
        let name = format!("ci-{n}");
        let ran = pair.at_both(|pair, server| {
            pair.user(server, &pair.token)
                .run(&["token", "create", &name])
        });
        let mut codes = ran.each_ref().map(|it| it.code);
        codes.sort_unstable();
        assert_eq!(codes, [Some(0), Some(4)], "{ran:?}");
    }
}
