//! The feed: what each cluster should hold, finished, and news of what changes that.

use std::collections::BTreeSet;

use cfgctl::api::report::{ClusterSnapshot, ClusterSnapshots, LineageReport};
use cfgctl::api::{
    AsOf, Error, ErrorKind, LineageQuery, Readable, Request, SnapshotQuery, SnapshotsQuery,
};
use cfgctl::model::{Consent, Content, Digest, ResourceId, Sequence, Version};
use serde_json::json;

use super::bench::{Bench, content, declared, delete, gone, id, trip};

async fn index(bench: &Bench, cluster: &str) -> ClusterSnapshots {
    asked(bench, cluster, None).await.unwrap()
}

async fn asked(
    bench: &Bench,
    cluster: &str,
    sets: Option<&[&str]>,
) -> Result<ClusterSnapshots, Error> {
    let sets = sets.map(|sets| sets.iter().map(|set| set.parse().unwrap()).collect());
    let cluster = cluster.parse().unwrap();
    let query = SnapshotsQuery { cluster, sets };
    caught_up(bench, async || {
        bench.service.snapshots(&bench.by, &query).await
    })
    .await
}

async fn snapshot(bench: &Bench, cluster: &str, set: &str) -> Result<ClusterSnapshot, Error> {
    let query = SnapshotQuery {
        cluster: cluster.parse().unwrap(),
        set: set.parse().unwrap(),
    };
    caught_up(bench, async || {
        bench.service.snapshot(&bench.by, &query).await
    })
    .await
}

async fn lineage(bench: &Bench, set: &str, versions: &[u64]) -> LineageReport {
    let query = LineageQuery {
        cluster: "eu".parse().unwrap(),
        set: set.parse().unwrap(),
        versions: versions.iter().copied().map(version).collect(),
    };
    let found = caught_up(bench, async || {
        bench.service.lineage(&bench.by, &query).await
    })
    .await;
    found.unwrap()
}

/// What is answered once it follows from the newest commit: what is kept ready may be a moment behind,
/// and says so.
async fn caught_up<T>(
    bench: &Bench,
    ask: impl AsyncFn() -> Result<AsOf<T>, Error>,
) -> Result<T, Error> {
    loop {
        let found = ask().await?;
        let newest = newest(bench).await;
        assert!(found.sequence <= newest, "{:?}", found.sequence);
        if found.sequence == newest {
            return Ok(found.answer);
        }
        tokio::task::yield_now().await;
    }
}

/// The newest commit that there is.
async fn newest(bench: &Bench) -> Sequence {
    let records = bench.store.commits(Sequence::START, 1000).await.unwrap();
    records.last().map_or(Sequence::START, |it| it.sequence)
}

fn version(number: u64) -> Version {
    Version::new(number).unwrap()
}

/// The names and versions in an index.
fn named(index: &ClusterSnapshots) -> Vec<(&str, u64)> {
    let items = index.sets.iter();
    items
        .map(|item| (item.name.as_str(), item.version.get()))
        .collect()
}

fn refused<T: std::fmt::Debug>(answer: Result<T, Error>, why: &str) {
    let error = answer.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Absent, "{error:?}");
    assert!(error.error.contains(why), "{error:?}");
}

pub(super) async fn what_is_handed_out_is_what_targets_hold(bench: &Bench) {
    bench.delivered().await;
    bench.done(&trip("b0")).await;
    for cluster in ["eu", "us"] {
        let index = index(bench, cluster).await;
        assert_eq!(index.cluster.as_str(), cluster);
        assert_eq!(named(&index), [("shop", 2)]);
        let whole = snapshot(bench, cluster, "shop").await.unwrap();
        let document = &whole.document;
        assert_eq!(index.sets[0].digest.as_ref(), Some(document.digest()));
        let held = bench.held_document(cluster, "shop").await;
        assert_eq!(document.to_bytes(), held);
        // Every key beside it, as it lies there, and as the document says.
        let mut digests = document.keys().clone();
        for (key, text) in &whole.entries {
            assert_eq!(digests.remove(key), Some(Digest::of(text.as_bytes())));
            let leaf = key.as_str().rsplit_once("/app/shop/").unwrap().1;
            assert_eq!(bench.held(cluster, leaf).await.as_ref(), Some(text));
        }
        assert!(digests.is_empty(), "{digests:?}");
        let provider = &document.values()["provider"];
        assert_eq!(provider, "backup-0");
        let query = SnapshotsQuery {
            cluster: index.cluster.clone(),
            sets: None,
        };
        let readable = bench.service.readable(&bench.by, &query).await;
        assert_eq!(readable, Ok(Readable::All));
    }
}

