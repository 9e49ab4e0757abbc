//! What every store promises: one function per promise, one test per promise and backend.
//!
//! A new backend adds one line below [`keeps_the_contract`].

use std::collections::BTreeMap;
use std::sync::{Arc, Barrier};

use cfgctl::model::{Cause, Commit, Content, Heads, Sequence, Version};
use cfgctl::store::memory::Memory;
use cfgctl::store::sqlite::Sqlite;
use cfgctl::store::{Store, StoreError, Which};
use serde_json::json;

use self::fixture::{
    all, commit, content, id, keyed, moved, moved_head, one, overridden, revision, version,
    versions, versions_of, with_content,
};
use self::records::{
    a_change_of_records_with_a_key_is_made_once,
    a_jwt_is_exchanged_once_and_forgotten_after_its_end,
    a_record_changes_only_if_it_is_what_was_expected, a_record_is_what_it_was_last_written_as,
    a_record_is_written_only_if_no_other_one_of_its_kind_was,
    a_record_whose_time_is_over_is_not_there, a_use_is_noted_once_a_minute_and_is_no_commit,
    an_entry_alone_is_a_commit, changes_of_records_break_no_rule,
    racers_for_one_record_have_one_winner, records_and_revisions_change_together_or_not_at_all,
};

pub(crate) mod fixture;
pub(crate) mod records;

/// Gives any number of handles to one store, which was empty at first.
struct Handles(Box<dyn Fn() -> Arc<dyn Store> + Send + Sync>);

impl Handles {
    fn open(&self) -> Arc<dyn Store> {
        (self.0)()
    }
}

macro_rules! keeps_the_contract {
    ($backend:ident, $fresh:path) => {
        keeps_the_contract! { $backend, $fresh:
            a_fresh_store_is_empty
            a_commit_becomes_head_revision_and_history
            one_of_many_racers_wins
            a_loser_learns_what_moved_and_has_changed_nothing
            a_commit_over_several_resources_is_all_or_nothing
            the_head_of_an_unchanged_resource_is_guarded_too
            a_commit_without_revisions_only_compares
            versions_may_skip_but_never_go_back
            a_change_without_an_expected_head_is_refused
            content_of_another_kind_is_refused
            a_tombstone_keeps_the_history
            history_is_complete_newest_first_and_limited
            what_never_was_is_none_or_empty
            a_set_and_a_cluster_may_have_one_name
            names_that_look_like_sql_are_harmless
            large_bodies_survive
            texts_and_numbers_come_back_as_they_were
            a_commit_is_there_for_every_other_handle
            commits_are_numbered_dated_and_recorded
            a_commit_with_a_key_is_made_once
            a_key_belongs_to_one_commit
            what_was_made_under_a_key_is_found
            racers_with_one_key_make_one_commit
            heads_are_read_as_far_as_they_are_asked_for
            history_comes_in_pages
            several_revisions_are_read_at_once
            whoever_waits_is_woken_by_a_commit
            an_entry_alone_is_a_commit
            a_record_is_what_it_was_last_written_as
            a_record_changes_only_if_it_is_what_was_expected
            a_record_is_written_only_if_no_other_one_of_its_kind_was
            records_and_revisions_change_together_or_not_at_all
            changes_of_records_break_no_rule
            racers_for_one_record_have_one_winner
            a_record_whose_time_is_over_is_not_there
            a_use_is_noted_once_a_minute_and_is_no_commit
            a_change_of_records_with_a_key_is_made_once
            a_jwt_is_exchanged_once_and_forgotten_after_its_end
        }
    };
    ($backend:ident, $fresh:path: $($promise:ident)*) => {
        mod $backend {
            $(
                #[tokio::test]
                async fn $promise() {
                    super::$promise(&$fresh()).await;
                }
            )*
        }
    };
}

keeps_the_contract!(memory, super::memory_handles);
keeps_the_contract!(sqlite, super::sqlite_handles);

fn memory_handles() -> Handles {
    let store: Arc<dyn Store> = Arc::new(Memory::default());
    Handles(Box::new(move || Arc::clone(&store)))
}

fn sqlite_handles() -> Handles {
    let directory = tempfile::tempdir().unwrap();
    Handles(Box::new(move || {
        Arc::new(Sqlite::create(&directory.path().join("store.db")).unwrap())
    }))
}

