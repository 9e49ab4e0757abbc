//! The same keys by other means: the consul command, and bare HTTP.

use std::fs;
use std::process::Child;
use std::time::Duration;

use base64::Engine as _;
use serde_json::json;

use crate::inputs::World;
use crate::measure::{User, clocked};
use crate::support::consul::unique_prefix;

/// Where [`keys`] writes them.
const FILE: &str = "keys.json";

/// The leaves of the first set as keys, which are also written to a file for the consul command.
pub(crate) fn keys(world: &World, user: &User) -> Vec<(String, String)> {
    let below = unique_prefix();
    let keys: Vec<(String, String)> = (world.leaves().into_iter())
        .map(|(path, value)| (format!("{below}/{path}"), value))
        .collect();
    let encode = |value: &str| base64::engine::general_purpose::STANDARD.encode(value);
    let file: Vec<_> = keys
        .iter()
        .map(|(key, value)| json!({"key": key, "flags": 0, "value": encode(value)}))
        .collect();
    fs::write(user.home().join(FILE), json!(file).to_string()).expect("a file");
    keys
}

/// `consul kv import` to every Consul, all at once.
pub(crate) fn import(user: &User, addresses: &[String]) -> Duration {
    clocked(|| all_at_once(user, addresses, &["kv", "import"], &[&format!("@{FILE}")]))
}

/// `consul kv put` of one key to every Consul, all at once.
pub(crate) fn put(user: &User, addresses: &[String], key: &str, value: &str) -> Duration {
    let value = format!("{value}!");
    clocked(|| all_at_once(user, addresses, &["kv", "put"], &[key, &value]))
}

/// `consul kv export` of what lies in every Consul of `world`, all at once.
pub(crate) fn export(user: &User, addresses: &[String], world: &World) {
    all_at_once(user, addresses, &["kv", "export"], &[&world.prefix]);
}

fn all_at_once(user: &User, addresses: &[String], command: &[&str], arguments: &[&str]) {
    let start = |address: &String| -> Child {
        let flag = format!("-http-addr={address}");
        let flag = [flag.as_str()];
        let all: Vec<&str> = [command, &flag, arguments].concat();
        user.consul_command(&all).spawn().expect("consul")
    };
    let children: Vec<Child> = addresses.iter().map(start).collect();
    for child in children {
        let output = child.wait_with_output().expect("an end");
        assert!(
            output.status.success(),
            "{command:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

/// What the network alone costs, to all Consuls at once until the slowest is done.
pub(crate) struct Bare {
    /// A PUT of one value over a connection that is open already.
    pub(crate) once: Duration,
    /// All that a safe change of one document takes: connect, read the key for its index, and
    /// compare and set it to as many bytes as the set has.
    pub(crate) all: Duration,
}

pub(crate) fn bare(addresses: &[String], bytes: usize) -> Bare {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let key = unique_prefix();
    let client = || {
        let builder = reqwest::Client::builder().no_proxy().tls_certs_only([]);
        builder.build().expect("a client")
    };
    let to_all = |client: &reqwest::Client, fence: bool, body: &str| {
        let changes = addresses.iter().map(|address| {
            let (client, body) = (client.clone(), body.to_owned());
            let url = format!("{address}/v1/kv/{key}");
            runtime.spawn(async move { change(&client, url, fence, body).await })
        });
        clocked(|| {
            for change in changes.collect::<Vec<_>>() {
                let answer = runtime
                    .block_on(change)
                    .expect("a task")
                    .expect("an answer");
                assert_eq!(answer.trim(), "true");
            }
        })
    };
    let open = client();
    // Opens the connections, and makes the key.
    to_all(&open, false, "new");
    Bare {
        once: to_all(&open, false, "changed"),
        all: to_all(&client(), true, &"x".repeat(bytes)),
    }
}

async fn change(
    client: &reqwest::Client,
    mut url: String,
    fence: bool,
    body: String,
) -> reqwest::Result<String> {
    if fence {
        let read = client.get(&url).send().await?.error_for_status()?;
        let found: serde_json::Value = read.json().await?;
        url = format!("{url}?cas={}", found[0]["ModifyIndex"]);
    }
    let written = client.put(url).body(body).send().await?;
    written.error_for_status()?.text().await
}