pub(super) async fn a_set_is_handed_out_where_it_goes_and_nowhere_else(bench: &Bench) {
    bench.delivered().await;
    let only_eu = |n: u64| {
        let set = content(json!({"set": {"values": {"n": n}, "clusters": "region=eu"}}));
        declared([(id("till"), set)])
    };
    bench.done(&only_eu(1)).await;
    assert_eq!(named(&index(bench, "eu").await), [("shop", 1), ("till", 1)]);
    assert_eq!(named(&index(bench, "us").await), [("shop", 1)]);
    let some = asked(bench, "eu", Some(&["till", "never"])).await.unwrap();
    assert_eq!(named(&some), [("till", 1)]);
    let none = asked(bench, "us", Some(&["till"])).await.unwrap();
    assert_eq!(named(&none), []);
    snapshot(bench, "eu", "till").await.unwrap();
    refused(
        snapshot(bench, "us", "till").await,
        "till does not go to us",
    );

    bench.done(&delete(&["set/till"])).await;
    assert_eq!(named(&index(bench, "eu").await), [("shop", 1)]);
    refused(snapshot(bench, "eu", "till").await, "set/till was deleted");
    // What comes back goes on where it ended.
    bench.done(&only_eu(2)).await;
    assert_eq!(named(&index(bench, "eu").await), [("shop", 1), ("till", 3)]);

    refused(snapshot(bench, "eu", "sho").await, "there is no set/sho");
    for cluster in ["e", "mars"] {
        let why = format!("there is no cluster/{cluster}");
        refused(asked(bench, cluster, None).await, &why);
        refused(asked(bench, cluster, Some(&["shop"])).await, &why);
        refused(snapshot(bench, cluster, "shop").await, &why);
    }
    bench
        .commit_as_other("cluster/us", |head| head.content = Content::Deleted)
        .await;
    refused(asked(bench, "us", None).await, "cluster/us was deleted");
    refused(
        snapshot(bench, "us", "shop").await,
        "cluster/us was deleted",
    );
    bench.fail_reads(Some(gone));
    let error = snapshot(bench, "eu", "shop").await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unavailable);
}

pub(super) async fn a_lineage_tells_ours_from_others_and_what_is_gone_for_good(bench: &Bench) {
    bench.delivered().await;
    let origins: Vec<_> = {
        bench.done(&bench.declare(2)).await;
        let revisions = bench.revisions().await.into_iter();
        revisions.map(|it| it.origin.delivered()).collect()
    };
    let found = lineage(bench, "shop", &[1, 2, 3]).await;
    assert_eq!((found.newest, found.is_there), (Some(version(2)), true));
    let expected = [
        (version(1), origins[0].clone()),
        (version(2), origins[1].clone()),
    ];
    assert_eq!(found.origins, expected.into());
    let document = snapshot(bench, "eu", "shop").await.unwrap().document;
    assert_eq!(found.origins.get(&version(2)), Some(document.origin()));
    // Only what was asked for: a long history is never sent.
    assert!(lineage(bench, "shop", &[]).await.origins.is_empty());

    let deletion = Request {
        consents: BTreeSet::from([Consent::AllowDeletes]),
        ..delete(&["set/shop"])
    };
    bench.done(&deletion).await;
    let found = lineage(bench, "shop", &[2]).await;
    assert_eq!((found.newest, found.is_there), (Some(version(3)), false));
    assert_eq!(found.origins, [(version(2), origins[1].clone())].into());
    let found = lineage(bench, "never", &[2]).await;
    assert_eq!((found.newest, found.is_there), (None, false));
    assert!(found.origins.is_empty());
}

pub(super) async fn whoever_waits_hears_what_changed(bench: &Bench) {
    let ids = |names: &[&str]| -> Option<BTreeSet<ResourceId>> {
        Some(names.iter().map(|name| id(name)).collect())
    };
    let wait = |after| bench.service.wait(&bench.by, after);
    let (first, ()) = tokio::join!(wait(Sequence::START), bench.delivered());
    let first = first.unwrap();
    assert_eq!(first.changed, ids(&["cluster/eu", "cluster/us", "shop"]));
    // By this service, and behind its back.
    let tripped = trip("b0");
    let (second, _) = tokio::join!(wait(first.sequence), bench.done(&tripped));
    let second = second.unwrap();
    assert_eq!(second.changed, ids(&["shop"]));
    assert!(second.sequence > first.sequence);
    let by_other = bench.commit_as_other("cluster/us", |_| ());
    let (third, ()) = tokio::join!(wait(second.sequence), by_other);
    let third = third.unwrap();
    assert_eq!(third.changed, ids(&["cluster/us"]));
    // All that was missed at once, and what is no history of this store.
    let missed = wait(first.sequence).await.unwrap();
    assert_eq!(missed.changed, ids(&["cluster/us", "shop"]));
    let ahead = Sequence::new(third.sequence.get() + 7);
    let older = wait(ahead).await.unwrap();
    assert_eq!((older.sequence, older.changed), (third.sequence, None));
}
