//! A breaker at three in the morning: from pressing enter until the key is another one everywhere.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::measure::{Sample, User};
use crate::rivals;
use crate::support::consul::unique_prefix;
use crate::table::{Aim, Table};

/// More than of the other figures: the worst of them matters too.
const RUNS: usize = 50;

/// Trips and resets a breaker in all clusters at `addresses`, beside as many `consul kv put`.
pub(crate) fn measure(table: &mut Table, addresses: &[String]) {
    let (user, prefix) = applied(addresses);
    let key = format!("{prefix}/app/payment/provider");
    let (mut trip, mut put) = (Sample::default(), Sample::default());
    for run in 0..=RUNS {
        let tripped = until_changed(addresses, &key, || {
            user.cfgctl(&["breaker", "trip", "checkout/payment-provider", "--yes"]);
        });
        user.cfgctl(&["breaker", "reset", "checkout/payment-provider", "--yes"]);
        let other = format!("{prefix}/bare");
        let value = run.to_string();
        rivals::put(&user, addresses, &other, &value);
        let written = until_changed(addresses, &other, || {
            rivals::put(&user, addresses, &other, &format!("{value}!"));
        });
        if run > 0 {
            trip.add(tripped);
            put.add(written);
        }
    }
    let clusters = addresses.len();
    let what = format!("`breaker trip --yes` until the key is changed in {clusters} clusters");
    table.aim(
        &format!("{what}: under 100 ms"),
        Aim::Milliseconds(100.0),
        &trip,
    );
    table.aim(
        &format!("{what}: under 3 times as many `consul kv put` at once"),
        Aim::Share(3.0, &put),
        &trip,
    );
    let beside = format!("{clusters} × `consul kv put`");
    table.add(&format!("{what}, {RUNS} runs"), &trip, &[(&beside, &put)]);
}

/// A user with one set that has a breaker, in every Consul below the prefix that is returned.
pub(crate) fn applied(addresses: &[String]) -> (User, String) {
    let user = User::new();
    let prefix = unique_prefix();
    let world = manifests(&prefix, addresses);
    fs::write(user.home().join("world.yaml"), world).expect("a file");
    user.cfgctl(&["apply", "-f", "world.yaml", "--yes"]);
    (user, prefix)
}

/// How long it takes from the start of `work` until `key` is another one in every Consul.
pub(crate) fn until_changed(addresses: &[String], key: &str, work: impl FnOnce()) -> Duration {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let client = reqwest::Client::builder().no_proxy().tls_certs_only([]);
    let client = client.build().expect("a client");
    let get = |url: String| {
        let client = client.clone();
        async move {
            let answer = client.get(url).send().await.expect("an answer");
            let found: Value = answer.json().await.expect("JSON");
            found[0]["ModifyIndex"].as_u64().expect("an index")
        }
    };
    let watches: Vec<_> = addresses
        .iter()
        .map(|address| {
            let url = format!("{address}/v1/kv/{key}");
            let index = runtime.block_on(get(url.clone()));
            let changed = get(format!("{url}?index={index}&wait=30s"));
            runtime.spawn(async move {
                assert!(changed.await > index, "it did not change");
                Instant::now()
            })
        })
        .collect();
    // The watches must be with the Consuls before the work begins.
    std::thread::sleep(Duration::from_millis(20));
    let start = Instant::now();
    work();
    let changed = watches.into_iter().map(|watch| runtime.block_on(watch));
    let last = changed.map(|at| at.expect("a watch")).max();
    last.expect("a Consul").duration_since(start)
}

fn manifests(prefix: &str, addresses: &[String]) -> String {
    let clusters = addresses.iter().enumerate().map(|(n, address)| {
        format!(
            "apiVersion: cfgctl.dev/v1\nkind: Cluster\nmetadata: {{name: c{n}, labels: \
             {{stage: here}}}}\nspec: {{consul: {{address: \"{address}\", prefix: {prefix}/cfgctl}}}}\n---\n"
        )
    });
    let set = format!(
        "apiVersion: cfgctl.dev/v1\nkind: ConfigSet\nmetadata: {{name: checkout}}\nspec:\n  \
         clusters: {{stage: here}}\n  values: {{payment: {{provider: stripe, timeoutMs: 1500}}}}\n  \
         flags: {{express-pay: true}}\n  breakers:\n    payment-provider:\n      trip:\n        \
         values: {{payment: {{provider: backup}}}}\n        flags: {{express-pay: false}}\n      \
         alerts: {{alertname: PaymentErrors}}\n      reset: on-resolve\n  \
         publish: [keys: {{prefix: {prefix}/app}}]\n"
    );
    clusters.chain([set]).collect()
}
