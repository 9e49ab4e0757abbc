//! What every target promises: one function per promise, run against every backend.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use cfgctl::model::{
    self, EntryWrite, Fence, Limits, Observed, Oversize, Owner, SetName, Snapshot, SnapshotWrite,
};
use cfgctl::target::consul::{Consul, Patience};
use cfgctl::target::directory::Directory;
use cfgctl::target::memory::Memory;
use cfgctl::target::{Access, Target, TargetError, Variables};

use crate::support::consul::{Consul as Server, Shared, unique_prefix};
use crate::support::delivery::{key, place, removal, snapshot, unique_set, values, write};
use crate::support::faulty::{Faulty, Lost};

mod large;

use large::{
    a_large_snapshot_survives_byte_for_byte, a_part_that_is_gone_or_changed_is_reported_and_mended,
    a_reader_never_sees_half_of_a_large_snapshot, a_thousand_loose_keys_arrive_in_batches,
    an_edit_between_two_batches_is_a_conflict, more_than_any_snapshot_may_have_is_refused,
    one_of_many_racers_with_large_snapshots_wins,
    surplus_parts_are_collected_and_those_of_others_stay,
    what_a_stopped_delivery_made_is_named_until_it_is_gone,
    what_just_fits_can_be_written_and_removed, writers_of_the_same_snapshot_do_not_break_it,
};

/// A target, and someone else who writes to the same place.
#[async_trait]
trait Bench: Send + Sync {
    fn target(&self) -> Arc<dyn Target>;
    async fn put_as_other(&self, set: &SetName, key: &str, value: &[u8]);
    async fn delete_as_other(&self, set: &SetName, key: &str);
}

/// Limits that a snapshot of some hundred kilobytes is far above, so that tests need no larger one.
const TIGHT: Limits = Limits {
    operations: Limits::CONSUL.operations,
    value_bytes: 128 * 1024,
    request_bytes: 192 * 1024,
};

struct MemoryBench(Arc<Memory>);

impl MemoryBench {
    #[expect(clippy::unused_async, reason = "made like the others")]
    async fn new() -> Self {
        Self::within(TIGHT)
    }

    fn within(limits: Limits) -> Self {
        Self(Arc::new(Memory::new(key("cfgctl")).with_limits(limits)))
    }
}

#[async_trait]
impl Bench for MemoryBench {
    fn target(&self) -> Arc<dyn Target> {
        Arc::clone(&self.0) as Arc<dyn Target>
    }

    async fn put_as_other(&self, _set: &SetName, key: &str, value: &[u8]) {
        self.0.put_as_other(key, value);
    }

    async fn delete_as_other(&self, _set: &SetName, key: &str) {
        self.0.delete_as_other(key);
    }
}

struct DirectoryBench {
    target: Arc<Directory>,
    home: tempfile::TempDir,
}

impl DirectoryBench {
    #[expect(clippy::unused_async, reason = "made like the others")]
    async fn new() -> Self {
        let home = tempfile::tempdir().expect("a directory");
        let path = home.path().join("out");
        let target = Arc::new(Directory::new(&model::DirectorySpec { path }).expect("a target"));
        Self { target, home }
    }

    fn path(&self, set: &SetName, key: &str) -> std::path::PathBuf {
        let name = if key == self.target.snapshot_key(set) {
            "snapshot.json"
        } else {
            key
        };
        self.home.path().join(format!("out/{set}/..data/{name}"))
    }
}

#[async_trait]
impl Bench for DirectoryBench {
    fn target(&self) -> Arc<dyn Target> {
        Arc::clone(&self.target) as Arc<dyn Target>
    }

    async fn put_as_other(&self, set: &SetName, key: &str, value: &[u8]) {
        let path = self.path(set, key);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        std::fs::write(path, value).expect("a file");
    }

    async fn delete_as_other(&self, set: &SetName, key: &str) {
        std::fs::remove_file(self.path(set, key)).expect("a file");
    }
}

struct ConsulBench {
    target: Arc<Consul>,
    server: Shared,
    prefix: model::Key,
}

impl ConsulBench {
    async fn new() -> Self {
        Self::within(TIGHT).await
    }

