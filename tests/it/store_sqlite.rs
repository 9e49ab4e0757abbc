//! What only a store in a file can show: foreign files, other formats, modes, damage.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;

use cfgctl::store::sqlite::Sqlite;
use cfgctl::store::{Missing, Store, StoreError, Which, open};
use rusqlite::Connection;

use crate::store_contract::fixture::{commit, id, revision};
use crate::store_processes::{command, said, tell};

/// A user that owns nothing: `nobody`.
const NOBODY: u32 = 65534;

fn refusal(path: &Path) -> String {
    match Sqlite::create(path) {
        Err(StoreError::Location { reason, .. }) => reason,
        other => panic!("{other:?}"),
    }
}

/// The names in a directory, and what the files hold.
fn listing(directory: &Path) -> Vec<(std::ffi::OsString, Vec<u8>)> {
    let entries = fs::read_dir(directory).unwrap().map(Result::unwrap);
    let mut listing: Vec<_> = entries
        .map(|entry| (entry.file_name(), fs::read(entry.path()).unwrap()))
        .collect();
    listing.sort();
    listing
}

#[test]
fn a_file_of_another_program_is_refused_and_left_as_it_was() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    fs::write(path("a text"), "apiVersion: cfgctl.dev/v1\n".repeat(400)).unwrap();
    fs::write(path("short"), "x").unwrap();
    let foreign = [
        ("plain", "CREATE TABLE t (x); PRAGMA user_version = 0;"),
        ("marked", "PRAGMA application_id = 7;"),
        ("numbered", "PRAGMA user_version = 1;"),
        (
            "wal ?#%41",
            "PRAGMA journal_mode = WAL; CREATE TABLE t (x);",
        ),
    ];
    for (name, sql) in foreign {
        let connection = Connection::open(path(name)).unwrap();
        connection.execute_batch(sql).unwrap();
    }
    let before = listing(directory.path());
    for name in ["a text", "short"] {
        assert_eq!(refusal(&path(name)), "it is not a SQLite file", "{name}");
    }
    for (name, _) in foreign {
        let reason = "it is the SQLite database of another program";
        assert_eq!(refusal(&path(name)), reason, "{name}");
    }
    assert_eq!(listing(directory.path()), before);
}

#[test]
fn a_place_that_is_no_file_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let reason = "it is a directory; name a file in it";
    assert_eq!(refusal(directory.path()), reason);
    assert_eq!(refusal(Path::new("/")), reason);
    assert_eq!(refusal(Path::new("/dev/null")), "it is not a regular file");

    let file = directory.path().join("file");
    fs::write(&file, "").unwrap();
    let below = refusal(&file.join("store.db"));
    assert!(below.starts_with("it cannot be read: "), "{below}");

    let link = directory.path().join("link");
    std::os::unix::fs::symlink("nowhere", &link).unwrap();
    let dangling = refusal(&link);
    assert!(dangling.starts_with("it cannot be created: "), "{dangling}");
}

#[test]
fn many_threads_may_make_one_store_at_once() {
    let directory = tempfile::tempdir().unwrap();
    for round in 0..10 {
        let path = directory.path().join(format!("{round}/deep/store.db"));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| Sqlite::create(&path).unwrap());
            }
        });
    }
}

#[test]
fn a_store_of_a_newer_format_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store.db");
    drop(Sqlite::create(&path).unwrap());
    let connection = Connection::open(&path).unwrap();
    connection
        .pragma_update(None, "user_version", 1000)
        .unwrap();
    drop(connection);
    let error = Sqlite::create(&path).unwrap_err();
    assert!(
        matches!(error, StoreError::Newer { found: 1000, .. }),
        "{error}"
    );
}

#[tokio::test]
async fn a_store_that_was_migrated_under_us_is_not_written_to() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store.db");
    let store = Sqlite::create(&path).unwrap();
    let newer = Connection::open(&path).unwrap();
    newer.pragma_update(None, "user_version", 1000).unwrap();
    let error = store.commit(&commit(&[("set/a", 0, 1)])).await;
    assert!(matches!(error, Err(StoreError::Newer { .. })), "{error:?}");
}

