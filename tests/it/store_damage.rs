//! A store in which bits have flipped: what it says is what was written, or an error, and nothing
//! that was not committed is ever delivered.

use std::fs;
use std::path::{Path, PathBuf};

use cfgctl::model::{Heads, RecordKind, ResourceId, Revision, Sequence};
use cfgctl::store::sqlite::Sqlite;
use cfgctl::store::{RecordsAt, Store, StoreError, Which};
use rusqlite::Connection;

use crate::store_contract::fixture::{commit, id};
use crate::store_contract::records::{change, record, token};
use crate::support::cli::Cfgctl;

const MANIFESTS: &str = r"
apiVersion: cfgctl.dev/v1
kind: Cluster
metadata: {name: eu, labels: {stage: prod}}
spec: {directory: {path: out}}
---
apiVersion: cfgctl.dev/v1
kind: ConfigSet
metadata: {name: shop}
spec:
  values: {payment: {provider: stripe, timeoutMs: 1500}}
  flags: {express: true}
  breakers:
    provider: {trip: {values: {payment: {provider: adyen}}, flags: {express: false}}}
  publish: [{spring: {context: config/shop}}]
";
/// What the application reads.
const PUBLISHED: &str = "out/shop/config/shop/data";

/// A user who has committed several revisions, and what the application then reads.
struct Shop {
    user: Cfgctl,
    store: PathBuf,
    bytes: Vec<u8>,
    published: String,
}

impl Shop {
    fn new() -> Self {
        let user = Cfgctl::new().with("CFGCTL_STORE", "store.db");
        user.write("shop.yaml", &MANIFESTS.replace("1500", "1000"));
        user.ok(&["apply", "-f", "shop.yaml", "--yes"]);
        user.write("shop.yaml", MANIFESTS);
        user.ok(&["apply", "-f", "shop.yaml", "--yes"]);
        user.ok(&["flag", "set", "shop/express", "off", "-m", "x", "--yes"]);
        let store = user.directory().join("store.db");
        Self {
            bytes: fs::read(&store).unwrap(),
            published: fs::read_to_string(user.directory().join(PUBLISHED)).unwrap(),
            store,
            user,
        }
    }

    /// Puts these bytes where the store was, and nothing where it delivers to.
    fn with(&self, bytes: &[u8]) {
        for beside in ["store.db-wal", "store.db-shm"] {
            _ = fs::remove_file(self.user.directory().join(beside));
        }
        _ = fs::remove_dir_all(self.user.directory().join("out"));
        fs::write(&self.store, bytes).unwrap();
    }

    fn published(&self) -> Option<String> {
        fs::read_to_string(self.user.directory().join(PUBLISHED)).ok()
    }
}

/// Replaces a text wherever it stands.
fn replaced(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let places: Vec<usize> = (0..bytes.len() - from.len())
        .filter(|at| bytes[*at..].starts_with(from))
        .collect();
    assert!(!places.is_empty());
    for at in places {
        bytes[at..at + to.len()].copy_from_slice(to);
    }
    bytes
}

#[test]
fn a_flipped_bit_of_a_value_is_damage_and_is_delivered_nowhere() {
    let shop = Shop::new();
    shop.with(&replaced(&shop.bytes, b"1500", b"9500"));
    let damaged = fs::read(&shop.store).unwrap();
    for line in [
        "apply --resume --yes",
        "apply -f shop.yaml --yes",
        "diff -f shop.yaml",
        "status",
        "drift",
        "drift --repair --yes",
        "get shop",
        "show shop",
        "explain shop",
        "history shop",
        "rollback shop --yes",
        "delete shop --yes",
        "flag list",
        "flag unset shop/express -m x --yes",
        "breaker trip shop/provider -m x --yes",
    ] {
        let words: Vec<&str> = line.split(' ').collect();
        let ran = shop.user.run(&words);
        assert_eq!(ran.code, Some(7), "{line}\n{}{}", ran.stdout, ran.stderr);
        assert!(
            ran.stderr.contains("damaged: set/shop version "),
            "{line}\n{}",
            ran.stderr
        );
        assert_eq!(shop.published(), None, "{line}");
        assert_eq!(fs::read(&shop.store).unwrap(), damaged, "{line}");
    }
}

