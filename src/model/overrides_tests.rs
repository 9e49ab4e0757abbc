use serde_json::json;

use super::*;
use crate::model::Flag;

fn at(minutes: i64) -> Timestamp {
    Timestamp::from_second(minutes * 60).unwrap()
}

fn stamp(minutes: i64) -> Stamp {
    Stamp {
        actor: "ops@laptop".to_owned(),
        since: at(minutes),
        reason: Some("stripe 5xx".to_owned()),
    }
}

fn selector(text: &str) -> Selector {
    text.parse().unwrap()
}

fn labels(region: &str) -> Labels {
    Labels::from([("region".to_owned(), region.to_owned())])
}

fn name() -> BreakerName {
    "payment".parse().unwrap()
}

fn flag() -> FlagName {
    "express".parse().unwrap()
}

fn request(minutes: i64) -> TripRequest {
    TripRequest {
        clusters: Selector::default(),
        stamp: stamp(minutes),
        keeping: at(minutes),
        witness: Witness::Present,
        limit: None,
    }
}

fn minutes(minutes: i64) -> SignedDuration {
    SignedDuration::from_mins(minutes)
}

fn state(overrides: &Overrides, region: &str) -> BreakerState {
    overrides.status(&name(), &labels(region)).state
}

#[test]
fn a_trip_opens_until_someone_resets_it() {
    let mut overrides = Overrides::default();
    let tripped = overrides.trip(&name(), &Breaker::default(), request(0));
    assert_eq!(tripped, Ok(Tripped::Opened));
    assert_eq!(state(&overrides, "eu"), BreakerState::Open);
    assert_eq!(overrides.next_expiry(), None);
    let again = overrides.trip(&name(), &Breaker::default(), request(1));
    assert_eq!(again, Ok(Tripped::AlreadyOpen));
    overrides.reset(&name(), None).unwrap();
    assert_eq!(state(&overrides, "eu"), BreakerState::Closed);
    assert_eq!(
        overrides.reset(&name(), None),
        Err(OverrideError::NotOverridden("payment".to_owned()))
    );
}

#[test]
fn how_long_it_lasts_is_said_or_declared_and_never_less_than_declared() {
    let declared = Breaker {
        reset: Reset::After(SignedDuration::from_mins(10)),
        min_open: Some(minutes(5)),
        ..Breaker::default()
    };
    for (lasts, until) in [(None, 10), (Some(minutes(30)), 30), (Some(minutes(1)), 5)] {
        let mut overrides = Overrides::default();
        let request = TripRequest {
            limit: lasts.map(Limit::For),
            ..request(0)
        };
        overrides.trip(&name(), &declared, request).unwrap();
        assert_eq!(overrides.next_expiry(), Some(at(until)));
    }
}

#[test]
fn a_second_trip_can_only_make_it_last_longer() {
    let mut overrides = Overrides::default();
    let mut trip = |lasts: Option<SignedDuration>, since| {
        let request = TripRequest {
            limit: lasts.map(Limit::For),
            ..request(since)
        };
        let tripped = overrides.trip(&name(), &Breaker::default(), request);
        (tripped.unwrap(), overrides.next_expiry())
    };
    assert_eq!(trip(Some(minutes(10)), 0), (Tripped::Opened, Some(at(10))));
    assert_eq!(
        trip(Some(minutes(5)), 1),
        (Tripped::AlreadyOpen, Some(at(10)))
    );
    assert_eq!(
        trip(Some(minutes(10)), 2),
        (Tripped::Extended, Some(at(12)))
    );
    assert_eq!(trip(None, 3), (Tripped::Extended, None));
    assert_eq!(trip(Some(minutes(10)), 4), (Tripped::AlreadyOpen, None));
}

#[test]
fn what_is_over_expires_once() {
    let mut overrides = Overrides::default();
    let lasts = TripRequest {
        limit: Some(Limit::For(minutes(10))),
        ..request(0)
    };
    overrides.trip(&name(), &Breaker::default(), lasts).unwrap();
    assert_eq!(overrides.expire(at(9)), BTreeSet::new());
    assert_eq!(
        overrides.expire(at(10)),
        BTreeSet::from([Part::Breaker(name())])
    );
    assert_eq!(overrides.expire(at(10)), BTreeSet::new());
    assert_eq!(state(&overrides, "eu"), BreakerState::Closed);
}