    async fn within(limits: Limits) -> Self {
        let server = Server::shared().await;
        let prefix = key(&unique_prefix());
        let target = Arc::new(connect(&server.address(), &prefix, limits));
        Self {
            target,
            server,
            prefix,
        }
    }

    /// The same Consul at another address.
    fn behind(&self, address: &str) -> Consul {
        connect(address, &self.prefix, TIGHT)
    }
}

fn connect(address: &str, prefix: &model::Key, limits: Limits) -> Consul {
    let spec = model::ConsulSpec {
        address: Some(address.to_owned()),
        prefix: prefix.clone(),
        datacenter: None,
        token: None,
        tls: None,
        limits: model::LimitOverrides {
            operations: Some(limits.operations),
            value_bytes: Some(limits.value_bytes),
            request_bytes: Some(limits.request_bytes),
        },
    };
    let cluster = "eu".parse().expect("a name");
    let (environment, patience) = (Variables::default(), Patience::default());
    Consul::connect(&cluster, &spec, &environment, &patience).expect("a target")
}

#[async_trait]
impl Bench for ConsulBench {
    fn target(&self) -> Arc<dyn Target> {
        Arc::clone(&self.target) as Arc<dyn Target>
    }

    async fn put_as_other(&self, _set: &SetName, key: &str, value: &[u8]) {
        self.server.kv_put(key, value).await;
    }

    async fn delete_as_other(&self, _set: &SetName, key: &str) {
        self.server.kv_delete(key).await;
    }
}

/// Runs every promise against every backend; those of the second list only where there are limits.
macro_rules! promises {
    ($($name:ident,)*; $($limited:ident,)*) => {
        mod memory {
            $(#[tokio::test] async fn $name() {
                super::$name(&super::MemoryBench::new().await).await;
            })*
            $(#[tokio::test] async fn $limited() {
                super::$limited(&super::MemoryBench::new().await).await;
            })*
        }
        mod directory {
            $(#[tokio::test] async fn $name() {
                super::$name(&super::DirectoryBench::new().await).await;
            })*
        }
        mod consul {
            $(#[tokio::test] async fn $name() {
                super::$name(&super::ConsulBench::new().await).await;
            })*
            $(#[tokio::test] async fn $limited() {
                super::$limited(&super::ConsulBench::new().await).await;
            })*
        }
    };
}

promises! {
    absent_is_absent,
    a_create_is_read_back_byte_for_byte_with_our_mark,
    a_create_fails_if_a_snapshot_is_there,
    a_create_fails_if_one_of_its_keys_is_there,
    a_stale_fence_changes_nothing_at_all,
    a_fence_of_another_backend_fits_nothing,
    one_of_many_racers_wins_and_the_others_change_nothing,
    keeping_a_key_fails_when_it_moved,
    a_delete_removes_exactly_what_it_names,
    a_delete_fails_if_the_snapshot_moved_or_is_gone,
    keys_of_others_are_reported_and_kept,
    a_snapshot_that_is_none_is_reported_with_the_reason,
    odd_keys_and_values_survive,
    a_reader_never_sees_a_mixture,
    a_lost_request_changed_nothing_and_a_lost_answer_everything,
    it_is_fit_for_use,
    a_listing_names_the_sets_that_lie_there,
    a_large_snapshot_survives_byte_for_byte,
    more_than_any_snapshot_may_have_is_refused,
    a_reader_never_sees_half_of_a_large_snapshot,
    one_of_many_racers_with_large_snapshots_wins,
    writers_of_the_same_snapshot_do_not_break_it,
    ;
    surplus_parts_are_collected_and_those_of_others_stay,
    a_part_that_is_gone_or_changed_is_reported_and_mended,
    a_thousand_loose_keys_arrive_in_batches,
    an_edit_between_two_batches_is_a_conflict,
    what_just_fits_can_be_written_and_removed,
    what_a_stopped_delivery_made_is_named_until_it_is_gone,
}

async fn observe(bench: &dyn Bench, set: &SetName, root: &str) -> Observed {
    let observed = bench.target().observe(&place(set, root)).await;
    observed.expect("an observation")
}

