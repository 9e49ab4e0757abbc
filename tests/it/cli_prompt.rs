//! The question before a change, asked on a real terminal.

use std::io::{Read as _, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};

use rustix::fs::{CWD, Mode, mkfifoat};
use rustix::process::{Pid, Signal, kill_process};

use crate::support::cli::Cfgctl;
use crate::support::transcript::{bring, edit};

const QUESTION: &str = "Do this?";

const APPLY: &str = "apply -f fixtures/quickstart";

/// The command that asks; `exec`, so that no shell stands between it and `script`.
fn command_line(arguments: &str) -> String {
    let binary = env!("CARGO_BIN_EXE_cfgctl");
    format!("exec {binary} {arguments}")
}

/// The one process that `script` started.
fn process_of(script: &Child) -> Pid {
    let pid = script.id();
    let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
    let children = children.expect("/proc");
    let child = children.trim().parse().expect("one child");
    Pid::from_raw(child).expect("a process")
}

/// Runs `cfgctl apply` of the quickstart on a terminal of its own, and types `answer` once the
/// question is there. What was on the screen, and the exit code.
fn ask(user: &Cfgctl, answer: &[u8]) -> (String, Option<i32>) {
    ask_of(user, APPLY, QUESTION, answer)
}

/// The same for any command that asks `question`.
fn ask_of(user: &Cfgctl, arguments: &str, question: &str, answer: &[u8]) -> (String, Option<i32>) {
    // `script` of util-linux gives the command a terminal, and ends with its exit code.
    let mut child = in_surroundings(user, Command::new("script"))
        .args(["-qec", &command_line(arguments), "/dev/null"])
        .spawn()
        .expect("`script` of util-linux");
    let screen = read_until(&mut child, question);
    let mut keyboard = child.stdin.take().expect("a pipe");
    keyboard.write_all(answer).expect("a reader");
    let mut rest = Vec::new();
    let mut output = child.stdout.take().expect("a pipe");
    output.read_to_end(&mut rest).expect("an end");
    drop(keyboard);
    let code = child.wait().expect("an end").code();
    (screen + &String::from_utf8_lossy(&rest), code)
}

/// A terminal on which a command runs, and somebody who reads before he types.
struct Screen {
    child: Child,
    keyboard: ChildStdin,
    seen: String,
}

impl Screen {
    fn of(user: &Cfgctl, line: &str) -> Self {
        let mut child = in_surroundings(user, Command::new("script"))
            .args(["-q", "-e", "-E", "always", "-c", line, "/dev/null"])
            .spawn()
            .expect("`script` of util-linux");
        let keyboard = child.stdin.take().expect("a pipe");
        Self {
            child,
            keyboard,
            seen: String::new(),
        }
    }

    /// Reads until `wanted` appears anew.
    fn wait_for(&mut self, wanted: &str) {
        self.seen += &read_until(&mut self.child, wanted);
    }

    fn type_in(&mut self, text: &str) {
        self.keyboard.write_all(text.as_bytes()).expect("a reader");
    }

    /// All that was on the screen, and the exit code.
    fn end(mut self) -> (String, Option<i32>) {
        let mut rest = Vec::new();
        let mut output = self.child.stdout.take().expect("a pipe");
        output.read_to_end(&mut rest).expect("an end");
        drop(self.keyboard);
        let code = self.child.wait().expect("an end").code();
        (self.seen + &String::from_utf8_lossy(&rest), code)
    }
}

