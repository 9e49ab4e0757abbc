//! Switches: flags and breakers, and what takes them away again.

use std::collections::BTreeSet;
use std::sync::Arc;

use cfgctl::api::report::Delivered;
use cfgctl::api::{
    Approval, BreakerChange, BreakerOperation, Caller, Change, ErrorKind, Event, FlagChange,
    FlagPosition, Observer, Preview, Request, Wanted,
};
use cfgctl::model::{Cause, FlagOverride, Limit, Operation, Selector, Stamp};
use jiff::{SignedDuration, Timestamp};

use super::bench::{BREAKERS, Bench, breaker, flag, request, selector, trip};

fn held(at: Wanted) -> FlagPosition {
    FlagPosition::Held { at, limit: None }
}

fn variant(name: &str) -> Wanted {
    Wanted::Variant(name.to_owned())
}

async fn providers(bench: &Bench) -> [String; 2] {
    bench.both("provider").await.map(Option::unwrap)
}

pub(super) async fn a_flag_is_held_and_unset(bench: &Bench) {
    bench.delivered().await;
    let off = flag("express", held(Wanted::Boolean(false)));
    let proposal = bench.plan(&off).await.unwrap();
    assert!(proposal.changes);
    let Preview::Effect(effect) = &proposal.preview else {
        panic!("{proposal:?}");
    };
    assert_eq!(effect.effects.len(), 1);
    assert_eq!(effect.effects[0].clusters.len(), 2);
    assert_eq!(bench.revisions().await.len(), 1);

    let outcome = bench.done(&off).await;
    assert!(outcome.complete);
    assert_eq!(outcome.committed.len(), 1);
    let delivered = |it: &cfgctl::api::report::DeliveryOutcome| it.outcome == Delivered::Delivered;
    assert!(outcome.clusters.iter().all(delivered), "{outcome:?}");
    // It is like that already.
    assert_eq!(bench.done(&off).await.committed, []);
    let newest = bench.revisions().await.pop().unwrap();
    assert_eq!(
        newest.origin.message.as_deref(),
        Some("it \"fails\"\nagain")
    );

    let limited = FlagPosition::Held {
        at: variant("blue"),
        limit: Some(Limit::For(SignedDuration::from_hours(2))),
    };
    let outcome = bench.done(&flag("color", limited)).await;
    assert!(outcome.until.is_some(), "{outcome:?}");
    bench.done(&flag("express", FlagPosition::Declared)).await;
    let causes: Vec<Cause> = (bench.revisions().await.into_iter())
        .map(|revision| revision.origin.cause)
        .collect();
    let cause = |flag: &str, to: Option<&str>| Cause::Flag {
        flag: flag.parse().unwrap(),
        to: to.map(str::to_owned),
    };
    let switched = [
        cause("express", Some("off")),
        cause("color", Some("blue")),
        cause("express", None),
    ];
    assert_eq!(causes[1..], switched);
}

pub(super) async fn a_breaker_is_tripped_held_disabled_and_reset(bench: &Bench) {
    bench.delivered().await;
    let here = |clusters: &str| Some(selector(clusters));
    let limit = None;
    let open = |clusters| BreakerOperation::Trip { clusters, limit };
    let steps = [
        (
            open(here("region=eu")),
            Operation::Trip,
            ["backup-0", "adyen"],
        ),
        (open(None), Operation::Trip, ["backup-0"; 2]),
        (
            BreakerOperation::Reset { clusters: None },
            Operation::Reset,
            ["stripe", "adyen"],
        ),
        (
            BreakerOperation::Hold { clusters: None },
            Operation::Hold,
            ["backup-0"; 2],
        ),
        (
            BreakerOperation::Disable,
            Operation::Disable,
            ["stripe", "adyen"],
        ),
        // Recorded, and changes nothing.
        (open(None), Operation::Trip, ["stripe", "adyen"]),
        (
            BreakerOperation::Enable,
            Operation::Enable,
            ["stripe", "adyen"],
        ),
    ];
    for (operation, word, expected) in steps {
        let request = breaker("b0", operation);
        let outcome = bench.done(&request).await;
        assert!(outcome.complete && outcome.note.is_some(), "{outcome:?}");
        assert_eq!(providers(bench).await, expected, "{word:?}");
        let newest = bench.revisions().await.pop().unwrap();
        let breaker = "b0".parse().unwrap();
        let operation = word;
        assert_eq!(newest.origin.cause, Cause::Breaker { breaker, operation });
    }
}

