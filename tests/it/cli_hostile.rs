//! Text from outside (messages, reasons, names, values, paths) reaches no terminal and no log as
//! something that is carried out there, and makes no line of its own.

use serde_json::Value;

use crate::support::cli::{Cfgctl, Ran};

/// What a forge, a terminal and a reader would take for something else.
const HOSTILE: &str =
    "a\n::error::forged\n7  2026-11-21  root  ##vso[task.x]y ##[error]z \u{202e}\u{2028}\u{200b}";
/// The same with what only files and variables can hold.
const WORSE: &str =
    "a\n::error::forged\r\n ::set-output::x\u{1b}[2J\u{1b}]0;x\u{7}\u{7f}\u{9b}2J##vso[x]y\u{2066}";

const FORMATS: &[&str] = &["table", "wide", "json", "yaml", "name"];
const SPECIAL: &[&str] = &["markdown", "github", "junit"];

/// Text as JSON, which YAML reads, without a raw character that YAML refuses.
fn json(text: &str) -> String {
    let escape = |c: char| match c {
        '"' | '\\' => format!("\\{c}"),
        c if c.is_ascii_graphic() || c == ' ' => c.to_string(),
        c => format!("\\u{:04x}", u32::from(c)),
    };
    let escaped: String = text.chars().map(escape).collect();
    format!("\"{escaped}\"")
}

/// A directory whose name begins a line of its own.
const FILES: &str = "files\n::error::path";

fn user() -> Cfgctl {
    let user = Cfgctl::new().with("CFGCTL_ACTOR", WORSE);
    declare(&user, "one");
    let ran = user.run(&["apply", "-f", FILES, "--yes", "-m", HOSTILE]);
    assert_eq!(ran.code, Some(0), "{}{}", ran.stdout, ran.stderr);
    user
}

fn declare(user: &Cfgctl, value: &str) {
    let (hostile, worse) = (json(HOSTILE), json(WORSE));
    let value = json(&format!("{value}{WORSE}"));
    user.write(
        &format!("{FILES}/all.yaml"),
        &format!(
            r#"apiVersion: cfgctl.dev/v1
kind: Cluster
metadata: {{name: eu, labels: {{stage: prod}}}}
spec: {{directory: {{path: {directory}}}}}
---
apiVersion: cfgctl.dev/v1
kind: ConfigSet
metadata: {{name: shop}}
spec:
  values:
    "::error::key": {hostile}
    text: {value}
    block: "a\n::error::b\n##vso[x]y\n"
    quiet: "a\n## b\nc\n"
    {worse}: 1
    list: [{hostile}]
  flags:
    pay:
      state: ENABLED
      variants: {{"on": {hostile}, "::error::off": "b"}}
      defaultVariant: "on"
  breakers:
    provider:
      description: {worse}
      alerts: {{alertname: {hostile}}}
      trip: {{values: {{text: {hostile}}}}}
  publish: [spring: {{context: config/shop}}]
"#,
            directory = json("out\n::error::directory"),
        ),
    );
}

