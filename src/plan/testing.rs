//! A small world for tests: a store and targets in memory, and sets in a few words.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tokio::sync::watch;

use super::{Action, Approved, Consent, Delivery, Desired, Objection, Pair, Plan, Reach, approve};
use crate::engine::{Connect, Engine, EngineError, Event, Outcome, Pace, Report, Survey};
use crate::model::value::Map;
use crate::model::{
    Cause, Cluster, ClusterName, ConfigSet, Connection, Consul, Content, Heads, LayerName,
    LimitOverrides, Limits, Observed, Origin, Place, Publish, ResourceId, Revision, Selector,
    SetName, Tls, Version, Write,
};
use crate::model::{Key, Layer};
use crate::store::Store as _;
use crate::store::memory::Memory as Store;
use crate::target::memory::Memory;
use crate::target::{Health, Target, TargetError};

pub(crate) fn map(value: Value) -> Map {
    let Value::Object(map) = value else {
        panic!("not a map: {value}");
    };
    map
}

pub(crate) fn key(text: &str) -> Key {
    text.parse().unwrap()
}

pub(crate) fn keys(prefix: &str) -> Publish {
    let prefix = key(prefix);
    Publish::Keys { prefix }
}

/// A set for all clusters, one key per leaf below `app/`.
pub(crate) fn set(values: Value) -> ConfigSet {
    ConfigSet {
        clusters: Selector::default(),
        schema: None,
        values: map(values),
        layers: Vec::new(),
        publish: vec![keys("app")],
    }
}

pub(crate) fn selector(text: &str) -> Selector {
    text.parse().unwrap()
}

pub(crate) fn layer(when: &str, values: Value) -> Layer {
    let name: LayerName = "layer".parse().unwrap();
    let (when, values) = (selector(when), map(values));
    Layer { name, when, values }
}

/// A cluster at an address of its own, with one label.
pub(crate) fn cluster(address: &str, region: &str) -> Cluster {
    Cluster {
        labels: BTreeMap::from([("region".to_owned(), region.to_owned())]),
        connection: Connection::Consul(Consul {
            address: Some(address.to_owned()),
            prefix: key("cfgctl"),
            datacenter: None,
            token: None,
            tls: Tls::default(),
            limits: LimitOverrides::default(),
        }),
    }
}

pub(crate) fn set_id(name: &str) -> ResourceId {
    ResourceId::Set(name.parse().unwrap())
}

pub(crate) fn cluster_id(name: &str) -> ResourceId {
    ResourceId::Cluster(name.parse().unwrap())
}

pub(crate) fn pair(set: &str, cluster: &str) -> Pair {
    Pair {
        set: set.parse().unwrap(),
        cluster: cluster.parse().unwrap(),
    }
}

/// Desires these sets.
pub(crate) fn sets(sets: &[(&str, &ConfigSet)]) -> Desired {
    let content = |set: &ConfigSet| Content::Set(set.clone());
    sets.iter()
        .map(|(name, set)| (set_id(name), content(set)))
        .collect()
}

/// Desires the set `shop` alone.
pub(crate) fn shop(set: &ConfigSet) -> Desired {
    sets(&[("shop", set)])
}

/// Desires that the set is deleted.
pub(crate) fn deleted(name: &str) -> Desired {
    Desired::from([(set_id(name), Content::Deleted)])
}

/// Desires this cluster.
pub(crate) fn described(name: &str, cluster: Cluster) -> Desired {
    Desired::from([(cluster_id(name), Content::Cluster(cluster))])
}

/// What a wire loses. The writer sees the same: no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lost {
    /// The write never arrives.
    Request,
    /// The write is carried out, and nobody hears of it.
    Answer,
}

/// How a target behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wire {
    /// It answers.
    Fine,
    /// It refuses connections.
    Down,
    /// It never answers.
    Hanging,
    /// It answers reads and never writes.
    HangingWrites,
    /// It loses the nth write from now, counted from 0.
    Loses(usize, Lost),
}

type Hook = Box<dyn FnOnce(&Memory) + Send>;

/// A target in memory behind a wire.
pub(crate) struct Wired {
    pub(crate) memory: Memory,
    wire: Mutex<Wire>,
    before_write: Mutex<Option<Hook>>,
    /// Everything that it was asked to write.
    pub(crate) writes: AtomicUsize,
}

impl std::fmt::Debug for Wired {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.memory.fmt(f)
    }
}

impl Wired {
    fn new(limits: Limits) -> Self {
        Self {
            memory: Memory::new(key("cfgctl")).with_limits(limits),
            wire: Mutex::new(Wire::Fine),
            before_write: Mutex::default(),
            writes: AtomicUsize::new(0),
        }
    }

    pub(crate) fn set_wire(&self, wire: Wire) {
        *self.wire.lock().unwrap() = wire;
    }