#[test]
fn what_is_published_from_a_store_with_any_flipped_bit_was_committed() {
    const FLIPS: usize = 80;
    let shop = Shop::new();
    shop.with(&shop.bytes);
    shop.user
        .ok(&["breaker", "trip", "shop/provider", "-m", "x", "--yes"]);
    let tripped = shop.published().unwrap();
    assert_ne!(tripped, shop.published);

    let mut random = fastrand::Rng::with_seed(8);
    let mut refused = 0;
    for _ in 0..FLIPS {
        let (at, bit) = (random.usize(..shop.bytes.len()), random.u8(..8));
        let mut bytes = shop.bytes.clone();
        bytes[at] ^= 1 << bit;
        shop.with(&bytes);
        let run = |line: &str| {
            let words: Vec<&str> = line.split(' ').collect();
            let ran = shop.user.run(&words);
            let code = ran.code.unwrap_or(-1);
            assert!(
                [0, 2, 7].contains(&code),
                "byte {at} bit {bit}: {line}\n{}",
                ran.stderr
            );
            code == 0
        };
        let resumed = run("apply --resume --yes");
        let expected = resumed.then(|| shop.published.clone());
        assert_eq!(shop.published(), expected, "byte {at} bit {bit}");
        run("status");
        let held = shop.published();
        if run("breaker trip shop/provider -m x --yes") {
            assert_eq!(
                shop.published().as_ref(),
                Some(&tripped),
                "byte {at} bit {bit}"
            );
        } else {
            assert_eq!(shop.published(), held, "byte {at} bit {bit}");
            refused += 1;
        }
    }
    assert!(refused > 0, "no bit that mattered");
}

/// Everything that a store says.
type Said = (Heads, Vec<Vec<Revision>>, RecordsAt);

async fn said(store: &dyn Store, ids: &[ResourceId]) -> Result<Said, StoreError> {
    let heads = store.heads(&Which::All).await?.heads;
    let mut histories = Vec::new();
    for id in ids {
        histories.push(store.history(id, None, usize::MAX).await?);
    }
    Ok((heads, histories, store.records(RecordKind::Token).await?))
}

#[tokio::test]
async fn a_store_with_any_flipped_bit_says_what_was_written_or_nothing() {
    const FLIPS: usize = 1_000;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store.db");
    let ids = ["cluster/eu", "set/a", "set/b"].map(id);
    let mut next = commit(&[("set/a", 3, 4), ("cluster/eu", 1, 2)]);
    next.records = change(1, 1, Some(token("b"))).records;
    {
        let store = Sqlite::create(&path).unwrap();
        for (from, to) in [(0, 1), (1, 2), (2, 3)] {
            let mut change = commit(&[("set/a", from, to)]);
            if from == 0 {
                change = commit(&[("set/a", 0, 1), ("set/b", 0, 1), ("cluster/eu", 0, 1)]);
                change.records = self::change(1, 0, Some(token("a"))).records;
            }
            store.commit(&change).await.unwrap();
        }
    }
    let bytes = fs::read(&path).unwrap();
    let before = said(&Sqlite::create(&path).unwrap(), &ids).await.unwrap();
    Sqlite::create(&path).unwrap().commit(&next).await.unwrap();
    let after = said(&Sqlite::create(&path).unwrap(), &ids).await.unwrap();

    let mut random = fastrand::Rng::with_seed(18);
    let (mut whole, mut damaged) = (0, 0);
    for round in 0..FLIPS {
        let (at, bit) = (random.usize(..bytes.len()), random.u8(..8));
        let path = directory.path().join(format!("{round}.db"));
        let mut flipped = bytes.clone();
        flipped[at] ^= 1 << bit;
        fs::write(&path, &flipped).unwrap();
        let outcome = match Sqlite::create(&path) {
            Ok(store) => reads_and_writes(&store, &ids, &before, &next, &after).await,
            Err(error) => Err(error),
        };
        match outcome {
            Ok(()) => whole += 1,
            Err(StoreError::HeadsMoved(moved)) => panic!("byte {at} bit {bit}: {moved:?}"),
            Err(StoreError::RecordsMoved(moved)) => panic!("byte {at} bit {bit}: {moved:?}"),
            Err(StoreError::Invalid { id, reason }) => panic!("{at} {bit}: {id} {reason}"),
            Err(_) => damaged += 1,
        }
        for beside in ["", "-wal", "-shm"] {
            _ = fs::remove_file(directory.path().join(format!("{round}.db{beside}")));
        }
    }
    assert!(whole > 0 && damaged > 0, "{whole} {damaged}");
}

async fn reads_and_writes(
    store: &dyn Store,
    ids: &[ResourceId],
    before: &Said,
    next: &cfgctl::model::Commit,
    after: &Said,
) -> Result<(), StoreError> {
    assert_eq!(&said(store, ids).await?, before);
    store.commit(next).await?;
    assert_eq!(&said(store, ids).await?, after);
    Ok(())
}

