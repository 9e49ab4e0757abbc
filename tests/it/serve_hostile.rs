//! A server among clients that mean it no good, and behind certificates that change.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;

use tokio::net::TcpSocket;

use crate::support::cli::Cfgctl;
use crate::support::consul::make_certificates;
use crate::support::server::{Server, answer};
use crate::support::transcript::bring;

const FILES: &str = "fixtures/quickstart";

fn header<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let (head, _) = text.split_once("\r\n\r\n")?;
    let mut lines = head.lines().filter_map(|line| line.split_once(": "));
    lines.find(|(found, _)| *found == name).map(|(_, it)| it)
}

/// More than one address may have.
const MANY: usize = 850;

#[tokio::test]
async fn one_address_does_not_take_the_place_of_others() {
    let server = Server::start(&Cfgctl::new(), &[]);
    let to = server.address.trim_start_matches("http://");
    let mut many = Vec::new();
    for _ in 0..MANY {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.2:0".parse().unwrap()).unwrap();
        many.push(socket.connect(to.parse().unwrap()).await.unwrap());
    }
    for _ in 0..10 {
        let (status, text) = server.ask_known("GET /v1/names", "", "");
        assert_eq!(status, 200, "{text}");
    }
    // What is too much was closed: the last one hears nothing but the end.
    let last = many.pop().unwrap().into_std().unwrap();
    last.set_nonblocking(false).unwrap();
    assert_eq!(answer(last).1, "");
}

/// A server over a set, and what it says of that to whoever asks well.
fn served(more: &[&str]) -> (Cfgctl, Server, String) {
    let user = Cfgctl::new().with("CFGCTL_STORE", "store.db");
    bring(&user, FILES);
    user.ok(&["apply", "-f", FILES, "--yes"]);
    let server = Server::start(&user, more);
    let right = read(&server);
    assert!(right.contains("payment-provider"), "{right}");
    (user, server, right)
}

/// The body of what there is.
fn read(server: &Server) -> String {
    let (status, text) = server.ask_known("GET /v1/resources", "", "");
    assert_eq!(status, 200, "{text}");
    let (_, body) = text.split_once("\r\n\r\n").expect("a body");
    body.to_owned()
}

/// Writes as often as it is taken, and reads nothing.
fn pour(server: &Server, bytes: &[u8], times: usize) -> TcpStream {
    let mut stream = server.connect();
    stream.set_nonblocking(true).unwrap();
    for _ in 0..times {
        if stream.write_all(bytes).is_err() {
            break;
        }
    }
    stream
}

#[test]
fn whoever_floods_or_falls_silent_disturbs_nobody() {
    let (_user, server, right) = served(&["--rate-limit", "1000000"]);
    let token = &server.token;
    let idle: Vec<TcpStream> = (0..300).map(|_| server.connect()).collect();
    // Asks for a lot, and reads nothing of it.
    let known = format!("Host: server\r\nAuthorization: Bearer {token}\r\n");
    let asked = format!("GET /v1/resources HTTP/1.1\r\n{known}\r\n");
    let streamed = format!("GET /v1/status HTTP/1.1\r\n{known}Accept: text/event-stream\r\n\r\n");
    let greedy: Vec<_> = [asked, streamed]
        .iter()
        .flat_map(|request| (0..10).map(|_| pour(&server, request.as_bytes(), 20_000)))
        .collect();
    let ask = || assert_eq!(read(&server), right);
    ask();
    // A head that comes letter by letter, and never ends.
    let mut slow: Vec<_> = (0..50).map(|_| server.connect()).collect();
    for letter in b"GET /v1/names HTTP/1.1\r\nX-Slow: aaaaaaaaaaaaaaaaaaaaaaaa" {
        for stream in &mut slow {
            stream.write_all(&[*letter]).unwrap();
        }
        ask();
    }
    // A head without an end, in one line and in many.
    let long = "a".repeat(1 << 20);
    let many = "X-Many: many\r\n".repeat(20_000);
    for head in [format!("X-Long: {long}\r\n"), many] {
        let (status, text) = server.ask_known("GET /v1/names", &head, "");
        // The answer is lost where the connection ends before the request does.
        assert!(matches!(status, 0 | 431), "{status} {text}");
        ask();
    }
    for wrong in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..],
        b"\0\0\0\0\0\0\0\0",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\xff\xff\xff\xff\xff\xff\xff\xff\xff",
        b"GET / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
    ] {
        let mut stream = server.connect();
        _ = stream.write_all(wrong);
        _ = stream.shutdown(std::net::Shutdown::Write);
        let (status, text) = answer(stream);
        assert!(status < 500, "{text}");
        ask();
    }
    drop((idle, greedy, slow));
}

