//! What every target promises for snapshots that are larger than one value or one transaction.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Waker};

use cfgctl::model::value::Map;
use cfgctl::model::{
    AuxiliaryNames, Cause, Contents, DocumentError, EntryWrite, Key, Limits, Observed, Origin,
    Oversize, Owner, SetName, Snapshot, SnapshotWrite, Version, Write,
};
use cfgctl::target::{Target, TargetError};

use super::{Bench, ConsulBench, MemoryBench, deliver, observe};
use crate::support::consul::unique_prefix;
use crate::support::delivery::{key, removal, unique_set, write};
use crate::support::faulty::Lost;
use crate::support::proxy::{Fate, Proxy};

/// Three parts within [`super::TIGHT`].
const LARGE: usize = 300_000;
/// Six parts at a Consul's own limits.
const HUGE: usize = 2_000_000;

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
        planned: None,
    };
    let cluster = "eu".parse().expect("a name");
    let version = Version::new(version).expect("a version");
    Snapshot::seal(
        set.clone(),
        cluster,
        version,
        &origin,
        Contents::of_values(values),
        entries,
        loose,
    )
}

fn held(observed: &Observed) -> u64 {
    let document = observed.snapshot.document();
    document.map_or(0, |document| document.version().get())
}

pub(super) async fn a_large_snapshot_survives_byte_for_byte(bench: &dyn Bench) {
    survives(bench, LARGE).await;
}

#[tokio::test]
async fn a_consul_takes_a_snapshot_of_megabytes_within_its_own_limits() {
    survives(&ConsulBench::within(Limits::CONSUL).await, HUGE).await;
}

