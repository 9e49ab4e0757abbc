//! One set in two clusters that are directories, from the first file to the last rollback.

use crate::support::cli::Cfgctl;
use crate::support::transcript::{Transcript, bring, edit, with_input};

const FILES: &str = "-f fixtures/quickstart";
const SET: &str = "fixtures/quickstart/checkout.yaml";

fn user() -> Cfgctl {
    let user = Cfgctl::new();
    bring(&user, "fixtures/quickstart");
    user
}

fn applied() -> Cfgctl {
    let user = user();
    user.ok(&[
        "apply",
        "-f",
        "fixtures/quickstart",
        "--yes",
        "-m",
        "the first",
    ]);
    user
}

fn changed() -> Cfgctl {
    let user = applied();
    edit(&user, SET, "timeoutMs: 1500", "timeoutMs: 1800");
    edit(&user, SET, "within 30 days", "within 40 days");
    user.ok(&["apply", "-f", "fixtures/quickstart", "--yes"]);
    user
}

/// What the application in a cluster reads.
fn published(user: &Cfgctl, cluster: &str, key: &str) -> String {
    let path = user
        .directory()
        .join("target/quickstart")
        .join(cluster)
        .join("checkout/app/services/checkout")
        .join(key);
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn from_files_to_clusters() {
    let user = user();
    let text = Transcript::of(&user)
        .run(&format!("validate {FILES}"))
        .run("get")
        .run("status")
        .run(&format!("diff {FILES}"))
        .note("without a terminal nobody can be asked, so nothing happens")
        .run(&format!("apply {FILES}"))
        .run("get -o name")
        .run(&format!("apply {FILES} --dry-run -o name"))
        .run("get -o name")
        .run(&format!("apply {FILES} --yes --message the-first"))
        .note("a second time changes nothing")
        .run(&format!("apply {FILES} --yes"))
        .run(&format!("diff {FILES}"))
        .run("history checkout")
        .run("get")
        .run("status")
        .end();
    insta::assert_snapshot!(text);
    assert_eq!(published(&user, "eu-west", "payment/timeoutMs"), "2500");
    assert_eq!(published(&user, "us-east", "payment/timeoutMs"), "1500");
}

#[test]
fn a_change_and_back() {
    let user = applied();
    edit(&user, SET, "timeoutMs: 1500", "timeoutMs: 1800");
    let mut transcript = Transcript::of(&user);
    transcript
        .run(&format!("diff {FILES}"))
        .run(&format!("diff {FILES} -o wide"))
        .run(&format!("apply {FILES} --yes"));
    assert_eq!(published(&user, "us-east", "payment/timeoutMs"), "1800");
    transcript.run("rollback checkout --yes");
    assert_eq!(published(&user, "us-east", "payment/timeoutMs"), "1500");
    let text = transcript
        .note("it says that already")
        .run("rollback checkout --to 1 --yes")
        .run("rollback checkout --to 2 --yes")
        .run("rollback checkout --to 9 --yes")
        .run("rollback checkout")
        .run("history checkout")
        .run("history checkout --limit 1")
        .end();
    insta::assert_snapshot!(text);
}

#[test]
fn what_was_deleted_comes_back() {
    let user = applied();
    let text = Transcript::of(&user)
        .run("delete checkout")
        .run("delete checkout --dry-run -o name")
        .run("delete checkout --yes -m no-longer-sold")
        .run("get")
        .run("get checkout")
        .run("show checkout")
        .run("status")
        .run("delete checkout --yes")
        .run("rollback checkout --to 2 --yes")
        .run("rollback checkout --yes")
        .run("history checkout")
        .run("delete cluster/eu-west --yes")
        .run("delete cluster/eu-west --yes --keep-keys")
        .run("cluster list")
        .end();
    insta::assert_snapshot!(text);
    let kept = published(&user, "eu-west", "payment/timeoutMs");
    assert_eq!(
        kept, "2500",
        "a cluster that is forgotten keeps what somebody said it keeps"
    );
}

#[test]
fn revisions_and_snapshots_are_shown() {
    let user = changed();
    let text = Transcript::of(&user)
        .run("show checkout@1")
        .run("show checkout@9")
        .run("show checkout@x")
        .run("show checkout --cluster eu-west")
        .run("show checkout --cluster eu-wst")
        .run("get cluster/eu-west -o yaml")
        .run("get checkuot")
        .run("history nothing-alike")
        .run("status nothing-alike")
        .run("get Not_A_Name")
        .end();
    insta::assert_snapshot!(text);
}

#[test]
fn what_get_prints_can_be_applied_again_and_changes_nothing() {
    let user = changed();
    let names = ["get", "checkout", "cluster/eu-west", "cluster/us-east"];
    let manifests = user.ok(&[&names[..], &["-o", "yaml"]].concat());
    let ran = with_input(&user, "diff -f -", &manifests);
    assert_eq!(ran.code, Some(0), "{}{}", ran.stdout, ran.stderr);
    let ran = with_input(&user, "apply -f - --yes -o json", &manifests);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let answer: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(answer["committed"], serde_json::json!([]));
    assert_eq!(
        user.ok(&["history", "checkout", "-o", "name"])
            .lines()
            .count(),
        2
    );
}

#[test]
fn a_selector_keeps_a_change_to_some_clusters() {
    let user = applied();
    edit(&user, SET, "timeoutMs: 1500", "timeoutMs: 1800");
    let text = Transcript::of(&user)
        .run(&format!("diff {FILES} --clusters region=eu"))
        .run(&format!("apply {FILES} --yes --clusters region=us"))
        .run("status")
        .run("status -l region!=us")
        .run("apply --resume --yes")
        .run("status")
        .run("status -l region=mars")
        .run("status -l =")
        .run("status --timeout 5")
        .run("status --timeout 0s")
        .run("status --parallelism 0")
        .run("apply --resume -f fixtures/quickstart")
        .end();
    insta::assert_snapshot!(text);
}

#[test]
fn what_a_hand_changed_in_a_cluster_is_told_apart_from_the_change() {
    let user = applied();
    let edited = user
        .directory()
        .join("target/quickstart/us-east/checkout/app/services/checkout/payment/timeoutMs");
    std::fs::write(edited, "9").unwrap();
    let text = Transcript::of(&user)
        .run("status")
        .run(&format!("diff {FILES}"))
        .run(&format!("apply {FILES} --yes"))
        .run(&format!("diff {FILES}"))
        .end();
    insta::assert_snapshot!(text);
    assert_eq!(published(&user, "us-east", "payment/timeoutMs"), "1500");
}

#[test]
fn clusters_of_another_store_are_refused_until_someone_consents() {
    let user = applied();
    let text = Transcript::of(&user)
        .run(&format!("apply {FILES} --yes --store other.db"))
        .run("get --store other.db")
        .run(&format!("diff {FILES} --store other.db"))
        .run(&format!("apply {FILES} --yes --store other.db --adopt"))
        .end();
    insta::assert_snapshot!(text);
}

#[test]
fn a_set_whose_file_is_gone_stays_until_someone_prunes_it() {
    let user = applied();
    std::fs::remove_file(user.directory().join(SET)).unwrap();
    let text = Transcript::of(&user)
        .run(&format!("diff {FILES}"))
        .run(&format!("diff {FILES} --prune -o name"))
        .run(&format!("apply {FILES} --prune --yes"))
        .run(&format!("apply {FILES} --prune --yes --allow-deletes"))
        .run("get -o name")
        .end();
    insta::assert_snapshot!(text);
}
