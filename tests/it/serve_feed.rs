//! The feed of `cfgctl serve`: who waits for snapshots hears of every commit, by whomever it is made.

use std::io::{BufReader, Read as _, Write as _};
use std::net::TcpStream;

use rustix::process::{Resource, Rlimit, Signal, getrlimit, setrlimit};
use serde_json::Value;

use crate::support::cli::Cfgctl;
use crate::support::server::{Server, answer};

/// What is long enough for everything that happens here.
const LONG: &str = "wait=290s";

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

/// A set with these clusters and one value.
fn set(name: &str, clusters: &str, value: u64) -> String {
    format!(
        "apiVersion: cfgctl.dev/v1\nkind: ConfigSet\nmetadata: {{name: {name}}}\nspec:\n  \
         clusters: {{{clusters}}}\n  values: {{n: {value}}}\n  breakers:\n    b: {{trip: {{values: \
         {{n: 0}}}}}}\n  publish: [keys: {{prefix: app/{name}}}]\n"
    )
}

/// A user beside the store, with `shop` everywhere and `till` in `eu`.
fn host() -> Cfgctl {
    let host = Cfgctl::new().with("CFGCTL_STORE", "store.db");
    host.write("world/clusters.yaml", CLUSTERS);
    change(&host, "shop", "", 1);
    change(&host, "till", "region: eu", 1);
    host
}

/// Beside the server: by another process, over the same file.
fn change(host: &Cfgctl, name: &str, clusters: &str, value: u64) {
    host.write(&format!("world/{name}.yaml"), &set(name, clusters, value));
    host.ok(&["apply", "-f", "world", "--yes"]);
}

fn serve(host: &Cfgctl) -> Server {
    Server::start(host, &["--allow-directories", "target"])
}

/// What was answered.
#[derive(Debug)]
struct Told {
    status: u16,
    head: String,
    body: String,
}

impl Told {
    fn of(stream: TcpStream) -> Self {
        let (status, text) = answer(stream);
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        Self {
            status,
            head: head.to_owned(),
            body: body.to_owned(),
        }
    }

    #[track_caller]
    fn header(&self, name: &str) -> &str {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        let found = lines.find(|(it, _)| it.eq_ignore_ascii_case(name));
        found.unwrap_or_else(|| panic!("no {name} in {self:?}")).1
    }

    #[track_caller]
    fn sequence(&self) -> u64 {
        self.header("x-cfgctl-sequence").parse().unwrap()
    }

    #[track_caller]
    fn json(&self) -> Value {
        assert_eq!(self.status, 200, "{self:?}");
        serde_json::from_str(&self.body).unwrap()
    }

    /// The version of a set in an index.
    #[track_caller]
    fn version_of(&self, set: &str) -> u64 {
        let json = self.json();
        let mut items = json["sets"].as_array().unwrap().iter();
        let item = items.find(|item| item["name"] == set).unwrap();
        item["version"].as_u64().unwrap()
    }
}

/// Asks for a path below `/v1/clusters`, and waits for nothing yet.
fn begin(server: &Server, path: &str, head: &str) -> TcpStream {
    let mut stream = server.connect();
    let token = &server.token;
    write!(
        stream,
        "GET /v1/clusters/{path} HTTP/1.1\r\nHost: server\r\nConnection: close\r\n\
         Authorization: Bearer {token}\r\n{head}\r\n"
    )
    .unwrap();
    stream
}

/// A request for any path, as it is sent by whoever goes on with the connection.
fn request(server: &Server, path: &str, head: &str) -> String {
    let token = &server.token;
    format!("GET {path} HTTP/1.1\r\nHost: server\r\nAuthorization: Bearer {token}\r\n{head}\r\n")
}

/// The same, when the server surely has begun with it: it was sent in one piece with a question that
/// was answered.
fn begin_surely(server: &Server, path: &str) -> TcpStream {
    let mut stream = server.connect();
    let ask = |path: &str, head: &str| request(server, path, head);
    let first = ask("/healthz", "");
    let second = ask(&format!("/v1/clusters/{path}"), "Connection: close\r\n");
    stream
        .write_all(format!("{first}{second}").as_bytes())
        .unwrap();
    let mut head = Vec::new();
    let mut read = |bytes: &mut [u8]| stream.read_exact(bytes).unwrap();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        read(&mut byte);
        head.extend(byte);
    }
    let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
    assert!(head.starts_with("http/1.1 200"), "{head}");
    let mut lines = head.lines();
    let length = lines.find_map(|line| line.strip_prefix("content-length: "));
    read(&mut vec![0; length.unwrap().parse().unwrap()]);
    stream
}