/// It goes, comes back smaller and larger, and leaves nothing.
async fn survives(bench: &dyn Bench, bytes: usize) {
    let (set, root) = (unique_set(), unique_prefix());
    for (version, bytes) in [(1, bytes), (2, 10), (3, bytes / 2), (4, bytes / 2 * 3)] {
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
    assert!(seen.auxiliary.is_clear(), "{:?}", seen.auxiliary);
}

pub(super) async fn more_than_any_snapshot_may_have_is_refused(bench: &dyn Bench) {
    let (set, root) = (unique_set(), unique_prefix());
    let seen = observe(bench, &set, &root).await;
    let mut huge = write(&seen, &sized(&set, 1, 10));
    huge.snapshot = SnapshotWrite::Put {
        value: vec![b' '; 17 * 1024 * 1024],
        expected: None,
    };
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
    let snapshots: BTreeMap<u64, Snapshot> = (1..12_u8)
        .map(|version| {
            let bytes = [10, LARGE, LARGE / 2 * 3][usize::from(version % 3)];
            (version.into(), sized(&set, version.into(), bytes))
        })
        .collect();
    let done = AtomicBool::new(false);
    deliver(bench, &root, &snapshots[&1]).await;
    let writer = async {
        for next in snapshots.values().skip(1) {
            deliver(bench, &root, next).await;
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
            assert_eq!(*document, snapshots[&version].document);
            last = version;
            tokio::task::yield_now().await;
        }
    };
    tokio::join!(writer, reader);
}

pub(super) async fn one_of_many_racers_with_large_snapshots_wins(bench: &dyn Bench) {
    let (set, root) = (unique_set(), unique_prefix());
    let seen = deliver(bench, &root, &sized(&set, 1, LARGE)).await;
    let racers: Vec<_> = (2..6).map(|version| sized(&set, version, LARGE)).collect();
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
    let after = deliver(bench, &root, &sized(&set, 9, LARGE)).await;
    assert!(
        after.auxiliary.parts.len() <= 6,
        "{:?}",
        after.auxiliary.parts.keys()
    );
}

pub(super) async fn writers_of_the_same_snapshot_do_not_break_it(bench: &dyn Bench) {
    let (set, root) = (unique_set(), unique_prefix());
    let seen = deliver(bench, &root, &sized(&set, 1, 10)).await;
    let next = sized(&set, 2, LARGE);
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
    let names = AuxiliaryNames::of(&bench.target().snapshot_key(&set));
    let theirs = format!("{}notes", names.parts);
    bench.put_as_other(&set, &theirs, b"theirs").await;
    let first = deliver(bench, &root, &sized(&set, 1, LARGE))
        .await
        .auxiliary
        .named;
    assert_eq!(first.len(), 3, "{first:?}");
    // Someone may have read the old table of contents just before: its parts stay for one more write.
    let seen = deliver(bench, &root, &sized(&set, 2, LARGE)).await;
    assert!(
        first
            .iter()
            .all(|part| seen.auxiliary.parts.contains_key(part))
    );
    let second = seen.auxiliary.named;
    let seen = deliver(bench, &root, &sized(&set, 3, 10)).await;
    assert!(
        !first
            .iter()
            .any(|part| seen.auxiliary.parts.contains_key(part))
    );
    assert!(
        second
            .iter()
            .all(|part| seen.auxiliary.parts.contains_key(part))
    );
    let seen = deliver(bench, &root, &sized(&set, 4, 10)).await;
    assert_eq!(seen.auxiliary.parts.keys().collect::<Vec<_>>(), [&theirs]);
    let seen = deliver(bench, &root, &sized(&set, 5, LARGE)).await;
    bench
        .target()
        .write(&removal(&seen))
        .await
        .expect("a write");
    let seen = observe(bench, &set, &root).await;
    assert_eq!(seen.auxiliary.parts.keys().collect::<Vec<_>>(), [&theirs]);
}

pub(super) async fn a_part_that_is_gone_or_changed_is_reported_and_mended(bench: &dyn Bench) {
    let (set, root) = (unique_set(), unique_prefix());
    let next = sized(&set, 1, LARGE);
    let whole = deliver(bench, &root, &next).await;
    let part = whole.auxiliary.named.first().expect("a part").clone();
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
    assert!(seen.holds(&first.document) && seen.auxiliary.delivering.is_none());
    let second = many(&set, &root, 2, 900, loose);
    let seen = deliver(bench, &root, &second).await;
    assert!(seen.holds(&second.document) && seen.auxiliary.delivering.is_none());
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
            assert!(
                matches!(
                    reasons[..],
                    [Oversize::Operations {
                        needed: 901..,
                        limit: 64
                    }]
                ),
                "{reasons:?}"
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
        .auxiliary
        .delivering
        .as_ref()
        .expect("the mark of a delivery");
    assert_eq!(begun.version.get(), 2);
    assert_eq!(seen.entries[&key(&edited)].value, b"theirs");
    let seen = deliver(bench, &root, &second).await;
    assert!(seen.holds(&second.document) && seen.auxiliary.delivering.is_none());
}

/// Every way in which a large write can be stopped, and what is there is always a whole snapshot.
async fn stopped(bench: &dyn Bench, root: &str, before: &Snapshot, next: &Snapshot) {
    let set = next.document.set();
    let seen = observe(bench, set, root).await;
    let document = seen.snapshot.document().expect("a whole document");
    let delivered = *document == next.document;
    assert!(delivered || *document == before.document);
    let seen = deliver(bench, root, next).await;
    assert!(seen.holds(&next.document) && seen.auxiliary.delivering.is_none());
    // Nothing that crashes leave behind stays for ever.
    let after = sized(set, 90, 10);
    deliver(bench, root, &after).await;
    let seen = deliver(bench, root, &sized(set, 91, 10)).await;
    assert!(seen.auxiliary.parts.is_empty(), "{:?}", seen.auxiliary);
}

/// A set before and after: in parts, and in batches.
fn changes(set: &SetName, root: &str) -> [(Snapshot, Snapshot); 2] {
    let loose = BTreeSet::from([key(root)]);
    let batches = |version| many(set, root, version, 200, loose.clone());
    [
        (sized(set, 1, LARGE), sized(set, 2, LARGE)),
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

/// A wire that goes dead at its nth write, as if the writer had crashed there.
fn dead_from(address: &str, nth: usize, lost: Lost) -> Proxy {
    let proxy = Proxy::before(address);
    let (writes, dead) = (AtomicUsize::new(0), AtomicBool::new(false));
    proxy.rule(move |request| {
        if dead.load(Ordering::SeqCst) {
            return Fate::Cut;
        }
        if !request.is_write() || writes.fetch_add(1, Ordering::SeqCst) != nth {
            return Fate::Forward;
        }
        dead.store(true, Ordering::SeqCst);
        match lost {
            Lost::Request => Fate::Cut,
            Lost::Answer => Fate::LoseAnswer,
        }
    });
    proxy
}

#[tokio::test]
async fn consul_stopped_after_any_transaction_is_whole_and_is_finished_by_the_next_write() {
    for change in 0..2 {
        for (nth, lost) in (0..6).flat_map(|nth| [(nth, Lost::Request), (nth, Lost::Answer)]) {
            let bench = ConsulBench::new().await;
            let (set, root) = (unique_set(), unique_prefix());
            let (before, next) = &changes(&set, &root)[change];
            let seen = deliver(&bench, &root, before).await;
            let proxy = dead_from(&bench.server.address(), nth, lost);
            let target = bench.behind(&proxy.address());
            let outcome = target.write(&write(&seen, next)).await;
            assert!(outcome.is_err() || nth > 3, "{nth} {lost:?}");
            proxy.until_idle();
            stopped(&bench, &root, before, next).await;
        }
    }
}

pub(super) async fn what_just_fits_can_be_written_and_removed(bench: &dyn Bench) {
    let (set, root) = (unique_set(), unique_prefix());
    // With the snapshot key as many operations as a transaction may have.
    let full = |version| many(&set, &root, version, 63, [].into());
    let seen = deliver(bench, &root, &full(1)).await;
    let gone = removal(&seen);
    let seen = deliver(bench, &root, &full(2)).await;
    match bench.target().write(&gone).await.expect_err("a conflict") {
        TargetError::Moved { .. } => {}
        error => panic!("{error:?}"),
    }
    assert!(observe(bench, &set, &root).await.holds(&full(2).document));
    bench
        .target()
        .write(&removal(&seen))
        .await
        .expect("a write");
    let seen = observe(bench, &set, &root).await;
    assert!(seen.snapshot.fence().is_none() && seen.entries.is_empty());
}

pub(super) async fn what_a_stopped_delivery_made_is_named_until_it_is_gone(bench: &dyn Bench) {
    let (set, root) = (unique_set(), unique_prefix());
    let loose = BTreeSet::from([key(&root)]);
    let next = many(&set, &root, 1, 200, loose);
    let seen = observe(bench, &set, &root).await;
    let late = write(&seen, &next);
    // Someone takes the last key, so that all batches but the last one go through.
    let theirs = format!("{root}/0199");
    bench.put_as_other(&set, &theirs, b"theirs").await;
    let refused = bench.target().write(&late).await;
    assert!(
        matches!(refused, Err(TargetError::Moved { .. })),
        "{refused:?}"
    );

    // Whoever knows nothing of the root any more finds them all the same.
    let seen = observe(bench, &set, "elsewhere").await;
    assert!(seen.snapshot.fence().is_none());
    let made: BTreeSet<&Key> = seen.auxiliary.created().collect();
    assert_eq!(made, next.entries.keys().collect());
    let ours = || {
        seen.entries
            .iter()
            .filter(|(_, entry)| entry.owner == Owner::Cfgctl)
    };
    assert!(ours().count() >= 100, "{} keys", ours().count());

    // That it remembers them outlasts the next one that is stopped.
    let second = many(&set, &root, 2, 200, [key(&root)].into());
    let mut late = write(&observe(bench, &set, &root).await, &second);
    late.entries.remove(&key(&theirs));
    let moved = format!("{root}/0001");
    bench.put_as_other(&set, &moved, b"moved").await;
    let refused = bench.target().write(&late).await;
    assert!(
        matches!(refused, Err(TargetError::Moved { .. })),
        "{refused:?}"
    );
    let seen = observe(bench, &set, "elsewhere").await;
    let made: BTreeSet<&Key> = seen.auxiliary.created().collect();
    assert_eq!(made, next.entries.keys().collect());

    let ours = seen
        .entries
        .iter()
        .filter(|(_, entry)| entry.owner == Owner::Cfgctl);
    let entries: BTreeMap<Key, EntryWrite> = ours
        .map(|(key, entry)| {
            let expected = entry.fence.clone();
            (key.clone(), EntryWrite::Delete { expected })
        })
        .collect();
    let gone = Write {
        set: set.clone(),
        snapshot: SnapshotWrite::Delete { expected: None },
        loose: entries.keys().cloned().collect(),
        entries,
        auxiliary: seen.auxiliary,
    };
    bench.target().write(&gone).await.expect("a write");
    let seen = observe(bench, &set, &root).await;
    assert!(seen.auxiliary.is_clear(), "{:?}", seen.auxiliary);
    let left: Vec<String> = seen.entries.keys().map(ToString::to_string).collect();
    assert_eq!(left, [moved, theirs]);
}
