//! A service, and all that a promise needs beside it: a store that can fail, a directory and a real
//! Consul as clusters, and what others do behind its back.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use cfgctl::api::report::Outcome;
use cfgctl::api::{
    Approval, BreakerChange, BreakerOperation, Caller, Change, Declaration, Error, ErrorKind,
    Event, FlagChange, FlagPosition, LookQuery, Observer, Pace, Permission, Proposal, Reach,
    Request, Service,
};
use cfgctl::app::Local;
use cfgctl::engine::Connect;
use cfgctl::model::{
    Cluster, ClusterName, Commit, Connection, Content, IdempotencyKey, Record, RecordId,
    RecordKind, ResourceId, Revision, Selector, Sequence, Version,
};
use cfgctl::store::{
    self, CommitLimits, CommitRecord, Committed, HeadsAt, Missing, RecordsAt, Store, StoreError,
    Which,
};
use cfgctl::target::consul::{Consul, Patience};
use cfgctl::target::directory::Directory;
use cfgctl::target::{Target, TargetError, Variables};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::support::consul::{Consul as Server, Shared, unique_prefix};
use crate::support::locked;
use crate::support::proxy::{Proxy, answer};

/// The event at which everything waits until whoever hears of it has stopped it.
pub(super) type Halt = Arc<Mutex<Option<Event>>>;

/// What an implementation can be made of.
pub(super) struct Parts {
    /// A service with a store that fails when the test says so.
    pub(super) local: Local,
    /// Where that store is.
    pub(super) location: String,
    /// Where all that is written to this machine lies.
    pub(super) home: PathBuf,
    pub(super) halt: Halt,
}

/// An implementation that a test asks.
pub(super) struct Made {
    pub(super) service: Arc<dyn Service>,
    /// Who the history says it was, whoever the caller says he is; `None`: that one.
    pub(super) author: Option<&'static str>,
    /// What has to live as long as the test.
    pub(super) held: Box<dyn std::any::Any + Send + Sync>,
}

/// Answers with an error in place of what the store would.
pub(super) type Failure = fn() -> StoreError;

type Hook = Box<dyn FnOnce() -> Waiting + Send>;
type Waiting = std::pin::Pin<Box<dyn Future<Output = ()> + Send>>;

/// A real store that fails when the test says so.
#[derive(Default)]
struct Faults {
    reads: Option<Failure>,
    commits: Option<Failure>,
    /// Whether the next commit is made, and nobody hears of it.
    loses_answer: bool,
    /// Whether somebody is always faster.
    overtakes: bool,
    /// What somebody does just before the next commit.
    before_commit: Option<Hook>,
}

struct Brittle {
    inner: Arc<dyn Store>,
    faults: Arc<Mutex<Faults>>,
}

impl std::fmt::Debug for Brittle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.inner.fmt(f)
    }
}

impl Brittle {
    fn read(&self) -> Result<(), StoreError> {
        let fails = locked(&self.faults).reads;
        fails.map_or(Ok(()), |failure| Err(failure()))
    }
}

#[async_trait]
impl Store for Brittle {
    fn location(&self) -> String {
        self.inner.location()
    }

    fn exists(&self) -> bool {
        self.inner.exists()
    }

    fn limits(&self) -> CommitLimits {
        self.inner.limits()
    }

    async fn heads(&self, which: &Which) -> Result<HeadsAt, StoreError> {
        self.read()?;
        self.inner.heads(which).await
    }

    async fn revisions(
        &self,
        ids: &[(ResourceId, Version)],
    ) -> Result<Vec<(ResourceId, Revision)>, StoreError> {
        self.read()?;
        self.inner.revisions(ids).await
    }

    async fn history(
        &self,
        id: &ResourceId,
        before: Option<Version>,
        limit: usize,
    ) -> Result<Vec<Revision>, StoreError> {
        self.read()?;
        self.inner.history(id, before, limit).await
    }

