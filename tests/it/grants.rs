//! Grants as code, through the binary: declared, compared, versioned, rolled back and deleted like
//! sets, and never delivered.

use crate::support::cli::Cfgctl;

const GRANT: &str = "\
apiVersion: cfgctl.dev/v1
kind: Grant
metadata: {name: payments}
spec:
  to: [\"group:payments\", \"token:ci-payments\"]
  role: editor
  sets: {team: payments}
  clusters: {stage: [dev, test]}
";

/// One cluster at which nobody answers, and one set with labels.
fn user() -> Cfgctl {
    let user = Cfgctl::new().with("CFGCTL_STORE", "store.db");
    user.write(
        "all.yaml",
        "apiVersion: cfgctl.dev/v1\nkind: Cluster\n\
         metadata: {name: dead, labels: {stage: dev}}\n\
         spec: {consul: {address: \"http://127.0.0.1:9\"}}\n---\n\
         apiVersion: cfgctl.dev/v1\nkind: ConfigSet\n\
         metadata: {name: checkout, labels: {team: payments}}\n\
         spec: {clusters: {stage: prod}, values: {a: 1}}\n---\n\
         apiVersion: cfgctl.dev/v1\nkind: ConfigSet\nmetadata: {name: search}\n\
         spec: {clusters: {stage: prod}, values: {a: 1}}\n",
    );
    let ran = user.run(&["apply", "-f", "all.yaml", "--yes", "--timeout", "1s"]);
    assert!(matches!(ran.code, Some(0 | 3)), "{ran:?}");
    user.write("grant.yaml", GRANT);
    user
}

#[test]
fn a_grant_is_declared_versioned_rolled_back_and_deleted_and_no_cluster_is_asked() {
    let user = user();
    assert_eq!(
        user.ok(&["validate", "-f", "grant.yaml"]),
        "valid: 0 sets, 0 clusters, 1 grant\n"
    );
    let diff = user.run(&["diff", "-f", "grant.yaml"]);
    assert_eq!(diff.code, Some(1), "{diff:?}");
    assert!(diff.stdout.contains("grant/payments"), "{diff:?}");
    assert!(diff.stdout.contains("+  role: editor"), "{diff:?}");
    assert!(!diff.stdout.contains("dead"), "{diff:?}");

    let applied = user.run(&["apply", "-f", "grant.yaml", "--yes"]);
    assert_eq!(applied.code, Some(0), "{applied:?}");
    assert!(!applied.stdout.contains("dead"), "{applied:?}");
    // What is shown as a manifest changes nothing.
    let manifest = user.ok(&["get", "grant/payments", "-o", "yaml"]);
    user.write("again.yaml", &manifest);
    let again = user.run(&["diff", "-f", "again.yaml"]);
    assert_eq!(again.code, Some(0), "{again:?}");

    user.write("grant.yaml", &GRANT.replace("editor", "viewer"));
    user.ok(&["apply", "-f", "grant.yaml", "--yes"]);
    let shown = user.ok(&["show", "grant/payments@1"]);
    assert!(shown.contains("role: editor"), "{shown}");
    let refused = user.run(&["show", "grant/payments@1", "--cluster", "dead"]);
    assert_eq!(refused.code, Some(2), "{refused:?}");

    user.ok(&["rollback", "grant/payments", "--yes"]);
    let now = user.ok(&["get", "grant/payments", "-o", "yaml"]);
    assert_eq!(now, manifest);
    user.ok(&["delete", "grant/payments", "--yes"]);
    let history = user.ok(&["history", "grant/payments", "-o", "name"]);
    let names: Vec<&str> = history.lines().collect();
    let versions = [4, 3, 2, 1].map(|version| format!("grant/payments@{version}"));
    assert_eq!(names, versions);
    assert_eq!(user.run(&["get", "grant/payments"]).code, Some(2));
    user.ok(&["rollback", "grant/payments", "--to", "1", "--yes"]);
    assert_eq!(
        user.ok(&["get", "grants", "-o", "name"]),
        "grant/payments\n"
    );
}

#[test]
fn a_list_is_of_one_kind_or_of_what_a_selector_matches() {
    let user = user();
    user.ok(&["apply", "-f", "grant.yaml", "--yes"]);
    let names = |arguments: &[&str]| {
        let names = user.ok(&[arguments, &["-o", "name"]].concat());
        names.lines().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(names(&["get", "grants"]), "grant/payments");
    assert_eq!(names(&["get", "-l", "team=payments"]), "set/checkout");
    assert_eq!(names(&["get", "-l", "!team"]), "cluster/dead set/search");
    assert_eq!(
        user.run(&["get", "checkout", "-l", "team=payments"]).code,
        Some(2)
    );
    let table = user.ok(&["get"]);
    assert!(table.contains("team=payments / stage=prod"), "{table}");
    assert!(
        table.contains("editor: group:payments and 1 more"),
        "{table}"
    );
}

#[test]
fn the_labels_of_a_set_are_part_of_what_it_declares() {
    let user = user();
    let shown = user.ok(&["show", "checkout"]);
    assert!(shown.contains("team: payments"), "{shown}");
    let text = std::fs::read_to_string(user.directory().join("all.yaml")).expect("a file");
    user.write(
        "all.yaml",
        &text.replace("{team: payments}", "{team: risk}"),
    );
    let diff = user.run(&["diff", "-f", "all.yaml", "--timeout", "1s"]);
    assert_eq!(diff.code, Some(1), "{diff:?}");
    assert!(diff.stdout.contains("-    team: payments"), "{diff:?}");
    assert!(diff.stdout.contains("+    team: risk"), "{diff:?}");
}
