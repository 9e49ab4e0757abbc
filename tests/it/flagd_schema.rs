//! What flagd's schema refuses, cfgctl refuses too: with the line, and before it is published.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::cli::Cfgctl;
use crate::support::flagd;

/// Operands of every shape: some of them fit an operator.
fn shapes() -> Vec<Value> {
    let x = json!({"var": "x"});
    vec![
        json!([]),
        json!([1]),
        json!(["a"]),
        json!([x]),
        json!([[1]]),
        json!([["on", 1]]),
        json!([["on"]]),
        json!([["on", -1]]),
        json!([["on", 1.5], ["off", 1]]),
        json!([["on", "1"]]),
        json!([["on", x], ["off", 1]]),
        json!([["on", 1, 2], ["off", 1]]),
        json!([[x, 1], ["off", 1]]),
        json!([["on", 50], ["off", 50]]),
        json!([[], ["off", 50]]),
        json!([x, ["on", 50], ["off", 50]]),
        json!([x, x, ["off", 50]]),
        json!(["key", ["on", 50], ["off", 50]]),
        json!([["on", 50], "off"]),
        json!([1, 2]),
        json!(["a", "b"]),
        json!([x, "b"]),
        json!([x, 1]),
        json!([x, x]),
        json!([null, "b"]),
        json!([1, ["a"]]),
        json!(["1", ["a"]]),
        json!([1, ["a", 1]]),
        json!([x, ["a"]]),
        json!(["a", "b", "c"]),
        json!([1, 2, 3]),
        json!([x, x, x]),
        json!([x, "=", "1.0.0"]),
        json!([x, "=", "v1.0.0"]),
        json!([x, "=", "1.0"]),
        json!([x, "==", "1.0.0"]),
        json!([x, "^", x]),
        json!(["1.0.0", "~", "1.0.0-rc.1+x"]),
        json!(["1.0.0", x, "1.0.0"]),
        json!([{"cat": [x]}, "=", "1.0.0"]),
        json!([1, "=", "1.0.0"]),
        json!(["a", "b", "c", "d"]),
        json!([1, {"nothing": 1}]),
        json!([1, {"var": "x", "cat": ["a"]}]),
        json!([1, {}]),
        json!([x, {"$ref": "shared"}]),
        json!({"var": "x"}),
        json!({"nothing": 1}),
        json!({}),
        json!("a"),
        json!(1),
        json!(null),
        json!(true),
    ]
}

#[test]
fn what_flagds_schema_refuses_is_not_valid() {
    let operators = "var missing missing_some if and or ! !! == === != !== < <= > >= + - * / % min \
        max map filter reduce all none some merge in cat substr starts_with ends_with sem_ver \
        fractional $ref ?: log method length val exists upper switch";
    let variants = json!({"on": true, "off": false});
    let mut flags: Vec<Value> = Vec::new();
    for operator in operators.split_whitespace() {
        for shape in shapes() {
            let rule = json!({"if": [{operator: shape}, "on", "off"]});
            flags.push(json!({"state": "ENABLED", "variants": variants, "targeting": rule}));
        }
    }
    for (field, value) in [
        ("state", json!("ON")),
        ("variants", json!({})),
        ("variants", json!({"on": null})),
        ("variants", json!({"on": [1]})),
        ("variants", json!({"on": 1, "off": "0"})),
        ("variants", json!({"on": {}, "off": 0})),
        ("defaultVariant", json!(1)),
        ("targeting", json!("on")),
        ("targeting", json!([])),
        ("targeting", json!({"if": [{"var": "a"}, "on"], "or": [1]})),
        ("metadata", json!({"a": null})),
        ("metadata", json!({"a": [1]})),
        ("metadata", json!({"a": {}})),
        ("other", json!(1)),
    ] {
        let mut flag = json!({"state": "ENABLED", "variants": variants});
        flag[field] = value;
        flags.push(flag);
    }
    let file = |flag: &Value| json!({"flags": {"f": flag}}).to_string();
    let files: Vec<String> = flags.iter().map(file).collect();
    let refused = refused(&flags);

    let mut wrong = Vec::new();
    let mut counts = [0, 0];
    for (index, refusal) in flagd::refusals(&files).iter().enumerate() {
        counts[usize::from(refusal.is_some())] += 1;
        if refusal.is_some() && !refused.contains(&index) {
            wrong.push(flags[index].to_string());
        }
    }
    assert!(
        wrong.is_empty(),
        "valid, but not to flagd:\n{}",
        wrong.join("\n")
    );
    assert!(counts[0] > 400 && counts[1] > 800, "{counts:?}");
    // And what is valid to both is most of what is valid to flagd.
    assert!(
        flags.len() - refused.len() > 400,
        "{} refused",
        refused.len()
    );
}

/// The flags that `validate` has an error in, by index.
fn refused(flags: &[Value]) -> BTreeSet<usize> {
    let user = Cfgctl::new();
    // Each in a set of its own, in two lines.
    let sets = flags.iter().enumerate().map(|(index, flag)| {
        let set = json!({"apiVersion": "cfgctl.dev/v1", "kind": "ConfigSet",
            "metadata": {"name": format!("set{index}")},
            "spec": {"values": {"a": 1}, "flags": {"f": flag}}});
        format!("---\n{set}\n")
    });
    user.write("sets.yaml", &sets.collect::<String>());
    let ran = user.run(&["validate", "-f", "sets.yaml", "-o", "json"]);
    let found: Value = serde_json::from_str(&ran.stdout).unwrap();
    (found["findings"].as_array().unwrap().iter())
        .filter(|finding| finding["severity"] == "error")
        .map(|finding| {
            let line = finding["at"]["line"].as_u64().unwrap();
            usize::try_from(line).unwrap() / 2 - 1
        })
        .collect()
}