#[tokio::test]
async fn what_is_made_is_for_its_owner_alone_and_what_exists_keeps_its_mode() {
    let directory = tempfile::tempdir().unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let path = directory.path().join("a/b/store.db");
    let store = Sqlite::create(&path).unwrap();
    store.commit(&commit(&[("set/a", 0, 1)])).await.unwrap();
    assert_eq!(mode(&directory.path().join("a")), 0o700);
    assert_eq!(mode(&directory.path().join("a/b")), 0o700);
    assert_eq!(mode(&path), 0o600);
    assert_eq!(mode(&path.with_extension("db-wal")), 0o600);
    drop(store);

    let shared = directory.path().join("shared.db");
    drop(Sqlite::create(&shared).unwrap());
    fs::set_permissions(&shared, fs::Permissions::from_mode(0o664)).unwrap();
    drop(Sqlite::create(&shared).unwrap());
    assert_eq!(mode(&shared), 0o664);
}

#[tokio::test]
async fn what_cannot_be_written_is_read_and_a_commit_is_refused_with_the_reason() {
    let directory = tempfile::tempdir().unwrap();
    let set_mode = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    set_mode(directory.path(), 0o755);
    let file = directory.path().join("file");
    let sealed = directory.path().join("sealed");
    for (place, mode) in [(&file, 0o777), (&sealed, 0o777)] {
        let store = Sqlite::create(&place.join("store.db")).unwrap();
        store.commit(&commit(&[("set/a", 0, 1)])).await.unwrap();
        drop(store);
        set_mode(place, mode);
    }
    set_mode(&file.join("store.db"), 0o444);
    set_mode(&sealed.join("store.db"), 0o666);
    set_mode(&sealed, 0o555);

    let told = |path: &Path, role: &str| {
        let mut command = command();
        if rustix::process::geteuid().is_root() {
            // Modes mean nothing to root.
            command.uid(NOBODY).gid(NOBODY);
        }
        let mut child = command.spawn().unwrap();
        tell(&mut child, role, path);
        let output = child.wait_with_output().unwrap();
        let output = String::from_utf8(output.stdout).unwrap();
        said(&output).join("; ")
    };
    // It can still be read.
    let found = told(&file.join("store.db"), "read and commit");
    assert!(found.starts_with("1 heads; "), "{found}");
    assert!(found.contains("it cannot be written: "), "{found}");
    let found = told(&sealed.join("store.db"), "read and commit");
    assert!(found.starts_with("1 heads; "), "{found}");
    assert!(found.contains("its directory cannot be written"), "{found}");
    let refused = |path: &Path| told(path, "open");
    let found = refused(&sealed.join("new.db"));
    assert!(found.contains("it cannot be created: "), "{found}");
    let found = refused(&sealed.join("new/store.db"));
    assert!(
        found.contains("its directory cannot be created: "),
        "{found}"
    );
    set_mode(&sealed, 0o755);
}

#[tokio::test]
async fn a_damaged_revision_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store.db");
    let location = format!("sqlite:{}", path.display());
    let store = open(&location, Missing::Create).await.unwrap();
    store
        .commit(&commit(&[("set/a", 0, 3), ("set/b", 0, 1)]))
        .await
        .unwrap();
    let connection = Connection::open(&path).unwrap();
    let harm = |sql: &str| {
        connection
            .execute_batch(&format!(
                "DROP TRIGGER IF EXISTS revisions_are_not_changed; {sql}"
            ))
            .unwrap();
    };
    harm("UPDATE revisions SET content = '{\"set\":' WHERE name = 'a'");
    let error = store.heads(&Which::All).await.unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error:?}");
    let text = error.to_string();
    assert!(text.contains("set/a version 3: its content"), "{text}");
    assert!(store.history(&id("set/a"), None, 1).await.is_err());
    assert!(store.history(&id("set/b"), None, 1).await.is_ok());

    harm("UPDATE revisions SET content = zeroblob(20000000) || '' WHERE name = 'a'");
    let error = store.heads(&Which::All).await.unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error:?}");
}