async fn a_fresh_store_is_empty(handles: &Handles) {
    let store = handles.open();
    assert_eq!(store.heads(&Which::All).await.unwrap().heads, Heads::new());
    assert!(!store.location().is_empty());
}

async fn a_commit_becomes_head_revision_and_history(handles: &Handles) {
    let store = handles.open();
    let first = commit(&[("set/shop", 0, 1), ("cluster/eu", 0, 1)]);
    store.commit(&first).await.unwrap();
    assert_eq!(
        store.heads(&Which::All).await.unwrap().heads,
        first.revisions
    );
    for (id, revision) in &first.revisions {
        let found = one(&*store, id, Version::FIRST).await;
        assert_eq!(found.as_ref(), Some(revision));
        let history = store.history(id, None, 10).await.unwrap();
        assert_eq!(history, std::slice::from_ref(revision));
    }
}

async fn one_of_many_racers_wins(handles: &Handles) {
    const RACERS: usize = 8;
    for round in 0..4 {
        let start = Barrier::new(RACERS);
        let race = |racer: usize, store: Arc<dyn Store>| {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .build()
                .unwrap();
            let mut commit = commit(&[("set/shop", round, round + 1), ("cluster/eu", 0, 0)]);
            let shop = id("set/shop");
            let mine = revision(&shop, round + 1, &format!("racer {racer}"));
            commit.revisions.insert(shop, mine.clone());
            start.wait();
            runtime
                .block_on(store.commit(&commit))
                .map(|_| mine.clone())
        };
        let outcomes: Vec<_> = std::thread::scope(|scope| {
            let racers: Vec<_> = (0..RACERS)
                .map(|racer| {
                    // Opened here: a racer that fails before the start would leave the others waiting.
                    let (race, store) = (&race, handles.open());
                    scope.spawn(move || race(racer, store))
                })
                .collect();
            racers
                .into_iter()
                .map(|racer| racer.join().unwrap())
                .collect()
        });
        let (won, lost): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
        assert_eq!(won.len(), 1, "{lost:?}");
        let head = handles.open().heads(&Which::All).await.unwrap().heads[&id("set/shop")].clone();
        assert_eq!(won[0].as_ref().unwrap(), &head);
        for outcome in lost {
            let Err(StoreError::HeadsMoved(moved)) = outcome else {
                panic!("{outcome:?}");
            };
            assert_eq!(moved, [moved_head("set/shop", round, round + 1)]);
        }
    }
}

async fn a_loser_learns_what_moved_and_has_changed_nothing(handles: &Handles) {
    const IDS: &[&str] = &["set/a", "set/b", "set/c", "set/d"];
    let store = handles.open();
    let start = commit(&[("set/a", 0, 1), ("set/b", 0, 1), ("set/c", 0, 1)]);
    store.commit(&start).await.unwrap();
    let others = commit(&[("set/a", 1, 2), ("set/c", 1, 2)]);
    store.commit(&others).await.unwrap();
    let before = all(&*store, IDS).await;

    let late = commit(&[
        ("set/a", 1, 2),
        ("set/b", 1, 2),
        ("set/c", 0, 1),
        ("set/d", 3, 4),
    ]);
    assert_eq!(
        moved(&*store, &late).await,
        [
            moved_head("set/a", 1, 2),
            moved_head("set/c", 0, 2),
            moved_head("set/d", 3, 0),
        ]
    );
    assert_eq!(all(&*store, IDS).await, before);
}

async fn a_commit_over_several_resources_is_all_or_nothing(handles: &Handles) {
    const IDS: &[&str] = &["cluster/eu", "set/a", "set/z"];
    let store = handles.open();
    let first = commit(&[("cluster/eu", 0, 1), ("set/a", 0, 1), ("set/z", 0, 1)]);
    store.commit(&first).await.unwrap();
    // The one that moved is once the first, once the last that a backend may come to.
    for (moves, after) in [("cluster/eu", 2), ("set/z", 2)] {
        store.commit(&commit(&[(moves, 1, after)])).await.unwrap();
        let before = all(&*store, IDS).await;
        let mut late = commit(&[("cluster/eu", 1, 9), ("set/a", 1, 9), ("set/z", 1, 9)]);
        if moves == "set/z" {
            late.expected.insert(id("cluster/eu"), Some(version(2)));
        }
        assert_eq!(moved(&*store, &late).await, [moved_head(moves, 1, after)]);
        assert_eq!(all(&*store, IDS).await, before);
    }
}

