//! Who may do what, as one table: every operation of the service, in and out of scope, for every role.
//! A change of policy is a change of its snapshot.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cfgctl::api::{
    AccessQuery, AccessVerb, AlertTestQuery, AlertsQuery, Approval, AuditQuery, BreakerChange,
    BreakerHistoryQuery, BreakerOperation, BreakerQuery, BreakersQuery, Caller, Change, CheckQuery,
    ClusterQuery, Declaration, Described, Error, ErrorKind, EvaluateQuery, ExplainQuery,
    FlagChange, FlagPosition, FlagsQuery, HistoryQuery, Lasting, LineageQuery, LookQuery, Observer,
    Pace, Permission, PolicyQuery, Reach, Readable, Request, ResourcesQuery, RevisionQuery,
    Service as _, SnapshotQuery, SnapshotsQuery, TokenHolder, TokenOrder, TokenRevocation,
    TokenRotation, VerifyQuery, Wanted,
};
use cfgctl::app::Local;
use cfgctl::engine::Connect;
use cfgctl::model::{
    Alert, Cluster, ClusterName, Connection, Consent, Content, ResourceId, Selector, Sequence,
    SetName, TokenKind, Version,
};
use cfgctl::store::memory::Memory as Store;
use cfgctl::target::memory::Memory;
use cfgctl::target::{Target, TargetError};
use jiff::Timestamp;
use serde_json::{Value, json};

/// Targets in memory, by address.
#[derive(Debug, Default)]
struct Targets(Mutex<BTreeMap<String, Arc<Memory>>>);

impl Connect for Targets {
    fn connect(
        &self,
        _: &ClusterName,
        cluster: &Cluster,
        _: Duration,
    ) -> Result<Arc<dyn Target>, TargetError> {
        let address = match &cluster.connection {
            Connection::Consul(consul) => consul.address.clone().unwrap_or_default(),
            Connection::Directory(_) => String::new(),
        };
        let mut targets = self.0.lock().unwrap();
        let made = || Arc::new(Memory::new("cfgctl".parse().unwrap()));
        Ok(targets.entry(address).or_insert_with(made).clone())
    }
}

