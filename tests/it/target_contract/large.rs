//! What every target promises for snapshots that are larger than one value or one transaction.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Waker};

use cfgctl::model::value::Map;
use cfgctl::model::{
    AsideNames, Cause, DocumentError, Key, Observed, Origin, Oversize, SetName, Snapshot, Version,
};
use cfgctl::target::{Target, TargetError};

use super::{Bench, ConsulBench, MemoryBench, deliver, observe};
use crate::support::consul::unique_prefix;
use crate::support::cut::{Cut, Proxy};
use crate::support::delivery::{key, removal, unique_set, write};
use crate::support::faulty::Lost;

const MEGABYTE: usize = 1_000_000;

/// A snapshot whose values take this many bytes, all of them different in every version.
fn sized(set: &SetName, version: u64, bytes: usize) -> Snapshot {
    let line = |number: usize| format!("{version} {number:09} {}", "x".repeat(980));
    let values =
        (0..bytes.div_ceil(1000)).map(|number| (format!("k{number}"), line(number).into()));
    sealed(set, version, values.collect(), BTreeMap::new(), [].into())
}

/// A snapshot with this many keys below `root`; `loose` holds the root if they may be late.
fn many(set: &SetName, root: &str, version: u64, keys: usize, loose: BTreeSet<Key>) -> Snapshot {
    let entry = |number| {
        let name = key(&format!("{root}/{number:04}"));
        (name, format!("{version} of {number}").into_bytes())
    };
    let entries = (0..keys).map(entry).collect();
    sealed(set, version, Map::new(), entries, loose)
}

fn sealed(
    set: &SetName,
    version: u64,
    values: Map,
    entries: BTreeMap<Key, Vec<u8>>,
    loose: BTreeSet<Key>,
) -> Snapshot {
    let origin = Origin {
        actor: "test@here".to_owned(),
        at: "2026-11-21T02:14:00Z".parse().expect("a time"),
        cause: Cause::Apply,
        consents: BTreeSet::new(),
        message: None,
    };
    let cluster = "eu".parse().expect("a name");
    let version = Version::new(version).expect("a version");
    Snapshot::seal(
        set.clone(),
        cluster,
        version,
        origin,
        values,
        entries,
        loose,
    )
}

fn held(observed: &Observed) -> u64 {
    let document = observed.snapshot.document();
    document.map_or(0, |document| document.version().get())
}

pub(super) async fn a_snapshot_of_two_megabytes_survives_byte_for_byte(bench: &dyn Bench) {
    let (set, root) = (unique_set(), unique_prefix());
    for (version, bytes) in [(1, 2 * MEGABYTE), (2, 10), (3, MEGABYTE), (4, 3 * MEGABYTE)] {
        let next = sized(&set, version, bytes);
        let seen = deliver(bench, &root, &next).await;
        let document = seen.snapshot.document().expect("a document");
        assert_eq!(document, &next.document);
        assert_eq!(document.to_bytes(), next.document.to_bytes());
        assert!(seen.entries.is_empty());
    }
    let seen = observe(bench, &set, &root).await;
    bench
        .target()
        .write(&removal(&seen))
        .await
        .expect("a write");
    let seen = observe(bench, &set, &root).await;
    assert!(seen.snapshot.fence().is_none());
    let version_3_at_most = |part: &String| !seen.aside.named.contains(part);
    assert!(
        seen.aside.parts.keys().all(version_3_at_most),
        "{:?}",
        seen.aside
    );
}

pub(super) async fn more_than_any_snapshot_may_have_is_refused(bench: &dyn Bench) {
    let (set, root) = (unique_set(), unique_prefix());
    let seen = observe(bench, &set, &root).await;
    let huge = write(&seen, &sized(&set, 1, 17 * 1024 * 1024));
    match bench.target().write(&huge).await.expect_err("a refusal") {
        TargetError::TooLarge { reasons, .. } => {
            assert!(
                matches!(reasons[..], [Oversize::Snapshot { .. }]),
                "{reasons:?}"
            );
        }
        error => panic!("{error:?}"),
    }
    assert!(observe(bench, &set, &root).await.snapshot.fence().is_none());
}