async fn the_head_of_an_unchanged_resource_is_guarded_too(handles: &Handles) {
    let store = handles.open();
    store
        .commit(&commit(&[("cluster/eu", 0, 1)]))
        .await
        .unwrap();
    let planned = commit(&[("cluster/eu", 1, 0), ("set/a", 0, 1)]);
    store
        .commit(&commit(&[("cluster/eu", 1, 2)]))
        .await
        .unwrap();
    assert_eq!(
        moved(&*store, &planned).await,
        [moved_head("cluster/eu", 1, 2)]
    );
    let found = versions(&store.heads(&Which::All).await.unwrap().heads);
    assert_eq!(found, [("cluster/eu".to_owned(), 2)].into());
}

async fn a_commit_without_revisions_only_compares(handles: &Handles) {
    let store = handles.open();
    store.commit(&Commit::default()).await.unwrap();
    store.commit(&commit(&[("set/a", 0, 0)])).await.unwrap();
    let other = commit(&[("set/a", 7, 0)]);
    assert_eq!(moved(&*store, &other).await, [moved_head("set/a", 7, 0)]);
    assert_eq!(store.heads(&Which::All).await.unwrap().heads, Heads::new());
}

async fn versions_may_skip_but_never_go_back(handles: &Handles) {
    let store = handles.open();
    store.commit(&commit(&[("set/a", 0, 5)])).await.unwrap();
    store.commit(&commit(&[("set/a", 5, 40)])).await.unwrap();
    let before = all(&*store, &["set/a"]).await;
    for new in [1, 39, 40] {
        let error = store.commit(&commit(&[("set/a", 40, new)])).await;
        assert!(matches!(error, Err(StoreError::Invalid { .. })), "{new}");
    }
    let beyond = commit(&[("set/a", 40, u64::MAX)]);
    let error = store.commit(&beyond).await.unwrap_err();
    assert!(matches!(error, StoreError::Exhausted { .. }), "{error}");
    assert_eq!(all(&*store, &["set/a"]).await, before);
    assert_eq!(versions_of(&before.1[0]), [40, 5]);
    let never = one(&*store, &id("set/a"), version(u64::MAX)).await;
    assert_eq!(never, None);
}

async fn a_change_without_an_expected_head_is_refused(handles: &Handles) {
    let store = handles.open();
    let mut unguarded = commit(&[("set/a", 0, 1), ("set/b", 0, 1)]);
    unguarded.expected.remove(&id("set/b"));
    match store.commit(&unguarded).await {
        Err(StoreError::Invalid { id: refused, .. }) => assert_eq!(refused, id("set/b")),
        other => panic!("{other:?}"),
    }
    assert_eq!(store.heads(&Which::All).await.unwrap().heads, Heads::new());
}

async fn content_of_another_kind_is_refused(handles: &Handles) {
    let store = handles.open();
    let mut mixed = commit(&[("set/a", 0, 1)]);
    let cluster = revision(&id("cluster/eu"), 1, "x");
    mixed.revisions.insert(id("set/a"), cluster);
    let error = store.commit(&mixed).await.unwrap_err();
    assert!(matches!(error, StoreError::Invalid { .. }), "{error}");
    assert_eq!(store.heads(&Which::All).await.unwrap().heads, Heads::new());
}

async fn a_tombstone_keeps_the_history(handles: &Handles) {
    let store = handles.open();
    let shop = id("set/shop");
    store.commit(&commit(&[("set/shop", 0, 1)])).await.unwrap();
    let mut delete = commit(&[("set/shop", 1, 2)]);
    let tombstone = with_content(2, Content::Deleted);
    delete.revisions.insert(shop.clone(), tombstone.clone());
    store.commit(&delete).await.unwrap();
    assert_eq!(
        store.heads(&Which::All).await.unwrap().heads[&shop],
        tombstone
    );

    let again = commit(&[("set/shop", 0, 1)]);
    assert_eq!(
        moved(&*store, &again).await,
        [moved_head("set/shop", 0, 2)],
        "a deleted resource is not one that never existed"
    );
    store.commit(&commit(&[("set/shop", 2, 3)])).await.unwrap();
    let history = store.history(&shop, None, 10).await.unwrap();
    assert_eq!(versions_of(&history), [3, 2, 1]);
    assert_eq!(history[1], tombstone);
}

