//! What README.md shows is what happens: every block of a session at a terminal is run.
//!
//! A block marked `console` holds commands after `$ ` (a line that goes on starts with `> `), each
//! followed by what it prints on standard output and standard error. All blocks are one session, in
//! a home of its own that holds the repository's fixtures. A line `…` stands for any lines. A block
//! marked `console ignore` is shown and not run, and only what asks a person may be.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use regex::Regex;

use rustix::process::Signal;

use crate::support::cli::Cfgctl;
use crate::support::consul::Consul;
use crate::support::redact::{GAP, redact};
use crate::support::server::Server;
use crate::support::transcript::{bring, root};

/// What asks a person.
const QUESTION: &str = "Do this?";
/// Stands before the output of each command; no program prints it.
const MARK: &str = "\u{1}@";
/// The ports of the clusters of fixtures/shop.
const PORTS: [u16; 4] = [18500, 18510, 18520, 18530];
/// What names the store from there on.
const STORE: &str = "export CFGCTL_STORE=";
/// What brings those clusters up; here they run already, on other ports.
const CONSULS: &str = "tests/consuls";

/// One command, and what it prints.
#[derive(Debug, PartialEq, Eq)]
struct Step {
    line: usize,
    command: String,
    printed: Vec<String>,
}

/// The steps of every block that is to be run, and what is wrong with the rest.
fn steps(markdown: &str) -> (Vec<Step>, Vec<String>) {
    let (mut steps, mut wrong) = (Vec::<Step>::new(), Vec::new());
    let mut lines = markdown.lines().zip(1..);
    while let Some((fence, start)) = lines.next() {
        let Some(info) = fence.trim().strip_prefix("```console") else {
            continue;
        };
        let block: Vec<_> = (&mut lines)
            .take_while(|(line, _)| line.trim() != "```")
            .collect();
        if info.trim() == "ignore" {
            if !block.iter().any(|(line, _)| line.contains(QUESTION)) {
                wrong.push(format!(
                    "README.md:{start}: it asks nobody, so it can be run"
                ));
            }
            continue;
        }
        let before = steps.len();
        for (text, line) in block {
            if let Some(command) = text.strip_prefix("$ ") {
                steps.push(Step {
                    line,
                    command: command.to_owned(),
                    printed: Vec::new(),
                });
            } else if steps.len() == before {
                wrong.push(format!("README.md:{line}: a block begins with a command"));
            } else if let Some(step) = steps.last_mut() {
                match text.strip_prefix("> ") {
                    Some(more) if step.printed.is_empty() => {
                        _ = write!(step.command, "\n{more}");
                    }
                    _ => step.printed.push(text.trim_end().to_owned()),
                }
            }
        }
    }
    (steps, wrong)
}

/// Runs all steps in one shell; what each printed.
fn run(user: &Cfgctl, steps: &[Step], script: &impl Fn(&str) -> String) -> Vec<String> {
    let binary = PathBuf::from(env!("CARGO_BIN_EXE_cfgctl"));
    let directory = binary.parent().expect("a directory").display();
    let mut text = format!("exec 2>&1\nPATH='{directory}':$PATH\nstatus=0\n");
    for step in steps {
        // `$?` is that of the command before, as at a prompt.
        let command = script(&step.command);
        _ = writeln!(
            text,
            "printf '%s' '{MARK}'\n(exit $status)\n{command}\nstatus=$?"
        );
    }
    let path = std::env::var_os("PATH").expect("PATH");
    let like = user.command(&[]);
    let surroundings = like
        .get_envs()
        .filter_map(|(name, value)| Some((name, value?)));
    let output = Command::new("bash")
        .args(["-c", &text])
        .env_clear()
        .envs(surroundings)
        .env("PATH", path)
        .current_dir(user.directory())
        .stdin(Stdio::null())
        .output()
        .expect("bash");
    let output = String::from_utf8(output.stdout).expect("UTF-8");
    output.split(MARK).skip(1).map(str::to_owned).collect()
}

