//! Stores that were written by the versions of cfgctl before this one.

use std::fs;
use std::path::Path;

use cfgctl::model::{RecordKind, Sequence};
use cfgctl::store::sqlite::Sqlite;
use cfgctl::store::{Store as _, Which};
use rusqlite::{Connection, OpenFlags};
use serde_json::{Value, json};

use crate::store_contract::fixture::{commit, id};
use crate::support::cli::Cfgctl;
use crate::support::transcript::root;

/// Made by the cfgctl that wrote format 3: two clusters, three sets, a rollback, a flag held in one
/// cluster, other labels, a tombstone, and an open breaker.
const FORMAT_3: &str = "fixtures/store/format-3.db";
/// The same store in format 4, made by the cfgctl that wrote it, which then switched the flag off
/// everywhere.
const FORMAT_4: &str = "fixtures/store/format-4.db";

/// The revisions of a store of an older format as its columns have them: resource, version, JSON.
fn raw(path: &Path) -> Vec<(String, u64, Value)> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let mut statement = connection
        .prepare(
            "SELECT kind || '/' || name, version, origin, content, overrides, provenance
                FROM revisions ORDER BY kind, name, version DESC",
        )
        .unwrap();
    let rows = statement.query_map([], |row| {
        let version: i64 = row.get(1)?;
        let mut revision = json!({"version": version});
        for (column, name) in ["origin", "content", "overrides", "provenance"]
            .iter()
            .enumerate()
        {
            if let Some(text) = row.get::<_, Option<String>>(column + 2)? {
                revision[*name] = serde_json::from_str(&text).unwrap();
            }
        }
        Ok((row.get(0)?, version.unsigned_abs(), revision))
    });
    rows.unwrap().map(Result::unwrap).collect()
}

async fn becomes_one_of_today(fixture: &str, revisions: usize) {
    let directory = tempfile::tempdir().unwrap();
    let old = root().join(fixture);
    let path = directory.path().join("store.db");
    fs::copy(&old, &path).unwrap();
    let store = Sqlite::open(&path).unwrap();
    let copy = directory.path().join("old.db");
    fs::copy(&old, &copy).unwrap();
    let before = raw(&copy);
    assert_eq!(before.len(), revisions);
    let heads = store.heads(&Which::All).await.unwrap().heads;
    for (name, version, revision) in &before {
        let history = store.history(&id(name), None, usize::MAX).await.unwrap();
        let found = history.iter().find(|found| found.version.get() == *version);
        assert_eq!(
            &serde_json::to_value(found).unwrap(),
            revision,
            "{name}@{version}"
        );
        assert_eq!(heads[&id(name)], history[0]);
    }
    assert_eq!(heads.len(), 5);

    let user_version = |path: &Path| -> i64 {
        let connection = Connection::open(path).unwrap();
        connection
            .pragma_query_value(None, "user_version", |row| row.get(0))
            .unwrap()
    };
    assert_eq!(user_version(&path), 5);
    store
        .commit(&commit(&[("set/search", 1, 2)]))
        .await
        .unwrap();
    let again = Sqlite::open(&path).unwrap();
    let history = again.history(&id("set/search"), None, 9).await.unwrap();
    assert_eq!(history.len(), 2);
    let tokens = again.records(RecordKind::Token).await.unwrap();
    assert_eq!(tokens.records.len(), 0);
}

#[tokio::test]
async fn a_store_of_format_3_becomes_one_of_today_with_the_same_history() {
    becomes_one_of_today(FORMAT_3, 11).await;
}

#[tokio::test]
async fn a_store_of_format_4_becomes_one_of_today_with_the_same_history() {
    becomes_one_of_today(FORMAT_4, 12).await;
}

#[tokio::test]
async fn the_log_of_format_4_is_that_of_today() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store.db");
    fs::copy(root().join(FORMAT_4), &path).unwrap();
    let connection = Connection::open(&path).unwrap();
    let sql = "SELECT sequence, at, key, audit, hex(digest) FROM commits ORDER BY sequence";
    let rows = |connection: &Connection| -> Vec<[Option<String>; 5]> {
        let mut statement = connection.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| {
            let sequence: i64 = row.get(0)?;
            let rest = [row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?];
            let [at, key, audit, digest] = rest;
            Ok([Some(sequence.to_string()), at, key, audit, digest])
        });
        rows.unwrap().map(Result::unwrap).collect()
    };
    let before = rows(&connection);
    let store = Sqlite::open(&path).unwrap();
    assert_eq!(rows(&connection), before);
    let log = store.commits(Sequence::START, 99).await.unwrap();
    assert_eq!((log.len(), before.len()), (8, 8));
    let last = log.last().unwrap();
    let key = last.key.as_ref().map(|key| key.as_str().to_owned());
    assert_eq!(key, before[7][2]);
    assert_eq!(
        last.audit.as_ref().unwrap()["by"]["principal"]["local"],
        "ops@laptop"
    );
    assert_eq!(
        store
            .made_under(last.key.as_ref().unwrap())
            .await
            .unwrap()
            .as_ref(),
        Some(last)
    );
}