/// Those who ask: what the grant to them says beside its scope, if there is one.
#[derive(Clone, Copy, Debug)]
enum Who {
    Nobody,
    Scoped(&'static str),
    Everywhere,
    Owner,
    /// The application of a set in scope, in any cluster.
    App,
}

const ALL: [(&str, Who); 8] = [
    ("no grant", Who::Nobody),
    ("viewer", Who::Scoped("viewer")),
    ("operator", Who::Scoped("operator")),
    ("editor", Who::Scoped("editor")),
    ("admin", Who::Scoped("admin")),
    ("admin of all", Who::Everywhere),
    ("owner", Who::Owner),
    ("app of one", Who::App),
];

fn content(json: Value) -> Content {
    serde_json::from_value(json).unwrap()
}

fn id(name: &str) -> ResourceId {
    name.parse().unwrap()
}

fn cluster(address: &str, stage: &str) -> Content {
    content(json!({"cluster": {
        "labels": {"stage": stage},
        "connection": {"consul": {"prefix": "cfgctl", "address": address}},
    }}))
}

/// A set of a team, for these clusters, in which a layer gives `dev` a value of its own.
fn set(team: &str, clusters: &str, [all, dev]: [u8; 2]) -> Content {
    content(json!({"set": {
        "labels": {"team": team},
        "clusters": clusters,
        "values": {"a": all, "b": 0},
        "layers": [{"name": "dev", "when": "stage=dev", "values": {"b": dev}}],
        "flags": {"new": {"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "on"}},
        "breakers": {"failing": {
            "trip": {"values": {"a": 99}}, "separately": "stage", "alerts": {"alertname": "Failing"},
        }},
    }}))
}

fn grant(to: &str, role: &str, sets: &str, clusters: &str) -> Content {
    content(json!({"grant": {"to": [to], "role": role, "sets": sets, "clusters": clusters}}))
}

fn pace() -> Pace {
    Pace {
        clusters_at_once: 4,
        timeout: Duration::from_secs(5),
    }
}

fn request(change: Change) -> Request {
    Request {
        change,
        clusters: Selector::default(),
        consents: [Consent::AllowDeletes, Consent::KeepKeys].into(),
        dropped: BTreeSet::new(),
        message: Some("as it is tried".parse().unwrap()),
        key: None,
        planned: None,
        permission: Permission::Asked,
        pace: pace(),
    }
}

fn declare(contents: impl IntoIterator<Item = (&'static str, Content)>) -> Request {
    let contents = contents.into_iter();
    request(Change::Declare(Declaration {
        contents: contents.map(|(name, it)| (id(name), it)).collect(),
        provenances: BTreeMap::new(),
    }))
}

/// The clusters `here` (dev) and `there` (prod); the sets `mine` in `here`, `shared` in both, both of
/// the team `pay`, and `theirs` of another team in `there`. The grant is over `team=pay` in
/// `stage=dev`.
struct World {
    local: Local,
    by: Caller,
}

async fn world(who: Who) -> World {
    let store = Arc::new(Store::default());
    let local = Local::new(store, Arc::<Targets>::default(), || Timestamp::UNIX_EPOCH);
    let mut contents = vec![
        ("cluster/here", cluster("here", "dev")),
        ("cluster/there", cluster("there", "prod")),
        ("mine", set("pay", "stage=dev", [1, 1])),
        ("shared", set("pay", "", [1, 1])),
        ("theirs", set("press", "stage=prod", [1, 1])),
        ("grant/others", grant("token:others", "viewer", "", "")),
    ];
    match who {
        Who::Nobody | Who::Owner | Who::App => {}
        Who::Scoped(role) => {
            contents.push((
                "grant/own",
                grant("token:ci", role, "team=pay", "stage=dev"),
            ));
        }
        Who::Everywhere => contents.push(("grant/own", grant("token:ci", "admin", "", ""))),
    }
    let root = Caller::local("ops@laptop".to_owned());
    let nobody = Observer::nobody();
    let request = declare(contents);
    let done = local.carry_out(&root, &request, &Approval::Unseen, &nobody);
    assert!(done.await.unwrap().complete);
    // So that there is something to go back to.
    let second = ["mine", "shared", "theirs"].map(|name| {
        let (team, clusters) = match name {
            "mine" => ("pay", "stage=dev"),
            "shared" => ("pay", ""),
            _ => ("press", "stage=prod"),
        };
        (name, set(team, clusters, [2, 2]))
    });
    let request = declare(second);
    let done = local.carry_out(&root, &request, &Approval::Unseen, &nobody);
    assert!(done.await.unwrap().complete);
    let by = match who {
        Who::Owner => Caller::owner(),
        Who::App => {
            let (name, id) = ("ci".parse().unwrap(), "0123456789".parse().unwrap());
            let holder = TokenHolder::new(&name, id, TokenKind::App, None);
            Caller::token(holder.for_set(Some("mine".parse().unwrap())))
        }
        _ => Caller::token(TokenHolder::new(
            &"ci".parse().unwrap(),
            "0123456789".parse().unwrap(),
            TokenKind::Api,
            None,
        )),
    };
    World { local, by }
}

/// What came of it, in a word.
fn word<T>(answer: Result<T, Error>, said: impl FnOnce(T) -> String) -> String {
    match answer {
        Ok(answer) => said(answer),
        Err(error) if error.kind == ErrorKind::Denied => "denied".to_owned(),
        Err(error) if error.kind == ErrorKind::Absent => "absent".to_owned(),
        Err(error) => panic!("{error:?}"),
    }
}

fn yes<T>(answer: Result<T, Error>) -> String {
    word(answer, |_| "yes".to_owned())
}

fn count<T>(answer: Result<Vec<T>, Error>) -> String {
    word(answer, |found| found.len().to_string())
}

fn declarations() -> Vec<(&'static str, Request)> {
    let own =
        |role, sets, clusters| declare([("grant/new", grant("token:ci", role, sets, clusters))]);
    vec![
        (
            "declare a set in scope",
            declare([("mine", set("pay", "stage=dev", [3, 3]))]),
        ),
        (
            "declare a new set in scope",
            declare([("new", set("pay", "stage=dev", [1, 1]))]),
        ),
        (
            "declare a new set of others",
            declare([("new", set("press", "stage=dev", [1, 1]))]),
        ),
        (
            "declare the own layer of a shared set",
            declare([("shared", set("pay", "", [2, 3]))]),
        ),
        (
            "declare the default of a shared set",
            declare([("shared", set("pay", "", [3, 2]))]),
        ),
        (
            "declare a set of others",
            declare([("theirs", set("press", "stage=prod", [3, 2]))]),
        ),
        (
            "declare a set of others as it is",
            declare([("theirs", set("press", "stage=prod", [2, 2]))]),
        ),
        (
            "declare other labels of a set",
            declare([("mine", set("press", "stage=dev", [2, 2]))]),
        ),
        (
            "declare that a set goes elsewhere too",
            declare([("mine", set("pay", "", [2, 2]))]),
        ),
        (
            "declare a new cluster",
            declare([("cluster/new", cluster("new", "dev"))]),
        ),
        (
            "declare where a cluster is",
            declare([("cluster/here", cluster("new", "dev"))]),
        ),
        (
            "declare other labels of a cluster",
            declare([("cluster/here", cluster("here", "prod"))]),
        ),
        (
            "declare a grant of less",
            own("viewer", "team=pay", "stage=dev"),
        ),
        ("declare a grant of more", own("viewer", "team=pay", "")),
    ]
}

fn carried() -> Vec<(&'static str, Request)> {
    let flag = |set: &str, clusters: Option<&str>| {
        request(Change::Flag(FlagChange {
            set: set.parse().unwrap(),
            flag: "new".parse().unwrap(),
            to: FlagPosition::Held {
                at: Wanted::Boolean(false),
                limit: None,
            },
            clusters: clusters.map(|it| it.parse().unwrap()),
        }))
    };
    let trip = |set: &str, clusters: Option<&str>| {
        request(Change::Breaker(BreakerChange {
            set: set.parse().unwrap(),
            breaker: "failing".parse().unwrap(),
            operation: BreakerOperation::Trip {
                clusters: clusters.map(|it| it.parse().unwrap()),
                limit: None,
            },
        }))
    };
    let rollback = |name: &str| {
        let (name, to) = (id(name), None);
        request(Change::Rollback { name, to })
    };
    let delete = |name: &str| request(Change::Delete([id(name)].into()));
    let reconcile = |reach| request(Change::Reconcile(reach));
    let named = |set: &str| Reach::Named([set.parse::<SetName>().unwrap()].into());
    vec![
        ("rollback of a set in scope", rollback("mine")),
        ("rollback of a shared set", rollback("shared")),
        ("rollback of a set of others", rollback("theirs")),
        ("delete a set in scope", delete("mine")),
        ("delete a shared set", delete("shared")),
        ("delete a set of others", delete("theirs")),
        ("delete a cluster in scope", delete("cluster/here")),
        ("delete a cluster out of scope", delete("cluster/there")),
        ("delete a grant of others", delete("grant/others")),
        ("reconcile everything", reconcile(Reach::All)),
        ("reconcile a set in scope", reconcile(named("mine"))),
        ("reconcile a set of others", reconcile(named("theirs"))),
        ("flag of a set in scope", flag("mine", None)),
        ("flag of a shared set everywhere", flag("shared", None)),
        (
            "flag of a shared set in scope",
            flag("shared", Some("stage=dev")),
        ),
        ("flag of a set of others", flag("theirs", None)),
        ("breaker of a set in scope", trip("mine", None)),
        ("breaker of a shared set everywhere", trip("shared", None)),
        (
            "breaker of a shared set in scope",
            trip("shared", Some("stage=dev")),
        ),
        ("breaker of a set of others", trip("theirs", None)),
    ]
}

const SETS: [(&str, &str); 3] = [
    ("a set in scope", "mine"),
    ("a shared set", "shared"),
    ("a set of others", "theirs"),
];
const PLACES: [(&str, &str); 2] = [
    ("a cluster in scope", "here"),
    ("a cluster out of scope", "there"),
];

/// What was answered, by what was asked.
#[derive(Default)]
struct Rows(Vec<(String, String)>);

impl Rows {
    fn put(&mut self, method: &str, what: &str, answer: String) {
        self.0.push((format!("{method}: {what}"), answer));
    }
}

fn look() -> LookQuery {
    LookQuery {
        sets: Reach::All,
        clusters: Selector::default(),
        pace: pace(),
    }
}

/// What every question is answered.
async fn questions(world: &World) -> Vec<(String, String)> {
    let mut rows = Rows::default();
    of_everything(world, &mut rows).await;
    for (what, name) in SETS {
        of_a_set(world, &mut rows, what, name).await;
        of_its_parts(world, &mut rows, what, name).await;
    }
    for (what, name) in PLACES {
        of_a_cluster(world, &mut rows, what, name).await;
    }
    of_others(world, &mut rows).await;
    rows.0
}

async fn of_everything(World { local: it, by }: &World, rows: &mut Rows) {
    let nobody = &Observer::nobody();
    rows.put(
        "status",
        "all",
        count(it.status(by, &look(), nobody).await.map(|it| it.clusters)),
    );
    rows.put(
        "drift",
        "all",
        count(it.drift(by, &look(), nobody).await.map(|it| it.clusters)),
    );
    rows.put("names", "all", count(it.names(by).await));
    let all = it.resources(by, &ResourcesQuery::default()).await;
    rows.put("resources", "all", count(all.map(|it| it.items)));
    rows.put(
        "clusters",
        "all",
        count(it.clusters(by).await.map(|it| it.items)),
    );
    let query = FlagsQuery {
        set: None,
        flag: None,
        pace: pace(),
    };
    rows.put(
        "flags",
        "all",
        count(it.flags(by, &query, nobody).await.map(|it| it.flags)),
    );
    let query = BreakersQuery {
        set: None,
        pace: pace(),
    };
    rows.put(
        "breakers",
        "all",
        count(it.breakers(by, &query, nobody).await.map(|it| it.breakers)),
    );
    let alerts = it.alerts(by, &AlertsQuery::default()).await;
    let shown = alerts.map(|it| it.firing.len() + it.unmatched.len());
    rows.put("alerts", "all", word(shown, |it| it.to_string()));
    rows.put("notifications", "all", yes(it.notifications(by).await));
    let taken = it.take_alerts(by, &[alert()]).await;
    let told = taken.map(|mut it| it.alerts.remove(0).breakers);
    rows.put("take_alerts", "all", count(told));
}

fn alert() -> Alert {
    let body = json!({
        "status": "firing", "labels": {"alertname": "Failing"},
        "fingerprint": "0123456789abcdef", "evidence": "measured",
    });
    serde_json::from_value(body).unwrap()
}

async fn of_a_set(World { local: it, by }: &World, rows: &mut Rows, what: &str, name: &str) {
    let nobody = &Observer::nobody();
    let set: SetName = name.parse().unwrap();
    let one = LookQuery {
        sets: Reach::Named([set.clone()].into()),
        ..look()
    };
    rows.put(
        "status",
        what,
        count(it.status(by, &one, nobody).await.map(|it| it.clusters)),
    );
    rows.put(
        "drift",
        what,
        count(it.drift(by, &one, nobody).await.map(|it| it.clusters)),
    );
    let query = ResourcesQuery {
        names: vec![id(name)],
        ..ResourcesQuery::default()
    };
    rows.put("resources", what, yes(it.resources(by, &query).await));
    let query = HistoryQuery {
        name: id(name),
        before: None,
        limit: 9,
    };
    rows.put("history", what, yes(it.history(by, &query).await));
    let query = RevisionQuery {
        name: id(name),
        version: None,
        cluster: None,
    };
    rows.put("revision", what, yes(it.revision(by, &query).await));
    let query = ExplainQuery {
        set: set.clone(),
        key: None,
        cluster: None,
        at: None,
    };
    let explained = it.explain(by, &query).await;
    rows.put(
        "explain",
        what,
        count(explained.map(|it| {
            let clusters = it.values.into_iter().flat_map(|it| it.clusters);
            clusters.collect::<BTreeSet<_>>().into_iter().collect()
        })),
    );
}

async fn of_its_parts(World { local: it, by }: &World, rows: &mut Rows, what: &str, name: &str) {
    let nobody = &Observer::nobody();
    let set: SetName = name.parse().unwrap();
    let flag = || "new".parse().unwrap();
    let breaker = || "failing".parse().unwrap();
    let query = FlagsQuery {
        set: Some(set.clone()),
        flag: Some(flag()),
        pace: pace(),
    };
    rows.put("flags", what, yes(it.flags(by, &query, nobody).await));
    let query = EvaluateQuery {
        set: set.clone(),
        flag: flag(),
        context: serde_json::Map::new(),
        cluster: None,
    };
    rows.put("evaluate", what, yes(it.evaluate(by, &query).await));
    let query = BreakersQuery {
        set: Some(set.clone()),
        pace: pace(),
    };
    rows.put(
        "breakers",
        what,
        count(it.breakers(by, &query, nobody).await.map(|it| it.breakers)),
    );
    let query = BreakerQuery {
        set: set.clone(),
        breaker: breaker(),
        pace: pace(),
    };
    rows.put("breaker", what, yes(it.breaker(by, &query, nobody).await));
    let query = AlertTestQuery {
        set: set.clone(),
        breaker: breaker(),
        alerts: vec![alert()],
    };
    rows.put("test_alerts", what, yes(it.test_alerts(by, &query).await));
    let query = AlertsQuery {
        set: Some(set.clone()),
    };
    rows.put("alerts", what, yes(it.alerts(by, &query).await));
    let query = BreakerHistoryQuery {
        set: set.clone(),
        breaker: breaker(),
        limit: 9,
    };
    rows.put(
        "breaker_history",
        what,
        yes(it.breaker_history(by, &query).await),
    );
    let query = AccessQuery {
        verb: Some(AccessVerb::Apply),
        name: Some(id(name)),
        cluster: None,
        subject: None,
    };
    rows.put(
        "access",
        what,
        word(it.access(by, &query).await, |it| {
            if it.allowed { "can" } else { "cannot" }.to_owned()
        }),
    );
}

async fn of_a_cluster(World { local: it, by }: &World, rows: &mut Rows, what: &str, name: &str) {
    let nobody = &Observer::nobody();
    let cluster: ClusterName = name.parse().unwrap();
    let what_of = format!("a shared set in {what}");
    let query = RevisionQuery {
        name: id("shared"),
        version: None,
        cluster: Some(cluster.clone()),
    };
    rows.put("revision", &what_of, yes(it.revision(by, &query).await));
    let query = ExplainQuery {
        set: "shared".parse().unwrap(),
        key: None,
        cluster: Some(cluster.clone()),
        at: None,
    };
    rows.put("explain", &what_of, yes(it.explain(by, &query).await));
    let query = EvaluateQuery {
        set: "shared".parse().unwrap(),
        flag: "new".parse().unwrap(),
        context: serde_json::Map::new(),
        cluster: Some(cluster.clone()),
    };
    rows.put("evaluate", &what_of, yes(it.evaluate(by, &query).await));
    let query = ClusterQuery {
        name: cluster.clone(),
        described: None,
    };
    rows.put("cluster", what, yes(it.cluster(by, &query).await));
    let query = SnapshotsQuery {
        cluster: cluster.clone(),
        sets: None,
    };
    let found = it.readable(by, &query).await;
    let said = match &found {
        Ok(Readable::All) => "all".to_owned(),
        Ok(Readable::Only(sets)) => sets.len().to_string(),
        Err(_) => yes(found),
    };
    rows.put("readable", what, said);
    let found = it.snapshots(by, &query).await;
    let found = found.map(|it| it.answer.sets);
    rows.put("snapshots", what, count(found));
    let query = SnapshotQuery {
        cluster: cluster.clone(),
        set: "shared".parse().unwrap(),
    };
    rows.put("snapshot", &what_of, yes(it.snapshot(by, &query).await));
    let query = LineageQuery {
        cluster: cluster.clone(),
        set: "shared".parse().unwrap(),
        versions: [Version::FIRST].into(),
    };
    rows.put("lineage", &what_of, yes(it.lineage(by, &query).await));
    let query = HistoryQuery {
        name: ResourceId::Cluster(cluster.clone()),
        before: None,
        limit: 9,
    };
    rows.put("history", what, yes(it.history(by, &query).await));
    let query = CheckQuery {
        names: [cluster.clone()].into(),
        clusters: Selector::default(),
        described: None,
        pace: pace(),
    };
    rows.put(
        "check_clusters",
        what,
        yes(it.check_clusters(by, &query, nobody).await),
    );
    let query = PolicyQuery {
        cluster,
        sets: Vec::new(),
        described: None,
    };
    rows.put("policy", what, yes(it.policy(by, &query).await));
}

async fn of_others(World { local: it, by }: &World, rows: &mut Rows) {
    let nobody = &Observer::nobody();
    let described = Described::from([
        (id("cluster/x"), cluster("x", "dev")),
        (id("set/y"), set("pay", "", [1, 1])),
    ]);
    let query = CheckQuery {
        names: BTreeSet::new(),
        clusters: Selector::default(),
        described: Some(described.clone()),
        pace: pace(),
    };
    rows.put(
        "check_clusters",
        "described elsewhere",
        yes(it.check_clusters(by, &query, nobody).await),
    );
    let query = PolicyQuery {
        cluster: "x".parse().unwrap(),
        sets: Vec::new(),
        described: Some(described),
    };
    rows.put(
        "policy",
        "described elsewhere",
        yes(it.policy(by, &query).await),
    );
    for name in ["grant/own", "grant/others"] {
        let query = ResourcesQuery {
            names: vec![id(name)],
            ..ResourcesQuery::default()
        };
        rows.put("resources", name, yes(it.resources(by, &query).await));
    }
    let query = AccessQuery {
        verb: None,
        name: None,
        cluster: None,
        subject: Some("token:others".parse().unwrap()),
    };
    of_tokens(it, by, rows).await;
    let asked = AuditQuery {
        limit: 10,
        ..AuditQuery::default()
    };
    rows.put("audit", "all", yes(it.audit(by, &asked).await));
    let news = it.wait(by, Sequence::START).await;
    let told = news.map(|news| match news.changed {
        Some(_) => "what",
        None => "that",
    });
    rows.put("wait", "for news", told.unwrap().to_owned());
    let verified = it.verify(by, &VerifyQuery::default()).await;
    rows.put("verify", "all", yes(verified));
    rows.put(
        "access",
        "of somebody else",
        yes(it.access(by, &query).await),
    );
}

async fn of_tokens(it: &Local, by: &Caller, rows: &mut Rows) {
    rows.put("identity", "whoever asks", yes(it.identity(by).await));
    let name = || "deploy".parse().unwrap();
    let order = TokenOrder {
        name: name(),
        kind: TokenKind::Api,
        set: None,
        cluster: None,
        lasts: Lasting::Forever,
        message: None,
    };
    let made = it.create_token(by, &order).await;
    rows.put("create_token", "of a new name", yes(made));
    let rotation = TokenRotation {
        name: name(),
        lasts: None,
        overlap: Duration::ZERO,
        message: None,
    };
    let made = it.rotate_token(by, &rotation).await;
    rows.put("rotate_token", "of the new name", yes(made));
    let revocation = TokenRevocation {
        which: name(),
        message: None,
    };
    let ended = it.revoke_token(by, &revocation).await;
    rows.put("revoke_token", "of the new name", yes(ended));
    let listed = it.tokens(by).await.map(|it| it.items);
    rows.put("tokens", "all", yes(listed));
}

/// The methods of the service, as its source has them.
fn methods() -> BTreeSet<String> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/api/service.rs");
    let text = std::fs::read_to_string(path).unwrap();
    let calls = text.match_indices("async fn ");
    let methods: BTreeSet<String> = calls
        .map(|(at, call)| {
            let name = text[at + call.len()..].chars();
            name.take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect()
        })
        .collect();
    assert!(methods.len() > 15, "{methods:?}");
    methods
}

#[tokio::test]
async fn who_may_do_what_is_a_table() {
    let mut table: Vec<(String, Vec<String>)> = Vec::new();
    let mut put = |column: usize, name: String, answer: String| {
        match table.iter_mut().find(|(known, _)| *known == name) {
            Some((_, answers)) => answers.push(answer),
            None => table.push((name, vec![answer])),
        }
        assert!(table.iter().all(|(_, answers)| answers.len() <= column + 1));
    };
    let nobody = Observer::nobody();
    for (column, (_, who)) in ALL.into_iter().enumerate() {
        for (name, request) in declarations().into_iter().chain(carried()) {
            let World { local, by } = world(who).await;
            let alone = Request {
                permission: Permission::Unasked,
                ..request.clone()
            };
            let seen = yes(local.plan(&by, &alone, &nobody).await);
            let shown = yes(local.plan(&by, &request, &nobody).await);
            let done = yes(local
                .carry_out(&by, &request, &Approval::Unseen, &nobody)
                .await);
            assert_eq!(shown, done, "{name} as {who:?}");
            put(column, format!("plan, carry_out: {name}"), done);
            put(column, format!("plan to look: {name}"), seen);
        }
        for (name, answer) in questions(&world(who).await).await {
            put(column, name, answer);
        }
    }
    let width = table
        .iter()
        .map(|(name, _)| name.len())
        .max()
        .unwrap_or_default();
    let mut text = format!("{:width$}", "");
    for (name, _) in ALL {
        _ = write!(text, "  {name:>12}");
    }
    for (name, answers) in &table {
        assert_eq!(answers.len(), ALL.len(), "{name}");
        _ = write!(text, "\n{name:width$}");
        for answer in answers {
            _ = write!(text, "  {answer:>12}");
        }
    }
    insta::assert_snapshot!(text);

    let rows: BTreeSet<String> = table
        .iter()
        .filter_map(|(name, _)| Some(name.split_once(": ")?.0))
        .flat_map(|methods| methods.split(", ").map(str::to_owned))
        .collect();
    let without: Vec<_> = methods()
        .into_iter()
        .filter(|it| !rows.contains(it))
        .collect();
    assert!(without.is_empty(), "these have no row: {without:?}");
}