/// Changes a store as somebody with a database tool does.
fn harm(path: &Path, sql: &str) {
    let connection = Connection::open(path).unwrap();
    for trigger in [
        "commits_are_not_changed",
        "commits_are_not_deleted",
        "revisions_are_not_changed",
        "revisions_are_not_deleted",
        "heads_only_grow",
        "heads_are_not_deleted",
    ] {
        connection
            .execute_batch(&format!("DROP TRIGGER IF EXISTS {trigger}"))
            .unwrap();
    }
    connection
        .execute_batch(&format!("PRAGMA foreign_keys = OFF; {sql}"))
        .unwrap();
}

/// What is done to a store, and what the damage is then said to be in.
const HARM: &[(&str, &str)] = &[
    (
        "UPDATE heads SET version = 2 WHERE name = 'shop'",
        "set/shop version 2",
    ),
    (
        "UPDATE heads SET version = 4 WHERE name = 'shop'",
        "set/shop version 4",
    ),
    (
        "UPDATE heads SET name = 'shoq' WHERE name = 'shop'",
        "set/shoq version 3|set/shop version 3",
    ),
    (
        "UPDATE heads SET kind = 'SET' WHERE name = 'shop'",
        "SET/shop|set/shop version 3",
    ),
    (
        "UPDATE heads SET digest = zeroblob(32)",
        "cluster/eu version 1",
    ),
    (
        "UPDATE heads SET due = 1 WHERE name = 'shop'",
        "ends at another time",
    ),
    (
        "DELETE FROM heads WHERE name = 'shop'",
        "set/shop version 3",
    ),
    (
        "DELETE FROM heads WHERE name = 'eu'",
        "cluster/eu version 1",
    ),
    (
        "UPDATE heads SET (version, digest) =
                (SELECT version, digest FROM revisions WHERE name = 'shop' AND version = 2)
                WHERE name = 'shop'",
        "set/shop version 3",
    ),
    (
        "DELETE FROM revisions WHERE version = 3",
        "set/shop version 3",
    ),
    ("DELETE FROM commits WHERE sequence = 3", "commit 3"),
    ("DELETE FROM commits WHERE sequence = 2", "commit 2"),
    (
        "UPDATE commits SET at = '2000-01-01T00:00:00Z' WHERE sequence = 3",
        "commit 3",
    ),
    (
        "UPDATE commits SET sequence = 9 WHERE sequence = 3",
        "commit 9",
    ),
    (
        "UPDATE revisions SET origin = replace(origin, 'ops', 'oqs')",
        "version ",
    ),
    (
        "UPDATE revisions SET provenance = NULL WHERE version = 3",
        "set/shop version 3",
    ),
    (
        "UPDATE revisions SET overrides = NULL WHERE version = 3",
        "set/shop version 3",
    ),
    (
        "UPDATE revisions SET sequence = 2 WHERE version = 3",
        "set/shop version 3",
    ),
    (
        "UPDATE revisions SET version = 9223372036854775807 WHERE version = 3;
             UPDATE heads SET version = 9223372036854775807 WHERE name = 'shop'",
        "set/shop version 9223372036854775807",
    ),
    (
        "UPDATE commits SET sequence = 9223372036854775807 WHERE sequence = 3;
             UPDATE revisions SET sequence = 9223372036854775807 WHERE sequence = 3",
        "commit 9223372036854775807",
    ),
];

#[test]
fn rows_that_were_changed_moved_or_taken_away_are_damage() {
    let shop = Shop::new();
    for (sql, named) in HARM {
        shop.with(&shop.bytes);
        harm(&shop.store, sql);
        for line in [
            "apply --resume --yes",
            "status",
            "breaker trip shop/provider -m x --yes",
            "apply -f shop.yaml --yes",
        ] {
            let words: Vec<&str> = line.split(' ').collect();
            let ran = shop.user.run(&words);
            assert_eq!(
                ran.code,
                Some(7),
                "{sql}: {line}\n{}{}",
                ran.stdout,
                ran.stderr
            );
            assert!(
                ran.stderr.contains("is damaged: "),
                "{sql}: {line}\n{}",
                ran.stderr
            );
            // Who looks for one set alone finds that one missing.
            let is_named = named.split('|').any(|named| ran.stderr.contains(named));
            assert!(is_named, "{sql}: {line}\n{}", ran.stderr);
            assert_eq!(shop.published(), None, "{sql}: {line}");
        }
    }
}

