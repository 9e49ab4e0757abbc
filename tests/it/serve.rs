//! `cfgctl serve`: every command through it, and what it does not let happen.

use std::io::Write as _;

use rustix::process::Signal;
use serde_json::Value;

use crate::support::cli::Cfgctl;
use crate::support::consul::make_certificates;
use crate::support::server::{Server, answer};
use crate::support::transcript::{Transcript, bring, edit};

const FILES: &str = "fixtures/quickstart";

/// Everything that asks the service something, in an order in which it has something to say.
const COMMANDS: &[&str] = &[
    "apply -f fixtures/quickstart",
    "apply -f fixtures/quickstart --dry-run -o name",
    "apply -f fixtures/quickstart --yes -m the-first",
    "apply -f fixtures/quickstart --yes",
    "get",
    "get -o json",
    "get checkout cluster/eu-west -o yaml",
    "get checkuot",
    "get checkuot -o json",
    "get Not_A_Name",
    "status",
    "status -o json",
    "status -l region=us",
    "status -l region=mars",
    "status nothing-alike",
    "drift",
    "drift -o json",
    "history checkout",
    "history cluster/eu-west -o json",
    "history nothing-alike",
    "show checkout@1",
    "show checkout@9",
    "show checkout --cluster eu-west",
    "show checkout --cluster eu-wst",
    "explain checkout",
    "explain checkout payment.timeoutMs --cluster eu-west -o json",
    "explain checkout --at @1",
    "explain checkout --at 2020-01-01T00:00:00Z",
    "cluster list",
    "cluster check",
    "cluster check eu-west -o json",
    "cluster policy eu-west",
    "flag list",
    "flag list checkout -o json",
    "flag eval checkout/express-pay",
    "flag eval checkout/express-pay -o json",
    "flag set checkout/express-pay off",
    "flag disable checkout/express-pay --dry-run",
    "flag disable checkout/express-pay --yes --reason too-slow",
    "flag list",
    "breaker trip checkout/payment-provider --yes --reason down",
    "breaker list",
    "breaker show checkout/payment-provider",
    "breaker history checkout/payment-provider -o json",
    "breaker show checkout/payment-provder",
    "get",
    "breaker reset checkout/payment-provider --yes --reason up",
    "flag unset checkout/express-pay --yes --reason fast",
    "rollback checkout --yes",
    "rollback checkout --to 9 --yes",
    "delete cluster/eu-west --yes",
    "delete checkout --yes",
    "delete checkout --yes --allow-deletes",
    "apply --resume --yes",
    "rollback checkout --to 1 --yes",
    "history checkout -o wide",
    "apply -f fixtures/quickstart --prune --dry-run",
];

fn transcript(user: &Cfgctl, commands: &[&str]) -> String {
    let mut transcript = Transcript::of(user);
    for command in commands {
        transcript.run(command);
    }
    transcript.end()
}

/// Where a store is looked in is the one thing that may differ.
fn without_places(text: &str) -> String {
    let lines = text.lines();
    let kept = lines.filter(|line| !line.starts_with("looked in the store at"));
    kept.collect::<Vec<_>>().join("\n")
}

