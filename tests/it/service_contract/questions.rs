//! Questions: what is answered, and what cannot be.

use std::collections::BTreeSet;

use cfgctl::api::report::{AnswerReason, FlagSource, State};
use cfgctl::api::{
    At, BreakerHistoryQuery, BreakerQuery, BreakersQuery, CheckQuery, ClusterQuery, Error,
    ErrorKind, EvaluateQuery, ExplainQuery, FlagPosition, FlagsQuery, HistoryQuery, LookQuery,
    Observer, PolicyQuery, Reach, ResourcesQuery, RevisionQuery, ValueSource, Wanted,
};
use cfgctl::model::{Selector, Version};
use jiff::Timestamp;
use serde_json::json;

use super::bench::{Bench, delete, flag, gone, id, look, pace, selector, trip};

fn named(set: &str) -> LookQuery {
    LookQuery {
        sets: Reach::Named(BTreeSet::from([set.parse().unwrap()])),
        ..look()
    }
}

fn resources(names: &[&str]) -> ResourcesQuery {
    let names = names.iter().map(|name| id(name)).collect();
    ResourcesQuery {
        names,
        ..ResourcesQuery::default()
    }
}

fn revision(version: Option<u64>, cluster: Option<&str>) -> RevisionQuery {
    RevisionQuery {
        name: id("shop"),
        version: version.map(|version| Version::new(version).unwrap()),
        cluster: cluster.map(|name| name.parse().unwrap()),
    }
}

fn history(name: &str, limit: usize) -> HistoryQuery {
    let name = id(name);
    HistoryQuery {
        name,
        before: None,
        limit,
    }
}

fn explain(key: Option<&str>) -> ExplainQuery {
    ExplainQuery {
        set: "shop".parse().unwrap(),
        key: key.map(str::to_owned),
        cluster: None,
        at: None,
    }
}

fn flags(set: Option<&str>, flag: Option<&str>) -> FlagsQuery {
    FlagsQuery {
        set: set.map(|set| set.parse().unwrap()),
        flag: flag.map(|flag| flag.parse().unwrap()),
        pace: pace(),
    }
}

fn evaluate(flag: &str, cluster: Option<&str>) -> EvaluateQuery {
    EvaluateQuery {
        set: "shop".parse().unwrap(),
        flag: flag.parse().unwrap(),
        context: [
            ("tier".to_owned(), json!("gold")),
            ("n".to_owned(), json!(0.1)),
        ]
        .into_iter()
        .collect(),
        cluster: cluster.map(|name| name.parse().unwrap()),
    }
}

fn breakers(set: Option<&str>) -> BreakersQuery {
    BreakersQuery {
        set: set.map(|set| set.parse().unwrap()),
        pace: pace(),
    }
}

fn breaker(set: &str, name: &str) -> BreakerQuery {
    BreakerQuery {
        set: set.parse().unwrap(),
        breaker: name.parse().unwrap(),
        pace: pace(),
    }
}

fn breaker_history(set: &str, name: &str, limit: usize) -> BreakerHistoryQuery {
    BreakerHistoryQuery {
        set: set.parse().unwrap(),
        breaker: name.parse().unwrap(),
        limit,
    }
}

fn cluster(name: &str) -> ClusterQuery {
    ClusterQuery {
        name: name.parse().unwrap(),
        described: None,
    }
}

fn check(names: &[&str]) -> CheckQuery {
    CheckQuery {
        names: names.iter().map(|name| name.parse().unwrap()).collect(),
        clusters: Selector::default(),
        described: None,
        pace: pace(),
    }
}

fn policy(cluster: &str, sets: &[&str]) -> PolicyQuery {
    PolicyQuery {
        cluster: cluster.parse().unwrap(),
        sets: sets.iter().map(|set| set.parse().unwrap()).collect(),
        described: None,
    }
}

