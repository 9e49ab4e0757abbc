//! A session at a terminal as text: what was typed, what was printed, and how it ended.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use super::cli::{Cfgctl, Ran};
use super::redact::redact;

/// The root of the repository.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Copies a file or directory of the repository to the same place in the home of `user`.
pub(crate) fn bring(user: &Cfgctl, path: &str) -> PathBuf {
    let to = user.directory().join(path);
    copy(&root().join(path), &to);
    to
}

fn copy(from: &Path, to: &Path) {
    if from.is_dir() {
        std::fs::create_dir_all(to).expect("a directory");
        for entry in std::fs::read_dir(from).expect("a directory") {
            let entry = entry.expect("an entry");
            copy(&entry.path(), &to.join(entry.file_name()));
        }
    } else {
        std::fs::create_dir_all(to.parent().expect("a parent")).expect("a directory");
        std::fs::copy(from, to).expect("a file");
    }
}

/// Replaces text that must be there, as a person with an editor does.
pub(crate) fn edit(user: &Cfgctl, file: &str, from: &str, to: &str) {
    let path = user.directory().join(file);
    let text = std::fs::read_to_string(&path).expect("a file");
    assert!(text.contains(from), "{file} does not hold {from}");
    std::fs::write(path, text.replace(from, to)).expect("a file");
}

/// Commands of one user, and what came of them.
#[derive(Debug)]
pub(crate) struct Transcript<'a> {
    user: &'a Cfgctl,
    text: String,
}

impl<'a> Transcript<'a> {
    pub(crate) fn of(user: &'a Cfgctl) -> Self {
        Self {
            user,
            text: String::new(),
        }
    }

    /// One command; its words are separated by blanks.
    pub(crate) fn run(&mut self, line: &str) -> &mut Self {
        self.run_with_input(line, "")
    }

    /// One command that reads `input`.
    pub(crate) fn run_with_input(&mut self, line: &str, input: &str) -> &mut Self {
        let ran = with_input(self.user, line, input);
        self.add(line, &ran)
    }

    /// Something that happens between two commands.
    pub(crate) fn note(&mut self, what: &str) -> &mut Self {
        _ = writeln!(self.text, "# {what}\n");
        self
    }

    fn add(&mut self, line: &str, ran: &Ran) -> &mut Self {
        _ = writeln!(self.text, "$ cfgctl {line}");
        self.text.push_str(&ran.stdout);
        if !ran.stderr.is_empty() {
            _ = write!(self.text, "[stderr]\n{}", ran.stderr);
        }
        _ = writeln!(self.text, "[exit {}]\n", code(ran));
        self
    }

    /// All of it, redacted.
    pub(crate) fn end(&self) -> String {
        redact(&self.text, self.user.directory())
    }
}

/// Runs a line whose words are separated by blanks, with something to read.
pub(crate) fn with_input(user: &Cfgctl, line: &str, input: &str) -> Ran {
    let words: Vec<&str> = line.split_whitespace().collect();
    let mut child = user
        .command(&words)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary");
    // Who does not read its input closes it.
    _ = child
        .stdin
        .take()
        .expect("a pipe")
        .write_all(input.as_bytes());
    Ran::of(child)
}

fn code(ran: &Ran) -> String {
    ran.code
        .map_or("by a signal".to_owned(), |code| code.to_string())
}
