//! Changes under an idempotency key: made once, however often they are asked for.

use std::sync::Arc;

use cfgctl::api::report::Outcome;
use cfgctl::api::{Approval, ErrorKind, Event, FlagPosition, Observer, Request, Wanted};

use super::bench::{Bench, delete, flag, gone, id, selector, trip};

fn keyed(request: Request, key: &str) -> Request {
    Request {
        key: Some(key.parse().unwrap()),
        ..request
    }
}

/// For this reason.
fn said(request: Request, why: &str) -> Request {
    let message = Some(why.parse().unwrap());
    Request { message, ..request }
}

/// In these clusters alone.
fn only_in(request: Request, clusters: &str) -> Request {
    let clusters = selector(clusters);
    Request {
        clusters,
        ..request
    }
}

fn committed(outcome: &Outcome) -> Vec<(String, u64)> {
    let committed = outcome.committed.iter();
    committed
        .map(|it| (it.name.to_string(), it.version.get()))
        .collect()
}

/// Whoever asks again did not hear the answer: the consent is that of the first time.
pub(super) async fn a_declaration_with_one_key_is_committed_once(bench: &Bench) {
    let request = keyed(bench.declare(1), "k-1");
    let token = Approval::Exactly(bench.plan(&request).await.unwrap().token);
    let first = bench.heard(&request, &token).await.1.unwrap();
    let all = ["cluster/eu", "cluster/us", "set/shop"].map(|name| (name.to_owned(), 1));
    assert_eq!(committed(&first), all);
    for approval in [&token, &Approval::Unseen] {
        let (heard, again) = bench.heard(&request, approval).await;
        let again = again.unwrap();
        assert_eq!(committed(&again), all);
        assert!(again.complete, "{again:?}");
        assert!(!heard.contains(&Event::Committed), "{heard:?}");
    }
    assert_eq!(bench.revisions().await.len(), 1);

    let request = keyed(delete(&["shop"]), "k-2");
    bench.cut();
    let first = bench.done(&request).await;
    assert!(!first.complete, "{first:?}");
    bench.wire.forward();
    let again = bench.done(&request).await;
    assert_eq!(committed(&again), [("set/shop".to_owned(), 2)]);
    assert!(again.complete, "{again:?}");
    assert_eq!(bench.both("limit").await, [None, None]);
    assert_eq!(bench.revisions().await.len(), 2);
}

pub(super) async fn a_key_of_a_declaration_outlives_what_others_commit(bench: &Bench) {
    bench.delivered().await;
    let request = keyed(bench.declare(2), "k");
    bench.done(&request).await;
    bench.done(&bench.declare(3)).await;
    let again = bench.done(&request).await;
    assert_eq!(committed(&again), [("set/shop".to_owned(), 2)]);
    assert_eq!(bench.revisions().await.len(), 3);
    assert_eq!(bench.held("us", "limit").await.as_deref(), Some("3"));
}

/// A trip that is counted twice would latch its breaker.
pub(super) async fn a_switch_with_one_key_is_committed_once(bench: &Bench) {
    bench.delivered().await;
    let express = FlagPosition::Held {
        at: Wanted::Boolean(false),
        limit: None,
    };
    for (n, request) in [trip("b0"), flag("express", express)]
        .into_iter()
        .enumerate()
    {
        let request = keyed(request, &format!("k-{n}"));
        let made = [("set/shop".to_owned(), 2 + n as u64)];
        assert_eq!(committed(&bench.done(&request).await), made);
        let again = bench.done(&request).await;
        assert_eq!(committed(&again), made);
        assert!(again.complete && again.clusters.len() == 2, "{again:?}");
    }
    assert_eq!(bench.revisions().await.len(), 3);
    // The answer of the store is lost.
    let request = keyed(trip("b1"), "k-lost");
    bench.lose_next_answer();
    let outcome = bench.done(&request).await;
    assert_eq!(committed(&outcome), [("set/shop".to_owned(), 4)]);
    assert_eq!(
        bench.held("eu", "provider").await.as_deref(),
        Some("backup-1")
    );
    // Who gives no key is given one: it is found out all the same, and done once.
    bench.lose_next_answer();
    let outcome = bench.done(&trip("b2")).await;
    assert_eq!(committed(&outcome), [("set/shop".to_owned(), 5)]);
    assert_eq!(bench.revisions().await.len(), 5);
}

pub(super) async fn a_key_that_was_used_for_another_is_refused(bench: &Bench) {
    bench.delivered().await;
    bench.done(&keyed(bench.declare(2), "declared")).await;
    bench.done(&keyed(trip("b0"), "tripped")).await;
    for (request, key) in [
        (bench.declare(3), "declared"),
        (said(bench.declare(2), "why"), "declared"),
        (only_in(bench.declare(2), "region=eu"), "declared"),
        (said(trip("b0"), "why"), "tripped"),
        (trip("b0"), "declared"),
        (trip("b1"), "tripped"),
        (flag("express", FlagPosition::Declared), "tripped"),
        (delete(&["shop"]), "tripped"),
        (bench.declare(2), "tripped"),
    ] {
        let request = keyed(request, key);
        let error = bench
            .refused(ErrorKind::KeyTaken, &request, &Approval::Unseen)
            .await;
        assert!(error.error.contains(key), "{error:?}");
    }
    // One that committed nothing has used no key up.
    let request = keyed(bench.declare(4), "free");
    bench.fail_commits(Some(gone));
    bench
        .refused(ErrorKind::Unavailable, &request, &Approval::Unseen)
        .await;
    bench.fail_commits(None);
    bench.done(&keyed(bench.declare(5), "free")).await;
    assert_eq!(bench.held("eu", "limit").await.as_deref(), Some("5"));
}

pub(super) async fn many_with_one_key_commit_once(bench: &Bench) {
    bench.delivered().await;
    for (n, request) in [trip("b0"), bench.declare(2)].into_iter().enumerate() {
        let request = keyed(request, &format!("k-{n}"));
        let asked = (0..6).map(|_| {
            let (service, by, request) = (
                Arc::clone(&bench.service),
                bench.by.clone(),
                request.clone(),
            );
            tokio::spawn(async move {
                let nobody = Observer::nobody();
                service
                    .carry_out(&by, &request, &Approval::Unseen, &nobody)
                    .await
            })
        });
        let asked: Vec<_> = asked.collect();
        for one in asked {
            let outcome = one.await.unwrap().unwrap();
            assert_eq!(committed(&outcome), [("set/shop".to_owned(), 2 + n as u64)]);
        }
    }
    let records = bench.store.history(&id("shop"), None, 10).await.unwrap();
    assert_eq!(records.len(), 3);
}
