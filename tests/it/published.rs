//! What is published is read back the same by readers that know nothing of cfgctl: `PyYAML` reads
//! YAML 1.1, as many applications do, and `javaproperties` what Java does.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Map, Value, json};

use crate::support::cli::Cfgctl;
use crate::support::python;
use crate::support::transcript::{bring, with_input};

/// Prints what the reader understood, types included: a date or a set of YAML 1.1 is no JSON.
const YAML: &str = "
import json, sys, yaml
json.dump(yaml.safe_load(sys.stdin.buffer.read().decode()), sys.stdout)
";
const PROPERTIES: &str = "
import io, json, sys, javaproperties
json.dump(javaproperties.load(io.BytesIO(sys.stdin.buffer.read())), sys.stdout)
";

/// Texts and keys that some reader takes for something else, or that end too early.
const HOSTILE: &[&str] = &[
    "",
    " ",
    "~",
    "null",
    "Null",
    "NULL",
    "true",
    "True",
    "yes",
    "Yes",
    "no",
    "NO",
    "on",
    "off",
    "y",
    "n",
    "Y",
    "N",
    "0",
    "-0",
    "1",
    "+1",
    "01",
    "007",
    "0644",
    "0o17",
    "0x1F",
    "0b101",
    "1_000",
    "1,000",
    "1.0",
    "1.",
    ".5",
    "-.5",
    "1e3",
    "1E+3",
    "1.5e-7",
    ".inf",
    "-.Inf",
    ".nan",
    ".NaN",
    "inf",
    "nan",
    "12:30",
    "1:30:45",
    "190:20:30",
    "-1:30",
    "12:30.5",
    "2026-11-21",
    "2026-11-21T10:00:00Z",
    "2026-11-21 10:00:00",
    "=",
    "<<",
    "-",
    "- a",
    "?",
    "? a",
    ":",
    ": a",
    "a: b",
    "a:",
    ":a",
    "#",
    "# a",
    "a #b",
    "a#b",
    "!",
    "!tag",
    "!!str a",
    "&",
    "&a",
    "*",
    "*a",
    "|",
    ">",
    "|-",
    "%",
    "%YAML 1.1",
    "@",
    "`",
    "'",
    "''",
    "\"",
    "\"\"",
    "\\",
    "\\n",
    "{",
    "}",
    "{}",
    "[",
    "]",
    "[]",
    ",",
    "{a: b}",
    "[a, b]",
    "---",
    "...",
    "--- a",
    "a\nb",
    "a\n",
    "\na",
    "\n",
    "\n\n",
    "a\n\nb\n",
    " a",
    "a ",
    "\ta",
    "a\t",
    "a\tb",
    "a\r\nb",
    "a\rb",
    "\u{85}",
    "a\u{85}b",
    "\u{2028}",
    "a\u{2029}b",
    "\u{a0}",
    "\u{feff}",
    "a\u{feff}",
    "\u{0}",
    "\u{7}",
    "\u{1b}[31m",
    "\u{7f}",
    "\u{80}",
    "ü",
    "日本語",
    "🦀",
    "e\u{301}",
    "\u{202e}abc",
    "${env:HOME}",
    "{{ a }}",
    "%{a}",
    "$(a)",
    "a=b",
    "a!b",
    "ref+vault://a#/b",
    "DE",
    "NO\n",
    "1.2.3",
    "1.2.3.4",
    "::1",
    "https://a.example/b?c=d&e=f#g",
    "0.1.",
    "1__0",
    "0_",
    "_1",
    "+",
    "+.inf",
    "0x",
    "0o8",
    "08",
    "09",
    "1e",
    "\u{fffd}",
    "\u{fffe}",
    "\u{ffff}",
    "\u{10ffff}",
];

fn numbers() -> Value {
    json!([
        0,
        1,
        -1,
        9_007_199_254_740_993_i64,
        i64::MIN,
        i64::MAX,
        u64::MAX,
        0.1,
        -0.0,
        1.0,
        100.0,
        1e15,
        1e16,
        1e21,
        1e22,
        1e100,
        1.5e-7,
        5e-324,
        f64::MAX,
        f64::MIN_POSITIVE,
        49.9,
        0.825,
        1e-5,
        123_456_789.123_456_79
    ])
}

fn understood(program: &str, published: &[u8]) -> Value {
    serde_json::from_slice(&python::judged(program, published)).expect("JSON")
}

/// Publishes values of a set to a directory: what an application finds there.
fn publish(values: &Value, format: &str) -> Vec<u8> {
    let user = Cfgctl::new();
    let manifests = json!([
        {"apiVersion": "cfgctl.dev/v1", "kind": "Cluster", "metadata": {"name": "here"},
         "spec": {"directory": {"path": "../out"}}},
        {"apiVersion": "cfgctl.dev/v1", "kind": "ConfigSet", "metadata": {"name": "hostile"},
         "spec": {"values": values,
                  "publish": [{"spring": {"context": "config/hostile", "format": format}}]}},
    ]);
    for (index, manifest) in manifests.as_array().expect("a list").iter().enumerate() {
        user.write(&format!("files/{index}.json"), &escaped(manifest));
    }
    user.ok(&["apply", "-f", "files", "--yes"]);
    std::fs::read(user.directory().join("out/hostile/config/hostile/data")).expect("a file")
}

/// JSON that YAML takes too: some characters it wants escaped.
fn escaped(value: &Value) -> String {
    let text = value.to_string();
    text.chars().fold(String::new(), |mut text, c| {
        match c {
            '\u{7f}'..='\u{9f}'
            | '\u{2028}'
            | '\u{2029}'
            | '\u{feff}'
            | '\u{fffe}'
            | '\u{ffff}' => {
                _ = write!(text, "\\u{:04x}", u32::from(c));
            }
            _ => text.push(c),
        }
        text
    })
}