fn get(server: &Server, path: &str, head: &str) -> Told {
    Told::of(begin(server, path, head))
}

#[test]
fn a_snapshot_is_the_document_that_its_target_holds() {
    let host = host();
    let server = serve(&host);
    let index = get(&server, "eu/snapshots", "");
    let document = get(&server, "eu/snapshots/shop", "");
    let held = host.directory().join("world/target/eu/shop/snapshot.json");
    assert_eq!(document.body, std::fs::read_to_string(held).unwrap());
    let (index_json, json) = (index.json(), document.json());
    assert_eq!(index_json["kind"], "ClusterSnapshots");
    assert_eq!(index_json["sets"][0]["digest"], json["digest"]);
    assert_eq!(document.sequence(), index.sequence());

    // With all that lies beside it, which is another answer.
    let whole = get(&server, "eu/snapshots/shop?entries=true", "");
    assert_eq!(whole.json()["document"], json);
    assert_eq!(whole.json()["entries"]["app/shop/n"], "1");
    assert_ne!(whole.header("etag"), document.header("etag"));
    let lineage = get(&server, "eu/snapshots/shop/lineage?versions=1,9", "");
    let lineage = lineage.json();
    assert_eq!(lineage["newest"], 1);
    assert_eq!(lineage["isThere"], true);
    assert_eq!(lineage["origins"]["1"], json["origin"]);
    assert_eq!(lineage["origins"].as_object().unwrap().len(), 1);

    // Whoever has it gets nothing.
    let had = format!("If-None-Match: {}\r\n", document.header("etag"));
    let same = get(&server, "eu/snapshots/shop", &had);
    assert_eq!((same.status, same.body.as_str()), (304, ""));
    assert_eq!(same.header("etag"), document.header("etag"));
    assert_eq!(same.sequence(), document.sequence());
    assert_eq!(get(&server, "eu/snapshots", &had).status, 200);
    // A wait that is over says what there is.
    let after = document.sequence();
    let path = format!("eu/snapshots/shop?after={after}&wait=1ms");
    let over = get(&server, &path, "");
    assert_eq!(
        (over.body.as_str(), over.sequence()),
        (document.body.as_str(), after)
    );
    assert_eq!(get(&server, "eu/snapshots/shop?wait=1ms", &had).status, 304);

    for (path, status, why) in [
        ("mars/snapshots", 404, "there is no cluster/mars"),
        ("mars/snapshots/shop", 404, "there is no cluster/mars"),
        ("eu/snapshots/sho", 404, "there is no set/sho"),
        ("us/snapshots/till", 404, "till does not go to us"),
        ("eu/snapshots/Not_A", 400, "Not_A"),
        ("eu/snapshots?wait=55", 400, "`wait` is a duration"),
        ("eu/snapshots?after=-1", 400, "after"),
        ("eu/snapshots?more=1", 400, "more"),
        ("eu/snapshots/shop/lineage?versions=0", 400, "no version"),
    ] {
        let told = get(&server, path, "");
        assert_eq!(told.status, status, "{told:?}");
        assert!(told.body.contains(why), "{told:?}");
    }
}

#[test]
fn a_thousand_who_wait_all_wake_on_one_commit() {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    setrlimit(Resource::Nofile, raised).unwrap();
    let host = host();
    let server = serve(&host);
    let mut through = Cfgctl::new();
    server.lead(&mut through);

    // By another process over the same file, and by the server.
    let by_other = |host: &Cfgctl| change(host, "shop", "", 2);
    let trip = ["breaker", "trip", "shop/b", "--yes", "--reason", "x"];
    let commits: [&dyn Fn(); 2] = [&|| by_other(&host), &|| _ = through.ok(&trip)];
    for (version, commit) in (2..).zip(commits) {
        let mut waiting = Vec::new();
        for path in ["eu/snapshots", "eu/snapshots/shop"] {
            let now = get(&server, path, "");
            let after = now.sequence();
            let had = format!("If-None-Match: {}\r\n", now.header("etag"));
            waiting.extend((0..500).map(|n| match n % 2 {
                0 => begin(&server, &format!("{path}?after={after}&{LONG}"), ""),
                _ => begin(&server, path, &format!("{had}Prefer: wait=290\r\n")),
            }));
        }
        // The server has answered somebody who came after all of them.
        get(&server, "us/snapshots", "");
        commit();
        let mut told = waiting.into_iter().map(Told::of);
        for index in told.by_ref().take(500) {
            assert_eq!(index.version_of("shop"), version);
        }
        let mut bodies = Vec::new();
        for document in told {
            assert_eq!(document.json()["version"], version);
            bodies.push(document.body);
        }
        assert_eq!(bodies.len(), 500);
        bodies.dedup();
        assert_eq!(bodies.len(), 1);
    }
}

