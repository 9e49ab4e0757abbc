//! `cfgctl validate`: every mistake with its place, and what to do about it.

use std::panic::catch_unwind;

use serde_json::Value;

use crate::support::cli::Cfgctl;
use crate::support::transcript::{Transcript, bring, root};

/// Broken in a way that is worth a warning, and no more.
const ONLY_WARNINGS: &[&str] = &[
    "clusters-match-nothing",
    "flag-operator-on-items",
    "flagd-without-flags",
    "number-with-underscores",
    "when-matches-nothing",
];

fn broken_files() -> Vec<String> {
    let directory = root().join("fixtures/broken");
    let mut names: Vec<_> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn every_broken_file_is_explained() {
    let user = Cfgctl::new();
    bring(&user, "fixtures/broken");
    let mut wrong = Vec::new();
    for name in broken_files() {
        let path = format!("fixtures/broken/{name}");
        let stem = name.trim_end_matches(".yaml");
        let ran = user.run(&["validate", "-f", &path]);
        let expected = if ONLY_WARNINGS.contains(&stem) { 0 } else { 2 };
        if ran.code != Some(expected) {
            wrong.push(format!("{name} ends with {:?}", ran.code));
        }
        let shows_place = ran.stderr.lines().any(|line| {
            line.trim_start().strip_prefix("--> ").is_some_and(|place| {
                let mut numbers = place.rsplit(':').take(2);
                numbers.all(|number| number.parse::<usize>().is_ok()) && place.starts_with(&path)
            })
        });
        if !shows_place || !ran.stderr.contains(" ^") {
            wrong.push(format!("{name} shows no place"));
        }
        let text = Transcript::of(&user)
            .run(&format!("validate -f {path}"))
            .end();
        let compare = || insta::assert_snapshot!(format!("broken-{stem}"), text);
        if catch_unwind(compare).is_err() {
            wrong.push(format!("{name} is explained in other words"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn all_broken_files_at_once_are_all_explained() {
    let user = Cfgctl::new();
    bring(&user, "fixtures/broken");
    let ran = user.run(&["validate", "-f", "fixtures/broken"]);
    assert_eq!(ran.code, Some(2));
    assert_eq!(ran.stdout, "");
    for name in broken_files() {
        assert!(
            ran.stderr.contains(&format!("fixtures/broken/{name}:")),
            "{name} is not mentioned"
        );
    }
    assert!(ran.stderr.len() < 100_000, "{} bytes", ran.stderr.len());
}

#[test]
fn findings_are_data_for_programs() {
    let user = Cfgctl::new();
    bring(&user, "fixtures/broken");
    let file = "fixtures/broken/duplicate-key.yaml";
    let ran = user.run(&["validate", "-f", file, "-o", "json"]);
    assert_eq!(ran.code, Some(2));
    let answer: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(answer["kind"], "Validation");
    assert_eq!(answer["valid"], false);
    let finding = &answer["findings"][0];
    assert_eq!(finding["code"], "duplicate-key");
    assert_eq!(finding["at"]["file"], file);
    assert_eq!(finding["at"]["line"], 18);
    assert_eq!(finding["at"]["column"], 7);
}

#[test]
fn files_come_from_everywhere() {
    let user = Cfgctl::new();
    bring(&user, "fixtures/quickstart");
    bring(&user, "fixtures/shop");
    let cluster = r#"{"apiVersion": "cfgctl.dev/v1", "kind": "Cluster", "metadata": {"name": "a"},
  "spec": {"directory": {"path": "out/a"}}}"#;
    user.write("deep/er/cluster.json", cluster);
    user.write("empty/readme.txt", "nothing");
    let text = Transcript::of(&user)
        .run("validate -f fixtures/quickstart")
        .run("validate -f fixtures/shop/clusters.yaml -f fixtures/shop/search.yaml")
        .run("validate -f fixtures/quickstart -o name")
        .run_with_input("validate -f -", cluster)
        .run_with_input("validate -f -", "")
        .run_with_input("validate -f -", "kind: [")
        .run("validate -f deep/er/cluster.json")
        .run("validate -f deep")
        .run("validate -f deep -R")
        .run("validate -f empty")
        .run("validate -f nowhere.yaml")
        .run("validate")
        .run("validate fixtures/quickstart")
        .run("validate -f fixtures/quickstart -f fixtures/quickstart/clusters.yaml")
        .end();
    insta::assert_snapshot!(text);
}

/// It is in no file, so the lines are those of the manifest that it would be.
#[test]
fn an_old_content_is_checked_in_the_world_of_today_before_it_comes_back() {
    let user = Cfgctl::new().with("CFGCTL_STORE", "store.db");
    let out = user.directory().join("out");
    let set = |name: &str, prefix: &str, clusters: &str| {
        let text = format!(
            "apiVersion: cfgctl.dev/v1\nkind: ConfigSet\nmetadata: {{name: {name}}}\n\
             spec: {{clusters: {{{clusters}}}, values: {{a: 1}}, publish: [{{keys: {{prefix: {prefix}}}}}]}}\n"
        );
        user.write(&format!("{name}.yaml"), &text);
        let file = format!("{name}.yaml");
        user.ok(&["apply", "-f", &file, "--yes", "--allow-deletes"]);
    };
    user.write(
        "cluster.yaml",
        &format!(
            "apiVersion: cfgctl.dev/v1\nkind: Cluster\nmetadata: {{name: c0, labels: {{at: home}}}}\n\
             spec: {{directory: {{path: \"{}\"}}}}\n",
            out.display()
        ),
    );
    user.ok(&["apply", "-f", "cluster.yaml", "--yes"]);
    set("a", "app", "");
    set("a", "other", "");
    set("b", "app", "");
    // What is only odd is said, and stops nothing.
    set("c", "c", "at: sea");
    set("c", "c", "at: home");
    let text = Transcript::of(&user)
        .run("rollback a --to 1 --yes")
        .run("rollback c --to 1 --yes --allow-deletes")
        .end();
    insta::assert_snapshot!(text);
}