#[test]
fn a_history_from_which_a_revision_was_taken_is_damage() {
    let shop = Shop::new();
    harm(&shop.store, "DELETE FROM revisions WHERE version = 2");
    for line in [
        "history shop",
        "history shop --limit 1",
        "rollback shop --yes",
    ] {
        let words: Vec<&str> = line.split(' ').collect();
        let ran = shop.user.run(&words);
        assert_eq!(ran.code, Some(7), "{line}\n{}{}", ran.stdout, ran.stderr);
        assert!(
            ran.stderr
                .contains("set/shop version 3: the revision before it"),
            "{line}\n{}",
            ran.stderr
        );
    }
}

/// What is done to records, of which the first was removed, the second changed in commit 4, and the
/// third never.
const HARM_TO_RECORDS: &[&str] = &[
    "DELETE FROM records WHERE id = '0000000002'",
    "DELETE FROM records",
    "UPDATE records SET content = replace(content, 'ops', 'oqs') WHERE id = '0000000002'",
    "UPDATE records SET digest = zeroblob(32)",
    "UPDATE records SET until = 9999999999 WHERE id = '0000000003'",
    "UPDATE records SET id = '0000000004' WHERE id = '0000000003'",
    "UPDATE records SET id = 'X' WHERE id = '0000000003'",
    "UPDATE records SET kind = 'tokem' WHERE id = '0000000003'",
    "UPDATE records SET sequence = 3 WHERE id = '0000000002'",
    "UPDATE records SET sequence = 99 WHERE id = '0000000002'",
    "UPDATE commits SET records = NULL WHERE sequence = 5",
    "UPDATE commits SET records = replace(records, '0000000001', '0000000003') WHERE sequence = 5",
    "UPDATE commits SET records = '{}' WHERE sequence = 5",
    "DELETE FROM commits WHERE sequence = 5",
    // One that was revoked comes back as it was.
    "INSERT INTO records SELECT kind, id, sequence, until, content, digest, used FROM old.records
        WHERE id = '0000000001'",
    // And the older state of one comes back.
    "DELETE FROM records WHERE id = '0000000002'; INSERT INTO records
        SELECT kind, id, sequence, until, content, digest, used FROM old.records
        WHERE id = '0000000002'",
];

#[tokio::test]
async fn records_that_were_changed_brought_back_or_taken_away_are_damage() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let copy = |to: &str| {
        let connection = Connection::open(path("store.db")).unwrap();
        let to = path(to);
        connection
            .execute("VACUUM INTO ?1", [to.to_str().unwrap()])
            .unwrap();
    };
    let store = Sqlite::create(&path("store.db")).unwrap();
    for nth in 1..=3 {
        store
            .commit(&change(nth, 0, Some(token("a"))))
            .await
            .unwrap();
    }
    copy("old.db");
    store.commit(&change(2, 2, Some(token("b")))).await.unwrap();
    store.commit(&change(1, 1, None)).await.unwrap();
    for (nth, sql) in HARM_TO_RECORDS.iter().enumerate() {
        let name = format!("{nth}.db");
        copy(&name);
        let old = path("old.db");
        harm(
            &path(&name),
            &format!("ATTACH '{}' AS old; {sql}", old.display()),
        );
        let store = Sqlite::open(&path(&name)).unwrap();
        let all = store.records(RecordKind::Token).await.map(|_| ());
        let log = store.commits(Sequence::START, 99).await.map(|_| ());
        let both = all.and(log);
        assert!(
            matches!(both, Err(StoreError::Damaged { .. })),
            "{sql}: {both:?}"
        );
    }
    // When one was used is nobody's secret, and sealed by nobody.
    harm(&path("store.db"), "UPDATE records SET used = 7");
    assert!(
        store
            .record(&record(3))
            .await
            .unwrap()
            .unwrap()
            .used
            .is_some()
    );
}

#[tokio::test]
async fn there_is_no_version_after_the_greatest() {
    const GREATEST: u64 = i64::MAX.unsigned_abs();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store.db");
    let store = Sqlite::create(&path).unwrap();
    store
        .commit(&commit(&[("set/a", 0, GREATEST)]))
        .await
        .unwrap();
    let head = &store.heads(&Which::All).await.unwrap().heads[&id("set/a")];
    assert_eq!(head.version.get(), GREATEST);
    let next = commit(&[("set/a", GREATEST, head.version.next().get())]);
    let error = store.commit(&next).await.unwrap_err();
    assert!(matches!(error, StoreError::Exhausted { .. }), "{error}");
}