#[test]
fn tripped_too_often_it_stays_open_until_a_person_resets_it() {
    let declared = Breaker {
        reset: Reset::After(SignedDuration::from_mins(1)),
        max_trips_per_hour: Some(2),
        ..Breaker::default()
    };
    let mut overrides = Overrides::default();
    let mut tripped = Vec::new();
    for minute in [0, 10, 20] {
        tripped.push(overrides.trip(&name(), &declared, request(minute)).unwrap());
        overrides.expire(at(minute + 5));
    }
    assert_eq!(
        tripped,
        [Tripped::Opened, Tripped::Opened, Tripped::Latched]
    );
    assert_eq!(state(&overrides, "eu"), BreakerState::Open);
    overrides.reset(&name(), None).unwrap();
    // The first two are more than an hour ago by then.
    let later = overrides.trip(&name(), &declared, request(75));
    assert_eq!(later, Ok(Tripped::Opened));
}

#[test]
fn a_held_breaker_is_not_closed_by_time_and_not_extended() {
    let mut overrides = Overrides::default();
    let lasts = TripRequest {
        limit: Some(Limit::For(minutes(10))),
        ..request(0)
    };
    overrides.trip(&name(), &Breaker::default(), lasts).unwrap();
    overrides
        .hold_open(&name(), Selector::default(), stamp(1))
        .unwrap();
    assert_eq!(state(&overrides, "eu"), BreakerState::ForcedOpen);
    assert_eq!(overrides.expire(at(1000)), BTreeSet::new());
    let tripped = overrides.trip(&name(), &Breaker::default(), request(2));
    assert_eq!(tripped, Ok(Tripped::AlreadyOpen));
}

#[test]
fn a_disabled_breaker_records_trips_and_ignores_them() {
    let mut overrides = Overrides::default();
    overrides
        .trip(&name(), &Breaker::default(), request(0))
        .unwrap();
    overrides.disable(&name(), stamp(1)).unwrap();
    assert_eq!(state(&overrides, "eu"), BreakerState::Disabled);
    let tripped = overrides.trip(&name(), &Breaker::default(), request(2));
    assert_eq!(tripped, Ok(Tripped::Ignored));
    assert_eq!(overrides.trips[&name()], [at(0), at(2)]);
    overrides.enable(&name());
    assert_eq!(state(&overrides, "eu"), BreakerState::Closed);
}

#[test]
fn some_clusters_can_be_tripped_and_reset_without_the_others() {
    let mut overrides = Overrides::default();
    let in_eu = TripRequest {
        clusters: selector("region=eu"),
        ..request(0)
    };
    overrides.trip(&name(), &Breaker::default(), in_eu).unwrap();
    assert_eq!(state(&overrides, "eu"), BreakerState::Open);
    assert_eq!(state(&overrides, "us"), BreakerState::Closed);
    let error = overrides
        .reset(&name(), Some(&selector("region=us")))
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "`payment` is overridden, but for `region=eu`"
    );
    overrides
        .reset(&name(), Some(&selector("region=eu")))
        .unwrap();
    assert_eq!(state(&overrides, "eu"), BreakerState::Closed);
}

#[test]
fn of_several_overrides_of_a_flag_the_last_one_that_matches_wins() {
    let mut overrides = Overrides::default();
    let hold = |variant: &str, clusters: &str| FlagOverride {
        flag: flag(),
        variant: variant.to_owned(),
        clusters: selector(clusters),
        stamp: stamp(0),
        until: None,
        counted: None,
    };
    let variant = |overrides: &Overrides, region: &str| {
        let found = overrides.of_flag(&flag(), &labels(region));
        found.map(|it| it.variant.clone())
    };
    overrides.hold_flag(hold("on", "region=eu")).unwrap();
    overrides.hold_flag(hold("off", "")).unwrap();
    assert_eq!(variant(&overrides, "eu").as_deref(), Some("off"));
    overrides.hold_flag(hold("on", "region=eu")).unwrap();
    assert_eq!(variant(&overrides, "eu").as_deref(), Some("on"));
    assert_eq!(variant(&overrides, "us").as_deref(), Some("off"));
    assert_eq!(overrides.flags.len(), 2);
    overrides.unset_flag(&flag(), None).unwrap();
    assert_eq!(variant(&overrides, "eu"), None);
}

#[test]
fn what_is_no_longer_declared_is_found_and_forgotten() {
    let mut overrides = Overrides::default();
    overrides
        .hold_flag(FlagOverride {
            flag: flag(),
            variant: "on".to_owned(),
            clusters: Selector::default(),
            stamp: stamp(0),
            until: None,
            counted: None,
        })
        .unwrap();
    overrides
        .trip(&name(), &Breaker::default(), request(0))
        .unwrap();
    let mut set = ConfigSet::default();
    let both = BTreeSet::from([Part::Flag(flag()), Part::Breaker(name())]);
    assert_eq!(overrides.dangling(Some(&set)), both);
    assert_eq!(overrides.dangling(None), both);
    set.breakers.insert(name(), Breaker::default());
    set.flags.insert(flag(), Flag::boolean(true));
    assert_eq!(overrides.dangling(Some(&set)), BTreeSet::new());
    set.flags.insert(
        flag(),
        Flag {
            variants: BTreeMap::from([("blue".to_owned(), json!("#00f"))]),
            ..Flag::boolean(true)
        },
    );
    let dangling = overrides.dangling(Some(&set));
    assert_eq!(dangling, BTreeSet::from([Part::Flag(flag())]));
    overrides.forget(&both);
    assert!(overrides.is_empty());
}