#[test]
fn revisions_cannot_be_changed_or_deleted_and_heads_only_grow() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store.db");
    let store = Sqlite::create(&path).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime
        .block_on(store.commit(&commit(&[("set/a", 0, 2)])))
        .unwrap();
    let connection = Connection::open(&path).unwrap();
    for sql in [
        "UPDATE revisions SET content = '{}'",
        "DELETE FROM revisions",
        "UPDATE heads SET version = 1",
        "DELETE FROM heads",
    ] {
        assert!(connection.execute(sql, []).is_err(), "{sql}");
    }
}

#[tokio::test]
async fn what_would_not_read_back_is_not_written() {
    let directory = tempfile::tempdir().unwrap();
    let store = Sqlite::create(&directory.path().join("store.db")).unwrap();
    let set = id("set/a");
    let mut deep = serde_json::Value::Null;
    for _ in 0..200 {
        deep = serde_json::Value::Array(vec![deep]);
    }
    let mut change = commit(&[("set/a", 0, 1)]);
    let mut nested = revision(&set, 1, "");
    if let cfgctl::model::Content::Set(content) = &mut nested.content {
        let content = std::sync::Arc::make_mut(content);
        content.values.insert("deep".to_owned(), deep);
    }
    for refused in [nested, revision(&set, 1, &"x".repeat(16 * 1024 * 1024))] {
        change.revisions.insert(set.clone(), refused);
        let error = store.commit(&change).await.unwrap_err();
        assert!(matches!(error, StoreError::Invalid { .. }), "{error}");
    }
    assert!(store.heads(&Which::All).await.unwrap().heads.is_empty());
}

#[test]
fn an_empty_file_is_no_empty_store() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store.db");
    fs::write(&path, "").unwrap();
    for open in [Sqlite::open, Sqlite::create] {
        let error = open(&path).unwrap_err();
        assert!(matches!(error, StoreError::Damaged { .. }), "{error:?}");
    }
    assert_eq!(fs::read(&path).unwrap(), b"");

    let database = directory.path().join("database.db");
    Connection::open(&database)
        .unwrap()
        .execute_batch("CREATE TABLE t (x); DROP TABLE t")
        .unwrap();
    let before = fs::read(&database).unwrap();
    assert_eq!(
        refusal(&database),
        "it is an empty SQLite database, and no store"
    );
    assert_eq!(fs::read(&database).unwrap(), before);
}

#[tokio::test]
async fn a_store_is_made_by_its_first_commit_and_by_nothing_before() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a/store.db");
    let location = path.display().to_string();
    let refused = open(&location, Missing::Refuse).await.unwrap_err();
    assert!(matches!(refused, StoreError::Absent { .. }), "{refused:?}");
    let store = open(&location, Missing::Create).await.unwrap();
    let other = open(&location, Missing::Create).await.unwrap();
    assert!(store.heads(&Which::All).await.unwrap().heads.is_empty());
    assert_eq!(store.history(&id("set/a"), None, 1).await.unwrap(), []);
    assert!(store.commit(&commit(&[("set/a", 1, 2)])).await.is_err());
    store.commit(&commit(&[("set/a", 0, 0)])).await.unwrap();
    assert!(!store.exists());
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);

    store.commit(&commit(&[("set/a", 0, 1)])).await.unwrap();
    assert!(store.exists());
    assert_eq!(other.heads(&Which::All).await.unwrap().heads.len(), 1);
    let late = other.commit(&commit(&[("set/a", 0, 1)])).await;
    assert!(matches!(late, Err(StoreError::HeadsMoved(_))), "{late:?}");
}