#[test]
fn what_is_asked_behind_a_request_that_waits_is_answered_after_it() {
    let host = host();
    let server = serve(&host);
    let after = get(&server, "eu/snapshots/shop", "").sequence();
    let ask = |path: &str, head: &str| request(&server, path, head);
    let waits = |after| {
        ask(
            &format!("/v1/clusters/eu/snapshots/shop?after={after}&{LONG}"),
            "",
        )
    };
    let last = ask("/v1/identity", "Connection: close\r\n");
    // In one piece with it, and once it waits already; more than is read ahead of a request.
    let long = ask("/healthz", &format!("X-Long: {}\r\n", "x".repeat(4000)));
    for (first, then) in [(true, false), (false, true)] {
        let mut stream = server.connect();
        let begun = get(&server, "eu/snapshots/shop", "").sequence();
        let mut text = waits(begun.max(after));
        if first {
            text.extend([long.as_str(), &last]);
        }
        stream.write_all(text.as_bytes()).unwrap();
        if then {
            // The server has answered somebody who came after it.
            get(&server, "us/snapshots", "");
            stream
                .write_all(format!("{long}{last}").as_bytes())
                .unwrap();
        }
        change(&host, "shop", "", 10 + u64::from(first));
        let (status, text) = answer(stream);
        assert_eq!(status, 200, "{text}");
        let answers: Vec<_> = text.split("HTTP/1.1 200 OK\r\n").collect();
        let [before, snapshot, healthy, identity] = answers[..] else {
            panic!("three answers: {text}")
        };
        assert_eq!(before, "");
        let value = format!("\"n\":{}", 10 + u64::from(first));
        assert!(snapshot.contains(&value), "{snapshot}");
        assert!(healthy.contains("x-request-id"), "{healthy}");
        assert!(identity.contains("owner"), "{identity}");
    }
}

#[test]
fn a_request_that_waits_behind_answers_nobody_has_taken_yet_loses_none_of_them() {
    const BEFORE: usize = 100;
    let host = host();
    let server = serve(&host);
    let after = get(&server, "eu/snapshots/shop", "").sequence();
    let ask = |path: &str, head: &str| request(&server, path, head);
    let path = format!("/v1/clusters/eu/snapshots/shop?after={after}&{LONG}");
    let mut text = ask("/openapi.json", "").repeat(BEFORE);
    text += &ask(&path, "Connection: close\r\n");
    let mut stream = server.connect();
    stream.write_all(text.as_bytes()).unwrap();
    // More than fits between server and client, so that something waits to be taken for long.
    let (_, document) = server.ask("GET /openapi.json", "", "");
    let length = document.split_once("\r\n\r\n").unwrap().1.len();
    assert!(length * BEFORE > 8 << 20, "{length}");
    let slow = std::thread::spawn(move || {
        let mut all = Vec::new();
        let mut piece = vec![0; 64 << 10];
        loop {
            match stream.read(&mut piece).unwrap() {
                0 => return String::from_utf8(all).unwrap(),
                read => all.extend_from_slice(&piece[..read]),
            }
            std::thread::sleep(std::time::Duration::from_micros(300));
        }
    });
    change(&host, "shop", "", 2);
    let all = slow.join().unwrap();
    let answers: Vec<_> = all.split("HTTP/1.1 200 OK\r\n").skip(1).collect();
    assert_eq!(answers.len(), BEFORE + 1);
    let (snapshot, before) = answers.split_last().unwrap();
    for answer in before {
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        assert_eq!(body.len(), length);
    }
    assert!(snapshot.contains("\"version\":2"), "{snapshot}");
}

