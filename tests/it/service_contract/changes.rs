//! Declared changes: planned, consented to, carried out.

use std::collections::BTreeSet;

use cfgctl::api::report::{Delivered, Outcome, State};
use cfgctl::api::{
    Approval, Basis, Caller, Change, ErrorKind, Event, Preview, Proposal, Reach, Request,
};
use cfgctl::model::{Cause, Consent, Content, Version};
use serde_json::json;

use super::bench::{Bench, declared, delete, id, look, request, selector, trip};

fn delivered(outcome: &Outcome) -> Vec<(&str, Delivered)> {
    let clusters = outcome.clusters.iter();
    clusters
        .map(|it| (it.cluster.as_str(), it.outcome))
        .collect()
}

fn rollback(to: Option<u64>) -> Request {
    let name = id("shop");
    let to = to.map(|to| Version::new(to).unwrap());
    request(Change::Rollback { name, to })
}

/// What moved between a proposal and an error, in sentences.
fn moved(proposal: &Proposal, basis: Option<&Basis>) -> Vec<String> {
    proposal
        .basis
        .moved(basis.expect("what it would be made from now"))
}

pub(super) async fn a_declaration_is_planned_and_carried_out(bench: &Bench) {
    let request = bench.declare(1);
    let proposal = bench.plan(&request).await.unwrap();
    assert!(proposal.changes);
    assert_eq!((&proposal.cause, &proposal.refusal), (&Cause::Apply, &None));
    let Preview::Plan(report) = &proposal.preview else {
        panic!("{proposal:?}");
    };
    assert_eq!((report.resources.len(), report.clusters.len()), (3, 2));
    // A plan changes nothing.
    assert_eq!(bench.plan(&request).await.unwrap(), proposal);
    assert_eq!(bench.revisions().await, []);
    assert_eq!(bench.both("limit").await, [None, None]);

    let outcome = bench.done(&request).await;
    assert!(outcome.complete);
    assert_eq!(outcome.committed.len(), 3);
    let there = [("eu", Delivered::Delivered), ("us", Delivered::Delivered)];
    assert_eq!(delivered(&outcome), there);
    assert_eq!(
        bench.both("limit").await,
        [1, 1].map(|n| Some(n.to_string()))
    );
    let providers = ["stripe", "adyen"].map(|name| Some(name.to_owned()));
    assert_eq!(bench.both("provider").await, providers);

    let again = bench.plan(&request).await.unwrap();
    assert!(!again.changes);
    let outcome = bench.done(&request).await;
    assert_eq!((outcome.complete, outcome.committed.len()), (true, 0));
    // Only the set; what is not named stays as it is.
    let alone = declared([(id("shop"), bench.shop(2))]);
    let proposal = bench.plan(&alone).await.unwrap();
    assert_eq!(proposal.undeclared, [id("cluster/eu"), id("cluster/us")]);
}

pub(super) async fn a_declaration_that_is_not_valid_says_where(bench: &Bench) {
    bench.delivered().await;
    // The layer lays something over a key that the defaults do not have.
    let wrong = bench.set_with(&json!({"limit": 1}));
    let request = declared([(id("shop"), wrong)]);
    let planned = bench.plan(&request).await.unwrap_err();
    assert_eq!(planned.kind, ErrorKind::Invalid);
    let error = bench
        .refused(ErrorKind::Invalid, &request, &Approval::Unseen)
        .await;
    assert_eq!(error, planned);
    assert!(!error.about.findings.is_empty());
    assert_eq!(error.about.findings[0].at.resource, id("shop"));
    assert_eq!(error.about.version, None);
}

