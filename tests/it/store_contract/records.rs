//! What every store promises of records, and of entries of the log without revisions.

use std::collections::BTreeMap;
use std::sync::{Arc, Barrier};

use cfgctl::model::{
    Commit, Digest, RecordChange, RecordContent, RecordFate, RecordId, RecordKind, Sequence,
};
use cfgctl::store::{Store, StoreError};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::Handles;
use super::fixture::{commit, keyed, moved};

/// A token that was made long ago.
pub(crate) fn token(name: &str) -> RecordContent {
    let json = json!({"token": {
        "name": name,
        "kind": "api",
        "digest": Digest::of(name.as_bytes()),
        "by": "ops@laptop",
        "at": "2026-11-21T02:14:00Z",
    }});
    serde_json::from_value(json).unwrap()
}

/// The same, at an end long after which nobody remembers it.
fn forgotten(name: &str) -> RecordContent {
    let mut json = serde_json::to_value(token(name)).unwrap();
    json["token"]["expires"] = json!("2001-01-01T00:00:00Z");
    serde_json::from_value(json).unwrap()
}

pub(crate) fn record(nth: u64) -> RecordId {
    format!("token/{nth:010}").parse().unwrap()
}

/// A commit that makes of this record what is said, if it was last changed by commit `expected`; zero
/// stands for none.
pub(crate) fn change(nth: u64, expected: u64, content: Option<RecordContent>) -> Commit {
    let expected = Some(expected).filter(|it| *it > 0).map(Sequence::new);
    Commit {
        records: [(record(nth), RecordChange { expected, content })].into(),
        ..Commit::default()
    }
}

/// What there is, by its id: which commit changed it, and what it says.
async fn every(store: &dyn Store) -> BTreeMap<RecordId, (u64, RecordContent)> {
    let at = store.records(RecordKind::Token).await.unwrap();
    let newest = store.commits(Sequence::START, 1000).await.unwrap();
    assert_eq!(Some(at.sequence), newest.last().map(|last| last.sequence));
    for (id, found) in &at.records {
        assert_eq!(store.record(id).await.unwrap().as_ref(), Some(found));
    }
    let all = at.records.into_iter();
    all.map(|(id, it)| (id, (it.changed.get(), it.content)))
        .collect()
}

pub(super) async fn an_entry_alone_is_a_commit(handles: &Handles) {
    let (store, other) = (handles.open(), handles.open());
    let mut waiting = Box::pin(other.wait(Sequence::START));
    assert!(futures_util::poll!(&mut waiting).is_pending());
    let entry = Commit {
        audit: Some(json!({"event": "login"})),
        ..Commit::default()
    };
    let made = store.commit(&entry).await.unwrap();
    assert_eq!(made.sequence, Sequence::new(1));
    assert_eq!(waiting.await.unwrap(), made.sequence);
    store.commit(&commit(&[("set/a", 0, 1)])).await.unwrap();
    // It compares as well.
    let late = Commit {
        audit: entry.audit.clone(),
        ..commit(&[("set/a", 7, 0)])
    };
    moved(&*store, &late).await;
    store.commit(&entry).await.unwrap();
    let records = other.commits(Sequence::START, 9).await.unwrap();
    let audits: Vec<_> = records.iter().map(|it| it.audit.is_some()).collect();
    assert_eq!(audits, [true, false, true]);
    assert!(records[2].changes.is_empty() && records[2].records.is_empty());
    assert_eq!(
        store.commit(&Commit::default()).await.unwrap().sequence,
        Sequence::new(3)
    );
}

