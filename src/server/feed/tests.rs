//! The feed over a store in memory that fails when the test says so.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::json;

use super::cells::Topic;
use super::*;
use crate::api::{ErrorKind, News};
use crate::app::Local;
use crate::model::{Commit, IdempotencyKey, Record, RecordId, RecordKind, Revision, Version};
use crate::model::{ResourceId, Sequence};
use crate::plan::testing::{
    World, cluster, cluster_id, described, set, set_id, sets, shop, version,
};
use crate::store::{
    CommitLimits, CommitRecord, Committed, HeadsAt, RecordsAt, Store, StoreError, Which,
    memory::Memory,
};

/// A store that remembers what was asked of it, and may not answer.
#[derive(Debug, Default)]
struct Faulty {
    inner: Arc<Memory>,
    fails: AtomicBool,
    dies: AtomicBool,
    /// What it was restored to.
    restored: Mutex<Option<Arc<Memory>>>,
    asked: Mutex<Vec<Which>>,
}

impl Faulty {
    fn answers(&self) -> Result<(), StoreError> {
        if self.fails.load(Ordering::SeqCst) {
            return Err(StoreError::Unavailable {
                location: self.location(),
                source: "the disk is gone".into(),
            });
        }
        Ok(())
    }
}

#[async_trait]
impl Store for Faulty {
    fn location(&self) -> String {
        self.inner.location()
    }

    fn limits(&self) -> CommitLimits {
        self.inner.limits()
    }

    async fn heads(&self, which: &Which) -> Result<HeadsAt, StoreError> {
        self.answers()?;
        self.asked.lock().unwrap().push(which.clone());
        let restored = self.restored.lock().unwrap().clone();
        restored.as_ref().unwrap_or(&self.inner).heads(which).await
    }

    async fn revisions(
        &self,
        ids: &[(ResourceId, Version)],
    ) -> Result<Vec<(ResourceId, Revision)>, StoreError> {
        self.inner.revisions(ids).await
    }

    async fn history(
        &self,
        id: &ResourceId,
        before: Option<Version>,
        limit: usize,
    ) -> Result<Vec<Revision>, StoreError> {
        self.inner.history(id, before, limit).await
    }

    async fn commit(&self, commit: &Commit) -> Result<Committed, StoreError> {
        self.inner.commit(commit).await
    }

    async fn commits(
        &self,
        after: Sequence,
        limit: usize,
    ) -> Result<Vec<CommitRecord>, StoreError> {
        self.answers()?;
        self.inner.commits(after, limit).await
    }

    async fn made_under(&self, key: &IdempotencyKey) -> Result<Option<CommitRecord>, StoreError> {
        self.inner.made_under(key).await
    }

    async fn records(&self, kind: RecordKind) -> Result<RecordsAt, StoreError> {
        self.inner.records(kind).await
    }

    async fn record(&self, id: &RecordId) -> Result<Option<Record>, StoreError> {
        self.inner.record(id).await
    }

    async fn touch(&self, used: &[(RecordId, Timestamp)]) -> Result<(), StoreError> {
        self.inner.touch(used).await
    }

    async fn wait(&self, after: Sequence) -> Result<Sequence, StoreError> {
        let newest = self.inner.wait(after).await?;
        assert!(!self.dies.load(Ordering::SeqCst), "it was to die");
        Ok(newest)
    }
}

/// A feed over the store of a world.
struct Bench {
    world: World,
    store: Arc<Faulty>,
    feed: Feed,
}

impl Bench {
    /// With `shop` everywhere, and `till` in `eu`.
    fn new() -> Self {
        let world = World::new();
        let till = crate::model::ConfigSet {
            clusters: "region=eu".parse().unwrap(),
            publish: Vec::new(),
            ..set(json!({"n": 1}))
        };
        world.apply(&shop(&set(json!({"a": 1}))));
        world.apply(&sets(&[("till", &till)]));
        let store = Arc::new(Faulty {
            inner: Arc::clone(&world.store),
            ..Faulty::default()
        });
        let local = Local::new(store.clone(), world.connect(), || Timestamp::UNIX_EPOCH);
        let feed = {
            let _runtime = world.runtime.enter();
            Feed::start(Arc::new(local))
        };
        Self { world, store, feed }
    }

    fn watch(&self, what: What) -> Result<Watcher, Error> {
        self.watch_part(what, Readable::All)
    }

    fn watch_part(&self, what: What, readable: Readable) -> Result<Watcher, Error> {
        let cluster = "eu".parse().unwrap();
        let key = Topic { cluster, what };
        self.world.runtime.block_on(self.feed.watch(key, readable))
    }

    fn change_shop(&self, number: u64) {
        self.world.apply(&shop(&set(json!({ "a": number }))));
    }

    /// What somebody hears who has this.
    fn next(&self, watcher: &mut Watcher, after: Sequence) -> Told {
        let asked = patient(Some(after));
        self.world.runtime.block_on(watcher.next(&asked)).unwrap()
    }

