//! Whoever wants to hear what happens is told by a server, as readers that are not ours understand it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::cli::Cfgctl;
use crate::support::python;
use crate::support::server::Server;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// One request as it arrived.
#[derive(Debug)]
struct Heard {
    headers: Value,
    body: String,
}

impl Heard {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// Somebody who is told, and answers as the test says: by the next of its statuses, the last of them for
/// ever.
struct Ears {
    host: String,
    heard: Receiver<Heard>,
}

impl Ears {
    fn open(statuses: &'static [u16]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let (tell, heard) = channel();
        std::thread::spawn(move || {
            for (index, stream) in listener.incoming().enumerate() {
                let status = statuses.get(index).or(statuses.last()).unwrap();
                if answer(stream.unwrap(), *status, &tell).is_none() {
                    return;
                }
            }
        });
        Self { host, heard }
    }

    fn next(&self) -> Heard {
        self.heard.recv().unwrap()
    }
}

fn answer(mut stream: TcpStream, status: u16, tell: &Sender<Heard>) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let (mut headers, mut line) = (serde_json::Map::new(), String::new());
    while reader.read_line(&mut line).ok()? > 2 {
        if let Some((name, value)) = line.trim().split_once(": ") {
            headers.insert(name.to_lowercase(), json!(value));
        }
        line.clear();
    }
    let length = headers["content-length"].as_str()?.parse().ok()?;
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let body = String::from_utf8(body).ok()?;
    _ = write!(
        stream,
        "HTTP/1.1 {status} \r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
    );
    let headers = Value::Object(headers);
    tell.send(Heard { headers, body }).ok()
}

/// A set of the team `pay` with a breaker, in a directory, and the file of who is told.
fn host(receivers: &str) -> Cfgctl {
    let user = Cfgctl::new()
        .with("CFGCTL_STORE", "store.db")
        .with("HOOK_SECRET", SECRET);
    user.write(
        "shop.yaml",
        "apiVersion: cfgctl.dev/v1\nkind: Cluster\nmetadata: {name: eu}\nspec: {directory: {path: out}}\n---\n\
         apiVersion: cfgctl.dev/v1\nkind: ConfigSet\nmetadata: {name: shop, labels: {team: pay}}\nspec:\n  \
         publish: [{keys: {prefix: app/shop}}]\n  values: {a: 1}\n  breakers:\n    slow: {trip: {values: {a: 2}}, maxTripsPerHour: 1}\n",
    );
    user.ok(&["apply", "-f", "shop.yaml", "--yes"]);
    let file = format!("apiVersion: cfgctl.dev/v1\nkind: Notifications\nreceivers:\n{receivers}");
    user.write("notify.yaml", &file);
    user
}

fn webhook(name: &str, host: &str, more: &str) -> String {
    format!(
        "  - {{name: {name}, webhook: {{url: 'http://{host}/hook', secret: {{env: HOOK_SECRET}}}}, {more}}}\n"
    )
}

fn trip(user: &Cfgctl) {
    user.ok(&[
        "breaker",
        "trip",
        "shop/slow",
        "--yes",
        "--reason",
        "stripe <5xx>",
    ]);
}

fn reset(user: &Cfgctl) {
    user.ok(&["breaker", "reset", "shop/slow", "--yes"]);
}

/// What readers that are not ours make of it: the signature, and the event.
fn judged(heard: &Heard) -> Value {
    let program = "
import json, sys
from cloudevents.core.bindings.http import HTTPMessage, from_structured_event
from standardwebhooks.webhooks import Webhook
secret, headers, body = json.load(sys.stdin)
Webhook(secret).verify(body, headers)
try:
    Webhook(secret).verify(body + ' ', headers)
    sys.exit('a changed body is accepted')
except Exception: pass
event = from_structured_event(HTTPMessage(headers, body.encode()))
print(json.dumps([event.get_id(), event.get_type(), event.get_subject(), event.get_data()]))
";
    let input = json!([SECRET, heard.headers, heard.body]).to_string();
    serde_json::from_slice(&python::judged(program, input.as_bytes())).unwrap()
}

#[test]
fn a_trip_is_told_to_whoever_wants_to_hear_of_the_set() {
    let (hook, chat, others) = (Ears::open(&[200]), Ears::open(&[200]), Ears::open(&[200]));
    let receivers = webhook("hook", &hook.host, "allowPrivate: true, sets: {team: pay}")
        + "  - {name: chat, slack: {url: {file: url}}, events: [tripped], allowPrivate: true}\n"
        + &webhook(
            "others",
            &others.host,
            "allowPrivate: true, sets: team!=pay",
        );
    let user = host(&receivers);
    user.write("url", &format!("http://{}/secret-path\n", chat.host));
    let server = Server::start(&user, &["--notify", "notify.yaml"]);
    trip(&user);
    let heard = hook.next();
    let event = judged(&heard);
    assert_eq!(event[0], heard.headers["webhook-id"]);
    assert_eq!(
        (&event[1], &event[2]),
        (&json!("dev.cfgctl.tripped"), &json!("shop/slow"))
    );
    assert_eq!(event[3]["set"], "shop");
    let text = chat.next().json()["text"].as_str().unwrap().to_owned();
    assert!(
        text.starts_with("shop/slow is open, by ") && text.ends_with(": stripe &lt;5xx&gt;"),
        "{text}"
    );
    reset(&user);
    assert_eq!(judged(&hook.next())[1], "dev.cfgctl.reset");
    trip(&user);
    assert_eq!(judged(&hook.next())[1], "dev.cfgctl.latched");

    // What happens while nobody serves is told afterwards, and nothing twice.
    server.until_said("told");
    while user.ok(&["notifications"]).matches(" 0 ").count() < 2 {}
    server.signal(Signal::TERM);
    let (_, said) = server.end();
    assert!(
        !said.contains("secret-path") && !said.contains(SECRET),
        "{said}"
    );
    reset(&user);
    let _server = Server::start(&user, &["--notify", "notify.yaml"]);
    assert_eq!(judged(&hook.next())[1], "dev.cfgctl.reset");
    assert!(chat.heard.try_recv().is_err() && others.heard.try_recv().is_err());
}

