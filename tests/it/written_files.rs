//! Files that cfgctl writes, on a disk that is full.

use std::process::{Command, Stdio};

use crate::support::cli::{Cfgctl, Ran};

/// Room for what SQLite keeps beside a store, and not for a plan of [`VALUE_BYTES`] and more.
const LIMIT_BYTES: usize = 128 * 1024;
const VALUE_BYTES: usize = 200 * 1024;

/// One cluster that is a directory, and a set too large for the disk.
fn user() -> Cfgctl {
    let user = Cfgctl::new().with("CFGCTL_STORE", "store.db");
    let path = user.directory().join("out");
    let path = path.display();
    let value = "x".repeat(VALUE_BYTES);
    user.write(
        "all.yaml",
        &format!(
            "apiVersion: cfgctl.dev/v1\nkind: Cluster\nmetadata: {{name: c0}}\n\
             spec: {{directory: {{path: \"{path}\"}}}}\n---\n\
             apiVersion: cfgctl.dev/v1\nkind: ConfigSet\nmetadata: {{name: checkout}}\n\
             spec: {{values: {{a: {value}}}}}\n"
        ),
    );
    user
}

/// A run that can write no file past the limit, as on a disk that is full.
fn run_without_room(user: &Cfgctl, arguments: &[&str]) -> Ran {
    // A shell can set the limit and have its signal ignored, which the run inherits.
    let blocks = LIMIT_BYTES / 512;
    let plain = user.command(arguments);
    let mut command = Command::new("sh");
    command
        .args([
            "-c",
            &format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$@\""),
        ])
        .arg("sh")
        .arg(plain.get_program())
        .args(plain.get_args())
        .env_clear()
        .envs(
            plain
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        )
        .current_dir(user.directory())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    Ran::of(command.spawn().expect("a shell"))
}

/// What lies in the working directory, besides the store.
fn names(user: &Cfgctl) -> Vec<String> {
    let items = std::fs::read_dir(user.directory()).expect("a directory");
    let mut names: Vec<_> = items
        .map(|item| {
            item.expect("an item")
                .file_name()
                .into_string()
                .expect("UTF-8")
        })
        .filter(|name| !name.starts_with("store.db"))
        .collect();
    names.sort();
    names
}

#[test]
fn a_plan_that_does_not_fit_on_the_disk_leaves_no_file_and_is_no_bad_usage() {
    let user = user();
    let diff = ["diff", "-f", "all.yaml", "--out", "plan"];
    let said = run_without_room(&user, &diff).expect_code(7);
    assert!(
        said.stderr.contains("could not write `plan`"),
        "{}",
        said.stderr
    );
    assert_eq!(names(&user), ["all.yaml"]);

    // A plan that was there is as it was.
    user.run(&diff).expect_code(1);
    let plan = std::fs::read(user.directory().join("plan")).expect("a plan");
    run_without_room(&user, &diff).expect_code(7);
    assert_eq!(
        std::fs::read(user.directory().join("plan")).expect("a plan"),
        plan
    );
    assert_eq!(names(&user), ["all.yaml", "plan"]);
    user.ok(&["apply", "plan", "--yes"]);
}

#[test]
fn a_manifest_that_does_not_fit_on_the_disk_leaves_no_file_and_is_no_bad_usage() {
    use base64::Engine as _;
    let user = user();
    let value = base64::engine::general_purpose::STANDARD.encode("y".repeat(VALUE_BYTES));
    let export =
        format!("[{{\"key\": \"config/checkout/a\", \"flags\": 0, \"value\": \"{value}\"}}]");
    user.write("export.json", &export);
    let import = ["import", "--from-export", "export.json"];
    let import = [
        &import[..],
        &["--prefix", "config/checkout", "--out", "set.yaml"],
    ]
    .concat();
    let said = run_without_room(&user, &import).expect_code(7);
    assert!(said.stderr.contains("could not write"), "{}", said.stderr);
    assert_eq!(names(&user), ["all.yaml", "export.json"]);
}

#[test]
fn a_place_that_cannot_be_written_to_is_for_its_user_to_change() {
    let user = user();
    let diff = ["diff", "-f", "all.yaml", "--out", "nowhere/plan"];
    let said = user.run(&diff).expect_code(2);
    assert!(
        said.stderr.contains("could not write `nowhere/plan`"),
        "{}",
        said.stderr
    );
}
