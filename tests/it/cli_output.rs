//! Forms of output: JSON, YAML, names, colours, silence, and pipes that close.

use std::process::Stdio;

use serde_json::Value;

use crate::support::cli::{Cfgctl, Ran};
use crate::support::transcript::{Transcript, bring, edit, with_input};

/// Every command that answers with a report, and its `kind`.
const REPORTS: &[(&str, &str)] = &[
    ("validate -f fixtures/quickstart", "Validation"),
    ("diff -f fixtures/quickstart", "Diff"),
    ("apply -f fixtures/quickstart --dry-run", "Diff"),
    ("apply -f fixtures/quickstart --yes", "Outcome"),
    ("get", "Resources"),
    ("get checkout", "Resources"),
    ("show checkout", "Revision"),
    ("show checkout --cluster eu-west", "Revision"),
    ("history checkout", "History"),
    ("status", "Status"),
    ("rollback checkout --yes", "Outcome"),
    ("delete checkout --yes", "Outcome"),
    ("cluster list", "Clusters"),
    ("cluster check", "ClusterCheck"),
    ("context list", "Contexts"),
    ("version", "Version"),
    ("show nothing", "Error"),
    ("diff -f fixtures/broken/duplicate-key.yaml", "Error"),
    (
        "validate -f fixtures/broken/duplicate-key.yaml",
        "Validation",
    ),
    ("apply -f fixtures/quickstart", "Error"),
];

fn user() -> Cfgctl {
    let user = Cfgctl::new();
    bring(&user, "fixtures/quickstart");
    bring(&user, "fixtures/broken");
    user.ok(&["apply", "-f", "fixtures/quickstart", "--yes"]);
    edit(
        &user,
        "fixtures/quickstart/checkout.yaml",
        "timeoutMs: 1500",
        "timeoutMs: 1800",
    );
    user
}

fn run(user: &Cfgctl, line: &str) -> Ran {
    with_input(user, line, "")
}

#[test]
fn json_of_every_command_is_one_document_that_says_what_it_is() {
    let user = user();
    for (line, kind) in REPORTS {
        let ran = run(&user, &format!("{line} -o json"));
        let answer: Value = serde_json::from_str(&ran.stdout)
            .unwrap_or_else(|error| panic!("{line}: {error}\n{}", ran.stdout));
        assert_eq!(answer["apiVersion"], "cfgctl.dev/v1", "{line}");
        assert_eq!(answer["kind"], *kind, "{line}");
        if *kind == "Error" {
            assert_eq!(answer["code"].as_i64(), ran.code.map(i64::from), "{line}");
        }
    }
}

#[test]
fn yaml_of_every_command_is_the_same_document() {
    let user = user();
    for (line, kind) in REPORTS {
        // `get NAME -o yaml` prints manifests that can be applied again.
        let kind = if *line == "get checkout" {
            "ConfigSet"
        } else {
            kind
        };
        let ran = run(&user, &format!("{line} -o yaml"));
        let answer: Value = serde_saphyr::from_str(&ran.stdout)
            .unwrap_or_else(|error| panic!("{line}: {error}\n{}", ran.stdout));
        assert_eq!(answer["apiVersion"], "cfgctl.dev/v1", "{line}");
        assert_eq!(answer["kind"], kind, "{line}");
    }
}

#[test]
fn names_stand_one_on_a_line() {
    let user = user();
    let mut transcript = Transcript::of(&user);
    for (line, _) in REPORTS {
        transcript.run(&format!("{line} -o name --quiet"));
    }
    insta::assert_snapshot!(transcript.end());
}

#[test]
fn wide_tables_hide_nothing() {
    let user = user();
    let text = Transcript::of(&user)
        .run("get -o wide")
        .run("status -o wide")
        .run("cluster list -o wide")
        .run("cluster check -o wide")
        .run("diff -f fixtures/quickstart -o wide")
        .run("apply -f fixtures/quickstart --yes -o wide")
        .run("history checkout -o wide")
        .end();
    insta::assert_snapshot!(text);
}

