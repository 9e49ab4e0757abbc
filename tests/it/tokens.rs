//! Tokens of the store: made, shown to servers, taken over from, and dead when they are revoked or over.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};

use cfgctl::model::{Sequence, TokenText};
use cfgctl::store::Store as _;
use cfgctl::store::sqlite::Sqlite;
use rustix::process::Signal;
use serde_json::Value;

use crate::support::cli::{Cfgctl, Ran};
use crate::support::server::Server;

/// A user beside the store.
fn host() -> Cfgctl {
    Cfgctl::new().with("CFGCTL_STORE", "store.db")
}

/// A user elsewhere, who shows `token` to `server`.
fn guest(server: &Server, token: &str) -> Cfgctl {
    Cfgctl::new()
        .with("CFGCTL_STORE", &server.address)
        .with("CFGCTL_TOKEN", token)
}

fn create(user: &Cfgctl, more: &[&str]) -> String {
    let made = user.ok(&[&["token", "create"], more].concat());
    made.trim().to_owned()
}

fn list(user: &Cfgctl) -> Vec<Value> {
    let listed: Value = serde_json::from_str(&user.ok(&["token", "list", "-o", "json"])).unwrap();
    listed["items"].as_array().unwrap().clone()
}

fn id(token: &str) -> String {
    token.parse::<TokenText>().unwrap().id().to_string()
}

/// A token with the id of `token` and another secret.
fn forged(token: &str) -> String {
    let token: TokenText = token.parse().unwrap();
    let forged = TokenText::new(token.kind(), token.id().clone(), &[7; 32]);
    forged.expose().to_owned()
}

fn whoami(user: &Cfgctl) -> Ran {
    user.run(&["whoami"])
}

/// Asks until the server says no, which it must sooner or later. Of a token that ends while it asks it
/// says that first, and what it is from then on when it is asked again.
fn until_refused(user: &Cfgctl) -> String {
    loop {
        let ran = whoami(user);
        let is_over = ran.stderr.contains("before the answer came to its end");
        if ran.code == Some(6) && !is_over {
            return ran.stderr;
        }
        let expected = if is_over { 6 } else { 0 };
        assert_eq!(ran.code, Some(expected), "{}", ran.stderr);
    }
}

/// What the log keeps beside every commit.
async fn audits(host: &Cfgctl) -> Vec<Value> {
    let store = Sqlite::open(&host.directory().join("store.db")).unwrap();
    let log = store.commits(Sequence::START, 100_000).await.unwrap();
    log.into_iter().filter_map(|it| it.audit).collect()
}