#[test]
fn what_does_not_arrive_is_tried_again_and_what_never_will_is_shown() {
    let (slow, wrong) = (Ears::open(&[503, 200]), Ears::open(&[404]));
    let receivers = webhook("slow", &slow.host, "allowPrivate: true")
        + &webhook("wrong", &wrong.host, "allowPrivate: true");
    let user = host(&receivers);
    let _server = Server::start(&user, &["--notify", "notify.yaml"]);
    trip(&user);
    let (first, second) = (slow.next(), slow.next());
    assert_eq!(first.headers["webhook-id"], second.headers["webhook-id"]);
    wrong.next();
    let shown = loop {
        let shown = user.ok(&["notifications"]);
        if shown.contains("404") {
            break shown;
        }
    };
    assert!(shown.contains("shop/slow is open"), "{shown}");
    assert!(wrong.heard.try_recv().is_err());
}

#[test]
fn two_servers_tell_each_thing_once() {
    let hook = Ears::open(&[200]);
    let user = host(&webhook("hook", &hook.host, "allowPrivate: true"));
    let _first = Server::start(&user, &["--notify", "notify.yaml"]);
    let _second = Server::start(&user, &["--notify", "notify.yaml", "--recover"]);
    let mut ids = std::collections::BTreeSet::new();
    for _ in 0..3 {
        trip(&user);
        assert!(ids.insert(hook.next().headers["webhook-id"].to_string()));
        reset(&user);
        assert!(ids.insert(hook.next().headers["webhook-id"].to_string()));
    }
    assert!(hook.heard.try_recv().is_err());
}

#[test]
fn drift_and_refusals_are_told() {
    let hook = Ears::open(&[200]);
    let user = host(&webhook(
        "hook",
        &hook.host,
        "allowPrivate: true, events: [drifted, refused]",
    ));
    let server = Server::start(
        &user,
        &["--notify", "notify.yaml", "--look-for-drift", "1s"],
    );
    user.write("out/shop/..data/app/shop/a", "9");
    let event = judged(&hook.next());
    assert_eq!(
        (&event[1], &event[2]),
        (&json!("dev.cfgctl.drifted"), &json!("shop"))
    );
    assert_eq!(event[3]["clusters"], json!(["eu"]));

    let token = user.ok(&["token", "create", "nobody"]);
    let head = crate::support::server::json_by(token.trim());
    // What was only to be read is told to nobody.
    assert_eq!(server.ask("GET /metrics", &head, "").0, 403);
    let body = "{\"alerts\": []}";
    assert_eq!(server.ask("POST /v1/hooks/grafana", &head, body).0, 403);
    let event = judged(&hook.next());
    assert_eq!(
        (&event[1], &event[2]),
        (&json!("dev.cfgctl.refused"), &Value::Null)
    );
}

#[test]
fn a_file_that_cannot_be_meant_is_refused() {
    let user = host("");
    let (ok, head) = (
        "secret: {env: HOOK_SECRET}",
        "  - {name: a, webhook: {url: ",
    );
    for (receivers, why) in [
        (
            format!("{head}'http://example.com', {ok}}}}}\n"),
            "no URL with `https://`",
        ),
        (
            format!("{head}'https://example.com', secret: {{env: NONE}}}}}}\n"),
            "`NONE` is not set",
        ),
        (
            format!("{head}'https://example.com', {ok}}}, colour: red}}\n"),
            "unknown field `colour`",
        ),
        (
            format!("{head}'https://10.0.0.1/x', {ok}}}}}\n"),
            "private address",
        ),
        (
            format!("{head}'https://example.com', secret: whsec_x}}}}\n"),
            "a secret does not stand",
        ),
        ("  - {name: a}\n".to_owned(), "one of `webhook` and `slack`"),
        ("  - {name: A}\n".to_owned(), "is not a name"),
    ] {
        let file =
            format!("apiVersion: cfgctl.dev/v1\nkind: Notifications\nreceivers:\n{receivers}");
        user.write("notify.yaml", &file);
        let ran = user.run(&[
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--notify",
            "notify.yaml",
        ]);
        let said = ran.expect_code(2);
        assert!(said.stderr.contains(why), "{why}: {}", said.stderr);
    }
}