/// Writes `next` over whatever is there.
async fn deliver(bench: &dyn Bench, root: &str, next: &Snapshot) -> Observed {
    let set = next.document.set();
    let observed = observe(bench, set, root).await;
    let write = write(&observed, next);
    bench.target().write(&write).await.expect("a write");
    observe(bench, set, root).await
}

/// The state of every key, to see whether anything changed.
fn states(observed: &Observed) -> Vec<(String, Fence)> {
    let snapshot = observed.snapshot.fence().cloned();
    let snapshot = snapshot.map(|fence| ("snapshot".to_owned(), fence));
    let entry =
        |(key, entry): (&model::Key, &model::ObservedEntry)| (key.to_string(), entry.fence.clone());
    snapshot
        .into_iter()
        .chain(observed.entries.iter().map(entry))
        .collect()
}

fn moved_keys(result: Result<(), TargetError>) -> Vec<String> {
    match result.expect_err("a refusal") {
        TargetError::Moved { keys, .. } => keys,
        error => panic!("not moved: {error:?}"),
    }
}

async fn absent_is_absent(bench: &dyn Bench) {
    let (set, root) = (unique_set(), unique_prefix());
    let observed = observe(bench, &set, &root).await;
    assert!(observed.snapshot.fence().is_none());
    assert!(observed.entries.is_empty());
}

async fn a_create_is_read_back_byte_for_byte_with_our_mark(bench: &dyn Bench) {
    let (set, root) = (unique_set(), unique_prefix());
    let (a, b) = (format!("{root}/a"), format!("{root}/b/c"));
    let next = snapshot(&set, 1, &[(&a, b"1"), (&b, b"2")]);
    let observed = deliver(bench, &root, &next).await;
    assert_eq!(observed.snapshot.document(), Some(&next.document));
    assert!(observed.snapshot.fence().is_some());
    let model::ObservedSnapshot::Present { owner, .. } = observed.snapshot else {
        panic!("absent");
    };
    assert_eq!(owner, Owner::Cfgctl);
    let found: Vec<_> = observed.entries.iter().collect();
    let expected: Vec<_> = next.entries.iter().collect();
    assert_eq!(found.len(), expected.len());
    for ((key, entry), (expected_key, value)) in found.into_iter().zip(expected) {
        assert_eq!((key, &entry.value), (expected_key, value));
        assert_eq!(entry.owner, Owner::Cfgctl);
    }
}

async fn a_create_fails_if_a_snapshot_is_there(bench: &dyn Bench) {
    let (set, root) = (unique_set(), unique_prefix());
    let absent = observe(bench, &set, &root).await;
    let before = deliver(bench, &root, &snapshot(&set, 1, &[])).await;
    let late = write(&absent, &snapshot(&set, 2, &[(&format!("{root}/a"), b"2")]));
    let keys = moved_keys(bench.target().write(&late).await);
    assert_eq!(keys, [bench.target().snapshot_key(&set)]);
    assert_eq!(states(&observe(bench, &set, &root).await), states(&before));
}

async fn a_create_fails_if_one_of_its_keys_is_there(bench: &dyn Bench) {
    let (set, root) = (unique_set(), unique_prefix());
    let (a, b) = (format!("{root}/a"), format!("{root}/b"));
    let seen = deliver(bench, &root, &snapshot(&set, 1, &[])).await;
    bench.put_as_other(&set, &b, b"theirs").await;
    let before = observe(bench, &set, &root).await;
    let late = write(&seen, &snapshot(&set, 2, &[(&a, b"2"), (&b, b"2")]));
    assert_eq!(moved_keys(bench.target().write(&late).await), [b]);
    assert_eq!(states(&observe(bench, &set, &root).await), states(&before));
}