/// Whether something would be done with the character.
fn is_obeyed(c: char) -> bool {
    (c.is_control() && c != '\n')
        || matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(c, '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// Looks at everything that a run said.
fn inspect(what: &str, format: &str, ran: &Ran) {
    for (stream, text) in [("stdout", &ran.stdout), ("stderr", &ran.stderr)] {
        for line in text.lines() {
            let told = format!("{what} -o {format}, {stream}: {line:?}");
            assert!(!line.contains(is_obeyed), "{told}");
            assert!(!line.contains("##vso[") && !line.contains("##["), "{told}");
            let ours = format == "github"
                && stream == "stdout"
                && (line.starts_with("::error file=")
                    || line.starts_with("::warning file=")
                    || line.starts_with("::error title="));
            let name = line.trim_start().strip_prefix("::");
            let is_command = name.is_some_and(|name| !name.starts_with(':'));
            assert!(ours || !is_command, "{told}");
            // A row that came with a text begins with what the text has there.
            assert!(!line.starts_with("7  2026"), "{told}");
        }
    }
}

fn everywhere(user: &Cfgctl, command: &[&str], formats: &[&str]) {
    let what = command.join(" ");
    for format in formats {
        let ran = user.run(&[command, &["-o", format, "--color", "never"]].concat());
        assert_ne!(ran.code, Some(101), "{what}: {}", ran.stderr);
        inspect(&what, format, &ran);
        if *format == "yaml" {
            let json = user.run(&[command, &["-o", "json"]].concat());
            let values: Option<Value> = serde_json::from_str(&json.stdout).ok();
            let read: Result<Value, _> = serde_yaml::from_str(&ran.stdout);
            let timeless = |mut value: Value| {
                value.as_object_mut().map(|fields| fields.remove("at"));
                value
            };
            let (values, read) = (values.map(timeless), read.map(timeless));
            // A manifest is another document than the list that it stands in.
            if let (Some(values), Ok(read)) = (values, read)
                && values["kind"] == read["kind"]
                && values["kind"] != "Outcome"
            {
                assert_eq!(read, values, "{what}");
            }
        }
    }
}

/// One of our files is changed by hand, and holds commands.
fn edit_by_hand(user: &Cfgctl) {
    let root = user.directory().join(FILES).join("out\n::error::directory");
    let mut left = vec![root];
    let mut edited = 0;
    while let Some(directory) = left.pop() {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if std::fs::symlink_metadata(&path).unwrap().is_dir() {
                left.push(path);
            } else if path.ends_with("config/shop/data") {
                let worse = format!("a: b\n::error::c\n##vso[x]y\n{WORSE}\n");
                std::fs::write(&path, worse).unwrap();
                edited += 1;
            }
        }
    }
    assert_eq!(edited, 1);
}

#[test]
fn no_line_of_any_command_is_carried_out_or_forged() {
    let user = user();
    everywhere(
        &user,
        &[
            "flag",
            "set",
            "shop/pay",
            "::error::off",
            "--reason",
            HOSTILE,
            "--yes",
        ],
        &["table"],
    );
    everywhere(
        &user,
        &[
            "breaker",
            "trip",
            "shop/provider",
            "--reason",
            HOSTILE,
            "--yes",
        ],
        &["json"],
    );
    edit_by_hand(&user);

    for command in [
        &["get"][..],
        &["get", "shop"],
        &["get", "cluster/eu"],
        &["show", "shop"],
        &["show", "shop@1"],
        &["show", "shop", "--cluster", "eu"],
        &["history", "shop"],
        &["history", "cluster/eu"],
        &["explain", "shop"],
        &["explain", "shop", "text"],
        &["explain", "shop", "::error::key"],
        &["status"],
        &["flag", "list"],
        &["flag", "eval", "shop/pay", "--context", "a=b"],
        &["breaker", "list"],
        &["breaker", "show", "shop/provider"],
        &["breaker", "history", "shop/provider"],
        &["cluster", "list"],
        &["cluster", "check"],
        &["rollback", "shop", "--to", "1", "--dry-run"],
        &["breaker", "reset", "shop/provider", "--dry-run"],
        &["delete", "shop", "--dry-run"],
        &["apply", "--resume", "--dry-run"],
    ] {
        everywhere(&user, command, FORMATS);
    }
    let drift = user.run(&["drift"]);
    assert_eq!(drift.code, Some(1), "{}{}", drift.stdout, drift.stderr);
    for command in [&["drift"][..], &["diff", "-f", FILES]] {
        everywhere(&user, command, &[FORMATS, &["markdown"]].concat());
    }
    declare(&user, "two");
    everywhere(
        &user,
        &["diff", "-f", FILES],
        &[FORMATS, &["markdown"]].concat(),
    );
    everywhere(&user, &["validate", "-f", FILES], SPECIAL);
}

#[test]
fn what_is_wrong_with_hostile_files_is_said_harmlessly() {
    let user = user();
    let worse = json(WORSE);
    for spec in [
        format!("{{values: {{a: 1}}, {worse}: 1}}"),
        format!("{{values: {worse}}}"),
        format!("{{clusters: {worse}, values: {{a: 1}}}}"),
        format!("{{values: {{a: 1}}, layers: [{{name: {worse}, when: {{}}, values: {{b: 1}}}}]}}"),
        format!("{{values: {{a: 1}}, publish: [spring: {{context: {worse}}}]}}"),
        format!("{{values: {{a: 1}}, schema: {worse}}}"),
        format!("{{values: {{a: {worse}}}, schema: s.json}}"),
        format!("{{values: {{a: 1}}, flags: {{x: {{defaultVariant: {worse}}}}}}}"),
        "{values: {a: 1}\n::error::syntax##vso[x]y".to_owned(),
    ] {
        user.write(
            &format!("{FILES}/s.json"),
            r#"{"properties": {"a": {"pattern": "^[0-9]$", "enum": ["\n::error::x"]}}}"#,
        );
        user.write(
            &format!("{FILES}/wrong.yaml"),
            &format!(
                "apiVersion: cfgctl.dev/v1\nkind: ConfigSet\nmetadata: {{name: wrong}}\nspec: {spec}\n"
            ),
        );
        let validate = ["validate", "-f", FILES];
        everywhere(&user, &validate, &[FORMATS, SPECIAL].concat());
        let ran = user.run(&validate);
        assert_eq!(ran.code, Some(2), "{spec}: {}", ran.stderr);
        everywhere(&user, &["diff", "-f", FILES], &["json", "markdown"]);
    }
}

#[test]
fn arguments_are_repeated_harmlessly() {
    let user = user();
    for command in [
        &["get", HOSTILE][..],
        &["get", WORSE],
        &[WORSE],
        &["show", WORSE],
        &["history", "nothing", WORSE],
        &["apply", WORSE],
        &["apply", "-f", WORSE],
        &["apply", "-f", FILES, "-m", WORSE],
        &["flag", "set", WORSE, "on"],
        &["flag", "set", "shop/pay", WORSE, "--reason", "x", "--yes"],
        &["breaker", "trip", WORSE],
        &["explain", "shop", WORSE],
        &["explain", "shop", "--at", WORSE],
        &["status", "-l", WORSE],
        &["status", "--timeout", WORSE],
        &["get", "--context", WORSE],
        &["context", "use", WORSE],
        &["context", "set", WORSE],
        &["man", WORSE],
        &["completions", WORSE],
        &["--\n::error::x"],
        &["cluster", "check", WORSE],
        &["cluster", "policy", WORSE],
        &["import", WORSE],
    ] {
        let ran = user.run(command);
        assert_ne!(ran.code, Some(0), "{command:?}");
        inspect(&format!("{command:?}"), "table", &ran);
        everywhere(&user, command, &["json"]);
    }
}

#[test]
fn a_message_of_several_lines_is_one_row_and_is_shown_whole() {
    let user = Cfgctl::new();
    user.write(
        "shop.yaml",
        "apiVersion: cfgctl.dev/v1\nkind: ConfigSet\nmetadata: {name: shop}\nspec: {values: {a: 1}}\n",
    );
    user.ok(&["apply", "-f", "shop.yaml", "--yes", "-m", "one\ntwo"]);
    let history = user.ok(&["history", "shop"]);
    assert_eq!(history.lines().count(), 2, "{history}");
    assert!(history.contains("one⏎two"), "{history}");
    let show = user.ok(&["show", "shop"]);
    assert!(show.contains("\n# one\n# two\n"), "{show}");
    let json: Value = serde_json::from_str(&user.ok(&["history", "shop", "-o", "json"])).unwrap();
    assert_eq!(json["revisions"][0]["origin"]["message"], "one\ntwo");
}
