//! What is read back from a Consul may be anything: nothing of it makes cfgctl panic, and nothing
//! is written because of an answer that makes no sense.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cfgctl::model::value::Map;
use cfgctl::model::{
    self, Cause, Cluster, ConfigSet, Connection, Content, Document, EntryWrite, Fence, Heads,
    Limits, ObservedSnapshot, Origin, Publish, ResourceId, Revision, Snapshot, SnapshotWrite,
    Version,
};
use cfgctl::plan::{Desired, Input, Observation, Pair, Past, Plan, Reach, plan};
use cfgctl::render;
use cfgctl::target::consul::{Consul, FLAGS, Patience};
use cfgctl::target::{Target as _, Variables};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use wiremock::matchers::{body_string_contains, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

const SNAPSHOT_KEY: &str = "cfgctl/shop/snapshot";
/// Every case is a few requests.
const CASES: u32 = 128;

/// A set with all that a snapshot can hold.
static SET: LazyLock<ConfigSet> = LazyLock::new(|| ConfigSet {
    values: map(
        json!({"pay": {"ms": 1500, "url": "https://é", "rate": 0.5}, "list": [1, null], "on": true}),
    ),
    publish: vec![
        Publish::Keys {
            prefix: key("app/shop"),
            atomic: false,
        },
        Publish::Spring {
            context: key("config/shop"),
            format: model::SpringFormat::Yaml,
            atomic: true,
        },
    ],
    ..ConfigSet::default()
});

fn map(value: Value) -> Map {
    serde_json::from_value(value).expect("a map")
}

fn key(text: &str) -> model::Key {
    text.parse().expect("a key")
}

fn origin() -> Origin {
    Origin {
        actor: "ops@laptop".to_owned(),
        at: jiff::Timestamp::UNIX_EPOCH,
        cause: Cause::Apply,
        message: Some("why \"not\"".to_owned()),
        consents: BTreeSet::new(),
        planned: None,
    }
}

fn cluster(address: &str) -> Cluster {
    Cluster {
        labels: model::Labels::default(),
        connection: Connection::Consul(spec(address)),
    }
}

fn spec(address: &str) -> model::ConsulSpec {
    model::ConsulSpec {
        address: Some(address.to_owned()),
        prefix: key("cfgctl"),
        datacenter: None,
        token: None,
        tls: None,
        limits: model::LimitOverrides {
            operations: Some(64),
            ..model::LimitOverrides::default()
        },
    }
}

/// What version 3 of the set looks like in the cluster `eu`.
fn snapshot() -> Snapshot {
    let (set, cluster) = (
        "shop".parse().expect("a name"),
        "eu".parse().expect("a name"),
    );
    let labels = model::Labels::default();
    render::snapshot(
        &set,
        &SET,
        &model::Overrides::default(),
        version(3),
        &origin(),
        &cluster,
        &labels,
    )
    .expect("a snapshot")
}

fn version(number: u64) -> Version {
    Version::new(number).expect("a version")
}

/// One key as Consul shows it.
fn pair(key: &str, value: &[u8], index: u64) -> Value {
    json!({
        "LockIndex": 0, "Key": key, "Flags": FLAGS, "Value": STANDARD.encode(value),
        "CreateIndex": 7, "ModifyIndex": index,
    })
}

/// What a Consul answers to a read of the set that has this document.
fn held(document: &[u8]) -> Value {
    let snapshot = snapshot();
    let entries = snapshot.entries.iter();
    let entries = entries.map(|(key, value)| pair(key.as_str(), value, 40));
    let results: Vec<Value> = std::iter::once(pair(SNAPSHOT_KEY, document, 40))
        .chain(entries)
        .map(|pair| json!({"KV": pair}))
        .collect();
    json!({"Results": results, "Errors": null, "Index": 40})
}

/// What a Consul answers that is asked whether so many keys may be read.
fn readable_keys(keys: usize) -> Value {
    let error = |index| json!({"OpIndex": index, "What": "current modify index does not match"});
    json!({"Results": null, "Errors": (0..keys).map(error).collect::<Vec<_>>()})
}

/// How an answer is spoiled.
#[derive(Clone, Debug)]
enum Spoil {
    /// Not at all.
    Not,
    /// It is these bytes.
    Bytes(Vec<u8>),
    /// It is this JSON.
    Json(Value),
    /// It ends early.
    Cut(Index),
    /// A byte of it is another.
    Flip(Index, u8),
    /// The nth value in it is another.
    Replace(Index, Value),
}

impl Spoil {
    fn apply(&self, answer: &Value) -> Vec<u8> {
        let mut bytes = answer.to_string().into_bytes();
        match self {
            Self::Bytes(other) => bytes.clone_from(other),
            Self::Json(other) => bytes = other.to_string().into_bytes(),
            Self::Cut(at) => bytes.truncate(at.index(bytes.len() + 1)),
            Self::Flip(at, byte) if !bytes.is_empty() => {
                let at = at.index(bytes.len());
                bytes[at] = *byte;
            }
            Self::Not | Self::Flip(..) => {}
            Self::Replace(at, other) => {
                let mut answer = answer.clone();
                let at = at.index(count(&answer));
                replace(&mut answer, at, other);
                bytes = answer.to_string().into_bytes();
            }
        }
        bytes
    }
}

fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(count).sum(),
        Value::Object(members) => members.values().map(count).sum(),
        _ => 0,
    }
}

