//! flagd's own evaluator, which knows nothing of cfgctl.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::{Command, Stdio};

use serde::Deserialize;
use serde_json::{Value, json};

const PROGRAM: &str = include_str!("flagd_judge.js");

/// What it says to one request.
#[derive(Debug, Deserialize)]
pub(crate) struct Judgement {
    /// What its schema has against each of the files.
    pub(crate) refusals: Vec<Option<String>>,
    /// What each flag is for each context.
    pub(crate) answers: BTreeMap<String, Vec<Answer>>,
}

/// What a flag is for one context.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct Answer {
    pub(crate) variant: Option<String>,
    pub(crate) value: Value,
    pub(crate) reason: String,
}

/// What its schema has against each of these flag files.
pub(crate) fn refusals(files: &[String]) -> Vec<Option<String>> {
    judge(&json!({"files": files, "now": 0})).refusals
}

/// What each flag of a flag file is for each context at a time in seconds. The file must be one
/// that its schema takes.
pub(crate) fn answers(file: &str, contexts: &[Value], now: i64) -> BTreeMap<String, Vec<Answer>> {
    judge(&json!({"flags": file, "contexts": contexts, "now": now})).answers
}

fn judge(request: &Value) -> Judgement {
    let packages = std::env::var_os("CFGCTL_TEST_FLAGD").expect(
        "CFGCTL_TEST_FLAGD is not set: tests/install-flagd installs the evaluator or says what is in the way, and tests/run passes it on",
    );
    let mut node = Command::new("node")
        .args(["-e", PROGRAM])
        .env("CFGCTL_TEST_FLAGD", packages)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("node");
    let mut input = node.stdin.take().expect("a pipe");
    let request = request.to_string();
    // It reads all before it writes anything.
    input.write_all(request.as_bytes()).expect("a reader");
    drop(input);
    let output = node.wait_with_output().expect("an end");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    serde_json::from_slice(&output.stdout).expect("an answer")
}