pub(super) async fn a_selector_or_a_name_that_matches_nothing_is_refused(bench: &Bench) {
    bench.delivered().await;
    let unseen = Approval::Unseen;
    let reach = |name: &str| Reach::Named(BTreeSet::from([name.parse().unwrap()]));
    let nowhere = Request {
        clusters: selector("region=mars"),
        ..bench.declare(2)
    };
    let not_switched = Request {
        dropped: BTreeSet::from(["shop/b0".parse().unwrap()]),
        ..bench.declare(2)
    };
    let nothing_older = rollback(None);
    for (wrong, kind) in [
        (nowhere, ErrorKind::Invalid),
        (not_switched, ErrorKind::Absent),
        (delete(&["sho"]), ErrorKind::Absent),
        (request(Change::Reconcile(reach("sho"))), ErrorKind::Absent),
        (rollback(Some(7)), ErrorKind::Absent),
        (nothing_older, ErrorKind::Invalid),
    ] {
        let planned = bench.plan(&wrong).await.unwrap_err();
        assert_eq!(planned.kind, kind, "{planned:?}");
        assert!(!planned.hints.is_empty(), "{planned:?}");
        assert_eq!(bench.refused(kind, &wrong, &unseen).await, planned);
    }
}

pub(super) async fn a_token_consents_to_what_was_shown(bench: &Bench) {
    bench.delivered().await;
    let request = bench.declare(2);
    let shown = bench.plan(&request).await.unwrap();
    // Neither who carries it out, nor why, nor whether permission is asked for is part of it.
    let by = Caller::local("night@shift".to_owned());
    let said = Request {
        message: Some("because".parse().unwrap()),
        ..request
    };
    let nobody = cfgctl::api::Observer::nobody();
    let approval = Approval::Exactly(shown.token);
    let outcome = bench
        .service
        .carry_out(&by, &said, &approval, &nobody)
        .await;
    assert!(outcome.unwrap().complete);
    let newest = bench.revisions().await.pop().unwrap();
    assert_eq!(newest.origin.actor, bench.author(&by));
    assert_eq!(newest.origin.message.as_deref(), Some("because"));
    // It was for one time.
    let error = bench.refused(ErrorKind::Conflict, &said, &approval).await;
    assert!(error.about.basis.is_some());
}

pub(super) async fn a_token_of_something_that_moved_consents_to_nothing(bench: &Bench) {
    bench.delivered().await;
    let request = bench.declare(2);

    let shown = bench.plan(&request).await.unwrap();
    bench.commit_as_other("shop", |_| ()).await;
    let approval = Approval::Exactly(shown.token.clone());
    let error = bench
        .refused(ErrorKind::Conflict, &request, &approval)
        .await;
    let why = moved(&shown, error.about.basis.as_ref());
    assert_eq!(why, ["set/shop was at 1, now at 2"]);

    for cluster in ["eu", "us"] {
        let shown = bench.plan(&request).await.unwrap();
        bench.write_by_hand(cluster, "provider", "hand-made").await;
        let approval = Approval::Exactly(shown.token.clone());
        let error = bench
            .refused(ErrorKind::Conflict, &request, &approval)
            .await;
        let why = moved(&shown, error.about.basis.as_ref());
        assert_eq!(why, [format!("what {cluster} holds of shop changed")]);
    }

    let shown = bench.plan(&request).await.unwrap();
    bench.cut();
    let approval = Approval::Exactly(shown.token.clone());
    let error = bench
        .refused(ErrorKind::Conflict, &request, &approval)
        .await;
    assert_eq!(
        moved(&shown, error.about.basis.as_ref()),
        ["what us holds of shop changed"]
    );
    bench.wire.forward();

    // Another request is none that was shown.
    let shown = bench.plan(&request).await.unwrap();
    let approval = Approval::Exactly(shown.token);
    bench
        .refused(ErrorKind::Conflict, &bench.declare(3), &approval)
        .await;
    assert!(bench.heard(&request, &approval).await.1.unwrap().complete);
}

