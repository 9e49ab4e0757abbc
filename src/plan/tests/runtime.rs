//! For any sequence of apply, rollback, flag, trip, reset and expiry: what every cluster holds
//! follows from what is declared and what is switched, versions only grow, and every value has one
//! source.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::model::{
    Breaker, Choice, ConfigSet, Document, Flag, FlagOverride, Labels, Limit, Stamp, Trip,
    TripRequest, Version, Witness,
};
use crate::plan::testing::*;
use crate::plan::{Desired, ValueSource};

const CLUSTERS: [&str; 2] = ["eu", "us"];
const BREAKERS: [&str; 2] = ["one", "two"];
const LEAVES: [&str; 3] = ["a", "b", "c"];

/// A set in few words: three values, what a layer for `eu` says about the first, and the default of
/// the flag.
#[derive(Clone, Copy, Debug)]
struct Draft {
    values: [u8; 3],
    layer: Option<u8>,
    flag: bool,
}

impl Draft {
    fn set(self) -> ConfigSet {
        let [a, b, c] = self.values;
        let layer = |value| layer("region=eu", json!({"a": value}));
        let flag = "new".parse().unwrap();
        let mut set = ConfigSet {
            layers: self.layer.map(layer).into_iter().collect(),
            flags: [("new".parse().unwrap(), Flag::boolean(self.flag))].into(),
            ..set(json!({"a": a, "b": b, "c": c}))
        };
        let trips = [
            (json!({"a": 101}), Some(false)),
            (json!({"a": 202, "b": 202}), None),
        ];
        for (name, (values, held)) in BREAKERS.into_iter().zip(trips) {
            let flags = held.map(|on| (Clone::clone(&flag), Choice::Boolean(on)));
            let trip = Trip {
                values: map(values),
                flags: flags.into_iter().collect(),
            };
            let breaker = Breaker {
                trip,
                ..Breaker::default()
            };
            set.breakers.insert(name.parse().unwrap(), breaker);
        }
        set
    }
}

/// Where something is switched; `None`: everywhere.
type Region = Option<&'static str>;

#[derive(Clone, Debug)]
enum Step {
    Apply(Draft),
    Rollback(usize),
    Hold(bool, Region),
    Unset,
    Trip(usize, Region, Option<i64>),
    Reset(usize),
    Wait(i64),
}

fn steps() -> impl Strategy<Value = Step> {
    let draft = (
        any::<[u8; 3]>(),
        prop::option::of(any::<u8>()),
        any::<bool>(),
    )
        .prop_map(|(values, layer, flag)| Draft {
            values: values.map(|value| value % 100),
            layer: layer.map(|value| value % 100),
            flag,
        });
    let region = || prop::option::of(prop::sample::select(&CLUSTERS[..]));
    prop_oneof![
        3 => draft.prop_map(Step::Apply),
        1 => (0..4_usize).prop_map(Step::Rollback),
        2 => (any::<bool>(), region()).prop_map(|(on, region)| Step::Hold(on, region)),
        1 => Just(Step::Unset),
        3 => (0..2_usize, region(), prop::option::of(1..5_i64))
            .prop_map(|(breaker, region, lasts)| Step::Trip(breaker, region, lasts)),
        2 => (0..2_usize).prop_map(Step::Reset),
        2 => (1..4_i64).prop_map(Step::Wait),
    ]
}

/// An open breaker, as the test remembers it: which, where, until when.
type Open = (usize, Region, Option<i64>);

/// What happened so far, told in the simplest way there is.
#[derive(Debug)]
struct Told {
    world: World,
    drafts: Vec<Draft>,
    open: Vec<Open>,
    held: Vec<(bool, Region)>,
    minute: i64,
    versions: BTreeMap<&'static str, Version>,
}

fn selector_of(region: Region) -> crate::model::Selector {
    selector(&region.map_or(String::new(), |region| format!("region={region}")))
}

impl Told {
    fn stamp(&self) -> Stamp {
        Stamp {
            actor: "ops@laptop".to_owned(),
            since: Timestamp::from_second(self.minute * 60).unwrap(),
            reason: None,
        }
    }

    fn take(&mut self, step: &Step) {
        match *step {
            Step::Apply(draft) => self.apply(draft),
            Step::Rollback(back) => {
                let index = self.drafts.len().saturating_sub(1 + back);
                self.apply(self.drafts[index]);
            }
            Step::Hold(on, region) => {
                let held = FlagOverride {
                    flag: "new".parse().unwrap(),
                    variant: if on { "on" } else { "off" }.to_owned(),
                    clusters: selector_of(region),
                    stamp: self.stamp(),
                    until: None,
                    counted: None,
                };
                self.world
                    .switch(|overrides| overrides.hold_flag(held).unwrap());
                self.held.retain(|(_, known)| *known != region);
                self.held.push((on, region));
            }
            Step::Unset => {
                let flag = "new".parse().unwrap();
                self.world
                    .switch(|overrides| _ = overrides.unset_flag(&flag, None));
                self.held.clear();
            }
            Step::Trip(breaker, region, lasts) => self.trip(breaker, region, lasts),
            Step::Reset(breaker) => {
                let name = BREAKERS[breaker].parse().unwrap();
                self.world
                    .switch(|overrides| _ = overrides.reset(&name, None));
                self.open.retain(|(known, _, _)| *known != breaker);
            }
            Step::Wait(minutes) => {
                self.minute += minutes;
                let now = self.stamp().since;
                self.world.switch(|overrides| _ = overrides.expire(now));
                let minute = self.minute;
                self.open
                    .retain(|(_, _, until)| until.is_none_or(|until| until > minute));
            }
        }
    }

