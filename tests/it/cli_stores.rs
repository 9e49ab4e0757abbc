//! Which store a command uses, and what it says when that store is none.

use crate::support::cli::Cfgctl;
use crate::support::transcript::{Transcript, bring};

/// The file of contexts.
const FILE: &str = ".config/cfgctl/config.yaml";

#[test]
fn contexts_are_named_stores() {
    let user = Cfgctl::new();
    let text = Transcript::of(&user)
        .run("context list")
        .run("context use prod")
        .run("context set prod")
        .run("context set prod --store prod.db")
        .run("context set test --store sqlite:test.db")
        .run("context list")
        .run("context use test")
        .run("context list -o name")
        .run("context set test --store other.db")
        .run("context list")
        .run("get --context nothing")
        .end();
    insta::assert_snapshot!(text);
}

/// Applies one cluster named like the store, so that `get` tells which store was asked.
fn mark(user: &Cfgctl, store: &str) {
    let manifest = format!(
        "apiVersion: cfgctl.dev/v1\nkind: Cluster\nmetadata: {{name: {store}}}\n\
         spec: {{directory: {{path: out}}}}\n"
    );
    let file = user.write(&format!("{store}.yaml"), &manifest);
    let store = format!("{store}.db");
    let file = file.to_str().unwrap();
    user.ok(&["apply", "-f", file, "--yes", "--store", &store]);
}

fn asked(user: &Cfgctl, arguments: &[&str]) -> String {
    let answer = user.ok(&[arguments, &["get", "-o", "name"]].concat());
    answer.trim().trim_start_matches("cluster/").to_owned()
}

#[test]
fn the_store_is_the_nearest_that_is_named() {
    let mut user = Cfgctl::new();
    let default = ".local/share/cfgctl/store";
    for store in ["flag", "named", "variable", "context", "current"] {
        mark(&user, store);
        user.ok(&["context", "set", store, "--store", &format!("{store}.db")]);
    }
    user.ok(&["context", "use", "current"]);

    assert_eq!(asked(&user, &[]), "current");
    user = user.with("CFGCTL_CONTEXT", "context");
    assert_eq!(asked(&user, &[]), "context");
    user = user.with("CFGCTL_STORE", "variable.db");
    assert_eq!(asked(&user, &[]), "variable");
    assert_eq!(asked(&user, &["--context", "named"]), "named");
    let both = ["--context", "named", "--store", "flag.db"];
    assert_eq!(asked(&user, &both), "flag");

    assert!(!user.directory().join(format!("{default}.db")).exists());
}

#[test]
fn without_a_name_the_store_is_one_file_in_the_data_directory() {
    let user = Cfgctl::new();
    bring(&user, "fixtures/quickstart");
    user.ok(&["apply", "-f", "fixtures/quickstart", "--yes"]);
    let store = user.directory().join(".local/share/cfgctl/store.db");
    assert!(store.exists());
    let elsewhere = user.directory().join("elsewhere");
    let user = user.with("XDG_DATA_HOME", elsewhere.to_str().unwrap());
    assert_eq!(user.run(&["get", "-o", "name"]).code, Some(7));
    user.ok(&["apply", "-f", "fixtures/quickstart", "--yes", "--adopt"]);
    assert!(elsewhere.join("cfgctl/store.db").exists());
    // The specification has relative paths ignored.
    let user = user.with("XDG_DATA_HOME", "relative");
    assert!(user.ok(&["get"]).contains("set/checkout"));
}

#[test]
fn a_broken_file_of_contexts_is_never_overwritten() {
    let user = Cfgctl::new();
    let mut transcript = Transcript::of(&user);
    for text in [
        "currentContext: [",
        "apiVersion: cfgctl.dev/v2\nkind: Config\n",
        "apiVersion: cfgctl.dev/v1\nkind: Config\ncontext: []\n",
        "apiVersion: cfgctl.dev/v1\nkind: Config\ncurrentContext: gone\n",
    ] {
        let file = user.write(FILE, text);
        transcript.note(text).run("get");
        if !text.contains("gone") {
            transcript.run("context set prod --store prod.db");
            assert_eq!(std::fs::read_to_string(file).unwrap(), text);
        }
    }
    insta::assert_snapshot!(transcript.end());
}

#[test]
fn what_is_no_store_is_left_alone() {
    let user = Cfgctl::new();
    std::fs::create_dir(user.directory().join("directory")).unwrap();
    let foreign = user.write("notes.txt", "these are my notes, and no store\n");
    let text = Transcript::of(&user)
        .run("get --store directory")
        .run("get --store notes.txt")
        .run("get --store notes.txt/store.db")
        .run("get --store etcd://somewhere")
        .run("get --store sqlite:")
        .end();
    insta::assert_snapshot!(text);
    let kept = std::fs::read_to_string(foreign).unwrap();
    assert_eq!(kept, "these are my notes, and no store\n");
}

#[test]
fn the_address_of_a_server_without_its_scheme_makes_no_file() {
    let mut user = Cfgctl::new();
    bring(&user, "fixtures/quickstart");
    for location in ["127.0.0.1:8440", "localhost:8440"] {
        let hint =
            format!("a server is `http://{location}`; a file of that name is `./{location}`");
        user.set("CFGCTL_STORE", location);
        for arguments in [
            &["diff", "-f", "fixtures/quickstart"][..],
            &["apply", "-f", "fixtures/quickstart", "--yes"],
            &["serve", "--listen", "127.0.0.1:0"],
            &["context", "set", "there", "--store", location],
        ] {
            let ran = user.run(arguments);
            assert_eq!(ran.code, Some(2), "{arguments:?}: {}", ran.stderr);
            assert!(ran.stderr.contains(&hint), "{arguments:?}: {}", ran.stderr);
        }
        assert!(!user.directory().join(location).exists());
    }
    assert!(!user.directory().join(FILE).exists());
    user.ok(&[
        "context",
        "set",
        "there",
        "--store",
        "http://127.0.0.1:8440",
    ]);
}

#[test]
fn a_place_that_nobody_can_write_to_is_no_place_for_a_store() {
    let user = Cfgctl::new();
    bring(&user, "fixtures/quickstart");
    // Here not even root can make a file.
    let text = Transcript::of(&user)
        .run("apply -f fixtures/quickstart --yes --store /proc/cfgctl.db")
        .run("apply -f fixtures/quickstart --yes --store /proc/cfgctl/store.db")
        .end();
    insta::assert_snapshot!(text);
    assert!(!user.directory().join("target").exists());
}