    async fn commit(&self, commit: &Commit) -> Result<Committed, StoreError> {
        let hook = locked(&self.faults).before_commit.take();
        if let Some(hook) = hook {
            hook().await;
        }
        let (fails, overtakes, loses_answer) = {
            let mut faults = locked(&self.faults);
            let loses_answer = std::mem::take(&mut faults.loses_answer);
            (faults.commits, faults.overtakes, loses_answer)
        };
        if let Some(failure) = fails {
            return Err(failure());
        }
        if overtakes {
            commit_as_other(self.inner.as_ref(), "shop", |_| ()).await;
        }
        let committed = self.inner.commit(commit).await?;
        if loses_answer {
            return Err(StoreError::Unknown {
                location: self.location(),
                source: "the wire broke".into(),
            });
        }
        Ok(committed)
    }

    async fn commits(
        &self,
        after: Sequence,
        limit: usize,
    ) -> Result<Vec<CommitRecord>, StoreError> {
        self.read()?;
        self.inner.commits(after, limit).await
    }

    async fn made_under(&self, key: &IdempotencyKey) -> Result<Option<CommitRecord>, StoreError> {
        self.read()?;
        self.inner.made_under(key).await
    }

    async fn records(&self, kind: RecordKind) -> Result<RecordsAt, StoreError> {
        self.read()?;
        self.inner.records(kind).await
    }

    async fn record(&self, id: &RecordId) -> Result<Option<Record>, StoreError> {
        self.read()?;
        self.inner.record(id).await
    }

    async fn touch(&self, used: &[(RecordId, Timestamp)]) -> Result<(), StoreError> {
        self.inner.touch(used).await
    }

    async fn wait(&self, after: Sequence) -> Result<Sequence, StoreError> {
        self.inner.wait(after).await
    }
}

/// Reaches directories and Consuls as they are described.
#[derive(Debug)]
struct Reached;

impl Connect for Reached {
    fn connect(
        &self,
        name: &ClusterName,
        cluster: &Cluster,
        timeout: Duration,
    ) -> Result<Arc<dyn Target>, TargetError> {
        Ok(match &cluster.connection {
            Connection::Consul(consul) => {
                let patience = Patience {
                    connect: timeout,
                    request: timeout,
                    attempts: 1,
                };
                let environment = Variables::default();
                Arc::new(Consul::connect(name, consul, &environment, &patience)?)
            }
            Connection::Directory(directory) => Arc::new(Directory::new(directory)?),
        })
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a Consul tells the real time, and both have to agree"
)]
fn now() -> Timestamp {
    Timestamp::now()
}

/// A service, and everything beside it. The clusters are `eu`, a directory, and `us`, a Consul behind
/// a wire that the test can cut; the set is `shop`.
pub(super) struct Bench {
    pub(super) service: Arc<dyn Service>,
    /// The same store without the service.
    pub(super) store: Arc<dyn Store>,
    pub(super) by: Caller,
    pub(super) wire: Proxy,
    author: Option<&'static str>,
    halt: Halt,
    _held: Box<dyn std::any::Any + Send + Sync>,
    faults: Arc<Mutex<Faults>>,
    server: Shared,
    prefix: String,
    home: tempfile::TempDir,
}

impl Bench {
    /// With no store yet.
    pub(super) async fn new(make: impl AsyncFnOnce(Parts) -> Made) -> Self {
        let home = tempfile::tempdir().unwrap();
        let location = home.path().join("store.db").display().to_string();
        let store = store::open(&location, Missing::Create).await.unwrap();
        let faults = Arc::<Mutex<Faults>>::default();
        let brittle = Brittle {
            inner: Arc::clone(&store),
            faults: Arc::clone(&faults),
        };
        let server = Server::shared().await;
        let halt = Halt::default();
        let parts = Parts {
            local: Local::new(Arc::new(brittle), Arc::new(Reached), now),
            location,
            home: home.path().to_owned(),
            halt: Arc::clone(&halt),
        };
        let Made {
            service,
            author,
            held,
        } = make(parts).await;
        Self {
            service,
            author,
            halt,
            _held: held,
            store,
            by: Caller::local("ops@laptop".to_owned()),
            wire: Proxy::before(&server.address()),
            faults,
            server,
            prefix: unique_prefix(),
            home,
        }
    }

