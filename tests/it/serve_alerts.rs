//! Alerts that trip breakers, told by a real Prometheus and Alertmanagers to a real server, which brings
//! them to real Consuls.

use std::time::Duration;

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::monitoring::{Monitor, Scraped, is_accepted};
use crate::support::proxy::{Fate, Gate, Request};
use crate::support::server::{Server, json_by};
use crate::support::world::World;

/// What the leaf `mode` is while the breaker is open.
const OPEN: &[u8] = b"fallback";
const CLOSED: &[u8] = b"normal";

/// The set with one breaker, declared so; the clusters have the label `number`.
fn manifest(prefix: &str, breaker: &str) -> String {
    format!(
        "apiVersion: cfgctl.dev/v1\nkind: ConfigSet\nmetadata: {{name: checkout}}\nspec:\n  \
         publish:\n    - keys: {{prefix: {prefix}/app/checkout}}\n  \
         values: {{mode: normal}}\n  breakers:\n    pay:\n      trip: {{values: {{mode: fallback}}}}\n      \
         alerts: {{alertname: PaymentErrors}}\n      {breaker}\n"
    )
}

/// A server over the store of a world in which the set is delivered, and the token of an Alertmanager.
struct Night {
    world: World,
    server: Server,
    token: String,
}

impl Night {
    async fn begin(clusters: usize, breaker: &str) -> Self {
        Self::of(World::shared(clusters).await, breaker)
    }

    fn of(world: World, breaker: &str) -> Self {
        let file = world.check_out(1, &manifest(&world.prefix, breaker));
        let apply = ["apply", "-f", "clusters.yaml", "-f", &file, "--yes"];
        world.user.ok(&apply);
        let made = world
            .user
            .ok(&["token", "create", "alertmanager", "--kind", "alerts"]);
        let server = Server::start(&world.user, &["--recover"]);
        let token = made.trim().to_owned();
        Self {
            world,
            server,
            token,
        }
    }

    fn mode(&self, cluster: usize) -> Vec<u8> {
        let mut tree = self.world.tree(cluster);
        let leaf = self.world.leaf("mode");
        tree.remove(&leaf).expect("it is delivered").0
    }

    /// Waits until these clusters hold this.
    fn until(&self, clusters: &[usize], mode: &[u8]) {
        for cluster in clusters {
            while self.mode(*cluster) != mode {
                std::thread::sleep(Duration::from_millis(5));
            }
        }
    }

    fn post(&self, body: &Value) -> (u16, Value) {
        let head = json_by(&self.token);
        let hook = "POST /v1/hooks/alertmanager";
        let (status, text) = self.server.ask(hook, &head, &body.to_string());
        let body = text.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        (status, serde_json::from_str(body).unwrap_or_default())
    }

    /// What one alert came to.
    fn tell(&self, alert: &Value) -> Value {
        let (status, body) = self.post(&json!({"alerts": [alert]}));
        assert_eq!(status, 200, "{body}");
        body["alerts"][0]["breakers"].clone()
    }

    fn effect(&self, alert: &Value) -> Value {
        self.tell(alert)[0]["effect"].clone()
    }

    fn versions(&self) -> usize {
        let history = self.world.json(0, &["history", "checkout"]);
        history["revisions"].as_array().unwrap().len()
    }

    /// The configuration of an Alertmanager that tells this server of everything at once.
    fn receiver(&self) -> String {
        format!(
            "route: {{receiver: cfgctl, group_wait: 0s, group_interval: 100ms, repeat_interval: 1h}}\n\
             receivers:\n- name: cfgctl\n  webhook_configs:\n  - url: {}/v1/hooks/alertmanager\n    \
             send_resolved: true\n    http_config: {{authorization: {{credentials_file: token}}}}\n",
            self.server.address
        )
    }
}

fn firing(labels: &[(&str, &str)]) -> Value {
    told("firing", labels)
}

fn resolved(labels: &[(&str, &str)]) -> Value {
    told("resolved", labels)
}

fn told(status: &str, labels: &[(&str, &str)]) -> Value {
    let labels: serde_json::Map<_, _> = labels
        .iter()
        .map(|(key, value)| ((*key).to_owned(), json!(value)))
        .collect();
    json!({"status": status, "labels": labels})
}

const ERRORS: &[(&str, &str)] = &[("alertname", "PaymentErrors")];