    /// Does something between a plan and its next write.
    pub(crate) fn before_write(&self, hook: impl FnOnce(&Memory) + Send + 'static) {
        *self.before_write.lock().unwrap() = Some(Box::new(hook));
    }

    /// The text of a key; empty if there is none.
    pub(crate) fn text(&self, key: &str) -> String {
        String::from_utf8(self.memory.get(key).unwrap_or_default()).unwrap()
    }

    async fn reach(&self) -> Result<(), TargetError> {
        let wire = *self.wire.lock().unwrap();
        match wire {
            Wire::Fine | Wire::HangingWrites | Wire::Loses(..) => Ok(()),
            Wire::Down => Err(TargetError::Unreachable {
                location: self.location(),
                source: "connection refused".into(),
            }),
            Wire::Hanging => std::future::pending().await,
        }
    }

    /// What the wire does to this write.
    fn loses(&self) -> Option<Lost> {
        let mut wire = self.wire.lock().unwrap();
        match *wire {
            Wire::Loses(0, lost) => {
                *wire = Wire::Fine;
                Some(lost)
            }
            Wire::Loses(nth, lost) => {
                *wire = Wire::Loses(nth - 1, lost);
                None
            }
            _ => None,
        }
    }
}

#[async_trait]
impl Target for Wired {
    fn location(&self) -> String {
        "wired".to_owned()
    }

    fn snapshot_key(&self, set: &SetName) -> String {
        self.memory.snapshot_key(set)
    }

    async fn limits(&self) -> Result<Limits, TargetError> {
        self.reach().await?;
        self.memory.limits().await
    }

    async fn observe(&self, place: &Place) -> Result<Observed, TargetError> {
        self.reach().await?;
        self.memory.observe(place).await
    }

    async fn write(&self, write: &Write) -> Result<(), TargetError> {
        self.reach().await?;
        if *self.wire.lock().unwrap() == Wire::HangingWrites {
            std::future::pending::<()>().await;
        }
        let hook = self.before_write.lock().unwrap().take();
        if let Some(hook) = hook {
            hook(&self.memory);
        }
        self.writes.fetch_add(1, Ordering::Relaxed);
        let lost = self.loses();
        if lost != Some(Lost::Request) {
            self.memory.write(write).await?;
        }
        match lost {
            None => Ok(()),
            Some(lost) => Err(TargetError::Unknown {
                location: self.location(),
                source: format!("{lost:?} lost by the test").into(),
            }),
        }
    }

    async fn health(&self) -> Result<Health, TargetError> {
        self.memory.health().await
    }
}

/// Targets by address; an address that nobody used yet is empty.
#[derive(Debug)]
struct Targets {
    limits: Limits,
    by_address: Mutex<BTreeMap<String, Arc<Wired>>>,
}

impl Targets {
    fn at(&self, address: &str) -> Arc<Wired> {
        let mut targets = self.by_address.lock().unwrap();
        let target = targets.entry(address.to_owned());
        let target = target.or_insert_with(|| Arc::new(Wired::new(self.limits)));
        Arc::clone(target)
    }
}

impl Connect for Targets {
    fn connect(
        &self,
        name: &ClusterName,
        cluster: &Cluster,
    ) -> Result<Arc<dyn Target>, TargetError> {
        match &cluster.connection {
            Connection::Consul(Consul {
                address: Some(address),
                ..
            }) => Ok(self.at(address)),
            other => Err(TargetError::Configuration {
                location: name.to_string(),
                reason: format!("the test has no target for {other:?}"),
            }),
        }
    }
}

/// A store, targets, and one person at the terminal.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) store: Store,
    targets: Targets,
    pub(crate) runtime: Runtime,
    clock: AtomicUsize,
    pub(crate) consents: BTreeSet<Consent>,
    pub(crate) pace: Pace,
    pub(crate) stop: watch::Sender<bool>,
}

impl World {
    /// The clusters `eu` and `us`, each in the region of its name, and nothing else.
    pub(crate) fn new() -> Self {
        Self::with_limits(Limits::CONSUL)
    }

    pub(crate) fn with_limits(limits: Limits) -> Self {
        let world = Self::without_clusters(limits);
        for name in ["eu", "us"] {
            world.apply(&described(name, cluster(name, name)));
        }
        world
    }

