//! Where a set is declared: two sources of one set do not overwrite each other unseen, and paths in
//! manifests mean the same from wherever they are read.

use std::process::Stdio;

use crate::support::cli::{Cfgctl, Ran};

const CLUSTER: &str = "apiVersion: cfgctl.dev/v1\nkind: Cluster\nmetadata: {name: eu}\nspec: {directory: {path: out/eu}}\n";

fn set(n: u32) -> String {
    format!(
        "apiVersion: cfgctl.dev/v1\nkind: ConfigSet\nmetadata: {{name: checkout}}\n\
         spec:\n  values: {{n: {n}}}\n  publish: [keys: {{prefix: app}}]\n"
    )
}

fn user() -> Cfgctl {
    let user = Cfgctl::new();
    let store = user.directory().join("store.db");
    let user = user.with("CFGCTL_STORE", store.to_str().expect("UTF-8"));
    user.write("cluster.yaml", CLUSTER);
    user.ok(&["apply", "-f", "cluster.yaml", "--yes"]);
    user
}

/// A run in a directory below the home.
fn run_in(user: &Cfgctl, directory: &str, arguments: &[&str]) -> Ran {
    let mut command = user.command(arguments);
    command
        .current_dir(user.directory().join(directory))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    Ran::of(command.spawn().expect("the binary"))
}

fn apply(user: &Cfgctl, directory: &str, file: &str, code: i32) -> String {
    let ran = run_in(user, directory, &["apply", "-f", file, "--yes"]);
    ran.expect_code(code).stderr
}

#[test]
fn a_set_that_another_directory_declares_too_needs_consent() {
    let user = user();
    user.write("a/checkout.yaml", &set(1));
    user.write("b/checkout.yaml", &set(1));
    apply(&user, "", "a", 0);
    // What changes nothing takes nothing over.
    apply(&user, "", "b", 0);
    user.write("b/checkout.yaml", &set(2));
    let said = apply(&user, "", "b", 5);
    assert!(said.contains("/a/checkout.yaml, now by "), "{said}");
    assert!(
        said.contains("/b/checkout.yaml: whoever applies the other one"),
        "{said}"
    );
    assert!(said.contains("`--move-source`"), "{said}");
    let diff = user
        .run(&["diff", "-f", "b", "-o", "json"])
        .expect_code(1)
        .json();
    assert_eq!(diff["objections"][0]["answer"], "--move-source", "{diff:#}");
    assert_eq!(diff["objections"][0]["set"], "checkout", "{diff:#}");

    user.ok(&["apply", "-f", "b", "--yes", "--move-source"]);
    let history = user.ok(&["history", "checkout", "-o", "json"]);
    assert!(history.contains("\"move-source\""), "{history}");
    user.write("a/checkout.yaml", &set(3));
    let said = apply(&user, "", "a", 5);
    assert!(said.contains("/b/checkout.yaml, now by "), "{said}");
    // The same file from elsewhere, and whoever goes back, are not asked.
    user.write("b/checkout.yaml", &set(4));
    apply(&user, "b", "checkout.yaml", 0);
    user.ok(&["rollback", "checkout", "--to", "1", "--yes"]);
    user.write("b/checkout.yaml", &set(5));
    apply(&user, "a", "../b", 0);
}

#[test]
fn what_comes_through_a_pipe_is_asked_nothing_and_moves_nothing() {
    let user = user();
    user.write("a/checkout.yaml", &set(1));
    user.write("b/checkout.yaml", &set(3));
    apply(&user, "", "a", 0);
    let piped = user.write("piped.yaml", &set(2));
    let mut command = user.command(&["apply", "-f", "-", "--yes"]);
    command
        .stdin(std::fs::File::open(piped).expect("the file"))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    _ = Ran::of(command.spawn().expect("the binary")).expect_code(0);
    apply(&user, "", "b", 5);
    user.write("a/checkout.yaml", &set(4));
    apply(&user, "", "a", 0);
}

#[test]
fn another_checkout_of_the_same_repository_is_no_other_source() {
    let user = user();
    for (checkout, url) in [
        ("home/ana", "git@github.com:shop/config.git"),
        ("builds/17", "https://ci:s3cr3t@github.com/shop/config"),
        ("fork", "git@github.com:fork/config.git"),
    ] {
        let config = format!("[remote \"origin\"]\n\turl = {url}\n");
        user.write(&format!("{checkout}/.git/config"), &config);
    }
    user.write("home/ana/conf/checkout.yaml", &set(1));
    user.write("home/ana/other/checkout.yaml", &set(2));
    user.write("builds/17/conf/checkout.yaml", &set(3));
    user.write("fork/conf/checkout.yaml", &set(4));
    apply(&user, "home/ana/conf", ".", 0);
    let said = apply(&user, "home/ana/other", ".", 5);
    assert!(
        said.contains("by conf/checkout.yaml, now by other/checkout.yaml"),
        "{said}"
    );
    apply(&user, "builds/17", "conf", 0);
    let said = apply(&user, "fork", "conf", 5);
    assert!(said.contains("of github.com/shop/config, now by"), "{said}");
    assert!(!said.contains("s3cr3t"), "{said}");
}

#[test]
fn a_directory_lies_beside_its_manifest_wherever_it_is_applied() {
    let user = user();
    user.write("conf/cluster.yaml", &CLUSTER.replace("out/eu", "../out/eu"));
    user.write("conf/checkout.yaml", &set(1));
    apply(&user, "", "conf", 0);
    let there = user.directory().join("out/eu/checkout/app/n");
    assert_eq!(std::fs::read_to_string(&there).expect("a key"), "1");
    std::fs::create_dir_all(user.directory().join("x/y")).expect("a directory");
    for (directory, name) in [
        ("conf", "."),
        ("x/y", "../../conf"),
        ("out", "../x/../conf"),
    ] {
        let ran = run_in(&user, directory, &["diff", "-f", name]);
        let said = ran.expect_code(0).stdout;
        assert!(
            said.starts_with("no differences: 1 of 1 snapshot"),
            "{said}"
        );
    }
    // Neither a command without files nor a written manifest depends on where it is read.
    let told = run_in(&user, "x", &["get", "cluster/eu", "-o", "yaml"]).expect_code(0);
    user.write("x/told.yaml", &told.stdout);
    _ = run_in(&user, "x", &["diff", "-f", "told.yaml"]).expect_code(0);
    let status = run_in(&user, "x/y", &["status", "-o", "json"])
        .expect_code(0)
        .json();
    assert_eq!(status["inSync"], true, "{status:#}");
}