#[test]
fn whoever_guesses_tokens_learns_nothing_and_disturbs_nobody() {
    let (_user, server, right) = served(&[]);
    let guess = |from: usize, to: usize| {
        let mut stream = server.connect();
        let mut asks = stream.try_clone().unwrap();
        let asking = std::thread::spawn(move || {
            for guess in from..to {
                let end = if guess + 1 == to {
                    "close"
                } else {
                    "keep-alive"
                };
                let head = format!(
                    "GET /v1/names HTTP/1.1\r\nHost: server\r\nConnection: {end}\r\n\
                     Authorization: Bearer cfg_owner_{guess:043}\r\n\r\n"
                );
                asks.write_all(head.as_bytes()).unwrap();
            }
        });
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        asking.join().unwrap();
        let refused = text.matches("HTTP/1.1 401").count();
        assert_eq!(text.matches("HTTP/1.1 ").count(), refused);
        refused
    };
    let refused: usize = std::thread::scope(|scope| {
        let guess = &guess;
        let guesses: Vec<_> = (0..10_000)
            .step_by(500)
            .map(|from| scope.spawn(move || guess(from, from + 500)))
            .collect();
        while !guesses
            .iter()
            .all(std::thread::ScopedJoinHandle::is_finished)
        {
            assert_eq!(read(&server), right);
        }
        guesses.into_iter().map(|it| it.join().unwrap()).sum()
    });
    assert_eq!(refused, 10_000);
    assert_eq!(read(&server), right);
}

#[test]
fn a_body_of_more_values_than_anybody_declares_is_refused_before_it_is_read() {
    let (_user, server, right) = served(&[]);
    let many = format!("{{\"x\": [1{}]}}", ",1".repeat(2_000_000));
    let (status, text) = server.ask_known("POST /v1/plans", "", &many);
    assert_eq!(status, 413, "{text}");
    assert!(text.contains("more than 2000000 values"), "{text}");
    assert!(text.contains("in several steps"), "{text}");
    assert_eq!(read(&server), right);
}

#[test]
fn no_reason_carries_a_token_into_the_history() {
    let (mut user, server, _) = served(&["--log", "json"]);
    let made = user.ok(&["token", "create", "ops"]);
    let word = |text: &str| {
        let mut words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
        words
            .find(|it| it.starts_with("cfg_api_"))
            .map(ToOwned::to_owned)
    };
    let token = word(&made).expect("a token");
    server.lead(&mut user);
    for token in [&token, &server.token] {
        let reason = format!("as told by {token}.");
        let trip = ["breaker", "trip", "checkout/payment-provider", "--yes"];
        let ran = user.run(&[&trip[..], &["--reason", &reason]].concat());
        assert_eq!(ran.code, Some(2), "{}", ran.stderr);
        assert!(ran.stderr.contains("it holds a token"), "{}", ran.stderr);
        // By whoever does not use the command, either.
        let body = format!("{{\"message\": \"{reason}\"}}");
        let (status, text) = server.ask_known("POST /v1/tokens", "", &body);
        assert_eq!(status, 400, "{text}");
        let secret = &token[token.len() - 20..];
        assert!(!text.contains(secret), "{text}");
    }
    server.signal(rustix::process::Signal::TERM);
    let (_, said) = server.end();
    assert!(!said.contains(&token), "{said}");
}

