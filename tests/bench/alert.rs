//! An alert at three in the morning: from the message to the server until the key is another one.

use std::net::TcpStream;

use serde_json::json;

use crate::crowd::{Others, Place, Silent, silent};
use crate::measure::Sample;
use crate::rivals;
use crate::serve::{Server, post};
use crate::table::{Aim, Table};
use crate::trip::until_changed;

/// So many that one in a hundred tells something.
const RUNS: usize = 200;
/// How many other sets there are where there are many.
const CROWD: usize = 5000;

pub(crate) fn measure(table: &mut Table, addresses: &[String]) {
    let one = &addresses[..1];
    let (_held, address) = silent();
    let rows = [
        ("", Others::default()),
        (
            ", beside 5,000 other sets",
            Others {
                sets: CROWD,
                ..Others::default()
            },
        ),
        (
            ", beside a silent cluster of another set",
            Others {
                silent: Some((Silent::Stranger, address)),
                ..Others::default()
            },
        ),
    ];
    for (which, others) in rows {
        let place = Place::new(one, &others);
        let (told, put) = alerts(&place, one);
        let what = format!("an alert until the key is changed in a Consul{which}");
        let p99 = told.percentile(99);
        table.aim(
            &format!("{what}: median under 50 ms"),
            Aim::Milliseconds(50.0),
            &told,
        );
        table.aim(
            &format!("{what}: p99 under 200 ms"),
            Aim::Milliseconds(200.0),
            &p99,
        );
        let beside = "`consul kv put`";
        table.add(&format!("{what}, {RUNS} runs"), &told, &[(beside, &put)]);
        table.add(
            &format!("{what}: p99"),
            &p99,
            &[(beside, &put.percentile(99))],
        );
    }
}

/// A breaker that an alert trips and that closes when it is resolved, beside as many puts.
fn alerts(place: &Place, addresses: &[String]) -> (Sample, Sample) {
    let server = Server::start(&place.user);
    let key = place.key();
    let other = format!("{}/bare", place.prefix);
    let (mut told, mut put) = (Sample::default(), Sample::default());
    for run in 0..=RUNS {
        let fires = until_changed(addresses, &key, || tell(&server, "firing", run));
        until_changed(addresses, &key, || tell(&server, "resolved", run));
        rivals::put(&place.user, addresses, &other, &run.to_string());
        let bare = until_changed(addresses, &other, || {
            rivals::put(&place.user, addresses, &other, &format!("{run}!"));
        });
        if run > 0 {
            told.add(fires);
            put.add(bare);
        }
    }
    (told, put)
}

/// What Alertmanager sends, over a connection of its own.
fn tell(server: &Server, status: &str, run: usize) {
    let body = json!({"version": "4", "status": status, "alerts": [{
        "status": status,
        "labels": {"alertname": "PaymentErrors", "severity": "page"},
        "annotations": {"summary": "stripe answers 5xx"},
        // Each is an alert that fires anew.
        "startsAt": format!("2026-11-21T02:{:02}:{:02}Z", run / 60, run % 60),
        "endsAt": "0001-01-01T00:00:00Z",
        "fingerprint": "1f2e3d4c5b6a7988",
    }]});
    let stream = TcpStream::connect(server.host()).expect("a server");
    let body = body.to_string();
    let answer = post(stream, "v1/hooks/alertmanager", &body);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}