pub(super) async fn status_says_what_clusters_hold(bench: &Bench) {
    bench.delivered().await;
    let nobody = Observer::nobody();
    let status = async |query: &LookQuery| {
        let status = bench.service.status(&bench.by, query, &nobody).await;
        status.unwrap()
    };
    let found = status(&look()).await;
    assert!(found.in_sync && !found.has_unseen());
    assert_eq!(found.clusters.len(), 2);
    assert_eq!(
        found.clusters[0].actor.as_deref(),
        Some(&*bench.author(&bench.by))
    );

    bench.commit_as_other("shop", |_| ()).await;
    bench.cut();
    let found = status(&named("shop")).await;
    let words: Vec<State> = found.clusters.iter().map(|it| it.state).collect();
    assert_eq!(words, [State::Behind, State::Unreachable]);
    assert!(!found.in_sync && found.has_unseen());
    let only = LookQuery {
        clusters: selector("region=eu"),
        ..look()
    };
    assert_eq!(status(&only).await.clusters.len(), 1);
}

pub(super) async fn drift_names_what_was_changed_by_hand(bench: &Bench) {
    bench.delivered().await;
    let nobody = Observer::nobody();
    let drift = async || {
        let drift = bench.service.drift(&bench.by, &look(), &nobody).await;
        drift.unwrap()
    };
    assert!(drift().await.in_sync);
    bench
        .write_by_hand("us", "limit", "a \"b\"\\\u{1}\u{fffd}")
        .await;
    let found = drift().await;
    assert_eq!((found.in_sync, found.drifted, found.unseen), (false, 1, 0));
    let [eu, us] = &found.clusters[..] else {
        panic!("{found:?}");
    };
    assert_eq!((eu.state, us.state), (State::InSync, State::ChangedByHand));
    assert_eq!(us.keys[0].expected.as_deref(), Some("1"));
    assert!(!us.mend.is_empty() && us.has_drifted());
    bench.cut();
    assert_eq!(drift().await.unseen, 1);
}

pub(super) async fn resources_and_names_are_those_that_live(bench: &Bench) {
    let names = async || bench.service.names(&bench.by).await.unwrap();
    assert_eq!(names().await, []);
    bench.delivered().await;
    assert_eq!(
        names().await,
        [id("cluster/eu"), id("cluster/us"), id("shop")]
    );
    bench.done(&trip("b0")).await;
    let of = async |wanted: &[&str]| {
        let found = bench.service.resources(&bench.by, &resources(wanted)).await;
        found.unwrap()
    };
    let all = of(&[]).await;
    assert_eq!(all.items.len(), 3);
    assert_eq!(all.overridden.len(), 1);
    let one = of(&["shop"]).await;
    assert_eq!(one.items[0].version.get(), 2);
    assert_eq!(one.overridden, all.overridden);
    assert_eq!(
        of(&["cluster/eu"]).await.items[0].labels.as_ref().unwrap()["region"],
        "eu"
    );
    bench
        .done(&cfgctl::api::Request {
            dropped: BTreeSet::from(["shop/b0".parse().unwrap()]),
            ..delete(&["shop"])
        })
        .await;
    assert_eq!(names().await, [id("cluster/eu"), id("cluster/us")]);
}

pub(super) async fn histories_and_revisions_are_told(bench: &Bench) {
    bench.delivered().await;
    bench.done(&bench.declare(2)).await;
    let found = bench
        .service
        .history(&bench.by, &history("shop", 1))
        .await
        .unwrap();
    assert_eq!(found.revisions.len(), 1);
    let older = HistoryQuery {
        before: Some(found.revisions[0].version),
        ..history("shop", 5)
    };
    let rest = bench.service.history(&bench.by, &older).await.unwrap();
    let rest: Vec<_> = rest.revisions.iter().map(|it| it.version.get()).collect();
    assert_eq!(rest, [1]);
    let newest = &found.revisions[0];
    assert_eq!(
        (newest.version.get(), newest.changed, newest.deleted),
        (2, 1, false)
    );

    let of = async |query: &RevisionQuery| {
        let found = bench.service.revision(&bench.by, query).await;
        found.unwrap()
    };
    let newest = of(&revision(None, None)).await;
    assert_eq!(newest.manifest.unwrap()["spec"]["values"]["limit"], 2);
    let old = of(&revision(Some(1), Some("us"))).await;
    let snapshot = old.snapshot.unwrap();
    assert_eq!(snapshot.values()["limit"], 1);
    assert_eq!(snapshot.values()["provider"], "adyen");
}

