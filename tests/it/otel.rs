//! Traces as a collector gets them: one from an alert or a command to what each cluster is written. What it
//! got a reader decodes that is not ours.

use rustix::process::Signal;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::support::cli::Cfgctl;
use crate::support::proxy::{Proxy, answer};
use crate::support::python;
use crate::support::server::{Server, json_by};
use crate::support::world::World;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const SENDER: &str = "b7ad6b7169203331";
const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";

/// One span, as the reader says it.
#[derive(Clone, Debug, Deserialize)]
struct Told {
    trace: String,
    span: String,
    /// Empty: it is the first.
    parent: String,
    name: String,
    service: String,
    /// Empty: it did not fail.
    failed: String,
}

/// A collector that takes everything.
struct Collector(Proxy);

impl Collector {
    fn open() -> Self {
        let proxy = Proxy::before("");
        proxy.rule(|_| answer("200 OK", "Content-Type: application/x-protobuf\r\n", ""));
        Self(proxy)
    }

    fn bodies(&self) -> Vec<Vec<u8>> {
        self.0.until_idle();
        let requests = self.0.requests().into_iter();
        let bodies = requests.map(|request| {
            assert_eq!(
                (request.method.as_str(), request.path.as_str()),
                ("POST", "/v1/traces")
            );
            request.body
        });
        bodies.collect()
    }

    /// What it got so far, in no order.
    fn told(&self) -> Vec<Told> {
        judged(&self.bodies())
    }

    fn holds(&self, text: &str) -> bool {
        let bodies = self.bodies();
        let mut windows = bodies.iter().flat_map(|body| body.windows(text.len()));
        windows.any(|window| window == text.as_bytes())
    }
}

/// What the messages of OpenTelemetry itself make of it.
fn judged(bodies: &[Vec<u8>]) -> Vec<Told> {
    let program = "
import json, sys
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
told = []
for body in json.load(sys.stdin):
    for resource in ExportTraceServiceRequest.FromString(bytes(body)).resource_spans:
        about = {it.key: it.value.string_value for it in resource.resource.attributes}
        for scope in resource.scope_spans:
            for span in scope.spans:
                assert span.start_time_unix_nano <= span.end_time_unix_nano
                told.append(dict(
                    trace=span.trace_id.hex(), span=span.span_id.hex(),
                    parent=span.parent_span_id.hex(), name=span.name,
                    service=about['service.name'],
                    failed=span.status.message if span.status.code == 2 else ''))
print(json.dumps(told))
";
    let ran = python::judged(program, json!(bodies).to_string().as_bytes());
    serde_json::from_slice(&ran).unwrap()
}

/// The one span of this name.
fn the<'a>(told: &'a [Told], name: &str) -> &'a Told {
    let mut found = told.iter().filter(|it| it.name == name);
    match (found.next(), found.next()) {
        (Some(found), None) => found,
        _ => panic!("not one `{name}`: {told:#?}"),
    }
}

fn is_below(told: &[Told], below: &Told, above: &Told) -> bool {
    let mut parent = &below.parent;
    while let Some(found) = told.iter().find(|it| it.span == *parent) {
        if found.span == above.span {
            return true;
        }
        parent = &found.parent;
    }
    false
}

/// A set with one breaker in two Consuls behind proxies.
async fn world() -> (World, Vec<Proxy>) {
    let world = World::shared(2).await;
    let proxies = world.behind_proxies();
    let prefix = &world.prefix;
    let file = world.check_out(
        1,
        &format!(
            "apiVersion: cfgctl.dev/v1\nkind: ConfigSet\nmetadata: {{name: checkout}}\nspec:\n  \
             publish:\n    - keys: {{prefix: {prefix}/app/checkout}}\n  \
             values: {{mode: hushed-normal}}\n  breakers:\n    pay:\n      \
             trip: {{values: {{mode: hushed-fallback}}}}\n      alerts: {{alertname: PaymentErrors}}\n",
        ),
    );
    let apply = ["apply", "-f", "clusters.yaml", "-f", &file, "--yes"];
    world.user.ok(&apply);
    (world, proxies)
}

/// Ends it: what it has not sent yet it sends now.
fn end(server: Server) -> String {
    server.signal(Signal::TERM);
    let (code, said) = server.end();
    assert_eq!(code, Some(0), "{said}");
    said
}

