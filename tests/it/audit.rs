//! The log: it says who did what, shows whatever was changed in it, and goes on from what a server
//! signed once.

use std::process::Command;

use rusqlite::Connection;
use serde_json::Value;

use crate::support::cli::Cfgctl;
use crate::support::server::Server;

const MANIFESTS: &str = r"
apiVersion: cfgctl.dev/v1
kind: Cluster
metadata: {name: eu, labels: {stage: prod}}
spec: {directory: {path: out}}
---
apiVersion: cfgctl.dev/v1
kind: ConfigSet
metadata: {name: shop}
spec:
  values: {payment: {provider: stripe, timeoutMs: 1000}}
  breakers:
    provider: {trip: {values: {payment: {provider: adyen}}}}
  publish: [{spring: {context: config/shop}}]
";

/// A user beside a store with two commits.
fn host() -> Cfgctl {
    let host = Cfgctl::new().with("CFGCTL_STORE", "store.db");
    host.write("shop.yaml", MANIFESTS);
    host.ok(&["apply", "-f", "shop.yaml", "-m", "the first", "--yes"]);
    change(&host, "1500");
    host
}

fn change(user: &Cfgctl, timeout: &str) {
    user.write("shop.yaml", &MANIFESTS.replace("1000", timeout));
    user.ok(&["apply", "-f", "shop.yaml", "--yes"]);
}

/// The events that are listed, newest first.
fn events(user: &Cfgctl, more: &[&str]) -> Vec<Value> {
    let listed = user.ok(&[&["audit", "list", "-o", "json"], more].concat());
    let lines = listed.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn words<'a>(events: &'a [Value], field: &str) -> Vec<&'a str> {
    let words = events.iter().map(|event| event[field].as_str());
    words.map(|word| word.unwrap_or("-")).collect()
}

fn store(user: &Cfgctl) -> Connection {
    Connection::open(user.directory().join("store.db")).unwrap()
}

/// Whether the log is found whole; what is said of it.
fn verified(user: &Cfgctl, more: &[&str]) -> Result<String, String> {
    let ran = user.run(&[&["audit", "verify"], more].concat());
    match ran.code {
        Some(0) => Ok(ran.stdout),
        Some(2 | 4 | 7) => Err(ran.stderr),
        code => panic!("{code:?}: {}", ran.stderr),
    }
}

#[test]
fn the_log_says_who_did_what_and_why() {
    let host = host();
    host.ok(&["breaker", "trip", "shop/provider", "-m", "INC-7", "--yes"]);
    host.ok(&["rollback", "shop", "--to", "1", "-m", "as it was", "--yes"]);
    let token = host.ok(&["token", "create", "ci", "-m", "the pipeline"]);
    let all = events(&host, &[]);
    assert_eq!(
        words(&all, "event"),
        [
            "TOKEN_CREATED",
            "CONFIG_RELOAD_ROLLED_BACK",
            "CONFIG_RELOAD_APPLIED",
            "CONFIG_RELOAD_APPLIED",
            "CONFIG_RELOAD_APPLIED",
        ]
    );
    assert_eq!(words(&all, "actor"), ["ops@laptop"; 5]);
    assert_eq!(
        words(&all, "message"),
        ["the pipeline", "as it was", "INC-7", "-", "the first"]
    );
    let tripped = &all[2]["changes"];
    let expected = serde_json::json!([{"name": "set/shop", "before": 2, "after": 3}]);
    assert_eq!(*tripped, expected);
    let first = all[4]["changes"].as_array().unwrap();
    assert!(first.iter().all(|change| change.get("before").is_none()));
    // Nobody can use the token who reads this.
    let text = serde_json::to_string(&all).unwrap();
    assert!(!text.contains(&token.trim()[19..62]), "{text}");

    let found = |more: &[&str]| events(&host, more).len();
    assert_eq!(found(&["--cause", "breaker"]), 1);
    assert_eq!(found(&["--cause", "apply", "--set", "shop"]), 2);
    assert_eq!(found(&["--cluster", "eu"]), 1);
    assert_eq!(found(&["--set", "other"]), 0);
    assert_eq!(found(&["--actor", "ops@laptop"]), 5);
    assert_eq!(found(&["--actor", "nobody"]), 0);
    assert_eq!(found(&["--limit", "2"]), 2);
    let third = all[2]["at"].as_str().unwrap();
    assert_eq!(found(&["--since", third]), 3);
    assert_eq!(found(&["--until", third]), 2);
    let table = host.ok(&["audit", "list"]);
    assert!(
        table.contains("breaker provider trip: set/shop@2 -> 3"),
        "{table}"
    );
    assert!(table.contains("rollback to 1: set/shop@3 -> 4"), "{table}");
}

