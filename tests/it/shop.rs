//! The whole example shop, from nothing to nothing, on a Consul per cluster.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use futures_util::future::join_all;
use serde_json::Value;

use crate::support::cli::Cfgctl;
use crate::support::consul::Consul;
use crate::support::raw::Raw;

const SETS: [&str; 5] = ["catalog", "checkout", "notification", "payment", "search"];
const CLUSTERS: [&str; 4] = ["eu-prod-de", "eu-prod-fr", "eu-staging", "us-prod"];

struct Shop {
    user: Cfgctl,
    /// By cluster; at ports of their own, since those of the fixture may be in use.
    consuls: BTreeMap<&'static str, Consul>,
}

impl Shop {
    async fn open() -> Self {
        let agents = join_all(CLUSTERS.map(|_| Consul::start())).await;
        let shop = Self {
            user: Cfgctl::new().with("CFGCTL_STORE", "store.db"),
            consuls: CLUSTERS.into_iter().zip(agents).collect(),
        };
        let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/shop");
        for file in std::fs::read_dir(fixture).unwrap() {
            let file = file.unwrap();
            let name = file.file_name().into_string().unwrap();
            let text = std::fs::read_to_string(file.path()).unwrap();
            let text = if name == "clusters.yaml" {
                shop.with_real_ports(&text)
            } else {
                text
            };
            shop.user.write(&format!("shop/{name}"), &text);
        }
        shop
    }

    fn with_real_ports(&self, clusters: &str) -> String {
        let document = |text: &str| {
            let found = CLUSTERS
                .iter()
                .find(|name| text.contains(&format!("name: {name}\n")));
            let address = self.consuls[*found.unwrap()].address();
            let line = |line: &str| match line.split_once("address: ") {
                Some((indent, _)) => format!("{indent}address: {address}\n"),
                None => format!("{line}\n"),
            };
            text.lines().map(line).collect::<String>()
        };
        let documents: Vec<_> = clusters.split("---\n").map(document).collect();
        documents.join("---\n")
    }

    fn json(&self, code: i32, arguments: &[&str]) -> Value {
        let arguments = [arguments, &["-o", "json"]].concat();
        self.user.run(&arguments).expect_code(code).json()
    }

    /// Everything in a Consul: nobody else writes there.
    fn keys(&self, cluster: &str) -> BTreeMap<String, Vec<u8>> {
        let tree = Raw::to(&self.consuls[cluster].address()).everything();
        tree.into_iter()
            .map(|(key, (value, _))| (key, value))
            .collect()
    }

    fn all_keys(&self) -> BTreeMap<&'static str, BTreeMap<String, Vec<u8>>> {
        CLUSTERS.map(|cluster| (cluster, self.keys(cluster))).into()
    }

    /// What lies in a cluster is exactly what its snapshots name, and `status` finds them whole.
    fn is_whole(&self) -> usize {
        let status = self.json(0, &["status"]);
        assert_eq!(status["inSync"], true, "{status}");
        let all = self.all_keys();
        let mut expected = CLUSTERS.map(|cluster| (cluster, BTreeSet::new()));
        let views = status["clusters"].as_array().unwrap();
        for view in views {
            assert_eq!(view["state"], "in-sync", "{view}");
            let text = |field: &str| view[field].as_str().unwrap();
            let known = expected
                .iter_mut()
                .find(|(name, _)| *name == text("cluster"));
            let (cluster, keys) = known.unwrap();
            keys.extend(named(&all[*cluster], text("set")));
        }
        for (cluster, expected) in expected {
            let found: BTreeSet<_> = all[cluster].keys().cloned().collect();
            assert_eq!(found, expected, "{cluster}");
        }
        views.len()
    }
}

/// The keys that the snapshot of a set says are its own, and its own key.
fn named(keys: &BTreeMap<String, Vec<u8>>, set: &str) -> BTreeSet<String> {
    let snapshot = format!("cfgctl/{set}/snapshot");
    let Some(document) = keys.get(&snapshot) else {
        return BTreeSet::new();
    };
    let document: Value = serde_json::from_slice(document).unwrap();
    let keys = document["keys"].as_object().unwrap().keys().cloned();
    keys.chain([snapshot]).collect()
}

const APPLY: [&str; 4] = ["apply", "-f", "shop", "--yes"];
const DIFF: [&str; 3] = ["diff", "-f", "shop"];

#[tokio::test]
async fn the_shop_goes_everywhere_changes_comes_back_and_goes_away() {
    let shop = Shop::open().await;
    shop.user.ok(&["validate", "-f", "shop"]);
    shop.json(1, &DIFF);
    let applied = shop.json(0, &APPLY);
    let clusters = applied["clusters"].as_array().unwrap();
    assert_eq!(clusters.len(), 19);
    assert!(clusters.iter().all(|view| view["outcome"] == "delivered"));
    assert_eq!(shop.is_whole(), 19);
    shop.json(0, &DIFF);
    let first = shop.all_keys();

    // A change of one set, seen, made, and seen no more.
    let path = shop.user.directory().join("shop/checkout.yaml");
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains("maxItems: 100"));
    std::fs::write(&path, text.replace("maxItems: 100", "maxItems: 50")).unwrap();
    let diff = shop.json(1, &DIFF);
    let changing = diff["clusters"].as_array().unwrap().iter();
    let changing = changing.filter(|view| view["action"] == "update");
    assert!(changing.clone().all(|view| view["set"] == "checkout"));
    assert_eq!(changing.count(), 4);
    let applied = shop.json(0, &APPLY);
    let clusters = applied["clusters"].as_array().unwrap().iter();
    let delivered = clusters.filter(|view| view["outcome"] == "delivered");
    assert_eq!(delivered.count(), 4);
    shop.json(0, &DIFF);
    assert_eq!(shop.is_whole(), 19);
    let changed = shop.all_keys();
    for cluster in CLUSTERS {
        let differ = |key: &&String| first[cluster].get(*key) != changed[cluster].get(*key);
        let different: Vec<_> = changed[cluster].keys().filter(differ).collect();
        let ours = ["cfgctl/checkout/snapshot", "config/checkout/data"];
        assert_eq!(different, ours, "{cluster}");
    }

    // Back: what applications read is as it was.
    shop.user.ok(&["rollback", "checkout", "--yes"]);
    assert_eq!(shop.is_whole(), 19);
    let mut back = shop.all_keys();
    let mut before = first;
    for cluster in CLUSTERS {
        for keys in [&mut back, &mut before] {
            keys.get_mut(cluster)
                .unwrap()
                .remove("cfgctl/checkout/snapshot");
        }
    }
    assert_eq!(back, before);

    one_after_the_other_goes(&shop);
}

/// Deletes every set; each takes exactly its keys with it.
fn one_after_the_other_goes(shop: &Shop) {
    let mut pairs = 19;
    for set in SETS {
        let before = shop.all_keys();
        let deleted = shop.json(0, &["delete", set, "--yes"]);
        let removed = deleted["clusters"].as_array().unwrap();
        assert!(removed.iter().all(|view| view["outcome"] == "removed"));
        pairs -= removed.len();
        for cluster in CLUSTERS {
            let gone = named(&before[cluster], set);
            let mut expected = before[cluster].clone();
            expected.retain(|key, _| !gone.contains(key));
            assert_eq!(shop.keys(cluster), expected, "{set} in {cluster}");
        }
        assert_eq!(shop.is_whole(), pairs);
    }
    assert_eq!(pairs, 0);
    assert!(shop.all_keys().values().all(BTreeMap::is_empty));
}