#[test]
fn every_command_says_the_same_through_a_server() {
    // Who is known by the token, and so the author.
    let beside = Cfgctl::new().with("CFGCTL_ACTOR", "owner");
    let mut through = Cfgctl::new();
    bring(&beside, FILES);
    bring(&through, FILES);
    let server = Server::start(&through, &["--allow-directories", "target"]);
    server.lead(&mut through);

    let (expected, found) = (
        transcript(&beside, COMMANDS),
        transcript(&through, COMMANDS),
    );
    assert_eq!(without_places(&found), without_places(&expected));

    // A plan that was saved, one that is stale by then, and a file that is wrong.
    let more = [
        "diff -f fixtures/quickstart --out plan.json",
        "apply plan.json --yes",
        "apply plan.json --yes",
        "diff -f fixtures/quickstart",
    ];
    for user in [&beside, &through] {
        edit(
            user,
            "fixtures/quickstart/checkout.yaml",
            "timeoutMs: 1500",
            "timeoutMs: 1800",
        );
    }
    let (expected, found) = (transcript(&beside, &more), transcript(&through, &more));
    assert_eq!(without_places(&found), without_places(&expected));
    for user in [&beside, &through] {
        edit(
            user,
            "fixtures/quickstart/checkout.yaml",
            "timeoutMs: 1800",
            "timeoutMs: soon",
        );
    }
    let more = [
        "diff -f fixtures/quickstart",
        "apply -f fixtures/quickstart --yes -o json",
    ];
    let (expected, found) = (transcript(&beside, &more), transcript(&through, &more));
    assert_eq!(without_places(&found), without_places(&expected));
    assert!(found.contains("checkout.yaml:"), "{found}");

    server.signal(Signal::TERM);
    let (code, said) = server.end();
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("by=\"owner\" change=\"breaker\""), "{said}");
    assert!(said.contains("committed=\"set/checkout@"), "{said}");
}

#[test]
fn a_context_names_a_server_and_a_file_its_token() {
    let mut user = Cfgctl::new();
    bring(&user, FILES);
    let token = "0123456789abcdef0123456789abcdef";
    user.write("token", &format!("{token}\n"));
    let port = {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        free.local_addr().unwrap().port()
    };
    let listen = format!("127.0.0.1:{port}");
    let mut child = user.spawn(&["serve", "--listen", &listen, "--token-file", "token"]);
    let address = format!("http://{listen}");
    while std::net::TcpStream::connect(&listen).is_err() {
        assert!(child.try_wait().unwrap().is_none());
        std::thread::yield_now();
    }
    user.ok(&["context", "set", "there", "--store", &address]);
    assert_eq!(user.run(&["cluster", "list"]).code, Some(6));
    user.set("CFGCTL_TOKEN_FILE", "token");
    user.ok(&["cluster", "list"]);
    assert_eq!(user.run(&["serve"]).code, Some(2), "a server needs a store");
    let ran = user.run(&["cluster", "login", "eu", "--token-stdin"]);
    assert_eq!(ran.code, Some(2), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("the server reaches the clusters"),
        "{}",
        ran.stderr
    );
    child.kill().unwrap();
    let said = child.wait_with_output().unwrap();
    let said = String::from_utf8(said.stderr).unwrap();
    assert!(!said.contains(token), "{said}");
    let ran = user.run(&["cluster", "list"]);
    assert_eq!(ran.code, Some(7));
    assert!(ran.stderr.contains("cannot be reached"), "{}", ran.stderr);
    assert!(ran.stderr.contains("hint: clusters keep"), "{}", ran.stderr);
    assert!(!ran.stderr.contains(token), "{}", ran.stderr);
}

#[test]
fn a_server_says_that_its_store_is_yet_to_be_made_and_how_long_its_token_lasts() {
    let user = Cfgctl::new();
    bring(&user, FILES);
    let told = "there is no store there yet: the first commit makes it";
    for form in ["text", "json"] {
        let server = Server::start(&user, &["--log", form]);
        server.until_said("serving");
        server.until_said("`cfgctl token create NAME` makes one that stays");
        server.until_said(told);
    }
    user.ok(&["apply", "-f", FILES, "--yes"]);
    let server = Server::start(&user, &[]);
    server.signal(Signal::TERM);
    let (_, said) = server.end();
    assert!(!said.contains(told), "{said}");
}