pub(super) async fn a_switch_that_makes_no_sense_is_refused(bench: &Bench) {
    bench.delivered().await;
    let off = flag("express", held(Wanted::Boolean(false)));
    let elsewhere = |set: &str, clusters: Option<Selector>| {
        let change = FlagChange {
            set: set.parse().unwrap(),
            flag: "express".parse().unwrap(),
            to: held(Wanted::Boolean(false)),
            clusters,
        };
        request(Change::Flag(change))
    };
    let over = BreakerOperation::Trip {
        clusters: None,
        limit: Some(Limit::Until(Timestamp::UNIX_EPOCH)),
    };
    let none = BreakerChange {
        set: "sho".parse().unwrap(),
        breaker: "b0".parse().unwrap(),
        operation: BreakerOperation::Disable,
    };
    let (invalid, absent) = (ErrorKind::Invalid, ErrorKind::Absent);
    for (wrong, kind) in [
        (elsewhere("sho", None), absent),
        (elsewhere("shop", Some(selector("region=mars"))), invalid),
        (flag("exprss", held(Wanted::Boolean(true))), absent),
        (flag("color", held(Wanted::Boolean(true))), invalid),
        (flag("color", held(variant("green"))), invalid),
        (trip("b99"), absent),
        (breaker("b0", over), invalid),
        (request(Change::Breaker(none)), absent),
    ] {
        let planned = bench.plan(&wrong).await.unwrap_err();
        assert_eq!(planned.kind, kind, "{planned:?}");
        assert!(!planned.hints.is_empty(), "{planned:?}");
        let error = bench.refused(kind, &wrong, &Approval::Unseen).await;
        assert_eq!(error.error, planned.error);
    }
    // A flag needs a reason; a breaker does not.
    let silent = Request {
        message: None,
        ..off.clone()
    };
    assert!(bench.plan(&silent).await.is_ok());
    bench
        .refused(ErrorKind::Invalid, &silent, &Approval::Unseen)
        .await;

    bench.done(&super::bench::delete(&["shop"])).await;
    let error = bench
        .refused(ErrorKind::Absent, &off, &Approval::Unseen)
        .await;
    assert_eq!(error.error, "set/shop was deleted");
}

pub(super) async fn a_token_of_a_switch_consents_to_its_effects(bench: &Bench) {
    bench.delivered().await;
    let request = trip("b0");
    let shown = bench.plan(&request).await.unwrap();
    // What others commit elsewhere in the set changes nothing about what was shown.
    bench
        .done(&flag("express", held(Wanted::Boolean(false))))
        .await;
    let approval = Approval::Exactly(shown.token);
    assert!(bench.heard(&request, &approval).await.1.unwrap().complete);
    // Now it does nothing any more.
    bench
        .refused(ErrorKind::Conflict, &request, &approval)
        .await;
    let other = trip("b1");
    bench.refused(ErrorKind::Conflict, &other, &approval).await;
    let shown = bench.plan(&other).await.unwrap();
    let changed = bench.set_with(&serde_json::json!({"limit": 5, "provider": "new"}));
    bench
        .commit_as_other("shop", |head| head.content = changed)
        .await;
    let approval = Approval::Exactly(shown.token);
    // `b0` is on top in both: what `b1` covers is not what was declared.
    assert!(bench.heard(&other, &approval).await.1.is_ok());
}

pub(super) async fn a_switch_that_nobody_lets_write_is_denied(bench: &Bench) {
    // Only the Consul, which denies.
    let [_, us] = bench.clusters();
    let set = (super::bench::id("shop"), bench.shop(1));
    bench.done(&super::bench::declared([us, set])).await;
    bench.deny_writes();
    let error = bench
        .refused(ErrorKind::Denied, &trip("b0"), &Approval::Unseen)
        .await;
    assert!(!error.hints.is_empty());
    bench.wire.forward();
    bench.done(&trip("b0")).await;
    // Where somebody else lets it be written it is committed, and what is left is told.
    let [eu, _] = bench.clusters();
    bench.done(&super::bench::declared([eu])).await;
    bench.deny_writes();
    let outcome = bench.done(&trip("b1")).await;
    assert!(!outcome.complete && outcome.is_denied(), "{outcome:?}");
    assert_eq!(
        bench.held("eu", "provider").await.as_deref(),
        Some("backup-1")
    );
}

