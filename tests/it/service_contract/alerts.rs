//! Alerts: what a message of them comes to, what it would come to, and which fire.

use std::collections::BTreeMap;

use cfgctl::api::{AlertEffect, AlertTestQuery, AlertsQuery, ErrorKind};
use cfgctl::model::{Alert, AlertStatus, Cause, Evidence, Fingerprint};

use super::bench::{Bench, gone};

fn alert(status: AlertStatus, name: &str) -> Alert {
    let labels: BTreeMap<String, String> = [("alertname".to_owned(), name.to_owned())].into();
    Alert {
        status,
        fingerprint: Fingerprint::of(&labels),
        labels,
        starts: None,
        ends: None,
        summary: Some("it \"fails\"".to_owned()),
        evidence: Evidence::Measured,
    }
}

pub(super) async fn alerts_trip_what_waits_for_them(bench: &Bench) {
    bench.delivered().await;
    let (service, by) = (&bench.service, &bench.by);
    let fires = alert(AlertStatus::Firing, "B0");
    let query = AlertTestQuery {
        set: "shop".parse().unwrap(),
        breaker: "b0".parse().unwrap(),
        alerts: vec![fires.clone(), alert(AlertStatus::Firing, "B1")],
    };
    let tested = service.test_alerts(by, &query).await.unwrap();
    assert_eq!(tested.alerts[0].told[0].effect, AlertEffect::Opened);
    assert_eq!(
        tested.alerts[1].differing["alertname"].as_deref(),
        Some("B1")
    );
    // Where a layer says something else it is another change.
    assert_eq!(tested.effects.len(), 2);
    assert_eq!(bench.revisions().await.len(), 1, "it was only tried");

    let message = [fires, alert(AlertStatus::Firing, "Other")];
    let taken = service.take_alerts(by, &message).await.unwrap();
    let [first, other] = &taken.alerts[..] else {
        panic!("{taken:?}");
    };
    assert_eq!(first.breakers[0].breaker, "shop/b0");
    assert_eq!(first.breakers[0].effect, AlertEffect::Opened);
    assert_eq!(other.breakers, []);
    assert_eq!(taken.committed.len(), 1);
    let newest = bench.revisions().await.pop().unwrap();
    assert_eq!(newest.origin.actor, bench.author(by));
    let tripped = ["b0".parse().unwrap()].into();
    let closed = [].into();
    assert_eq!(newest.origin.cause, Cause::Alert { tripped, closed });

    // Once more nothing happens.
    let again = service.take_alerts(by, &message).await.unwrap();
    assert_eq!(again.committed, []);
    assert_eq!(again.alerts[0].breakers[0].effect, AlertEffect::Known);
    let listed = service.alerts(by, &AlertsQuery::default()).await.unwrap();
    assert_eq!((listed.firing.len(), listed.unmatched.len()), (1, 1));
    assert!(listed.firing[0].open);
    assert_eq!(listed.unmatched[0].count, 2);

    let resolved = [alert(AlertStatus::Resolved, "B0")];
    let taken = service.take_alerts(by, &resolved).await.unwrap();
    assert_eq!(taken.alerts[0].breakers[0].effect, AlertEffect::Stays);
    let set = Some("shop".parse().unwrap());
    let listed = service.alerts(by, &AlertsQuery { set }).await.unwrap();
    assert_eq!(listed.firing, []);
    assert_eq!(service.notifications(by).await.unwrap().receivers, []);
}

pub(super) async fn alerts_are_taken_in_or_refused_whole(bench: &Bench) {
    bench.delivered().await;
    let message = [alert(AlertStatus::Firing, "B0")];
    bench.fail_reads(Some(gone));
    let error = bench
        .service
        .take_alerts(&bench.by, &message)
        .await
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unavailable, "{error:?}");
    bench.fail_reads(None);
    assert_eq!(bench.revisions().await.len(), 1);
    // An answer of the store that is lost is no reason to do it twice.
    bench.lose_next_answer();
    let taken = bench
        .service
        .take_alerts(&bench.by, &message)
        .await
        .unwrap();
    assert_eq!(taken.committed.len(), 1);
    assert_eq!(bench.revisions().await.len(), 2);
}
