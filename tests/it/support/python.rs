//! Readers in Python that share no code with cfgctl.

use std::io::Write as _;
use std::process::{Command, Stdio};

/// Python with the packages of the tests. No test may pass because they are missing.
pub(crate) fn python() -> Command {
    let packages = std::env::var_os("CFGCTL_TEST_PYTHON").expect(
        "CFGCTL_TEST_PYTHON is not set: tests/install-python installs the readers or says what is in the way, and tests/run passes them on",
    );
    let mut python = Command::new("python3");
    python.env("PYTHONPATH", packages);
    python
}

/// What `program` prints of `input`; it must end well.
pub(crate) fn judged(program: &str, input: &[u8]) -> Vec<u8> {
    let mut python = python()
        .args(["-c", program])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("python3");
    let mut stdin = python.stdin.take().expect("a pipe");
    stdin.write_all(input).expect("a reader");
    drop(stdin);
    let ran = python.wait_with_output().expect("an end");
    assert!(
        ran.status.success(),
        "the reader of tests/install-python refuses it: {}\n{}",
        String::from_utf8_lossy(&ran.stderr),
        String::from_utf8_lossy(input)
    );
    ran.stdout
}