/// That the span `name` of each cluster is below `above`, and that the cluster heard of the trace with what it
/// was written.
fn reached(told: &[Told], above: &Told, proxies: &[Proxy]) {
    for (n, proxy) in proxies.iter().enumerate() {
        let written = the(told, &format!("deliver checkout to c{n}"));
        assert!(is_below(told, written, above), "{told:#?}");
        assert_eq!(written.failed, "");
        let header = format!("traceparent: 00-{}-{}-01\r\n", above.trace, written.span);
        let writes = proxy.requests();
        let mut writes = writes.iter().filter(|it| it.is_write());
        assert!(writes.any(|it| it.head.contains(&header)), "{header}");
    }
}

#[tokio::test]
async fn an_alert_and_what_it_comes_to_in_each_cluster_are_one_trace() {
    let (mut world, proxies) = world().await;
    let token = ["token", "create", "alertmanager", "--kind", "alerts"];
    let token = world.user.ok(&token).trim().to_owned();
    let collector = Collector::open();
    world.user.set(ENDPOINT, &collector.0.address());
    let server = Server::start(&world.user, &["--recover"]);
    let head = json_by(&token) + &format!("traceparent: 00-{TRACE}-{SENDER}-01\r\n");
    let alert = json!({"status": "firing", "labels": {"alertname": "PaymentErrors"}});
    let body = json!({"alerts": [alert]}).to_string();
    let (status, text) = server.ask("POST /v1/hooks/alertmanager", &head, &body);
    assert_eq!(status, 200, "{text}");
    let leaf = world.leaf("mode");
    for n in [0, 1] {
        while world.tree(n)[&leaf].0 != b"hushed-fallback" {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    }
    let owner = server.token.clone();
    end(server);

    let told = collector.told();
    let told: Vec<_> = told.into_iter().filter(|it| it.trace == TRACE).collect();
    let request = the(&told, "POST /v1/hooks/alertmanager");
    assert_eq!(
        (request.parent.as_str(), request.service.as_str()),
        (SENDER, "cfgctl")
    );
    assert_eq!(the(&told, "commit").parent, request.span);
    assert_eq!(the(&told, "deliver checkout").parent, request.span);
    reached(&told, request, &proxies);
    for secret in [&token, &owner, "hushed"] {
        assert!(!collector.holds(secret), "{secret}");
    }

    // The log of the store names the request as it is called there.
    let log = world.json(0, &["audit", "list", "--cause", "alert"]);
    let named = format!("00-{TRACE}-{}-01", request.span);
    assert!(log.to_string().contains(&named), "{log}");
}

#[tokio::test]
async fn a_command_and_the_server_that_it_works_through_are_one_trace() {
    let (mut world, proxies) = world().await;
    let collector = Collector::open();
    world.user.set(ENDPOINT, &collector.0.address());
    let server = Server::start(&world.user, &["--recover"]);
    server.lead(&mut world.user);
    world.user.set("OTEL_SERVICE_NAME", "pipeline");
    let trip = ["breaker", "trip", "checkout/pay", "--yes"];
    world.user.ok(&trip);
    // It is sent before the command ends.
    let early = collector.told();
    let command = the(&early, "cfgctl breaker trip");
    assert_eq!(
        (command.parent.as_str(), command.service.as_str()),
        ("", "pipeline")
    );
    end(server);

    let told = collector.told();
    let told: Vec<_> = told
        .into_iter()
        .filter(|it| it.trace == command.trace)
        .collect();
    let change = the(&told, "POST /v1/changes");
    assert_eq!(
        (change.parent.as_str(), change.service.as_str()),
        (command.span.as_str(), "cfgctl")
    );
    assert!(is_below(&told, the(&told, "commit"), change), "{told:#?}");
    reached(&told, change, &proxies);
    assert!(!collector.holds("hushed"));
}

#[tokio::test]
async fn a_cluster_that_is_down_is_said_to_be() {
    let (mut world, proxies) = world().await;
    let collector = Collector::open();
    world.user.set(ENDPOINT, &collector.0.address());
    proxies[1].rule(|_| crate::support::proxy::Fate::Cut);
    let trip = ["breaker", "trip", "checkout/pay", "--yes"];
    let ran = world.user.run(&trip);
    assert_eq!(ran.code, Some(3), "{}", ran.stderr);
    let told = collector.told();
    let command = the(&told, "cfgctl breaker trip");
    assert_eq!(command.failed, "incomplete");
    assert_eq!(the(&told, "deliver checkout to c0").failed, "");
    assert_eq!(the(&told, "deliver checkout to c1").failed, "unreachable");
}

/// A user with a set in a directory.
fn at_home() -> Cfgctl {
    let user = Cfgctl::new().with("CFGCTL_STORE", "store.db");
    user.write(
        "shop.yaml",
        "apiVersion: cfgctl.dev/v1\nkind: Cluster\nmetadata: {name: eu}\nspec: {directory: {path: out}}\n---\n\
         apiVersion: cfgctl.dev/v1\nkind: ConfigSet\nmetadata: {name: shop}\nspec:\n  \
         publish: [{keys: {prefix: app/shop}}]\n  values: {a: 1}\n  breakers:\n    slow: {trip: {values: {a: 2}}}\n",
    );
    user.ok(&["apply", "-f", "shop.yaml", "--yes"]);
    user
}

#[test]
fn nobody_is_told_of_anything_unless_a_variable_names_whom() {
    let tells = |user: &Cfgctl| {
        let server = Server::start(user, &["--recover"]);
        let tells = server.threads().iter().any(|it| it.starts_with("OpenTel"));
        let (status, _) = server.ask_known("POST /v1/plans", "", "{}");
        assert_eq!(status, 400);
        end(server);
        tells
    };
    let mut user = at_home();
    assert!(!tells(&user));
    let collector = Collector::open();
    user.set(ENDPOINT, &collector.0.address());
    for (name, value) in [
        ("OTEL_SDK_DISABLED", "true"),
        ("OTEL_TRACES_EXPORTER", "none"),
    ] {
        user.set(name, value);
        assert!(!tells(&user), "{name}");
        user.set(name, "");
    }
    assert!(collector.told().is_empty());
    assert!(tells(&user));
    assert_eq!(the(&collector.told(), "POST /v1/plans").failed, "");
    // A sender that keeps nothing of its trace, an app that asks for flags, and whoever only reads.
    let server = Server::start(&user, &["--recover"]);
    let unsampled = format!("traceparent: 00-{TRACE}-{SENDER}-00\r\n");
    server.ask_known("POST /v1/plans", &unsampled, "{}");
    server.ask_known("POST /ofrep/v1/evaluate/flags", "", "{}");
    server.ask_known("GET /v1/names", "", "");
    end(server);
    assert_eq!(collector.told().len(), 1);
}

#[test]
fn without_a_collector_that_listens_everything_is_as_it_was() {
    let mut user = at_home();
    let list = ["breaker", "list"];
    let before = user.run(&list);
    let deaf = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let (deaf_at, nobody_at) = (deaf.local_addr().unwrap(), nobody.local_addr().unwrap());
    drop(nobody);
    for at in [deaf_at, nobody_at] {
        user.set(ENDPOINT, &format!("http://{at}"));
        let with = user.run(&list);
        assert_eq!(with.code, before.code);
        assert_eq!(
            (&with.stdout, &with.stderr),
            (&before.stdout, &before.stderr)
        );
    }
    // What cannot be used is said, and holds up nothing.
    user.set(ENDPOINT, "no address");
    let ran = user.run(&list);
    assert_eq!((ran.code, &ran.stdout), (before.code, &before.stdout));
    assert!(ran.stderr.contains("no traces are sent"), "{}", ran.stderr);

    user.set(ENDPOINT, &format!("http://{nobody_at}"));
    user.set("OTEL_BSP_SCHEDULE_DELAY", "10");
    let server = Server::start(&user, &["--recover"]);
    for n in 0..3 {
        server.ask_known("POST /v1/plans", "", "{}");
        if n == 0 {
            server.until_said("does not take traces");
        }
    }
    server.lead(&mut user);
    let trip = user.run(&["breaker", "trip", "shop/slow", "--yes"]);
    assert_eq!(trip.code, Some(0), "{}", trip.stderr);
    assert!(!trip.stderr.contains("trace"), "{}", trip.stderr);
    let said = end(server);
    assert_eq!(said.matches("traces").count(), 1, "{said}");
    assert!(!said.contains(&nobody_at.to_string()), "{said}");
}

#[test]
fn commands_that_ask_nobody_are_not_told_of() {
    let collector = Collector::open();
    let user = at_home().with(ENDPOINT, &collector.0.address());
    user.ok(&["validate", "-f", "shop.yaml"]);
    user.ok(&["version"]);
    assert!(collector.bodies().is_empty());
    let shown: Value = serde_json::from_str(&user.ok(&["get", "-o", "json"])).unwrap();
    assert_eq!(shown["kind"], "Resources", "{shown}");
    assert_eq!(the(&collector.told(), "cfgctl get").parent, "");
}