pub(super) async fn a_gate_refuses_until_someone_consents(bench: &Bench) {
    bench.delivered().await;
    bench.done(&trip("b0")).await;
    let gone = declared([(id("shop"), Content::Deleted)]);
    let unseen = Approval::Unseen;
    let proposal = bench.plan(&gone).await.unwrap();
    let told = proposal.refusal.clone().unwrap();
    let error = bench.refused(ErrorKind::Refused, &gone, &unseen).await;
    assert_eq!(error, told);
    let answers: BTreeSet<_> = (error.about.objections.iter())
        .filter_map(|objection| objection.answer)
        .collect();
    let both = BTreeSet::from([Consent::AllowDeletes, Consent::DropOverrides]);
    assert_eq!(answers, both);
    // A token is no consent to what was refused.
    let token = Approval::Exactly(proposal.token);
    bench.refused(ErrorKind::Refused, &gone, &token).await;

    let half = Request {
        consents: BTreeSet::from([Consent::AllowDeletes]),
        ..gone.clone()
    };
    bench.refused(ErrorKind::Refused, &half, &unseen).await;
    let whole = Request {
        dropped: BTreeSet::from(["shop/b0".parse().unwrap()]),
        ..half
    };
    assert!(bench.done(&whole).await.complete);
    assert_eq!(bench.both("limit").await, [None, None]);
    let newest = bench.revisions().await.pop().unwrap();
    assert_eq!(newest.origin.consents, whole.consents);
}

pub(super) async fn a_rollback_brings_an_older_content_back(bench: &Bench) {
    bench.delivered().await;
    bench.done(&bench.declare(2)).await;
    bench.done(&trip("b0")).await;
    let outcome = bench.done(&rollback(None)).await;
    assert_eq!(outcome.committed[0].version.get(), 4);
    assert_eq!(bench.held("us", "limit").await.as_deref(), Some("1"));
    // What is switched by hand stays so.
    assert_eq!(
        bench.held("us", "provider").await.as_deref(),
        Some("backup-0")
    );
    let newest = bench.revisions().await.pop().unwrap();
    let to = Version::FIRST;
    assert_eq!(newest.origin.cause, Cause::Rollback { to });
    assert!(bench.done(&rollback(Some(2))).await.complete);
    assert_eq!(bench.held("eu", "limit").await.as_deref(), Some("2"));

    bench
        .done(&Request {
            dropped: BTreeSet::from(["shop/b0".parse().unwrap()]),
            ..delete(&["shop"])
        })
        .await;
    let error = bench
        .refused(ErrorKind::Invalid, &rollback(Some(6)), &Approval::Unseen)
        .await;
    assert!(error.error.contains("deletion"), "{error:?}");
    assert!(bench.done(&rollback(Some(1))).await.complete);
    assert_eq!(bench.held("eu", "limit").await.as_deref(), Some("1"));
}

pub(super) async fn a_delete_takes_everything_away(bench: &Bench) {
    bench.delivered().await;
    let outcome = bench.done(&delete(&["shop"])).await;
    let gone = [("eu", Delivered::Removed), ("us", Delivered::Removed)];
    assert_eq!(delivered(&outcome), gone);
    assert_eq!(bench.both("limit").await, [None, None]);
    assert_eq!(bench.done(&delete(&["shop"])).await.committed, []);

    bench.done(&bench.declare(3)).await;
    // A cluster that still holds something is not forgotten without a word.
    let error = bench
        .refused(
            ErrorKind::Refused,
            &delete(&["cluster/eu"]),
            &Approval::Unseen,
        )
        .await;
    let answer = error.about.objections[0].answer;
    assert_eq!(answer, Some(Consent::KeepKeys));
    let consents = BTreeSet::from([Consent::RemoveKeys]);
    let removal = Request {
        consents,
        ..delete(&["cluster/eu"])
    };
    assert_eq!(
        delivered(&bench.done(&removal).await)[0],
        ("eu", Delivered::Removed)
    );
    assert_eq!(bench.held("eu", "limit").await, None);
}