/// Replaces the nth value inside `value`, itself being the first.
fn replace(value: &mut Value, nth: usize, other: &Value) {
    if nth == 0 {
        *value = other.clone();
        return;
    }
    let mut left = nth - 1;
    let inside: Box<dyn Iterator<Item = &mut Value>> = match value {
        Value::Array(items) => Box::new(items.iter_mut()),
        Value::Object(members) => Box::new(members.values_mut()),
        _ => return,
    };
    for value in inside {
        let size = count(value);
        if left < size {
            return replace(value, left, other);
        }
        left -= size;
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let known = [
        "Results",
        "Errors",
        "KV",
        "Key",
        "Value",
        "Flags",
        "ModifyIndex",
        "OpIndex",
        "What",
        "apiVersion",
        "kind",
        "set",
        "version",
        "digest",
        "values",
        "keys",
        "origin",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        prop::sample::select(
            &[
                "e30=",
                "W10=",
                "!",
                "cfgctl.dev/v1",
                "Snapshot",
                SNAPSHOT_KEY
            ][..]
        )
        .prop_map(Value::from),
    ];
    let name = prop_oneof![
        prop::sample::select(known.to_vec()).prop_map(str::to_owned),
        ".{0,5}"
    ];
    leaf.prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(name.clone(), inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn spoils() -> impl Strategy<Value = Spoil> {
    prop_oneof![
        3 => Just(Spoil::Not),
        1 => prop::collection::vec(any::<u8>(), 0..200).prop_map(Spoil::Bytes),
        2 => any_json().prop_map(Spoil::Json),
        1 => any::<Index>().prop_map(Spoil::Cut),
        2 => (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Spoil::Flip(at, byte)),
        4 => (any::<Index>(), any_json()).prop_map(|(at, value)| Spoil::Replace(at, value)),
    ]
}

/// What a Consul gone mad answers.
#[derive(Clone, Debug)]
struct Mad {
    /// The document at the snapshot key.
    document: Spoil,
    /// The read of everything.
    read: (u16, Spoil),
    /// Whether what was not found may be read at all.
    check: (u16, Spoil),
}

fn mad() -> impl Strategy<Value = Mad> {
    let odd = || prop::sample::select(&[200_u16, 204, 301, 403, 404, 409, 413, 429, 500][..]);
    let status = move |honest: u16| prop_oneof![6 => Just(honest), 1 => odd()];
    // Nothing at all is the answer that must be doubted most.
    let nothing = Just(Spoil::Json(json!({"Results": [], "Errors": null})));
    let read = (status(200), prop_oneof![3 => spoils(), 1 => nothing]);
    (spoils(), read, (status(409), spoils())).prop_map(|(document, read, check)| Mad {
        document,
        read,
        check,
    })
}

/// What is seen of the set at a Consul that answers like this.
async fn seen(server: &MockServer, mad: &Mad) -> Option<model::Observed> {
    server.reset().await;
    let original: Value = serde_json::from_slice(&snapshot().document.to_bytes()).expect("JSON");
    let (status, spoil) = &mad.check;
    let keys = snapshot().entries.len() + 1;
    let check = ResponseTemplate::new(*status).set_body_bytes(spoil.apply(&readable_keys(keys)));
    Mock::given(body_string_contains("check-index"))
        .respond_with(check)
        .mount(server)
        .await;
    let (status, spoil) = &mad.read;
    let held = held(&mad.document.apply(&original));
    let read = ResponseTemplate::new(*status).set_body_bytes(spoil.apply(&held));
    Mock::given(path("/v1/txn"))
        .respond_with(read)
        .mount(server)
        .await;

    let patience = Patience {
        attempts: 1,
        ..Patience::default()
    };
    let spec = spec(&server.uri());
    let name = "eu".parse().expect("a name");
    let target = Consul::connect(&name, &spec, &Variables::default(), &patience);
    let place = render::place(&"shop".parse().expect("a name"), &SET);
    let observed = target.expect("a target").observe(&place).await.ok();
    let absent = |observed: &model::Observed| observed.snapshot.fence().is_none();
    if observed.as_ref().is_some_and(absent) {
        assert_eq!(mad.check.0, 409, "nobody said that there may be nothing");
    }
    observed
}

/// The plan of a change to version 4, from what was seen.
fn planned(observed: model::Observed, address: &str) -> Plan {
    let set: ResourceId = "set/shop".parse().expect("an id");
    let place: ResourceId = "cluster/eu".parse().expect("an id");
    let revision = |version, content| Revision {
        version,
        origin: origin(),
        content,
        overrides: model::Overrides::default(),
        provenance: None,
    };
    let heads: Heads = BTreeMap::from([
        (
            set.clone(),
            revision(version(3), Content::from(SET.clone())),
        ),
        (
            place,
            revision(version(1), Content::Cluster(cluster(address))),
        ),
    ]);
    let mut changed = SET.clone();
    changed.values.insert("on".to_owned(), json!(false));
    let desired = Desired::from([(set, Content::from(changed))]);
    let pair = Pair {
        set: "shop".parse().expect("a name"),
        cluster: "eu".parse().expect("a name"),
    };
    plan(&Input {
        desired: &desired,
        reach: &Reach::Named(BTreeSet::new()),
        heads: &heads,
        past: &Past::new(),
        observed: &BTreeMap::from([(pair.clone(), Observation::Seen(observed))]),
        limits: &BTreeMap::from([(pair.cluster, Limits::CONSUL)]),
        origin: &origin(),
        consents: &BTreeSet::new(),
    })
    .expect("a plan")
}

/// Every write is fenced with what was seen, replaces only what is ours, and deletes nothing that
/// version 3 did not write.
fn assert_sane(plan: &Plan, fence: Option<&Fence>, document: Option<&Document>) {
    let ours = snapshot();
    for delivery in &plan.deliveries {
        let Some(write) = &delivery.write else {
            continue;
        };
        let SnapshotWrite::Put { expected, .. } = &write.snapshot else {
            panic!("the set is to be removed: {write:?}");
        };
        assert_eq!(expected.as_ref(), fence);
        if fence.is_some() {
            let document = document.expect("something unreadable is to be replaced");
            assert_eq!(document.origin(), ours.document.origin());
            assert_eq!(
                (document.set(), document.cluster()),
                (ours.document.set(), ours.document.cluster())
            );
        }
        for (key, entry) in &write.entries {
            if let EntryWrite::Delete { .. } = entry {
                assert!(ours.entries.contains_key(key), "{key} is to be deleted");
            }
        }
    }
}

fn readable(snapshot: &ObservedSnapshot) -> Option<Document> {
    let ObservedSnapshot::Present { document, .. } = snapshot else {
        return None;
    };
    match document.as_ref() {
        Ok(document) => Some(document.clone()),
        Err(model::DocumentError::Changed(document)) => Some(document.as_ref().clone()),
        Err(_) => None,
    }
}

#[test]
fn no_answer_of_a_consul_causes_a_panic_or_a_write_that_makes_no_sense() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let server = runtime.block_on(MockServer::start());
    let config = Config {
        cases: CASES,
        failure_persistence: None,
        ..Config::default()
    };
    let outcome = TestRunner::new(config).run(&mad(), |mad| {
        if let Some(observed) = runtime.block_on(seen(&server, &mad)) {
            let fence = observed.snapshot.fence().cloned();
            if let Some(intact) = observed.snapshot.document() {
                prop_assert_eq!(intact, &snapshot().document, "a digest covers everything");
            }
            let document = readable(&observed.snapshot);
            let plan = planned(observed, &server.uri());
            assert_sane(&plan, fence.as_ref(), document.as_ref());
        }
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn an_honest_answer_is_believed() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let honest = Mad {
        document: Spoil::Not,
        read: (200, Spoil::Not),
        check: (409, Spoil::Not),
    };
    runtime.block_on(async {
        let server = MockServer::start().await;
        let observed = seen(&server, &honest).await.expect("an observation");
        assert!(observed.holds(&snapshot().document));
        let plan = planned(observed, &server.uri());
        assert!(
            plan.deliveries
                .iter()
                .all(|delivery| delivery.write.is_some())
        );
    });
}

proptest! {
    #![proptest_config(Config { failure_persistence: None, ..Config::default() })]

    #[test]
    fn any_bytes_at_a_snapshot_key_are_read_to_an_answer(
        bytes in prop::collection::vec(any::<u8>(), 0..300),
        json in any_json(),
    ) {
        prop_assert!(Document::parse(&bytes).is_err());
        prop_assert!(Document::parse(json.to_string().as_bytes()).is_err());
    }

    /// Whoever changes a snapshot is found out, whatever they change.
    #[test]
    fn a_spoiled_snapshot_is_never_taken_for_an_intact_one(spoil in spoils()) {
        let snapshot = snapshot();
        let original: Value = serde_json::from_slice(&snapshot.document.to_bytes()).expect("JSON");
        if let Ok(document) = Document::parse(&spoil.apply(&original)) {
            prop_assert_eq!(document, snapshot.document);
        }
    }
}