#[test]
fn whoever_asks_too_often_is_told_when_to_come_again() {
    let mut user = Cfgctl::new();
    let server = Server::start(&user, &["--rate-limit", "1"]);
    let mut refused = (0..100).find_map(|_| {
        let (status, text) = server.ask_known("GET /v1/names", "", "");
        (status != 200).then_some((status, text))
    });
    let (status, text) = refused.take().expect("one too many");
    assert_eq!(status, 429, "{text}");
    let wait = header(&text, "retry-after").unwrap();
    assert!(wait.parse::<u64>().unwrap() >= 1);
    assert!(text.contains("application/problem+json"), "{text}");
    // Who is not known is none that counts, and health is for everyone.
    assert_eq!(server.ask("GET /v1/names", "", "").0, 401);
    assert_eq!(server.ask("GET /healthz", "", "").0, 200);
    server.lead(&mut user);
    let told = (0..100).find_map(|_| {
        let ran = user.run(&["get"]);
        (ran.code != Some(0)).then_some(ran)
    });
    let ran = told.expect("one too many");
    assert_eq!(ran.code, Some(7), "{}", ran.stderr);
    assert!(ran.stderr.contains("too many requests"), "{}", ran.stderr);
}

#[test]
fn a_request_stays_in_its_trace() {
    let server = Server::start(&Cfgctl::new(), &[]);
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let head = format!("traceparent: 00-{trace}-b7ad6b7169203331-01\r\n");
    for route in ["GET /v1/names", "GET /healthz", "GET /nothing"] {
        let (_, text) = server.ask_known(route, &head, "");
        let found = header(&text, "traceparent").unwrap();
        assert!(found.starts_with(&format!("00-{trace}-")), "{found}");
        assert!(!found.contains("b7ad6b7169203331"), "{found}");
        let (_, text) = server.ask_known(route, "traceparent: 00-nonsense\r\n", "");
        let found = header(&text, "traceparent").unwrap();
        assert_eq!((found.len(), found.contains(trace)), (55, false), "{found}");
    }
}