async fn a_stale_fence_changes_nothing_at_all(bench: &dyn Bench) {
    let (set, root) = (unique_set(), unique_prefix());
    let [a, b, c] = ["a", "b", "c"].map(|name| format!("{root}/{name}"));
    let first = snapshot(&set, 1, &[(&a, b"1"), (&b, b"1")]);
    let seen = deliver(bench, &root, &first).await;
    let next = write(&seen, &snapshot(&set, 2, &[(&b, b"2"), (&c, b"2")]));
    for (moved, value) in [(&a, "x"), (&b, "y")] {
        bench.put_as_other(&set, moved, value.as_bytes()).await;
        let before = observe(bench, &set, &root).await;
        let keys = moved_keys(bench.target().write(&next).await);
        assert!(keys.contains(moved), "{keys:?}");
        assert_eq!(states(&observe(bench, &set, &root).await), states(&before));
    }
    // A newer snapshot stays, whatever the other keys say.
    let newer = deliver(bench, &root, &snapshot(&set, 3, &[(&a, b"3"), (&b, b"3")])).await;
    let keys = moved_keys(bench.target().write(&next).await);
    assert!(
        keys.contains(&bench.target().snapshot_key(&set)),
        "{keys:?}"
    );
    assert_eq!(states(&observe(bench, &set, &root).await), states(&newer));
}

async fn a_fence_of_another_backend_fits_nothing(bench: &dyn Bench) {
    let (set, root) = (unique_set(), unique_prefix());
    let before = deliver(bench, &root, &snapshot(&set, 1, &[])).await;
    let mut next = write(&before, &snapshot(&set, 2, &[]));
    for fence in ["elsewhere", "", "0", "-1"] {
        next.snapshot = SnapshotWrite::Put {
            value: b"{}".to_vec(),
            expected: Some(Fence(fence.to_owned())),
        };
        let keys = moved_keys(bench.target().write(&next).await);
        assert_eq!(keys, [bench.target().snapshot_key(&set)], "{fence:?}");
    }
    assert_eq!(states(&observe(bench, &set, &root).await), states(&before));
}

async fn one_of_many_racers_wins_and_the_others_change_nothing(bench: &dyn Bench) {
    let (set, root) = (unique_set(), unique_prefix());
    let seen = deliver(bench, &root, &snapshot(&set, 1, &[])).await;
    let target = bench.target();
    // Each has a key of its own, and all have the snapshot.
    let racers: Vec<_> = (2..10)
        .map(|number: u64| {
            let own = format!("{root}/{number}");
            snapshot(&set, number, &[(&own, number.to_string().as_bytes())])
        })
        .collect();
    let writes = racers.iter().map(|next| {
        let (target, write) = (Arc::clone(&target), write(&seen, next));
        async move { target.write(&write).await }
    });
    let outcomes = futures_util::future::join_all(writes).await;
    let winners: Vec<_> = racers
        .iter()
        .zip(&outcomes)
        .filter_map(|(next, outcome)| outcome.is_ok().then_some(next))
        .collect();
    let [winner] = winners[..] else {
        panic!("{} winners", winners.len());
    };
    for error in outcomes.iter().filter_map(|outcome| outcome.as_ref().err()) {
        assert!(matches!(error, TargetError::Moved { .. }), "{error:?}");
    }
    let after = observe(bench, &set, &root).await;
    assert_eq!(after.snapshot.document(), Some(&winner.document));
    assert!(after.entries.keys().eq(winner.entries.keys()));
}

async fn keeping_a_key_fails_when_it_moved(bench: &dyn Bench) {
    let (set, root) = (unique_set(), unique_prefix());
    let a = format!("{root}/a");
    let seen = deliver(bench, &root, &snapshot(&set, 1, &[(&a, b"1")])).await;
    let mut next = write(&seen, &snapshot(&set, 2, &[(&a, b"1")]));
    let expected = seen.entries[&key(&a)].fence.clone();
    next.entries.insert(key(&a), EntryWrite::Keep { expected });

    bench.put_as_other(&set, &a, b"theirs").await;
    let before = observe(bench, &set, &root).await;
    assert_eq!(moved_keys(bench.target().write(&next).await), [a.as_str()]);
    assert_eq!(states(&observe(bench, &set, &root).await), states(&before));
    bench.delete_as_other(&set, &a).await;
    assert_eq!(moved_keys(bench.target().write(&next).await), [a.as_str()]);

    let seen = deliver(bench, &root, &snapshot(&set, 3, &[(&a, b"3")])).await;
    let mut next = write(&seen, &snapshot(&set, 4, &[(&a, b"3")]));
    let kept = seen.entries[&key(&a)].clone();
    let expected = kept.fence.clone();
    next.entries.insert(key(&a), EntryWrite::Keep { expected });
    bench.target().write(&next).await.expect("a write");
    let after = observe(bench, &set, &root).await;
    assert_eq!(after.entries[&key(&a)], kept);
}

