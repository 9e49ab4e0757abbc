use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use jiff::SignedDuration;
use proptest::prelude::*;

use super::super::{BreakerChange, BreakerOperation, Switch as _};
use super::*;
use crate::model::{
    BreakerState, Clocks, Cluster, ClusterName, ConfigSet, Connection, DirectorySpec, Fingerprint,
    Labels, Reset, SetName,
};

fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    let pairs = pairs.iter();
    pairs
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// One set with one breaker, in clusters that differ by region.
struct World {
    set: ConfigSet,
    clusters: BTreeMap<ClusterName, Cluster>,
    overrides: Overrides,
    firing: FiringAlerts,
    now: i64,
}

impl World {
    fn new(breaker: Breaker) -> Self {
        let breakers = [("pay".parse().unwrap(), breaker)].into();
        let cluster = |region: &str| Cluster {
            labels: labels(&[("region", region)]),
            connection: Connection::Directory(DirectorySpec {
                path: region.into(),
            }),
        };
        let clusters = ["eu", "us"].map(|region| (region.parse().unwrap(), cluster(region)));
        Self {
            set: ConfigSet {
                breakers,
                ..ConfigSet::default()
            },
            clusters: clusters.into(),
            overrides: Overrides::default(),
            firing: FiringAlerts::default(),
            now: 1_000_000,
        }
    }

