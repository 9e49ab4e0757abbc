//! The real binary, run as a user runs it, with surroundings of its own.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

/// One user on one machine: a home, a working directory, and no variables but these.
#[derive(Debug)]
pub(crate) struct Cfgctl {
    home: TempDir,
    variables: Vec<(String, String)>,
}

/// What one run said.
#[derive(Debug)]
#[must_use = "look at the exit code or at what was printed"]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Cfgctl {
    pub(crate) fn new() -> Self {
        Self {
            home: TempDir::new().expect("a temporary directory"),
            variables: vec![("CFGCTL_ACTOR".to_owned(), "ops@laptop".to_owned())],
        }
    }

    /// The same user with one more variable.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// A variable from now on.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.variables.push((name.to_owned(), value.to_owned()));
    }

    /// The working directory of every run.
    pub(crate) fn directory(&self) -> &Path {
        self.home.path()
    }

    /// Writes a file below the working directory.
    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.directory().join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        std::fs::write(&path, text).expect("a file");
        path
    }

    /// A run that has not begun.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cfgctl"));
        command
            .args(arguments)
            .env_clear()
            .env("HOME", self.home.path())
            .envs(self.variables.iter().cloned())
            .current_dir(self.home.path())
            .stdin(Stdio::null());
        command
    }

    /// A run that goes on in the background.
    pub(crate) fn spawn(&self, arguments: &[&str]) -> Child {
        self.command(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary")
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(self.spawn(arguments))
    }

    /// A run that must end with 0; what it printed.
    pub(crate) fn ok(&self, arguments: &[&str]) -> String {
        let ran = self.run(arguments);
        assert_eq!(
            ran.code,
            Some(0),
            "{arguments:?}\n{}{}",
            ran.stdout,
            ran.stderr
        );
        ran.stdout
    }
}

impl Cfgctl {
    /// Runs it and types `secret`, which it must not say again.
    pub(crate) fn typed(&self, arguments: &[&str], secret: &str) -> Ran {
        let mut child = self
            .command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary");
        let mut stdin = child.stdin.take().expect("a pipe");
        // It may fail before it reads anything.
        _ = stdin.write_all(format!("{secret}\n").as_bytes());
        drop(stdin);
        let ran = Ran::of(child);
        let said = format!("{}{}", ran.stdout, ran.stderr);
        assert!(secret.is_empty() || !said.contains(secret), "{said}");
        ran
    }
}

impl Ran {
    pub(crate) fn of(child: Child) -> Self {
        let output = child.wait_with_output().expect("an end");
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).expect("UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("UTF-8"),
        }
    }
}