#[test]
fn quiet_leaves_the_answer_and_the_errors() {
    let user = user();
    let ran = run(&user, "apply -f fixtures/quickstart --yes --quiet");
    assert_eq!(ran.stderr, "");
    assert!(ran.stdout.contains("delivered"), "{}", ran.stdout);
    let ran = run(&user, "show nothing -q");
    assert!(ran.stderr.starts_with("error: "), "{}", ran.stderr);
    let ran = run(&user, "validate -q -f fixtures/broken/duplicate-key.yaml");
    assert!(
        ran.stderr.contains("duplicate-key.yaml:18:7"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_refusal_says_why_whatever_is_asked_for() {
    let user = Cfgctl::new();
    let declare = |values: &str| {
        user.write(
            "files/all.yaml",
            &format!(
                "apiVersion: cfgctl.dev/v1\nkind: Cluster\nmetadata: {{name: eu}}\n\
                 spec: {{directory: {{path: out}}}}\n---\n\
                 apiVersion: cfgctl.dev/v1\nkind: ConfigSet\nmetadata: {{name: shop}}\n\
                 spec: {{values: {values}}}\n"
            ),
        )
    };
    declare("{a: 1, b: 2, c: 3}");
    user.ok(&["apply", "-f", "files", "--yes"]);
    declare("{a: 1}");
    let why = "2 of 3 keys would be deleted, more than a fifth";
    let line = format!("refused: shop in eu: deletes: {why} (--allow-deletes)");

    for (arguments, lines) in [
        (&[][..], 0),
        (&["-q"], 1),
        (&["-q", "--dry-run", "-o", "name"], 1),
        (&["-q", "-o", "json"], 1),
    ] {
        let apply = ["apply", "-f", "files"];
        let yes: &[&str] = if arguments.contains(&"--dry-run") {
            &[]
        } else {
            &["--yes"]
        };
        let ran = user.run(&[&apply, yes, arguments].concat());
        assert_eq!(ran.code, Some(5), "{}", ran.stderr);
        assert_eq!(ran.stderr.matches(&line).count(), lines, "{}", ran.stderr);
        let told = ran.stderr.matches(why).count() + ran.stdout.matches(why).count();
        assert!(told > 0, "{}{}", ran.stdout, ran.stderr);
        assert!(
            ran.stderr.contains("pass `--allow-deletes`"),
            "{}",
            ran.stderr
        );
    }

    let ran = user.run(&["apply", "-f", "files", "--yes", "-o", "json"]);
    let answer: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(answer["kind"], "Error");
    assert_eq!(answer["code"], 5);
    assert_eq!(answer["reason"], "refused");
    assert_eq!(
        answer["objections"],
        serde_json::json!([{
            "set": "shop", "cluster": "eu", "rule": "deletes", "reason": why,
            "answer": "--allow-deletes",
        }])
    );
    assert!(
        answer["hints"][0]
            .as_str()
            .unwrap()
            .contains("--allow-deletes")
    );
}

#[test]
fn what_is_wrong_with_files_is_data_in_the_error_of_every_command() {
    let user = user();
    let line = "apply -f fixtures/broken/duplicate-key.yaml --yes -o json";
    let answer: Value = serde_json::from_str(&run(&user, line).stdout).unwrap();
    assert_eq!(answer["kind"], "Error");
    assert_eq!(answer["reason"], "usage");
    assert_eq!(answer["findings"][0]["code"], "duplicate-key");
    assert!(answer["findings"][0]["at"]["line"].is_u64(), "{answer:#}");
}

#[test]
fn a_command_line_that_is_not_understood_is_data_too() {
    let user = Cfgctl::new();
    for (line, error, hint) in [
        (
            "-o json stauts",
            "unrecognized subcommand 'stauts'",
            "status",
        ),
        (
            "status --output=json --nope",
            "unexpected argument '--nope' found",
            "Usage: cfgctl status",
        ),
        (
            "rollback -ojson",
            "required arguments were not provided: <NAME>",
            "Usage: cfgctl rollback",
        ),
        (
            "flag -o json",
            "requires a subcommand",
            "Usage: cfgctl flag",
        ),
    ] {
        let ran = run(&user, line);
        assert_eq!(ran.code, Some(2), "{line}");
        let answer: Value = serde_json::from_str(&ran.stdout)
            .unwrap_or_else(|error| panic!("{line}: {error}\n{}", ran.stdout));
        assert_eq!(answer["kind"], "Error", "{line}");
        assert_eq!(answer["reason"], "usage", "{line}");
        assert_eq!(answer["code"], 2, "{line}");
        assert!(
            answer["error"].as_str().unwrap().contains(error),
            "{answer}"
        );
        assert!(answer["hints"].to_string().contains(hint), "{answer}");
        assert!(!ran.stderr.is_empty(), "{line}");
    }
    for line in [
        "stauts",
        "status --nope -- -o json",
        "-o jsn status",
        "status --nope -o",
    ] {
        let ran = run(&user, line);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{line}");
    }
    let yaml = run(&user, "stauts -o yaml").stdout;
    assert!(yaml.contains("kind: Error\n"), "{yaml}");
}

#[test]
fn colours_come_when_they_are_asked_for() {
    let user = user();
    let escaped = |text: &str| text.contains('\u{1b}');
    let diff = "diff -f fixtures/quickstart";
    let plain = run(&user, diff);
    assert!(!escaped(&plain.stdout) && !escaped(&plain.stderr));
    let coloured = run(&user, &format!("{diff} --color always"));
    insta::assert_snapshot!(coloured.stdout.replace('\u{1b}', "␛"));
    assert_eq!(
        anstream::adapter::strip_str(&coloured.stdout).to_string(),
        plain.stdout
    );
    let broken = "validate -f fixtures/broken/duplicate-key.yaml --color";
    assert!(escaped(&run(&user, &format!("{broken} always")).stderr));
    assert!(!escaped(&run(&user, &format!("{broken} never")).stderr));
    let failed = run(&user, "show nothing --color always");
    assert!(escaped(&failed.stderr), "{}", failed.stderr);

    // What a person asks for on the command line counts more than the environment.
    let user = user.with("NO_COLOR", "1");
    assert!(!escaped(&run(&user, diff).stdout));
    assert!(escaped(
        &run(&user, &format!("{diff} --color always")).stdout
    ));
}

#[test]
fn a_pipe_that_closes_is_no_error() {
    let user = user();
    let everything = [
        "get",
        "schema",
        "--help",
        "completions bash",
        "man",
        "version",
    ];
    for line in everything
        .into_iter()
        .chain(["diff -f fixtures/quickstart"])
    {
        let words: Vec<_> = line.split(' ').collect();
        let mut child = user
            .command(&words)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let ran = Ran::of(child);
        assert_eq!(ran.stderr, "", "{line}");
        let expected = i32::from(line.starts_with("diff"));
        assert_eq!(ran.code, Some(expected), "{line}");
    }
}

#[test]
fn a_full_disk_is_an_error() {
    let user = user();
    let child = user
        .command(&["get"])
        .stdout(
            std::fs::File::options()
                .write(true)
                .open("/dev/full")
                .unwrap(),
        )
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let ran = Ran::of(child);
    assert_eq!(ran.code, Some(7));
    assert!(
        ran.stderr.starts_with("error: could not write the output"),
        "{}",
        ran.stderr
    );
}

#[test]
fn the_version_is_the_one_of_the_package() {
    let user = Cfgctl::new();
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(user.ok(&["--version"]), format!("cfgctl {version}\n"));
    assert_eq!(
        user.ok(&["version"]),
        format!("cfgctl {version} (manifests cfgctl.dev/v1)\n")
    );
}

#[test]
fn the_schema_of_manifests_is_a_schema_that_takes_the_fixtures() {
    let schema: Value = serde_json::from_str(&Cfgctl::new().ok(&["schema"])).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let cluster = serde_json::json!({
        "apiVersion": "cfgctl.dev/v1", "kind": "Cluster", "metadata": {"name": "a"},
        "spec": {"directory": {"path": "a"}},
    });
    assert!(validator.is_valid(&cluster));
    assert!(!validator.is_valid(&serde_json::json!({"kind": "Cluster"})));
}