#[test]
fn whoever_goes_away_while_he_waits_leaves_nothing_behind() {
    let host = host();
    let server = serve(&host);
    let after = get(&server, "eu/snapshots", "").sequence();
    let path = |which: &str| format!("eu/{which}?after={after}&{LONG}");
    let before = server.connections();
    let waiting: Vec<_> = (0..60)
        .map(|n| match n % 2 {
            0 => begin_surely(&server, &path("snapshots")),
            _ => begin(&server, &path("snapshots/shop"), ""),
        })
        .collect();
    while server.connections() < before + waiting.len() {
        std::thread::yield_now();
    }
    drop(waiting);
    while server.connections() > before {
        std::thread::yield_now();
    }
}

#[test]
fn whoever_waits_holds_up_no_end() {
    let host = host();
    let server = serve(&host);
    let after = get(&server, "eu/snapshots", "").sequence();
    let waiting = begin_surely(&server, &format!("eu/snapshots/shop?after={after}&{LONG}"));
    server.signal(Signal::TERM);
    let told = Told::of(waiting);
    assert_eq!(told.status, 200, "{told:?}");
    assert_eq!(told.sequence(), after);
    let (code, said) = server.end();
    assert_eq!(code, Some(0), "{said}");
    assert!(!said.contains("in time"), "{said}");
}

#[test]
fn a_commit_wakes_nobody_who_waits_for_something_else() {
    let host = host();
    let server = serve(&host);
    // Where `till` does not go, and what is not `till`.
    let waiting = ["us/snapshots", "us/snapshots/shop", "eu/snapshots/shop"].map(|path| {
        let after = get(&server, path, "").sequence();
        begin(&server, &format!("{path}?after={after}&{LONG}"), "")
    });
    let index = get(&server, "eu/snapshots", "");
    let after = index.sequence();
    let woken = begin(&server, &format!("eu/snapshots?after={after}&{LONG}"), "");
    change(&host, "till", "region: eu", 2);
    let woken = Told::of(woken);
    assert_eq!((woken.version_of("shop"), woken.version_of("till")), (1, 2));
    // Had they been woken, they would have answered with what was there before this.
    change(&host, "shop", "", 2);
    let [us, us_shop, eu_shop] = waiting.map(Told::of);
    assert_eq!(us.version_of("shop"), 2);
    assert_eq!(us_shop.json()["version"], 2);
    assert_eq!(eu_shop.json()["version"], 2);
    assert!(us.sequence() > woken.sequence());
}

#[test]
fn who_waited_at_a_server_that_was_killed_finds_the_new_one_in_the_next() {
    let host = host();
    let server = serve(&host);
    let now = get(&server, "eu/snapshots/shop", "");
    let had = format!("If-None-Match: {}\r\n", now.header("etag"));
    let after = now.sequence();
    let path = format!("eu/snapshots/shop?after={after}&{LONG}");
    let lost = begin(&server, &path, "");
    server.signal(Signal::KILL);
    let (code, _) = server.end();
    assert_eq!(code, None);
    assert_eq!(Told::of(lost).status, 0);
    let backup = std::fs::read(store(&host)).unwrap();
    change(&host, "shop", "", 2);
    change(&host, "till", "region: eu", 2);

    // What was missed is there at once, however it is asked for.
    let server = serve(&host);
    let news = get(&server, &path, "");
    assert_eq!(news.json()["version"], 2);
    let by_tag = get(&server, &format!("eu/snapshots/shop?{LONG}"), &had);
    assert_eq!(by_tag.body, news.body);
    let ahead = news.sequence();
    let waiting = begin_surely(&server, &format!("eu/snapshots/shop?after={ahead}&{LONG}"));
    server.signal(Signal::TERM);
    let (code, _) = server.end();
    assert_eq!(code, Some(0));
    // The end of a server is no news.
    let told = Told::of(waiting);
    assert_eq!(
        (told.body.as_str(), told.sequence()),
        (news.body.as_str(), ahead)
    );

    // A store that is older than what somebody has seen.
    for file in ["store.db-wal", "store.db-shm"] {
        _ = std::fs::remove_file(store(&host).with_file_name(file));
    }
    std::fs::write(store(&host), backup).unwrap();
    let server = serve(&host);
    let older = get(
        &server,
        &format!("eu/snapshots/shop?after={ahead}&{LONG}"),
        "",
    );
    assert_eq!(older.json()["version"], 1);
    assert!(older.sequence() < ahead);
    let told = get(&server, &format!("eu/snapshots?after={ahead}&{LONG}"), "");
    assert_eq!(told.version_of("shop"), 1);
}

