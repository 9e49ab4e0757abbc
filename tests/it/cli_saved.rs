//! Plans in files: what was shown is what is done, by whoever does it.

use serde_json::Value;

use crate::support::cli::Cfgctl;

const SET: &str = "apiVersion: cfgctl.dev/v1\nkind: ConfigSet\nmetadata: {name: shop}\n\
                   spec:\n  values:\n    timeout: 1500\n---\n\
                   apiVersion: cfgctl.dev/v1\nkind: Cluster\nmetadata: {name: eu}\n\
                   spec: {directory: {path: out}}\n";

/// A user with a plan that somebody else made.
fn user() -> Cfgctl {
    let mut user = Cfgctl::new();
    user.write("shop.yaml", SET);
    user.set("CFGCTL_ACTOR", "planner@ci");
    let diff = user.run(&["diff", "-f", "shop.yaml", "--out", "plan"]);
    assert_eq!(diff.code, Some(1), "{}", diff.stderr);
    user.set("CFGCTL_ACTOR", "ops@laptop");
    user
}

fn history(user: &Cfgctl) -> Value {
    let text = user.ok(&["history", "shop", "-o", "json"]);
    let history: Value = serde_json::from_str(&text).unwrap();
    history["revisions"][0]["origin"].clone()
}

#[test]
fn whoever_applies_a_plan_is_the_author_and_who_planned_stands_beside() {
    let user = user();
    user.ok(&["apply", "plan", "--yes"]);
    let origin = history(&user);
    assert_eq!(origin["actor"], "ops@laptop");
    assert_eq!(origin["planned"]["by"], "planner@ci");
    assert!(origin["planned"]["at"].as_str() <= origin["at"].as_str());

    for shown in [
        user.ok(&["history", "shop", "-o", "wide"]),
        user.ok(&["explain", "shop", "timeout"]),
        user.ok(&["show", "shop"]),
    ] {
        assert!(shown.contains("by planner@ci"), "{shown}");
        assert!(shown.contains("ops@laptop"), "{shown}");
    }
    user.ok(&["apply", "-f", "shop.yaml", "--yes"]);
    user.write("shop.yaml", &SET.replace("1500", "1600"));
    user.ok(&["apply", "-f", "shop.yaml", "--yes"]);
    assert_eq!(history(&user)["planned"], Value::Null);
}

#[test]
fn a_plan_that_was_edited_is_not_carried_out() {
    let user = user();
    let path = user.directory().join("plan");
    let whole = std::fs::read_to_string(&path).unwrap();
    let digest = whole
        .lines()
        .find(|line| line.contains("\"digest\""))
        .unwrap();
    for (from, to, why) in [
        ("planner@ci", "root@prod", "its digest does not match"),
        ("1500", "9500", "its digest does not match"),
        (
            "\"timeout\": 6",
            "\"timeout\": 8",
            "its digest does not match",
        ),
        ("shop.yaml", "other.yaml", "its digest does not match"),
        ("sha256:", "sha256:0", ""),
        (digest, "", "it has no digest"),
        (
            "cfgctl.dev/v1",
            "cfgctl.dev/v9",
            "of format `cfgctl.dev/v9`",
        ),
    ] {
        let edited = whole.replace(from, to);
        assert_ne!(edited, whole, "{from}");
        std::fs::write(&path, edited).unwrap();
        let ran = user.run(&["apply", "plan", "--yes"]);
        assert_eq!(ran.code, Some(2), "{from}: {}", ran.stderr);
        assert!(ran.stderr.contains(why), "{from}: {}", ran.stderr);
        assert!(ran.stderr.contains("cfgctl diff -f"), "{}", ran.stderr);
    }
    std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    assert_eq!(user.run(&["apply", "plan", "--yes"]).code, Some(2));
    // Only how it is laid out does not matter.
    let value: Value = serde_json::from_str(&whole).unwrap();
    std::fs::write(&path, value.to_string()).unwrap();
    user.ok(&["apply", "plan", "--yes"]);
}