#[tokio::test]
async fn what_fires_trips_once_and_closes_with_the_last_that_is_resolved() {
    let night = Night::begin(2, "reset: on-resolve").await;
    assert_eq!(night.effect(&firing(ERRORS)), "opened");
    night.until(&[0, 1], OPEN);
    assert_eq!(night.effect(&firing(ERRORS)), "known");
    let other = [ERRORS, &[("instance", "b")]].concat();
    assert_eq!(night.effect(&firing(&other)), "held");
    assert_eq!(night.versions(), 2, "what only joins changes nothing");
    let list = night.world.user.ok(&["breaker", "list"]);
    for told in ["token:alertmanager", "PaymentErrors", "while alerts fire"] {
        assert!(list.contains(told), "{list}");
    }
    let alerts = night.world.json(0, &["breaker", "alerts"]);
    assert_eq!(alerts["firing"].as_array().unwrap().len(), 2, "{alerts}");
    assert_eq!(alerts["firing"][0]["name"], "PaymentErrors");
    assert_eq!(
        night.effect(&resolved(ERRORS)),
        json!({"stillFiring": {"others": 1}})
    );
    assert_eq!(night.effect(&resolved(&other)), "closed");
    night.until(&[0, 1], CLOSED);
    let history = night.world.user.ok(&["breaker", "history", "checkout/pay"]);
    assert!(
        history.contains("alert: breaker pay trip") && history.contains("alert: breaker pay reset"),
        "{history}"
    );

    // A person who takes it back while it fires is not overruled by a repetition.
    assert_eq!(night.effect(&firing(ERRORS)), "opened");
    night
        .world
        .user
        .ok(&["breaker", "reset", "checkout/pay", "--yes"]);
    assert_eq!(night.effect(&firing(ERRORS)), "known");
    assert_eq!(night.mode(0), CLOSED);
    let log = night.world.user.ok(&["audit", "list", "--cause", "alert"]);
    assert!(log.contains("token:alertmanager"), "{log}");
}

#[tokio::test]
async fn what_matches_nothing_is_shown_and_what_is_no_alert_hides_none() {
    let night = Night::begin(1, "reset: on-resolve").await;
    let (status, body) = night.post(&json!({"alerts": [
        firing(&[("alertname", "DiskFull"), ("host", "a")]),
        {"status": "on fire"},
        firing(ERRORS),
    ]}));
    assert_eq!(
        (status, &body["kind"]),
        (200, &json!("AlertsTaken")),
        "{body}"
    );
    assert_eq!(body["unreadable"][0]["index"], 1);
    assert_eq!(body["alerts"][0]["breakers"], json!([]));
    assert_eq!(body["alerts"][1]["breakers"][0]["breaker"], "checkout/pay");
    let mut user = night.world.user;
    night.server.lead(&mut user);
    let shown = user.ok(&["breaker", "alerts"]);
    assert!(shown.contains("alertname=DiskFull,host=a"), "{shown}");
    let (_, metrics) = night.server.ask_known("GET /metrics", "", "");
    assert!(
        metrics.contains("cfgctl_alerts_total{outcome=\"unmatched\"} 1"),
        "{metrics}"
    );
    assert!(
        metrics.contains("cfgctl_commits_total{cause=\"alert\"} 1"),
        "{metrics}"
    );

    // What would never work is said so; who may not tell is told.
    let head = json_by(&night.token);
    for body in ["{}", "[]", "", "{\"alerts\": 1}"] {
        let (status, text) = night.server.ask("POST /v1/hooks/grafana", &head, body);
        assert_eq!(status, 400, "{body}: {text}");
    }
    let made = user.ok(&["token", "create", "viewer"]);
    let body = json!({"alerts": []}).to_string();
    let head = json_by(made.trim());
    assert_eq!(
        night.server.ask("PUT /v1/hooks/grafana", &head, &body).0,
        403
    );
    assert_eq!(
        night.server.ask("POST /v1/hooks/alertmanager", "", &body).0,
        401
    );
}