async fn a_delete_removes_exactly_what_it_names(bench: &dyn Bench) {
    let (set, root) = (unique_set(), unique_prefix());
    let [a, b, theirs] = ["web", "web/b", "webx"].map(|name| format!("{root}/{name}"));
    // Not both `web` and `web/b`: a directory cannot hold them.
    let seen = deliver(bench, &root, &snapshot(&set, 1, &[(&b, b"1")])).await;
    bench.put_as_other(&set, &theirs, b"theirs").await;
    bench
        .target()
        .write(&removal(&seen))
        .await
        .expect("a write");
    let after = observe(bench, &set, &root).await;
    assert!(after.snapshot.fence().is_none());
    assert_eq!(
        values(&after),
        [(theirs.clone(), b"theirs".to_vec())].into()
    );

    let again = deliver(bench, &root, &snapshot(&set, 2, &[(&a, b"2")])).await;
    assert_eq!(again.entries.len(), 2, "the set can come back");
    bench.delete_as_other(&set, &theirs).await;
    bench
        .target()
        .write(&removal(&again))
        .await
        .expect("a write");
    let after = observe(bench, &set, &root).await;
    assert!(after.snapshot.fence().is_none() && after.entries.is_empty());
}

async fn a_delete_fails_if_the_snapshot_moved_or_is_gone(bench: &dyn Bench) {
    let (set, root) = (unique_set(), unique_prefix());
    let a = format!("{root}/a");
    let snapshot_key = bench.target().snapshot_key(&set);
    let seen = deliver(bench, &root, &snapshot(&set, 1, &[(&a, b"1")])).await;
    let late = removal(&seen);
    let before = deliver(bench, &root, &snapshot(&set, 2, &[(&a, b"1")])).await;
    let keys = moved_keys(bench.target().write(&late).await);
    assert_eq!(keys, [snapshot_key.as_str()]);
    assert_eq!(states(&observe(bench, &set, &root).await), states(&before));

    bench.delete_as_other(&set, &snapshot_key).await;
    let keys = moved_keys(bench.target().write(&removal(&before)).await);
    assert!(keys.contains(&snapshot_key), "{keys:?}");
    assert!(
        observe(bench, &set, &root)
            .await
            .entries
            .contains_key(&key(&a))
    );
}

async fn keys_of_others_are_reported_and_kept(bench: &dyn Bench) {
    let (set, root) = (unique_set(), unique_prefix());
    let [ours, theirs, beside] = [
        format!("{root}/ours"),
        format!("{root}/theirs/x"),
        format!("{root}x/y"),
    ];
    deliver(bench, &root, &snapshot(&set, 1, &[(&ours, b"1")])).await;
    bench.put_as_other(&set, &theirs, b"theirs").await;
    bench.put_as_other(&set, &beside, b"beside").await;
    let after = deliver(bench, &root, &snapshot(&set, 2, &[(&ours, b"2")])).await;
    let owners: Vec<_> = after
        .entries
        .iter()
        .map(|(key, entry)| (key.as_str(), entry.owner))
        .collect();
    let expected = [
        (ours.as_str(), Owner::Cfgctl),
        (theirs.as_str(), Owner::Other),
    ];
    assert_eq!(owners, expected, "and not {beside}");
    let mut wider = place(&set, &root);
    wider.keys.insert(key(&beside));
    let seen = bench
        .target()
        .observe(&wider)
        .await
        .expect("an observation");
    assert_eq!(seen.entries[&key(&beside)].value, b"beside");
    assert_eq!(seen.entries[&key(&beside)].owner, Owner::Other);
}

async fn a_snapshot_that_is_none_is_reported_with_the_reason(bench: &dyn Bench) {
    let (set, root) = (unique_set(), unique_prefix());
    let a = format!("{root}/a");
    deliver(bench, &root, &snapshot(&set, 1, &[(&a, b"1")])).await;
    let snapshot_key = bench.target().snapshot_key(&set);
    bench.put_as_other(&set, &snapshot_key, b"not json").await;
    let seen = observe(bench, &set, &root).await;
    let model::ObservedSnapshot::Present {
        owner, document, ..
    } = &seen.snapshot
    else {
        panic!("absent");
    };
    assert_eq!(*owner, Owner::Other);
    assert!(matches!(**document, Err(model::DocumentError::NotJson(_))));
    assert_eq!(values(&seen), [(a, b"1".to_vec())].into());
}