#[test]
fn nobody_who_is_not_known_learns_anything() {
    let user = Cfgctl::new();
    let server = Server::start(&user, &[]);
    let half = &server.token[..server.token.len() - 1];
    let heads = [
        String::new(),
        "Authorization: Bearer wrong\r\n".to_owned(),
        format!("Authorization: Bearer {half}\r\n"),
        format!("Authorization: Basic {}\r\n", server.token),
        format!("Cookie: token={}\r\n", server.token),
    ];
    let routes = [
        "POST /v1/plans",
        "POST /v1/changes",
        "DELETE /v1/changes/x",
        "GET /v1/status",
        "GET /v1/drift",
        "GET /v1/names",
        "GET /v1/resources",
        "GET /v1/sets/shop/revisions/head",
        "GET /v1/sets/shop/revisions",
        "GET /v1/clusters/eu/revisions",
        "GET /v1/sets/shop/explanation",
        "GET /v1/flags",
        "POST /v1/sets/shop/flags/f/evaluation",
        "GET /v1/breakers",
        "GET /v1/sets/shop/breakers/b",
        "GET /v1/sets/shop/breakers/b/events",
        "GET /v1/clusters",
        "GET /v1/clusters/eu",
        "POST /v1/clusters/eu",
        "GET /v1/clusters/eu/policy",
        "POST /v1/clusters/eu/policy",
        "POST /v1/cluster-checks",
        "GET /v1/clusters/eu/snapshots",
        "GET /v1/clusters/eu/snapshots/shop",
        "GET /v1/clusters/eu/snapshots/shop/lineage",
        "GET /v1/news",
        "GET /v1/identity",
        "GET /v1/tokens",
        "POST /v1/tokens",
        "POST /v1/token-rotations",
        "POST /v1/token-revocations",
        "GET /v1/nothing",
        "PUT /v1/status",
        "GET /",
        "OPTIONS /v1/status",
    ];
    for route in routes {
        for head in &heads {
            let (status, text) = server.ask(route, head, "");
            assert_eq!(status, 401, "{route} {head}\n{text}");
            assert!(text.contains("www-authenticate: Bearer"), "{text}");
            assert!(text.contains("application/problem+json"), "{text}");
        }
        let (status, text) = server.ask_known(route, "", "");
        assert!(
            !matches!(status, 0 | 401) && status < 500,
            "{route}\n{text}"
        );
    }
    for (route, body) in [("GET /healthz", "ok\n"), ("GET /readyz", "ready\n")] {
        let (status, text) = server.ask(route, "", "");
        assert_eq!(status, 200, "{text}");
        assert!(text.ends_with(body), "{text}");
    }
    server.signal(Signal::TERM);
    let token = server.token.clone();
    let (_, said) = server.end();
    assert!(said.contains("refused: no token, or a wrong one"), "{said}");
    assert_eq!(said.matches(&token).count(), 1, "shown once");
}

#[test]
fn a_request_keeps_its_name_and_a_broken_one_is_told_what_is_wrong() {
    let server = Server::start(&Cfgctl::new(), &[]);
    let (_, text) = server.ask_known("GET /v1/names", "X-Request-Id: mine-1\r\n", "");
    assert!(text.contains("x-request-id: mine-1\r\n"), "{text}");
    let (_, text) = server.ask_known("GET /v1/names", "X-Request-Id: a b\u{e9}\r\n", "");
    assert!(!text.contains("a b"), "{text}");

    let problem = |text: &str| -> Value {
        let (_, body) = text.split_once("\r\n\r\n").unwrap();
        serde_json::from_str(body).unwrap()
    };
    let plain = "Content-Type: text/plain\r\n";
    for (request, head, body, status, reason) in [
        (
            "GET /v1/status?timeout=5",
            "",
            "",
            400,
            "`timeout` is a duration",
        ),
        ("GET /v1/status?parallelism=0", "", "", 400, "`parallelism`"),
        ("GET /v1/status?more=1", "", "", 400, "more"),
        ("GET /v1/sets/Not_A/revisions", "", "", 400, "Not_A"),
        ("GET /v1/sets/shop/revisions/0", "", "", 400, "a version is"),
        (
            "GET /v1/sets/shop/revisions/head",
            "",
            "",
            404,
            "there is no set/shop",
        ),
        ("POST /v1/plans", "", "{", 400, "the body cannot be read"),
        (
            "POST /v1/plans",
            "",
            "{\"change\":1}",
            400,
            "the body cannot be read",
        ),
        (
            "POST /v1/changes",
            "Idempotency-Key: a b\r\n",
            "{}",
            400,
            "idempotency key",
        ),
        ("PUT /v1/status", "", "", 405, "PUT"),
        ("GET /v1/nothing", "", "", 404, "nothing at this path"),
        ("DELETE /v1/changes/x", "", "", 404, "no change"),
    ] {
        let (found, text) = server.ask_known(request, head, body);
        assert_eq!(found, status, "{request}\n{text}");
        let problem = problem(&text);
        assert_eq!(problem["status"], status);
        let kind = if status == 404 { "absent" } else { "invalid" };
        assert_eq!(problem["kind"], kind);
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(reason), "{request}: {detail}");
        let id = problem["instance"].as_str().unwrap();
        assert!(text.contains(&format!("x-request-id: {id}\r\n")), "{text}");
    }
    let token = format!("Authorization: Bearer {}\r\n{plain}", server.token);
    let (status, text) = server.ask("POST /v1/plans", &token, "{}");
    assert_eq!(status, 415, "{text}");
}

