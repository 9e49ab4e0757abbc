//! Stops, and stores that fail.

use cfgctl::api::report::Delivered;
use cfgctl::api::{Approval, ErrorKind, Event};
use cfgctl::model::ResourceId;
use cfgctl::store::StoreError;

use super::bench::{Bench, gone, trip};
use crate::support::locked;

pub(super) async fn whoever_stops_before_the_commit_changes_nothing(bench: &Bench) {
    bench.delivered().await;
    let before = bench.revisions().await;
    for request in [bench.declare(2), trip("b0")] {
        let (observer, heard) = bench.stopping_at(None);
        let unseen = Approval::Unseen;
        let outcome = bench
            .service
            .carry_out(&bench.by, &request, &unseen, &observer);
        let error = outcome.await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Interrupted, "{error:?}");
        assert!(!locked(&heard).contains(&Event::Committed));
    }
    let (observer, _) = bench.stopping_at(None);
    let error = bench
        .service
        .plan(&bench.by, &bench.declare(2), &observer)
        .await;
    assert_eq!(error.unwrap_err().kind, ErrorKind::Interrupted);

    // Also at the last moment.
    for request in [bench.declare(2), trip("b0")] {
        let (heard, _) = bench_proposed(bench, &request).await;
        let proposed = heard
            .into_iter()
            .find(|event| matches!(event, Event::Proposed(_)));
        let (observer, heard) = bench.stopping_at(proposed);
        let unseen = Approval::Unseen;
        let outcome = bench
            .service
            .carry_out(&bench.by, &request, &unseen, &observer);
        let error = outcome.await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Interrupted, "{error:?}");
        assert!(!locked(&heard).contains(&Event::Committed));
    }
    assert_eq!(bench.revisions().await, before);
    assert_eq!(bench.held("eu", "limit").await.as_deref(), Some("1"));
}

/// What would be told if the store took no commit.
async fn bench_proposed(
    bench: &Bench,
    request: &cfgctl::api::Request,
) -> (
    Vec<Event>,
    Result<cfgctl::api::report::Outcome, cfgctl::api::Error>,
) {
    bench.fail_commits(Some(gone));
    let told = bench.heard(request, &Approval::Unseen).await;
    bench.fail_commits(None);
    told
}

pub(super) async fn whoever_stops_after_the_commit_hears_how_far_it_got(bench: &Bench) {
    bench.delivered().await;
    let (observer, _) = bench.stopping_at(Some(Event::Committed));
    let request = bench.declare(2);
    let outcome = bench
        .service
        .carry_out(&bench.by, &request, &Approval::Unseen, &observer);
    let outcome = outcome.await.unwrap();
    assert!(!outcome.complete);
    assert_eq!(outcome.committed.len(), 1);
    let all_stopped =
        |it: &cfgctl::api::report::DeliveryOutcome| it.outcome == Delivered::Interrupted;
    assert_eq!(outcome.clusters.len(), 2);
    assert!(outcome.clusters.iter().all(all_stopped), "{outcome:?}");
    // Any later pass finishes it.
    assert!(bench.done(&request).await.complete);
    assert_eq!(bench.held("us", "limit").await.as_deref(), Some("2"));
}

pub(super) async fn whoever_stops_a_switch_after_the_commit_hears_how_far_it_got(bench: &Bench) {
    bench.delivered().await;
    let (observer, _) = bench.stopping_at(Some(Event::Committed));
    let request = trip("b0");
    let outcome = bench
        .service
        .carry_out(&bench.by, &request, &Approval::Unseen, &observer);
    let outcome = outcome.await.unwrap();
    assert!(!outcome.complete);
    assert_eq!(outcome.committed.len(), 1);
    let all_stopped =
        |it: &cfgctl::api::report::DeliveryOutcome| it.outcome == Delivered::Interrupted;
    assert_eq!(outcome.clusters.len(), 2);
    assert!(outcome.clusters.iter().all(all_stopped), "{outcome:?}");
    assert_eq!(bench.revisions().await.len(), 2);
}

pub(super) async fn a_store_that_fails_commits_nothing(bench: &Bench) {
    bench.delivered().await;
    let unseen = Approval::Unseen;
    let failures: [(fn() -> StoreError, ErrorKind); 4] = [
        (gone, ErrorKind::Unavailable),
        (
            || StoreError::Damaged {
                location: "here".to_owned(),
                reason: "a bit is another one".to_owned(),
            },
            ErrorKind::Unavailable,
        ),
        (
            || StoreError::Newer { found: 9, known: 6 },
            ErrorKind::Unavailable,
        ),
        (|| StoreError::HeadsMoved(Vec::new()), ErrorKind::Conflict),
    ];
    for (failure, kind) in failures {
        bench.fail_commits(Some(failure));
        let error = bench.refused(kind, &bench.declare(2), &unseen).await;
        assert!(
            !error.causes.is_empty() && !error.hints.is_empty(),
            "{error:?}"
        );
        bench.fail_commits(None);
    }
    bench.fail_commits(Some(gone));
    bench
        .refused(ErrorKind::Unavailable, &trip("b0"), &unseen)
        .await;
    bench.fail_commits(None);

    bench.fail_reads(Some(gone));
    for request in [bench.declare(2), trip("b0")] {
        let planned = bench.plan(&request).await.unwrap_err();
        assert_eq!(planned.kind, ErrorKind::Unavailable);
        bench
            .refused(ErrorKind::Unavailable, &request, &unseen)
            .await;
    }
    bench.fail_reads(None);
    assert!(bench.done(&bench.declare(2)).await.complete);
}

pub(super) async fn a_bug_is_told_as_one(bench: &Bench) {
    bench.delivered().await;
    bench.fail_commits(Some(|| StoreError::Invalid {
        id: ResourceId::Set("shop".parse().unwrap()),
        reason: "the test says so",
    }));
    for request in [bench.declare(2), trip("b0")] {
        bench
            .refused(ErrorKind::Bug, &request, &Approval::Unseen)
            .await;
    }
}