    /// With both clusters and the first content of `shop` in them.
    pub(super) async fn delivered(&self) {
        let outcome = self.done(&self.declare(1)).await;
        assert!(outcome.complete, "{outcome:?}");
    }

    pub(super) fn clusters(&self) -> [(ResourceId, Content); 2] {
        let eu = json!({"cluster": {
            "labels": {"region": "eu"},
            "connection": {"directory": {"path": self.directory()}},
        }});
        let us = json!({"cluster": {
            "labels": {"region": "us"},
            "connection": {"consul": {
                "address": self.wire.address(),
                "prefix": format!("{}/cfgctl", self.prefix),
            }},
        }});
        [
            (id("cluster/eu"), content(eu)),
            (id("cluster/us"), content(us)),
        ]
    }

    fn directory(&self) -> PathBuf {
        self.home.path().join("eu")
    }

    /// The content of `shop` in which `limit` is this.
    pub(super) fn shop(&self, limit: u64) -> Content {
        self.set_with(&json!({"limit": limit, "provider": "stripe", "a.b \"c\"": [1, null]}))
    }

    /// The same with other values, of which `provider` is one.
    pub(super) fn set_with(&self, values: &Value) -> Content {
        let breakers = (0..BREAKERS).map(|n| {
            let trip = json!({
                "trip": {"values": {"provider": format!("backup-{n}")}},
                "alerts": {"alertname": format!("B{n}")},
            });
            (format!("b{n}"), trip)
        });
        let breakers: serde_json::Map<_, _> = breakers.collect();
        content(json!({"set": {
            "values": values,
            "layers": [{"name": "far", "when": "region=us", "values": {"provider": "adyen"}}],
            "flags": {
                "express": {
                    "state": "ENABLED",
                    "variants": {"on": true, "off": false},
                    "defaultVariant": "on",
                },
                "color": {
                    "state": "ENABLED",
                    "variants": {"red": "#f00", "blue": "#00f"},
                    "defaultVariant": "red",
                    "targeting": {"if": [{"==": [{"var": "tier"}, "gold"]}, "blue", null]},
                },
            },
            "breakers": breakers,
            "publish": [{"keys": {"prefix": format!("{}/app/shop", self.prefix)}}],
        }}))
    }

    /// Declares both clusters and `shop` with this limit.
    pub(super) fn declare(&self, limit: u64) -> Request {
        let set = (id("shop"), self.shop(limit));
        declared(self.clusters().into_iter().chain([set]))
    }

    pub(super) async fn plan(&self, request: &Request) -> Result<Proposal, Error> {
        let nobody = Observer::nobody();
        self.service.plan(&self.by, request, &nobody).await
    }

    /// Carried out with everything that was told.
    pub(super) async fn heard(
        &self,
        request: &Request,
        approval: &Approval,
    ) -> (Vec<Event>, Result<Outcome, Error>) {
        let heard = Arc::<Mutex<Vec<Event>>>::default();
        let (_sender, stop) = watch::channel(false);
        let ear = Arc::clone(&heard);
        let hear = Arc::new(move |event| locked(&ear).push(event));
        let observer = Observer::new(hear, stop);
        let outcome = self
            .service
            .carry_out(&self.by, request, approval, &observer);
        let outcome = outcome.await;
        let heard = locked(&heard).clone();
        (heard, outcome)
    }

    /// Carried out unseen.
    pub(super) async fn carry_out(&self, request: &Request) -> Result<Outcome, Error> {
        self.heard(request, &Approval::Unseen).await.1
    }

    pub(super) async fn done(&self, request: &Request) -> Outcome {
        self.carry_out(request).await.unwrap()
    }

    /// Refused for this reason, having changed nothing: neither in the store nor in a cluster.
    pub(super) async fn refused(
        &self,
        kind: ErrorKind,
        request: &Request,
        approval: &Approval,
    ) -> Error {
        let before = self.everything().await;
        let (heard, outcome) = self.heard(request, approval).await;
        let error = outcome.unwrap_err();
        assert_eq!(error.kind, kind, "{error:?}");
        assert!(!heard.contains(&Event::Committed), "{heard:?}");
        assert_eq!(self.everything().await, before);
        error
    }