/// Where the store of a user lies.
fn store(host: &Cfgctl) -> std::path::PathBuf {
    host.directory().join("store.db")
}

#[test]
fn a_stream_tells_what_there_is_and_what_becomes_of_it() {
    let host = host();
    let server = serve(&host);
    let events = "Accept: text/event-stream\r\n";
    let mut stream = BufReader::new(begin(&server, "eu/snapshots/shop", events));
    let first = event(&mut stream);
    assert_eq!(first.name, "snapshot");
    let document = get(&server, "eu/snapshots/shop", "");
    assert_eq!(first.data, document.body);
    change(&host, "till", "region: eu", 2);
    change(&host, "shop", "", 2);
    let second = event(&mut stream);
    let json: Value = serde_json::from_str(&second.data).unwrap();
    assert_eq!(json["version"], 2);
    let number = |event: &Event| -> u64 { event.id.parse().unwrap() };
    assert!(number(&second) > number(&first));

    // Whoever takes it up again is told what he missed, and nothing that he has.
    let since = |id: &str| format!("{events}Last-Event-ID: {id}\r\n");
    let again = begin(&server, "eu/snapshots/shop", &since(&first.id));
    assert_eq!(event(&mut BufReader::new(again)).data, second.data);
    let mut later = BufReader::new(begin(&server, "eu/snapshots/shop", &since(&second.id)));
    change(&host, "shop", "", 3);
    let third = event(&mut later);
    let json: Value = serde_json::from_str(&third.data).unwrap();
    assert_eq!(json["version"], 3);
    assert_eq!(event(&mut stream).data, third.data);

    // It ends when nothing is there any more; one of the cluster goes on.
    let index = begin(&server, "eu/snapshots", events);
    let mut index = BufReader::new(index);
    event(&mut index);
    host.ok(&["delete", "shop", "--yes", "--allow-deletes"]);
    let gone = event(&mut stream);
    assert_eq!(gone.name, "problem");
    assert!(gone.data.contains("was deleted"), "{}", gone.data);
    let json: Value = serde_json::from_str(&event(&mut index).data).unwrap();
    assert_eq!(json["sets"].as_array().unwrap().len(), 1);
    server.signal(Signal::TERM);
    let (code, _) = server.end();
    assert_eq!(code, Some(0));
}

#[test]
fn two_servers_over_one_store_tell_the_same() {
    let host = host();
    let servers = [serve(&host), serve(&host)];
    for (number, reason) in ["trip", "reset"].into_iter().enumerate() {
        let (by, other) = (&servers[number], &servers[1 - number]);
        let now = servers
            .each_ref()
            .map(|it| get(it, "eu/snapshots/shop", ""));
        assert_eq!(now[0].header("etag"), now[1].header("etag"));
        let after = now[number].sequence();
        let waiting = servers.each_ref().map(|it| {
            let path = format!("eu/snapshots/shop?after={after}&{LONG}");
            begin(it, &path, "")
        });
        let events = format!("Accept: text/event-stream\r\nLast-Event-ID: {after}\r\n");
        let mut stream = BufReader::new(begin(other, "eu/snapshots/shop", &events));
        let mut through = Cfgctl::new();
        by.lead(&mut through);
        through.ok(&["breaker", reason, "shop/b", "--yes", "--reason", "x"]);
        let [first, second] = waiting.map(Told::of);
        assert_eq!(first.json()["version"], 2 + number);
        assert_eq!(first.body, second.body);
        assert_eq!(first.header("etag"), second.header("etag"));
        assert_eq!(event(&mut stream).data, first.body);
        // Whoever was told by one of them may go on at the other.
        let after = first.sequence();
        let over = get(
            other,
            &format!("eu/snapshots/shop?after={after}&wait=1ms"),
            "",
        );
        assert_eq!(over.body, first.body);
    }
}