pub(super) async fn explanations_name_revision_and_source(bench: &Bench) {
    bench.delivered().await;
    bench.done(&bench.declare(2)).await;
    bench.done(&trip("b0")).await;
    let of = async |query: &ExplainQuery| {
        let found = bench.service.explain(&bench.by, query).await;
        found.unwrap()
    };
    let limit = of(&explain(Some("limit"))).await;
    let [value] = &limit.values[..] else {
        panic!("{limit:?}");
    };
    assert_eq!(value.clusters.len(), 2);
    let found = &value.explanation;
    assert_eq!(
        (found.version.get(), &found.source),
        (2, &ValueSource::Defaults)
    );
    let provider = of(&explain(Some("provider"))).await;
    assert!(provider.values.iter().all(|value| {
        matches!(&value.explanation.source, ValueSource::Breaker { breaker, .. } if breaker.as_str() == "b0")
    }));
    let then = of(&ExplainQuery {
        at: Some(At::Version(Version::FIRST)),
        cluster: Some("us".parse().unwrap()),
        ..explain(Some("provider"))
    })
    .await;
    assert!(matches!(
        then.values[0].explanation.source,
        ValueSource::Layer { .. }
    ));
    let all = of(&ExplainQuery {
        at: Some(At::Time(Timestamp::MAX)),
        ..explain(None)
    })
    .await;
    assert!(all.values.len() > 3);
}

pub(super) async fn flags_are_told_and_evaluated(bench: &Bench) {
    bench.delivered().await;
    let off = FlagPosition::Held {
        at: Wanted::Boolean(false),
        limit: None,
    };
    bench.done(&flag("express", off)).await;
    let nobody = Observer::nobody();
    let of = async |query: &FlagsQuery| {
        let found = bench.service.flags(&bench.by, query, &nobody).await;
        found.unwrap().flags
    };
    assert_eq!(of(&flags(None, None)).await.len(), 2);
    assert_eq!(of(&flags(Some("shop"), None)).await.len(), 2);
    let one = of(&flags(Some("shop"), Some("express"))).await;
    assert_eq!(one.len(), 1);
    assert_eq!(one[0].source, FlagSource::Override);
    assert_eq!((one[0].delivered.len(), one[0].waiting.len()), (2, 0));
    bench.cut();
    let one = of(&flags(Some("shop"), Some("express"))).await;
    assert_eq!(one[0].waiting[0].state, State::Unreachable);

    let of = async |query: &EvaluateQuery| {
        let found = bench.service.evaluate(&bench.by, query).await;
        found.unwrap().answers
    };
    let express = of(&evaluate("express", None)).await;
    assert_eq!(express[0].reason, AnswerReason::Override);
    assert_eq!(express[0].value, Some(json!(false)));
    let color = of(&evaluate("color", Some("eu"))).await;
    assert_eq!(color[0].variant.as_deref(), Some("blue"));
    assert_eq!(color[0].reason, AnswerReason::TargetingMatch);
}

pub(super) async fn breakers_are_told_with_what_they_change(bench: &Bench) {
    bench.delivered().await;
    bench.done(&trip("b0")).await;
    let nobody = Observer::nobody();
    for query in [breakers(None), breakers(Some("shop"))] {
        let found = bench
            .service
            .breakers(&bench.by, &query, &nobody)
            .await
            .unwrap();
        assert_eq!(found.breakers.len(), super::bench::BREAKERS);
        assert_eq!(
            found.breakers[0].actor.as_deref(),
            Some(&*bench.author(&bench.by))
        );
        assert_eq!(found.breakers[0].delivered.len(), 2);
    }
    let one = bench
        .service
        .breaker(&bench.by, &breaker("shop", "b0"), &nobody)
        .await;
    let one = one.unwrap();
    assert_eq!((one.effects.len(), one.recent.len()), (2, 1));
    for (name, events) in [("b0", 1), ("b1", 0)] {
        let query = breaker_history("shop", name, 10);
        let found = bench
            .service
            .breaker_history(&bench.by, &query)
            .await
            .unwrap();
        assert_eq!(found.events.len(), events);
    }
}