/// Whether `shown` is `printed`, where `…` is any lines.
fn agree(shown: &[String], printed: &[&str]) -> bool {
    match shown.split_first() {
        None => printed.is_empty(),
        Some((first, rest)) if first == "…" => {
            (0..=printed.len()).any(|skipped| agree(rest, &printed[skipped..]))
        }
        Some((first, rest)) => printed
            .split_first()
            .is_some_and(|(line, others)| first == line && agree(rest, others)),
    }
}

/// The first command of all, which is run before the sessions, as a reader does.
fn first_command(markdown: &str) -> Option<Vec<&str>> {
    let (_, block) = markdown.split_once("```sh\n")?;
    let arguments = block.lines().next()?.strip_prefix("cargo run -- ")?;
    Some(arguments.split(' ').collect())
}

/// Where the store of a session is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stored {
    /// In the file that the session names.
    Beside,
    /// Behind a server, which is named in place of it.
    Behind,
}

/// A server for each store that `steps` name, with the words that name it and those in place of them.
fn servers(user: &Cfgctl, steps: &[Step]) -> Vec<(String, String, Server)> {
    let named = |step: &Step| {
        let words = step.command.strip_prefix(STORE)?;
        (!words.contains(' ')).then(|| words.to_owned())
    };
    let stores = steps.iter().filter_map(named);
    let start = |store: String| {
        // The directories of the first example are places of the server.
        let more = ["--store", &store, "--allow-directories", "target"];
        let server = Server::start(user, &more);
        let (address, token) = (&server.address, &server.token);
        let there = format!("{STORE}{address} CFGCTL_TOKEN={token}");
        (format!("{STORE}{store}"), there, server)
    };
    stores.map(start).collect()
}

/// What a server's history calls its owner.
static OWNER: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\bowner\b").unwrap());

/// What a server says, as it is said beside the store: with another author, whose name has another
/// width.
fn as_beside(text: &str) -> String {
    let text = OWNER.replace_all(text, "ops@laptop");
    GAP.replace_all(&text, "  ").into_owned()
}

/// What is printed where it is something else than `markdown` shows.
async fn unreal(markdown: &str, stored: Stored) -> Vec<String> {
    let (steps, mut wrong) = steps(markdown);
    let user = Cfgctl::new();
    bring(&user, "fixtures");
    if let Some(arguments) = first_command(markdown) {
        user.ok(&arguments);
    }

    let mut consuls = Vec::new();
    if steps.iter().any(|step| step.command.contains(CONSULS)) {
        for port in PORTS {
            let consul = Consul::start().await;
            let address = consul.address();
            consuls.push((format!("http://127.0.0.1:{port}"), address, consul));
        }
    }
    let here = |text: &str| {
        let replace = |text: String, (shown, real, _): &(String, String, Consul)| {
            text.replace(shown.as_str(), real)
        };
        consuls.iter().fold(text.to_owned(), replace)
    };
    let clusters = user.directory().join("fixtures/shop/clusters.yaml");
    let text = std::fs::read_to_string(&clusters).expect("a file");
    std::fs::write(&clusters, here(&text)).expect("a file");

    let servers = match stored {
        Stored::Beside => Vec::new(),
        Stored::Behind => {
            let servers = servers(&user, &steps);
            assert!(!servers.is_empty(), "no session names a store");
            let before = steps.iter().take_while(|it| !it.command.starts_with(STORE));
            for step in before.filter(|it| it.command.contains("cfgctl ")) {
                wrong.push(format!("README.md:{}: it names no store yet", step.line));
            }
            servers
        }
    };
    let here = |text: &str| {
        let found = servers.iter().find(|(beside, ..)| text == beside);
        found.map_or_else(|| here(text), |(_, behind, _)| behind.clone())
    };
    let redact = |text: &str| match stored {
        Stored::Beside => redact(text, user.directory()),
        Stored::Behind => as_beside(&redact(text, user.directory())),
    };
    let script = |command: &str| match command.strip_prefix(CONSULS) {
        Some(what) if what.trim() == "start" => {
            format!(
                "printf 'http://127.0.0.1:%s\\n' {}",
                PORTS.map(|port| port.to_string()).join(" ")
            )
        }
        Some(_) => ":".to_owned(),
        None => here(command),
    };
    let printed = run(&user, &steps, &script);
    assert_eq!(printed.len(), steps.len(), "a command ends the shell");
    for (beside, _, server) in servers {
        server.signal(Signal::TERM);
        let (code, said) = server.end();
        if code != Some(0) || !said.contains("carried out") {
            wrong.push(format!(
                "{beside}: not through its server, {code:?}:\n{said}"
            ));
        }
    }
    for (step, printed) in steps.iter().zip(&printed) {
        let printed = consuls
            .iter()
            .fold(printed.clone(), |text, (shown, real, _)| {
                text.replace(real.as_str(), shown)
            });
        let printed = redact(&printed);
        let shown = redact(&step.printed.join("\n"));
        let shown: Vec<_> = shown.trim_end().lines().map(str::to_owned).collect();
        if !agree(&shown, &printed.trim_end().lines().collect::<Vec<_>>()) {
            wrong.push(format!(
                "README.md:{}: $ {}\n{printed}",
                step.line, step.command
            ));
        }
    }
    wrong
}