    /// Who the history says it was when `by` asked for it.
    pub(super) fn author(&self, by: &Caller) -> String {
        self.author.unwrap_or(by.actor()).to_owned()
    }

    /// An observer that wants it to stop once it hears `event`, which happens before anything else
    /// does; `None`: from the start.
    pub(super) fn stopping_at(&self, event: Option<Event>) -> (Observer, Arc<Mutex<Vec<Event>>>) {
        locked(&self.halt).clone_from(&event);
        let (sender, stop) = watch::channel(event.is_none());
        let heard = Arc::<Mutex<Vec<Event>>>::default();
        let ear = Arc::clone(&heard);
        let hear = move |told: Event| {
            if event.as_ref() == Some(&told) {
                sender.send_replace(true);
            }
            locked(&ear).push(told);
        };
        (Observer::new(Arc::new(hear), stop), heard)
    }

    /// What lies at a published key of `shop` in a cluster.
    pub(super) async fn held(&self, cluster: &str, leaf: &str) -> Option<String> {
        let key = format!("{}/app/shop/{leaf}", self.prefix);
        let bytes = match cluster {
            "eu" => std::fs::read(self.directory().join("shop/..data").join(key)).ok(),
            _ => self.server.kv_get(&key).await,
        };
        bytes.map(|bytes| String::from_utf8(bytes).unwrap())
    }

    /// The bytes of the document of a set in a cluster.
    pub(super) async fn held_document(&self, cluster: &str, set: &str) -> Vec<u8> {
        if cluster == "eu" {
            return std::fs::read(self.directory().join(set).join("snapshot.json")).unwrap();
        }
        let key = format!("{}/cfgctl/{set}/snapshot", self.prefix);
        self.server.kv_get(&key).await.unwrap()
    }

    /// The same in both.
    pub(super) async fn both(&self, leaf: &str) -> [Option<String>; 2] {
        [self.held("eu", leaf).await, self.held("us", leaf).await]
    }

    /// Somebody writes to a published key of `shop` by hand.
    pub(super) async fn write_by_hand(&self, cluster: &str, leaf: &str, text: &str) {
        let key = format!("{}/app/shop/{leaf}", self.prefix);
        if cluster == "eu" {
            let path = self.directory().join("shop/..data").join(key);
            std::fs::write(path, text).unwrap();
        } else {
            self.server.kv_put(&key, text).await;
        }
    }

    /// All that the store holds, and all keys of both clusters.
    async fn everything(&self) -> (Vec<CommitRecord>, Vec<String>, Vec<[Option<String>; 2]>) {
        let mut records = self.store.commits(Sequence::START, 1000).await.unwrap();
        // That somebody was refused is in the log.
        records.retain(|record| !record.changes.is_empty() || !record.records.is_empty());
        let keys = self.server.kv_keys(&self.prefix).await;
        let leaves = [self.both("limit").await, self.both("provider").await];
        (records, keys, leaves.to_vec())
    }

    /// Who made every revision of `shop`, and why, oldest first.
    pub(super) async fn revisions(&self) -> Vec<Revision> {
        let mut all = self.store.history(&id("shop"), None, 1000).await.unwrap();
        all.reverse();
        all
    }

    pub(super) fn fail_reads(&self, failure: Option<Failure>) {
        locked(&self.faults).reads = failure;
    }

    pub(super) fn fail_commits(&self, failure: Option<Failure>) {
        locked(&self.faults).commits = failure;
    }

    /// The next commit is made, and its answer is lost.
    pub(super) fn lose_next_answer(&self) {
        locked(&self.faults).loses_answer = true;
    }

    /// From now on somebody always commits to `shop` just before the service does.
    pub(super) fn overtake(&self) {
        locked(&self.faults).overtakes = true;
    }

    /// Somebody commits to `shop` just before the next commit of the service.
    pub(super) fn commit_first(&self) {
        let store = Arc::clone(&self.store);
        locked(&self.faults).before_commit = Some(Box::new(move || {
            Box::pin(async move { commit_as_other(store.as_ref(), "shop", |_| ()).await })
        }));
    }