pub(super) async fn clusters_and_policies_are_told(bench: &Bench) {
    bench.delivered().await;
    let all = bench.service.clusters(&bench.by).await.unwrap();
    assert_eq!(all.items.len(), 2);
    let [eu, us] = bench.clusters();
    for (name, content) in [("eu", &eu.1), ("us", &us.1)] {
        let found = bench
            .service
            .cluster(&bench.by, &cluster(name))
            .await
            .unwrap();
        assert_eq!(Some(&found), content.cluster());
    }
    let elsewhere = ClusterQuery {
        described: Some([(id("cluster/mars"), eu.1.clone())].into()),
        ..cluster("mars")
    };
    let found = bench.service.cluster(&bench.by, &elsewhere).await.unwrap();
    assert_eq!(Some(&found), eu.1.cluster());

    for sets in [&["shop"][..], &[]] {
        let found = bench
            .service
            .policy(&bench.by, &policy("us", sets))
            .await
            .unwrap();
        assert_eq!(found.rules.len(), 2, "{found:?}");
    }
}

pub(super) async fn clusters_are_checked_and_the_dead_are_named(bench: &Bench) {
    bench.delivered().await;
    let nobody = Observer::nobody();
    let of = async |query: &CheckQuery| {
        let found = bench
            .service
            .check_clusters(&bench.by, query, &nobody)
            .await;
        found.unwrap()
    };
    let found = of(&check(&[])).await;
    assert!(found.healthy, "{found:?}");
    assert_eq!(found.clusters.len(), 2);
    bench.cut();
    assert!(of(&check(&["eu"])).await.healthy);
    let found = of(&check(&["us"])).await;
    assert!(!found.healthy);
    assert_eq!(found.clusters[0].error_kind, Some(ErrorKind::Unavailable));
}

/// Every question, in words that name nothing which is there, or with a store that does not answer.
async fn ask_everything(
    bench: &Bench,
    set: &str,
    part: &str,
    place: &str,
) -> Vec<(&'static str, Option<Error>)> {
    let (it, by, nobody) = (&bench.service, &bench.by, &Observer::nobody());
    let of = |query: RevisionQuery| RevisionQuery {
        name: id(set),
        ..query
    };
    let why = |query: ExplainQuery| ExplainQuery {
        set: set.parse().unwrap(),
        ..query
    };
    let what = |query: EvaluateQuery| EvaluateQuery {
        set: set.parse().unwrap(),
        ..query
    };
    vec![
        ("status", it.status(by, &named(set), nobody).await.err()),
        ("drift", it.drift(by, &named(set), nobody).await.err()),
        (
            "resources",
            it.resources(by, &resources(&[set])).await.err(),
        ),
        (
            "revision",
            it.revision(by, &of(revision(None, None))).await.err(),
        ),
        ("history", it.history(by, &history(set, 5)).await.err()),
        ("explain", it.explain(by, &why(explain(None))).await.err()),
        (
            "flags",
            it.flags(by, &flags(Some(set), None), nobody).await.err(),
        ),
        (
            "flag",
            it.flags(by, &flags(Some(set), Some(part)), nobody)
                .await
                .err(),
        ),
        (
            "evaluate",
            it.evaluate(by, &what(evaluate(part, None))).await.err(),
        ),
        (
            "breakers",
            it.breakers(by, &breakers(Some(set)), nobody).await.err(),
        ),
        (
            "breaker",
            it.breaker(by, &breaker(set, part), nobody).await.err(),
        ),
        (
            "its history",
            it.breaker_history(by, &breaker_history(set, part, 5))
                .await
                .err(),
        ),
        ("cluster", it.cluster(by, &cluster(place)).await.err()),
        (
            "check",
            it.check_clusters(by, &check(&[place]), nobody).await.err(),
        ),
        ("policy", it.policy(by, &policy(place, &[])).await.err()),
    ]
}