#[test]
fn whatever_is_changed_in_the_log_is_found() {
    let sound = host();
    let said = verified(&sound, &[]).unwrap();
    assert!(
        said.contains("the log is whole") && said.contains("entries  2"),
        "{said}"
    );
    for (what, sql) in [
        (
            "who it was",
            "UPDATE commits SET audit = replace(audit, 'ops@', 'dev@') WHERE sequence = 1",
        ),
        (
            "when",
            "UPDATE commits SET at = '2020-01-01T00:00:00Z' WHERE sequence = 1",
        ),
        (
            "a value",
            "UPDATE revisions SET content = replace(content, '1000', '9000') WHERE sequence = 1 AND name = 'shop'",
        ),
        (
            "a revision",
            "DELETE FROM revisions WHERE sequence = 1 AND name = 'shop'",
        ),
        ("an entry", "DELETE FROM commits WHERE sequence = 1"),
    ] {
        let host = host();
        let store = store(&host);
        // Whoever can write the file can do that, too.
        let triggers = "SELECT 'DROP TRIGGER ' || name FROM sqlite_schema WHERE type = 'trigger'";
        let triggers: Vec<String> = (store.prepare(triggers).unwrap())
            .query_map([], |row| row.get(0))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        let off = "PRAGMA foreign_keys = OFF;";
        store
            .execute_batch(&(off.to_owned() + &triggers.join(";")))
            .unwrap();
        let changed = store.execute(sql, []).unwrap();
        assert_eq!(changed, 1, "{what}");
        let said = verified(&host, &[]).unwrap_err();
        assert!(
            said.contains("damaged") || said.contains("not whole"),
            "{what}: {said}"
        );
    }
}

/// The checkpoint that a server signs, in a file, and the key that checks it.
fn checkpoint(server: &Server, user: &Cfgctl) -> (String, String) {
    let (status, answer) = server.ask_known("GET /v1/checkpoint", "", "");
    assert_eq!(status, 200, "{answer}");
    let (_, note) = answer.split_once("\r\n\r\n").unwrap();
    user.write("checkpoint", note);
    (note.to_owned(), server.said_after("are signed by "))
}

#[test]
fn a_log_that_was_cut_off_or_made_anew_does_not_go_on_from_what_a_server_signed() {
    let host = host();
    let early = std::fs::read(host.directory().join("store.db")).unwrap();
    change(&host, "2000");
    let server = Server::start(&host, &[]);
    let (note, key) = checkpoint(&server, &host);
    let trusted = ["--against", "checkpoint", "--key", &key];
    assert!(verified(&host, &trusted).unwrap().contains("goes on from"));
    change(&host, "2500");
    assert!(
        verified(&host, &trusted)
            .unwrap()
            .contains("with 3 entries")
    );
    // Through a server too.
    let mut guest = Cfgctl::new();
    server.lead(&mut guest);
    guest.write("checkpoint", &note);
    assert!(
        verified(&guest, &trusted)
            .unwrap()
            .contains("with 3 entries")
    );
    drop(server);

    let restore = || {
        for file in ["store.db", "store.db-wal", "store.db-shm"] {
            _ = std::fs::remove_file(host.directory().join(file));
        }
        std::fs::write(host.directory().join("store.db"), &early).unwrap();
        // No cluster goes back.
        std::fs::remove_dir_all(host.directory().join("out")).unwrap();
    };
    restore();
    // Nothing in it is wrong.
    verified(&host, &[]).unwrap();
    let said = verified(&host, &trusted).unwrap_err();
    assert!(said.contains("3 entries once, and has 2 now"), "{said}");
    // As many as before, and all of them sound.
    change(&host, "7000");
    verified(&host, &[]).unwrap();
    let said = verified(&host, &trusted).unwrap_err();
    assert!(said.contains("changed or replaced"), "{said}");
    let other = Cfgctl::new().with("CFGCTL_STORE", "store.db");
    other.write("shop.yaml", MANIFESTS);
    other.ok(&["apply", "-f", "shop.yaml", "--yes"]);
    other.write("checkpoint", &note);
    let said = verified(&other, &trusted).unwrap_err();
    assert!(said.contains("the checkpoint is of the log"), "{said}");
}