pub(super) async fn a_reconcile_mends_what_others_changed(bench: &Bench) {
    bench.delivered().await;
    for (cluster, reach) in [
        ("eu", Reach::All),
        (
            "us",
            Reach::Named(BTreeSet::from(["shop".parse().unwrap()])),
        ),
    ] {
        bench.write_by_hand(cluster, "limit", "99").await;
        let request = request(Change::Reconcile(reach));
        let proposal = bench.plan(&request).await.unwrap();
        assert!(proposal.changes);
        let approval = Approval::Exactly(proposal.token);
        let outcome = bench.heard(&request, &approval).await.1.unwrap();
        assert_eq!((outcome.complete, outcome.committed.len()), (true, 0));
        assert_eq!(bench.held(cluster, "limit").await.as_deref(), Some("1"));
    }
    // Only where it was asked for.
    bench.write_by_hand("eu", "limit", "98").await;
    bench.write_by_hand("us", "limit", "98").await;
    bench
        .done(&Request {
            clusters: selector("region=us"),
            ..request(Change::Reconcile(Reach::All))
        })
        .await;
    let limits = ["98", "1"].map(|text| Some(text.to_owned()));
    assert_eq!(bench.both("limit").await, limits);
}

/// The names of events, those in a row once.
fn names(heard: &[Event]) -> Vec<&str> {
    let name = |event: &Event| match event {
        Event::NoStore => "no store",
        Event::StoreMade { .. } => "store made",
        Event::Surveying { .. } => "surveying",
        Event::Surveyed => "surveyed",
        Event::Proposed(_) => "proposed",
        Event::Committed => "committed",
        Event::Delivering { .. } => "delivering",
        Event::Delivered { .. } => "delivered",
        other => panic!("{other:?}"),
    };
    let mut names: Vec<_> = heard.iter().map(name).collect();
    names.dedup();
    names
}

pub(super) async fn a_commit_is_told_and_delivered_in_order(bench: &Bench) {
    let request = bench.declare(1);
    let (heard, outcome) = bench.heard(&request, &Approval::Unseen).await;
    assert!(outcome.unwrap().complete);
    let all = [
        "no store",
        "surveying",
        "surveyed",
        "proposed",
        "committed",
        "store made",
        "delivering",
        "delivered",
    ];
    assert_eq!(names(&heard), all);
    assert!(heard.contains(&Event::Surveying { pairs: 2 }));
    assert!(heard.contains(&Event::Delivering { pairs: 2 }));
    let location = bench.store.location();
    assert!(heard.contains(&Event::StoreMade { location }));
    for cluster in ["eu", "us"] {
        let (set, cluster) = ("shop".parse().unwrap(), cluster.parse().unwrap());
        assert!(heard.contains(&Event::Delivered { set, cluster }));
    }

    // What is proposed is what a plan would have shown.
    let request = bench.declare(2);
    let shown = bench.plan(&request).await.unwrap();
    let (heard, _) = bench.heard(&request, &Approval::Unseen).await;
    let mut later = all.to_vec();
    later.retain(|event| !["no store", "store made"].contains(event));
    assert_eq!(names(&heard), later);
    assert!(heard.contains(&Event::Proposed(Box::new(shown))));

    // A switch looks at no cluster before it is committed.
    let (heard, _) = bench.heard(&trip("b0"), &Approval::Unseen).await;
    assert_eq!(names(&heard), later[2..]);
}

pub(super) async fn a_cluster_that_is_dead_holds_up_no_other_and_is_brought_up_later(
    bench: &Bench,
) {
    bench.delivered().await;
    bench.cut();
    let request = bench.declare(2);
    let Preview::Plan(report) = bench.plan(&request).await.unwrap().preview else {
        panic!("a plan");
    };
    assert_eq!(report.clusters[1].condition, State::Unreachable);
    let outcome = bench.done(&request).await;
    assert!(!outcome.complete);
    let there = [("eu", Delivered::Delivered), ("us", Delivered::Unreachable)];
    assert_eq!(delivered(&outcome), there);
    let outcome = bench.done(&trip("b0")).await;
    assert_eq!(delivered(&outcome), there);
    assert_eq!(
        bench.held("eu", "provider").await.as_deref(),
        Some("backup-0")
    );

    bench.wire.forward();
    assert_eq!(bench.held("us", "limit").await.as_deref(), Some("1"));
    let outcome = bench
        .done(&super::bench::request(Change::Reconcile(Reach::All)))
        .await;
    let there = [("eu", Delivered::Unchanged), ("us", Delivered::Delivered)];
    assert_eq!(delivered(&outcome), there);
    let nobody = cfgctl::api::Observer::nobody();
    assert!(
        bench
            .service
            .status(&bench.by, &look(), &nobody)
            .await
            .unwrap()
            .in_sync
    );
}

