//! The laws, over any sequence of changes, failures and edits by others.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::json;

use crate::engine::{EngineError, Survey};
use crate::model::{
    Breaker, ConfigSet, Content, Document, Limits, Observed, Place, Publish, SpringFormat, Stamp,
    Trip, TripRequest, Version, Witness,
};
use crate::plan::testing::*;
use crate::plan::{Approved, Desired};
use crate::store::{Store as _, StoreError};
use crate::target::Target as _;

pub(crate) const CLUSTERS: [&str; 3] = ["eu", "us", "jp"];
pub(crate) const SETS: [&str; 2] = ["shop", "news"];
/// The breaker that both sets have.
const BREAKER: &str = "failing";

/// One set in few words.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    values: BTreeMap<&'static str, u8>,
    layer: Option<(&'static str, u8)>,
    only: Option<&'static str>,
    format: u8,
}

impl Draft {
    fn set(&self, name: &str) -> ConfigSet {
        // Spring needs a context for itself; the keys of both sets lie side by side.
        let context = key(&format!("config/{name}"));
        let spring = |format| {
            let context = context.clone();
            Publish::Spring {
                context,
                format,
                atomic: true,
            }
        };
        let layer = |(region, value)| {
            let values = self
                .values
                .keys()
                .map(|leaf| ((*leaf).to_owned(), json!(value)));
            layer(
                &format!("region={region}"),
                serde_json::Value::Object(values.collect()),
            )
        };
        let tripped = self.values.keys();
        let tripped = tripped.map(|leaf| ((*leaf).to_owned(), json!(9)));
        let breaker = Breaker {
            trip: Trip {
                values: tripped.collect(),
                ..Trip::default()
            },
            ..Breaker::default()
        };
        ConfigSet {
            breakers: [(BREAKER.parse().unwrap(), breaker)].into(),
            clusters: self.only.map_or_else(Default::default, |region| {
                selector(&format!("region={region}"))
            }),
            layers: self.layer.map(layer).into_iter().collect(),
            publish: match self.format {
                0 => vec![spring(SpringFormat::Yaml)],
                1 => vec![spring(SpringFormat::KeyValue)],
                2 => vec![spring(SpringFormat::Properties), keys("app")],
                _ => vec![keys("app")],
            },
            ..set(json!(self.values))
        }
    }
}