/// One at a time, if they are not the same together: so that the culprit has a name.
fn differences(found: &Value, expected: &Value, at: &str, to: &mut Vec<String>) {
    match (found, expected) {
        (Value::Object(found), Value::Object(expected)) => {
            let keys = |map: &Map<String, Value>| map.keys().cloned().collect::<Vec<_>>();
            if keys(found) != keys(expected) {
                to.push(format!(
                    "{at}: keys {:?} not {:?}",
                    keys(found),
                    keys(expected)
                ));
            }
            for (key, value) in expected {
                let found = found.get(key).unwrap_or(&Value::Null);
                differences(found, value, &format!("{at}.{key}"), to);
            }
        }
        (Value::Array(found), Value::Array(expected)) if found.len() == expected.len() => {
            for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
                differences(found, expected, &format!("{at}[{index}]"), to);
            }
        }
        _ if found != expected => to.push(format!("{at}: {found:?} not {expected:?}")),
        _ => {}
    }
}

fn assert_same(found: &Value, expected: &Value, published: &[u8]) {
    let mut wrong = Vec::new();
    differences(found, expected, "", &mut wrong);
    let published = String::from_utf8_lossy(published);
    assert!(wrong.is_empty(), "{}\n{published}", wrong.join("\n"));
}

#[test]
fn yaml_1_1_reads_hostile_texts_keys_and_numbers_as_they_were_meant() {
    let as_keys: Map<String, Value> = HOSTILE
        .iter()
        .enumerate()
        // Spring drops blank names, so they are refused.
        .filter(|(_, text)| !text.trim().is_empty())
        .map(|(index, text)| ((*text).to_owned(), json!(index)))
        .collect();
    let values = json!({
        "texts": HOSTILE,
        "keys": as_keys,
        "numbers": numbers(),
        "nothing": [null, true, false, [], {}, [[]], [{}], {"a": []}],
        "deep": {"a": {"b": [{"c": [["d", {"e": "f\ng\n"}]]}]}},
        "long": "word ".repeat(100) + "\n" + &"x".repeat(500),
    });
    let published = publish(&values, "yaml");
    assert_same(&understood(YAML, &published), &values, &published);
}

#[test]
fn yaml_1_1_reads_the_shop_as_it_is_declared() {
    let user = Cfgctl::new();
    bring(&user, "fixtures/shop");
    // The same clusters, as directories.
    let clusters = ["eu-prod-de", "eu-prod-fr", "us-prod", "eu-staging"];
    let manifests = std::fs::read_to_string(user.directory().join("fixtures/shop/clusters.yaml"));
    let mut manifests = manifests.unwrap();
    for (name, port) in clusters.iter().zip([18500, 18510, 18520, 18530]) {
        let consul =
            format!("  consul:\n    address: http://127.0.0.1:{port}\n    prefix: cfgctl\n");
        assert!(manifests.contains(&consul), "{manifests}");
        manifests = manifests.replace(
            &consul,
            &format!("  directory: {{path: ../../out/{name}}}\n"),
        );
    }
    user.write("fixtures/shop/clusters.yaml", &manifests);
    user.ok(&["apply", "-f", "fixtures/shop", "--yes"]);

    let mut compared = 0;
    for cluster in clusters {
        let place = user.directory().join("out").join(cluster);
        for set in ["catalog", "checkout", "notification", "payment", "search"] {
            compared += i32::from(compare(&user, &place.join(set), set, cluster));
        }
    }
    assert!(
        compared >= 8,
        "only {compared} documents of YAML were found"
    );
}

/// Compares all YAML that is published at one place with the snapshot; whether there was any.
fn compare(user: &Cfgctl, place: &Path, set: &str, cluster: &str) -> bool {
    let shown = with_input(user, &format!("show {set} --cluster {cluster} -o json"), "");
    let Ok(shown) = serde_json::from_str::<Value>(&shown.stdout) else {
        return false;
    };
    let snapshot = &shown["snapshot"];
    let keys = snapshot["keys"].as_object();
    let documents = keys.into_iter().flat_map(Map::keys);
    let documents: Vec<_> = documents
        .filter(|key| key.ends_with("/data"))
        .filter(|key| {
            let manifest: Value =
                serde_json::from_str(&user.ok(&["get", set, "-o", "json"])).unwrap();
            let publish = manifest["items"][0]["manifest"]["spec"]["publish"].clone();
            publish.as_array().into_iter().flatten().any(|target| {
                let spring = &target["spring"];
                let context = spring["context"].as_str().unwrap_or_default();
                key.as_str() == format!("{context}/data") && spring["format"] != "properties"
            })
        })
        .collect();
    for key in &documents {
        let published = std::fs::read(place.join(key.as_str())).unwrap();
        assert_same(
            &understood(YAML, &published),
            &snapshot["values"],
            &published,
        );
    }
    !documents.is_empty()
}

#[test]
fn java_reads_hostile_properties_as_they_were_meant() {
    // One property each: how a tree becomes property names is Spring's matter and tested there.
    let texts: Map<String, Value> = HOSTILE
        .iter()
        .enumerate()
        .map(|(index, text)| (format!("p{index}"), json!(text)))
        .collect();
    let published = publish(&Value::Object(texts.clone()), "properties");
    let found = understood(PROPERTIES, &published);
    assert_same(&found, &Value::Object(texts), &published);
}