/// Each is decided against the newest head, whoever else was faster.
pub(super) async fn many_trips_at_once_all_count(bench: &Bench) {
    bench.delivered().await;
    let trips = (0..BREAKERS).map(|n| {
        let service = Arc::clone(&bench.service);
        tokio::spawn(async move {
            let by = Caller::local(format!("alert-{n}"));
            let (request, nobody) = (trip(&format!("b{n}")), Observer::nobody());
            let outcome = service
                .carry_out(&by, &request, &Approval::Unseen, &nobody)
                .await;
            let outcome = outcome.unwrap();
            assert_eq!(outcome.committed.len(), 1, "{outcome:?}");
            assert!(outcome.complete, "{outcome:?}");
        })
    });
    let trips: Vec<_> = trips.collect();
    for trip in trips {
        trip.await.unwrap();
    }
    let revisions = bench.revisions().await;
    assert_eq!(revisions.len(), 1 + BREAKERS);
    let actors: BTreeSet<&str> = revisions
        .iter()
        .map(|it| it.origin.actor.as_str())
        .collect();
    let callers = (0..BREAKERS).map(|n| Caller::local(format!("alert-{n}")));
    let authors: BTreeSet<_> = callers
        .chain([bench.by.clone()])
        .map(|by| bench.author(&by))
        .collect();
    assert!(actors.iter().copied().eq(&authors), "{actors:?}");
    let newest = revisions.last().unwrap();
    let open: BTreeSet<_> = newest
        .overrides
        .openings
        .iter()
        .map(|it| &it.breaker)
        .collect();
    assert_eq!(open.len(), BREAKERS);
    // Both clusters have it, and what was tripped last lies on top.
    let top = newest
        .overrides
        .openings
        .last()
        .unwrap()
        .breaker
        .to_string();
    let expected = top.replace('b', "backup-");
    assert_eq!(providers(bench).await, [expected.clone(), expected]);
    let nobody = Observer::nobody();
    let status = bench
        .service
        .status(&bench.by, &super::bench::look(), &nobody)
        .await;
    assert!(status.unwrap().in_sync);
}

/// It gives up in the end, and says so.
pub(super) async fn who_keeps_being_faster_than_a_switch_wins_nothing(bench: &Bench) {
    bench.delivered().await;
    bench.commit_first();
    let outcome = bench.done(&trip("b0")).await;
    assert_eq!(outcome.committed[0].version.get(), 3);
    assert_eq!(providers(bench).await, ["backup-0"; 2]);
    bench.overtake();
    let error = bench.carry_out(&trip("b1")).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Conflict, "{error:?}");
    assert_eq!(providers(bench).await, ["backup-0"; 2]);
}

/// In a revision of its own, whoever it was that committed something.
pub(super) async fn what_is_over_is_taken_away_by_the_system(bench: &Bench) {
    bench.delivered().await;
    let over = |head: &mut cfgctl::model::Revision| {
        head.overrides.flags.push(FlagOverride {
            flag: "express".parse().unwrap(),
            clusters: Selector::default(),
            variant: "off".to_owned(),
            stamp: Stamp {
                actor: "other@desk".to_owned(),
                since: Timestamp::UNIX_EPOCH,
                reason: None,
            },
            until: Some("1970-01-01T01:00:00Z".parse().unwrap()),
            counted: None,
        });
    };
    for request in [trip("b0"), bench.declare(2)] {
        bench.commit_as_other("shop", over).await;
        let (heard, outcome) = bench.heard(&request, &Approval::Unseen).await;
        assert!(outcome.unwrap().complete);
        let expired = Event::Expired {
            set: "shop".parse().unwrap(),
            part: "flag `express`".to_owned(),
        };
        assert!(heard.contains(&expired), "{heard:?}");
        let revisions = bench.revisions().await;
        let expiry = (revisions.iter())
            .rfind(|it| it.origin.cause == Cause::Expiry)
            .unwrap();
        assert_eq!(expiry.origin.actor, "cfgctl");
        assert!(revisions.last().unwrap().overrides.flags.is_empty());
    }
    // With a store that takes no commit the change itself is not made either, and both are told.
    bench.commit_as_other("shop", over).await;
    bench.fail_commits(Some(super::bench::gone));
    let (heard, outcome) = bench.heard(&trip("b1"), &Approval::Unseen).await;
    assert_eq!(outcome.unwrap_err().kind, ErrorKind::Unavailable);
    let told = |event: &Event| matches!(event, Event::NotExpired { .. });
    assert!(heard.iter().any(told), "{heard:?}");
}