pub(super) async fn what_is_not_there_is_told_so_wherever_it_is_named(bench: &Bench) {
    bench.delivered().await;
    let told = |kind: ErrorKind, what: &str, error: Option<Error>| {
        let error = error.unwrap_or_else(|| panic!("{what} is answered"));
        assert_eq!(error.kind, kind, "{what}: {error:?}");
        assert!(!error.hints.is_empty(), "{what}: {error:?}");
    };
    let absent = |what: &str, error| told(ErrorKind::Absent, what, error);
    for (what, error) in ask_everything(bench, "sho", "none", "e").await {
        absent(what, error);
    }
    for (what, error) in ask_everything(bench, "shop", "none", "mars").await {
        let names_no_part = [
            "status",
            "drift",
            "resources",
            "revision",
            "history",
            "explain",
            "flags",
            "breakers",
        ];
        if names_no_part.contains(&what) {
            assert_eq!(error, None, "{what}");
        } else {
            absent(what, error);
        }
    }
    let (it, by, nobody) = (&bench.service, &bench.by, &Observer::nobody());
    let nowhere = LookQuery {
        clusters: selector("region=mars"),
        ..look()
    };
    let then = |at| ExplainQuery {
        at: Some(at),
        ..explain(None)
    };
    let in_mars = ExplainQuery {
        cluster: Some("mars".parse().unwrap()),
        ..explain(None)
    };
    let no_cluster = CheckQuery {
        clusters: selector("region=mars"),
        ..check(&[])
    };
    for (what, error) in [
        ("status", it.status(by, &nowhere, nobody).await.err()),
        ("drift", it.drift(by, &nowhere, nobody).await.err()),
        (
            "check",
            it.check_clusters(by, &no_cluster, nobody).await.err(),
        ),
    ] {
        // A selector names nothing.
        told(ErrorKind::Invalid, what, error);
    }
    for (what, error) in [
        (
            "revision",
            it.revision(by, &revision(Some(9), None)).await.err(),
        ),
        (
            "snapshot",
            it.revision(by, &revision(None, Some("mars"))).await.err(),
        ),
        ("key", it.explain(by, &explain(Some("limt"))).await.err()),
        ("place", it.explain(by, &in_mars).await.err()),
        (
            "version",
            it.explain(by, &then(At::Version(Version::new(9).unwrap())))
                .await
                .err(),
        ),
        (
            "evaluate",
            it.evaluate(by, &evaluate("express", Some("mars")))
                .await
                .err(),
        ),
        ("policy", it.policy(by, &policy("us", &["sho"])).await.err()),
    ] {
        absent(what, error);
    }
    let early = it
        .explain(by, &then(At::Time(Timestamp::MIN)))
        .await
        .unwrap_err();
    assert_eq!(early.kind, ErrorKind::Absent);
    let no_acls = it.policy(by, &policy("eu", &[])).await.unwrap_err();
    assert_eq!(no_acls.kind, ErrorKind::Invalid);
}

pub(super) async fn nothing_is_read_from_a_store_that_is_down(bench: &Bench) {
    bench.delivered().await;
    bench.fail_reads(Some(gone));
    let by = &bench.by;
    let mut all = ask_everything(bench, "shop", "express", "us").await;
    all.push(("names", bench.service.names(by).await.err()));
    all.push(("clusters", bench.service.clusters(by).await.err()));
    for (what, error) in all {
        let error = error.unwrap_or_else(|| panic!("{what} is answered"));
        assert_eq!(error.kind, ErrorKind::Unavailable, "{what}: {error:?}");
    }
}

pub(super) async fn whoever_stops_a_question_gets_no_answer(bench: &Bench) {
    bench.delivered().await;
    let (it, by) = (&bench.service, &bench.by);
    let (stopped, _) = bench.stopping_at(None);
    for (what, error) in [
        ("status", it.status(by, &look(), &stopped).await.err()),
        ("drift", it.drift(by, &look(), &stopped).await.err()),
        (
            "flags",
            it.flags(by, &flags(None, None), &stopped).await.err(),
        ),
        (
            "breakers",
            it.breakers(by, &breakers(None), &stopped).await.err(),
        ),
        (
            "breaker",
            it.breaker(by, &breaker("shop", "b0"), &stopped).await.err(),
        ),
        (
            "check",
            it.check_clusters(by, &check(&[]), &stopped).await.err(),
        ),
    ] {
        let error = error.unwrap_or_else(|| panic!("{what} is answered"));
        assert_eq!(error.kind, ErrorKind::Interrupted, "{what}: {error:?}");
    }
}