#[test]
fn who_never_reads_his_stream_disturbs_nobody_and_is_sent_no_history() {
    // Together more than all buffers between the two hold.
    const COMMITS: u64 = 12;
    let host = host();
    let large = format!("values: {{text: {}, n: 2}}", "x".repeat(800_000));
    let large = set("shop", "", 2).replacen("values: {n: 2}", &large, 1);
    host.write("world/shop.yaml", &large);
    host.ok(&["apply", "-f", "world", "--yes", "--allow-growth"]);
    let server = serve(&host);
    let events = "Accept: text/event-stream\r\n";
    let ask = |_| begin(&server, "eu/snapshots/shop", events);
    let unread: Vec<_> = (0..10).map(ask).collect();
    let mut now = get(&server, "eu/snapshots/shop", "");
    for number in 0..COMMITS {
        let after = now.sequence();
        let path = format!("eu/snapshots/shop?after={after}&{LONG}");
        let waiting = begin(&server, &path, "");
        let turn = ["trip", "reset"][usize::from(number % 2 == 1)];
        host.ok(&["breaker", turn, "shop/b", "--yes", "--reason", "x"]);
        now = Told::of(waiting);
        assert_eq!(now.json()["version"], 3 + number);
    }
    // What comes after a pause is what there is, not all that there was.
    for stream in unread {
        let mut stream = BufReader::new(stream);
        let read = std::iter::repeat_with(|| event(&mut stream).data);
        let old = read.take_while(|data| *data != now.body).count();
        assert!(old < usize::try_from(COMMITS).unwrap(), "{old}");
    }
}

#[derive(Debug, Default)]
struct Event {
    name: String,
    id: String,
    data: String,
}

/// The next event of a stream.
fn event(stream: &mut impl std::io::BufRead) -> Event {
    let mut event = Event::default();
    loop {
        let mut line = String::new();
        assert_ne!(
            stream.read_line(&mut line).unwrap(),
            0,
            "it ended: {event:?}"
        );
        let line = line.trim_end();
        match line.split_once(": ") {
            Some(("event", name)) => name.clone_into(&mut event.name),
            Some(("id", id)) => id.clone_into(&mut event.id),
            Some(("data", data)) => data.clone_into(&mut event.data),
            None if line.is_empty() && !event.name.is_empty() => return event,
            _ => {}
        }
    }
}

#[test]
fn who_may_read_a_snapshot_no_more_is_told_nothing_of_the_next_one() {
    let host = host();
    let grant = |sets: &str| {
        let manifest = format!(
            "apiVersion: cfgctl.dev/v1\nkind: Grant\nmetadata: {{name: readers}}\nspec: \
             {{to: [\"token:app\"], role: viewer, sets: {{{sets}}}}}\n"
        );
        host.write("grant.yaml", &manifest);
        host.ok(&["apply", "-f", "grant.yaml", "--yes"]);
    };
    grant("");
    let token = host.ok(&["token", "create", "app"]);
    let server = Server::start(&host, &["--recover", "--allow-directories", "target"]);
    let ask = |path: &str, accept: &str| {
        let mut stream = server.connect();
        let token = token.trim();
        write!(
            stream,
            "GET /v1/clusters/{path} HTTP/1.1\r\nHost: server\r\nConnection: close\r\n\
             Authorization: Bearer {token}\r\nAccept: {accept}\r\n\r\n"
        )
        .unwrap();
        stream
    };
    let json = "application/json";
    let after = Told::of(ask("eu/snapshots", json)).sequence();
    let mut stream = BufReader::new(ask("eu/snapshots/shop", "text/event-stream"));
    let first = event(&mut stream);
    assert_eq!(first.name, "snapshot");
    let waits = ask(&format!("eu/snapshots?after={after}&{LONG}"), json);
    grant("team: other");
    change(&host, "shop", "", 2);
    let last = event(&mut stream);
    assert_eq!(last.name, "problem", "{last:?}");
    assert!(last.data.contains("there is no "), "{last:?}");
    let told = Told::of(waits);
    assert!(
        told.status == 404 || told.json()["sets"] == serde_json::json!([]),
        "{told:?}"
    );
}

#[test]
fn news_are_told_of_every_commit() {
    let host = host();
    let server = serve(&host);
    let news = |query: &str| {
        let (status, text) = server.ask_known(&format!("GET /v1/news{query}"), "", "");
        assert_eq!(status, 200, "{text}");
        let (_, body) = text.split_once("\r\n\r\n").unwrap();
        serde_json::from_str::<Value>(body).unwrap()
    };
    let now = news("");
    let after = now["sequence"].as_u64().unwrap();
    let nothing = news(&format!("?after={after}&wait=1ms"));
    assert_eq!(nothing["sequence"], after);
    assert_eq!(nothing["changed"], serde_json::json!([]));
    let query = format!("?after={after}&{LONG}");
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| news(&query));
        change(&host, "till", "region: eu", 2);
        let told = waiting.join().unwrap();
        assert_eq!(told["changed"], serde_json::json!(["set/till"]));
    });
}