#[test]
fn what_serve_takes_can_be_said_by_variables() {
    let user = Cfgctl::new().with("CFGCTL_SERVE_LISTEN", "0.0.0.0:0");
    let ran = user.run(&["serve"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("`0.0.0.0:0`"), "{}", ran.stderr);
    let user = Cfgctl::new().with("CFGCTL_SERVE_RATE_LIMIT", "0");
    assert_eq!(user.run(&["serve"]).code, Some(2));
    make_certificates(user.directory());
    let user = user
        .with("CFGCTL_SERVE_RATE_LIMIT", "10")
        .with("CFGCTL_SERVE_TLS_CERT", "server.pem")
        .with("CFGCTL_SERVE_TLS_KEY", "server.key");
    let server = Server::start(&user, &[]);
    assert!(server.address.starts_with("https://"));
    let said = user.ok(&["serve", "--help"]);
    assert!(said.contains("[env: CFGCTL_SERVE_TLS_KEY]"), "{said}");
    assert!(!said.contains("server.key"), "{said}");
}

/// Copies certificate and key of `from` over those of `to`.
fn replace(from: &Path, to: &Path) {
    for name in ["server.pem", "server.key"] {
        std::fs::copy(from.join(name), to.join(name)).unwrap();
    }
}

#[test]
fn a_certificate_is_renewed_while_the_server_runs() {
    let mut user = Cfgctl::new();
    make_certificates(user.directory());
    let other = Cfgctl::new();
    make_certificates(other.directory());
    let tls = ["--tls-cert", "server.pem", "--tls-key", "server.key"];
    let server = Server::start(&user, &tls);
    server.lead(&mut user);
    let (old, new) = (
        user.directory().join("ca.pem"),
        other.directory().join("ca.pem"),
    );
    let (old, new) = (old.to_str().unwrap(), new.to_str().unwrap());
    let mut code = |authority: &str| {
        user.set("SSL_CERT_FILE", authority);
        user.run(&["get", "-o", "name"]).code
    };
    assert_eq!((code(old), code(new)), (Some(0), Some(7)));

    let home = Path::new(old).parent().unwrap().to_owned();
    std::fs::write(home.join("server.key"), "half a key").unwrap();
    server.until_said("is not renewed");
    assert_eq!(code(old), Some(0));
    replace(other.directory(), &home);
    server.until_said("the certificate is renewed");
    assert_eq!((code(old), code(new)), (Some(7), Some(0)));
    // Whoever speaks no TLS is none to talk to.
    let mut plain = TcpStream::connect(server.address.trim_start_matches("https://")).unwrap();
    plain.write_all(b"GET /healthz HTTP/1.1\r\n\r\n").unwrap();
    let mut heard = Vec::new();
    _ = plain.read_to_end(&mut heard);
    assert!(!heard.starts_with(b"HTTP"), "{heard:?}");
    // A greeting that is none, one of a version that is gone, and many that never go on.
    for greeting in [
        &b"\x16\x03\x01\x00\x05nonsense"[..],
        b"\x16\x03\x00\x00\x2b\x01\x00\x00\x27\x03\x00",
        b"\x80\x2e\x01\x00\x02",
        &[0xff; 4096],
    ] {
        let mut broken = TcpStream::connect(server.address.trim_start_matches("https://")).unwrap();
        _ = broken.write_all(greeting);
        _ = broken.shutdown(std::net::Shutdown::Write);
        _ = broken.read_to_end(&mut Vec::new());
        assert_eq!(code(new), Some(0));
    }
    let silent: Vec<_> = (0..100)
        .map(|_| {
            let mut stream =
                TcpStream::connect(server.address.trim_start_matches("https://")).unwrap();
            stream.write_all(b"\x16\x03\x01\x02").unwrap();
            stream
        })
        .collect();
    assert_eq!(code(new), Some(0));
    drop(silent);
}

#[test]
fn a_server_that_wants_certificates_of_clients_lets_nobody_else_in() {
    let mut user = Cfgctl::new();
    make_certificates(user.directory());
    let tls = [
        "--tls-cert",
        "server.pem",
        "--tls-key",
        "server.key",
        "--tls-client-ca",
        "ca.pem",
    ];
    let server = Server::start(&user, &tls);
    server.lead(&mut user);
    user.set("SSL_CERT_FILE", "ca.pem");
    let ran = user.run(&["get", "-o", "name"]);
    assert_eq!(ran.code, Some(7), "{}", ran.stderr);
    user.set("CFGCTL_CLIENT_CERT", "client.pem");
    let ran = user.run(&["get", "-o", "name"]);
    assert_eq!(ran.code, Some(2), "{}", ran.stderr);
    user.set("CFGCTL_CLIENT_KEY", "client.key");
    user.ok(&["get", "-o", "name"]);
    // It opens the door, and is nobody's name.
    user.set("CFGCTL_TOKEN", "another-token-that-is-long-enough");
    assert_eq!(user.run(&["get", "-o", "name"]).code, Some(6));
    for (authority, code) in [("server.key", 2), ("none.pem", 2)] {
        let ran = user.run(&[
            "serve",
            "--store",
            "s.db",
            "--listen",
            "127.0.0.1:0",
            "--tls-cert",
            "server.pem",
            "--tls-key",
            "server.key",
            "--tls-client-ca",
            authority,
        ]);
        assert_eq!(ran.code, Some(code), "{}", ran.stderr);
    }
}
