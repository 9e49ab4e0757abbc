//! What is published is what flagd takes, and cfgctl answers as flagd does: its own evaluator is the
//! judge.

use std::collections::BTreeMap;
use std::path::Path;

use cfgctl::evaluate::{Context, evaluate};
use cfgctl::model::{Flag, FlagName};
use serde_json::{Map, Value, json};

use crate::support::cli::Cfgctl;
use crate::support::flagd::{self, Answer};

/// When everything is evaluated: 2026-11-21T12:00:00Z.
const NOW: i64 = 1_795_262_400;

/// Conditions with every operator that `JsonLogic` has, used as people use them; and on fields that
/// are missing, null, or of another type than the rule expects.
fn conditions() -> Vec<Value> {
    let mut conditions = vec![
        json!({"var": "beta"}),
        json!({"var": ["beta", true]}),
        json!({"var": "user.name"}),
        json!({"var": "orders.0.paid"}),
        json!({"var": "nothing.at.all"}),
        json!({"!": {"var": "tier"}}),
        json!({"!": [{"var": "roles"}]}),
        json!({"!!": [{"var": "user"}]}),
        json!({"===": [{"var": "age"}, 18]}),
        json!({"===": [{"var": "age"}, "18"]}),
        json!({"!==": [{"var": "tier"}, "beta"]}),
        json!({"!==": [{"var": "tier"}, null]}),
        json!({"and": [{"var": "tier"}, {"var": "age"}, {"var": "roles"}]}),
        json!({"or": [{"var": "beta"}, {"var": "user.age"}, {"var": "roles"}]}),
        json!({"missing": ["tier", "age"]}),
        json!({"missing": ["user.name", "user.nothing", "roles.1"]}),
        json!({"missing_some": [1, ["tier", "age", "email"]]}),
        json!({"missing_some": [2, ["tier", "age", "email"]]}),
        json!({"<": [1, {"var": "age"}, 65]}),
        json!({"<=": [18, {"var": "age"}, {"var": "limit"}]}),
        json!({"in": [{"var": "tier"}, ["beta", "gold", null]]}),
        json!({"in": [{"var": "age"}, [17, 18, 19]]}),
        json!({"in": ["admin", {"var": "roles"}]}),
        json!({"in": ["@example", {"var": "email"}]}),
        json!({"in": [{"var": "nothing"}, {"var": "email"}]}),
        json!({"some": [{"var": "roles"}, {"==": [{"var": ""}, "admin"]}]}),
        json!({"all": [{"var": "roles"}, {"in": [{"var": ""}, ["admin", "dev"]]}]}),
        json!({"none": [{"var": "orders"}, {">": [{"var": "total"}, 50]}]}),
        json!({"some": [{"var": "orders"}, {"and": [{"var": "paid"}, {"<": [{"var": "total"}, 50]}]}]}),
        json!({"filter": [{"var": "orders"}, {"var": "paid"}]}),
        json!({"==": [{"var": "$flagd.flagKey"}, "condition-7"]}),
        json!({">": [{"var": "$flagd.timestamp"}, NOW - 1]}),
        json!({"<": [{"var": "$flagd.timestamp"}, {"var": "limit"}]}),
        json!({"==": [{"substr": [{"var": "version"}, 0, 1]}, "1"]}),
        json!({"==": [{"substr": [{"var": "version"}, -2]}, ".3"]}),
        json!({"==": [{"substr": [{"var": "version"}, 1, -1]}, ".2."]}),
        json!({"==": [{"cat": [{"var": "tier"}, "-", {"var": "age"}]}, "beta-18"]}),
        json!({"==": [{"cat": [{"var": "roles"}, 1.5, {"var": "beta"}]}, "admin,dev1.5true"]}),
        json!({">": [{"reduce": [
            {"map": [{"var": "orders"}, {"var": "total"}]},
            {"+": [{"var": "accumulator"}, {"var": "current"}]},
            0,
        ]}, 60]}),
        json!({"in": ["dev", {"merge": [{"var": "roles"}, [{"var": "tier"}]]}]}),
        json!({"starts_with": [{"var": "email"}, "ann"]}),
        json!({"starts_with": [{"var": "version"}, {"var": "tier"}]}),
        json!({"ends_with": [{"var": "email"}, "@example.com"]}),
        json!({"ends_with": [{"cat": [{"var": "tier"}, ".x"]}, "a.x"]}),
    ];
    for operator in ["+", "-", "*", "/", "%", "min", "max"] {
        conditions.push(json!({">": [{operator: [{"var": "age"}, 2]}, 9]}));
        conditions.push(json!({"<": [{operator: [{"var": "age"}, {"var": "limit"}]}, 20]}));
    }
    for operator in ["=", "!=", "<", "<=", ">", ">=", "^", "~"] {
        for version in ["1.2.3", "2.0.0-rc.1", "0.0.0+build.5"] {
            conditions.push(json!({"sem_ver": [{"var": "version"}, operator, version]}));
            conditions.push(json!({"sem_ver": [version, operator, {"var": "version"}]}));
        }
        conditions.push(json!({"sem_ver": [{"var": "version"}, operator, {"var": "limit"}]}));
    }
    conditions
}