async fn history_is_complete_newest_first_and_limited(handles: &Handles) {
    const COUNT: u64 = 30;
    let store = handles.open();
    for number in 1..=COUNT {
        let change = commit(&[("set/a", number - 1, number), ("set/b", number - 1, number)]);
        store.commit(&change).await.unwrap();
    }
    let history = |limit| {
        let store = &store;
        async move { store.history(&id("set/a"), None, limit).await.unwrap() }
    };
    let whole = history(usize::MAX).await;
    assert_eq!(versions_of(&whole), (1..=COUNT).rev().collect::<Vec<_>>());
    for found in &whole {
        let number = found.version.get();
        let made = revision(&id("set/a"), number, &format!("set/a {number}"));
        assert_eq!(*found, made);
    }
    assert_eq!(history(7).await, whole[..7]);
    assert_eq!(history(1).await, whole[..1]);
    assert_eq!(history(0).await, []);
}

async fn what_never_was_is_none_or_empty(handles: &Handles) {
    let store = handles.open();
    store.commit(&commit(&[("set/a", 0, 2)])).await.unwrap();
    for (name, number) in [("set/b", 1), ("cluster/a", 2), ("set/a", 1), ("set/a", 3)] {
        let found = one(&*store, &id(name), version(number)).await;
        assert_eq!(found, None, "{name} {number}");
    }
    assert_eq!(store.history(&id("set/b"), None, 10).await.unwrap(), []);
    assert_eq!(store.history(&id("cluster/a"), None, 10).await.unwrap(), []);
}

async fn a_set_and_a_cluster_may_have_one_name(handles: &Handles) {
    let store = handles.open();
    store.commit(&commit(&[("set/eu", 0, 1)])).await.unwrap();
    store
        .commit(&commit(&[("cluster/eu", 0, 4)]))
        .await
        .unwrap();
    let found = versions(&store.heads(&Which::All).await.unwrap().heads);
    let expected = [("cluster/eu".to_owned(), 4), ("set/eu".to_owned(), 1)];
    assert_eq!(found, expected.into());
    let history = store.history(&id("set/eu"), None, 10).await.unwrap();
    assert_eq!(versions_of(&history), [1]);
}

async fn names_that_look_like_sql_are_harmless(handles: &Handles) {
    const NAMES: &[&str] = &[
        "set/select",
        "set/null",
        "set/drop-table-heads",
        "set/1",
        "set/01",
        "set/1e3",
        "set/a--b",
        "set/cluster",
        "cluster/set",
    ];
    let store = handles.open();
    let changes: Vec<_> = NAMES.iter().map(|name| (*name, 0, 1)).collect();
    let change = commit(&changes);
    store.commit(&change).await.unwrap();
    assert_eq!(
        store.heads(&Which::All).await.unwrap().heads,
        change.revisions
    );
    for name in NAMES {
        let found = one(&*store, &id(name), Version::FIRST).await;
        assert_eq!(found.as_ref(), change.revisions.get(&id(name)), "{name}");
    }
}

async fn large_bodies_survive(handles: &Handles) {
    let store = handles.open();
    let mut large = commit(&[("set/a", 0, 1), ("set/b", 0, 1)]);
    for (id, found) in &mut large.revisions {
        *found = revision(id, 1, &"wide ".repeat(40_000));
    }
    store.commit(&large).await.unwrap();
    assert_eq!(
        handles.open().heads(&Which::All).await.unwrap().heads,
        large.revisions
    );
}

async fn texts_and_numbers_come_back_as_they_were(handles: &Handles) {
    let store = handles.open();
    let shop = id("set/shop");
    let values = json!({
        "üß–☃😀": "'; DROP TABLE heads; --",
        "": "\u{0}\u{1}\"\\\n\u{2028}\u{feff}",
        "most": u64::MAX,
        "least": i64::MIN,
        "exact": 0.300_000_000_000_000_04,
        "whole": 1.0,
        "list": [null, true, [], {}],
    });
    let mut made = with_content(1, content(json!({"set": {"values": values}})));
    "Zoë <z@ü>".clone_into(&mut made.origin.actor);
    made.origin.message = Some("?1 %s \u{1f525}\n".to_owned());
    made.origin.cause = Cause::Rollback { to: version(7) };
    let mut change = commit(&[("set/shop", 0, 1)]);
    change.revisions.insert(shop.clone(), made.clone());
    store.commit(&change).await.unwrap();
    let found = one(&*handles.open(), &shop, Version::FIRST).await;
    assert_eq!(found, Some(made));
}

