//! What is Consul's own: permissions that hide, sizes that matter, servers that hang.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use cfgctl::model::{self, Limits, Oversize, Owner, Place, SetName, Snapshot};
use cfgctl::target::consul::{Consul, FLAGS, Patience};
use cfgctl::target::{Access, Target, TargetError, Variables};
use serde_json::json;
use wiremock::MockServer;

use crate::support::consul::{Consul as Server, unique_prefix};
use crate::support::delivery::{key, place, removal, snapshot, unique_set, values, write};

const MASTER: &str = "5c1d5a3e-7b1e-4f0e-9a55-0d3c8b1f2a12";

/// Short, since most of these tests wait for it to run out.
pub(crate) const PATIENCE: Patience = Patience {
    connect: Duration::from_millis(500),
    request: Duration::from_secs(1),
    attempts: 2,
};

pub(crate) fn spec(address: &str, prefix: &str) -> model::ConsulSpec {
    model::ConsulSpec {
        address: Some(address.to_owned()),
        prefix: key(prefix),
        datacenter: None,
        token: None,
        tls: None,
        limits: model::LimitOverrides {
            operations: Some(64),
            ..model::LimitOverrides::default()
        },
    }
}

fn connect_with(address: &str, prefix: &str, variables: &[(&str, &str)]) -> Consul {
    let environment: Variables = variables.iter().copied().collect();
    let cluster = "eu".parse().expect("a name");
    Consul::connect(&cluster, &spec(address, prefix), &environment, &PATIENCE).expect("a target")
}

pub(crate) fn connect(address: &str) -> Consul {
    connect_with(address, "cfgctl", &[])
}

async fn create(target: &Consul, root: &str, next: &Snapshot) -> Result<(), TargetError> {
    let place = place(next.document.set(), root);
    let observed = target.observe(&place).await?;
    target.write(&write(&observed, next)).await
}

/// A create that does not look first.
pub(crate) fn blind(set: &SetName, root: &str) -> model::Write {
    let absent = model::Observed {
        snapshot: model::ObservedSnapshot::Absent,
        entries: [].into(),
        auxiliary: model::Auxiliary::default(),
    };
    write(&absent, &snapshot(set, 1, &[(&format!("{root}/a"), b"1")]))
}

pub(crate) fn reason(error: TargetError) -> String {
    match error {
        TargetError::Denied { reason, .. } | TargetError::Invalid { reason, .. } => reason,
        error => panic!("{error:?}"),
    }
}

#[tokio::test]
async fn our_keys_carry_our_mark_until_someone_edits_them() {
    let server = Server::shared().await;
    let (set, root) = (unique_set(), unique_prefix());
    let target = connect_with(&server.address(), &root, &[]);
    let a = format!("{root}/app/a");
    create(&target, &root, &snapshot(&set, 1, &[(&a, b"1")]))
        .await
        .unwrap();
    for key in [&a, &target.snapshot_key(&set)] {
        assert_eq!(server.kv_entry(key).await.unwrap().flags, FLAGS, "{key}");
    }
    server.kv_put(&a, "1").await;
    let observed = target.observe(&place(&set, &root)).await.unwrap();
    assert_eq!(observed.entries[&key(&a)].owner, Owner::Other);
}

#[tokio::test]
async fn keys_that_no_url_reaches_do_not_disturb() {
    let server = Server::shared().await;
    let (set, root) = (unique_set(), unique_prefix());
    let odd = json!([{"KV": {"Verb": "set", "Key": format!("{root}//odd"), "Value": "eA=="}},
                     {"KV": {"Verb": "set", "Key": format!("{root}/folder/")}}]);
    assert!(server.txn(&odd).await.0.is_success());
    let target = connect(&server.address());
    let a = format!("{root}/a");
    create(&target, &root, &snapshot(&set, 1, &[(&a, b"1")]))
        .await
        .unwrap();
    let observed = target.observe(&place(&set, &root)).await.unwrap();
    assert_eq!(values(&observed), [(a, b"1".to_vec())].into());
    target.write(&removal(&observed)).await.unwrap();
    assert_eq!(server.kv_keys(&root).await.len(), 2);
}