    /// Until the feed knows of everything.
    fn settle(&self) {
        let newest = self
            .world
            .runtime
            .block_on(self.store.inner.wait(Sequence::START));
        let newest = newest.unwrap();
        self.world.runtime.block_on(async {
            while self.feed.0.state().newest != newest {
                tokio::task::yield_now().await;
            }
        });
    }
}

/// Somebody who waits longer than any test.
fn patient(after: Option<Sequence>) -> Wish {
    Wish {
        after,
        tags: None,
        wait: std::time::Duration::from_secs(3600),
    }
}

fn shop_document() -> What {
    What::Document("shop".parse().unwrap())
}

fn version_in(told: &Told) -> u64 {
    let body: serde_json::Value = serde_json::from_slice(&told.found().unwrap().body).unwrap();
    body["version"].as_u64().unwrap()
}

fn sets_in(told: &Told) -> Vec<(String, u64)> {
    let body: serde_json::Value = serde_json::from_slice(&told.found().unwrap().body).unwrap();
    let items = body["sets"].as_array().unwrap().iter();
    items
        .map(|item| {
            let name = item["name"].as_str().unwrap().to_owned();
            (name, item["version"].as_u64().unwrap())
        })
        .collect()
}

#[test]
fn only_what_a_commit_changed_is_read_again() {
    let bench = Bench::new();
    let mut index = bench.watch(What::Index).unwrap();
    let mut document = bench.watch(shop_document()).unwrap();
    bench.settle();
    let (first, second) = (index.now().unwrap(), document.now().unwrap());
    assert_eq!(
        sets_in(&first),
        [("shop".to_owned(), 1), ("till".to_owned(), 1)]
    );
    bench.store.asked.lock().unwrap().clear();

    bench.change_shop(2);
    let told = bench.next(&mut index, first.sequence);
    assert_eq!(
        sets_in(&told),
        [("shop".to_owned(), 2), ("till".to_owned(), 1)]
    );
    assert!(told.sequence > first.sequence);
    let told = bench.next(&mut document, second.sequence);
    assert_eq!(version_in(&told), 2);
    let asked = bench.store.asked.lock().unwrap().clone();
    let two = Which::Named([set_id("shop"), cluster_id("eu")].into());
    assert!(
        !asked.is_empty() && asked.iter().all(|it| *it == two),
        "{asked:?}"
    );

    // What is the same for this one wakes nobody who waits for it.
    bench
        .world
        .apply(&described("us", cluster("elsewhere", "us")));
    bench.settle();
    let again = document.now().unwrap();
    assert!(again.sequence > told.sequence);
    assert!(again.is_known(&patient(Some(told.sequence))));
    // One who has the same is told nothing, whatever he was told with it.
    let tags = Some(told.found().unwrap().tag.clone());
    let asked = Wish {
        tags,
        ..patient(None)
    };
    assert!(again.is_known(&asked));
}

#[test]
fn what_a_cluster_is_said_to_be_changes_all_that_it_gets() {
    let bench = Bench::new();
    let mut index = bench.watch(What::Index).unwrap();
    bench.settle();
    let before = index.now().unwrap();
    bench.world.apply(&described("eu", cluster("eu", "mars")));
    let told = bench.next(&mut index, before.sequence);
    assert_eq!(sets_in(&told), [("shop".to_owned(), 1)]);
}

#[test]
fn whoever_waits_goes_on_waiting_while_the_store_does_not_answer() {
    let bench = Bench::new();
    let mut document = bench.watch(shop_document()).unwrap();
    bench.settle();
    let before = document.now().unwrap();
    bench.store.fails.store(true, Ordering::SeqCst);
    bench.change_shop(2);
    // Who has nothing is told why; who has something keeps it.
    let error = bench
        .watch(What::Index)
        .and_then(|mut it| it.now())
        .unwrap();
    assert_eq!(error.found().unwrap_err().kind, ErrorKind::Unavailable);
    assert_eq!(version_in(&document.now().unwrap()), 1);
    assert!(bench.feed.follows());
    bench.store.fails.store(false, Ordering::SeqCst);
    let told = bench.next(&mut document, before.sequence);
    assert_eq!(version_in(&told), 2);
    assert_eq!(
        sets_in(&bench.watch(What::Index).unwrap().now().unwrap()).len(),
        2
    );
}

#[test]
fn what_is_gone_is_told_and_what_comes_back_too() {
    let bench = Bench::new();
    let mut document = bench.watch(shop_document()).unwrap();
    bench.settle();
    let before = document.now().unwrap();
    bench.world.apply(&crate::plan::testing::deleted("shop"));
    let told = bench.next(&mut document, before.sequence);
    let error = told.found().unwrap_err();
    assert!(error.error.contains("was deleted"), "{error:?}");
    bench.change_shop(3);
    let again = bench.watch(shop_document()).unwrap().now().unwrap();
    assert_eq!(version_in(&again), 3);
    // Nothing is kept of what is not there.
    let told = bench
        .watch(What::Document("never".parse().unwrap()))
        .unwrap()
        .now();
    assert!(told.unwrap().found().is_err());
    assert_eq!(bench.feed.0.state().cells.len(), 1);
}