/// Every field compared with everything: what is missing, and what is of another type.
fn comparisons() -> Vec<Value> {
    let mut conditions = Vec::new();
    let fields = ["tier", "age", "email", "beta", "roles", "nothing", "limit"];
    let literals = [
        json!("beta"),
        json!(18),
        json!("18"),
        json!(""),
        json!(true),
        json!(null),
    ];
    for operator in ["==", "!=", "<", "<=", ">", ">="] {
        for field in fields {
            for literal in &literals {
                conditions.push(json!({operator: [{"var": field}, literal]}));
                conditions.push(json!({operator: [literal, {"var": field}]}));
            }
            conditions.push(json!({operator: [{"var": field}, {"var": "age"}]}));
            conditions.push(json!({operator: [{"var": ["age", 18]}, {"var": field}]}));
        }
    }
    conditions
}

/// Rules whose outcome is more than one of two.
fn choices() -> Vec<Value> {
    let buckets = json!([["red"], ["green", 2], ["blue", {"var": "age"}], [{"var": "wanted"}, 5]]);
    let keyed = |key: Value| {
        let mut operands = vec![key];
        operands.extend(buckets.as_array().unwrap().clone());
        json!({"fractional": operands})
    };
    vec![
        json!({"var": "wanted"}),
        json!({"var": ["wanted", "green"]}),
        json!({"cat": ["r", "ed"]}),
        json!({"cat": [{"substr": [{"var": "wanted"}, 0, 1]}, "ed"]}),
        json!({"or": [{"var": "wanted"}, "blue"]}),
        json!({"and": [{"var": "beta"}, {"var": "wanted"}]}),
        json!({"if": [{"var": "beta"}, "red"]}),
        json!({"if": [{"var": "wanted"}]}),
        json!({"if": [{"var": "beta"}, "red", {"var": "age"}, null, {"var": "tier"}, "blue", "green"]}),
        json!({"if": [{"<": [{"var": "age"}, 30]},
            {"fractional": [["red", 50], ["green", 50]]},
            {"if": [{"var": "beta"}, "blue", null]}]}),
        json!({"fractional": [["red", 25], ["green", 25], ["blue", 50]]}),
        json!({"fractional": [["red"], ["green"], ["blue"]]}),
        json!({"fractional": [["red", 0], ["green", 0]]}),
        json!({"fractional": [["red", 2_147_483_646], ["green", 1]]}),
        json!({"fractional": [[null, 1], [true, 1], [1, 1], ["red", 1]]}),
        json!({"fractional": [["red", {"-": [{"var": "age"}, 18]}], ["blue", 3]]}),
        json!({"fractional": [["red", {"var": "tier"}], ["blue", 3]]}),
        json!({"fractional": buckets}),
        keyed(json!({"var": "email"})),
        keyed(json!({"var": "age"})),
        keyed(json!({"cat": [{"var": "$flagd.flagKey"}, {"var": "email"}]})),
        json!({"if": [{"some": [{"var": "roles"}, {"starts_with": [{"var": ""}, "a"]}]}, "red", "blue"]}),
        json!({"max": [{"var": "age"}, 1]}),
        json!({"+": [{"var": "age"}, -17]}),
    ]
}