#[tokio::test]
async fn the_sessions_in_the_readme_are_real() {
    let readme = root().join("README.md");
    let markdown = std::fs::read_to_string(readme).expect("README.md");
    assert!(first_command(&markdown).is_some());
    let wrong = unreal(&markdown, Stored::Beside).await;
    assert!(
        wrong.is_empty(),
        "this is what is printed:\n{}",
        wrong.join("\n")
    );
}

#[tokio::test]
async fn the_sessions_in_the_readme_are_the_same_through_a_server() {
    let readme = root().join("README.md");
    let markdown = std::fs::read_to_string(readme).expect("README.md");
    let wrong = unreal(&markdown, Stored::Behind).await;
    assert!(
        wrong.is_empty(),
        "this is what is printed:\n{}",
        wrong.join("\n")
    );
}

#[tokio::test]
async fn a_session_that_is_not_real_is_told() {
    let real = "\
```console
$ tests/consuls start
http://127.0.0.1:18500
http://127.0.0.1:18510
http://127.0.0.1:18520
http://127.0.0.1:18530
$ cfgctl apply -f fixtures/shop --yes --quiet \\
> -o name
…
set/checkout@1
…
$ cfgctl cluster list
NAME        TARGET                  LABELS
eu-prod-de  http://127.0.0.1:18500  market=de,namespace=shop,region=eu,stage=prod
…
$ cd fixtures && cfgctl get checkuot
error: there is no set/checkuot
hint: did you mean `checkout`?
$ echo $?
2
$ basename $PWD
fixtures
```
";
    assert_eq!(unreal(real, Stored::Beside).await, Vec::<String>::new());
    let wrong = unreal(
        "```console\n$ echo a\nb\n$ echo c\nc\n```\n",
        Stored::Beside,
    )
    .await;
    assert_eq!(wrong, ["README.md:2: $ echo a\na\n"]);
}

#[test]
fn a_session_is_read_as_commands_and_what_they_print() {
    let (steps, wrong) = steps(
        "text\n```console\n$ a \\\n> b\n1\n\n$ c\n```\n```sh\n$ no\n```\n\
         ```console ignore\n$ d\n```\n```console\nx\n```\n",
    );
    let step = |line, command: &str, printed: &[&str]| Step {
        line,
        command: command.to_owned(),
        printed: printed.iter().map(ToString::to_string).collect(),
    };
    assert_eq!(steps, [step(3, "a \\\nb", &["1", ""]), step(7, "c", &[])]);
    assert_eq!(
        wrong,
        [
            "README.md:12: it asks nobody, so it can be run",
            "README.md:16: a block begins with a command"
        ]
    );
}

#[test]
fn dots_stand_for_any_lines() {
    let agrees = |shown: &str, printed: &str| {
        let shown: Vec<_> = shown.lines().map(str::to_owned).collect();
        agree(&shown, &printed.lines().collect::<Vec<_>>())
    };
    assert!(agrees("a\n…\nd", "a\nb\nc\nd"));
    assert!(agrees("a\n…", "a"));
    assert!(!agrees("a\n…\nd", "a\nb"));
    assert!(!agrees("a", "a\nb"));
}