pub(super) async fn a_record_is_what_it_was_last_written_as(handles: &Handles) {
    let (store, other) = (handles.open(), handles.open());
    assert_eq!(
        store.records(RecordKind::Token).await.unwrap().records,
        [].into()
    );
    store.commit(&change(1, 0, Some(token("a")))).await.unwrap();
    other.commit(&change(2, 0, Some(token("b")))).await.unwrap();
    store.commit(&change(1, 1, Some(token("c")))).await.unwrap();
    let expected = [(record(1), (3, token("c"))), (record(2), (2, token("b")))];
    assert_eq!(every(&*other).await, expected.into());
    other.commit(&change(1, 3, None)).await.unwrap();
    assert_eq!(every(&*store).await, [(record(2), (2, token("b")))].into());
    assert_eq!(store.record(&record(1)).await.unwrap(), None);
    let log = store.commits(Sequence::START, 9).await.unwrap();
    let digest = |content| Digest::of(serde_json::to_string(&content).unwrap().as_bytes());
    let fates: Vec<_> = log.iter().flat_map(|it| it.records.clone()).collect();
    assert_eq!(
        fates,
        [
            (record(1), RecordFate::Written(digest(token("a")))),
            (record(2), RecordFate::Written(digest(token("b")))),
            (record(1), RecordFate::Written(digest(token("c")))),
            (record(1), RecordFate::Removed),
        ]
    );
}

pub(super) async fn a_record_is_written_only_if_no_other_one_of_its_kind_was(handles: &Handles) {
    let (store, other) = (handles.open(), handles.open());
    let as_of = |nth, as_of| Commit {
        records_as_of: Some(Sequence::new(as_of)),
        ..change(nth, 0, Some(token("a")))
    };
    store.commit(&as_of(1, 0)).await.unwrap();
    for late in [as_of(2, 0), as_of(3, 0)] {
        match other.commit(&late).await {
            Err(StoreError::RecordsMoved(moved)) => assert_eq!(moved, [record(1)]),
            other => panic!("{other:?}"),
        }
    }
    // What is no record does not count, nor what is no more.
    store.commit(&commit(&[("set/a", 0, 1)])).await.unwrap();
    other.commit(&as_of(2, 1)).await.unwrap();
    store.commit(&change(2, 3, None)).await.unwrap();
    store.commit(&as_of(3, 1)).await.unwrap();
    let ids: Vec<_> = every(&*other).await.into_keys().collect();
    assert_eq!(ids, [record(1), record(3)]);
}

pub(super) async fn a_record_changes_only_if_it_is_what_was_expected(handles: &Handles) {
    let store = handles.open();
    store.commit(&change(1, 0, Some(token("a")))).await.unwrap();
    store.commit(&change(1, 1, Some(token("b")))).await.unwrap();
    let before = every(&*store).await;
    for stale in [
        change(1, 0, Some(token("x"))),
        change(1, 1, Some(token("x"))),
        change(1, 3, Some(token("x"))),
        change(1, u64::MAX, None),
        change(1, 1, None),
    ] {
        match store.commit(&stale).await {
            Err(StoreError::RecordsMoved(moved)) => assert_eq!(moved, [record(1)]),
            other => panic!("{other:?}"),
        }
    }
    match store.commit(&change(2, 1, None)).await {
        Err(StoreError::RecordsMoved(moved)) => assert_eq!(moved, [record(2)]),
        other => panic!("{other:?}"),
    }
    assert_eq!(every(&*store).await, before);
    // What was removed and made again is another one than it was.
    store.commit(&change(1, 2, None)).await.unwrap();
    store.commit(&change(1, 0, Some(token("b")))).await.unwrap();
    assert!(store.commit(&change(1, 2, None)).await.is_err());
}

pub(super) async fn records_and_revisions_change_together_or_not_at_all(handles: &Handles) {
    let store = handles.open();
    let both = |set: u64, expected: u64| Commit {
        records: change(1, expected, Some(token("a"))).records,
        ..commit(&[("set/a", set, set + 1)])
    };
    store.commit(&both(0, 0)).await.unwrap();
    assert!(store.commit(&both(1, 0)).await.is_err());
    moved(&*store, &both(0, 1)).await;
    let history = store.history(&super::id("set/a"), None, 9).await.unwrap();
    assert_eq!((history.len(), every(&*store).await.len()), (1, 1));
    store.commit(&both(1, 1)).await.unwrap();
    let log = store.commits(Sequence::START, 9).await.unwrap();
    assert_eq!((log[1].changes.len(), log[1].records.len()), (1, 1));
}