/// One thing that happens.
#[derive(Clone, Debug)]
enum Step {
    /// Somebody applies both sets; `None` deletes one.
    Apply([Option<Draft>; 2]),
    /// Somebody plans that, and looks away.
    Prepare([Option<Draft>; 2]),
    /// Whoever looked away carries it out.
    CarryOut,
    /// Whoever looked away only commits, and falls asleep before delivering.
    CommitAndSleep,
    /// Whoever slept delivers.
    WakeUp,
    /// A cluster is described with this label, or deleted.
    Describe(usize, Option<&'static str>),
    /// A wire changes.
    Wire(usize, Wire),
    /// Somebody edits or deletes the nth of our keys.
    Edit(usize, usize, Option<u8>),
    /// Somebody trips the breaker of a set, somewhere or everywhere, or resets it if it is open.
    Switch(usize, Option<&'static str>),
    /// Somebody deletes the snapshot of a set.
    Wipe(usize, usize),
    /// Somebody writes a key of their own, or deletes it again.
    Foreign(usize, &'static str, Option<u8>),
}

fn drafts(leaves: &'static [&'static str]) -> impl Strategy<Value = Draft> {
    let regions = || prop::sample::select(&["eu", "us", "jp"][..]);
    let values = prop::collection::btree_map(prop::sample::select(leaves), 0..3_u8, 0..3);
    let layer = prop::option::of((regions(), 3..5_u8));
    (
        values,
        layer,
        prop::option::weighted(0.2, regions()),
        0..5_u8,
    )
        .prop_map(|(values, layer, only, format)| Draft {
            values,
            layer,
            only,
            format,
        })
}

pub(crate) fn both() -> impl Strategy<Value = [Option<Draft>; 2]> {
    let shop = prop::option::weighted(0.9, drafts(&["a", "b", "c"]));
    (shop, prop::option::weighted(0.9, drafts(&["x", "y"]))).prop_map(<[_; 2]>::from)
}

fn steps() -> impl Strategy<Value = Step> {
    let cluster = || 0..CLUSTERS.len();
    let wire = prop_oneof![
        4 => Just(Wire::Fine),
        1 => Just(Wire::Down),
        1 => (0..2_usize).prop_map(|nth| Wire::Loses(nth, Lost::Request)),
        1 => (0..2_usize).prop_map(|nth| Wire::Loses(nth, Lost::Answer)),
    ];
    let region = prop::option::weighted(0.8, prop::sample::select(&CLUSTERS[..]));
    let theirs = prop::sample::select(&["app/f", "app/a", "config/shop/g", "config/news/x"][..]);
    prop_oneof![
        6 => both().prop_map(Step::Apply),
        2 => both().prop_map(Step::Prepare),
        2 => Just(Step::CarryOut),
        1 => Just(Step::CommitAndSleep),
        1 => Just(Step::WakeUp),
        2 => (cluster(), region).prop_map(|(at, region)| Step::Describe(at, region)),
        3 => (cluster(), wire).prop_map(|(at, wire)| Step::Wire(at, wire)),
        2 => (cluster(), 0..5_usize, prop::option::of(5..7_u8))
            .prop_map(|(at, nth, value)| Step::Edit(at, nth, value)),
        3 => (0..SETS.len(), prop::option::of(prop::sample::select(&CLUSTERS[..])))
            .prop_map(|(set, region)| Step::Switch(set, region)),
        1 => (cluster(), 0..SETS.len()).prop_map(|(at, set)| Step::Wipe(at, set)),
        2 => (cluster(), theirs, prop::option::weighted(0.6, 5..7_u8))
            .prop_map(|(at, key, value)| Step::Foreign(at, key, value)),
    ]
}

/// A world, and what must stay true of it.
#[derive(Debug)]
struct Simulation {
    world: World,
    /// What others wrote in places that were not ours: by cluster and key.
    foreign: BTreeMap<(usize, &'static str), Option<u8>>,
    /// Where keys of ours were edited and not healed yet.
    edited: BTreeSet<usize>,
    /// The greatest version that each target held, by cluster and set.
    greatest: BTreeMap<(usize, usize), Version>,
    away: Option<(Survey, Approved)>,
    asleep: Option<(Survey, Approved)>,
    fine: BTreeSet<usize>,
}

impl Simulation {
    fn new() -> Self {
        let world = World::without_clusters(Limits::CONSUL);
        for name in CLUSTERS {
            world.apply(&described(name, cluster(name, name)));
        }
        Self {
            world,
            foreign: BTreeMap::new(),
            edited: BTreeSet::new(),
            greatest: BTreeMap::new(),
            away: None,
            asleep: None,
            fine: (0..CLUSTERS.len()).collect(),
        }
    }

    fn observe(&self, cluster: usize, set: usize) -> Observed {
        let target = self.world.target(CLUSTERS[cluster]);
        let place = Place {
            set: SETS[set].parse().unwrap(),
            keys: BTreeSet::new(),
            prefixes: BTreeSet::new(),
        };
        let observed = target.memory.observe(&place);
        self.world.runtime.block_on(observed).unwrap()
    }

    /// The keys that snapshots in a cluster name.
    fn named(&self, cluster: usize) -> BTreeSet<String> {
        let documents = (0..SETS.len()).map(|set| self.observe(cluster, set));
        documents
            .filter_map(|observed| Some(observed.snapshot.document()?.keys().clone()))
            .flatten()
            .map(|(key, _)| key.to_string())
            .collect()
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Apply(drafts) => self.apply(&desired(drafts)),
            Step::Prepare(drafts) => self.away = self.prepare(&desired(drafts)),
            Step::CarryOut => {
                if let Some((survey, approved)) = self.away.take() {
                    self.carry_out(&survey, &approved);
                }
            }
            Step::CommitAndSleep => {
                if let Some((survey, approved)) = self.away.take() {
                    let commit = self.world.store.commit(&approved.plan().commit);
                    if self.world.runtime.block_on(commit).is_ok() {
                        self.asleep = Some((survey, approved));
                    }
                }
            }
            Step::WakeUp => {
                if let Some((survey, approved)) = self.asleep.take() {
                    self.world.with_engine(&|_| (), async |engine| {
                        let deliveries = approved.plan().deliveries.iter().collect();
                        engine.deliver(&survey, deliveries).await
                    });
                }
            }
            Step::Describe(at, region) => {
                let content = region.map_or(Content::Deleted, |region| {
                    Content::Cluster(cluster(CLUSTERS[*at], region))
                });
                self.apply(&Desired::from([(cluster_id(CLUSTERS[*at]), content)]));
            }
            Step::Wire(at, wire) => {
                self.world.target(CLUSTERS[*at]).set_wire(*wire);
                if *wire == Wire::Fine {
                    self.fine.insert(*at);
                } else {
                    self.fine.remove(at);
                }
            }
            Step::Switch(set, region) => self.switch(SETS[*set], *region),
            Step::Edit(at, nth, value) => self.edit(*at, *nth, *value),
            Step::Wipe(at, set) => {
                let snapshot = format!("cfgctl/{}/snapshot", SETS[*set]);
                self.world
                    .target(CLUSTERS[*at])
                    .memory
                    .delete_as_other(&snapshot);
            }
            Step::Foreign(at, key, value) => self.foreign(*at, key, *value),
        }
    }

    fn prepare(&self, desired: &Desired) -> Option<(Survey, Approved)> {
        let reach = crate::plan::Reach::Named(BTreeSet::new());
        let (survey, plan) = self.world.look(desired, &reach);
        approve(plan).ok().map(|approved| (survey, approved))
    }

    fn carry_out(&self, survey: &Survey, approved: &Approved) {
        match self.world.carry_out(survey, approved) {
            Ok(_) | Err(EngineError::Commit(StoreError::HeadsMoved(_))) => {}
            Err(error) => panic!("{error:?}"),
        }
    }

    /// After a whole road everything that answers is as it should be, and there is nothing left to
    /// do and nothing to commit.
    fn apply(&mut self, desired: &Desired) {
        let Some((survey, approved)) = self.prepare(desired) else {
            return;
        };
        self.carry_out(&survey, &approved);
        let again = self.world.plan(desired);
        assert!(
            again.resources.is_empty() && again.objections.is_empty(),
            "{again:?}"
        );
        for delivery in &again.deliveries {
            let name = delivery.pair.cluster.as_str();
            let at = CLUSTERS.iter().position(|it| *it == name).unwrap();
            if !self.fine.contains(&at) {
                continue;
            }
            assert_eq!(delivery.write, None, "{delivery:?}");
            let set = SETS
                .iter()
                .position(|it| *it == delivery.pair.set.as_str())
                .unwrap();
            let observed = self.observe(at, set);
            match &delivery.desired {
                Some(desired) => assert!(observed.holds(desired), "{observed:?}"),
                None => assert_eq!(observed.snapshot.document(), None),
            }
        }
        let both = SETS
            .iter()
            .all(|name| desired.contents.contains_key(&set_id(name)));
        if self.fine.len() == CLUSTERS.len() && both {
            assert!(again.is_settled(), "{again:?}");
            let heads = self.world.heads();
            self.edited.retain(|at| {
                let head = heads.get(&cluster_id(CLUSTERS[*at]));
                head.is_none_or(|head| head.content.cluster().is_none())
            });
        }
    }

    fn switch(&mut self, set: &str, region: Option<&str>) {
        let Some(head) = self.world.heads().remove(&set_id(set)) else {
            return;
        };
        if head.content.set().is_none() {
            return;
        }
        let mut overrides = head.overrides;
        let name = BREAKER.parse().unwrap();
        if overrides.reset(&name, None).is_err() {
            let request = TripRequest {
                clusters: region.map_or_else(Default::default, |region| {
                    selector(&format!("region={region}"))
                }),
                stamp: Stamp {
                    actor: "ops@laptop".to_owned(),
                    since: self.world.origin().at,
                    reason: None,
                },
                keeping: self.world.origin().at,
                witness: Witness::Present,
                limit: None,
            };
            overrides.trip(&name, &Breaker::default(), request).unwrap();
        }
        self.apply(&Desired::overridden(set.parse().unwrap(), overrides));
    }

    fn edit(&mut self, at: usize, nth: usize, value: Option<u8>) {
        let named = self.named(at);
        let Some(key) = named.iter().nth(nth) else {
            return;
        };
        let memory = &self.world.target(CLUSTERS[at]).memory;
        match value {
            Some(value) => memory.put_as_other(key, &[value]),
            None => memory.delete_as_other(key),
        }
        self.edited.insert(at);
    }

    fn foreign(&mut self, at: usize, key: &'static str, value: Option<u8>) {
        let memory = &self.world.target(CLUSTERS[at]).memory;
        let is_theirs = self.foreign.contains_key(&(at, key));
        if !is_theirs && (memory.get(key).is_some() || self.named(at).contains(key)) {
            return;
        }
        if let Some(value) = value {
            memory.put_as_other(key, &[value]);
            self.foreign.insert((at, key), Some(value));
        } else {
            memory.delete_as_other(key);
            self.foreign.remove(&(at, key));
        }
    }

    /// What is true after every step, whoever took it.
    fn check(&mut self) {
        for ((at, key), value) in &self.foreign {
            let found = self.world.target(CLUSTERS[*at]).memory.get(key);
            assert_eq!(
                found,
                value.map(|value| vec![value]),
                "{key} in {}",
                CLUSTERS[*at]
            );
        }
        for at in 0..CLUSTERS.len() {
            for set in 0..SETS.len() {
                let observed = self.observe(at, set);
                let Some(document) = observed.snapshot.document() else {
                    self.greatest.remove(&(at, set));
                    continue;
                };
                let greatest = self.greatest.entry((at, set)).or_insert(Version::FIRST);
                assert!(document.version() >= *greatest, "{at} {set} went backwards");
                *greatest = document.version();
                let whole = observed.holds(document);
                assert!(
                    whole || self.edited.contains(&at),
                    "a mixture: {observed:?}"
                );
            }
        }
    }
}

pub(crate) fn desired(drafts: &[Option<Draft>; 2]) -> Desired {
    let content = |(name, draft): (&str, &Option<Draft>)| {
        let set = draft.as_ref().map(|draft| Content::from(draft.set(name)));
        (set_id(name), set.unwrap_or(Content::Deleted))
    };
    Desired {
        // What is deleted may be open.
        dropped: SETS
            .map(|set| {
                (
                    set.parse().unwrap(),
                    crate::model::Part::Breaker(BREAKER.parse().unwrap()),
                )
            })
            .into(),
        ..SETS.into_iter().zip(drafts).map(content).collect()
    }
}

fn config() -> ProptestConfig {
    ProptestConfig {
        cases: 96,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    /// All or nothing, never backwards, only our own keys, and a plan that was carried out leaves
    /// nothing to do: whatever happens in between.
    #[test]
    fn the_laws_hold_through_changes_failures_and_edits(
        steps in prop::collection::vec(steps(), 1..24),
    ) {
        let mut simulation = Simulation::new();
        for step in &steps {
            simulation.step(step);
            simulation.check();
        }
    }

    /// Leaves move between the sets, writes get lost on the way; then everything answers again.
    #[test]
    fn keys_that_change_hands_arrive_in_the_end(
        rounds in prop::collection::vec(
            (prop::collection::vec(0..3_usize, 4), 0..4_usize, prop::bool::ANY),
            1..6,
        ),
    ) {
        let world = World::new();
        let mut owners = Vec::new();
        for (next, nth, answer) in rounds {
            let lost = if answer { Lost::Answer } else { Lost::Request };
            world.target("eu").set_wire(Wire::Loses(nth, lost));
            world.apply(&owned(&next));
            owners = next;
        }
        world.target("eu").set_wire(Wire::Fine);
        world.heal();
        // Two stale snapshots may name the same key; only one of them can delete it.
        world.heal();
        let plan = world.plan_all();
        prop_assert!(plan.is_settled(), "{plan:?}");
        for (leaf, owner) in ["a", "b", "c", "d"].into_iter().zip(owners) {
            let name = format!("app/{leaf}");
            if world.target("eu").memory.get(&name).is_some() {
                // What the one let go and the other never took is told, and left where it is.
                let told = &delivery(&plan, "shop", "eu").foreign;
                prop_assert!(owner < 2 || told.contains(&key(&name)), "{name} {plan:?}");
            } else {
                prop_assert!(owner == 2, "{name}");
            }
        }
    }

    /// Old content again is a new revision with equal values.
    #[test]
    fn a_rollback_gives_the_old_values_under_a_new_number(
        drafts in prop::collection::vec(drafts(&["a", "b", "c"]), 2..6),
        back in 0..6_usize,
    ) {
        let world = World::new();
        let held = || {
            let bytes = world.target("eu").memory.get("cfgctl/shop/snapshot")?;
            Some(Document::parse(&bytes).unwrap())
        };
        let mut seen = Vec::new();
        for draft in &drafts {
            world.apply(&shop(&draft.set("shop")));
            seen.push((world.head("shop").version, held()));
        }
        let newest = world.head("shop");
        let (number, old) = &seen[back % seen.len()];
        let id = set_id("shop");
        let ids = [(id.clone(), *number)];
        let found = world.runtime.block_on(world.store.revisions(&ids));
        let revision = found.map(|mut found| found.pop().map(|(_, revision)| revision));
        let content = revision.unwrap().unwrap().content;
        let changes = content != newest.content;
        world.apply(&Desired::from([(id, content)]));

        let now = world.head("shop").version;
        prop_assert_eq!(now > newest.version, changes);
        match (held(), old) {
            (Some(now), Some(old)) => {
                prop_assert_eq!(now.values(), old.values());
                prop_assert_eq!(now.keys(), old.keys());
                prop_assert_eq!(now.version(), world.head("shop").version);
            }
            (now, old) => prop_assert_eq!(now.is_some(), old.is_some()),
        }
    }
}

/// Two sets that publish side by side; each leaf belongs to the first, the second or nobody.
fn owned(owners: &[usize]) -> Desired {
    let one = |owner: usize| {
        let leaves = ["a", "b", "c", "d"].into_iter().zip(owners);
        let values = leaves.filter(|(_, of)| **of == owner);
        let values = values.map(|(leaf, _)| (leaf.to_owned(), json!(owner)));
        let set = set(serde_json::Value::Object(values.collect()));
        (set_id(SETS[owner]), Content::from(set))
    };
    [one(0), one(1)].into()
}