    fn on<T>(&self, act: impl FnOnce(&Ground<'_>) -> T) -> T {
        let name: SetName = "checkout".parse().unwrap();
        let clusters = self.clusters.iter().collect();
        let clocks = Clocks::of(at(self.now), []);
        act(&Ground::new(
            &name,
            &self.set,
            &self.overrides,
            &clusters,
            clocks,
        ))
    }

    fn tell(&mut self, alerts: &[Alert]) -> Vec<AlertEffect> {
        let alerted = self.on(|ground| alerted(ground, &self.firing, alerts, "token:am"));
        (self.overrides, self.firing) = (alerted.overrides, alerted.firing);
        alerted.told.into_iter().map(|told| told.effect).collect()
    }

    fn one(&mut self, alert: Alert) -> AlertEffect {
        let mut told = self.tell(&[alert]);
        assert_eq!(told.len(), 1);
        told.remove(0)
    }

    fn by_hand(&mut self, operation: BreakerOperation) {
        let change = BreakerChange {
            set: "checkout".parse().unwrap(),
            breaker: "pay".parse().unwrap(),
            operation,
        };
        let stamp = Stamp {
            actor: "ana".to_owned(),
            since: at(self.now),
            reason: None,
        };
        self.overrides = self.on(|ground| change.switch(ground, stamp).unwrap().overrides);
    }

    fn pass(&mut self, seconds: i64) {
        self.now += seconds;
        self.overrides.expire(at(self.now));
    }

    fn state(&self, region: &str) -> BreakerState {
        let labels = Labels::from([("region".to_owned(), region.to_owned())]);
        self.overrides
            .status(&"pay".parse().unwrap(), &labels)
            .state
    }

    fn is_open(&self) -> bool {
        self.state("eu") == BreakerState::Open
    }
}

fn breaker(reset: Reset) -> Breaker {
    Breaker {
        alerts: labels(&[(ALERT_NAME, "Errors")]),
        reset,
        ..Breaker::default()
    }
}

fn alert(status: AlertStatus, index: usize, starts: i64) -> Alert {
    let index = index.to_string();
    let labels = labels(&[
        (ALERT_NAME, "Errors"),
        ("instance", &index),
        ("region", "eu"),
    ]);
    Alert {
        status,
        fingerprint: Fingerprint::of(&labels),
        labels,
        starts: Some(at(starts)),
        ends: None,
        summary: None,
        evidence: Evidence::Measured,
    }
}

fn fires(index: usize, starts: i64) -> Alert {
    alert(AlertStatus::Firing, index, starts)
}

fn ends(index: usize, starts: i64, ends: i64) -> Alert {
    Alert {
        ends: Some(at(ends)),
        ..alert(AlertStatus::Resolved, index, starts)
    }
}

#[test]
fn it_closes_with_the_last_alert_and_is_not_tripped_by_what_was_told_before() {
    let mut world = World::new(breaker(Reset::OnResolve));
    let now = world.now;
    assert_eq!(world.one(fires(1, now)), AlertEffect::Opened);
    let opened = world.overrides.clone();
    assert_eq!(world.one(fires(1, now)), AlertEffect::Known);
    assert_eq!(world.one(fires(2, now)), AlertEffect::Held);
    // What only joins changes nothing that any cluster gets.
    assert_eq!(world.overrides, opened);
    let still = AlertEffect::StillFiring { others: 1 };
    assert_eq!(world.one(ends(1, now, now)), still);
    assert_eq!(world.one(ends(1, now, now)), AlertEffect::NotFiring);
    assert_eq!(world.one(ends(2, now, now)), AlertEffect::Closed);
    let fires_still = world.firing.iter().count();
    assert_eq!((world.overrides.openings.len(), fires_still), (0, 0));
    // Late messages change nothing: it was resolved since then.
    assert_eq!(world.one(fires(2, now - 1)), AlertEffect::Over);
    assert_eq!(world.one(ends(3, now - 9, now)), AlertEffect::NotFiring);
    assert_eq!(world.one(fires(3, now - 9)), AlertEffect::Over);
    assert!(!world.is_open());

    // A person takes it back while the alert goes on.
    assert_eq!(world.one(fires(1, now)), AlertEffect::Opened);
    world.by_hand(BreakerOperation::Reset { clusters: None });
    assert_eq!(world.one(fires(1, now)), AlertEffect::Known);
    assert!(!world.is_open());
    world.pass(60);
    assert_eq!(
        world.one(fires(1, now + 30)),
        AlertEffect::Opened,
        "it fires anew"
    );
}

#[test]
fn what_is_older_than_the_last_firing_or_proves_nothing_closes_nothing() {
    let mut world = World::new(breaker(Reset::OnResolve));
    let now = world.now;
    world.one(fires(1, now - 100));
    world.one(fires(1, now - 10));
    assert_eq!(world.one(ends(1, now - 100, now - 50)), AlertEffect::Older);
    let unproven = Alert {
        evidence: Evidence::Absent,
        ..ends(1, now - 10, now)
    };
    assert_eq!(world.one(unproven), AlertEffect::Unproven);
    assert!(world.is_open());
    // Of two servers of Prometheus the other one saw it earlier.
    assert_eq!(world.one(ends(1, now - 20, now)), AlertEffect::Closed);
    // One that begins in the future ends like any other, and is known when it is told of again.
    assert_eq!(world.one(fires(1, now + 1_000)), AlertEffect::Opened);
    world.pass(2);
    assert_eq!(world.one(fires(1, now + 1_000)), AlertEffect::Known);
    assert_eq!(world.one(ends(1, now, now + 1)), AlertEffect::Closed);
}

#[test]
fn a_rule_without_data_trips_nothing_unless_it_is_meant() {
    let no_data = |name: &str| Alert {
        labels: labels(&[(ALERT_NAME, name), ("team", "pay")]),
        ..fires(1, 0)
    };
    let team = Breaker {
        alerts: labels(&[("team", "pay")]),
        ..Breaker::default()
    };
    let mut world = World::new(team);
    assert_eq!(world.one(no_data("DatasourceNoData")), AlertEffect::NoData);
    assert_eq!(world.one(no_data("DatasourceError")), AlertEffect::NoData);
    assert_eq!(world.one(no_data("Errors")), AlertEffect::Opened);
    let mut meant = World::new(Breaker {
        alerts: labels(&[(ALERT_NAME, "DatasourceNoData")]),
        ..Breaker::default()
    });
    assert_eq!(meant.one(no_data("DatasourceNoData")), AlertEffect::Opened);
}

#[test]
fn it_is_tripped_where_the_label_says() {
    let mut world = World::new(Breaker {
        cluster: Some("region".to_owned()),
        ..breaker(Reset::OnResolve)
    });
    let now = world.now;
    let elsewhere = |region: Option<&str>| {
        let mut alert = fires(9, now);
        alert.labels.remove("region");
        let region = region.map(|region| ("region".to_owned(), region.to_owned()));
        alert.labels.extend(region);
        alert
    };
    assert_eq!(world.one(fires(1, now)), AlertEffect::Opened);
    assert_eq!(
        (world.state("eu"), world.state("us")),
        (BreakerState::Open, BreakerState::Closed)
    );
    assert_eq!(world.one(elsewhere(Some("ap"))), AlertEffect::NoCluster);
    assert_eq!(world.one(elsewhere(None)), AlertEffect::NoCluster);
    assert_eq!(world.one(ends(1, now, now)), AlertEffect::Closed);
    // Where it may not be tripped alone it is tripped everywhere.
    let breaker = world.set.breakers.values_mut().next().unwrap();
    breaker.separately = "region=us".parse().unwrap();
    assert_eq!(world.one(fires(1, now + 1)), AlertEffect::Opened);
    assert_eq!(world.state("us"), BreakerState::Open);
}

#[test]
fn one_that_flaps_or_has_too_many_alerts_is_left_to_a_person() {
    let mut world = World::new(Breaker {
        max_trips_per_hour: Some(2),
        ..breaker(Reset::OnResolve)
    });
    for _ in 0..2 {
        world.pass(10);
        let now = world.now;
        assert_eq!(world.one(fires(1, now)), AlertEffect::Opened);
        assert_eq!(world.one(ends(1, now, now)), AlertEffect::Closed);
    }
    world.pass(10);
    let now = world.now;
    assert_eq!(world.one(fires(1, now)), AlertEffect::Latched);
    assert_eq!(world.one(ends(1, now, now)), AlertEffect::Stays);
    assert!(world.is_open());
    world.by_hand(BreakerOperation::Reset { clusters: None });
    assert!(!world.is_open());

    let mut flooded = World::new(breaker(Reset::OnResolve));
    let flood: Vec<Alert> = (0..2_000).map(|index| fires(index, 1)).collect();
    let effects = flooded.tell(&flood);
    assert_eq!(effects.last(), Some(&AlertEffect::Latched));
    let end: Vec<Alert> = (0..2_000).map(|index| ends(index, 1, 2)).collect();
    flooded.tell(&end);
    assert!(flooded.is_open() && flooded.firing.iter().count() == 0);
}

#[test]
fn what_the_history_says_is_one_line_without_secrets() {
    let mut world = World::new(breaker(Reset::OnResolve));
    let mut told = fires(1, 1);
    told.summary = Some("line\nline".repeat(100));
    world.one(told.clone());
    let reason = world.overrides.openings[0].stamp.reason.clone().unwrap();
    assert!(reason.starts_with("Errors: line line") && reason.chars().count() == REASON_CHARS);
    world.by_hand(BreakerOperation::Reset { clusters: None });
    told.starts = Some(at(2));
    let secret = crate::model::TokenText::new(
        crate::model::TokenKind::Api,
        crate::model::TokenId::from_bits(7),
        &[7; 32],
    );
    told.summary = Some(secret.expose().to_owned());
    world.one(told);
    assert_eq!(
        world.overrides.openings[0].stamp.reason.as_deref(),
        Some(ALERT)
    );
}

/// What happens in a night.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// A message says that this alert fires since so many seconds before now.
    Fires(usize, i64),
    /// A message says that it was over so many seconds before now.
    Ends(usize, i64),
    /// The same for want of data.
    Vanishes(usize),
    Trip,
    Reset,
    Disable,
    Enable,
    Pass(i64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    // Messages come late, twice, in any order, or not at all.
    let ago = prop_oneof![Just(0), 0..100_i64, 0..4_000_i64, -1_000_000..0_i64];
    let step = prop_oneof![
        6 => (0..3_usize, ago.clone()).prop_map(|(alert, ago)| Step::Fires(alert, ago)),
        6 => (0..3_usize, ago).prop_map(|(alert, ago)| Step::Ends(alert, ago)),
        1 => (0..3_usize).prop_map(Step::Vanishes),
        1 => Just(Step::Trip),
        1 => Just(Step::Reset),
        1 => Just(Step::Disable),
        2 => Just(Step::Enable),
        4 => prop_oneof![1..60_i64, 60..4_000_i64].prop_map(Step::Pass),
    ];
    prop::collection::vec(step, 1..40)
}

/// The same in other words: what is known, and when each of two hands lets go.
#[derive(Debug, Default)]
struct Naive {
    /// Since when each alert fires, as it was said, and when it was said first.
    known: BTreeMap<usize, (i64, i64)>,
    /// When each was over that was resolved last.
    over: BTreeMap<usize, i64>,
    alerts: Option<Hand>,
    person: Option<Hand>,
    is_disabled: bool,
    trips: Vec<i64>,
}

/// Who holds it open.
#[derive(Clone, Copy, Debug)]
struct Hand {
    since: i64,
    /// When it lets go; `None`: it does not.
    until: Option<i64>,
    is_latched: bool,
    is_firing: bool,
}

/// How the breaker is declared, in seconds.
#[derive(Clone, Copy, Debug)]
struct Rules {
    reset: Reset,
    least: i64,
    most: Option<u32>,
}

impl Naive {
    fn step(&mut self, step: Step, now: i64, rules: Rules) {
        match step {
            Step::Fires(alert, ago) => self.fires(alert, now - ago, now, rules),
            Step::Ends(alert, ago) => self.ends(alert, now - ago, now, rules),
            Step::Vanishes(_) => {}
            Step::Trip => self.trip(now, rules),
            Step::Reset => (self.alerts, self.person) = (None, None),
            Step::Disable => {
                (self.alerts, self.person) = (None, None);
                self.is_disabled = true;
            }
            Step::Enable => self.is_disabled = false,
            Step::Pass(_) => {
                let is_over =
                    |hand: &Hand| !hand.is_firing && hand.until.is_some_and(|it| it <= now);
                self.alerts = self.alerts.filter(|hand| !is_over(hand));
                self.person = self.person.filter(|hand| !is_over(hand));
            }
        }
    }