    fn apply(&mut self, draft: Draft) {
        let before = self.world.head("shop").overrides;
        self.world.apply(&Desired::from([(
            set_id("shop"),
            crate::model::Content::from(draft.set()),
        )]));
        self.drafts.push(draft);
        assert_eq!(self.world.head("shop").overrides, before);
    }

    fn trip(&mut self, breaker: usize, region: Region, lasts: Option<i64>) {
        let name = BREAKERS[breaker].parse().unwrap();
        let request = TripRequest {
            clusters: selector_of(region),
            stamp: self.stamp(),
            keeping: self.stamp().since,
            witness: Witness::Present,
            limit: lasts.map(|lasts| Limit::For(SignedDuration::from_mins(lasts))),
        };
        self.world.switch(|overrides| {
            overrides.trip(&name, &Breaker::default(), request).unwrap();
        });
        let until = lasts.map(|lasts| self.minute + lasts);
        let same = |(known, there, _): &Open| (*known, *there) == (breaker, region);
        let known = self.open.iter().position(same);
        // Whatever is tripped again lies on top again.
        let until = match known.map(|known| self.open.remove(known)) {
            Some((_, _, known)) => known.zip(until).map(|(a, b)| a.max(b)),
            None => until,
        };
        self.open.push((breaker, region, until));
    }

    /// What a leaf is in a cluster, and by the name of what.
    fn value(&self, cluster: &str, leaf: usize) -> (Value, &'static str) {
        let draft = self.drafts[self.drafts.len() - 1];
        let here = |region: Region| region.is_none_or(|region| region == cluster);
        let open = self
            .open
            .iter()
            .rev()
            .filter(|(_, region, _)| here(*region));
        for (breaker, _, _) in open {
            match (breaker, leaf) {
                (0, 0) => return (json!(101), "one"),
                (1, 0 | 1) => return (json!(202), "two"),
                _ => {}
            }
        }
        match draft.layer {
            Some(value) if leaf == 0 && cluster == "eu" => (json!(value), "layer"),
            _ => (json!(draft.values[leaf]), "defaults"),
        }
    }

    fn flag(&self, cluster: &str) -> (bool, &'static str) {
        let here = |region: Region| region.is_none_or(|region| region == cluster);
        if (self.open.iter()).any(|(breaker, region, _)| *breaker == 0 && here(*region)) {
            return (false, "one");
        }
        match self.held.iter().rfind(|(_, region)| here(*region)) {
            Some((on, _)) => (*on, "override"),
            None => (self.drafts[self.drafts.len() - 1].flag, "flag"),
        }
    }

    fn check(&mut self) {
        let head = self.world.head("shop");
        for cluster in CLUSTERS {
            let bytes = self
                .world
                .target(cluster)
                .memory
                .get("cfgctl/shop/snapshot");
            let document = Document::parse(&bytes.unwrap()).unwrap();
            assert_eq!(document.version(), head.version);
            let before = self.versions.insert(cluster, head.version);
            assert!(before.is_none_or(|before| before <= head.version));

            let labels = Labels::from([("region".to_owned(), cluster.to_owned())]);
            let explained = explain(std::slice::from_ref(&head), &labels);
            assert_eq!(explained.len(), LEAVES.len() + 1, "each has one source");
            for (index, leaf) in LEAVES.iter().enumerate() {
                let (value, by) = self.value(cluster, index);
                assert_eq!(document.values()[*leaf], value, "{leaf} in {cluster}");
                let found = &explained[&[*leaf].into_iter().collect()];
                assert_eq!((&found.value, word(&found.source)), (&value, by));
                let target = self.world.target(cluster);
                assert_eq!(target.text(&format!("app/{leaf}")), value.to_string());
            }
            let (on, by) = self.flag(cluster);
            let found = &explained[&["flags", "new"].into_iter().collect()];
            assert_eq!((&found.value, word(&found.source)), (&json!(on), by));
            let target = self.world.target(cluster);
            assert_eq!(target.text("app/flags/new"), on.to_string());
        }
    }
}

fn word(source: &ValueSource) -> &str {
    match source {
        ValueSource::Defaults => "defaults",
        ValueSource::Layer { .. } => "layer",
        ValueSource::Flag => "flag",
        ValueSource::Override { .. } => "override",
        ValueSource::Breaker { breaker, .. } => breaker.as_str(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_every_cluster_holds_follows_from_what_is_declared_and_what_is_switched(
        steps in prop::collection::vec(steps(), 1..14),
    ) {
        let first = Draft { values: [1, 2, 3], layer: None, flag: true };
        let world = World::new();
        world.apply(&shop(&first.set()));
        let mut told = Told {
            world,
            drafts: vec![first],
            open: Vec::new(),
            held: Vec::new(),
            minute: 0,
            versions: BTreeMap::new(),
        };
        told.check();
        for step in &steps {
            told.take(step);
            told.check();
        }
    }
}