async fn a_commit_is_there_for_every_other_handle(handles: &Handles) {
    const IDS: &[&str] = &["set/a", "cluster/eu"];
    let (one, two) = (handles.open(), handles.open());
    one.commit(&commit(&[("set/a", 0, 1)])).await.unwrap();
    two.commit(&commit(&[("set/a", 1, 2), ("cluster/eu", 0, 1)]))
        .await
        .unwrap();
    let seen = all(&*one, IDS).await;
    assert_eq!(seen, all(&*two, IDS).await);
    drop((one, two));
    assert_eq!(seen, all(&*handles.open(), IDS).await);
}

async fn commits_are_numbered_dated_and_recorded(handles: &Handles) {
    let (store, other) = (handles.open(), handles.open());
    assert_eq!(store.commits(Sequence::START, 10).await.unwrap(), []);
    let mut first = commit(&[("set/a", 0, 1), ("cluster/eu", 0, 1)]);
    first.audit = Some(json!({"actor": "ops@laptop", "why": "\u{1f525}"}));
    let mut second = commit(&[("set/a", 1, 2), ("cluster/eu", 1, 0)]);
    second.key = Some("second".parse().unwrap());
    let mut made = Vec::new();
    for (store, change) in [(&store, &first), (&other, &second)] {
        made.push(store.commit(change).await.unwrap());
    }
    // One that only compares has the number of the newest one, and leaves nothing.
    let compared = store.commit(&commit(&[("set/a", 2, 0)])).await.unwrap();
    assert_eq!(compared.sequence, made[1].sequence);
    assert_eq!(
        made.iter().map(|it| it.sequence.get()).collect::<Vec<_>>(),
        [1, 2]
    );
    assert!(made[0].at <= made[1].at);

    let records = store.commits(Sequence::START, 10).await.unwrap();
    assert_eq!(records.len(), 2);
    for ((record, change), made) in records.iter().zip([&first, &second]).zip(&made) {
        assert_eq!((record.sequence, record.at), (made.sequence, made.at));
        assert_eq!((&record.key, &record.audit), (&change.key, &change.audit));
        let versions = change.revisions.iter();
        let versions: BTreeMap<_, _> = versions
            .map(|(id, revision)| (id.clone(), revision.version))
            .collect();
        assert_eq!(record.changes, versions);
    }
    assert_eq!(
        other.commits(Sequence::START, 1).await.unwrap(),
        records[..1]
    );
    assert_eq!(
        other.commits(Sequence::new(1), 9).await.unwrap(),
        records[1..]
    );
    assert_eq!(other.commits(Sequence::new(u64::MAX), 9).await.unwrap(), []);
    assert_eq!(
        store.heads(&Which::All).await.unwrap().sequence,
        Sequence::new(2)
    );
}

async fn a_commit_with_a_key_is_made_once(handles: &Handles) {
    let (store, other) = (handles.open(), handles.open());
    let once = keyed("once", &[("set/a", 0, 1), ("set/b", 0, 1)]);
    let made = store.commit(&once).await.unwrap();
    assert_eq!(other.commit(&once).await.unwrap(), made);
    // Also when others have gone on since.
    other.commit(&commit(&[("set/a", 1, 2)])).await.unwrap();
    let before = all(&*store, &["set/a", "set/b"]).await;
    assert_eq!(store.commit(&once).await.unwrap(), made);
    let record = other.made_under(&"once".parse().unwrap()).await.unwrap();
    let record = record.expect("it was made");
    assert_eq!((record.sequence, record.at), (made.sequence, made.at));
    assert_eq!(record.changes.len(), 2);
    assert_eq!(
        store.made_under(&"never".parse().unwrap()).await.unwrap(),
        None
    );
    assert_eq!(all(&*store, &["set/a", "set/b"]).await, before);
    assert_eq!(store.commits(Sequence::START, 9).await.unwrap().len(), 2);
}

