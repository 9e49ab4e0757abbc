//! What others put into a directory target, through the binary.

use std::fs::{self, File};
use std::path::PathBuf;

use serde_json::Value;

use crate::support::cli::Cfgctl;

/// One cluster that is a directory, to which one set was delivered.
fn user() -> Cfgctl {
    let user = Cfgctl::new().with("CFGCTL_STORE", "store.db");
    let path = user.directory().join("out");
    let path = path.display();
    user.write(
        "all.yaml",
        &format!(
            "apiVersion: cfgctl.dev/v1\nkind: Cluster\nmetadata: {{name: c0}}\n\
             spec: {{directory: {{path: \"{path}\"}}}}\n---\n\
             apiVersion: cfgctl.dev/v1\nkind: ConfigSet\nmetadata: {{name: checkout}}\n\
             spec: {{publish: [{{keys: {{prefix: app}}}}], values: {{a: short, b: short}}}}\n"
        ),
    );
    user.ok(&["apply", "-f", "all.yaml", "--yes"]);
    user
}

/// Where the value of a key lies.
fn published(user: &Cfgctl, name: &str) -> PathBuf {
    user.directory().join("out/checkout/..data/app").join(name)
}

#[test]
fn a_published_file_of_any_size_is_told_by_its_size_and_mended() {
    let user = user();
    let file = File::create(published(&user, "a")).expect("a file");
    file.set_len(1 << 40).expect("a size");
    for output in ["table", "wide", "markdown"] {
        let said = user.run(&["drift", "-o", output]).expect_code(1);
        assert!(
            said.stdout.contains("1099511627776 bytes"),
            "{}",
            said.stdout
        );
        assert!(said.stdout.len() < 2000, "{}", said.stdout);
    }
    let drift = user.run(&["drift", "-o", "json"]).expect_code(1).json();
    let edited = &drift["clusters"][0]["keys"][0];
    assert_eq!(edited["foundBytes"], 1_u64 << 40);
    assert_eq!(edited["found"], Value::Null);
    assert_eq!(edited["expected"], "short");

    let mend = drift["clusters"][0]["mend"][0].as_str();
    let mend = mend.expect("a command").split(' ').skip(1);
    user.ok(&mend.chain(["--yes"]).collect::<Vec<_>>());
    assert_eq!(fs::read(published(&user, "a")).expect("a file"), b"short");
    user.ok(&["drift"]);
}

#[test]
fn a_long_value_is_shown_cut_in_every_form() {
    let user = user();
    let long = "0123456789 and so on\n".repeat(100_000);
    fs::write(published(&user, "a"), &long).expect("a file");
    fs::write(published(&user, "b"), long.replace('\n', " ")).expect("a file");
    for command in ["drift", "diff"] {
        let arguments = |output: &'static str| match command {
            "drift" => vec!["drift", "-o", output],
            _ => vec!["diff", "-f", "all.yaml", "-o", output],
        };
        for output in ["table", "wide", "json", "yaml", "markdown"] {
            let said = user.run(&arguments(output)).expect_code(1);
            let bytes = said.stdout.len();
            assert!(bytes < 200_000, "{command} -o {output}: {bytes} bytes");
            assert!(said.stdout.contains("bytes"), "{command} -o {output}");
        }
    }
    let drift = user.run(&["drift", "-o", "json"]).expect_code(1).json();
    let edited = &drift["clusters"][0]["keys"][0];
    assert_eq!(edited["foundBytes"], long.len());
    assert_eq!(edited["expected"], "short");
}

#[test]
fn a_delete_that_meets_a_link_in_place_of_the_directory_says_so() {
    let user = user();
    let set = user.directory().join("out/checkout");
    let elsewhere = user.directory().join("elsewhere");
    fs::rename(&set, &elsewhere).expect("a directory");
    std::os::unix::fs::symlink(&elsewhere, &set).expect("a link");
    let said = user.run(&["delete", "checkout", "--yes"]).expect_code(3);
    assert!(
        said.stdout.contains("out/checkout: a link to"),
        "{}",
        said.stdout
    );
    assert!(elsewhere.join("app/a").exists(), "it was followed");
    user.run(&["drift"]).expect_code(7);

    // The next pass finishes it once the link is gone.
    fs::remove_file(&set).expect("a link");
    fs::rename(&elsewhere, &set).expect("a directory");
    user.ok(&["apply", "--resume", "--yes"]);
    assert!(!set.exists());
}

/// Each set has a directory of its own, so a file that another set publishes from now on is no file
/// of the one that published it before.
#[test]
fn what_moves_to_another_set_leaves_the_directory_of_the_first_and_comes_back() {
    let user = Cfgctl::new();
    let manifests = |of_a: &str, of_b: &str, x: u8| {
        let set = |name: &str, prefix: &str| {
            format!(
                "apiVersion: cfgctl.dev/v1\nkind: ConfigSet\nmetadata: {{name: {name}}}\n\
                 spec: {{values: {{x: {x}}}, publish: [keys: {{prefix: {prefix}}}]}}\n---\n"
            )
        };
        let cluster = "apiVersion: cfgctl.dev/v1\nkind: Cluster\nmetadata: {name: d}\n\
                       spec: {directory: {path: out}}\n";
        user.write(
            "all.yaml",
            &format!("{}{}{cluster}", set("a", of_a), set("b", of_b)),
        );
        user.ok(&["apply", "-f", "all.yaml", "--yes", "--allow-deletes"]);
    };
    let read = |path: &str| fs::read_to_string(user.directory().join("out").join(path)).ok();
    manifests("moved", "rest", 1);
    assert_eq!(read("a/..data/moved/x").as_deref(), Some("1"));
    manifests("rest", "moved", 2);
    assert_eq!(read("a/..data/moved/x"), None);
    assert_eq!(read("b/..data/moved/x").as_deref(), Some("2"));
    manifests("moved", "rest", 3);
    assert_eq!(read("a/..data/moved/x").as_deref(), Some("3"));
    assert_eq!(read("b/..data/moved/x"), None);
    user.ok(&["drift"]);
}