#[tokio::test]
async fn it_is_tripped_only_where_the_label_says() {
    let night = Night::begin(3, "cluster: number\n      reset: on-resolve").await;
    let at = |cluster: &'static str| [ERRORS, &[("number", cluster)]].concat();
    let told = night.tell(&firing(&at("c1")));
    assert_eq!(told[0]["clusters"], "number=c1");
    night.until(&[1], OPEN);
    assert_eq!(night.effect(&firing(&at("c9"))), "noCluster");
    assert_eq!(night.effect(&firing(ERRORS)), "noCluster");
    assert_eq!(
        (night.mode(0), night.mode(2)),
        (CLOSED.to_vec(), CLOSED.to_vec())
    );
    night.tell(&firing(&at("c2")));
    night.until(&[2], OPEN);
    night.tell(&resolved(&at("c1")));
    night.until(&[1], CLOSED);
    assert_eq!(night.mode(2), OPEN);
}

#[tokio::test]
async fn a_message_is_tried_before_it_is_sent() {
    let night = Night::begin(1, "reset: on-resolve").await;
    let user = &night.world.user;
    user.write(
        "fires.json",
        &json!({"alerts": [firing(ERRORS)]}).to_string(),
    );
    let other = firing(&[("alertname", "PaymentErorrs")]);
    user.write("other.json", &json!({"alerts": [other]}).to_string());
    let shown = user.ok(&["breaker", "test", "checkout/pay", "--alert", "fires.json"]);
    assert!(
        shown.contains("alert PaymentErrors firing: checkout/pay opens"),
        "{shown}"
    );
    assert!(
        shown.contains("~ mode: \"normal\" → \"fallback\""),
        "{shown}"
    );
    let shown = user.ok(&["breaker", "test", "checkout/pay", "--alert", "other.json"]);
    assert!(
        shown.contains("does not match") && shown.contains("PaymentErorrs"),
        "{shown}"
    );
    let error = user.run(&[
        "breaker",
        "test",
        "checkout/pay",
        "--alert",
        "clusters.yaml",
    ]);
    error.expect_code(2);
    assert_eq!((night.versions(), night.mode(0)), (1, CLOSED.to_vec()));
}

#[tokio::test]
async fn an_answer_of_success_means_that_it_is_committed() {
    let night = Night::begin(1, "reset: on-resolve").await;
    let lock = night.world.lock_store();
    let (status, body) = night.post(&json!({"alerts": [firing(ERRORS)]}));
    assert_eq!(status, 503, "{body}");
    drop(lock);
    assert_eq!(night.versions(), 1);
    assert_eq!(night.effect(&firing(ERRORS)), "opened");
    night.until(&[0], OPEN);
}

#[tokio::test]
async fn a_dead_consul_holds_up_no_other_and_gets_it_when_it_is_back() {
    let world = World::shared(2).await;
    let proxies = world.behind_proxies();
    let night = Night::of(world, "reset: on-resolve");
    proxies[1].rule(|_| Fate::Cut);
    assert_eq!(night.effect(&firing(ERRORS)), "opened");
    night.until(&[0], OPEN);
    night.server.until_said("it is tried again");
    assert_eq!(night.mode(1), CLOSED);
    proxies[1].forward();
    night.until(&[1], OPEN);
    night.server.until_said("delivered everywhere");
}

#[tokio::test]
async fn what_a_killed_server_left_undelivered_the_next_one_delivers() {
    let world = World::shared(1).await;
    let proxies = world.behind_proxies();
    let night = Night::of(world, "reset: on-resolve");
    let gate = Gate::default();
    let held = gate.clone();
    proxies[0].rule(move |request: &Request| {
        if request.is_write() {
            held.pass();
            return Fate::Cut;
        }
        Fate::Forward
    });
    assert_eq!(night.effect(&firing(ERRORS)), "opened");
    gate.until_arrived(1);
    night.server.signal(Signal::KILL);
    gate.open();
    let Night { world, server, .. } = night;
    let address = server.host().to_owned();
    server.end();
    proxies[0].until_idle();
    proxies[0].forward();
    let server = Server::start_at(&world.user, &address, &["--recover"]);
    let night = Night {
        world,
        server,
        token: String::new(),
    };
    night.until(&[0], OPEN);
}

#[tokio::test]
async fn what_one_server_answered_another_one_delivers() {
    let world = World::shared(2).await;
    let proxies = world.behind_proxies();
    let night = Night::of(world, "reset: on-resolve");
    assert_eq!(night.effect(&firing(ERRORS)), "opened");
    night.until(&[0, 1], OPEN);
    let _other = Server::start(&night.world.user, &["--recover"]);
    proxies[1].rule(|_| Fate::Cut);
    assert_eq!(night.effect(&resolved(ERRORS)), "closed");
    night.until(&[0], CLOSED);
    night.server.signal(Signal::KILL);
    assert_eq!(night.mode(1), OPEN);
    proxies[1].forward();
    night.until(&[1], CLOSED);
}

