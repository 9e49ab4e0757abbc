//! How the file of a store is opened, written and shared.

use super::connection::journal_mode;
use super::*;

fn site() -> (tempfile::TempDir, Site) {
    let directory = tempfile::tempdir().unwrap();
    let site = Site::new(&directory.path().join("store.db")).unwrap();
    file::find_or_create(&site).unwrap();
    (directory, site)
}

fn open(site: &Site, journal: Journal) -> Sqlite {
    Sqlite::open_with(site.clone(), Access::Full(journal)).unwrap()
}

fn on_connection<T>(store: &Sqlite, work: impl FnOnce(&Connection) -> T) -> T {
    let connection = store.shared.writer.as_ref().unwrap().lock().unwrap();
    work(&connection)
}

fn mode(store: &Sqlite) -> String {
    on_connection(store, journal_mode).unwrap()
}

/// The set `a`, from one version to the next, with a text of `bytes`.
fn change(from: u64, bytes: usize) -> Commit {
    let id: ResourceId = "set/a".parse().unwrap();
    let revision = serde_json::json!({
        "version": from + 1,
        "origin": {"actor": "a", "at": "2026-11-21T02:14:00Z", "cause": "apply"},
        "content": {"set": {"values": {"text": "x".repeat(bytes)}}},
    });
    Commit {
        expected: [(id.clone(), Version::new(from))].into(),
        revisions: [(id, serde_json::from_value(revision).unwrap())].into(),
        ..Commit::default()
    }
}

fn head(store: &Sqlite) -> Option<u64> {
    let heads = store.shared.heads(&Which::All).unwrap().heads;
    heads.values().next().map(|head| head.version.get())
}

#[test]
fn a_store_without_wal_keeps_commits_apart_as_well() {
    let (_directory, site) = site();
    let (one, two) = (open(&site, Journal::Delete), open(&site, Journal::Delete));
    for from in 0..5 {
        let change = change(from, 1);
        let outcomes = std::thread::scope(|scope| {
            let racers = [&one, &two].map(|store| scope.spawn(|| store.shared.commit(&change)));
            racers.map(|racer| racer.join().unwrap().is_ok())
        });
        assert_ne!(outcomes[0], outcomes[1]);
        assert_eq!((head(&one), head(&two)), (Some(from + 1), Some(from + 1)));
    }
    assert_eq!((mode(&one), mode(&two)), ("delete".into(), "delete".into()));
    assert!(!site.path.with_extension("db-wal").exists());
}

#[test]
fn a_file_that_moves_between_file_systems_changes_its_journal() {
    let (_directory, site) = site();
    for (from, journal, expected) in [
        (0, Journal::Wal, "wal"),
        (1, Journal::Delete, "delete"),
        (2, Journal::Wal, "wal"),
    ] {
        let store = open(&site, journal);
        assert_eq!(mode(&store), expected);
        store.shared.commit(&change(from, 1)).unwrap();
        assert_eq!(head(&store), Some(from + 1));
    }
}

#[test]
fn a_file_that_others_use_with_wal_is_not_taken_out_of_it() {
    let (_directory, site) = site();
    let local = open(&site, Journal::Wal);
    local.shared.commit(&change(0, 1)).unwrap();
    let shared = connection::connect(&site).unwrap();
    shared.busy_timeout(Duration::ZERO).unwrap();
    assert!(leave_wal(&shared).is_err());
    drop(shared);
    local.shared.commit(&change(1, 1)).unwrap();
    assert_eq!((mode(&local), head(&local)), ("wal".into(), Some(2)));
}

#[test]
fn every_connection_waits_for_the_disk_and_trusts_no_schema() {
    let (_directory, site) = site();
    let store = open(&site, Journal::Wal);
    for (pragma, expected) in [
        ("synchronous", 3),
        ("foreign_keys", 1),
        ("trusted_schema", 0),
        ("cell_size_check", 1),
        ("busy_timeout", 10_000),
    ] {
        let found: i64 = on_connection(&store, |connection| {
            connection.pragma_query_value(None, pragma, |row| row.get(0))
        })
        .unwrap();
        assert_eq!(found, expected, "{pragma}");
    }
}

#[test]
fn a_full_disk_leaves_everything_as_it_was() {
    let (_directory, site) = site();
    let store = open(&site, Journal::Wal);
    store.shared.commit(&change(0, 1)).unwrap();
    on_connection(&store, |connection| {
        connection.pragma_update(None, "max_page_count", 10)
    })
    .unwrap();
    let error = store.shared.commit(&change(1, 100_000)).unwrap_err();
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error:?}");
    assert_eq!(head(&store), Some(1));
    store.shared.commit(&change(1, 1)).unwrap();
}

#[test]
fn a_store_that_others_keep_locked_is_unavailable() {
    let (_directory, site) = site();
    let store = open(&site, Journal::Wal);
    let other = Connection::open(&site.path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    on_connection(&store, |connection| connection.busy_timeout(Duration::ZERO)).unwrap();
    let error = store.shared.commit(&change(0, 1)).unwrap_err();
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error:?}");
    assert_eq!(head(&store), None, "reading goes on");
    other.execute_batch("ROLLBACK").unwrap();
    store.shared.commit(&change(0, 1)).unwrap();
}
