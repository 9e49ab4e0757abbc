//! The same keys by other means: the consul command, and bare HTTP.

use std::fs;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use base64::Engine as _;
use serde_json::json;

use crate::inputs::World;
use crate::measure::{Sample, User, clocked};
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

/// `consul kv export` of everything in every Consul, all at once.
pub(crate) fn export(user: &User, addresses: &[String]) {
    all_at_once(user, addresses, &["kv", "export"], &[""]);
}

fn all_at_once(user: &User, addresses: &[String], command: &[&str], arguments: &[&str]) {
    let start = |address: &String| -> Child {
        let flag = format!("-http-addr={address}");
        let flag = [flag.as_str()];
        let all: Vec<&str> = [command, &flag, arguments].concat();
        let mut command = user.consul_command(&all);
        command.stderr(Stdio::null()).spawn().expect("consul")
    };
    let children: Vec<Child> = addresses.iter().map(start).collect();
    for mut child in children {
        assert!(child.wait().expect("an end").success(), "{command:?}");
    }
}

/// PUTs of one key to every Consul at once, over connections that are open already, until the
/// slowest is done.
pub(crate) fn bare(addresses: &[String], runs: usize) -> Sample {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let key = unique_prefix();
    let client = reqwest::Client::builder()
        .no_proxy()
        .tls_certs_only([])
        .build()
        .expect("a client");
    let mut sample = Sample::default();
    for run in 0..=runs {
        let start = Instant::now();
        let puts: Vec<_> = addresses
            .iter()
            .map(|address| {
                let url = format!("{address}/v1/kv/{key}");
                let put = client.put(url).body(format!("{run:0100}"));
                runtime.spawn(async move { put.send().await?.error_for_status()?.text().await })
            })
            .collect();
        for put in puts {
            let answer = runtime.block_on(put).expect("a task").expect("an answer");
            assert_eq!(answer.trim(), "true");
        }
        if run > 0 {
            sample.add(start.elapsed());
        }
    }
    sample
}