#[test]
fn there_is_a_limit() {
    let mut overrides = Overrides::default();
    let mut error = None;
    for number in 0..=MAX_OVERRIDES {
        let clusters = selector(&format!("region=r{number}"));
        error = overrides.hold_open(&name(), clusters, stamp(0)).err();
    }
    assert_eq!(error, Some(OverrideError::TooMany));
}

#[test]
fn a_time_that_a_person_named_is_no_other_one_whatever_the_clocks_say() {
    let declared = Breaker {
        min_open: Some(minutes(5)),
        ..Breaker::default()
    };
    for (named, until) in [(30, 30), (2, 5)] {
        let mut overrides = Overrides::default();
        let request = TripRequest {
            limit: Some(Limit::Until(at(named))),
            ..request(0)
        };
        overrides.trip(&name(), &declared, request).unwrap();
        assert_eq!(overrides.next_expiry(), Some(at(until)));
        let recounted = overrides.recount(at(-1000));
        // The five minutes were counted.
        assert_eq!(recounted.is_empty(), named == 30);
    }
}

#[test]
fn what_a_fast_clock_set_is_counted_anew_and_what_an_honest_one_set_is_not() {
    const YEARS: i64 = 10 * 365 * 24 * 60;
    let mut overrides = Overrides::default();
    let fast = TripRequest {
        limit: Some(Limit::For(minutes(1))),
        ..request(YEARS)
    };
    overrides.trip(&name(), &Breaker::default(), fast).unwrap();
    let hold = FlagOverride {
        flag: flag(),
        variant: "on".to_owned(),
        clusters: Selector::default(),
        stamp: stamp(0),
        until: Some(at(30)),
        counted: Some(Counted::Confirmed(minutes(30))),
    };
    overrides.hold_flag(hold).unwrap();
    assert!(!overrides.is_miscounted(at(YEARS)));
    assert!(overrides.is_miscounted(at(7)));
    let breaker = Part::Breaker(name());
    assert_eq!(overrides.recount(at(7)), [(breaker.clone(), at(8))]);
    assert_eq!(overrides.recount(at(7)), []);
    assert_eq!(overrides.expire(at(8)), BTreeSet::from([breaker]));
}

/// Nobody could tell the time, and the clock that was there was an hour slow.
#[test]
fn what_was_counted_alone_is_over_when_it_should_be_once_someone_confirms_the_time() {
    let mut overrides = Overrides::default();
    let slow = TripRequest {
        limit: Some(Limit::For(minutes(30))),
        witness: Witness::Missing,
        ..request(-60)
    };
    overrides.trip(&name(), &Breaker::default(), slow).unwrap();
    assert_eq!(overrides.next_expiry(), Some(at(-30)));
    assert_eq!(overrides.recount(at(5)), [(Part::Breaker(name()), at(35))]);
    assert_eq!(overrides.expire(at(34)), BTreeSet::new());
    assert_eq!(overrides.expire(at(35)).len(), 1);
}

#[test]
fn no_clock_is_so_wrong_that_a_limit_is_none() {
    let ends = Limit::For(minutes(1)).ends(Timestamp::MAX, minutes(0), Witness::Present);
    assert_eq!(ends.0, Timestamp::MAX);
}

#[test]
fn a_trip_by_a_fast_clock_counts_for_an_hour_and_no_longer() {
    let declared = Breaker {
        reset: Reset::After(minutes(1)),
        max_trips_per_hour: Some(1),
        ..Breaker::default()
    };
    let mut overrides = Overrides::default();
    let mut trip = |request| {
        let tripped = overrides.trip(&name(), &declared, request).unwrap();
        overrides.openings.clear();
        tripped
    };
    assert_eq!(trip(request(1_000_000)), Tripped::Opened);
    assert_eq!(trip(request(0)), Tripped::Latched);
    assert_eq!(trip(request(70)), Tripped::Opened);
    // What is forgotten follows the earlier of the clocks.
    let fast = TripRequest {
        keeping: at(80),
        ..request(1_000_000)
    };
    assert_eq!(trip(fast), Tripped::Latched);
}
