//! A store that is not there: nobody takes it for an empty one, and only a commit makes it.

use std::fs;

use crate::support::cli::Cfgctl;
use crate::support::transcript::{Transcript, bring, with_input};

/// Commands that need something to be there.
const NEEDS: [&str; 21] = [
    "get",
    "get checkout",
    "show checkout",
    "history checkout",
    "explain checkout",
    "status",
    "drift",
    "drift --repair --yes",
    "apply --resume --yes",
    "rollback checkout --yes",
    "delete checkout --yes",
    "flag list",
    "flag get checkout/express-pay",
    "flag eval checkout/express-pay --cluster eu-west",
    "flag set checkout/express-pay off -m x --yes",
    "flag unset checkout/express-pay -m x --yes",
    "breaker list",
    "breaker show checkout/payment-provider",
    "breaker trip checkout/payment-provider -m x --yes",
    "cluster list",
    "cluster check",
];

/// Commands that look at files, or at nothing.
const NEEDS_NONE: [&str; 6] = [
    "validate -f fixtures/quickstart",
    "cluster check -f fixtures/quickstart/clusters.yaml",
    "schema",
    "completions bash",
    "context list",
    "version",
];

fn user() -> Cfgctl {
    let user = Cfgctl::new();
    bring(&user, "fixtures/quickstart");
    user
}

#[test]
fn a_store_that_is_not_there_is_unavailable_and_is_not_made() {
    let user = user().with("CFGCTL_STORE", "mistyped/store.db");
    let path = user.directory().join("mistyped/store.db");
    let named = format!("there is no store at `{}`", path.display());
    for line in NEEDS {
        let ran = with_input(&user, line, "");
        assert_eq!(ran.code, Some(7), "{line}\n{}{}", ran.stdout, ran.stderr);
        assert!(ran.stderr.contains(&named), "{line}\n{}", ran.stderr);
        assert!(
            ran.stderr.contains("`CFGCTL_STORE` says so"),
            "{line}\n{}",
            ran.stderr
        );
        assert!(!path.exists() && !path.parent().unwrap().exists(), "{line}");
    }
    for line in NEEDS_NONE {
        let ran = with_input(&user, line, "");
        assert_eq!(ran.code, Some(0), "{line}\n{}{}", ran.stdout, ran.stderr);
    }
}

#[test]
fn a_store_that_was_cut_to_nothing_is_damaged_and_stays_as_it_is() {
    let user = user().with("CFGCTL_STORE", "store.db");
    let path = user.write("store.db", "");
    for line in NEEDS.iter().chain(&[
        "diff -f fixtures/quickstart",
        "apply -f fixtures/quickstart --dry-run",
        "apply -f fixtures/quickstart --yes",
    ]) {
        let ran = with_input(&user, line, "");
        assert_eq!(ran.code, Some(7), "{line}\n{}{}", ran.stdout, ran.stderr);
        assert!(
            ran.stderr
                .contains("`store.db` is damaged: the file has 0 bytes"),
            "{line}"
        );
        assert_eq!(fs::read(&path).unwrap(), b"", "{line}");
    }
    assert_eq!(
        fs::read_dir(user.directory()).unwrap().count(),
        2,
        "fixtures and the file"
    );
}

#[test]
fn an_empty_name_of_a_store_is_an_error_and_not_another_store() {
    let user = user();
    let run = |user: &Cfgctl, line: &str| {
        let words: Vec<&str> = line.split_terminator(' ').collect();
        user.run(&words)
    };
    let store = user
        .command(&["status"])
        .env("CFGCTL_STORE", "")
        .output()
        .unwrap();
    let context = user
        .command(&["status"])
        .env("CFGCTL_CONTEXT", "")
        .output()
        .unwrap();
    for (output, variable) in [(store, "CFGCTL_STORE"), (context, "CFGCTL_CONTEXT")] {
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        let expected = format!("the variable `{variable}` is set and empty");
        assert!(stderr.contains(&expected), "{stderr}");
    }
    for option in ["--store", "--context"] {
        for line in [
            format!("status {option}="),
            format!("apply --yes -f fixtures/quickstart {option}="),
        ] {
            let ran = run(&user, &line);
            assert_eq!(ran.code, Some(2), "{}", ran.stderr);
            assert!(
                ran.stderr.contains(&format!("`{option}` is empty")),
                "{}",
                ran.stderr
            );
        }
    }
    assert_eq!(run(&user, "context set prod --store=").code, Some(2));
    // What is not asked may be empty.
    let user = user.with("CFGCTL_STORE", "").with("CFGCTL_CONTEXT", "");
    user.ok(&[
        "apply",
        "-f",
        "fixtures/quickstart",
        "--yes",
        "--store",
        "named.db",
    ]);
    assert!(!user.directory().join(".local").exists());
}

#[test]
fn only_a_commit_makes_a_store() {
    let user = user();
    let default = user.directory().join(".local/share/cfgctl/store.db");
    let mut transcript = Transcript::of(&user);
    transcript
        .run("diff -f fixtures/quickstart/clusters.yaml")
        .run("diff -f fixtures/quickstart/clusters.yaml --out plan.json")
        .run("apply -f fixtures/quickstart/clusters.yaml --dry-run")
        .run("apply -f fixtures/quickstart/clusters.yaml")
        .run("status");
    assert!(!user.directory().join(".local").exists());
    transcript
        .run("apply plan.json --yes")
        .run("apply -f fixtures/quickstart/clusters.yaml --yes")
        .run("diff -f fixtures/quickstart/clusters.yaml");
    assert!(default.exists());
    insta::assert_snapshot!(transcript.end());
}

#[test]
fn a_screen_that_shows_nothing_names_the_store_it_looked_at() {
    let user = user();
    user.ok(&[
        "apply",
        "-f",
        "fixtures/quickstart/clusters.yaml",
        "--yes",
        "--store",
        "some.db",
    ]);
    for line in [
        "status",
        "drift",
        "flag list",
        "breaker list",
        "apply --resume --yes",
    ] {
        let ran = with_input(&user, &format!("{line} --store some.db"), "");
        assert_eq!(ran.code, Some(0), "{line}\n{}", ran.stderr);
        let named = "looked in the store at `some.db`";
        assert!(
            ran.stderr.contains(named),
            "{line}\n{}{}",
            ran.stdout,
            ran.stderr
        );
    }
    user.ok(&[
        "delete",
        "cluster/eu-west",
        "cluster/us-east",
        "--yes",
        "--store",
        "some.db",
    ]);
    for line in ["get", "cluster list"] {
        let ran = with_input(&user, &format!("{line} --store some.db"), "");
        assert!(
            ran.stderr.contains("looked in the store at `some.db`"),
            "{line}"
        );
    }
}

#[test]
fn what_named_an_absent_store_is_said() {
    let user = user();
    user.ok(&["context", "set", "prod", "--store", "prod.db"]);
    for (line, named_by) in [
        ("get", "the context `prod` says so"),
        ("get --context prod", "the context `prod` says so"),
        ("get --store other.db", "`--store` says so"),
    ] {
        let ran = with_input(&user, line, "");
        assert_eq!(ran.code, Some(7), "{line}");
        assert!(ran.stderr.contains(named_by), "{line}\n{}", ran.stderr);
    }
    let user = Cfgctl::new();
    let ran = user.run(&["get"]);
    assert!(
        ran.stderr
            .contains("this is the default, as nothing else is named"),
        "{}",
        ran.stderr
    );
    assert!(
        ran.stderr.contains(".local/share/cfgctl/store.db"),
        "{}",
        ran.stderr
    );
}