    /// Somebody makes another revision of a resource behind the back of the service.
    pub(super) async fn commit_as_other(&self, name: &str, change: impl FnOnce(&mut Revision)) {
        commit_as_other(self.store.as_ref(), name, change).await;
    }

    /// From now on the Consul lets nothing be written.
    pub(super) fn deny_writes(&self) {
        self.wire.rule(|request| {
            let writes = String::from_utf8_lossy(&request.body).contains(r#""Verb":"cas""#);
            if !request.path.starts_with("/v1/txn") || !writes {
                return crate::support::proxy::Fate::Forward;
            }
            let why = "Permission denied: token lacks permission 'key:write'";
            let operations: Value = serde_json::from_slice(&request.body).unwrap();
            let count = operations.as_array().unwrap().len();
            let errors = (0..count).map(|index| json!({"OpIndex": index, "What": why}));
            let errors: Vec<_> = errors.collect();
            answer("409 Conflict", "", &json!({"Errors": errors}).to_string())
        });
    }

    /// From now on the Consul cannot be reached.
    pub(super) fn cut(&self) {
        self.wire.rule(|_| crate::support::proxy::Fate::Cut);
    }
}

/// What a store says that is not there.
pub(super) fn gone() -> StoreError {
    StoreError::Unavailable {
        location: "here".to_owned(),
        source: "the disk is gone".into(),
    }
}

/// How many breakers `shop` has.
pub(super) const BREAKERS: usize = 12;

async fn commit_as_other(store: &dyn Store, name: &str, change: impl FnOnce(&mut Revision)) {
    let id = id(name);
    let mut heads = store.heads(&Which::one(&id)).await.unwrap().heads;
    let mut head = heads.remove(&id).unwrap();
    let expected = [(id.clone(), Some(head.version))].into();
    head.version = head.version.next();
    "other@desk".clone_into(&mut head.origin.actor);
    change(&mut head);
    let commit = Commit {
        expected,
        revisions: [(id, head)].into(),
        ..Commit::default()
    };
    store.commit(&commit).await.unwrap();
}

pub(super) fn id(name: &str) -> ResourceId {
    name.parse().unwrap()
}

pub(super) fn content(json: Value) -> Content {
    serde_json::from_value(json).unwrap()
}

pub(super) fn selector(text: &str) -> Selector {
    text.parse().unwrap()
}

pub(super) fn pace() -> Pace {
    Pace {
        clusters_at_once: 4,
        timeout: Duration::from_secs(30),
    }
}

pub(super) fn request(change: Change) -> Request {
    Request {
        change,
        clusters: Selector::default(),
        consents: BTreeSet::new(),
        dropped: BTreeSet::new(),
        message: None,
        key: None,
        planned: None,
        permission: Permission::Asked,
        pace: pace(),
    }
}

pub(super) fn declared(contents: impl IntoIterator<Item = (ResourceId, Content)>) -> Request {
    request(Change::Declare(Declaration {
        contents: contents.into_iter().collect(),
        provenances: BTreeMap::new(),
    }))
}

pub(super) fn delete(names: &[&str]) -> Request {
    request(Change::Delete(names.iter().map(|name| id(name)).collect()))
}

pub(super) fn breaker(name: &str, operation: BreakerOperation) -> Request {
    request(Change::Breaker(BreakerChange {
        set: "shop".parse().unwrap(),
        breaker: name.parse().unwrap(),
        operation,
    }))
}

pub(super) fn trip(name: &str) -> Request {
    let (clusters, limit) = (None, None);
    breaker(name, BreakerOperation::Trip { clusters, limit })
}

pub(super) fn flag(name: &str, to: FlagPosition) -> Request {
    let change = FlagChange {
        set: "shop".parse().unwrap(),
        flag: name.parse().unwrap(),
        to,
        clusters: None,
    };
    Request {
        message: Some("it \"fails\"\nagain".parse().unwrap()),
        ..request(Change::Flag(change))
    }
}

pub(super) fn look() -> LookQuery {
    LookQuery {
        sets: Reach::All,
        clusters: Selector::default(),
        pace: pace(),
    }
}