    fn new_hand(&mut self, now: i64, rules: Rules, is_firing: bool) -> Hand {
        self.trips.retain(|trip| now - trip < 3_600);
        self.trips.push(now);
        let is_latched = rules
            .most
            .is_some_and(|most| self.trips.len() > most as usize);
        Hand {
            since: now,
            until: lasts(now, rules).filter(|_| !is_latched),
            is_latched,
            is_firing,
        }
    }

    fn fires(&mut self, alert: usize, since: i64, now: i64, rules: Rules) {
        let is_new = self
            .known
            .get(&alert)
            .is_none_or(|(known, _)| since > *known);
        let is_over = self
            .over
            .get(&alert)
            .is_some_and(|over| since.min(now) < *over);
        if !is_new || is_over || self.is_disabled {
            return;
        }
        self.over.remove(&alert);
        self.known.insert(alert, (since, now));
        match &mut self.alerts {
            None => self.alerts = Some(self.new_hand(now, rules, true)),
            Some(hand) => {
                if !hand.is_firing && !hand.is_latched {
                    hand.until = lasts(now, rules);
                }
                hand.is_firing = true;
            }
        }
    }

    fn ends(&mut self, alert: usize, ended: i64, now: i64, rules: Rules) {
        let over = self.over.entry(alert).or_insert(i64::MIN);
        *over = (*over).max(ended.min(now));
        self.over.retain(|_, over| now - *over <= 24 * 3_600);
        let Entry::Occupied(known) = self.known.entry(alert) else {
            return;
        };
        let (since, told) = *known.get();
        if ended < since.min(told) {
            return;
        }
        known.remove();
        let Some(hand) = self.alerts.as_mut().filter(|_| self.known.is_empty()) else {
            return;
        };
        hand.is_firing = false;
        if hand.is_latched {
            return;
        }
        if rules.reset == Reset::OnResolve {
            hand.until = Some(hand.since + rules.least);
        }
        if hand.until.is_some_and(|until| until <= now) {
            self.alerts = None;
        }
    }