pub(super) async fn a_reader_never_sees_half_of_a_large_snapshot(bench: &dyn Bench) {
    let (set, root) = (unique_set(), unique_prefix());
    let of = |version: u64| match version % 3 {
        0 => sized(&set, version, 10),
        1 => sized(&set, version, 900_000),
        _ => sized(&set, version, 1_500_000),
    };
    let done = AtomicBool::new(false);
    deliver(bench, &root, &of(1)).await;
    let writer = async {
        for version in 2..12 {
            deliver(bench, &root, &of(version)).await;
        }
        done.store(true, Ordering::Relaxed);
    };
    let reader = async {
        let mut last = 0;
        while !done.load(Ordering::Relaxed) {
            let seen = observe(bench, &set, &root).await;
            let document = seen.snapshot.document().expect("a whole document");
            let version = document.version().get();
            assert!(version >= last, "never backwards");
            assert_eq!(*document, of(version).document);
            last = version;
            tokio::task::yield_now().await;
        }
    };
    tokio::join!(writer, reader);
}

pub(super) async fn one_of_many_racers_with_large_snapshots_wins(bench: &dyn Bench) {
    let (set, root) = (unique_set(), unique_prefix());
    let seen = deliver(bench, &root, &sized(&set, 1, MEGABYTE)).await;
    let racers: Vec<_> = (2..6)
        .map(|version| sized(&set, version, MEGABYTE))
        .collect();
    let writes: Vec<_> = racers.iter().map(|next| write(&seen, next)).collect();
    let target = bench.target();
    let outcomes = futures_util::future::join_all(writes.iter().map(|write| target.write(write)));
    let outcomes = outcomes.await;
    let won: Vec<_> = (racers.iter().zip(&outcomes))
        .filter_map(|(next, outcome)| outcome.is_ok().then_some(next))
        .collect();
    let [winner] = won[..] else {
        panic!("{outcomes:?}");
    };
    for error in outcomes.iter().filter_map(|outcome| outcome.as_ref().err()) {
        assert!(matches!(error, TargetError::Moved { .. }), "{error:?}");
    }
    let after = observe(bench, &set, &root).await;
    assert_eq!(after.snapshot.document(), Some(&winner.document));
    // What the others left goes with the next write.
    let after = deliver(bench, &root, &sized(&set, 9, MEGABYTE)).await;
    assert!(
        after.aside.parts.len() <= 6,
        "{:?}",
        after.aside.parts.keys()
    );
}

pub(super) async fn writers_of_the_same_snapshot_do_not_break_it(bench: &dyn Bench) {
    let (set, root) = (unique_set(), unique_prefix());
    let seen = deliver(bench, &root, &sized(&set, 1, 10)).await;
    let next = sized(&set, 2, MEGABYTE);
    let same = write(&seen, &next);
    let target = bench.target();
    let (a, b) = tokio::join!(target.write(&same), target.write(&same));
    let after = match (a, b) {
        // Each stopped the other: whoever comes next finishes.
        (Err(_), Err(_)) => deliver(bench, &root, &next).await,
        _ => observe(bench, &set, &root).await,
    };
    assert_eq!(after.snapshot.document(), Some(&next.document));
}