/// A flag for each condition, by name.
fn switches(conditions: Vec<Value>) -> Map<String, Value> {
    let flag = |condition: Value| {
        json!({"state": "ENABLED", "variants": {"on": true, "off": false},
            "defaultVariant": "off", "targeting": {"if": [condition, "on", "off"]}})
    };
    let conditions = conditions.into_iter().enumerate();
    conditions
        .map(|(index, condition)| (format!("condition-{index}"), flag(condition)))
        .collect()
}

/// Flags of every type and state, by name.
fn flags() -> Map<String, Value> {
    let mut flags = switches(conditions());
    for (index, choice) in choices().into_iter().enumerate() {
        let variants = [
            json!({"red": "#f00", "green": "#0f0", "blue": "#00f", "true": "white", "1": "black"}),
            json!({"red": 1, "green": 2.5, "blue": -3, "true": 0, "1": 1e21}),
            json!({"red": {}, "green": {"a": [1, {}]}, "blue": {"b": null}, "true": {"c": 1}, "1": {}}),
        ];
        let defaults = [json!("red"), json!(null), json!("blue")];
        for (kind, (variants, default)) in variants.into_iter().zip(defaults).enumerate() {
            flags.insert(
                format!("choice-{index}-{kind}"),
                json!({"state": "ENABLED", "variants": variants, "defaultVariant": default,
                    "targeting": choice}),
            );
        }
    }
    flags.insert("short".to_owned(), json!(true));
    let variants = json!({"a": 1, "b": 2});
    flags.insert(
        "static".to_owned(),
        json!({"state": "ENABLED", "variants": variants, "defaultVariant": "b", "targeting": {},
            "metadata": {"team": "shop", "level": 3}}),
    );
    flags.insert(
        "nothing".to_owned(),
        json!({"state": "ENABLED", "variants": variants}),
    );
    flags.insert(
        "disabled".to_owned(),
        json!({"state": "DISABLED", "variants": variants, "defaultVariant": "a",
            "targeting": {"var": "wanted"}}),
    );
    flags
}

/// Contexts in which every field is missing, null, usual, or of another type.
fn contexts() -> Vec<Value> {
    let fields = [
        ("targetingKey", json!(["", 7])),
        ("tier", json!(["beta", "gold", "", 5, null])),
        ("age", json!([18, 17, 64.5, 0, -1, "18", null])),
        ("limit", json!([50, 0, 1.5, "1.2", "v1"])),
        (
            "email",
            json!(["ann@example.com", "bob@example.org", "", 5, null]),
        ),
        ("beta", json!([true, false, "no", null])),
        (
            "roles",
            json!([["admin", "dev"], [], ["dev", null, 1], "admin", null]),
        ),
        (
            "version",
            json!([
                "1.2.3",
                "v1.2",
                "1",
                "2.0.0-rc.1",
                "2.0.0-rc.1+x",
                "1.2.3.4",
                "",
                1.2,
                null
            ]),
        ),
        (
            "wanted",
            json!(["red", "green", "grey", "", true, false, 1, 1.0, 1e21, null]),
        ),
        (
            "user",
            json!([{"name": "ann", "age": 0}, {}, {"name": null}, "ann"]),
        ),
        (
            "orders",
            json!([[{"total": 45, "paid": true}, {"total": 20}], [], [{"paid": 1}]]),
        ),
    ];
    let mut random = fastrand::Rng::with_seed(4);
    let mut contexts: Vec<Value> = (0..400)
        .map(|index| {
            let mut context = Map::new();
            for (field, values) in &fields {
                let values = values.as_array().unwrap();
                // A third of the fields are missing, and a third is usual.
                let value = match random.usize(0..3) {
                    0 => continue,
                    1 => values.first(),
                    _ => random.choice(values),
                };
                context.insert((*field).to_owned(), value.cloned().unwrap());
            }
            if index % 5 != 0 {
                context.insert("targetingKey".to_owned(), json!(format!("user-{index}")));
            }
            Value::Object(context)
        })
        .collect();
    contexts.push(json!({}));
    contexts
}