#[tokio::test]
async fn a_token_is_shown_once_and_kept_nowhere() {
    let host = host();
    let ran = host.run(&["token", "create", "ci", "-m", "the pipeline"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let token = ran.stdout.trim_end().to_owned();
    assert_eq!(ran.stdout, format!("{token}\n"), "nothing but the token");
    assert!(token.starts_with("cfg_api_"), "{token}");
    for said in ["made the store", "token ci (api, id ", "shown only now"] {
        assert!(ran.stderr.contains(said), "{}", ran.stderr);
    }
    assert!(!ran.stderr.contains(&token[20..40]), "{}", ran.stderr);

    let tokens = list(&host);
    assert_eq!(tokens.len(), 1);
    assert_eq!(tokens[0]["id"], id(&token));
    assert_eq!(tokens[0]["name"], "ci");
    assert_eq!(tokens[0]["state"], "valid");
    assert_eq!(tokens[0]["by"], "ops@laptop");
    assert_eq!(tokens[0]["message"], "the pipeline");
    assert_eq!(tokens[0].get("used"), None);
    for output in ["table", "wide", "json", "yaml", "name"] {
        let said = host.ok(&["token", "list", "-o", output]);
        assert!(
            said.contains(&id(&token)) && !said.contains(&token[20..40]),
            "{said}"
        );
    }
    assert_eq!(
        host.ok(&["token", "list", "-o", "name"]),
        format!("{}\n", id(&token))
    );

    let rotated = host.run(&["token", "rotate", "ci", "--overlap", "2h", "-m", "monthly"]);
    let second = rotated.stdout.trim().to_owned();
    let before = format!("the one before it, {}, is valid until ", id(&token));
    assert!(rotated.stderr.contains(&before), "{}", rotated.stderr);
    let tokens = list(&host);
    assert_eq!(tokens.len(), 2);
    let ends = |nth: usize| tokens[nth]["expires"].as_str().unwrap().to_owned();
    assert!(ends(0) < ends(1), "{tokens:?}");

    let revoked = host.ok(&["token", "revoke", &id(&second)]);
    assert_eq!(revoked, format!("token ci ({}) is revoked\n", id(&second)));
    assert_eq!(list(&host).len(), 1);
    host.ok(&["token", "revoke", "ci", "-m", "not used"]);
    assert_eq!(list(&host).len(), 0);

    let entries = audits(&host).await;
    let whats: Vec<_> = entries
        .iter()
        .map(|it| {
            it["what"]
                .as_object()
                .unwrap()
                .keys()
                .next()
                .unwrap()
                .as_str()
        })
        .collect();
    let expected = [
        "tokenCreated",
        "tokenRotated",
        "tokenRevoked",
        "tokenRevoked",
    ];
    assert_eq!(whats, expected);
    for entry in &entries {
        assert_eq!(entry["by"]["principal"]["local"], "ops@laptop");
    }
    assert_eq!(entries[3]["message"], "not used");
    for file in std::fs::read_dir(host.directory()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap_or_default();
        for secret in [&token, &second] {
            let secret = &secret.as_bytes()[19..62];
            assert!(!bytes.windows(secret.len()).any(|it| it == secret));
        }
    }
}

#[test]
fn what_makes_no_sense_is_refused_with_what_does() {
    let host = host();
    create(&host, &["ci"]);
    for (line, code, said) in [
        ("token create ci", 4, "cfgctl token rotate ci"),
        ("token create a --kind agent", 2, "--cluster"),
        ("token create a --cluster eu", 2, "--kind agent"),
        (
            "token create a --kind agent --cluster eu",
            2,
            "there is no cluster/eu",
        ),
        ("token create a --kind app", 2, "--set"),
        ("token create a --set checkout", 2, "--kind app"),
        (
            "token create a --kind app --set checkout",
            2,
            "there is no set/checkout",
        ),
        (
            "token create a --kind agent --set checkout --cluster eu",
            2,
            "is for no set",
        ),
        ("token create a --kind admin", 2, "`agent` or `app`"),
        ("token create A_b", 2, "is not a name"),
        ("token create a --expires 9000d", 2, "up to a year"),
        ("token create a --expires 0s", 2, "up to a year"),
        ("token rotate cd", 2, "cfgctl token list"),
        ("token revoke cd", 2, "cfgctl token list"),
    ] {
        let words: Vec<&str> = line.split(' ').collect();
        let ran = host.run(&words);
        assert_eq!(ran.code, Some(code), "{line}\n{}{}", ran.stdout, ran.stderr);
        assert!(ran.stderr.contains(said), "{line}\n{}", ran.stderr);
        assert_eq!(ran.stdout, "", "{line}");
    }
    assert_eq!(list(&host).len(), 1);
    // A name that is free again, and one without an end.
    host.ok(&["token", "revoke", "ci"]);
    create(&host, &["ci", "--expires", "never"]);
    assert_eq!(list(&host)[0].get("expires"), None);
}

#[test]
fn through_a_server_its_owner_makes_tokens_and_their_holders_make_none() {
    let mut owner = host();
    owner.write(
        "eu.yaml",
        "apiVersion: cfgctl.dev/v1\nkind: Cluster\nmetadata: {name: eu}\n\
         spec: {directory: {path: out}}\n",
    );
    owner.ok(&["apply", "-f", "eu.yaml", "--yes"]);
    let server = Server::start(&owner, &[]);
    server.lead(&mut owner);
    assert!(
        whoami(&owner)
            .stdout
            .starts_with("owner (holds the token that the server")
    );
    let tokens = [
        create(&owner, &["ci"]),
        create(&owner, &["alertmanager", "--kind", "alerts"]),
        create(&owner, &["eu-agent", "--kind", "agent", "--cluster", "eu"]),
    ];
    assert_eq!(list(&owner).len(), 3);
    assert_eq!(list(&owner)[0]["by"], "owner");
    let names = ["ci", "alertmanager", "eu-agent"];
    for (token, name) in tokens.iter().zip(names) {
        // At once: the token is younger than what the server knows.
        let guest = guest(&server, token);
        let said = guest.ok(&["whoami"]);
        assert!(said.starts_with(&format!("token:{name} (")), "{said}");
        assert!(said.contains(&id(token)) && !said.contains(token), "{said}");
        let refused: &[&str] = &[
            "token list",
            "token create other",
            "token rotate ci",
            "token revoke ci",
            "apply --resume --yes",
        ];
        let read = ["get", "status", "cluster list"];
        if name == "ci" {
            // What no grant shows is not there.
            for line in read {
                let said = guest.ok(&line.split(' ').collect::<Vec<_>>());
                assert!(!said.contains("eu"), "{line}: {said}");
            }
        }
        let read = if name == "ci" { &[][..] } else { &read[..] };
        for line in refused.iter().chain(read) {
            let words: Vec<&str> = line.split(' ').collect();
            let ran = guest.run(&words);
            assert_eq!(
                ran.code,
                Some(6),
                "{name}: {line}\n{}{}",
                ran.stdout,
                ran.stderr
            );
        }
    }
    assert_eq!(list(&owner).len(), 3);
    let json: Value =
        serde_json::from_str(&guest(&server, &tokens[2]).ok(&["whoami", "-o", "json"])).unwrap();
    assert_eq!(json["kind"], "Identity");
    assert_eq!(json["subject"], "token:eu-agent");
    assert_eq!(json["token"]["cluster"], "eu");
    let second = owner.ok(&["token", "rotate", "ci"]);
    for token in [tokens[0].as_str(), second.trim()] {
        assert_eq!(whoami(&guest(&server, token)).code, Some(0), "two at once");
    }
}

#[test]
fn a_token_that_is_revoked_at_one_server_is_refused_at_the_other() {
    let host = host();
    let one = Server::start(&host, &[]);
    let other = Server::start(&host, &[]);
    let mut owner = Cfgctl::new();
    one.lead(&mut owner);
    let token = create(&owner, &["ci"]);
    assert_eq!(whoami(&guest(&other, &token)).code, Some(0));
    assert_eq!(whoami(&guest(&one, &token)).code, Some(0));
    // The ends of the old ones are seen as well: at once, if that is wanted.
    let second = owner.ok(&["token", "rotate", "ci", "--overlap", "0s"]);
    let refused = until_refused(&guest(&other, &token));
    assert!(refused.contains("expired at"), "{refused}");
    assert_eq!(whoami(&guest(&other, second.trim())).code, Some(0));
    // By somebody beside the store, who knows no server.
    host.ok(&["token", "revoke", "ci"]);
    for server in [&one, &other] {
        let refused = until_refused(&guest(server, second.trim()));
        assert!(refused.contains("does not know who you are"), "{refused}");
    }
}

#[tokio::test]
async fn a_server_that_starts_anew_knows_who_comes_and_says_when_they_last_came() {
    let host = host();
    let token = create(&host, &["ci"]);
    for _ in 0..2 {
        let server = Server::start(&host, &["--recover"]);
        assert_eq!(whoami(&guest(&server, &token)).code, Some(0));
        server.signal(Signal::TERM);
        assert_eq!(server.end().0, Some(0));
        assert!(list(&host)[0]["used"].is_string());
    }
    // The second time is no login: it came a moment after the first.
    let entries = audits(&host).await;
    let logins: Vec<_> = entries
        .iter()
        .filter(|it| it["what"] == "loggedIn")
        .collect();
    assert_eq!(logins.len(), 1, "{entries:?}");
    let by = &logins[0]["by"];
    assert_eq!(by["principal"]["token"]["subject"], "token:ci");
    assert_eq!(by["principal"]["token"]["id"], id(&token));
    assert!(
        by["via"]["peer"]
            .as_str()
            .unwrap()
            .starts_with("127.0.0.1:")
    );
    assert!(by["via"]["request"].is_string());
}

#[test]
fn only_who_holds_the_secret_is_told_that_a_token_expired() {
    let host = host();
    let server = Server::start(&host, &[]);
    let token = create(&host, &["short", "--expires", "3s"]);
    assert_eq!(whoami(&guest(&server, &token)).code, Some(0));
    let refused = until_refused(&guest(&server, &token));
    assert!(
        refused.contains(&format!("the token {} expired at", id(&token))),
        "{refused}"
    );
    for wrong in [forged(&token), token[..token.len() - 1].to_owned()] {
        let refused = until_refused(&guest(&server, &wrong));
        assert!(refused.contains("does not know who you are"), "{refused}");
        assert!(!refused.contains("expired"), "{refused}");
    }
    assert_eq!(list(&host)[0]["state"], "expired");
    // Its name is free.
    create(&host, &["short"]);
}

#[test]
fn a_server_makes_a_token_for_its_owner_only_while_nobody_else_can_log_in() {
    let host = host();
    create(&host, &["agent", "--kind", "alerts"]);
    let server = Server::start(&host, &[]);
    assert!(server.token.starts_with("cfg_owner_"));
    drop(server);
    let token = create(&host, &["ops"]);
    let mut child = host.spawn(&["serve", "--listen", "127.0.0.1:0"]);
    let mut said = String::new();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    while !said.contains("logs in with") {
        assert_ne!(stderr.read_line(&mut said).unwrap(), 0, "{said}");
    }
    assert!(!said.contains("cfg_"), "{said}");
    let (_, rest) = said.split_once("cfgctl login ").unwrap();
    let address = rest.split('`').next().unwrap();
    let ops = Cfgctl::new()
        .with("CFGCTL_STORE", address)
        .with("CFGCTL_TOKEN", &token);
    assert_eq!(whoami(&ops).code, Some(0));
    child.kill().unwrap();
    child.wait().unwrap();
    let server = Server::start(&host, &["--recover"]);
    assert!(server.token.starts_with("cfg_owner_"));
    drop(server);
    host.ok(&["token", "revoke", "ops"]);
    assert!(Server::start(&host, &[]).token.starts_with("cfg_owner_"));
}

/// Asks for something on one connection, again and again; `None` when the connection ended.
fn ask_on(stream: &mut std::net::TcpStream, token: &str) -> Option<u16> {
    let request = format!(
        "GET /v1/identity HTTP/1.1\r\nHost: server\r\nAuthorization: Bearer {token}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).ok()?;
    let mut text = Vec::new();
    let mut byte = [0; 1];
    while !text.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).ok()?;
        text.push(byte[0]);
    }
    let text = String::from_utf8(text).unwrap();
    let length = text
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.unwrap().parse().unwrap()];
    stream.read_exact(&mut body).ok()?;
    text.split(' ').nth(1)?.parse().ok()
}

