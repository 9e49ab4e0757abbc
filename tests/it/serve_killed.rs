//! A server that is killed at any moment: what it has acknowledged is there, once, and nothing is
//! half-done. People and programs write through it all the while, and ask again for what was not
//! answered.
//!
//! `CFGCTL_TEST_KILLS` says how often it is killed, for a longer run, and `CFGCTL_TEST_SEED` repeats
//! the moments of one that failed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::process::Signal;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::support::cli::{Cfgctl, Ran};
use crate::support::raw::{Raw, Tree, parse_tree};
use crate::support::server::{Server, ask, json_by};
use crate::support::world::World;

/// How often the server is killed where nothing else is said.
const KILLS: u64 = 10;
/// The longest life of a server, in microseconds: several changes.
const LIFE: u64 = 700_000;
/// How long to wait before something is asked for again.
const PAUSE: Duration = Duration::from_millis(10);
/// How often an answer may be lost in a row: then no server comes any more.
const MOST_LOST: usize = 6_000;
/// Above every limit.
const ALL: &str = "1000000";

/// Turns true when a test ends, however it ends, so that nobody goes on for ever.
struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Where no connection of anybody takes the port while no server listens there.
fn lasting_address() -> String {
    loop {
        let address = format!("127.0.0.1:{}", fastrand::u16(20_000..32_000));
        if TcpListener::bind(&address).is_ok() {
            return address;
        }
    }
}

fn number(variable: &str) -> Option<u64> {
    std::env::var_os(variable)?.to_str()?.parse().ok()
}

/// The set in generation `n`, which says `n` in every value that nobody switches.
fn manifest(prefix: &str, n: u64) -> String {
    format!(
        "apiVersion: cfgctl.dev/v1\nkind: ConfigSet\nmetadata: {{name: checkout}}\nspec:\n  \
         values: {{generation: {n}, payment: {{provider: p-{n}, timeoutMs: {n}}}}}\n  \
         flags: {{express-pay: true}}\n  \
         breakers: {{provider: {{trip: {{values: {{payment: {{provider: backup}}}}}}}}}}\n  \
         publish:\n    - spring: {{context: {prefix}/config/checkout}}\n    \
         - keys: {{prefix: {prefix}/app/checkout}}\n"
    )
}

/// The version that a cluster holds; panics at anything but one whole snapshot.
fn version_in(prefix: &str, tree: &Tree) -> Option<u64> {
    if tree.is_empty() {
        return None;
    }
    let key = format!("{prefix}/cfgctl/checkout/snapshot");
    let document: Value = serde_json::from_slice(&tree[&key].0).expect("JSON");
    let promised = document["keys"].as_object().expect("keys");
    let digest = |value: &[u8]| {
        let mut text = "sha256:".to_owned();
        for byte in &Sha256::digest(value) {
            _ = write!(text, "{byte:02x}");
        }
        Value::from(text)
    };
    let others = tree.iter().filter(|(name, _)| **name != key);
    let held = others.map(|(name, (value, _))| (name.clone(), digest(value)));
    let held: serde_json::Map<String, Value> = held.collect();
    assert_eq!(*promised, held, "a mixture: {document}");
    // What the snapshot says of itself, beside what it says of its keys.
    let leaf = format!("{prefix}/app/checkout/generation");
    let generation = document["values"]["generation"].to_string();
    assert_eq!(tree[&leaf].0, generation.as_bytes(), "a mixture");
    document["version"].as_u64()
}