/// Declares flags in a set, delivers it to a directory, and returns the flag file there.
fn published(user: &Cfgctl, flags: &Map<String, Value>) -> String {
    let manifests = [
        json!({"apiVersion": "cfgctl.dev/v1", "kind": "Cluster", "metadata": {"name": "here"},
            "spec": {"directory": {"path": "../out"}}}),
        json!({"apiVersion": "cfgctl.dev/v1", "kind": "ConfigSet", "metadata": {"name": "judged"},
            "spec": {"values": {"a": 1}, "flags": flags,
                "publish": [{"flagd": {"key": "flags/judged"}}]}}),
    ];
    for (index, manifest) in manifests.iter().enumerate() {
        user.write(&format!("files/{index}.json"), &manifest.to_string());
    }
    user.ok(&["apply", "-f", "files", "--yes"]);
    read(user.directory())
}

fn read(home: &Path) -> String {
    std::fs::read_to_string(home.join("out/judged/flags/judged")).unwrap()
}

/// What cfgctl says to the same.
fn our_answers(file: &str, contexts: &[Value]) -> BTreeMap<String, Vec<Answer>> {
    let file: Value = serde_json::from_str(file).unwrap();
    let flags: BTreeMap<FlagName, Flag> = serde_json::from_value(file["flags"].clone()).unwrap();
    let now = jiff::Timestamp::from_second(NOW).unwrap();
    let contexts: Vec<Context> = (contexts.iter())
        .map(|context| context.as_object().unwrap().clone().try_into().unwrap())
        .collect();
    let answer = |name: &FlagName, flag: &Flag, context: &Context| {
        let found = evaluate(name, flag, context, now);
        Answer {
            variant: found.variant,
            value: found.value.unwrap_or_default(),
            reason: json!(found.reason).as_str().unwrap().to_owned(),
        }
    };
    flags
        .iter()
        .map(|(name, flag)| {
            let answers = contexts.iter().map(|context| answer(name, flag, context));
            (name.to_string(), answers.collect())
        })
        .collect()
}

/// Compares both, and says how often each reason was given.
fn compare(file: &str, contexts: &[Value]) -> BTreeMap<String, usize> {
    let theirs = flagd::answers(file, contexts, NOW);
    let ours = our_answers(file, contexts);
    assert_eq!(
        theirs.keys().collect::<Vec<_>>(),
        ours.keys().collect::<Vec<_>>()
    );
    let rules: Value = serde_json::from_str(file).unwrap();
    let mut wrong = Vec::new();
    let mut reasons = BTreeMap::new();
    for (name, theirs) in &theirs {
        for ((theirs, ours), context) in theirs.iter().zip(&ours[name]).zip(contexts) {
            *reasons.entry(theirs.reason.clone()).or_default() += 1;
            if theirs != ours {
                let rule = &rules["flags"][name]["targeting"];
                wrong.push(format!(
                    "{rule}\n  {context}\n  flagd {theirs:?}\n  ours  {ours:?}"
                ));
            }
        }
    }
    wrong.sort_by_key(String::len);
    let shown = wrong.iter().take(10).cloned().collect::<Vec<_>>();
    assert!(
        wrong.is_empty(),
        "{} differ\n{}",
        wrong.len(),
        shown.join("\n")
    );
    reasons
}

#[test]
fn every_operator_answers_as_flagds_own_evaluator_does() {
    let flags = flags();
    let file = published(&Cfgctl::new(), &flags);
    let contexts = contexts();
    let reasons = compare(&file, &contexts);
    assert_eq!(
        reasons.values().sum::<usize>(),
        flags.len() * contexts.len()
    );
    for reason in ["STATIC", "TARGETING_MATCH", "DEFAULT", "DISABLED", "ERROR"] {
        let count = reasons.get(reason).copied().unwrap_or_default();
        assert!(count >= 400, "{reason} was the reason {count} times only");
    }
}

#[test]
fn anything_is_compared_with_anything_as_flagd_does() {
    let flags = switches(comparisons());
    let file = published(&Cfgctl::new(), &flags);
    let reasons = compare(&file, &contexts()[..100]);
    assert!(reasons["TARGETING_MATCH"] > 10_000, "{reasons:?}");
    assert!(reasons["ERROR"] > 1000, "{reasons:?}");
}