    pub(crate) fn without_clusters(limits: Limits) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread();
        Self {
            store: Store::default(),
            targets: Targets {
                limits,
                by_address: Mutex::default(),
            },
            runtime: { runtime }.enable_time().build().unwrap(),
            clock: AtomicUsize::new(0),
            consents: BTreeSet::new(),
            pace: Pace {
                clusters_at_once: 4,
                timeout: Duration::from_millis(40),
            },
            stop: watch::channel(false).0,
        }
    }

    pub(crate) fn adopting(self) -> Self {
        let consents = BTreeSet::from([Consent::Adopt]);
        Self { consents, ..self }
    }

    /// The target at an address, which is the name of the cluster unless the test says otherwise.
    pub(crate) fn target(&self, address: &str) -> Arc<Wired> {
        self.targets.at(address)
    }

    pub(crate) fn heads(&self) -> Heads {
        self.runtime.block_on(self.store.heads()).unwrap()
    }

    pub(crate) fn head(&self, set: &str) -> Revision {
        self.heads().remove(&set_id(set)).unwrap()
    }

    /// An origin that no other revision has.
    pub(crate) fn origin(&self) -> Origin {
        let second = self.clock.fetch_add(1, Ordering::Relaxed);
        let second = i64::try_from(second).unwrap();
        Origin {
            actor: "ops@laptop".to_owned(),
            at: jiff::Timestamp::from_second(second).unwrap(),
            cause: Cause::Apply,
            message: None,
        }
    }

    /// Gives an engine for this world to `run`.
    pub(crate) fn with_engine<T>(
        &self,
        events: &(dyn Fn(Event<'_>) + Sync),
        run: impl AsyncFnOnce(Engine<'_>) -> T,
    ) -> T {
        self.runtime.block_on(run(Engine {
            store: &self.store,
            connect: &self.targets,
            pace: self.pace,
            events,
            interrupt: self.stop.subscribe(),
        }))
    }

    pub(crate) fn survey(&self, desired: &Desired, reach: &Reach) -> Survey {
        let survey = self.with_engine(&|_| (), async |engine| {
            let everywhere = Selector::default();
            engine.survey(desired, reach, &everywhere).await
        });
        survey.unwrap()
    }

    /// What would happen to `desired`, as seen now.
    pub(crate) fn look(&self, desired: &Desired, reach: &Reach) -> (Survey, Plan) {
        let survey = self.survey(desired, reach);
        let plan = survey.plan(desired, reach, &self.origin(), &self.consents);
        (survey, plan.unwrap())
    }

    pub(crate) fn plan(&self, desired: &Desired) -> Plan {
        self.look(desired, &Reach::Named(BTreeSet::new())).1
    }

    pub(crate) fn plan_all(&self) -> Plan {
        self.look(&Desired::new(), &Reach::All).1
    }

    /// What stands against `desired`, without the places.
    pub(crate) fn objections(&self, desired: &Desired) -> Vec<Objection> {
        self.plan(desired).objections
    }

    pub(crate) fn carry_out(
        &self,
        survey: &Survey,
        approved: &Approved,
    ) -> Result<Vec<Report>, EngineError> {
        self.with_engine(&|_| (), async |engine| {
            engine.carry_out(survey, approved).await
        })
    }

    /// Surveys and approves, to be carried out later.
    pub(crate) fn prepare(&self, desired: &Desired) -> (Survey, Approved) {
        let (survey, plan) = self.look(desired, &Reach::Named(BTreeSet::new()));
        (survey, approve(plan).unwrap())
    }

    /// Takes the whole road of one apply.
    pub(crate) fn apply(&self, desired: &Desired) -> Vec<Report> {
        let (survey, approved) = self.prepare(desired);
        self.carry_out(&survey, &approved).unwrap()
    }

    /// Takes the whole road for every set as the store has it.
    pub(crate) fn heal(&self) -> Vec<Report> {
        let (survey, plan) = self.look(&Desired::new(), &Reach::All);
        self.carry_out(&survey, &approve(plan).unwrap()).unwrap()
    }
}

/// The delivery of one set in one cluster.
pub(crate) fn delivery<'a>(plan: &'a Plan, set: &str, cluster: &str) -> &'a Delivery {
    let pair = pair(set, cluster);
    let mut deliveries = plan.deliveries.iter();
    deliveries.find(|delivery| delivery.pair == pair).unwrap()
}

/// What is done about `shop`, in the order of the clusters.
pub(crate) fn actions(plan: &Plan) -> Vec<Action> {
    let shop: SetName = "shop".parse().unwrap();
    let deliveries = plan.deliveries.iter().filter(|it| it.pair.set == shop);
    deliveries.map(|delivery| delivery.action).collect()
}

/// How it went, in the order of sets and clusters.
pub(crate) fn outcomes(reports: &[Report]) -> Vec<&Outcome> {
    reports.iter().map(|report| &report.outcome).collect()
}

pub(crate) fn version(number: u64) -> Version {
    Version::new(number).unwrap()
}

/// The set that most tests begin with, delivered: `a` and `b` in both clusters.
pub(crate) fn delivered() -> (World, ConfigSet) {
    let (world, set) = (World::new(), set(json!({"a": 1, "b": 2})));
    world.apply(&shop(&set));
    (world, set)
}