/// Reads what a Consul holds until it is told to stop, and once more; the versions that it saw.
fn read(prefix: &str, address: &str, stop: &AtomicBool) -> Vec<u64> {
    let mut consul = Raw::to(address);
    let (mut versions, mut before) = (Vec::new(), Vec::new());
    loop {
        let is_last = stop.load(Ordering::SeqCst);
        let now = consul.tree_text(prefix);
        if now != before
            && let Some(version) = version_in(prefix, &parse_tree(&now))
        {
            let newest = versions.last().copied().unwrap_or(0);
            assert!(version >= newest, "{version} after {newest}");
            if version > newest {
                versions.push(version);
            }
        }
        before = now;
        if is_last {
            return versions;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// What one writer asked for, by the reason that it gave for each.
#[derive(Debug, Default)]
struct Written {
    /// What was acknowledged, and the version that was said.
    acknowledged: BTreeMap<String, Option<u64>>,
    /// What was never answered, and not asked for again.
    given_up: BTreeSet<String>,
    /// How often an answer was lost.
    lost: usize,
}

/// A program that knows where the server is, whichever it is.
struct Program<'w> {
    host: &'w str,
    token: &'w str,
}

impl Program<'_> {
    /// The status and the document of an answer, if it came to its end.
    fn ask(&self, head: &str, body: &Value) -> Option<(u16, Value)> {
        let stream = TcpStream::connect(self.host).ok()?;
        let head = json_by(self.token) + head;
        let (status, text) = ask(stream, "POST /v1/changes", &head, &body.to_string());
        let (_, body) = text.split_once("\r\n\r\n")?;
        Some((status, serde_json::from_str(body).ok()?))
    }

    /// Asks for one change after the other, each with a key of its own and until it is answered, until
    /// it is told to stop. Every one of `give_up` is asked for once, whatever comes.
    fn write(
        &self,
        name: &str,
        change: impl Fn(u64) -> Value,
        give_up: u64,
        stop: &AtomicBool,
    ) -> Written {
        let mut written = Written::default();
        for n in 0.. {
            let message = format!("{name}-{n}");
            let head = format!("Idempotency-Key: {message}\r\nIf-Match: *\r\n");
            let body = json!({"request": {
                "change": change(n), "message": message,
                "clusters": "", "consents": [], "dropped": [], "key": null,
                "planned": null, "permission": "asked",
                "pace": {"clustersAtOnce": 4, "timeout": {"secs": 15, "nanos": 0}},
            }});
            let is_patient = n % give_up != give_up - 1;
            // Whoever was answered asks once more now and then: the answer is the same.
            let (mut more, mut lost) = (u64::from(n % 3 == 0), 0);
            loop {
                match self.ask(&head, &body) {
                    Some((200, outcome)) => {
                        let committed = outcome["committed"].as_array().unwrap();
                        assert_eq!(committed.len(), 1, "{message}: {outcome}");
                        let version = committed[0]["version"].as_u64();
                        let before = written.acknowledged.insert(message.clone(), version);
                        assert!(before.is_none_or(|before| before == version), "{message}");
                        if more == 0 {
                            break;
                        }
                        more -= 1;
                    }
                    // Somebody else was faster, or the limit is reached.
                    Some((409 | 412 | 429 | 503, _)) => {}
                    Some((status, said)) => panic!("{message}: {status} {said}"),
                    None => {
                        written.lost += 1;
                        lost += 1;
                        assert!(lost < MOST_LOST, "{message}: nobody answers");
                        if !is_patient {
                            written.given_up.insert(message.clone());
                            break;
                        }
                    }
                }
                std::thread::sleep(PAUSE);
            }
            if stop.load(Ordering::SeqCst) {
                break;
            }
        }
        written
    }
}

/// A person's command, again and again until it is answered; how often the answer was lost.
fn until_answered(user: &Cfgctl, arguments: &[&str]) -> (Ran, usize) {
    let mut lost = 0;
    loop {
        let ran = user.run(arguments);
        match ran.code {
            Some(7) => lost += 1,
            Some(4) if !ran.stderr.contains("there is a token") => {}
            _ => return (ran, lost),
        }
        assert!(lost < MOST_LOST, "{arguments:?}: nobody answers");
        std::thread::sleep(PAUSE);
    }
}

/// Applies one generation after the other.
fn apply(world: &World, user: &Cfgctl, stop: &AtomicBool) -> Written {
    let mut written = Written::default();
    for n in 2.. {
        user.write("checkout.yaml", &manifest(&world.prefix, n));
        let message = format!("apply-{n}");
        let apply = ["apply", "-f", "checkout.yaml", "--yes", "-o", "json"];
        let (ran, lost) = until_answered(user, &[&apply[..], &["-m", &message]].concat());
        // Whoever was overtaken after the commit is told that: 3.
        assert!(matches!(ran.code, Some(0 | 3)), "{ran:?}");
        let report: Value = serde_json::from_str(&ran.stdout).unwrap();
        let version = report["committed"][0]["version"].as_u64();
        // Nothing is to be done where the one before it did it.
        assert!(version.is_some() || lost > 0, "{report}");
        written.lost += lost;
        written.acknowledged.insert(message, version);
        if stop.load(Ordering::SeqCst) {
            return written;
        }
    }
    written
}

/// The tokens that were made, and those of them that were revoked.
#[derive(Debug, Default)]
struct Tokens {
    made: BTreeSet<String>,
    revoked: BTreeSet<String>,
    lost: usize,
}

/// Makes one token after the other, and revokes every second one.
fn tokens(user: &Cfgctl, stop: &AtomicBool) -> Tokens {
    let mut tokens = Tokens::default();
    for n in 0.. {
        let name = format!("t-{n}");
        let (ran, lost) = until_answered(user, &["token", "create", &name]);
        // There is one already where the one before it made it.
        assert!(
            ran.code == Some(0) || ran.code == Some(4) && lost > 0,
            "{ran:?}"
        );
        tokens.lost += lost;
        tokens.made.insert(name.clone());
        if n % 2 == 0 {
            let (ran, lost) = until_answered(user, &["token", "revoke", &name]);
            assert!(
                ran.code == Some(0) || ran.code == Some(2) && lost > 0,
                "{ran:?}"
            );
            tokens.lost += lost;
            tokens.revoked.insert(name);
        }
        if stop.load(Ordering::SeqCst) {
            break;
        }
    }
    tokens
}

/// What the history of a resource says: the version that was made for each reason.
fn made(world: &World, name: &str) -> BTreeMap<String, u64> {
    let history = world.json(0, &["history", name, "--limit", ALL]);
    let revisions = history["revisions"].as_array().unwrap();
    let mut made = BTreeMap::new();
    for (revision, version) in revisions.iter().rev().zip(1..) {
        assert_eq!(revision["version"], version, "{name}");
        let message = revision["origin"]["message"].as_str().unwrap();
        let before = made.insert(message.to_owned(), version);
        assert_eq!(before, None, "{message} was made twice");
    }
    made
}

/// Whatever was acknowledged is there, in the version that was said; what is there was asked for.
fn check(made: &BTreeMap<String, u64>, written: &[&Written]) {
    for (message, version) in written.iter().flat_map(|it| &it.acknowledged) {
        let found = made.get(message).copied();
        assert!(found.is_some(), "{message} was acknowledged and is lost");
        assert!(
            version.is_none() || found == *version,
            "{message}: {found:?}"
        );
    }
    for message in made.keys().filter(|message| *message != "first") {
        let asked =
            |it: &&&Written| it.acknowledged.contains_key(message) || it.given_up.contains(message);
        assert!(
            written.iter().any(|it| asked(&it)),
            "nobody asked for {message}"
        );
    }
}

/// The names of the tokens that the log has an entry for of this kind.
fn logged(host: &Cfgctl, event: &str) -> Vec<String> {
    let listed = host.ok(&["audit", "list", "--limit", ALL, "-o", "json"]);
    let entries = listed
        .lines()
        .map(|line| serde_json::from_str(line).unwrap());
    let of_kind = entries.filter(|entry: &Value| entry["event"] == event);
    let mut names: Vec<_> = of_kind.map(|entry| name_in(&entry)).collect();
    names.sort();
    names
}

fn name_in(entry: &Value) -> String {
    let text = entry.to_string();
    let (_, rest) = text
        .split_once("\"name\":\"")
        .unwrap_or_else(|| panic!("{text}"));
    rest.split('"').next().unwrap().to_owned()
}

/// Every token that was made and not revoked is there, and the log has each once.
fn check_tokens(world: &World, tokens: &Tokens) {
    let listed = world.json(0, &["token", "list"]);
    let items = listed["items"].as_array().unwrap().iter();
    let mut there: Vec<_> = items.map(|it| it["name"].as_str().unwrap()).collect();
    there.sort_unstable();
    let left = tokens.made.difference(&tokens.revoked).map(String::as_str);
    let mut left: Vec<_> = left.chain(["ops"]).collect();
    left.sort_unstable();
    assert_eq!(there, left);
    let names = |names: &BTreeSet<String>| names.iter().cloned().collect::<Vec<_>>();
    let mut created = names(&tokens.made);
    created.push("ops".to_owned());
    created.sort_unstable();
    assert_eq!(logged(&world.user, "TOKEN_CREATED"), created);
    assert_eq!(logged(&world.user, "TOKEN_REVOKED"), names(&tokens.revoked));
}

/// Says what repeats a run that fails.
#[expect(clippy::print_stderr, reason = "shown with a test that fails")]
fn tell(what: &str) {
    eprintln!("{what}");
}

/// A world whose set can be switched, and who may do everything by a token.
async fn world() -> (World, String) {
    let world = World::shared(3).await;
    let host = &world.user;
    host.write("checkout.yaml", &manifest(&world.prefix, 1));
    let grant = "apiVersion: cfgctl.dev/v1\nkind: Grant\nmetadata: {name: ops}\n\
                 spec: {to: [\"token:ops\"], role: admin}\n";
    host.write("grant.yaml", grant);
    let files = [
        "-f",
        "clusters.yaml",
        "-f",
        "checkout.yaml",
        "-f",
        "grant.yaml",
    ];
    host.ok(&[&["apply", "--yes", "-m", "first"], &files[..]].concat());
    let token = host.ok(&["token", "create", "ops"]).trim().to_owned();
    (world, token)
}

#[tokio::test]
async fn a_server_that_is_killed_at_any_moment_loses_nothing_that_it_acknowledged() {
    let kills = number("CFGCTL_TEST_KILLS").unwrap_or(KILLS);
    let seed = number("CFGCTL_TEST_SEED").unwrap_or_else(|| fastrand::u64(..));
    tell(&format!(
        "CFGCTL_TEST_SEED={seed} CFGCTL_TEST_KILLS={kills}"
    ));
    let mut moments = fastrand::Rng::with_seed(seed);
    let (world, token) = world().await;
    let host = &world.user;
    let listen = lasting_address();
    let mut server = Server::start_at(host, &listen, &["--recover"]);
    let (status, answer) = server.ask_known("GET /v1/checkpoint", "", "");
    assert_eq!(status, 200, "{answer}");
    host.write("checkpoint", answer.split_once("\r\n\r\n").unwrap().1);
    let signer = server.said_after("are signed by ");
    let people = [(), ()].map(|()| {
        let user = Cfgctl::new().with("CFGCTL_TOKEN", &token);
        user.with("CFGCTL_STORE", &server.address)
    });

    let (over, settled) = &(AtomicBool::new(false), AtomicBool::new(false));
    let (world, people) = (&world, &people);
    let program = &Program {
        host: &listen,
        token: &token,
    };
    let [applied, tripped, flagged, granted] = std::thread::scope(|scope| {
        let _end = [End(over), End(settled)];
        let addresses = world.addresses().into_iter();
        let reading = |address: String| scope.spawn(move || read(&world.prefix, &address, settled));
        let readers: Vec<_> = addresses.map(reading).collect();
        let applies = scope.spawn(|| apply(world, &people[0], over));
        let makes_tokens = scope.spawn(|| tokens(&people[1], over));
        let trips = scope.spawn(|| {
            let turn = |n| ["trip", "reset"][usize::from(n % 2 == 1)];
            let change = |n| {
                let operation = json!({turn(n): {}});
                json!({"breaker": {"set": "checkout", "breaker": "provider", "operation": operation}})
            };
            program.write("trip", change, u64::MAX, over)
        });
        let flags = scope.spawn(|| {
            let change = |n| {
                let to = json!({"held": {"at": {"boolean": n % 2 == 1}}});
                json!({"flag": {"set": "checkout", "flag": "express-pay", "to": to}})
            };
            program.write("flag", change, u64::MAX, over)
        });
        let grants = scope.spawn(|| {
            let change = |n| {
                let grant = json!({"to": [format!("token:t-{n}")], "role": "viewer"});
                json!({"declare": {"contents": {"grant/readers": {"grant": grant}}}})
            };
            program.write("grant", change, 2, over)
        });

        for _ in 0..kills {
            let moment = moments.u64(0..LIFE);
            tell(&format!("killed after {moment} µs"));
            std::thread::sleep(Duration::from_micros(moment));
            server.signal(Signal::KILL);
            assert_eq!(server.end().0, None);
            server = Server::start_at(host, &listen, &["--recover"]);
        }
        over.store(true, Ordering::SeqCst);
        let tokens = makes_tokens.join().unwrap();
        let written = [applies, trips, flags, grants].map(|it| it.join().unwrap());

        // What the dead ones sent may still have arrived while this looked.
        let resume = ["apply", "--resume", "--yes"];
        if people[0].run(&resume).code != Some(0) {
            people[0].ok(&resume);
        }
        let drift = people[0].run(&["drift"]);
        assert_eq!(drift.code, Some(0), "{}{}", drift.stdout, drift.stderr);
        settled.store(true, Ordering::SeqCst);
        let newest = made(world, "checkout").len() as u64;
        for reader in readers {
            let versions = reader.join().unwrap();
            assert_eq!(versions.last(), Some(&newest));
        }

        check_tokens(world, &tokens);
        let lost = tokens.lost + written.iter().map(|it| it.lost).sum::<usize>();
        assert!(lost > 0, "no answer was lost");
        written
    });

    check(&made(world, "checkout"), &[&applied, &tripped, &flagged]);
    check(&made(world, "grant/readers"), &[&granted]);
    _ = world.history().await;
    let verified = host.ok(&[
        "audit",
        "verify",
        "--against",
        "checkpoint",
        "--key",
        &signer,
    ]);
    assert!(verified.contains("the log is whole"), "{verified}");
}