#[tokio::test]
async fn a_cluster_that_hangs_holds_up_no_other() {
    let world = World::shared(2).await;
    let proxies = world.behind_proxies();
    let night = Night::of(world, "reset: on-resolve");
    let gate = Gate::default();
    let held = gate.clone();
    proxies[1].rule(move |_| {
        held.pass();
        Fate::Forward
    });
    for round in 0..4 {
        let alert = [ERRORS, &[("round", ["a", "b", "c", "d"][round])]].concat();
        assert_eq!(night.effect(&firing(&alert)), "opened");
        night.until(&[0], OPEN);
        assert_eq!(night.effect(&resolved(&alert)), "closed");
        night.until(&[0], CLOSED);
    }
    gate.open();
    proxies[1].until_idle();
    night.until(&[1], CLOSED);
}

#[tokio::test]
async fn what_closes_by_itself_does_so_without_anybody() {
    let night = Night::begin(1, "reset: {after: 1s}").await;
    assert_eq!(night.effect(&firing(ERRORS)), "opened");
    night.until(&[0], OPEN);
    // As long as the alert fires no timer closes it.
    night.world.user.ok(&["breaker", "list"]);
    let resolved = night.effect(&resolved(ERRORS));
    assert!(
        resolved == "closed" || resolved["closesAt"].is_object(),
        "{resolved}"
    );
    night.until(&[0], CLOSED);

    // The same of what a person limits.
    let trip = ["breaker", "trip", "checkout/pay", "--for", "1s", "--yes"];
    night.world.user.ok(&trip);
    night.until(&[0], CLOSED);
    night.server.until_said("the time of something was over");
}

#[tokio::test]
async fn five_hundred_alerts_of_one_group_trip_it_once() {
    let night = Night::begin(1, "reset: on-resolve").await;
    let instances: Vec<String> = (0..500).map(|it| format!("pod-{it}")).collect();
    let group = |status: &str| {
        let alerts = instances.iter().map(|instance| {
            told(
                status,
                &[("alertname", "PaymentErrors"), ("instance", instance)],
            )
        });
        json!({"alerts": alerts.collect::<Vec<_>>()})
    };
    let (status, body) = night.post(&group("firing"));
    assert_eq!(status, 200, "{body}");
    night.until(&[0], OPEN);
    assert_eq!(night.versions(), 2);
    let (status, body) = night.post(&group("resolved"));
    assert_eq!(status, 200, "{body}");
    night.until(&[0], CLOSED);
    assert_eq!(night.versions(), 3);
}

#[tokio::test]
async fn a_set_of_the_same_name_is_tripped_anew() {
    let night = Night::begin(1, "reset: on-resolve").await;
    assert_eq!(night.effect(&firing(ERRORS)), "opened");
    night.until(&[0], OPEN);
    let user = &night.world.user;
    user.ok(&[
        "delete",
        "checkout",
        "--yes",
        "--drop-overrides",
        "checkout/pay",
    ]);
    let (status, body) = night.post(&json!({"alerts": [firing(ERRORS)]}));
    assert_eq!(
        (status, &body["alerts"][0]["breakers"]),
        (200, &json!([])),
        "{body}"
    );
    user.ok(&["apply", "-f", "checkout-1/checkout.yaml", "--yes"]);
    assert_eq!(night.effect(&firing(ERRORS)), "opened");
    night.until(&[0], OPEN);
}

#[tokio::test]
async fn a_metric_that_crosses_a_threshold_opens_the_breaker_in_every_consul() {
    let night = Night::begin(3, "reset: on-resolve").await;
    let alertmanager = Monitor::alertmanager(&night.receiver(), &night.token, None);
    let scraped = Scraped::new("payment_errors");
    let rules = "groups:\n- name: payment\n  rules:\n  - alert: PaymentErrors\n    \
        expr: payment_errors > 5\n    annotations: {summary: stripe is failing}\n";
    let configuration = prometheus(&alertmanager, &scraped, "region: eu");
    let _prometheus = Monitor::prometheus(&configuration, rules);
    scraped.is(9);
    night.until(&[0, 1, 2], OPEN);
    let list = night.world.user.ok(&["breaker", "list"]);
    assert!(list.contains("PaymentErrors: stripe is failing"), "{list}");
    scraped.is(0);
    night.until(&[0, 1, 2], CLOSED);
    assert_eq!(night.versions(), 3);
}