async fn what_was_made_under_a_key_is_found(handles: &Handles) {
    let store = handles.open();
    let key = "mine".parse().unwrap();
    assert_eq!(store.made_under(&key).await.unwrap(), None);
    store.commit(&commit(&[("set/b", 0, 1)])).await.unwrap();
    let made = keyed("mine", &[("set/a", 0, 3), ("cluster/eu", 0, 1)]);
    let committed = store.commit(&made).await.unwrap();
    store
        .commit(&keyed("his", &[("set/a", 3, 4)]))
        .await
        .unwrap();
    let found = handles.open().made_under(&key).await.unwrap().unwrap();
    assert_eq!(
        (found.sequence, found.at),
        (committed.sequence, committed.at)
    );
    assert_eq!(found.key, Some(key));
    let changes = [(id("cluster/eu"), version(1)), (id("set/a"), version(3))];
    assert_eq!(found.changes, changes.into());
}

async fn a_key_belongs_to_one_commit(handles: &Handles) {
    let store = handles.open();
    store
        .commit(&keyed("mine", &[("set/a", 0, 1)]))
        .await
        .unwrap();
    let before = all(&*store, &["set/a", "set/b"]).await;
    let mut reworded = keyed("mine", &[("set/a", 0, 1)]);
    reworded
        .revisions
        .insert(id("set/a"), revision(&id("set/a"), 1, "another"));
    for other in [
        reworded,
        keyed("mine", &[("set/a", 1, 2)]),
        keyed("mine", &[("set/b", 0, 1)]),
        keyed("mine", &[("set/a", 0, 1), ("set/b", 0, 1)]),
        keyed("mine", &[("set/a", 1, 0)]),
    ] {
        let error = store.commit(&other).await.unwrap_err();
        assert!(matches!(error, StoreError::Invalid { .. }), "{error}");
    }
    assert_eq!(all(&*store, &["set/a", "set/b"]).await, before);
    // One that was refused has not used its key up.
    let late = keyed("late", &[("set/a", 0, 1)]);
    moved(&*store, &late).await;
    store
        .commit(&keyed("late", &[("set/a", 1, 2)]))
        .await
        .unwrap();
}

async fn racers_with_one_key_make_one_commit(handles: &Handles) {
    let start = Barrier::new(4);
    let commit = keyed("together", &[("set/a", 0, 1)]);
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let racers: Vec<_> = (0..4)
            .map(|_| {
                let (store, start, commit) = (handles.open(), &start, &commit);
                scope.spawn(move || {
                    let runtime = tokio::runtime::Builder::new_current_thread()
                        .build()
                        .unwrap();
                    start.wait();
                    runtime.block_on(store.commit(commit)).unwrap()
                })
            })
            .collect();
        racers
            .into_iter()
            .map(|racer| racer.join().unwrap())
            .collect()
    });
    assert!(
        outcomes.iter().all(|outcome| *outcome == outcomes[0]),
        "{outcomes:?}"
    );
    let history = handles.open().history(&id("set/a"), None, 9).await.unwrap();
    assert_eq!(versions_of(&history), [1]);
}