pub(super) async fn changes_of_records_break_no_rule(handles: &Handles) {
    let store = handles.open();
    let mut large = serde_json::to_value(token("a")).unwrap();
    large["token"]["message"] = json!("x".repeat(64 * 1024));
    let large = serde_json::from_value(large).unwrap();
    for broken in [change(1, 0, None), change(1, 0, Some(large))] {
        let error = store.commit(&broken).await.unwrap_err();
        assert!(matches!(error, StoreError::InvalidRecord { .. }), "{error}");
    }
    let mut many = Commit::default();
    for nth in 1..=10_000 {
        many.records
            .extend(change(nth, 0, Some(token("a"))).records);
    }
    store.commit(&many).await.unwrap();
    let error = store.commit(&change(10_001, 0, Some(token("a")))).await;
    assert!(matches!(error, Err(StoreError::Full { .. })), "{error:?}");
    store.commit(&change(1, 1, Some(token("b")))).await.unwrap();
    let mut other = change(2, 1, None);
    other
        .records
        .extend(change(10_001, 0, Some(token("a"))).records);
    store.commit(&other).await.unwrap();
}

pub(super) async fn racers_for_one_record_have_one_winner(handles: &Handles) {
    const RACERS: usize = 6;
    let start = Barrier::new(RACERS);
    let race = |store: Arc<dyn Store>, racer: usize| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let change = change(1, 0, Some(token(&format!("racer-{racer}"))));
        start.wait();
        runtime.block_on(store.commit(&change)).is_ok()
    };
    let won: Vec<bool> = std::thread::scope(|scope| {
        let racers: Vec<_> = (0..RACERS)
            .map(|racer| {
                let (race, store) = (&race, handles.open());
                scope.spawn(move || race(store, racer))
            })
            .collect();
        racers
            .into_iter()
            .map(|racer| racer.join().unwrap())
            .collect()
    });
    let winner = won.iter().position(|won| *won).unwrap();
    assert_eq!(won.iter().filter(|won| **won).count(), 1);
    let expected = (1, token(&format!("racer-{winner}")));
    assert_eq!(
        every(&*handles.open()).await,
        [(record(1), expected)].into()
    );
}

pub(super) async fn a_record_whose_time_is_over_is_not_there(handles: &Handles) {
    let store = handles.open();
    store
        .commit(&change(1, 0, Some(forgotten("a"))))
        .await
        .unwrap();
    store.commit(&change(2, 0, Some(token("b")))).await.unwrap();
    assert_eq!(every(&*store).await, [(record(2), (2, token("b")))].into());
    assert_eq!(store.record(&record(1)).await.unwrap(), None);
    // The next commit, of whatever kind, took it away, and the log says so.
    let log = store.commits(Sequence::START, 9).await.unwrap();
    assert_eq!(log[1].records[&record(1)], RecordFate::Over);
    store
        .commit(&change(1, 0, Some(forgotten("a"))))
        .await
        .unwrap();
    assert!(store.commit(&change(1, 3, None)).await.is_err());
    store.commit(&commit(&[("set/a", 0, 1)])).await.unwrap();
    let log = store.commits(Sequence::new(3), 9).await.unwrap();
    assert_eq!(log[0].records, [(record(1), RecordFate::Over)].into());
    // Or whoever makes one of that id.
    store
        .commit(&change(1, 0, Some(forgotten("a"))))
        .await
        .unwrap();
    store.commit(&change(1, 0, Some(token("c")))).await.unwrap();
    assert_eq!(every(&*store).await[&record(1)], (6, token("c")));
    store.commit(&commit(&[("set/a", 1, 2)])).await.unwrap();
    let log = store.commits(Sequence::new(6), 9).await.unwrap();
    assert_eq!(log[0].records, [].into());
}