#[test]
fn who_may_not_read_everything_sees_his_part_and_hears_of_nothing_else() {
    let bench = Bench::new();
    let only = Readable::Only(["till".parse().unwrap(), "other".parse().unwrap()].into());
    let mut part = bench.watch_part(What::Index, only).unwrap();
    bench.settle();
    let before = part.now().unwrap();
    assert_eq!(sets_in(&before), [("till".to_owned(), 1)]);
    let waits = Wish {
        tags: Some(before.found().unwrap().tag.clone()),
        ..patient(None)
    };
    let (told, ()) = bench.world.runtime.block_on(async {
        let commits = async {
            for name in ["shop", "till"] {
                let id = set_id(name);
                let which = Which::one(&id);
                let mut head = bench.store.inner.heads(&which).await.unwrap().heads;
                let mut head = head.remove(&id).unwrap();
                let expected = [(id.clone(), Some(head.version))].into();
                head.version = version(7);
                let revisions = [(id, head)].into();
                let commit = Commit {
                    expected,
                    revisions,
                    ..Commit::default()
                };
                bench.store.commit(&commit).await.unwrap();
                for _ in 0..100 {
                    tokio::task::yield_now().await;
                }
            }
        };
        tokio::join!(part.next(&waits), commits)
    });
    assert_eq!(sets_in(&told.unwrap()), [("till".to_owned(), 7)]);
}

#[test]
fn who_has_seen_more_than_there_is_gets_what_there_is() {
    let bench = Bench::new();
    let mut document = bench.watch(shop_document()).unwrap();
    bench.settle();
    let ahead = Sequence::new(document.now().unwrap().sequence.get() + 10);
    let told = bench.next(&mut document, ahead);
    assert_eq!(version_in(&told), 1);
    assert!(told.sequence < ahead);
}

#[test]
fn a_store_that_was_restored_is_followed_from_where_it_is() {
    let bench = Bench::new();
    bench.change_shop(2);
    let mut document = bench.watch(shop_document()).unwrap();
    let mut index = bench.watch(What::Index).unwrap();
    bench.settle();
    let before = (document.now().unwrap(), index.now().unwrap());
    assert_eq!(version_in(&before.0), 2);
    let older = World::new();
    older.apply(&shop(&set(json!({"a": 0}))));
    *bench.store.restored.lock().unwrap() = Some(Arc::clone(&older.store));
    let sequence = older.runtime.block_on(older.store.wait(Sequence::START));
    let news = News {
        sequence: sequence.unwrap(),
        changed: None,
    };
    let hear = async { load::hear(&bench.feed.0, &news) };
    bench.world.runtime.block_on(hear);
    let told = bench.next(&mut document, before.0.sequence);
    assert_eq!(version_in(&told), 1);
    assert_eq!(told.sequence, news.sequence);
    let told = bench.next(&mut index, before.1.sequence);
    assert_eq!(sets_in(&told), [("shop".to_owned(), 1)]);
}

#[test]
fn nobody_waits_any_more_at_the_end() {
    let bench = Bench::new();
    let mut document = bench.watch(shop_document()).unwrap();
    bench.settle();
    let before = document.now().unwrap();
    let asked = patient(Some(before.sequence));
    let (told, ()) = bench.world.runtime.block_on(async {
        let end = async { bench.feed.end() };
        tokio::join!(document.next(&asked), end)
    });
    assert_eq!(version_in(&told.unwrap()), 1);
    let newest = bench.feed.newest(before.sequence, patient(None).wait);
    assert_eq!(bench.world.runtime.block_on(newest), before.sequence);
}

#[test]
fn a_feed_whose_follower_died_says_so_and_keeps_what_it_has() {
    let bench = Bench::new();
    let mut document = bench.watch(shop_document()).unwrap();
    bench.settle();
    assert!(bench.feed.follows());
    bench.store.dies.store(true, Ordering::SeqCst);
    bench.change_shop(2);
    bench.world.runtime.block_on(async {
        while bench.feed.follows() {
            tokio::task::yield_now().await;
        }
    });
    assert_eq!(version_in(&document.now().unwrap()), 1);
}

#[test]
fn what_nobody_waits_for_is_forgotten_when_there_is_too_much() {
    let bench = Bench::new();
    let document = bench.watch(shop_document()).unwrap();
    drop(bench.watch(What::Index).unwrap());
    bench.settle();
    let mut state = bench.feed.0.state();
    assert_eq!(state.cells.len(), 2);
    let all = state.bytes;
    state.forget_idle();
    assert_eq!(state.cells.len(), 1);
    assert!(state.bytes > 0 && state.bytes < all);
    drop(state);
    drop(document);
    let sets = bench.watch(What::Index).unwrap().now().unwrap();
    assert_eq!(sets_in(&sets).len(), 2);
}