async fn odd_keys_and_values_survive(bench: &dyn Bench) {
    let (set, root) = (unique_set(), unique_prefix());
    let every_byte: Vec<u8> = (0..=255).collect();
    let large: Vec<u8> = every_byte.iter().copied().cycle().take(100_000).collect();
    let named = |name: &str| format!("{root}/{name}");
    let keys = [
        "a b",
        "ü/日本語",
        "%2F",
        "a%2Fb",
        "?x=1&y=2",
        "#f",
        "hosts[0]",
        "\"q\"",
        "back\\slash",
        "..b/c.",
        "<&>",
        "+",
        "~",
    ]
    .map(named);
    let values_of: [&[u8]; 4] = [b"", &every_byte, &large, b"\xef\xbb\xbf \r\n"];
    let entries: Vec<_> = keys
        .iter()
        .zip(values_of.into_iter().chain(std::iter::repeat(&b"x"[..])))
        .map(|(key, value)| (key.as_str(), value))
        .collect();
    let next = snapshot(&set, 1, &entries);
    let seen = deliver(bench, &root, &next).await;
    let expected = next
        .entries
        .iter()
        .map(|(key, value)| (key.to_string(), value.clone()));
    assert_eq!(values(&seen), expected.collect());
    bench
        .target()
        .write(&removal(&seen))
        .await
        .expect("a write");
    assert!(observe(bench, &set, &root).await.entries.is_empty());
}