/// The block of YAML in the README that begins with this comment.
fn shown(comment: &str) -> String {
    let readme = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
    let readme = std::fs::read_to_string(readme).unwrap();
    let start = readme
        .find(&format!("```yaml\n# {comment}\n"))
        .expect("it is shown");
    let block = readme[start..].split_once('\n').unwrap().1;
    block.split_once("```").unwrap().0.to_owned()
}

#[tokio::test]
async fn what_the_readme_shows_trips_a_breaker() {
    let (rules, route) = (shown("rules/payment.yml"), shown("alertmanager.yml"));
    is_accepted("promtool", &["check", "rules"], &rules);
    is_accepted("amtool", &["check-config"], &route);

    let breaker = "reset: on-resolve\n      cluster: number";
    let mut night = Night::begin(2, breaker).await;
    let set = manifest(&night.world.prefix, breaker).replace("PaymentErrors", "PaymentErrorRate");
    let file = night.world.check_out(2, &set);
    let route = route
        .replace("https://cfgctl.example.com:8440", &night.server.address)
        .replace("/etc/alertmanager/alerts.token", "token");
    let alertmanager = Monitor::alertmanager(&route, &night.token, None);
    let scraped = Scraped::new("job:payment_errors:ratio1m");
    let prometheus = prometheus(&alertmanager, &scraped, "number: c0");
    let _prometheus = Monitor::prometheus(&prometheus, &rules);
    night.server.lead(&mut night.world.user);
    night
        .world
        .user
        .ok(&["apply", "-f", "clusters.yaml", "-f", &file, "--yes"]);
    scraped.is(1);
    night.until(&[0], OPEN);
    assert_eq!(night.mode(1), CLOSED);
    let list = night.world.user.ok(&["breaker", "list"]);
    assert!(
        list.contains("PaymentErrorRate: 100% of payments fail"),
        "{list}"
    );
    scraped.is(0);
    night.until(&[0], CLOSED);
}

/// A Prometheus that is in a hurry, with one label of its own.
fn prometheus(alertmanager: &Monitor, scraped: &Scraped, label: &str) -> String {
    format!(
        "global: {{scrape_interval: 200ms, scrape_timeout: 200ms, evaluation_interval: 200ms, \
         external_labels: {{{label}}}}}\nrule_files: [rules.yml]\n\
         alerting: {{alertmanagers: [{{static_configs: [{{targets: ['{}']}}]}}]}}\n\
         scrape_configs:\n- job_name: payment\n  static_configs: [{{targets: ['{}']}}]\n",
        alertmanager.host, scraped.host
    )
}

#[tokio::test]
async fn two_alertmanagers_trip_it_once_and_an_outage_is_caught_up_with() {
    let night = Night::begin(2, "reset: on-resolve").await;
    let first = Monitor::alertmanager(&night.receiver(), &night.token, None);
    let second = Monitor::alertmanager(&night.receiver(), &night.token, Some(&first));
    let tell = |begun: &str, ended: Option<&str>| {
        let mut alert = json!({"labels": {"alertname": "PaymentErrors"}, "startsAt": begun});
        if let Some(ended) = ended {
            alert["endsAt"] = ended.into();
        }
        for alertmanager in [&first, &second] {
            alertmanager.tell(&json!([alert]));
        }
    };
    tell("2026-11-27T02:00:00Z", None);
    night.until(&[0, 1], OPEN);
    tell("2026-11-27T02:00:00Z", Some("2026-11-27T02:10:00Z"));
    night.until(&[0, 1], CLOSED);
    assert_eq!(night.versions(), 3);

    // While the server is gone it fires, and they go on telling.
    let Night {
        world,
        server,
        token,
    } = night;
    let address = server.host().to_owned();
    server.signal(Signal::TERM);
    server.end();
    tell("2026-11-27T02:20:00Z", None);
    let server = Server::start_at(&world.user, &address, &["--recover"]);
    let night = Night {
        world,
        server,
        token,
    };
    night.until(&[0, 1], OPEN);
}