#[test]
fn what_is_too_large_or_too_slow_disturbs_nobody() {
    let server = Server::start(&Cfgctl::new(), &[]);
    let head = |more: &str| {
        let token = &server.token;
        format!(
            "POST /v1/plans HTTP/1.1\r\nHost: server\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\n{more}\r\n"
        )
    };
    // Neither says anything to its end.
    let mut greeting = server.connect();
    write!(greeting, "PRI * HTTP/2.0\r\n\r\n").unwrap();
    let mut slow = server.connect();
    write!(slow, "GET /v1/names HTTP/1.1\r\nHost: ser").unwrap();
    let mut waiting = server.connect();
    write!(waiting, "{}{{", head("Content-Length: 100\r\n")).unwrap();
    let silent = server.connect();

    let (status, text) = server.ask("GET /healthz", "", "");
    assert_eq!(status, 200, "{text}");
    let mut huge = server.connect();
    write!(huge, "{}", head("Content-Length: 1000000000\r\n")).unwrap();
    let (status, text) = answer(huge);
    assert_eq!(status, 413, "{text}");
    // One that does not say how large it is.
    let mut endless = server.connect();
    write!(endless, "{}", head("Transfer-Encoding: chunked\r\n")).unwrap();
    let mut piece = b"100000\r\n".to_vec();
    piece.extend(vec![b' '; 1 << 20]);
    piece.extend(b"\r\n");
    // It is refused long before.
    let refused = (0..1000).any(|_| endless.write_all(&piece).is_err());
    assert!(refused, "it takes everything");
    let long = "a".repeat(200_000);
    let (status, _) = server.ask_known(&format!("GET /v1/names?names={long}"), "", "");
    // The answer is lost where the connection ends before the request does.
    assert!(matches!(status, 0 | 414 | 431), "{status}");

    let (status, text) = server.ask_known("GET /v1/names", "", "");
    assert_eq!(status, 200, "{text}");
    for cut in [greeting, slow, silent] {
        let (status, text) = answer(cut);
        assert_eq!(status, 0, "{text}");
    }
    drop(waiting);
}