#[test]
fn work_goes_on_in_a_store_of_format_3() {
    let user = Cfgctl::new().with("CFGCTL_STORE", "store.db");
    let path = user.directory().join("store.db");
    fs::copy(root().join(FORMAT_3), &path).unwrap();
    // It was made in a directory that is not here.
    let here = user.directory().display();
    let moved = format!(
        "DROP TRIGGER revisions_are_not_changed;
         UPDATE revisions SET content = replace(content, '/srv/shop', '{here}')"
    );
    Connection::open(&path)
        .unwrap()
        .execute_batch(&moved)
        .unwrap();
    user.ok(&["apply", "--resume", "--yes"]);
    let read = |cluster: &str| {
        let path = format!("out/{cluster}/checkout/config/checkout/data");
        fs::read_to_string(user.directory().join(path)).unwrap()
    };
    assert!(read("us-east").contains("provider: adyen"));
    user.ok(&[
        "breaker",
        "reset",
        "checkout/payment-provider",
        "-m",
        "it is over",
        "--yes",
    ]);
    assert!(read("us-east").contains("provider: stripe"));
    user.ok(&["rollback", "checkout", "--to", "2", "--yes"]);
    assert!(read("eu-west").contains("timeoutMs: 2000"));
    user.ok(&["rollback", "legacy", "--to", "1", "--yes"]);
    let history = user.ok(&["history", "checkout", "-o", "json"]);
    let history: Value = serde_json::from_str(&history).unwrap();
    let versions: Vec<_> = history["revisions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["version"].as_u64().unwrap())
        .collect();
    assert_eq!(versions, [7, 6, 5, 4, 3, 2, 1]);
}

#[test]
fn a_damaged_store_of_format_3_is_not_sealed() {
    let directory = tempfile::tempdir().unwrap();
    for (nth, sql) in [
        "UPDATE revisions SET content = '{' WHERE name = 'search'",
        "UPDATE heads SET version = 2 WHERE name = 'checkout'",
        "DELETE FROM heads WHERE name = 'checkout'",
        "UPDATE revisions SET commit_id = 7 WHERE name = 'checkout' AND version = 1",
        "UPDATE revisions SET kind = 'sot' WHERE name = 'search'",
    ]
    .iter()
    .enumerate()
    {
        let path = directory.path().join(format!("{nth}.db"));
        fs::copy(root().join(FORMAT_3), &path).unwrap();
        let connection = Connection::open(&path).unwrap();
        let sql = format!(
            "PRAGMA foreign_keys = OFF; DROP TRIGGER revisions_are_not_changed;
             DROP TRIGGER heads_only_grow; DROP TRIGGER heads_are_not_deleted; {sql}"
        );
        connection.execute_batch(&sql).unwrap();
        drop(connection);
        let error = Sqlite::open(&path).unwrap_err();
        assert!(
            matches!(error, cfgctl::store::StoreError::Damaged { .. }),
            "{sql}: {error}"
        );
        let format: i64 = Connection::open(&path)
            .unwrap()
            .pragma_query_value(None, "user_version", |row| row.get(0))
            .unwrap();
        assert_eq!(format, 3);
    }
}

/// The clusters of the fixture deliver to a directory that is not here, and nothing of a sealed store
/// can be told otherwise: its clusters are declared anew.
#[test]
fn work_goes_on_in_a_store_of_format_4() {
    let user = Cfgctl::new().with("CFGCTL_STORE", "store.db");
    let path = user.directory().join("store.db");
    fs::copy(root().join(FORMAT_4), &path).unwrap();
    let history = user.ok(&["history", "checkout", "-o", "json"]);
    let history: Value = serde_json::from_str(&history).unwrap();
    assert_eq!(history["revisions"].as_array().unwrap().len(), 6);
    user.write(
        "here.yaml",
        "apiVersion: cfgctl.dev/v1\nkind: Cluster\nmetadata: {name: here, labels: {stage: prod}}\n\
         spec: {directory: {path: out}}\n",
    );
    let only = ["-l", "!region"];
    user.ok(&[&["apply", "-f", "here.yaml", "--yes"], &only[..]].concat());
    let read = || fs::read_to_string(user.directory().join("out/checkout/config/checkout/data"));
    assert!(read().unwrap().contains("provider: adyen"));
}