#[tokio::test]
async fn more_keys_than_one_transaction_holds_are_read() {
    let server = Server::shared().await;
    let (set, root) = (unique_set(), unique_prefix());
    let keys: std::collections::BTreeSet<_> = (100..300)
        .map(|number| key(&format!("{root}/{number}")))
        .collect();
    for name in &keys {
        server.kv_put(name.as_str(), "v").await;
    }
    let place = Place {
        set,
        keys: keys.clone(),
        prefixes: [].into(),
    };
    let observed = connect(&server.address()).observe(&place).await.unwrap();
    assert!(observed.entries.keys().eq(keys.iter()));
}

#[tokio::test]
async fn a_reader_of_raw_keys_never_sees_a_mixture() {
    let server = Server::shared().await;
    let (set, root) = (unique_set(), unique_prefix());
    let target = connect_with(&server.address(), &root, &[]);
    let names: Vec<_> = (0..20)
        .map(|number| format!("{root}/app/{number}"))
        .collect();
    let reads = json!([{"KV": {"Verb": "get-tree", "Key": format!("{root}/app/")}}]);
    let writer = async {
        for version in 1..200 {
            let value = version.to_string();
            let entries: Vec<_> = names
                .iter()
                .map(|name| (name.as_str(), value.as_bytes()))
                .collect();
            create(&target, &root, &snapshot(&set, version, &entries))
                .await
                .unwrap();
        }
        server.kv_put(&format!("{root}/done"), "").await;
    };
    let reader = async {
        let mut mixed = Vec::new();
        while server.kv_get(&format!("{root}/done")).await.is_none() {
            let (_, answer) = server.txn(&reads).await;
            let found = answer["Results"].as_array().unwrap();
            let values: std::collections::BTreeSet<_> = found
                .iter()
                .map(|result| result["KV"]["Value"].to_string())
                .collect();
            if values.len() > 1 || ![0, names.len()].contains(&found.len()) {
                mixed.push(values);
            }
        }
        mixed
    };
    let ((), mixed) = tokio::join!(writer, reader);
    assert!(mixed.is_empty(), "{mixed:?}");
}

#[tokio::test]
async fn the_largest_request_that_is_not_refused_is_accepted() {
    let server = Server::shared().await;
    let (set, root) = (unique_set(), unique_prefix());
    let target = connect_with(&server.address(), &root, &[]);
    let fits = |bytes: usize| {
        let mut write = blind(&set, &root);
        let value = vec![b'x'; bytes];
        write.entries = [(
            key(&root).join("a").unwrap(),
            model::EntryWrite::Put {
                value,
                expected: None,
            },
        )]
        .into();
        write
    };
    let key = target.snapshot_key(&set);
    let is_fine = |bytes: &usize| fits(*bytes).oversize(&key, Limits::CONSUL).is_empty();
    let largest = (300_000..400_000).rev().find(is_fine).unwrap();
    assert!(largest > 392_000, "{largest}");
    target.write(&fits(largest)).await.unwrap();
    let stored = server.kv_get(&format!("{root}/a")).await.unwrap();
    assert_eq!(stored.len(), largest);
}

#[tokio::test]
async fn the_estimate_of_a_request_is_never_too_small_and_close() {
    let server = MockServer::start().await;
    let target = connect(&server.uri());
    let (set, root) = (unique_set(), unique_prefix());
    let names: Vec<_> = (0..60)
        .map(|number| format!("{root}/\"quoted\\/ü{number}"))
        .collect();
    let entries: Vec<_> = names
        .iter()
        .map(|name| (name.as_str(), &b"value"[..]))
        .collect();
    let mut write = write(
        &model::Observed {
            snapshot: model::ObservedSnapshot::Absent,
            entries: [].into(),
            auxiliary: model::Auxiliary::default(),
        },
        &snapshot(&set, 1, &entries),
    );
    let fence = model::Fence(u64::MAX.to_string());
    for (number, entry) in write.entries.values_mut().enumerate() {
        let expected = fence.clone();
        match number % 4 {
            0 => *entry = model::EntryWrite::Keep { expected },
            1 => *entry = model::EntryWrite::Delete { expected },
            2 => {
                *entry = model::EntryWrite::Put {
                    value: vec![0; 1000],
                    expected: Some(expected),
                }
            }
            _ => {}
        }
    }
    let gone = model::Write {
        snapshot: model::SnapshotWrite::Delete {
            expected: Some(fence),
        },
        ..write.clone()
    };
    for write in [write, gone] {
        target.write(&write).await.unwrap_err();
        let requests = server.received_requests().await.unwrap();
        let request = requests.last().unwrap();
        assert!(
            request.headers.contains_key("content-length"),
            "never chunked"
        );
        let operations = serde_json::from_slice::<Vec<serde_json::Value>>(&request.body)
            .unwrap()
            .len();
        let none = Limits {
            request_bytes: 0,
            ..Limits::NONE
        };
        let reasons = write.oversize(&target.snapshot_key(&set), none);
        let [Oversize::Request { bytes, .. }] = reasons[..] else {
            panic!("{reasons:?}")
        };
        assert!(
            bytes >= request.body.len(),
            "{bytes} for {}",
            request.body.len()
        );
        assert!(
            bytes - request.body.len() < 110 * operations,
            "{bytes} for {}",
            request.body.len()
        );
    }
}