#[test]
fn a_client_names_no_place_of_the_server_that_is_not_allowed() {
    let mut user = Cfgctl::new();
    bring(&user, FILES);
    user.write("allowed/here", "");
    let server = Server::start(&user, &["--allow-directories", "allowed"]);
    server.lead(&mut user);
    for command in [
        ["apply", "-f", FILES, "--yes"],
        ["apply", "-f", FILES, "--dry-run"],
    ] {
        let ran = user.run(&command);
        assert_eq!(ran.code, Some(6), "{}", ran.stderr);
        assert!(
            ran.stderr.contains("a path of the server"),
            "{}",
            ran.stderr
        );
        assert!(ran.stderr.contains("--allow-directories"), "{}", ran.stderr);
    }
    assert!(!user.directory().join("target").exists());
    assert_eq!(user.ok(&["get", "-o", "name"]), "");

    let consul = |token: &str| {
        let manifest = format!(
            "apiVersion: cfgctl.dev/v1\nkind: Cluster\nmetadata: {{name: eu}}\n\
             spec: {{consul: {{address: 'http://127.0.0.1:9', token: {{{token}}}}}}}\n"
        );
        user.write("eu.yaml", &manifest);
        user.run(&["apply", "-f", "eu.yaml", "--yes"])
    };
    let ran = consul("env: HOME");
    assert_eq!(ran.code, Some(6), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("`HOME`, a variable of the server"),
        "{}",
        ran.stderr
    );
    assert_eq!(consul("file: /etc/hostname").code, Some(6));
    assert_eq!(consul("file: allowed/../store.db").code, Some(6));
    assert_eq!(consul("file: allowed/token").code, Some(0));
}

#[test]
fn only_this_machine_is_listened_to_without_a_certificate() {
    let user = Cfgctl::new();
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:8440"] {
        let ran = user.run(&["serve", "--listen", address]);
        assert_eq!(ran.code, Some(2), "{}", ran.stderr);
        assert!(ran.stderr.contains("--tls-cert"), "{}", ran.stderr);
    }
    for store in ["http://192.0.2.1:8440", "http://u:SECRET@127.0.0.1"] {
        let ran = user.run(&["get", "--store", store]);
        assert_eq!(ran.code, Some(2), "{}", ran.stderr);
        assert!(!ran.stderr.contains("SECRET"), "{}", ran.stderr);
    }
}

#[test]
fn with_a_certificate_the_client_knows_whom_it_talks_to() {
    let mut user = Cfgctl::new();
    make_certificates(user.directory());
    let tls = ["--tls-cert", "server.pem", "--tls-key", "server.key"];
    let server = Server::start(&user, &tls);
    server.lead(&mut user);
    assert!(server.address.starts_with("https://127.0.0.1:"));
    let ran = user.run(&["get", "-o", "name"]);
    assert_eq!(
        ran.code,
        Some(7),
        "a certificate that nobody trusts: {}",
        ran.stderr
    );
    user.set("SSL_CERT_FILE", "ca.pem");
    let ran = user.run(&["get", "-o", "name"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    bring(&user, FILES);
    let ran = user.run(&["apply", "-f", FILES, "--dry-run"]);
    assert_eq!(ran.code, Some(6), "{}", ran.stderr);

    let user = Cfgctl::new();
    make_certificates(user.directory());
    for (chain, key, reason) in [
        ("server.key", "server.key", "no certificate in PEM"),
        ("server.pem", "ca.pem", "no private key in PEM"),
        ("server.pem", "client.key", "cannot be used"),
        ("none.pem", "server.key", "No such file"),
    ] {
        let ran = user.run(&[
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--tls-cert",
            chain,
            "--tls-key",
            key,
        ]);
        assert_eq!(ran.code, Some(2), "{}", ran.stderr);
        assert!(ran.stderr.contains(reason), "{}", ran.stderr);
    }
}

#[test]
fn a_token_that_can_be_guessed_is_none() {
    let user = Cfgctl::new();
    for (text, reason) in [
        ("short", "at least 32 characters"),
        ("", "is empty"),
        (
            "two words that are long enough for anyone",
            "without blanks",
        ),
    ] {
        user.write("token", text);
        let ran = user.run(&["serve", "--listen", "127.0.0.1:0", "--token-file", "token"]);
        assert_eq!(ran.code, Some(2), "{}", ran.stderr);
        assert!(ran.stderr.contains(reason), "{}", ran.stderr);
        assert!(
            text.is_empty() || !ran.stderr.contains(text),
            "{}",
            ran.stderr
        );
    }
}