/// For targets with limits, from here on.
pub(super) async fn surplus_parts_are_collected_and_those_of_others_stay(bench: &dyn Bench) {
    let (set, root) = (unique_set(), unique_prefix());
    let names = AsideNames::of(&bench.target().snapshot_key(&set));
    let theirs = format!("{}notes", names.parts);
    bench.put_as_other(&set, &theirs, b"theirs").await;
    let first = deliver(bench, &root, &sized(&set, 1, MEGABYTE))
        .await
        .aside
        .named;
    assert_eq!(first.len(), 3, "{first:?}");
    // Someone may have read the old table of contents just before: its parts stay for one more write.
    let seen = deliver(bench, &root, &sized(&set, 2, MEGABYTE)).await;
    assert!(first.iter().all(|part| seen.aside.parts.contains_key(part)));
    let second = seen.aside.named;
    let seen = deliver(bench, &root, &sized(&set, 3, 10)).await;
    assert!(!first.iter().any(|part| seen.aside.parts.contains_key(part)));
    assert!(
        second
            .iter()
            .all(|part| seen.aside.parts.contains_key(part))
    );
    let seen = deliver(bench, &root, &sized(&set, 4, 10)).await;
    assert_eq!(seen.aside.parts.keys().collect::<Vec<_>>(), [&theirs]);
    let seen = deliver(bench, &root, &sized(&set, 5, MEGABYTE)).await;
    bench
        .target()
        .write(&removal(&seen))
        .await
        .expect("a write");
    let seen = observe(bench, &set, &root).await;
    assert_eq!(seen.aside.parts.keys().collect::<Vec<_>>(), [&theirs]);
}

pub(super) async fn a_part_that_is_gone_or_changed_is_reported_and_mended(bench: &dyn Bench) {
    let (set, root) = (unique_set(), unique_prefix());
    let next = sized(&set, 1, MEGABYTE);
    let whole = deliver(bench, &root, &next).await;
    let part = whole.aside.named.first().expect("a part").clone();
    for tamper in [false, true] {
        if tamper {
            bench.put_as_other(&set, &part, b"tampered").await;
        } else {
            bench.delete_as_other(&set, &part).await;
        }
        let seen = observe(bench, &set, &root).await;
        let cfgctl::model::ObservedSnapshot::Present { document, .. } = &seen.snapshot else {
            panic!("absent");
        };
        match document.as_ref() {
            Err(DocumentError::Incomplete(known)) => {
                assert_eq!(known.version(), next.document.version());
                assert_eq!(known.origin(), next.document.origin());
            }
            other => panic!("{other:?}"),
        }
        let mended = deliver(bench, &root, &next).await;
        assert_eq!(
            mended.snapshot.document(),
            Some(&next.document),
            "tampered: {tamper}"
        );
    }
}

pub(super) async fn a_thousand_loose_keys_arrive_in_batches(bench: &dyn Bench) {
    let (set, root) = (unique_set(), unique_prefix());
    let loose = BTreeSet::from([key(&root)]);
    let first = many(&set, &root, 1, 1000, loose.clone());
    let seen = deliver(bench, &root, &first).await;
    assert!(seen.holds(&first.document) && seen.aside.delivering.is_none());
    let second = many(&set, &root, 2, 900, loose);
    let seen = deliver(bench, &root, &second).await;
    assert!(seen.holds(&second.document) && seen.aside.delivering.is_none());
    assert_eq!(seen.entries.len(), 900, "the others are gone");

    // Without the word of the set nothing of it is written.
    let atomic = many(&set, &root, 3, 900, BTreeSet::new());
    match bench
        .target()
        .write(&write(&seen, &atomic))
        .await
        .expect_err("a refusal")
    {
        TargetError::TooLarge { reasons, .. } => {
            assert_eq!(
                reasons,
                [Oversize::Operations {
                    needed: 901,
                    limit: 64
                }]
            );
        }
        error => panic!("{error:?}"),
    }
    assert!(observe(bench, &set, &root).await.holds(&second.document));

    bench
        .target()
        .write(&removal(&seen))
        .await
        .expect("a write");
    let seen = observe(bench, &set, &root).await;
    assert!(seen.snapshot.fence().is_none() && seen.entries.is_empty());
}