async fn a_reader_never_sees_a_mixture(bench: &dyn Bench) {
    const WRITES: u64 = 200;
    let (set, root) = (unique_set(), unique_prefix());
    let names: Vec<_> = (0..4).map(|number| format!("{root}/{number}/k")).collect();
    let of = |version: u64| {
        let value = version.to_string();
        let entries: Vec<_> = names
            .iter()
            // One key comes and goes.
            .skip(usize::from(version.is_multiple_of(2)))
            .map(|name| (name.as_str(), value.as_bytes()))
            .collect();
        snapshot(&set, version, &entries)
    };
    let done = AtomicBool::new(false);
    let mut seen = deliver(bench, &root, &of(1)).await;
    let writer = async {
        for version in 2..WRITES {
            let write = write(&seen, &of(version));
            bench.target().write(&write).await.expect("a write");
            seen = observe(bench, &set, &root).await;
        }
        done.store(true, Ordering::Relaxed);
    };
    let reader = async {
        let mut last = 0;
        while !done.load(Ordering::Relaxed) {
            let observed = observe(bench, &set, &root).await;
            let document = observed.snapshot.document().expect("a snapshot");
            let version = document.version().get();
            assert!(version >= last, "never backwards");
            last = version;
            let expected = of(version).entries;
            assert_eq!(observed.entries.len(), expected.len(), "version {version}");
            for (key, value) in expected.iter() {
                assert_eq!(observed.entries[key].value, *value, "version {version}");
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::join!(writer, reader);
}

async fn a_lost_request_changed_nothing_and_a_lost_answer_everything(bench: &dyn Bench) {
    for (lost, version) in [(Lost::Request, 1), (Lost::Answer, 2)] {
        let (set, root) = (unique_set(), unique_prefix());
        deliver(bench, &root, &snapshot(&set, 1, &[])).await;
        let seen = observe(bench, &set, &root).await;
        let faulty = Faulty::new(bench.target(), 0, lost);
        let write = write(&seen, &snapshot(&set, 2, &[]));
        let error = faulty.write(&write).await.expect_err("no answer");
        assert!(matches!(error, TargetError::Unknown { .. }), "{error:?}");
        let after = observe(bench, &set, &root).await;
        let document = after.snapshot.document().expect("a snapshot");
        assert_eq!(document.version().get(), version, "{lost:?}");
        let repeated = faulty.write(&write).await;
        assert_eq!(repeated.is_ok(), lost == Lost::Request, "{repeated:?}");
    }
}

async fn it_is_fit_for_use(bench: &dyn Bench) {
    let target = bench.target();
    deliver(bench, "x", &snapshot(&unique_set(), 1, &[])).await;
    let sets = BTreeMap::from([(
        unique_set(),
        BTreeSet::from(["a/b".parse().expect("a key")]),
    )]);
    let health = target.health(&sets).await.expect("its health");
    assert_eq!(health.access, Access::Full);
    assert_eq!(health.warnings, Vec::<String>::new());
    let denials = target.denials(&sets).await.expect("an answer");
    assert_eq!(denials, BTreeMap::new());
    assert_eq!(health.limits, target.limits().await.expect("its limits"));
}

async fn a_listing_names_the_sets_that_lie_there(bench: &dyn Bench) {
    let target = bench.target();
    let [kept, removed, never] = [unique_set(), unique_set(), unique_set()];
    let doubted = BTreeSet::from([kept.clone(), removed.clone(), never]);
    let listed = async || target.sets(&doubted).await.expect("a listing");
    assert_eq!(listed().await, BTreeSet::new());
    for set in [&kept, &removed] {
        let root = unique_prefix();
        let entry = format!("{root}/a");
        deliver(bench, &root, &snapshot(set, 1, &[(&entry, b"1")])).await;
    }
    assert_eq!(
        listed().await,
        BTreeSet::from([kept.clone(), removed.clone()])
    );
    let there = observe(bench, &removed, &unique_prefix()).await;
    target.write(&removal(&there)).await.expect("a removal");
    assert_eq!(listed().await, BTreeSet::from([kept.clone()]));
    // What lies there is told also of sets that nobody asked for, and something that is none.
    let all = target.sets(&BTreeSet::new()).await.expect("a listing");
    assert_eq!(all, BTreeSet::from([kept.clone()]));
    bench
        .put_as_other(&kept, &target.snapshot_key(&kept), b"x")
        .await;
    assert_eq!(listed().await, BTreeSet::from([kept]));
}

/// For targets with limits.
async fn what_is_over_a_limit_is_refused_with_the_numbers(bench: &dyn Bench) {
    let (set, root) = (unique_set(), unique_prefix());
    let limits = bench.target().limits().await.expect("limits");
    let before = deliver(bench, &root, &snapshot(&set, 1, &[])).await;
    let refused = async |entries: &[(&str, &[u8])]| {
        let write = write(&before, &snapshot(&set, 2, entries));
        match bench.target().write(&write).await.expect_err("a refusal") {
            TargetError::TooLarge { reasons, .. } => reasons,
            error => panic!("{error:?}"),
        }
    };
    let names: Vec<_> = (0..limits.operations)
        .map(|number| format!("{root}/{number}"))
        .collect();
    let many: Vec<_> = names
        .iter()
        .map(|name| (name.as_str(), &b"x"[..]))
        .collect();
    assert_eq!(
        refused(&many).await,
        [Oversize::Operations {
            needed: limits.operations + 1,
            limit: limits.operations
        }]
    );
    let large = vec![b'x'; limits.value_bytes + 1];
    let reasons = refused(&[(names[0].as_str(), &large)]).await;
    assert!(
        matches!(&reasons[..], [Oversize::Value { bytes, .. }, Oversize::Request { .. }] if *bytes == large.len()),
        "{reasons:?}"
    );
    assert_eq!(states(&observe(bench, &set, &root).await), states(&before));
    // Exactly as many as fit.
    let fits = snapshot(&set, 2, &many[..limits.operations - 1]);
    assert_eq!(
        deliver(bench, &root, &fits).await.entries.len(),
        limits.operations - 1
    );
}

#[tokio::test]
async fn memory_refuses_what_is_over_its_limits() {
    what_is_over_a_limit_is_refused_with_the_numbers(&MemoryBench::within(Limits::CONSUL)).await;
}

#[tokio::test]
async fn consul_refuses_what_is_over_its_limits() {
    what_is_over_a_limit_is_refused_with_the_numbers(&ConsulBench::within(Limits::CONSUL).await)
        .await;
}