pub(super) async fn what_may_not_be_written_is_denied_before_the_commit(bench: &Bench) {
    bench.delivered().await;
    bench.deny_writes();
    let request = bench.declare(2);
    let proposal = bench.plan(&request).await.unwrap();
    assert_eq!(proposal.refusal.unwrap().kind, ErrorKind::Denied);
    let error = bench
        .refused(ErrorKind::Denied, &request, &Approval::Unseen)
        .await;
    assert_eq!(error.about.objections[0].answer, None);
    // Who may write is no part of what is consented to; without asking nobody is refused.
    let unasked = Request {
        permission: cfgctl::api::Permission::Unasked,
        ..request
    };
    let proposal_unasked = bench.plan(&unasked).await.unwrap();
    assert_eq!(proposal_unasked.refusal, None);
    assert_eq!(proposal_unasked.token, proposal.token);
    let token = Approval::Exactly(proposal.token);
    bench.refused(ErrorKind::Denied, &unasked, &token).await;
}

pub(super) async fn who_commits_between_plan_and_commit_wins(bench: &Bench) {
    bench.delivered().await;
    bench.commit_first();
    let outcome = bench.carry_out(&bench.declare(2)).await;
    let error = outcome.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Conflict, "{error:?}");
    assert!(error.chain().contains("set/shop changed"), "{error:?}");
    let revisions = bench.revisions().await;
    assert_eq!(revisions.len(), 2);
    assert_eq!(revisions[1].origin.actor, "other@desk");
    assert_eq!(bench.held("eu", "limit").await.as_deref(), Some("1"));
}

pub(super) async fn of_two_appliers_of_one_set_one_wins(bench: &Bench) {
    bench.delivered().await;
    for round in 0..3 {
        let before = bench.revisions().await.len();
        let mut racers = Vec::new();
        for racer in 0..2 {
            let request = bench.declare(10 * (round + 1) + racer);
            let shown = bench.plan(&request).await.unwrap();
            racers.push((request, Approval::Exactly(shown.token)));
        }
        let racers = racers.into_iter().map(|(request, approval)| {
            let (service, by) = (std::sync::Arc::clone(&bench.service), bench.by.clone());
            tokio::spawn(async move {
                let nobody = cfgctl::api::Observer::nobody();
                service.carry_out(&by, &request, &approval, &nobody).await
            })
        });
        let racers: Vec<_> = racers.collect();
        let (mut won, mut lost) = (0, 0);
        for racer in racers {
            match racer.await.unwrap() {
                Ok(outcome) => {
                    assert!(outcome.complete, "{outcome:?}");
                    won += 1;
                }
                Err(error) => {
                    assert_eq!(error.kind, ErrorKind::Conflict, "{error:?}");
                    lost += 1;
                }
            }
        }
        assert_eq!((won, lost), (1, 1));
        assert_eq!(bench.revisions().await.len(), before + 1);
        let [eu, us] = bench.both("limit").await;
        assert_eq!(eu, us);
    }
}

pub(super) async fn whoever_is_asked_is_the_author(bench: &Bench) {
    bench.delivered().await;
    let nobody = cfgctl::api::Observer::nobody();
    let planned = cfgctl::model::Planned {
        by: "someone@else".to_owned(),
        at: "2026-11-21T02:14:00.123456789Z".parse().unwrap(),
    };
    let request = Request {
        planned: Some(planned.clone()),
        ..bench.declare(2)
    };
    for (by, request) in [(&Caller::system(), request), (&bench.by, bench.declare(3))] {
        let outcome = bench
            .service
            .carry_out(by, &request, &Approval::Unseen, &nobody);
        outcome.await.unwrap();
        let newest = bench.revisions().await.pop().unwrap();
        assert_eq!(newest.origin.actor, bench.author(by));
        assert_eq!(newest.origin.planned, request.planned);
    }
}
