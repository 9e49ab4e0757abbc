//! A small world for tests: a store and targets in memory, and sets in a few words.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tokio::sync::watch;

mod counting;
mod wired;

pub(crate) use counting::{Counting, Counts};
pub(crate) use wired::{Lost, Wire, Wired};

use super::{
    Action, Approved, ClusterScope, Delivery, Desired, Explanation, Objection, Origins, Pair,
    Permitted, Plan, Reach, approve_where_possible,
};
use crate::engine::{Attempt, Connect, Ending, Engine, EngineError, Milestone, Pace, Survey};
use crate::model::value::{Map, Path};
use crate::model::{
    Cause, Cluster, ClusterName, ConfigSet, Connection, Consent, ConsulSpec, Content, Grant, Heads,
    Key, Labels, Layer, LayerName, LimitOverrides, Limits, Origin, Overrides, Publish, ResourceId,
    Revision, Role, Selector, SetName, Version,
};
use crate::store::memory::Memory as Store;
use crate::store::{Store as _, Which};
use crate::target::{Target, TargetError};

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
    let atomic = true;
    Publish::Keys { prefix, atomic }
}

/// A set for all clusters, one key per leaf below `app/`.
pub(crate) fn set(values: Value) -> ConfigSet {
    ConfigSet {
        values: map(values),
        publish: vec![keys("app")],
        ..ConfigSet::default()
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
        connection: Connection::Consul(ConsulSpec {
            address: Some(address.to_owned()),
            prefix: key("cfgctl"),
            datacenter: None,
            token: None,
            tls: None,
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

pub(crate) fn grant_id(name: &str) -> ResourceId {
    ResourceId::Grant(name.parse().unwrap())
}

/// Desires this grant to `token:ci`.
pub(crate) fn granted(name: &str, role: Role, sets: &str, clusters: &str) -> Desired {
    let grant = Grant {
        to: ["token:ci".parse().unwrap()].into(),
        role,
        sets: selector(sets),
        clusters: selector(clusters),
    };
    Desired::from([(grant_id(name), Content::Grant(grant))])
}

pub(crate) fn pair(set: &str, cluster: &str) -> Pair {
    Pair {
        set: set.parse().unwrap(),
        cluster: cluster.parse().unwrap(),
    }
}

/// Desires these sets.
pub(crate) fn sets(sets: &[(&str, &ConfigSet)]) -> Desired {
    let content = |set: &ConfigSet| Content::from(set.clone());
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
        _: Duration,
    ) -> Result<Arc<dyn Target>, TargetError> {
        match &cluster.connection {
            Connection::Consul(ConsulSpec {
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
    pub(crate) store: Arc<Store>,
    targets: Arc<Targets>,
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
            store: Arc::default(),
            targets: Arc::new(Targets {
                limits,
                by_address: Mutex::default(),
            }),
            runtime: { runtime }.enable_time().build().unwrap(),
            clock: AtomicUsize::new(0),
            // The gates have tests of their own.
            consents: BTreeSet::from([
                Consent::AllowDeletes,
                Consent::AllowGrowth,
                Consent::KeepKeys,
            ]),
            pace: Pace {
                clusters_at_once: 4,
                timeout: Duration::from_millis(40),
            },
            stop: watch::channel(false).0,
        }
    }

    pub(crate) fn adopting(self) -> Self {
        let mut consents = self.consents;
        consents.insert(Consent::Adopt);
        Self { consents, ..self }
    }

    /// The target at an address, which is the name of the cluster unless the test says otherwise.
    pub(crate) fn target(&self, address: &str) -> Arc<Wired> {
        self.targets.at(address)
    }

    /// How its targets are reached.
    pub(crate) fn connect(&self) -> Arc<dyn Connect> {
        Arc::clone(&self.targets) as Arc<dyn Connect>
    }

    pub(crate) fn heads(&self) -> Heads {
        let heads = self.store.heads(&Which::All);
        self.runtime.block_on(heads).unwrap().heads
    }

    pub(crate) fn head(&self, set: &str) -> Revision {
        self.heads().remove(&set_id(set)).unwrap()
    }

    pub(crate) fn revision(&self, set: &str, number: u64) -> Revision {
        let id = set_id(set);
        let ids = [(id, version(number))];
        let found = self.store.revisions(&ids);
        self.runtime.block_on(found).unwrap().remove(0).1
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
            consents: BTreeSet::new(),
            planned: None,
        }
    }

    /// Gives an engine for this world to `run`.
    pub(crate) fn with_engine<T>(
        &self,
        events: &(dyn Fn(Milestone) + Sync),
        run: impl AsyncFnOnce(Engine<'_>) -> T,
    ) -> T {
        self.runtime.block_on(run(Engine {
            store: self.store.as_ref(),
            connect: self.targets.as_ref(),
            pace: self.pace,
            events,
            audit: None,
            interrupt: self.stop.subscribe(),
        }))
    }

    pub(crate) fn survey(&self, desired: &Desired, reach: &Reach) -> Survey {
        let survey = self.with_engine(&|_| (), async |engine| {
            let everywhere = ClusterScope::all();
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
        self.look(&Desired::nothing(), &Reach::All).1
    }

    /// What stands against `desired`, without the places.
    pub(crate) fn objections(&self, desired: &Desired) -> Vec<Objection> {
        self.plan(desired).objections
    }

    pub(crate) fn carry_out(
        &self,
        survey: &Survey,
        approved: &Approved,
    ) -> Result<Vec<Attempt>, EngineError> {
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
    pub(crate) fn apply(&self, desired: &Desired) -> Vec<Attempt> {
        let (survey, approved) = self.prepare(desired);
        self.carry_out(&survey, &approved).unwrap()
    }

    /// Changes what is overridden in `shop`, by the road of flags and breakers.
    pub(crate) fn switch(&self, edit: impl FnOnce(&mut Overrides)) -> Vec<Attempt> {
        let mut overrides = self.head("shop").overrides;
        edit(&mut overrides);
        let desired = Desired::overridden("shop".parse().unwrap(), overrides);
        let (survey, plan) = self.look(&desired, &Reach::Named(BTreeSet::new()));
        let approved = approve_where_possible(plan).unwrap();
        self.carry_out(&survey, &approved).unwrap()
    }

    /// Takes the whole road for every set as the store has it.
    pub(crate) fn heal(&self) -> Vec<Attempt> {
        let (survey, plan) = self.look(&Desired::nothing(), &Reach::All);
        self.carry_out(&survey, &approve(plan).unwrap()).unwrap()
    }
}

/// Lets a plan pass that nothing stands against: nobody asked for it, so everybody may.
pub(crate) fn approve(plan: Plan) -> Result<Approved, Box<Plan>> {
    super::approve(Permitted(plan))
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
pub(crate) fn outcomes(reports: &[Attempt]) -> Vec<&Ending> {
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

/// Where each value comes from that the first revision of `history` has where `labels` are.
pub(crate) fn explain(history: &[Revision], labels: &Labels) -> BTreeMap<Path, Explanation> {
    let Some((newest, older)) = history.split_first() else {
        return BTreeMap::new();
    };
    let mut origins = Origins::of(newest, labels);
    for revision in older {
        origins.go_back(revision);
    }
    origins.found()
}