#[tokio::test]
async fn ten_thousand_wrong_tokens_disturb_nobody_and_fill_no_log() {
    const GUESSERS: usize = 4;
    const GUESSES: usize = 2_500;
    let host = host();
    let token = create(&host, &["ci"]);
    let server = Server::start(&host, &["--recover"]);
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let (server, token, over) = (&server, &token, &over);
        let reader = scope.spawn(move || {
            let mut stream = server.connect();
            let mut reads = 0;
            while !over.load(Ordering::Relaxed) || reads < 100 {
                assert_eq!(ask_on(&mut stream, token), Some(200));
                reads += 1;
            }
        });
        let guessers: Vec<_> = (0..GUESSERS)
            .map(|guesser| {
                scope.spawn(move || {
                    let mut stream = server.connect();
                    for nth in 0..GUESSES {
                        // Of the right form every time, and of the right id every second time.
                        let wrong = if nth % 2 == 0 {
                            forged(token)
                        } else {
                            let bits = u64::try_from(guesser * GUESSES + nth).unwrap();
                            let id = cfgctl::model::TokenId::from_bits(bits);
                            let kind = cfgctl::model::TokenKind::Api;
                            TokenText::new(kind, id, &[1; 32]).expose().to_owned()
                        };
                        assert_eq!(ask_on(&mut stream, &wrong), Some(401));
                    }
                })
            })
            .collect();
        for guesser in guessers {
            guesser.join().unwrap();
        }
        over.store(true, Ordering::Relaxed);
        reader.join().unwrap();
    });
    server.signal(Signal::TERM);
    let (code, said) = server.end();
    assert_eq!(code, Some(0), "{said}");
    let failed: Vec<_> = audits(&host)
        .await
        .into_iter()
        .filter_map(|it| it["what"].get("loginFailed").cloned())
        .collect();
    let counts: Vec<_> = failed
        .iter()
        .map(|it| it["count"].as_u64().unwrap())
        .collect();
    assert_eq!(counts.iter().sum::<u64>(), 10_000, "none is forgotten");
    assert_eq!(counts[0], 1, "the first one at once");
    assert!(counts.len() < 100, "{counts:?}");
    assert!(failed.iter().all(|it| it["from"] == "127.0.0.1"));
    let lines = said.lines().filter(|line| line.contains("refused: "));
    assert_eq!(lines.count(), counts.len(), "{said}");
}