#[test]
fn others_who_know_ed25519_find_the_signature_right_and_a_changed_one_wrong() {
    let host = host();
    let server = Server::start(&host, &["--checkpoint-key", "signing.pem"]);
    let (note, key) = checkpoint(&server, &host);
    let directory = host.directory();
    let (body, signature) = note.split_once("\n\n").unwrap();
    host.write("body", &format!("{body}\n"));
    let line = signature.trim().rsplit(' ').next().unwrap();
    let command = format!(
        "set -e; openssl pkey -in signing.pem -pubout -out public.pem
        printf %s '{line}' | openssl base64 -d -A | tail -c +5 > signature
        openssl pkeyutl -verify -pubin -inkey public.pem -rawin -in body -sigfile signature"
    );
    let judge = || {
        let mut judge = Command::new("sh");
        judge.args(["-c", &command]).current_dir(directory);
        judge.output().unwrap().status.success()
    };
    assert!(judge());
    host.write("body", &format!("{body}\n").replacen("\n2\n", "\n3\n", 1));
    assert!(!judge());

    host.write("checkpoint", &note.replacen("\n2\n", "\n1\n", 1));
    let against = ["--against", "checkpoint", "--key", &key];
    let said = verified(&host, &against).unwrap_err();
    assert!(said.contains("its signature is wrong"), "{said}");
    host.write("checkpoint", "nothing");
    let said = verified(&host, &against).unwrap_err();
    assert!(said.contains("is no checkpoint"), "{said}");
    host.write("checkpoint", &note);
    let against = ["--against", "checkpoint", "--key", "foo"];
    let said = verified(&host, &against).unwrap_err();
    assert!(said.contains("what `--key` names is no key"), "{said}");
    assert!(!said.contains("is no checkpoint"), "{said}");
    // The key stays the same, and nobody else reads it.
    let mode = std::fs::metadata(directory.join("signing.pem")).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::mode(&mode.permissions());
    assert_eq!(mode & 0o777, 0o600);
    drop(server);
    let server = Server::start(&host, &["--checkpoint-key", "signing.pem"]);
    assert_eq!(server.said_after("are signed by "), key);
}

#[test]
fn who_was_refused_something_is_in_the_log() {
    let host = host();
    let token = host.ok(&["token", "create", "nobody"]);
    let server = Server::start(&host, &["--recover"]);
    let guest = Cfgctl::new()
        .with("CFGCTL_STORE", &server.address)
        .with("CFGCTL_TOKEN", token.trim());
    guest.write("shop.yaml", MANIFESTS);
    assert_eq!(guest.run(&["audit", "list"]).code, Some(6));
    let mut owner = Cfgctl::new();
    server.lead(&mut owner);
    // It is written down after the answer.
    let refused = loop {
        let refused = events(&owner, &["--actor", "token:nobody"]);
        if refused
            .iter()
            .any(|it| it["event"] == "CONFIG_RELOAD_REJECTED")
        {
            break refused;
        }
    };
    let refused = refused
        .iter()
        .find(|it| it["event"] == "CONFIG_RELOAD_REJECTED");
    let refused = refused.unwrap();
    assert_eq!(refused["noted"]["refused"]["operation"], "GET /v1/audit");
    assert_eq!(refused["noted"]["refused"]["count"], 1);
    assert!(
        refused["via"]["peer"]
            .as_str()
            .unwrap()
            .starts_with("127.0.0.1:")
    );
    assert!(refused["via"]["request"].is_string());
    assert!(refused["token"].is_string());
}

#[test]
fn a_key_that_has_no_place_is_to_be_named() {
    let host = host().with("HOME", "");
    let ran = host.run(&["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(ran.code, Some(2), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("`--checkpoint-key FILE`"),
        "{}",
        ran.stderr
    );
}