pub(super) async fn an_edit_between_two_batches_is_a_conflict(bench: &dyn Bench) {
    let (set, root) = (unique_set(), unique_prefix());
    let loose = BTreeSet::from([key(&root)]);
    let seen = deliver(bench, &root, &many(&set, &root, 1, 200, loose.clone())).await;
    let second = many(&set, &root, 2, 200, loose);
    let late = write(&seen, &second);
    let edited = format!("{root}/0150");
    bench.put_as_other(&set, &edited, b"theirs").await;
    match bench.target().write(&late).await.expect_err("a conflict") {
        TargetError::Moved { keys, .. } => assert_eq!(keys, [edited.as_str()]),
        error => panic!("{error:?}"),
    }
    let seen = observe(bench, &set, &root).await;
    assert_eq!(held(&seen), 1, "the snapshot key goes last");
    let begun = seen
        .aside
        .delivering
        .as_ref()
        .expect("the mark of a delivery");
    assert_eq!(begun.version.get(), 2);
    assert_eq!(seen.entries[&key(&edited)].value, b"theirs");
    let seen = deliver(bench, &root, &second).await;
    assert!(seen.holds(&second.document) && seen.aside.delivering.is_none());
}

/// Every way in which a large write can be stopped, and what is there is always a whole snapshot.
async fn stopped(bench: &dyn Bench, root: &str, before: &Snapshot, next: &Snapshot) {
    let set = next.document.set();
    let seen = observe(bench, set, root).await;
    let document = seen.snapshot.document().expect("a whole document");
    let delivered = *document == next.document;
    assert!(delivered || *document == before.document);
    let seen = deliver(bench, root, next).await;
    assert!(seen.holds(&next.document) && seen.aside.delivering.is_none());
    // Nothing that crashes leave behind stays for ever.
    let after = sized(set, 90, 10);
    deliver(bench, root, &after).await;
    let seen = deliver(bench, root, &sized(set, 91, 10)).await;
    assert!(seen.aside.parts.is_empty(), "{:?}", seen.aside);
}

/// A set before and after: in parts, and in batches.
fn changes(set: &SetName, root: &str) -> [(Snapshot, Snapshot); 2] {
    let loose = BTreeSet::from([key(root)]);
    let batches = |version| many(set, root, version, 200, loose.clone());
    [
        (sized(set, 1, MEGABYTE), sized(set, 2, MEGABYTE)),
        (batches(1), batches(2)),
    ]
}

#[tokio::test]
async fn memory_stopped_after_any_transaction_is_whole_and_is_finished_by_the_next_write() {
    for change in 0..2 {
        for steps in 0..8 {
            let bench = MemoryBench::new().await;
            let (set, root) = (unique_set(), unique_prefix());
            let (before, next) = &changes(&set, &root)[change];
            let seen = deliver(&bench, &root, before).await;
            let target = bench.target();
            let late = write(&seen, next);
            {
                let mut writing = pin!(target.write(&late));
                // It gives way after each transaction.
                for _ in 0..steps {
                    let mut context = Context::from_waker(Waker::noop());
                    if writing.as_mut().poll(&mut context).is_ready() {
                        break;
                    }
                }
            }
            stopped(&bench, &root, before, next).await;
        }
    }
}

#[tokio::test]
async fn consul_stopped_after_any_transaction_is_whole_and_is_finished_by_the_next_write() {
    for change in 0..2 {
        for (nth, lost) in (0..6).flat_map(|nth| [(nth, Lost::Request), (nth, Lost::Answer)]) {
            let bench = ConsulBench::new().await;
            let (set, root) = (unique_set(), unique_prefix());
            let (before, next) = &changes(&set, &root)[change];
            let seen = deliver(&bench, &root, before).await;
            let proxy = Proxy::start(&bench.server.address(), Cut { nth, lost }).await;
            let target = bench.behind(&proxy.address());
            let outcome = target.write(&write(&seen, next)).await;
            assert!(outcome.is_err() || nth > 3, "{nth} {lost:?}");
            stopped(&bench, &root, before, next).await;
        }
    }
}