    fn trip(&mut self, now: i64, rules: Rules) {
        if self.is_disabled {
            self.trips.push(now);
            return;
        }
        match (&mut self.person, &self.alerts) {
            (Some(hand), _) => {
                if let (Some(until), false) = (hand.until, hand.is_latched) {
                    hand.until = lasts(now, rules).map(|it| it.max(until));
                }
            }
            (None, Some(_)) => {
                self.person = Some(Hand {
                    since: now,
                    until: lasts(now, rules),
                    is_latched: false,
                    is_firing: false,
                });
            }
            (None, None) => self.person = Some(self.new_hand(now, rules, false)),
        }
    }

    fn is_open(&self) -> bool {
        self.alerts.is_some() || self.person.is_some()
    }
}

fn lasts(now: i64, rules: Rules) -> Option<i64> {
    match rules.reset {
        Reset::After(lasts) => Some(now + lasts.as_secs().max(rules.least)),
        Reset::Manual | Reset::OnResolve => None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn it_is_open_exactly_when_a_second_model_says_so(
        reset in prop_oneof![
            Just(Reset::Manual),
            Just(Reset::OnResolve),
            (1..600_i64).prop_map(|it| Reset::After(SignedDuration::from_secs(it))),
        ],
        least in prop_oneof![Just(0), 1..600_i64],
        most in prop::option::of(1..4_u32),
        steps in steps(),
    ) {
        let rules = Rules { reset, least, most };
        let mut world = World::new(Breaker {
            min_open: (least > 0).then(|| SignedDuration::from_secs(least)),
            max_trips_per_hour: most,
            ..breaker(reset)
        });
        let mut naive = Naive::default();
        for step in steps {
            let now = world.now;
            match step {
                Step::Fires(alert, ago) => _ = world.tell(&[fires(alert, now - ago)]),
                Step::Ends(alert, ago) => _ = world.tell(&[ends(alert, 0, now - ago)]),
                Step::Vanishes(alert) => {
                    let gone = Alert { evidence: Evidence::Absent, ..ends(alert, 0, now) };
                    world.tell(&[gone]);
                }
                Step::Trip => world.by_hand(BreakerOperation::Trip { clusters: None, limit: None }),
                Step::Reset => world.by_hand(BreakerOperation::Reset { clusters: None }),
                Step::Disable => world.by_hand(BreakerOperation::Disable),
                Step::Enable => world.by_hand(BreakerOperation::Enable),
                Step::Pass(seconds) => world.pass(seconds),
            }
            naive.step(step, world.now, rules);
            prop_assert_eq!(world.is_open(), naive.is_open(), "after {:?}: {:?}", step, naive);
            // What is said of it outlives the process.
            let json = serde_json::to_string(&(&world.overrides, &world.firing)).unwrap();
            let read: (Overrides, FiringAlerts) = serde_json::from_str(&json).unwrap();
            prop_assert_eq!(read, (world.overrides.clone(), world.firing.clone()));
        }
    }
}