fn in_surroundings(user: &Cfgctl, mut command: Command) -> Command {
    let like = user.command(&[]);
    command.env_clear().env("TERM", "xterm");
    for (name, value) in like.get_envs() {
        if let Some(value) = value {
            command.env(name, value);
        }
    }
    command
        .current_dir(user.directory())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn read_until(child: &mut Child, wanted: &str) -> String {
    let output = child.stdout.as_mut().expect("a pipe");
    let mut seen = Vec::new();
    let mut byte = [0];
    while !String::from_utf8_lossy(&seen).contains(wanted) {
        let read = output.read(&mut byte).expect("a terminal");
        assert_ne!(read, 0, "no {wanted}: {}", String::from_utf8_lossy(&seen));
        seen.extend(byte);
    }
    String::from_utf8_lossy(&seen).into_owned()
}

fn user() -> Cfgctl {
    let user = Cfgctl::new();
    bring(&user, "fixtures/quickstart");
    user
}

fn is_untouched(user: &Cfgctl) -> bool {
    // Without a commit there is not even a store.
    !user.directory().join("target").exists() && user.run(&["get", "-o", "name"]).code == Some(7)
}

#[test]
fn yes_does_it() {
    let user = user();
    let (screen, code) = ask(&user, b"y\r");
    assert_eq!(code, Some(0), "{screen}");
    assert!(screen.contains("delivered"), "{screen}");
    assert!(user.ok(&["get", "-o", "name"]).contains("set/checkout"));
}

#[test]
fn no_changes_nothing() {
    let user = user();
    let (screen, code) = ask(&user, b"n\r");
    assert_eq!(code, Some(0), "{screen}");
    assert!(screen.contains("nothing was changed"), "{screen}");
    assert!(is_untouched(&user));
}

#[test]
fn only_a_whole_line_is_an_answer() {
    for (typed, is_yes) in [
        ("maybe\rYES\r", true),
        ("maybe\rno\r", false),
        ("ny\r\r", false),
        ("x\x7fyes\r", true),
        ("y\x1b", false),
    ] {
        let user = user();
        let mut screen = Screen::of(&user, &command_line(APPLY));
        for line in typed.split_inclusive('\r') {
            screen.wait_for("Do this? [y/N] ");
            screen.type_in(line);
        }
        let (seen, code) = screen.end();
        assert_eq!(code, Some(0), "{seen}");
        assert_eq!(seen.contains("delivered"), is_yes, "{typed:?}: {seen}");
        assert_eq!(is_untouched(&user), !is_yes, "{typed:?}: {seen}");
    }
}

#[test]
fn what_was_typed_before_the_question_is_no_answer() {
    let user = user();
    let gate = user.directory().join("gate");
    mkfifoat(CWD, &gate, Mode::RUSR | Mode::WUSR).unwrap();
    let line = format!("read -r _ < gate; {}", command_line(APPLY));
    let mut screen = Screen::of(&user, &line);
    screen.type_in("y\r");
    // The terminal has it, which shows what is typed.
    screen.wait_for("y\r\n");
    std::fs::write(&gate, "\n").unwrap();
    screen.wait_for("[y/N] ");
    screen.type_in("n\r");
    let (seen, code) = screen.end();
    assert_eq!(code, Some(0), "{seen}");
    assert!(seen.contains("nothing was changed"), "{seen}");
    assert!(is_untouched(&user));
}

#[test]
fn enter_means_no() {
    let user = user();
    let (screen, code) = ask(&user, b"\r");
    assert_eq!(code, Some(0), "{screen}");
    assert!(is_untouched(&user));
}

#[test]
fn ctrl_c_at_the_question_changes_nothing() {
    let user = user();
    let (screen, code) = ask(&user, b"\x03");
    assert_eq!(code, Some(130), "{screen}");
    assert!(
        screen.contains("stopped before anything was changed"),
        "{screen}"
    );
    assert!(is_untouched(&user));
}

#[test]
fn a_signal_at_the_question_changes_nothing() {
    let user = user();
    let mut child = in_surroundings(&user, Command::new("script"))
        .args(["-qec", &command_line(APPLY), "/dev/null"])
        .spawn()
        .expect("`script` of util-linux");
    let mut screen = read_until(&mut child, QUESTION);
    let pid = process_of(&child);
    kill_process(pid, Signal::TERM).unwrap();
    let mut output = child.stdout.take().expect("a pipe");
    output.read_to_string(&mut screen).expect("an end");
    assert_eq!(child.wait().expect("an end").code(), Some(143), "{screen}");
    assert!(
        screen.contains("stopped before anything was changed"),
        "{screen}"
    );
    assert!(is_untouched(&user));
}

#[test]
fn a_rollback_says_what_it_goes_back_to_when_it_asks() {
    let user = user();
    user.ok(&["apply", "-f", "fixtures/quickstart", "--yes"]);
    let set = "fixtures/quickstart/checkout.yaml";
    edit(&user, set, "timeoutMs: 1500", "timeoutMs: 1800");
    user.ok(&["apply", "-f", "fixtures/quickstart", "--yes"]);
    let question = "Roll checkout back to the content of version 1, as version 3?";
    let (screen, code) = ask_of(&user, "rollback checkout", question, b"y\r");
    assert_eq!(code, Some(0), "{screen}");
    let (screen, code) = ask_of(
        &user,
        "delete checkout --allow-deletes",
        "Delete set/checkout?",
        b"n\r",
    );
    assert_eq!(code, Some(0), "{screen}");
}

#[test]
fn nobody_is_asked_why_about_what_there_is_not() {
    let user = user();
    user.ok(&["apply", "-f", "fixtures/quickstart", "--yes"]);
    for (arguments, told) in [
        (
            "breaker trip checkout/payment-provder",
            "did you mean `checkout/payment-provider`?",
        ),
        ("breaker reset checkout/none", "has no breaker `none`"),
        ("flag unset checkout/none", "has no flag `none`"),
        ("flag off checkout/none", "has no flag `none`"),
    ] {
        let (screen, code) = ask_of(&user, arguments, told, b"");
        assert_eq!(code, Some(2), "{screen}");
        assert!(!screen.contains("Why"), "{screen}");
    }
}