#[tokio::test]
async fn what_a_token_may_not_do_is_denied_and_never_absent() {
    let server = Server::start_with_acl(MASTER).await;
    let set: SetName = "shop".parse().unwrap();
    let may = async |rules: &str| {
        let token = server.token(rules).await;
        let variables = [("CONSUL_HTTP_TOKEN", token.secret.as_str())];
        (connect_with(&server.address(), "cfgctl", &variables), token)
    };
    let next = snapshot(&set, 1, &[("app/a", b"1"), ("app/b", b"1")]);
    let (all, token) =
        may(r#"key_prefix "cfgctl/" { policy = "write" } key_prefix "app/" { policy = "write" }"#)
            .await;
    create(&all, "app", &next).await.unwrap();
    let place = Place {
        keys: [key("app/a")].into(),
        ..place(&set, "app")
    };

    let anonymous = connect(&server.address());
    assert_eq!(
        reason(anonymous.observe(&place).await.unwrap_err()),
        "no permission to read cfgctl/shop/snapshot, app/a, app/"
    );

    // It sees the snapshot, and Consul leaves the rest out without a word.
    let (half, _) =
        may(r#"key_prefix "cfgctl/" { policy = "write" } key "app/a" { policy = "read" }"#).await;
    let error = reason(half.observe(&place).await.unwrap_err());
    assert_eq!(error, "no permission to read app/b");
    let (none, _) = may(r#"key_prefix "cfgctl/" { policy = "write" }"#).await;
    let absent = Place {
        set: "other".parse().unwrap(),
        ..place.clone()
    };
    let error = reason(none.observe(&absent).await.unwrap_err());
    assert_eq!(error, "no permission to read app/a, app/");

    let (reader, _) =
        may(r#"key_prefix "cfgctl/" { policy = "write" } key_prefix "app/" { policy = "read" }"#)
            .await;
    let observed = reader.observe(&place).await.unwrap();
    let error = reader
        .write(&write(&observed, &snapshot(&set, 2, &[("app/a", b"2")])))
        .await;
    assert_eq!(
        reason(error.unwrap_err()),
        "no permission to write app/a, app/b"
    );
    assert_eq!(server.kv_get("app/a").await.as_deref(), Some(&b"1"[..]));

    server.revoke(&token).await;
    let error = all.observe(&place).await.unwrap_err();
    assert!(!format!("{error:?} {all:?}").contains(&token.secret));
    let unknown = "ACL not found: this Consul does not know the token, which was deleted or belongs \
                   to another; another one has to be named";
    assert_eq!(reason(error), unknown);
    let error = all.write(&blind(&set, "app")).await.unwrap_err();
    assert_eq!(reason(error), unknown);
}

#[tokio::test]
async fn a_set_that_a_listing_hides_is_never_said_to_be_gone() {
    let server = Server::start_with_acl(MASTER).await;
    let as_user = |secret: &str| {
        let token = [("CONSUL_HTTP_TOKEN", secret)];
        connect_with(&server.address(), "cfgctl", &token)
    };
    let master = as_user(MASTER);
    let [one, other, gone] = ["one", "other", "gone"].map(|name| name.parse().expect("a name"));
    for set in [&one, &other] {
        let entry = format!("app/{set}/a");
        let next = snapshot(set, 1, &[(&entry, b"1")]);
        create(&master, "app", &next).await.expect("a create");
    }
    let doubted = BTreeSet::from([one.clone(), other.clone(), gone.clone()]);
    let there = BTreeSet::from([one.clone(), other.clone()]);
    assert_eq!(master.sets(&doubted).await.expect("a listing"), there);

    let all = doubted.clone();
    let not_other = BTreeSet::from([one.clone(), gone.clone()]);
    for (rules, expected) in [
        // One rule for each set, which may be seen one by one and not as a whole.
        (vec![("key_prefix", "cfgctl/one/", "read")], &all),
        (
            vec![
                ("key_prefix", "cfgctl/one/", "read"),
                ("key_prefix", "cfgctl/other/", "read"),
                ("key_prefix", "cfgctl/gone/", "read"),
            ],
            &there,
        ),
        // A listing asks for the folder, which such a rule does not let it see.
        (vec![("key", "cfgctl/other/snapshot", "read")], &all),
        // Everything but one.
        (
            vec![
                ("key_prefix", "cfgctl/", "read"),
                ("key_prefix", "cfgctl/other/", "deny"),
            ],
            &there,
        ),
        (
            vec![
                ("key_prefix", "cfgctl/", "read"),
                ("key", "cfgctl/gone/snapshot", "deny"),
            ],
            &all,
        ),
        (vec![("key_prefix", "app/", "read")], &all),
    ] {
        let rules = rules
            .iter()
            .map(|(kind, key, policy)| format!("{kind} \"{key}\" {{ policy = \"{policy}\" }}"));
        let rules: Vec<_> = rules.collect();
        let token = server.token(&rules.join("\n")).await;
        let found = as_user(&token.secret).sets(&doubted).await;
        assert_eq!(found.expect("a listing"), *expected, "{rules:?}");
        // Of a set that is not asked for, it says what it sees.
        let found = as_user(&token.secret).sets(&not_other).await;
        assert!(found.expect("a listing").is_subset(expected), "{rules:?}");
    }
    let unknown = as_user("00000000-1111-2222-3333-444444444444");
    let error = unknown.sets(&doubted).await;
    assert!(matches!(error, Err(TargetError::Denied { .. })));
}

#[tokio::test]
async fn health_says_what_the_token_lacks() {
    let server = Server::start_with_acl(MASTER).await;
    let health = async |rules: &str| {
        let token = server.token(rules).await;
        let variables = [("CONSUL_HTTP_TOKEN", token.secret.as_str())];
        let mut spec = spec(&server.address(), "cfgctl");
        spec.limits = model::LimitOverrides::default();
        let environment: Variables = variables.iter().copied().collect();
        let target = Consul::connect(&"eu".parse().unwrap(), &spec, &environment, &PATIENCE);
        target.unwrap().health(&BTreeMap::new()).await.unwrap()
    };
    let fit =
        health(r#"key_prefix "cfgctl/" { policy = "write" } agent_prefix "" { policy = "read" }"#)
            .await;
    assert!(fit.server.starts_with("Consul "), "{}", fit.server);
    assert_eq!(fit.access, Access::Full);
    assert_eq!(fit.warnings, Vec::<String>::new());
    let read_only =
        health(r#"key_prefix "cfgctl/" { policy = "read" } agent_prefix "" { policy = "read" }"#)
            .await;
    assert_eq!(read_only.access, Access::ReadOnly);
    assert_eq!(
        read_only.warnings,
        ["the token may not write below `cfgctl/`"]
    );
    let nothing = health("").await;
    assert_eq!(nothing.server, "Consul");
    assert_eq!(nothing.access, Access::None);
    assert_eq!(nothing.limits, Limits::CONSUL);
    assert_eq!(nothing.warnings.len(), 3, "{:?}", nothing.warnings);
    assert!(
        server.kv_keys("").await.is_empty(),
        "looking changed nothing"
    );
}

#[tokio::test]
async fn a_killed_server_is_unreachable_at_once_and_nothing_is_unknown() {
    let server = Server::start().await;
    let target = connect(&server.address());
    server.kill();
    let start = Instant::now();
    let set = unique_set();
    let error = target.observe(&place(&set, "app")).await.unwrap_err();
    assert!(
        matches!(error, TargetError::Unreachable { .. }),
        "{error:?}"
    );
    let error = target.write(&blind(&set, "app")).await.unwrap_err();
    assert!(
        matches!(error, TargetError::Unreachable { .. }),
        "{error:?}"
    );
    let error = target.health(&BTreeMap::new()).await.unwrap_err();
    assert!(
        matches!(error, TargetError::Unreachable { .. }),
        "{error:?}"
    );
    assert!(
        start.elapsed() < Duration::from_secs(20),
        "{:?}",
        start.elapsed()
    );
    server.restart().await;
    create(&target, "app", &snapshot(&set, 1, &[]))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_hanging_server_ends_a_read_in_time_and_leaves_a_write_unknown() {
    let server = Server::start().await;
    let target = connect(&server.address());
    let set = unique_set();
    server.pause();
    let start = Instant::now();
    let error = target.observe(&place(&set, "app")).await.unwrap_err();
    assert!(
        matches!(error, TargetError::Unreachable { .. }),
        "{error:?}"
    );
    let error = target.write(&blind(&set, "app")).await.unwrap_err();
    assert!(matches!(error, TargetError::Unknown { .. }), "{error:?}");
    assert!(
        start.elapsed() < PATIENCE.request * 6,
        "{:?}",
        start.elapsed()
    );
    server.resume();
    // Whatever came of it: looking again tells, and all or nothing of it is there.
    let observed = target.observe(&place(&set, "app")).await.unwrap();
    let entries = usize::from(observed.snapshot.document().is_some());
    assert_eq!(observed.entries.len(), entries);
}

#[tokio::test]
async fn a_server_that_forgot_everything_takes_no_write_meant_for_what_was_there() {
    let server = Server::start().await;
    let target = connect(&server.address());
    let set = unique_set();
    create(&target, "app", &snapshot(&set, 1, &[("app/a", b"1")]))
        .await
        .unwrap();
    let observed = target.observe(&place(&set, "app")).await.unwrap();
    server.restart().await;
    let next = write(&observed, &snapshot(&set, 2, &[("app/a", b"2")]));
    let error = target.write(&next).await.unwrap_err();
    assert!(matches!(error, TargetError::Moved { .. }), "{error:?}");
    assert!(server.kv_keys("").await.is_empty());
}

#[tokio::test]
async fn tls_is_set_up_as_for_the_consul_command() {
    let server = Server::start_with_tls().await;
    let file = |name: &str| server.home().join(name).display().to_string();
    let authorities = server.home().join("authorities");
    std::fs::create_dir(&authorities).unwrap();
    std::fs::copy(file("ca.pem"), authorities.join("a.pem")).unwrap();
    let (authorities, ca) = (authorities.display().to_string(), file("ca.pem"));
    let (certificate, private) = (file("client.pem"), file("client.key"));
    let identity = [
        ("CONSUL_CLIENT_CERT", certificate.as_str()),
        ("CONSUL_CLIENT_KEY", private.as_str()),
    ];
    let health = async |address: &str, variables: &[(&str, &str)]| {
        let variables: Vec<_> = variables.iter().chain(&identity).copied().collect();
        connect_with(address, "cfgctl", &variables)
            .health(&BTreeMap::new())
            .await
    };
    let (address, ca) = (server.tls_address(), ("CONSUL_CACERT", ca.as_str()));
    let named = |name| ("CONSUL_TLS_SERVER_NAME", name);
    for fine in [
        &[ca][..],
        &[("CONSUL_CAPATH", authorities.as_str())],
        &[ca, named("server.dc1.consul")],
        &[("CONSUL_HTTP_SSL_VERIFY", "false")],
    ] {
        let health = health(&address, fine).await;
        assert!(health.is_ok(), "{fine:?}: {health:?}");
    }
    let elsewhere = address.replace("127.0.0.1", "127.0.0.2");
    for (address, refused) in [
        (&address, &[][..]),
        (&address, &[ca, named("other.dc1.consul")]),
        (&elsewhere, &[ca, named("server.dc1.consul")]),
    ] {
        let error = health(address, refused).await.unwrap_err();
        assert!(
            matches!(error, TargetError::Unreachable { .. }),
            "{error:?}"
        );
    }
    // Without a certificate of its own the server does not talk to us.
    let error = connect_with(&address, "cfgctl", &[ca])
        .health(&BTreeMap::new())
        .await;
    assert!(error.is_err(), "{error:?}");
}