pub(super) async fn a_jwt_is_exchanged_once_and_forgotten_after_its_end(handles: &Handles) {
    let (store, other) = (handles.open(), handles.open());
    let id: RecordId = format!("exchange/{}", "0a".repeat(32)).parse().unwrap();
    let exchange = |until: &str| Commit {
        records: [(
            id.clone(),
            RecordChange {
                expected: None,
                content: Some(
                    serde_json::from_value(
                        json!({"exchange": {"token": "0123456789", "until": until}}),
                    )
                    .unwrap(),
                ),
            },
        )]
        .into(),
        ..Commit::default()
    };
    let living = exchange("2999-01-01T00:00:00Z");
    store.commit(&living).await.unwrap();
    match other.commit(&living).await {
        Err(StoreError::RecordsMoved(moved)) => assert_eq!(moved, std::slice::from_ref(&id)),
        other => panic!("{other:?}"),
    }
    assert!(other.record(&id).await.unwrap().is_some());
    let all = other.records(RecordKind::Exchange).await.unwrap().records;
    assert_eq!(all.keys().collect::<Vec<_>>(), [&id]);
    assert_eq!(every(&*store).await, [].into());
    // One that is over is as if it were not there.
    let id: RecordId = format!("exchange/{}", "0b".repeat(32)).parse().unwrap();
    let mut over = exchange("2001-01-01T00:00:00Z");
    over.records = over
        .records
        .into_values()
        .map(|it| (id.clone(), it))
        .collect();
    store.commit(&over).await.unwrap();
    assert!(other.record(&id).await.unwrap().is_none());
    other.commit(&over).await.unwrap();
}

pub(super) async fn a_use_is_noted_once_a_minute_and_is_no_commit(handles: &Handles) {
    let (store, other) = (handles.open(), handles.open());
    store.commit(&change(1, 0, Some(token("a")))).await.unwrap();
    let used = async || other.record(&record(1)).await.unwrap().unwrap().used;
    assert_eq!(used().await, None);
    let noon: Timestamp = "2026-11-27T12:00:00Z".parse().unwrap();
    let after = |seconds| {
        noon.checked_add(SignedDuration::from_secs(seconds))
            .unwrap()
    };
    for (seconds, noted) in [(0, 0), (59, 0), (60, 60), (30, 60), (119, 60), (120, 120)] {
        let touched = [(record(1), after(seconds)), (record(2), noon)];
        store.touch(&touched).await.unwrap();
        assert_eq!(used().await, Some(after(noted)), "{seconds}");
    }
    assert_eq!(store.record(&record(2)).await.unwrap(), None);
    assert_eq!(store.commits(Sequence::START, 9).await.unwrap().len(), 1);
    // Changing it is no use, and does not forget one.
    store.commit(&change(1, 1, Some(token("b")))).await.unwrap();
    assert_eq!(used().await, Some(after(120)));
    let all = store.records(RecordKind::Token).await.unwrap();
    assert_eq!(all.records[&record(1)].used, Some(after(120)));
    store.touch(&[]).await.unwrap();
}

pub(super) async fn a_change_of_records_with_a_key_is_made_once(handles: &Handles) {
    let (store, other) = (handles.open(), handles.open());
    store
        .commit(&change(9, 0, Some(forgotten("o"))))
        .await
        .unwrap();
    let once = Commit {
        key: Some("once".parse().unwrap()),
        ..change(1, 0, Some(token("a")))
    };
    let made = store.commit(&once).await.unwrap();
    assert_eq!(other.commit(&once).await.unwrap(), made);
    other.commit(&change(1, 2, None)).await.unwrap();
    assert_eq!(store.commit(&once).await.unwrap(), made);
    assert_eq!(every(&*store).await, [].into());
    for another in [
        change(1, 0, Some(token("b"))),
        change(2, 0, Some(token("a"))),
        change(1, 2, None),
        Commit::default(),
        keyed("once", &[("set/a", 0, 1)]),
    ] {
        let key = once.key.clone();
        let another = Commit { key, ..another };
        assert!(store.commit(&another).await.is_err(), "{another:?}");
    }
    assert_eq!(store.commits(Sequence::START, 9).await.unwrap().len(), 3);
}