async fn heads_are_read_as_far_as_they_are_asked_for(handles: &Handles) {
    let store = handles.open();
    let mut change = commit(&[
        ("cluster/eu", 0, 1),
        ("cluster/us", 0, 1),
        ("grant/ops", 0, 1),
        ("set/a", 0, 1),
        ("set/b", 0, 1),
        ("set/c", 0, 1),
    ]);
    for (name, until) in [
        ("set/a", "2026-11-21T03:00:00.5Z"),
        ("set/b", "2026-11-21T04:00:00Z"),
    ] {
        let id = id(name);
        let until = until.parse().unwrap();
        change
            .revisions
            .insert(id.clone(), overridden(revision(&id, 1, "x"), until));
    }
    store.commit(&change).await.unwrap();
    let names = async |which: Which| {
        let at = store.heads(&which).await.unwrap();
        assert_eq!(at.sequence, Sequence::new(1));
        for (id, head) in &at.heads {
            assert_eq!(head, &change.revisions[id]);
        }
        at.heads
            .keys()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(
        names(Which::All).await,
        "cluster/eu cluster/us grant/ops set/a set/b set/c"
    );
    assert_eq!(names(Which::Clusters).await, "cluster/eu cluster/us");
    assert_eq!(names(Which::Grants).await, "grant/ops");
    let wanted = ["set/b", "cluster/us", "set/never"].map(id);
    assert_eq!(
        names(Which::Around(wanted.clone().into())).await,
        "cluster/eu cluster/us set/b"
    );
    assert_eq!(names(Which::Named(wanted.into())).await, "cluster/us set/b");
    assert_eq!(names(Which::one(&id("set/c"))).await, "set/c");
    for (at, due) in [
        ("2026-11-21T03:00:00Z", ""),
        ("2026-11-21T03:00:00.4Z", ""),
        ("2026-11-21T03:00:00.5Z", "set/a"),
        ("2026-11-21T04:00:00Z", "set/a set/b"),
        ("9999-01-01T00:00:00Z", "set/a set/b"),
        ("-009999-01-02T01:59:59Z", ""),
    ] {
        assert_eq!(
            names(Which::DueBefore(at.parse().unwrap())).await,
            due,
            "{at}"
        );
    }
    // What is taken away is not due any more.
    store.commit(&commit(&[("set/a", 1, 2)])).await.unwrap();
    let due = Which::DueBefore("2026-11-21T05:00:00Z".parse().unwrap());
    let due = versions(&store.heads(&due).await.unwrap().heads);
    assert_eq!(due, [("set/b".to_owned(), 1)].into());
}

async fn history_comes_in_pages(handles: &Handles) {
    let store = handles.open();
    for (from, to) in [(0, 2), (2, 3), (3, 7), (7, 8), (8, 20)] {
        store.commit(&commit(&[("set/a", from, to)])).await.unwrap();
    }
    let page = async |before: u64, limit| {
        let page = store
            .history(&id("set/a"), Version::new(before), limit)
            .await;
        versions_of(&page.unwrap())
    };
    assert_eq!(page(0, 2).await, [20, 8]);
    assert_eq!(page(8, 2).await, [7, 3]);
    assert_eq!(page(3, 2).await, [2]);
    assert_eq!(page(2, 2).await, Vec::<u64>::new());
    assert_eq!(page(7, 0).await, Vec::<u64>::new());
    // What stands between two versions, and beyond all of them.
    assert_eq!(page(5, 9).await, [3, 2]);
    assert_eq!(page(100, 1).await, [20]);
    assert_eq!(page(u64::MAX, 1).await, [20]);
    assert_eq!(
        store
            .history(&id("set/b"), Version::new(5), 9)
            .await
            .unwrap(),
        []
    );
}

async fn several_revisions_are_read_at_once(handles: &Handles) {
    let store = handles.open();
    store
        .commit(&commit(&[("set/a", 0, 1), ("set/b", 0, 4)]))
        .await
        .unwrap();
    store.commit(&commit(&[("set/a", 1, 2)])).await.unwrap();
    let asked = [
        ("set/b", 4),
        ("set/a", 9),
        ("set/a", 1),
        ("set/c", 1),
        ("set/a", 2),
    ];
    let asked = asked.map(|(name, number)| (id(name), version(number)));
    let found = store.revisions(&asked).await.unwrap();
    let found: Vec<_> = found
        .iter()
        .map(|(id, revision)| (id.to_string(), revision.version.get()))
        .collect();
    let expected = [("set/b", 4), ("set/a", 1), ("set/a", 2)];
    assert_eq!(
        found,
        expected.map(|(name, number)| (name.to_owned(), number))
    );
}

async fn whoever_waits_is_woken_by_a_commit(handles: &Handles) {
    let (store, other) = (handles.open(), handles.open());
    for (nth, committer) in (0..).zip([&store, &other]) {
        let mut waiting = Box::pin(store.wait(Sequence::new(nth)));
        assert!(futures_util::poll!(&mut waiting).is_pending());
        committer
            .commit(&commit(&[("set/a", nth, nth + 1)]))
            .await
            .unwrap();
        assert_eq!(waiting.await.unwrap(), Sequence::new(nth + 1));
        // Who has missed it does not wait.
        assert_eq!(
            other.wait(Sequence::new(nth)).await.unwrap(),
            Sequence::new(nth + 1)
        );
    }
    // A store that was restored from a backup is behind.
    assert_eq!(
        store.wait(Sequence::new(99)).await.unwrap(),
        Sequence::new(2)
    );
}
