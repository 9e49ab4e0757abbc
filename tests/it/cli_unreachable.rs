//! Clusters that do not answer, and what each command makes of it.

use std::net::TcpListener;

use crate::support::cli::Cfgctl;
use crate::support::transcript::{Transcript, bring};

/// One cluster that works and one behind a port that nobody listens on; the port.
fn user() -> (Cfgctl, u16) {
    let user = Cfgctl::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    user.write(
        "files/all.yaml",
        &format!(
            "apiVersion: cfgctl.dev/v1
kind: Cluster
metadata: {{name: here, labels: {{stage: test}}}}
spec: {{directory: {{path: ../out/here}}}}
---
apiVersion: cfgctl.dev/v1
kind: Cluster
metadata: {{name: there, labels: {{stage: far}}}}
spec: {{consul: {{address: 'http://127.0.0.1:{port}'}}}}
---
apiVersion: cfgctl.dev/v1
kind: ConfigSet
metadata: {{name: billing}}
spec: {{values: {{a: 1}}}}
"
        ),
    );
    (user, port)
}

#[test]
fn one_cluster_that_does_not_answer_does_not_hold_back_the_others() {
    let (user, port) = user();
    let text = Transcript::of(&user)
        .run("cluster check -f files --timeout 2s")
        .run("diff -f files --timeout 2s")
        .run("apply -f files --yes --timeout 2s")
        .run("status --timeout 2s")
        .run("apply --resume --yes --timeout 2s")
        .run("cluster check --timeout 2s")
        .run("cluster check here")
        .run("cluster check -l stage=test")
        .run("cluster check -l stage=none")
        .run("cluster check nowhere")
        .run("cluster list")
        .run("diff -f files --clusters stage=test")
        .run("delete billing --yes --timeout 2s")
        .end()
        .replace(&format!(":{port}"), ":[port]");
    insta::assert_snapshot!(text);
}

#[test]
fn every_exit_code_that_needs_no_server_is_what_the_help_says() {
    let user = Cfgctl::new();
    bring(&user, "fixtures/quickstart");
    let quickstart = "fixtures/quickstart";
    let code = |arguments: &[&str]| user.run(arguments).code;
    assert_eq!(code(&["validate", "-f", quickstart]), Some(0));
    assert_eq!(code(&["diff", "-f", quickstart]), Some(1));
    assert_eq!(code(&["apply", "-f", quickstart]), Some(2));
    assert_eq!(code(&["no-such-command"]), Some(2));
    assert_eq!(code(&["apply", "-f", quickstart, "--yes"]), Some(0));
    let other = ["apply", "-f", quickstart, "--yes", "--store", "other.db"];
    assert_eq!(code(&other), Some(5));

    let (user, _) = self::user();
    let code = |arguments: &[&str]| user.run(arguments).code;
    let apply = ["apply", "-f", "files", "--yes", "--timeout", "2s"];
    assert_eq!(code(&apply), Some(3));
    let check = ["cluster", "check", "there", "--timeout", "2s"];
    assert_eq!(code(&check), Some(7));
}
